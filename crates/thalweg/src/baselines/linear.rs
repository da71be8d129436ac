//! Linear models in f64: ridge regression by normal equations, logistic regression by L-BFGS.

use super::columns::{Columns, dot};

/// Factor of ½ Σ w² beside the summed loss: that of scikit-learn's `Ridge` and `LogisticRegression` at their defaults.
const RIDGE: f64 = 1.0;
/// Gradients that L-BFGS remembers.
const MEMORY: usize = 10;
/// The most evaluations of L-BFGS, as many as scikit-learn takes iterations.
pub(super) const MOST_ITERATIONS: usize = 100;
/// L-BFGS is done where no element of the mean loss's gradient is larger, as in scikit-learn.
const TOLERANCE: f64 = 1e-4;
/// Rows that pass through together.
const BLOCK: usize = 256;

/// y = W x + b.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Linear {
    /// for each output its weights and behind them the bias, `[outputs, columns + 1]`
    pub weights: Vec<f64>,
    /// columns of the inputs
    pub d: usize,
}

impl Linear {
    /// The outputs for all rows, `[outputs, n]`.
    pub fn outputs(&self, x: &Columns) -> Vec<f64> {
        let of_output = |w: &[f64]| {
            let mut z = vec![w[self.d]; x.n()];
            self.add(w, x, 0, &mut z);
            z
        };
        self.weights.chunks_exact(self.d + 1).flat_map(of_output).collect()
    }

    /// z += Σ wⱼ xⱼ for the rows from `start` on.
    fn add(&self, w: &[f64], x: &Columns, start: usize, z: &mut [f64]) {
        for (j, w) in w[..self.d].iter().enumerate() {
            let column = &x.column(j)[start..start + z.len()];
            z.iter_mut().zip(column).for_each(|(z, x)| *z += w * x);
        }
    }
}

/// *Ridge regression*: the minimum of Σ (y − W x − b)² + Σ w², with free b, by Cholesky's method on the normal
/// equations of centered columns, (XᵀX + I) w = Xᵀy. Hoerl and Kennard, Ridge regression, 1970; scikit-learn's
/// `Ridge()`. `targets` are `[outputs, n]`.
///
/// Cost: n·d·(d + 2·outputs)/2 + d³/6 multiply-adds.
pub(super) fn ridge(x: &Columns, targets: &[f64]) -> Linear {
    let (n, d) = (x.n(), x.d());
    let mean = |values: &[f64]| values.iter().sum::<f64>() / n as f64;
    let means: Vec<f64> = (0..d).map(|j| mean(x.column(j))).collect();
    let mut gram = vec![0.0; d * d]; // the lower triangle
    for i in 0..d {
        for j in 0..=i {
            gram[i * d + j] = dot(x.column(i), x.column(j)) - n as f64 * means[i] * means[j];
        }
        gram[i * d + i] += RIDGE;
    }
    cholesky(&mut gram, d);
    let mut weights = Vec::new();
    for y in targets.chunks_exact(n.max(1)) {
        let center = mean(y);
        let y: Vec<f64> = y.iter().map(|y| y - center).collect();
        let mut w: Vec<f64> = (0..d).map(|j| dot(x.column(j), &y)).collect();
        solve(&gram, &mut w);
        let bias = center - dot(&means, &w);
        weights.extend(w);
        weights.push(bias);
    }
    Linear { weights, d }
}

/// Replaces the lower triangle of a positive matrix A by L of A = L Lᵀ.
fn cholesky(a: &mut [f64], d: usize) {
    for i in 0..d {
        let (above, own) = a.split_at_mut(i * d);
        for j in 0..i {
            let row = &above[j * d..j * d + j + 1];
            own[j] = (own[j] - dot(&row[..j], &own[..j])) / row[j];
        }
        own[i] = (own[i] - dot(&own[..i], &own[..i])).max(f64::MIN_POSITIVE).sqrt();
    }
}

/// Solves L Lᵀ w = b in place.
fn solve(l: &[f64], w: &mut [f64]) {
    let d = w.len();
    for i in 0..d {
        w[i] = (w[i] - dot(&l[i * d..i * d + i], &w[..i])) / l[i * d + i];
    }
    for i in (0..d).rev() {
        w[i] /= l[i * d + i];
        let solved = w[i];
        w[..i].iter_mut().zip(&l[i * d..i * d + i]).for_each(|(w, l)| *w -= solved * l);
    }
}

/// *Logistic regression*: the minimum of Σ −log p(class) + ½ Σ w², with free biases; p is the softmax of W x + b, of
/// two classes the logistic function of a single output for the second. By L-BFGS with a backtracking line search
/// (Nocedal, Updating quasi-Newton matrices with limited storage, 1980). scikit-learn's `LogisticRegression()`.
///
/// Cost: 2·n·d·outputs multiply-adds an iteration.
pub(super) fn logistic(x: &Columns, classes: &[usize], n_classes: usize, iterations: usize) -> Linear {
    let outputs = if n_classes == 2 { 1 } else { n_classes };
    let problem = Logistic { x, classes, outputs };
    let start = vec![0.0; outputs * (x.d() + 1)];
    Linear { weights: minimum(&problem, start, iterations), d: x.d() }
}

struct Logistic<'a> {
    x: &'a Columns,
    classes: &'a [usize],
    outputs: usize,
}

impl Logistic<'_> {
    /// The objective over n, and its gradient.
    fn at(&self, weights: &[f64], gradient: &mut [f64]) -> f64 {
        let (n, d) = (self.x.n(), self.x.d());
        let model = Linear { weights: weights.to_vec(), d };
        gradient.fill(0.0);
        let mut loss = 0.0;
        let mut z = vec![0.0; self.outputs * BLOCK];
        for start in (0..n).step_by(BLOCK) {
            let rows = BLOCK.min(n - start);
            for (w, z) in weights.chunks_exact(d + 1).zip(z.chunks_exact_mut(BLOCK)) {
                z[..rows].fill(w[d]);
                model.add(w, self.x, start, &mut z[..rows]);
            }
            loss += self.residuals(&self.classes[start..start + rows], &mut z);
            for (g, r) in gradient.chunks_exact_mut(d + 1).zip(z.chunks_exact(BLOCK)) {
                for (j, g) in g[..d].iter_mut().enumerate() {
                    *g += dot(&self.x.column(j)[start..start + rows], &r[..rows]);
                }
                g[d] += r[..rows].iter().sum::<f64>();
            }
        }
        for (g, w) in gradient.chunks_exact_mut(d + 1).zip(weights.chunks_exact(d + 1)) {
            loss += 0.5 * RIDGE * dot(&w[..d], &w[..d]);
            g[..d].iter_mut().zip(w).for_each(|(g, w)| *g += RIDGE * w);
        }
        gradient.iter_mut().for_each(|g| *g /= n as f64);
        loss / n as f64
    }

    /// Replaces the outputs of a block by p − y; gives the summed loss.
    fn residuals(&self, classes: &[usize], z: &mut [f64]) -> f64 {
        let mut loss = 0.0;
        for (i, class) in classes.iter().enumerate() {
            if self.outputs == 1 {
                let x = z[i];
                let small = libm::exp(-x.abs());
                let p = if x >= 0.0 { 1.0 } else { small } / (1.0 + small);
                let y = *class as f64;
                loss += libm::log1p(small) + x.max(0.0) - y * x;
                z[i] = p - y;
                continue;
            }
            let at = |k: usize| k * BLOCK + i;
            let own = z[at(*class)];
            let top = (0..self.outputs).map(|k| z[at(k)]).fold(f64::NEG_INFINITY, f64::max);
            let mut sum = 0.0;
            for k in 0..self.outputs {
                z[at(k)] = libm::exp(z[at(k)] - top);
                sum += z[at(k)];
            }
            loss += libm::log(sum) + top - own;
            (0..self.outputs).for_each(|k| z[at(k)] /= sum);
            z[at(*class)] -= 1.0;
        }
        loss
    }
}

/// One step of L-BFGS and what it did to the gradient.
struct Pair {
    step: Vec<f64>,
    change: Vec<f64>,
    /// step · change
    curvature: f64,
}

/// The minimum of a convex function from `w` on, or what is near it after so many evaluations.
fn minimum(problem: &Logistic, mut w: Vec<f64>, evaluations: usize) -> Vec<f64> {
    let mut gradient = vec![0.0; w.len()];
    let mut value = problem.at(&w, &mut gradient);
    let mut pairs: Vec<Pair> = Vec::new();
    let mut left = evaluations.saturating_sub(1);
    let mut next_gradient = gradient.clone();
    while left > 0 && gradient.iter().any(|g| g.abs() > TOLERANCE) {
        let direction = direction(&gradient, &pairs);
        let slope = dot(&direction, &gradient);
        let mut length = if pairs.is_empty() { 1.0 / dot(&gradient, &gradient).sqrt().max(1.0) } else { 1.0 };
        let found = loop {
            if left == 0 {
                break None;
            }
            left -= 1;
            let next: Vec<f64> = w.iter().zip(&direction).map(|(w, s)| w + length * s).collect();
            let next_value = problem.at(&next, &mut next_gradient);
            if next_value <= value + 1e-4 * length * slope {
                break Some((next, next_value));
            }
            length *= 0.5;
            if length < 1e-10 {
                break None;
            }
        };
        let Some((next, next_value)) = found else { break };
        let step: Vec<f64> = next.iter().zip(&w).map(|(a, b)| a - b).collect();
        let change: Vec<f64> = next_gradient.iter().zip(&gradient).map(|(a, b)| a - b).collect();
        let curvature = dot(&step, &change);
        if curvature > 0.0 {
            pairs.truncate(MEMORY - 1);
            pairs.insert(0, Pair { step, change, curvature });
        }
        (w, value) = (next, next_value);
        std::mem::swap(&mut gradient, &mut next_gradient);
    }
    w
}

/// −H g, where H approaches the inverse of the second derivatives; `pairs` are the newest first.
fn direction(gradient: &[f64], pairs: &[Pair]) -> Vec<f64> {
    let mut q: Vec<f64> = gradient.iter().map(|g| -g).collect();
    let add = |q: &mut [f64], factor: f64, v: &[f64]| q.iter_mut().zip(v).for_each(|(q, v)| *q += factor * v);
    let mut factors = Vec::new();
    for pair in pairs {
        let factor = dot(&pair.step, &q) / pair.curvature;
        add(&mut q, -factor, &pair.change);
        factors.push(factor);
    }
    if let Some(newest) = pairs.first() {
        let scale = newest.curvature / dot(&newest.change, &newest.change);
        q.iter_mut().for_each(|q| *q *= scale);
    }
    for (pair, factor) in pairs.iter().zip(factors).rev() {
        let back = dot(&pair.change, &q) / pair.curvature;
        add(&mut q, factor - back, &pair.step);
    }
    q
}
