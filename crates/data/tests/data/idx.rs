//! IDX files: MNIST's first samples, other types, and damage of every kind.

use std::fs;

use super::*;

pub fn gunzip(path: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let file = fs::File::open(path).expect("a fixture");
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(file), &mut out).expect("gzip");
    out
}

const MNIST: [&str; 4] = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
];

/// The four decoded files of the MNIST fixture in a folder.
fn mnist(folder: &Folder) {
    for name in MNIST {
        folder.write(name, gunzip(&fixture(&format!("mnist16/{name}.gz"))));
    }
}

#[test]
fn idx_folders_are_read_plain_and_gzip() {
    let gzip = open(&fixture("mnist16"));
    assert_eq!(
        (gzip.len(), &gzip.input_shape[..], gzip.fixed_test.clone()),
        (20, &[28, 28, 1][..], Some(16..20))
    );
    assert_eq!(gzip.targets[..16], [5., 0., 4., 1., 9., 2., 1., 3., 1., 4., 3., 5., 3., 6., 1., 7.]);
    assert_eq!(gzip.targets[16..], [7., 2., 1., 0.]);
    let raw = gunzip(&fixture("mnist16/train-images-idx3-ubyte.gz"));
    let Values::U8(bytes) = &gzip.inputs else { panic!("numbers") };
    assert_eq!(bytes[..16 * 784], raw[16..]);
    let folder = Folder::new("plain");
    mnist(&folder);
    let plain = open(&folder.0.display().to_string());
    assert_eq!((&plain.inputs, &plain.targets, &plain.task), (&gzip.inputs, &gzip.targets, &gzip.task));
    let one = open(&folder.path("train-images-idx3-ubyte"));
    assert_eq!((one.len(), one.fixed_test), (16, None));
}

/// Archives of MNIST unpack to folders that have the names of the files within.
#[test]
fn folders_with_the_names_of_idx_files_are_looked_into() {
    let folder = Folder::new("idx-inside");
    for name in MNIST {
        fs::create_dir(folder.path(name)).expect("a folder");
        folder.write(&format!("{name}/{name}"), gunzip(&fixture(&format!("mnist16/{name}.gz"))));
    }
    let expected = open(&fixture("mnist16"));
    let set = open(&folder.0.display().to_string());
    assert_eq!((&set.inputs, &set.targets), (&expected.inputs, &expected.targets));
    // one of the folders, or the file within
    assert_eq!(open(&folder.path(MNIST[0])).len(), 16);
    assert_eq!(open(&folder.path(&format!("{0}/{0}", MNIST[2]))).len(), 4);
    // a file beside a folder of the same kind comes first
    let labels = gunzip(&fixture("mnist16/train-labels-idx1-ubyte.gz"));
    folder.write("train-labels.idx1-ubyte", [&labels[..8], &[3; 16]].concat());
    assert_eq!(open(&folder.0.display().to_string()).targets[..16], [3.0; 16]);
    // an empty folder of that name is as if it were not there
    fs::create_dir(folder.path("train-images.idx")).expect("a folder");
    assert_eq!(open(&folder.0.display().to_string()).len(), 20);
}

#[test]
fn idx_of_other_types_are_read() {
    let folder = Folder::new("idx-types");
    let head = |code: u8| [0, 0, code, 2, 0, 0, 0, 2, 0, 0, 0, 1];
    folder.write("labels.idx", [0, 0, 8, 1, 0, 0, 0, 2, 1, 0]);
    let options = target(&[&folder.path("labels.idx")]);
    let cases: [(u8, Vec<u8>); 5] = [
        (0x09, vec![0xfe, 7]),
        (0x0b, [(-2i16).to_be_bytes(), 7i16.to_be_bytes()].concat()),
        (0x0c, [(-2i32).to_be_bytes(), 7i32.to_be_bytes()].concat()),
        (0x0d, [(-2f32).to_be_bytes(), 7f32.to_be_bytes()].concat()),
        (0x0e, [(-2f64).to_be_bytes(), 7f64.to_be_bytes()].concat()),
    ];
    for (code, values) in cases {
        let path = folder.write("x.idx", [&head(code)[..], &values].concat());
        let set = open_with(&path, &options);
        assert_eq!((floats(&set), &set.targets[..]), (&[-2.0, 7.0][..], &[1.0, 0.0][..]), "type {code:x}");
    }
}

#[test]
fn damaged_idx_files_are_told() {
    let folder = Folder::new("idx");
    let none = DataOptions::default();
    let source = folder.0.display().to_string();
    let images = gunzip(&fixture("mnist16/train-images-idx3-ubyte.gz"));
    let labels = gunzip(&fixture("mnist16/train-labels-idx1-ubyte.gz"));
    let name = MNIST[0];
    mnist(&folder);
    folder.write(name, &images[..5000]);
    let text = "the idx content is truncated: expected 12560 bytes, got 5000: idx/train-images-idx3-ubyte";
    fails(&source, &none, text, AGAIN);
    folder.write(name, &images[..9]);
    let text = "the idx header is truncated: expected 16 bytes, got 9: idx/train-images-idx3-ubyte";
    fails(&source, &none, text, AGAIN);
    folder.write(name, "");
    fails(&source, &none, "the file is empty: idx/train-images-idx3-ubyte", AGAIN);
    folder.write(name, [&images[..], b"x"].concat());
    let text = "the idx content is longer than it should be: expected 12560 bytes, got 12561 or more: idx/train-images-idx3-ubyte";
    fails(&source, &none, text, "the file was joined or edited; copy or download it again");
    folder.write(name, [b"GIF8", &images[4..]].concat());
    let text = "not a file of format idx: expected it to begin with 00 00, a type 08 to 0e and the number of \
                dimensions, got 47 49 46 38: idx/train-images-idx3-ubyte";
    fails(&source, &none, text, FORMATS);
    let huge = [&[0, 0, 8, 3][..], &[255; 12]].concat();
    folder.write(name, huge);
    let text = "the idx header is wrong: dimensions [4294967295, 4294967295, 4294967295] are more than the file can \
                hold: idx/train-images-idx3-ubyte";
    fails(&source, &none, text, "write the file again with the program that made it");
    folder.write(name, &images);
    folder.write(MNIST[1], [&labels[..7], &[15], &labels[8..23]].concat());
    let text = format!("16 inputs but 15 targets: idx/{name} and idx/{}", MNIST[1]);
    fails(&source, &none, &text, "name the file that belongs to the inputs: `data.target=FILE`");
    folder.write(MNIST[1], &labels);
    let few = DataOptions { classes: Some(9), ..none.clone() };
    let text = "label 9 of sample 4 is not a class: expected 0 to 8: idx/train-labels-idx1-ubyte";
    fails(&source, &few, text, "set `data.classes=10`, or correct the label");
    fs::remove_file(folder.path(MNIST[1])).expect("written above");
    let text =
        "no targets for these inputs: looked for `train-labels-idx1-ubyte`: idx/train-images-idx3-ubyte";
    fails(&folder.path(name), &none, text, "name the file: `data.target=FILE`");
}

#[test]
fn damaged_gzip_files_are_told() {
    let folder = Folder::new("gz");
    let none = DataOptions::default();
    let (images, labels) = ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz");
    let read = |name: &str| fs::read(fixture(&format!("mnist16/{name}"))).expect("a fixture");
    let good = read(images);
    folder.write(labels, read(labels));
    let write = |content: &[u8]| folder.write(images, content);
    let source = folder.path(images);
    write(&good[..1000]);
    fails(
        &source,
        &none,
        "the gzip stream ends too early, after 1000 bytes: gz/train-images-idx3-ubyte.gz",
        AGAIN,
    );
    write(&good[..5]);
    fails(
        &source,
        &none,
        "the gzip header ends too early, after 5 bytes: gz/train-images-idx3-ubyte.gz",
        AGAIN,
    );
    write(&good[..good.len() - 3]);
    let text = format!(
        "the gzip trailer ends too early, after {} bytes: gz/train-images-idx3-ubyte.gz",
        good.len() - 3
    );
    fails(&source, &none, &text, AGAIN);
    let mut flipped = good.clone();
    let crc = good.len() - 8;
    flipped[crc] ^= 1;
    write(&flipped);
    let word = u32::from_le_bytes([good[crc], good[crc + 1], good[crc + 2], good[crc + 3]]);
    let text = format!(
        "the file is damaged: the CRC-32 of the content is {word:08x}, expected {:08x}: gz/{images}",
        word ^ 1
    );
    fails(&source, &none, &text, AGAIN);
    // A flipped bit is found wherever it is, unless the content is the same (a run of zeros copied from elsewhere).
    let whole = open(&fixture("mnist16/train-images-idx3-ubyte.gz")).inputs;
    let mut n_found = 0;
    for at in (10..good.len()).step_by(7) {
        let mut flipped = good.clone();
        flipped[at] ^= 1 << (at % 8);
        write(&flipped);
        match data::open(&source, &none) {
            Ok(set) => assert_eq!(set.inputs, whole, "flip at byte {at}"),
            Err(_) => n_found += 1,
        }
    }
    assert!(n_found > good.len() / 8, "{n_found}");
    // Two members, as `cat a.gz b.gz` makes, are one file.
    let raw = gunzip(&fixture(&format!("mnist16/{images}")));
    let pack = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut encoder, bytes).expect("memory");
        encoder.finish().expect("memory")
    };
    write(&[pack(&raw[..3000]), pack(&raw[3000..])].concat());
    assert_eq!(open(&source).inputs, whole);
}
