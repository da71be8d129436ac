//! A network for tables: columns as vectors, a trained factor for each, and wide layers of the neural tangent kind.

use super::Preset;
use super::config::{Inputs, Length, Network};
use crate::layers::{
    ACTIVATION, Activation, COUNT, ColumnEmbedding, Dropout, LayerConfig, MemberLinear, NtkLinear, PLACES,
    Scale, Selu, SmoothClip, Units, WIDTHS,
};
use settings::{Entry, OutOfRange, Range, settings};

pub(super) const ENTRY: Entry = Entry {
    name: Tabular::NAME,
    summary: "for tables: embedded columns, a factor for each, and wide layers; brings optimizer, schedule and preprocessing",
    formula: "x → smooth clip → column embedding → scale → [ntk linear, activation, (dropout)] × hidden → ntk linear",
    source: "after RealMLP: Holzmüller, Grinsztajn and Steinwart, Better by default, NeurIPS 2024, arxiv.org/abs/2407.04491; \
             without its label smoothing and decay, which made tables worse here, and with 64 epochs for 256",
    keys: Tabular::KEYS,
};

/// Categories of more inputs than this are embedded.
const MOST_ONE_HOT: usize = 9;
/// From so many training samples on, batches are the larger ones.
const MANY: usize = 2048;
/// What a config gets that says nothing of it.
const RECIPE: &str = r#"
preprocess = "robust"
optimizer = { name = "adam", lr = 0.04, betas = [0.9, 0.95], weight_decay = 0.0 }
schedule = { name = "coslog" }
groups = [{ match = "*.bias", lr_factor = 0.1 }, { match = "scale.weight", lr_factor = 6.0 }]
"#;

settings! {
    /// x: [B, inputs] -> [B, outputs].
    ///
    /// A config that says `model = "tabular"` and nothing else of it has Adam with `lr` 0.04, betas 0.9 and 0.95 and no
    /// decay, the schedule `coslog`, a tenth of the step for biases and six times the step for the factors of the
    /// columns, `preprocess = "robust"`, batches of 256 (64 below 2,048 training samples) and 64 epochs. A key that is
    /// set stays. A program gets the same by [`RunConfig::of`](crate::config::RunConfig::of).
    #[derive(Clone, Debug, PartialEq)]
    pub struct Tabular of "tabular" {
        /// width of every hidden layer
        pub hidden: Vec<usize> = vec![256, 256, 256] => "[256, 256, 256]", unit "units", in WIDTHS;
        /// after every hidden layer
        pub activation: Activation = Selu {}.into() => "\"selu\"", in ACTIVATION;
        /// probability of dropping a value after every activation; 0 for no dropout layers
        pub dropout: f64 = 0.15, in Range::Below(0.0, 1.0);
        /// networks that share their weights and answer together, for as many times the work; 1 for one network
        pub members: usize = 1, in COUNT;
        /// what outliers are pulled into, on both sides of 0, in distances of the quartiles
        pub clip: f64 = 3.0, in Range::Within(1e-3, 1e6);
        /// waves of a number
        pub frequencies: usize = 16, in COUNT;
        /// standard deviation with which frequencies start
        pub frequency_std: f64 = 0.1, unit "turns", in Range::Within(0.0, 1e3);
        /// length of a number's vector, of which the number itself is the first; 1 for the number alone
        pub dim: usize = 4, in COUNT;
        /// length of the vector of a category of more than 9 values; others are a 1 among zeros
        pub category_dim: usize = 8, in COUNT;
        /// places of the inputs that are numbers; unless set, those of the table
        #[serde(skip_serializing_if = "Option::is_none")]
        pub numbers: Option<Vec<usize>> = None => "null", in PLACES;
        /// first place of each category that is embedded; unless set, those of the table
        #[serde(skip_serializing_if = "Option::is_none")]
        pub categories: Option<Vec<usize>> = None => "null", in PLACES;
        /// how many inputs each of them has; unless set, as many as in the table
        #[serde(skip_serializing_if = "Option::is_none")]
        pub category_sizes: Option<Vec<usize>> = None => "null", in PLACES;
    }
}

impl Network for Tabular {
    fn check(&self) -> Result<(), OutOfRange> {
        self.in_range()
    }

    fn layers(&self, input_shape: &[usize]) -> Vec<LayerConfig> {
        let columns = ColumnEmbedding {
            numbers: self.numbers.clone().unwrap_or_else(|| (0..input_shape.iter().product()).collect()),
            categories: self.categories.clone().unwrap_or_default(),
            category_sizes: self.category_sizes.clone().unwrap_or_default(),
            frequencies: self.frequencies,
            frequency_std: self.frequency_std,
            dim: self.dim,
            category_dim: self.category_dim,
        };
        let mut layers = vec![
            LayerConfig::from(SmoothClip { limit: self.clip }).named("clip"),
            LayerConfig::from(columns).named("columns"),
            LayerConfig::from(Scale::default()).named("scale"),
        ];
        for (i, n) in self.hidden.iter().enumerate() {
            layers.push(self.dense(Units::Count(*n), i == 0, 1.0));
            layers.push(self.activation.clone().into_layer());
            if self.dropout > 0.0 {
                layers.push(Dropout { drop: self.dropout }.into());
            }
        }
        layers.push(self.dense(Units::Outputs, self.hidden.is_empty(), 0.0).named("head"));
        layers
    }

    fn title(&self) -> String {
        ENTRY.name.into()
    }

    fn is_flat(&self) -> bool {
        true
    }

    fn recipe(&self) -> &'static str {
        RECIPE
    }

    fn length(&self, n_train: usize) -> Option<Length> {
        Some(Length { batch: if n_train < MANY { 64 } else { 256 }, epochs: 64 })
    }

    fn suited(&self, inputs: &Inputs) -> Option<Preset> {
        let embedded = || inputs.categories.iter().filter(|(_, n)| *n > MOST_ONE_HOT);
        let mut own = self.clone();
        own.numbers.get_or_insert_with(|| inputs.numbers.clone());
        if own.categories.is_none() && own.category_sizes.is_none() {
            own.categories = Some(embedded().map(|(at, _)| *at).collect());
            own.category_sizes = Some(embedded().map(|(_, n)| *n).collect());
        }
        Some(Preset::Tabular(own))
    }
}

impl Tabular {
    /// A dense layer of one network or of all members, whose weights and biases start with this deviation.
    fn dense(&self, units: Units, is_first: bool, std: f64) -> LayerConfig {
        match self.members {
            1 => NtkLinear { weight_std: std, bias_std: std, ..NtkLinear::new(units) }.into(),
            k => MemberLinear {
                signs: is_first,
                weight_std: std,
                bias_std: std,
                ..MemberLinear::new(k, units)
            }
            .into(),
        }
    }
}
