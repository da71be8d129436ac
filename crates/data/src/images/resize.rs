//! Images of bytes brought to another size: a triangle as wide as the step between pixels of the smaller image.
//!
//! The same arithmetic as Pillow's `Image.resize(size, BILINEAR, box)` (libImaging/Resample.c), which torchvision's
//! `Resize` calls: along the rows, then along the columns, weights with 22 bits after the point, each pass rounded to
//! bytes. So there is antialiasing where an image becomes smaller, and the bytes are those that PyTorch sees. Numbers
//! go the same way with weights and sums in f64, as Pillow's mode F.

use super::picture::Picture;
use super::sample::Sample;
use crate::Fit;

/// Brings a picture to `size` (height, width).
pub(super) fn fit<T: Sample>(picture: &Picture<T>, size: [usize; 2], fit: Fit) -> Picture<T> {
    let (h, w) = (picture.height as f64, picture.width as f64);
    let [height, width] = size.map(|s| s as f64);
    match fit {
        Fit::Stretch => resize(picture, size, [0.0, 0.0, h, w]),
        Fit::Crop => {
            // The largest box of the wanted proportions around the middle, as Pillow's `ImageOps.fit`.
            let ratio = width / height;
            let (tall, wide) = if w / h >= ratio { (h, ratio * h) } else { (w / ratio, w) };
            let (top, left) = ((h - tall) / 2.0, (w - wide) / 2.0);
            resize(picture, size, [top, left, top + tall, left + wide])
        }
        Fit::Pad => {
            let factor = (height / h).min(width / w);
            let inner = [h * factor, w * factor].map(|s| (s.round() as usize).max(1));
            pad(&resize(picture, inner, [0.0, 0.0, h, w]), size)
        }
    }
}

/// A picture in the middle of a black one.
fn pad<T: Sample>(picture: &Picture<T>, [height, width]: [usize; 2]) -> Picture<T> {
    let c = picture.channels;
    let (top, left) = ((height - picture.height) / 2, (width - picture.width) / 2);
    let mut pixels = vec![T::default(); height * width * c];
    let lines = pixels.chunks_exact_mut(width * c).skip(top);
    for (out, line) in lines.zip(picture.pixels.chunks_exact(picture.width * c)) {
        out[left * c..][..line.len()].copy_from_slice(line);
    }
    Picture { height, width, pixels, ..*picture }
}

/// Resizes the part `[top, left, bottom, right]` of a picture to `[height, width]`.
fn resize<T: Sample>(picture: &Picture<T>, [height, width]: [usize; 2], part: [f64; 4]) -> Picture<T> {
    // Pillow keeps the part's edges in single precision.
    let part = part.map(|x| x as f32);
    let c = picture.channels;
    let across = Weights::<T>::new(picture.width, width, part[1], part[3]);
    let down = Weights::<T>::new(picture.height, height, part[0], part[2]);
    let mut sums = vec![T::Sum::default(); width * c];
    let mut lines = vec![T::default(); picture.height * width * c];
    for (line, out) in picture.pixels.chunks_exact(picture.width * c).zip(lines.chunks_exact_mut(width * c)) {
        for (taps, out) in across.each().zip(out.chunks_exact_mut(c)) {
            taps.add_up(line, &mut sums[..c], out);
        }
    }
    let mut pixels = vec![T::default(); height * width * c];
    for (taps, out) in down.each().zip(pixels.chunks_exact_mut(width * c)) {
        taps.add_up(&lines, &mut sums, out);
    }
    Picture { height, width, pixels, ..*picture }
}

/// The input pixels that each output pixel is made of, along one axis.
struct Weights<T: Sample> {
    /// Where each output's inputs begin, and how many there are.
    spans: Vec<(usize, usize)>,
    /// As many for each output as any output needs.
    weights: Vec<T::Sum>,
    most: usize,
}

/// One output pixel's inputs.
struct Taps<'a, T: Sample> {
    from: usize,
    weights: &'a [T::Sum],
}

impl<T: Sample> Weights<T> {
    fn new(n_in: usize, n_out: usize, from: f32, to: f32) -> Weights<T> {
        let scale = f64::from(to - from) / n_out as f64;
        let reach = scale.max(1.0);
        let most = reach.ceil() as usize * 2 + 1;
        let mut all = Weights {
            spans: Vec::with_capacity(n_out),
            weights: vec![T::Sum::default(); n_out * most],
            most,
        };
        for (i, out) in all.weights.chunks_exact_mut(most).enumerate() {
            let center = f64::from(from) + (i as f64 + 0.5) * scale;
            let first = (center - reach + 0.5).max(0.0) as usize;
            let n = ((center + reach + 0.5).max(0.0) as usize).min(n_in).saturating_sub(first);
            let triangle =
                |k: usize| (1.0 - (((first + k) as f64 - center + 0.5) * (1.0 / reach)).abs()).max(0.0);
            let sum: f64 = (0..n).map(triangle).sum();
            for (k, weight) in out[..n].iter_mut().enumerate() {
                *weight = T::weight(triangle(k) / sum);
            }
            all.spans.push((first, n));
        }
        all
    }

    fn each(&self) -> impl Iterator<Item = Taps<'_, T>> {
        let weights = self.weights.chunks_exact(self.most);
        self.spans
            .iter()
            .zip(weights)
            .map(|((from, n), weights)| Taps { from: *from, weights: &weights[..*n] })
    }
}

impl<T: Sample> Taps<'_, T> {
    /// out = Σ weight · row, over rows as long as `out`; `sums` is room for them.
    fn add_up(&self, rows: &[T], sums: &mut [T::Sum], out: &mut [T]) {
        sums.fill(T::start());
        let rows = rows.chunks_exact(out.len()).skip(self.from);
        for (weight, row) in self.weights.iter().zip(rows) {
            sums.iter_mut().zip(row).for_each(|(sum, sample)| sample.add(*weight, sum));
        }
        out.iter_mut().zip(sums).for_each(|(out, sum)| *out = T::of(*sum));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp(height: usize, width: usize, channels: usize) -> Picture {
        let pixels = (0..height * width * channels).map(|i| (i * 37 % 251) as u8).collect();
        Picture { height, width, channels, pixels }
    }

    #[test]
    fn the_same_size_is_the_same_picture() {
        let picture = ramp(5, 7, 3);
        for how in [Fit::Stretch, Fit::Crop, Fit::Pad] {
            assert_eq!(fit(&picture, [5, 7], how), picture);
        }
    }

    #[test]
    fn one_color_stays_that_color() {
        for byte in [0, 1, 128, 254, 255] {
            let picture = Picture { height: 13, width: 9, channels: 1, pixels: vec![byte; 117] };
            for size in [[1, 1], [4, 6], [13, 31], [50, 2]] {
                assert_eq!(fit(&picture, size, Fit::Stretch).pixels, vec![byte; size[0] * size[1]]);
                assert_eq!(fit(&picture, size, Fit::Crop).pixels, vec![byte; size[0] * size[1]]);
            }
        }
    }
}
