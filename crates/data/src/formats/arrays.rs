//! Data sets from named arrays: which array is what, and whether targets are classes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::npy::{self, Array, Numbers};
use crate::channels::arrange;
use crate::dataset::MAX_CLASSES;
use crate::{DataError, DataOptions, Dataset, Origin, Task, TaskKind, Values, read};
use settings::nearest;

/// Names of arrays, compared without regard to case.
const INPUTS: [&[&str]; 3] = [
    &["x", "inputs", "x_train", "train_x", "train_inputs", "images", "train_images", "features", "arr_0"],
    &["x_valid", "x_val", "valid_x", "val_x", "valid_inputs", "val_images", "valid_images"],
    &["x_test", "test_x", "test_inputs", "test_images"],
];
const TARGETS: [&[&str]; 3] = [
    &["y", "labels", "targets", "target", "y_train", "train_y", "train_targets", "train_labels", "arr_1"],
    &["y_valid", "y_val", "valid_y", "val_y", "valid_targets", "val_labels", "valid_labels"],
    &["y_test", "test_y", "test_targets", "test_labels"],
];
const PARTS: [&str; 3] = ["train", "valid", "test"];

/// One part: inputs and targets.
struct PartArrays {
    x: Array,
    y: Array,
    x_path: PathBuf,
    y_path: PathBuf,
}

/// Opens one `.npy` file of inputs, with the targets of `data.target` or of the file beside it.
pub(crate) fn open_file(path: &Path, options: &DataOptions) -> Result<Dataset, DataError> {
    let y_path = match &options.target[..] {
        [file] => Ok(PathBuf::from(file)),
        _ => targets_beside(path),
    };
    let x = npy::load(path)?;
    let (y, y_path) = match y_path {
        Err(DataError::NoTargets { .. }) if options.inputs_only => (unknown(&x), path.into()),
        found => {
            let y_path = found?;
            (npy::load(&y_path)?, y_path)
        }
    };
    assemble(path, vec![(0, PartArrays { x, y, x_path: path.into(), y_path })], options)
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
    find(&names, INPUTS[0])?;
    Some(from_named(folder, &names, |name| npy::load(&files[name]), options))
}

/// A data set from the arrays of an archive or a folder.
pub(crate) fn from_named(
    path: &Path,
    names: &[String],
    mut load: impl FnMut(&str) -> Result<Array, DataError>,
    options: &DataOptions,
) -> Result<Dataset, DataError> {
    let lacking = |what, looked_for: &[&str]| DataError::NoArray {
        what,
        looked_for: looked_for.join(", "),
        found: names.to_vec(),
        path: path.into(),
    };
    let mut parts = Vec::new();
    for part in 0..3 {
        let Some(x) = find(names, INPUTS[part]) else {
            if part == 0 {
                return Err(lacking("inputs", INPUTS[0]));
            }
            continue;
        };
        let told = options.target.first().filter(|_| part == 0);
        if let Some(name) = told.filter(|t| !names.contains(t)) {
            let nearest = nearest(name, names.iter().map(String::as_str));
            let columns = names.to_vec();
            return Err(DataError::NoColumn { name: name.clone(), nearest, columns, path: path.into() });
        }
        let (x_path, x) = (path.join(&x), load(&x)?);
        let (y, y_path) = match told.cloned().or_else(|| find(names, TARGETS[part])) {
            Some(y) => (load(&y)?, path.join(&y)),
            None if options.inputs_only => (unknown(&x), x_path.clone()),
            None => return Err(lacking("targets", TARGETS[part])),
        };
        parts.push((part, PartArrays { x, y, x_path, y_path }));
    }
    assemble(path, parts, options)
}

/// Targets that nobody knows.
fn unknown(x: &Array) -> Array {
    let n = x.dims.first().copied().unwrap_or(0);
    Array { dims: vec![n], values: Numbers::F32(vec![f32::NAN; n]), whole: false }
}

/// The first of `wanted` among `names`.
fn find(names: &[String], wanted: &[&str]) -> Option<String> {
    wanted.iter().find_map(|w| names.iter().find(|n| n.to_lowercase() == *w)).cloned()
}

/// `x_train.npy` → `y_train.npy`, and so on.
fn targets_beside(path: &Path) -> Result<PathBuf, DataError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let (stem, ending) = name.split_at(name.to_lowercase().find(".npy").unwrap_or(name.len()));
    let low = stem.to_lowercase();
    let place = INPUTS.iter().zip(TARGETS).find_map(|(x, y)| Some(y[x.iter().position(|n| *n == low)?]));
    let looked_for = format!("{}{ending}", place.unwrap_or("y"));
    let beside = read::names(path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new(".")));
    match beside.iter().find(|n| n.to_lowercase() == looked_for.to_lowercase()) {
        Some(found) if place.is_some() => Ok(path.with_file_name(found)),
        _ => Err(DataError::NoTargets { looked_for: format!("`{looked_for}`"), path: path.into() }),
    }
}

fn assemble(
    path: &Path,
    parts: Vec<(usize, PartArrays)>,
    options: &DataOptions,
) -> Result<Dataset, DataError> {
    check_shapes(&parts)?;
    let first = &parts[0].1;
    let bytes = parts.iter().all(|(_, p)| matches!(p.x.values, Numbers::U8(_)));
    let arranged = arrange(&first.x.dims[1..], bytes, options.channels, &first.x_path)?;
    let width = first.y.dims.get(1).copied().unwrap_or(1);
    let task = task(&parts, width, options)?;
    let (mut fixed, mut at) = ([None, None, None], 0);
    let (mut inputs, mut targets) = (None, Vec::new());
    for (part, PartArrays { mut x, y, .. }) in parts {
        let n = x.dims[0];
        match &mut x.values {
            Numbers::F32(values) => arranged.apply(values),
            Numbers::U8(bytes) => arranged.apply(bytes),
        }
        fixed[part] = Some(at..at + n);
        at += n;
        inputs = Some(join(inputs, x.values));
        targets.extend(floats(y.values));
    }
    let [_, fixed_valid, fixed_test] = fixed;
    Ok(Dataset {
        name: path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned(),
        input_shape: arranged.shape,
        inputs: match inputs {
            Some(Numbers::U8(bytes)) => Values::U8(bytes.into()),
            Some(Numbers::F32(values)) => Values::F32(values),
            None => Values::F32(Vec::new()),
        },
        targets,
        task,
        features: Vec::new(),
        origin: Origin { source: path.display().to_string(), licence: String::new() },
        fixed_valid,
        fixed_test,
        missing: Vec::new(),
        schema: None,
        columns: Vec::new(),
        notes: Vec::new(),
        warnings: Vec::new(),
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

/// Whole-number arrays of one column are classes unless told otherwise.
fn task(parts: &[(usize, PartArrays)], width: usize, options: &DataOptions) -> Result<Task, DataError> {
    let whole = parts.iter().all(|(_, p)| p.y.whole);
    let kind = options.task.unwrap_or(if whole && width == 1 {
        TaskKind::Classification
    } else {
        TaskKind::Regression
    });
    if kind == TaskKind::Regression {
        let targets =
            if width == 1 { vec!["y".into()] } else { (0..width).map(|i| format!("y{i}")).collect() };
        return Ok(Task::Regression { targets });
    }
    if width != 1 {
        let expected = format!("`regression` for targets of {width} columns");
        return Err(DataError::BadOption { option: "task", value: "classification".into(), expected });
    }
    let last = options.classes.map_or(MAX_CLASSES, |c| c.max(1)) - 1;
    let mut n_classes = options.classes.unwrap_or(0);
    for (_, part) in parts {
        for (row, label) in labels(&part.y.values).enumerate() {
            if !(label >= 0.0 && label <= last as f32 && label.fract() == 0.0) {
                let path = part.y_path.clone();
                return Err(DataError::LabelOutOfRange { label: label.into(), row, last, path });
            }
            n_classes = n_classes.max(label as usize + 1);
        }
    }
    Ok(Task::Classification { classes: (0..n_classes).map(|c| c.to_string()).collect() })
}

fn labels(values: &Numbers) -> Box<dyn Iterator<Item = f32> + '_> {
    match values {
        Numbers::F32(v) => Box::new(v.iter().copied()),
        Numbers::U8(v) => Box::new(v.iter().map(|b| f32::from(*b))),
    }
}

fn floats(values: Numbers) -> Vec<f32> {
    match values {
        Numbers::F32(v) => v,
        Numbers::U8(v) => v.into_iter().map(f32::from).collect(),
    }
}

/// Appends; bytes beside numbers become b / 255.
fn join(before: Option<Numbers>, after: Numbers) -> Numbers {
    let unit = |n| match n {
        Numbers::F32(v) => v,
        Numbers::U8(v) => v.into_iter().map(|b| f32::from(b) * kernels::affine::BYTE_UNIT).collect(),
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
