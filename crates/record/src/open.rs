//! Opens files of a run folder to append to them: a link in their place is not followed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::Path;

/// Opens a file to append to; it is made where there is none.
///
/// # Errors
/// The system's, and [`ErrorKind::Other`] for a symbolic link: whoever put it there would say where we write.
pub(crate) fn append(path: &Path) -> io::Result<File> {
    // Exclusive creation follows no link.
    match OpenOptions::new().append(true).create_new(true).open(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        made => return made,
    }
    if fs::symlink_metadata(path)?.is_symlink() {
        return Err(io::Error::other("it is a symbolic link"));
    }
    let mut options = OpenOptions::new();
    options.append(true);
    // What was looked at may have become a link since.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(
        &mut options,
        rustix::fs::OFlags::NOFOLLOW.bits().cast_signed(),
    );
    options.open(path)
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::unix::fs::symlink;

    #[test]
    fn links_are_not_followed() {
        let here = tempfile::tempdir().unwrap();
        let at = |name: &str| here.path().join(name);
        fs::write(at("victim"), "precious").unwrap();
        symlink(at("victim"), at("link")).unwrap();
        symlink(at("nothing"), at("dangling")).unwrap();
        for name in ["link", "dangling"] {
            assert_eq!(append(&at(name)).unwrap_err().to_string(), "it is a symbolic link", "{name}");
        }
        assert!(!at("nothing").exists() && fs::read(at("victim")).unwrap() == b"precious");
        for text in ["a", "b"] {
            append(&at("own")).unwrap().write_all(text.as_bytes()).unwrap();
        }
        assert_eq!(fs::read(at("own")).unwrap(), b"ab");
    }
}
