//! Streamed tables are those that are read in memory, to the bit: what a table holds, or the error.

use std::fs;
use std::path::{Path, PathBuf};

use kernels::rng::{Purpose, Rng};

use super::Limits;
use crate::formats::table::Parts;
use crate::{DataError, DataOptions, Dataset, MissingTarget, TaskKind, Values};

/// All that a table became, with numbers as their bits; or the error, with its hint.
fn told(opened: Result<Dataset, DataError>) -> Result<(Vec<u32>, Vec<u32>, String), String> {
    let set = opened.map_err(|e| format!("{e}\n{}", e.hint()))?;
    let bits = |values: &[f32]| values.iter().map(|x| x.to_bits()).collect();
    let Values::F32(inputs) = &set.inputs else { return Err("no numbers".into()) };
    let (inputs, targets) = (bits(inputs), bits(&set.targets));
    let rest = Dataset { inputs: Values::F32(Vec::new()), targets: Vec::new(), ..set };
    Ok((inputs, targets, format!("{rest:#?}")))
}

fn whole(path: &Path, options: &DataOptions) -> Result<Dataset, DataError> {
    Parts { train: path.into(), valid: None, test: None }.read(options, None, None)
}

fn compare(path: &Path, options: &DataOptions, limits: Limits) -> Result<(), String> {
    let parts = Parts { train: path.into(), valid: None, test: None };
    let memory = told(whole(path, options));
    let stream = told(parts.read(options, Some(limits), None));
    // groups are held in memory
    let no_room = stream.as_ref().is_err_and(|e| e.contains("by which parts are cut"));
    if memory == stream || options.group.is_some() && no_room {
        return Ok(());
    }
    let short = |told: &Result<(Vec<u32>, Vec<u32>, String), String>| match told {
        Ok((inputs, targets, rest)) => format!("{} inputs, {} targets\n{rest}", inputs.len(), targets.len()),
        Err(error) => error.clone(),
    };
    let (memory, stream) = (short(&memory), short(&stream));
    let other = memory.lines().zip(stream.lines()).find(|(a, b)| a != b);
    Err(format!("{} with {limits:?}:\n    in memory {other:?} in the stream", path.display()))
}

/// Ways to cut that meet every edge: windows of a few bytes, a few cells at once, almost no room for texts.
fn ways() -> Vec<Limits> {
    let way = |window, block, texts| Limits { all: 1 << 30, window, longest: 1 << 24, block, texts };
    vec![way(64, 400, 0), way(200, 900, 1000), way(4096, 5000, 3000), way(1 << 16, 1 << 16, 1 << 20)]
}

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
    let mut all: Vec<PathBuf> =
        fs::read_dir(folder).expect("a folder").map(|e| e.expect("a file").path()).collect();
    all.retain(|p| p.is_file());
    all.sort();
    all
}

#[test]
fn messy_tables_are_the_same_in_a_stream() {
    let mut wrong = Vec::new();
    let many = std::env::var_os("THALWEG_DRAWS").is_some();
    let all = [files("messy/files"), files("roundtrip/files"), files("fixtures")].concat();
    for (i, path) in all.iter().enumerate() {
        // every way with every file: `THALWEG_DRAWS=10000`
        let some = [DataOptions::default(), other_options(i)];
        for (j, options) in some.iter().enumerate() {
            let ways = ways().into_iter().enumerate().filter(|(k, _)| many || (i + j) % 4 == *k);
            wrong.extend(ways.filter_map(|(_, limits)| compare(path, options, limits).err()));
        }
    }
    assert!(all.len() > 500, "{} files", all.len());
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong[..wrong.len().min(12)].join("\n"));
}

/// Settings that change what is read.
fn other_options(i: usize) -> DataOptions {
    let default = DataOptions::default();
    match i % 6 {
        0 => DataOptions { missing_target: MissingTarget::Drop, ..default },
        1 => DataOptions { task: Some(TaskKind::Classification), ..default },
        2 => DataOptions { target: vec!["0".into()], ..default },
        3 => DataOptions { group: Some("0".into()), missing_target: MissingTarget::Drop, ..default },
        4 => DataOptions { decimal: Some(','), missing: vec!["0".into(), "x".into()], ..default },
        _ => DataOptions { header: Some(false), inputs_only: true, ..default },
    }
}

/// A table of columns of all kinds, with quotes over several lines, missing marks and long lists of texts.
fn drawn(seed: u64) -> String {
    let rng = Rng::new(seed, Purpose::Synthetic, 0, 0);
    let mut at = 0;
    let mut draw = |n: usize| {
        at += 1;
        rng.below(n as u64, at) as usize
    };
    let separator = [",", ";", "\t", "|"][draw(4)];
    let comma = separator != "," && draw(3) == 0;
    let (n_rows, n_columns, crlf) = (3 + draw(300), 1 + draw(6), draw(4) == 0);
    let kinds: Vec<usize> = (0..=n_columns).map(|_| draw(14)).collect();
    let holes: Vec<usize> = kinds.iter().map(|_| [0, 0, 0, 7, 40][draw(5)]).collect();
    let names = draw(4) > 0;
    let mut out = String::new();
    for row in 0..n_rows + usize::from(names) {
        let fields = kinds.iter().zip(&holes).enumerate().map(|(i, (kind, holes))| {
            if names && row == 0 {
                return format!("name {i}");
            }
            if *holes > 0 && draw(*holes) == 0 {
                return ["", "NA", "-", "None", "?"][draw(5)].into();
            }
            let decimal = if comma { "," } else { "." };
            match kind {
                0 => draw(3).to_string(),
                1 => format!("{}{decimal}{}", draw(1000), draw(100)),
                2 => row.to_string(),
                3 => ["red", "green", "blue"][draw(3)].into(),
                4 => format!("word{}", draw(400)),
                5 => format!("{:04}-{:02}-{:02}", 1990 + draw(40), 1 + draw(12), 1 + draw(28)),
                6 => format!("{}/{}/{}", 1 + draw(12), 1 + draw(28), 2000 + draw(9)),
                7 => ["yes", "no", "Yes"][draw(3)].into(),
                8 => {
                    format!("\"a \"\"text\"\" of {} words,\n over lines{separator}\n{}\"", draw(9), draw(99))
                }
                9 => format!("\"{},{:03}\"", 1 + draw(999), draw(1000)),
                10 => format!("{} kg", draw(500)),
                11 => format!("${}", draw(5000)),
                12 => format!("{}", 1_700_000_000 + draw(100_000)),
                _ => format!("{:02}:{:02}", draw(24), draw(60)),
            }
        });
        let line: Vec<String> = fields.collect();
        out.push_str(&line.join(separator));
        out.push_str(if crlf { "\r\n" } else { "\n" });
    }
    out
}

#[test]
fn drawn_tables_are_the_same_in_a_stream() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut wrong = Vec::new();
    let draws = std::env::var("THALWEG_DRAWS").ok().and_then(|n| n.parse().ok()).unwrap_or(150);
    let mut read = 0;
    for seed in 0..draws {
        let text = drawn(seed);
        let (path, packed) = (folder.path().join("drawn.csv"), folder.path().join("drawn.csv.gz"));
        fs::write(&path, &text).expect("a temporary folder");
        let limits = ways()[seed as usize % 4];
        wrong.extend(compare(&path, &other_options(seed as usize), limits).err());
        let default = DataOptions::default();
        wrong.extend(compare(&path, &default, limits).err());
        read += usize::from(whole(&path, &default).is_ok());
        // compressed, and twice as one table
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut gzip, text.as_bytes()).expect("memory");
        fs::write(&packed, gzip.finish().expect("memory")).expect("a temporary folder");
        wrong.extend(compare(&packed, &default, limits).err());
        wrong.extend(compare(&folder.path().join("drawn.*"), &default, limits).err());
        if wrong.len() > 5 {
            break;
        }
    }
    assert!(read as u64 * 5 > draws, "only {read} of {draws} are tables that can be used");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What a run sees of a data set: parts, schema with its fills, inputs, targets, preprocessing, identity.
fn seen(source: &Path, options: &DataOptions) -> Vec<String> {
    let mut set = crate::open(&source.display().to_string(), options).expect("a table");
    let splits = crate::split(&set, &crate::SplitOptions::default()).expect("parts");
    set.fill_missing(&splits.train).expect("rows");
    let (all, mut inputs): (Vec<u32>, Vec<u32>) = ((0..set.len() as u32).collect(), Vec::new());
    let width = set.n_inputs();
    set.each_row(&all, |_, row| inputs.extend((0..width).map(|j| row.number(j).to_bits()))).expect("rows");
    let robust = crate::fit(&set, &splits.train, crate::Preprocess::Robust).expect("rows");
    let standard = crate::fit(&set, &splits.train, crate::Preprocess::Standardize).expect("rows");
    let targets: Vec<u32> = set.targets.iter().map(|x| x.to_bits()).collect();
    // in a file, missing values are summed up as such
    let identity = set.columns.iter().all(|c| c.missing == 0).then(|| set.identities());
    let rest = Dataset { inputs: Values::F32(Vec::new()), targets: Vec::new(), missing: Vec::new(), ..set };
    vec![
        format!("{inputs:?}"),
        format!("{targets:?}"),
        format!("{splits:?}"),
        format!("{rest:#?}"),
        format!("{robust:?} {standard:?}"),
        format!("{identity:?}"),
    ]
}

#[test]
fn streamed_rows_are_those_in_memory() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let at = |name: &str| folder.path().join(name);
    let write = |name: &str, text: &str| {
        let path = at(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a temporary folder");
        fs::write(path, text).expect("a temporary folder");
    };
    let table = |from: usize, to: usize, target: bool| {
        let row = |i: usize| {
            let hole = |n: usize, x: String| if i.is_multiple_of(n) { String::new() } else { x };
            let y = if target { format!(",{}", ["a", "b", "c"][i * 7 % 3]) } else { String::new() };
            let day = format!("2024-{:02}-{:02}", 1 + i % 12, 1 + i % 28);
            format!(
                "{},{},{},{day},g{}{y}\n",
                hole(5, format!("{}.5", i * 37 % 101)),
                ["red", "green", "blue"][i % 3],
                hole(9, format!("{}", 1_700_000_000 + i * i)),
                i % 11
            )
        };
        let head = if target { "x,color,second,day,who,y\n" } else { "x,color,second,day,who\n" };
        head.to_string() + &(from..to).map(row).collect::<String>()
    };
    write("t.csv", &table(0, 400, true));
    write("parts/train.csv", &table(0, 300, true));
    write("parts/valid.csv", &table(300, 340, true));
    write("parts/test.csv", &table(340, 400, false));
    write("x.csv", &table(0, 90, false));
    write("y.csv", &(0..90).map(|i| format!("{}.25\n", i % 17)).collect::<String>());
    let told = |key: &str| match key {
        "group" => DataOptions { group: Some("who".into()), ..DataOptions::default() },
        "time" => {
            DataOptions { time: Some("second".into()), drop: vec!["who".into()], ..DataOptions::default() }
        }
        "file" => DataOptions { target: vec!["y.csv".into()], ..DataOptions::default() },
        _ => DataOptions::default(),
    };
    write("u.csv", &table(1, 9, true).replace(",,", ",7,"));
    for (source, key) in
        [("t.csv", ""), ("t.csv", "group"), ("u.csv", "time"), ("parts", ""), ("x.csv", "file")]
    {
        let options = told(key);
        let memory = seen(&at(source), &options);
        let cache = Some(at("cache"));
        let streamed = DataOptions { stream: Some(true), memory: Some(1 << 20), cache, ..options };
        // written, and found again
        for _ in 0..2 {
            let stream = seen(&at(source), &streamed);
            for (a, b) in memory.iter().zip(&stream) {
                let other = a.lines().zip(b.lines()).find(|(a, b)| a != b);
                assert!(a == b, "{source} {key}: {:.600?}", other.unwrap_or((a, b)));
            }
        }
    }
}
