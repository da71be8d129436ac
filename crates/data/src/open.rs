//! From a name, a file or a folder to a data set.

use std::path::Path;

#[cfg(feature = "images")]
use super::images;
use super::moments::of_numbers;
#[cfg(feature = "copies")]
use super::own;
#[cfg(feature = "table")]
use super::tables;
use super::{CacheError, DataError, DataOptions, Dataset, Values, formats, known, public, read, sets};
use settings::nearest;

/// Opens a built-in set, a file or a folder, or a public set that was fetched.
///
/// Names of built-in sets ([`sets::ALL`]) come first; write `./digits` for a file of that name. Names of public sets
/// ([`public::ALL`]) come last: they are looked for where nothing here has that name. A folder is searched for IDX
/// pairs, then for the files of CIFAR, then for `train.csv`, then for NumPy arrays, then for folders of images, then
/// for a
/// single file of a known format.
///
/// # Errors
/// [`DataError`] tells what is wrong with the source and, by [`DataError::hint`], what to do.
pub fn open(source: &str, options: &DataOptions) -> Result<Dataset, DataError> {
    #[cfg(feature = "copies")]
    if let Some((folder, why)) = options.cache.as_ref().and_then(|f| Some((f, own::distrust(f)?))) {
        let mut set = open_source(source, &DataOptions { cache: None, ..options.clone() })?;
        set.notes.push(format!("the cache folder is not used, since {why}: {}", folder.display()));
        return Ok(set);
    }
    open_source(source, options)
}

/// Opens a source with a cache folder that may be used, or without one.
fn open_source(source: &str, options: &DataOptions) -> Result<Dataset, DataError> {
    if let Some(set) = sets::by_name(source) {
        check_unused(options, BUILT_IN)?;
        let set = set.make(options)?;
        check_streamed(&set, Path::new(source), options)?;
        return Ok(set);
    }
    if source == "digits" && !cfg!(feature = "gzip") {
        return Err(DataError::LeftOut { what: source.into(), feature: "gzip" });
    }
    #[cfg(feature = "table")]
    if let Some(set) = open_tables(source, options) {
        return set;
    }
    let fetched = if Path::new(source).exists() { None } else { known::by_name(source)? };
    let path = fetched.as_deref().unwrap_or(Path::new(source));
    let metadata = std::fs::metadata(path).map_err(|error| match read::failed(path, error) {
        DataError::UnknownSource { name, nearest: None } => {
            let public = public::ALL.iter().map(|s| s.name);
            let nearest = nearest(&name, sets::ALL.iter().map(|s| s.name).chain(public));
            DataError::UnknownSource { name, nearest }
        }
        other => other,
    })?;
    let mut set = if metadata.is_dir() { open_folder(path, options) } else { open_file(path, options) }?;
    check_streamed(&set, path, options)?;
    if set.schema.is_none() {
        check_finite(&mut set, path, options)?;
    }
    Ok(set)
}

/// Data that are larger than they may be, and of a kind that is not streamed.
fn check_streamed(set: &Dataset, path: &Path, options: &DataOptions) -> Result<(), DataError> {
    let bytes = match &set.inputs {
        Values::F32(values) => size_of_val(&values[..]),
        Values::U8(bytes) => bytes.len(),
        Values::Rows(_) => return Ok(()),
    };
    let Some(memory) = options.streamed(bytes) else { return Ok(()) };
    if options.stream == Some(true) {
        let expected =
            "`false`: tables as text, folders of images, and arrays that are not compressed, are streamed"
                .into();
        return Err(DataError::BadOption { option: "stream", value: "true".into(), expected });
    }
    let compressed = path.extension().is_some_and(|end| end.eq_ignore_ascii_case("gz") || end == "npz");
    let what = if compressed { "compressed arrays" } else { "data of this kind" }.into();
    let instead = compressed
        .then(|| "save arrays uncompressed, each in a file of its own: `numpy.save`, `gunzip`".into());
    Err(CacheError::NotStreamed { what, bytes, memory, instead, path: path.into() }.into())
}

/// The word for built-in sets among the names of formats.
const BUILT_IN: &str = "built-in";

/// What built-in sets have and files do not.
const MADE: &[&str] = &["n", "noise", "seed"];

/// An option that a kind of source does not have is a mistake, not something to pass over.
pub(crate) fn check_unused(options: &DataOptions, kind: &'static str) -> Result<(), DataError> {
    let format = formats::ALL.iter().find(|format| format.name == kind);
    let has = |option: &str| format.map_or(MADE.contains(&option), |format| format.has(option));
    let default = DataOptions::default();
    let list = |names: &[String]| (!names.is_empty()).then(|| names.join(", "));
    let word = |value: &dyn std::fmt::Debug, told: bool| told.then(|| format!("{value:?}").to_lowercase());
    let given = [
        ("target", list(&options.target)),
        ("drop", list(&options.drop)),
        ("task", options.task.map(|t| t.word().to_string())),
        ("header", options.header.map(|h| h.to_string())),
        ("separator", options.separator.map(|s| s.to_string())),
        ("group", options.group.clone()),
        ("time", options.time.clone()),
        ("weight", options.weight.clone()),
        ("decimal", options.decimal.map(|d| d.to_string())),
        ("thousands", options.thousands.map(|d| d.to_string())),
        ("missing", list(&options.missing)),
        ("missing_target", (options.missing_target != default.missing_target).then(|| "drop".into())),
        (
            "types",
            (!options.types.is_empty()).then(|| options.types.keys().cloned().collect::<Vec<_>>().join(", ")),
        ),
        ("date_order", options.date_order.map(|o| o.word().to_string())),
        ("skip", (options.skip > 0).then(|| options.skip.to_string())),
        ("skip_lines", list(&options.skip_lines)),
        ("comment", options.comment.clone()),
        ("encoding", options.encoding.clone()),
        ("sheet", options.sheet.clone()),
        ("channels", word(&options.channels, options.channels != default.channels)),
        ("color", word(&options.color, options.color != default.color)),
        ("size", word(&options.size, options.size != default.size)),
        ("resize", word(&options.resize, options.resize != default.resize)),
        ("corrupt", word(&options.corrupt, options.corrupt != default.corrupt)),
        ("labels", word(&options.labels, options.labels != default.labels)),
        ("n", options.n.map(|n| n.to_string())),
        ("noise", options.noise.map(|n| n.to_string())),
        ("seed", (options.seed != 0).then(|| options.seed.to_string())),
    ];
    let unused = given.into_iter().find(|(option, value)| value.is_some() && !has(option));
    let Some((option, Some(value))) = unused else { return Ok(()) };
    let kind = match kind {
        BUILT_IN => "a built-in set".into(),
        _ if MADE.contains(&option) => "a file or folder".into(),
        _ => format!("data of format `{kind}`"),
    };
    let has = if kind.starts_with("data") { "have" } else { "has" };
    Err(DataError::BadOption {
        option,
        value,
        expected: format!("nothing, because {kind} {has} no such option"),
    })
}

fn open_file(path: &Path, options: &DataOptions) -> Result<Dataset, DataError> {
    let format = formats::by_name(path).ok_or_else(|| formats::unknown(path))?;
    if !format.is_table() {
        // the content of a table may tell another format than its name
        check_unused(options, format.name)?;
    }
    format.open(path, options)
}

/// Standard input, or several files that are one table; `None` for any other source.
#[cfg(feature = "table")]
fn open_tables(source: &str, options: &DataOptions) -> Option<Result<Dataset, DataError>> {
    let path = Path::new(source);
    match read::is_stdin(path)
        .then_some(Ok(()))
        .or_else(|| tables::join::files(path).map(|f| f.map(drop)).transpose())?
    {
        Ok(()) => Some(formats::table::open(path, options)),
        Err(error) => Some(Err(error)),
    }
}

/// Opens a folder of one of the formats that come as several files; `None` if it has no such files.
type OpenFolder = fn(&Path, &DataOptions) -> Option<Result<Dataset, DataError>>;

const FOLDERS: &[(&str, OpenFolder)] = &[
    ("idx", formats::idx::open_folder),
    ("cifar", formats::cifar::open_folder),
    #[cfg(feature = "table")]
    ("table", formats::table::open_folder),
    ("npy", formats::arrays_folder),
];

fn open_folder(folder: &Path, options: &DataOptions) -> Result<Dataset, DataError> {
    for (kind, open) in FOLDERS {
        if let Some(found) = open(folder, options) {
            // tables were checked by their own formats
            return if *kind == "table" { found } else { check_unused(options, kind).and(found) };
        }
    }
    let names = read::names(folder);
    let format = |name: &String| {
        let is_text = name.to_lowercase().ends_with(".txt");
        formats::by_name(Path::new(name)).map(|f| f.name).filter(|_| !is_text && folder.join(name).is_file())
    };
    #[cfg_attr(not(feature = "images"), allow(unused_variables))]
    let (images, found): (Vec<String>, Vec<String>) =
        names.into_iter().filter(|n| format(n).is_some()).partition(|n| format(n) == Some("images"));
    #[cfg(feature = "images")]
    if let Some(set) = images_folder(folder, options, found.is_empty())? {
        return Ok(set);
    }
    match &found[..] {
        [one] => open_file(&folder.join(one), options),
        #[cfg(feature = "images")]
        [] if !images.is_empty() => {
            check_unused(options, "images")?;
            images::open_unlabeled(folder, options)
        }
        [] => {
            let looked_for = "train-images*-ubyte and train-labels*-ubyte, CIFAR's .bin files, train.csv, x.npy and \
                              y.npy, folders of images, or one table, .npz or .idx file";
            Err(DataError::NothingUsable { looked_for: looked_for.into(), path: folder.into() })
        }
        _ => Err(DataError::Ambiguous { found, path: folder.into() }),
    }
}

/// A folder of images as a data set. One folder of pictures beside a file of data is none of its own.
#[cfg(feature = "images")]
fn images_folder(folder: &Path, options: &DataOptions, alone: bool) -> Result<Option<Dataset>, DataError> {
    match images::Tree::find(folder, options, alone)?.filter(|tree| alone || tree.classes.len() > 1) {
        Some(tree) => {
            check_unused(options, "images")?;
            images::open_tree(tree, folder, options).map(Some)
        }
        None => Ok(None),
    }
}

/// NaN and infinity in arrays: an error, or with `allow_missing` NaN becomes the feature's mean.
fn check_finite(set: &mut Dataset, path: &Path, options: &DataOptions) -> Result<(), DataError> {
    let width = set.n_targets();
    let told = !options.inputs_only || set.has_targets();
    if let Some(i) = set.targets.iter().position(|x| told && !x.is_finite()) {
        let (value, column) = (f64::from(set.targets[i]), format!("target {}", i % width));
        return Err(DataError::NotFinite { target: true, value, row: i / width, column, path: path.into() });
    }
    let width = set.n_inputs();
    let Values::F32(inputs) = &set.inputs else { return Ok(()) };
    let allowed = |x: f32| x.is_nan() && options.allow_missing == Some(true);
    if let Some(i) = inputs.iter().position(|x| !x.is_finite() && !allowed(*x)) {
        let (value, column) = (f64::from(inputs[i]), set.feature_name(i % width));
        return Err(DataError::NotFinite { target: false, value, row: i / width, column, path: path.into() });
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
