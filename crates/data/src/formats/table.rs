//! CSV, TSV and blank-separated tables: numeric and categorical columns, missing values, targets by name.

use std::path::{Path, PathBuf};

use super::{Format, Reader};
use crate::tables::stream::{self, File, Limits};
use crate::tables::{Table, encode::encode, files, join, read::load};
use crate::{DataError, DataOptions, Dataset, Values, read};

/// The registry line.
pub const FORMAT: Format = Format {
    name: "table",
    endings: &[".csv", ".tsv", ".tab", ".data", ".dat", ".txt"],
    summary: "CSV, TSV or space-separated tables; the target is the last column unless you name another",
    options: &[COLUMNS, MARKS, TEXT],
    reader: Reader::Table(load),
};

/// Settings of all tables.
pub(super) const COLUMNS: &[&str] = &[
    "target",
    "drop",
    "task",
    "group",
    "time",
    "weight",
    "missing",
    "missing_target",
    "types",
    "date_order",
];

/// Settings of tables whose numbers may be written in more than one way.
pub(super) const MARKS: &[&str] = &["decimal", "thousands"];

/// Settings of tables whose files are text.
pub(super) const TEXT: &[&str] = &["header", "separator", "skip", "skip_lines", "comment", "encoding"];

/// A file, with targets in a column or in a second file (`data.target=FILE`).
pub(crate) fn open(path: &Path, options: &DataOptions) -> Result<Dataset, DataError> {
    Parts { train: path.into(), valid: None, test: None }.open(options)
}

/// Files of the parts of a data set.
pub(crate) struct Parts {
    pub train: PathBuf,
    pub valid: Option<PathBuf>,
    pub test: Option<PathBuf>,
}

/// One table; its inputs go to `file`, if there is one.
fn open_one(
    path: &Path,
    options: &DataOptions,
    limits: Option<Limits>,
    file: Option<&mut File>,
) -> Result<Dataset, DataError> {
    let mut table = files::load(path, options, limits)?;
    let second = match (&options.target[..], &options.schema) {
        ([name], None) if table.column(name).is_err() => beside(path, name),
        ([name], Some(schema)) if schema.targets.is_empty() => beside(path, name),
        _ => None,
    };
    let told = DataOptions {
        schema: None,
        types: Default::default(),
        group: None,
        time: None,
        weight: None,
        sheet: None,
        skip: 0,
        skip_lines: Vec::new(),
        ..options.clone()
    };
    let targets: Option<Table> = second.map(|file| files::load(&file, &told, limits)).transpose()?;
    let set = encode(&mut table, targets, options, file);
    table.check()?;
    set
}

/// Opens a folder that holds `train.csv` (or a table of another format), with `valid` and `test` beside it.
///
/// `None` if there is no such file. The other parts are encoded with the columns of the training part.
pub(crate) fn open_folder(folder: &Path, options: &DataOptions) -> Option<Result<Dataset, DataError>> {
    let names = read::names(folder);
    let find = |stems: &[&str]| {
        let fits = |name: &&String| {
            let stem = name.split('.').next().unwrap_or_default().to_lowercase();
            let table = super::by_name(Path::new(name)).is_some_and(Format::is_table);
            table && stems.contains(&&stem[..])
        };
        names.iter().find(fits).map(|name| folder.join(name))
    };
    let train = find(&["train", "training"])?;
    Some(Parts { train, valid: find(&["valid", "val", "validation"]), test: find(&["test"]) }.open(options))
}

impl Parts {
    fn open(&self, options: &DataOptions) -> Result<Dataset, DataError> {
        let parts = [Some(&self.train), self.valid.as_ref(), self.test.as_ref()];
        let mut sources = Vec::new();
        for part in parts.into_iter().flatten() {
            sources.extend(join::files(part)?.unwrap_or_else(|| vec![part.clone()]));
        }
        let Some(memory) = stream::wanted(&sources, options) else { return self.read(options, None, None) };
        sources.extend(options.target.iter().filter_map(|name| beside(&self.train, name)));
        stream::data_set(&self.train, &sources, memory, options, |limits, file| {
            self.read(options, Some(limits), Some(file))
        })
    }

    /// Reads all parts; inputs go to `file`, if there is one.
    pub fn read(
        &self,
        options: &DataOptions,
        limits: Option<Limits>,
        mut file: Option<&mut File>,
    ) -> Result<Dataset, DataError> {
        let mut set = open_one(&self.train, options, limits, file.as_deref_mut())?;
        let options = DataOptions { schema: set.schema.clone(), ..options.clone() };
        if let Some(path) = &self.valid {
            let start = set.len();
            append(&mut set, open_one(path, &options, limits, file.as_deref_mut())?);
            set.fixed_valid = Some(start..set.len());
        }
        if let Some(path) = &self.test {
            let start = set.len();
            if let Some(file) = &mut file {
                file.needs_targets = !options.missing_targets;
            }
            append(&mut set, open_one(path, &options, limits, file)?);
            set.fixed_test = Some(start..set.len());
            // where targets may be missing, other heads may have theirs
            if !options.missing_targets && !set.tests_something() {
                set.leave_test_aside();
            }
        }
        Ok(set)
    }
}

/// Appends the samples of a table that was encoded with the schema of the first.
fn append(set: &mut Dataset, part: Dataset) {
    let n = part.len();
    if let (Values::F32(all), Values::F32(more)) = (&mut set.inputs, part.inputs) {
        let before = all.len();
        all.extend(more);
        set.missing.extend(part.missing.into_iter().map(|i| i + before));
    }
    set.targets.extend(part.targets);
    if let (Some(all), Some(more)) = (&mut set.groups, part.groups) {
        // a part of the source's own is not cut again: its groups are its own
        let next = all.iter().max().map_or(0, |g| g + 1);
        all.extend(more.into_iter().map(|g| g + next));
    }
    if let (Some(all), Some(more)) = (&mut set.times, part.times) {
        all.extend(more);
    }
    if let Some(all) = &mut set.weights {
        // a part without weights counts its samples alike, and has a warning that says so
        all.extend(part.weights.unwrap_or_else(|| vec![1.0; n]));
    }
    set.notes.extend(part.notes);
    set.warnings.extend(part.warnings);
}

/// A file named in an option: as it is, or beside the table.
fn beside(table: &Path, name: &str) -> Option<PathBuf> {
    [PathBuf::from(name), table.with_file_name(name)].into_iter().find(|p| p.is_file())
}
