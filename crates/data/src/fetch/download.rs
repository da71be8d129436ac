//! One file: from the first source that has it, going on where an earlier attempt stopped.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use super::digest::{self, BLOCK};
use super::part::{PartialFile, failed};
use super::source::{Answer, read_failure};
use super::{FetchError, FetchObserver, FetchOptions, Inside, RemoteFile, Source};

/// What is needed for every file of a set.
pub(super) struct Job<'a> {
    pub sources: Vec<Source>,
    pub options: &'a FetchOptions,
}

/// Bytes that make an attempt worth another one, however often it was cut.
const HEADWAY: u64 = 1 << 20;

/// How many times as long, or as short, a copy under another compression may be.
const OTHER_COMPRESSION: u64 = 2;

impl Job<'_> {
    /// Brings a file to `target`; gives the bytes that were transferred.
    pub fn bring(
        &self,
        file: &RemoteFile,
        target: &Path,
        watch: &mut dyn FetchObserver,
    ) -> Result<u64, FetchError> {
        let mut left: Vec<&Source> = self.sources.iter().collect();
        let (mut last, mut in_vain, mut furthest) = (None, 0, 0);
        while !left.is_empty() && in_vain <= self.options.retries {
            if in_vain > 0 {
                std::thread::sleep(self.options.pause * (1 << (in_vain - 1).min(6)));
            }
            let before = furthest;
            let mut again = Vec::new();
            for source in left {
                if let Some(why) = &last {
                    watch.on_retry(why);
                }
                let error = match self.attempt(file, source, target, watch) {
                    Ok(bytes) => return Ok(bytes),
                    Err(error) if !error.is_of_address() => return Err(error),
                    Err(error) => error,
                };
                if error.passes() {
                    again.push(source);
                }
                if let FetchError::BrokeOff { got, .. } = error {
                    furthest = furthest.max(got);
                }
                // That one address of several is away says least.
                if last.is_none() || !matches!(error, FetchError::NotReached { .. }) {
                    last = Some(error);
                }
            }
            left = again;
            in_vain = if furthest >= before + HEADWAY { 0 } else { in_vain + 1 };
        }
        let (reason, url) = ("no address is known".into(), file.name.into());
        Err(last.unwrap_or(FetchError::Failed { reason, url }))
    }

    /// One source, once; once more from the beginning if what was there before turns out to be of another file.
    fn attempt(
        &self,
        file: &RemoteFile,
        source: &Source,
        target: &Path,
        watch: &mut dyn FetchObserver,
    ) -> Result<u64, FetchError> {
        let mut part = PartialFile::open(target)?;
        let done = self.complete(file, source, &mut part, watch);
        match done {
            Ok(transferred) => part.finish(target).map(|()| transferred),
            Err(error) => {
                // A wrong file is of no use, nor is an empty one.
                if part.bytes() == 0 {
                    part.remove()?;
                }
                Err(error)
            }
        }
    }

    /// Completes a part and checks it; on a wrong digest the part is left empty.
    fn complete(
        &self,
        file: &RemoteFile,
        source: &Source,
        part: &mut PartialFile,
        watch: &mut dyn FetchObserver,
    ) -> Result<u64, FetchError> {
        let mut transferred = 0;
        loop {
            let from = part.bytes();
            // What was killed between the last byte and the check is complete.
            if from != file.bytes {
                transferred += self.transfer(file, source, part, watch)?;
            }
            let (right, got) = part.check(file)?;
            if right {
                return Ok(transferred);
            }
            part.restart()?;
            if from == 0 {
                let (expected, url) = (file.sha256, source.url(file.name));
                return Err(FetchError::WrongDigest { expected, got, url });
            }
        }
    }

    /// Adds what is missing; gives the bytes that came.
    fn transfer(
        &self,
        file: &RemoteFile,
        source: &Source,
        part: &mut PartialFile,
        watch: &mut dyn FetchObserver,
    ) -> Result<u64, FetchError> {
        let url = source.url(file.name);
        let (mut answer, stall) =
            (source.open(file.name, part.bytes(), self.options.stall)?, self.options.stall);
        if matches!(answer, Answer::Anew) {
            part.restart()?;
            answer = source.open(file.name, 0, stall)?;
        }
        let Answer::Bytes { from, total, mut body } = answer else {
            return Err(FetchError::Failed { reason: "the server does not send the whole file".into(), url });
        };
        let wrong = |got| FetchError::WrongSize { expected: file.bytes, got, url: url.clone() };
        let length = length(file, total).map_err(wrong)?;
        // A server that knows nothing of ranges sends everything.
        if from == 0 && part.bytes() > 0 {
            part.restart()?;
        }
        watch.on_file(file.name, &url, from, length.unwrap_or(file.bytes));
        let mut block = vec![0; BLOCK];
        let broke = |got: u64, reason: String| FetchError::BrokeOff {
            got,
            expected: length.unwrap_or(file.bytes),
            reason,
            url: url.clone(),
        };
        loop {
            let n = match body.read(&mut block) {
                Ok(0) if part.bytes() < length.unwrap_or(file.bytes) => {
                    return Err(broke(part.bytes(), "the connection was closed".into()));
                }
                Ok(0) => return Ok(part.bytes() - from),
                Ok(n) => n,
                Err(e) if e.kind() == ErrorKind::Interrupted => continue,
                Err(e) => return Err(broke(part.bytes(), read_failure(&e))),
            };
            part.add(&block[..n])?;
            if part.bytes() > length.unwrap_or(most(file)) {
                let got = part.bytes();
                part.restart()?;
                return Err(wrong(got));
            }
            watch.on_bytes(part.bytes());
        }
    }
}

/// The most bytes that a copy of a file may have.
fn most(file: &RemoteFile) -> u64 {
    match file.inside {
        Inside::Gzip { .. } => file.bytes.saturating_mul(OTHER_COMPRESSION),
        Inside::Archive { .. } => file.bytes,
    }
}

/// The length that a server tells, if a copy of the file can have it.
fn length(file: &RemoteFile, told: Option<u64>) -> Result<Option<u64>, u64> {
    match (told, file.inside) {
        (Some(n), Inside::Archive { .. }) if n != file.bytes => Err(n),
        (Some(n), Inside::Gzip { .. }) if n < file.bytes / OTHER_COMPRESSION || n > most(file) => Err(n),
        (told, _) => Ok(told),
    }
}

/// Whether a file that is there already is the expected one; `None` if there is none.
pub(super) fn present(path: &Path, file: &RemoteFile) -> Result<Option<bool>, FetchError> {
    let mut found = match File::open(path) {
        Ok(found) => found,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(failed("read", path, e)),
    };
    let right = digest::of(&mut found).and_then(|(_, digest)| digest::check(&mut found, &digest, file));
    right.map(Some).map_err(|e| failed("read", path, e))
}
