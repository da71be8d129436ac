//! A gain and a shift for every channel, as norms have them.

use crate::init::{Constant, Zeros};
use crate::model::Builder;
use engine::graph::{Built, Var};

/// y = γ·x + β with parameters `weight` (γ, starts at 1) and `bias` (β, starts at 0), `[C]` each.
pub(super) fn affine(b: &mut Builder<'_>, x: Var) -> Built {
    let channels = b.shape(x).last_dim();
    let gamma = b.param("weight", [channels], Constant { value: 1.0 })?;
    let beta = b.param("bias", [channels], Zeros {})?;
    let scaled = b.mul(x, gamma)?;
    b.add(scaled, beta)
}
