//! Data larger than the memory that they may take: the same samples, moments and identities as in memory.

use data::augment::Pipeline;
use data::{CacheError, DataError, Preprocess, SplitOptions};

use super::arrays::npy;
use super::images::flat;
use super::*;

fn npy_of(kind: &str, dims: &[usize], values: Vec<u8>) -> Vec<u8> {
    let mut file = npy(dims, &[]);
    let text = String::from_utf8_lossy(&file).replace("|u1", kind);
    assert!(text.contains(kind), "{text}");
    let at = file.windows(3).position(|w| w == b"|u1").expect("a type");
    file[at..at + 3].copy_from_slice(kind.as_bytes());
    file.extend(values);
    file
}

fn floats_of(n: usize, f: impl Fn(usize) -> f32) -> Vec<u8> {
    (0..n).flat_map(|i| f(i).to_le_bytes()).collect()
}

/// Options with a cache folder, and those that stream besides.
fn options(folder: &Folder) -> (DataOptions, DataOptions) {
    let held = DataOptions { cache: Some(folder.0.join("cache")), ..DataOptions::default() };
    (held.clone(), DataOptions { stream: Some(true), memory: Some(1 << 20), ..held })
}

/// All that a run makes of data is the same, bit for bit.
fn same(held: &Dataset, streamed: &Dataset) {
    let Values::Rows(rows) = &streamed.inputs else { panic!("not streamed") };
    assert!(rows.are_streamed() && streamed.streamed().is_some() && held.streamed().is_none());
    assert_eq!((held.len(), &held.targets, &held.task), (streamed.len(), &streamed.targets, &streamed.task));
    assert!(held.inputs == streamed.inputs);
    assert_eq!(held.identities(), streamed.identities());
    let splits = data::split(held, &SplitOptions::default()).unwrap();
    let mixed: Vec<u32> = splits.train.iter().rev().step_by(3).copied().collect();
    for (how, ..) in Preprocess::ALL {
        let (a, b) = (
            data::fit(held, &splits.train, *how).unwrap(),
            data::fit(streamed, &splits.train, *how).unwrap(),
        );
        assert_eq!(a, b, "{how:?}");
        let of = |set: &Dataset, affine: &Affine| {
            let mut out = vec![f32::NAN; mixed.len() * set.n_inputs()];
            set.gather(&mixed, affine, &mut out).unwrap();
            out
        };
        assert_eq!(of(held, &a), of(streamed, &b), "{how:?}");
        streamed.make_ready(&mixed, &splits.valid).unwrap();
        assert_eq!(of(held, &a), of(streamed, &b), "{how:?} with blocks in memory");
    }
    let (mut a, mut b) = (held.info().unwrap(), streamed.info().unwrap());
    assert!(b.streamed.take().is_some());
    (a.notes, b.notes) = (Vec::new(), Vec::new());
    assert_eq!(a, b);
}

#[test]
fn arrays_are_streamed_as_they_are_held() {
    let folder = Folder::new("streamed-arrays");
    let n = 900;
    let labels: Vec<u8> = (0..n).map(|i| (i % 3) as u8).collect();
    folder.write("y_train.npy", npy(&[n], &labels));
    folder.write("y_test.npy", npy(&[50], &labels[..50]));
    let (held, streamed) = options(&folder);
    let values = |n: usize| floats_of(n, |i| (i * i % 1009) as f32 * 0.25 - 3.0);
    let bytes = |n: usize| (0..n).map(|i| (i * i % 251) as u8).collect::<Vec<_>>();
    // images with channels first are turned, bytes stay bytes, and bytes beside numbers become numbers
    for (case, train, test) in [
        (
            "<f4",
            npy_of("<f4", &[n, 3, 20, 10], values(n * 600)),
            npy_of("<f4", &[50, 3, 20, 10], values(50 * 600)),
        ),
        ("|u1", npy(&[n, 300], &bytes(n * 300)), npy(&[50, 300], &bytes(50 * 300))),
        ("mixed", npy(&[n, 300], &bytes(n * 300)), npy_of("<f4", &[50, 300], values(50 * 300))),
    ] {
        folder.write("x_train.npy", train);
        folder.write("x_test.npy", test);
        let source = folder.path("x_train.npy");
        let plain = open_with(&source, &held);
        let first = open_with(&source, &streamed);
        assert_eq!((first.fixed_test.clone(), first.len()), (Some(n..n + 50), n + 50), "{case}");
        same(&plain, &first);
        let again = open_with(&source, &streamed);
        assert!(again.inputs == first.inputs && again.targets == first.targets, "{case}");
        same(
            &open_with(&folder.0.display().to_string(), &held),
            &open_with(&folder.0.display().to_string(), &streamed),
        );
    }
}

#[test]
fn idx_files_are_streamed_as_they_are_held() {
    let folder = Folder::new("streamed-idx");
    let idx = |code: u8, dims: &[u32], values: Vec<u8>| {
        let mut file = vec![0, 0, code, dims.len() as u8];
        dims.iter().for_each(|d| file.extend(d.to_be_bytes()));
        file.extend(values);
        file
    };
    folder.write("train-labels-idx1-ubyte", idx(8, &[500], (0..500).map(|i| (i % 10) as u8).collect()));
    let (held, streamed) = options(&folder);
    let bytes = (0..500 * 400).map(|i| (i * 7 % 256) as u8).collect();
    let numbers = (0..500 * 400).flat_map(|i| (i as f32 * 0.5).to_be_bytes()).collect();
    for file in [idx(8, &[500, 20, 20], bytes), idx(13, &[500, 400], numbers)] {
        folder.write("train-images-idx3-ubyte", file);
        let source = folder.0.display().to_string();
        same(&open_with(&source, &held), &open_with(&source, &streamed));
    }
}

#[test]
fn missing_values_are_filled_as_in_memory() {
    let folder = Folder::new("streamed-missing");
    let n = 400;
    let value = |i: usize| if i % 7 == 3 && i % 5 != 4 { f32::NAN } else { (i % 37) as f32 };
    folder.write("x.npy", npy_of("<f4", &[n, 5], floats_of(n * 5, value)));
    folder.write("y.npy", npy(&[n], &(0..n).map(|i| (i % 2) as u8).collect::<Vec<_>>()));
    let (held, streamed) = options(&folder);
    let source = folder.path("x.npy");
    let refused = data::open(&source, &streamed).unwrap_err().to_string();
    assert_eq!(refused, data::open(&source, &held).unwrap_err().to_string());
    let allow =
        |options: DataOptions| open_with(&source, &DataOptions { allow_missing: Some(true), ..options });
    let (mut a, mut b) = (allow(held), allow(streamed));
    assert_eq!(a.notes, b.notes);
    assert_eq!(a.info().unwrap().missing, b.info().unwrap().missing);
    let train: Vec<u32> = (0..n as u32).filter(|i| i % 4 != 1).collect();
    for fit in [false, true] {
        if fit {
            a.fill_missing(&train).unwrap();
            b.fill_missing(&train).unwrap();
        }
        let of = |set: &Dataset| {
            let mut out = vec![0.0; n * 5];
            set.gather(&(0..n as u32).collect::<Vec<_>>(), &Affine::identity(), &mut out).unwrap();
            out
        };
        assert_eq!(of(&a), of(&b));
        assert_eq!(
            data::fit(&a, &train, Preprocess::Standardize).unwrap(),
            data::fit(&b, &train, Preprocess::Standardize).unwrap()
        );
    }
}

#[test]
fn folders_of_images_are_streamed_as_they_are_held() {
    let folder = Folder::new("streamed-images");
    for i in 0..120usize {
        let [high, wide] = [24, 20];
        let pixels: Vec<u8> = (0..high * wide * 3).map(|p| (p * (i + 3) % 256) as u8).collect();
        let image = super::images::png([high, wide], png::ColorType::Rgb, png::BitDepth::Eight, &pixels);
        folder.put(&format!("set/{}/{i:03}.png", ["a", "b", "c"][i % 3]), image);
    }
    folder.put("set/b/broken.png", "");
    folder.put("set/a/000.png", flat([24, 20], 1, 9));
    let (_, streamed) = options(&folder);
    let source = folder.path("set");
    let plain = open(&source);
    let set = open_with(&source, &streamed);
    assert_eq!((&set.warnings, set.input_shape.clone()), (&plain.warnings, vec![24, 20, 3]));
    same(&plain, &set);
    assert!(open_with(&source, &streamed) == set);
    // random changes, mixed samples among them, are those of samples in memory
    let all: Vec<u32> = (0..set.len() as u32).collect();
    for changes in ["crop-2,flip", "mixup", "rotate,cutmix", "pca"] {
        let of = |set: &Dataset| {
            let pipeline = Pipeline::new(&changes.parse().unwrap(), set, &all, 3).unwrap().unwrap();
            let mut out = vec![0.0; all.len() * set.n_inputs()];
            pipeline.gather(set, &all, 5, &Affine::identity(), &mut out).unwrap();
            out
        };
        assert_eq!(of(&plain), of(&set), "{changes}");
    }
}

#[test]
fn what_is_not_streamed_is_told() {
    let folder = Folder::new("not-streamed");
    let (_, streamed) = options(&folder);
    let auto = DataOptions { stream: None, ..streamed.clone() };
    let told = |source: &str, options: &DataOptions| {
        let error = data::open(source, options).unwrap_err();
        (error.to_string().replace(&folder.0.display().to_string(), "F"), error.hint())
    };
    folder.write("y.npy", npy(&[400], &[0; 400]));
    let mut fortran = npy(&[400, 2000], &[7; 800_000]);
    let at = fortran.windows(5).position(|w| w == b"False").expect("an order");
    fortran[at..at + 5].copy_from_slice(b"True ");
    let source = folder.write("x.npy", fortran);
    let (error, hint) = told(&source, &auto);
    assert!(error.starts_with("the samples take 78"), "{error}");
    assert_eq!(hint, "save it in C order: `numpy.save(FILE, numpy.ascontiguousarray(x))`");
    assert_eq!(
        told("digits", &streamed).0,
        "`data.stream = true` is not possible: expected `false`: tables as text, folders of images, and arrays that are not compressed, are streamed"
    );
    let half = DataOptions { memory: Some(700_000), ..auto.clone() };
    let (error, hint) = told("digits", &half);
    assert!(
        error.starts_with("the samples take 449.2 KiB, more than half of the 683.6 KiB of `data.memory`"),
        "{error}"
    );
    assert!(hint.starts_with("give them more: `data.memory="), "{hint}");
    assert_eq!(open_with("digits", &DataOptions { memory: Some(1 << 20), ..auto.clone() }).len(), 1797);
    folder.write("x.npy", npy(&[400, 2000], &[7; 800_000]));
    let nowhere = DataOptions { cache: None, ..auto.clone() };
    assert!(matches!(data::open(&source, &nowhere), Err(DataError::Cache(CacheError::NoFolder { .. }))));
    folder.write("wall", "x");
    let wall = DataOptions { cache: Some(folder.0.join("wall")), ..auto.clone() };
    assert!(matches!(data::open(&source, &wall), Err(DataError::Cache(CacheError::Write { .. }))));
    assert!(matches!(open_with(&source, &auto).inputs, Values::Rows(_)));
    assert!(matches!(open_with(&source, &DataOptions { stream: Some(false), ..auto }).inputs, Values::U8(_)));
}

#[test]
fn a_changed_source_is_read_anew() {
    let folder = Folder::new("streamed-changed");
    let (_, streamed) = options(&folder);
    folder.write("y.npy", npy(&[10], &[0, 1, 0, 1, 0, 1, 0, 1, 0, 1]));
    let first = |set: &Dataset| {
        let mut out = vec![0.0; 4];
        set.gather(&[3], &Affine::identity(), &mut out).unwrap();
        out[0]
    };
    let source = folder.write("x.npy", npy_of("<f4", &[10, 4], floats_of(40, |i| i as f32)));
    let set = open_with(&source, &streamed);
    assert_eq!((first(&set), set.notes.len()), (12.0, 0));
    folder.write("x.npy", npy_of("<f4", &[10, 4], floats_of(40, |i| i as f32 + 0.5)));
    let later = std::time::SystemTime::now() + std::time::Duration::from_secs(5);
    fs::File::options().write(true).open(&source).unwrap().set_modified(later).unwrap();
    let set = open_with(&source, &streamed);
    assert_eq!(
        (first(&set), &set.notes[..]),
        (12.5, &["the cache of rows was out of date: written again".to_owned()][..])
    );
}
