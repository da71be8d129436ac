//! In which settings two configs differ.

use super::RunConfig;

impl RunConfig {
    /// The full keys of all settings whose values differ, in the order of the config: `batch`, `optimizer.name`.
    pub fn differences(&self, other: &RunConfig) -> Vec<String> {
        // As in `to_toml`: a config is nothing but what TOML can say.
        let table = |config: &RunConfig| toml::Table::try_from(config).unwrap_or_default();
        let mut keys = Vec::new();
        differing("", &table(self), &table(other), &mut keys);
        keys
    }
}

/// Collects the dotted keys below `path` whose values are not the same in both tables.
fn differing(path: &str, a: &toml::Table, b: &toml::Table, keys: &mut Vec<String>) {
    let only_in_b = b.keys().filter(|key| !a.contains_key(*key));
    for key in a.keys().chain(only_in_b) {
        match (a.get(key), b.get(key)) {
            (Some(toml::Value::Table(a)), Some(toml::Value::Table(b))) => {
                differing(&format!("{path}{key}."), a, b, keys);
            }
            (a, b) if a != b => keys.push(format!("{path}{key}")),
            _ => {}
        }
    }
}
