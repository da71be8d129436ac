//! Fused element-wise programs: a short list of instructions run over rows, block by block, with every
//! intermediate value in first-level cache.
//!
//! A program sees a frame of `rows × cols`. Its operands are whole frames, one row shared by all rows, one value a
//! row, or one value; it may reduce along a row (softmax, layer norm) and add up columns (bias gradients, batch
//! statistics). Row sums use 16 fixed lanes, so every instruction set gives the same bits.

use crate::isa::Arith;
use crate::math::{Fn1, Fn2};
use crate::philox::philox4x32;

/// Values in one vector step; registers are padded to a multiple of it.
pub const LANES: usize = 16;
/// Columns worked on at a time where no row reduction needs the whole row.
const BLOCK: usize = 512;
/// Most operands, outputs and column sums that one program may have.
pub const MAX_OPERANDS: usize = 16;
/// Most outputs (whole frames or one value a row).
pub const MAX_OUTS: usize = 32;
/// Most column reductions.
pub const MAX_PARTS: usize = 8;

/// How an operand or an output lies in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Access {
    /// `[rows, cols]`
    Full,
    /// `[cols]`, the same for every row
    Vector,
    /// `[rows]`, one value a row
    Row,
    /// one value
    Scalar,
}

/// Where an instruction reads.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Src {
    /// a block register
    Reg(u8),
    /// an operand, directly
    Operand(u8),
    /// a constant
    Imm(f32),
    /// a register with one value for the row
    Row(u8),
}

/// Where an instruction writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dst {
    /// a block register
    Reg(u8),
    /// a register with one value for the row
    Row(u8),
}

/// How a row or a column is reduced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fold {
    /// the sum
    Sum,
    /// the largest value
    Max,
}

impl Fold {
    /// The value of an empty reduction.
    pub fn neutral(self) -> f32 {
        match self {
            Fold::Sum => 0.0,
            Fold::Max => f32::NEG_INFINITY,
        }
    }

    /// Both values in one.
    #[inline(always)]
    pub fn join(self, a: f32, b: f32) -> f32 {
        match self {
            Fold::Sum => a + b,
            Fold::Max => Fn2::Max.apply(a, b),
        }
    }
}

/// One instruction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Instr {
    /// `dst = f(a)`
    Un(Fn1, Dst, Src),
    /// `dst = f(a, b)`
    Bin(Fn2, Dst, Src, Src),
    /// `row register = fold of a along the row`
    RowFold(Fold, u8, Src),
    /// `dst = the column's index`
    Column(u8),
    /// `dst = 1 / keep with probability keep, else 0`, drawn for (seed, id, step, row, column)
    Mask {
        /// block register written
        dst: u8,
        /// tells masks of one step apart
        id: u32,
        /// probability of keeping
        keep: f32,
    },
    /// write a whole row, or one value a row, to an output
    Store(u8, Src),
    /// fold the row into column reduction `part`
    ColFold(Fold, u8, Src),
}

/// A checked list of instructions.
#[derive(Clone, Debug, PartialEq)]
pub struct Program {
    instrs: Vec<Instr>,
    operands: Vec<Access>,
    outs: Vec<Access>,
    n_regs: usize,
    n_rows: usize,
    n_parts: usize,
    whole_row: bool,
    flat: bool,
}

/// What one run of a program works on.
pub struct Call<'c, 'a> {
    /// rows of the frame
    pub rows: usize,
    /// columns of the frame
    pub cols: usize,
    /// one slice for each operand
    pub operands: &'c [&'a [f32]],
    /// one slice for each output
    pub outs: &'c mut [&'a mut [f32]],
    /// for each column reduction `[groups, cols]`; overwritten
    pub parts: &'c mut [&'a mut [f32]],
    /// the rows at which each group ends, the last being `rows`; column reductions are made for each group
    pub group_ends: &'c [usize],
    /// whether column reductions go on from what `parts` hold
    pub resume: bool,
    /// which random numbers masks use
    pub draw: Draw,
}

/// What a mask depends on besides its id.
#[derive(Clone, Copy, Debug, Default)]
pub struct Draw {
    /// the run's seed
    pub seed: u64,
    /// the training step
    pub step: u64,
    /// index of the first row among the rows of the whole batch
    pub first_row: u64,
}

/// Upper byte of a mask's counter: the purpose "dropout" of the engine's random numbers.
const MASK_PURPOSE: u32 = 2 << 24;

/// The random word behind a mask's element; what [`Instr::Mask`] compares, for tests and the reference.
pub fn mask_word(seed: u64, id: u32, step: u64, row: u64, col: usize, cols: usize) -> u32 {
    let padded = cols.next_multiple_of(64) as u64;
    let index = row * padded + col as u64;
    let counter = (index / 64) * 16 + index % 16;
    mask_block(seed, id, step, counter)[(index as usize / 16) % 4]
}

#[inline(always)]
fn mask_block(seed: u64, id: u32, step: u64, counter: u64) -> [u32; 4] {
    let key = [seed as u32, (seed >> 32) as u32];
    philox4x32(key, [counter as u32, (counter >> 32) as u32, step as u32, MASK_PURPOSE | (id & 0x00FF_FFFF)])
}

/// The threshold below which a word is kept.
pub fn keep_below(keep: f32) -> u32 {
    (f64::from(keep) * 16_777_216.0) as u32
}

impl Program {
    /// Checks the instructions against the declared operands, outputs and reductions.
    ///
    /// # Panics
    /// When an index is out of range: that is an error of the compiler, not of its user.
    pub fn new(instrs: Vec<Instr>, operands: Vec<Access>, outs: Vec<Access>, n_parts: usize) -> Self {
        let (mut n_regs, mut n_rows) = (0usize, 0usize);
        for instr in &instrs {
            let dst = match *instr {
                Instr::Un(_, dst, _) | Instr::Bin(_, dst, _, _) => Some(dst),
                Instr::Column(r) | Instr::Mask { dst: r, .. } => Some(Dst::Reg(r)),
                Instr::RowFold(_, r, _) => Some(Dst::Row(r)),
                Instr::Store(out, _) => {
                    assert!((out as usize) < outs.len(), "store to output {out} of {}", outs.len());
                    None
                }
                Instr::ColFold(_, part, _) => {
                    assert!((part as usize) < n_parts, "reduction {part} of {n_parts}");
                    None
                }
            };
            match dst {
                Some(Dst::Reg(r)) => n_regs = n_regs.max(r as usize + 1),
                Some(Dst::Row(r)) => n_rows = n_rows.max(r as usize + 1),
                None => {}
            }
            for src in sources(instr) {
                match src {
                    Src::Reg(r) => assert!((r as usize) < n_regs, "register {r} read before it is written"),
                    Src::Row(r) => {
                        assert!((r as usize) < n_rows, "row register {r} read before it is written")
                    }
                    Src::Operand(o) => {
                        assert!((o as usize) < operands.len(), "operand {o} of {}", operands.len())
                    }
                    Src::Imm(_) => {}
                }
            }
        }
        assert!(operands.len() <= MAX_OPERANDS && outs.len() <= MAX_OUTS && n_parts <= MAX_PARTS);
        let whole_row = instrs.iter().any(|i| matches!(i, Instr::RowFold(..)));
        let by_column = |i: &Instr| matches!(i, Instr::Column(_) | Instr::Mask { .. } | Instr::ColFold(..));
        let plain = |a: &Access| matches!(a, Access::Full | Access::Scalar);
        let flat = !whole_row && !instrs.iter().any(by_column) && operands.iter().chain(&outs).all(plain);
        Program { instrs, operands, outs, n_regs, n_rows, n_parts, whole_row, flat }
    }

    /// The instructions, for printing.
    pub fn instrs(&self) -> &[Instr] {
        &self.instrs
    }

    /// Floats of scratch memory that a run over `cols` columns needs.
    pub fn scratch_len(&self, cols: usize) -> usize {
        (self.n_regs + self.operands.len()) * self.block(cols) + self.n_rows
    }

    fn block(&self, cols: usize) -> usize {
        if self.whole_row { cols.next_multiple_of(LANES).max(LANES) } else { BLOCK }
    }

    /// Runs the program over a frame.
    ///
    /// # Panics
    /// When a slice is shorter than the frame needs.
    pub fn run(&self, call: Call, scratch: &mut [f32]) {
        self.check(&call, scratch);
        for instr in self.instrs.iter().filter(|_| !call.resume) {
            if let Instr::ColFold(fold, part, _) = *instr {
                call.parts[part as usize].fill(fold.neutral());
            }
        }
        run_on_frame(self, call, scratch);
    }

    fn check(&self, call: &Call, scratch: &[f32]) {
        let (rows, cols) = (call.rows, call.cols);
        assert_eq!((call.operands.len(), call.outs.len()), (self.operands.len(), self.outs.len()));
        let len = |a: &Access| match a {
            Access::Full => rows * cols,
            Access::Vector => cols,
            Access::Row => rows,
            Access::Scalar => 1,
        };
        assert!(self.operands.iter().zip(call.operands).all(|(a, s)| s.len() >= len(a)), "operand too short");
        assert!(self.outs.iter().zip(call.outs.iter()).all(|(a, s)| s.len() >= len(a)), "output too short");
        if self.n_parts > 0 {
            assert_eq!(call.parts.len(), self.n_parts);
            assert!(call.group_ends.is_sorted() && call.group_ends.last().is_none_or(|end| *end == rows));
            assert!(call.group_ends.last().is_some() || rows == 0, "rows without a group");
            assert!(
                call.parts.iter().all(|p| p.len() >= call.group_ends.len() * cols),
                "reduction too short"
            );
        }
        assert!(scratch.len() >= self.scratch_len(cols), "scratch too short");
    }
}

fn sources(instr: &Instr) -> impl Iterator<Item = Src> {
    let (a, b) = match *instr {
        Instr::Un(_, _, a) | Instr::RowFold(_, _, a) | Instr::Store(_, a) | Instr::ColFold(_, _, a) => {
            (Some(a), None)
        }
        Instr::Bin(_, _, a, b) => (Some(a), Some(b)),
        Instr::Column(_) | Instr::Mask { .. } => (None, None),
    };
    a.into_iter().chain(b)
}

/// A value that an instruction reads: a block of lanes, or one number.
#[derive(Clone, Copy)]
enum Value {
    Block(*const f32),
    One(f32),
}

/// The block of the frame being worked on.
struct Block {
    row: usize,
    col: usize,
    /// columns in it
    n: usize,
    /// the same, padded to whole vectors
    padded: usize,
    group: usize,
}

struct Machine<'p, 'c, 'a> {
    program: &'p Program,
    call: Call<'c, 'a>,
    regs: *mut f32,
    rows: *mut f32,
    block: usize,
}

crate::multiversion! {
    fn run_on_frame(program: &Program, call: Call, scratch: &mut [f32]) = run_frame;
}

#[inline(always)]
fn run_frame<A: Arith>(program: &Program, mut call: Call, scratch: &mut [f32]) {
    if program.flat {
        call.cols *= call.rows;
        call.rows = usize::from(call.cols > 0);
    }
    let block = program.block(if program.flat { BLOCK } else { call.cols });
    let regs = scratch.as_mut_ptr();
    // SAFETY: `check` found scratch long enough for all registers, staged operands and row values.
    let rows = unsafe { regs.add((program.n_regs + program.operands.len()) * block) };
    let mut machine = Machine { program, call, regs, rows, block };
    let mut group = 0;
    for row in 0..machine.call.rows {
        while machine.call.group_ends.get(group).is_some_and(|end| *end <= row) {
            group += 1;
        }
        let mut col = 0;
        while col < machine.call.cols {
            let n = machine.columns_from(col);
            let at = Block { row, col, n, padded: n.next_multiple_of(LANES), group };
            for instr in &program.instrs {
                machine.step::<A>(instr, &at);
            }
            col += n;
        }
    }
}

/// Runs `$value` for every lane of a block, with `$x` read from `$a`.
macro_rules! lanes {
    ($at:ident, $dst:ident, $x:ident = $a:ident => $value:expr) => {
        for i in 0..$at.padded / LANES {
            // SAFETY: `dst` and `a` are blocks of `padded` floats (see `Machine::value` and `Machine::reg`).
            unsafe {
                let $x: [f32; LANES] = std::ptr::read_unaligned($a.add(i * LANES).cast());
                let mut y = [0.0f32; LANES];
                for l in 0..LANES {
                    let $x = $x[l];
                    y[l] = $value;
                }
                std::ptr::write_unaligned($dst.add(i * LANES).cast(), y);
            }
        }
    };
    ($at:ident, $dst:ident, $x:ident = $a:ident, $z:ident = $b:ident => $value:expr) => {
        for i in 0..$at.padded / LANES {
            // SAFETY: as above.
            unsafe {
                let $x: [f32; LANES] = std::ptr::read_unaligned($a.add(i * LANES).cast());
                let $z: [f32; LANES] = std::ptr::read_unaligned($b.add(i * LANES).cast());
                let mut y = [0.0f32; LANES];
                for l in 0..LANES {
                    let ($x, $z) = ($x[l], $z[l]);
                    y[l] = $value;
                }
                std::ptr::write_unaligned($dst.add(i * LANES).cast(), y);
            }
        }
    };
}

impl Machine<'_, '_, '_> {
    /// How many columns the block at `col` takes: whole vectors, which are read in place, then the rest.
    #[inline(always)]
    fn columns_from(&self, col: usize) -> usize {
        let left = self.call.cols - col;
        let whole = self.program.whole_row || left < LANES;
        if whole { left } else { (left - left % LANES).min(self.block) }
    }

    #[inline(always)]
    fn reg(&self, index: usize) -> *mut f32 {
        // SAFETY: `Program::new` bounds register indices, `check` the scratch that holds them.
        unsafe { self.regs.add(index * self.block) }
    }

    /// The value of a source for this block; an operand whose block is not whole vectors is staged in scratch.
    #[inline(always)]
    fn value(&self, src: Src, at: &Block) -> Value {
        let o = match src {
            Src::Imm(x) => return Value::One(x),
            Src::Reg(r) => return Value::Block(self.reg(r as usize)),
            // SAFETY: row registers lie behind the block registers, bounded as above.
            Src::Row(r) => return Value::One(unsafe { *self.rows.add(r as usize) }),
            Src::Operand(o) => o as usize,
        };
        let data = self.call.operands[o];
        let start = match self.program.operands[o] {
            Access::Scalar => return Value::One(data[0]),
            Access::Row => return Value::One(data[at.row]),
            Access::Vector => at.col,
            Access::Full => at.row * self.call.cols + at.col,
        };
        let block = &data[start..start + at.n];
        if at.n == at.padded {
            return Value::Block(block.as_ptr());
        }
        let staged = self.reg(self.program.n_regs + o);
        // SAFETY: the staging block has room for `padded` floats, and `block` has `n`.
        unsafe {
            std::ptr::copy_nonoverlapping(block.as_ptr(), staged, at.n);
            for i in at.n..at.padded {
                *staged.add(i) = 0.0;
            }
        }
        Value::Block(staged)
    }

    #[inline(always)]
    fn set_row(&mut self, r: u8, x: f32) {
        // SAFETY: bounded by `Program::new` and `check`.
        unsafe { *self.rows.add(r as usize) = x }
    }

    #[inline(always)]
    fn fill(&mut self, r: u8, at: &Block, x: f32) {
        // SAFETY: a register holds a block, and `padded` is at most a block.
        unsafe { std::slice::from_raw_parts_mut(self.reg(r as usize), at.padded) }.fill(x);
    }

    #[inline(always)]
    fn step<A: Arith>(&mut self, instr: &Instr, at: &Block) {
        match *instr {
            Instr::Un(f, dst, a) => self.un::<A>(f, dst, a, at),
            Instr::Bin(f, dst, a, b) => self.bin(f, dst, a, b, at),
            Instr::RowFold(fold, r, a) => {
                let x = self.row_fold(fold, a, at);
                self.set_row(r, x);
            }
            Instr::Column(r) => {
                let dst = self.reg(r as usize);
                // SAFETY: a register holds a block.
                (0..at.padded).for_each(|i| unsafe { *dst.add(i) = (at.col + i) as f32 });
            }
            Instr::Mask { dst, id, keep } => self.mask(dst, id, keep, at),
            Instr::Store(out, a) => self.store(out as usize, a, at),
            Instr::ColFold(fold, part, a) => self.col_fold(fold, part as usize, a, at),
        }
    }

    #[inline(always)]
    fn un<A: Arith>(&mut self, f: Fn1, dst: Dst, a: Src, at: &Block) {
        let r = match dst {
            Dst::Row(r) => {
                let x = self.one(a, at);
                return self.set_row(r, f.apply::<A>(x));
            }
            Dst::Reg(r) => r,
        };
        let a = match self.value(a, at) {
            Value::One(x) => return self.fill(r, at, f.apply::<A>(x)),
            Value::Block(a) => a,
        };
        let dst = self.reg(r as usize);
        macro_rules! each {
            ($($f:ident)*) => { match f { $(Fn1::$f => lanes!(at, dst, x = a => Fn1::$f.apply::<A>(x)),)* } };
        }
        each!(Neg Abs Sign Step Square Sqrt Recip Exp Ln Tanh Sigmoid Softplus Erf Relu);
    }

    #[inline(always)]
    fn bin(&mut self, f: Fn2, dst: Dst, a: Src, b: Src, at: &Block) {
        let r = match dst {
            Dst::Row(r) => {
                let x = f.apply(self.one(a, at), self.one(b, at));
                return self.set_row(r, x);
            }
            Dst::Reg(r) => r,
        };
        let (a, b) = (self.value(a, at), self.value(b, at));
        let dst = self.reg(r as usize);
        macro_rules! each {
            ($($f:ident)*) => {
                match (a, b) {
                    (Value::One(x), Value::One(z)) => self.fill(r, at, f.apply(x, z)),
                    (Value::Block(a), Value::One(z)) => {
                        match f { $(Fn2::$f => lanes!(at, dst, x = a => Fn2::$f.apply(x, z)),)* }
                    }
                    (Value::One(x), Value::Block(b)) => {
                        match f { $(Fn2::$f => lanes!(at, dst, z = b => Fn2::$f.apply(x, z)),)* }
                    }
                    (Value::Block(a), Value::Block(b)) => {
                        match f { $(Fn2::$f => lanes!(at, dst, x = a, z = b => Fn2::$f.apply(x, z)),)* }
                    }
                }
            };
        }
        each!(Add Sub Mul Div Max Min Gate Eq);
    }

    /// A source that has one value for the row.
    #[inline(always)]
    fn one(&self, src: Src, at: &Block) -> f32 {
        match self.value(src, at) {
            Value::One(x) => x,
            // SAFETY: a block has at least one vector.
            Value::Block(a) => unsafe { *a },
        }
    }

    #[inline(always)]
    fn row_fold(&self, fold: Fold, a: Src, at: &Block) -> f32 {
        let a = match self.value(a, at) {
            Value::Block(a) => a,
            Value::One(x) => {
                return match fold {
                    Fold::Sum => x * at.n as f32,
                    Fold::Max => x,
                };
            }
        };
        // SAFETY: the block has `n` valid floats.
        let values = unsafe { std::slice::from_raw_parts(a, at.n) };
        match fold {
            Fold::Sum => fold_lanes(values, 0.0, |a, b| a + b),
            Fold::Max => fold_lanes(values, f32::NEG_INFINITY, |a, b| Fn2::Max.apply(a, b)),
        }
    }

    #[inline(always)]
    fn mask(&mut self, dst: u8, id: u32, keep: f32, at: &Block) {
        let draw = self.call.draw;
        let row_start =
            (draw.first_row + at.row as u64) * (self.call.cols.next_multiple_of(64) as u64 / 64) * 16;
        let (threshold, scale) = (keep_below(keep), 1.0 / keep);
        let dst = self.reg(dst as usize);
        let mut done = 0;
        while done < at.padded {
            // a block starts at a whole vector, and four vectors share the words of 16 counters
            let column = at.col + done;
            let base = row_start + (column / 64 * 16) as u64;
            let mut words = [[0u32; LANES]; 4];
            for l in 0..LANES {
                let block = mask_block(draw.seed, id, draw.step, base + l as u64);
                for (row, word) in words.iter_mut().zip(block) {
                    row[l] = word;
                }
            }
            let first = column / LANES % 4;
            for word in words.iter().skip(first).take((at.padded - done) / LANES) {
                for (l, bits) in word.iter().enumerate() {
                    let kept = if bits >> 8 < threshold { scale } else { 0.0 };
                    // SAFETY: below `padded`, which a register holds.
                    unsafe { *dst.add(done + l) = kept };
                }
                done += LANES;
            }
        }
    }

    #[inline(always)]
    fn store(&mut self, out: usize, a: Src, at: &Block) {
        let value = self.value(a, at);
        if self.program.outs[out] == Access::Row {
            let x = match value {
                Value::One(x) => x,
                // SAFETY: a block has at least one vector.
                Value::Block(a) => unsafe { *a },
            };
            self.call.outs[out][at.row] = x;
            return;
        }
        let start = at.row * self.call.cols + at.col;
        let target = &mut self.call.outs[out][start..start + at.n];
        match value {
            Value::One(x) => target.fill(x),
            // SAFETY: the block has `n` valid floats, and outputs are exclusive slices.
            Value::Block(a) => target.copy_from_slice(unsafe { std::slice::from_raw_parts(a, at.n) }),
        }
    }

    #[inline(always)]
    fn col_fold(&mut self, fold: Fold, part: usize, a: Src, at: &Block) {
        let value = self.value(a, at);
        let start = at.group * self.call.cols + at.col;
        let target = &mut self.call.parts[part][start..start + at.n];
        match value {
            Value::One(x) => target.iter_mut().for_each(|t| *t = fold.join(*t, x)),
            Value::Block(a) => {
                // SAFETY: the block has `n` valid floats.
                let values = unsafe { std::slice::from_raw_parts(a, at.n) };
                match fold {
                    Fold::Sum => target.iter_mut().zip(values).for_each(|(t, x)| *t += x),
                    Fold::Max => target.iter_mut().zip(values).for_each(|(t, x)| *t = Fn2::Max.apply(*t, *x)),
                }
            }
        }
    }
}

/// Folds with 16 lanes and then a fixed tree, so that the result does not depend on the vector width.
#[inline(always)]
fn fold_lanes(values: &[f32], neutral: f32, join: impl Fn(f32, f32) -> f32) -> f32 {
    let mut lanes = [neutral; LANES];
    let chunks = values.chunks_exact(LANES);
    let rest = chunks.remainder();
    for chunk in chunks {
        for l in 0..LANES {
            lanes[l] = join(lanes[l], chunk[l]);
        }
    }
    for (lane, x) in lanes.iter_mut().zip(rest) {
        *lane = join(*lane, *x);
    }
    let mut width = LANES / 2;
    while width > 0 {
        for l in 0..width {
            lanes[l] = join(lanes[l], lanes[l + width]);
        }
        width /= 2;
    }
    lanes[0]
}

/// The sum of a slice, in 16 lanes and a fixed tree.
pub fn sum(values: &[f32]) -> f32 {
    fold_lanes(values, 0.0, |a, b| a + b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(rows: usize, cols: usize, salt: u32) -> Vec<f32> {
        let word = |i: usize| philox4x32([salt, 0], [i as u32, 0, 0, 0])[0];
        (0..rows * cols).map(|i| (word(i) >> 8) as f32 / 8_388_608.0 - 1.0).collect()
    }

    fn run(program: &Program, call: Call, cols: usize) {
        let mut scratch = vec![f32::NAN; program.scratch_len(cols)];
        program.run(call, &mut scratch);
    }

    #[test]
    fn softmax_and_column_sums_agree_with_f64() {
        for (rows, cols) in [(1, 1), (3, 7), (5, 16), (4, 500), (2, 1000), (0, 5)] {
            let x = frame(rows, cols, 1);
            let program = Program::new(
                vec![
                    Instr::RowFold(Fold::Max, 0, Src::Operand(0)),
                    Instr::Bin(Fn2::Sub, Dst::Reg(0), Src::Operand(0), Src::Row(0)),
                    Instr::Un(Fn1::Exp, Dst::Reg(0), Src::Reg(0)),
                    Instr::RowFold(Fold::Sum, 1, Src::Reg(0)),
                    Instr::Bin(Fn2::Div, Dst::Reg(0), Src::Reg(0), Src::Row(1)),
                    Instr::Store(0, Src::Reg(0)),
                    Instr::ColFold(Fold::Sum, 0, Src::Reg(0)),
                ],
                vec![Access::Full],
                vec![Access::Full],
                1,
            );
            let (mut y, mut sums) = (vec![f32::NAN; rows * cols], vec![f32::NAN; 2 * cols]);
            let ends = [rows / 2, rows];
            let call = Call {
                rows,
                cols,
                operands: &[&x],
                outs: &mut [&mut y],
                parts: &mut [&mut sums],
                group_ends: &ends,
                draw: Draw::default(),
                resume: false,
            };
            run(&program, call, cols);
            let mut want_sums = vec![0.0; 2 * cols];
            for r in 0..rows {
                let e: Vec<f64> = x[r * cols..][..cols].iter().map(|v| f64::from(*v).exp()).collect();
                let total: f64 = e.iter().sum();
                for c in 0..cols {
                    assert!((f64::from(y[r * cols + c]) - e[c] / total).abs() < 1e-6);
                    want_sums[usize::from(r >= rows / 2) * cols + c] += e[c] / total;
                }
            }
            assert!(sums.iter().zip(&want_sums).all(|(s, w)| (f64::from(*s) - w).abs() < 1e-6));
        }
    }

    #[test]
    fn masks_are_a_function_of_row_and_column() {
        let program = Program::new(
            vec![Instr::Mask { dst: 0, id: 9, keep: 0.75 }, Instr::Store(0, Src::Reg(0))],
            vec![],
            vec![Access::Full],
            0,
        );
        let (rows, cols) = (6, 700);
        let mut y = vec![f32::NAN; rows * cols];
        let draw = Draw { seed: 5, step: 11, first_row: 2 };
        let call = Call {
            rows,
            cols,
            operands: &[],
            outs: &mut [&mut y],
            parts: &mut [],
            group_ends: &[],
            draw,
            resume: false,
        };
        run(&program, call, cols);
        for (i, v) in y.iter().enumerate() {
            let word = mask_word(5, 9, 11, 2 + (i / cols) as u64, i % cols, cols);
            let want = if word >> 8 < keep_below(0.75) { 1.0 / 0.75 } else { 0.0 };
            assert_eq!(*v, want);
        }
        let kept = y.iter().filter(|v| **v > 0.0).count() as f64 / y.len() as f64;
        assert!((kept - 0.75).abs() < 0.02, "{kept}");
    }

    #[test]
    fn broadcasts_and_odd_sizes() {
        for (rows, cols) in [(3, 1), (2, 15), (2, 33), (3, 513)] {
            let (x, v, r) = (frame(rows, cols, 1), frame(1, cols, 2), frame(rows, 1, 3));
            let program = Program::new(
                vec![
                    Instr::Bin(Fn2::Mul, Dst::Reg(0), Src::Operand(0), Src::Operand(1)),
                    Instr::Bin(Fn2::Sub, Dst::Reg(0), Src::Operand(2), Src::Reg(0)),
                    Instr::Bin(Fn2::Add, Dst::Reg(0), Src::Reg(0), Src::Imm(0.5)),
                    Instr::Store(0, Src::Reg(0)),
                ],
                vec![Access::Full, Access::Vector, Access::Row],
                vec![Access::Full],
                0,
            );
            let mut y = vec![f32::NAN; rows * cols];
            let call = Call {
                rows,
                cols,
                operands: &[&x, &v, &r],
                outs: &mut [&mut y],
                parts: &mut [],
                group_ends: &[],
                draw: Draw::default(),
                resume: false,
            };
            run(&program, call, cols);
            for i in 0..rows * cols {
                assert_eq!(y[i], r[i / cols] - x[i] * v[i % cols] + 0.5);
            }
        }
    }
}
