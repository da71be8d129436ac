//! What each instruction does with one block of the frame.

use super::block::{Block, fill, one_vector_at_a_time};
use super::chain::{Chain, MAX_SOURCES};
use super::fold::{RUN, add_exactly, fold_columns, fold_lanes, fold_rows, sum};
use super::machine::{Machine, Value};
use super::mask::Mask;
use super::{Access, Dst, Fold, LANES, Src};
use crate::isa::Arith;
use crate::math::{Fn1, Fn2};

/// Runs `$value` for every lane of `$n` vectors, with `$x` read from `$a`.
macro_rules! lanes {
    ($n:ident, $dst:ident, $($x:ident = $a:ident),+ => $value:expr) => {
        for i in 0..$n {
            one_vector_at_a_time();
            // SAFETY: `dst` and what is read are blocks of this many vectors (see `Machine::value`, `Machine::slot`).
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

// Functions of their own: there is a loop for each function, each pattern of a chain and each kind of source, and one
// function that held all of these loops would take the compiler a third of its time with this crate.
crate::multiversion! {
    pub(super) fn run_chain(machine: &Machine, chain: &Chain, at: &Block) = chain_body;
    pub(super) fn un(machine: &Machine, f: Fn1, dst: Dst, a: Src, at: &Block) = un_body;
    pub(super) fn bin(machine: &Machine, f: Fn2, dst: Dst, a: Src, b: Src, at: &Block) = bin_body;
}

#[allow(clippy::extra_unused_type_parameters)] // nothing here is fused
#[inline(always)]
fn chain_body<A: Arith>(machine: &Machine, chain: &Chain, at: &Block) {
    let mut numbers = [[0.0f32; LANES]; MAX_SOURCES];
    let mut reads = [(std::ptr::null(), 0); MAX_SOURCES];
    for k in 0..chain.n_sources.min(MAX_SOURCES) {
        reads[k] = match machine.value(chain.sources[k], at) {
            Value::Block(a) => (a, LANES),
            Value::One(x) => {
                numbers[k] = [x; LANES];
                (numbers[k].as_ptr(), 0)
            }
        };
    }
    let dst = machine.reg(chain.dst);
    // SAFETY: registers and values are blocks of this many vectors, and numbers are vectors.
    unsafe {
        let whole = at.rows >= 4 && at.cols.is_multiple_of(LANES);
        // of few rows, what stays in registers is loaded for nothing
        if !(whole && chain.run_rows(dst, [at.rows, at.cols / LANES], reads)) {
            chain.run(dst, at.padded / LANES, reads);
        }
    }
}

#[inline(always)]
fn un_body<A: Arith>(machine: &Machine, f: Fn1, dst: Dst, a: Src, at: &Block) {
    let a = machine.read(dst, a, 0, at);
    let (dst, n) = machine.target(dst, at);
    let a = match a {
        Value::One(x) => return fill(dst, n, f.apply::<A>(x)),
        Value::Block(a) => a,
    };
    macro_rules! each {
        ($($f:ident)*) => { match f { $(Fn1::$f => lanes!(n, dst, x = a => Fn1::$f.apply::<A>(x)),)* } };
    }
    each!(Neg Abs Sign Step Square Sqrt Recip Exp Ln Tanh Sigmoid Softplus Erf Relu CosTurn SinTurn);
}

#[allow(clippy::extra_unused_type_parameters)] // nothing here is fused
#[inline(always)]
fn bin_body<A: Arith>(machine: &Machine, f: Fn2, dst: Dst, a: Src, b: Src, at: &Block) {
    let (a, b) = (machine.read(dst, a, 0, at), machine.read(dst, b, 1, at));
    let (dst, n) = machine.target(dst, at);
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

impl Machine<'_, '_, '_> {
    #[inline(always)]
    pub(super) fn row_fold(&mut self, fold: Fold, r: u8, a: Src, at: &Block) {
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
    pub(super) fn column(&mut self, r: u8, at: &Block) {
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
    pub(super) fn mask(&mut self, dst: u8, id: u32, keep: f32, at: &Block) {
        let mask = Mask { draw: self.call.draw, id, keep, cols: self.call.cols };
        let dst = self.reg(dst);
        for r in 0..at.rows {
            // SAFETY: as for columns.
            unsafe { mask.fill(dst.add(r * at.cols), at.row + r, at.col, at.cols) };
        }
    }

    #[inline(always)]
    pub(super) fn store(&mut self, out: usize, a: Src, at: &Block) {
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
    pub(super) fn col_fold(&mut self, fold: Fold, part: usize, a: Src, at: &Block) {
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
    pub(super) fn col_sum(&mut self, part: usize, a: Src, at: &Block) {
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
