//! A few operations from a fixed list, all of one strength (RandAugment).

use super::{Canvas, Draws, Fill, Images, Motion, Transform, Unsuitable, levels, tone};
use settings::{Entry, Range, settings};

/// The authors try 1 to 3; more than the list has leave nothing of an image, and each costs time.
const MOST_OPERATIONS: f64 = 16.0;

/// The strongest magnitude.
const MOST: f64 = 30.0;

pub(super) const ENTRY: Entry = Entry {
    name: Randaugment::NAME,
    summary: "n operations of magnitude m, drawn from a list of fourteen",
    formula: "identity, shear x, shear y, translate x, translate y, rotate, brightness, color, contrast, sharpness, \
              posterize, solarize, autocontrast, equalize; m/30 of: 0.3, 150/331 of the size, 30 degrees, factor 1 \
              ± 0.9, 4 of 8 bits, all gray levels; the sign is random",
    source: "Cubuk, Zoph, Shlens and Le, RandAugment, 2019; ranges and list of torchvision's RandAugment with 31 bins, \
             which samples the nearest pixel where this interpolates. Color does nothing to images of one channel",
    keys: Randaugment::KEYS,
};

settings! {
    /// Applies operations from the list.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Randaugment of "randaugment" {
        /// operations for each image
        pub n: u32 = 2, in Range::Within(1.0, MOST_OPERATIONS);
        /// magnitude
        pub m: f64 = 9.0, in Range::Within(0.0, MOST);
        /// what fills the area beyond the frame
        pub fill: Fill = Fill::Zero => "\"zero\"", in Range::Words(Fill::WORDS);
    }
}

/// The operations, in torchvision's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Identity,
    ShearX,
    ShearY,
    TranslateX,
    TranslateY,
    Rotate,
    Brightness,
    Color,
    Contrast,
    Sharpness,
    Posterize,
    Solarize,
    Autocontrast,
    Equalize,
}

impl Operation {
    pub(super) const ALL: [Operation; 14] = [
        Operation::Identity,
        Operation::ShearX,
        Operation::ShearY,
        Operation::TranslateX,
        Operation::TranslateY,
        Operation::Rotate,
        Operation::Brightness,
        Operation::Color,
        Operation::Contrast,
        Operation::Sharpness,
        Operation::Posterize,
        Operation::Solarize,
        Operation::Autocontrast,
        Operation::Equalize,
    ];

    /// Applies itself with a strength of 0 to 1, signed where there are two directions.
    pub(super) fn apply(self, strength: f64, fill: Fill, canvas: &mut Canvas<'_>) {
        let [h, w, c] = canvas.shape;
        let s = strength as f32;
        let factor = 1.0 + 0.9 * s;
        let far = |size: usize| (strength * 150.0 / 331.0 * size as f64).trunc() as f32;
        match self {
            Operation::Identity => {}
            Operation::ShearX => canvas.move_by(Motion::linear([[1.0, 0.3 * s], [0.0, 1.0]]), fill),
            Operation::ShearY => canvas.move_by(Motion::linear([[1.0, 0.0], [0.3 * s, 1.0]]), fill),
            Operation::TranslateX => canvas.move_by(Motion::offset(far(w), 0.0), fill),
            Operation::TranslateY => canvas.move_by(Motion::offset(0.0, far(h)), fill),
            Operation::Rotate => canvas.move_by(Motion::rotation(s * 30f32.to_radians()), fill),
            Operation::Brightness => tone::brightness(canvas.pixels(), factor, true),
            Operation::Color => tone::saturation(canvas.pixels(), c, factor, true),
            Operation::Contrast => tone::contrast(canvas.pixels(), c, factor, true),
            Operation::Sharpness => {
                let shape = canvas.shape;
                let (pixels, scratch) = canvas.pixels_and_scratch();
                levels::sharpness(pixels, scratch, shape, factor);
            }
            Operation::Posterize => {
                levels::posterize(canvas.pixels(), 8 - (strength.abs() * 4.0).round() as u32);
            }
            Operation::Solarize => levels::solarize(canvas.pixels(), 1.0 - s.abs()),
            Operation::Autocontrast => levels::autocontrast(canvas.pixels(), c),
            Operation::Equalize => levels::equalize(canvas.pixels(), c),
        }
    }
}

impl Transform for Randaugment {
    fn suits(&self, images: &Images) -> Result<(), Unsuitable> {
        let problem = || Unsuitable("it needs values from 0 to 1, such as bytes".into());
        if images.bounded { Ok(()) } else { Err(problem()) }
    }

    fn apply(&self, draws: Draws, canvas: &mut Canvas<'_>) {
        for turn in (0..u64::from(self.n)).map(|i| 2 * i) {
            let operation = Operation::ALL[draws.below(Operation::ALL.len(), turn)];
            let sign = if draws.happens(0.5, turn + 1) { -1.0 } else { 1.0 };
            operation.apply(sign * self.m / MOST, self.fill, canvas);
        }
    }
}
