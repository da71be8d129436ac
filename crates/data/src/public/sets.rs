//! Public data sets: where their files are, how large, and by which digests they are known.
//!
//! Sizes and SHA-256 of the files as published: the checksums of TensorFlow Datasets (`url_checksums/mnist.txt`,
//! `fashion_mnist.txt`, `cifar10.txt`, `cifar100.txt`). SHA-256 of what is inside the IDX files: computed from a copy
//! of MNIST and from the Fashion-MNIST of Debian's package; MNIST's agree with those that others publish. SHA-256 of
//! the files inside CIFAR's archives: the checksums of torchvision for Ruby (`cifar10.rb`, `cifar100.rb`).

/// A set that is fetched by name.
#[derive(Clone, Copy, Debug)]
pub struct PublicSet {
    /// The name that `data` and `thalweg data fetch` take.
    pub name: &'static str,
    /// Its usual name.
    pub title: &'static str,
    /// What it is, one line.
    pub summary: &'static str,
    /// Addresses of the folder of the files, the first one tried first.
    pub addresses: &'static [&'static str],
    /// The files.
    pub files: &'static [RemoteFile],
    /// Where a package of the system puts it.
    pub package: Option<Package>,
}

/// A file that is downloaded.
#[derive(Clone, Copy, Debug)]
pub struct RemoteFile {
    /// Name, the same at every address.
    pub name: &'static str,
    /// Length in bytes.
    pub bytes: u64,
    /// SHA-256 in hexadecimal.
    pub sha256: &'static str,
    /// What is inside.
    pub inside: Inside,
}

/// What is inside a file.
#[derive(Clone, Copy, Debug)]
pub enum Inside {
    /// One file, compressed by gzip. Copies that were compressed anew are told by what they hold.
    Gzip {
        /// Length in bytes.
        bytes: u64,
        /// SHA-256 in hexadecimal.
        sha256: &'static str,
    },
    /// A folder of files as `.tar.gz`, which is unpacked.
    Archive {
        /// The folder that all files are in.
        folder: &'static str,
        /// The files that are taken out; all others are left.
        members: &'static [Member],
    },
}

/// A file in an archive.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    /// Name inside the archive's folder.
    pub name: &'static str,
    /// Length in bytes.
    pub size: Size,
    /// SHA-256 in hexadecimal, where it is published.
    pub sha256: Option<&'static str>,
}

/// How long a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// So many bytes.
    Exactly(u64),
    /// So many bytes or fewer, and at least one.
    AtMost(u64),
}

impl Size {
    /// Whether a file of `bytes` has this size.
    pub fn fits(self, bytes: u64) -> bool {
        match self {
            Size::Exactly(n) => bytes == n,
            Size::AtMost(n) => (1..=n).contains(&bytes),
        }
    }

    /// The most bytes.
    pub fn most(self) -> u64 {
        match self {
            Size::Exactly(n) | Size::AtMost(n) => n,
        }
    }
}

/// A package that holds a set.
#[derive(Clone, Copy, Debug)]
pub struct Package {
    /// Name in Debian and Ubuntu.
    pub name: &'static str,
    /// The folder of its files.
    pub folder: &'static str,
}

/// All public sets.
pub const ALL: &[PublicSet] = &[MNIST, FASHION_MNIST, CIFAR10, CIFAR100];

/// The public set of a name; case, `-` and `_` do not count.
pub fn by_name(name: &str) -> Option<&'static PublicSet> {
    ALL.iter().find(|set| same_name(set.name, name))
}

fn same_name(a: &str, b: &str) -> bool {
    let plain = |name: &str| name.to_lowercase().replace(['-', '_'], "");
    plain(a) == plain(b)
}

impl PublicSet {
    /// Bytes of all files to download.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|f| f.bytes).sum()
    }
}

const MNIST: PublicSet = PublicSet {
    name: "mnist",
    title: "MNIST",
    summary: "70,000 handwritten digits, gray images of 28 x 28",
    addresses: &[
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ],
    files: &[
        idx(
            "train-images-idx3-ubyte.gz",
            [9_912_422, 47_040_016],
            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        ),
        idx(
            "train-labels-idx1-ubyte.gz",
            [28_881, 60_008],
            "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        ),
        idx(
            "t10k-images-idx3-ubyte.gz",
            [1_648_877, 7_840_016],
            "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        ),
        idx(
            "t10k-labels-idx1-ubyte.gz",
            [4_542, 10_008],
            "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        ),
    ],
    package: None,
};

const FASHION_MNIST: PublicSet = PublicSet {
    name: "fashion-mnist",
    title: "Fashion-MNIST",
    summary: "70,000 pieces of clothing in 10 classes, 28 x 28",
    addresses: &[
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    ],
    files: &[
        idx(
            "train-images-idx3-ubyte.gz",
            [26_421_880, 47_040_016],
            "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        ),
        idx(
            "train-labels-idx1-ubyte.gz",
            [29_515, 60_008],
            "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
            "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        ),
        idx(
            "t10k-images-idx3-ubyte.gz",
            [4_422_102, 7_840_016],
            "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        ),
        idx(
            "t10k-labels-idx1-ubyte.gz",
            [5_148, 10_008],
            "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
            "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
        ),
    ],
    package: Some(Package { name: "dataset-fashion-mnist", folder: "/usr/share/datasets/fashion-mnist" }),
};

const CIFAR10: PublicSet = PublicSet {
    name: "cifar10",
    title: "CIFAR-10",
    summary: "60,000 photographs in 10 classes, 3 x 32 x 32",
    addresses: &["https://www.cs.toronto.edu/~kriz/"],
    files: &[RemoteFile {
        name: "cifar-10-binary.tar.gz",
        bytes: 170_052_171,
        sha256: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
        inside: Inside::Archive {
            folder: "cifar-10-batches-bin",
            members: &[
                cifar10(
                    "data_batch_1.bin",
                    "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5",
                ),
                cifar10(
                    "data_batch_2.bin",
                    "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed",
                ),
                cifar10(
                    "data_batch_3.bin",
                    "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67",
                ),
                cifar10(
                    "data_batch_4.bin",
                    "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48",
                ),
                cifar10(
                    "data_batch_5.bin",
                    "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add",
                ),
                cifar10("test_batch.bin", "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b"),
                names("batches.meta.txt"),
            ],
        },
    }],
    package: None,
};

const CIFAR100: PublicSet = PublicSet {
    name: "cifar100",
    title: "CIFAR-100",
    summary: "60,000 photographs in 100 classes, 3 x 32 x 32",
    addresses: &["https://www.cs.toronto.edu/~kriz/"],
    files: &[RemoteFile {
        name: "cifar-100-binary.tar.gz",
        bytes: 168_513_733,
        sha256: "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
        inside: Inside::Archive {
            folder: "cifar-100-binary",
            members: &[
                Member {
                    name: "train.bin",
                    size: Size::Exactly(50_000 * 3074),
                    sha256: Some("f31298fc616915fa142368359df1c4ca2ae984d6915ca468b998a5ec6aeebf29"),
                },
                Member {
                    name: "test.bin",
                    size: Size::Exactly(10_000 * 3074),
                    sha256: Some("d8b1e6b7b3bee4020055f0699b111f60b1af1e262aeb93a0b659061746f8224a"),
                },
                names("fine_label_names.txt"),
                names("coarse_label_names.txt"),
            ],
        },
    }],
    package: None,
};

/// An IDX file; `bytes` compressed and as it is, and the digests of both.
const fn idx(name: &'static str, bytes: [u64; 2], sha256: &'static str, inside: &'static str) -> RemoteFile {
    RemoteFile { name, bytes: bytes[0], sha256, inside: Inside::Gzip { bytes: bytes[1], sha256: inside } }
}

/// 10 000 images of a label and 3 x 32 x 32 bytes.
const fn cifar10(name: &'static str, sha256: &'static str) -> Member {
    Member { name, size: Size::Exactly(10_000 * 3073), sha256: Some(sha256) }
}

/// A list of the classes' names.
const fn names(name: &'static str) -> Member {
    Member { name, size: Size::AtMost(1 << 16), sha256: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_however_they_are_written() {
        for name in ["fashion-mnist", "fashion_mnist", "Fashion-MNIST", "FashionMNIST"] {
            assert_eq!(by_name(name).map(|s| s.title), Some("Fashion-MNIST"), "{name}");
        }
        assert_eq!(by_name("CIFAR-10").map(|s| s.name), Some("cifar10"));
        assert!(by_name("cifar").is_none() && by_name("").is_none());
    }

    #[test]
    fn digests_and_addresses_are_well_formed() {
        let hex = |text: &str| text.len() == 64 && text.bytes().all(|b| b"0123456789abcdef".contains(&b));
        for set in ALL {
            assert!(set.addresses.iter().all(|a| a.starts_with("http") && a.ends_with('/')), "{}", set.name);
            for file in set.files {
                assert!(hex(file.sha256) && file.bytes > 0, "{}", file.name);
                match file.inside {
                    Inside::Gzip { bytes, sha256 } => {
                        assert!(hex(sha256) && bytes > file.bytes, "{}", file.name)
                    }
                    Inside::Archive { members, .. } => {
                        assert!(members.iter().all(|m| m.sha256.is_none_or(hex)), "{}", file.name);
                    }
                }
            }
        }
    }
}
