//! Brightness, contrast and saturation of an image in place, as PIL and torchvision define them.

/// Share of red, green and blue in the gray of a pixel (ITU-R 601-2, as PIL).
const LUMA: [f32; 3] = [0.299, 0.587, 0.114];

/// Values that are summed side by side, a multiple of three channels.
const LANES: usize = 24;

/// Keeps values between 0 and 1 where the data set's are.
#[inline(always)]
pub(super) fn keep(x: f32, bounded: bool) -> f32 {
    if bounded { x.clamp(0.0, 1.0) } else { x }
}

/// x · factor.
pub(super) fn brightness(pixels: &mut [f32], factor: f32, bounded: bool) {
    pixels.iter_mut().for_each(|x| *x = keep(*x * factor, bounded));
}

/// Away from the mean gray of the image (factor above 1), or towards it: m + factor · (x − m).
pub(super) fn contrast(pixels: &mut [f32], channels: usize, factor: f32, bounded: bool) {
    let mean = mean_gray(pixels, channels);
    pixels.iter_mut().for_each(|x| *x = keep(mean + factor * (*x - mean), bounded));
}

/// Away from the gray of each pixel, or towards it; images of one channel stay as they are.
pub(super) fn saturation(pixels: &mut [f32], channels: usize, factor: f32, bounded: bool) {
    let turn = |pixel: &mut [f32]| {
        let gray = gray(pixel);
        pixel.iter_mut().for_each(|x| *x = keep(gray + factor * (*x - gray), bounded));
    };
    match channels {
        1 => {}
        3 => pixels.as_chunks_mut::<3>().0.iter_mut().for_each(|pixel| turn(pixel)),
        _ => pixels.chunks_exact_mut(channels).for_each(turn),
    }
}

/// Adds a number to each channel.
pub(super) fn shift(pixels: &mut [f32], by: &[f32], bounded: bool) {
    if let Ok(by) = <[f32; 3]>::try_from(by) {
        let add = |pixel: &mut [f32; 3]| *pixel = std::array::from_fn(|k| keep(pixel[k] + by[k], bounded));
        return pixels.as_chunks_mut::<3>().0.iter_mut().for_each(add);
    }
    for pixel in pixels.chunks_exact_mut(by.len()) {
        pixel.iter_mut().zip(by).for_each(|(x, s)| *x = keep(*x + s, bounded));
    }
}

/// The gray of a pixel: by [`LUMA`] for three channels, else the mean.
#[inline(always)]
fn gray(pixel: &[f32]) -> f32 {
    match *pixel {
        [r, g, b] => LUMA[0] * r + LUMA[1] * g + LUMA[2] * b,
        _ => pixel.iter().sum::<f32>() / pixel.len() as f32,
    }
}

fn mean_gray(pixels: &[f32], channels: usize) -> f32 {
    let (blocks, rest) = pixels.as_chunks::<LANES>();
    let mut sums = [0.0f32; LANES];
    for block in blocks {
        sums.iter_mut().zip(block).for_each(|(sum, x)| *sum += x);
    }
    sums.iter_mut().zip(rest).for_each(|(sum, x)| *sum += x);
    let n = pixels.len() as f32;
    if channels == 3 {
        let color = |k: usize| sums.iter().skip(k).step_by(3).sum::<f32>();
        return (LUMA[0] * color(0) + LUMA[1] * color(1) + LUMA[2] * color(2)) * 3.0 / n;
    }
    sums.iter().sum::<f32>() / n
}
