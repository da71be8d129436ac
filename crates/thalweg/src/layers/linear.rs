//! The dense layer: y = x·Wᵀ + b.

use super::{Layer, Units};
use crate::init::{HeNormal, InitConfig, TorchLinear, Zeros};
use crate::model::Builder;
use crate::registry::{Entry, Key, OutOfRange, Range};
use engine::Fault;
use engine::graph::{Built, Var};
use serde::{Deserialize, Serialize};

pub(super) const ENTRY: Entry = Entry {
    name: "linear",
    summary: "every output a weighted sum of all inputs",
    formula: "y = x·Wᵀ + b, W: [units, in]",
    source: "PyTorch's Linear, whose initial values are those of `init = \"torch_linear\"`; here He's with bias 0",
    keys: &[
        Key {
            name: "units",
            default: "",
            unit: "",
            range: Range::Other("a number from 1 to 16777216, or \"outputs\""),
            help: "width of the result, or \"outputs\" for as many as the data asks for",
        },
        BIAS_KEY,
        INIT_KEY,
        Key {
            name: "bias_init",
            default: "\"zeros\"",
            unit: "",
            range: Range::Other("an initialiser"),
            help: "how the bias starts; with init torch_linear as PyTorch's",
        },
    ],
};

pub(crate) const BIAS_KEY: Key =
    Key { name: "bias", default: "true", unit: "", range: Range::Switch, help: "whether b is there" };

pub(crate) const INIT_KEY: Key = Key {
    name: "init",
    default: "\"he_normal\"",
    unit: "",
    range: Range::Other("an initialiser"),
    help: "how the weights start",
};

/// x: [.., in] -> [.., units]; acts on the last axis.
///
/// Parameters `weight: [units, in]` and `bias: [units]`, PyTorch's names and layouts. 2·in·units operations a row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Linear {
    /// Width of the result.
    pub units: Units,
    /// Whether b is there; true.
    #[serde(default = "yes")]
    pub bias: bool,
    /// How the weights start; [`HeNormal`]: N(0, gain²/in) with the gain of the activation that follows (PyTorch:
    /// [`TorchLinear`]).
    #[serde(default = "he")]
    pub init: InitConfig,
    /// How the bias starts; zeros, or PyTorch's way where the weights start PyTorch's way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bias_init: Option<InitConfig>,
}

impl Linear {
    /// With bias, and the default initial values.
    pub fn new(units: impl Into<Units>) -> Self {
        Linear { units: units.into(), bias: true, init: he(), bias_init: None }
    }
}

/// As asked for; else zeros, or PyTorch's way where the weights start PyTorch's way.
pub(super) fn bias_start(asked: &Option<InitConfig>, init: &InitConfig, fan_in: usize) -> InitConfig {
    match (asked, init) {
        (Some(init), _) => init.clone(),
        (None, InitConfig::TorchLinear(_)) => TorchLinear::bias(fan_in).into(),
        (None, _) => Zeros {}.into(),
    }
}

fn yes() -> bool {
    true
}

pub(crate) fn he() -> InitConfig {
    HeNormal::default().into()
}

impl Layer for Linear {
    fn kind(&self) -> &'static str {
        ENTRY.name
    }

    fn build(&self, b: &mut Builder<'_>, x: Var) -> Built {
        let units = self.units.count(b, ENTRY.name, "units")?;
        if b.shape(x).len() < 2 {
            let got = b.shape(x).clone();
            return Err(b.error("linear", Fault::Rank { expected: "at least 2", got }));
        }
        let inputs = b.shape(x).last_dim();
        let weight = b.param("weight", [units, inputs], self.init.clone())?;
        let bias = match self.bias {
            true => Some(b.param("bias", [units], bias_start(&self.bias_init, &self.init, inputs))?),
            false => None,
        };
        b.linear(x, weight, bias)
    }

    fn describe(&self) -> String {
        format!("linear({}{})", self.units, if self.bias { "" } else { ", no bias" })
    }

    fn check(&self) -> Result<(), OutOfRange> {
        self.units.check(&ENTRY, "units")?;
        self.init.check()?;
        self.bias_init.as_ref().map_or(Ok(()), InitConfig::check)
    }
}
