//! What an array of targets is: classes by number, by name or one-hot, or numbers.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use settings::nearest;

use super::super::npy::{Array, Numbers};
use crate::dataset::MAX_CLASSES;
use crate::{DataError, DataOptions, Task, TaskKind};

/// The most different whole numbers among numbers with a point that are taken for classes; that of tables.
const FEW: usize = 20;

/// Targets as a data set has them.
pub(super) struct Told {
    pub task: Task,
    pub targets: Vec<f32>,
    /// What was guessed, and how to turn it.
    pub note: Option<String>,
}

/// The targets of all parts, one behind the other; each with where it comes from.
pub(super) fn told(parts: Vec<(Array, &Path)>, options: &DataOptions) -> Result<Told, DataError> {
    if options.inputs_only {
        return Ok(Told { task: one_number(), targets: floats(parts), note: None });
    }
    let width = parts[0].0.dims.get(1).copied().unwrap_or(1);
    let kind = options.task.or(options.known_task);
    if parts.iter().any(|(y, _)| matches!(y.values, Numbers::Text(_))) {
        return names(&parts, width, options);
    }
    if width > 1 {
        return several(parts, width, options);
    }
    let found = Found::of(&parts);
    let (kind, note) = match kind {
        Some(kind) => (kind, None),
        None => guess(&parts, &found)?,
    };
    if kind == TaskKind::Regression {
        return Ok(Told { task: one_number(), targets: floats(parts), note });
    }
    let last = options.classes.map_or(MAX_CLASSES, |c| c.max(1)) - 1;
    let mut n_classes = options.classes.unwrap_or(0);
    for (y, path) in &parts {
        for (row, label) in numbers(&y.values).enumerate() {
            if !(label >= 0.0 && label <= last as f32 && label.fract() == 0.0) {
                let path = path.to_path_buf();
                return Err(DataError::LabelOutOfRange { label: label.into(), row, last, path });
            }
            n_classes = n_classes.max(label as usize + 1);
        }
    }
    let classes = (0..n_classes).map(|c| c.to_string()).collect();
    Ok(Told { task: Task::Classification { classes }, targets: floats(parts), note })
}

/// One number as the target.
fn one_number() -> Task {
    Task::Regression { targets: vec!["y".into()] }
}

/// What one column of numbers holds.
struct Found {
    /// different whole numbers, one more than `LIMIT` at most
    values: BTreeSet<u32>,
    /// whether all are whole and none is below 0
    whole: bool,
    n: usize,
}

impl Found {
    /// Beyond this many different values their number does not matter: they are no classes.
    const LIMIT: usize = MAX_CLASSES;

    fn of(parts: &[(Array, &Path)]) -> Found {
        let all = || parts.iter().flat_map(|(y, _)| numbers(&y.values));
        let whole = all().all(|x| x >= 0.0 && x.fract() == 0.0 && x <= u32::MAX as f32);
        let mut values = BTreeSet::new();
        for x in all().filter(|_| whole) {
            values.insert(x as u32);
            if values.len() > Found::LIMIT {
                break;
            }
        }
        Found { values, whole, n: all().count() }
    }
}

/// Classes or numbers, with the note that says so where the file does not.
fn guess(parts: &[(Array, &Path)], found: &Found) -> Result<(TaskKind, Option<String>), DataError> {
    // as the file has them, where f32 cannot tell them apart
    let exact = parts.iter().flat_map(|(y, _)| &y.coarse).map(|(_, lost)| lost.distinct).max();
    let n = found.values.len().max(exact.unwrap_or(0));
    let integers = parts.iter().all(|(y, _)| y.whole);
    if integers && found.whole && n > FEW && 3 * n > found.n {
        let path = parts[0].1.to_path_buf();
        return Err(DataError::TargetsUnclear { distinct: n, samples: found.n, text: false, path });
    }
    if integers {
        let note = format!(
            "the targets are {n} different whole numbers and are classes; `data.task=regression` predicts numbers instead"
        );
        return Ok((TaskKind::Classification, (n > FEW).then_some(note)));
    }
    if !found.whole {
        return Ok((TaskKind::Regression, None));
    }
    let last = found.values.last().copied().unwrap_or(0) as usize;
    if n <= FEW && 3 * n <= found.n && last < 2 * n {
        let note = format!(
            "the targets are the whole numbers from {} to {last} and are classes; `data.task=regression` predicts numbers instead",
            found.values.first().copied().unwrap_or(0)
        );
        return Ok((TaskKind::Classification, Some(note)));
    }
    let note = "the targets are whole numbers and are predicted as numbers; `data.task=classification` makes them classes";
    Ok((TaskKind::Regression, (last < MAX_CLASSES).then(|| note.to_owned())))
}

/// Several columns: one-hot classes, or numbers.
fn several(parts: Vec<(Array, &Path)>, width: usize, options: &DataOptions) -> Result<Told, DataError> {
    let kind = options.task.or(options.known_task);
    let one_hot = parts.iter().all(|(y, _)| is_one_hot(&y.values, width));
    if kind == Some(TaskKind::Classification) && !one_hot {
        let expected = format!("`regression` for targets of {width} columns that are not one-hot");
        return Err(DataError::BadOption { option: "task", value: "classification".into(), expected });
    }
    if one_hot && kind != Some(TaskKind::Regression) {
        check_count(options, width)?;
        let place = |row: &[f32]| row.iter().position(|x| *x == 1.0).unwrap_or(0) as f32;
        let targets = floats(parts).chunks_exact(width).map(place).collect();
        let note = kind.is_none().then(|| {
            format!("the targets are one-hot and are {width} classes; `data.task=regression` predicts numbers instead")
        });
        let classes = (0..width).map(|c| c.to_string()).collect();
        return Ok(Told { task: Task::Classification { classes }, targets, note });
    }
    let binary = |x: f32| x == 0.0 || x == 1.0;
    let labels = kind.is_none() && parts.iter().all(|(y, _)| numbers(&y.values).all(binary));
    let note = labels.then(|| {
        format!(
            "the targets are {width} columns of 0 and 1 with several 1s in a row, and are predicted as numbers; with `loss=bce` each is a yes or no"
        )
    });
    let targets = (0..width).map(|i| format!("y{i}")).collect();
    Ok(Told { task: Task::Regression { targets }, targets: floats(parts), note })
}

/// `data.classes` may be more than there are, for classes without a sample here.
fn check_count(options: &DataOptions, found: usize) -> Result<(), DataError> {
    match options.classes.filter(|told| *told < found) {
        Some(told) => {
            let (value, expected) =
                (told.to_string(), format!("{found} or more, because there are {found} classes"));
            Err(DataError::BadOption { option: "classes", value, expected })
        }
        None => Ok(()),
    }
}

/// Whether each row is a single 1 among zeros.
fn is_one_hot(values: &Numbers, width: usize) -> bool {
    let mut numbers = numbers(values);
    loop {
        let mut row = numbers.by_ref().take(width).peekable();
        if row.peek().is_none() {
            return true;
        }
        let (mut ones, mut others) = (0, 0);
        row.for_each(|x| match x {
            1.0 => ones += 1,
            0.0 => {}
            _ => others += 1,
        });
        if (ones, others) != (1, 0) {
            return false;
        }
    }
}

/// Strings are classes: sorted, or those of a model that was trained before.
fn names(parts: &[(Array, &Path)], width: usize, options: &DataOptions) -> Result<Told, DataError> {
    if let Some((_, path)) = parts.iter().find(|(y, _)| !matches!(y.values, Numbers::Text(_))) {
        return Err(crate::FilesError::MixedTargets { path: path.to_path_buf() }.into());
    }
    if width > 1 || options.task.or(options.known_task) == Some(TaskKind::Regression) {
        let expected = "numbers, or one column of strings as classes";
        let reason = format!("targets are strings, expected {expected}");
        return Err(DataError::Header { format: "npy", reason, path: parts[0].1.to_path_buf() });
    }
    let text = |y: &Array| match &y.values {
        Numbers::Text(text) => text.clone(),
        _ => Vec::new(),
    };
    let all: Vec<(Vec<String>, &Path)> = parts.iter().map(|(y, path)| (text(y), *path)).collect();
    let own: BTreeSet<&String> = all.iter().flat_map(|(text, _)| text).collect();
    let n: usize = all.iter().map(|(text, _)| text.len()).sum();
    if options.task.is_none() && options.known_classes.is_empty() && own.len() > FEW && 3 * own.len() > n {
        let path = parts[0].1.to_path_buf();
        return Err(DataError::TargetsUnclear { distinct: own.len(), samples: n, text: true, path });
    }
    let classes: Vec<String> = match options.known_classes.is_empty() {
        true => own.into_iter().cloned().collect(),
        false => options.known_classes.clone(),
    };
    check_count(options, classes.len())?;
    let places: HashMap<&str, usize> = classes.iter().enumerate().map(|(i, c)| (c.as_str(), i)).collect();
    let mut targets = Vec::with_capacity(n);
    for (text, path) in &all {
        for (row, label) in text.iter().enumerate() {
            let Some(&class) = places.get(label.as_str()) else {
                let nearest = nearest(label, classes.iter().map(String::as_str));
                let (value, n_classes, path) = (label.clone(), classes.len(), path.to_path_buf());
                return Err(DataError::UnknownLabel { value, row, n_classes, nearest, path });
            };
            targets.push(class as f32);
        }
    }
    Ok(Told { task: Task::Classification { classes }, targets, note: None })
}

fn numbers(values: &Numbers) -> Box<dyn Iterator<Item = f32> + '_> {
    match values {
        Numbers::F32(v) => Box::new(v.iter().copied()),
        Numbers::U8(v) => Box::new(v.iter().map(|b| f32::from(*b))),
        Numbers::Text(_) => Box::new(std::iter::empty()),
    }
}

fn floats(parts: Vec<(Array, &Path)>) -> Vec<f32> {
    let mut all = Vec::new();
    for (y, _) in parts {
        match y.values {
            Numbers::F32(v) if all.is_empty() => all = v,
            other => all.extend(numbers(&other)),
        }
    }
    all
}
