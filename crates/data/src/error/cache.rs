//! What can be wrong with data that are larger than memory, or than what they may take of it.

use std::path::PathBuf;

use super::words::size;

/// A problem with data and memory, or with rows that are streamed through a file of the cache, as a value.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CacheError {
    /// A file of the cache cannot be written.
    #[error("cannot write the cache: {error}: {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The operating system's words.
        error: std::io::Error,
    },
    /// A block of a file of the cache is not what was written.
    #[error("block {block} of {of} is damaged: {}", path.display())]
    Block {
        /// The block, from 1.
        block: usize,
        /// Blocks of the file.
        of: usize,
        /// Whether the file was deleted.
        deleted: bool,
        /// The file.
        path: PathBuf,
    },
    /// More values than memory.
    #[error("the data take {bytes} bytes when they are read, more than there is memory: {}", path.display())]
    TooMuchMemory {
        /// Bytes of all values.
        bytes: usize,
        /// The file or folder.
        path: PathBuf,
    },
    /// There is no folder for the cache, or none that can be trusted.
    #[error("data larger than memory need a cache folder, and there is none: {}", path.display())]
    NoFolder {
        /// The source.
        path: PathBuf,
    },
    /// Data that cannot be read bit by bit take more memory than they may.
    #[error("the samples take {}, more than half of the {} of `data.memory`, and {what} cannot be streamed: {}",
        size(*bytes), size(*memory), path.display())]
    NotStreamed {
        /// What kind of data they are.
        what: String,
        /// Bytes of the samples.
        bytes: usize,
        /// Bytes that the run may take.
        memory: usize,
        /// What to do besides.
        instead: Option<String>,
        /// The source.
        path: PathBuf,
    },
    /// What must be in memory of streamed data takes more than its share.
    #[error("{what} take more than {}, their share of the {} of `data.memory`: {}",
        size(*share), size(*memory), path.display())]
    Share {
        /// What takes so much.
        what: String,
        /// Bytes that it may take.
        share: usize,
        /// Bytes that it would take, where that is known.
        enough: Option<usize>,
        /// Bytes that the run may take.
        memory: usize,
        /// The source.
        path: PathBuf,
    },
}

impl CacheError {
    /// What to type or do next, one line.
    pub fn hint(&self) -> String {
        match self {
            CacheError::Share { share, enough, memory, .. } => {
                let times = enough.map_or(4.0, |enough| enough as f64 / (*share).max(1) as f64);
                format!(
                    "allow more: `data.memory={}MiB`",
                    (*memory as f64 * times / f64::from(1 << 20)).ceil()
                )
            }
            CacheError::Write { .. } => {
                "make room there, or name a folder on another disk: `XDG_CACHE_HOME=FOLDER`".into()
            }
            CacheError::Block { deleted: true, .. } => {
                "the file was deleted: run it again, and it is written anew".into()
            }
            CacheError::Block { path, .. } => {
                format!("delete it and run it again, and it is written anew: `rm {}`", super::typed(path))
            }
            CacheError::TooMuchMemory { .. } => {
                "stream them, `data.memory=1GiB`, make images smaller, `data.size=64`, or take fewer samples"
                    .into()
            }
            CacheError::NoFolder { .. } => "name a folder of yours: `XDG_CACHE_HOME=FOLDER`".into(),
            CacheError::NotStreamed { instead: Some(instead), .. } => instead.clone(),
            CacheError::NotStreamed { bytes, .. } => {
                format!(
                    "give them more: `data.memory=\"{}\"`",
                    size(bytes.saturating_mul(2).saturating_add(512 << 20))
                )
            }
        }
    }
}
