//! How layers of images look at their input: `[B, H, W, C]`, a sequence `[B, T, C]` as an image of height 1.

use crate::model::Builder;
use engine::Fault;
use engine::graph::{Built, Var};

const AXES: &str = "4 (batch, height, width, channels)";
const AXES_OR_SEQUENCE: &str = "4 (batch, height, width, channels) or 3 (batch, time, channels)";

/// x: `[B, H, W, C]`, its sizes with it; grey images `[B, H, W]` get their one channel.
pub(super) fn image(b: &mut Builder<'_>, op: &'static str, x: Var) -> Built<(Var, [usize; 4])> {
    match b.shape(x)[..] {
        [n, h, w, c] => Ok((x, [n, h, w, c])),
        [n, h, w] => Ok((b.reshape(x, [n, h, w, 1])?, [n, h, w, 1])),
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

/// A window must not reach over more than the image with its borders.
pub(super) fn fits(b: &Builder<'_>, op: &'static str, reach: [usize; 2], padded: [usize; 2]) -> Built<()> {
    for (axis, (kernel, padded)) in ["height", "width"].into_iter().zip(reach.into_iter().zip(padded)) {
        if kernel > padded {
            return Err(b.error(op, Fault::Window { axis, kernel, padded }));
        }
    }
    Ok(())
}

/// Groups must divide a number of channels.
pub(super) fn divides(b: &Builder<'_>, op: &'static str, groups: usize, channels: usize) -> Built<()> {
    if groups > 0 && channels.is_multiple_of(groups) {
        return Ok(());
    }
    Err(b.error(op, Fault::Groups { groups, channels }))
}
