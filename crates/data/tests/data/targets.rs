//! What arrays of targets are taken for, where they are found, and what 32 bits cannot tell apart.

use data::TaskKind;

use super::arrays::npy;
use super::*;

/// An NPY file of numbers in f64.
fn doubles(dims: &[usize], values: impl IntoIterator<Item = f64>) -> Vec<u8> {
    let dims: Vec<String> = dims.iter().map(usize::to_string).collect();
    let header = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': ({},), }}\n", dims.join(", "));
    let bytes: Vec<u8> = values.into_iter().flat_map(f64::to_le_bytes).collect();
    [b"\x93NUMPY\x01\0", &(header.len() as u16).to_le_bytes()[..], header.as_bytes(), &bytes].concat()
}

/// A folder with `x.npy` of `n` samples and `y.npy`.
fn with_targets(name: &str, n: usize, y: impl AsRef<[u8]>) -> Folder {
    let folder = Folder::new(name);
    folder.write("x.npy", doubles(&[n, 2], (0..2 * n).map(|i| i as f64)));
    folder.write("y.npy", y);
    folder
}

fn task(kind: TaskKind) -> DataOptions {
    DataOptions { task: Some(kind), ..DataOptions::default() }
}

#[test]
fn text_of_every_kind_is_classes() {
    let folder = Folder::new("text-targets");
    let x = folder.write("x.npy", doubles(&[6, 1], (0..6).map(f64::from)));
    for name in ["unicode", "unicode-be", "bytes", "latin1"] {
        let set = open_with(&x, &target(&[&fixture(&format!("targets/{name}.npy"))]));
        assert_eq!((classes(&set), set.notes.len()), (vec!["nord", "ost", "süd"], 0), "{name}");
        assert_eq!(set.targets, [1.0, 0.0, 2.0, 1.0, 0.0, 2.0]);
    }
    let known = |classes: &[&str]| DataOptions {
        known_classes: classes.iter().map(|c| (*c).to_string()).collect(),
        ..target(&[&fixture("targets/unicode.npy")])
    };
    let set = open_with(&x, &known(&["nord", "ost", "süd", "west"]));
    assert_eq!((set.targets[2], set.n_classes()), (2.0, Some(4)));
    let text = "`ost` of sample 0 is not one of the 2 classes: targets/unicode.npy";
    fails(&x, &known(&["nord", "süd"]), text, "correct the label, or train again with this class");
    let text = "numbers of type |O are not supported: targets/object.npy";
    let hint = "save strings as text, as in `y.astype(str)`, and numbers as `x.astype(\"float32\")`";
    fails(&x, &target(&[&fixture("targets/object.npy")]), text, hint);
    let text = "numbers of type [('a', '<i4'), ('b', '<f8')] are not supported: targets/record.npy";
    let hint = "save it as float32 or as integers, as in `x.astype(\"float32\")`";
    fails(&x, &target(&[&fixture("targets/record.npy")]), text, hint);
    let hint = "save the inputs as numbers; a table (.csv) may have columns of text";
    let text = "numbers of type text are not supported: targets/bytes.npy";
    fails(&fixture("targets/bytes.npy"), &target(&[&fixture("targets/float.npy")]), text, hint);
}

#[test]
fn one_hot_targets_are_classes() {
    let folder = with_targets("one-hot", 6, fs::read(fixture("targets/one-hot.npy")).expect("a fixture"));
    let x = folder.path("x.npy");
    let set = open(&x);
    assert_eq!((classes(&set), &set.targets[..]), (vec!["0", "1", "2"], &[0., 1., 2., 0., 1., 2.][..]));
    let note = "the targets are one-hot and are 3 classes; `data.task=regression` predicts numbers instead";
    assert_eq!(set.notes, [note]);
    let turned = open_with(&x, &task(TaskKind::Regression));
    assert_eq!((turned.n_targets(), turned.notes.len()), (3, 0));
    assert_eq!(open_with(&x, &task(TaskKind::Classification)).notes.len(), 0);
    // two ones in the last row: yes or no for each column
    folder.write("y.npy", npy(&[6, 2], &[1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 1, 1]));
    let set = open(&x);
    assert_eq!((set.n_classes(), set.n_targets()), (None, 2));
    assert!(set.notes[0].ends_with("with `loss=bce` each is a yes or no"), "{:?}", set.notes);
    let text = "`data.task = classification` is not possible: expected `regression` for targets of 2 columns that are \
                not one-hot";
    let hint = "set `data.task` to another value, or leave it out";
    fails(&x, &task(TaskKind::Classification), text, hint);
    // two columns of numbers are numbers without a note
    folder.write("y.npy", doubles(&[6, 2], (0..12).map(|i| f64::from(i) / 3.0)));
    assert_eq!(open(&x).notes, Vec::<String>::new());
}

#[test]
fn whole_numbers_are_classes_or_the_note_says_how_to_make_them() {
    let folder = with_targets("whole", 30, doubles(&[30], (0..30).map(|i| f64::from(i % 10))));
    let x = folder.path("x.npy");
    let set = open(&x);
    assert_eq!((set.n_classes(), set.targets[13]), (Some(10), 3.0));
    let note = "the targets are the whole numbers from 0 to 9 and are classes; `data.task=regression` predicts numbers instead";
    assert_eq!(set.notes, [note]);
    assert_eq!(open_with(&x, &task(TaskKind::Regression)).n_classes(), None);
    let numbers = "the targets are whole numbers and are predicted as numbers; `data.task=classification` makes them classes";
    // one sample a value, and values far apart
    for values in
        [(0..30).map(f64::from).collect::<Vec<_>>(), (0..30).map(|i| f64::from(i % 3 * 500)).collect()]
    {
        folder.write("y.npy", doubles(&[30], values));
        let set = open(&x);
        assert_eq!((set.n_classes(), &set.notes[..]), (None, &[numbers.to_string()][..]));
        assert!(open_with(&x, &task(TaskKind::Classification)).n_classes().is_some());
    }
    for values in [
        (0..30).map(|i| f64::from(i % 3) - 1.0).collect::<Vec<_>>(),
        (0..30).map(|i| f64::from(i) / 2.0).collect(),
    ] {
        folder.write("y.npy", doubles(&[30], values));
        let set = open(&x);
        assert_eq!((set.n_classes(), set.notes.len()), (None, 0));
    }
    // a trained model says what they are, where the file does not
    let known = |kind| DataOptions { known_task: Some(kind), ..DataOptions::default() };
    folder.write("y.npy", doubles(&[30], (0..30).map(|i| f64::from(i % 10))));
    assert_eq!(open_with(&x, &known(TaskKind::Regression)).n_classes(), None);
    folder.write("y.npy", doubles(&[30], (0..30).map(f64::from)));
    assert_eq!(open_with(&x, &known(TaskKind::Classification)).n_classes(), Some(30));
}

#[test]
fn many_classes_are_told_or_asked_for() {
    let bytes: Vec<u8> = (0..90).map(|i| i % 30).collect();
    let folder = with_targets("many", 90, npy(&[90], &bytes));
    let x = folder.path("x.npy");
    let note = "the targets are 30 different whole numbers and are classes; `data.task=regression` predicts numbers instead";
    assert_eq!(open(&x).notes, [note]);
    let bytes: Vec<u8> = (0..90).map(|i| i % 31).collect();
    folder.write("y.npy", npy(&[90], &bytes));
    let text = "the targets have 31 different whole numbers in 90 samples, which may or may not be classes: many/y.npy";
    let hint = "`data.task=classification` makes them classes, `data.task=regression` numbers";
    fails(&x, &DataOptions::default(), text, hint);
    assert_eq!(open_with(&x, &task(TaskKind::Classification)).n_classes(), Some(31));
    assert_eq!(open_with(&x, &task(TaskKind::Regression)).n_classes(), None);
}

#[test]
fn targets_are_found_by_the_name_of_the_inputs() {
    for (inputs, targets) in [
        ("x_train.npy", "y_train.npy"),
        ("X_train.npy", "Y_TRAIN.npy"),
        ("train_images.npy", "train_labels.npy"),
        ("features.npy", "labels.npy"),
        ("inputs.npy", "targets.npy"),
        ("x_test.npy", "y_test.npy"),
        ("val_x.npy", "val_y.npy"),
        ("images.npy", "labels.npy"),
    ] {
        let folder = Folder::new("pairs");
        let x = folder.write(inputs, npy(&[6, 2], &[7; 12]));
        folder.write("y_other.npy", npy(&[1], &[0]));
        folder.write(targets, npy(&[6], &[0, 1, 0, 1, 0, 1]));
        assert_eq!((open(&x).targets.len(), open(&x).fixed_test), (6, None), "{inputs}");
    }
    let folder = Folder::new("pairs");
    let x = folder.write("train_images.npy", npy(&[6, 2], &[7; 12]));
    let text = "no targets for these inputs: looked for `train_labels.npy`, `train_targets.npy`, `train_y.npy`, \
                `train_label.npy`, `train_target.npy`: pairs/train_images.npy";
    fails(&x, &DataOptions::default(), text, "name the file: `data.target=FILE`");
}

#[test]
fn the_other_parts_beside_the_training_part_come_along() {
    let folder = Folder::new("beside");
    let x = folder.write("X_train.npy", npy(&[6, 2], &[7; 12]));
    folder.write("y_train.npy", npy(&[6], &[0, 1, 0, 1, 0, 1]));
    folder.write("X_test.npy", npy(&[2, 2], &[8; 4]));
    assert_eq!(open(&x).fixed_test, None);
    folder.write("y_test.npy", npy(&[2], &[1, 1]));
    folder.write("X_val.npy", npy(&[1, 2], &[9; 2]));
    folder.write("y_val.npy", npy(&[1], &[1]));
    let set = open(&x);
    assert_eq!((set.len(), set.fixed_valid.clone(), set.fixed_test.clone()), (9, Some(6..7), Some(7..9)));
    assert!(set.notes[0].starts_with("taken from beside it: "), "{:?}", set.notes);
    assert_eq!(open(&folder.path("X_test.npy")).len(), 2);
    assert_eq!(open(&folder.0.display().to_string()).len(), 9);
}

#[test]
fn what_32_bits_cannot_tell_apart_is_told() {
    let set = open(&fixture("targets/offset.npz"));
    let [warning] = &set.warnings[..] else { panic!("{:?}", set.warnings) };
    let told = "offset.npz/x: column 0: 100 different values become 2 in 32 bits, such as 1700000000 and 1700000001; \
                subtract an offset before you save it, as in `a - a.min(0)`";
    assert!(warning.ends_with(told), "{warning}");
    let set = open(&fixture("targets/offset-fortran.npz"));
    assert!(set.warnings[0].contains("column 1: 100 different values become 51"), "{:?}", set.warnings);
    // numbers as targets too, and inputs of every size that f32 can hold are silent
    let folder = Folder::new("coarse");
    let x = folder.write("x.npy", doubles(&[6, 2], (0..12).map(|i| f64::from(i) * 1e3 / 7.0)));
    let set = open_with(&x, &target(&[&fixture("targets/seconds.npy")]));
    assert_eq!(set.warnings.len(), 1);
    assert!(
        set.warnings[0].contains("seconds.npy: 6 different values become 1 in 32 bits"),
        "{:?}",
        set.warnings
    );
    assert_eq!(open_with(&x, &target(&[&fixture("targets/float.npy")])).warnings, Vec::<String>::new());
}

/// Numbers that f32 cannot tell apart are counted as the file has them.
#[test]
fn large_ids_are_no_classes() {
    let folder = with_targets("ids", 300, doubles(&[300], (0..300).map(|i| 16_777_216.0 + f64::from(i))));
    let set = open(&folder.path("x.npy"));
    assert_eq!((set.n_classes(), set.warnings.len()), (None, 1));
    let header = "{'descr': '<i8', 'fortran_order': False, 'shape': (300,), }\n";
    let ids: Vec<u8> = (0..300i64).flat_map(|i| (16_777_216 + i).to_le_bytes()).collect();
    let bytes =
        [b"\x93NUMPY\x01\0", &(header.len() as u16).to_le_bytes()[..], header.as_bytes(), &ids].concat();
    folder.write("y.npy", bytes);
    let text = "the targets have 300 different whole numbers in 300 samples, which may or may not be classes: ids/y.npy";
    let hint = "`data.task=classification` makes them classes, `data.task=regression` numbers";
    fails(&folder.path("x.npy"), &DataOptions::default(), text, hint);
}

/// Answers need no targets: those that are there are not looked at.
#[test]
fn inputs_alone_are_read_for_a_model_of_classes() {
    let folder = with_targets("inputs-only", 6, fs::read(fixture("targets/object.npy")).expect("a fixture"));
    let options = DataOptions {
        inputs_only: true,
        known_task: Some(TaskKind::Classification),
        known_classes: vec!["a".into(), "b".into()],
        ..DataOptions::default()
    };
    for source in [folder.path("x.npy"), folder.0.display().to_string()] {
        assert_eq!(open_with(&source, &options).len(), 6);
    }
}

/// Every byte of a file of text changed, every length cut, and lengths that no memory has.
#[test]
fn damaged_text_makes_no_panic() {
    let folder = Folder::new("damaged-text");
    let x = folder.write("x.npy", doubles(&[6, 1], (0..6).map(f64::from)));
    let options = target(&[&folder.path("text.npy")]);
    for name in ["unicode", "bytes"] {
        let good = fs::read(fixture(&format!("targets/{name}.npy"))).expect("a fixture");
        for at in 0..good.len() {
            for flip in [1, 0x80, 0xff] {
                let mut bad = good.clone();
                bad[at] ^= flip;
                folder.write("text.npy", &bad);
                let _ = data::open(&x, &options).map(|set| set.info());
            }
            folder.write("text.npy", &good[..at]);
            data::open(&x, &options).expect_err("a file that is cut");
        }
    }
    for (dtype, shape) in
        [("<U99999999999999", "(0,)"), ("<U9999999999999999999", "(6,)"), ("|S0", "(6,)"), ("<U-1", "(6,)")]
    {
        let header = format!("{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}\n");
        let head = [b"\x93NUMPY\x01\0", &(header.len() as u16).to_le_bytes()[..], header.as_bytes()].concat();
        folder.write("text.npy", head);
        data::open(&x, &options).expect_err("no strings");
    }
}
