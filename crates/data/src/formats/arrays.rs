//! Data sets from named arrays: which array is what, and whether targets are classes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::npy::{self, Array, Numbers};
use super::streamed::{self, Arrays, Streamed};
use crate::channels::{Arrangement, arrange};
use crate::error::first;
use crate::precision::Collapse;
use crate::{CacheError, DataError, DataOptions, Dataset, Origin, Values, read};
use settings::nearest;

mod pairs;
mod targets;

const PARTS: [&str; 3] = ["train", "valid", "test"];

/// One part: inputs and targets.
struct PartArrays {
    x: Array,
    y: Array,
    x_path: PathBuf,
    y_path: PathBuf,
}

/// Opens one `.npy` file of inputs, with the targets of `data.target` or of the file beside it; validation and test
/// parts that lie beside `x_train.npy` and the like come along.
pub(crate) fn open_file(path: &Path, options: &DataOptions) -> Result<Dataset, DataError> {
    let told = options.target.first().map(PathBuf::from);
    let y = told.clone().map_or_else(|| targets_beside(path), Ok);
    let mut others = Vec::new();
    if told.is_none() && !options.inputs_only {
        let beside = parts_beside(path).into_iter();
        others.extend(beside.filter_map(|(part, x)| Some((part, targets_beside(&x).ok()?, x))));
    }
    let beside = others.iter().map(|(_, _, x)| x.as_path());
    let files: Vec<PathBuf> = std::iter::once(path).chain(beside).map(PathBuf::from).collect();
    let later = Later::of(files, options)?;
    let load = |x: &Path, y: Result<PathBuf, DataError>| -> Result<PartArrays, DataError> {
        let inputs = load_inputs(x, later.as_ref())?;
        let (y, y_path) = match y {
            _ if options.inputs_only => (unknown(&inputs), x.into()),
            found => {
                let y_path = found?;
                (npy::load(&y_path)?, y_path)
            }
        };
        Ok(PartArrays { x: inputs, y, x_path: x.into(), y_path })
    };
    let mut parts = vec![(0, load(path, y)?)];
    for (part, y, x) in others {
        parts.push((part, load(&x, Ok(y))?));
    }
    let beside: Vec<String> = parts[1..].iter().map(|(_, p)| p.x_path.display().to_string()).collect();
    let mut set = assemble(path, parts, (options, later))?;
    if !beside.is_empty() {
        set.notes.push(format!("taken from beside it: {}", beside.join(", ")));
    }
    Ok(set)
}

/// Opens a folder of `.npy` files named as in an archive; `None` if there is no array of inputs.
pub(crate) fn open_folder(folder: &Path, options: &DataOptions) -> Option<Result<Dataset, DataError>> {
    let files: BTreeMap<String, PathBuf> = read::names(folder)
        .into_iter()
        .filter_map(|name| {
            let stem = name.strip_suffix(".gz").unwrap_or(&name).strip_suffix(".npy")?.to_string();
            Some((stem, folder.join(name)))
        })
        .collect();
    let names: Vec<String> = files.keys().cloned().collect();
    pairs::inputs_of(&names, 0)?;
    let inputs: Vec<&String> = (0..PARTS.len()).filter_map(|part| pairs::inputs_of(&names, part)).collect();
    let paths: Vec<PathBuf> = inputs.iter().map(|name| files[*name].clone()).collect();
    let later = match Later::of(paths, options) {
        Ok(later) => later,
        Err(error) => return Some(Err(error)),
    };
    let load = |name: &str| match inputs.iter().any(|input| *input == name) {
        true => load_inputs(&files[name], later.as_ref()),
        false => npy::load(&files[name]),
    };
    Some(from_named(folder, &names, load, (options, later.clone())))
}

/// A data set from the arrays of an archive or a folder.
pub(crate) fn from_named(
    path: &Path,
    names: &[String],
    mut load: impl FnMut(&str) -> Result<Array, DataError>,
    (options, later): (&DataOptions, Option<Later>),
) -> Result<Dataset, DataError> {
    let lacking = |what, part| DataError::NoArray {
        what,
        looked_for: pairs::usual(what == "targets", part),
        found: names.to_vec(),
        path: path.into(),
    };
    let mut parts = Vec::new();
    for part in 0..PARTS.len() {
        let Some(x_name) = pairs::inputs_of(names, part) else {
            if part == 0 {
                return Err(lacking("inputs", 0));
            }
            continue;
        };
        let told = options.target.first().filter(|_| part == 0);
        if let Some(name) = told.filter(|t| !names.contains(t)) {
            let nearest = nearest(name, names.iter().map(String::as_str));
            let columns = names.to_vec();
            return Err(DataError::NoColumn { name: name.clone(), nearest, columns, path: path.into() });
        }
        let (x_path, x) = (path.join(x_name), load(x_name)?);
        let (y, y_path) = match told.or_else(|| pairs::partner(names, x_name, part)) {
            _ if options.inputs_only => (unknown(&x), x_path.clone()),
            Some(y) => (load(y)?, path.join(y)),
            None => return Err(lacking("targets", part)),
        };
        parts.push((part, PartArrays { x, y, x_path, y_path }));
    }
    assemble(path, parts, (options, later))
}

/// Inputs whose values are read later, row by row: the files, and the memory that a run on them may take.
#[derive(Clone)]
pub(crate) struct Later {
    files: Vec<PathBuf>,
    memory: usize,
}

impl Later {
    /// Files of inputs that are to be streamed; none where they are to be held in memory, or are compressed, which is
    /// told when their size is known.
    ///
    /// # Errors
    /// Those of the files, and [`CacheError::NotStreamed`] for those that have no rows in one piece.
    fn of(files: Vec<PathBuf>, options: &DataOptions) -> Result<Option<Later>, DataError> {
        if options.memory.is_none() && options.stream.is_none() || files.iter().any(|file| is_gzip(file)) {
            return Ok(None);
        }
        let size = |file: &PathBuf| -> Result<(usize, bool), DataError> {
            let n_bytes = std::fs::metadata(file).map_err(|e| read::failed(file, e))?.len() as usize;
            let Some(array) = npy::look(file)? else { return Ok((n_bytes, false)) };
            let n = array.dims.iter().fold(1usize, |n, d| n.saturating_mul(*d));
            let number = if matches!(array.values, Numbers::U8(_)) { 1 } else { size_of::<f32>() };
            Ok((n.saturating_mul(number), true))
        };
        let sizes = files.iter().map(size).collect::<Result<Vec<_>, _>>()?;
        let bytes = sizes.iter().map(|(bytes, _)| bytes).sum();
        let Some(memory) = options.streamed(bytes) else { return Ok(None) };
        match files.iter().zip(&sizes).find(|(_, (_, streams))| !streams) {
            None => Ok(Some(Later { files, memory })),
            Some((file, _)) => {
                let what = "an array in Fortran order, or of text,".into();
                let instead = "save it in C order: `numpy.save(FILE, numpy.ascontiguousarray(x))`".into();
                let path = file.clone();
                Err(CacheError::NotStreamed { what, bytes, memory, instead: Some(instead), path }.into())
            }
        }
    }
}

fn is_gzip(path: &Path) -> bool {
    path.to_string_lossy().to_lowercase().ends_with(".gz")
}

/// An array of inputs, without its values where they are read later.
fn load_inputs(path: &Path, later: Option<&Later>) -> Result<Array, DataError> {
    let look = || npy::look(path).transpose();
    later.and_then(|_| look()).unwrap_or_else(|| npy::load(path))
}

/// Targets that nobody knows.
fn unknown(x: &Array) -> Array {
    let n = x.dims.first().copied().unwrap_or(0);
    Array { dims: vec![n], values: Numbers::F32(vec![f32::NAN; n]), whole: false, coarse: Vec::new() }
}

/// A file's name without `.npy` and what follows, and that ending.
fn split_name(path: &Path) -> (String, String) {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let (stem, ending) = name.split_at(name.to_lowercase().find(".npy").unwrap_or(name.len()));
    (stem.into(), ending.into())
}

/// The names without `.npy` of the arrays in the folder of a file, each with its file.
fn beside(path: &Path) -> BTreeMap<String, PathBuf> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let files = read::names(folder).into_iter().map(|name| path.with_file_name(name));
    let arrays = files.filter(|file| super::by_name(file).is_some_and(|f| f.name == "npy"));
    arrays.map(|file| (split_name(&file).0, file)).collect()
}

/// `x_train.npy` → `y_train.npy`, and so on.
fn targets_beside(path: &Path) -> Result<PathBuf, DataError> {
    let (stem, ending) = split_name(path);
    let wanted = pairs::targets_of(&stem);
    let files = beside(path);
    let found = wanted.iter().find_map(|name| files.iter().find(|(stem, _)| stem.to_lowercase() == *name));
    found.map(|(_, file)| file.clone()).ok_or_else(|| {
        let names = if wanted.is_empty() { vec!["y".to_owned()] } else { wanted };
        let names: Vec<String> = names.iter().map(|name| format!("`{name}{ending}`")).collect();
        DataError::NoTargets { looked_for: names.join(", "), path: path.into() }
    })
}

/// The inputs of validation and test parts that belong to training inputs in a file, by their names.
fn parts_beside(path: &Path) -> Vec<(usize, PathBuf)> {
    let files = beside(path);
    let names: Vec<String> = files.keys().cloned().collect();
    let stem = split_name(path).0;
    let found = (1..PARTS.len()).filter_map(|part| Some((part, pairs::sibling(&names, &stem, part)?)));
    found.map(|(part, name)| (part, files[&name].clone())).collect()
}

fn assemble(
    path: &Path,
    parts: Vec<(usize, PartArrays)>,
    (options, later): (&DataOptions, Option<Later>),
) -> Result<Dataset, DataError> {
    check_shapes(&parts)?;
    let first = &parts[0].1;
    let y_paths: Vec<PathBuf> = parts.iter().map(|(_, p)| p.y_path.clone()).collect();
    let bytes = parts.iter().all(|(_, p)| matches!(p.x.values, Numbers::U8(_)));
    let arranged = arrange(&first.x.dims[1..], bytes, options.channels, &first.x_path)?;
    let (mut fixed, mut at) = ([None, None, None], 0);
    let (mut inputs, mut own, mut warnings) = (None, Vec::new(), Vec::new());
    for (part, PartArrays { mut x, y, x_path, .. }) in parts {
        let n = x.dims[0];
        fixed[part] = Some(at..at + n);
        at += n;
        own.push(y);
        if later.is_some() {
            continue;
        }
        match &mut x.values {
            Numbers::F32(values) => arranged.apply(values),
            Numbers::U8(bytes) => arranged.apply(bytes),
            Numbers::Text(_) => {
                return Err(DataError::UnsupportedType { dtype: "text".into(), path: x_path });
            }
        }
        warnings.extend(too_coarse(&x, &x_path));
        inputs = Some(join(inputs, x.values));
    }
    let mut notes = Vec::new();
    let inputs = match (later, inputs) {
        (Some(later), _) => {
            let streamed = stream(path, &arranged, (options, later), bytes)?;
            notes.extend(streamed.notes);
            warnings.extend(streamed.warnings);
            streamed.values
        }
        (None, Some(Numbers::U8(bytes))) => Values::U8(bytes),
        (None, Some(Numbers::F32(values))) => Values::F32(values),
        (None, Some(Numbers::Text(_)) | None) => Values::F32(Vec::new()),
    };
    let coarse: Vec<String> = own.iter().zip(&y_paths).filter_map(|(y, path)| too_coarse(y, path)).collect();
    let told = targets::told(own.into_iter().zip(y_paths.iter().map(PathBuf::as_path)).collect(), options)?;
    if matches!(told.task, crate::Task::Regression { .. }) {
        warnings.extend(coarse);
    }
    let [_, fixed_valid, fixed_test] = fixed;
    Ok(Dataset {
        name: path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned(),
        input_shape: arranged.shape,
        inputs,
        targets: told.targets,
        task: told.task,
        features: Vec::new(),
        origin: Origin { source: path.display().to_string(), license: String::new() },
        fixed_valid,
        fixed_test,
        missing: Vec::new(),
        groups: None,
        times: None,
        weights: None,
        schema: None,
        columns: Vec::new(),
        notes: told.note.into_iter().chain(notes).collect(),
        warnings,
    })
}

/// The inputs of all parts through the cache.
fn stream(
    path: &Path,
    arranged: &Arrangement,
    (options, later): (&DataOptions, Later),
    bytes: bool,
) -> Result<Streamed, DataError> {
    let Later { files, memory } = later;
    let arrays = Arrays { format: "npy 1", source: path, files, arranged, bytes, memory };
    streamed::inputs(&arrays, options, |sink| {
        let mut warnings = Vec::new();
        for file in &arrays.files {
            let coarse = npy::stream(file, |values| sink.rows(values))?;
            warnings.extend(coarse_in(
                coarse.iter(),
                arranged.shape.len() > 1 || arranged.shape != [1],
                file,
            ));
        }
        Ok(warnings)
    })
}

/// Same number of inputs and targets in each part, and the same shapes of samples in all.
fn check_shapes(parts: &[(usize, PartArrays)]) -> Result<(), DataError> {
    let first = &parts[0].1;
    for (part, PartArrays { x, y, x_path, y_path }) in parts {
        let count = |a: &Array| a.dims.first().copied().unwrap_or(0);
        if count(x) != count(y) {
            let (inputs_path, targets_path) = (x_path.clone(), y_path.clone());
            return Err(DataError::CountMismatch {
                inputs: count(x),
                targets: count(y),
                inputs_path,
                targets_path,
            });
        }
        let empty = |a: &Array| a.dims.iter().product::<usize>() == 0 || a.dims.is_empty();
        for (array, path) in [(x, x_path), (y, y_path)] {
            if empty(array) {
                return Err(DataError::NoSamples { path: path.clone() });
            }
        }
        if y.dims.len() > 2 {
            let reason = format!("targets have the shape {:?}, expected [n] or [n, targets]", y.dims);
            return Err(DataError::Header { format: "npy", reason, path: y_path.clone() });
        }
        for (array, before, path) in [(x, &first.x, x_path), (y, &first.y, y_path)] {
            if array.dims[1..] != before.dims[1..] {
                let (expected, got) = (before.dims[1..].to_vec(), array.dims[1..].to_vec());
                return Err(DataError::ShapeMismatch {
                    part: PARTS[*part].into(),
                    expected,
                    got,
                    path: path.clone(),
                });
            }
        }
    }
    Ok(())
}

/// The warning of an array whose different values fall together in 32 bits.
fn too_coarse(array: &Array, path: &Path) -> Option<String> {
    coarse_in(array.coarse.iter(), array.dims.len() > 1, path)
}

/// The same of columns and what falls together in them; they are named where there are several.
fn coarse_in<'a>(
    columns: impl Iterator<Item = &'a (usize, Collapse)>,
    several: bool,
    path: &Path,
) -> Option<String> {
    let place = |column| if several { format!("column {column}: ") } else { String::new() };
    let told: Vec<String> = columns.map(|(c, lost)| format!("{}{lost}", place(*c))).collect();
    let cure = "subtract an offset before you save it, as in `a - a.min(0)`";
    (!told.is_empty()).then(|| format!("{}: {}; {cure}", path.display(), first(&told)))
}

/// Appends; bytes beside numbers become b / 255.
fn join(before: Option<Numbers>, after: Numbers) -> Numbers {
    let unit = |n| match n {
        Numbers::F32(v) => v,
        Numbers::U8(v) => v.into_iter().map(|b| f32::from(b) * kernels::affine::BYTE_UNIT).collect(),
        Numbers::Text(_) => Vec::new(),
    };
    match (before, after) {
        (None, after) => after,
        (Some(Numbers::U8(mut a)), Numbers::U8(b)) => {
            a.extend(b);
            Numbers::U8(a)
        }
        (Some(before), after) => {
            let mut all = unit(before);
            all.extend(unit(after));
            Numbers::F32(all)
        }
    }
}
