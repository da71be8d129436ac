//! A separable linear map of images: `y[b, i, j, c] = Σ rows[i, h]·columns[j, w]·x[b, h, w, c]`.
//!
//! Each row of the two matrices is a short run of weights. Average pooling and resizing are such maps, and so are
//! their gradients: `dx` is the map with both matrices transposed.

use super::Operator;
use crate::error::Fault;
use crate::grad::Backward;
use crate::graph::{Built, Graph, Var};
use crate::reference::Tensor;
use crate::shape::Shape;
use crate::steps::resample::{self, resample_flops};
use crate::steps::{Kernel, Lowering};
use kernels::map::Draw;

/// A matrix `[output, input]` whose rows are runs of weights: one axis of a map.
#[derive(Clone, Debug, PartialEq)]
pub struct Taps {
    /// indices of the input
    pub input: usize,
    /// for each index of the result, where its run begins, and the weights
    pub runs: Vec<(usize, Vec<f64>)>,
}

/// The most indices of an axis that is resampled, and the most weights along it: 2²², or 32 MiB.
const MAX_TAPS: usize = 1 << 22;

impl Taps {
    /// Refuses an axis with more than 2²² indices, or with more weights in all its runs; `key` is the setting that
    /// asked for them.
    pub(super) fn bounded(
        key: &'static str,
        input: usize,
        output: usize,
        weights: usize,
    ) -> Result<(), Fault> {
        let value = input.max(output).max(weights);
        let range = "so small that an axis has at most 4194304 weights of windows";
        if value <= MAX_TAPS { Ok(()) } else { Err(Fault::Range { key, range, value: value as f64 }) }
    }

    /// The run of every index from `f`.
    pub fn new(input: usize, output: usize, f: impl Fn(usize) -> (usize, Vec<f64>)) -> Self {
        Taps { input, runs: (0..output).map(f).collect() }
    }

    /// The transposed matrix. Runs stay runs where first and last indices never decrease.
    pub fn transposed(&self) -> Taps {
        let mut runs = vec![(0, Vec::new()); self.input];
        for (o, (start, weights)) in self.runs.iter().enumerate() {
            for ((first, column), weight) in runs[*start..].iter_mut().zip(weights) {
                if column.is_empty() {
                    *first = o;
                }
                column.push(*weight);
            }
        }
        Taps { input: self.runs.len(), runs }
    }

    fn is_identity(&self) -> bool {
        self.runs.len() == self.input
            && self.runs.iter().enumerate().all(|(i, (start, weights))| *start == i && weights[..] == [1.0])
    }

    /// The form that the kernel reads.
    pub(crate) fn lowered(&self) -> kernels::resample::Taps {
        kernels::resample::Taps::new(
            self.input,
            self.runs.iter().map(|(start, weights)| (*start, &weights[..])),
        )
    }
}

/// `[B, H, W, C] → [B, OH, OW, C]`
#[derive(Clone, Debug, PartialEq)]
pub struct Resample {
    /// along the height
    pub rows: Taps,
    /// along the width
    pub columns: Taps,
}

impl Operator for Resample {
    fn name(&self) -> &'static str {
        "resample"
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, Fault> {
        match inputs[0][..] {
            [b, h, w, c] if [h, w] == [self.rows.input, self.columns.input] => {
                Ok([b, self.rows.runs.len(), self.columns.runs.len(), c].into())
            }
            _ => Err(Fault::Expected {
                what: "the image",
                expected: [1, self.rows.input, self.columns.input, inputs[0].last_dim()].into(),
                got: inputs[0].clone(),
            }),
        }
    }

    fn flops(&self, inputs: &[&Shape], shape: &Shape) -> u64 {
        resample_flops(inputs[0].numel() as u64, shape.numel() as u64)
    }

    fn grad(&self, at: &mut Backward) -> Built<()> {
        let dy = at.graph.in_rows(at.dy, at.inputs[0])?;
        let adjoint = Resample { rows: self.rows.transposed(), columns: self.columns.transposed() };
        let dx = at.graph.push(adjoint.into(), &[dy])?;
        at.give(0, dx)
    }

    fn lower(&self, at: &Lowering) -> Vec<Kernel> {
        let (rows, columns) = (self.rows.lowered(), self.columns.lowered());
        let (channels, x, out) = (at.channels(), at.inputs[0], at.out);
        vec![resample::Resample { rows, columns, channels, x, out }.into()]
    }

    fn reference(&self, inputs: &[&Tensor], shape: &Shape, _draw: &Draw) -> Tensor {
        Tensor::from_fn(shape, |index| {
            let ((top, rows), (left, columns)) = (&self.rows.runs[index[1]], &self.columns.runs[index[2]]);
            let mut sum = 0.0;
            for (h, a) in rows.iter().enumerate() {
                for (w, b) in columns.iter().enumerate() {
                    sum += a * b * inputs[0].at(&[index[0], top + h, left + w, index[3]]);
                }
            }
            sum
        })
    }
}

impl Graph {
    /// Applies the map; one that changes nothing needs no node.
    pub(super) fn resample(&mut self, x: Var, rows: Taps, columns: Taps) -> Built {
        if rows.is_identity() && columns.is_identity() {
            return Ok(x);
        }
        self.push(Resample { rows, columns }.into(), &[x])
    }
}
