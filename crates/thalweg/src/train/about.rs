//! What a trainer knows of its origin: names and remarks for people, and what a checkpoint says of its model.

use std::sync::Arc;

use super::prepared::Prepared;
#[cfg(feature = "runs")]
use super::saved::SavedModel;
#[cfg(feature = "runs")]
use crate::config::Memory;
use crate::config::RunConfig;
#[cfg(feature = "runs")]
use crate::data::STREAMED_MEMORY;

/// Where a trainer's parts come from; empty for those that a program put together by itself.
#[derive(Clone, Debug, Default)]
pub(super) struct About {
    #[cfg(feature = "runs")]
    /// name of the data
    pub data: String,
    #[cfg(feature = "runs")]
    /// remarks on the data
    pub notes: Vec<String>,
    #[cfg(feature = "runs")]
    /// what is wrong with the split, and no reason to stop
    pub warnings: Vec<String>,
    /// what tells a reader of a checkpoint which model it holds
    #[cfg(feature = "runs")]
    pub saved: Option<SavedModel>,
    /// the data themselves
    pub prepared: Option<Arc<Prepared>>,
}

impl About {
    /// Of a config and its data; `chosen` says what the data decided.
    #[cfg_attr(not(feature = "runs"), allow(unused_variables))]
    pub fn of(config: &RunConfig, data: Arc<Prepared>, chosen: Option<String>) -> Self {
        #[cfg(feature = "runs")]
        let saved = {
            let (model, optimizer) = (config.model.clone(), config.optimizer.clone());
            SavedModel::new(
                model,
                data.reading.clone(),
                (optimizer, Vec::new()),
                Some(data.identities.newest()),
            )
        };
        About {
            #[cfg(feature = "runs")]
            data: data.set.name.clone(),
            #[cfg(feature = "runs")]
            notes: data.set.notes.iter().cloned().chain(streamed(config, &data)).chain(chosen).collect(),
            #[cfg(feature = "runs")]
            warnings: data.splits.warnings.clone(),
            #[cfg(feature = "runs")]
            saved: Some(saved),
            prepared: Some(data),
        }
    }
}

/// What is said of samples that are streamed.
#[cfg(feature = "runs")]
fn streamed(config: &RunConfig, data: &Prepared) -> Option<String> {
    let streamed = data.set.streamed()?;
    let memory = config.data.memory.unwrap_or(Memory(STREAMED_MEMORY));
    Some(format!("streamed: {streamed}, at most {memory} in memory"))
}
