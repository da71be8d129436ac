//! The data's part of the config: the source, how it is read, and how it is split.

use serde::{Deserialize, Serialize};

use crate::data::{DataOptions, Share, SplitOptions, TaskKind};

/// `[data]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DataConfig {
    /// A built-in name, a file or a folder; `digits`.
    pub source: String,
    /// Validation part; 10 %.
    pub valid: Share,
    /// Test part; 20 %.
    pub test: Share,
    /// Whether each part has its share of every class; yes for classes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stratify: Option<bool>,
    /// Which of the many splits; 0.
    pub split_seed: u64,
    /// Number of parts of a cross-validation; none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folds: Option<usize>,
    /// Which of them is the test part, from 0; read with `folds` only.
    pub fold: usize,
    /// Target columns, or a file of targets.
    pub target: Vec<String>,
    /// Classes or numbers; told by the targets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskKind>,
    /// Number of classes; those that are found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub classes: Option<usize>,
    /// Columns to leave out.
    pub drop: Vec<String>,
    /// Whether the first line holds names; found out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<bool>,
    /// What separates fields; found out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub separator: Option<char>,
    /// Whether missing values become means; yes in tables.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_missing: Option<bool>,
    /// Samples of a synthetic set; its own default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n: Option<usize>,
    /// Noise of a synthetic set; its own default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub noise: Option<f32>,
    /// Seed of a synthetic set; 0.
    pub seed: u64,
}

/// One part of a cross-validation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fold {
    /// Number of parts.
    pub of: usize,
    /// The part that is the test part, from 0.
    pub index: usize,
}

impl Default for DataConfig {
    fn default() -> Self {
        let split = SplitOptions::default();
        DataConfig {
            source: "digits".into(),
            valid: split.valid,
            test: split.test,
            stratify: None,
            split_seed: split.seed,
            folds: None,
            fold: 0,
            target: Vec::new(),
            task: None,
            classes: None,
            drop: Vec::new(),
            header: None,
            separator: None,
            allow_missing: None,
            n: None,
            noise: None,
            seed: 0,
        }
    }
}

impl DataConfig {
    /// How the source is to be read.
    pub fn options(&self) -> DataOptions {
        DataOptions {
            target: self.target.clone(),
            task: self.task,
            classes: self.classes,
            drop: self.drop.clone(),
            header: self.header,
            separator: self.separator,
            allow_missing: self.allow_missing,
            n: self.n,
            noise: self.noise,
            seed: self.seed,
            ..DataOptions::default()
        }
    }

    /// How it is to be split.
    pub fn split(&self) -> SplitOptions {
        SplitOptions { valid: self.valid, test: self.test, stratify: self.stratify, seed: self.split_seed }
    }

    /// The part of a cross-validation, where one is asked for.
    pub fn fold(&self) -> Option<Fold> {
        self.folds.map(|of| Fold { of, index: self.fold })
    }
}
