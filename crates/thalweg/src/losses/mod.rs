//! Losses: each says what every sample costs, as nodes of the graph, and how that adds up to one number.

use crate::data::Task;
use crate::registry::{Entry, OutOfRange};
use crate::source::{Source, SourceError, n_targets, target_columns};
use engine::graph::{Built, Graph, Var};
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt::Debug;
use std::sync::Arc;

pub use cross_entropy::ClassWeights;

/// What a loss compares.
#[derive(Clone, Copy, Debug)]
pub struct Compared<'a> {
    /// what the model gives, `[batch, n_outputs]`
    pub outputs: Var,
    /// class indices, `[batch]`, or numbers, `[batch, n_outputs]`
    pub target: Var,
    /// what the targets are
    pub task: &'a Task,
    /// what [`Loss::fit`] gave, if that is anything: `[n]`
    pub constants: Option<Var>,
}

impl Compared<'_> {
    /// The targets in the shape of the outputs: classes as a 1 among zeros.
    ///
    /// # Errors
    /// None of its own.
    pub fn target_rows(&self, g: &mut Graph) -> Built {
        match self.task {
            Task::Classification { classes } => g.one_hot(self.target, classes.len()),
            Task::Regression { .. } => Ok(self.target),
        }
    }
}

/// What a loss adds to a graph.
#[derive(Clone, Copy, Debug)]
pub struct Costs {
    /// of each sample, `[batch]`
    pub each: Var,
    /// what each sample counts, `[batch]`; 1 where there is nothing
    pub weight: Option<Var>,
    /// the one number that training makes small: Σ each / Σ weight
    pub mean: Var,
}

impl Costs {
    /// Samples that count alike.
    ///
    /// # Errors
    /// None of its own.
    pub fn alike(g: &mut Graph, each: Var) -> Built<Costs> {
        Ok(Costs { each, weight: None, mean: g.mean(each)? })
    }

    /// Samples with a weight each, which `each` was multiplied by already.
    ///
    /// # Errors
    /// When the shapes differ.
    pub fn weighted(g: &mut Graph, each: Var, weight: Var) -> Built<Costs> {
        let (sum, divisor) = (g.sum(each)?, g.sum(weight)?);
        Ok(Costs { each, weight: Some(weight), mean: g.div(sum, divisor)? })
    }
}

impl From<engine::ops::losses::Loss> for Costs {
    fn from(loss: engine::ops::losses::Loss) -> Self {
        Costs { each: loss.each, weight: None, mean: loss.mean }
    }
}

/// What the outputs say of probabilities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probabilities {
    /// Nothing.
    None,
    /// Of one class among all, by softmax.
    Softmax,
    /// Of yes for each output, by the logistic function; numbers as targets are yes (1) or no (0).
    Sigmoid,
}

/// Targets that a loss is made ready for.
#[derive(Clone, Copy)]
pub struct Targets<'a> {
    source: &'a dyn Source,
    head: usize,
    train: &'a [u32],
}

impl<'a> Targets<'a> {
    pub(crate) fn new(source: &'a dyn Source, head: usize, train: &'a [u32]) -> Self {
        Targets { source, head, train }
    }

    /// What they are.
    pub fn task(&self) -> &'a Task {
        &self.source.heads()[self.head].task
    }

    /// Calls `f` with the target of every training sample, in its own unit; NaN where it is missing.
    ///
    /// # Errors
    /// Whatever keeps the source from giving them.
    pub fn each_train(&self, f: impl FnMut(&[f32])) -> Result<(), SourceError> {
        self.each(self.train.iter().copied(), f)
    }

    /// The same for all samples of the source.
    ///
    /// # Errors
    /// Whatever keeps the source from giving them.
    pub fn each_sample(&self, f: impl FnMut(&[f32])) -> Result<(), SourceError> {
        self.each(0..self.source.len() as u32, f)
    }

    fn each(&self, samples: impl Iterator<Item = u32>, mut f: impl FnMut(&[f32])) -> Result<(), SourceError> {
        let heads = self.source.heads();
        let own = target_columns(heads, self.head);
        let mut row = vec![0.0; n_targets(heads)];
        for sample in samples {
            self.source.targets(&[sample], &mut row)?;
            f(&row[own.clone()]);
        }
        Ok(())
    }
}

/// Why a loss cannot learn the targets.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LossError {
    /// Targets of another kind.
    #[error("loss `{loss}` needs {needs}, but the targets are {targets}")]
    Targets {
        /// the loss's name
        loss: &'static str,
        /// what it needs
        needs: &'static str,
        /// what there is
        targets: String,
    },
    /// As many class weights as classes are needed.
    #[error("`loss.class_weights` has {got} weights, the data has {expected} classes")]
    ClassWeights {
        /// weights given
        got: usize,
        /// classes
        expected: usize,
    },
    /// Targets that cannot be read.
    #[error("cannot read samples: {0}")]
    Source(#[from] SourceError),
}

impl LossError {
    /// What to type instead.
    pub fn hint(&self) -> Option<String> {
        match self {
            LossError::Targets { .. } => Some("`loss=auto` takes what suits the targets".into()),
            LossError::ClassWeights { expected, .. } => {
                Some(format!("`loss.class_weights=balanced`, or a list of {expected} numbers"))
            }
            LossError::Source(_) => None,
        }
    }
}

/// A number that training makes small.
pub trait Loss: Send + Sync + Debug {
    /// The word for it in a config and in messages.
    fn name(&self) -> &'static str;

    /// Makes the loss ready for targets, once before training: refuses those that it cannot learn, and gives the
    /// constants that its graph needs of them, such as weights of classes. By default there are none, and all targets
    /// suit.
    ///
    /// # Errors
    /// [`LossError::Targets`], and whatever keeps the source from giving targets.
    fn fit(&self, _targets: &Targets<'_>) -> Result<Vec<f32>, LossError> {
        Ok(Vec::new())
    }

    /// Adds the loss to a graph. Gradients come by themselves.
    ///
    /// # Errors
    /// When shapes do not fit.
    fn build(&self, g: &mut Graph, at: &Compared<'_>) -> Built<Costs>;

    /// What a sample of this class counts in the mean, by the constants that [`Loss::fit`] gave; 1 by default. It
    /// tells how much each of several batches counts that make one update.
    fn weight(&self, _constants: &[f32], _class: f32) -> f64 {
        1.0
    }

    /// What the outputs say of probabilities; nothing by default.
    fn probabilities(&self) -> Probabilities {
        Probabilities::None
    }
}

/// Lists the losses: a module, the variant and type, and the word each.
macro_rules! losses {
    ($($module:ident: $Type:ident = $name:literal),+ $(,)?) => {
        $(mod $module; pub use $module::$Type;)+

        /// Every loss's facts, in the order of the docs.
        pub const ALL: &[Entry] = &[AUTO, $($module::ENTRY),+];

        /// A loss and its settings: `"mse"`, or a table such as `{ name = "huber", delta = 2.0 }`.
        #[derive(Clone, Debug, Default, PartialEq, Serialize)]
        #[serde(tag = "name")]
        pub enum LossConfig {
            /// Cross entropy for classes, mean square for numbers.
            #[default]
            #[serde(rename = "auto")]
            Auto,
            $(#[allow(missing_docs)] #[serde(rename = $name)] $Type($Type)),+
        }

        #[derive(Deserialize)]
        #[serde(tag = "name", deny_unknown_fields)]
        enum Table {
            #[serde(rename = "auto")]
            Auto,
            $(#[serde(rename = $name)] $Type($Type)),+
        }

        impl From<Table> for LossConfig {
            fn from(table: Table) -> Self {
                match table {
                    Table::Auto => LossConfig::Auto,
                    $(Table::$Type(loss) => LossConfig::$Type(loss)),+
                }
            }
        }

        impl LossConfig {
            /// Facts about the chosen loss.
            pub fn entry(&self) -> &'static Entry {
                match self {
                    LossConfig::Auto => &AUTO,
                    $(LossConfig::$Type(_) => &$module::ENTRY),+
                }
            }

            /// Checks every number.
            ///
            /// # Errors
            /// Names the first key whose value is not allowed.
            pub fn check(&self) -> Result<(), OutOfRange> {
                match self {
                    LossConfig::Auto => Ok(()),
                    $(LossConfig::$Type(loss) => loss.in_range()),+
                }
            }

            /// The loss for targets of a kind.
            pub fn build(&self, task: &Task) -> Arc<dyn Loss> {
                match (self, task) {
                    (LossConfig::Auto, Task::Classification { .. }) => Arc::new(CrossEntropy::default()),
                    (LossConfig::Auto, Task::Regression { .. }) => Arc::new(Mse {}),
                    $((LossConfig::$Type(loss), _) => Arc::new(loss.clone())),+
                }
            }
        }

        $(impl From<$Type> for LossConfig { fn from(loss: $Type) -> Self { LossConfig::$Type(loss) } })+
    };
}

losses! {
    cross_entropy: CrossEntropy = "cross_entropy",
    bce: Bce = "bce",
    mse: Mse = "mse",
    huber: Huber = "huber",
    l1: L1 = "l1",
}

const AUTO: Entry = Entry {
    name: "auto",
    summary: "cross entropy for classes, mean square for numbers",
    formula: "cross_entropy or mse",
    source: "",
    keys: &[],
};

impl<'de> Deserialize<'de> for LossConfig {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        crate::registry::name_or_table::<D, Table>(from).map(Self::from)
    }
}
