//! Folders of images: pixels as Pillow reads them, classes and parts, damage of every kind, and the cache.

use data::{Color, Corrupt, Fit};

use super::*;

/// A PNG file of `[h, w]` pixels.
pub fn png(size: [usize; 2], color: png::ColorType, depth: png::BitDepth, data: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, size[1] as u32, size[0] as u32);
    encoder.set_color(color);
    encoder.set_depth(depth);
    if color == png::ColorType::Indexed {
        encoder.set_palette(&[255, 0, 0, 0, 255, 0, 10, 20, 30][..]);
    }
    let mut writer = encoder.write_header().expect("a header");
    writer.write_image_data(data).expect("as many bytes as the header says");
    writer.finish().expect("memory");
    out
}

/// A gray or colored PNG of one value.
pub fn flat(size: [usize; 2], channels: usize, value: u8) -> Vec<u8> {
    let color = if channels == 1 { png::ColorType::Grayscale } else { png::ColorType::Rgb };
    png(size, color, png::BitDepth::Eight, &vec![value; size[0] * size[1] * channels])
}

impl Folder {
    pub fn put(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::create_dir_all(self.0.join(name).parent().expect("a parent")).expect("a temporary folder");
        self.write(name, content);
    }

    fn source(&self) -> String {
        self.0.display().to_string()
    }
}

pub fn bytes(set: &Dataset) -> &[u8] {
    match &set.inputs {
        Values::U8(bytes) => bytes,
        Values::F32(_) | Values::Rows(_) => panic!("no bytes in memory"),
    }
}

/// One image of the fixtures, without a class.
pub fn image(name: &str, options: DataOptions) -> Dataset {
    open_with(&fixture(name), &DataOptions { inputs_only: true, ..options })
}

fn raw(name: &str) -> Vec<u8> {
    fs::read(fixture(&format!("images/{name}.raw"))).expect("a fixture")
}

/// Greatest and mean difference.
fn difference(a: &[u8], b: &[u8]) -> (u8, f64) {
    assert_eq!(a.len(), b.len());
    let all = || a.iter().zip(b).map(|(x, y)| x.abs_diff(*y));
    (all().max().unwrap_or(0), all().map(f64::from).sum::<f64>() / a.len() as f64)
}

#[test]
fn pixels_are_those_of_pillow() {
    let none = DataOptions::default;
    let palette = image("images/palette.png", none());
    assert_eq!((&palette.input_shape[..], bytes(&palette)), (&[24, 40, 3][..], &raw("palette")[..]));
    let luma = image("images/rgb.png", DataOptions { color: Color::Gray, ..none() });
    assert_eq!((&luma.input_shape[..], bytes(&luma)), (&[24, 40, 1][..], &raw("luma")[..]));
    // Decoders of JPEG may round differently; libjpeg is one of many.
    for (name, channels, most) in
        [("420", 3, 6), ("444", 3, 2), ("progressive", 3, 2), ("gray", 1, 1), ("cmyk", 3, 2)]
    {
        let set = image(&format!("images/{name}.jpg"), none());
        assert_eq!(set.input_shape, [24, 40, channels], "{name}");
        let (max, mean) = difference(bytes(&set), &raw(name));
        assert!(max <= most && mean < 0.5, "{name}: differs by {max}, {mean} on average");
    }
}

#[test]
fn sizes_are_those_of_pillow() {
    let with =
        |width, height, resize| DataOptions { size: vec![height, width], resize, ..DataOptions::default() };
    for (name, [width, height]) in [("small", [9, 7]), ("large", [61, 50]), ("thin", [3, 48])] {
        for (word, how) in [("stretch", Fit::Stretch), ("crop", Fit::Crop)] {
            let set = image("images/rgb.png", with(width, height, how));
            assert_eq!(set.input_shape, [height, width, 3]);
            assert_eq!(bytes(&set), raw(&format!("{word}-{name}")), "{word} {name}");
        }
    }
    let padded =
        image("images/rgb.png", DataOptions { size: vec![20], resize: Fit::Pad, ..DataOptions::default() });
    assert_eq!(bytes(&padded), raw("pad"));
}

#[test]
fn class_folders_and_parts_are_found() {
    let folder = Folder::new("parts");
    for (i, name) in [
        "train/cat/b.png",
        "train/cat/a.PNG",
        "train/ant/1.png",
        "val/cat/x.png",
        "test/bee/x.png",
        "test/ant/x.png",
        "extra/ant/x.png",
    ]
    .iter()
    .enumerate()
    {
        folder.put(name, flat([3, 2], 1, i as u8));
    }
    folder.put("train/ant/.hidden.png", "x");
    folder.put("train/ant/notes.txt", "x");
    folder.put("train/ant/more/2.png", flat([3, 2], 1, 7));
    folder.put("train/lone.png", "x");
    folder.put("README.md", "x");
    fs::create_dir_all(folder.0.join("train/dog")).expect("a temporary folder");
    let set = open(&folder.source());
    assert_eq!((classes(&set), &set.input_shape[..]), (vec!["ant", "bee", "cat"], &[3, 2, 1][..]));
    let first: Vec<u8> = bytes(&set).iter().step_by(6).copied().collect();
    assert_eq!(
        (first, &set.targets[..]),
        (vec![2, 7, 1, 0, 3, 5, 4], &[0.0, 0.0, 2.0, 2.0, 2.0, 0.0, 1.0][..])
    );
    assert_eq!((set.fixed_valid.clone(), set.fixed_test.clone()), (Some(4..5), Some(5..7)));
    let notes = [
        "class folders without images were left out: train/dog",
        "folders beside `train` other than `valid` and `test` were left out: extra",
        "1 image outside the class folders was left out",
        "images in folders inside class folders count for the class: train/ant/more",
    ];
    assert_eq!(set.notes, notes);
    assert_eq!(set.warnings, ["classes without images to train on: bee"]);
    let info = set.info().unwrap();
    assert_eq!((&info.class_counts[..], info.fixed_valid, info.fixed_test), (&[3, 1, 3][..], 1, 2));
    // The folder of one part is a set of its own; a model's classes keep their indices.
    let known = |names: [&str; 4]| DataOptions {
        known_classes: names.map(String::from).to_vec(),
        ..DataOptions::default()
    };
    let test = open_with(&folder.path("test"), &known(["cat", "bee", "ant", "dog"]));
    assert_eq!((classes(&test), &test.targets[..]), (vec!["cat", "bee", "ant", "dog"], &[2.0, 1.0][..]));
    let text = "folder `bee` is not one of the 4 classes: parts/test";
    fails(&folder.path("test"), &known(["cat", "bees", "ant", "dog"]), text, "did you mean `bees`?");
}

#[test]
fn colors_are_told_by_all_files() {
    let folder = Folder::new("colors");
    (0..100).for_each(|i| folder.put(&format!("a/{i:03}.png"), flat([2, 2], 1, i)));
    folder.put("b/0.png", flat([2, 2], 1, 7));
    assert_eq!(open(&folder.source()).input_shape, [2, 2, 1]);
    folder.put("b/0.png", flat([2, 2], 3, 7));
    let set = open(&folder.source());
    assert_eq!((&set.input_shape[..], bytes(&set)[12..24].to_vec()), (&[2, 2, 3][..], vec![1; 12]));
    let like = |c| DataOptions { known_shape: vec![2, 2, c], ..DataOptions::default() };
    assert_eq!(open_with(&folder.source(), &like(1)).input_shape, [2, 2, 1]);
    assert_eq!(open_with(&folder.path("a/.."), &like(3)).input_shape, [2, 2, 3]);
    let gray = open_with(&folder.source(), &DataOptions { color: Color::Gray, ..DataOptions::default() });
    assert_eq!((&gray.input_shape[..], bytes(&gray).len()), (&[2, 2, 1][..], 404));
}

/// An animated PNG of two frames, 4 x 4.
fn animated() -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, 4, 4);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_animated(2, 0).expect("two frames");
    let mut writer = encoder.write_header().expect("a header");
    writer.write_image_data(&[50; 16]).expect("a frame");
    writer.write_image_data(&[60; 16]).expect("a frame");
    writer.finish().expect("memory");
    out
}

#[test]
fn odd_images_are_read_and_counted() {
    use png::{BitDepth, ColorType};
    let folder = Folder::new("odd");
    folder.put("a/1-animated.png", animated());
    folder.put("a/2-deep.png", png([4, 4], ColorType::Grayscale, BitDepth::Sixteen, &[200, 255].repeat(16)));
    folder.put("a/3-bits.png", png([4, 4], ColorType::Grayscale, BitDepth::One, &[0xf0, 0, 0xf0, 0]));
    folder
        .put("b/4-clear.png", png([4, 4], ColorType::GrayscaleAlpha, BitDepth::Eight, &[100, 51].repeat(16)));
    let set = open(&folder.source());
    // 100 at opacity 51/255 over white: 20 + 204; 200 and 255 as one number of 16 bits.
    let first: Vec<f32> = floats(&set).iter().step_by(16).copied().collect();
    let expected = vec![50.0 / 255.0, 51455.0 / 65535.0, 1.0, 224.0 / 255.0];
    assert_eq!((first, &set.input_shape[..]), (expected, &[4, 4, 1][..]));
    let notes = [
        "1 image has several pictures: the first one is used",
        "1 image has more than 8 bits: all are kept as numbers from 0 (black) to 1 (the largest value)",
        "1 image with transparent parts: placed on white",
    ];
    assert_eq!(set.notes, notes);
    fs::remove_file(folder.path("a/2-deep.png")).expect("written above");
    folder.put("b/5-palette.png", png([4, 4], ColorType::Indexed, BitDepth::Two, &[0b0001_1000; 4]));
    let set = open(&folder.source());
    assert_eq!(set.input_shape, [4, 4, 3]);
    assert_eq!(bytes(&set)[144..156], [255, 0, 0, 0, 255, 0, 10, 20, 30, 255, 0, 0]);
}

/// Seven files of which five cannot be read, with a few good ones more.
fn damaged(folder: &Folder, n_good: usize) {
    let jpeg = fs::read(fixture("images/444.jpg")).expect("a fixture");
    let good = flat([24, 40], 3, 9);
    (0..n_good).for_each(|i| folder.put(&format!("good/{i:02}.png"), &good));
    let mut flipped = good.clone();
    let at = flipped.len() - 20;
    flipped[at] ^= 1;
    folder.put("bad/1.png", "");
    folder.put("bad/2.jpg", "RIFF of sounds");
    folder.put("bad/3.jpg", &jpeg[..jpeg.len() / 2]);
    folder.put("bad/4.png", &good[..good.len() / 2]);
    folder.put("bad/5.png", flipped);
    folder.put("bad/6.jpg", jpeg);
    // The ending may lie.
    folder.put("bad/7.jpg", good);
}

#[test]
fn unreadable_images_are_left_out_and_named() {
    let folder = Folder::new("unreadable");
    damaged(&folder, 3);
    let set = open(&folder.source());
    assert_eq!((set.len(), classes(&set)), (5, vec!["bad", "good"]));
    assert_eq!(set.targets, [0.0, 0.0, 1.0, 1.0, 1.0]);
    let note = "5 of 10 images cannot be read and were left out: bad/1.png (empty), bad/2.jpg (no known image, begins with \
                52 49 46 46), bad/3.jpg (ends too early), and 2 more";
    assert_eq!((&set.warnings[..], set.notes.len()), (&[note.to_string()][..], 0));
    let strict = DataOptions { corrupt: Corrupt::Error, ..DataOptions::default() };
    let hint = "copy the file again, or remove it";
    fails(&folder.source(), &strict, "the image cannot be read: empty: unreadable/bad/1.png", hint);
    fs::remove_file(folder.path("good/00.png")).expect("written above");
    let text = "5 of 9 images cannot be read: bad/1.png (empty), bad/2.jpg (no known image, begins with 52 49 46 46), \
                bad/3.jpg (ends too early), and 2 more: unreadable";
    fails(
        &folder.source(),
        &DataOptions::default(),
        text,
        "save them as PNG or JPEG, copy them again, or remove files that are not images",
    );
    fs::remove_dir_all(folder.path("good")).expect("written above");
    fs::remove_file(folder.path("bad/6.jpg")).expect("written above");
    fs::remove_file(folder.path("bad/7.jpg")).expect("written above");
    folder.put("good/1.png", "x");
    let text = "6 of 6 images cannot be read: bad/1.png (empty), bad/2.jpg (no known image, begins with 52 49 46 46), \
                bad/3.jpg (ends too early), and 3 more: unreadable";
    fails(
        &folder.source(),
        &DataOptions::default(),
        text,
        "save them as PNG or JPEG, copy them again, or remove files that are not images",
    );
}

#[test]
fn every_damage_has_its_words() {
    let folder = Folder::new("words");
    damaged(&folder, 0);
    let reason = |name: &str| {
        let alone = DataOptions { inputs_only: true, corrupt: Corrupt::Error, ..DataOptions::default() };
        let error = data::open(&folder.path(name), &alone).expect_err("damage").to_string();
        error.rsplit_once(": ").map(|(text, _)| text.to_string()).expect("a path")
    };
    assert_eq!(reason("bad/4.png"), "the image cannot be read: ends too early");
    let crc = reason("bad/5.png");
    assert!(crc.starts_with("the image cannot be read: damaged: CRC error: expected 0x"), "{crc}");
    fs::remove_file(folder.path("bad/1.png")).expect("written above");
    folder.put("bad/8.jpg", [0xff, 0xd8, 0xff, 0xd9]);
    assert_eq!(reason("bad/8.jpg"), "the image cannot be read: ends too early");
}

#[test]
fn images_of_different_sizes_are_told() {
    let folder = Folder::new("sizes");
    (0..70).for_each(|i| folder.put(&format!("a/{i:02}.png"), flat([8, 8], 1, i)));
    folder.put("b/1.png", flat([8, 6], 1, 1));
    folder.put("b/2.png", flat([9, 6], 1, 1));
    let none = DataOptions::default();
    let text = "images have different sizes: 8 x 8 and 8 x 6: sizes/a/00.png and sizes/b/1.png";
    fails(&folder.source(), &none, text, "give them one size: `data.size=8`, or `data.size=[HEIGHT,WIDTH]`");
    folder.put("a/00.png", flat([4, 8], 1, 0));
    let text = "images have different sizes: 4 x 8 and 8 x 8: sizes/a/00.png and sizes/a/01.png";
    fails(&folder.source(), &none, text, "give them one size: `data.size=[4,8]` (height, width)");
    let set = open_with(&folder.source(), &DataOptions { size: vec![5, 7], ..none.clone() });
    assert_eq!((&set.input_shape[..], set.len()), (&[5, 7, 1][..], 72));
    let shown = "set `data.size` to another value, or leave it out";
    let text = "`data.size = [1, 2, 3]` is not possible: expected one number, or height and width";
    fails(&folder.source(), &DataOptions { size: vec![1, 2, 3], ..none.clone() }, text, shown);
    let text = "`data.size = [9000]` is not possible: expected 1 to 8192";
    fails(&folder.source(), &DataOptions { size: vec![9000], ..none.clone() }, text, shown);
    let text = "`data.resize = crop` is not possible: expected `data.size` beside it";
    let shown = "set `data.resize` to another value, or leave it out";
    fails(&folder.source(), &DataOptions { resize: Fit::Crop, ..none.clone() }, text, shown);
    let text =
        "`data.size = [4]` is not possible: expected nothing, because a built-in set has no such option";
    fails(
        "digits",
        &DataOptions { size: vec![4], ..none.clone() },
        text,
        "set `data.size` to another value, or leave it out",
    );
    let text = "`data.classes = 3` is not possible: expected 2, the number of class folders";
    let shown = "set `data.classes` to another value, or leave it out";
    fails(&folder.source(), &DataOptions { classes: Some(3), ..none }, text, shown);
}

#[test]
fn images_without_classes_are_new_data_only() {
    let folder = Folder::new("lone");
    let path = folder.write("b.png", flat([4, 4], 1, 1));
    folder.write("a.png", flat([4, 4], 1, 2));
    let hint = "put the images of each class into a folder: FOLDER/CLASS/IMAGE, and set `data=FOLDER`";
    let none = DataOptions::default();
    fails(&path, &none, "images outside of class folders: lone/b.png", hint);
    fails(&folder.source(), &none, "images outside of class folders: lone", hint);
    let new = DataOptions { inputs_only: true, ..none };
    let set = open_with(&folder.source(), &new);
    assert_eq!((set.len(), set.has_targets(), bytes(&set)[0]), (2, false, 2));
    assert_eq!(open_with(&path, &new).len(), 1);
    // Pictures beside a table, or in a folder beside it, do not make it a set of images.
    folder.write("t.csv", "x,y\n1,2\n3,4\n5,6.5\n");
    folder.put("plots/a.png", flat([4, 4], 1, 1));
    assert_eq!(open(&folder.source()).features, ["x"]);
}

#[cfg(unix)]
#[test]
fn folders_that_cannot_be_read_are_told() {
    let folder = Folder::new("closed");
    folder.put("a/1.png", flat([4, 4], 1, 1));
    folder.put("b/1.png", flat([4, 4], 1, 1));
    std::os::unix::fs::symlink("c", folder.0.join("c")).expect("a link to itself");
    std::os::unix::fs::symlink("nowhere", folder.0.join("a/d")).expect("a link to nothing");
    // What is no file is left out: a folder, and a device that never ends.
    fs::create_dir(folder.0.join("b/2.png")).expect("a temporary folder");
    std::os::unix::fs::symlink("/dev/zero", folder.0.join("b/3.png")).expect("a link to a device");
    let set = open(&folder.source());
    assert_eq!(set.notes, ["broken links, and names that are not UTF-8, were left out: c, a/d"]);
    let reason = "not a regular file";
    let left_out =
        format!("2 of 4 images cannot be read and were left out: b/2.png ({reason}), b/3.png ({reason})");
    assert_eq!(set.warnings, [left_out]);
    let text = "cannot read: not a regular file: closed/b/3.csv";
    std::os::unix::fs::symlink("/dev/zero", folder.0.join("b/3.csv")).expect("a link to a device");
    let hint = "check that the path is right and that you may read it";
    fails(&folder.path("b/3.csv"), &DataOptions::default(), text, hint);
    std::os::unix::fs::symlink("gone", folder.0.join("b/4.csv")).expect("a link to nothing");
    fails(
        &folder.path("b/4.csv"),
        &DataOptions::default(),
        "cannot read: a link to nothing: closed/b/4.csv",
        hint,
    );
}
