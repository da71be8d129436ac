//! The matrix product against one plain chain per element, bit for bit, on every instruction set of the machine.

#[path = "common/draw.rs"]
mod draw;
#[path = "common/isa.rs"]
mod isa;

use draw::Draw;
use isa::on_each_isa;
use kernels::gemm::{Epilogue, Mat, Term, gemm, scratch_len};

impl Draw {
    fn new(seed: u32) -> Draw {
        Draw::salted(seed, 7)
    }

    fn flag(&mut self) -> bool {
        self.below(2) == 1
    }

    /// Often tiny, often at an edge of some tile, sometimes large.
    fn size(&mut self) -> usize {
        const EDGES: [usize; 12] = [0, 1, 2, 3, 8, 15, 16, 17, 32, 48, 49, 97];
        match self.below(4) {
            0 => self.of(&EDGES),
            1 => self.below(20),
            2 => self.below(70),
            _ => self.below(150),
        }
    }
}

/// A matrix that owns its data.
#[derive(Clone)]
struct Own {
    data: Vec<f32>,
    row_stride: usize,
    col_stride: usize,
}

impl Own {
    fn draw(draw: &mut Draw, rows: usize, cols: usize) -> Own {
        let gap = draw.below(3);
        let (row_stride, col_stride) = match draw.below(5) {
            0 | 1 => (cols + gap, 1),
            2 | 3 => (1, rows + gap),
            _ => (2 * cols + gap, 2),
        };
        let len = if rows * cols == 0 { 0 } else { (rows - 1) * row_stride + (cols - 1) * col_stride + 1 };
        Own { data: draw.floats(len), row_stride, col_stride }
    }

    fn at(&self, i: usize, j: usize) -> f32 {
        self.data[i * self.row_stride + j * self.col_stride]
    }

    /// From element (i, j) on.
    fn from(&self, i: usize, j: usize) -> Mat<'_> {
        let at = (i * self.row_stride + j * self.col_stride).min(self.data.len());
        Mat { data: &self.data[at..], row_stride: self.row_stride, col_stride: self.col_stride }
    }
}

/// A random product.
struct Case {
    m: usize,
    n: usize,
    ldc: usize,
    c: Vec<f32>,
    parts: Vec<(Own, Own, usize)>,
    accumulate: bool,
    bias: Option<Vec<f32>>,
    relu: bool,
    gate: Option<Vec<f32>>,
}

impl Case {
    fn draw(seed: u32) -> Case {
        let mut d = Draw::new(seed);
        let (m, n) = (d.size(), d.size());
        let ldc = n + d.below(3);
        let n_parts = [1, 1, 1, 2, 3, 20, 0][d.below(7)];
        let parts = (0..n_parts)
            .map(|_| {
                let k = if n_parts == 1 && d.below(8) == 0 { 700 + d.below(700) } else { d.size() };
                (Own::draw(&mut d, m, k), Own::draw(&mut d, k, n), k)
            })
            .collect();
        let (accumulate, relu) = (d.flag(), d.flag());
        // Without accumulation C must not be read, so it starts as NaN.
        let c = if accumulate { d.floats(m * ldc) } else { vec![f32::NAN; m * ldc] };
        let bias = d.flag().then(|| d.floats(n));
        let gate = (d.below(3) == 0).then(|| d.floats(m * ldc));
        Case { m, n, ldc, c, parts, accumulate, bias, relu, gate }
    }

    fn epilogue(&self) -> Epilogue<'_> {
        Epilogue { bias: self.bias.as_deref(), relu: self.relu, gate: self.gate.as_deref() }
    }

    fn run(&self) -> Vec<f32> {
        let parts: Vec<Term> =
            self.parts.iter().map(|(a, b, k)| Term { a: a.from(0, 0), b: b.from(0, 0), k: *k }).collect();
        run(self, &parts)
    }

    /// Element (i, j) with `fma` as the multiply-add, before and after the epilogue's choice of zero.
    fn element(&self, i: usize, j: usize, fma: fn(f32, f32, f32) -> f32) -> f32 {
        let mut sum = if self.accumulate { self.c[i * self.ldc + j] } else { 0.0 };
        for (a, b, k) in &self.parts {
            for l in 0..*k {
                sum = fma(a.at(i, l), b.at(l, j), sum);
            }
        }
        self.finish(i, j, sum)
    }

    fn finish(&self, i: usize, j: usize, mut sum: f32) -> f32 {
        if let Some(bias) = &self.bias {
            sum += bias[j];
        }
        if self.relu && sum < 0.0 {
            sum = 0.0;
        }
        match &self.gate {
            Some(gate) if gate[i * self.ldc + j] <= 0.0 => 0.0,
            _ => sum,
        }
    }

    /// Element (i, j) in f64, the sum of magnitudes that bounds its rounding, and the number of terms.
    fn exact(&self, i: usize, j: usize) -> (f64, f64, usize) {
        let start = if self.accumulate { f64::from(self.c[i * self.ldc + j]) } else { 0.0 };
        let (mut sum, mut size, mut n) = (start, start.abs(), 2);
        for (a, b, k) in &self.parts {
            for l in 0..*k {
                let x = f64::from(a.at(i, l)) * f64::from(b.at(l, j));
                (sum, size, n) = (sum + x, size + x.abs(), n + 1);
            }
        }
        if let Some(bias) = &self.bias {
            (sum, size) = (sum + f64::from(bias[j]), size + f64::from(bias[j]).abs());
        }
        if self.relu {
            sum = sum.max(0.0);
        }
        if self.gate.as_ref().is_some_and(|gate| gate[i * self.ldc + j] <= 0.0) {
            sum = 0.0;
        }
        (sum, size, n)
    }
}

/// The product of these parts with everything else from `case`; scratch starts as NaN.
fn run(case: &Case, parts: &[Term]) -> Vec<f32> {
    let mut c = case.c.clone();
    let k = parts.iter().map(|part| part.k).sum();
    let mut scratch = vec![f32::NAN; scratch_len(case.m, case.n, k)];
    gemm(case.m, case.n, &mut c, case.ldc, parts, case.accumulate, case.epilogue(), &mut scratch);
    c
}

fn bits(x: &[f32]) -> Vec<u32> {
    x.iter().map(|x| x.to_bits()).collect()
}

#[test]
fn equals_one_chain_per_element_bit_for_bit() {
    on_each_isa(|isa| {
        let fma: fn(f32, f32, f32) -> f32 =
            if isa.is_fused() { |a, b, c| a.mul_add(b, c) } else { |a, b, c| a * b + c };
        for seed in 0..400 {
            let case = Case::draw(seed);
            let c = case.run();
            for i in 0..case.m {
                for j in 0..case.n {
                    let (got, want) = (c[i * case.ldc + j], case.element(i, j, fma));
                    let (m, n) = (case.m, case.n);
                    assert!(
                        got.to_bits() == want.to_bits(),
                        "{isa:?} seed {seed} [{m}, {n}] at ({i}, {j}): {got} is not {want}"
                    );
                }
                for j in case.n..case.ldc {
                    let at = i * case.ldc + j;
                    assert_eq!(c[at].to_bits(), case.c[at].to_bits(), "{isa:?} seed {seed} wrote a gap");
                }
            }
        }
    });
}

#[test]
fn agrees_with_f64_within_the_rounding_of_a_chain() {
    on_each_isa(|isa| {
        for seed in 1000..1200 {
            let case = Case::draw(seed);
            let c = case.run();
            for i in 0..case.m {
                for j in 0..case.n {
                    let (want, size, terms) = case.exact(i, j);
                    let error = (f64::from(c[i * case.ldc + j]) - want).abs();
                    let bound = f64::from(f32::EPSILON) * terms as f64 * size;
                    assert!(
                        error <= bound,
                        "{isa:?} seed {seed} at ({i}, {j}): off by {error}, bound {bound}"
                    );
                }
            }
        }
    });
}

#[test]
fn parts_cut_anywhere_give_the_same_bits() {
    on_each_isa(|isa| {
        for seed in 2000..2060 {
            let case = Case::draw(seed);
            let want = case.run();
            let mut d = Draw::new(seed);
            let mut parts = Vec::new();
            for (a, b, k) in &case.parts {
                let mut from = 0;
                while from < *k {
                    let len = (1 + d.below(90)).min(k - from);
                    parts.push(Term { a: a.from(0, from), b: b.from(from, 0), k: len });
                    from += len;
                }
            }
            assert_eq!(bits(&run(&case, &parts)), bits(&want), "{isa:?} seed {seed}");
        }
    });
}

#[test]
fn a_row_alone_equals_the_row_among_others() {
    on_each_isa(|isa| {
        for seed in 3000..3060 {
            let mut case = Case::draw(seed);
            let want = case.run();
            let (m, ldc, mut d) = (case.m, case.ldc, Draw::new(seed));
            let (parts, c, gate) = (case.parts.clone(), case.c.clone(), case.gate.clone());
            let mut row = 0;
            while row < m {
                let rows = [1, 1, 1 + d.below(20)][d.below(3)].min(m - row);
                let range = row * ldc..(row + rows) * ldc;
                case.m = rows;
                case.c = c[range.clone()].to_vec();
                case.gate = gate.as_ref().map(|gate| gate[range.clone()].to_vec());
                let parts: Vec<Term> = parts
                    .iter()
                    .map(|(a, b, k)| Term { a: a.from(row, 0), b: b.from(0, 0), k: *k })
                    .collect();
                assert_eq!(
                    bits(&run(&case, &parts)),
                    bits(&want[range]),
                    "{isa:?} seed {seed} rows from {row}"
                );
                row += rows;
            }
        }
    });
}

#[test]
fn shapes_of_training_agree_with_their_transposes() {
    // Large enough for several blocks of k, chunks of rows and panels.
    on_each_isa(|isa| {
        for (m, n, k) in [(64, 96, 1100), (1100, 33, 130), (32, 1300, 530), (10, 512, 64), (512, 10, 64)] {
            let mut d = Draw::new(k as u32);
            let (a, b) = (d.floats(m * k), d.floats(k * n));
            let a = Own { data: a, row_stride: k, col_stride: 1 };
            let b = Own { data: b, row_stride: n, col_stride: 1 };
            let flip = |x: &Own, rows: usize, cols: usize| Own {
                data: (0..cols * rows).map(|i| x.at(i % rows, i / rows)).collect(),
                row_stride: 1,
                col_stride: rows,
            };
            let plain = Case {
                m,
                n,
                ldc: n,
                c: vec![f32::NAN; m * n],
                parts: vec![(a.clone(), b.clone(), k)],
                accumulate: false,
                bias: None,
                relu: false,
                gate: None,
            };
            let want = plain.run();
            assert!(want.iter().all(|x| x.is_finite()));
            let (a_flipped, b_flipped) = (flip(&a, m, k), flip(&b, k, n));
            for (a, b) in [(&a_flipped, &b), (&a, &b_flipped), (&a_flipped, &b_flipped)] {
                let part = Term { a: a.from(0, 0), b: b.from(0, 0), k };
                assert_eq!(bits(&run(&plain, &[part])), bits(&want), "{isa:?} [{m}, {k}] x [{k}, {n}]");
            }
        }
    });
}

#[test]
fn nan_passes_through_relu_and_infinity_through_the_sum() {
    on_each_isa(|isa| {
        let x = [f32::NAN, -1.0, f32::INFINITY, -0.0];
        let mut c = [9.0; 4];
        let part = Term {
            a: Mat { data: &x, row_stride: 1, col_stride: 1 },
            b: Mat { data: &[1.0], row_stride: 1, col_stride: 1 },
            k: 1,
        };
        let relu = Epilogue { relu: true, ..Epilogue::default() };
        gemm(4, 1, &mut c, 1, &[part], false, relu, &mut vec![0.0; scratch_len(4, 1, 1)]);
        assert!(c[0].is_nan(), "{isa:?}");
        assert_eq!(c[1..], [0.0, f32::INFINITY, 0.0], "{isa:?}");
    });
}

#[test]
#[should_panic(expected = "a holds 5 floats, [2, 3] needs 6")]
fn short_operands_are_refused() {
    let data = [0.0; 6];
    let part = Term {
        a: Mat { data: &data[..5], row_stride: 3, col_stride: 1 },
        b: Mat { data: &data, row_stride: 2, col_stride: 1 },
        k: 3,
    };
    gemm(2, 2, &mut [0.0; 4], 2, &[part], false, Epilogue::default(), &mut vec![0.0; scratch_len(2, 2, 3)]);
}
