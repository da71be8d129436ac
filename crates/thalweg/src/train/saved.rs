//! What stands in a checkpoint besides tensors: which model it is, how samples are read, where training was.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use engine::{Layout, Slot};
use serde::{Deserialize, Serialize};

use super::error::TrainError;
use super::memory::{self, Need};
use super::prepared::Reading;
use super::state::{Counters, State, sha256};
use crate::data::Identity;
use crate::model::weights::{self, OPTIMIZER, STATE, WeightsFile};
use crate::model::{Model, ModelConfig};
use crate::optim::OptimConfig;
use crate::registry::OutOfRange;

const MODEL: &str = "thalweg.model";
const SUM: &str = "thalweg.sha256";

/// Which model a checkpoint holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SavedModel {
    /// the network
    pub model: ModelConfig,
    /// how samples are read
    pub reading: Reading,
    /// the optimiser, whose state may be in the file
    pub optimizer: OptimConfig,
    /// what tells the data it was trained on from others
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Identity>,
    /// the same in checkpoints of the first days, by the rules of version 1
    #[serde(default, skip_serializing)]
    data_crc32: Option<u32>,
}

impl SavedModel {
    /// A description for a new checkpoint.
    pub fn new(model: ModelConfig, reading: Reading, optimizer: OptimConfig, data: Option<Identity>) -> Self {
        SavedModel { model, reading, optimizer, data, data_crc32: None }
    }

    /// What tells the data it was trained on from others; `None` where the checkpoint does not say.
    pub fn identity(&self) -> Option<Identity> {
        self.data.or(self.data_crc32.map(|crc32| Identity { version: 1, crc32 }))
    }
}

/// A checkpoint in memory.
#[derive(Debug)]
pub struct Checkpoint {
    path: PathBuf,
    file: WeightsFile,
    /// which model it holds
    pub saved: SavedModel,
}

impl Checkpoint {
    /// Reads a file and what it says of its model.
    ///
    /// # Errors
    /// When it cannot be read, is damaged, or is not a checkpoint of this program.
    pub fn open(path: &Path) -> Result<Self, TrainError> {
        let file = WeightsFile::open(path)?;
        let saved = field(&file, path, MODEL)?;
        Ok(Checkpoint { path: path.to_owned(), file, saved })
    }

    /// The model, without its weights.
    ///
    /// # Errors
    /// When the description does not build.
    pub fn model(&self) -> Result<Model, TrainError> {
        Ok(Model::new(&self.saved.model, &self.saved.reading.input_shape, self.saved.reading.n_outputs())?)
    }

    /// Parameters and buffers.
    ///
    /// # Errors
    /// When the tensors are not the model's.
    pub fn weights(&self, model: &Model) -> Result<(Vec<f32>, Vec<f32>), TrainError> {
        room(model, 1)?;
        let mut params = vec![0.0; model.params().len()];
        let mut buffers = vec![0.0; model.buffers().len()];
        self.load(model, &mut params, &mut buffers)?;
        Ok((params, buffers))
    }

    /// The whole state, to go on training.
    ///
    /// # Errors
    /// When the file holds weights only, or tensors are not those of the model and its optimiser.
    pub fn state(&self, model: &Model) -> Result<State, TrainError> {
        state_in(&self.file, &self.path, model, self.optimizer_slots()?)
    }

    /// Names of the state vectors of the optimiser that the file names.
    fn optimizer_slots(&self) -> Result<&'static [&'static str], TrainError> {
        let built = self.saved.optimizer.build();
        let broken =
            |e: OutOfRange| TrainError::BrokenState { problem: e.to_string(), path: self.path.clone() };
        Ok(built.map_err(broken)?.slots())
    }

    fn load(
        &self,
        model: &Model,
        params: &mut [f32],
        buffers: &mut [f32],
    ) -> Result<Vec<Vec<f32>>, TrainError> {
        let names = match self.file.metadata().contains_key(STATE) {
            true => self.optimizer_slots()?,
            false => &[],
        };
        load(&self.file, &self.path, model, names, params, buffers)
    }
}

/// Parameters and buffers in the file of a model.
///
/// # Errors
/// When the file cannot be read, or its tensors are not the model's.
pub(super) fn read_weights(path: &Path, model: &Model) -> Result<(Vec<f32>, Vec<f32>), TrainError> {
    room(model, 1)?;
    let mut params = vec![0.0; model.params().len()];
    let mut buffers = vec![0.0; model.buffers().len()];
    load(&WeightsFile::open(path)?, path, model, &[], &mut params, &mut buffers)?;
    Ok((params, buffers))
}

/// The whole state in the file of a model and an optimizer with slots of these names.
///
/// # Errors
/// When the file holds weights only, or its tensors are not those of the model and the optimizer.
pub(super) fn read_state(path: &Path, model: &Model, names: &[&str]) -> Result<State, TrainError> {
    state_in(&WeightsFile::open(path)?, path, model, names)
}

fn state_in(file: &WeightsFile, path: &Path, model: &Model, names: &[&str]) -> Result<State, TrainError> {
    let counters: Counters = field(file, path, STATE)?;
    room(model, 1 + names.len())?;
    let mut params = vec![0.0; model.params().len()];
    let mut buffers = vec![0.0; model.buffers().len()];
    let slots = load(file, path, model, names, &mut params, &mut buffers)?;
    Ok(State { params, buffers, slots, counters })
}

/// Fills parameters and buffers, gives the slots of these names, and compares the sum of all.
fn load(
    file: &WeightsFile,
    path: &Path,
    model: &Model,
    names: &[&str],
    params: &mut [f32],
    buffers: &mut [f32],
) -> Result<Vec<Vec<f32>>, TrainError> {
    let layouts = slot_layouts(names, model.params());
    let mut slots = vec![vec![0.0; params.len()]; names.len()];
    let mut sets: Vec<(&Layout, &mut [f32])> = vec![(model.params(), params), (model.buffers(), buffers)];
    sets.extend(layouts.iter().zip(slots.iter_mut().map(Vec::as_mut_slice)));
    file.load(&mut sets)?;
    let values: Vec<&[f32]> = sets.iter().map(|(_, values)| &**values).collect();
    let (written, found) = (file.metadata().get(SUM), sha256(&values));
    if let Some(written) = written.filter(|w| **w != found) {
        let start = |sum: &str| sum.chars().take(12).collect::<String>();
        let (found, written) = (start(&found), start(written));
        let problem = format!("the tensors' SHA-256 begins {found}, expected {written}");
        return Err(TrainError::BrokenState { problem, path: path.to_owned() });
    }
    Ok(slots)
}

fn field<T: serde::de::DeserializeOwned>(
    file: &WeightsFile,
    path: &Path,
    what: &'static str,
) -> Result<T, TrainError> {
    let text = file.metadata().get(what).ok_or(TrainError::NoState { what, path: path.to_owned() })?;
    let broken =
        |e: serde_json::Error| TrainError::BrokenState { problem: e.to_string(), path: path.to_owned() };
    serde_json::from_str(text).map_err(broken)
}

/// Whether a model's buffers and so many vectors of the length of its parameters can be had.
fn room(model: &Model, n_vectors: usize) -> Result<(), TrainError> {
    let (params, buffers) = (model.params().len(), model.buffers().len());
    let need =
        Need { state: memory::floats(&[params.saturating_mul(n_vectors), buffers]), ..Need::default() };
    if need.can_be_had() { Ok(()) } else { Err(TrainError::Memory { need }) }
}

fn slot_layouts(names: &[&str], params: &Layout) -> Vec<Layout> {
    let renamed = |state: &&str| Layout {
        slots: params
            .slots
            .iter()
            .map(|s| Slot { name: format!("{OPTIMIZER}{state}.{}", s.name), ..s.clone() })
            .collect(),
    };
    names.iter().map(renamed).collect()
}

fn json<T: Serialize>(value: &T) -> std::io::Result<String> {
    serde_json::to_string(value).map_err(std::io::Error::other)
}

/// What a file of weights holds besides parameters and buffers.
#[derive(Clone, Copy)]
pub(super) struct Contents<'a> {
    /// what tells a reader which model it is; a model in the graph style has no such words
    pub saved: Option<&'a SavedModel>,
    /// names of the optimizer's slots, where all that training goes on from is written too
    pub slots: Option<&'a [&'a str]>,
}

/// Writes parameters and the model's buffers under PyTorch's names, and the rest of the contents.
///
/// # Errors
/// When the disk is full or refuses; the file that was there stays.
pub(super) fn write(path: &Path, contents: Contents, model: &Model, state: &State) -> Result<(), TrainError> {
    record::write_atomic(path, |w| {
        let mut fields = BTreeMap::new();
        if let Some(saved) = contents.saved {
            fields.insert(MODEL.to_owned(), json(saved)?);
        }
        let layouts = slot_layouts(contents.slots.unwrap_or_default(), model.params());
        let mut sets: Vec<(&Layout, &[f32])> =
            vec![(model.params(), &state.params), (model.buffers(), &state.buffers)];
        if contents.slots.is_some() {
            fields.insert(STATE.to_owned(), json(&state.counters)?);
            sets.extend(layouts.iter().zip(state.slots.iter().map(Vec::as_slice)));
        }
        let values: Vec<&[f32]> = sets.iter().map(|(layout, values)| &values[..layout.len()]).collect();
        fields.insert(SUM.to_owned(), sha256(&values));
        weights::write(w, &sets, &fields)
    })?;
    Ok(())
}
