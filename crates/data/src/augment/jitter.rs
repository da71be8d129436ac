//! Random brightness, contrast and saturation, in random order.

use super::{Canvas, Draws, Transform, tone};
use settings::{Entry, Range, settings};

pub(super) const ENTRY: Entry = Entry {
    name: Jitter::NAME,
    summary: "change brightness, contrast and saturation, in random order",
    formula: "each factor uniform in max(0, 1 − s) … 1 + s: x · f; mean gray + f · (x − mean gray); gray + f · (x − gray)",
    source: "torchvision's ColorJitter, without hue; as there, values stay within 0 and 1. Images of one channel have no \
             saturation",
    keys: Jitter::KEYS,
};

settings! {
    /// Changes the colors.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Jitter of "jitter" {
        /// strength s of the change in brightness
        pub brightness: f64 = 0.2, in Range::AtLeast(0.0);
        /// strength s of the change in contrast
        pub contrast: f64 = 0.2, in Range::AtLeast(0.0);
        /// strength s of the change in saturation
        pub saturation: f64 = 0.2, in Range::AtLeast(0.0);
    }
}

/// The six orders of three changes.
const ORDERS: [[usize; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];

impl Transform for Jitter {
    fn apply(&self, draws: Draws, canvas: &mut Canvas<'_>) {
        let strengths = [self.brightness, self.contrast, self.saturation];
        let (channels, bounded) = (canvas.shape[2], canvas.colors.bounded);
        let pixels = canvas.pixels();
        for change in ORDERS[draws.below(ORDERS.len(), 0)] {
            let strength = strengths[change];
            if strength == 0.0 {
                continue;
            }
            let least = (1.0 - strength).max(0.0);
            let factor =
                (least + f64::from(draws.uniform(1 + change as u64)) * (1.0 + strength - least)) as f32;
            match change {
                0 => tone::brightness(pixels, factor, bounded),
                1 => tone::contrast(pixels, channels, factor, bounded),
                _ => tone::saturation(pixels, channels, factor, bounded),
            }
        }
    }
}
