//! Fetching public data sets: download that goes on where it stopped, digests, and careful unpacking.
//!
//! ```no_run
//! use data::fetch::{self, FetchOptions};
//!
//! let set = fetch::by_name("mnist").ok_or("no such set")?;
//! let fetched = fetch::fetch(set, &FetchOptions::default(), &mut ())?;
//! println!("{}", fetched.folder.display());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod digest;
mod download;
mod error;
mod observe;
mod part;
mod source;
mod unpack;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use error::{ByHand, FetchError};
pub use observe::FetchObserver;
pub use source::Source;
pub use unpack::unpack;

pub use crate::public::*;

use download::Job;

/// How a set is fetched.
#[derive(Clone, Debug)]
pub struct FetchOptions {
    /// The folder that the files go to. Default: [`default_folder`].
    pub to: Option<PathBuf>,
    /// Where the files come from. Default: the set's own addresses.
    pub from: Option<Source>,
    /// Whether other files in the way are replaced. Default: no.
    pub force: bool,
    /// How often an address is tried again after a failure that may pass; attempts that bring a mebibyte do not count.
    /// Default 3.
    pub retries: u32,
    /// Wait before the first of these attempts; twice as long before each one after. Default 0.5 s.
    pub pause: Duration,
    /// Longest silence of a server. Default 30 s.
    pub stall: Duration,
}

impl Default for FetchOptions {
    fn default() -> Self {
        let (pause, stall) = (Duration::from_millis(500), Duration::from_secs(30));
        FetchOptions { to: None, from: None, force: false, retries: 3, pause, stall }
    }
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// The folder that was filled.
    pub folder: PathBuf,
    /// The folder to open: `folder`, or the one that was unpacked in it.
    pub open: PathBuf,
    /// Bytes transferred; 0 if everything was there.
    pub transferred: u64,
    /// Each file, with whether it was there already.
    pub files: Vec<(&'static str, bool)>,
}

/// Brings a set to a folder: whole, checked, and nothing twice.
///
/// Each file is written to `NAME.part`, held against its SHA-256 and renamed. A part that an earlier attempt left is
/// gone on with, also from another address: the digest tells whether the pieces belong together. Archives are unpacked
/// and removed. Where a package of the system holds the set, there is nothing to do.
///
/// # Errors
/// [`FetchError`] tells what happened and, by [`FetchError::hint`], what to do.
pub fn fetch(
    set: &PublicSet,
    options: &FetchOptions,
    watch: &mut dyn FetchObserver,
) -> Result<Fetched, FetchError> {
    let as_usual = options.to.is_none() && options.from.is_none() && !options.force;
    if let Some(folder) = set.package.filter(|_| as_usual).and_then(|p| find_in(set, &[p.folder.into()])) {
        let files = set.files.iter().map(|f| (f.name, true)).collect();
        return Ok(Fetched { open: folder.clone(), folder, transferred: 0, files });
    }
    let folder =
        options.to.clone().or_else(|| default_folder(set)).ok_or(FetchError::NoFolder { set: set.name })?;
    fs::create_dir_all(&folder).map_err(|e| part::failed("write", &folder, e))?;
    let sources = match &options.from {
        Some(source) => vec![source.clone()],
        None => set.addresses.iter().map(|a| Source::Address((*a).into())).collect(),
    };
    let job = Job { sources, options };
    let mut fetched =
        Fetched { folder: folder.clone(), open: folder.clone(), transferred: 0, files: Vec::new() };
    for file in set.files {
        let step = one(&job, file, &folder, watch).map_err(|error| match error {
            FetchError::NotReached { reason, url } => {
                let by_hand = by_hand(set, &folder);
                FetchError::NoNetwork { title: set.title, reason, url, by_hand }
            }
            other => other,
        })?;
        fetched.transferred += step.unwrap_or(0);
        fetched.files.push((file.name, step.is_none()));
        if let Inside::Archive { folder: inside, .. } = file.inside {
            fetched.open = folder.join(inside);
        }
    }
    Ok(fetched)
}

/// One file; gives the bytes transferred, or `None` if it was there.
fn one(
    job: &Job<'_>,
    file: &RemoteFile,
    folder: &Path,
    watch: &mut dyn FetchObserver,
) -> Result<Option<u64>, FetchError> {
    let target = folder.join(file.name);
    let Inside::Archive { folder: inside, members } = file.inside else {
        return plain(job, file, &target, watch);
    };
    let into = folder.join(inside);
    match unpack::present(&into, members)? {
        Some(true) => return Ok(None),
        Some(false) if !job.options.force => return Err(FetchError::Exists { path: into }),
        _ => {}
    }
    let transferred = plain(job, file, &target, watch)?;
    watch.on_unpack(file.name);
    unpack::unpack(&target, members, &into)?;
    match fs::remove_file(&target) {
        // Another process came to its end at the same time.
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(part::failed("remove", &target, error))
        }
        _ => Ok(Some(transferred.unwrap_or(0))),
    }
}

/// A file that stays as it is.
fn plain(
    job: &Job<'_>,
    file: &RemoteFile,
    target: &Path,
    watch: &mut dyn FetchObserver,
) -> Result<Option<u64>, FetchError> {
    match download::present(target, file)? {
        Some(true) => return Ok(None),
        Some(false) if !job.options.force => return Err(FetchError::Exists { path: target.into() }),
        _ => {}
    }
    job.bring(file, target, watch).map(Some)
}

/// The addresses of what is missing, for someone else's network.
fn by_hand(set: &PublicSet, folder: &Path) -> ByHand {
    let missing = set.files.iter().filter(|f| !folder.join(f.name).exists());
    let base = set.addresses.first().copied().unwrap_or_default();
    let urls = missing.map(|f| Source::Address(base.into()).url(f.name)).collect();
    ByHand { urls, folder: folder.into(), package: set.package.map(|p| p.name) }
}
