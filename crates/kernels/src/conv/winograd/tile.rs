//! One tile into and out of the points: columns first, then rows, a vector of channels at a time.

use super::points::{Kernel, M, points_of, taps_of};
use crate::simd::Simd;

/// Where tiles come from: zeros lie around the images.
pub(super) struct Sources {
    pub data: *const f32,
    /// `[H, W, C]`
    pub size: [usize; 3],
    pub pad: [usize; 2],
    /// rows and columns of tiles in an image
    pub tiles: [usize; 2],
    /// as many zeros as channels, in whole lines
    pub zeros: *const f32,
}

/// Where results go.
pub(super) struct Results {
    pub data: *mut f32,
    pub size: [usize; 3],
    pub tiles: [usize; 2],
    pub bias: Option<*const f32>,
    pub relu: bool,
    pub gate: Option<*const f32>,
}

/// Image, and first row and column of a tile.
#[inline(always)]
fn place(tiles: [usize; 2], t: usize) -> [usize; 3] {
    let in_image = t % (tiles[0] * tiles[1]);
    [t / (tiles[0] * tiles[1]), in_image / tiles[1] * M, in_image % tiles[1] * M]
}

/// Lanes of the vector that starts at channel `v` of `c`.
#[inline(always)]
unsafe fn lanes<S: Simd>(c: usize, v: usize) -> S::Mask {
    S::mask(S::LANES.min(c - v))
}

impl Sources {
    /// Pointers to the `K × K` pixels of a tile, to zeros outside of the image.
    #[inline(always)]
    unsafe fn pixels<const K: usize>(&self, t: usize) -> [[*const f32; K]; K] {
        let [h, w, c] = self.size;
        let [image, y, x] = place(self.tiles, t);
        let image = self.data.add(image * h * w * c);
        let mut found = [[self.zeros; K]; K];
        for i in 0..K {
            let row = (y + i).wrapping_sub(self.pad[0]);
            for j in 0..K {
                let column = (x + j).wrapping_sub(self.pad[1]);
                if row < h && column < w {
                    found[i][j] = image.add((row * w + column) * c);
                }
            }
        }
        found
    }
}

/// Writes the values of tile `t` at the points to `v`, points `stride` floats apart.
#[inline(always)]
pub(super) unsafe fn sources<S: Simd, K: Kernel<N, R>, const N: usize, const R: usize>(
    from: &Sources,
    t: usize,
    v: *mut f32,
    stride: usize,
) {
    let pixels = from.pixels::<N>(t);
    let c = from.size[2];
    let mut at = 0;
    while at < c {
        let keep = lanes::<S>(c, at);
        let mut values = [[S::splat(0.0); N]; N];
        for j in 0..N {
            let mut column = [S::splat(0.0); N];
            for i in 0..N {
                column[i] = S::load_masked(pixels[i][j].add(at), keep);
            }
            let column = K::sources::<S>(column);
            for i in 0..N {
                values[i][j] = column[i];
            }
        }
        for i in 0..N {
            let row = K::sources::<S>(values[i]);
            for j in 0..N {
                S::store(v.add((i * N + j) * stride + at), row[j]);
            }
        }
        at += S::LANES;
    }
}

/// Writes the gradient of tile `t` of the results, spread to the points, to `m`.
#[inline(always)]
pub(super) unsafe fn spread<S: Simd, K: Kernel<N, R>, const N: usize, const R: usize>(
    from: &Sources,
    t: usize,
    m: *mut f32,
    stride: usize,
) {
    let pixels = from.pixels::<M>(t);
    let c = from.size[2];
    let mut at = 0;
    while at < c {
        let keep = lanes::<S>(c, at);
        let mut values = [[S::splat(0.0); M]; N];
        for j in 0..M {
            let mut column = [S::splat(0.0); M];
            for i in 0..M {
                column[i] = S::load_masked(pixels[i][j].add(at), keep);
            }
            let column = K::spread::<S>(column);
            for i in 0..N {
                values[i][j] = column[i];
            }
        }
        for i in 0..N {
            let row = K::spread::<S>(values[i]);
            for j in 0..N {
                S::store(m.add((i * N + j) * stride + at), row[j]);
            }
        }
        at += S::LANES;
    }
    // the points of missing channels are read as parts of whole vectors
    let padded = c.next_multiple_of(super::LINE);
    while at < padded {
        for p in 0..N * N {
            S::store(m.add(p * stride + at), S::splat(0.0));
        }
        at += S::LANES;
    }
}

/// Writes tile `t` of the results from the values at the points.
#[inline(always)]
pub(super) unsafe fn results<S: Simd, K: Kernel<N, R>, const N: usize, const R: usize>(
    to: &Results,
    t: usize,
    m: *const f32,
    stride: usize,
) {
    let [h, w, c] = to.size;
    let [image, y, x] = place(to.tiles, t);
    let pixel = |i: usize, j: usize| ((image * h + y + i) * w + x + j) * c;
    let (rows, columns) = (M.min(h - y), M.min(w - x));
    let mut at = 0;
    while at < c {
        let keep = lanes::<S>(c, at);
        let mut values = [[S::splat(0.0); N]; M];
        for j in 0..N {
            let mut column = [S::splat(0.0); N];
            for i in 0..N {
                column[i] = S::load(m.add((i * N + j) * stride + at));
            }
            let column = K::results::<S>(column);
            for i in 0..M {
                values[i][j] = column[i];
            }
        }
        for i in 0..M {
            if i >= rows {
                break;
            }
            let row = K::results::<S>(values[i]);
            for j in 0..M {
                if j < columns {
                    let place = pixel(i, j) + at;
                    let mut y = row[j];
                    if let Some(bias) = to.bias {
                        y = S::add(y, S::load_masked(bias.add(at), keep));
                    }
                    if to.relu {
                        y = S::relu(y);
                    }
                    if let Some(gate) = to.gate {
                        y = S::gate(y, S::load_masked(gate.add(place), keep));
                    }
                    S::store_masked(to.data.add(place), y, keep);
                }
            }
        }
        at += S::LANES;
    }
}

/// Weights `[R, R, C, O]`, rows of O `stride` floats apart, to `[points, C, padded]`.
#[inline(always)]
pub(super) unsafe fn weights<S: Simd, K: Kernel<N, R>, const N: usize, const R: usize>(
    w: *const f32,
    [c, o]: [usize; 2],
    stride: usize,
    out: *mut f32,
    padded: usize,
) {
    for channel in 0..c {
        let mut at = 0;
        while at < padded {
            let keep = S::mask(S::LANES.min(o.saturating_sub(at)));
            let mut values = [[S::splat(0.0); R]; N];
            for j in 0..R {
                let mut column = [S::splat(0.0); R];
                for i in 0..R {
                    column[i] =
                        S::load_masked(w.add(((i * R + j) * c + channel) * stride).wrapping_add(at), keep);
                }
                let column = points_of::<S, K, N, R>(column);
                for i in 0..N {
                    values[i][j] = column[i];
                }
            }
            for i in 0..N {
                let row = points_of::<S, K, N, R>(values[i]);
                for j in 0..N {
                    S::store(out.add(((i * N + j) * c + channel) * padded + at), row[j]);
                }
            }
            at += S::LANES;
        }
    }
}

/// Sums at the points `[points, C, padded]` to a weight gradient `[R, R, C, O]`.
#[inline(always)]
pub(super) unsafe fn taps<S: Simd, K: Kernel<N, R>, const N: usize, const R: usize>(
    sums: *const f32,
    padded: usize,
    [c, o]: [usize; 2],
    dw: *mut f32,
) {
    for channel in 0..c {
        let mut at = 0;
        while at < o {
            let keep = lanes::<S>(o, at);
            let mut values = [[S::splat(0.0); N]; R];
            for j in 0..N {
                let mut column = [S::splat(0.0); N];
                for i in 0..N {
                    column[i] = S::load(sums.add(((i * N + j) * c + channel) * padded + at));
                }
                let column = taps_of::<S, K, N, R>(column);
                for i in 0..R {
                    values[i][j] = column[i];
                }
            }
            for i in 0..R {
                let row = taps_of::<S, K, N, R>(values[i]);
                for j in 0..R {
                    S::store_masked(dw.add(((i * R + j) * c + channel) * o + at), row[j], keep);
                }
            }
            at += S::LANES;
        }
    }
}
