//! CIFAR-10 and CIFAR-100 in the binary version of their authors.

use data::Labels;

use super::*;

/// A record: labels, then pixel p of channel c as seed + 100 c + p (in a byte).
fn record(labels: &[u8], seed: usize) -> Vec<u8> {
    let pixels = (0..3072).map(|i| (seed + i / 1024 * 100 + i % 1024) as u8);
    labels.iter().copied().chain(pixels).collect()
}

fn coarse() -> DataOptions {
    DataOptions { labels: Labels::Coarse, ..DataOptions::default() }
}

#[test]
fn cifar_10_is_read_from_its_folder_and_from_one_file() {
    let folder = Folder::new("cifar10");
    folder.write("data_batch_2.bin", record(&[9], 5));
    folder.write("data_batch_1.bin", [record(&[3], 1), record(&[0], 2)].concat());
    folder.write("test_batch.bin", record(&[1], 7));
    folder.write("readme.html", "x");
    let source = folder.0.display().to_string();
    let set = open(&source);
    assert_eq!((&set.name[..], &set.input_shape[..], set.len()), ("CIFAR-10", &[32, 32, 3][..], 4));
    assert_eq!((&set.targets[..], set.fixed_test.clone()), (&[3.0, 0.0, 9.0, 1.0][..], Some(3..4)));
    assert_eq!(classes(&set)[..3], ["airplane", "automobile", "bird"]);
    let Values::U8(bytes) = &set.inputs else { panic!("numbers") };
    assert_eq!(bytes[2 * 3072..2 * 3072 + 6], [5, 105, 205, 6, 106, 206]);
    assert_eq!(bytes[4 * 3072 - 3..], [6, 106, 206]);
    folder.write("batches.meta.txt", "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n\n");
    assert_eq!(classes(&open(&source))[9], "j");
    let one = open(&folder.path("data_batch_1.bin"));
    assert_eq!((one.len(), one.fixed_test), (2, None));
}

#[test]
fn cifar_100_has_two_labels() {
    let folder = Folder::new("cifar100");
    folder.write("train.bin", [record(&[19, 77], 1), record(&[4, 99], 2)].concat());
    folder.write("test.bin", record(&[0, 1], 3));
    let source = folder.0.display().to_string();
    let fine = open(&source);
    assert_eq!(
        (&fine.targets[..], fine.n_classes(), fine.fixed_test),
        (&[77.0, 99.0, 1.0][..], Some(100), Some(2..3))
    );
    let groups = open_with(&source, &coarse());
    assert_eq!((&groups.targets[..], groups.n_classes()), (&[19.0, 4.0, 0.0][..], Some(20)));
    assert_eq!(groups.inputs, fine.inputs);
    let names: String = (0..20).map(|i| format!("group {i}\n")).collect();
    folder.write("coarse_label_names.txt", names);
    let test = open_with(&folder.path("test.bin"), &coarse());
    assert_eq!((classes(&test)[19], test.len()), ("group 19", 1));
}

#[test]
fn damaged_cifar_files_are_told() {
    let folder = Folder::new("bad-cifar");
    let none = DataOptions::default();
    let good = [record(&[3], 1), record(&[0], 2)].concat();
    let source = folder.0.display().to_string();
    folder.write("data_batch_1.bin", &good[..4000]);
    let text = "the last image is truncated: expected 3073 bytes, got 927: bad-cifar/data_batch_1.bin";
    fails(&source, &none, text, AGAIN);
    folder.write("data_batch_1.bin", "");
    fails(&source, &none, "the file is empty: bad-cifar/data_batch_1.bin", AGAIN);
    folder.write("data_batch_1.bin", record(&[10], 1));
    let text = "label 10 of sample 0 is not a class: expected 0 to 9: bad-cifar/data_batch_1.bin";
    fails(&source, &none, text, "set `data.classes=11`, or correct the label");
    folder.write("data_batch_1.bin", good);
    let text = "`data.labels = coarse` is not possible: expected fine, because CIFAR-10 has one label for each image";
    fails(&source, &coarse(), text, "set `data.labels` to another value, or leave it out");
    let text = "`data.labels = coarse` is not possible: expected nothing, because data of format `npz` have no such option";
    fails(&fixture("plain.npz"), &coarse(), text, "set `data.labels` to another value, or leave it out");
}
