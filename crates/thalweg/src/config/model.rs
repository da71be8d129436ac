//! The model's part of the config.

use super::field::Kind;

/// The network: a name, or a table.
pub type ModelConfig = toml::Value;

pub(super) const KIND: Kind = Kind::Free("the name of a model, or a table with it");
pub(super) const DEFAULT: &str = "\"mlp\"";

/// The model taken where none is named.
pub(super) fn default() -> ModelConfig {
    ModelConfig::String("mlp".into())
}
