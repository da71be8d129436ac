//! The text of a table: all of it in memory, or a stream.

use memchr::memmem;

use super::stream::{Feed, Stream};
use crate::DataError;

/// The text of a table.
#[derive(Clone, Debug)]
pub(crate) enum Text {
    Whole(String),
    Stream(Box<Stream>),
}

impl Text {
    /// All of it, or its first lines.
    pub fn head(&self) -> &str {
        match self {
            Text::Whole(text) => text,
            Text::Stream(stream) => stream.head(),
        }
    }

    /// The first `n` lines that begin with `#`, but for the first of all.
    pub fn hashed(&self, n: usize) -> Vec<&str> {
        match self {
            Text::Whole(text) => hashed(text).take(n).collect(),
            Text::Stream(stream) => stream.hashed().iter().take(n).map(String::as_str).collect(),
        }
    }

    /// Whether backslashes stand before quotes that belong to a field: none of the first `n` of them ends it.
    pub fn escapes(&self, quote: u8, n: usize) -> bool {
        match self {
            Text::Whole(text) => escaped(text, quote).take(n).any(|inside| inside),
            Text::Stream(stream) => stream.escaped(quote),
        }
    }

    /// The text with one blank for each run of them.
    pub fn with_single_blanks(self) -> Text {
        match self {
            Text::Whole(text) => Text::Whole(super::sniff::single_blanks(text.lines())),
            Text::Stream(stream) => Text::Stream(Box::new(stream.with_single_blanks())),
        }
    }

    /// Its windows.
    ///
    /// # Errors
    /// [`DataError`] of the file of a stream.
    pub fn windows(&self) -> Result<Windows<'_>, DataError> {
        Ok(match self {
            Text::Whole(text) => Windows::Whole(Some(text)),
            Text::Stream(stream) => Windows::Stream(Box::new(stream.feed()?)),
        })
    }

    pub fn stream(&self) -> Option<&Stream> {
        match self {
            Text::Whole(_) => None,
            Text::Stream(stream) => Some(stream),
        }
    }
}

/// Lines that begin with `#`, but for the first.
pub(super) fn hashed(text: &str) -> impl Iterator<Item = &str> {
    memmem::find_iter(text.as_bytes(), "\n#").map(|at| text[at + 1..].lines().next().unwrap_or(""))
}

/// For each backslash before a quote, whether the field goes on behind them.
pub(super) fn escaped(text: &str, quote: u8) -> impl Iterator<Item = bool> + '_ {
    let inside = |at: usize| text[at + 2..].chars().next().is_some_and(|c| c.is_alphanumeric() || c == ' ');
    let mut at = 0;
    std::iter::from_fn(move || {
        let found = at
            + memchr::memchr_iter(b'\\', &text.as_bytes()[at..])
                .find(|i| text.as_bytes().get(at + i + 1) == Some(&quote))?;
        at = found + 2;
        Some(inside(found))
    })
}

/// A text in pieces that end where a line does.
pub(crate) enum Windows<'t> {
    Whole(Option<&'t str>),
    Stream(Box<Feed>),
}

impl Windows<'_> {
    /// The next piece, from the first byte that was not used, and whether it is the last.
    ///
    /// # Errors
    /// [`DataError`] of the file of a stream.
    pub fn next(&mut self) -> Result<Option<(&str, bool)>, DataError> {
        match self {
            Windows::Whole(text) => Ok(text.take().map(|t| (t, true))),
            Windows::Stream(feed) => feed.next(),
        }
    }

    /// Tells how many bytes of the piece were used.
    pub fn used(&mut self, bytes: usize) {
        if let Windows::Stream(feed) = self {
            feed.used(bytes);
        }
    }
}
