//! Images of every format, depth, color space and orientation: their pixels are those of Pillow.

use super::images::{bytes, image};
use super::*;

/// One line of the list: name, shape, how close, where its pixels begin.
struct Case {
    name: String,
    shape: Vec<usize>,
    how: String,
    at: usize,
}

fn cases() -> Vec<Case> {
    let list = fs::read_to_string(fixture("kinds/list.txt")).expect("a fixture");
    let case = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        let number = |i: usize| words[i].parse::<usize>().expect("a number");
        let shape = vec![number(1), number(2), number(3)];
        Case { name: words[0].into(), shape, how: words[4].into(), at: number(5) }
    };
    list.lines().map(case).collect()
}

/// What is wrong with how a file is read; nothing where it is read as Pillow does.
fn fault(case: &Case, expected: &[u8]) -> Option<String> {
    let size = if case.name.starts_with("small") { vec![5, 6] } else { vec![] };
    let set = image(&format!("kinds/{}", case.name), DataOptions { size, ..DataOptions::default() });
    if set.input_shape != case.shape {
        return Some(format!("shape {:?}", set.input_shape));
    }
    let n: usize = case.shape.iter().product();
    let expected = &expected[case.at..];
    match (&set.inputs, &case.how[..]) {
        (Values::F32(values), "numbers") => {
            let expected = expected.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b));
            let far = values.iter().zip(expected).find(|(x, y)| (*x - y).abs() > 1e-6 * y.abs().max(1e-3));
            far.map(|(x, y)| format!("{x} for {y}"))
        }
        (Values::U8(_), "exact") => {
            let wrong = bytes(&set).iter().zip(expected).filter(|(x, y)| x != y).count();
            (wrong > 0 || bytes(&set).len() != n).then(|| format!("{wrong} of {n} differ"))
        }
        (Values::U8(_), "close") => {
            let apart: Vec<u8> = bytes(&set).iter().zip(expected).map(|(x, y)| x.abs_diff(*y)).collect();
            let mean = apart.iter().map(|d| f64::from(*d)).sum::<f64>() / n as f64;
            let within = apart.iter().filter(|d| **d <= 4).count() as f64 / n as f64;
            (mean > 1.0 || within < 0.999).then(|| format!("mean {mean:.3}, within 4: {within:.5}"))
        }
        (Values::U8(_), how) => Some(format!("bytes, not {how}")),
        (Values::F32(_), how) => Some(format!("numbers, not {how}")),
        (Values::Rows(_), _) => Some("rows of a file".into()),
    }
}

#[test]
fn pixels_of_every_kind_are_those_of_pillow() {
    let expected = fs::read(fixture("kinds/expected.bin")).expect("a fixture");
    let cases = cases();
    assert!(cases.len() > 100);
    let told = |case: &Case| fault(case, &expected).map(|what| format!("{}: {what}", case.name));
    let faults: Vec<String> = cases.iter().filter_map(told).collect();
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

/// A folder of two classes with these fixtures in both.
fn of_fixtures(name: &str, files: &[&str]) -> Folder {
    let folder = Folder::new(name);
    for file in files {
        let content = fs::read(fixture(&format!("kinds/{file}"))).expect("a fixture");
        folder.put(&format!("set/a/{file}"), &content);
        folder.put(&format!("set/b/{file}"), &content);
    }
    folder
}

#[test]
fn what_a_file_holds_besides_is_counted() {
    let files = [
        "moving.gif",
        "pages.tif",
        "moving.webp",
        "turned-2.png",
        "profile-foreign.png",
        "profile-ordinary.tif",
    ];
    let folder = of_fixtures("facts", &files);
    let notes = [
        "6 images have several pictures: the first one is used",
        "2 images were turned upright, as their tags say",
        "2 images have color profiles other than sRGB, which are not applied",
    ];
    assert_eq!(open(&folder.path("set")).notes, notes);
}

#[test]
fn pictures_are_upright_in_training_and_in_prediction() {
    for n in 1..=8 {
        let file = format!("turned-{n}.png");
        let folder = of_fixtures(&format!("upright-{n}"), &[&file]);
        let (trained, new) =
            (open(&folder.path("set")), image(&format!("kinds/{file}"), DataOptions::default()));
        assert_eq!(
            (&bytes(&trained)[..9 * 13 * 3], &trained.input_shape),
            (bytes(&new), &new.input_shape),
            "{n}"
        );
        assert_eq!(new.input_shape, if n < 5 { [9, 13, 3] } else { [13, 9, 3] }, "{n}");
    }
}

#[test]
fn low_values_of_16_bits_stay_apart() {
    let folder = of_fixtures("deep", &["depth-12.png", "gray-8.bmp"]);
    let cache = folder.0.join("cache");
    let options = DataOptions { cache: Some(cache), ..DataOptions::default() };
    let set = open_with(&folder.path("set"), &options);
    // at most 37 · 12 + 11 · 64 of 65535: bytes would have five levels
    let mut levels: Vec<u32> = floats(&set)[..9 * 13].iter().map(|x| (x * 65535.0).round() as u32).collect();
    levels.sort_unstable();
    levels.dedup();
    assert!(levels.len() > 100 && levels.last() == Some(&1148), "{levels:?}");
    assert!(
        set.notes[0].starts_with("2 images have more than 8 bits: all are kept as numbers"),
        "{:?}",
        set.notes
    );
    // A file's values do not depend on its neighbors, and bytes stand for the same numbers.
    let plain = image("kinds/gray-8.bmp", DataOptions::default());
    let numbers: Vec<f32> = bytes(&plain).iter().map(|b| f32::from(*b) / 255.0).collect();
    assert_eq!(floats(&set)[9 * 13..2 * 9 * 13], numbers);
    let splits = data::split(&set, &data::SplitOptions::default()).expect("four samples");
    let affine = data::fit(&set, &splits.train, data::Preprocess::GlobalStandardize).expect("a fit");
    let mut batch = vec![0.0; 9 * 13];
    set.gather(&[0], &affine, &mut batch).unwrap();
    assert!(batch.iter().all(|x| x.is_finite()));
}

#[test]
fn numbers_come_from_the_cache_as_they_were() {
    let folder = of_fixtures("deep-cache", &["depth-12.tif", "fractions.tif"]);
    let options =
        DataOptions { size: vec![400], cache: Some(folder.0.join("cache")), ..DataOptions::default() };
    let plain = open_with(&folder.path("set"), &DataOptions { cache: None, ..options.clone() });
    assert_eq!(open_with(&folder.path("set"), &options), plain);
    assert_eq!(fs::read_dir(folder.path("cache")).expect("the cache").count(), 1);
    assert_eq!(open_with(&folder.path("set"), &options), plain);
}

#[test]
fn pictures_of_an_older_cache_are_decoded_again() {
    let folder = of_fixtures("older", &["turned-6.png", "turned-8.png"]);
    let options =
        DataOptions { size: vec![400], cache: Some(folder.0.join("cache")), ..DataOptions::default() };
    let set = open_with(&folder.path("set"), &options);
    let file =
        fs::read_dir(folder.path("cache")).expect("the cache").flatten().next().expect("a file").path();
    let good = fs::read(&file).expect("the cache");
    // what an earlier version would have left there
    let old = [b"thalweg decoded images 2", &good[24..]].concat();
    fs::remove_file(&file).expect("the cache");
    fs::write(&file, &old).expect("the cache");
    assert_eq!(open_with(&folder.path("set"), &options), set);
    assert_eq!(fs::read(&file).expect("the cache"), good);
}

#[test]
fn numbers_with_fractions_are_told() {
    let folder = of_fixtures("fractions", &["fractions.tif", "double.tif"]);
    let set = open(&folder.path("set"));
    assert_eq!(set.notes[1], "4 images hold numbers with fractions, used as they are");
    assert_eq!(set.warnings, Vec::<String>::new());
    folder.put("set/a/deep.tif", fs::read(fixture("kinds/depth-12.tif")).expect("a fixture"));
    let warning =
        "two scales: 4 images hold numbers with fractions, used as they are, 1 parts of the largest value";
    assert_eq!(open(&folder.path("set")).warnings, [warning]);
    // The first pixel is -3; one that is no number is told, and the hint cures.
    let mut holed = fs::read(fixture("kinds/fractions.tif")).expect("a fixture");
    let at = holed.windows(4).position(|w| w == (-3f32).to_le_bytes()).expect("the first pixel");
    holed[at..at + 4].copy_from_slice(&f32::NAN.to_le_bytes());
    folder.put("set/a/double.tif", holed);
    let error = data::open(&folder.path("set"), &DataOptions::default()).expect_err("no number");
    assert!(error.to_string().starts_with("NaN in sample 1 (counted from 0), column 0"), "{error}");
    assert_eq!(error.hint(), "set `data.allow_missing=true` to replace it by the feature's mean");
    let filled =
        open_with(&folder.path("set"), &DataOptions { allow_missing: Some(true), ..DataOptions::default() });
    assert_eq!(filled.missing.len(), 1);
}
