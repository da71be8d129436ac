//! Public data sets: what they consist of, and where they are on this machine.

mod find;
mod sets;

pub(crate) use find::places;
pub use find::{default_folder, find, find_in};
pub use sets::{ALL, Inside, Member, Package, PublicSet, RemoteFile, Size, by_name};
