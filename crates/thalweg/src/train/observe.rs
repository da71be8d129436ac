//! Watching a run: whoever observes is told, and changes nothing.

use record::{Row, Summary};

/// What is known when a run starts.
#[derive(Clone, Debug)]
pub struct Facts {
    /// the data's name
    pub data: String,
    /// the model's title
    pub model: String,
    /// numbers in the weights
    pub parameters: usize,
    /// training, validation and test samples
    pub samples: [usize; 3],
    /// steps in an epoch
    pub steps_per_epoch: u64,
    /// the run's last step
    pub n_steps: u64,
    /// the step it starts from; 0, or where it was interrupted
    pub from_step: u64,
    /// threads in use
    pub threads: usize,
    /// remarks on the data
    pub notes: Vec<String>,
}

/// Where a run is, after each step.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// steps done
    pub step: u64,
    /// epochs done
    pub epoch: u64,
    /// mean loss of the epoch so far
    pub loss: f64,
    /// mean accuracy of the epoch so far, for classes
    pub accuracy: Option<f64>,
    /// training samples seen since the run started or was resumed
    pub samples: u64,
}

/// Is told what happens.
pub trait Observer {
    /// The run begins.
    fn on_start(&mut self, _facts: &Facts) {}
    /// A step is done; called at every step, so it must be quick.
    fn on_step(&mut self, _progress: &Progress) {}
    /// An epoch is done and measured; `best` says whether it is the best so far.
    fn on_epoch(&mut self, _row: &Row, _best: bool) {}
    /// Something the user should know.
    fn on_warning(&mut self, _text: &str) {}
    /// The run ended, in whatever way.
    fn on_end(&mut self, _summary: &Summary) {}
}

/// Watches and says nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Observer for Silent {}
