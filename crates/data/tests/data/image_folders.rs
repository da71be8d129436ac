//! Folders of images as people have them: one folder further in, parts under other names, new data beside them, classes
//! that cannot be read; and hints that cure when they are typed.

use std::process::Command;

use super::images::flat;
use super::*;

/// Images of one value each, at these places.
fn filled(name: &str, places: &[&str]) -> Folder {
    let folder = Folder::new(name);
    places.iter().zip(1..).for_each(|(place, value)| folder.put(place, flat([3, 2], 1, value)));
    folder
}

/// Classes, samples of each part, notes and warnings.
fn told(folder: &Folder) -> (Vec<String>, [usize; 3], Vec<String>) {
    let set = open(&folder.0.display().to_string());
    let part = |range: Option<std::ops::Range<usize>>| range.map_or(0, |r| r.len());
    let (valid, test) = (part(set.fixed_valid.clone()), part(set.fixed_test.clone()));
    let names = classes(&set).iter().map(|c| c.to_string()).collect();
    (names, [set.len() - valid - test, valid, test], [set.notes.clone(), set.warnings.clone()].concat())
}

/// What stands in the last backquotes of an error's hint, typed: a command, or another `data=`. Gives what to open.
fn type_hint(folder: &Folder) -> String {
    let source = folder.0.display().to_string();
    let hint = data::open(&source, &DataOptions::default()).expect_err("an error").hint();
    let typed = hint.rsplit('`').nth(1).unwrap_or_else(|| panic!("nothing to type in: {hint}")).to_string();
    match typed.strip_prefix("data=") {
        Some(source) => source.into(),
        None => {
            assert!(Command::new("sh").args(["-c", &typed]).status().is_ok_and(|s| s.success()), "{typed}");
            source
        }
    }
}

#[test]
fn parts_are_found_one_folder_further_in() {
    let intel = filled(
        "intel",
        &[
            "seg_train/seg_train/forest/1.png",
            "seg_train/seg_train/forest/2.png",
            "seg_train/seg_train/sea/1.png",
            "seg_test/seg_test/forest/1.png",
            "seg_test/seg_test/sea/2.png",
            "seg_pred/seg_pred/1.png",
        ],
    );
    let notes = [
        "class folders found in `seg_train/seg_train` (training part), `seg_test/seg_test` (test part)"
            .to_string(),
        "folders beside `seg_train` other than `valid` and `test` were left out: seg_pred".to_string(),
    ];
    assert_eq!(told(&intel), (vec!["forest".into(), "sea".into()], [3, 0, 2], notes.to_vec()));
    let below = filled(
        "below",
        &["archive/train_set/a/1.png", "archive/train_set/b/1.png", "archive/Test-Set/b/1.png"],
    );
    let note = "class folders found in `archive/train_set` (training part), `archive/Test-Set` (test part)";
    assert_eq!(told(&below), (vec!["a".into(), "b".into()], [2, 0, 1], vec![note.into()]));
    let alone = filled("alone", &["pets/pets/cat/1.png", "pets/pets/dog/1.png", "pets/pets/dog/2.png"]);
    let note = "class folders found in `pets/pets`";
    assert_eq!(told(&alone), (vec!["cat".into(), "dog".into()], [3, 0, 0], vec![note.into()]));
    // Exact names come first; a class may be called like a part.
    let both = filled(
        "both",
        &["train/a/1.png", "train/b/1.png", "train_more/a/1.png", "val/b/1.png", "dev/a/1.png"],
    );
    let notes =
        ["folders beside `train` other than `valid` and `test` were left out: dev, train_more".to_string()];
    assert_eq!(told(&both), (vec!["a".into(), "b".into()], [2, 1, 0], notes.to_vec()));
    let vehicles = filled("vehicles", &["bus/1.png", "train/1.png", "test car/1.png"]);
    assert_eq!(told(&vehicles).0, ["bus", "test car", "train"]);
}

#[test]
fn new_data_beside_the_training_part_are_left_aside() {
    let train = ["train/cat/1.png", "train/dog/1.png"];
    for (name, test, n) in [
        ("flat", &["test/1.png", "test/2.png"][..], "2 images"),
        ("twice", &["test/test/1.png"][..], "1 image"),
        ("unknown", &["test/unknown/1.png", "test/unknown/2.png"][..], "2 images"),
    ] {
        let folder = filled(name, &[&train[..], test].concat());
        let note = format!("`test` has {n} without class folders and was left out: new data, not a part");
        assert_eq!(told(&folder), (vec!["cat".into(), "dog".into()], [2, 0, 0], vec![note]), "{name}");
        let new = DataOptions { inputs_only: true, ..DataOptions::default() };
        assert!(!open_with(&folder.path("test"), &new).is_empty(), "{name}");
    }
    // A test part of one class that is trained is a part.
    let one = filled("one", &[&train[..], &["test/dog/1.png"]].concat());
    assert_eq!(told(&one).1, [2, 0, 1]);
}

#[test]
fn folders_without_classes_are_told_with_what_to_do() {
    let folder = filled("flat-parts", &["train/cat.1.png", "train/dog.1.png", "test/1.png"]);
    let (source, none) = (folder.0.display().to_string(), DataOptions::default());
    let hint = "put the images of each class into a folder with the name of the class: `flat-parts/train/CLASS/IMAGE`";
    fails(&source, &none, "images outside of class folders in `train`, `test`: flat-parts", hint);
    for class in ["cat", "dog"] {
        fs::create_dir_all(folder.path(&format!("train/{class}"))).expect("a temporary folder");
        let name = format!("{class}.1.png");
        fs::rename(folder.path(&format!("train/{name}")), folder.path(&format!("train/{class}/{name}")))
            .expect("there");
    }
    assert_eq!(told(&folder).0, ["cat", "dog"]);
    let variants = filled("variants", &["color/a/1.png", "color/b/1.png", "gray/a/1.png", "gray/b/1.png"]);
    let hint = "name the folder whose folders are the classes: `data=variants/color`";
    fails(
        &variants.0.display().to_string(),
        &none,
        "the class folders are one level further down, in `color`, `gray`: variants",
        hint,
    );
    assert_eq!(classes(&open(&type_hint(&variants))), ["a", "b"]);
    let deeper = filled("deeper", &["x/v1/a/1.png", "x/v1/b/1.png", "x/v2/a/1.png"]);
    assert_eq!(classes(&open(&type_hint(&deeper))), ["a", "b"]);
    // Beside a file of data nothing further in is looked for.
    let table = filled("beside", &["plots/old/a/1.png", "plots/new/a/1.png"]);
    table.write("t.csv", "x,y\n1,2\n3,4\n5,6.5\n");
    assert_eq!(open(&table.0.display().to_string()).features, ["x"]);
}

#[test]
fn images_of_a_class_may_lie_in_folders_of_it() {
    let folder = filled("sessions", &["a/monday/1.png", "a/tuesday/1.png", "b/1.png", "b/2.png"]);
    let note = "images in folders inside class folders count for the class: a/monday, a/tuesday";
    assert_eq!(told(&folder), (vec!["a".into(), "b".into()], [4, 0, 0], vec![note.into()]));
    assert_eq!(open(&folder.0.display().to_string()).targets, [0.0, 0.0, 1.0, 1.0]);
}

#[test]
fn a_class_of_which_nothing_can_be_read_is_an_error() {
    let heic = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic".as_slice();
    let folder =
        filled("lost", &["train/cat/1.png", "train/dog/1.png", "train/dog/2.png", "train/dog/3.png"]);
    folder.put("train/guinea pig/1.heic", heic);
    folder.put("train/guinea pig/2.HEIC", heic);
    let source = folder.0.display().to_string();
    let message = "none of the 2 images in class folder `train/guinea pig` can be read: train/guinea pig/1.heic (HEIC, which cannot be read), train/guinea pig/2.HEIC (HEIC, which cannot be read): lost";
    let hint = "save the images as PNG or JPEG, or leave out the class by giving it a name that begins with a dot: `mv 'lost/train/guinea pig' 'lost/train/.guinea pig'`";
    fails(&source, &DataOptions::default(), message, hint);
    assert_eq!(classes(&open(&type_hint(&folder))), ["cat", "dog"]);
    // All of them are told at once, and those of the other parts.
    folder.put("train/the cow's/1.jpg", "x");
    folder.put("test/cat/1.bmp", "BM");
    let message = "no image can be read in 2 class folders, `train/the cow's` (1 image), `test/cat` (1 image): train/the \
                   cow's/1.jpg (no known image, begins with 78), test/cat/1.bmp (ends too early): lost";
    let error = data::open(&source, &DataOptions::default()).expect_err("an error").to_string();
    assert_eq!(error.replace(&source, "lost"), message);
    assert_eq!(classes(&open(&type_hint(&folder))), ["cat", "dog"]);
    // Some of a class is enough, with a warning.
    folder.put("train/cat/2.avif", b"\0\0\0\x1cftypavif");
    let warning =
        "1 of 5 images cannot be read and were left out: train/cat/2.avif (AVIF, which cannot be read)";
    assert_eq!(open(&source).warnings, [warning]);
}

#[test]
fn the_content_of_a_file_decides_what_it_is() {
    let folder = Folder::new("content");
    let kinds = ["lossless.webp", "gray.gif", "rgb-24.bmp", "lzw.tif", "gray-4.png"];
    let kind = |i: usize| fs::read(fixture(&format!("kinds/{}", kinds[i]))).expect("a fixture");
    let names = ["a/1.jpg", "a/2.png", "b/3", "b/4.JPEG", "b/5.webp"];
    names.iter().enumerate().for_each(|(i, name)| folder.put(name, kind(i)));
    folder.put("a/LICENSE", "Permission is granted");
    let source = folder.0.display().to_string();
    let set = open(&source);
    assert_eq!((set.len(), &set.input_shape[..], set.warnings.len()), (5, &[9, 13, 3][..], 0));
    // One picture alone for a trained model, whatever its format.
    let new = DataOptions { inputs_only: true, known_shape: vec![9, 13, 3], ..DataOptions::default() };
    assert_eq!(open_with(&fixture("kinds/gray.gif"), &new).input_shape, [9, 13, 3]);
    assert_eq!(open_with(&fixture("kinds/turned-6.tif"), &new).input_shape, [13, 9, 3]);
    let raw = folder.write("photo.tif", b"II*\0\x08\0\0\0\x01\0\xfe\0\x04\0\x01\0\0\0\x01\0\0\0\0\0\0\0");
    let error = data::open(&raw, &new).expect_err("a raw file").to_string();
    assert!(
        error.starts_with("the image cannot be read: raw data of a camera, which cannot be read"),
        "{error}"
    );
}

#[test]
fn hints_about_images_cure() {
    // Images of different sizes: the size that the hint names.
    let sizes = filled("sizes-typed", &["a/1.png", "b/1.png"]);
    sizes.put("b/2.png", flat([8, 8], 1, 1));
    let source = sizes.0.display().to_string();
    let hint = data::open(&source, &DataOptions::default()).expect_err("an error").hint();
    let typed = hint.split('`').find_map(|part| part.strip_prefix("data.size=[")).expect("a size");
    let size = typed.trim_end_matches(']').split(',').map(|n| n.parse().expect("a number")).collect();
    assert_eq!(open_with(&source, &DataOptions { size, ..DataOptions::default() }).input_shape, [3, 2, 1]);
    // More than half cannot be read: without what is no image the rest is.
    let most = filled("most-typed", &["a/1.png", "b/1.png"]);
    for name in ["a/2.png", "a/3.jpg", "b/4.tif"] {
        most.put(name, "no image");
    }
    let source = most.0.display().to_string();
    let error = data::open(&source, &DataOptions::default()).expect_err("an error");
    assert_eq!(
        error.hint(),
        "save them as PNG or JPEG, copy them again, or remove files that are not images"
    );
    for name in ["a/2.png", "a/3.jpg", "b/4.tif"] {
        assert!(error.to_string().contains(name), "{error}");
        fs::remove_file(most.path(name)).expect("written above");
    }
    assert_eq!(open(&source).len(), 2);
    // Images without class folders: in one for each class.
    let lone = filled("lone-typed", &["1.png", "2.png"]);
    let hint =
        data::open(&lone.0.display().to_string(), &DataOptions::default()).expect_err("an error").hint();
    assert!(hint.contains("FOLDER/CLASS/IMAGE"), "{hint}");
    for name in ["1.png", "2.png"] {
        let class = name.trim_end_matches(".png");
        fs::create_dir_all(lone.path(&format!("class-{class}"))).expect("a temporary folder");
        fs::rename(lone.path(name), lone.path(&format!("class-{class}/{name}"))).expect("there");
    }
    assert_eq!(classes(&open(&lone.0.display().to_string())), ["class-1", "class-2"]);
}
