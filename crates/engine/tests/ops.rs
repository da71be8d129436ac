//! Every operator on random shapes: gradients against finite differences in f64, the fast path against the f64
//! reference, fused against unfused, one worker against two, bit for bit.

use std::sync::Arc;

use engine::graph::{Built, Graph, Var};
use engine::ops::binary::Fn2;
use engine::ops::conv::{ConvOptions, ConvTransposeOptions, Padding};
use engine::ops::losses::CrossEntropy;
use engine::ops::pooling::PoolOptions;
use engine::ops::resize::Resize;
use engine::ops::scatter::Scatter;
use engine::ops::unary::Fn1;
use engine::plan::CACHE_BYTES;
use engine::reference::{Feed as Values, Tensor, evaluate};
use engine::rng::{Purpose, Rng};
use engine::{Draw, Executor, Plan, PlanOptions, Pool, Shape, StepContext, Wanted};

const ROUNDS: u64 = 100;
/// Of operators on images, which have more ways to be odd.
const IMAGE_ROUNDS: u64 = 200;

/// Random sizes and values, a pure function of the round.
struct Dice {
    rng: Rng,
    next: u64,
}

impl Dice {
    fn new(name: &str, round: u64) -> Self {
        let salt = name.bytes().fold(7u64, |h, b| h.wrapping_mul(131).wrapping_add(u64::from(b)));
        Dice { rng: Rng::new(salt, Purpose::Probe, 0, round), next: 0 }
    }

    fn below(&mut self, n: usize) -> usize {
        self.next += 1;
        self.rng.below(n as u64, self.next) as usize
    }

    /// A size: mostly small and odd, sometimes 0 or 1, sometimes beyond a vector.
    fn size(&mut self) -> usize {
        match self.below(12) {
            0 => 0,
            1 | 2 => 1,
            3 => 16,
            4 => 17 + self.below(40),
            _ => 2 + self.below(9),
        }
    }

    fn positive(&mut self) -> usize {
        self.size().max(1)
    }

    fn uniform(&mut self, low: f64, high: f64) -> f64 {
        self.next += 1;
        low + (high - low) * f64::from(self.rng.uniform(self.next))
    }
}

/// What a case builds, and how its values are drawn.
struct Made {
    y: Var,
    /// range of parameters and inputs
    range: (f64, f64),
    /// number of classes where input 1 holds labels
    classes: Option<usize>,
    /// terms added up in one value, for the tolerance
    inner: usize,
}

impl Made {
    fn new(y: Var) -> Self {
        Made { y, range: (-2.0, 2.0), classes: None, inner: 1 }
    }
}

type Case = (&'static str, fn(&mut Graph, &mut Dice) -> Built<Made>);

/// An input `[B, ...]` with `rank` axes.
fn batch_input(g: &mut Graph, d: &mut Dice, rank: usize) -> Built<Var> {
    let sizes: Vec<usize> = (0..rank).map(|_| d.size()).collect();
    g.input("x", sizes)
}

fn unary(g: &mut Graph, d: &mut Dice, f: impl Fn(&mut Graph, Var) -> Built<Var>) -> Built<Made> {
    let rank = 1 + d.below(3);
    let x = batch_input(g, d, rank)?;
    let y = f(g, x)?;
    Ok(Made::new(y))
}

fn binary(g: &mut Graph, d: &mut Dice, f: Fn2) -> Built<Made> {
    let x = batch_input(g, d, 3)?;
    let shape = g.shape(x).to_vec();
    let other = match d.below(6) {
        0 => g.param("v", [shape[2]])?,
        1 => g.param("v", [shape[1], shape[2]])?,
        2 => g.param("v", [])?,
        3 => g.param("v", [1, shape[1], 1])?,
        4 => g.sum_axes(x, 2, 3)?,
        _ => g.unary(Fn1::Square, x)?,
    };
    let (a, b) = if d.below(2) == 0 { (x, other) } else { (other, x) };
    Ok(Made { inner: shape[2].max(1), ..Made::new(g.binary(f, a, b)?) })
}

/// `[B, C, 1]` beside `[C, H]`: each can be read in the frame, but not with the same columns.
fn outer(g: &mut Graph, d: &mut Dice, f: Fn2) -> Built<Made> {
    let x = batch_input(g, d, 2)?;
    let &[rows, c] = &g.shape(x)[..] else { unreachable!("two axes") };
    let column = g.reshape(x, [rows, c, 1])?;
    let v = g.param("v", [c, d.positive()])?;
    let (a, b) = if d.below(2) == 0 { (column, v) } else { (v, column) };
    Ok(Made::new(g.binary(f, a, b)?))
}

fn loss(g: &mut Graph, d: &mut Dice, f: impl Fn(&mut Graph, Var, Var) -> Built<Var>) -> Built<Made> {
    let (b, k) = (d.positive(), d.positive());
    let x = g.input("x", [b, k])?;
    let t = g.input("t", [b, k])?;
    let y = f(g, x, t)?;
    Ok(Made { inner: b * k, ..Made::new(y) })
}

/// An image, weights and options of a convolution: groups, depthwise, strides, dilation, padding, odd sizes.
fn conv(g: &mut Graph, d: &mut Dice) -> Built<(Var, Var, ConvOptions)> {
    let groups = 1 + d.below(3);
    let inner = 1 + d.below(5);
    let outer = if d.below(3) == 0 { 16 } else { 1 + d.below(9) };
    let x = g.input("x", [d.below(6), 1 + d.below(9), 1 + d.below(9), groups * inner])?;
    let size = |g: &Graph, axis: usize| g.shape(x)[axis];
    let (stride, dilation) = ([1 + d.below(3), 1 + d.below(3)], [1 + d.below(2), 1 + d.below(2)]);
    let padding = match d.below(3) {
        0 => Padding::Valid,
        1 => Padding::Same,
        _ => Padding::Explicit { top: d.below(3), bottom: d.below(3), left: d.below(3), right: d.below(3) },
    };
    let mut kernel = [1 + d.below(5), 1 + d.below(5)];
    if padding != Padding::Same {
        let fits = |k: usize, size: usize, dilation: usize| k.min((size - 1) / dilation + 1);
        kernel = [fits(kernel[0], size(g, 1), dilation[0]), fits(kernel[1], size(g, 2), dilation[1])];
    }
    let w = g.param("weight", [kernel[0], kernel[1], inner, groups * outer])?;
    Ok((x, w, ConvOptions { stride, padding, dilation, groups }))
}

const CASES: &[Case] = &[
    ("relu", |g, d| unary(g, d, Graph::relu)),
    ("sigmoid", |g, d| unary(g, d, Graph::sigmoid)),
    ("tanh", |g, d| unary(g, d, Graph::tanh)),
    ("softplus", |g, d| unary(g, d, Graph::softplus)),
    ("exp", |g, d| unary(g, d, |g, x| g.unary(Fn1::Exp, x))),
    ("square", |g, d| unary(g, d, |g, x| g.unary(Fn1::Square, x))),
    ("abs", |g, d| unary(g, d, |g, x| g.unary(Fn1::Abs, x))),
    ("neg", |g, d| unary(g, d, |g, x| g.unary(Fn1::Neg, x))),
    ("erf", |g, d| unary(g, d, |g, x| g.unary(Fn1::Erf, x))),
    ("cos_turn", |g, d| unary(g, d, |g, x| g.unary(Fn1::CosTurn, x))),
    ("sin_turn", |g, d| unary(g, d, |g, x| g.unary(Fn1::SinTurn, x))),
    ("sign", |g, d| unary(g, d, |g, x| g.unary(Fn1::Sign, x))),
    ("step", |g, d| unary(g, d, |g, x| g.unary(Fn1::Step, x))),
    ("ln", |g, d| unary(g, d, |g, x| g.unary(Fn1::Ln, x)).map(|m| Made { range: (0.5, 3.0), ..m })),
    ("sqrt", |g, d| unary(g, d, |g, x| g.unary(Fn1::Sqrt, x)).map(|m| Made { range: (0.5, 3.0), ..m })),
    ("recip", |g, d| unary(g, d, |g, x| g.unary(Fn1::Recip, x)).map(|m| Made { range: (0.5, 3.0), ..m })),
    ("leaky_relu", |g, d| unary(g, d, |g, x| g.leaky_relu(x, 0.1))),
    ("elu", |g, d| unary(g, d, |g, x| g.elu(x, 1.3))),
    ("selu", |g, d| unary(g, d, Graph::selu)),
    ("smooth_clip", |g, d| unary(g, d, |g, x| g.smooth_clip(x, 1.5))),
    ("gelu", |g, d| unary(g, d, Graph::gelu)),
    ("gelu_tanh", |g, d| unary(g, d, Graph::gelu_tanh)),
    ("silu", |g, d| unary(g, d, Graph::silu)),
    ("mish", |g, d| unary(g, d, Graph::mish)),
    ("softsign", |g, d| unary(g, d, Graph::softsign)),
    ("hard_sigmoid", |g, d| unary(g, d, Graph::hard_sigmoid)),
    ("hard_tanh", |g, d| unary(g, d, Graph::hard_tanh)),
    ("hard_swish", |g, d| unary(g, d, Graph::hard_swish)),
    ("detach", |g, d| {
        unary(g, d, |g, x| {
            let c = g.detach(x)?;
            g.mul(c, x)
        })
    }),
    ("add", |g, d| binary(g, d, Fn2::Add)),
    ("sub", |g, d| binary(g, d, Fn2::Sub)),
    ("mul", |g, d| binary(g, d, Fn2::Mul)),
    ("mul_outer", |g, d| outer(g, d, Fn2::Mul)),
    ("sub_outer", |g, d| outer(g, d, Fn2::Sub)),
    ("div", |g, d| binary(g, d, Fn2::Div).map(|m| Made { range: (0.5, 3.0), ..m })),
    ("max", |g, d| binary(g, d, Fn2::Max)),
    ("min", |g, d| binary(g, d, Fn2::Min)),
    ("gate", |g, d| binary(g, d, Fn2::Gate)),
    ("eq", |g, d| binary(g, d, Fn2::Eq)),
    ("sum", |g, d| {
        let x = batch_input(g, d, 3)?;
        let start = d.below(3);
        let end = start + 1 + d.below(3 - start);
        let end = if start == 0 && end == 3 { 2 } else { end };
        let inner = g.shape(x)[start..end].iter().product::<usize>().max(1);
        Ok(Made { inner, ..Made::new(g.sum_axes(x, start, end)?) })
    }),
    ("amax", |g, d| {
        let x = g.input("x", [d.positive(), d.positive(), d.positive()])?;
        let start = d.below(3);
        let end = if start == 0 { 1 + d.below(2) } else { start + 1 };
        Ok(Made::new(g.max_axes(x, start, end)?))
    }),
    ("mean", |g, d| {
        let x = g.input("x", [d.positive(), d.positive(), d.positive()])?;
        let inner = g.shape(x).numel();
        Ok(Made { inner, ..Made::new(g.mean(x)?) })
    }),
    ("broadcast", |g, d| {
        let v = g.param("v", [d.size(), 1, d.size()])?;
        let s = g.shape(v).to_vec();
        let x = g.input("x", [d.size(), s[0], d.size().max(2), s[2]])?;
        let wide = g.broadcast_like(v, x)?;
        Ok(Made::new(g.mul(x, wide)?))
    }),
    ("broadcast times a number", |g, d| {
        let v = g.param("v", [1, d.size()])?;
        let n = g.shape(v)[1];
        let x = g.input("x", [d.size().max(2), n])?;
        let wide = g.broadcast_like(v, x)?;
        let scaled = g.scale(wide, 0.5)?;
        let rows = g.sum_axes(scaled, 1, 2)?;
        Ok(Made { inner: n.max(1), ..Made::new(g.add(x, rows)?) })
    }),
    ("a number beside a batch of numbers", |g, d| {
        let v = g.param("v", [1])?;
        let x = g.input("x", [d.size().max(2)])?;
        let product = g.mul(v, x)?;
        Ok(Made::new(g.add(product, v)?))
    }),
    ("reshape", |g, d| {
        let (b, i, j) = (d.size(), d.size(), d.size());
        let x = g.input("x", [b, i, j])?;
        let flat = g.reshape(x, [b * i, j])?;
        let square = g.unary(Fn1::Square, flat)?;
        Ok(Made::new(g.reshape(square, [b, i * j])?))
    }),
    ("transpose", |g, d| {
        let x = batch_input(g, d, 4)?;
        let orders = [[0, 1, 3, 2], [0, 2, 1, 3], [0, 3, 2, 1], [0, 2, 3, 1]];
        let y = g.transpose(x, &orders[d.below(4)])?;
        Ok(Made::new(y))
    }),
    ("concat", |g, d| {
        let (b, i, j) = (d.size(), d.size(), d.size());
        let x = g.input("x", [b, i, j])?;
        let z = if d.below(2) == 0 { g.input("z", [b, d.size(), j])? } else { x };
        let w = g.unary(Fn1::Square, z)?;
        Ok(Made::new(g.concat(&[x, w, x], 1)?))
    }),
    ("slice", |g, d| {
        let x = batch_input(g, d, 3)?;
        let axis = 1 + d.below(2);
        let size = g.shape(x)[axis];
        let start = d.below(size + 1);
        let len = d.below(size - start + 1);
        Ok(Made::new(g.slice(x, axis, start, len)?))
    }),
    ("pad", |g, d| {
        let x = batch_input(g, d, 3)?;
        let axis = 1 + d.below(2);
        Ok(Made::new(g.pad(x, axis, d.below(3), d.below(3))?))
    }),
    ("matmul", |g, d| {
        let (b, k, n) = (d.size(), d.size(), d.size());
        let x = if d.below(2) == 0 { g.input("x", [b, k])? } else { g.input("x", [b, d.size(), k])? };
        let w = g.param("w", [k, n])?;
        Ok(Made { inner: k.max(1), ..Made::new(g.matmul(x, w)?) })
    }),
    ("matmul_tn", |g, d| {
        let b = d.size();
        let x = g.input("x", [b, d.size()])?;
        let z = g.input("z", [b, d.size()])?;
        Ok(Made { inner: b.max(1), ..Made::new(g.matmul_tn(x, z)?) })
    }),
    ("matmul of parameters", |g, d| {
        let (m, k, n) = (d.size(), d.size(), d.size());
        g.input("x", [1, 1])?;
        let a = g.param("a", [k, m])?;
        let b = g.param("b", [k, n])?;
        Ok(Made { inner: k.max(1), ..Made::new(g.matmul_tn(a, b)?) })
    }),
    ("linear", |g, d| {
        let (b, i, o) = (d.size(), d.size(), d.size());
        let x = g.input("x", [b, i])?;
        let (w, v) = (g.param("weight", [o, i])?, g.param("bias", [o])?);
        let y = g.linear(x, w, Some(v))?;
        let y = g.relu(y)?;
        let u = g.param("second", [d.size(), o])?;
        let y = g.linear(y, u, None)?;
        Ok(Made { inner: (i * o).max(1), ..Made::new(y) })
    }),
    ("shared weight", |g, d| {
        let (b, n) = (d.size(), d.size());
        let x = g.input("x", [b, n])?;
        let w = g.param("weight", [n, n])?;
        let y = g.linear(x, w, None)?;
        let y = g.tanh(y)?;
        let y = g.linear(y, w, None)?;
        Ok(Made { inner: (n * n).max(1), ..Made::new(y) })
    }),
    ("gather", |g, d| {
        let k = d.positive();
        let b = d.size();
        let x = g.input("x", [b, 1])?;
        let i = g.input("index", [b, d.size()])?;
        let table = g.param("table", [k, d.size()])?;
        let rows = g.gather(table, i)?;
        let x = g.reshape(x, [b, 1, 1])?;
        let y = g.mul(rows, x)?;
        Ok(Made { classes: Some(k), inner: b.max(1), ..Made::new(y) })
    }),
    ("scatter", |g, d| {
        let (k, b) = (d.positive(), d.size());
        let (i, width) = (d.size(), d.size());
        let x = g.input("x", [b, i, width])?;
        let index = g.input("index", [b, i])?;
        let table = g.push(Scatter { rows: k }.into(), &[index, x])?;
        Ok(Made { classes: Some(k), inner: (b * i).max(1), ..Made::new(table) })
    }),
    ("buffer", |g, d| {
        let (b, c) = (d.size(), d.size());
        let x = g.input("x", [b, c])?;
        let (of_column, _) = g.buffer("of_column", [c])?;
        let (of_sample, _) = g.buffer("of_sample", [b, 1])?;
        let y = g.mul(x, of_column)?;
        Ok(Made::new(g.add(y, of_sample)?))
    }),
    ("tangent", |g, d| {
        let (b, c) = (d.size(), d.size());
        let x = g.input("x", [b, c])?;
        let w = g.param("w", [c])?;
        let v = g.tangent(w)?;
        let y = g.mul(x, v)?;
        Ok(Made::new(g.add(y, w)?))
    }),
    ("one_hot", |g, d| {
        let (b, k) = (d.size(), d.positive());
        let x = g.input("x", [b, k])?;
        let labels = g.input("labels", [b])?;
        let hot = g.one_hot(labels, k)?;
        Ok(Made { classes: Some(k), ..Made::new(g.mul(hot, x)?) })
    }),
    ("dropout", |g, d| {
        unary(g, d, |g, x| {
            let a = g.dropout(x, 0.3)?;
            let b = g.dropout(x, 0.6)?;
            g.add(a, b)
        })
    }),
    ("softmax", |g, d| {
        let x = g.input("x", [d.size(), d.positive(), d.positive()])?;
        Ok(Made { inner: g.shape(x).last_dim(), ..Made::new(g.softmax(x)?) })
    }),
    ("log_softmax", |g, d| {
        let x = g.input("x", [d.size(), d.positive()])?;
        Ok(Made { inner: g.shape(x).last_dim(), ..Made::new(g.log_softmax(x)?) })
    }),
    ("layer_norm", |g, d| {
        let x = g.input("x", [d.size(), d.size(), d.positive() + 2])?;
        let c = g.shape(x).last_dim();
        let (gamma, beta) = (g.param("gamma", [c])?, g.param("beta", [c])?);
        Ok(Made { inner: 100 * c, ..Made::new(g.layer_norm(x, gamma, beta, 1e-1)?) })
    }),
    ("moments", |g, d| {
        let x = g.input("x", [d.positive(), d.positive(), d.size()])?;
        let (m, v) = g.moments(x)?;
        let y = g.sub(x, m)?;
        let inner = g.shape(x).numel().max(1);
        Ok(Made { inner, ..Made::new(g.mul(y, v)?) })
    }),
    ("batch_norm", |g, d| {
        let (b, c) = (2 + d.below(20), d.size());
        let x = if d.below(2) == 0 { g.input("x", [b, c])? } else { g.input("x", [b, d.positive(), c])? };
        let (gamma, beta) = (g.param("gamma", [c])?, g.param("beta", [c])?);
        let n = g.batch_norm(x, gamma, beta, 1e-1)?;
        let y = g.tanh(n.y)?;
        let y = g.sub(y, n.variance)?;
        let y = g.batch_norm_fixed(y, [n.mean, n.variance], gamma, beta, 1e-1)?;
        Ok(Made { inner: 100 * b, ..Made::new(y) })
    }),
    ("conv", |g, d| {
        let (x, w, options) = conv(g, d)?;
        let y = g.conv2d(x, w, &options)?;
        let bias = g.param("bias", [g.shape(y).last_dim()])?;
        let y = g.add(y, bias)?;
        let y = if d.below(2) == 0 { g.relu(y)? } else { y };
        Ok(Made { inner: 25, ..Made::new(y) })
    }),
    ("conv_transpose", |g, d| {
        let groups = 1 + d.below(3);
        let (c, o) = (groups * (1 + d.below(5)), 1 + d.below(20 / groups));
        let x = g.input("x", [d.below(5), 1 + d.below(6), 1 + d.below(6), c])?;
        let kernel = [1 + d.below(4), 1 + d.below(4)];
        let options = ConvTransposeOptions {
            stride: [1 + d.below(3), 1 + d.below(3)],
            padding: [d.below(kernel[0].div_ceil(2)), d.below(kernel[1].div_ceil(2))],
            dilation: [1 + d.below(2), 1 + d.below(2)],
            groups,
            ..ConvTransposeOptions::default()
        };
        let extra = [0, 1].map(|a| d.below(options.stride[a].max(options.dilation[a])));
        let w = g.param("weight", [kernel[0], kernel[1], o, c])?;
        let y = g.conv2d_transpose(x, w, &ConvTransposeOptions { output_padding: extra, ..options })?;
        Ok(Made { inner: 25, ..Made::new(g.tanh(y)?) })
    }),
    ("conv_weight", |g, d| {
        let (x, w, options) = conv(g, d)?;
        // of the square, so that all three kinds of gradient are differentiated once more
        let y = g.conv2d(x, w, &options)?;
        let y = g.unary(Fn1::Square, y)?;
        let total = g.sum(y)?;
        let slope = g.gradients(total, &[w])?[0];
        let y = g.unary(Fn1::Square, slope)?;
        Ok(Made { inner: 100, ..Made::new(y) })
    }),
    ("conv chain", |g, d| {
        let x = g.input("x", [2 + d.below(9), 3 + d.below(6), 3 + d.below(6), 3])?;
        let same = ConvOptions { padding: Padding::Same, ..ConvOptions::default() };
        let w = g.param("first", [3, 3, 3, 7])?;
        let y = g.conv2d(x, w, &same)?;
        let (gamma, beta) = (g.param("gamma", [7])?, g.param("beta", [7])?);
        let y = g.batch_norm(y, gamma, beta, 1e-1)?.y;
        let skip = g.tanh(y)?;
        let w = g.param("second", [3, 3, 7, 7])?;
        let y = g.conv2d(skip, w, &same)?;
        let y = g.add(y, skip)?;
        let last = ConvOptions { stride: [2, 2], padding: Padding::both(1, 1), ..same };
        let w = g.param("third", [3, 3, 7, 5])?;
        let y = g.conv2d(y, w, &last)?;
        Ok(Made { inner: 400, ..Made::new(g.tanh(y)?) })
    }),
    ("cross_entropy", |g, d| {
        let (b, k) = (d.positive(), d.positive());
        let x = g.input("x", [b, k])?;
        let labels = g.input("labels", [b])?;
        let weights = if d.below(2) == 0 { None } else { Some(g.param("weights", [k])?) };
        let smoothing = if d.below(2) == 0 { 0.0 } else { 0.2 };
        let loss = g.cross_entropy(x, labels, CrossEntropy { smoothing, weights })?;
        Ok(Made { classes: Some(k), range: (0.3, 3.0), inner: b * k, ..Made::new(loss.mean) })
    }),
    ("bce_with_logits", |g, d| loss(g, d, |g, x, t| Ok(g.bce_with_logits(x, t)?.mean))),
    ("mse", |g, d| loss(g, d, |g, x, t| Ok(g.mse(x, t)?.mean))),
    ("l1", |g, d| loss(g, d, |g, x, t| Ok(g.l1(x, t)?.mean))),
    ("huber", |g, d| loss(g, d, |g, x, t| Ok(g.huber(x, t, 0.7)?.mean))),
];

/// Images `[B, H, W, C]`: few pixels, channels within and beyond a vector.
fn images(g: &mut Graph, d: &mut Dice) -> Built<Var> {
    let side = |d: &mut Dice| if d.below(6) == 0 { 1 } else { 2 + d.below(8) };
    let channels = [1, 2, 3, 4, 7, 16, 17, 33, 64, 70][d.below(10)];
    g.input("x", [d.below(5), side(d), side(d), channels])
}

/// Windows that fit images of this shape.
fn windows(d: &mut Dice, image: &Shape) -> PoolOptions {
    loop {
        let kernel = match d.below(4) {
            0 => [2, 2],
            1 => [3, 3],
            _ => [1 + d.below(5), 1 + d.below(5)],
        };
        let stride = if d.below(3) == 0 { kernel } else { [1 + d.below(4), 1 + d.below(4)] };
        let padding = kernel.map(|k| d.below(k / 2 + 1));
        let options = PoolOptions { kernel, stride, padding, ceil: d.below(2) == 0 };
        if options.window(image).is_ok() {
            return options;
        }
    }
}

fn on_images(
    g: &mut Graph,
    d: &mut Dice,
    f: impl Fn(&mut Graph, &mut Dice, Var) -> Built<Var>,
) -> Built<Made> {
    let x = images(g, d)?;
    let [_, h, w, _] = g.shape(x)[..] else { unreachable!("images have four axes") };
    let y = f(g, d, x)?;
    Ok(Made { inner: h * w, ..Made::new(y) })
}

/// The gradient of a sum with respect to `x`, for its own gradient to be looked at.
fn slope(g: &mut Graph, y: Var, x: Var) -> Built<Var> {
    let sum = g.sum(y)?;
    Ok(g.gradients(sum, &[x])?[0])
}

const IMAGES: &[Case] = &[
    ("max_pool", |g, d| {
        on_images(g, d, |g, d, x| {
            let options = windows(d, g.shape(x));
            g.max_pool2d(x, &options)
        })
    }),
    ("max_pool between others", |g, d| {
        on_images(g, d, |g, d, x| {
            let options = windows(d, g.shape(x));
            let x = g.tanh(x)?;
            let y = g.max_pool2d(x, &options)?;
            let y = g.relu(y)?;
            let z = g.avg_pool2d(x, &options, true)?;
            g.add(y, z)
        })
    }),
    ("gradient of max_pool", |g, d| {
        on_images(g, d, |g, d, x| {
            let options = windows(d, g.shape(x));
            let y = g.max_pool2d(x, &options)?;
            let plain = slope(g, y, x)?;
            let bent = g.unary(Fn1::Square, y)?;
            let bent = slope(g, bent, x)?;
            let product = g.mul(plain, x)?;
            g.add(bent, product)
        })
    }),
    ("avg_pool", |g, d| {
        on_images(g, d, |g, d, x| {
            let options = windows(d, g.shape(x));
            g.avg_pool2d(x, &options, d.below(2) == 0)
        })
    }),
    ("adaptive_avg_pool", |g, d| {
        on_images(g, d, |g, d, x| g.adaptive_avg_pool2d(x, [1 + d.below(7), 1 + d.below(7)]))
    }),
    ("global_avg_pool", |g, d| on_images(g, d, |g, _, x| g.global_avg_pool(x))),
    ("gradient of avg_pool", |g, d| {
        on_images(g, d, |g, d, x| {
            let options = windows(d, g.shape(x));
            let y = g.avg_pool2d(x, &options, true)?;
            let plain = slope(g, y, x)?;
            let bent = g.unary(Fn1::Square, y)?;
            let bent = slope(g, bent, x)?;
            g.add(bent, plain)
        })
    }),
    ("nearest", |g, d| {
        on_images(g, d, |g, d, x| g.resize(x, [1 + d.below(15), 1 + d.below(15)], Resize::Nearest))
    }),
    ("bilinear", |g, d| {
        on_images(g, d, |g, d, x| g.resize(x, [1 + d.below(15), 1 + d.below(15)], Resize::Bilinear))
    }),
    ("pad2d", |g, d| {
        on_images(g, d, |g, d, x| {
            let (rows, columns) = ([d.below(3), d.below(3)], [d.below(3), d.below(3)]);
            g.pad2d(x, rows, columns)
        })
    }),
    ("crop", |g, d| {
        on_images(g, d, |g, d, x| {
            let input = [g.shape(x)[1], g.shape(x)[2]];
            let start = input.map(|n| d.below(n));
            let size = [0, 1].map(|a| 1 + d.below(input[a] - start[a]));
            g.crop(x, start, size)
        })
    }),
    ("flatten_image", |g, d| on_images(g, d, |g, _, x| g.flatten_image(x))),
    ("instance_norm", |g, d| {
        on_images(g, d, |g, _, x| g.instance_norm(x, 1e-1)).map(|m| Made { inner: 100 * m.inner, ..m })
    }),
    ("group_norm", |g, d| {
        let made = on_images(g, d, |g, d, x| {
            let channels = g.shape(x)[3];
            let divisors: Vec<usize> = (1..=channels).filter(|n| channels % n == 0).collect();
            g.group_norm(x, divisors[d.below(divisors.len())], 1e-1)
        })?;
        Ok(Made { inner: 100 * made.inner, ..made })
    }),
    ("channel_dropout", |g, d| {
        on_images(g, d, |g, _, x| {
            let y = g.channel_dropout(x, 0.4)?;
            let z = g.dropout(x, 0.4)?;
            g.add(y, z)
        })
    }),
];

/// The scalar that is differentiated: every element of y has a weight of its own.
fn objective(g: &mut Graph, y: Var) -> Built<Var> {
    let square = g.unary(Fn1::Square, y)?;
    let bent = g.scale(square, 0.25)?;
    let both = g.add(bent, y)?;
    g.sum(both)
}

fn draw_values(g: &Graph, made: &Made, dice: &mut Dice) -> Values {
    let (low, high) = made.range;
    let mut numbers =
        |n: usize| (0..n).map(|_| f64::from(dice.uniform(low, high) as f32)).collect::<Vec<_>>();
    let mut inputs: Vec<Vec<f64>> = g.inputs.iter().map(|i| numbers(i.shape.numel())).collect();
    let params = numbers(g.params.len());
    let (buffers, tangents) = (numbers(g.buffers.len()), numbers(g.params.len()));
    if let Some(k) = made.classes {
        inputs[1].iter_mut().for_each(|x| *x = dice.below(k) as f64);
    }
    Values { inputs, params, buffers, tangents, draw: Draw { seed: 3, step: 5, first_row: 0 } }
}

fn to_f32(values: &[f64]) -> Vec<f32> {
    values.iter().map(|x| *x as f32).collect()
}

/// What one run of the fast path gives: outputs, then the flat gradient.
fn run_fast(
    g: &Graph,
    wanted: &Wanted,
    values: &Values,
    options: PlanOptions,
    pool: &Arc<Pool>,
) -> Vec<Vec<f32>> {
    let plan = Plan::compile(g, wanted, options).unwrap();
    let mut executor = Executor::new(Arc::new(plan), pool.clone());
    let inputs: Vec<Vec<f32>> = values.inputs.iter().map(|x| to_f32(x)).collect();
    let slices: Vec<&[f32]> = inputs.iter().map(Vec::as_slice).collect();
    let (params, buffers) = (to_f32(&values.params), to_f32(&values.buffers));
    let tangents = to_f32(&values.tangents);
    let feed: &[&[f32]] = &slices;
    struct Whole<'a>(&'a [&'a [f32]]);
    impl engine::Feed for Whole<'_> {
        fn fill(&self, input: usize, rows: std::ops::Range<usize>, out: &mut [f32]) {
            self.0.fill(input, rows, out);
        }
    }
    executor.run(
        StepContext { params: &params, buffers: &buffers, tangents: &tangents, draw: values.draw },
        &Whole(feed),
    );
    let mut found: Vec<Vec<f32>> = (0..wanted.outputs.len())
        .map(|i| {
            let mut out = vec![f32::NAN; executor.output_len(i)];
            executor.output(i, &mut out);
            out
        })
        .collect();
    let mut gradient = vec![f32::NAN; params.len()];
    executor.gradients(&mut gradient);
    found.push(gradient);
    found
}

fn close(what: &str, got: &[f32], want: &[f64], tolerance: f64) {
    assert_eq!(got.len(), want.len(), "{what}");
    let scale = want.iter().fold(1.0f64, |s, x| s.max(x.abs()));
    for (i, (g, w)) in got.iter().zip(want).enumerate() {
        let error = (f64::from(*g) - w).abs() / scale;
        assert!(error <= tolerance, "{what}[{i}]: got {g}, want {w}, error {error:e} > {tolerance:e}");
    }
}

/// Central differences on a few coordinates of every parameter and differentiable input.
fn check_differences(
    name: &str,
    g: &Graph,
    at: Var,
    values: &Values,
    gradients: &[Tensor],
    dice: &mut Dice,
    inputs: &[usize],
) {
    let n_params = g.params.slots.len();
    let total = |v: &Values| evaluate(g, v, &[at])[0].data[0];
    let scale = gradients.iter().flat_map(|t| &t.data).fold(1.0f64, |s, x| s.max(x.abs()));
    for (which, gradient) in gradients.iter().enumerate() {
        for _ in 0..3.min(gradient.data.len()) {
            let i = dice.below(gradient.data.len());
            let h = 1e-5;
            let moved = |sign: f64| {
                let mut v = values.clone();
                if which < n_params {
                    v.params[g.params.slots[which].offset + i] += sign * h;
                } else {
                    v.inputs[inputs[which - n_params]][i] += sign * h;
                }
                total(&v)
            };
            let numeric = (moved(1.0) - moved(-1.0)) / (2.0 * h);
            let error = (numeric - gradient.data[i]).abs() / scale;
            assert!(
                error < 1e-6,
                "{name}: gradient {which}[{i}] is {}, differences say {numeric}",
                gradient.data[i]
            );
        }
    }
}

fn check_case((name, build): Case, pools: &[Arc<Pool>; 2]) {
    let on_images = name.starts_with("conv") || IMAGES.iter().any(|case| case.0 == name);
    let rounds = if on_images { IMAGE_ROUNDS } else { ROUNDS };
    for round in 0..rounds {
        let mut dice = Dice::new(name, round);
        let mut g = Graph::new();
        let made = build(&mut g, &mut dice).unwrap_or_else(|e| panic!("{name} round {round}: {e}"));
        let total = objective(&mut g, made.y).unwrap();
        let of_op =
            |op: fn(&engine::ops::Op) -> bool| g.vars().filter(|v| op(&g.node(*v).op)).collect::<Vec<Var>>();
        let params = of_op(|op| matches!(op, engine::ops::Op::Param(_)));
        let inputs: Vec<(usize, Var)> =
            of_op(|op| matches!(op, engine::ops::Op::Input(_))).into_iter().enumerate().collect();
        let inputs: Vec<(usize, Var)> =
            inputs.into_iter().filter(|(i, _)| !(made.classes.is_some() && *i == 1)).collect();
        let wrt: Vec<Var> = params.iter().copied().chain(inputs.iter().map(|(_, v)| *v)).collect();
        let gradients = g.gradients(total, &wrt).unwrap_or_else(|e| panic!("{name} round {round}: {e}"));
        let values = draw_values(&g, &made, &mut dice);
        let exact = evaluate(&g, &values, &gradients);
        let numbers: Vec<usize> = inputs.iter().map(|(i, _)| *i).collect();
        if name != "detach" {
            check_differences(name, &g, total, &values, &exact, &mut dice, &numbers);
        }

        let input_gradients = &gradients[params.len()..];
        let outputs: Vec<Var> = [made.y].into_iter().chain(input_gradients.iter().copied()).collect();
        let wanted = Wanted {
            outputs: outputs.clone(),
            gradients: gradients[..params.len()].to_vec(),
            assigns: false,
        };
        let mut want: Vec<Vec<f64>> = evaluate(&g, &values, &outputs).into_iter().map(|t| t.data).collect();
        want.push(exact[..params.len()].iter().flat_map(|t| t.data.clone()).collect());

        let batch = g.inputs[0].shape.first().copied().unwrap_or(0);
        let shards = 1 + dice.below(5);
        let tolerance = 1e-5 * (made.inner.max(1) as f64).sqrt();
        let mut first: Option<Vec<Vec<f32>>> = None;
        let runs = [
            (true, CACHE_BYTES, &pools[0]),
            (true, CACHE_BYTES, &pools[1]),
            (true, 2000, &pools[1]),
            (false, CACHE_BYTES, &pools[1]),
        ];
        for (fuse, cache_bytes, pool) in runs {
            let workers = pool.n_workers();
            let shards = shards.max(2);
            let options = PlanOptions { fuse, cache_bytes, ..PlanOptions::new(batch, shards, workers) };
            let got = run_fast(&g, &wanted, &values, options, pool);
            for (i, (g, w)) in got.iter().zip(&want).enumerate() {
                close(
                    &format!("{name} round {round} fuse {fuse} workers {workers} value {i}"),
                    g,
                    w,
                    tolerance,
                );
            }
            match &first {
                Some(one) if fuse => {
                    let bits =
                        |v: &Vec<Vec<f32>>| v.iter().flatten().map(|x| x.to_bits()).collect::<Vec<_>>();
                    assert_eq!(
                        bits(one),
                        bits(&got),
                        "{name} round {round}: {workers} workers, chunks for {cache_bytes} B"
                    );
                }
                _ => first = Some(got),
            }
        }
    }
}

#[test]
fn every_entry_of_the_registry_has_a_case() {
    let mut used = std::collections::BTreeSet::new();
    for (name, build) in CASES.iter().chain(IMAGES) {
        for round in 0..8 {
            let mut g = Graph::new();
            build(&mut g, &mut Dice::new(name, round)).unwrap();
            used.extend(g.vars().map(|v| g.node(v).op.file()));
        }
    }
    let missing: Vec<&&str> = engine::ops::ALL.iter().filter(|name| !used.contains(**name)).collect();
    assert!(missing.is_empty(), "no case in tests/ops.rs builds {missing:?}");
}

#[test]
fn every_operator_agrees_with_the_reference_and_with_finite_differences() {
    let pools = [Arc::new(Pool::new(1)), Arc::new(Pool::new(2))];
    CASES.iter().for_each(|case| check_case(*case, &pools));
}

#[test]
fn operators_on_images_agree_with_the_reference_and_with_finite_differences() {
    let pools = [Arc::new(Pool::new(1)), Arc::new(Pool::new(2))];
    IMAGES.iter().for_each(|case| check_case(*case, &pools));
}
