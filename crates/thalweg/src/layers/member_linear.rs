//! A dense layer of an ensemble whose members share one weight matrix, each with factors of its own around it.

use super::conv::CHANNELS;
use super::{COUNT, Layer, Units};
use crate::init::{Constant, Init, Normal, Target};
use crate::model::Builder;
use engine::Fault;
use engine::graph::{Built, Var};
use engine::rng::Rng;
use settings::{Entry, OutOfRange, Range, settings};

pub(super) const ENTRY: Entry = Entry {
    name: MemberLinear::NAME,
    summary: "a dense layer of several members that share its weights",
    formula: "yᵢ = ((xᵢ∘rᵢ)·Wᵀ/√in)∘sᵢ + bᵢ, W: [units, in]",
    source: "Wen, Tran and Ba, BatchEnsemble, ICLR 2020, arxiv.org/abs/2002.06715; Gorishniy, Kotelnikov and Babenko, TabM, \
             ICLR 2025, arxiv.org/abs/2410.24210; with the scale of ntk_linear",
    keys: MemberLinear::KEYS,
};

settings! {
    /// x: [B, in] or [B, members, in] -> [B, members, units].
    ///
    /// Parameters `weight: [units, in]`, `before: [members, in]` (r), `behind: [members, units]` (s) and
    /// `bias: [members, units]`. A model whose last layer this is, is an ensemble: it learns the mean of its members'
    /// losses, and answers with the mean of what they answer, of probabilities where there are classes.
    #[derive(Clone, Debug, PartialEq)]
    pub struct MemberLinear of "member_linear" {
        needs {
            /// how many members there are
            pub members: usize, in COUNT;
            /// width of the result, or "outputs" for as many as the data asks for
            pub units: Units, in CHANNELS;
        }
        /// whether r starts as 1 or −1 at random, which makes the members different; else as 1
        pub signs: bool = false, in Range::Switch;
        /// standard deviation with which the weights start
        pub weight_std: f64 = 1.0, in Range::Within(0.0, 1e3);
        /// standard deviation with which the biases start
        pub bias_std: f64 = 1.0, in Range::Within(0.0, 1e3);
    }
}

impl MemberLinear {
    /// With the default initial values.
    pub fn new(members: usize, units: impl Into<Units>) -> Self {
        MemberLinear::needing(members, units.into())
    }
}

/// 1 or −1, as likely as each other.
#[derive(Debug)]
struct Signs;

impl Init for Signs {
    fn fill(&self, _target: &Target, rng: Rng, out: &mut [f32]) {
        for (i, x) in (0..).zip(out) {
            *x = if rng.uniform(i) < 0.5 { -1.0 } else { 1.0 };
        }
    }
}

impl Layer for MemberLinear {
    fn kind(&self) -> &'static str {
        ENTRY.name
    }

    fn build(&self, b: &mut Builder<'_>, x: Var) -> Built {
        let (units, k) = (self.units.count(b, ENTRY.name, "units")?, self.members);
        let (x, inputs) = match b.shape(x)[..] {
            [rows, inputs] => (b.reshape(x, [rows, 1, inputs])?, inputs),
            [_, members, inputs] if members == k => (x, inputs),
            _ => {
                let got = b.shape(x).clone();
                return Err(b.error(ENTRY.name, Fault::Rank { expected: "2 or 3", got }));
            }
        };
        let weight = b.param("weight", [units, inputs], Normal { std: self.weight_std, mean: 0.0 })?;
        let one = Constant { value: 1.0 };
        let before = match self.signs {
            true => b.param("before", [k, inputs], Signs)?,
            false => b.param("before", [k, inputs], one)?,
        };
        let behind = b.param("behind", [k, units], one)?;
        let bias = b.param("bias", [k, units], Normal { std: self.bias_std, mean: 0.0 })?;
        let x = b.mul(x, before)?;
        let y = b.linear(x, weight, None)?;
        let y = b.scale(y, (1.0 / (inputs as f64).sqrt()) as f32)?;
        let y = b.mul(y, behind)?;
        b.add(y, bias)
    }

    fn describe(&self) -> String {
        format!("member_linear({} × {})", self.members, self.units)
    }

    fn check(&self) -> Result<(), OutOfRange> {
        self.in_range()
    }
}
