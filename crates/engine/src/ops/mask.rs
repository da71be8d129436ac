//! A random mask: `1 / keep` with probability `keep`, else 0, a pure function of (seed, id, step, row, column).

use super::Operator;
use crate::error::Fault;
use crate::reference::Tensor;
use crate::shape::Shape;
use crate::steps::emit::Emit;
use kernels::map::{Draw, Src, keep_below, mask_word};

/// The mask of inverted dropout, shaped like its input, whose values it does not read.
#[derive(Clone, Debug, PartialEq)]
pub struct Mask {
    /// tells the masks of one network apart
    pub id: u32,
    /// probability of keeping, in (0, 1]
    pub keep: f32,
}

impl Operator for Mask {
    fn name(&self) -> &'static str {
        "mask"
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, Fault> {
        Ok(inputs[0].clone())
    }

    fn reference(&self, _inputs: &[&Tensor], shape: &Shape, draw: &Draw) -> Tensor {
        let cols = columns(shape);
        let kept = |i: usize| {
            let word = mask_word(draw.seed, self.id, draw.step, (i / cols) as u64, i % cols, cols);
            if word >> 8 < keep_below(self.keep) { 1.0 / f64::from(self.keep) } else { 0.0 }
        };
        Tensor { shape: shape.clone(), data: (0..shape.numel()).map(kept).collect() }
    }

    fn emit(&self, emit: &mut Emit, _args: &[Src]) -> Option<Src> {
        Some(emit.mask(self.id, self.keep))
    }
}

/// Columns of the frame in which a mask of this shape is drawn: the last axis, unless that is the batch.
pub(crate) fn columns(shape: &Shape) -> usize {
    if shape.len() > 1 { shape.last_dim() } else { 1 }
}
