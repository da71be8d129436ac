//! The dense layer: y = x·Wᵀ + b.

use super::conv::CHANNELS;
use super::{INIT, Layer, Units};
use crate::init::{HeNormal, InitConfig, TorchLinear, Zeros};
use crate::model::Builder;
use engine::Fault;
use engine::graph::{Built, Var};
use settings::{Entry, OutOfRange, Range, settings};

pub(super) const ENTRY: Entry = Entry {
    name: Linear::NAME,
    summary: "every output a weighted sum of all inputs",
    formula: "y = x·Wᵀ + b, W: [units, in]",
    source: "PyTorch's Linear, whose initial values are those of `init = \"torch_linear\"`; here He's with bias 0",
    keys: Linear::KEYS,
};

settings! {
    /// x: [.., in] -> [.., units]; acts on the last axis.
    ///
    /// Parameters `weight: [units, in]` and `bias: [units]`, PyTorch's names and layouts. 2·in·units operations a row.
    #[derive(Clone, Debug, PartialEq)]
    pub struct Linear of "linear" {
        needs {
            /// width of the result, or "outputs" for as many as the data asks for
            pub units: Units, in CHANNELS;
        }
        /// whether there is a bias b
        pub bias: bool = true, in Range::Switch;
        /// how the weights start
        ///
        /// [`HeNormal`](crate::init::HeNormal) of the inputs, with the gain of the activation that follows;
        /// PyTorch's way is [`TorchLinear`](crate::init::TorchLinear).
        pub init: InitConfig = he() => "\"he_normal\"", in INIT;
        /// how the bias starts; with init torch_linear as PyTorch's
        #[serde(skip_serializing_if = "Option::is_none")]
        pub bias_init: Option<InitConfig> = None => "\"zeros\"", in INIT;
    }
}

impl Linear {
    /// With bias, and the default initial values.
    pub fn new(units: impl Into<Units>) -> Self {
        Linear::needing(units.into())
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
        self.in_range()
    }
}
