//! The slow, obvious evaluation of a graph in f64, beside which the fast path stands.

use crate::graph::{Graph, Var};
use crate::ops::Op;
use crate::shape::Shape;
use kernels::map::Draw;

/// A tensor in f64.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// sizes, outermost first
    pub shape: Shape,
    /// row-major elements
    pub data: Vec<f64>,
}

impl Tensor {
    /// The same number everywhere.
    pub fn filled(shape: &Shape, value: f64) -> Self {
        Tensor { shape: shape.clone(), data: vec![value; shape.numel()] }
    }

    /// An element for every index.
    pub fn from_fn(shape: &Shape, f: impl Fn(&[usize]) -> f64) -> Self {
        let mut index = vec![0; shape.len()];
        let mut data = Vec::with_capacity(shape.numel());
        for _ in 0..shape.numel() {
            data.push(f(&index));
            for axis in (0..shape.len()).rev() {
                index[axis] += 1;
                if index[axis] < shape[axis] {
                    break;
                }
                index[axis] = 0;
            }
        }
        Tensor { shape: shape.clone(), data }
    }

    /// The element at an index.
    pub fn at(&self, index: &[usize]) -> f64 {
        self.data[index.iter().zip(self.shape.iter()).fold(0, |flat, (i, size)| flat * size + i)]
    }

    /// `f` of every element.
    pub fn map(&self, f: impl Fn(f64) -> f64) -> Self {
        Tensor { shape: self.shape.clone(), data: self.data.iter().map(|x| f(*x)).collect() }
    }

    /// `f` of every pair of elements.
    pub fn zip(&self, other: &Tensor, f: impl Fn(f64, f64) -> f64) -> Self {
        let data = self.data.iter().zip(&other.data).map(|(a, b)| f(*a, *b)).collect();
        Tensor { shape: self.shape.clone(), data }
    }

    /// The tensor repeated to a larger shape.
    pub fn broadcast(&self, to: &Shape) -> Self {
        let lead = to.len() - self.shape.len();
        Tensor::from_fn(to, |index| {
            let own: Vec<usize> = index[lead..]
                .iter()
                .zip(self.shape.iter())
                .map(|(i, size)| if *size == 1 { 0 } else { *i })
                .collect();
            self.at(&own)
        })
    }
}

/// What a graph is evaluated on.
#[derive(Clone, Debug, Default)]
pub struct Feed {
    /// one tensor for each input
    pub inputs: Vec<Vec<f64>>,
    /// the flat parameter vector
    pub params: Vec<f64>,
    /// the flat buffer vector
    pub buffers: Vec<f64>,
    /// the flat tangent vector, where the graph reads it
    pub tangents: Vec<f64>,
    /// which random numbers masks use
    pub draw: Draw,
}

/// The values of `wanted`, computed node by node in f64.
pub fn evaluate(graph: &Graph, feed: &Feed, wanted: &[Var]) -> Vec<Tensor> {
    let all = evaluate_all(graph, feed, wanted.iter().map(|v| v.index() + 1).max().unwrap_or(0));
    wanted.iter().map(|v| all[v.index()].clone()).collect()
}

/// The values of the first `n` nodes.
pub fn evaluate_all(graph: &Graph, feed: &Feed, n: usize) -> Vec<Tensor> {
    let mut values: Vec<Tensor> = Vec::with_capacity(n);
    for node in &graph.nodes[..n] {
        let shape = node.shape.clone();
        let view = |data: &[f64], range: std::ops::Range<usize>| data[range].to_vec();
        let value = match &node.op {
            Op::Input(i) => Tensor { shape, data: feed.inputs[i.index].clone() },
            Op::Param(p) => Tensor { shape, data: view(&feed.params, graph.params.slots[p.index].range()) },
            Op::Buffer(b) => {
                Tensor { shape, data: view(&feed.buffers, graph.buffers.slots[b.index].range()) }
            }
            Op::Tangent(t) => {
                Tensor { shape, data: view(&feed.tangents, graph.params.slots[t.index].range()) }
            }
            op => {
                let inputs: Vec<&Tensor> = node.inputs.iter().map(|v| &values[v.index()]).collect();
                op.get().reference(&inputs, &shape, &feed.draw)
            }
        };
        values.push(value);
    }
    values
}

/// The error function: its Taylor series below 3, the continued fraction of its complement beyond.
pub fn erf64(x: f64) -> f64 {
    let a = x.abs();
    if a < 3.0 {
        let (mut term, mut sum, mut n) = (a, a, 0.0);
        while term.abs() > 1e-17 * sum.abs() && n < 200.0 {
            n += 1.0;
            term *= -a * a / n;
            sum += term / (2.0 * n + 1.0);
        }
        return (std::f64::consts::FRAC_2_SQRT_PI * sum).copysign(x);
    }
    let mut fraction = 0.0;
    for k in (1..80).rev() {
        fraction = f64::from(k) / 2.0 / (a + fraction);
    }
    let complement = libm::exp(-a * a) / (a + fraction) / std::f64::consts::PI.sqrt();
    (1.0 - complement).copysign(x)
}
