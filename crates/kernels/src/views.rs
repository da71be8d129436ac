//! Several slices of one buffer at once: any number to read, and others to write that overlap nothing.

use std::ops::Range;

/// Slices of `data`: those of `reads` may overlap each other; those of `writes` overlap no other slice.
///
/// # Panics
/// When a range is out of bounds or a written range overlaps another: an error of the memory plan.
pub fn views<'a, const R: usize, const W: usize>(
    data: &'a mut [f32],
    reads: &[Range<usize>],
    writes: &[Range<usize>],
) -> ([&'a [f32]; R], [&'a mut [f32]; W]) {
    assert!(reads.len() <= R && writes.len() <= W, "{} reads, {} writes", reads.len(), writes.len());
    let apart = |a: &Range<usize>, b: &Range<usize>| {
        a.is_empty() || b.is_empty() || a.end <= b.start || b.end <= a.start
    };
    for (i, w) in writes.iter().enumerate() {
        assert!(w.start <= w.end && w.end <= data.len(), "write of {w:?} in {}", data.len());
        assert!(reads.iter().chain(&writes[..i]).all(|o| apart(w, o)), "write of {w:?} overlaps");
    }
    assert!(reads.iter().all(|r| r.start <= r.end && r.end <= data.len()), "read out of bounds");
    let base = data.as_mut_ptr();
    let mut shared: [&[f32]; R] = [&[]; R];
    for (slot, r) in shared.iter_mut().zip(reads) {
        // SAFETY: within `data` and apart from every written range, as asserted.
        *slot = unsafe { std::slice::from_raw_parts(base.add(r.start), r.len()) };
    }
    let mut own: [&mut [f32]; W] = std::array::from_fn(|_| &mut [][..]);
    for (slot, w) in own.iter_mut().zip(writes) {
        // SAFETY: within `data` and apart from every other range, as asserted.
        *slot = unsafe { std::slice::from_raw_parts_mut(base.add(w.start), w.len()) };
    }
    (shared, own)
}

/// Floats whose first lies at the start of a cache line.
#[derive(Debug)]
pub struct Aligned {
    lines: Vec<Line>,
    len: usize,
}

#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
#[allow(dead_code, reason = "read and written through slices of the whole buffer")]
struct Line([f32; 16]);

impl Aligned {
    /// `len` floats, all `value`.
    pub fn filled(len: usize, value: f32) -> Self {
        Aligned { lines: vec![Line([value; 16]); len.div_ceil(16)], len }
    }
}

impl std::ops::Deref for Aligned {
    type Target = [f32];
    fn deref(&self) -> &[f32] {
        debug_assert_eq!(size_of::<Line>(), 64);
        // SAFETY: a line is 16 floats without padding, and there are at least `len` of them.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.len) }
    }
}

impl std::ops::DerefMut for Aligned {
    fn deref_mut(&mut self) -> &mut [f32] {
        // SAFETY: as above, and `self` is borrowed exclusively.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.len) }
    }
}

#[cfg(test)]
#[allow(clippy::single_range_in_vec_init, reason = "lists of ranges, some with one")]
mod tests {
    use super::*;

    #[test]
    fn reads_may_overlap_and_writes_may_not() {
        let mut data = Aligned::filled(20, 1.0);
        let ([a, b], [w]) = views(&mut data, &[0..5, 3..8], &[8..10]);
        w.fill(2.0);
        assert_eq!((a.len(), b[4], w[1]), (5, 1.0, 2.0));
        assert_eq!(data[0], 1.0);
        let mut overlapping = Aligned::filled(20, 0.0);
        let clash = std::panic::catch_unwind(move || {
            let _: ([&[f32]; 1], [&mut [f32]; 1]) = views(&mut overlapping, &[0..5], &[4..6]);
        });
        assert!(clash.is_err());
    }
}
