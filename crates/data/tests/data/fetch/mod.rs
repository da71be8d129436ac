//! Fetching sets from a server of this machine: downloads, archives, and where sets are found. Needs no network.

mod archive;
mod download;
mod place;
mod server;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use data::fetch::{
    self, FetchError, FetchObserver, FetchOptions, Fetched, Inside, Member, PublicSet, RemoteFile, Source,
};
use flate2::{Compression, write::GzEncoder};
use sha2::{Digest, Sha256};

/// A folder of its own for a test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("thalweg-fetch-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    /// All that lies here, folders with a slash.
    fn names(&self) -> Vec<String> {
        fn walk(folder: &Path, before: &str, names: &mut Vec<String>) {
            for entry in fs::read_dir(folder).unwrap().flatten() {
                let name = format!("{before}{}", entry.file_name().to_string_lossy());
                if entry.path().is_dir() {
                    names.push(format!("{name}/"));
                    walk(&entry.path(), &format!("{name}/"), names);
                } else {
                    names.push(name);
                }
            }
        }
        let mut names = Vec::new();
        walk(&self.0, "", &mut names);
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Bytes that do not compress, the same for the same seed.
fn noise(n: usize, seed: u32) -> Vec<u8> {
    let mut x = seed.wrapping_mul(2_654_435_761) | 1;
    let step = |_| {
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        (x >> 24) as u8
    };
    (0..n).map(step).collect()
}

fn gzip(bytes: &[u8], level: u32) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(level));
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn sha256(bytes: &[u8]) -> &'static str {
    let hex: String = Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect();
    hex.leak()
}

/// A set of one gzip file called `x.gz` at `address`.
fn one_file(file: &[u8], content: &[u8], address: &str) -> PublicSet {
    let inside = Inside::Gzip { bytes: content.len() as u64, sha256: sha256(content) };
    set_of(vec![RemoteFile { name: "x.gz", bytes: file.len() as u64, sha256: sha256(file), inside }], address)
}

/// A set of one archive called `a.tar.gz`.
fn one_archive(archive: &[u8], folder: &'static str, members: &[Member], address: &str) -> PublicSet {
    let inside = Inside::Archive { folder, members: members.to_vec().leak() };
    let (bytes, sha256) = (archive.len() as u64, sha256(archive));
    set_of(vec![RemoteFile { name: "a.tar.gz", bytes, sha256, inside }], address)
}

fn set_of(files: Vec<RemoteFile>, address: &str) -> PublicSet {
    let addresses = vec![&*address.to_string().leak()].leak();
    PublicSet { name: "test", title: "Test", summary: "", addresses, files: files.leak(), package: None }
}

/// Options of the tests: to this folder, without long waits.
fn to(folder: &Folder) -> FetchOptions {
    let (pause, stall) = (Duration::from_millis(1), Duration::from_millis(300));
    FetchOptions { to: Some(folder.0.clone()), pause, stall, ..FetchOptions::default() }
}

/// Notes what it is told.
#[derive(Default)]
struct Notes(Vec<String>);

impl FetchObserver for Notes {
    fn on_file(&mut self, name: &str, _: &str, from: u64, bytes: u64) {
        self.0.push(format!("{name} {from}/{bytes}"));
    }

    fn on_retry(&mut self, why: &FetchError) {
        // The address has a port that changes.
        let why = why.to_string();
        self.0.push(why.split(": http").next().unwrap_or_default().to_string());
    }

    fn on_unpack(&mut self, name: &str) {
        self.0.push(format!("unpack {name}"));
    }
}

/// Fetches and gives what was told on the way.
fn fetched(set: &PublicSet, options: &FetchOptions) -> (Result<Fetched, FetchError>, Vec<String>) {
    let mut notes = Notes::default();
    let result = fetch::fetch(set, options, &mut notes);
    (result, notes.0)
}
