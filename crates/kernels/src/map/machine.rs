//! Running a program: every instruction over a block of the frame, then the next block.
//!
//! A block is some columns of one row, or several short rows as one run of values. Values behind a block's end, up to
//! a whole vector, are computed and not used.

use super::block::{Block, readable, repeat, spread_rows};
use super::chain::Op;
use super::instrs::{bin, run_chain, un};
use super::layout::Layout;
use super::{Access, Call, Dst, Instr, LANES, MAX_OPERANDS, MAX_OUTS, MapProgram, Src};
use crate::isa::Arith;

/// A value that an instruction reads: lanes, or one number.
#[derive(Clone, Copy)]
pub(super) enum Value {
    Block(*const f32),
    One(f32),
}

/// A call at work: where everything lies for the block being worked on.
pub(super) struct Machine<'p, 'c, 'a> {
    pub(super) program: &'p MapProgram,
    pub(super) call: Call<'c, 'a>,
    layout: Layout,
    /// slots of blocks
    slots: *mut f32,
    /// slots of row values
    row_slots: *mut f32,
    /// floats read and written behind a block's padding
    slack: usize,
    operands: [Value; MAX_OPERANDS],
    direct: [*mut f32; MAX_OUTS],
    /// whether outputs of this block are computed in scratch
    staged: bool,
}

crate::multiversion! {
    /// Runs a checked call.
    pub(super) fn run(program: &MapProgram, call: Call, scratch: &mut [f32]) = run_frame;
}

#[allow(clippy::extra_unused_type_parameters)] // instructions that fuse choose for themselves
#[inline(always)]
fn run_frame<A: Arith>(program: &MapProgram, mut call: Call, scratch: &mut [f32]) {
    let layout = Layout::new(program, call.cols);
    if program.flat {
        call.cols *= call.rows;
        call.rows = usize::from(call.cols > 0);
    }
    if call.rows == 0 || call.cols == 0 {
        return;
    }
    let aligned = scratch.as_ptr().align_offset(LANES * size_of::<f32>()).min(LANES);
    // SAFETY: `check` found scratch as long as the layout says, which has room for the alignment.
    let (slots, row_slots) = unsafe {
        let slots = scratch.as_mut_ptr().add(aligned);
        (slots, slots.add(layout.row_start))
    };
    let slack = if layout.rows > 1 { LANES } else { 0 };
    let operands = [Value::One(0.0); MAX_OPERANDS];
    let direct = [std::ptr::null_mut(); MAX_OUTS];
    let mut machine =
        Machine { program, call, layout, slots, row_slots, slack, operands, direct, staged: false };
    machine.prepare();
    machine.frame();
}

impl Machine<'_, '_, '_> {
    #[inline(always)]
    fn frame(&mut self) {
        let (rows, cols) = (self.call.rows, self.call.cols);
        let program = self.program;
        let (mut row, mut group) = (0, 0);
        // rows before the first of the group, less those of earlier calls
        let mut origin = 0;
        while row < rows {
            let mut end = rows;
            if program.n_parts > 0 {
                while self.call.group_ends[group] <= row {
                    origin = self.call.group_ends[group];
                    group += 1;
                }
                end = self.call.group_ends[group];
            }
            let n_rows = self.layout.rows.min(end - row);
            for col in (0..cols).step_by(self.layout.cols) {
                let width = self.layout.cols.min(cols - col);
                let n = n_rows * width;
                let padded = n.next_multiple_of(LANES);
                let seen = if group == 0 { self.call.seen } else { 0 };
                let before = row - origin + seen;
                let at = Block { row, rows: n_rows, col, cols: width, n, padded, group, before };
                self.load(&at);
                for op in &program.ops {
                    self.step(op, &at);
                }
                self.finish(&at);
            }
            row += n_rows;
        }
    }

    /// Registers, then staged operands, staged outputs and spread row values.
    #[inline(always)]
    fn slot(&self, index: usize) -> *mut f32 {
        // SAFETY: `MapProgram::new` bounds indices, `check` the scratch that holds the layout.
        unsafe { self.slots.add(index * self.layout.stride) }
    }

    /// Row registers, then staged operands, then temporaries.
    #[inline(always)]
    pub(super) fn row_slot(&self, index: usize) -> *mut f32 {
        // SAFETY: as above.
        unsafe { self.row_slots.add(index * self.layout.row_stride) }
    }

    #[inline(always)]
    fn operand_slot(&self, o: usize) -> *mut f32 {
        self.slot(self.program.n_regs + o)
    }

    #[inline(always)]
    fn out_slot(&self, k: usize) -> *mut f32 {
        self.slot(self.program.n_regs + self.program.operands.len() + k)
    }

    /// What stays the same for all blocks: scalars, and vectors where they cannot be read in place.
    #[inline(always)]
    fn prepare(&mut self) {
        let Layout { rows, cols, .. } = self.layout;
        for (o, access) in self.program.operands.iter().enumerate() {
            let data = self.call.operands[o];
            let slot = self.operand_slot(o);
            match access {
                Access::Scalar => self.operands[o] = Value::One(data[0]),
                Access::Vector if rows > 1 => {
                    // SAFETY: a slot has a block of `rows · cols` floats.
                    unsafe { repeat(&data[..cols], rows.min(self.call.rows), slot) };
                    self.operands[o] = Value::Block(slot);
                }
                Access::Vector => {
                    let last = (self.call.cols - 1) / cols * cols;
                    let tail = &data[last..self.call.cols];
                    if !tail.len().is_multiple_of(LANES) {
                        // SAFETY: a slot has a block, and `tail` is at most one.
                        unsafe { std::ptr::copy_nonoverlapping(tail.as_ptr(), slot, tail.len()) };
                    }
                }
                Access::Full | Access::Row => {}
            }
        }
    }

    /// Where the block's operands and outputs lie.
    #[inline(always)]
    fn load(&mut self, at: &Block) {
        let start = at.row * self.call.cols + at.col;
        for o in 0..self.program.operands.len().min(MAX_OPERANDS) {
            let data = self.call.operands[o];
            match self.program.operands[o] {
                Access::Full => {
                    let slot = self.operand_slot(o);
                    // SAFETY: a slot has a block and the slack.
                    let block = unsafe { readable(data, start, at.n, at.padded + self.slack, slot) };
                    self.operands[o] = Value::Block(block);
                }
                Access::Vector if self.layout.rows == 1 => {
                    let whole = at.n == at.padded;
                    let block = if whole { data[at.col..].as_ptr() } else { self.operand_slot(o) };
                    self.operands[o] = Value::Block(block);
                }
                Access::Vector | Access::Row | Access::Scalar => {}
            }
        }
        self.staged = start + at.padded + self.slack > self.call.rows * self.call.cols;
        for k in 0..self.program.direct.len().min(MAX_OUTS) {
            self.direct[k] = if self.staged {
                self.out_slot(k)
            } else {
                self.call.outs[self.program.direct[k] as usize][start..].as_mut_ptr()
            };
        }
    }

    /// Copies outputs that were computed in scratch.
    #[inline(always)]
    fn finish(&mut self, at: &Block) {
        if !self.staged {
            return;
        }
        let start = at.row * self.call.cols + at.col;
        for (k, out) in self.program.direct.iter().enumerate() {
            // SAFETY: a slot has a block of `n` floats.
            let block = unsafe { std::slice::from_raw_parts(self.out_slot(k), at.n) };
            self.call.outs[*out as usize][start..start + at.n].copy_from_slice(block);
        }
    }

    /// Where a block register lies: in scratch, or in an output.
    #[inline(always)]
    pub(super) fn reg(&self, r: u8) -> *mut f32 {
        let r = r as usize;
        if r < self.program.n_regs { self.slot(r) } else { self.direct[r - self.program.n_regs] }
    }

    /// The value of a source for this block.
    #[inline(always)]
    pub(super) fn value(&self, src: Src, at: &Block) -> Value {
        let (row, spread) = match src {
            Src::Imm(x) => return Value::One(x),
            Src::Reg(r) => return Value::Block(self.reg(r)),
            Src::Operand(o) if self.program.operands[o as usize] != Access::Row => {
                return self.operands[o as usize];
            }
            Src::Operand(o) => {
                (self.call.operands[o as usize][at.row..].as_ptr(), self.operand_slot(o as usize))
            }
            Src::Row(r) => {
                let behind = self.program.operands.len() + self.program.direct.len();
                let spread = if at.rows > 1 { self.program.n_regs + behind + r as usize } else { 0 };
                (self.row_slot(r as usize).cast_const(), self.slot(spread))
            }
        };
        // SAFETY: `row` has a value for each of the block's rows, and a slot a block and the slack.
        unsafe {
            if at.rows == 1 {
                return Value::One(*row);
            }
            spread_rows(row, at.rows, at.cols, spread);
        }
        Value::Block(spread)
    }

    /// The value of a source that has one value a row; `which` temporary to use where it has more.
    #[inline(always)]
    pub(super) fn row_value(&self, src: Src, which: usize, at: &Block) -> Value {
        match src {
            Src::Imm(x) => Value::One(x),
            Src::Row(r) => Value::Block(self.row_slot(r as usize)),
            Src::Operand(o) if self.program.operands[o as usize] == Access::Row => {
                let o = o as usize;
                let slot = self.row_slot(self.program.n_rows + o);
                // SAFETY: a row slot has a padded block of rows.
                let rows =
                    unsafe { readable(self.call.operands[o], at.row, at.rows, at.padded_rows(), slot) };
                Value::Block(rows)
            }
            Src::Operand(_) | Src::Reg(_) => {
                let a = match self.value(src, at) {
                    Value::One(x) => return Value::One(x),
                    Value::Block(a) => a,
                };
                let slot = self.row_slot(self.program.n_rows + self.program.operands.len() + which);
                // SAFETY: a row slot has a value for each of the block's rows, and each begins in the block.
                (0..at.rows).for_each(|r| unsafe { *slot.add(r) = *a.add(r * at.cols) });
                Value::Block(slot)
            }
        }
    }

    #[inline(always)]
    pub(super) fn has_row_values(&self, src: Src) -> bool {
        match src {
            Src::Imm(_) | Src::Row(_) => true,
            Src::Reg(_) => false,
            Src::Operand(o) => matches!(self.program.operands[o as usize], Access::Row | Access::Scalar),
        }
    }

    /// What an instruction reads to write `dst`; `which` of its sources.
    #[inline(always)]
    pub(super) fn read(&self, dst: Dst, src: Src, which: usize, at: &Block) -> Value {
        match dst {
            Dst::Reg(_) => self.value(src, at),
            Dst::Row(_) => self.row_value(src, which, at),
        }
    }

    /// Where an instruction writes, and how many vectors.
    #[inline(always)]
    pub(super) fn target(&self, dst: Dst, at: &Block) -> (*mut f32, usize) {
        match dst {
            Dst::Reg(r) => (self.reg(r), at.padded / LANES),
            Dst::Row(r) => (self.row_slot(r as usize), at.padded_rows() / LANES),
        }
    }

    #[inline(always)]
    fn step(&mut self, op: &Op, at: &Block) {
        let instr = match op {
            Op::One(instr) => instr,
            Op::Chain(chain) => return run_chain(self, chain, at),
        };
        match *instr {
            Instr::Un(f, dst, a) => un(self, f, dst, a, at),
            Instr::Bin(f, dst, a, b) => bin(self, f, dst, a, b, at),
            Instr::RowFold(fold, r, a) => self.row_fold(fold, r, a, at),
            Instr::Column(r) => self.column(r, at),
            Instr::Mask { dst, id, keep } => self.mask(dst, id, keep, at),
            Instr::Store(out, a) => self.store(out as usize, a, at),
            Instr::ColFold(fold, part, a) => self.col_fold(fold, part as usize, a, at),
            Instr::ColSum(part, a) => self.col_sum(part as usize, a, at),
        }
    }
}
