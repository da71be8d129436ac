//! What a model brings: settings that stand where a config says nothing.

use std::path::Path;

use super::RunConfig;
use super::error::{ConfigError, Place};
use super::tree::{self, Node, Table, Value};
use crate::model::{ModelConfig, Preset};

/// Lays the recipe of the model that is written under all that is written. What stands there stays; a part with another
/// name, such as another optimizer, keeps its own defaults.
pub(super) fn lay_under(written: &mut Table) -> Result<(), ConfigError> {
    let Some(preset) = written.get("model").and_then(name).and_then(Preset::of) else { return Ok(()) };
    let recipe = tree::parse(preset.recipe(), Path::new(""))?;
    for (key, node) in recipe.0 {
        let node = Node::of(&node.plain(), &Place::Default);
        match written.get(&key) {
            None => written.set(&key, node),
            Some(old) if name(old).is_none_or(|own| name(&node) == Some(own)) => {
                if let Some(both) = joined(old, &node) {
                    written.set(&key, both);
                }
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// The name of a part: its word, or the key `name` of its table.
fn name(node: &Node) -> Option<&str> {
    match &node.value {
        Value::Leaf(toml::Value::String(word), _) => Some(word),
        Value::Leaf(..) => None,
        Value::Table(table) => table.get("name").and_then(name),
    }
}

/// A part with the keys that it does not have from another.
fn joined(old: &Node, under: &Node) -> Option<Node> {
    let Value::Table(more) = &under.value else { return None };
    let mut own = match &old.value {
        Value::Table(own) => own.clone(),
        Value::Leaf(..) => Table(vec![("name".into(), old.clone())]),
    };
    for (key, node) in &more.0 {
        if own.get(key).is_none() {
            own.set(key, node.clone());
        }
    }
    Some(Node { place: old.place.clone(), value: Value::Table(own) })
}

impl RunConfig {
    /// The config of a model with what it brings: `tabular` its optimizer, schedule, groups and preprocessing; other
    /// models nothing.
    ///
    /// # Errors
    /// [`ConfigError`] where the model's own settings are out of range.
    pub fn of(model: impl Into<ModelConfig>) -> Result<RunConfig, ConfigError> {
        let model = model.into();
        let word = match &model {
            ModelConfig::Preset(preset) => vec![format!("model={}", preset.name())],
            ModelConfig::Layers(_) => Vec::new(),
        };
        let config = RunConfig { model, ..RunConfig::load(None, &word)? };
        config.check()?;
        Ok(config)
    }
}
