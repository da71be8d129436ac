//! Where sets are found by name.

use data::{self, DataError, DataOptions};

use super::*;

#[test]
fn a_set_is_found_where_all_its_files_are() {
    let (a, b) = (Folder::new("place-a"), Folder::new("place-b"));
    let places = [a.0.clone(), b.0.clone()];
    let mnist = fetch::by_name("mnist").unwrap();
    assert_eq!(fetch::find_in(mnist, &places), None);
    for file in mnist.files {
        a.write(file.name, b"");
    }
    assert_eq!(fetch::find_in(mnist, &places), Some(a.0.clone()));
    fs::remove_file(a.path("t10k-labels-idx1-ubyte.gz")).unwrap();
    for file in mnist.files {
        // As a person may have unpacked them.
        b.write(file.name.trim_end_matches(".gz"), b"");
    }
    assert_eq!(fetch::find_in(mnist, &places), Some(b.0.clone()));
    let cifar = fetch::by_name("cifar100").unwrap();
    for name in ["train.bin", "test.bin", "fine_label_names.txt", "coarse_label_names.txt"] {
        assert_eq!(fetch::find_in(cifar, &places), None);
        b.write(&format!("cifar-100-binary/{name}"), b"");
    }
    assert_eq!(fetch::find_in(cifar, &places), Some(b.path("cifar-100-binary")));
}

#[test]
fn debian_s_package_is_a_place_of_fashion_mnist() {
    let set = fetch::by_name("fashion_mnist").unwrap();
    let package = set.package.unwrap();
    assert_eq!(
        (package.name, package.folder),
        ("dataset-fashion-mnist", "/usr/share/datasets/fashion-mnist")
    );
    // Where it is installed, it is found: nothing needs to be fetched.
    if Path::new(package.folder).is_dir() {
        assert_eq!(fetch::find_in(set, &[package.folder.into()]), Some(package.folder.into()));
        assert_eq!(fetched(set, &FetchOptions::default()).0.unwrap().folder, Path::new(package.folder));
    }
}

#[test]
fn a_set_that_is_not_there_is_told() {
    let error = DataError::NotFetched {
        set: "fashion-mnist",
        title: "Fashion-MNIST",
        bytes: 30_878_645,
        looked_in: vec!["/a".into(), "/b".into()],
        package: Some("dataset-fashion-mnist"),
    };
    assert_eq!(error.to_string(), "Fashion-MNIST is not on this machine: looked in /a, /b");
    assert_eq!(
        error.hint(),
        "fetch `fashion-mnist` (31 MB), or install Debian's package: \
         `apt install dataset-fashion-mnist`"
    );
    let error = data::open("fashion-mnits", &DataOptions::default()).unwrap_err();
    assert_eq!(error.hint(), "did you mean `fashion-mnist`?");
}
