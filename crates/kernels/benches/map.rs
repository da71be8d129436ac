//! Prints the speed of element-wise programs, in GB/s read and written, beside loops written by hand:
//! `cargo bench -p thalweg-kernels --bench map`; a word behind `--` chooses programs by name.
//!
//! One thread; values fit second-level cache, as they do when a network runs chunk by chunk.

use kernels::channels::moments;
use kernels::isa::Arith;
use kernels::map::{Access, Call, Draw, Dst, Fold, Instr, MapProgram, Src};
use kernels::math::{Fn1, Fn2};
use kernels::views::Aligned;
use std::hint::black_box;
use std::time::Instant;

/// Values of a frame.
const SIZE: usize = 40_960;

/// Writes a program in the order in which values are made.
#[derive(Default)]
struct Writer {
    instrs: Vec<Instr>,
    n_parts: u8,
    next: u8,
    n_outs: u8,
}

impl Writer {
    fn target(&mut self, row: bool) -> (Dst, Src) {
        self.next += 1;
        let r = self.next - 1;
        if row { (Dst::Row(r), Src::Row(r)) } else { (Dst::Reg(r % 4), Src::Reg(r % 4)) }
    }

    fn un(&mut self, f: Fn1, a: Src) -> Src {
        let (dst, src) = self.target(false);
        self.instrs.push(Instr::Un(f, dst, a));
        src
    }

    fn bin(&mut self, f: Fn2, a: Src, b: Src) -> Src {
        let row = matches!((a, b), (Src::Row(_), Src::Imm(_)));
        let (dst, src) = self.target(row);
        self.instrs.push(Instr::Bin(f, dst, a, b));
        src
    }

    fn row_fold(&mut self, fold: Fold, a: Src) -> Src {
        self.next += 1;
        self.instrs.push(Instr::RowFold(fold, self.next - 1, a));
        Src::Row(self.next - 1)
    }

    fn store(&mut self, a: Src) {
        self.instrs.push(Instr::Store(self.n_outs, a));
        self.n_outs += 1;
    }

    fn sum(&mut self, a: Src) {
        self.instrs.push(Instr::ColFold(Fold::Sum, self.n_parts, a));
        self.n_parts += 1;
    }
}

/// A program over a frame, and what it reads.
struct Case {
    name: &'static str,
    operands: Vec<Access>,
    write: fn(&mut Writer, &dyn Fn(u8) -> Src),
}

fn normalized(w: &mut Writer, o: &dyn Fn(u8) -> Src) -> Src {
    let x = w.bin(Fn2::Sub, o(0), o(1));
    let x = w.bin(Fn2::Mul, x, o(2));
    let x = w.bin(Fn2::Mul, x, o(3));
    w.bin(Fn2::Add, x, o(4))
}

fn centered(w: &mut Writer, o: &dyn Fn(u8) -> Src) -> Src {
    let x = w.bin(Fn2::Sub, o(0), o(1));
    w.bin(Fn2::Mul, x, o(2))
}

fn cases() -> Vec<Case> {
    let [f, v] = [Access::Full, Access::Vector];
    vec![
        Case {
            name: "batch norm, relu",
            operands: vec![f, v, v, v, v],
            write: |w, o| {
                let y = normalized(w, o);
                let y = w.un(Fn1::Relu, y);
                w.store(y);
            },
        },
        Case {
            name: "batch norm, add, relu",
            operands: vec![f, v, v, v, v, f],
            write: |w, o| {
                let y = normalized(w, o);
                let y = w.bin(Fn2::Add, y, o(5));
                let y = w.un(Fn1::Relu, y);
                w.store(y);
            },
        },
        Case {
            // x, mean, r, gamma, dy, y, and of the channel the sums of dy·x̂ and dy over the rows
            name: "batch norm dx",
            operands: vec![f, v, v, v, f, f, v, v],
            write: |w, o| {
                let dy = w.bin(Fn2::Gate, o(4), o(5));
                let x = centered(w, o);
                let x = w.bin(Fn2::Mul, x, o(6));
                let d = w.bin(Fn2::Sub, dy, x);
                let d = w.bin(Fn2::Sub, d, o(7));
                let d = w.bin(Fn2::Mul, d, o(3));
                let d = w.bin(Fn2::Mul, d, o(2));
                w.store(d);
            },
        },
        Case {
            name: "batch norm sums",
            operands: vec![f, v, v, f, f],
            write: |w, o| {
                let dy = w.bin(Fn2::Gate, o(3), o(4));
                w.sum(dy);
                let x = centered(w, o);
                let x = w.bin(Fn2::Mul, x, dy);
                w.sum(x);
            },
        },
        Case {
            name: "bias, gelu",
            operands: vec![f, v],
            write: |w, o| {
                let x = w.bin(Fn2::Add, o(0), o(1));
                let half = w.bin(Fn2::Mul, x, Src::Imm(0.5));
                let t = w.bin(Fn2::Mul, x, Src::Imm(std::f32::consts::FRAC_1_SQRT_2));
                let t = w.un(Fn1::Erf, t);
                let t = w.bin(Fn2::Add, t, Src::Imm(1.0));
                let y = w.bin(Fn2::Mul, half, t);
                w.store(y);
            },
        },
        Case {
            name: "sgd",
            operands: vec![f, f],
            write: |w, o| {
                let step = w.bin(Fn2::Mul, o(1), Src::Imm(0.1));
                let kept = w.bin(Fn2::Mul, o(0), Src::Imm(0.999));
                let y = w.bin(Fn2::Sub, kept, step);
                w.store(y);
            },
        },
        Case {
            name: "softmax",
            operands: vec![f],
            write: |w, o| {
                let most = w.row_fold(Fold::Max, o(0));
                let x = w.bin(Fn2::Sub, o(0), most);
                let x = w.un(Fn1::Exp, x);
                let total = w.row_fold(Fold::Sum, x);
                let y = w.bin(Fn2::Div, x, total);
                w.store(y);
            },
        },
        Case {
            name: "layer norm",
            operands: vec![f, v, v],
            write: |w, o| {
                let total = w.row_fold(Fold::Sum, o(0));
                let mean = w.bin(Fn2::Mul, total, Src::Imm(1.0 / 64.0));
                let x = w.bin(Fn2::Sub, o(0), mean);
                let squares = w.un(Fn1::Square, x);
                let total = w.row_fold(Fold::Sum, squares);
                let variance = w.bin(Fn2::Mul, total, Src::Imm(1.0 / 64.0));
                let x = w.bin(Fn2::Div, x, variance);
                let y = w.bin(Fn2::Mul, x, o(1));
                let y = w.bin(Fn2::Add, y, o(2));
                w.store(y);
            },
        },
    ]
}

fn main() {
    let chosen = std::env::args().skip(1).find(|a| !a.starts_with('-')).unwrap_or_default();
    for cols in [10, 16, 32, 64, 512] {
        for case in cases().iter().filter(|c| c.name.contains(&chosen)) {
            report(case, SIZE / cols, cols);
        }
        moments_of(SIZE / cols, cols);
        by_hand(cols);
        println!();
    }
    for case in cases().iter().filter(|c| c.name == "softmax") {
        report(case, 64, 10);
    }
}

/// Nanoseconds, the least of many.
fn time(mut f: impl FnMut()) -> f64 {
    let mut best = f64::MAX;
    let begin = Instant::now();
    while begin.elapsed().as_millis() < 60 {
        let start = Instant::now();
        f();
        best = best.min(start.elapsed().as_nanos() as f64);
    }
    best
}

fn values(n: usize) -> Aligned {
    let mut values = Aligned::filled(n, 0.0);
    values.iter_mut().enumerate().for_each(|(i, v)| *v = (i * 37 % 101) as f32 / 50.0 - 1.0);
    values
}

fn report(case: &Case, rows: usize, cols: usize) {
    let mut writer = Writer::default();
    (case.write)(&mut writer, &Src::Operand);
    let n_instrs = writer.instrs.len();
    let outs = vec![Access::Full; writer.n_outs as usize];
    let n_full = case.operands.iter().filter(|a| **a == Access::Full).count() + outs.len();
    let n_parts = writer.n_parts as usize;
    let program = MapProgram::new(writer.instrs, case.operands.clone(), outs, n_parts);
    let size = |a: &Access| if *a == Access::Full { rows * cols } else { cols };
    let operands: Vec<Aligned> = case.operands.iter().map(|a| values(size(a))).collect();
    let operands: Vec<&[f32]> = operands.iter().map(|o| &o[..]).collect();
    let mut outs: Vec<Aligned> = (0..writer.n_outs).map(|_| values(rows * cols)).collect();
    let mut parts: Vec<Aligned> = (0..n_parts).map(|_| values(cols)).collect();
    let mut scratch = Aligned::filled(program.scratch_len(cols), 0.0);
    let ns = time(|| {
        let call = Call {
            rows,
            cols,
            operands: &operands,
            outs: &mut outs.iter_mut().map(|o| &mut o[..]).collect::<Vec<_>>(),
            parts: &mut parts.iter_mut().map(|p| &mut p[..]).collect::<Vec<_>>(),
            seen: 0,
            group_ends: &[rows],
            draw: Draw::default(),
        };
        program.run(call, black_box(&mut scratch));
    });
    line(case.name, rows, cols, n_full, ns, &format!("{n_instrs} instructions"));
}

fn line(name: &str, rows: usize, cols: usize, n_full: usize, ns: f64, note: &str) {
    let speed = (n_full * rows * cols * 4) as f64 / ns;
    println!("{name:24} [{rows:5}, {cols:3}] {ns:9.0} ns {speed:7.1} GB/s  {note}");
}

fn moments_of(rows: usize, cols: usize) {
    let x = values(rows * cols);
    let mut out = vec![0.0; 2 * cols];
    let ns = time(|| moments(black_box(&x), cols, 1024, 0, &mut out));
    line("moments", rows, cols, 1, ns, "blocks of 1024 rows");
}

/// Values for 64 columns in a row: those of fewer channels, repeated.
type Wide = [f32; 64];

kernels::multiversion! {
    fn norm_relu(x: &[f32], v: &[Wide; 4], y: &mut [f32]) = norm_relu_body;
    fn norm_sums(x: &[f32], dy: &[f32], y: &[f32], v: &[Wide; 4], sums: &mut [Wide; 2]) = norm_sums_body;
}

#[allow(clippy::extra_unused_type_parameters)]
#[inline(always)]
fn norm_relu_body<A: Arith>(x: &[f32], [m, r, g, b]: &[Wide; 4], y: &mut [f32]) {
    for (x, y) in x.as_chunks::<64>().0.iter().zip(y.as_chunks_mut::<64>().0) {
        for c in 0..64 {
            let z = (x[c] - m[c]) * r[c] * g[c] + b[c];
            y[c] = if z < 0.0 { 0.0 } else { z };
        }
    }
}

#[allow(clippy::extra_unused_type_parameters)]
#[inline(always)]
fn norm_sums_body<A: Arith>(x: &[f32], dy: &[f32], y: &[f32], [m, r, ..]: &[Wide; 4], sums: &mut [Wide; 2]) {
    let [x, dy, y] = [x, dy, y].map(|v| v.as_chunks::<64>().0);
    let [mut sum, mut products] = *sums;
    for ((x, dy), y) in x.iter().zip(dy).zip(y) {
        for c in 0..64 {
            let d = if y[c] > 0.0 { dy[c] } else { 0.0 };
            sum[c] += d;
            products[c] += (x[c] - m[c]) * r[c] * d;
        }
    }
    *sums = [sum, products];
}

fn by_hand(cols: usize) {
    let rows = SIZE / cols;
    let [x, dy, y] = [0; 3].map(|_| values(rows * cols));
    let vectors = [[0.5; 64]; 4];
    let mut out = values(rows * cols);
    let ns = time(|| norm_relu(black_box(&x), &vectors, &mut out));
    line("by hand: norm, relu", rows, cols, 2, ns, "");
    let mut sums = [[0.0; 64]; 2];
    let ns = time(|| norm_sums(black_box(&x), &dy, &y, &vectors, &mut sums));
    line("by hand: norm sums", rows, cols, 3, ns, "");
    let ns = time(|| out.copy_from_slice(black_box(&x)));
    line("copy", rows, cols, 2, ns, "");
}
