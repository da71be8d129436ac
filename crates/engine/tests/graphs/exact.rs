//! The f64 reference node by node, with two ways to disturb it: rounding noise, from which tolerances follow, and
//! detached values held still, without which finite differences would see through `detach`.

use engine::graph::{Graph, Node, Var};
use engine::ops::Op;
use engine::ops::binary::Fn2;
use engine::ops::reduce::Fold;
use engine::ops::unary::Fn1;
use engine::reference::{Feed, Tensor};

use crate::dice::Dice;

/// Half a unit in the last place of f32, relative.
const ROUNDING: f64 = 6e-8;

/// What is done to the values on their way.
pub enum Disturbed<'a> {
    Not,
    /// every operand and result is moved by a random part of a rounding error
    Noise(Dice),
    /// what `detach` gives stays as it is here
    Frozen(&'a [Tensor]),
}

/// The values of nodes `values.len()..n`, appended; of those that are not live an empty tensor.
pub fn extend(
    g: &Graph,
    feed: &Feed,
    live: Option<&[bool]>,
    how: &mut Disturbed,
    values: &mut Vec<Tensor>,
    n: usize,
) {
    for v in g.vars().take(n).skip(values.len()) {
        if live.is_some_and(|l| !l[v.index()]) {
            values.push(Tensor { shape: [0].into(), data: vec![] });
            continue;
        }
        let value = match how {
            Disturbed::Frozen(at) if matches!(g.node(v).op, Op::Detach(_)) => at[v.index()].clone(),
            Disturbed::Noise(dice) => noisy(g, feed, g.node(v), values, dice),
            _ => plain(g, feed, g.node(v), &operands(g.node(v), values)),
        };
        values.push(value);
    }
}

pub fn evaluate(g: &Graph, feed: &Feed, live: &[bool], mut how: Disturbed) -> Vec<Tensor> {
    let mut values = Vec::with_capacity(g.len());
    extend(g, feed, Some(live), &mut how, &mut values, g.len());
    values
}

fn operands<'v>(node: &Node, values: &'v [Tensor]) -> Vec<&'v Tensor> {
    node.inputs.iter().map(|v: &Var| &values[v.index()]).collect()
}

fn plain(g: &Graph, feed: &Feed, node: &Node, inputs: &[&Tensor]) -> Tensor {
    let shape = node.shape.clone();
    match &node.op {
        Op::Input(i) => Tensor { shape, data: feed.inputs[i.index].clone() },
        Op::Param(p) => Tensor { shape, data: feed.params[g.params.slots[p.index].range()].to_vec() },
        Op::Tangent(t) => Tensor { shape, data: feed.tangents[g.params.slots[t.index].range()].to_vec() },
        Op::Buffer(b) => Tensor { shape, data: feed.buffers[g.buffers.slots[b.index].range()].to_vec() },
        op => op.get().reference(inputs, &shape, &feed.draw),
    }
}

/// Whether an operator only moves, picks or compares values, without rounding.
fn is_exact(op: &Op) -> bool {
    match op {
        Op::Unary(f) => matches!(f.0, Fn1::Neg | Fn1::Abs | Fn1::Sign | Fn1::Step | Fn1::Relu),
        Op::Binary(f) => matches!(f.0, Fn2::Max | Fn2::Min | Fn2::Gate | Fn2::Eq),
        Op::Reduce(r) => r.fold == Fold::Max,
        Op::MatMul(_) | Op::Moments(_) | Op::BatchNorm(_) => false,
        Op::Conv(_) | Op::ConvInput(_) | Op::ConvWeight(_) | Op::Resample(_) => false,
        _ => true,
    }
}

fn noisy(g: &Graph, feed: &Feed, node: &Node, values: &[Tensor], dice: &mut Dice) -> Tensor {
    // sums of several terms
    let adds = matches!(node.op, Op::Scatter(_) | Op::MaxSpread(_));
    if is_exact(&node.op) && !adds {
        return plain(g, feed, node, &operands(node, values));
    }
    // products at points add up neighbors, so that errors are relative to the largest of them
    let by_largest = matches!(node.op, Op::Conv(_) | Op::ConvInput(_) | Op::ConvWeight(_));
    let moved: Vec<Tensor> = operands(node, values)
        .into_iter()
        .enumerate()
        .map(|(i, x)| {
            let picks = adds && i == 0;
            if picks { x.clone() } else { shaken(x, by_largest, dice) }
        })
        .collect();
    let result = plain(g, feed, node, &moved.iter().collect::<Vec<_>>());
    shaken(&result, false, dice)
}

fn shaken(x: &Tensor, by_largest: bool, dice: &mut Dice) -> Tensor {
    let top = largest(&x.data);
    let data = x.data.iter().map(|v| {
        let size = if by_largest { top } else { v.abs() };
        v + ROUNDING * size * dice.uniform(-1.0, 1.0)
    });
    Tensor { shape: x.shape.clone(), data: data.collect() }
}

pub fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |s, x| if x.is_nan() { f64::NAN } else { x.abs().max(s) })
}
