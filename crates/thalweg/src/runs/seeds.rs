//! The same run with several seeds: what differs between them is chance.

use super::plan::{Axis, Variant};
use crate::config::RunConfig;

/// A run for each seed.
pub(super) fn axis(config: &RunConfig) -> Option<Axis> {
    let seeds = config.seeds.as_ref()?.all(config.seed);
    let variant =
        |seed: u64| Variant { name: format!("seed-{seed}"), settings: vec![format!("seed={seed}")] };
    Some(Axis { name: "seeds".into(), repeats: true, variants: seeds.into_iter().map(variant).collect() })
}
