//! SHA-256 of files, and whether a file is the one that was expected.

use std::fs::File;
use std::io::{self, Read};

use flate2::read::MultiGzDecoder;
use sha2::{Digest, Sha256};

use super::{Inside, RemoteFile};

/// Bytes read at a time.
pub(super) const BLOCK: usize = 1 << 16;

/// Whether a file is the expected one, or holds the same under another compression; else its digest.
pub(super) fn check(file: &mut File, digest: &str, expected: &RemoteFile) -> io::Result<bool> {
    if digest == expected.sha256 {
        return Ok(true);
    }
    let Inside::Gzip { bytes, sha256 } = expected.inside else { return Ok(false) };
    io::Seek::rewind(file)?;
    // Not gzip at all is an answer, not a failure.
    Ok(of(MultiGzDecoder::new(file).take(bytes + 1)).is_ok_and(|(n, digest)| n == bytes && digest == sha256))
}

/// Length and SHA-256 of all that is read.
pub(super) fn of(mut from: impl Read) -> io::Result<(u64, String)> {
    let (mut sha, mut block, mut bytes) = (Sha256::new(), vec![0; BLOCK], 0);
    loop {
        match from.read(&mut block) {
            Ok(0) => return Ok((bytes, hex(sha))),
            Ok(n) => {
                sha.update(&block[..n]);
                bytes += n as u64;
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
}

/// A digest in hexadecimal.
pub(super) fn hex(sha: Sha256) -> String {
    sha.finalize().iter().map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_those_of_the_standard() {
        // FIPS 180-4, example of one block, and the empty message.
        let (n, digest) = of(&b"abc"[..]).unwrap();
        assert_eq!(n, 3);
        assert_eq!(digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(of(&b""[..]).unwrap().1, empty);
    }
}
