//! The text of a file in windows that end where a line does.

use encoding_rs::{Decoder, Encoding, UTF_8};

use super::input::Input;
use super::{Limits, Stream};
use crate::DataError;
use crate::tables::sniff::single_blanks;

/// A text that is being read.
pub(crate) struct Feed {
    input: Input,
    decoder: Decoder,
    limits: Limits,
    /// Whether the mark at the beginning was looked for.
    begun: bool,
    /// Whether carriage returns end lines.
    pub returns: bool,
    /// Whether there are carriage returns and line feeds.
    has: [bool; 2],
    /// Whether runs of blanks become one.
    blanks: bool,
    bytes: Vec<u8>,
    /// Whole lines, from the first that was not used.
    lines: String,
    /// The beginning of the line after them.
    rest: String,
    used: usize,
    /// Whether a window was given.
    given: bool,
    ended: bool,
    /// Whether the last window was given.
    over: bool,
    /// Whether some bytes were none of the encoding.
    pub lossy: bool,
}

impl Feed {
    pub fn new(input: Input, encoding: Option<&'static Encoding>, limits: Limits) -> Feed {
        let decoder = match encoding {
            Some(encoding) => encoding.new_decoder(),
            None => UTF_8.new_decoder_without_bom_handling(),
        };
        Feed {
            input,
            decoder,
            limits,
            begun: false,
            returns: false,
            has: [false; 2],
            blanks: false,
            bytes: Vec::new(),
            lines: String::new(),
            rest: String::new(),
            used: 0,
            given: false,
            ended: false,
            over: false,
            lossy: false,
        }
    }

    /// The text of a stream that is known.
    pub fn of(input: Input, stream: &Stream) -> Feed {
        let feed = Feed::new(input, stream.encoding, stream.limits);
        Feed { returns: stream.returns, blanks: stream.blanks, ..feed }
    }

    /// Tells whether carriage returns end lines, by the beginning of a text where that is not known.
    ///
    /// # Errors
    /// [`DataError`] of the file.
    pub fn guess_returns(&mut self, known: Option<bool>, look: usize) -> Result<(), DataError> {
        self.decode(look)?;
        self.returns = known.unwrap_or(self.has == [true, false]);
        self.cut(0);
        Ok(())
    }

    /// Whether carriage returns end the lines that were read so far; `None` where there are none.
    pub fn ends_in_returns(&self) -> Option<bool> {
        self.has[0].then_some(!self.has[1])
    }

    /// The next window, from the first byte that was not used, and whether it is the last; more text than was given
    /// before.
    ///
    /// # Errors
    /// [`DataError`] of the file, and of a record that is too long.
    pub fn next(&mut self) -> Result<Option<(&str, bool)>, DataError> {
        if self.over {
            return Ok(None);
        }
        let before = self.lines.len() - self.used;
        self.lines.drain(..std::mem::take(&mut self.used));
        let before = if self.given { before } else { 0 };
        self.given = true;
        while !self.ended && self.lines.len() == before {
            if before + self.rest.len() > self.limits.longest {
                return Err(self.input.too_long(self.limits));
            }
            self.read(self.limits.window.max(before))?;
        }
        self.over = self.ended;
        let none = self.over && self.lines.is_empty();
        Ok((!none).then_some((&self.lines[..], self.over)))
    }

    /// Tells how many bytes of the window were used.
    pub fn used(&mut self, bytes: usize) {
        self.used = bytes.min(self.lines.len());
    }

    fn read(&mut self, n: usize) -> Result<(), DataError> {
        let from = self.rest.len();
        self.decode(n)?;
        self.cut(from);
        Ok(())
    }

    /// Reads more text.
    fn decode(&mut self, n: usize) -> Result<(), DataError> {
        self.bytes.clear();
        self.input.read(&mut self.bytes, n)?;
        self.ended = self.bytes.len() < n;
        let (from, mut at) = (self.rest.len(), 0);
        loop {
            let left = &self.bytes[at..];
            self.rest.reserve(self.decoder.max_utf8_buffer_length(left.len()).unwrap_or(left.len()));
            let (result, read, lossy) = self.decoder.decode_to_string(left, &mut self.rest, self.ended);
            self.lossy |= lossy;
            at += read;
            if result == encoding_rs::CoderResult::InputEmpty {
                break;
            }
        }
        if !self.begun && !self.rest.is_empty() {
            self.begun = true;
            if self.rest.starts_with('\u{feff}') {
                self.rest.drain(..'\u{feff}'.len_utf8());
            }
        }
        // CP/M and DOS end a text with Control-Z
        if self.ended && self.rest.ends_with('\u{1a}') {
            self.rest.pop();
        }
        let new = &self.rest.as_bytes()[from.min(self.rest.len())..];
        self.has[0] = self.has[0] || memchr::memchr(b'\r', new).is_some();
        self.has[1] = self.has[1] || memchr::memchr(b'\n', new).is_some();
        Ok(())
    }

    /// Moves whole lines of the text that was read behind a place to those that are given.
    fn cut(&mut self, from: usize) {
        if self.returns {
            let new = self.rest.split_off(from.min(self.rest.len()));
            self.rest.push_str(&new.replace('\r', "\n"));
        }
        let whole = match memchr::memrchr(b'\n', self.rest.as_bytes()) {
            _ if self.ended => self.rest.len(),
            Some(at) => at + 1,
            None => return,
        };
        if self.blanks {
            self.lines.push_str(&single_blanks(self.rest[..whole].lines()));
        } else {
            self.lines.push_str(&self.rest[..whole]);
        }
        self.rest.drain(..whole);
    }
}
