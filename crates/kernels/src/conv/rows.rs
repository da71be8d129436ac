//! The rows that a convolution reads, in place or copied between zeros.

use super::axis::Axis;
use super::{Conv, Direction, LINE};

/// Which positions of a row are read, over all phases, and how many rows at a time.
#[derive(Clone, Copy)]
pub(super) struct Reach {
    /// First and one past the last position along a row.
    from: isize,
    to: isize,
    /// Lowest and one past the highest row for the first output row.
    low: isize,
    high: isize,
    /// Rows from one output row to the next.
    step: usize,
    /// Rows and columns of an image of the source, channels in all and of one group.
    len: [usize; 2],
    channels: usize,
    n: usize,
    /// Channels are read as whole vectors.
    lanes: bool,
}

impl Reach {
    pub fn new(c: &Conv, direction: Direction) -> Reach {
        let (_, n_in, n_out) = c.split();
        let (shape, n, phases) = match direction {
            Direction::Forward => (c.input, n_in, [1, 1]),
            Direction::Backward => (c.output, n_out, [0, 1].map(|i| c.stride[i].min(c.input[i]))),
        };
        let lanes = c.is_depthwise();
        let range = |i: usize, count: usize| {
            let (mut from, mut to) = (isize::MAX, isize::MIN);
            for phase in 0..phases[i] {
                let axis: Axis = c.axes(direction, [phase, phase])[i];
                if axis.n_taps > 0 && axis.count > 0 {
                    from = from.min(axis.position(0, 0));
                    to = to.max(axis.position(count.min(axis.count) - 1, axis.n_taps - 1) + 1);
                }
            }
            if from < to { (from, to) } else { (0, 0) }
        };
        let ((low, high), (from, to)) = (range(0, 1), range(1, usize::MAX));
        let step = if direction == Direction::Forward { c.stride[0] } else { 1 };
        Reach { from, to, low, high, step, len: [shape[0], shape[1]], channels: shape[2], n, lanes }
    }

    /// Whether rows can be read where they are.
    pub fn in_place(&self) -> bool {
        let vectors = !self.lanes || self.n.is_multiple_of(LINE);
        self.from >= 0 && self.to <= self.len[1] as isize && self.n == self.channels && vectors
    }

    /// Floats of this many copied rows, with what the last one's last vector reads beyond it.
    pub fn copied(&self, rows: usize) -> usize {
        if self.in_place() { 0 } else { rows * self.row_len() + LINE }
    }

    /// Floats of a copied row.
    pub fn row_len(&self) -> usize {
        (self.to - self.from) as usize * self.n
    }

    /// Rows that `count` neighboring output rows need at once.
    pub fn n_rows(&self, count: usize) -> usize {
        ((self.high - self.low) as usize + (count.max(1) - 1) * self.step).min(self.len[0])
    }

    /// First and one past the last row for output rows `first..=last`.
    pub fn rows(&self, first: usize, last: usize) -> (usize, usize) {
        let clamp = |row: isize| row.clamp(0, self.len[0] as isize) as usize;
        (clamp(self.low + (first * self.step) as isize), clamp(self.high + (last * self.step) as isize))
    }
}

/// Rows of all images, each copied at most once if rows are asked for in increasing order.
pub(super) struct Rows {
    reach: Reach,
    /// The first group channel of the first row.
    src: *const f32,
    /// Room for `slots` copied rows; row r is in slot `r % slots`.
    ring: *mut f32,
    slots: usize,
    next: usize,
}

impl Rows {
    /// # Safety
    /// Until the rows are dropped, `src` is readable over all rows that are asked for, less the channels before it,
    /// and `ring` writable for `reach.copied(slots)` floats.
    pub unsafe fn new(reach: Reach, src: *const f32, ring: *mut f32, slots: usize) -> Rows {
        if !reach.in_place() {
            // SAFETY: the caller's promise.
            unsafe { ring.write_bytes(0, reach.copied(slots)) };
        }
        Rows { reach, src, ring, slots, next: 0 }
    }

    /// Makes rows `from..to`, counted over all images, available; at most `slots` of them.
    ///
    /// # Safety
    /// The rows exist.
    pub unsafe fn fill(&mut self, from: usize, to: usize) {
        let f = &self.reach;
        if f.in_place() {
            return;
        }
        let first = f.from.max(0) as usize;
        let pixels = (f.to.max(0) as usize).min(f.len[1]).saturating_sub(first);
        for row in self.next.max(from)..to {
            // SAFETY: the caller's promise, and positions are within the image.
            unsafe {
                let src = self.src.add((row * f.len[1] + first) * f.channels);
                let slot = self.ring.add(row % self.slots * f.row_len());
                let slot = slot.add((first as isize - f.from) as usize * f.n);
                if f.n == f.channels {
                    slot.copy_from_nonoverlapping(src, pixels * f.n);
                } else {
                    for p in 0..pixels {
                        slot.add(p * f.n).copy_from_nonoverlapping(src.add(p * f.channels), f.n);
                    }
                }
            }
        }
        self.next = self.next.max(to);
    }

    /// The group's channels of a row at a position; pixels are `n` floats apart.
    #[inline(always)]
    pub fn at(&self, row: usize, position: isize) -> *const f32 {
        let f = &self.reach;
        if f.in_place() {
            return self.src.wrapping_add((row * f.len[1] + position as usize) * f.channels);
        }
        self.ring.wrapping_add(row % self.slots * f.row_len() + (position - f.from) as usize * f.n)
    }
}

/// Neighboring output rows whose sources are held at once: some rows of one image, or several whole images.
#[derive(Clone, Copy)]
pub(super) struct Band {
    pub image: usize,
    pub images: usize,
    pub first: usize,
    pub rows: usize,
}

/// How output rows are cut into bands.
#[derive(Clone, Copy)]
pub(super) struct Bands {
    /// Output rows of an image.
    count: usize,
    images: usize,
    rows: usize,
}

impl Bands {
    /// As many rows as are within both limits: output rows, and floats of their sources.
    pub fn new(reach: &Reach, count: usize, max_rows: usize, floats: usize) -> Bands {
        let fits = |rows: usize| reach.n_rows(rows) * reach.row_len() <= floats;
        let (max, whole) = (max_rows.min(count).max(1), reach.len[0] * reach.row_len());
        if max == count && fits(count) {
            let images = (floats / whole.max(1)).min(max_rows / count.max(1)).max(1);
            return Bands { count, images, rows: count };
        }
        let rows = (1..=max).rev().find(|rows| fits(*rows)).unwrap_or(1);
        Bands { count, images: 1, rows: count.div_ceil(count.div_ceil(rows).max(1)) }
    }

    /// The most output rows of a band.
    pub fn max_rows(&self) -> usize {
        self.images * self.rows
    }

    /// Rows of the source that a band needs at once.
    pub fn slots(&self, reach: &Reach) -> usize {
        if self.images > 1 { self.images * reach.len[0] } else { reach.n_rows(self.rows) }
    }

    pub fn iter(self, images: usize) -> impl Iterator<Item = Band> {
        let Bands { count, images: step, rows } = self;
        (0..images).step_by(step).flat_map(move |image| {
            (0..count).step_by(rows.max(1)).map(move |first| Band {
                image,
                images: step.min(images - image),
                first,
                rows: rows.min(count - first),
            })
        })
    }
}

impl Band {
    /// First and one past the last source row, counted over all images.
    pub fn sources(&self, reach: &Reach) -> (usize, usize) {
        let (from, to) = reach.rows(self.first, self.first + self.rows - 1);
        let last = self.image + self.images - 1;
        (self.image * reach.len[0] + from, last * reach.len[0] + to)
    }

    /// Image and output row of each row.
    #[inline(always)]
    pub fn iter(self) -> impl Iterator<Item = (usize, usize)> {
        (self.image..self.image + self.images)
            .flat_map(move |image| (self.first..self.first + self.rows).map(move |row| (image, row)))
    }
}
