//! A block of a frame: its place, and how its values are brought to where instructions read them.

use super::LANES;

/// The block of the frame being worked on.
pub(super) struct Block {
    /// its first row
    pub row: usize,
    /// rows in it
    pub rows: usize,
    /// its first column
    pub col: usize,
    /// columns in it
    pub cols: usize,
    /// values in it
    pub n: usize,
    /// the same, padded to whole vectors
    pub padded: usize,
    /// the group that its rows belong to, of those that sums down columns keep apart
    pub group: usize,
    /// rows of the group before it, those of earlier calls included
    pub before: usize,
}

impl Block {
    #[inline(always)]
    pub fn padded_rows(&self) -> usize {
        self.rows.next_multiple_of(LANES)
    }
}

/// Keeps the compiler from working on several vectors at once, one lane of each: it would gather and scatter.
#[inline(always)]
pub(super) fn one_vector_at_a_time() {
    // SAFETY: no instruction at all.
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    unsafe {
        std::arch::asm!("", options(nomem, nostack, preserves_flags));
    }
}

/// A block of `n` floats of `data` with `length` to read: in place, or copied to `slot`.
///
/// # Safety
/// `slot` has room for `length` floats.
#[inline(always)]
pub(super) unsafe fn readable(
    data: &[f32],
    start: usize,
    n: usize,
    length: usize,
    slot: *mut f32,
) -> *const f32 {
    let block = &data[start..start + n];
    if start + length <= data.len() {
        return block.as_ptr();
    }
    // SAFETY: `n` is at most `length`.
    unsafe { std::ptr::copy_nonoverlapping(block.as_ptr(), slot, n) };
    slot
}

/// Writes `values` as many times one behind another.
///
/// # Safety
/// `dst` has room for `times` copies of `values`.
#[inline(always)]
pub(super) unsafe fn repeat(values: &[f32], times: usize, dst: *mut f32) {
    let (cols, len) = (values.len(), values.len() * times);
    // SAFETY: what is copied is written already, and ends before `len`.
    unsafe {
        std::ptr::copy_nonoverlapping(values.as_ptr(), dst, cols);
        let mut done = cols;
        while done < len {
            let n = done.min(len - done);
            std::ptr::copy_nonoverlapping(dst, dst.add(done), n);
            done += n;
        }
    }
}

/// Writes each row's value to all of its columns.
///
/// # Safety
/// `values` has `rows` floats, `dst` room for `rows · cols` and one vector more.
#[inline(always)]
pub(super) unsafe fn spread_rows(values: *const f32, rows: usize, cols: usize, dst: *mut f32) {
    for r in 0..rows {
        // SAFETY: rows ascend, so what a last vector writes behind its row is overwritten or is the vector more.
        unsafe {
            let lanes = [*values.add(r); LANES];
            for i in (0..cols).step_by(LANES) {
                std::ptr::write_unaligned(dst.add(r * cols + i).cast(), lanes);
            }
        }
    }
}

/// Fills `n` vectors; the caller's block has this many.
#[inline(always)]
pub(super) fn fill(dst: *mut f32, n: usize, x: f32) {
    for i in 0..n {
        // SAFETY: see above.
        unsafe { std::ptr::write_unaligned(dst.add(i * LANES).cast(), [x; LANES]) };
    }
}
