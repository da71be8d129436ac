//! How a data source is to be read.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use settings::words;

use super::Channels;

words! {
    /// What the targets are.
    pub enum TaskKind {
        /// Targets are classes.
        Classification = "classification",
        /// Targets are numbers.
        Regression = "regression",
    }
}

words! {
    /// Which of CIFAR-100's two labels are the targets.
    #[derive(Default)]
    pub enum Labels {
        /// The 100 classes.
        #[default]
        Fine = "fine",
        /// The 20 groups of them.
        Coarse = "coarse",
    }
}

words! {
    /// Channels of images.
    #[derive(Default)]
    pub enum Color {
        /// Gray if all files are gray, else red, green and blue. Palettes and files of equal channels count as
        /// colored.
        #[default]
        Auto = "auto",
        /// One channel; colors become 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601, as in Pillow).
        Gray = "gray",
        /// Three channels.
        Rgb = "rgb",
    }
}

words! {
    /// How an image gets the size that is asked for.
    #[derive(Default)]
    pub enum Fit {
        /// Height and width each by their own factor.
        #[default]
        Stretch = "stretch",
        /// The largest part of the wanted proportions around the middle.
        Crop = "crop",
        /// All of the image, in the middle, with black beside it.
        Pad = "pad",
    }
}

words! {
    /// What becomes of image files that cannot be read.
    #[derive(Default)]
    pub enum Corrupt {
        /// They are left out, with a note that names them; more than half of them is an error.
        #[default]
        Skip = "skip",
        /// The first of them is an error.
        Error = "error",
    }
}

words! {
    /// What a column holds, as a setting tells it.
    pub enum ColumnType {
        /// Numbers.
        Number = "number",
        /// Two words, as yes and no.
        Boolean = "boolean",
        /// A few words, each of them an input of its own.
        Category = "category",
        /// Dates, times, or both.
        Date = "date",
        /// Text or a name of each row: left out.
        Text = "text",
    }
}

words! {
    /// The order of day, month and year in dates such as `03/04/2025`.
    pub enum DateOrder {
        /// Day, month, year.
        Dmy = "dmy",
        /// Month, day, year.
        Mdy = "mdy",
    }
}

words! {
    /// What becomes of rows of a table whose target is missing.
    #[derive(Default)]
    pub enum MissingTarget {
        /// They are an error.
        #[default]
        Error = "error",
        /// They are left out, with a count.
        Drop = "drop",
    }
}

/// Options of [`super::open`]; one that the kind of source does not have is an error.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DataOptions {
    /// Target columns by name or by index from 0, or one file with the targets. Default: the last column of a
    /// table, `y` of an archive, the label file beside IDX images.
    pub target: Vec<String>,
    /// Classes or numbers as targets. Default: text or few different whole numbers are classes.
    pub task: Option<TaskKind>,
    /// Number of classes; a label beyond is an error. Default: the largest label plus one, or all values found.
    pub classes: Option<usize>,
    /// Columns to leave out, by name or by index from 0.
    pub drop: Vec<String>,
    /// Whether a table's first line holds names. Default: found out.
    pub header: Option<bool>,
    /// What separates a table's fields; a blank stands for any run of blanks. Default: found out.
    pub separator: Option<char>,
    /// A column of a table whose values say which rows belong together: no value is in two parts. It is no input.
    pub group: Option<String>,
    /// A column of a table that says when a row was taken: the latest rows test, those before them validate.
    pub time: Option<String>,
    /// A column of a table whose numbers weigh the samples in a loss: 0 or more. It is no input.
    pub weight: Option<String>,
    /// What begins the decimals of a table's numbers. Default: found out by column.
    pub decimal: Option<char>,
    /// What separates the thousands of a table's numbers. Default: found out by column.
    pub thousands: Option<char>,
    /// Marks of missing values in a table besides the usual ones.
    pub missing: Vec<String>,
    /// What becomes of rows whose target is missing. Default: an error.
    pub missing_target: MissingTarget,
    /// What columns of a table hold, by name. Default: found out.
    pub types: BTreeMap<String, ColumnType>,
    /// Order of day and month in dates such as 03/04/2025. Default: found out by column.
    pub date_order: Option<DateOrder>,
    /// Lines at the top of a table to leave out.
    pub skip: u64,
    /// Other lines of a table to leave out, by number from 1: `2`, `205-207`.
    pub skip_lines: Vec<String>,
    /// What lines of a table that are no data begin with. Default: found out at the top of the file.
    pub comment: Option<String>,
    /// The encoding of a table. Default: found out.
    pub encoding: Option<String>,
    /// The sheet of a workbook, or the file in an archive. Default: the first sheet, the only file.
    pub sheet: Option<String>,
    /// Whether missing values (NaN in arrays) are replaced by the mean. Default: yes in tables, no in arrays.
    pub allow_missing: Option<bool>,
    /// Where the channels of images in arrays are; they become `[H, W, C]`. Default: found out.
    pub channels: Channels,
    /// Channels of image files. Default: gray if all are gray, else red, green and blue.
    pub color: Color,
    /// Height and width (or one number for both) that image files are brought to. Default: the size that all have.
    pub size: Vec<usize>,
    /// How they are brought to it. Default: stretched.
    pub resize: Fit,
    /// What becomes of image files that cannot be read. Default: they are left out.
    pub corrupt: Corrupt,
    /// Which labels of CIFAR-100 are the targets. Default: the fine ones.
    pub labels: Labels,
    /// Number of number of samples of a synthetic data set. Default: the set's own, mostly 1000.
    pub n: Option<usize>,
    /// Standard deviation of the noise of a synthetic data set. Default: the set's own.
    pub noise: Option<f32>,
    /// Seed of a synthetic set. Default 0.
    pub seed: u64,
    /// Bytes that a run on the data may take, the samples among them. Default: as many as there are.
    pub memory: Option<usize>,
    /// Whether samples stay in the cache and a group of their blocks is in memory at a time. Default: where they take
    /// more than half of `memory`.
    pub stream: Option<bool>,
    /// Folder for decoded copies of large gzip files and of images; none are kept without it.
    /// See [`super::default_cache_folder`].
    #[serde(skip)]
    pub cache: Option<PathBuf>,
    /// Whether arrays may come without targets: new data for a trained model. Tables tell by their columns.
    #[serde(skip)]
    pub inputs_only: bool,
    /// Whether targets of a table may be missing: they are NaN.
    #[serde(skip)]
    pub missing_targets: bool,
    /// The classes of a model that was trained before, so that class folders get its indices; empty without one.
    #[serde(skip)]
    pub known_classes: Vec<String>,
    /// What the targets are to such a model, where the file does not say; unset without one.
    #[serde(skip)]
    pub known_task: Option<TaskKind>,
    /// The shape of a sample of such a model, so that `color = auto` gives its channels; empty without one.
    #[serde(skip)]
    pub known_shape: Vec<usize>,
    /// The columns of a model that was trained before, so that a new table is encoded in the same way.
    #[serde(skip)]
    pub schema: Option<super::TableSchema>,
}

/// Bytes that a run on streamed samples may take where nothing was said.
pub const STREAMED_MEMORY: usize = 1 << 30;

impl DataOptions {
    /// The memory of a run whose inputs, `bytes` of them as they are kept, are to be streamed; none where they are to
    /// be held in memory.
    pub(crate) fn streamed(&self, bytes: usize) -> Option<usize> {
        let memory = self.memory.unwrap_or(STREAMED_MEMORY);
        let streams = self.stream.unwrap_or(self.memory.is_some_and(|memory| bytes > memory / 2));
        streams.then_some(memory)
    }
}
