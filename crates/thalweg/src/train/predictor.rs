//! A model at work without data, loss or optimizer: weights in, answers out.

#[cfg(feature = "runs")]
use std::path::Path;

use super::error::TrainError;
use super::fit::numbers_of;
use super::objective::Objective;
use super::session::Session;
use crate::model::Model;
use crate::source::{Head, Pass, Source, SourceError, copy_rows};

/// Samples answered at once.
const BATCH: usize = 256;

/// A model with weights that answers.
///
/// ```no_run
/// use thalweg::model::{Model, ModelConfig};
/// use thalweg::train::Predictor;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let config: ModelConfig = "784-512-10".parse()?;
/// let mut predictor = Predictor::new(Model::new(&config, &[28, 28], 10)?, 2);
/// predictor.load("weights.safetensors")?;
/// let logits = predictor.predict(&[0.0; 784])?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Predictor {
    session: Session,
    params: Vec<f32>,
    buffers: Vec<f32>,
}

impl Predictor {
    /// A model at its initial weights of seed 0, to be run by some threads.
    pub fn new(model: Model, threads: usize) -> Self {
        let (params, buffers) = model.init(0);
        // any number of shards gives the same answers: nothing is summed over a batch
        let shards = threads.clamp(1, engine::exec::MAX_WORKERS);
        let session = Session::new(model, Objective::default(), shards, shards);
        Predictor { session, params, buffers }
    }

    /// Takes the weights of a safetensors file, such as PyTorch's or a checkpoint's.
    ///
    /// # Errors
    /// When the file cannot be read, or its tensors are not the model's.
    #[cfg(feature = "runs")]
    pub fn load(&mut self, path: impl AsRef<Path>) -> Result<(), TrainError> {
        Ok(self.session.model.load(path.as_ref(), &mut self.params, &mut self.buffers)?)
    }

    /// What the model gives for samples, `[n, n_outputs]`: for classes the logits. `inputs` is `[n, input_shape..]`, as
    /// the model is to see them.
    ///
    /// # Errors
    /// When `inputs` is not a number of whole samples.
    pub fn predict(&mut self, inputs: &[f32]) -> Result<Vec<f32>, TrainError> {
        answer(&mut self.session, (&self.params, &self.buffers), inputs, BATCH)
    }
}

/// What a model gives for inputs as it is to see them.
pub(super) fn answer(
    session: &mut Session,
    weights: (&[f32], &[f32]),
    inputs: &[f32],
    batch: usize,
) -> Result<Vec<f32>, TrainError> {
    let shape = session.model.input_shape().to_vec();
    let width: usize = shape.iter().product();
    if width == 0 || !inputs.len().is_multiple_of(width) {
        return Err(TrainError::SampleShape { expected: shape, got: vec![inputs.len()] });
    }
    let source = Inputs { values: inputs, shape: &shape, width };
    let all = numbers_of(&source)?;
    session.answer(weights, (&source, &all), batch)
}

/// Samples without targets.
struct Inputs<'a> {
    values: &'a [f32],
    shape: &'a [usize],
    width: usize,
}

impl Source for Inputs<'_> {
    fn len(&self) -> usize {
        self.values.len() / self.width
    }

    fn input_shape(&self) -> &[usize] {
        self.shape
    }

    fn heads(&self) -> &[Head] {
        &[]
    }

    fn inputs(&self, samples: &[u32], _pass: Pass, out: &mut [f32]) -> Result<(), SourceError> {
        copy_rows(self.values, self.width, samples, out);
        Ok(())
    }

    fn targets(&self, _samples: &[u32], _out: &mut [f32]) -> Result<(), SourceError> {
        Ok(())
    }
}
