//! How many rows a block of a program takes, and where its registers lie in scratch memory.

use super::{BLOCK, LANES, MapProgram, RUN};

/// Most columns of rows that share a block; longer ones are work enough each.
const SHORT: usize = 256;
/// They are one run of a sum, so that a row's sum does not depend on how many rows its block has.
const _: () = assert!(SHORT <= RUN * LANES);

/// Blocks and registers of a program over frames of some number of columns.
///
/// Scratch holds slots of one block each (registers, staged operands, staged outputs, spread row values) and then
/// slots of one value a row (row registers, staged operands, two temporaries).
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    /// most rows in a block: several where whole rows are short
    pub rows: usize,
    /// most columns in a block
    pub cols: usize,
    /// floats of a slot: a block, padded to whole vectors, and one vector more
    pub stride: usize,
    /// floats of a slot of row values
    pub row_stride: usize,
    /// where slots of row values begin
    pub row_start: usize,
    /// floats in all, with room to align the first
    pub len: usize,
}

impl Layout {
    #[inline]
    pub fn new(program: &MapProgram, cols: usize) -> Layout {
        let (rows, cols) = block_of(program, cols);
        let stride = (rows * cols).next_multiple_of(LANES) + LANES;
        let row_stride = rows.next_multiple_of(LANES);
        let spread = if rows > 1 { program.n_rows } else { 0 };
        let row_start = (program.n_regs + program.operands.len() + program.direct.len() + spread) * stride;
        let n_row_slots = program.n_rows + program.operands.len() + 2;
        Layout {
            rows,
            cols,
            stride,
            row_stride,
            row_start,
            len: row_start + n_row_slots * row_stride + LANES,
        }
    }
}

fn block_of(program: &MapProgram, cols: usize) -> (usize, usize) {
    if program.flat {
        return (1, BLOCK);
    }
    if !(1..=SHORT).contains(&cols) {
        return (1, if program.whole_row { cols.max(1) } else { BLOCK });
    }
    // as many rows as make whole vectors, if they fit
    let whole = LANES >> cols.trailing_zeros().min(LANES.trailing_zeros());
    let rows = BLOCK / cols;
    (if rows >= whole { rows - rows % whole } else { rows }, cols)
}
