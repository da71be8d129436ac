//! What a setting is, said once: registries, their entries and keys, ranges, and the name that was probably meant.

mod declare;
mod near;
pub mod registry;
mod spelling;
mod tagged;
mod words;

pub use declare::{Setting, help};
pub use near::nearest;
pub use registry::{Entry, Key, OutOfRange, Range, name_or_table};
pub use spelling::american;
pub use tagged::{Tag, did_you_mean};
