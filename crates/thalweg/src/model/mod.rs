//! Models: layers with a shape for their input, built into a graph for any batch size, for training and evaluation.

mod blocks;
mod builder;
mod config;
mod error;
mod summary;
#[cfg(feature = "runs")]
pub mod weights;

pub use builder::{Behavior, Builder, MAX_PARAMS, Masks, Mode, Norms, Traced};
pub(crate) use config::Inputs;
pub use config::{LayerList, ModelConfig};
pub use error::ModelError;
pub use lenet5::Pooling;
pub use resnet::Shortcut;
pub use summary::{Row, Summary};

use crate::layers::LayerKind;
use crate::registry::Entry;
use builder::{Record, Start};
use config::Network;
use engine::Shape;
use engine::graph::{Built, Graph, Layout, Var};
use engine::ops::Op;
use engine::rng::{Purpose, Rng};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Lists the networks with a name: a module, the variant, the type and the word each.
macro_rules! networks {
    ($($module:ident: $Variant:ident($Type:ident) = $name:literal),+ $(,)?) => {
        $(mod $module; pub use $module::$Type;)+

        /// Facts about every named model, in the order of the docs.
        pub const ALL: &[Entry] = &[$($module::ENTRY),+];

        /// A named model and its settings.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "name")]
        pub enum Preset {
            $(#[allow(missing_docs)] #[serde(rename = $name)] $Variant($Type)),+
        }

        impl Preset {
            /// The model of that name as it is without settings.
            pub(crate) fn of(name: &str) -> Option<Self> {
                $(if name == $module::ENTRY.name { return Some(Preset::$Variant($Type::default())); })+
                None
            }

            /// Its word in a config.
            pub fn name(&self) -> &'static str {
                match self { $(Preset::$Variant(_) => $module::ENTRY.name),+ }
            }

            /// What it brings to a config that says nothing of it, as TOML; most bring nothing.
            pub fn recipe(&self) -> &'static str {
                self.network().recipe()
            }

            fn network(&self) -> &dyn Network {
                match self { $(Preset::$Variant(network) => network),+ }
            }
        }

        $(impl From<$Type> for ModelConfig {
            fn from(network: $Type) -> Self { ModelConfig::Preset(Preset::$Variant(network)) }
        })+
    };
}

networks! {
    mlp: Mlp(Mlp) = "mlp",
    linear: Linear(LinearModel) = "linear",
    tabular: Tabular(Tabular) = "tabular",
    lenet5: Lenet5(Lenet5) = "lenet5",
    net_2c2d: Net2c2d(Net2c2d) = "2c2d",
    net_3c3d: Net3c3d(Net3c3d) = "3c3d",
    all_cnn_c: AllCnnC(AllCnnC) = "all_cnn_c",
    vgg: Vgg(Vgg) = "vgg",
    resnet: Resnet(Resnet) = "resnet",
    preact_resnet: PreactResnet(PreactResnet) = "preact_resnet",
    convnext: Convnext(Convnext) = "convnext",
}

type Build = dyn Fn(&mut Builder<'_>, Var) -> Built + Send + Sync;

/// A network: what it computes, and which parameters and buffers it has.
///
/// The same names, shapes and offsets hold for every batch size, in training and in evaluation.
///
/// ```
/// use thalweg::engine::Graph;
/// use thalweg::model::{Mode, Model, ModelConfig};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let config: ModelConfig = "784-512-512-10".parse()?;
/// let model = Model::new(&config, &[28, 28], 10)?;
/// let names: Vec<&str> = model.params().slots.iter().map(|s| s.name.as_str()).collect();
/// assert_eq!(names, ["0.weight", "0.bias", "2.weight", "2.bias", "4.weight", "4.bias"]);
/// let (params, buffers) = model.init(42);
/// assert_eq!((params.len(), buffers.len()), (669_706, 0));
///
/// let mut g = Graph::new();
/// let x = model.input(&mut g, 128)?;
/// let logits = model.forward(&mut g, x, Mode::Train)?;
/// assert_eq!(g.shape(logits)[..], [128, 10]);
/// # Ok(())
/// # }
/// ```
pub struct Model {
    build: Box<Build>,
    title: String,
    input_shape: Vec<usize>,
    n_outputs: usize,
    expected: Option<usize>,
    /// whether it gives its outputs once for each member
    is_ensemble: bool,
    params: Layout,
    buffers: Layout,
    starts: Vec<Start>,
    buffer_starts: Vec<(f32, usize)>,
}

impl Model {
    /// A model for samples of `input_shape` (without the batch) that gives `n_outputs` values for each.
    ///
    /// # Errors
    /// When a setting is out of range, layers do not fit together, or the ends do not fit the data.
    pub fn new(config: &ModelConfig, input_shape: &[usize], n_outputs: usize) -> Result<Self, ModelError> {
        config.check()?;
        config.check_ends(input_shape, n_outputs)?;
        let (layers, flat) = config.layers(input_shape);
        if layers.is_empty() {
            return Err(ModelError::NoLayers);
        }
        let last =
            layers.last().and_then(|l| l.name.clone()).unwrap_or_else(|| (layers.len() - 1).to_string());
        let ends_in_members = layers.last().is_some_and(|l| matches!(l.kind, LayerKind::MemberLinear(_)));
        let build = move |b: &mut Builder<'_>, x| {
            let x = if flat { rows(b, x)? } else { x };
            b.sequence(&layers, x)
        };
        let (mut model, mut shape) =
            Self::build(Box::new(build), config.to_string(), input_shape, Some(n_outputs))?;
        if ends_in_members && shape.len() == 2 {
            shape.remove(0);
            (model.n_outputs, model.is_ensemble) = (shape[0], true);
        }
        if shape != [n_outputs] {
            return Err(ModelError::Outputs { layer: last, got: shape, expected: n_outputs });
        }
        Ok(model)
    }

    /// A model in the graph style: any code that builds a result from an input, with [`Builder::layer`] and all
    /// operations of a [`Graph`].
    ///
    /// ```
    /// use thalweg::layers::{Linear, Relu};
    /// use thalweg::model::Model;
    /// # fn main() -> Result<(), thalweg::model::ModelError> {
    /// let model = Model::from_fn(&[16], |b, x| {
    ///     let wide = b.layer("wide", &Linear::new(32), x)?;
    ///     let wide = b.relu(wide)?;
    ///     let both = b.concat(&[wide, x], 1)?;
    ///     b.layer("head", &Linear::new(3), both)
    /// })?;
    /// assert_eq!(model.params().find("head.weight").map(|s| s.shape.to_vec()), Some(vec![3, 48]));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the parts do not fit together.
    pub fn from_fn<F>(input_shape: &[usize], build: F) -> Result<Self, ModelError>
    where
        F: Fn(&mut Builder<'_>, Var) -> Built + Send + Sync + 'static,
    {
        Self::build(Box::new(build), "graph".into(), input_shape, None).map(|(model, _)| model)
    }

    /// Builds for both modes, to find every error and the layout.
    fn build(
        build: Box<Build>,
        title: String,
        input_shape: &[usize],
        expected: Option<usize>,
    ) -> Result<(Self, Vec<usize>), ModelError> {
        let mut model = Model {
            build,
            title,
            input_shape: input_shape.to_vec(),
            n_outputs: 0,
            expected,
            is_ensemble: false,
            params: Layout::default(),
            buffers: Layout::default(),
            starts: Vec::new(),
            buffer_starts: Vec::new(),
        };
        let (train, ..) = model.traced(2, Mode::Train)?;
        let (graph, record, y) = model.traced(2, Mode::Eval)?;
        if (&train.params, &train.buffers) != (&graph.params, &graph.buffers) {
            return Err(ModelError::Modes);
        }
        let n_known: usize = record.buffers.iter().map(|(_, n)| n).sum();
        let n_unknown = graph.params.slots.len() - record.inits.len() + graph.buffers.len() - n_known;
        if n_unknown > 0 {
            return Err(ModelError::NoStart { n_unknown });
        }
        if let Some(name) = duplicate(&record.traced) {
            return Err(ModelError::Duplicate { name });
        }
        let shape = graph.shape(y).get(1..).unwrap_or_default().to_vec();
        model.n_outputs = Shape::from(&shape[..]).numel();
        (model.starts, model.buffer_starts) = (record.inits, record.buffers);
        (model.params, model.buffers) = (graph.params, graph.buffers);
        Ok((model, shape))
    }

    /// A graph of its own for a batch of that size.
    fn traced(&self, batch: usize, mode: Mode) -> Result<(Graph, Record, Var), ModelError> {
        let mut graph = Graph::new();
        let x = self.input(&mut graph, batch)?;
        let (record, y) = self.record(&mut graph, x, mode.into())?;
        Ok((graph, record, y))
    }

    fn record(&self, graph: &mut Graph, x: Var, behavior: Behavior) -> Built<(Record, Var)> {
        let mut record = Record::default();
        let y = (self.build)(&mut Builder::new(graph, &mut record, behavior, self.expected), x)?;
        Ok((record, y))
    }

    /// Declares the model's input in a graph: `x: [batch, input_shape..]`.
    ///
    /// # Errors
    /// None of its own.
    pub fn input(&self, graph: &mut Graph, batch: usize) -> Built {
        let shape: Vec<usize> = std::iter::once(batch).chain(self.input_shape.iter().copied()).collect();
        graph.input("x", shape)
    }

    /// Builds the model into a graph that has no parameters yet; gives its result, for classes the logits.
    ///
    /// # Errors
    /// When `x` does not fit, or a layer cannot train on so small a batch.
    pub fn forward(&self, graph: &mut Graph, x: Var, behavior: impl Into<Behavior>) -> Built {
        self.record(graph, x, behavior.into()).map(|(_, y)| y)
    }

    /// As [`Model::forward`], with every layer's result: for probes and pictures.
    ///
    /// # Errors
    /// As [`Model::forward`].
    pub fn trace(
        &self,
        graph: &mut Graph,
        x: Var,
        behavior: impl Into<Behavior>,
    ) -> Built<(Var, Vec<Traced>)> {
        self.record(graph, x, behavior.into()).map(|(record, y)| (y, record.traced))
    }

    /// Fills flat parameters and buffers from a safetensors file, such as PyTorch's or a checkpoint's. On an error they
    /// keep their values.
    ///
    /// # Errors
    /// When the file cannot be read, or its tensors are not the model's.
    #[cfg(feature = "runs")]
    pub fn load(
        &self,
        path: &std::path::Path,
        params: &mut [f32],
        buffers: &mut [f32],
    ) -> Result<(), weights::WeightsError> {
        let file = weights::WeightsFile::open(path)?;
        file.load(&mut [(self.params(), params), (self.buffers(), buffers)]).map(|_| ())
    }

    /// The parameters in a graph that [`Model::forward`] built, in the layout's order: what gradients are taken of.
    pub fn param_vars(&self, graph: &Graph) -> Vec<Var> {
        graph.vars().filter(|v| matches!(graph.node(*v).op, Op::Param(_))).collect()
    }

    /// Start values of the flat parameters and the flat buffers, a pure function of the seed.
    pub fn init(&self, seed: u64) -> (Vec<f32>, Vec<f32>) {
        let mut params = vec![0.0; self.params.len()];
        for (i, (slot, start)) in (0..).zip(self.params.slots.iter().zip(&self.starts)) {
            let rng = Rng::new(seed, Purpose::Init, i, 0);
            start.init.fill(&start.target, rng, &mut params[slot.range()]);
        }
        let mut buffers = Vec::with_capacity(self.buffers.len());
        self.buffer_starts.iter().for_each(|(value, n)| buffers.resize(buffers.len() + n, *value));
        (params, buffers)
    }

    /// Names, shapes and offsets of the parameters.
    pub fn params(&self) -> &Layout {
        &self.params
    }

    /// Names, shapes and offsets of the buffers, such as running averages.
    pub fn buffers(&self) -> &Layout {
        &self.buffers
    }

    /// Layouts of the parameters and of the buffers.
    pub fn layout(&self) -> (&Layout, &Layout) {
        (&self.params, &self.buffers)
    }

    /// Name and number of axes of every parameter, for [`DecayRule::apply`](crate::optim::DecayRule::apply).
    pub fn param_infos(&self) -> Vec<(&str, usize)> {
        self.params.slots.iter().map(|s| (s.name.as_str(), s.shape.len())).collect()
    }

    /// Shape of a sample.
    pub fn input_shape(&self) -> &[usize] {
        &self.input_shape
    }

    /// Values that it gives for a sample.
    pub fn n_outputs(&self) -> usize {
        self.n_outputs
    }

    /// Whether it is an ensemble of members that share weights: it gives `[batch, members, n_outputs]`, and
    /// answers with the mean of what the members answer.
    pub fn is_ensemble(&self) -> bool {
        self.is_ensemble
    }

    /// In one word, such as `784-512-512-10`.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Layers with shapes, parameters, operations and memory.
    ///
    /// # Errors
    /// None after the model was made.
    pub fn summary(&self) -> Result<Summary, ModelError> {
        Summary::of(self)
    }
}

/// Samples as rows, images in PyTorch's order.
pub(crate) fn rows(b: &mut Builder<'_>, x: Var) -> Built {
    match b.shape(x).len() {
        4 => b.flatten_image(x),
        _ => b.flatten(x),
    }
}

fn duplicate(traced: &[Traced]) -> Option<String> {
    let mut names: Vec<&str> = traced.iter().map(|t| t.name.as_str()).collect();
    names.sort_unstable();
    names.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0].to_owned())
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Model")
            .field("title", &self.title)
            .field("input_shape", &self.input_shape)
            .field("n_outputs", &self.n_outputs)
            .field("params", &self.params)
            .field("buffers", &self.buffers)
            .finish_non_exhaustive()
    }
}
