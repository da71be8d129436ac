//! What stands in a checkpoint besides tensors: which model it is, how samples are read, where training was.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use engine::{Layout, Slot, StateVec};
use serde::{Deserialize, Serialize};

use super::error::TrainError;
use super::memory::{self, Need};
use super::prepared::Reading;
use super::preprocessing::{PREPROCESSING, Preprocessing};
use super::state::{Counters, State, sha256};
use crate::data::Identity;
use crate::model::weights::{self, STATE, WeightsFile};
use crate::model::{Model, ModelConfig};
use crate::optim::{NamedState, OptimConfig, Recipe, Updater};
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
    /// the optimizer, whose state may be in the file
    pub optimizer: OptimConfig,
    /// what the optimizer keeps; where this is not written, what `optimizer` alone keeps of every parameter
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub states: Option<Vec<SavedState>>,
    /// what tells the data it was trained on from others
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Identity>,
    /// the same in checkpoints of the first days, by the rules of version 1
    #[serde(default, skip_serializing)]
    data_crc32: Option<u32>,
}

impl SavedModel {
    /// A description for a new checkpoint.
    pub fn new(
        model: ModelConfig,
        reading: Reading,
        (optimizer, states): (OptimConfig, Vec<SavedState>),
        data: Option<Identity>,
    ) -> Self {
        SavedModel { model, reading, optimizer, states: Some(states), data, data_crc32: None }
    }

    /// What tells the data it was trained on from others; `None` where the checkpoint does not say.
    pub fn identity(&self) -> Option<Identity> {
        self.data.or(self.data_crc32.map(|crc32| Identity { version: 1, crc32 }))
    }
}

/// A state of an optimizer, without its numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SavedState {
    /// such as `exp_avg`
    pub name: String,
    /// the parameters that have it; all, where this is not written
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<Vec<String>>,
    /// its shapes, of those parameters where it differs from theirs
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub shapes: BTreeMap<String, Vec<usize>>,
}

impl SavedState {
    pub(super) fn list(states: &[NamedState]) -> Vec<SavedState> {
        states.iter().map(Self::new).collect()
    }

    fn new(state: &NamedState) -> Self {
        let all = state.parts().all(|(_, part)| part.is_some());
        let own = |(param, part): (&Slot, Option<&Slot>)| {
            let differs = part.filter(|part| part.shape != param.shape)?;
            Some((param.name.clone(), differs.shape.to_vec()))
        };
        let names = || state.parts().filter(|(_, part)| part.is_some()).map(|(param, _)| param.name.clone());
        SavedState {
            name: state.name.clone(),
            of: (!all).then(|| names().collect()),
            shapes: state.parts().filter_map(own).collect(),
        }
    }

    fn named(&self, params: &Layout) -> NamedState {
        let has = |name: &String| self.of.as_ref().is_none_or(|of| of.contains(name));
        let shape = |slot: &Slot| self.shapes.get(&slot.name).cloned().unwrap_or_else(|| slot.shape.to_vec());
        NamedState::of(self.name.clone(), params, |slot| has(&slot.name).then(|| shape(slot)))
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
        let saved: SavedModel = field(&file, path, MODEL)?;
        if let Some(problem) = saved.reading.problem() {
            return Err(TrainError::BrokenState { problem, path: path.to_owned() });
        }
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
        let (mut params, mut buffers) = zeros(model, &[])?;
        self.load(model, &mut params, &mut buffers)?;
        Ok((params, buffers))
    }

    /// Whether what the optimizer in the file keeps is what another does.
    ///
    /// # Errors
    /// When names or shapes differ.
    pub(super) fn check_same_states(&self, model: &Model, wanted: &[NamedState]) -> Result<(), TrainError> {
        let [saved, wanted] = [&self.states(model)?[..], wanted].map(SavedState::list);
        if saved == wanted {
            return Ok(());
        }
        let names = |list: &[SavedState]| list.iter().map(|s| s.name.clone()).collect::<Vec<_>>().join(", ");
        let problem = format!(
            "it holds the states [{}] of an optimizer, or their shapes, expected [{}]",
            names(&saved),
            names(&wanted)
        );
        Err(TrainError::BrokenState { problem, path: self.path.clone() })
    }

    /// The whole state, to go on training.
    ///
    /// # Errors
    /// When the file holds weights only, or tensors are not those of the model and its optimizer.
    pub fn state(&self, model: &Model) -> Result<State, TrainError> {
        state_in(&self.file, &self.path, model, &self.states(model)?)
    }

    /// What the optimizer in the file keeps.
    fn states(&self, model: &Model) -> Result<Vec<NamedState>, TrainError> {
        let broken =
            |e: OutOfRange| TrainError::BrokenState { problem: e.to_string(), path: self.path.clone() };
        match &self.saved.states {
            Some(states) => self.check_states(states.iter().map(|s| s.named(model.params())).collect()),
            None => {
                let recipe = Recipe::new(Arc::from(self.saved.optimizer.build().map_err(broken)?));
                Ok(Updater::new(recipe, model.params())?.states().to_vec())
            }
        }
    }

    /// Holds what the file says of its states to its tensors, before there is memory for them.
    fn check_states(&self, states: Vec<NamedState>) -> Result<Vec<NamedState>, TrainError> {
        let tensors: BTreeMap<String, Vec<usize>> = self.file.tensors()?.into_iter().collect();
        let wrong =
            |slot: &Slot| tensors.get(&slot.name).is_none_or(|shape| shape[..] != slot.file_shape()[..]);
        let found = states.iter().flat_map(NamedState::parts).find_map(|(_, part)| part.filter(|s| wrong(s)));
        match found.map(|slot| format!("the tensor `{}` is missing or has another shape", slot.name)) {
            None => Ok(states),
            Some(problem) => Err(TrainError::BrokenState { problem, path: self.path.clone() }),
        }
    }

    fn load(
        &self,
        model: &Model,
        params: &mut [f32],
        buffers: &mut [f32],
    ) -> Result<Vec<StateVec>, TrainError> {
        let states = match self.file.metadata().contains_key(STATE) {
            true => self.states(model)?,
            false => Vec::new(),
        };
        load(&self.file, &self.path, model, &states, params, buffers)
    }
}

/// Parameters and buffers in the file of a model.
///
/// # Errors
/// When the file cannot be read, or its tensors are not the model's.
pub(super) fn read_weights(path: &Path, model: &Model) -> Result<(Vec<f32>, Vec<f32>), TrainError> {
    let (mut params, mut buffers) = zeros(model, &[])?;
    load(&WeightsFile::open(path)?, path, model, &[], &mut params, &mut buffers)?;
    Ok((params, buffers))
}

/// The whole state in the file of a model and an optimizer that keeps these states.
///
/// # Errors
/// When the file holds weights only, or its tensors are not those of the model and the optimizer.
pub(super) fn read_state(path: &Path, model: &Model, states: &[NamedState]) -> Result<State, TrainError> {
    state_in(&WeightsFile::open(path)?, path, model, states)
}

fn state_in(
    file: &WeightsFile,
    path: &Path,
    model: &Model,
    states: &[NamedState],
) -> Result<State, TrainError> {
    let counters: Counters = field(file, path, STATE)?;
    if let Some(problem) = counters.problem() {
        return Err(TrainError::BrokenState { problem, path: path.to_owned() });
    }
    let (mut params, mut buffers) = zeros(model, states)?;
    let slots = load(file, path, model, states, &mut params, &mut buffers)?;
    Ok(State { params, buffers, slots, counters })
}

/// Fills parameters and buffers, gives the states, and compares the sum of all.
fn load(
    file: &WeightsFile,
    path: &Path,
    model: &Model,
    states: &[NamedState],
    params: &mut [f32],
    buffers: &mut [f32],
) -> Result<Vec<StateVec>, TrainError> {
    let layouts: Vec<Layout> = states.iter().map(NamedState::layout).collect();
    let mut slots: Vec<StateVec> = states.iter().map(NamedState::zeros).collect();
    let mut sets: Vec<(&Layout, &mut [f32])> = vec![(model.params(), params), (model.buffers(), buffers)];
    sets.extend(layouts.iter().zip(slots.iter_mut().map(StateVec::values_mut)));
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

/// Memory for a model's parameters and its buffers, where that and the memory of the states can be had.
fn zeros(model: &Model, states: &[NamedState]) -> Result<(Vec<f32>, Vec<f32>), TrainError> {
    let states = states.iter().map(|s| s.layout().len());
    let state =
        memory::floats(&[states.fold(model.params().len(), usize::saturating_add), model.buffers().len()]);
    let need = Need { state, ..Need::default() };
    if !need.can_be_had() {
        return Err(TrainError::Memory { need });
    }
    Ok((vec![0.0; model.params().len()], vec![0.0; model.buffers().len()]))
}

fn json<T: Serialize>(value: &T) -> std::io::Result<String> {
    serde_json::to_string(value).map_err(std::io::Error::other)
}

/// Writes parameters and the model's buffers under PyTorch's names, with what tells a reader which model it is (a
/// model in the graph style has no such words); with a state and its names, also all that training
/// goes on from.
///
/// # Errors
/// When the disk is full or refuses; the file that was there stays.
pub(super) fn write(
    path: &Path,
    saved: Option<(&SavedModel, &Preprocessing)>,
    model: &Model,
    (params, buffers): (&[f32], &[f32]),
    state: Option<(&State, &[NamedState])>,
) -> Result<(), TrainError> {
    record::write_atomic(path, |w| {
        let mut fields = BTreeMap::new();
        if let Some((saved, preprocessing)) = saved {
            fields.insert(MODEL.to_owned(), json(saved)?);
            fields.insert(PREPROCESSING.to_owned(), json(preprocessing)?);
        }
        let layouts: Vec<Layout> =
            state.iter().flat_map(|(_, states)| states.iter().map(NamedState::layout)).collect();
        let mut sets: Vec<(&Layout, &[f32])> = vec![(model.params(), params), (model.buffers(), buffers)];
        if let Some((state, _)) = state {
            fields.insert(STATE.to_owned(), json(&state.counters)?);
            sets.extend(layouts.iter().zip(state.slots.iter().map(StateVec::values)));
        }
        let values: Vec<&[f32]> = sets.iter().map(|(layout, values)| &values[..layout.len()]).collect();
        fields.insert(SUM.to_owned(), sha256(&values));
        weights::write(w, &sets, &fields)
    })?;
    Ok(())
}
