//! What can go wrong while a set is fetched, as values, each with a hint that says what to type.

use std::path::PathBuf;

use settings::nearest;

/// Why a set could not be fetched. `Display` is the message; [`FetchError::hint`] says what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// No public set has this name.
    #[error("no public data set is called `{name}`")]
    UnknownSet {
        /// What was asked for.
        name: String,
    },
    /// There is no home folder to put data into.
    #[error("no folder for data is known: neither XDG_DATA_HOME nor HOME is set")]
    NoFolder {
        /// The set.
        set: &'static str,
    },
    /// A source that is neither an address nor a folder.
    #[error("`{from}` is neither a folder nor an address that begins with http:// or https://")]
    BadSource {
        /// What was given.
        from: String,
    },
    /// An address that cannot be reached.
    #[error("cannot be reached: {reason}: {url}")]
    NotReached {
        /// What happened.
        reason: String,
        /// The address.
        url: String,
    },
    /// None of the addresses can be reached.
    #[error("no address of {title} can be reached: {reason}: {url}")]
    NoNetwork {
        /// The set's usual name.
        title: &'static str,
        /// What the last attempt said.
        reason: String,
        /// The last address.
        url: String,
        /// What to do without a network.
        by_hand: ByHand,
    },
    /// A server answered, but not with the file.
    #[error("the server answered {status}: {url}")]
    Status {
        /// The HTTP status.
        status: u16,
        /// The address.
        url: String,
    },
    /// An exchange that failed otherwise.
    #[error("the download failed: {reason}: {url}")]
    Failed {
        /// What happened.
        reason: String,
        /// The address.
        url: String,
    },
    /// The download ended before the file did; what came is kept.
    #[error("the download stopped after {got} of {expected} bytes: {reason}: {url}")]
    BrokeOff {
        /// Bytes that are there.
        got: u64,
        /// Bytes of the file.
        expected: u64,
        /// What happened.
        reason: String,
        /// The address.
        url: String,
    },
    /// The address holds a file of another length.
    #[error("not the file that was expected: {expected} bytes expected, got {got}: {url}")]
    WrongSize {
        /// Bytes of the file.
        expected: u64,
        /// Bytes at the address.
        got: u64,
        /// The address.
        url: String,
    },
    /// The file has another digest; it was removed.
    #[error("not the file that was expected: SHA-256 {expected} expected, got {got}: {url}")]
    WrongDigest {
        /// The digest of the file.
        expected: &'static str,
        /// The digest of what came.
        got: String,
        /// The address.
        url: String,
    },
    /// Another file is in the way.
    #[error("another file is in the way and was not changed: {}", path.display())]
    Exists {
        /// The file or folder.
        path: PathBuf,
    },
    /// Another process holds the file.
    #[error("another process is fetching this file: {}", path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// An archive with something in it that is not unpacked.
    #[error("the archive is refused: `{entry}` {reason}: {}", path.display())]
    Archive {
        /// The name in the archive.
        entry: String,
        /// What is wrong with it.
        reason: String,
        /// The archive.
        path: PathBuf,
    },
    /// The operating system would not do something with a file.
    #[error("cannot {action}: {error}: {}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The operating system's words.
        error: std::io::Error,
    },
}

/// What a person does where there is no network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ByHand {
    /// Addresses of the files that are missing.
    pub urls: Vec<String>,
    /// The folder that they belong into.
    pub folder: PathBuf,
    /// A package of the system that holds the set.
    pub package: Option<&'static str>,
}

impl FetchError {
    /// What to type or do next.
    pub fn hint(&self) -> String {
        use FetchError::*;
        match self {
            UnknownSet { name } => {
                let near = nearest(name, super::ALL.iter().map(|s| s.name));
                let all: Vec<&str> = super::ALL.iter().map(|s| s.name).collect();
                near.map_or(format!("there are {}", all.join(", ")), |near| {
                    format!("did you mean `{near}`? there are {}", all.join(", "))
                })
            }
            NoFolder { set } => format!("name a folder for {set}, `to`"),
            BadSource { .. } => "as in `https://example.org/mnist/` or `./downloads`".into(),
            NoNetwork { by_hand, .. } => format!("{by_hand}\n  3. fetch it again, which checks the files"),
            NotReached { .. } | Status { .. } | Failed { .. } => "try later, or use another address".into(),
            BrokeOff { .. } => "fetching it again continues where it stopped".into(),
            WrongSize { .. } | WrongDigest { .. } => {
                "nothing of it was kept; try later, or use another address".into()
            }
            Exists { path } => {
                let folder = path.parent().unwrap_or(path).display();
                format!("use it as it is, with `data={folder}`; or replace it, or name another folder")
            }
            Busy { .. } => "wait until it is done, then fetch it again".into(),
            Archive { .. } => "nothing was unpacked; remove the file and fetch it again".into(),
            File { error, path, .. } if error.kind() == std::io::ErrorKind::Other => {
                format!("remove it, then fetch again: `rm {}`", path.display())
            }
            File { action: "read", .. } => "check that the path is right and that you may read it".into(),
            File { .. } => "check that the folder may be written to and that the disk is not full".into(),
        }
    }

    /// Whether the same address may do better in a while.
    pub(super) fn passes(&self) -> bool {
        match self {
            FetchError::Status { status, .. } => *status >= 500 || matches!(status, 408 | 425 | 429),
            FetchError::BrokeOff { .. } | FetchError::Failed { .. } => true,
            _ => false,
        }
    }

    /// Whether another address may do better.
    pub(super) fn is_of_address(&self) -> bool {
        use FetchError::*;
        self.passes()
            || matches!(self, NotReached { .. } | Status { .. } | WrongSize { .. } | WrongDigest { .. })
    }
}

impl std::fmt::Display for ByHand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(package) = self.package {
            writeln!(f, "the Debian package `{package}` has it; or, if there is no network here,")?;
        } else {
            writeln!(f, "if there is no network here,")?;
        }
        writeln!(f, "  1. download elsewhere:")?;
        self.urls.iter().try_for_each(|url| writeln!(f, "       {url}"))?;
        write!(f, "  2. copy to: {}", self.folder.display())
    }
}
