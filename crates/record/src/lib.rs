//! What a run writes and everyone reads: plain data with one reader and one writer.
//!
//! A run folder holds
//!
//! | file | what |
//! |---|---|
//! | `config.toml` | the resolved config, as text |
//! | `metrics.csv` | one row per epoch ([`MetricsTable`], [`MetricsWriter`]) |
//! | `summary.json` | status, figures, machine ([`Summary`]) |
//! | `evaluation.json` | confusion matrix or residuals ([`Evaluation`]) |
//! | `explanation.json` | which columns matter ([`Explanation`]), once that was asked for |
//! | `calibration.json` | temperature and threshold ([`Calibration`]), once that was asked for |
//! | `log.txt` | what was said, with the seconds since the start ([`LogWriter`]) |
//! | `checkpoints/{best,last}.safetensors` | written by the library; only the paths are known here |
//! | `report.html` | made from all of the above |
//!
//! A folder of several runs ([`RunsDir`]) holds a run folder for each, and
//!
//! | file | what |
//! |---|---|
//! | `runs.json` | the list: names, what differs, how each stands ([`RunList`]) |
//! | `base.toml` | the config that the runs have in common |
//! | `runs.csv` | one row a run |
//! | `results.csv`, `results.json` | mean and spread of every figure, by group ([`Results`]) |
//! | `folds.csv` | the test figures of a cross-validation |
//!
//! An experiment's folder ([`LabDir`]) holds `verdict.json` ([`LabRecord`]), `data.csv`, `figure.svg` and `index.html`.
//!
//! Without the feature `files` only the plain data are here, for programs that keep no run folders.
//!
//! Whole files are replaced by [`write_atomic`], so a reader sees the old or the new file, never half of one.

#[cfg(feature = "files")]
mod atomic;
mod baselines;
mod calibration;
mod error;
mod evaluation;
mod explanation;
#[cfg(feature = "files")]
mod lab;
#[cfg(feature = "files")]
mod log;
mod machine;
mod metrics;
#[cfg(feature = "files")]
mod metrics_file;
#[cfg(feature = "files")]
mod name;
#[cfg(feature = "files")]
mod open;
#[cfg(feature = "files")]
mod results;
#[cfg(feature = "files")]
mod run_dir;
#[cfg(feature = "files")]
mod runs_dir;
mod scores;
mod summary;
mod visible;

#[cfg(feature = "files")]
pub use atomic::{remove_temporaries, write_atomic};
pub use baselines::{Baseline, Baselines, Gain};
pub use calibration::{BeforeAfter, Calibration, CalibrationFigures, Threshold};
pub use error::{Action, RecordError, Result, RowProblem};
pub use evaluation::{
    ClassScore, ConfusedPair, Confusion, Evaluation, HeadOutcome, Majority, Outcome, Residuals,
};
pub use explanation::{ColumnImportance, Dependence, Explanation, Importance, Values};
#[cfg(feature = "files")]
pub use lab::{Chart, Claim, HistogramRow, LabDir, LabFigure, LabRecord, Line, Measured, Verdict};
#[cfg(feature = "files")]
pub use log::LogWriter;
pub use machine::Machine;
pub use metrics::{Metrics, MetricsTable, Row};
#[cfg(feature = "files")]
pub use metrics_file::MetricsWriter;
#[cfg(feature = "files")]
pub use name::stem;
#[cfg(feature = "files")]
pub use results::{Group, Results, RunResult, Spread, mean_and_std};
#[cfg(feature = "files")]
pub use run_dir::{Existing, RunDir, RunRecord};
#[cfg(feature = "files")]
pub use runs_dir::{ListedRun, RunList, RunsDir, Standing};
pub use scores::{Scored, Scores};
pub use summary::{Figures, Goal, Samples, Status, Summary};
pub use visible::{visible, visible_line};
