//! The data's part of the config: the source, how it is read, and how it is split.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Memory;
use super::declare::fields;
#[cfg(feature = "runs")]
use super::field::{Kind, SAMPLES, SEED};
use crate::data::{
    Channels, Color, ColumnType, Corrupt, DataOptions, DateOrder, Fit, Labels, MissingTarget, Share, Shuffle,
    SplitOptions, TaskKind,
};
#[cfg(feature = "runs")]
use crate::settings::Range;

#[cfg(feature = "runs")]
const SHARE: Kind = Kind::Number(Range::AtLeast(0.0));

#[cfg(feature = "runs")]
const TYPES: Kind = Kind::Free("a table of columns with their types: `{ zip = \"category\" }`");

#[cfg(feature = "runs")]
const SCALE: Kind = Kind::Free("a table of columns with their factors: `{ age = 2.0 }`");

/// The most parts of a cross-validation: each is a run.
pub(super) const MOST_FOLDS: u64 = 10_000;

fields! {
    /// `[data]`; `data = "x"` is short for its first key.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    pub struct DataConfig {
        /// a built-in name, a file, a folder, files of one table as `logs/*.csv`, or `-` for standard input
        pub source: String = "digits".into() => "\"digits\"", is Kind::Text;
        /// validation part: a share below 1, or a number of samples; by default 0.1, and nothing for arrays
        #[serde(skip_serializing_if = "Option::is_none")]
        pub valid: Option<Share> = None, example "0.1", is SHARE;
        /// test part: a share below 1, or a number of samples; by default 0.2, and nothing for arrays
        #[serde(skip_serializing_if = "Option::is_none")]
        pub test: Option<Share> = None, example "0.2", is SHARE;
        /// give each part its share of every class; by default yes for classes
        #[serde(skip_serializing_if = "Option::is_none")]
        pub stratify: Option<bool> = None, example "true", is Kind::Switch;
        /// which of the many possible splits to use
        pub split_seed: u64 = 0, is SEED;
        /// cross-validation: divide the samples into this many parts
        #[serde(skip_serializing_if = "Option::is_none")]
        pub folds: Option<usize> = None, example "5", is Kind::Whole(2, MOST_FOLDS);
        /// which fold is the test part, counted from 0; by default each in turn
        #[serde(skip_serializing_if = "Option::is_none")]
        pub fold: Option<usize> = None, example "0", is Kind::Whole(0, SAMPLES);
        /// target columns; by default the last one
        pub target: Vec<String> = Vec::new() => "[]", is Kind::Texts;
        /// by default decided by the targets
        #[serde(skip_serializing_if = "Option::is_none")]
        pub task: Option<TaskKind> = None, example "\"regression\"", is Kind::Words(TaskKind::WORDS);
        /// number of classes; by default all classes that occur
        #[serde(skip_serializing_if = "Option::is_none")]
        pub classes: Option<usize> = None, example "10", is Kind::Whole(1, 65_536);
        /// columns to leave out
        pub drop: Vec<String> = Vec::new() => "[]", is Kind::Texts;
        /// whether the first line of a table has the names; by default detected
        #[serde(skip_serializing_if = "Option::is_none")]
        pub header: Option<bool> = None, example "true", is Kind::Switch;
        /// what separates the fields of a table; by default detected
        #[serde(skip_serializing_if = "Option::is_none")]
        pub separator: Option<char> = None, example "\";\"", is Kind::Text;
        /// a column that says which rows belong together: rows with the same value stay in one part
        #[serde(skip_serializing_if = "Option::is_none")]
        pub group: Option<String> = None, example "\"patient\"", is Kind::Text;
        /// a column that says when a row was recorded: the latest rows are the test part
        #[serde(skip_serializing_if = "Option::is_none")]
        pub time: Option<String> = None, example "\"date\"", is Kind::Text;
        /// a column that says what each row counts in the loss: numbers of 0 or more
        #[serde(skip_serializing_if = "Option::is_none")]
        pub weight: Option<String> = None, example "\"weight\"", is Kind::Text;
        /// the decimal mark in a table's numbers; by default detected for each column
        #[serde(skip_serializing_if = "Option::is_none")]
        pub decimal: Option<char> = None, example "\",\"", is Kind::Text;
        /// the thousands separator in a table's numbers; by default detected for each column
        #[serde(skip_serializing_if = "Option::is_none")]
        pub thousands: Option<char> = None, example "\".\"", is Kind::Text;
        /// marks for missing values in a table, besides the usual ones
        pub missing: Vec<String> = Vec::new() => "[]", is Kind::Texts;
        /// rows of a table whose target is missing: `error`, or `drop` to leave them out
        pub missing_target: MissingTarget = MissingTarget::Error => "\"error\"", is Kind::Words(MissingTarget::WORDS);
        /// what columns of a table hold (number, boolean, category, date, text); by default detected
        #[serde(skip_serializing_if = "BTreeMap::is_empty")]
        pub types: BTreeMap<String, ColumnType> = BTreeMap::new(), example "{ zip = \"category\" }", is TYPES;
        /// factors of columns of numbers after preprocessing, for a table; by default 1
        #[serde(skip_serializing_if = "BTreeMap::is_empty")]
        pub scale: BTreeMap<String, f64> = BTreeMap::new(), example "{ age = 2.0 }", is SCALE;
        /// the order of day and month in dates such as 03/04/2025; by default detected for each column
        #[serde(skip_serializing_if = "Option::is_none")]
        pub date_order: Option<DateOrder> = None, example "\"dmy\"", is Kind::Words(DateOrder::WORDS);
        /// how many lines at the top of a table to skip
        pub skip: u64 = 0, is Kind::Whole(0, SAMPLES);
        /// other lines of a table to skip, counted from 1
        pub skip_lines: Vec<String> = Vec::new() => "[]", is Kind::Texts;
        /// what comment lines in a table begin with; by default detected
        #[serde(skip_serializing_if = "Option::is_none")]
        pub comment: Option<String> = None, example "\"#\"", is Kind::Text;
        /// the encoding of a table, such as `utf-16` or `shift_jis`; by default detected
        #[serde(skip_serializing_if = "Option::is_none")]
        pub encoding: Option<String> = None, example "\"windows-1252\"", is Kind::Text;
        /// which sheet of a workbook, or which file in an archive; by default the first sheet, or the only file
        #[serde(skip_serializing_if = "Option::is_none")]
        pub sheet: Option<String> = None, example "\"2024\"", is Kind::Text;
        /// replace missing values by the median in tables and the mean in arrays; by default yes in tables
        #[serde(skip_serializing_if = "Option::is_none")]
        pub allow_missing: Option<bool> = None, example "true", is Kind::Switch;
        /// the order of images in arrays: [C, H, W] or [H, W, C]
        pub channels: Channels = Channels::Auto => "\"auto\"", is Kind::Words(Channels::WORDS);
        /// colors of image files; auto: gray if all files are gray
        pub color: Color = Color::Auto => "\"auto\"", is Kind::Words(Color::WORDS);
        /// size of image files: one number, or height and width; by default as they are
        pub size: Vec<usize> = Vec::new() => "[]", is Kind::Wholes(1);
        /// how image files get that size: stretched, cropped to the middle, or padded with black
        pub resize: Fit = Fit::Stretch => "\"stretch\"", is Kind::Words(Fit::WORDS);
        /// what to do with image files that cannot be read
        pub corrupt: Corrupt = Corrupt::Skip => "\"skip\"", is Kind::Words(Corrupt::WORDS);
        /// labels of CIFAR-100: 100 classes, or 20 groups
        pub labels: Labels = Labels::Fine => "\"fine\"", is Kind::Words(Labels::WORDS);
        /// the most that a run may take, data among it; data of more than half of it are streamed from the disk
        #[serde(skip_serializing_if = "Option::is_none")]
        pub memory: Option<Memory> = None, example "\"256MiB\"", is Kind::Free("an amount of memory such as 256MiB, 1.5GiB, 2GB");
        /// from the disk, or held in memory; else by `memory`
        #[serde(skip_serializing_if = "Option::is_none")]
        pub stream: Option<bool> = None, example "true", is Kind::Switch;
        /// any sample after any other, or blocks and the samples of a few of them; else blocks where data are streamed
        #[serde(skip_serializing_if = "Option::is_none")]
        pub shuffle: Option<Shuffle> = None, example "\"blocks\"", is Kind::Words(Shuffle::WORDS);
        /// number of samples of a synthetic data set
        #[serde(skip_serializing_if = "Option::is_none")]
        pub n: Option<usize> = None, example "1000", is Kind::Whole(1, SAMPLES);
        /// deviation of the noise of a synthetic data set
        #[serde(skip_serializing_if = "Option::is_none")]
        pub noise: Option<f32> = None, example "0.1", is Kind::Number(Range::AtLeast(0.0));
        /// seed of a synthetic data set
        pub seed: u64 = 0, is SEED;
    }
}

/// One part of a cross-validation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TestFold {
    /// Number of parts.
    pub of: usize,
    /// The part that is the test part, from 0.
    pub index: usize,
}

impl DataConfig {
    /// Whether the samples come from standard input, which can be read once.
    pub fn is_stdin(&self) -> bool {
        self.source == "-"
    }

    /// How the source is to be read.
    pub fn options(&self) -> DataOptions {
        DataOptions {
            target: self.target.clone(),
            task: self.task,
            classes: self.classes,
            drop: self.drop.clone(),
            header: self.header,
            separator: self.separator,
            group: self.group.clone(),
            time: self.time.clone(),
            weight: self.weight.clone(),
            decimal: self.decimal,
            thousands: self.thousands,
            missing: self.missing.clone(),
            missing_target: self.missing_target,
            types: self.types.clone(),
            date_order: self.date_order,
            skip: self.skip,
            skip_lines: self.skip_lines.clone(),
            comment: self.comment.clone(),
            encoding: self.encoding.clone(),
            sheet: self.sheet.clone(),
            allow_missing: self.allow_missing,
            channels: self.channels,
            color: self.color,
            size: self.size.clone(),
            resize: self.resize,
            corrupt: self.corrupt,
            labels: self.labels,
            memory: self.memory.map(|memory| memory.0),
            stream: self.stream,
            n: self.n,
            noise: self.noise,
            seed: self.seed,
            ..DataOptions::default()
        }
    }

    /// Whether the source holds arrays, which are taken as they are: all samples to train on, nothing standardized.
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
    pub fn fold(&self) -> Option<TestFold> {
        self.folds.map(|of| TestFold { of, index: self.fold.unwrap_or(0) })
    }

    /// The number of parts, where each is to be the test part in turn.
    pub fn every_fold(&self) -> Option<usize> {
        self.folds.filter(|_| self.fold.is_none())
    }
}
