//! What labs measure, held against plain loops in f64.

use std::sync::atomic::AtomicBool;

use thalweg::engine::rng::{Purpose, Rng};
use thalweg::labs;

const DEPTH: usize = 4;
const WIDTH: usize = 30;
const SAMPLES: usize = 50;

/// `rows × cols`, row by row.
struct Matrix {
    cols: usize,
    values: Vec<f64>,
}

impl Matrix {
    fn normal(rows: usize, cols: usize, rng: Rng, std: f64) -> Matrix {
        let draw = |i| f64::from((std * f64::from(rng.normal(i))) as f32);
        Matrix { cols, values: (0..(rows * cols) as u64).map(draw).collect() }
    }

    fn rows(&self) -> impl Iterator<Item = &[f64]> {
        self.values.chunks_exact(self.cols)
    }

    fn at(&self, row: usize, col: usize) -> f64 {
        self.values[row * self.cols + col]
    }

    /// self · otherᵀ
    fn times_transposed(&self, other: &Matrix) -> Matrix {
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
        let values = self.rows().flat_map(|a| other.rows().map(move |b| dot(a, b))).collect();
        Matrix { cols: other.values.len() / other.cols, values }
    }

    fn transposed(&self) -> Matrix {
        let rows = self.values.len() / self.cols;
        Matrix {
            cols: rows,
            values: (0..self.cols).flat_map(|c| (0..rows).map(move |r| self.at(r, c))).collect(),
        }
    }

    fn map2(&self, other: &Matrix, f: impl Fn(f64, f64) -> f64) -> Matrix {
        let values = self.values.iter().zip(&other.values).map(|(a, b)| f(*a, *b)).collect();
        Matrix { cols: self.cols, values }
    }

    fn mean_and_std(&self) -> (f64, f64) {
        let n = self.values.len() as f64;
        let mean = self.values.iter().sum::<f64>() / n;
        (mean, (self.values.iter().map(|v| v * v).sum::<f64>() / n - mean * mean).sqrt())
    }
}

/// Mean and deviation of results, gradients and weight gradients of every layer.
fn by_hand(seed: u64, tanh: bool, std: f64) -> [Vec<(f64, f64)>; 3] {
    let f = |z: f64| if tanh { z.tanh() } else { z.max(0.0) };
    let slope = |h: f64| if tanh { 1.0 - h * h } else { f64::from(u8::from(h > 0.0)) };
    let probe = |sub| Matrix::normal(SAMPLES, WIDTH, Rng::new(seed, Purpose::Probe, sub, 0), 1.0);
    let weights: Vec<Matrix> = (0..DEPTH as u32)
        .map(|i| Matrix::normal(WIDTH, WIDTH, Rng::new(seed, Purpose::Init, i, 0), std))
        .collect();
    let mut h = vec![probe(0)];
    for w in &weights {
        let mut z = h[h.len() - 1].times_transposed(w);
        z.values.iter_mut().for_each(|z| *z = f(*z));
        h.push(z);
    }
    let mut g = probe(1);
    let (mut gradients, mut of_weights) = (Vec::new(), Vec::new());
    for layer in (0..DEPTH).rev() {
        gradients.push(g.mean_and_std());
        let delta = g.map2(&h[layer + 1], |g, h| g * slope(h));
        of_weights.push(delta.transposed().times_transposed(&h[layer].transposed()).mean_and_std());
        g = delta.times_transposed(&weights[layer].transposed());
    }
    gradients.reverse();
    of_weights.reverse();
    [h[1..].iter().map(Matrix::mean_and_std).collect(), gradients, of_weights]
}

#[test]
fn the_initialization_lab_measures_what_plain_loops_measure() {
    let lab = labs::ALL.iter().find(|lab| lab.name == "init").unwrap();
    let words: Vec<String> = [
        format!("depth={DEPTH}"),
        format!("width={WIDTH}"),
        format!("samples={SAMPLES}"),
        "seeds=[3,8]".into(),
    ]
    .into();
    let record = lab.measure(&words, &AtomicBool::new(false), &|_| ()).unwrap();
    let n = WIDTH as f64;
    let settings = [
        ("tanh,\"normal std=0.01", true, 0.01),
        ("tanh,\"normal std=1.0", true, 1.0),
        ("tanh,\"lecun_normal", true, 1.0 / n.sqrt()),
        ("relu,\"lecun_normal", false, 1.0 / n.sqrt()),
        ("relu,\"he_normal", false, (2.0 / n).sqrt()),
    ];
    let mut compared = 0;
    for (start, tanh, std) in settings {
        for seed in [3, 8] {
            let wanted = by_hand(seed, tanh, std);
            for (quantity, layers) in ["output", "gradient", "weight_gradient"].iter().zip(&wanted) {
                for (i, (mean, std)) in layers.iter().enumerate() {
                    let mark = format!("\",{quantity},{},{seed},", i + 1);
                    let line =
                        record.data.lines().find(|l| l.starts_with(start) && l.contains(&mark)).unwrap();
                    let tail = &line[line.find(&mark).unwrap() + mark.len()..];
                    let numbers: Vec<f64> = tail.split(',').map(|cell| cell.parse().unwrap()).collect();
                    assert!((numbers[1] - std).abs() <= 2e-5 * std, "{line}: {std}");
                    assert!((numbers[0] - mean).abs() <= 2e-5 * std, "{line}: {mean}");
                    assert!(numbers[2..].iter().sum::<f64>() <= 1.0 + 1e-6);
                    compared += 1;
                }
            }
        }
    }
    assert_eq!(compared, 5 * 2 * 3 * DEPTH);
    assert_eq!(record.data.lines().count(), compared + 1);
}
