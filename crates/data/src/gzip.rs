//! Gzip decoding straight into the caller's memory, with every length and checksum verified.
//!
//! RFC 1952 frames around `flate2`'s inflate. The decoders of `flate2` itself verify the same; decoding a whole file
//! in one call and hashing it with `crc32fast` took 60 ms instead of 70 ms for the 47 MB of MNIST's images.

use std::path::Path;

use flate2::{Decompress, FlushDecompress, Status};

use super::DataError;

/// The most bytes that deflate can make of one.
const MAX_RATIO: u64 = 1032;

/// A decoder over the bytes of a gzip file of one or more members.
pub(crate) struct Gunzip<'a> {
    path: &'a Path,
    input: &'a [u8],
    at: usize,
    member: Option<Member>,
}

struct Member {
    inflate: Decompress,
    crc: crc32fast::Hasher,
}

impl<'a> Gunzip<'a> {
    pub fn new(path: &'a Path, input: &'a [u8]) -> Self {
        Gunzip { path, input, at: 0, member: None }
    }

    /// The most bytes that the file can hold.
    pub fn limit(&self) -> u64 {
        (self.input.len() as u64).saturating_mul(MAX_RATIO)
    }

    /// Decodes up to `out.len()` bytes; 0 means the end.
    pub fn read(&mut self, out: &mut [u8]) -> Result<usize, DataError> {
        while !out.is_empty() {
            let Some(mut member) = self.member.take() else {
                if self.at_end()? {
                    return Ok(0);
                }
                self.at += self.header()?;
                self.member = Some(Member { inflate: Decompress::new(false), crc: crc32fast::Hasher::new() });
                continue;
            };
            let (in_before, out_before) = (member.inflate.total_in(), member.inflate.total_out());
            let status = member.inflate.decompress(&self.input[self.at..], out, FlushDecompress::None);
            let status = status.map_err(|_| self.damaged("the compressed stream is not valid"))?;
            let consumed = (member.inflate.total_in() - in_before) as usize;
            let produced = (member.inflate.total_out() - out_before) as usize;
            self.at += consumed;
            member.crc.update(&out[..produced]);
            match status {
                Status::StreamEnd => self.trailer(member)?,
                _ if consumed == 0 && produced == 0 => return Err(self.truncated("the gzip stream")),
                _ => self.member = Some(member),
            }
            if produced > 0 {
                return Ok(produced);
            }
        }
        Ok(0)
    }

    /// Decodes until `out` is full or the file ends; gives the number of bytes.
    pub fn fill(&mut self, out: &mut [u8]) -> Result<usize, DataError> {
        let mut at = 0;
        while at < out.len() {
            match self.read(&mut out[at..])? {
                0 => break,
                n => at += n,
            }
        }
        Ok(at)
    }

    /// Decodes what is left.
    pub fn read_to_end(&mut self) -> Result<Vec<u8>, DataError> {
        let mut out = Vec::new();
        let mut at = 0;
        loop {
            // The promise may be wrong, so it is believed only up to 16 times the file.
            let hint = (self.promised() as usize).min(self.input.len().saturating_mul(16));
            let len = hint.max(2 * at) + 4096;
            super::read::room(len, self.path)?;
            out.resize(len, 0);
            at += self.fill(&mut out[at..])?;
            if at < out.len() {
                out.truncate(at);
                return Ok(out);
            }
        }
    }

    /// The decoded length (modulo 2³²) that the last member's trailer names.
    pub fn promised(&self) -> u32 {
        self.input.last_chunk().map_or(0, |b| u32::from_le_bytes(*b))
    }

    fn at_end(&self) -> Result<bool, DataError> {
        let rest = &self.input[self.at..];
        let padding = self.at > 0 && rest.iter().all(|b| *b == 0);
        if padding || rest.starts_with(&[0x1f, 0x8b]) {
            return Ok(padding);
        }
        Err(self.damaged("bytes that are not gzip follow the end"))
    }

    /// Length of the member's header at the current place.
    fn header(&self) -> Result<usize, DataError> {
        let rest = &self.input[self.at..];
        let cut = || self.truncated("the gzip header");
        let &[_, _, method, flags, ..] = rest else { return Err(cut()) };
        if method != 8 || flags & 0xe0 != 0 {
            return Err(self.damaged("the gzip header is not valid"));
        }
        let mut len = 10;
        if flags & 4 != 0 {
            let extra = rest.get(len..len + 2).ok_or_else(cut)?;
            len += 2 + usize::from(u16::from_le_bytes([extra[0], extra[1]]));
        }
        for _ in 0..(flags & 8).count_ones() + (flags & 16).count_ones() {
            let name = rest.get(len..).ok_or_else(cut)?;
            len += name.iter().position(|b| *b == 0).ok_or_else(cut)? + 1;
        }
        len += if flags & 2 != 0 { 2 } else { 0 };
        if len < rest.len() { Ok(len) } else { Err(cut()) }
    }

    /// Compares checksum and length at the member's end.
    fn trailer(&mut self, member: Member) -> Result<(), DataError> {
        let Some((trailer, _)) = self.input[self.at..].split_first_chunk::<8>() else {
            return Err(self.truncated("the gzip trailer"));
        };
        let word =
            |i: usize| u32::from_le_bytes([trailer[i], trailer[i + 1], trailer[i + 2], trailer[i + 3]]);
        let (crc, got) = (word(0), member.crc.finalize());
        if crc != got {
            return Err(self.damaged(&format!("the CRC-32 of the content is {got:08x}, expected {crc:08x}")));
        }
        if word(4) != member.inflate.total_out() as u32 {
            return Err(self.damaged("the length of the content is not the one in the trailer"));
        }
        self.at += 8;
        Ok(())
    }

    fn truncated(&self, what: &str) -> DataError {
        DataError::BreaksOff { what: what.into(), got: self.input.len() as u64, path: self.path.into() }
    }

    fn damaged(&self, reason: &str) -> DataError {
        DataError::Damaged { reason: reason.into(), path: self.path.into() }
    }
}
