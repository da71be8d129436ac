//! Where fetched sets are, and which of them are on this machine.

use std::path::{Path, PathBuf};

use super::{Inside, PublicSet};

/// The folder of a set in the user's data: `$THALWEG_DATA/NAME`, else `$XDG_DATA_HOME/thalweg/NAME`, else
/// `~/.local/share/thalweg/NAME` (`%LOCALAPPDATA%\thalweg\NAME` on Windows).
pub fn default_folder(set: &PublicSet) -> Option<PathBuf> {
    data_folder().map(|data| data.join(set.name))
}

/// The folder of all fetched sets.
fn data_folder() -> Option<PathBuf> {
    let told = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let absolute = |name: &str| told(name).filter(|p| p.is_absolute());
    told("THALWEG_DATA").or_else(|| {
        let base = absolute("XDG_DATA_HOME")
            .or_else(|| absolute("LOCALAPPDATA"))
            .or_else(|| absolute("HOME").map(|home| home.join(".local").join("share")))?;
        Some(base.join("thalweg"))
    })
}

/// The folder to open for a set that is on this machine: fetched, or from a package of the system.
pub fn find(set: &PublicSet) -> Option<PathBuf> {
    find_in(set, &places(set))
}

/// The first of these folders that holds the set; the folder to open.
pub fn find_in(set: &PublicSet, places: &[PathBuf]) -> Option<PathBuf> {
    places.iter().find_map(|place| complete(set, place))
}

/// Where a set is looked for.
pub(crate) fn places(set: &PublicSet) -> Vec<PathBuf> {
    let package = set.package.map(|p| PathBuf::from(p.folder));
    default_folder(set).into_iter().chain(package).collect()
}

/// The folder to open, if all files of the set are in `place`.
fn complete(set: &PublicSet, place: &Path) -> Option<PathBuf> {
    let mut open = place.to_path_buf();
    for file in set.files {
        match file.inside {
            Inside::Gzip { .. } => {
                let plain = file.name.trim_end_matches(".gz");
                if !place.join(file.name).is_file() && !place.join(plain).is_file() {
                    return None;
                }
            }
            Inside::Archive { folder, members } => {
                open = place.join(folder);
                if !members.iter().all(|m| open.join(m.name).is_file()) {
                    return None;
                }
            }
        }
    }
    Some(open)
}
