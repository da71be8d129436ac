//! The rows of a table in the cache, with all else that its data set has.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Limits;
use crate::columns::{ColumnInfo, ColumnRole};
use crate::rows::{Form, Kept, Rows as InFile, RowsWriter, SourceFile, kept};
use crate::schema::{DatePart, Role, TableSchema};
use crate::tables::Table;
use crate::tables::encode::Plan;
use crate::tables::rows::Rows;
use crate::{CacheError, DataError, DataOptions, Dataset, Origin, Task, Values};

/// How tables are read; another version makes other rows.
const VERSION: &str = "table 1";

/// The part of what may be in memory that targets and what else each row has may take.
const ROW_SHARE: usize = 2;

/// Bytes of a row in parts and while they are cut.
const PART_BYTES: usize = 12;

/// A file of the cache while rows are written to it.
pub(crate) struct File {
    path: PathBuf,
    limits: Limits,
    writer: Option<RowsWriter>,
    /// Whether a table without any target is left aside.
    pub needs_targets: bool,
}

/// What each row has besides its inputs.
pub(crate) struct Beside<'a> {
    pub targets: &'a [f32],
    pub groups: Option<&'a [u32]>,
    pub times: Option<&'a [f64]>,
    pub weights: Option<&'a [f64]>,
}

impl File {
    /// Whether what each row has in memory fits.
    ///
    /// # Errors
    /// [`CacheError::Share`].
    pub fn check(&self, table: &Table, n_targets: usize, options: &DataOptions) -> Result<(), DataError> {
        let wide = usize::from(options.time.is_some()) + usize::from(options.weight.is_some());
        let told = 12 * usize::from(options.group.is_some()) + 16 * wide;
        let (share, row) = (self.limits.all / ROW_SHARE, 8 * n_targets + told + PART_BYTES);
        let enough = table.n_rows.saturating_mul(row);
        if enough <= share {
            return Ok(());
        }
        let what = format!("the targets of {} rows, and their places in parts,", table.n_rows);
        Err(CacheError::Share {
            what,
            share,
            enough: Some(enough),
            memory: self.limits.all,
            path: table.path.clone(),
        }
        .into())
    }

    /// Writes the rows of a table, or those that are kept.
    ///
    /// # Errors
    /// [`CacheError::Write`].
    pub fn write(
        &mut self,
        table: &Table,
        plan: &Plan,
        kept: Option<&[u32]>,
        beside: &Beside<'_>,
    ) -> Result<(), DataError> {
        if self.needs_targets && beside.targets.iter().all(|t| t.is_nan()) {
            return Ok(());
        }
        let (width, n_targets) = (plan.schema.n_inputs(), plan.schema.task.n_targets());
        let wide = usize::from(beside.times.is_some()) + usize::from(beside.weights.is_some());
        let more = usize::from(beside.groups.is_some()) + 2 * wide;
        let mut writer = match self.writer.take() {
            Some(writer) => writer,
            None => {
                RowsWriter::create(&self.path, Form { bytes: false, width, n_targets: n_targets + more })?
            }
        };
        let most = (self.limits.window / (4 * width.max(1))).max(1);
        let mut rows = Rows::new(table, plan, kept, most);
        let (mut block, mut missing, mut others, mut at) = (Vec::new(), Vec::new(), Vec::new(), 0);
        while let Some(n) = rows.next_len() {
            block.clear();
            block.resize(n * width, 0.0);
            missing.clear();
            rows.next(&mut block, |place| missing.push(place));
            missing.iter().for_each(|place| block[*place] = f32::NAN);
            others.clear();
            for row in at..at + n {
                others.extend(&beside.targets[row * n_targets..(row + 1) * n_targets]);
                others.extend(beside.groups.map(|groups| f32::from_bits(groups[row])));
                let halves = |x: f64| [x.to_bits() as u32, (x.to_bits() >> 32) as u32];
                let wide = beside.times.iter().chain(&beside.weights);
                others.extend(wide.flat_map(|x| halves(x[row])).map(f32::from_bits));
            }
            writer.numbers(&block, &others)?;
            at += n;
        }
        self.writer = Some(writer);
        Ok(())
    }
}

/// A data set of tables whose rows are in the cache. `read` writes them to a file; it is not called where the cache has
/// them.
///
/// # Errors
/// Those of reading, and [`CacheError`].
pub(crate) fn data_set(
    path: &Path,
    sources: &[PathBuf],
    memory: usize,
    options: &DataOptions,
    read: impl FnOnce(Limits, &mut File) -> Result<Dataset, DataError>,
) -> Result<Dataset, DataError> {
    let no_folder = || CacheError::NoFolder { path: path.into() };
    let folder = options.cache.as_deref().ok_or_else(no_folder)?;
    let sources = sources.iter().map(|file| SourceFile::of(file)).collect::<Result<_, _>>()?;
    let (file, told, note) = kept::<Told>(Kept { folder, key: key(path, options), sources }, |path| {
        let limits = Limits::new(memory);
        let mut file = File { path: path.into(), limits, writer: None, needs_targets: false };
        let set = read(limits, &mut file)?;
        let writer =
            file.writer.ok_or_else(|| DataError::NoSamples { path: set.origin.source.clone().into() })?;
        Ok((writer, Told::of(set)))
    })?;
    let all = file.targets()?;
    let mut set = told.with(all, InFile::streamed(file, memory));
    set.notes.extend(note);
    Ok(set)
}

/// All that rows depend on besides their files.
fn key(path: &Path, options: &DataOptions) -> String {
    let told = DataOptions { memory: None, stream: None, ..options.clone() };
    let told = serde_json::to_string(&told).unwrap_or_else(|_| format!("{told:?}"));
    let schema = serde_json::to_string(&options.schema).unwrap_or_else(|_| format!("{:?}", options.schema));
    let DataOptions { inputs_only, missing_targets, .. } = options;
    format!("{VERSION}, {}, {told}, {inputs_only}, {missing_targets}, {schema}", path.display())
}

/// A data set but for its rows and what each of them has.
#[derive(Serialize, Deserialize)]
struct Told {
    name: String,
    source: String,
    task: Task,
    fixed_valid: Option<[usize; 2]>,
    fixed_test: Option<[usize; 2]>,
    has_groups: bool,
    has_times: bool,
    has_weights: bool,
    schema: Option<TableSchema>,
    columns: Vec<Column>,
    notes: Vec<String>,
    warnings: Vec<String>,
}

/// A column as it is in the file.
#[derive(Serialize, Deserialize)]
struct Column {
    name: String,
    kind: String,
    role: ColumnRole,
    missing: usize,
    min: Option<f64>,
    max: Option<f64>,
    examples: Vec<String>,
    inputs: usize,
}

/// The words for what a column holds.
const KINDS: [&str; 9] =
    ["number", "boolean", "category", "date", "datetime", "time", "text", "index", "empty"];

impl Told {
    fn of(set: Dataset) -> Told {
        let column = |c: ColumnInfo| {
            let ColumnInfo { name, kind, role, missing, min, max, examples, inputs } = c;
            Column { name, kind: kind.into(), role, missing, min, max, examples, inputs }
        };
        let ends = |range: Option<std::ops::Range<usize>>| range.map(|r| [r.start, r.end]);
        Told {
            name: set.name,
            source: set.origin.source,
            task: set.task,
            fixed_valid: ends(set.fixed_valid),
            fixed_test: ends(set.fixed_test),
            has_groups: set.groups.is_some(),
            has_times: set.times.is_some(),
            has_weights: set.weights.is_some(),
            schema: set.schema,
            columns: set.columns.into_iter().map(column).collect(),
            notes: set.notes,
            warnings: set.warnings,
        }
    }

    /// The data set with its rows; `all` is what each row has besides its inputs.
    fn with(self, all: Vec<f32>, rows: InFile) -> Dataset {
        let column = |c: Column| {
            let Column { name, kind, role, missing, min, max, examples, inputs } = c;
            let kind = KINDS.into_iter().find(|k| *k == kind).unwrap_or("unclear");
            ColumnInfo { name, kind, role, missing, min, max, examples, inputs }
        };
        let n_targets = self.task.n_targets();
        let times_at = n_targets + usize::from(self.has_groups);
        let weights_at = times_at + 2 * usize::from(self.has_times);
        let row = weights_at + 2 * usize::from(self.has_weights);
        let each = || all.chunks_exact(row);
        let groups = self.has_groups.then(|| each().map(|r| r[n_targets].to_bits()).collect());
        let half = |x: f32| u64::from(x.to_bits());
        let wide = |at: usize| each().map(|r| f64::from_bits(half(r[at]) | half(r[at + 1]) << 32)).collect();
        let times = self.has_times.then(|| wide(times_at));
        let weights = self.has_weights.then(|| wide(weights_at));
        let targets = match row == n_targets {
            true => all,
            false => each().flat_map(|r| r[..n_targets].iter().copied()).collect(),
        };
        let ends = |range: Option<[usize; 2]>| range.map(|[start, end]| start..end);
        let fills = self.schema.as_ref().map(fills).unwrap_or_default();
        let n_inputs = self.schema.as_ref().map_or(0, TableSchema::n_inputs);
        Dataset {
            name: self.name,
            input_shape: vec![n_inputs],
            inputs: Values::Rows(rows.filled(&fills)),
            targets,
            task: self.task,
            features: self.schema.as_ref().map(TableSchema::features).unwrap_or_default(),
            origin: Origin { source: self.source, license: String::new() },
            fixed_valid: ends(self.fixed_valid),
            fixed_test: ends(self.fixed_test),
            missing: Vec::new(),
            groups,
            times,
            weights,
            schema: self.schema,
            columns: self.columns.into_iter().map(column).collect(),
            notes: self.notes,
            warnings: self.warnings,
        }
    }
}

/// What stands for a missing value of each input that can miss one.
fn fills(schema: &TableSchema) -> Vec<(usize, f64)> {
    let mut at = 0;
    let mut out = Vec::new();
    for column in &schema.columns {
        match &column.role {
            Role::Number { fill, .. } | Role::Boolean { fill, .. } => out.push((at, *fill)),
            Role::Date { parts, fill, .. } if parts.first() == Some(&DatePart::Elapsed) => {
                out.push((at, *fill))
            }
            Role::Date { .. } | Role::Category { .. } => {}
        }
        at += column.role.width();
    }
    out
}
