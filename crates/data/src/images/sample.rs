//! What a sample of a pixel can be: a byte, or a number from 0 to 1.

/// One channel of one pixel, with the sums that bring pictures to another size.
pub(super) trait Sample: Copy + Default + PartialEq {
    /// Full intensity.
    const WHITE: Self;
    /// Weights and sums of samples.
    type Sum: Copy + Default;

    /// `c · opacity + white · (1 − opacity)`
    fn on_white(c: Self, opacity: Self) -> Self;
    /// `c + white · (1 − opacity)`, for a color that its opacity was multiplied to.
    fn laid(c: Self, opacity: Self) -> Self;
    /// Red, green and blue of luma and two differences of color (ITU-R BT.601 as JFIF has it).
    fn from_ycc(pixel: &[Self; 3]) -> [Self; 3];
    /// 0.299 R + 0.587 G + 0.114 B in 16 bits after the point, as in Pillow.
    fn luma(pixel: &[Self; 3]) -> Self;
    /// Red, green or blue of an ink and black, as in Pillow: `(1 − ink) · (1 − black)`.
    fn from_ink(ink: Self, black: Self) -> Self;
    /// A share of 1 as a weight.
    fn weight(share: f64) -> Self::Sum;
    /// What a sum begins with, so that it rounds.
    fn start() -> Self::Sum;
    /// `sum += weight · self`
    fn add(self, weight: Self::Sum, sum: &mut Self::Sum);
    /// The sample of a sum.
    fn of(sum: Self::Sum) -> Self;
}

// `inline`, since without it none of them is part of the loops of another unit of compilation.

/// Bits after the point of a byte's weight.
const BITS: u32 = 22;

impl Sample for u8 {
    const WHITE: u8 = 255;
    type Sum = i32;

    #[inline]
    fn on_white(c: u8, opacity: u8) -> u8 {
        let (c, opacity) = (u32::from(c), u32::from(opacity));
        ((c * opacity + 255 * (255 - opacity) + 127) / 255) as u8
    }

    #[inline]
    fn laid(c: u8, opacity: u8) -> u8 {
        c.saturating_add(255 - opacity)
    }

    #[inline]
    fn from_ycc(pixel: &[u8; 3]) -> [u8; 3] {
        f32::from_ycc(&pixel.map(|x| f32::from(x) / 255.0)).map(|x| (x * 255.0).round() as u8)
    }

    #[inline]
    fn luma([r, g, b]: &[u8; 3]) -> u8 {
        ((u32::from(*r) * 19595 + u32::from(*g) * 38470 + u32::from(*b) * 7471 + 0x8000) >> 16) as u8
    }

    #[inline]
    fn from_ink(ink: u8, black: u8) -> u8 {
        let left = 255 - u32::from(black);
        let product = u32::from(ink) * left + 128;
        (left - (((product >> 8) + product) >> 8)) as u8
    }

    #[inline]
    fn weight(share: f64) -> i32 {
        (share * f64::from(1 << BITS)).round() as i32
    }

    #[inline]
    fn start() -> i32 {
        1 << (BITS - 1)
    }

    #[inline]
    fn add(self, weight: i32, sum: &mut i32) {
        *sum += weight * i32::from(self);
    }

    #[inline]
    fn of(sum: i32) -> u8 {
        (sum >> BITS).clamp(0, 255) as u8
    }
}

impl Sample for f32 {
    const WHITE: f32 = 1.0;
    type Sum = f64;

    #[inline]
    fn on_white(c: f32, opacity: f32) -> f32 {
        c * opacity + (1.0 - opacity)
    }

    #[inline]
    fn laid(c: f32, opacity: f32) -> f32 {
        c + (1.0 - opacity)
    }

    #[inline]
    fn from_ycc([y, blue, red]: &[f32; 3]) -> [f32; 3] {
        let (blue, red) = (blue - 128.0 / 255.0, red - 128.0 / 255.0);
        [y + 1.402 * red, y - 0.344_136 * blue - 0.714_136 * red, y + 1.772 * blue].map(|x| x.clamp(0.0, 1.0))
    }

    #[inline]
    fn luma([r, g, b]: &[f32; 3]) -> f32 {
        ((f64::from(*r) * 19595.0 + f64::from(*g) * 38470.0 + f64::from(*b) * 7471.0) / 65536.0) as f32
    }

    #[inline]
    fn from_ink(ink: f32, black: f32) -> f32 {
        (1.0 - ink) * (1.0 - black)
    }

    #[inline]
    fn weight(share: f64) -> f64 {
        share
    }

    #[inline]
    fn start() -> f64 {
        0.0
    }

    #[inline]
    fn add(self, weight: f64, sum: &mut f64) {
        *sum += weight * f64::from(self);
    }

    #[inline]
    fn of(sum: f64) -> f32 {
        sum as f32
    }
}
