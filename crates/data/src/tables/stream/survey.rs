//! What must be known of a whole text before it is cut.

use std::path::Path;

use encoding_rs::{Encoding, WINDOWS_1252};

use super::feed::Feed;
use super::input::Input;
use super::{Limits, Stream};
use crate::tables::scratch::Scratch;
use crate::tables::text::{Text, escaped, hashed};
use crate::tables::{decode, sniff};
use crate::{DataError, DataOptions};

/// Bytes by which a file is told from others.
const BEGIN: usize = 1 << 16;

/// Lines that the way to cut a text is found by.
const HEAD: usize = 5 * sniff::LOOK;

/// The first bytes of a file, decompressed.
///
/// # Errors
/// [`DataError`] of the file.
pub(crate) fn begin(path: &Path) -> Result<Vec<u8>, DataError> {
    let mut bytes = Vec::new();
    Input::open(path)?.0.read(&mut bytes, BEGIN)?;
    if bytes.is_empty() { Err(DataError::Empty { path: path.into() }) } else { Ok(bytes) }
}

/// The text of a file as a stream, and a note on its encoding.
///
/// # Errors
/// As [`decode::text`], and [`DataError::Read`] where no file can be made beside the cache.
pub(crate) fn open(
    path: &Path,
    options: &DataOptions,
    limits: Limits,
) -> Result<(Text, Option<String>), DataError> {
    let begin = begin(path)?;
    let told = decode::encoding(&begin, path, options)?;
    let mut survey = Survey::of(path, told, limits)?;
    let mut encoding = told;
    if told.is_none() && survey.lossy {
        encoding = Some(WINDOWS_1252);
        survey = Survey::of(path, encoding, limits)?;
    }
    let note = decode::note(told, encoding, survey.lossy);
    let Survey { returns, head, hashed, escaped, stamp, .. } = survey;
    let stream = Stream {
        path: path.into(),
        stamp,
        encoding,
        returns,
        blanks: false,
        head,
        hashed,
        escaped: escaped.map(|(_, some)| some),
        limits,
        scratch: Scratch::new(options.cache.as_deref())?,
    };
    Ok((Text::Stream(Box::new(stream)), note))
}

/// What was found of a text under one encoding.
struct Survey {
    stamp: super::Stamp,
    lossy: bool,
    returns: bool,
    head: String,
    n_lines: usize,
    hashed: Vec<String>,
    /// For each kind of quote how many backslashes stand before one, and whether one of them is escaped.
    escaped: [(usize, bool); 2],
}

impl Survey {
    fn of(path: &Path, encoding: Option<&'static Encoding>, limits: Limits) -> Result<Survey, DataError> {
        let guess = Survey::pass(path, encoding, limits, None)?;
        // the first lines end in carriage returns, and others do not
        if let Some(returns) = guess.1.filter(|r| *r != guess.0.returns) {
            return Ok(Survey::pass(path, encoding, limits, Some(returns))?.0);
        }
        Ok(guess.0)
    }

    /// Reads all, and tells whether lines end in carriage returns.
    fn pass(
        path: &Path,
        encoding: Option<&'static Encoding>,
        limits: Limits,
        returns: Option<bool>,
    ) -> Result<(Survey, Option<bool>), DataError> {
        let (input, stamp) = Input::open(path)?;
        let mut feed = Feed::new(input, encoding, limits);
        feed.guess_returns(returns, BEGIN)?;
        let mut survey = Survey {
            stamp,
            lossy: false,
            returns: feed.returns,
            head: String::new(),
            n_lines: 0,
            hashed: Vec::new(),
            escaped: [(0, false); 2],
        };
        let mut first = true;
        while let Some((text, _)) = feed.next()? {
            survey.add(text, first, limits);
            first = false;
            let n = text.len();
            feed.used(n);
        }
        survey.lossy = feed.lossy;
        Ok((survey, feed.ends_in_returns()))
    }

    fn add(&mut self, text: &str, first: bool, limits: Limits) {
        let enough = self.n_lines >= HEAD && self.head.len() >= BEGIN;
        if !enough && self.head.len() < limits.longest / 2 {
            self.head.push_str(text);
            self.n_lines += memchr::memchr_iter(b'\n', text.as_bytes()).count();
        }
        if self.hashed.len() < sniff::LOOK {
            let begins = (!first && text.starts_with('#')).then(|| text.lines().next().unwrap_or(""));
            let left = sniff::LOOK - self.hashed.len();
            self.hashed.extend(begins.into_iter().chain(hashed(text)).take(left).map(String::from));
        }
        for ((n, some), quote) in self.escaped.iter_mut().zip([b'"', b'\'']) {
            for inside in escaped(text, quote).take(sniff::LOOK - *n) {
                *n += 1;
                *some |= inside;
            }
        }
    }
}
