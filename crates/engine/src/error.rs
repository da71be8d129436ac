//! What can be wrong with a graph: always the layer's name, what was expected and what was found.

use crate::shape::{MAX_ELEMENTS, Shape};

/// Why an operator does not fit its inputs.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The inner sizes of a matrix product differ.
    #[error("inner sizes differ: x is {x}, weight is {w}")]
    Inner {
        /// left factor
        x: Shape,
        /// right factor
        w: Shape,
    },
    /// Two shapes cannot be broadcast together.
    #[error("shapes {a} and {b} do not fit together")]
    Broadcast {
        /// first operand
        a: Shape,
        /// second operand
        b: Shape,
    },
    /// A tensor has the wrong number of axes.
    #[error("expected {expected} axes, got {got}")]
    Rank {
        /// what is needed
        expected: &'static str,
        /// the shape found
        got: Shape,
    },
    /// An axis that the tensor does not have.
    #[error("axis {axis} does not exist in {shape}")]
    Axis {
        /// the axis asked for
        axis: usize,
        /// the shape
        shape: Shape,
    },
    /// A reshape that would change the number of elements.
    #[error("cannot view {from} ({} elements) as {to} ({} elements)", from.numel(), to.numel())]
    Reshape {
        /// the shape found
        from: Shape,
        /// the shape asked for
        to: Shape,
    },
    /// A slice beyond the end of an axis.
    #[error("slice {start}..{end} is beyond axis {axis} of {shape}")]
    Slice {
        /// first index
        start: usize,
        /// one past the last index
        end: usize,
        /// the axis
        axis: usize,
        /// the shape
        shape: Shape,
    },
    /// Tensors that are concatenated differ away from the axis.
    #[error("cannot concatenate {a} and {b} along axis {axis}")]
    Concat {
        /// first tensor
        a: Shape,
        /// the one that differs
        b: Shape,
        /// the axis
        axis: usize,
    },
    /// A shape differs from what the operator needs.
    #[error("{what} must be {expected}, got {got}")]
    Expected {
        /// which input
        what: &'static str,
        /// what it must be
        expected: Shape,
        /// what it is
        got: Shape,
    },
    /// An operation that would move or cut the batch axis.
    #[error("the batch axis must stay first and whole")]
    BatchAxis,
    /// A value outside its range.
    #[error("{key} must be {range}, got {value}")]
    Range {
        /// the attribute
        key: &'static str,
        /// the allowed values, in words
        range: &'static str,
        /// the value found
        value: f64,
    },
    /// Images without pixels.
    #[error("images of {image} have no pixels")]
    NoPixels {
        /// the shape found
        image: Shape,
    },
    /// Channels that cannot be cut into equal groups.
    #[error("{channels} channels cannot be cut into {groups} equal groups")]
    GroupsOf {
        /// groups asked for
        groups: usize,
        /// channels found
        channels: usize,
    },
    /// Groups of channels that do not come out even.
    #[error("{groups} groups do not divide {inputs} input and {outputs} output channels")]
    Groups {
        /// the groups asked for
        groups: usize,
        /// channels of the input
        inputs: usize,
        /// channels of the result
        outputs: usize,
    },
    /// Weights made for another number of channels.
    #[error("channels differ: x is {x}, weight is {w} with {groups} groups")]
    Channels {
        /// the groups asked for
        groups: usize,
        /// the image
        x: Shape,
        /// the weight
        w: Shape,
    },
    /// A window that does not fit into the padded image.
    #[error("the kernel spans {kernel} of the {axis}, which is {padded} with its padding")]
    Window {
        /// height or width
        axis: &'static str,
        /// elements from the first to the last of the window
        kernel: usize,
        /// elements of the axis with its padding
        padded: usize,
    },
    /// A tensor of more than [`MAX_ELEMENTS`] elements.
    #[error(
        "a result of shape {shape} would have {} values, at most {MAX_ELEMENTS} are possible",
        count(shape)
    )]
    TooLarge {
        /// the shape that it would have
        shape: Shape,
    },
    /// An image whose padding makes it too large, even where the result is small.
    #[error("the image with its padding, {image}, is too large")]
    Padded {
        /// the shape of one image
        image: Shape,
    },
    /// More memory than there is.
    #[error("a step needs {:.1} GiB of memory, which is not available", *bytes as f64 / (1u64 << 30) as f64)]
    Memory {
        /// of all workers
        bytes: usize,
    },
    /// A layer that the network does not have.
    #[error("there is no layer `{name}`")]
    NoLayer {
        /// the name asked for
        name: String,
        /// the name that was probably meant; empty where none is like it
        nearest: String,
    },
    /// A direction asked for beside something else than a parameter.
    #[error("only parameters have tangents")]
    NotAParameter,
    /// A gradient that is not defined.
    #[error("has no gradient")]
    NoGradient,
}

/// The number of elements in words; the product may be larger than any integer.
fn count(shape: &Shape) -> String {
    let n: f64 = shape.iter().map(|size| *size as f64).product();
    if n < 1e16 { format!("{n}") } else { format!("{n:.1e}") }
}

/// A fault, and where in the network it is.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{op}{}: {fault}", if layer.is_empty() { String::new() } else { format!(" `{layer}`") })]
pub struct GraphError {
    /// the operator's name
    pub op: &'static str,
    /// the layer's name, such as `block2.fc1`
    pub layer: String,
    /// what is wrong
    pub fault: Fault,
}
