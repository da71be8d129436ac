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

    /// What differs from the defaults, in short words for the name of a run: `adamw`, `lr0.01`, `batch32`. How long it
    /// trains, and what has no part in the numbers, is not told.
    pub fn told(&self) -> Vec<String> {
        let default = RunConfig::of(self.model.clone()).unwrap_or_default();
        let mut told = Vec::new();
        let mut tell = |differs: bool, word: String| told.extend(differs.then_some(word));
        let name = self.optimizer.entry().name;
        let usual = match name == default.optimizer.entry().name {
            true => default.clone(),
            false => RunConfig::load(None, &[format!("optimizer={name}")]).unwrap_or_default(),
        };
        let [own, usual] = [self, &usual].map(|config| *config.optimizer.clone().lr_mut());
        tell(name != default.optimizer.entry().name, name.into());
        tell(own != usual, format!("lr{own}"));
        let schedule = self.schedule.curve.entry().name;
        tell(schedule != default.schedule.curve.entry().name, schedule.into());
        tell(self.loss.entry().name != default.loss.entry().name, self.loss.entry().name.into());
        tell(self.batch.is_some(), format!("batch{}", self.batch.unwrap_or_default()));
        tell(self.seed != default.seed, format!("seed{}", self.seed));
        told
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
