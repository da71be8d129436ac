//! For every operator of the registry, a way to add it to a graph under way, or nothing where no value fits.

use engine::Shape;
use engine::graph::{Built, Var};
use engine::ops::batch_norm::BatchNorm;
use engine::ops::binary::Fn2;
use engine::ops::broadcast::Broadcast;
use engine::ops::conv::{ConvOptions, ConvTransposeOptions, Padding};
use engine::ops::conv_weight::ConvWeight;
use engine::ops::matmul::MatMul;
use engine::ops::max_pool::MaxPick;
use engine::ops::max_spread::MaxSpread;
use engine::ops::pooling::PoolOptions;
use engine::ops::reduce::{Fold, Reduce};
use engine::ops::resize::Resize;
use engine::ops::scatter::Scatter;
use engine::ops::unary::Fn1;
use engine::ops::{Op, moments::Moments};

use crate::draw::Gen;

pub type Maker = fn(&mut Gen) -> Built<Option<Var>>;

/// Names are those of `ops::ALL`; some stand twice, to be drawn more often or in another form.
pub const MAKERS: &[(&str, Maker)] = &[
    ("input", |d| {
        let rank = d.dice.below(3);
        let inner = d.sizes(rank);
        d.input(&inner).map(Some)
    }),
    ("param", |d| {
        let rank = d.dice.below(4);
        let shape = d.sizes(rank);
        d.param(&shape).map(Some)
    }),
    ("buffer", |d| {
        let rank = d.dice.below(3);
        let mut shape = d.sizes(rank);
        if d.dice.chance(50) {
            shape.insert(0, d.batch);
        }
        d.buffer(&shape).map(Some)
    }),
    ("tangent", |d| {
        let rank = d.dice.below(4);
        let shape = d.sizes(rank);
        let p = d.param(&shape)?;
        let v = d.g.tangent(p)?;
        d.g.mul(p, v).map(Some)
    }),
    ("constant", |d| {
        let rank = d.dice.below(3);
        let shape = d.sizes(rank);
        d.constant(&shape).map(Some)
    }),
    ("unary", unary),
    ("unary", unary),
    ("binary", binary),
    ("binary", binary),
    ("binary", binary),
    ("detach", |d| {
        let x = d.any();
        let y = d.g.detach(x)?;
        d.g.mul(y, x).map(Some)
    }),
    ("reduce", reduce),
    ("reduce", reduce),
    ("broadcast", broadcast),
    ("reshape", reshape),
    ("reshape", reshape),
    ("transpose", transpose),
    ("concat", concat),
    ("concat", concat),
    ("slice", slice),
    ("slice", slice),
    ("pad", |d| {
        let Some((x, axis)) = axis_of(d) else { return Ok(None) };
        let (before, after) = (d.dice.below(3), d.dice.below(3));
        d.g.pad(x, axis, before, after).map(Some)
    }),
    ("matmul", matmul),
    ("matmul", matmul),
    ("gather", |d| {
        let (labels, classes) = d.labels()?;
        let width = d.size();
        let table = d.same(&[classes, width])?;
        d.g.gather(table, labels).map(Some)
    }),
    ("scatter", |d| {
        let (labels, classes) = d.labels()?;
        let width = d.size();
        let shape: Vec<usize> = d.shape(labels).iter().copied().chain([width]).collect();
        let dy = d.beside(labels, &shape)?;
        d.g.push(Scatter { rows: classes }.into(), &[labels, dy]).map(Some)
    }),
    ("mask", |d| {
        let x = d.any();
        d.g.dropout(x, 0.3).map(Some)
    }),
    ("one_hot", |d| {
        let (labels, classes) = d.labels()?;
        let hot = d.g.one_hot(labels, classes)?;
        let shape = d.shape(hot);
        let weight = d.beside(hot, &shape)?;
        d.g.mul(hot, weight).map(Some)
    }),
    ("moments", |d| {
        let Some(x) = d.some(|s| s.len() > 1) else { return Ok(None) };
        d.g.push(Op::Moments(Moments), &[x]).map(Some)
    }),
    ("batch_norm", batch_norm),
    ("conv", |d| conv(d, conv_of)),
    ("conv_input", conv_input),
    ("conv_weight", |d| {
        conv(d, |d, x, w, options| {
            let y = d.g.conv2d(x, w, options)?;
            let Op::Conv(conv) = d.g.node(y).op.clone() else { return Ok(y) };
            let shape = d.shape(y);
            let dy = d.beside(x, &shape)?;
            d.g.push(ConvWeight(conv.0).into(), &[x, dy])
        })
    }),
    ("max_pool", max_pool),
    ("max_spread", max_spread),
    ("resample", resample),
    ("resample", norms),
];

fn unary(d: &mut Gen) -> Built<Option<Var>> {
    const ALL: [Fn1; 16] = [
        Fn1::Neg,
        Fn1::Abs,
        Fn1::Sign,
        Fn1::Step,
        Fn1::Square,
        Fn1::Sqrt,
        Fn1::Recip,
        Fn1::Exp,
        Fn1::Ln,
        Fn1::Tanh,
        Fn1::Sigmoid,
        Fn1::Softplus,
        Fn1::Erf,
        Fn1::Relu,
        Fn1::CosTurn,
        Fn1::SinTurn,
    ];
    let (f, x) = (d.dice.of(&ALL), d.any());
    let (near, far) = d.reach(x);
    let positive = d.value(x).iter().all(|v| *v > 0.0);
    let x = match f {
        Fn1::Sqrt | Fn1::Ln | Fn1::Recip if near < 0.2 || !(positive || f == Fn1::Recip) => {
            let square = d.g.unary(Fn1::Square, x)?;
            d.g.shift(square, 0.5)?
        }
        Fn1::Exp if far > 3.0 => d.g.tanh(x)?,
        _ => x,
    };
    d.g.unary(f, x).map(Some)
}

/// An operand of another shape than `shape` that broadcasts with it.
fn operand(d: &mut Gen, x: Var) -> Built {
    let shape = d.shape(x);
    let rank = shape.len();
    let tail = |from: usize| shape[from.min(rank)..].to_vec();
    match d.dice.below(9) {
        0 => Ok(x),
        1 => d.same(&tail(rank.max(1) - 1)),
        2 => {
            let from = d.dice.below(rank + 1);
            d.same(&tail(from))
        }
        3 => {
            let ones = vec![1; d.dice.below(rank + 1)];
            d.same(&ones)
        }
        4 if rank > 1 => {
            let column = shape.with(rank - 1, 1);
            d.beside(x, &column)
        }
        5 if rank > 1 => d.g.sum_axes(x, rank - 1, rank),
        6 => {
            let some: Vec<usize> = shape.iter().map(|n| if d.dice.chance(50) { 1 } else { *n }).collect();
            d.same(&some)
        }
        7 => {
            let wide: Vec<usize> = [d.batch].into_iter().chain(shape.iter().copied()).collect();
            if d.is_rows(x) { d.beside(x, &shape) } else { d.of_rows(&wide) }
        }
        _ => d.beside(x, &shape),
    }
}

fn binary(d: &mut Gen) -> Built<Option<Var>> {
    const ALL: [Fn2; 8] = [Fn2::Add, Fn2::Sub, Fn2::Mul, Fn2::Div, Fn2::Max, Fn2::Min, Fn2::Gate, Fn2::Eq];
    let f = if d.dice.chance(50) { d.dice.of(&[Fn2::Mul, Fn2::Add]) } else { d.dice.of(&ALL) };
    let x = d.any();
    let other = operand(d, x)?;
    let (a, b) = if d.dice.chance(50) { (x, other) } else { (other, x) };
    let f = if f == Fn2::Div && d.reach(b).0 < 0.2 { Fn2::Mul } else { f };
    d.g.binary(f, a, b).map(Some)
}

fn reduce(d: &mut Gen) -> Built<Option<Var>> {
    let Some(x) = d.some(|s| !s.is_empty()) else { return Ok(None) };
    let rank = d.shape(x).len();
    let start = d.dice.below(rank);
    let end = start + 1 + d.dice.below(rank - start);
    let empty = d.shape(x)[start..end].contains(&0);
    match d.dice.below(4) {
        0 | 1 => d.g.sum_axes(x, start, end).map(Some),
        2 if !empty => d.g.max_axes(x, start, end).map(Some),
        2 => Ok(None),
        _ => {
            let fold = if d.dice.chance(70) || empty { Fold::Sum } else { Fold::Max };
            d.g.push(Op::Reduce(Reduce { fold, start, end }), &[x]).map(Some)
        }
    }
}

fn broadcast(d: &mut Gen) -> Built<Option<Var>> {
    let Some(like) = d.some(|s| !s.is_empty()) else { return Ok(None) };
    let shape = d.shape(like);
    let ones: Vec<usize> = shape.iter().map(|n| if d.dice.chance(50) { 1 } else { *n }).collect();
    let v = if d.is_rows(like) && ones[0] == shape[0] && d.dice.chance(60) {
        d.of_rows(&ones)?
    } else {
        let from = d.dice.below(ones.len());
        d.same(&ones[from..])?
    };
    let to = shape.clone();
    if d.shape(v) == to { Ok(Some(v)) } else { d.g.push(Broadcast { to }.into(), &[v, like]).map(Some) }
}

/// Another shape with as many elements; of rows, the first axis stays a multiple of the batch.
fn other_shape(d: &mut Gen, n: usize, rows: bool) -> Shape {
    let mut left = if rows { n / d.batch } else { n };
    let mut sizes = vec![];
    while left > 1 && sizes.len() < 4 {
        let divisors: Vec<usize> = (1..=left).filter(|k| left.is_multiple_of(*k)).collect();
        let size = d.dice.of(&divisors);
        sizes.push(size);
        left /= size;
    }
    if left != 1 || (n > 0 && d.dice.chance(20)) {
        sizes.push(left);
    }
    if rows && (d.dice.chance(60) || sizes.is_empty()) {
        sizes.insert(0, d.batch);
    } else if rows {
        sizes[0] *= d.batch;
    }
    sizes.into()
}

fn reshape(d: &mut Gen) -> Built<Option<Var>> {
    let x = d.any();
    let rows = d.is_rows(x);
    let n = d.shape(x).numel();
    let to = other_shape(d, n, rows);
    d.g.reshape(x, to).map(Some)
}

fn transpose(d: &mut Gen) -> Built<Option<Var>> {
    let Some(x) = d.some(|s| s.len() > 1) else { return Ok(None) };
    let first = usize::from(d.is_rows(x));
    let mut order: Vec<usize> = (0..d.shape(x).len()).collect();
    for i in (first + 1..order.len()).rev() {
        let other = first + d.dice.below(i + 1 - first);
        order.swap(i, other);
    }
    d.g.transpose(x, &order).map(Some)
}

/// A value and an axis of it that may be cut.
fn axis_of(d: &mut Gen) -> Option<(Var, usize)> {
    for _ in 0..12 {
        let x = d.any();
        let first = usize::from(d.is_rows(x));
        let rank = d.shape(x).len();
        if rank > first {
            return Some((x, first + d.dice.below(rank - first)));
        }
    }
    None
}

fn concat(d: &mut Gen) -> Built<Option<Var>> {
    let Some((x, axis)) = axis_of(d) else { return Ok(None) };
    let mut all = vec![x];
    for _ in 0..1 + d.dice.below(2) {
        let len = if d.dice.chance(50) { d.shape(x)[axis] } else { d.size() };
        let shape = d.shape(x).with(axis, len);
        all.push(if d.is_rows(x) { d.of_rows(&shape)? } else { d.same(&shape)? });
    }
    let at = d.dice.below(all.len());
    all.swap(0, at);
    d.g.concat(&all, axis).map(Some)
}

fn slice(d: &mut Gen) -> Built<Option<Var>> {
    let Some((x, axis)) = axis_of(d) else { return Ok(None) };
    let size = d.shape(x)[axis];
    let start = d.dice.below(size.max(1));
    let len = (1 + d.dice.below(size - start)).min(size - start);
    d.g.slice(x, axis, start, len).map(Some)
}

fn matmul(d: &mut Gen) -> Built<Option<Var>> {
    let Some(x) = d.some(|s| s.len() > 1) else { return Ok(None) };
    let shape = d.shape(x);
    let (k, n) = (shape.last_dim(), d.size());
    let rows: usize = shape[..shape.len() - 1].iter().product();
    match d.dice.below(4) {
        0 => {
            let w = d.same(&[k, n])?;
            d.g.matmul(x, w).map(Some)
        }
        1 | 2 => {
            let w = d.same(&[n, k])?;
            if d.dice.chance(50) {
                let bias = d.same(&[n])?;
                return d.g.linear(x, w, Some(bias)).map(Some);
            }
            d.g.matmul_nt(x, w).map(Some)
        }
        _ => {
            let other = if d.is_rows(x) { d.of_rows(&[rows, n])? } else { d.same(&[rows, n])? };
            d.g.push(MatMul { ta: true, tb: false }.into(), &[x, other]).map(Some)
        }
    }
}

fn batch_norm(d: &mut Gen) -> Built<Option<Var>> {
    let Some(x) = d.some(|s| s.len() > 1 && s.numel() > 0) else { return Ok(None) };
    let c = d.shape(x).last_dim();
    let (gamma, beta) = (d.same(&[c])?, d.same(&[c])?);
    match d.dice.below(3) {
        0 => Ok(Some(d.g.batch_norm(x, gamma, beta, 0.1)?.y)),
        1 => {
            let square = d.g.unary(Fn1::Square, gamma)?;
            d.g.batch_norm_fixed(x, [beta, square], gamma, beta, 0.1).map(Some)
        }
        _ => {
            // the statistics of another value, and their gradient left alone
            let (mean, variance) = d.g.moments(x)?;
            let shifted = d.g.shift(variance, 0.1)?;
            let root = d.g.unary(Fn1::Sqrt, shifted)?;
            let r = d.g.unary(Fn1::Recip, root)?;
            d.g.push(BatchNorm.into(), &[x, mean, r, gamma, beta]).map(Some)
        }
    }
}

/// Images: as they are there, or a value seen as such.
fn image(d: &mut Gen) -> Built<Var> {
    if let Some(x) = d.some(|s| s.len() == 4 && s.numel() > 0) {
        return Ok(x);
    }
    let (h, w, c) = (1 + d.dice.below(6), 1 + d.dice.below(6), d.dice.of(&[1, 2, 3, 4, 6, 17]));
    let inner = [h, w, c];
    if d.dice.chance(75) {
        d.input(&inner)
    } else {
        let images = 1 + d.dice.below(3);
        d.same(&[images, h, w, c])
    }
}

fn conv(d: &mut Gen, with: fn(&mut Gen, Var, Var, &ConvOptions) -> Built) -> Built<Option<Var>> {
    let x = image(d)?;
    let [_, h, w, c] = d.shape(x)[..] else { return Ok(None) };
    let groups = if c.is_multiple_of(2) && d.dice.chance(30) { 2 } else { 1 };
    let groups = if d.dice.chance(15) { c } else { groups };
    let outer = 1 + d.dice.below(4);
    let kernel = match d.dice.below(3) {
        0 if h > 2 && w > 2 => [3, 3],
        _ => [1 + d.dice.below(h.min(3)), 1 + d.dice.below(w.min(3))],
    };
    let padding = match d.dice.below(3) {
        0 => Padding::Valid,
        1 => Padding::Same,
        _ => Padding::both(d.dice.below(2), d.dice.below(2)),
    };
    let stride = if d.dice.chance(70) { [1, 1] } else { [1 + d.dice.below(2), 1 + d.dice.below(2)] };
    let options = ConvOptions { stride, padding, dilation: [1, 1], groups };
    let weight = d.same(&[kernel[0], kernel[1], c / groups, groups * outer])?;
    with(d, x, weight, &options).map(Some)
}

fn conv_of(d: &mut Gen, x: Var, w: Var, options: &ConvOptions) -> Built {
    let y = d.g.conv2d(x, w, options)?;
    if d.dice.chance(50) {
        return Ok(y);
    }
    let c = d.shape(y).last_dim();
    let bias = d.same(&[c])?;
    let y = d.g.add(y, bias)?;
    d.g.relu(y)
}

fn conv_input(d: &mut Gen) -> Built<Option<Var>> {
    let x = image(d)?;
    let c = d.shape(x).last_dim();
    let kernel = [1 + d.dice.below(3), 1 + d.dice.below(3)];
    let stride = [1 + d.dice.below(2), 1 + d.dice.below(2)];
    let outer = 1 + d.dice.below(4);
    let w = d.same(&[kernel[0], kernel[1], outer, c])?;
    let options = ConvTransposeOptions { stride, ..ConvTransposeOptions::default() };
    d.g.conv2d_transpose(x, w, &options).map(Some)
}

/// Windows that fit the images of this shape.
fn windows(d: &mut Gen, image: &Shape) -> PoolOptions {
    for _ in 0..50 {
        let kernel = [1 + d.dice.below(3), 1 + d.dice.below(3)];
        let stride = [1 + d.dice.below(3), 1 + d.dice.below(3)];
        let padding = kernel.map(|k| d.dice.below(k / 2 + 1));
        let options = PoolOptions { kernel, stride, padding, ceil: d.dice.chance(50) };
        if options.window(image).is_ok() {
            return options;
        }
    }
    PoolOptions { kernel: [1, 1], stride: [1, 1], padding: [0, 0], ceil: false }
}

fn max_pool(d: &mut Gen) -> Built<Option<Var>> {
    let x = image(d)?;
    let shape = d.shape(x);
    let options = windows(d, &shape);
    if d.dice.chance(60) {
        return d.g.max_pool2d(x, &options).map(Some);
    }
    let Ok(window) = options.window(&shape) else { return Ok(None) };
    let v = d.beside(x, &shape)?;
    d.g.push(MaxPick { window }.into(), &[x, v]).map(Some)
}

fn max_spread(d: &mut Gen) -> Built<Option<Var>> {
    let x = image(d)?;
    let shape = d.shape(x);
    let Ok(window) = windows(d, &shape).window(&shape) else { return Ok(None) };
    let pooled = [shape[0], window.output[0], window.output[1], shape[3]];
    let dy = d.beside(x, &pooled)?;
    d.g.push(MaxSpread { window }.into(), &[x, dy]).map(Some)
}

fn resample(d: &mut Gen) -> Built<Option<Var>> {
    let x = image(d)?;
    let shape = d.shape(x);
    let size = [1 + d.dice.below(7), 1 + d.dice.below(7)];
    let y = match d.dice.below(5) {
        0 => {
            let options = windows(d, &shape);
            let whole = d.dice.chance(50);
            d.g.avg_pool2d(x, &options, whole)?
        }
        1 => d.g.adaptive_avg_pool2d(x, size)?,
        2 => d.g.resize(x, size, Resize::Nearest)?,
        3 => d.g.resize(x, size, Resize::Bilinear)?,
        _ => d.g.global_avg_pool(x)?,
    };
    Ok(Some(y))
}

/// Compositions that hold more than one operator.
fn norms(d: &mut Gen) -> Built<Option<Var>> {
    let Some(x) = d.some(|s| s.len() > 1 && s.numel() > 0) else { return Ok(None) };
    let c = d.shape(x).last_dim();
    let y = match d.dice.below(4) {
        0 => d.g.softmax(x)?,
        1 => d.g.log_softmax(x)?,
        2 => {
            let (gamma, beta) = (d.same(&[c])?, d.same(&[c])?);
            d.g.layer_norm(x, gamma, beta, 0.1)?
        }
        _ => {
            let divisors: Vec<usize> = (1..=c).filter(|n| c.is_multiple_of(*n)).collect();
            let groups = d.dice.of(&divisors);
            d.g.group_norm(x, groups, 0.1)?
        }
    };
    Ok(Some(y))
}
