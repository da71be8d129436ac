//! What a trainer knows of its origin: names and remarks for people, and what a checkpoint says of its model.

use std::sync::Arc;

use super::prepared::Prepared;
use super::saved::SavedModel;
use crate::config::RunConfig;

/// Where a trainer's parts come from; empty for those that a program put together by itself.
#[derive(Clone, Debug, Default)]
pub(super) struct About {
    /// name of the data
    pub data: String,
    /// remarks on the data
    pub notes: Vec<String>,
    /// what is wrong with the split, and no reason to stop
    pub warnings: Vec<String>,
    /// what tells a reader of a checkpoint which model it holds
    pub saved: Option<SavedModel>,
    /// the data themselves
    pub prepared: Option<Arc<Prepared>>,
}

impl About {
    /// Of a config and its data.
    pub fn of(config: &RunConfig, data: Arc<Prepared>) -> Self {
        let saved = SavedModel {
            model: config.model.clone(),
            reading: data.reading.clone(),
            optimizer: config.optimizer.clone(),
            data_crc32: Some(data.crc32),
        };
        About {
            data: data.set.name.clone(),
            notes: data.set.notes.clone(),
            warnings: data.splits.warnings.clone(),
            saved: Some(saved),
            prepared: Some(data),
        }
    }
}
