//! Moving an image: affine maps of the plane, composed before any pixel is read, then one resampling.

use kernels::affine::BYTE_UNIT;

use super::fill::Fill;

/// Where a pixel of the new image comes from: source = A · place + t, in pixels from the center of the image.
///
/// As an inverse map it composes in the order of the transforms: the first transform's map is applied last.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Motion {
    /// Rows of A: how the source's x and y follow from the place's x and y.
    pub matrix: [[f32; 2]; 2],
    /// t: x, then y.
    pub offset: [f32; 2],
}

impl Motion {
    /// Shows what is `x` columns to the right and `y` rows below.
    pub fn offset(x: f32, y: f32) -> Motion {
        Motion { matrix: [[1.0, 0.0], [0.0, 1.0]], offset: [x, y] }
    }

    /// By an inverse matrix alone; the center stays.
    pub fn linear(matrix: [[f32; 2]; 2]) -> Motion {
        Motion { matrix, offset: [0.0; 2] }
    }

    /// Counter-clockwise about the center, in radians. The y axis points down.
    pub fn rotation(angle: f32) -> Motion {
        let (sin, cos) = libm::sincos(f64::from(angle));
        let (sin, cos) = (sin as f32, cos as f32);
        Motion::linear([[cos, -sin], [sin, cos]])
    }

    /// This motion, then another.
    pub fn then(self, next: Motion) -> Motion {
        let row = |r: [f32; 2]| -> [f32; 2] {
            std::array::from_fn(|j| r[0] * next.matrix[0][j] + r[1] * next.matrix[1][j])
        };
        let shift = |i: usize| {
            self.matrix[i][0] * next.offset[0] + self.matrix[i][1] * next.offset[1] + self.offset[i]
        };
        Motion { matrix: self.matrix.map(row), offset: [shift(0), shift(1)] }
    }

    /// Mirrors and whole pixels only: whether each axis is mirrored, and how far it is shifted.
    fn whole(&self) -> Option<[(bool, isize); 2]> {
        let [[a, b], [c, d]] = self.matrix;
        let whole = |x: f32| x.fract() == 0.0 && x.abs() < 1e6;
        let upright = b == 0.0 && c == 0.0 && a.abs() == 1.0 && d.abs() == 1.0;
        let [x, y] = self.offset;
        (upright && whole(x) && whole(y)).then_some([(a < 0.0, x as isize), (d < 0.0, y as isize)])
    }
}

/// A stored value of an image.
pub(crate) trait Pixel: Copy {
    /// As a number; bytes stand for 0 to 1.
    fn number(self) -> f32;
}

impl Pixel for u8 {
    #[inline(always)]
    fn number(self) -> f32 {
        f32::from(self) * BYTE_UNIT
    }
}

impl Pixel for f32 {
    #[inline(always)]
    fn number(self) -> f32 {
        self
    }
}

/// An image to be moved, `[h, w, c]`, and what is around it.
#[derive(Clone, Copy)]
pub(crate) struct Scene<'a, T> {
    pub pixels: &'a [T],
    pub shape: [usize; 3],
    pub fill: Fill,
    /// Mean of each channel, `[c]`.
    pub mean: &'a [f32],
}

/// Writes the moved image to `out` (`[h, w, c]`): copies for mirrors and whole pixels, else bilinear interpolation, for
/// which `scratch` has the size of [`scratch_len`].
pub(crate) fn resample<T: Pixel>(scene: Scene<'_, T>, motion: Motion, out: &mut [f32], scratch: &mut [f32]) {
    if let Some(axes) = motion.whole() {
        // The usual numbers of channels are constants for the compiler; 0 stands for any other.
        return match scene.shape[2] {
            1 => copy::<T, 1>(scene, axes, out),
            3 => copy::<T, 3>(scene, axes, out),
            _ => copy::<T, 0>(scene, axes, out),
        };
    }
    frame(scene, scratch);
    interpolate_framed(scene.shape, scene.fill, motion, scratch, out);
}

/// The same for an image that lies in `out` itself.
pub(crate) fn resample_in_place(
    (shape, fill, mean): ([usize; 3], Fill, &[f32]),
    motion: Motion,
    out: &mut [f32],
    scratch: &mut [f32],
) {
    if motion.whole().is_some() {
        let before = &mut scratch[..out.len()];
        before.copy_from_slice(out);
        return resample(Scene { pixels: &*before, shape, fill, mean }, motion, out, &mut []);
    }
    frame(Scene { pixels: &*out, shape, fill, mean }, scratch);
    interpolate_framed(shape, fill, motion, scratch, out);
}

fn interpolate_framed(shape: [usize; 3], fill: Fill, motion: Motion, framed: &[f32], out: &mut [f32]) {
    match shape[2] {
        1 => interpolate::<1>(shape, fill, motion, framed, out),
        3 => interpolate::<3>(shape, fill, motion, framed, out),
        _ => interpolate::<0>(shape, fill, motion, framed, out),
    }
}

/// Rows or columns that a frame adds: one before, and two behind, so that every neighbor of a place exists.
const FRAME: usize = 3;

/// Numbers of an image in its frame.
pub(crate) fn scratch_len([h, w, c]: [usize; 3]) -> usize {
    (h + FRAME) * (w + FRAME) * c
}

impl<T: Pixel> Scene<'_, T> {
    #[inline(always)]
    fn constant(&self, out: &mut [f32]) {
        for pixel in out.chunks_exact_mut(self.shape[2]) {
            pixel.iter_mut().zip(self.mean).for_each(|(o, mean)| *o = self.fill.constant(*mean));
        }
    }
}

/// Source of a place along an axis of `n` pixels.
#[inline(always)]
fn source((mirrored, shift): (bool, isize), i: usize, n: usize) -> isize {
    if mirrored { n as isize - 1 - i as isize + shift } else { i as isize + shift }
}

fn copy<T: Pixel, const C: usize>(
    scene: Scene<'_, T>,
    [along_x, along_y]: [(bool, isize); 2],
    out: &mut [f32],
) {
    let [h, w, c] = scene.shape;
    let c = if C == 0 { c } else { C };
    // Places whose source is within the frame: in between nothing has to be asked.
    let (mirrored, shift) = along_x;
    let lead = if mirrored { shift } else { -shift };
    let (from, to) = (lead.clamp(0, w as isize) as usize, (w as isize + lead).clamp(0, w as isize) as usize);
    for (y, line) in out.chunks_exact_mut(w * c).enumerate() {
        let Some(sy) = scene.fill.place(source(along_y, y, h), h) else {
            scene.constant(line);
            continue;
        };
        let row = &scene.pixels[sy * w * c..(sy + 1) * w * c];
        for x in (0..from).chain(to.max(from)..w) {
            let out = &mut line[x * c..(x + 1) * c];
            match scene.fill.place(source(along_x, x, w), w) {
                Some(sx) => out.iter_mut().zip(&row[sx * c..]).for_each(|(o, p)| *o = p.number()),
                None => scene.constant(out),
            }
        }
        if from >= to {
            continue;
        }
        let out = &mut line[from * c..to * c];
        if mirrored {
            let last = source(along_x, to - 1, w) as usize;
            let pixels = row[last * c..(last + to - from) * c].chunks_exact(c).rev();
            for (out, pixel) in out.chunks_exact_mut(c).zip(pixels) {
                out.iter_mut().zip(pixel).for_each(|(o, p)| *o = p.number());
            }
        } else {
            let first = source(along_x, from, w) as usize;
            out.iter_mut().zip(&row[first * c..]).for_each(|(o, p)| *o = p.number());
        }
    }
}

/// Copies an image to the middle of a frame of constants.
fn frame<T: Pixel>(scene: Scene<'_, T>, framed: &mut [f32]) {
    let [h, w, c] = scene.shape;
    let line = (w + FRAME) * c;
    let (above, rest) = framed[..scratch_len(scene.shape)].split_at_mut(line);
    let (middle, below) = rest.split_at_mut(h * line);
    scene.constant(above);
    scene.constant(below);
    for (row, out) in scene.pixels.chunks_exact(w * c).zip(middle.chunks_exact_mut(line)) {
        let (left, out) = out.split_at_mut(c);
        let (out, right) = out.split_at_mut(w * c);
        scene.constant(left);
        scene.constant(right);
        out.iter_mut().zip(row).for_each(|(o, p)| *o = p.number());
    }
}

/// Bilinear: each value is a mean of four neighbors of its source in the framed image.
fn interpolate<const C: usize>(
    [h, w, c]: [usize; 3],
    fill: Fill,
    motion: Motion,
    framed: &[f32],
    out: &mut [f32],
) {
    let c = if C == 0 { c } else { C };
    let line = (w + FRAME) * c;
    let center = [(w as f32 - 1.0) * 0.5, (h as f32 - 1.0) * 0.5];
    let [[a, b], [d, e]] = motion.matrix;
    for (y, row) in out.chunks_exact_mut(w * c).enumerate() {
        let dy = y as f32 - center[1];
        let start = [b * dy + motion.offset[0] + center[0], e * dy + motion.offset[1] + center[1]];
        for (x, out) in row.chunks_exact_mut(c).enumerate() {
            let dx = x as f32 - center[0];
            let (ix, fx) = framed_place(a * dx + start[0], w, fill);
            let (iy, fy) = framed_place(d * dx + start[1], h, fill);
            let at = iy * line + ix * c;
            let (upper, lower) = (&framed[at..at + 2 * c], &framed[at + line..at + line + 2 * c]);
            for (k, o) in out.iter_mut().enumerate() {
                let top = between(upper[k], upper[c + k], fx);
                let bottom = between(lower[k], lower[c + k], fx);
                *o = between(top, bottom, fy);
            }
        }
    }
}

#[inline(always)]
fn between(a: f32, b: f32, share: f32) -> f32 {
    a + (b - a) * share
}

/// A source along an axis of `n` pixels as a place in the frame: a whole number from 0 to n + 1, and the rest.
#[inline(always)]
fn framed_place(source: f32, n: usize, fill: Fill) -> (usize, f32) {
    let last = n as f32 - 1.0;
    let inside = match fill {
        Fill::Zero | Fill::Mean => source.clamp(-1.0, last + 1.0),
        Fill::Edge => source.clamp(0.0, last),
        Fill::Reflect if n == 1 => 0.0,
        Fill::Reflect => {
            let at = source.rem_euclid(2.0 * last);
            at.min(2.0 * last - at).max(0.0)
        }
    };
    let place = inside + 1.0;
    let whole = place as usize;
    (whole, place - whole as f32)
}
