//! NPY and NPZ files that NumPy wrote, and damaged ones.

use data::{Channels, SplitOptions, TaskKind};

use super::*;

#[test]
fn npy_files_of_every_type_hold_the_same() {
    let folder = Folder::new("npy");
    let header = b"{'descr': '|u1', 'fortran_order': False, 'shape': (6,), }\n";
    let y = [b"\x93NUMPY\x01\0", &[header.len() as u8, 0][..], header, &[0, 1, 2, 0, 1, 2]].concat();
    let y_path = folder.write("y.npy", y);
    let expected: Vec<f32> = (0..18).map(|i| (i / 3 * 10 + i % 3) as f32).collect();
    let names = read_names(&fixture("npy"));
    assert_eq!(names.len(), 15);
    for name in names.iter().filter(|n| *n != "complex.npy") {
        let set = open_with(&fixture(&format!("npy/{name}")), &target(&[&y_path]));
        assert_eq!((floats(&set), &set.input_shape[..]), (&expected[..], &[3][..]), "{name}");
        assert_eq!(set.targets, [0.0, 1.0, 2.0, 0.0, 1.0, 2.0]);
    }
    let text = "numbers of type <c8 are not supported: npy/complex.npy";
    let hint = "save it as float32 or as integers, as in `x.astype(\"float32\")`";
    fails(&fixture("npy/complex.npy"), &target(&[&y_path]), text, hint);
    fs::copy(fixture("npy/le-f4.npy"), folder.path("x.npy")).expect("a fixture");
    assert_eq!(floats(&open(&folder.path("x.npy"))), expected);
    assert_eq!(floats(&open(&folder.0.display().to_string())), expected);
}

fn read_names(folder: &str) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder").flatten();
    entries.map(|e| e.file_name().to_string_lossy().into_owned()).collect()
}

#[test]
fn damaged_npy_files_are_told() {
    let folder = Folder::new("bad-npy");
    let good = fs::read(fixture("npy/le-f4.npy")).expect("a fixture");
    folder.write("y.npy", &good);
    let none = DataOptions::default();
    let x = folder.path("x.npy");
    folder.write("x.npy", &good[..150]);
    fails(&x, &none, "the npy array is truncated: expected 200 bytes, got 150: bad-npy/x.npy", AGAIN);
    folder.write("x.npy", &good[..60]);
    fails(&x, &none, "the npy header is truncated: expected 128 bytes, got 60: bad-npy/x.npy", AGAIN);
    folder.write("x.npy", "");
    fails(&x, &none, "the file is empty: bad-npy/x.npy", AGAIN);
    folder.write("x.npy", "not an array");
    let text = "not a file of format npy: expected it to begin with 93 4e 55 4d 50 59, got 6e 6f 74 20 61 6e: \
                bad-npy/x.npy";
    fails(&x, &none, text, FORMATS);
    let shape = |new: &str| {
        let text: Vec<u8> = good[..128].to_vec();
        let old = "(6, 3), }";
        let at = text.windows(old.len()).position(|w| w == old.as_bytes()).expect("the shape");
        let mut bytes = good.clone();
        bytes[at..at + new.len()].copy_from_slice(new.as_bytes());
        folder.write("x.npy", bytes);
    };
    shape("(99999999999, 99999999999), }");
    let text = "the npy header is wrong: the shape [99999999999, 99999999999] is larger than any memory: bad-npy/x.npy";
    let again = "write the file again with the program that made it";
    fails(&x, &none, text, again);
    shape("(99999999, 99999), }");
    let text = "the npy array is truncated: expected 39999599600132 bytes, got 200: bad-npy/x.npy";
    fails(&x, &none, text, AGAIN);
    shape("(6, z), }");
    fails(&x, &none, "the npy header is wrong: the shape is (6, z): bad-npy/x.npy", again);
    shape("(3, 3), }");
    let text =
        "the npy array is longer than it should be: expected 164 bytes, got 200 or more: bad-npy/x.npy";
    fails(&x, &none, text, "the file was joined or edited; copy or download it again");
}

#[test]
fn npz_archives_are_read() {
    let expected: Vec<f32> = (0..18).map(|i| (i / 3 * 10 + i % 3) as f32).collect();
    for name in ["plain.npz", "packed.npz"] {
        let set = open(&fixture(name));
        assert_eq!((floats(&set), classes(&set)), (&expected[..], vec!["0", "1", "2"]), "{name}");
        assert_eq!(set.targets, [0.0, 1.0, 2.0, 0.0, 1.0, 2.0]);
    }
    let numbers = open(&fixture("numbers.npz"));
    assert_eq!(numbers.targets, [0.0, 0.5, 1.0, 0.0, 0.5, 1.0]);
    assert_eq!(numbers.task, Task::Regression { targets: vec!["y".into()] });
    let parts = open(&fixture("parts.npz"));
    assert_eq!(
        (parts.len(), parts.fixed_valid.clone(), parts.fixed_test.clone()),
        (9, Some(6..7), Some(7..9))
    );
    let splits = data::split(&parts, &SplitOptions::default()).expect("parts");
    assert_eq!((splits.train, splits.valid, splits.test), ((0..6).collect(), vec![6], vec![7, 8]));
    let Values::U8(bytes) = &parts.inputs else { panic!("numbers") };
    assert_eq!(bytes[15..], [50, 51, 52, 20, 21, 22, 0, 1, 2, 10, 11, 12]);
}

#[test]
fn bad_npz_archives_are_told() {
    let folder = Folder::new("npz");
    let none = DataOptions::default();
    let text = "NaN in sample 2 (counted from 0), column 1: nan.npz";
    fails(
        &fixture("nan.npz"),
        &none,
        text,
        "set `data.allow_missing=true` to replace it by the feature's mean",
    );
    let filled = open_with(&fixture("nan.npz"), &DataOptions { allow_missing: Some(true), ..none.clone() });
    assert_eq!(
        (&filled.missing[..], floats(&filled)[7]),
        (&[7][..], (1.0 + 11.0 + 31.0 + 41.0 + 51.0) / 5.0)
    );
    let text = "label -1 of sample 0 is not a class: expected 0 to 65535: negative.npz/y";
    let hint = "labels are whole numbers from 0; for numbers as targets set `data.task=regression`";
    fails(&fixture("negative.npz"), &none, text, hint);
    let regression = DataOptions { task: Some(TaskKind::Regression), ..none.clone() };
    assert_eq!(open_with(&fixture("negative.npz"), &regression).targets[0], -1.0);
    let two = DataOptions { classes: Some(2), ..none.clone() };
    let text = "label 2 of sample 2 is not a class: expected 0 to 1: plain.npz/y";
    fails(&fixture("plain.npz"), &two, text, "set `data.classes=3`, or correct the label");
    let text = "there is no column `yy`: plain.npz";
    fails(&fixture("plain.npz"), &target(&["yy"]), text, "did you mean `y`?");
    let looked_for = "x, x_train, train_x, inputs, images, train_images, features, data, arr_0";
    let text = format!("no array for the inputs: looked for {looked_for}, found [\"a\"]: lacking.npz");
    fails(&fixture("lacking.npz"), &none, &text, "save with `numpy.savez(FILE, x=inputs, y=targets)`");
    let text = "6 inputs but 5 targets: counts.npz/x and counts.npz/y";
    let hint = "name the file that belongs to the inputs: `data.target=FILE`";
    fails(&fixture("counts.npz"), &none, text, hint);
    let text = "samples of `test` have shape [2], those before it [3]: shapes.npz/x_test";
    fails(&fixture("shapes.npz"), &none, text, "give the samples of all parts the same shape");
    let good = fs::read(fixture("plain.npz")).expect("a fixture");
    // The array starts after the local header and the NPY header: a flip in its values.
    let mut flipped = good.clone();
    flipped[200] ^= 4;
    let path = folder.write("flip.npz", flipped);
    fails(&path, &none, "the file is damaged: invalid checksum: npz/flip.npz", AGAIN);
    let path = folder.write("cut.npz", &good[..300]);
    let error = data::open(&path, &none).expect_err("an error").to_string();
    assert!(error.starts_with("the file is damaged: invalid zip archive"), "{error}");
    let path = folder.write("text.npz", "x,y\n");
    let text =
        "not a file of format npz: expected it to begin with 50 4b 03 04, got 78 2c 79 0a: npz/text.npz";
    fails(&path, &none, text, FORMATS);
    fails(&folder.write("empty.npz", ""), &none, "the file is empty: npz/empty.npz", AGAIN);
}

/// An NPY file of bytes.
pub fn npy(dims: &[usize], values: &[u8]) -> Vec<u8> {
    let dims: Vec<String> = dims.iter().map(usize::to_string).collect();
    let header = format!("{{'descr': '|u1', 'fortran_order': False, 'shape': ({},), }}\n", dims.join(", "));
    [b"\x93NUMPY\x01\0", &(header.len() as u16).to_le_bytes()[..], header.as_bytes(), values].concat()
}

#[test]
fn images_of_pytorch_are_turned_to_channels_last() {
    let folder = Folder::new("turned");
    let values: Vec<u8> = (0..60).collect();
    folder.write("y.npy", npy(&[2], &[0, 1]));
    let x = folder.write("x.npy", npy(&[2, 3, 5, 2], &values));
    let set = open(&x);
    assert_eq!(set.input_shape, [5, 2, 3]);
    // Pixel p of sample s has 30 s + 10 c + p.
    let Values::U8(bytes) = &set.inputs else { panic!("numbers") };
    assert_eq!(bytes[..6], [0, 10, 20, 1, 11, 21]);
    assert_eq!(bytes[57..], [39, 49, 59]);
    folder.write("x.npy", npy(&[2, 5, 2, 3], &values));
    let Values::U8(bytes) = &open(&x).inputs else { panic!("numbers") };
    assert_eq!(bytes[..], values);
    let values = &values[..48];
    let with = |channels| DataOptions { channels, ..DataOptions::default() };
    folder.write("x.npy", npy(&[2, 3, 2, 4], values));
    let hint = "set `data.channels=first` for [C, H, W], or `data.channels=last` for [H, W, C]";
    let text = "cannot tell where the channels are in samples of shape [3, 2, 4]: turned/x.npy";
    fails(&x, &with(Channels::Auto), text, hint);
    assert_eq!(open_with(&x, &with(Channels::First)).input_shape, [2, 4, 3]);
    assert_eq!(open_with(&x, &with(Channels::Last)).inputs, Values::U8(values.to_vec()));
    folder.write("x.npy", npy(&[2, 2, 2, 6], values));
    let text = "cannot tell where the channels are in samples of shape [2, 2, 6]: turned/x.npy";
    fails(&x, &with(Channels::Auto), text, hint);
    folder.write("x.npy", npy(&[2, 4, 6], values));
    assert_eq!(open(&x).input_shape, [4, 6, 1]);
    folder.write("x.npy", npy(&[2, 24], values));
    let text = "`data.channels = first` is not possible: expected nothing, because samples of shape [24] are not images";
    fails(&x, &with(Channels::First), text, "set `data.channels` to another value, or leave it out");
    let text =
        "`data.channels = last` is not possible: expected nothing, because a built-in set has no such option";
    fails("digits", &with(Channels::Last), text, "set `data.channels` to another value, or leave it out");
}

#[test]
fn settings_that_a_format_lacks_are_told() {
    let drop = DataOptions { drop: vec!["age".into()], ..DataOptions::default() };
    let text = "`data.drop = age` is not possible: expected nothing, because data of format `npz` have no such option";
    fails(&fixture("plain.npz"), &drop, text, "set `data.drop` to another value, or leave it out");
    let header = DataOptions { header: Some(true), ..DataOptions::default() };
    let text = "`data.header = true` is not possible: expected nothing, because data of format `npz` have no such option";
    fails(&fixture("plain.npz"), &header, text, "set `data.header` to another value, or leave it out");
    let task = DataOptions { task: Some(TaskKind::Regression), ..DataOptions::default() };
    let text = "`data.task = regression` is not possible: expected nothing, because data of format `idx` have no such option";
    fails(&fixture("mnist16"), &task, text, "set `data.task` to another value, or leave it out");
    let text = "`data.target = t10k` is not possible: expected nothing for a folder, where every part has its own labels";
    fails(
        &fixture("mnist16"),
        &target(&["t10k"]),
        text,
        "set `data.target` to another value, or leave it out",
    );
}
