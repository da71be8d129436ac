//! The dense layer in the neural tangent parametrization: weights start with variance 1, and the sum is divided by the
//! root of the number of inputs.

use super::conv::CHANNELS;
use super::{Layer, Units};
use crate::init::Normal;
use crate::model::Builder;
use engine::Fault;
use engine::graph::{Built, Var};
use settings::{Entry, OutOfRange, Range, settings};

pub(super) const ENTRY: Entry = Entry {
    name: NtkLinear::NAME,
    summary: "a dense layer whose step size does not depend on its width",
    formula: "y = x·Wᵀ/√in + b, W: [units, in]",
    source: "Jacot, Gabriel and Hongler, Neural tangent kernel, NeurIPS 2018, arxiv.org/abs/1806.07572",
    keys: NtkLinear::KEYS,
};

settings! {
    /// x: [.., in] -> [.., units]; acts on the last axis.
    ///
    /// Parameters `weight: [units, in]` and `bias: [units]`, as [`Linear`](super::Linear) has them; to make a
    /// `Linear` of it, divide the weight by √in. 2·in·units operations a row.
    #[derive(Clone, Debug, PartialEq)]
    pub struct NtkLinear of "ntk_linear" {
        needs {
            /// width of the result, or "outputs" for as many as the data asks for
            pub units: Units, in CHANNELS;
        }
        /// whether b is there
        pub bias: bool = true, in Range::Switch;
        /// standard deviation with which the weights start
        pub weight_std: f64 = 1.0, in Range::Within(0.0, 1e3);
        /// standard deviation with which the bias starts
        pub bias_std: f64 = 1.0, in Range::Within(0.0, 1e3);
    }
}

impl NtkLinear {
    /// With bias, and the default initial values.
    pub fn new(units: impl Into<Units>) -> Self {
        NtkLinear::needing(units.into())
    }
}

impl Layer for NtkLinear {
    fn kind(&self) -> &'static str {
        ENTRY.name
    }

    fn build(&self, b: &mut Builder<'_>, x: Var) -> Built {
        let units = self.units.count(b, ENTRY.name, "units")?;
        if b.shape(x).len() < 2 {
            let got = b.shape(x).clone();
            return Err(b.error(ENTRY.name, Fault::Rank { expected: "at least 2", got }));
        }
        let inputs = b.shape(x).last_dim();
        let weight = b.param("weight", [units, inputs], Normal { std: self.weight_std, mean: 0.0 })?;
        let y = b.linear(x, weight, None)?;
        let y = b.scale(y, (1.0 / (inputs as f64).sqrt()) as f32)?;
        match self.bias {
            true => {
                let bias = b.param("bias", [units], Normal { std: self.bias_std, mean: 0.0 })?;
                b.add(y, bias)
            }
            false => Ok(y),
        }
    }

    fn describe(&self) -> String {
        format!("ntk_linear({}{})", self.units, if self.bias { "" } else { ", no bias" })
    }

    fn check(&self) -> Result<(), OutOfRange> {
        self.in_range()
    }
}
