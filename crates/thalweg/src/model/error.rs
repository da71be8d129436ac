//! Why a model cannot be made.

use super::builder::{BUFFERS, PARAMETERS};
use crate::registry::OutOfRange;
use engine::{Fault, GraphError};

/// Why a model cannot be made.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// A setting outside of its range.
    #[error(transparent)]
    OutOfRange(#[from] OutOfRange),
    /// Layers do not fit together.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// A word that is not the name of a model.
    #[error("unknown model `{word}`{nearest}")]
    Unknown {
        /// The word.
        word: String,
        /// `, did you mean ...`.
        nearest: String,
    },
    /// The sizes that a config states are not the data's.
    #[error(
        "model `{model}`: the data has {data_inputs} inputs and {data_outputs} outputs, the model {inputs} and {outputs}"
    )]
    Ends {
        /// The model's title.
        model: String,
        /// Values in a sample.
        data_inputs: usize,
        /// Classes, or targets.
        data_outputs: usize,
        /// What the config says, or the data's where it says nothing.
        inputs: usize,
        /// What the config says, or the data's where it says nothing.
        outputs: usize,
        /// The same hidden layers with the data's ends.
        instead: String,
    },
    /// The result of the last layer does not fit the data.
    #[error("the last layer `{layer}` gives {got:?} for a sample, the data needs [{expected}]")]
    Outputs {
        /// Name of the last layer.
        layer: String,
        /// Shape of the result without the batch.
        got: Vec<usize>,
        /// Classes, or targets.
        expected: usize,
    },
    /// Two layers of one name.
    #[error("two layers are called `{name}`")]
    Duplicate {
        /// The name.
        name: String,
    },
    /// A list without layers.
    #[error("`layers` is empty, expected one layer or more")]
    NoLayers,
    /// A layer of one's own went past [`Builder::param`](super::Builder::param) or
    /// [`Builder::buffer`](super::Builder::buffer).
    #[error("{n_unknown} parameters or buffer elements have no initial value")]
    NoStart {
        /// How many.
        n_unknown: usize,
    },
    /// A layer declares other parameters in training than in evaluation.
    #[error("a layer has other parameters or buffers in training than in evaluation")]
    Modes,
}

impl ModelError {
    /// What to type instead.
    pub fn hint(&self) -> Option<String> {
        match self {
            ModelError::OutOfRange(error) => Some(error.hint()),
            ModelError::Unknown { .. } => {
                Some("`model=mlp`, `model=linear`, or widths such as `model=mlp-512-512`".into())
            }
            ModelError::Ends { instead, .. } => Some(format!("`model={instead}`")),
            ModelError::Outputs { got, .. } if got.len() > 1 => {
                Some("put `{ type = \"flatten\" }` before the last linear layer".into())
            }
            ModelError::Outputs { .. } => Some(
                "end with `{ type = \"linear\", units = \"outputs\" }`, which takes its width from the data"
                    .into(),
            ),
            ModelError::Duplicate { .. } => Some("give one of them another `name`".into()),
            ModelError::NoLayers => Some(
                "`model=linear` is the smallest; or list layers, as in `model=mlp-64` written out".into(),
            ),
            ModelError::NoStart { .. } => {
                Some("declare them by the methods `param` and `buffer` of the builder".into())
            }
            ModelError::Graph(error) => graph_hint(error),
            ModelError::Modes => None,
        }
    }
}

/// What to type where layers of images do not fit.
fn graph_hint(error: &GraphError) -> Option<String> {
    match &error.fault {
        Fault::Groups { groups, .. } | Fault::GroupsOf { groups, .. } => {
            Some(format!("`groups = 1`, or channels that are multiples of {groups}"))
        }
        Fault::Range { key: "padding", value, .. } => {
            Some(format!("`kernel = {}` or more, or a smaller `padding`", 2.0 * value))
        }
        Fault::Range { key: "edges", .. } => Some("smaller `edges`".into()),
        Fault::TooLarge { .. } | Fault::Padded { .. } => Some(
            "a smaller size, fewer channels, less padding, or more stride in this layer or before it".into(),
        ),
        Fault::Range { key: PARAMETERS | BUFFERS, .. } => Some(
            "narrower layers, such as `model=mlp-512-512`; images become smaller by pooling before `flatten`"
                .into(),
        ),
        Fault::Window { .. } => Some(
            "a smaller kernel, `padding = \"same\"`, or fewer layers that shrink the image before it".into(),
        ),
        Fault::Expected { what: "what is added", expected, got }
            if got.len() == 4 && expected.len() == 4 && got[1..3] != expected[1..3] =>
        {
            Some("`padding = \"same\"` in the convolutions of `layers`, which keeps height and width".into())
        }
        Fault::Expected { what: "what is added", got, .. } if got.len() == 4 => Some(format!(
            "give the residual layer a `shortcut`, such as `[{{ type = \"conv\", channels = {}, kernel = 1 }}]`",
            got.last_dim()
        )),
        Fault::Expected { what: "what is added", .. } => {
            Some("let `layers`, and `shortcut` if there is one, end in the same shape".into())
        }
        Fault::Concat { .. } | Fault::Axis { .. } if error.op == "concat" => {
            Some("let all `branches` end in shapes that differ in the last size only".into())
        }
        Fault::Range { key: "output_padding", .. } => {
            Some("`output_padding = 0`, or a larger `stride`".into())
        }
        Fault::Rank { got, .. } if got.len() == 2 && LAYERS_OF_IMAGES.contains(&error.op) => {
            Some("rows have no height and width: put it before `flatten`, or use a dense layer".into())
        }
        Fault::Rank { .. } if LAYERS_OF_IMAGES.contains(&error.op) => Some(
            "put it before layers that change the number of axes, such as `embedding` and `conv1d`".into(),
        ),
        Fault::Rank { .. } if error.op == "column_embedding" => {
            Some("put `{ type = \"flatten\" }` before it".into())
        }
        Fault::Rank { .. } if error.op == "member_linear" => Some(
            "put `{ type = \"flatten\" }` before the first of them, and give all of them the same `members`".into(),
        ),
        Fault::Range { key: "numbers" | "categories" | "category_sizes", .. } => Some(
            "`thalweg data info` lists the inputs, of which the first has the place 0; `model=tabular` finds them by itself"
                .into(),
        ),
        Fault::Range { key: "drop", .. } => Some("`drop = 0.5`, or another share below 1".into()),
        _ if error.op == "concat" => Some("give it `branches`, such as `branches = [[\"relu\"], []]`".into()),
        Fault::Range { key: "kernel" | "size", .. } => Some("a smaller window, or more stride".into()),
        _ => None,
    }
}

/// Layers that need the axes of an image.
const LAYERS_OF_IMAGES: &[&str] = &[
    "conv",
    "conv1d",
    "conv_transpose",
    "max_pool",
    "avg_pool",
    "global_avg_pool",
    "adaptive_avg_pool",
    "resize",
    "pad",
    "crop",
    "group_norm",
    "instance_norm",
    "channel_dropout",
];
