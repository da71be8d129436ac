//! Every reader of files as a function of bytes: what the fuzzer calls, and what the tests replay the seeds with.
//!
//! A reader may refuse its bytes with any typed error. It must not panic, and what it accepts must be usable: rows can
//! be drawn from a data set, a config that is written reads back, a run folder gives a page.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use thalweg::config::RunConfig;
use thalweg::data::fetch::{Member, Size, unpack};
use thalweg::data::{self, DataOptions, Labels, Preprocess, SplitOptions};
use thalweg::model::weights::WeightsFile;
use thalweg::train::Checkpoint;

/// A reader, under the name of its folder of seeds.
pub type Reader = (&'static str, fn(&[u8]));

/// All readers.
pub const ALL: &[Reader] = &[
    ("config", config),
    ("checkpoint", checkpoint),
    ("safetensors", safetensors),
    ("npy", npy),
    ("npz", npz),
    ("idx", idx),
    ("cifar", cifar),
    ("csv", csv),
    ("json", json),
    ("arff", arff),
    ("zip", zip),
    ("zstd", zstd),
    ("excel", excel),
    ("parquet", parquet),
    ("arrow", arrow),
    ("png", png),
    ("jpeg", jpeg),
    ("webp", webp),
    ("gif", gif),
    ("bmp", bmp),
    ("tiff", tiff),
    ("tar", tar),
    ("run_folder", run_folder),
];

/// Stands between the parts of an input that is several texts.
const CUT: &[u8] = b"\n--8<--\n";

/// The text of a config; after a cut, overrides, one a line.
pub fn config(bytes: &[u8]) {
    let parts = cut(bytes);
    let Ok(text) = str::from_utf8(parts[0]) else { return };
    let words = parts.get(1).map(|part| String::from_utf8_lossy(part).into_owned()).unwrap_or_default();
    let words: Vec<String> = words.lines().map(String::from).collect();
    match RunConfig::from_toml(text, Path::new("run.toml"), &words) {
        Ok(config) => {
            let written = config.to_toml();
            let again = RunConfig::from_toml(&written, Path::new("config.toml"), &[]);
            let again =
                again.unwrap_or_else(|error| panic!("what was written is refused: {error}\n{written}"));
            assert_eq!(again.to_toml(), written, "what was written reads back as something else");
        }
        Err(error) => drop((error.to_string(), error.hint())),
    }
}

/// A checkpoint; after a first byte of 0 the whole file, else the header alone, with as many zeros as fit.
pub fn checkpoint(bytes: &[u8]) {
    let Some((kind, rest)) = bytes.split_first() else { return };
    let path = place("checkpoint.safetensors");
    write(&path, &if *kind == 0 { rest.to_vec() } else { framed(rest) });
    let opened = Checkpoint::open(&path).and_then(|checkpoint| {
        let model = checkpoint.model()?;
        checkpoint.weights(&model)?;
        checkpoint.state(&model).map(|_| ())
    });
    if let Err(error) = opened {
        drop((error.to_string(), error.hint()));
    }
}

/// A file of weights, as for [`checkpoint`].
pub fn safetensors(bytes: &[u8]) {
    let Some((kind, rest)) = bytes.split_first() else { return };
    let file = if *kind == 0 { rest.to_vec() } else { framed(rest) };
    match WeightsFile::from_bytes(Path::new("weights.safetensors"), file) {
        Ok(file) => {
            let _ = file.tensors().map(|tensors| tensors.len());
            let _ = file.load(&mut []).map_err(|error| error.to_string());
        }
        Err(error) => drop((error.to_string(), error.hint())),
    }
}

/// `x.npy` and `y.npy`; see [`two`].
pub fn npy(bytes: &[u8]) {
    let Some((x, y)) = two(bytes) else { return };
    write(&place("x.npy"), x);
    write(&place("y.npy"), y);
    open("x.npy", &DataOptions::default());
    open("x.npy", &DataOptions { inputs_only: true, allow_missing: Some(true), ..DataOptions::default() });
}

/// An archive of arrays.
pub fn npz(bytes: &[u8]) {
    write(&place("a.npz"), bytes);
    open("a.npz", &DataOptions::default());
    open("a.npz", &DataOptions { inputs_only: true, ..DataOptions::default() });
}

/// After a first byte (odd: gzip), images and labels; see [`two`].
pub fn idx(bytes: &[u8]) {
    let Some((kind, rest)) = bytes.split_first() else { return };
    let Some((images, labels)) = two(rest) else { return };
    let ending = if kind % 2 == 0 { "" } else { ".gz" };
    let (x, y) = (format!("images-idx3-ubyte{ending}"), format!("labels-idx1-ubyte{ending}"));
    write(&place(&x), images);
    write(&place(&y), labels);
    open(
        &x,
        &DataOptions { target: vec![place(&y).to_string_lossy().into_owned()], ..DataOptions::default() },
    );
}

/// One file of records; the first byte chooses the kind by the file's name.
pub fn cifar(bytes: &[u8]) {
    let Some((kind, rest)) = bytes.split_first() else { return };
    let name = if kind % 2 == 0 { "data_batch_1.bin" } else { "train.bin" };
    write(&place(name), rest);
    open(name, &DataOptions::default());
    open(name, &DataOptions { labels: Labels::Coarse, ..DataOptions::default() });
}

/// A table; bits of the first byte choose options and whether it is gzip.
pub fn csv(bytes: &[u8]) {
    let Some((kind, rest)) = bytes.split_first() else { return };
    let bit = |n: u8| kind >> n & 1 == 1;
    let name = if bit(0) { "t.csv.gz" } else { "t.csv" };
    write(&place(name), rest);
    let options = DataOptions {
        header: bit(1).then(|| bit(2)),
        separator: bit(3).then(|| if bit(4) { ' ' } else { ';' }),
        target: if bit(5) { vec!["0".into()] } else { vec![] },
        allow_missing: bit(6).then_some(false),
        task: bit(7).then_some(data::TaskKind::Regression),
        ..DataOptions::default()
    };
    open(name, &options);
}

/// Objects, as lines or in an array.
pub fn json(bytes: &[u8]) {
    table("t.jsonl", bytes);
}

/// A table with a header of attributes.
pub fn arff(bytes: &[u8]) {
    table("t.arff", bytes);
}

/// An archive with a table.
pub fn zip(bytes: &[u8]) {
    table("t.zip", bytes);
}

/// A compressed table.
pub fn zstd(bytes: &[u8]) {
    table("t.csv.zst", bytes);
}

/// A workbook of any kind.
pub fn excel(bytes: &[u8]) {
    table("t.xls", bytes);
}

/// A file of Parquet.
pub fn parquet(bytes: &[u8]) {
    table("t.parquet", bytes);
}

/// A file or stream of Arrow's.
pub fn arrow(bytes: &[u8]) {
    table("t.arrow", bytes);
}

fn table(name: &str, bytes: &[u8]) {
    write(&place(name), bytes);
    open(name, &DataOptions::default());
    let path = place(name);
    if let Ok(view) = data::table(&path, &DataOptions::default()) {
        assert!(view.values.iter().all(|column| column.len() == view.n_rows), "columns of different lengths");
    }
}

/// One picture.
pub fn png(bytes: &[u8]) {
    picture("p.png", bytes);
}

/// One picture.
pub fn jpeg(bytes: &[u8]) {
    picture("p.jpg", bytes);
}

/// One picture.
pub fn webp(bytes: &[u8]) {
    picture("p.webp", bytes);
}

/// One picture.
pub fn gif(bytes: &[u8]) {
    picture("p.gif", bytes);
}

/// One picture.
pub fn bmp(bytes: &[u8]) {
    picture("p.bmp", bytes);
}

/// One picture.
pub fn tiff(bytes: &[u8]) {
    picture("p.tif", bytes);
}

fn picture(name: &str, bytes: &[u8]) {
    write(&place(name), bytes);
    let options = DataOptions { inputs_only: true, ..DataOptions::default() };
    open(name, &options);
}

/// The content of an archive, which is packed here.
pub fn tar(bytes: &[u8]) {
    let outer = folder().join("tar");
    fs::create_dir_all(&outer).unwrap();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    packed.write_all(bytes).unwrap();
    let archive = outer.join("a.tar.gz");
    write(&archive, &packed.finish().unwrap());
    let members = [
        Member { name: "one", size: Size::Exactly(3), sha256: None },
        Member { name: "two", size: Size::AtMost(600), sha256: None },
    ];
    let into = outer.join("set");
    let done = unpack(&archive, &members, &into).map_err(|error| error.to_string());
    let names = |folder: &Path| {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let mut names: Vec<String> = entries.map(|e| e.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    };
    match done {
        Ok(()) => {
            assert_eq!(names(&into), ["one", "two"]);
            assert_eq!(names(&outer), ["a.tar.gz", "set"]);
            fs::remove_dir_all(&into).unwrap();
        }
        Err(_) => assert_eq!(names(&outer), ["a.tar.gz"]),
    }
}

/// `config.toml`, `summary.json`, `metrics.csv` and `evaluation.json`, with cuts between them.
pub fn run_folder(bytes: &[u8]) {
    let parts = cut(bytes);
    let outer = folder().join("run");
    fs::create_dir_all(&outer).unwrap();
    for (i, name) in ["config.toml", "summary.json", "metrics.csv", "evaluation.json"].iter().enumerate() {
        match parts.get(i) {
            Some(part) => write(&outer.join(name), part),
            None => drop(fs::remove_file(outer.join(name))),
        }
    }
    let run = record::RunDir::open(&outer).unwrap();
    match run.load() {
        Ok(record) => {
            let page = report::report_html(&record);
            assert!(page.contains("</html>"), "the page breaks off");
            let _ = report::terminal::summary(&record, 80, report::terminal::Color::Off);
        }
        Err(error) => drop((error.to_string(), error.hint())),
    }
}

/// Opens what lies there and takes rows from it as training would.
fn open(name: &str, options: &DataOptions) {
    let path = place(name);
    let mut set = match data::open(&path.to_string_lossy(), options) {
        Ok(set) => set,
        Err(error) => return drop((error.to_string(), error.hint())),
    };
    assert!(!set.is_empty(), "a set without samples");
    let splits = match data::split(&set, &SplitOptions::default()) {
        Ok(splits) => splits,
        Err(error) => return drop((error.to_string(), error.hint())),
    };
    set.fill_missing(&splits.train).expect("rows in memory");
    let affine = match data::fit(&set, &splits.train, Preprocess::Standardize) {
        Ok(affine) => affine,
        Err(error) => return drop((error.to_string(), error.hint())),
    };
    let rows: Vec<u32> = splits.train.iter().copied().take(2).collect();
    let mut batch = vec![f32::NAN; rows.len() * set.n_inputs()];
    set.gather(&rows, &affine, &mut batch).expect("rows in memory");
    assert!(batch.iter().all(|x| !x.is_nan()), "a number of the batch is missing");
}

/// Two files: two bytes, the length of the first one (little-endian), and both.
fn two(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, rest) = bytes.split_first_chunk()?;
    Some(rest.split_at(usize::from(u16::from_le_bytes(*len)).min(rest.len())))
}

/// A file of safetensors with this header: its length before it, and after it what its offsets ask for, as zeros.
fn framed(header: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(header);
    let ends = text.split("data_offsets").skip(1).filter_map(|after| {
        let inside = after.split_once('[')?.1.split_once(']')?.0;
        inside.split_once(',')?.1.trim().parse::<usize>().ok()
    });
    let n = ends.max().unwrap_or(0).min(1 << 16);
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend_from_slice(header);
    file.resize(file.len() + n, 0);
    file
}

/// The parts of an input between cuts; at least one.
fn cut(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut parts = Vec::new();
    while let Some(at) = bytes.windows(CUT.len()).position(|w| w == CUT) {
        parts.push(&bytes[..at]);
        bytes = &bytes[at + CUT.len()..];
    }
    parts.push(bytes);
    parts
}

/// A folder of this process, in memory where the system has such a place.
pub fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let memory = Path::new("/dev/shm");
        let parent = if memory.is_dir() { memory.to_path_buf() } else { std::env::temp_dir() };
        let folder = parent.join(format!("thalweg-readers-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        folder
    })
}

fn place(name: &str) -> PathBuf {
    folder().join(name)
}

fn write(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).unwrap();
}
