//! Serial matrix products of training shapes: ours against crates, interleaved, in GFLOP/s and percent of the core's FMA peak.
//!
//! `rivals-gemm [--rounds N] [--batches 32,64] [--only TEXT] [--ours] [--isa NAME] [--hot] [--csv FILE]`

mod candidates;
mod peak;

use candidates::{CANDIDATES, Candidate};
use std::fmt::Write as _;
use std::time::Instant;

/// Which of a linear layer's three products.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// `Y[batch, out] = X[batch, in] W[out, in]^T`
    Forward,
    /// `dX[batch, in] = dY[batch, out] W[out, in]`
    InputGrad,
    /// `dW[out, in] = dY[batch, out]^T X[batch, in]`
    WeightGrad,
}

/// `C[m, n] = A[m, k] B[k, n]`, strides in floats, C row-major and dense.
#[derive(Clone, Copy)]
pub struct Shape {
    pub m: usize,
    pub n: usize,
    pub k: usize,
    pub a: (usize, usize),
    pub b: (usize, usize),
}

impl Shape {
    fn new(kind: Kind, batch: usize, out: usize, inp: usize) -> Shape {
        match kind {
            Kind::Forward => Shape { m: batch, n: out, k: inp, a: (inp, 1), b: (1, inp) },
            Kind::InputGrad => Shape { m: batch, n: inp, k: out, a: (out, 1), b: (inp, 1) },
            Kind::WeightGrad => Shape { m: out, n: inp, k: batch, a: (1, out), b: (inp, 1) },
        }
    }

    fn flops(&self) -> f64 {
        2.0 * (self.m * self.n * self.k) as f64
    }
}

/// Operands of one product.
pub struct Operands {
    a: Aligned,
    b: Aligned,
    c: Aligned,
}

/// Floats that start at a cache line, as in an arena.
struct Aligned {
    data: Vec<f32>,
    start: usize,
    len: usize,
}

impl Aligned {
    fn new(x: Vec<f32>) -> Aligned {
        let mut data = vec![0.0; x.len() + 16];
        let start = data.as_ptr().align_offset(64);
        data[start..start + x.len()].copy_from_slice(&x);
        Aligned { data, start, len: x.len() }
    }
}

impl std::ops::Deref for Aligned {
    type Target = [f32];
    fn deref(&self) -> &[f32] {
        &self.data[self.start..self.start + self.len]
    }
}

impl std::ops::DerefMut for Aligned {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.data[self.start..self.start + self.len]
    }
}

struct Options {
    rounds: usize,
    batches: Vec<usize>,
    only: String,
    ours: bool,
    hot: bool,
    csv: Option<String>,
}

fn options() -> Options {
    let mut o = Options {
        rounds: 15,
        batches: BATCHES.to_vec(),
        only: String::new(),
        ours: false,
        hot: false,
        csv: None,
    };
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut value = || args.next().unwrap_or_default();
        match arg.as_str() {
            "--rounds" => o.rounds = value().parse().expect("--rounds takes a number"),
            "--batches" => {
                o.batches = value().split(',').map(|x| x.parse().expect("--batches takes numbers")).collect();
            }
            "--only" => o.only = value(),
            "--isa" => {
                let name = value();
                let isa = kernels::isa::Isa::ALL.into_iter().find(|isa| isa.name() == name);
                assert!(isa.is_some_and(kernels::isa::force), "no instruction set {name} here");
            }
            "--ours" => o.ours = true,
            "--hot" => o.hot = true,
            "--csv" => o.csv = Some(value()),
            other => panic!("unknown argument {other}"),
        }
    }
    o
}

const LAYERS: [(usize, usize); 8] =
    [(64, 64), (128, 784), (256, 256), (500, 500), (512, 784), (512, 512), (1024, 1024), (10, 512)];
const BATCHES: [usize; 4] = [32, 64, 128, 256];
const KINDS: [Kind; 3] = [Kind::Forward, Kind::InputGrad, Kind::WeightGrad];

fn main() {
    let o = options();
    let n = if o.ours { 1 } else { CANDIDATES.len() };
    let candidates = &CANDIDATES[..n];
    print!("| product | batch | out x in | peak |");
    for c in candidates {
        print!(" {} |", c.name);
    }
    println!(" ours / peak | ours / best other |");
    println!("|{}", "---|".repeat(n + 6));
    let mut csv = String::from("product,batch,out,in,candidate,round,gflops\n");
    for kind in KINDS {
        let mut ratios = Vec::new();
        for (out, inp) in LAYERS {
            for &batch in &o.batches {
                let name = format!("{kind:?} {batch} {out}x{inp}");
                if !name.contains(&o.only) {
                    continue;
                }
                let shape = Shape::new(kind, batch, out, inp);
                let rates = measure(shape, candidates, &o, |candidate, round, rate| {
                    let _ = writeln!(csv, "{kind:?},{batch},{out},{inp},{candidate},{round},{rate:.2}");
                });
                ratios.push(row(kind, batch, out, inp, &rates));
            }
        }
        if !ratios.is_empty() {
            let mean = |i: usize| {
                ratios.iter().map(|r: &(f64, f64)| [r.0, r.1][i].ln()).sum::<f64>() / ratios.len() as f64
            };
            println!(
                "| {kind:?}, geometric mean |{} {:.0} % | {:.2} |",
                " |".repeat(n + 3),
                100.0 * mean(0).exp(),
                mean(1).exp()
            );
        }
    }
    if let Some(path) = o.csv {
        std::fs::write(path, csv).expect("the csv file can be written");
    }
}

/// Prints a line; returns ours over peak, and ours over the best other.
fn row(kind: Kind, batch: usize, out: usize, inp: usize, rates: &[f64]) -> (f64, f64) {
    let (peak, rates) = (rates[0], &rates[1..]);
    let other = rates[1..].iter().copied().fold(f64::NAN, f64::max);
    print!("| {kind:?} | {batch} | {out} x {inp} | {peak:.0} |");
    for rate in rates {
        print!(" {rate:.0} |");
    }
    println!(" {:.0} % | {:.2} |", 100.0 * rates[0] / peak, rates[0] / other);
    (rates[0] / peak, rates[0] / other)
}

/// Medians in GFLOP/s: the peak, then each candidate.
fn measure(
    shape: Shape,
    candidates: &[Candidate],
    o: &Options,
    mut log: impl FnMut(&str, usize, f64),
) -> Vec<f64> {
    // Operands rotate through about 8 MiB, as layers do in a step, so they come from the shared cache.
    let floats = shape.m * shape.k + shape.k * shape.n + shape.m * shape.n;
    let n_sets = if o.hot { 1 } else { (2 * 1024 * 1024 / floats).clamp(1, 64) };
    let mut sets: Vec<Operands> = (0..n_sets).map(|i| operands(shape, i)).collect();
    for c in candidates {
        verify(shape, c, &mut sets[0]);
    }
    let passes = (1.5e8 / (shape.flops() * n_sets as f64)).ceil() as usize;
    let mut rates = vec![Vec::new(); candidates.len() + 1];
    for round in 0..o.rounds {
        let peak = peak::gflops();
        rates[0].push(peak);
        log("peak", round, peak);
        for (i, c) in candidates.iter().enumerate() {
            let start = Instant::now();
            for _ in 0..passes {
                for set in &mut sets {
                    (c.run)(shape, &set.a, &set.b, &mut set.c);
                }
            }
            let rate = shape.flops() * (passes * n_sets) as f64 / start.elapsed().as_secs_f64() * 1e-9;
            rates[i + 1].push(rate);
            log(c.name, round, rate);
        }
    }
    rates.into_iter().map(median).collect()
}

fn median(mut x: Vec<f64>) -> f64 {
    x.sort_by(f64::total_cmp);
    x[x.len() / 2]
}

fn operands(shape: Shape, seed: usize) -> Operands {
    let mut state = seed as u64 + 1;
    let mut draw = |n: usize| -> Vec<f32> {
        (0..n)
            .map(|_| {
                state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                (state >> 40) as f32 / 8_388_608.0 - 1.0
            })
            .collect()
    };
    Operands {
        a: Aligned::new(draw(shape.m * shape.k)),
        b: Aligned::new(draw(shape.k * shape.n)),
        c: Aligned::new(draw(shape.m * shape.n)),
    }
}

/// A wrong product is not worth timing.
fn verify(shape: Shape, c: &Candidate, x: &mut Operands) {
    (c.run)(shape, &x.a, &x.b, &mut x.c);
    for (i, j) in [(0, 0), (shape.m - 1, shape.n - 1), (shape.m / 2, shape.n / 3)] {
        let want: f64 = (0..shape.k)
            .map(|k| {
                f64::from(x.a[i * shape.a.0 + k * shape.a.1]) * f64::from(x.b[k * shape.b.0 + j * shape.b.1])
            })
            .sum();
        let got = f64::from(x.c[i * shape.n + j]);
        assert!((got - want).abs() < 1e-3, "{} at ({i}, {j}): {got} is not {want}", c.name);
    }
}
