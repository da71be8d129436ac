//! Well-known sets: found by name where they were fetched, and told by the CRC-32 of their decoded training labels.

use std::path::PathBuf;

use super::{DataError, Origin, public};

/// The folder of a public set by its name; `None` if no public set is called so.
///
/// # Errors
/// [`DataError::NotFetched`] if it is not on this machine.
pub(crate) fn by_name(name: &str) -> Result<Option<PathBuf>, DataError> {
    let Some(set) = public::by_name(name) else { return Ok(None) };
    public::find(set).map(Some).ok_or_else(|| DataError::NotFetched {
        set: set.name,
        title: set.title,
        bytes: set.bytes(),
        looked_in: public::places(set),
        package: set.package.map(|p| p.name),
    })
}

/// What is known of a set that comes as files.
pub(crate) struct Known {
    /// CRC-32 of the decoded file of training labels.
    labels_crc: u32,
    /// Short name.
    pub name: &'static str,
    /// Names of the classes.
    pub classes: [&'static str; 10],
    source: &'static str,
    license: &'static str,
}

const KNOWN: &[Known] = &[
    Known {
        labels_crc: 0xe0cb_4ad2,
        name: "MNIST",
        classes: ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
        source: "LeCun, Cortes and Burges (1998), The MNIST database of handwritten digits",
        license: "CC BY-SA 3.0",
    },
    Known {
        labels_crc: 0x741a_4657,
        name: "Fashion-MNIST",
        classes: [
            "T-shirt",
            "trouser",
            "pullover",
            "dress",
            "coat",
            "sandal",
            "shirt",
            "sneaker",
            "bag",
            "ankle boot",
        ],
        source: "Xiao, Rasul and Vollgraf (2017), Fashion-MNIST, arXiv:1708.07747",
        license: "MIT",
    },
];

impl Known {
    /// The set whose training labels these are (decoded, header included).
    pub fn by_labels(header: &[u8], labels: &[u8]) -> Option<&'static Known> {
        let mut crc = crc32fast::Hasher::new();
        crc.update(header);
        crc.update(labels);
        let crc = crc.finalize();
        KNOWN.iter().find(|k| k.labels_crc == crc)
    }

    /// The origin, with the folder that it was read from.
    pub fn origin(&self, path: &std::path::Path) -> Origin {
        Origin { source: format!("{}; {}", self.source, path.display()), license: self.license.into() }
    }
}
