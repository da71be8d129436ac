//! What a correlation needs for one group of channels: sizes, places, and weights in the order of its taps.

#![allow(unsafe_op_in_unsafe_fn)] // pointer loops throughout; `Conv` checked the bounds

use super::axis::Axis;
use super::direct::Job;
use super::{Conv, Direction, LINE};
use crate::gemm::drive::Cuts;
use crate::gemm::micro::{Reading, Tiles};
use crate::gemm::pack::{View, pack_panel};

/// Weights beyond this many floats are read in place where they can be.
const MAX_COPY: usize = 1 << 16;

/// What one group of channels needs.
pub(super) struct Group<'a> {
    pub conv: &'a Conv,
    pub direction: Direction,
    /// Source channels of the group; its first source.
    pub n_src: usize,
    pub src: *const f32,
    /// The group's first output, its channels and those of all groups; sizes of an image.
    pub out: *mut f32,
    pub n: usize,
    pub channels: usize,
    pub shape: [usize; 2],
    pub bias: *const f32,
    pub relu: bool,
    pub gate: *const f32,
    weights: Weights,
    /// Vectors of a panel.
    pub max_vectors: usize,
    /// Lanes if every channel has its own kernel.
    pub reading: Reading,
}

/// Vectors beside this many rows that give enough independent sums.
fn vectors_for(rows: usize) -> usize {
    8usize.div_ceil(rows.max(1))
}

/// The weights of all phases, one after the other.
#[derive(Clone, Copy)]
enum Weights {
    /// `[taps, n_src, row stride]`
    InPlace(*const f32, usize),
    /// For each phase and panel `[taps, n_src, whole vectors]`.
    Packed(*const f32),
}

/// Outputs `phase, phase + stride, ...` of both axes.
pub(super) struct Phase {
    pub y: Axis,
    pub x: Axis,
    /// Taps of the phases before.
    pub taps_before: usize,
}

impl<'a> Group<'a> {
    #[inline(always)]
    pub unsafe fn new<S: Tiles>(job: &mut Job<'a>, group: usize, scratch: *mut f32) -> Group<'a> {
        let c = job.conv;
        let (_, n_in, n_out) = c.split();
        let (n_src, out, n) = match job.direction {
            Direction::Forward => (n_in, c.output, n_out),
            Direction::Backward => (n_out, c.input, n_in),
        };
        let columns = c.axes(job.direction, [0, 0])[1].count;
        let reading = if c.is_depthwise() { Reading::Lanes } else { Reading::Strided };
        let max_vectors = if c.is_depthwise() { vectors_for(columns) } else { usize::MAX };
        let at = |x: Option<&[f32]>| x.map_or(std::ptr::null(), |x| x.as_ptr().wrapping_add(group * n));
        let mut this = Group {
            conv: c,
            direction: job.direction,
            n_src,
            src: job.src.as_ptr().wrapping_add(group * n_src),
            out: job.out.as_mut_ptr().wrapping_add(group * n),
            n,
            channels: out[2],
            shape: [out[0], out[1]],
            bias: at(job.epilogue.bias),
            relu: job.epilogue.relu,
            gate: at(job.epilogue.gate),
            weights: Weights::Packed(scratch.cast_const()),
            max_vectors: S::max_vectors(columns).min(max_vectors),
            reading,
        };
        let (k, _) = c.inner(job.direction);
        let forward = job.direction == Direction::Forward;
        let dense = !c.is_depthwise();
        if dense && forward && n.is_multiple_of(LINE) && k * n > MAX_COPY {
            this.weights = Weights::InPlace(job.w.as_ptr().add(group * n), c.output[2]);
        } else {
            this.pack::<S>(job.w.as_ptr(), group, scratch);
        }
        this
    }

    /// Inner size of a tap.
    pub fn k(&self) -> usize {
        if self.reading == Reading::Lanes { 1 } else { self.n_src }
    }

    #[inline(always)]
    pub fn each_phase(&self, mut f: impl FnMut(&Phase)) {
        // phases beyond the image have no outputs
        let phases = match self.direction {
            Direction::Forward => [1, 1],
            Direction::Backward => [0, 1].map(|i| self.conv.stride[i].min(self.shape[i])),
        };
        let mut taps_before = 0;
        for py in 0..phases[0] {
            for px in 0..phases[1] {
                let [y, x] = self.conv.axes(self.direction, [py, px]);
                f(&Phase { y, x, taps_before });
                taps_before += y.n_taps * x.n_taps;
            }
        }
    }

    #[inline(always)]
    unsafe fn pack<S: Tiles>(&self, w: *const f32, group: usize, mut to: *mut f32) {
        let (c, o) = (self.conv, self.conv.output[2]);
        let nothing = std::ptr::null();
        self.each_phase(|phase| {
            for panel in self.panels::<S>() {
                for i in 0..phase.y.n_taps * phase.x.n_taps {
                    let [ky, kx] = [phase.y.tap(i / phase.x.n_taps), phase.x.tap(i % phase.x.n_taps)];
                    let tap = w.add((ky * c.kernel[1] + kx) * c.group_in() * o + group * c.group_out());
                    let view = if self.direction == Direction::Forward || self.reading == Reading::Lanes {
                        View { ptr: tap.add(panel.col), rs: o, cs: 1, end: nothing }
                    } else {
                        View { ptr: tap.add(panel.col * o), rs: 1, cs: o, end: nothing }
                    };
                    pack_panel::<S>(view, self.k(), panel.width, panel.vectors, to);
                    to = to.add(self.k() * panel.vectors * S::LANES);
                }
            }
        });
    }

    #[inline(always)]
    fn panels<S: Tiles>(&self) -> impl Iterator<Item = Panel> + use<S> {
        let n = self.n;
        Cuts::new(n.div_ceil(S::LANES), self.max_vectors).iter().map(move |(vector, vectors)| {
            let col = vector * S::LANES;
            Panel { col, width: (n - col).min(vectors * S::LANES), vectors, b: std::ptr::null(), b_k: 0 }
        })
    }

    /// All panels, with their weights for a phase.
    #[inline(always)]
    pub fn panels_of<S: Tiles>(&self, phase: &Phase) -> impl Iterator<Item = Panel> + use<S> {
        let (weights, k, n_taps) = (self.weights, self.k(), phase.y.n_taps * phase.x.n_taps);
        let before = phase.taps_before * self.n.next_multiple_of(S::LANES);
        self.panels::<S>().map(move |panel| {
            let (b, b_k) = match weights {
                Weights::InPlace(w, stride) => (w.wrapping_add(panel.col), stride),
                Weights::Packed(w) => {
                    (w.wrapping_add(k * (before + n_taps * panel.col)), panel.vectors * S::LANES)
                }
            };
            Panel { b, b_k, ..panel }
        })
    }
}

/// Some columns of the product, `vectors` wide, of which `width` floats exist.
#[derive(Clone, Copy)]
pub(super) struct Panel {
    pub col: usize,
    pub width: usize,
    pub vectors: usize,
    /// Its weights at the first tap, and the stride of their rows.
    pub b: *const f32,
    pub b_k: usize,
}
