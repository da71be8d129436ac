//! Dropout masks: random words for (seed, id, step, row, column), however a frame is cut.

use super::{Draw, LANES};
use crate::philox::philox4x32;

/// The purpose of masks among all random numbers, the upper byte of their counters: no other numbers have it.
pub const MASK_PURPOSE: u32 = 3;

/// The random word behind a mask's element; what [`Instr::Mask`](super::Instr::Mask) compares, for tests and the
/// reference.
pub fn mask_word(seed: u64, id: u32, step: u64, row: u64, col: usize, cols: usize) -> u32 {
    let padded = cols.next_multiple_of(64) as u64;
    let index = row * padded + col as u64;
    let counter = (index / 64) * 16 + index % 16;
    mask_block(seed, id, step, counter)[(index as usize / 16) % 4]
}

#[inline(always)]
fn mask_block(seed: u64, id: u32, step: u64, counter: u64) -> [u32; 4] {
    let key = [seed as u32, (seed >> 32) as u32];
    philox4x32(
        key,
        [counter as u32, (counter >> 32) as u32, step as u32, MASK_PURPOSE << 24 | (id & 0x00FF_FFFF)],
    )
}

/// The threshold below which a word is kept.
pub fn keep_below(keep: f32) -> u32 {
    (f64::from(keep) * 16_777_216.0) as u32
}

/// One mask of a step over frames of `cols` columns.
#[derive(Clone, Copy)]
pub(super) struct Mask {
    pub draw: Draw,
    pub id: u32,
    pub keep: f32,
    pub cols: usize,
}

impl Mask {
    /// Writes the mask of `n` columns from `col`, a whole vector's start, of a row of the call.
    ///
    /// # Safety
    /// `dst` has room for `n` floats, rounded up to whole vectors.
    #[inline(always)]
    pub unsafe fn fill(&self, dst: *mut f32, row: usize, col: usize, n: usize) {
        let draw = self.draw;
        let row_start = (draw.first_row + row as u64) * (self.cols.next_multiple_of(64) as u64 / 64) * 16;
        let (threshold, scale) = (keep_below(self.keep), 1.0 / self.keep);
        let mut done = 0;
        while done < n {
            // four vectors share the words of 16 counters
            let column = col + done;
            let base = row_start + (column / 64 * 16) as u64;
            let mut words = [[0u32; LANES]; 4];
            for l in 0..LANES {
                let block = mask_block(draw.seed, self.id, draw.step, base + l as u64);
                for (row, word) in words.iter_mut().zip(block) {
                    row[l] = word;
                }
            }
            let first = column / LANES % 4;
            for word in words.iter().skip(first).take((n - done).div_ceil(LANES)) {
                for (l, bits) in word.iter().enumerate() {
                    let kept = if bits >> 8 < threshold { scale } else { 0.0 };
                    // SAFETY: below `n` rounded up.
                    unsafe { *dst.add(done + l) = kept };
                }
                done += LANES;
            }
        }
    }
}
