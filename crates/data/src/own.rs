//! Files and folders that only this user can have written, wherever they lie.
//!
//! Somebody else may write to the folder that holds a cache or a download: a link put there would lead our writing
//! elsewhere, and a file put there would be read as ours. So names that can be guessed are opened without following
//! links, and what is found is held against its owner. Other names are made by `tempfile`.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;

/// Opens a file of ours for reading.
///
/// # Errors
/// The system's, and [`io::ErrorKind::Other`] for a link, for what is no file, and for a file of another user.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    open_by(OpenOptions::new().read(true), path)
}

/// Opens a file of ours for reading and writing; it is made where there is none.
///
/// # Errors
/// As for [`open`].
#[cfg(any(feature = "fetch", test))]
pub(crate) fn open_or_create(path: &Path) -> io::Result<File> {
    let options = || OpenOptions::new().read(true).write(true).clone();
    // Exclusive creation follows no link.
    match options().create_new(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => open_by(&mut options(), path),
        made => made,
    }
}

fn open_by(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    let found = fs::symlink_metadata(path)?;
    if found.is_symlink() {
        return Err(io::Error::other("it is a symbolic link"));
    }
    // Opening a pipe would wait for its other end.
    if !found.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    // What was looked at may be another thing by now: the system follows no link, and the open file is looked at again.
    system::follow_no_link(options);
    let file = options.open(path)?;
    let metadata = file.metadata()?;
    match metadata.is_file() && system::is_ours(&metadata) {
        true => Ok(file),
        false => Err(io::Error::other("it belongs to another user")),
    }
}

/// Why a folder is not to be trusted; none that is not there yet. One of ours that others may write to is closed to
/// them.
pub(crate) fn distrust(folder: &Path) -> Option<String> {
    let Ok(found) = fs::symlink_metadata(folder) else { return None };
    if found.is_symlink() && !system::is_ours(&found) {
        return Some("it is a link that another user made".into());
    }
    match fs::metadata(folder) {
        // Nothing can be read from there or written to it.
        Ok(found) if !found.is_dir() => None,
        Ok(found) if !system::is_ours(&found) => Some("it belongs to another user".into()),
        Ok(found) => system::close(folder, &found).err().map(|_| "others may write to it".into()),
        Err(_) => Some("it cannot be read".into()),
    }
}

/// Makes a folder, and those above it, that only this user may enter.
///
/// # Errors
/// The system's.
pub(crate) fn create_folder(folder: &Path) -> io::Result<()> {
    system::private_folder().recursive(true).create(folder)
}

#[cfg(unix)]
mod system {
    use std::fs::{self, DirBuilder, Metadata, OpenOptions};
    use std::io;
    use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
    use std::path::Path;

    use rustix::fs::OFlags;

    /// The bits of a mode that let others write.
    const OTHERS_WRITE: u32 = 0o022;

    pub fn follow_no_link(options: &mut OpenOptions) {
        options.custom_flags(OFlags::NOFOLLOW.bits().cast_signed());
    }

    pub fn is_ours(metadata: &Metadata) -> bool {
        metadata.uid() == rustix::process::geteuid().as_raw()
    }

    pub fn close(folder: &Path, metadata: &Metadata) -> io::Result<()> {
        let mut permissions = metadata.permissions();
        if permissions.mode() & OTHERS_WRITE == 0 {
            return Ok(());
        }
        permissions.set_mode(permissions.mode() & !OTHERS_WRITE);
        fs::set_permissions(folder, permissions)
    }

    pub fn private_folder() -> DirBuilder {
        let mut builder = DirBuilder::new();
        builder.mode(0o700);
        builder
    }
}

/// Elsewhere folders of a user are closed to others by the system.
#[cfg(not(unix))]
mod system {
    use std::fs::{DirBuilder, Metadata, OpenOptions};
    use std::io;
    use std::path::Path;

    pub fn follow_no_link(_: &mut OpenOptions) {}

    pub fn is_ours(_: &Metadata) -> bool {
        true
    }

    pub fn close(_: &Path, _: &Metadata) -> io::Result<()> {
        Ok(())
    }

    pub fn private_folder() -> DirBuilder {
        DirBuilder::new()
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn links_and_folders_are_no_files_of_ours() {
        let here = tempfile::tempdir().unwrap();
        let at = |name: &str| here.path().join(name);
        fs::write(at("victim"), "precious").unwrap();
        symlink(at("victim"), at("link")).unwrap();
        symlink(at("nothing"), at("dangling")).unwrap();
        for name in ["link", "dangling"] {
            let problems =
                [open(&at(name)), open_or_create(&at(name))].map(|opened| opened.unwrap_err().to_string());
            assert_eq!(problems, ["it is a symbolic link"; 2], "{name}");
        }
        assert_eq!(open(here.path()).unwrap_err().to_string(), "it is not a file");
        assert!(!at("nothing").exists() && fs::read(at("victim")).unwrap() == b"precious");
        open_or_create(&at("new")).unwrap();
        assert!(open(&at("new")).is_ok() && open_or_create(&at("new")).is_ok());
    }

    #[test]
    fn a_folder_of_ours_is_closed_to_others() {
        let here = tempfile::tempdir().unwrap();
        let folder = here.path().join("a/b");
        assert_eq!(distrust(&folder), None);
        create_folder(&folder).unwrap();
        assert_eq!((mode(&folder), distrust(&folder)), (0o700, None));
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
        assert_eq!(distrust(&folder), None);
        assert_eq!(mode(&folder), 0o755);
        // The root of the system belongs to its administrator, who may be running this.
        let ours = system::is_ours(&fs::metadata("/").unwrap());
        assert!(ours || distrust(Path::new("/")).as_deref() == Some("it belongs to another user"));
    }
}
