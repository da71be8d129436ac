//! Gelu: x·Φ(x), with the normal distribution function Φ.

use super::Layer;
use crate::model::Builder;
use engine::graph::{Built, Var};
use settings::{Entry, Range, settings, words};

pub(super) const ENTRY: Entry = Entry {
    name: Gelu::NAME,
    summary: "x times the share of a Gaussian below it",
    formula: "x·Φ(x); with tanh ½x(1 + tanh(√(2/π)(x + 0.044715x³)))",
    source: "Hendrycks and Gimpel, Gaussian error linear units, 2016, arxiv.org/abs/1606.08415",
    keys: Gelu::KEYS,
};

words! {
    /// How Φ is computed.
    #[derive(Default)]
    pub enum Approximate {
        /// By the error function.
        #[default]
        None = "none",
        /// By a tanh, off by up to 5e-4.
        Tanh = "tanh",
    }
}

settings! {
    /// x·Φ(x).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Gelu of "gelu" {
        /// tanh is the formula of GPT-2 and BERT
        ///
        /// Exact by default, as in PyTorch.
        pub approximate: Approximate = Approximate::None => "\"none\"", in Range::Words(Approximate::WORDS);
    }
}

impl Layer for Gelu {
    fn kind(&self) -> &'static str {
        ENTRY.name
    }

    fn build(&self, b: &mut Builder<'_>, x: Var) -> Built {
        match self.approximate {
            Approximate::None => b.gelu(x),
            Approximate::Tanh => b.gelu_tanh(x),
        }
    }

    fn describe(&self) -> String {
        match self.approximate {
            Approximate::None => "gelu".into(),
            Approximate::Tanh => "gelu(tanh)".into(),
        }
    }

    fn gain(&self) -> Option<f64> {
        let phi = |z: f64| 0.5 * (1.0 + engine::reference::erf64(z * std::f64::consts::FRAC_1_SQRT_2));
        Some(super::gain::gain(|z| z * phi(z)))
    }
}
