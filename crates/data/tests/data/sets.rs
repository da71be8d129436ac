//! Built-in sets, sources, splits and preprocessing.

use data::{Affine, DataError, Preprocess, Share, SplitOptions, Splits, TaskKind, Values};

use super::idx::gunzip;
use super::*;

#[test]
fn digits_are_those_of_scikit_learn() {
    let set = open("digits");
    assert_eq!((set.len(), &set.input_shape[..], set.n_classes()), (1797, &[8, 8, 1][..], Some(10)));
    // `load_digits().data[0] / 16` and `.target[:10]`.
    assert_eq!(
        floats(&set)[..8].iter().map(|x| x * 16.0).collect::<Vec<_>>(),
        [0., 0., 5., 13., 9., 1., 0., 0.]
    );
    assert_eq!(set.targets[..10], [0., 1., 2., 3., 4., 5., 6., 7., 8., 9.]);
    assert!(set.origin.source.contains("Alpaydin and Kaynak (1998)") && set.origin.license == "CC BY 4.0");
    let info = set.info().unwrap();
    assert_eq!(info.class_counts, [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
    assert_eq!((info.constant, info.all_inputs.max), (3, 1.0));
}

#[test]
fn standardized_digits_agree_with_scikit_learn() {
    let set = open("digits");
    let train: Vec<u32> = (0..1000).collect();
    let affine = data::fit(&set, &train, Preprocess::Standardize).expect("samples");
    let mut out = vec![f32::NAN; 2 * 64];
    set.gather(&[1000, 1001], &affine, &mut out).unwrap();
    // `StandardScaler().fit(x[:1000]).transform(x[1000:1002])`, columns 0 (constant), 2, 10 and 20.
    let expected = [0.0, -0.82379578, -1.85254835, 0.45579682, 0.0, -1.04155834, -1.85254835, 0.13127078];
    let got = [0, 2, 10, 20, 64, 66, 74, 84].map(|i| out[i]);
    for (got, want) in got.iter().zip(expected) {
        assert!((got - want as f32).abs() < 1e-6, "{got} instead of {want}");
    }
}

/// Mean and mean square of prepared column `c` over the training samples.
fn prepared(
    set: &Dataset,
    train: &[u32],
    how: Preprocess,
    columns: std::ops::Range<usize>,
) -> (f64, f64, f64, f64) {
    let affine = data::fit(set, train, how).expect("samples");
    affine.check(&set.input_shape).expect("its own shape");
    let width = set.n_inputs();
    let mut out = vec![f32::NAN; train.len() * width];
    set.gather(train, &affine, &mut out).unwrap();
    let values: Vec<f64> =
        out.chunks(width).flat_map(|r| &r[columns.clone()]).map(|x| f64::from(*x)).collect();
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let square = values.iter().map(|x| x * x).sum::<f64>() / n;
    (
        mean,
        square,
        values.iter().copied().fold(f64::MAX, f64::min),
        values.iter().copied().fold(f64::MIN, f64::max),
    )
}

#[test]
fn each_preprocessing_does_what_it_says() {
    let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-6, "{a} instead of {b}");
    let blobs = open("blobs");
    let train: Vec<u32> = (0..1000).filter(|i| i % 3 != 0).collect();
    let column = |how| prepared(&blobs, &train, how, 1..2);
    let raw = column(Preprocess::None);
    near(column(Preprocess::Center).0, 0.0);
    near(column(Preprocess::Center).1, raw.1 - raw.0 * raw.0);
    near(column(Preprocess::Standardize).0, 0.0);
    near(column(Preprocess::Standardize).1, 1.0);
    near(column(Preprocess::SecondMoment).1, 1.0);
    near(column(Preprocess::SecondMoment).0, raw.0 / raw.1.sqrt());
    let (_, _, low, high) = column(Preprocess::Scale01);
    near(low, 0.0);
    near(high, 1.0);
    let both = prepared(&blobs, &train, Preprocess::GlobalStandardize, 0..2);
    near(both.0, 0.0);
    near(both.1, 1.0);
    // Two channels: each has its own mean and deviation, whatever way the map is stored.
    let mut image = open("digits");
    image.input_shape = vec![16, 2, 2];
    let train: Vec<u32> = (0..300).collect();
    let affine = data::fit(&image, &train, Preprocess::ChannelStandardize).expect("samples");
    let mut out = vec![f32::NAN; 300 * 64];
    image.gather(&train, &affine, &mut out).unwrap();
    for channel in 0..2 {
        let values = || out.iter().skip(channel).step_by(2).map(|x| f64::from(*x));
        near(values().sum::<f64>() / 9600.0, 0.0);
        near(values().map(|x| x * x).sum::<f64>() / 9600.0, 1.0);
    }
    let error = Affine { scale: vec![1.0; 3], shift: vec![0.0; 3] }.check(&[8, 8, 1]).expect_err("3 of 64");
    let text = "the preprocessing has 3 values, expected 1 or 64 for inputs of shape [8, 8, 1]";
    assert_eq!(error.to_string(), text);
}

#[test]
fn bytes_are_prepared_like_numbers() {
    let bytes = open(&fixture("mnist16"));
    let Values::U8(raw) = &bytes.inputs else { panic!("numbers") };
    let mut numbers = bytes.clone();
    numbers.inputs = Values::F32(raw.iter().map(|b| f32::from(*b) / 255.0).collect());
    let train: Vec<u32> = (0..16).collect();
    for (how, name, _) in Preprocess::ALL {
        let (a, b) = (data::fit(&bytes, &train, *how), data::fit(&numbers, &train, *how));
        let (a, b) = (a.expect("samples"), b.expect("samples"));
        for (x, y) in a.scale.iter().zip(&b.scale).chain(a.shift.iter().zip(&b.shift)) {
            assert!((x - y).abs() <= 2e-6 * x.abs().max(1.0), "{name}: {x} and {y}");
        }
    }
}

#[test]
fn targets_are_standardized_and_back() {
    let folder = Folder::new("back");
    let rows: String = (0..60).map(|i| format!("{i},{}.25\n", 100 + i * i)).collect();
    let set = open(&folder.write("t.csv", rows));
    let train: Vec<u32> = (0..50).collect();
    let affine = data::fit_targets(&set, &train).expect("samples");
    let mut out = vec![0.0; 50];
    set.gather_targets(&train, &affine, &mut out);
    let mean = out.iter().sum::<f32>() / 50.0;
    let square = out.iter().map(|x| x * x).sum::<f32>() / 50.0;
    assert!(mean.abs() < 1e-6 && (square - 1.0).abs() < 1e-5, "{mean} {square}");
    affine.invert(&mut out);
    assert!(out.iter().zip(&set.targets).all(|(a, b)| (a - b).abs() <= 4e-7 * 2700.0), "{out:?}");
    assert!(data::fit_targets(&open("xor"), &train).expect("classes").is_identity());
}

/// Parts hold every sample once.
fn check_whole(set: &Dataset, splits: &Splits) {
    let mut all = [&splits.train[..], &splits.valid, &splits.test].concat();
    all.sort_unstable();
    assert!(all.iter().copied().eq(0..set.len() as u32));
    for part in [&splits.train, &splits.valid, &splits.test] {
        assert!(part.is_sorted());
    }
}

#[test]
fn splits_are_stratified_and_repeatable() {
    let set = open("digits");
    let options = SplitOptions::default();
    let splits = data::split(&set, &options).expect("enough");
    check_whole(&set, &splits);
    assert_eq!((splits.valid.len(), splits.test.len()), (180, 359));
    assert_eq!(data::split(&set, &options).expect("enough"), splits);
    assert_ne!(data::split(&set, &SplitOptions { seed: 1, ..options }).expect("enough").test, splits.test);
    let all = set.class_counts(0..set.len());
    let test = set.class_counts(splits.test.iter().map(|i| *i as usize));
    for (all, test) in all.iter().zip(test) {
        assert!((*all as f64 * 359.0 / 1797.0 - test as f64).abs() < 1.0);
    }
    let counts =
        SplitOptions { valid: Share::Count(7), test: Share::Count(0), stratify: Some(false), seed: 3 };
    let splits = data::split(&set, &counts).expect("enough");
    check_whole(&set, &splits);
    assert_eq!((splits.valid.len(), splits.test.len()), (7, 0));
    let lacking = "the validation part has no sample of class";
    assert!(splits.warnings.iter().all(|w| w.starts_with(lacking)) && splits.warnings.len() == 1);
    let whole = SplitOptions { valid: Share::Count(0), test: Share::Count(0), ..options };
    assert_eq!(data::split(&set, &whole).expect("enough").train, (0..1797).collect::<Vec<u32>>());
}

#[test]
fn folds_test_every_sample_once() {
    let set = open("digits");
    let folds = data::folds(&set, 5, &SplitOptions::default()).expect("enough");
    let mut tested: Vec<u32> = Vec::new();
    for fold in &folds {
        check_whole(&set, fold);
        assert!(fold.test.len().abs_diff(359) <= 1 && fold.valid.len() == 144);
        let counts = set.class_counts(fold.test.iter().map(|i| *i as usize));
        assert!(counts.iter().all(|c| (34..=37).contains(c)), "{counts:?}");
        tested.extend(&fold.test);
    }
    tested.sort_unstable();
    assert!(tested.into_iter().eq(0..1797));
    let error = data::folds(&set, 1, &SplitOptions::default()).expect_err("one fold");
    assert_eq!(
        error.to_string(),
        "`data.folds = 1` is not possible: expected 2 to 1797, the number of samples"
    );
}

#[test]
fn impossible_splits_are_told() {
    let set = open_with("xor", &DataOptions { n: Some(10), ..DataOptions::default() });
    let options = SplitOptions { valid: Share::Count(6), test: Share::Count(6), ..SplitOptions::default() };
    let error = data::split(&set, &options).expect_err("12 of 10");
    let text = "cannot split 10 samples: 6 for validation and 6 for testing leave -2 for training";
    assert_eq!(
        (error.to_string(), error.hint()),
        (text.into(), "ask for less: `data.valid=0.1 data.test=0.1`".into())
    );
    let share = |x: &str| serde_json::from_str::<Share>(x);
    assert_eq!(
        (share("0.25").ok(), share("100").ok()),
        (Some(Share::Fraction(0.25)), Some(Share::Count(100)))
    );
    let error = share("-1").expect_err("negative").to_string();
    assert_eq!(error, "expected a fraction from 0 to 1 or a whole number of samples, got -1");
}

#[test]
fn synthetic_sets_follow_their_options() {
    for set in data::sets::ALL.iter().filter(|s| s.name != "digits") {
        let make = |n, seed| open_with(set.name, &DataOptions { n, seed, ..DataOptions::default() });
        let (a, b) = (make(Some(300), 1), make(Some(300), 2));
        assert_eq!((a.len(), a.n_inputs()), (300, 2));
        assert_eq!(a.inputs, make(Some(300), 1).inputs);
        assert_ne!(a.inputs, b.inputs);
        let counts = a.class_counts(0..300);
        assert!(counts.iter().all(|c| *c == 300 / counts.len()), "{counts:?}");
        assert!(floats(&a).iter().all(|x| x.is_finite() && x.abs() < 10.0));
    }
    let clean = DataOptions { noise: Some(0.0), ..DataOptions::default() };
    for (point, class) in floats(&open_with("rings", &clean)).chunks(2).zip(&open("rings").targets) {
        assert!((point[0].hypot(point[1]) - (class + 1.0) / 2.0).abs() < 1e-6);
    }
    for (point, class) in floats(&open_with("xor", &clean)).chunks(2).zip(&open("xor").targets) {
        assert_eq!(point[0] * point[1] < 0.0, *class == 1.0);
    }
    let many = DataOptions { classes: Some(4), ..DataOptions::default() };
    assert_eq!(classes(&open_with("spirals", &many)).len(), 4);
    let show = |option| format!("set `data.{option}` to another value, or leave it out");
    let text = "`data.classes = 4` is not possible: expected 2, which is what `xor` has";
    fails("xor", &many, text, &show("classes"));
    let text = "`data.n = 1` is not possible: expected 2 to 10000000";
    fails("xor", &DataOptions { n: Some(1), ..DataOptions::default() }, text, &show("n"));
    let text = "`data.noise = -1` is not possible: expected 0 to 100";
    fails("xor", &DataOptions { noise: Some(-1.0), ..DataOptions::default() }, text, &show("noise"));
    let text = "`data.n = 5` is not possible: expected 1797, which is what `digits` has";
    fails("digits", &DataOptions { n: Some(5), ..DataOptions::default() }, text, &show("n"));
}

#[test]
fn sources_that_are_not_there_are_told() {
    let folder = Folder::new("sources");
    let none = DataOptions::default();
    let hint = "did you mean `digits`?";
    fails("digitz", &none, "no data set, file or folder is called `digitz`", hint);
    let hint = "name a built-in or public set, or a path that exists";
    fails("qqqqq", &none, "no data set, file or folder is called `qqqqq`", hint);
    folder.write("train.csv", "a,b\n1,2.5\n3,4.5\n");
    let text = "no data set, file or folder is called `sources/trian.csv`";
    let hint = "did you mean `sources/train.csv`?";
    fails(&folder.path("trian.csv"), &none, text, hint);
    fails(&folder.write("t.docx", "x"), &none, "the format of the file is unknown: sources/t.docx", FORMATS);
    let empty = Folder::new("empty");
    let text = "nothing in the folder can be used: looked for train-images*-ubyte and train-labels*-ubyte, CIFAR's \
                .bin files, train.csv, x.npy and y.npy, folders of images, or one table, .npz or .idx file: \
                empty/";
    fails(&empty.path(""), &none, text, "name a file instead of the folder: `data=FOLDER/FILE`");
    empty.write("a.csv", "x,y\n1,2.5\n");
    assert_eq!(open(&empty.path("")).len(), 1);
    empty.write("b.npz", "");
    let text = "several files in the folder could be meant: a.csv, b.npz: empty/";
    fails(&empty.path(""), &none, text, "name one: `data=empty/a.csv`");
}

#[test]
fn previews_show_pictures_points_and_rows() {
    let digits = data::preview(&open("digits"), 2).unwrap();
    assert!(digits.starts_with("0: 0 ") && digits.lines().count() == 10, "{digits}");
    assert!(digits.contains("@@"));
    assert_eq!(data::preview(&open("blobs"), 5).unwrap().lines().count(), 24);
    let folder = Folder::new("preview");
    let set = open(&folder.write("t.csv", "a,b\n1,2.5\n3,4.5\n"));
    let text = "sample          a  target\n     0          1  2.5\n     1          3  4.5\n";
    assert_eq!(data::preview(&set, 9).unwrap(), text);
    let images = data::preview(&open(&fixture("mnist16")), 3).unwrap();
    assert_eq!(images.lines().count(), 16, "{images}");
}

#[test]
fn a_source_that_is_not_there_has_a_hint() {
    let task = DataOptions { task: Some(TaskKind::Regression), ..DataOptions::default() };
    let told = |source| {
        let error: DataError = data::open(source, &task).expect_err("missing");
        (error.to_string(), error.hint())
    };
    let none = |name: &str| format!("no data set, file or folder is called `{name}`");
    assert_eq!(
        told("no-such"),
        (none("no-such"), "name a built-in or public set, or a path that exists".into())
    );
    assert_eq!(told("digitz"), (none("digitz"), "did you mean `digits`?".into()));
}

/// A key that is set already, or a value that is refused, is no help.
#[test]
fn hints_help() {
    let path = std::path::PathBuf::from("x.npz");
    let not_finite = |target, value| {
        DataError::NotFinite { target, value, row: 3, column: "1".into(), path: path.clone() }.hint()
    };
    assert!(not_finite(false, f64::NAN).starts_with("set `data.allow_missing=true`"));
    assert!(not_finite(false, f64::INFINITY).contains("put NaN there and set `data.allow_missing=true`"));
    assert!(not_finite(true, f64::NAN).contains("remove sample 3"));
    let label = |label| DataError::LabelOutOfRange { label, row: 0, last: 65_535, path: path.clone() }.hint();
    assert!(label(65_535.0).contains("`data.classes=65536`"));
    assert!(label(65_536.0).contains("65536 classes are the most") && !label(1e9).contains("data.classes"));
}

#[test]
fn no_damage_makes_a_panic() {
    let folder = Folder::new("damage");
    let images = "mnist16/train-images-idx3-ubyte.gz";
    folder.write(
        "train-labels-idx1-ubyte.gz",
        fs::read(fixture("mnist16/train-labels-idx1-ubyte.gz")).expect("it"),
    );
    let table = b"size,color,weight,kind\n1,red,0.5,cat\n2,\"blue\",NA,dog\n,red,1.5,cat\n".to_vec();
    let file = |name: &str| fs::read(fixture(name)).expect("a fixture");
    let cases = [
        ("train-images-idx3-ubyte.gz", file(images)),
        ("train-images-idx3-ubyte", gunzip(&fixture(images))[..600].to_vec()),
        ("x.npy", file("npy/le-f2.npy")),
        ("x.npz", file("packed.npz")),
        ("parts.npz", file("parts.npz")),
        ("t.csv", table),
    ];
    folder.write("y.npy", file("npy/i1.npy"));
    for (name, good) in cases {
        for at in 0..good.len().min(700) {
            for flip in [1, 0x80, 0xff] {
                let mut bad = good.clone();
                bad[at] ^= flip;
                let _ = data::open(&folder.write(name, &bad), &DataOptions::default()).map(|set| set.info());
            }
            let _ = data::open(&folder.write(name, &good[..at]), &DataOptions::default());
        }
    }
}

/// Numbers and elapsed days are scaled by median and quartiles; what says which category, which weekday or what was
/// missing stays.
#[test]
fn robust_scaling_moves_only_what_measures() {
    let folder = Folder::new("robust");
    let rows: String = (0..41)
        .map(|i: i32| {
            let number = if i == 7 { String::new() } else { format!("{}", i * i) };
            let word = ["red", "green", "blue"][i as usize % 3];
            format!(
                "{number},{word},{},2024-{:02}-{:02},{}\n",
                if i == 3 { 1e9 } else { 5.0 },
                1 + i / 4,
                1 + i % 4 * 7,
                i % 2
            )
        })
        .collect();
    let mut set = open(&folder.write("t.csv", format!("n,word,rare,day,y\n{rows}")));
    let train: Vec<u32> = (0..41).collect();
    set.fill_missing(&train).unwrap();
    let affine = data::fit(&set, &train, Preprocess::Robust).expect("samples");
    affine.check(&set.input_shape).expect("its own shape");
    let schema = set.schema.clone().expect("a table");
    let mut seen = [0; 3];
    for (j, name) in schema.features().iter().enumerate() {
        let mut column: Vec<f64> =
            train.iter().map(|i| f64::from(floats(&set)[*i as usize * set.n_inputs() + j])).collect();
        column.sort_by(f64::total_cmp);
        let (scale, shift) = (f64::from(affine.scale[j]), f64::from(affine.shift[j]));
        match name.as_str() {
            "n" | "day.days" => {
                // 41 values: the quartiles are the 11th, 21st and 31st
                let spread = column[30] - column[10];
                assert!((scale * spread - 1.0).abs() < 1e-6, "{name}");
                assert!((column[20] * scale + shift).abs() < 1e-5, "{name}");
                seen[0] += 1;
            }
            "rare" => {
                assert!((scale * 0.5 * (1e9 - 5.0) - 1.0).abs() < 1e-6, "{name}");
                seen[1] += 1;
            }
            _ => {
                assert_eq!((scale, shift), (1.0, 0.0), "{name}");
                seen[2] += 1;
            }
        }
    }
    assert!(seen[0] == 2 && seen[1] == 1 && seen[2] >= 6, "{seen:?} of {:?}", schema.features());
}
