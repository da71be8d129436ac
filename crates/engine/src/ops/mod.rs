//! The operators: one file each, listed once below. A composition is a file without a node of its own.

use crate::error::Fault;
use crate::grad::Backward;
use crate::graph::Built;
use crate::reference::Tensor;
use crate::shape::Shape;
use crate::steps::combine::Join;
use crate::steps::emit::Emit;
use crate::steps::{Extent, Inputs, Kernel, Lowering, Residency};
use kernels::conv::Direction;
use kernels::map::{Draw, Fold, Src};

/// What every operator says of itself.
pub trait Operator {
    /// Lower-case name, as printed in plans and errors.
    fn name(&self) -> &'static str;

    /// Shape of the result, or why the inputs do not fit.
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, Fault>;

    /// Floating-point operations for a result of this shape; none where elements are only copied or viewed.
    fn flops(&self, _inputs: &[&Shape], _shape: &Shape) -> u64 {
        0
    }

    /// Adds the gradients of the inputs to the graph; none by default.
    fn grad(&self, _at: &mut Backward) -> Built<()> {
        Ok(())
    }

    /// The value in f64, written as plainly as possible.
    fn reference(&self, inputs: &[&Tensor], shape: &Shape, draw: &Draw) -> Tensor;

    /// Instructions for a fused element-wise program, where the operator is one.
    fn emit(&self, _emit: &mut Emit, _args: &[Src]) -> Option<Src> {
        None
    }

    /// To what the result belongs where an input belongs to rows of the batch; an error where the operator would cut
    /// or move the batch axis.
    fn residency(&self, _at: &Inputs) -> Result<Residency, Fault> {
        Ok(Residency::Rows)
    }

    /// The steps that compute it, where it is neither a view nor part of a program.
    fn lower(&self, _at: &Lowering) -> Vec<Kernel> {
        vec![]
    }

    /// Whether an input is read whole, where others are read row by row of the batch.
    fn reads_whole(&self, _input: usize, _from: &Shape, _to: &Shape) -> bool {
        false
    }

    /// How per-shard results become one, where the operator sums over the batch; `x` is the first input, and no shard
    /// has more than `shard_rows` rows of the batch.
    fn join(&self, _x: Extent, _shape: &Shape, _shard_rows: usize) -> Join {
        Join::Fold(Fold::Sum)
    }

    /// Whether a chunk of rows must be a whole shard; `x` is the first input.
    fn takes_whole_shards(&self, _x: Extent, _x_shape: &Shape) -> bool {
        false
    }

    /// Weights (the second input) to be prepared once for all chunks, and for which direction.
    fn prepares(&self) -> Option<(conv::Geometry, Direction)> {
        None
    }
}

macro_rules! ops {
    ($($file:ident :: $name:ident),* $(,)?) => {
        $(pub mod $file;)*

        /// An operator with its attributes.
        #[derive(Clone, Debug, PartialEq)]
        #[allow(missing_docs, reason = "each variant is documented at its type")]
        pub enum Op { $($name($file::$name)),* }

        impl Op {
            /// The operator behind the variant.
            pub fn get(&self) -> &dyn Operator {
                match self { $(Op::$name(op) => op),* }
            }

            /// The entry of [`ALL`] that it is.
            pub fn file(&self) -> &'static str {
                match self { $(Op::$name(_) => stringify!($file)),* }
            }
        }

        $(impl From<$file::$name> for Op {
            fn from(op: $file::$name) -> Op { Op::$name(op) }
        })*

        /// File names of all operators with a node of their own.
        pub const ALL: &[&str] = &[$(stringify!($file)),*];
    };
}

ops! {
    input::Input,
    param::Param,
    buffer::Buffer,
    tangent::Tangent,
    constant::Constant,
    unary::Unary,
    binary::Binary,
    detach::Detach,
    reduce::Reduce,
    broadcast::Broadcast,
    reshape::Reshape,
    transpose::Transpose,
    concat::Concat,
    slice::Slice,
    pad::Pad,
    matmul::MatMul,
    gather::Gather,
    scatter::Scatter,
    mask::Mask,
    one_hot::OneHot,
    moments::Moments,
    batch_norm::BatchNorm,
    conv::Conv,
    conv_input::ConvInput,
    conv_weight::ConvWeight,
    max_pool::MaxPick,
    max_spread::MaxSpread,
    resample::Resample,
}

macro_rules! compositions {
    ($($file:ident),* $(,)?) => {
        $(pub mod $file;)*
        /// File names of the compositions.
        pub const COMPOSITIONS: &[&str] = &[$(stringify!($file)),*];
    };
}

compositions! { activations, dropout, frame, group_norm, layer_norm, linear, losses, pooling, resize, softmax }

/// The largest stride, dilation, window or border of an operator: 2³¹. With sizes of tensors up to
/// [`MAX_ELEMENTS`](crate::shape::MAX_ELEMENTS), 64 bits hold their sums and products.
pub const MAX_STEP: usize = 1 << 31;

/// Refuses a setting beyond [`MAX_STEP`].
pub(crate) fn bounded(key: &'static str, values: &[usize]) -> Result<(), Fault> {
    match values.iter().find(|n| **n > MAX_STEP) {
        Some(n) => Err(Fault::Range { key, range: "at most 2147483648", value: *n as f64 }),
        None => Ok(()),
    }
}

pub(crate) fn axis_of(axis: usize, shape: &Shape) -> Result<(), Fault> {
    if axis < shape.len() { Ok(()) } else { Err(Fault::Axis { axis, shape: shape.clone() }) }
}
