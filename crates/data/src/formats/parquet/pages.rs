//! The pages of a column of Parquet, decompressed by the codecs that are here.

use std::path::PathBuf;

use bytes::Bytes;
use parquet::basic::{Compression, Encoding};
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::errors::{ParquetError, Result};

/// The pages of one column in one group of rows.
pub(super) struct Pages {
    bytes: Bytes,
    at: usize,
    /// Values that are still to come.
    left: i64,
    codec: Compression,
    path: PathBuf,
}

/// What a page may grow to when it is decompressed.
const MAX_RATIO: usize = 1 << 16;

impl Pages {
    pub fn new(bytes: Bytes, n_values: i64, codec: Compression, path: PathBuf) -> Pages {
        Pages { bytes, at: 0, left: n_values, codec, path }
    }

    fn next_page(&mut self) -> Result<Option<Page>> {
        while self.left > 0 && self.at < self.bytes.len() {
            let mut input = Thrift { bytes: &self.bytes, at: self.at };
            let header = input.fields(0)?;
            let from = input.at;
            let [packed, plain] = [3, 2].map(|id| header.number(id).and_then(|n| usize::try_from(n).ok()));
            let (Some(packed), Some(plain)) = (packed, plain) else {
                return Err(wrong("a page without its length"));
            };
            let to = from.checked_add(packed).filter(|to| *to <= self.bytes.len());
            self.at = to.ok_or_else(|| wrong("a page is longer than its column"))?;
            if plain > packed.saturating_add(1).saturating_mul(MAX_RATIO) {
                return Err(wrong("a page claims more than it can hold"));
            }
            let body = self.bytes.slice(from..self.at);
            let page = match header.number(1) {
                Some(0) => self.data(&header, body, plain)?,
                Some(2) => self.dictionary(&header, body, plain)?,
                Some(3) => self.data_v2(&header, body, plain)?,
                _ => continue,
            };
            if page.is_data_page() {
                self.left -= i64::from(page.num_values());
            }
            return Ok(Some(page));
        }
        Ok(None)
    }

    fn data(&self, header: &Fields, body: Bytes, plain: usize) -> Result<Page> {
        let own = header.part(5).ok_or_else(|| wrong("a page without its header"))?;
        Ok(Page::DataPage {
            buf: self.unpacked(&body, plain)?,
            num_values: own.count(1)?,
            encoding: own.encoding(2)?,
            def_level_encoding: own.encoding(3)?,
            rep_level_encoding: own.encoding(4)?,
            statistics: None,
        })
    }

    fn dictionary(&self, header: &Fields, body: Bytes, plain: usize) -> Result<Page> {
        let own = header.part(7).ok_or_else(|| wrong("a dictionary without its header"))?;
        let (num_values, encoding) = (own.count(1)?, own.encoding(2)?);
        Ok(Page::DictionaryPage { buf: self.unpacked(&body, plain)?, num_values, encoding, is_sorted: false })
    }

    fn data_v2(&self, header: &Fields, body: Bytes, plain: usize) -> Result<Page> {
        let own = header.part(8).ok_or_else(|| wrong("a page without its header"))?;
        let (def, rep) = (own.count(5)?, own.count(6)?);
        let levels = def.checked_add(rep).map(|n| n as usize).filter(|n| *n <= body.len() && *n <= plain);
        let levels = levels.ok_or_else(|| wrong("levels are longer than their page"))?;
        let is_packed = own.number(7) != Some(0);
        let buf = match is_packed && body.len() > levels {
            true => {
                let mut all = body[..levels].to_vec();
                all.extend_from_slice(&self.unpacked(&body.slice(levels..), plain - levels)?);
                all.into()
            }
            false => body,
        };
        Ok(Page::DataPageV2 {
            buf,
            num_values: own.count(1)?,
            encoding: own.encoding(4)?,
            num_nulls: own.count(2)?,
            num_rows: own.count(3)?,
            def_levels_byte_len: def,
            rep_levels_byte_len: rep,
            is_compressed: false,
            statistics: None,
        })
    }

    /// The content of a page.
    fn unpacked(&self, body: &Bytes, plain: usize) -> Result<Bytes> {
        let mut out = Vec::new();
        let failed = |error: &dyn std::fmt::Display| wrong(&error.to_string());
        match self.codec {
            Compression::UNCOMPRESSED => return Ok(body.clone()),
            Compression::SNAPPY => {
                let len = snap::raw::decompress_len(body).map_err(|e| failed(&e))?;
                if len > plain {
                    return Err(wrong("a page holds more than it claims"));
                }
                out = snap::raw::Decoder::new().decompress_vec(body).map_err(|e| failed(&e))?;
            }
            Compression::GZIP(_) => {
                out = crate::gzip::Gunzip::new(&self.path, body).read_to_end().map_err(|e| failed(&e))?
            }
            Compression::ZSTD(_) => {
                let mut input = &body[..];
                crate::zstd::frame(&mut input, &mut out, plain, &self.path).map_err(|e| failed(&e))?;
            }
            Compression::LZ4_RAW => out = lz4_flex::block::decompress(body, plain).map_err(|e| failed(&e))?,
            Compression::LZ4 => {
                return Err(wrong("it is compressed with LZ4 in Hadoop's frames, which cannot be read"));
            }
            Compression::BROTLI(_) => {
                return Err(wrong("it is compressed with Brotli, which cannot be read"));
            }
            Compression::LZO => return Err(wrong("it is compressed with LZO, which cannot be read")),
        }
        if out.len() == plain {
            Ok(out.into())
        } else {
            Err(wrong("a page does not have the length that it claims"))
        }
    }
}

impl Iterator for Pages {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

impl PageReader for Pages {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        self.next_page()
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        Err(wrong("no page is looked at before it is read"))
    }

    fn skip_next_page(&mut self) -> Result<()> {
        self.next_page().map(drop)
    }
}

pub(super) fn wrong(reason: &str) -> ParquetError {
    ParquetError::General(reason.into())
}

/// A struct of Thrift's compact protocol, as far as page headers need it.
#[derive(Default)]
struct Fields(Vec<(i64, Value)>);

enum Value {
    Number(i64),
    Part(Fields),
}

impl Fields {
    fn number(&self, id: i64) -> Option<i64> {
        self.0.iter().find_map(|(i, v)| match v {
            Value::Number(n) if *i == id => Some(*n),
            _ => None,
        })
    }

    fn part(&self, id: i64) -> Option<&Fields> {
        self.0.iter().find_map(|(i, v)| match v {
            Value::Part(part) if *i == id => Some(part),
            _ => None,
        })
    }

    fn count(&self, id: i64) -> Result<u32> {
        self.number(id)
            .and_then(|n| u32::try_from(n).ok())
            .filter(|n| *n < 1 << 31)
            .ok_or_else(|| wrong("a page without a count"))
    }

    fn encoding(&self, id: i64) -> Result<Encoding> {
        Ok(match self.number(id) {
            Some(0) => Encoding::PLAIN,
            Some(2) => Encoding::PLAIN_DICTIONARY,
            Some(3) => Encoding::RLE,
            #[allow(deprecated)]
            Some(4) => Encoding::BIT_PACKED,
            Some(5) => Encoding::DELTA_BINARY_PACKED,
            Some(6) => Encoding::DELTA_LENGTH_BYTE_ARRAY,
            Some(7) => Encoding::DELTA_BYTE_ARRAY,
            Some(8) => Encoding::RLE_DICTIONARY,
            Some(9) => Encoding::BYTE_STREAM_SPLIT,
            _ => return Err(wrong("a page has an unknown encoding")),
        })
    }
}

/// A place in bytes of that protocol.
struct Thrift<'b> {
    bytes: &'b [u8],
    at: usize,
}

/// Structs within structs that are followed.
const DEPTH: usize = 8;

impl Thrift<'_> {
    fn byte(&mut self) -> Result<u8> {
        let byte = self.bytes.get(self.at).copied().ok_or_else(|| wrong("a page header is cut off"))?;
        self.at += 1;
        Ok(byte)
    }

    fn varint(&mut self) -> Result<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(wrong("a number in a page header has no end"))
    }

    fn number(&mut self) -> Result<i64> {
        let value = self.varint()?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    fn skip(&mut self, n: u64) -> Result<()> {
        let to =
            usize::try_from(n).ok().and_then(|n| self.at.checked_add(n)).filter(|to| *to <= self.bytes.len());
        self.at = to.ok_or_else(|| wrong("a page header is cut off"))?;
        Ok(())
    }

    /// All fields of a struct; those that are neither numbers nor structs are passed over.
    fn fields(&mut self, depth: usize) -> Result<Fields> {
        let mut fields = Fields::default();
        let mut id = 0i64;
        loop {
            let head = self.byte()?;
            if head == 0 {
                return Ok(fields);
            }
            id = match head >> 4 {
                0 => self.number()?,
                delta => id.saturating_add(delta.into()),
            };
            if let Some(value) = self.value(head & 15, depth)? {
                fields.0.push((id, value));
            }
        }
    }

    fn value(&mut self, kind: u8, depth: usize) -> Result<Option<Value>> {
        Ok(match kind {
            1 | 2 => Some(Value::Number(i64::from(kind == 1))),
            3 => Some(Value::Number(self.byte()?.into())),
            4..=6 => Some(Value::Number(self.number()?)),
            7 => self.skip(8).map(|()| None)?,
            8 => {
                let len = self.varint()?;
                self.skip(len)?;
                None
            }
            12 if depth < DEPTH => Some(Value::Part(self.fields(depth + 1)?)),
            _ => return Err(wrong("a page header has a field of an unknown kind")),
        })
    }
}
