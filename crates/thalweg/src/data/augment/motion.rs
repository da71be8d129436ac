//! Moving an image: affine maps of the plane, composed before any pixel is read, then one resampling.

use kernels::affine::BYTE_UNIT;

use super::fill::Fill;

/// Where a pixel of the new image comes from: source = A · place + t, in pixels from the centre of the image.
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

    /// By an inverse matrix alone; the centre stays.
    pub fn linear(matrix: [[f32; 2]; 2]) -> Motion {
        Motion { matrix, offset: [0.0; 2] }
    }

    /// Counter-clockwise about the centre, in radians. The y axis points down.
    pub fn rotation(angle: f32) -> Motion {
        let (sin, cos) = (f64::from(angle).sin() as f32, f64::from(angle).cos() as f32);
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

/// Writes the moved image to `out` (`[h, w, c]`): copies for mirrors and whole pixels, else bilinear interpolation.
pub(crate) fn resample<T: Pixel>(scene: Scene<'_, T>, motion: Motion, out: &mut [f32]) {
    // The usual numbers of channels are constants for the compiler; 0 stands for any other.
    match (motion.whole(), scene.shape[2]) {
        (Some(axes), 1) => copy::<T, 1>(scene, axes, out),
        (Some(axes), 3) => copy::<T, 3>(scene, axes, out),
        (Some(axes), _) => copy::<T, 0>(scene, axes, out),
        (None, 1) => interpolate::<T, 1>(scene, motion, out),
        (None, 3) => interpolate::<T, 3>(scene, motion, out),
        (None, _) => interpolate::<T, 0>(scene, motion, out),
    }
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

/// Bilinear: each value is a mean of four neighbours of its source, those beyond the frame as the fill says.
fn interpolate<T: Pixel, const C: usize>(scene: Scene<'_, T>, motion: Motion, out: &mut [f32]) {
    let [h, w, c] = scene.shape;
    let c = if C == 0 { c } else { C };
    let centre = [(w as f32 - 1.0) * 0.5, (h as f32 - 1.0) * 0.5];
    let [[a, b], [d, e]] = motion.matrix;
    for (y, line) in out.chunks_exact_mut(w * c).enumerate() {
        let dy = y as f32 - centre[1];
        let start = [b * dy + motion.offset[0] + centre[0], e * dy + motion.offset[1] + centre[1]];
        for (x, out) in line.chunks_exact_mut(c).enumerate() {
            let dx = x as f32 - centre[0];
            let ((ix, fx), (iy, fy)) = (cut(a * dx + start[0]), cut(d * dx + start[1]));
            let inside = ix >= 0 && iy >= 0 && ix + 1 < w as isize && iy + 1 < h as isize;
            if !inside {
                at_the_edge(&scene, [ix, iy], [fx, fy], out);
                continue;
            }
            let at = (iy as usize * w + ix as usize) * c;
            let (upper, lower) =
                (&scene.pixels[at..at + 2 * c], &scene.pixels[at + w * c..at + w * c + 2 * c]);
            for (k, o) in out.iter_mut().enumerate() {
                let top = between(upper[k].number(), upper[c + k].number(), fx);
                let bottom = between(lower[k].number(), lower[c + k].number(), fx);
                *o = between(top, bottom, fy);
            }
        }
    }
}

#[cold]
fn at_the_edge<T: Pixel>(scene: &Scene<'_, T>, [ix, iy]: [isize; 2], [fx, fy]: [f32; 2], out: &mut [f32]) {
    let [h, w, c] = scene.shape;
    let (xs, ys) =
        ([ix, ix + 1].map(|x| scene.fill.place(x, w)), [iy, iy + 1].map(|y| scene.fill.place(y, h)));
    for (k, (o, mean)) in out.iter_mut().zip(scene.mean).enumerate() {
        let value = |y: Option<usize>, x: Option<usize>| match (y, x) {
            (Some(y), Some(x)) => scene.pixels[(y * w + x) * c + k].number(),
            _ => scene.fill.constant(*mean),
        };
        let [top, bottom] = ys.map(|y| between(value(y, xs[0]), value(y, xs[1]), fx));
        *o = between(top, bottom, fy);
    }
}

#[inline(always)]
fn between(a: f32, b: f32, share: f32) -> f32 {
    a + (b - a) * share
}

/// The whole part, rounded down, and the rest. What is far away stays far away.
#[inline(always)]
fn cut(x: f32) -> (isize, f32) {
    let near = x.clamp(-1e6, 1e6);
    let towards_zero = near as i32;
    let whole = towards_zero - i32::from((towards_zero as f32) > near);
    (whole as isize, near - whole as f32)
}
