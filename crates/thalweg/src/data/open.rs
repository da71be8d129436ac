//! From a name, a file or a folder to a data set.

use std::path::Path;

use super::error::nearest;
use super::moments::of_numbers;
use super::{Channels, DataError, DataOptions, Dataset, Values, fetch, formats, known, read, sets};

/// Opens a built-in set, a file or a folder, or a public set that was fetched.
///
/// Names of built-in sets ([`sets::ALL`]) come first; write `./digits` for a file of that name. Names of public sets
/// ([`fetch::ALL`]) come last: they are looked for where nothing here has that name. A folder is
/// searched for IDX pairs, then for `train.csv`, then for NumPy arrays, then for a single file of a known format.
///
/// # Errors
/// [`DataError`] tells what is wrong with the source and, by [`DataError::hint`], what to do.
pub fn open(source: &str, options: &DataOptions) -> Result<Dataset, DataError> {
    if let Some(set) = sets::by_name(source) {
        check_unused(options, true)?;
        return set.make(options);
    }
    let fetched = if Path::new(source).exists() { None } else { known::by_name(source)? };
    let path = fetched.as_deref().unwrap_or(Path::new(source));
    let metadata = std::fs::metadata(path).map_err(|error| match read::failed(path, error) {
        DataError::UnknownSource { name, nearest: None } => {
            let public = fetch::ALL.iter().map(|s| s.name);
            let nearest = nearest(&name, sets::ALL.iter().map(|s| s.name).chain(public));
            DataError::UnknownSource { name, nearest }
        }
        other => other,
    })?;
    check_unused(options, false)?;
    let mut set = if metadata.is_dir() { open_folder(path, options) } else { open_file(path, options) }?;
    if set.schema.is_none() {
        check_finite(&mut set, path, options)?;
    }
    Ok(set)
}

/// An option that a kind of source does not have is a mistake, not something to pass over.
fn check_unused(options: &DataOptions, built_in: bool) -> Result<(), DataError> {
    let told = |value: Option<String>, option| value.map(|value| (option, value));
    let list = |names: &[String]| (!names.is_empty()).then(|| names.join(", "));
    let unused = if built_in {
        told(list(&options.target), "target")
            .or_else(|| told(list(&options.drop), "drop"))
            .or_else(|| told(options.task.map(|t| t.name().to_string()), "task"))
            .or_else(|| told(options.header.map(|h| h.to_string()), "header"))
            .or_else(|| told(options.separator.map(|s| s.to_string()), "separator"))
            .or_else(|| told(channels(options), "channels"))
    } else {
        told(options.n.map(|n| n.to_string()), "n")
            .or_else(|| told(options.noise.map(|n| n.to_string()), "noise"))
            .or_else(|| told((options.seed != 0).then(|| options.seed.to_string()), "seed"))
    };
    let kind = if built_in { "a built-in set" } else { "a file or folder" };
    let expected = format!("nothing, since {kind} has no such option");
    unused.map_or(Ok(()), |(option, value)| Err(DataError::BadOption { option, value, expected }))
}

fn channels(options: &DataOptions) -> Option<String> {
    (options.channels != Channels::Auto).then(|| options.channels.name().to_string())
}

fn open_file(path: &Path, options: &DataOptions) -> Result<Dataset, DataError> {
    let format = formats::by_name(path).ok_or_else(|| DataError::UnknownFormat { path: path.into() })?;
    (format.open)(path, options)
}

fn open_folder(folder: &Path, options: &DataOptions) -> Result<Dataset, DataError> {
    let searched = formats::idx::open_folder(folder, options)
        .or_else(|| formats::table::open_folder(folder, options))
        .or_else(|| formats::arrays_folder(folder, options));
    if let Some(found) = searched {
        return found;
    }
    let names = read::names(folder);
    let usable = |name: &&String| {
        let is_text = name.to_lowercase().ends_with(".txt");
        formats::by_name(Path::new(name)).is_some() && !is_text && folder.join(name).is_file()
    };
    let found: Vec<String> = names.iter().filter(usable).cloned().collect();
    match &found[..] {
        [one] => open_file(&folder.join(one), options),
        [] => {
            let looked_for = "train-images*-ubyte and train-labels*-ubyte, train.csv, x.npy and y.npy, \
                              or one .csv, .tsv, .npz or .idx file, each also with .gz";
            Err(DataError::NothingUsable { looked_for: looked_for.into(), path: folder.into() })
        }
        _ => Err(DataError::Ambiguous { found, path: folder.into() }),
    }
}

/// NaN and infinity in arrays: an error, or with `allow_missing` NaN becomes the feature's mean.
fn check_finite(set: &mut Dataset, path: &Path, options: &DataOptions) -> Result<(), DataError> {
    let width = set.n_targets();
    let told = !options.inputs_only || set.has_targets();
    if let Some(i) = set.targets.iter().position(|x| told && !x.is_finite()) {
        let (value, column) = (f64::from(set.targets[i]), format!("target {}", i % width));
        return Err(DataError::NotFinite { value, row: i / width, column, path: path.into() });
    }
    let width = set.n_inputs();
    let Values::F32(inputs) = &set.inputs else { return Ok(()) };
    let allowed = |x: f32| x.is_nan() && options.allow_missing == Some(true);
    if let Some(i) = inputs.iter().position(|x| !x.is_finite() && !allowed(*x)) {
        let (value, column) = (f64::from(inputs[i]), set.feature_name(i % width));
        return Err(DataError::NotFinite { value, row: i / width, column, path: path.into() });
    }
    set.missing = inputs.iter().enumerate().filter(|(_, x)| x.is_nan()).map(|(i, _)| i).collect();
    if !set.missing.is_empty() {
        set.notes.push(format!("{} missing values (NaN): the feature's mean", set.missing.len()));
        fill_with_means(set);
    }
    Ok(())
}

/// Writes the mean of the known values of each feature (0 if there are none) where values are missing.
fn fill_with_means(set: &mut Dataset) {
    let width = set.n_inputs();
    let all: Vec<u32> = (0..set.len() as u32).collect();
    if let Values::F32(inputs) = &mut set.inputs {
        set.missing.iter().for_each(|&i| inputs[i] = 0.0);
        let mean = of_numbers(inputs, width, &all).mean;
        let mut unknown = vec![0usize; width];
        set.missing.iter().for_each(|i| unknown[i % width] += 1);
        // Zeros stood for the missing values, so the sum is that of the known ones.
        let known = |c: usize| (all.len() - unknown[c]).max(1) as f64;
        set.missing
            .iter()
            .for_each(|&i| inputs[i] = (mean[i % width] * all.len() as f64 / known(i % width)) as f32);
    }
}
