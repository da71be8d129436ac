//! From the bytes of a file to text.

use std::path::Path;

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE, WINDOWS_1252};

use crate::{DataError, DataOptions};

/// How many bytes are looked at to tell text from other files.
const LOOK: usize = 4096;

/// Decodes a file: as told, by its byte order mark, as UTF-16 where every other byte is zero, as UTF-8, and else as
/// Windows-1252; the note says which, where it is neither UTF-8 nor told.
///
/// # Errors
/// [`DataError::WrongMagic`] for bytes that are no text, [`DataError::BadOption`] for an encoding that does not exist.
pub(crate) fn text(
    bytes: Vec<u8>,
    path: &Path,
    options: &DataOptions,
) -> Result<(String, Option<String>), DataError> {
    let found = encoding(&bytes, path, options)?;
    let bytes = match found {
        None => match String::from_utf8(bytes) {
            Ok(text) => return Ok((lines(text), None)),
            Err(error) => error.into_bytes(),
        },
        Some(_) => bytes,
    };
    let used = found.unwrap_or(WINDOWS_1252);
    let (text, _, lossy) = used.decode(&bytes);
    Ok((lines(text.into_owned()), note(found, Some(used), lossy)))
}

/// The encoding of a text by its first bytes: as told, by its mark, or as UTF-16; `None` for UTF-8, or Windows-1252
/// where it is not.
///
/// # Errors
/// As [`text`].
pub(crate) fn encoding(
    bytes: &[u8],
    path: &Path,
    options: &DataOptions,
) -> Result<Option<&'static Encoding>, DataError> {
    let told = options.encoding.as_deref().map(by_label).transpose()?;
    let marked = Encoding::for_bom(bytes).map(|(encoding, _)| encoding);
    let found = told.or(marked).or_else(|| wide(bytes));
    if found.is_none_or(|f| f != UTF_16LE && f != UTF_16BE) && bytes[..bytes.len().min(LOOK)].contains(&0) {
        let got = bytes.iter().take(4).map(|b| format!("{b:02x}")).collect::<Vec<_>>().join(" ");
        let (format, expected, path) = ("table", "text".into(), path.into());
        return Err(DataError::WrongMagic { format, expected, got, path });
    }
    if let Some(got) = no_table(bytes) {
        let (format, expected, path) = ("table", "records".into(), path.into());
        return Err(DataError::WrongMagic { format, expected, got, path });
    }
    Ok(found)
}

/// What is said of an encoding that was found, and used in the end.
pub(crate) fn note(
    found: Option<&'static Encoding>,
    used: Option<&'static Encoding>,
    lossy: bool,
) -> Option<String> {
    let name = used?.name();
    if lossy {
        return Some(format!(
            "some bytes are not {name} and became `\u{fffd}`; `data.encoding=NAME` chooses another encoding"
        ));
    }
    found.is_none().then(|| {
        format!("the text is not UTF-8 and was read as {name}; `data.encoding=NAME` chooses another encoding")
    })
}

/// What stands in place of a file where a link to it was saved.
fn no_table(bytes: &[u8]) -> Option<String> {
    let begin = String::from_utf8_lossy(&bytes[..bytes.len().min(200)])
        .trim_start_matches('\u{feff}')
        .trim_start()
        .to_lowercase();
    let web = begin.starts_with("<!doctype html") || begin.starts_with("<html");
    let pointer = begin.starts_with("version https://git-lfs");
    web.then(|| "a web page".into()).or(pointer.then(|| "a pointer of Git LFS".into()))
}

fn by_label(name: &str) -> Result<&'static Encoding, DataError> {
    Encoding::for_label(name.as_bytes()).ok_or_else(|| DataError::BadOption {
        option: "encoding",
        value: name.into(),
        expected: "the name of an encoding, such as utf-8, utf-16le, windows-1252 or shift_jis".into(),
    })
}

/// UTF-16 without a mark: one of two bytes is zero throughout, as in all text of Latin letters.
fn wide(bytes: &[u8]) -> Option<&'static Encoding> {
    let look = &bytes[..bytes.len().min(LOOK) & !1];
    let zeros = |from: usize| look.iter().skip(from).step_by(2).filter(|b| **b == 0).count();
    let (even, odd, half) = (zeros(0), zeros(1), look.len() / 2);
    let most = |n: usize| half >= 4 && n * 10 >= half * 9;
    match (most(even), most(odd)) {
        (false, true) if even == 0 => Some(UTF_16LE),
        (true, false) if odd == 0 => Some(UTF_16BE),
        _ => None,
    }
}

/// Text without its mark, and with line feeds where a file has carriage returns alone.
fn lines(text: String) -> String {
    let text = text.strip_prefix('\u{feff}').map(String::from).unwrap_or(text);
    // CP/M and DOS end a text with Control-Z
    let text = text.strip_suffix('\u{1a}').map(String::from).unwrap_or(text);
    if text.contains('\r') && !text.contains('\n') { text.replace('\r', "\n") } else { text }
}
