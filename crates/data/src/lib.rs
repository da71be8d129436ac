//! Data sets: opening files and built-in sets, splitting, preprocessing, and gathering batches.
//!
//! The usual way from a name to a batch:
//!
//! ```
//! use data::{self, DataOptions, Preprocess, SplitOptions};
//!
//! let mut set = data::open("digits", &DataOptions::default())?;
//! let splits = data::split(&set, &SplitOptions::default())?;
//! set.fill_missing(&splits.train)?;
//! let affine = data::fit(&set, &splits.train, Preprocess::Standardize)?;
//! let order = data::order(splits.train.len(), 0, 0, true);
//! let rows: Vec<u32> = order[..64].iter().map(|&i| splits.train[i as usize]).collect();
//! let mut batch = vec![0.0; 64 * set.n_inputs()];
//! set.gather(&rows, &affine, &mut batch)?;
//! # Ok::<(), data::DataError>(())
//! ```

mod affine;
pub mod augment;
// Kept copies are of gzip files and of images; without either, nobody asks for them.
#[cfg(feature = "copies")]
#[cfg_attr(not(all(feature = "gzip", feature = "images")), allow(dead_code))]
mod cache;
mod channels;
mod columns;
mod dataset;
mod error;
#[cfg(feature = "fetch")]
pub mod fetch;
mod findings;
mod folder;
#[cfg(any(feature = "arrow", feature = "excel", feature = "parquet"))]
mod foreign;
pub mod formats;
mod gather;
#[cfg(feature = "gzip")]
mod gzip;
mod identity;
#[cfg(feature = "images")]
mod images;
mod info;
mod known;
mod moments;
mod open;
mod options;
mod order;
#[cfg(feature = "copies")]
#[cfg_attr(not(all(feature = "fetch", feature = "images")), allow(dead_code))]
mod own;
mod precision;
mod preview;
pub mod public;
mod read;
mod robust;
mod row;
#[cfg_attr(not(feature = "copies"), allow(dead_code, unused_imports))]
mod rows;
mod scale;
mod schema;
pub mod sets;
mod split;
#[cfg(feature = "table")]
mod tables;
#[cfg(feature = "zstd")]
mod zstd;

pub use affine::{Affine, Preprocess, fit, fit_targets};
pub use channels::Channels;
pub use columns::{ColumnInfo, ColumnRole};
pub use dataset::{Dataset, Origin, Task, Values};
pub use error::{CacheError, ColumnFault, DataError, Fault, FilesError, NoWeight, Odd, OddLine, Place};
pub use findings::{Finding, findings};
pub use folder::default_cache_folder;
#[cfg(any(feature = "arrow", feature = "excel", feature = "parquet"))]
pub use foreign::FOREIGN_THREAD;
pub use identity::{Identities, Identity};
pub use info::{DataInfo, FeatureInfo, Streamed};
pub use open::open;
pub use options::{
    Color, ColumnType, Corrupt, DataOptions, DateOrder, Fit, Labels, MissingTarget, STREAMED_MEMORY, TaskKind,
};
pub use order::{Blocks, Order, Shuffle, order};
pub use preview::preview;
pub use rows::Rows;
pub use schema::{Column, DatePart, Dialect, Role, TableSchema, TargetColumn, WeightColumn};
pub use split::{Share, SplitOptions, Splits, folds, split};
#[cfg(feature = "table")]
pub use tables::{FieldValue, TableView, table, table_texts};
