//! The bytes of a file piece by piece, decompressed where they are gzip or Zstandard.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::Limits;
use crate::{CacheError, DataError, read};

/// Bytes that are asked for at once of a compressed file.
const STEP: usize = 1 << 16;

/// What tells whether a file is still the one that was read before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub len: u64,
    modified: Option<SystemTime>,
}

/// A file that is being read.
pub(crate) struct Input {
    path: PathBuf,
    bytes: Box<dyn Read>,
}

impl Input {
    /// Opens a file.
    ///
    /// # Errors
    /// [`DataError`] of the file.
    pub fn open(path: &Path) -> Result<(Input, Stamp), DataError> {
        let failed = |error| read::failed(path, error);
        let metadata = std::fs::metadata(path).map_err(failed)?;
        if !metadata.is_file() {
            return Err(failed(read::not_a_file()));
        }
        let stamp = Stamp { len: metadata.len(), modified: metadata.modified().ok() };
        let mut file = BufReader::with_capacity(STEP, File::open(path).map_err(failed)?);
        let bytes: Box<dyn Read> = match file.fill_buf().map_err(failed)? {
            #[cfg(feature = "gzip")]
            [0x1f, 0x8b, ..] => Box::new(flate2::bufread::MultiGzDecoder::new(file)),
            #[cfg(feature = "zstd")]
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Box::new(Frames { input: file, decoder: None }),
            _ => Box::new(file),
        };
        Ok((Input { path: path.into(), bytes }, stamp))
    }

    /// The error of a record that does not fit into its share of memory.
    pub fn too_long(&self, limits: Limits) -> DataError {
        let (what, path) = ("a line, or what a quote encloses,", self.path.clone());
        let (share, memory) = (limits.longest, limits.all);
        CacheError::Share { what: what.into(), share, enough: None, memory, path }.into()
    }

    /// Adds up to `n` bytes to `out`; fewer at the end of the file.
    ///
    /// # Errors
    /// [`DataError`] of the file.
    pub fn read(&mut self, out: &mut Vec<u8>, n: usize) -> Result<(), DataError> {
        let done = (&mut self.bytes).take(n as u64).read_to_end(out);
        done.map(drop).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => {
                let what = "the compressed stream".into();
                DataError::BreaksOff { what, got: out.len() as u64, path: self.path.clone() }
            }
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData | io::ErrorKind::Other => {
                DataError::Damaged { reason: error.to_string().to_lowercase(), path: self.path.clone() }
            }
            _ => read::failed(&self.path, error),
        })
    }
}

/// The frames of a file of Zstandard.
#[cfg(feature = "zstd")]
struct Frames {
    input: BufReader<File>,
    decoder: Option<Box<ruzstd::decoding::FrameDecoder>>,
}

#[cfg(feature = "zstd")]
impl Frames {
    /// Begins the next frame, over those that are to be skipped; false at the end.
    fn begin(&mut self) -> io::Result<bool> {
        loop {
            let begin = self.input.fill_buf()?;
            if begin.is_empty() {
                return Ok(false);
            }
            if !matches!(begin, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..]) {
                break;
            }
            let mut head = [0; 8];
            self.input.read_exact(&mut head)?;
            let len = u32::from_le_bytes([head[4], head[5], head[6], head[7]]).into();
            if io::copy(&mut (&mut self.input).take(len), &mut io::sink())? < len {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        let mut decoder = Box::new(ruzstd::decoding::FrameDecoder::new());
        decoder.init(&mut self.input).map_err(io::Error::other)?;
        self.decoder = Some(decoder);
        Ok(true)
    }
}

#[cfg(feature = "zstd")]
impl Read for Frames {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        use ruzstd::decoding::BlockDecodingStrategy;
        loop {
            let Some(decoder) = &mut self.decoder else {
                if !self.begin()? {
                    return Ok(0);
                }
                continue;
            };
            while decoder.can_collect() == 0 && !decoder.is_finished() {
                let some = BlockDecodingStrategy::UptoBytes(STEP);
                decoder.decode_blocks(&mut self.input, some).map_err(io::Error::other)?;
            }
            match decoder.read(out)? {
                0 => self.decoder = None,
                n => return Ok(n),
            }
        }
    }
}
