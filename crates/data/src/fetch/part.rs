//! The unfinished file: bytes are added to `NAME.part`, which becomes `NAME` once its digest is right.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::digest::{self, BLOCK};
use super::{FetchError, RemoteFile};
use crate::own;

/// An unfinished file, held by this process alone.
pub(super) struct PartialFile {
    file: File,
    path: PathBuf,
    sha: Sha256,
    bytes: u64,
}

impl PartialFile {
    /// Opens or begins the part of a file that will be called `target`.
    pub fn open(target: &Path) -> Result<PartialFile, FetchError> {
        let path = PartialFile::path(target);
        let open = || -> io::Result<(File, bool)> {
            let file = own::open_or_create(&path)?;
            match file.try_lock() {
                Ok(()) => Ok((file, true)),
                Err(TryLockError::WouldBlock) => Ok((file, false)),
                // A file system without locks is no reason to refuse.
                Err(TryLockError::Error(_)) => Ok((file, true)),
            }
        };
        let (mut file, ours) = open().map_err(|error| failed("write", &path, error))?;
        if !ours {
            return Err(FetchError::Busy { path });
        }
        let mut sha = Sha256::new();
        let bytes = absorb(&mut file, &mut sha).map_err(|error| failed("read", &path, error))?;
        Ok(PartialFile { file, path, sha, bytes })
    }

    /// Where the part of `target` is kept.
    pub fn path(target: &Path) -> PathBuf {
        let mut name = target.as_os_str().to_owned();
        name.push(".part");
        PathBuf::from(name)
    }

    /// Bytes that are there.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Adds bytes.
    pub fn add(&mut self, block: &[u8]) -> Result<(), FetchError> {
        self.file.write_all(block).map_err(|error| failed("write", &self.path, error))?;
        self.sha.update(block);
        self.bytes += block.len() as u64;
        Ok(())
    }

    /// Begins again from nothing.
    pub fn restart(&mut self) -> Result<(), FetchError> {
        let emptied = self.file.set_len(0).and_then(|()| self.file.rewind());
        emptied.map_err(|error| failed("write", &self.path, error))?;
        (self.sha, self.bytes) = (Sha256::new(), 0);
        Ok(())
    }

    /// Whether this is the whole file that was expected, and its digest.
    pub fn check(&mut self, expected: &RemoteFile) -> Result<(bool, String), FetchError> {
        let digest = digest::hex(self.sha.clone());
        let right = digest::check(&mut self.file, &digest, expected);
        let end = |right| self.file.seek(SeekFrom::End(0)).map(|_| right);
        let right = right.and_then(end).map_err(|error| failed("read", &self.path, error))?;
        Ok((right, digest))
    }

    /// Gives the file its name, for good.
    pub fn finish(self, target: &Path) -> Result<(), FetchError> {
        let named = self.file.sync_all().and_then(|()| fs::rename(&self.path, target));
        named.map_err(|error| failed("write", target, error))
    }

    /// Takes the file away.
    pub fn remove(self) -> Result<(), FetchError> {
        fs::remove_file(&self.path).map_err(|error| failed("remove", &self.path, error))
    }
}

/// Adds all of a file to a digest; gives its length.
fn absorb(file: &mut File, sha: &mut Sha256) -> io::Result<u64> {
    let (mut block, mut bytes) = (vec![0; BLOCK], 0);
    loop {
        match file.read(&mut block)? {
            0 => return Ok(bytes),
            n => {
                sha.update(&block[..n]);
                bytes += n as u64;
            }
        }
    }
}

/// The operating system's error about a file.
pub(super) fn failed(action: &'static str, path: &Path, error: io::Error) -> FetchError {
    FetchError::File { action, path: path.into(), error }
}
