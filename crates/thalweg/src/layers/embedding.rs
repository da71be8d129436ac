//! A table of vectors, one for each whole number.

use super::Layer;
use super::units::check_width;
use crate::init::{InitConfig, Normal};
use crate::model::Builder;
use crate::registry::{Entry, Key, OutOfRange, Range};
use engine::graph::{Built, Var};
use serde::{Deserialize, Serialize};

pub(super) const ENTRY: Entry = Entry {
    name: "embedding",
    summary: "looks up a vector for every index",
    formula: "y = W[x], W: [n, dim]",
    source: "Bengio et al., A neural probabilistic language model, JMLR 2003; PyTorch's Embedding, N(0, 1) at the start",
    keys: &[
        Key {
            name: "n",
            default: "",
            unit: "",
            range: WIDTH,
            help: "rows of the table: indices go from 0 to n − 1",
        },
        Key { name: "dim", default: "", unit: "", range: WIDTH, help: "length of a vector" },
        Key {
            name: "init",
            default: "{\"name\": \"normal\", \"std\": 1.0}",
            unit: "",
            range: Range::Other("an initialiser"),
            help: "how the table starts",
        },
    ],
};

const WIDTH: Range = Range::Within(1.0, 16_777_216.0);

/// x: [B, ..] of whole numbers -> [B, .., dim]; parameter `weight: [n, dim]`. An index outside gives NaN.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Embedding {
    /// Rows of the table.
    pub n: usize,
    /// Length of a vector.
    pub dim: usize,
    /// How the table starts; N(0, 1).
    #[serde(default = "unit_normal")]
    pub init: InitConfig,
}

impl Embedding {
    /// With N(0, 1) at the start.
    pub fn new(n: usize, dim: usize) -> Self {
        Embedding { n, dim, init: unit_normal() }
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
        check_width(&ENTRY, "n", self.n)?;
        check_width(&ENTRY, "dim", self.dim)?;
        self.init.check()
    }
}
