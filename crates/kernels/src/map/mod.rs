//! Fused element-wise programs: a short list of instructions run over rows, block by block, with every
//! intermediate value in first-level cache.
//!
//! A program sees a frame of `rows × cols`. Its operands are whole frames, one row shared by all rows, one value a
//! row, or one value; it may reduce along a row (softmax, layer norm) and add up columns (bias gradients, batch
//! statistics). Row sums use 16 fixed lanes and column sums add row after row, both in runs whose ends follow from the
//! place in the sum alone, so every instruction set and every cut of the frame between calls gives the same bits.

mod block;
mod chain;
mod fold;
mod forward;
mod instrs;
mod layout;
mod machine;
mod mask;

use crate::math::{Fn1, Fn2};
use crate::sizes::product;
pub use fold::{RUN, add_exactly, sum};
use layout::Layout;
pub use mask::{MASK_PURPOSE, keep_below, mask_word};

/// Values in one vector step; registers are padded to a multiple of it.
pub const LANES: usize = 16;
/// Values worked on at a time where no row reduction needs a longer row.
const BLOCK: usize = 1024;
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
    /// add the row to column reduction `part`, which is `[groups, 3, cols]`: the sum of the last rows, which are no
    /// whole run of [`RUN`] yet, and that of all runs as two numbers, the second what rounding took from the first
    ColSum(u8, Src),
}

/// A checked list of instructions.
#[derive(Clone, Debug, PartialEq)]
pub struct MapProgram {
    instrs: Vec<Instr>,
    /// the instructions as they run: in chains, and with outputs written directly, where that is possible
    ops: Vec<chain::Op>,
    /// the outputs behind the registers from `n_regs` on
    direct: Vec<u8>,
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
    /// for each column reduction `[groups, cols]` or `[groups, 3, cols]`; overwritten unless there are rows `seen`
    pub parts: &'c mut [&'a mut [f32]],
    /// rows of the first group that earlier calls had: column reductions go on from what `parts` hold, as if the rows
    /// of all calls were one frame
    pub seen: usize,
    /// the rows at which each group ends, the last being `rows`; column reductions are made for each group
    pub group_ends: &'c [usize],
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

impl MapProgram {
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
                Instr::ColFold(_, part, _) | Instr::ColSum(part, _) => {
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
        let by_column = |i: &Instr| {
            matches!(i, Instr::Column(_) | Instr::Mask { .. } | Instr::ColFold(..) | Instr::ColSum(..))
        };
        let plain = |a: &Access| matches!(a, Access::Full | Access::Scalar);
        let flat = n_rows == 0 && !instrs.iter().any(by_column) && operands.iter().chain(&outs).all(plain);
        let (forwarded, direct) = forward::forward(&instrs, &outs, n_regs);
        let ops = chain::link(&forwarded, &operands, n_regs);
        MapProgram { instrs, ops, direct, operands, outs, n_regs, n_rows, n_parts, whole_row, flat }
    }

    /// The instructions, for printing.
    pub fn instrs(&self) -> &[Instr] {
        &self.instrs
    }

    /// Floats of scratch memory that a run over `cols` columns needs.
    pub fn scratch_len(&self, cols: usize) -> usize {
        Layout::new(self, cols).len
    }

    /// Runs the program over a frame.
    ///
    /// # Panics
    /// When a slice is shorter than the frame needs.
    pub fn run(&self, call: Call, scratch: &mut [f32]) {
        self.check(&call, scratch);
        for instr in self.instrs.iter().filter(|_| call.seen == 0) {
            if let Some((part, width, start)) = reduced(instr) {
                call.parts[part][..call.group_ends.len() * width * call.cols].fill(start);
            }
        }
        machine::run(self, call, scratch);
    }

    fn check(&self, call: &Call, scratch: &[f32]) {
        let (rows, cols) = (call.rows, call.cols);
        let all = product(&[rows, cols]);
        // a frame without operands of its size is walked too
        assert!(all < isize::MAX as usize, "a frame of {rows} by {cols}");
        assert_eq!((call.operands.len(), call.outs.len()), (self.operands.len(), self.outs.len()));
        let len = |a: &Access| match a {
            Access::Full => all,
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
            let fits = |(part, width, _): (usize, usize, f32)| {
                call.parts[part].len() >= product(&[call.group_ends.len(), width, cols])
            };
            assert!(self.instrs.iter().filter_map(reduced).all(fits), "reduction too short");
        }
        assert!(scratch.len() >= self.scratch_len(cols), "scratch too short");
    }
}

/// The column reduction of an instruction, how many floats it has a column, and the value of an empty one.
fn reduced(instr: &Instr) -> Option<(usize, usize, f32)> {
    match *instr {
        Instr::ColFold(fold, part, _) => Some((part as usize, 1, fold.neutral())),
        Instr::ColSum(part, _) => Some((part as usize, 3, 0.0)),
        _ => None,
    }
}

fn sources(instr: &Instr) -> impl Iterator<Item = Src> {
    let (a, b) = match *instr {
        Instr::Un(_, _, a)
        | Instr::RowFold(_, _, a)
        | Instr::Store(_, a)
        | Instr::ColFold(_, _, a)
        | Instr::ColSum(_, a) => (Some(a), None),
        Instr::Bin(_, _, a, b) => (Some(a), Some(b)),
        Instr::Column(_) | Instr::Mask { .. } => (None, None),
    };
    a.into_iter().chain(b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::philox::philox4x32;

    fn frame(rows: usize, cols: usize, salt: u32) -> Vec<f32> {
        let word = |i: usize| philox4x32([salt, 0], [i as u32, 0, 0, 0])[0];
        (0..rows * cols).map(|i| (word(i) >> 8) as f32 / 8_388_608.0 - 1.0).collect()
    }

    fn run(program: &MapProgram, call: Call, cols: usize) {
        let mut scratch = vec![f32::NAN; program.scratch_len(cols)];
        program.run(call, &mut scratch);
    }

    #[test]
    fn softmax_and_column_sums_agree_with_f64() {
        for (rows, cols) in [(1, 1), (3, 7), (5, 16), (4, 500), (2, 1000), (0, 5)] {
            let x = frame(rows, cols, 1);
            let program = MapProgram::new(
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
                seen: 0,
                group_ends: &ends,
                draw: Draw::default(),
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

    /// The three numbers of each column after calls of this many rows.
    fn column_sums(x: &[f32], cols: usize, calls: &[usize]) -> Vec<f32> {
        let program = MapProgram::new(vec![Instr::ColSum(0, Src::Operand(0))], vec![Access::Full], vec![], 1);
        let (mut sums, mut seen) = (vec![f32::NAN; 3 * cols], 0);
        for rows in calls {
            let call = Call {
                rows: *rows,
                cols,
                operands: &[&x[seen * cols..][..rows * cols]],
                outs: &mut [],
                parts: &mut [&mut sums],
                seen,
                group_ends: &[*rows],
                draw: Draw::default(),
            };
            run(&program, call, cols);
            seen += rows;
        }
        sums
    }

    #[test]
    fn long_column_sums_are_exact_and_do_not_depend_on_cuts() {
        for cols in [1, 5, 16, 40, 300] {
            let n_rows = 4000;
            // the second half takes away what the first adds, but for a little
            let mut x: Vec<f32> = frame(n_rows, cols, 1).iter().map(|x| x.abs()).collect();
            let (first, second) = x.split_at_mut(n_rows / 2 * cols);
            let small = frame(n_rows / 2, cols, 2);
            second.iter_mut().zip(first).zip(small).for_each(|((b, a), s)| *b = 1e-4 * s - *a);
            let whole = column_sums(&x, cols, &[n_rows]);
            let cut = column_sums(&x, cols, &[1, 30, 32, 137, 500, 3300]);
            let bits = |v: &[f32]| v.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&whole), bits(&cut), "{cols}");
            let squares = |error: &dyn Fn(usize) -> f64| (0..cols).map(|c| error(c).powi(2)).sum::<f64>();
            let column = |c: usize| x.iter().skip(c).step_by(cols);
            let exact = |c: usize| column(c).map(|v| f64::from(*v)).sum::<f64>();
            let ours = squares(&|c| (0..3).map(|p| f64::from(whole[p * cols + c])).sum::<f64>() - exact(c));
            let chain = squares(&|c| f64::from(column(c).sum::<f32>()) - exact(c));
            assert!(ours <= chain / 25.0, "{cols}: {ours:e}, and {chain:e} in one chain");
        }
    }

    #[test]
    fn masks_are_a_function_of_row_and_column() {
        let program = MapProgram::new(
            vec![Instr::Mask { dst: 0, id: 9, keep: 0.75 }, Instr::Store(0, Src::Reg(0))],
            vec![],
            vec![Access::Full],
            0,
        );
        let (rows, cols) = (6, 700);
        let mut y = vec![f32::NAN; rows * cols];
        let draw = Draw { seed: 5, step: 11, first_row: 2 };
        let (operands, outs, parts) = (&[], &mut [&mut y[..]], &mut []);
        let call = Call { rows, cols, operands, outs, parts, seen: 0, group_ends: &[], draw };
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
            let program = MapProgram::new(
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
                seen: 0,
                group_ends: &[],
                draw: Draw::default(),
            };
            run(&program, call, cols);
            for i in 0..rows * cols {
                assert_eq!(y[i], r[i / cols] - x[i] * v[i % cols] + 0.5);
            }
        }
    }
}
