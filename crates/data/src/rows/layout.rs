//! The head of a file of rows, and where everything lies in it.

use super::rows_in_block;

/// Ends with the version of the file.
const MAGIC: &[u8; 16] = b"thalweg rows   1";
/// The part of it that every file of this program has.
const FAMILY: usize = 8;
const N_WORDS: usize = 9;
/// Bytes of the head in use: the magic, the words, and their CRC-32 as a word.
pub(super) const HEAD: usize = MAGIC.len() + 8 * (N_WORDS + 1);
/// Blocks begin here.
pub(super) const START: u64 = 4096;

/// What each row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Form {
    /// Inputs are bytes (`b` stands for `b / 255`) and not f32.
    pub bytes: bool,
    /// Numbers in the inputs of a row.
    pub width: usize,
    /// Numbers in its targets; 0 where they are kept elsewhere.
    pub n_targets: usize,
}

impl Form {
    /// Bytes of a row's inputs.
    pub fn record(&self) -> usize {
        self.width * if self.bytes { 1 } else { size_of::<f32>() }
    }

    /// Bytes of a row's targets.
    pub fn target_bytes(&self) -> usize {
        self.n_targets * size_of::<f32>()
    }

    /// Rows of every block but the last one.
    pub fn rows_in_block(&self) -> usize {
        rows_in_block(self.record())
    }
}

/// What the head says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub form: Form,
    pub rows_in_block: usize,
    pub n: usize,
    /// Inputs that are NaN.
    pub n_missing: u64,
    pub manifest_len: usize,
    pub manifest_crc: u32,
    pub sums_crc: u32,
}

/// Why a head is of no use.
pub(super) enum BadHead {
    OtherVersion,
    Damaged,
}

impl Head {
    pub fn n_blocks(&self) -> usize {
        self.n.div_ceil(self.rows_in_block)
    }

    /// Rows of a block.
    pub fn rows_of(&self, block: usize) -> usize {
        self.rows_in_block.min(self.n - block * self.rows_in_block)
    }

    /// Where a block begins.
    pub fn start_of(&self, block: usize) -> u64 {
        let before = (block * self.rows_in_block) as u64;
        START + before * (self.form.record() + self.form.target_bytes()) as u64
    }

    /// Where the checksums begin.
    pub fn sums_at(&self) -> u64 {
        START + self.n as u64 * (self.form.record() + self.form.target_bytes()) as u64
    }

    /// Where the manifest begins.
    pub fn manifest_at(&self) -> u64 {
        self.sums_at() + 8 * self.n_blocks() as u64
    }

    /// Bytes of the whole file.
    pub fn file_len(&self) -> u64 {
        self.manifest_at() + self.manifest_len as u64
    }

    pub fn to_bytes(self) -> [u8; HEAD] {
        let words: [u64; N_WORDS] = [
            u64::from(self.form.bytes),
            self.form.width as u64,
            self.form.n_targets as u64,
            self.rows_in_block as u64,
            self.n as u64,
            self.n_missing,
            self.manifest_len as u64,
            self.manifest_crc.into(),
            self.sums_crc.into(),
        ];
        let mut out = [0; HEAD];
        out[..MAGIC.len()].copy_from_slice(MAGIC);
        let (places, _) = out[MAGIC.len()..].as_chunks_mut::<8>();
        places.iter_mut().zip(words).for_each(|(place, word)| *place = word.to_le_bytes());
        let crc = crc32fast::hash(&out[..HEAD - 8]);
        out[HEAD - 8..].copy_from_slice(&u64::from(crc).to_le_bytes());
        out
    }

    pub fn from_bytes(bytes: &[u8; HEAD], file_len: u64) -> Result<Head, BadHead> {
        if bytes.starts_with(&MAGIC[..FAMILY]) && !bytes.starts_with(MAGIC) {
            return Err(BadHead::OtherVersion);
        }
        let mut words = [0u64; N_WORDS + 1];
        let (places, _) = bytes[MAGIC.len()..].as_chunks::<8>();
        words.iter_mut().zip(places).for_each(|(word, place)| *word = u64::from_le_bytes(*place));
        let crc = u64::from(crc32fast::hash(&bytes[..HEAD - 8]));
        if !bytes.starts_with(MAGIC) || words[N_WORDS] != crc || words[3] == 0 {
            return Err(BadHead::Damaged);
        }
        let size = |i: usize| words[i] as usize;
        let head = Head {
            form: Form { bytes: words[0] == 1, width: size(1), n_targets: size(2) },
            rows_in_block: size(3),
            n: size(4),
            n_missing: words[5],
            manifest_len: size(6),
            manifest_crc: words[7] as u32,
            sums_crc: words[8] as u32,
        };
        if head.file_len() == file_len { Ok(head) } else { Err(BadHead::Damaged) }
    }
}
