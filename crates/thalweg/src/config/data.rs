//! The data's part of the config: the source, how it is read, and how it is split.

use serde::{Deserialize, Serialize};

use crate::data::{Channels, Color, Corrupt, DataOptions, Fit, Labels, Share, SplitOptions, TaskKind};

/// `[data]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DataConfig {
    /// A built-in name, a file or a folder; `digits`.
    pub source: String,
    /// Validation part; 10 %, of arrays nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid: Option<Share>,
    /// Test part; 20 %, of arrays nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test: Option<Share>,
    /// Whether each part has its share of every class; yes for classes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stratify: Option<bool>,
    /// Which of the many splits; 0.
    pub split_seed: u64,
    /// Number of parts of a cross-validation; none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folds: Option<usize>,
    /// Which of them is the test part, from 0; without it each is, in turn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fold: Option<usize>,
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
    /// Where the channels of images in arrays are; found out.
    pub channels: Channels,
    /// Channels of image files; grey if all are.
    pub color: Color,
    /// Height and width of image files, or one number for both; the size that all have.
    pub size: Vec<usize>,
    /// How image files get that size; stretched.
    pub resize: Fit,
    /// What becomes of image files that cannot be read; left out.
    pub corrupt: Corrupt,
    /// Which labels of CIFAR-100; the fine ones.
    pub labels: Labels,
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
            valid: None,
            test: None,
            stratify: None,
            split_seed: split.seed,
            folds: None,
            fold: None,
            target: Vec::new(),
            task: None,
            classes: None,
            drop: Vec::new(),
            header: None,
            separator: None,
            allow_missing: None,
            channels: Channels::Auto,
            color: Color::Auto,
            size: Vec::new(),
            resize: Fit::Stretch,
            corrupt: Corrupt::Skip,
            labels: Labels::Fine,
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
            channels: self.channels,
            color: self.color,
            size: self.size.clone(),
            resize: self.resize,
            corrupt: self.corrupt,
            labels: self.labels,
            n: self.n,
            noise: self.noise,
            seed: self.seed,
            ..DataOptions::default()
        }
    }

    /// Whether the source holds arrays, which are taken as they are: all samples to train on, nothing standardised.
    /// A training loop that another program drives depends on it.
    pub fn is_arrays(&self) -> bool {
        [".npz", ".npy"].iter().any(|end| self.source.to_lowercase().ends_with(end))
    }

    /// How it is to be split.
    pub fn split(&self) -> SplitOptions {
        let default = match self.is_arrays() {
            true => SplitOptions {
                valid: Share::Fraction(0.0),
                test: Share::Fraction(0.0),
                ..SplitOptions::default()
            },
            false => SplitOptions::default(),
        };
        SplitOptions {
            valid: self.valid.unwrap_or(default.valid),
            test: self.test.unwrap_or(default.test),
            stratify: self.stratify,
            seed: self.split_seed,
        }
    }

    /// The part of a cross-validation, where one is asked for.
    pub fn fold(&self) -> Option<Fold> {
        self.folds.map(|of| Fold { of, index: self.fold.unwrap_or(0) })
    }

    /// The number of parts, where each is to be the test part in turn.
    pub fn every_fold(&self) -> Option<usize> {
        self.folds.filter(|_| self.fold.is_none())
    }
}
