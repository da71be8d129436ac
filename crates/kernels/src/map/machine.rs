//! Running a program: every instruction over a block of the frame, then the next block.
//!
//! A block is some columns of one row, or several short rows as one run of values. Values behind a block's end, up to
//! a whole vector, are computed and not used.

use super::chain::{Chain, MAX_SOURCES, Op};
use super::fold::{RUN, add_exactly, fold_columns, fold_lanes, fold_rows, sum};
use super::layout::Layout;
use super::mask::Mask;
use super::{Access, Call, Dst, Fold, Instr, LANES, MAX_OPERANDS, MAX_OUTS, Program, Src};
use crate::isa::Arith;
use crate::math::{Fn1, Fn2};

/// A value that an instruction reads: lanes, or one number.
#[derive(Clone, Copy)]
enum Value {
    Block(*const f32),
    One(f32),
}

/// The block of the frame being worked on.
struct Block {
    row: usize,
    rows: usize,
    col: usize,
    /// columns in it
    cols: usize,
    /// values in it
    n: usize,
    /// the same, padded to whole vectors
    padded: usize,
    group: usize,
    /// rows of the group before it, those of earlier calls included
    before: usize,
}

impl Block {
    #[inline(always)]
    fn padded_rows(&self) -> usize {
        self.rows.next_multiple_of(LANES)
    }
}

struct Machine<'p, 'c, 'a> {
    program: &'p Program,
    call: Call<'c, 'a>,
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
    pub(super) fn run(program: &Program, call: Call, scratch: &mut [f32]) = run_frame;
}

#[inline(always)]
fn run_frame<A: Arith>(program: &Program, mut call: Call, scratch: &mut [f32]) {
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
    machine.frame::<A>();
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

/// Runs `$value` for every lane of `$n` vectors, with `$x` read from `$a`.
macro_rules! lanes {
    ($n:ident, $dst:ident, $($x:ident = $a:ident),+ => $value:expr) => {
        for i in 0..$n {
            one_vector_at_a_time();
            // SAFETY: `dst` and what is read are blocks of so many vectors (see `Machine::value`, `Machine::slot`).
            unsafe {
                $(let $x: [f32; LANES] = std::ptr::read_unaligned($a.add(i * LANES).cast());)+
                let mut y = [0.0f32; LANES];
                for l in 0..LANES {
                    $(let $x = $x[l];)+
                    y[l] = $value;
                }
                std::ptr::write_unaligned($dst.add(i * LANES).cast(), y);
            }
        }
    };
}

impl Machine<'_, '_, '_> {
    #[inline(always)]
    fn frame<A: Arith>(&mut self) {
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
                    self.step::<A>(op, &at);
                }
                self.finish(&at);
            }
            row += n_rows;
        }
    }

    /// Registers, then staged operands, staged outputs and spread row values.
    #[inline(always)]
    fn slot(&self, index: usize) -> *mut f32 {
        // SAFETY: `Program::new` bounds indices, `check` the scratch that holds the layout.
        unsafe { self.slots.add(index * self.layout.stride) }
    }

    /// Row registers, then staged operands, then temporaries.
    #[inline(always)]
    fn row_slot(&self, index: usize) -> *mut f32 {
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
    fn reg(&self, r: u8) -> *mut f32 {
        let r = r as usize;
        if r < self.program.n_regs { self.slot(r) } else { self.direct[r - self.program.n_regs] }
    }

    /// The value of a source for this block.
    #[inline(always)]
    fn value(&self, src: Src, at: &Block) -> Value {
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
    fn row_value(&self, src: Src, which: usize, at: &Block) -> Value {
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
    fn has_row_values(&self, src: Src) -> bool {
        match src {
            Src::Imm(_) | Src::Row(_) => true,
            Src::Reg(_) => false,
            Src::Operand(o) => matches!(self.program.operands[o as usize], Access::Row | Access::Scalar),
        }
    }

    /// What an instruction reads to write `dst`; `which` of its sources.
    #[inline(always)]
    fn read(&self, dst: Dst, src: Src, which: usize, at: &Block) -> Value {
        match dst {
            Dst::Reg(_) => self.value(src, at),
            Dst::Row(_) => self.row_value(src, which, at),
        }
    }

    /// Where an instruction writes, and how many vectors.
    #[inline(always)]
    fn target(&self, dst: Dst, at: &Block) -> (*mut f32, usize) {
        match dst {
            Dst::Reg(r) => (self.reg(r), at.padded / LANES),
            Dst::Row(r) => (self.row_slot(r as usize), at.padded_rows() / LANES),
        }
    }

    #[inline(always)]
    fn step<A: Arith>(&mut self, op: &Op, at: &Block) {
        let instr = match op {
            Op::One(instr) => instr,
            Op::Chain(chain) => return self.chain(chain, at),
        };
        match *instr {
            Instr::Un(f, dst, a) => self.un::<A>(f, dst, a, at),
            Instr::Bin(f, dst, a, b) => self.bin(f, dst, a, b, at),
            Instr::RowFold(fold, r, a) => self.row_fold(fold, r, a, at),
            Instr::Column(r) => self.column(r, at),
            Instr::Mask { dst, id, keep } => self.mask(dst, id, keep, at),
            Instr::Store(out, a) => self.store(out as usize, a, at),
            Instr::ColFold(fold, part, a) => self.col_fold(fold, part as usize, a, at),
            Instr::ColSum(part, a) => self.col_sum(part as usize, a, at),
        }
    }

    #[inline(always)]
    fn chain(&self, chain: &Chain, at: &Block) {
        let mut numbers = [[0.0f32; LANES]; MAX_SOURCES];
        let mut reads = [(std::ptr::null(), 0); MAX_SOURCES];
        for k in 0..chain.n_sources.min(MAX_SOURCES) {
            reads[k] = match self.value(chain.sources[k], at) {
                Value::Block(a) => (a, LANES),
                Value::One(x) => {
                    numbers[k] = [x; LANES];
                    (numbers[k].as_ptr(), 0)
                }
            };
        }
        let dst = self.reg(chain.dst);
        // SAFETY: registers and values are blocks of so many vectors, and numbers are vectors.
        unsafe {
            let whole = at.rows >= 4 && at.cols.is_multiple_of(LANES);
            // of few rows, what stays in registers is loaded for nothing
            if !(whole && chain.run_rows(dst, [at.rows, at.cols / LANES], reads)) {
                chain.run(dst, at.padded / LANES, reads);
            }
        }
    }

    #[inline(always)]
    fn un<A: Arith>(&mut self, f: Fn1, dst: Dst, a: Src, at: &Block) {
        let a = self.read(dst, a, 0, at);
        let (dst, n) = self.target(dst, at);
        let a = match a {
            Value::One(x) => return fill(dst, n, f.apply::<A>(x)),
            Value::Block(a) => a,
        };
        macro_rules! each {
            ($($f:ident)*) => { match f { $(Fn1::$f => lanes!(n, dst, x = a => Fn1::$f.apply::<A>(x)),)* } };
        }
        each!(Neg Abs Sign Step Square Sqrt Recip Exp Ln Tanh Sigmoid Softplus Erf Relu);
    }

    #[inline(always)]
    fn bin(&mut self, f: Fn2, dst: Dst, a: Src, b: Src, at: &Block) {
        let (a, b) = (self.read(dst, a, 0, at), self.read(dst, b, 1, at));
        let (dst, n) = self.target(dst, at);
        macro_rules! each {
            ($($f:ident)*) => {
                match (a, b) {
                    (Value::One(x), Value::One(z)) => fill(dst, n, f.apply(x, z)),
                    (Value::Block(a), Value::One(z)) => {
                        match f { $(Fn2::$f => lanes!(n, dst, x = a => Fn2::$f.apply(x, z)),)* }
                    }
                    (Value::One(x), Value::Block(b)) => {
                        match f { $(Fn2::$f => lanes!(n, dst, z = b => Fn2::$f.apply(x, z)),)* }
                    }
                    (Value::Block(a), Value::Block(b)) => {
                        match f { $(Fn2::$f => lanes!(n, dst, x = a, z = b => Fn2::$f.apply(x, z)),)* }
                    }
                }
            };
        }
        each!(Add Sub Mul Div Max Min Gate Eq);
    }

    #[inline(always)]
    fn row_fold(&mut self, fold: Fold, r: u8, a: Src, at: &Block) {
        let out = self.row_slot(r as usize);
        if self.has_row_values(a) {
            // the same value in every column
            let (n, times) = (at.padded_rows() / LANES, at.cols as f32);
            match (self.row_value(a, 0, at), fold) {
                (Value::One(x), Fold::Sum) => fill(out, n, x * times),
                (Value::One(x), Fold::Max) => fill(out, n, x),
                (Value::Block(a), Fold::Sum) => lanes!(n, out, x = a => x * times),
                (Value::Block(a), Fold::Max) => lanes!(n, out, x = a => x),
            }
            return;
        }
        let Value::Block(a) = self.value(a, at) else { unreachable!("single numbers have row values") };
        let sizes = [at.rows, at.cols];
        let add = |a, b| a + b;
        let max = |a, b| Fn2::Max.apply(a, b);
        // SAFETY: the block has `n` valid floats and, of several rows, the slack; a row slot has a value for each.
        unsafe {
            match (at.rows, fold) {
                (1, Fold::Sum) => *out = sum(std::slice::from_raw_parts(a, at.n)),
                (1, Fold::Max) => {
                    *out = fold_lanes(std::slice::from_raw_parts(a, at.n), f32::NEG_INFINITY, max);
                }
                (_, Fold::Sum) => fold_rows(a, sizes, out, 0.0, add),
                (_, Fold::Max) => fold_rows(a, sizes, out, f32::NEG_INFINITY, max),
            }
        }
    }

    #[inline(always)]
    fn column(&mut self, r: u8, at: &Block) {
        let dst = self.reg(r);
        for row in 0..at.rows {
            for i in (0..at.cols).step_by(LANES) {
                let columns: [f32; LANES] = std::array::from_fn(|l| (at.col + i + l) as f32);
                // SAFETY: rows ascend, so what a last vector writes behind its row is overwritten or is slack.
                unsafe { std::ptr::write_unaligned(dst.add(row * at.cols + i).cast(), columns) };
            }
        }
    }

    #[inline(always)]
    fn mask(&mut self, dst: u8, id: u32, keep: f32, at: &Block) {
        let mask = Mask { draw: self.call.draw, id, keep, cols: self.call.cols };
        let dst = self.reg(dst);
        for r in 0..at.rows {
            // SAFETY: as for columns.
            unsafe { mask.fill(dst.add(r * at.cols), at.row + r, at.col, at.cols) };
        }
    }

    #[inline(always)]
    fn store(&mut self, out: usize, a: Src, at: &Block) {
        let by_row = self.program.outs[out] == Access::Row;
        let value = if by_row { self.row_value(a, 0, at) } else { self.value(a, at) };
        let (start, n) = if by_row { (at.row, at.rows) } else { (at.row * self.call.cols + at.col, at.n) };
        let target = &mut self.call.outs[out][start..start + n];
        match value {
            Value::One(x) => target.fill(x),
            // SAFETY: the block has `n` valid floats, and outputs are exclusive slices.
            Value::Block(a) => target.copy_from_slice(unsafe { std::slice::from_raw_parts(a, n) }),
        }
    }

    #[inline(always)]
    fn col_fold(&mut self, fold: Fold, part: usize, a: Src, at: &Block) {
        let value = self.value(a, at);
        let start = at.group * self.call.cols + at.col;
        let target = &mut self.call.parts[part][start..start + at.cols];
        let a = match value {
            Value::One(x) => {
                return (0..at.rows).for_each(|_| target.iter_mut().for_each(|t| *t = fold.join(*t, x)));
            }
            Value::Block(a) => a,
        };
        if at.rows == 1 {
            // SAFETY: the block has `n` valid floats.
            let values = unsafe { std::slice::from_raw_parts(a, at.n) };
            return match fold {
                Fold::Sum => target.iter_mut().zip(values).for_each(|(t, x)| *t += x),
                Fold::Max => target.iter_mut().zip(values).for_each(|(t, x)| *t = Fn2::Max.apply(*t, *x)),
            };
        }
        // SAFETY: the block has `n` valid floats and, of several rows, the slack.
        unsafe {
            match fold {
                Fold::Sum => fold_columns(a, at.rows, target, |t, x| t + x),
                Fold::Max => fold_columns(a, at.rows, target, |t, x| Fn2::Max.apply(t, x)),
            }
        }
    }

    #[inline(always)]
    fn col_sum(&mut self, part: usize, a: Src, at: &Block) {
        let value = self.value(a, at);
        let cols = self.call.cols;
        let planes = &mut self.call.parts[part][at.group * 3 * cols..][..3 * cols];
        let (run, sums) = planes.split_at_mut(cols);
        let (high, low) = sums.split_at_mut(cols);
        let [run, high, low] = [run, high, low].map(|plane| &mut plane[at.col..][..at.cols]);
        let mut row = 0;
        while row < at.rows {
            let place = (at.before + row) % RUN;
            let n = (RUN - place).min(at.rows - row);
            match value {
                Value::One(x) => (0..n).for_each(|_| run.iter_mut().for_each(|t| *t += x)),
                Value::Block(a) if at.rows == 1 => {
                    // SAFETY: the block has `n` valid floats.
                    let values = unsafe { std::slice::from_raw_parts(a, at.n) };
                    run.iter_mut().zip(values).for_each(|(t, x)| *t += x);
                }
                // SAFETY: the rows are some of the block's, which has `n` valid floats and the slack.
                Value::Block(a) => unsafe { fold_columns(a.add(row * at.cols), n, run, |t, x| t + x) },
            }
            if place + n == RUN {
                add_exactly(high, low, run);
                run.fill(0.0);
            }
            row += n;
        }
    }
}

/// A block of `n` floats of `data` with `length` to read: in place, or copied to `slot`.
///
/// # Safety
/// `slot` has room for `length` floats.
#[inline(always)]
unsafe fn readable(data: &[f32], start: usize, n: usize, length: usize, slot: *mut f32) -> *const f32 {
    let block = &data[start..start + n];
    if start + length <= data.len() {
        return block.as_ptr();
    }
    // SAFETY: `n` is at most `length`.
    unsafe { std::ptr::copy_nonoverlapping(block.as_ptr(), slot, n) };
    slot
}

/// # Safety
/// `dst` has room for `times` copies of `values`.
#[inline(always)]
unsafe fn repeat(values: &[f32], times: usize, dst: *mut f32) {
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
unsafe fn spread_rows(values: *const f32, rows: usize, cols: usize, dst: *mut f32) {
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

/// Fills `n` vectors; the caller's block has so many.
#[inline(always)]
fn fill(dst: *mut f32, n: usize, x: f32) {
    for i in 0..n {
        // SAFETY: see above.
        unsafe { std::ptr::write_unaligned(dst.add(i * LANES).cast(), [x; LANES]) };
    }
}
