//! What can be wrong with data, as values.

use std::path::PathBuf;

mod cache;
mod column;
mod files;
mod hint;
mod words;

pub use cache::CacheError;
pub use column::{ColumnFault, Fault, NoWeight, Odd, OddLine, Place};
pub use files::FilesError;
use hint::typed;
#[cfg(feature = "table")]
pub(crate) use words::{NAMED, first_of};
use words::{after, closing, column_faults, list_paths, odd_lines, others, quoted, unreadable};
pub(crate) use words::{first, size};

/// A problem with a data source. `Display` is the message; [`DataError::hint`] says what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// The source is neither a built-in name nor a path that exists.
    #[error("no data set, file or folder is called `{name}`")]
    UnknownSource {
        /// What was asked for.
        name: String,
        /// The closest built-in name or neighboring file.
        nearest: Option<String>,
    },
    /// A format that this build of the library leaves out.
    #[error("this build leaves out the format of {what}")]
    LeftOut {
        /// The file, or the name of a built-in set.
        what: String,
        /// The feature of the crate that reads it.
        feature: &'static str,
    },
    /// A transform that does not go with the samples.
    #[error("transform `{transform}` on samples of shape {shape:?}: {problem}")]
    Augment {
        /// Its name.
        transform: &'static str,
        /// What it needs.
        problem: String,
        /// Shape of one sample.
        shape: Vec<usize>,
    },
    /// A public set that is not on this machine.
    #[error("{title} is not on this machine: looked in {}", list_paths(looked_in))]
    NotFetched {
        /// The set's name.
        set: &'static str,
        /// Its usual name.
        title: &'static str,
        /// Bytes to download.
        bytes: u64,
        /// Folders that do not hold it.
        looked_in: Vec<PathBuf>,
        /// A package that holds it.
        package: Option<&'static str>,
    },
    /// The operating system would not read a file.
    #[error("cannot read: {error}: {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The operating system's words.
        error: std::io::Error,
    },
    /// A file without content.
    #[error("the file is empty: {}", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// A file ends before what its header promises.
    #[error("{what} is truncated: expected {expected} bytes, got {got}: {}", path.display())]
    Truncated {
        /// The part that is cut.
        what: String,
        /// Bytes promised.
        expected: u64,
        /// Bytes found.
        got: u64,
        /// The file.
        path: PathBuf,
    },
    /// A compressed file ends in the middle.
    #[error("{what} ends too early, after {got} bytes: {}", path.display())]
    BreaksOff {
        /// The part that is cut.
        what: String,
        /// Bytes found.
        got: u64,
        /// The file.
        path: PathBuf,
    },
    /// A file holds more than its header says.
    #[error("{what} is longer than it should be: expected {expected} bytes, got {got} or more: {}", path.display())]
    TooLong {
        /// The part that is too long.
        what: String,
        /// Bytes promised.
        expected: u64,
        /// Bytes found.
        got: u64,
        /// The file.
        path: PathBuf,
    },
    /// The first bytes are not those of the format.
    #[error("not a file of format {format}: expected it to begin with {expected}, got {got}: {}", path.display())]
    WrongMagic {
        /// The format.
        format: &'static str,
        /// The bytes that it should begin with.
        expected: String,
        /// The bytes that it begins with.
        got: String,
        /// The file.
        path: PathBuf,
    },
    /// A checksum or the compressed stream itself is wrong.
    #[error("the file is damaged: {reason}: {}", path.display())]
    Damaged {
        /// What disagreed.
        reason: String,
        /// The file.
        path: PathBuf,
    },
    /// A header that makes no sense.
    #[error("the {format} header is wrong: {reason}: {}", path.display())]
    Header {
        /// The format.
        format: &'static str,
        /// What is wrong with it.
        reason: String,
        /// The file.
        path: PathBuf,
    },
    /// A number type that is not read.
    #[error("numbers of type {dtype} are not supported: {}", path.display())]
    UnsupportedType {
        /// The type as the file names it.
        dtype: String,
        /// The file.
        path: PathBuf,
    },
    /// An ending that belongs to no known format.
    #[error("the format of the file is unknown: {}", path.display())]
    UnknownFormat {
        /// The file.
        path: PathBuf,
    },
    /// Inputs and targets of different number.
    #[error("{inputs} inputs but {targets} targets: {} and {}", inputs_path.display(), targets_path.display())]
    CountMismatch {
        /// Number of inputs.
        inputs: usize,
        /// Number of targets.
        targets: usize,
        /// Where the inputs are.
        inputs_path: PathBuf,
        /// Where the targets are.
        targets_path: PathBuf,
    },
    /// The parts of a source disagree on the shape of one sample.
    #[error("samples of `{part}` have shape {got:?}, those before it {expected:?}: {}", path.display())]
    ShapeMismatch {
        /// The part.
        part: String,
        /// The shape of the part before.
        expected: Vec<usize>,
        /// The shape found.
        got: Vec<usize>,
        /// The file.
        path: PathBuf,
    },
    /// A label that no class has.
    #[error("label {label} of sample {row} is not a class: expected 0 to {last}: {}", path.display())]
    LabelOutOfRange {
        /// The label.
        label: f64,
        /// The sample, counted from 0.
        row: usize,
        /// The largest label allowed.
        last: usize,
        /// The file.
        path: PathBuf,
    },
    /// A value that is NaN or infinite.
    #[error("{value} in sample {row} (counted from 0), column {column}: {}", path.display())]
    NotFinite {
        /// Whether it is a target.
        target: bool,
        /// The value.
        value: f64,
        /// The sample, counted from 0.
        row: usize,
        /// The feature's name or index.
        column: String,
        /// The file.
        path: PathBuf,
    },
    /// A line with another number of fields.
    #[error("line {line} has {got} fields, expected {expected}: {}", path.display())]
    Ragged {
        /// The line, counted from 1.
        line: u64,
        /// Fields of the lines before.
        expected: usize,
        /// Fields of this line.
        got: usize,
        /// The file.
        path: PathBuf,
    },
    /// Lines that have not as many fields as the others.
    #[error("{}: {}", odd_lines(*n, lines, *expected), path.display())]
    OddLines {
        /// How many.
        n: usize,
        /// The first of them.
        lines: Vec<OddLine>,
        /// The last of them, from 1.
        last: u64,
        /// Fields of the other lines.
        expected: usize,
        /// The file.
        path: PathBuf,
    },
    /// A quote without its end.
    #[error("the quote opened in line {line} is {}: {}", closing(*closes), path.display())]
    OpenQuote {
        /// The line, from 1.
        line: u64,
        /// The line in which it is closed, after whole records.
        closes: Option<u64>,
        /// The file.
        path: PathBuf,
    },
    /// Columns of a table that cannot be used as they are.
    #[error("{}: {}", column_faults(faults), path.display())]
    Columns {
        /// What is wrong with which column.
        faults: Vec<ColumnFault>,
        /// The file.
        path: PathBuf,
    },
    /// A missing value where none may be.
    #[error("the value at {place}, column `{column}` is missing{}: {}", others(*n), path.display())]
    MissingValue {
        /// How many values of the column are.
        n: usize,
        /// Where it stands.
        place: Place,
        /// The column's name.
        column: String,
        /// Whether the column is a target.
        target: bool,
        /// The file.
        path: PathBuf,
    },
    /// A class in a table that was not there when the model was made.
    #[error("`{value}` at {place} is not one of the {n_classes} classes: {}", path.display())]
    UnknownClass {
        /// The field.
        value: String,
        /// Where it stands.
        place: Place,
        /// Number of classes.
        n_classes: usize,
        /// The closest class.
        nearest: Option<String>,
        /// The file.
        path: PathBuf,
    },
    /// A class among the strings of an array that was not there when the model was made.
    #[error("`{value}` of sample {row} is not one of the {n_classes} classes: {}", path.display())]
    UnknownLabel {
        /// The label.
        value: String,
        /// The sample, counted from 0.
        row: usize,
        /// Number of classes.
        n_classes: usize,
        /// The closest class.
        nearest: Option<String>,
        /// The file.
        path: PathBuf,
    },
    /// Targets with too many different values to be taken for classes without a word.
    #[error(
        "the targets have {distinct} different {} in {samples} samples, which may or may not be classes: {}",
        if *text { "texts" } else { "whole numbers" }, path.display()
    )]
    TargetsUnclear {
        /// Different values.
        distinct: usize,
        /// Samples.
        samples: usize,
        /// Whether they are text.
        text: bool,
        /// The file.
        path: PathBuf,
    },
    /// A column that does not exist.
    #[error("there is no column `{name}`: {}", path.display())]
    NoColumn {
        /// What was asked for.
        name: String,
        /// The closest name.
        nearest: Option<String>,
        /// All names.
        columns: Vec<String>,
        /// The file.
        path: PathBuf,
    },
    /// A table in which no column is left for the inputs.
    #[error("no column is left for the inputs{}: {}", after(left_out), path.display())]
    NoInputs {
        /// Columns that cannot be inputs, with what they hold.
        left_out: Vec<String>,
        /// A character that cuts all lines alike, where there is one column.
        separator: Option<char>,
        /// The file.
        path: PathBuf,
    },
    /// What is wrong with files of typed cells, with archives, or with several files as one table.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// What is wrong with rows that are streamed through the cache.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// An archive without the arrays that are needed.
    #[error("no array for the {what}: looked for {looked_for}, found {found:?}: {}", path.display())]
    NoArray {
        /// `inputs` or `targets`.
        what: &'static str,
        /// The names that would do.
        looked_for: String,
        /// The names that are there.
        found: Vec<String>,
        /// The file.
        path: PathBuf,
    },
    /// No file with the targets that belong to a file of inputs.
    #[error("no targets for these inputs: looked for {looked_for}: {}", path.display())]
    NoTargets {
        /// The file names that would do.
        looked_for: String,
        /// The file of the inputs.
        path: PathBuf,
    },
    /// A folder in which nothing can be used.
    #[error("nothing in the folder can be used: looked for {looked_for}: {}", path.display())]
    NothingUsable {
        /// What was looked for.
        looked_for: String,
        /// The folder.
        path: PathBuf,
    },
    /// A folder in which several files could be meant.
    #[error("several files in the folder could be meant: {}: {}", found.join(", "), path.display())]
    Ambiguous {
        /// The candidates.
        found: Vec<String>,
        /// The folder.
        path: PathBuf,
    },
    /// A source without a single sample.
    #[error("there are no samples: {}", path.display())]
    NoSamples {
        /// The file.
        path: PathBuf,
    },
    /// Samples that may be images with their channels first or last.
    #[error("cannot tell where the channels are in samples of shape {shape:?}: {}", path.display())]
    ChannelsUnclear {
        /// The shape of a sample.
        shape: Vec<usize>,
        /// The file.
        path: PathBuf,
    },
    /// Images lie in no class folder, and classes are needed.
    #[error("images outside of class folders: {}", path.display())]
    NoClassFolders {
        /// The file or folder.
        path: PathBuf,
    },
    /// A class folder that was not there when the model was made.
    #[error("folder `{name}` is not one of the {n_classes} classes: {}", path.display())]
    NotAClass {
        /// The folder.
        name: String,
        /// Number of classes.
        n_classes: usize,
        /// The closest class.
        nearest: Option<String>,
        /// The folder above.
        path: PathBuf,
    },
    /// Images of different sizes, and nothing said about it.
    #[error(
        "images have different sizes: {} x {} and {} x {}: {} and {}",
        expected[0], expected[1], got[0], got[1], first.display(), other.display()
    )]
    SizesDiffer {
        /// Height and width of the first.
        expected: [usize; 2],
        /// Height and width of another.
        got: [usize; 2],
        /// The first file.
        first: PathBuf,
        /// The other file.
        other: PathBuf,
    },
    /// An image that cannot be read, where none may be left out.
    #[error("the image cannot be read: {reason}: {}", path.display())]
    BadImage {
        /// Why.
        reason: String,
        /// The file.
        path: PathBuf,
    },
    /// Class folders of which no image can be read: their classes would be gone.
    #[error("{}: {}: {}", unreadable(folders), first(files), path.display())]
    ClassUnreadable {
        /// The folders, below `path`, and how many images each has.
        folders: Vec<(PathBuf, usize)>,
        /// Their images, and why.
        files: Vec<String>,
        /// The folder above.
        path: PathBuf,
    },
    /// The folders of the parts hold images, and not folders of classes.
    #[error("images outside of class folders in {}: {}", quoted(parts), path.display())]
    PartsWithoutClasses {
        /// The folders of the parts.
        parts: Vec<String>,
        /// The folder above.
        path: PathBuf,
    },
    /// Class folders lie further in, in several places.
    #[error("the class folders are one level further down, in {}: {}", quoted(found), path.display())]
    ClassesFurtherIn {
        /// The folders above the class folders.
        found: Vec<String>,
        /// The folder that was named.
        path: PathBuf,
    },
    /// Too many images cannot be read to leave them out.
    #[error("{n} of {of} images cannot be read: {}: {}", first(files), path.display())]
    MostUnreadable {
        /// How many.
        n: usize,
        /// Of how many.
        of: usize,
        /// Which, and why.
        files: Vec<String>,
        /// The folder.
        path: PathBuf,
    },
    /// An option with a value that cannot be.
    #[error("`data.{option} = {value}` is not possible: expected {expected}")]
    BadOption {
        /// The option.
        option: &'static str,
        /// Its value.
        value: String,
        /// What it may be.
        expected: String,
    },
    /// A split that leaves nothing to train on, or asks for more than there is.
    #[error(
        "cannot split {n} samples: {valid} for validation and {test} for testing leave {left} for training"
    )]
    Split {
        /// Samples to split.
        n: usize,
        /// Samples asked for validation.
        valid: usize,
        /// Samples asked for testing.
        test: usize,
        /// What is left.
        left: i64,
    },
    /// An affine map for inputs of another shape.
    #[error("the preprocessing has {got} values, expected 1 or {expected} for inputs of shape {shape:?}")]
    AffineShape {
        /// Values in the map.
        got: usize,
        /// Values expected.
        expected: usize,
        /// The inputs' shape.
        shape: Vec<usize>,
    },
}
