//! Operations on gray levels and neighbors for values from 0 to 1, as PIL and torchvision define them on bytes.

/// The byte that a value stands for.
#[inline(always)]
fn level(x: f32) -> usize {
    (x * 255.0 + 0.5) as u8 as usize
}

/// Keeps the upper `bits` of each byte.
pub(super) fn posterize(pixels: &mut [f32], bits: u32) {
    let mask = !(0xFFusize >> bits.min(8));
    pixels.iter_mut().for_each(|x| *x = (level(*x) & mask & 0xFF) as f32 / 255.0);
}

/// Inverts values from `threshold` on.
pub(super) fn solarize(pixels: &mut [f32], threshold: f32) {
    pixels.iter_mut().filter(|x| **x >= threshold).for_each(|x| *x = 1.0 - *x);
}

/// Stretches each channel to 0 … 1; one that is constant stays.
pub(super) fn autocontrast(pixels: &mut [f32], channels: usize) {
    for k in 0..channels {
        let values = || pixels.iter().skip(k).step_by(channels).copied();
        let (low, high) =
            (values().fold(f32::INFINITY, f32::min), values().fold(f32::NEG_INFINITY, f32::max));
        if low < high {
            let scale = 1.0 / (high - low);
            pixels.iter_mut().skip(k).step_by(channels).for_each(|x| *x = ((*x - low) * scale).min(1.0));
        }
    }
}

/// Makes each channel's levels equally frequent, by PIL's table: (Σ of counts below + step/2) / step, with step the
/// 255th part of all counts but that of the highest level.
pub(super) fn equalize(pixels: &mut [f32], channels: usize) {
    for k in 0..channels {
        let mut counts = [0usize; 256];
        pixels.iter().skip(k).step_by(channels).for_each(|x| counts[level(*x)] += 1);
        let highest = counts.iter().rposition(|n| *n > 0).unwrap_or(0);
        let step = (pixels.len() / channels - counts[highest]) / 255;
        if step == 0 {
            continue;
        }
        let mut below = step / 2;
        let table: [f32; 256] = counts.map(|count| {
            let level = (below / step).min(255);
            below += count;
            level as f32 / 255.0
        });
        pixels.iter_mut().skip(k).step_by(channels).for_each(|x| *x = table[level(*x)]);
    }
}

/// Away from the smoothed image (factor above 1), or towards it: s + factor · (x − s), where s is the mean of the 3 × 3
/// neighbors with weight 1 and the pixel itself with weight 5. The outermost pixels stay.
pub(super) fn sharpness(pixels: &mut [f32], scratch: &mut [f32], [h, w, c]: [usize; 3], factor: f32) {
    if h < 3 || w < 3 {
        return;
    }
    scratch.copy_from_slice(pixels);
    let line = w * c;
    for y in 1..h - 1 {
        for i in y * line + c..(y + 1) * line - c {
            let row = |i: usize| scratch[i - c] + scratch[i] + scratch[i + c];
            let x = scratch[i];
            let smooth = (row(i - line) + row(i) + row(i + line) + 4.0 * x) * (1.0 / 13.0);
            pixels[i] = (smooth + factor * (x - smooth)).clamp(0.0, 1.0);
        }
    }
}
