//! Data of several heads: a table is read once for each of them, with its own target columns.

use std::sync::Arc;

use super::error::TrainError;
use crate::config::RunConfig;
use crate::data::{self, DataError, DataOptions, Dataset, Identities, TableSchema};
use crate::source::is_missing;

/// Targets of each head, `[n, n_targets]`.
pub(super) type HeadTargets = Vec<Arc<[f32]>>;

/// Opens the data of a config as each of its heads sees them, in the way of `schemas` where there are any. The inputs
/// are those columns that are no head's target.
pub(super) fn open(config: &RunConfig, schemas: &[Option<TableSchema>]) -> Result<Vec<Dataset>, TrainError> {
    let mut found = Vec::new();
    for (i, head) in config.heads.iter().enumerate() {
        let own = head.targets();
        let others = config.heads.iter().flat_map(|other| other.targets()).filter(|t| !own.contains(t));
        let options = DataOptions {
            cache: data::default_cache_folder(),
            drop: config.data.drop.iter().cloned().chain(others).collect(),
            target: own.clone(),
            task: head.task.or(config.data.task),
            schema: schemas.get(i).cloned().flatten(),
            missing_targets: true,
            ..config.data.options()
        };
        let no_table = || {
            let source = &config.data.source;
            TrainError::Heads {
                problem: format!("several heads need a table with columns, which `{source}` is not"),
                hint: Some(format!("`heads=[]` learns the one target of `{source}`")),
            }
        };
        let set = data::open(&config.data.source, &options).map_err(|error| match error {
            // said of a key that nobody typed
            DataError::BadOption { option: "target" | "drop", .. } => no_table(),
            other => other.into(),
        })?;
        if set.schema.is_none() {
            return Err(no_table());
        }
        found.push(set);
    }
    if !found.iter().any(Dataset::tests_something) {
        found.iter_mut().for_each(Dataset::leave_test_aside);
    }
    Ok(found)
}

/// Of which heads none of these samples has a target.
pub(super) fn untold(heads: &[Dataset], samples: &[u32]) -> Vec<usize> {
    let told = |set: &Dataset| {
        let width = set.n_targets();
        samples.iter().any(|&i| !is_missing(&set.targets[i as usize * width..][..width]))
    };
    (0..heads.len()).filter(|i| !told(&heads[*i])).collect()
}

/// What is said where a head has no target in the samples that are measured.
pub(super) fn without_figures(head: &str, samples: &str) -> String {
    format!(
        "head `{head}` has no figures for {samples}: no sample there has its target, and the loss is that of the other heads"
    )
}

/// What tells the samples with all of their targets from others.
pub(super) fn identities(heads: &[Dataset]) -> Identities {
    let mut all = heads[0].clone();
    heads[1..].iter().for_each(|head| all.targets.extend(&head.targets));
    all.identities()
}
