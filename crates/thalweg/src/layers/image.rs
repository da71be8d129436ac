//! How layers of images look at their input: `[B, H, W, C]`, a sequence `[B, T, C]` as an image of height 1.

use crate::model::Builder;
use engine::Fault;
use engine::graph::{Built, Var};

const AXES: &str = "4 (batch, height, width, channels)";
const AXES_OR_SEQUENCE: &str = "4 (batch, height, width, channels) or 3 (batch, time, channels)";

/// x: `[B, H, W, C]`; gray images `[B, H, W]` get their one channel.
pub(super) fn image(b: &mut Builder<'_>, op: &'static str, x: Var) -> Built {
    match b.shape(x)[..] {
        [_, _, _, _] => Ok(x),
        [n, h, w] => b.reshape(x, [n, h, w, 1]),
        _ => {
            let got = b.shape(x).clone();
            Err(b.error(op, Fault::Rank { expected: AXES, got }))
        }
    }
}

/// x as `[B, H, W, C]`, and whether it was a sequence `[B, T, C]`.
pub(super) fn frames(b: &mut Builder<'_>, op: &'static str, x: Var) -> Built<(Var, bool)> {
    match b.shape(x)[..] {
        [_, _, _, _] => Ok((x, false)),
        [n, t, c] => Ok((b.reshape(x, [n, 1, t, c])?, true)),
        _ => {
            let got = b.shape(x).clone();
            Err(b.error(op, Fault::Rank { expected: AXES_OR_SEQUENCE, got }))
        }
    }
}

/// The result as it came: a sequence becomes one again.
pub(super) fn unframed(b: &mut Builder<'_>, y: Var, sequence: bool) -> Built {
    match (sequence, &b.shape(y)[..]) {
        (true, &[n, h, w, c]) => b.reshape(y, [n, h * w, c]),
        _ => Ok(y),
    }
}

/// Groups must divide the channels in and out.
pub(super) fn divides(
    b: &Builder<'_>,
    op: &'static str,
    groups: usize,
    inputs: usize,
    outputs: usize,
) -> Built<()> {
    if groups > 0 && inputs.is_multiple_of(groups) && outputs.is_multiple_of(groups) {
        return Ok(());
    }
    Err(b.error(op, Fault::Groups { groups, inputs, outputs }))
}
