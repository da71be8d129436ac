//! The model's part of the config: words that stand for a whole network, and lists of layers.

use super::field::{Field, Kind, WordError};
use crate::model::{ModelConfig, ModelError};

/// `[model]` with `layers` and no name.
pub(super) const LAYER_LIST: Field = Field {
    name: "layers",
    kind: Kind::Free(
        "a list of layers, such as [{ type = \"linear\", units = 64 }, \"relu\", { type = \"linear\", units = \"outputs\" }]",
    ),
    default: "",
    example: "",
    help: "the network layer by layer; `thalweg list layers` shows all",
};

/// `mlp-64-32` or `784-512-10`, written out.
pub(super) fn word(word: &str) -> Result<toml::Table, WordError> {
    let config: ModelConfig = word.parse().map_err(|error| match error {
        ModelError::Unknown { .. } => WordError::Unknown,
        other => WordError::Refused(other.to_string()),
    })?;
    toml::Table::try_from(config).map_err(|error| WordError::Refused(error.to_string()))
}
