//! A table of vectors, one for each whole number.

use super::{INIT, Layer};
use crate::init::{InitConfig, Normal};
use crate::model::Builder;
use engine::graph::{Built, Var};
use settings::{Entry, OutOfRange, Range, settings};

pub(super) const ENTRY: Entry = Entry {
    name: Embedding::NAME,
    summary: "looks up a vector for every index",
    formula: "y = W[x], W: [n, dim]",
    source: "Bengio et al., A neural probabilistic language model, JMLR 2003; PyTorch's Embedding, N(0, 1) at the start",
    keys: Embedding::KEYS,
};

const WIDTH: Range = Range::Within(1.0, 16_777_216.0);

settings! {
    /// x: [B, ..] of whole numbers -> [B, .., dim]; parameter `weight: [n, dim]`. An index outside gives NaN.
    #[derive(Clone, Debug, PartialEq)]
    pub struct Embedding of "embedding" {
        needs {
            /// rows of the table: indices go from 0 to n − 1
            pub n: usize, in WIDTH;
            /// length of a vector
            pub dim: usize, in WIDTH;
        }
        /// how the table starts
        pub init: InitConfig = unit_normal() => "{\"name\": \"normal\", \"std\": 1.0}", in INIT;
    }
}

impl Embedding {
    /// With N(0, 1) at the start.
    pub fn new(n: usize, dim: usize) -> Self {
        Embedding::needing(n, dim)
    }
}

fn unit_normal() -> InitConfig {
    Normal { std: 1.0, mean: 0.0 }.into()
}

impl Layer for Embedding {
    fn kind(&self) -> &'static str {
        ENTRY.name
    }

    fn build(&self, b: &mut Builder<'_>, x: Var) -> Built {
        let table = b.param("weight", [self.n, self.dim], self.init.clone())?;
        b.gather(table, x)
    }

    fn describe(&self) -> String {
        format!("embedding({}, {})", self.n, self.dim)
    }

    fn check(&self) -> Result<(), OutOfRange> {
        self.in_range()
    }
}
