//! Data of several heads: a table is read once for each of them, with its own target columns.

use super::error::TrainError;
use crate::config::RunConfig;
use crate::data::{self, DataOptions, Dataset, Identities, TableSchema};

/// A table as one head sees it.
#[derive(Debug)]
pub(super) struct HeadData {
    pub set: Dataset,
}

impl HeadData {
    /// Whether a sample's target is known.
    pub fn is_known(&self, sample: u32) -> bool {
        let width = self.set.n_targets();
        !self.set.targets[sample as usize * width..][..width].iter().any(|y| y.is_nan())
    }
}

/// Opens the data of a config for each of its heads, in the way of `schemas` where there are any. The inputs are those
/// columns that are no head's target.
pub(super) fn open(config: &RunConfig, schemas: &[Option<TableSchema>]) -> Result<Vec<HeadData>, TrainError> {
    let mut found: Vec<HeadData> = Vec::new();
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
        let set = data::open(&config.data.source, &options)?;
        if set.schema.is_none() {
            let problem = format!("several heads need a table with columns, which `{}` is not", set.name);
            return Err(TrainError::Heads { problem });
        }
        found.push(HeadData { set });
    }
    Ok(found)
}

/// What tells the samples with all of their targets from others.
pub(super) fn identities(heads: &[HeadData]) -> Identities {
    let mut all = heads[0].set.clone();
    heads[1..].iter().for_each(|head| all.targets.extend(&head.set.targets));
    all.identities()
}
