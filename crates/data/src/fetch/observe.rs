//! Who watches a download.

use super::FetchError;

/// Is told how a download goes; every method does nothing unless written.
pub trait FetchObserver {
    /// A file begins, with `from` bytes that are there already, out of `bytes`.
    fn on_file(&mut self, name: &str, url: &str, from: u64, bytes: u64) {
        let _ = (name, url, from, bytes);
    }

    /// So many bytes of the file are there.
    fn on_bytes(&mut self, done: u64) {
        let _ = done;
    }

    /// An address failed; another attempt follows.
    fn on_retry(&mut self, why: &FetchError) {
        let _ = why;
    }

    /// The archive is unpacked.
    fn on_unpack(&mut self, name: &str) {
        let _ = name;
    }
}

/// Nobody watches.
impl FetchObserver for () {}
