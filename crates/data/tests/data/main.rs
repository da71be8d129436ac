//! Data: every format against files that NumPy wrote, every error's message, splits, preprocessing, fetching.

use std::fs;
use std::path::{Path, PathBuf};

use data::{self, Affine, DataOptions, Dataset, Task, Values};

mod arrays;
mod augment;
mod cifar;
mod cuts;
mod fetch;
mod formats;
mod idx;
mod image_cache;
mod image_folders;
mod images;
mod kinds;
mod messy;
mod posted;
mod roundtrip;
mod scale;
mod sets;
mod streamed;
mod table;
mod targets;
mod weights;

/// A folder of its own for each test, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("thalweg-data-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("a temporary folder");
        Folder(path)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.0.join(name);
        fs::write(&path, content).expect("a writable folder");
        path.display().to_string()
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn fixture(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name).display().to_string()
}

fn open(source: &str) -> Dataset {
    open_with(source, &DataOptions::default())
}

fn open_with(source: &str, options: &DataOptions) -> Dataset {
    data::open(source, options).unwrap_or_else(|e| panic!("{e}"))
}

fn floats(set: &Dataset) -> &[f32] {
    match &set.inputs {
        Values::F32(values) => values,
        Values::U8(_) | Values::Rows(_) => panic!("no numbers in memory"),
    }
}

fn classes(set: &Dataset) -> Vec<&str> {
    match &set.task {
        Task::Classification { classes } => classes.iter().map(String::as_str).collect(),
        Task::Regression { .. } => panic!("numbers as targets"),
    }
}

/// The message, with folders cut from paths, and the hint.
#[track_caller]
fn fails(source: &str, options: &DataOptions, message: &str, hint: &str) {
    let error = data::open(source, options).expect_err("an error");
    let cut = |text: String| {
        // the fixtures first, since the repository itself may lie in a temporary folder
        let folders = [fixture(""), std::env::temp_dir().display().to_string() + "/"];
        let text = folders.iter().fold(text, |t, f| t.replace(f, ""));
        text.replace(&format!("-{}", std::process::id()), "").replace("thalweg-data-", "")
    };
    assert_eq!((cut(error.to_string()), cut(error.hint())), (message.to_string(), hint.to_string()));
}

const AGAIN: &str = "copy or download the file again";

fn target(names: &[&str]) -> DataOptions {
    DataOptions { target: names.iter().map(|s| (*s).to_string()).collect(), ..DataOptions::default() }
}

const FORMATS: &str = "the ending decides the format: .csv .tsv .jsonl .parquet .arrow .xlsx .ods .arff .npy .npz .idx -ubyte .bin, each also with .gz, and .png .jpg";
