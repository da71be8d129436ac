//! Two samples become one.

use std::ops::Range;

/// What the parameter of a Beta distribution may be.
pub(super) const ALPHA_RANGE: settings::Range = settings::Range::Within(0.001, 1000.0);

/// How a sample is mixed with another one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Mix {
    /// Position of the other sample among the training samples.
    pub partner: usize,
    /// Share of the own target.
    pub own: f32,
    /// What happens to the image.
    pub mixture: Mixture,
}

/// What happens to the image.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Mixture {
    /// own · x + (1 − own) · partner.
    Blend,
    /// The partner shows in a rectangle.
    Paste { rows: Range<usize>, columns: Range<usize> },
}

impl Mix {
    /// Mixes `partner` into `image`, both `[h, w, c]`.
    pub fn apply(&self, image: &mut [f32], partner: &[f32], [_, w, c]: [usize; 3]) {
        match &self.mixture {
            Mixture::Blend => {
                image.iter_mut().zip(partner).for_each(|(x, y)| *x = self.own * *x + (1.0 - self.own) * y);
            }
            Mixture::Paste { rows, columns } => {
                for y in rows.clone() {
                    let place = (y * w + columns.start) * c..(y * w + columns.end) * c;
                    image[place.clone()].copy_from_slice(&partner[place]);
                }
            }
        }
    }
}
