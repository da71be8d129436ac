//! Walks through a text field by field.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use memchr::{memchr, memchr2};

use super::number::{self, Plain};

/// What separates the fields of a text, and what of it is not data.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Cuts {
    /// What separates fields.
    pub separator: u8,
    /// What encloses a field with separators in it.
    pub quote: u8,
    /// What a line that is no data begins with; empty for none.
    pub comment: String,
    /// Whether a backslash stands before a quote that belongs to the field.
    pub escape: bool,
    /// Lines that are left out, from 1.
    pub skip: Vec<RangeInclusive<u64>>,
}

/// What follows a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Another field of the same record.
    Field,
    /// The end of the record.
    Record,
}

/// A quote that is never closed: the line in which it opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OpenQuote(pub u64);

/// The last line in which a rule between names and rows may stand.
const RULE: u64 = 4;

/// A line of dashes under names, as in tables of Markdown and consoles.
fn is_rule(line: &str) -> bool {
    let drawn = |b: u8| matches!(b, b'-' | b'=' | b'+' | b'|' | b':' | b' ' | b'\t' | b'\r' | b',' | b';');
    line.bytes().all(drawn) && (line.contains("--") || line.contains("=="))
}

/// A place in a text.
#[derive(Clone, Debug)]
pub(crate) struct Cursor<'t> {
    text: &'t str,
    cuts: &'t Cuts,
    at: usize,
    /// The line of the place, from 1.
    pub line: u64,
    /// Lines left out as comments so far.
    pub comments: u64,
}

impl<'t> Cursor<'t> {
    pub fn new(text: &'t str, cuts: &'t Cuts) -> Self {
        Cursor { text, cuts, at: 0, line: 1, comments: 0 }
    }

    /// Goes on in another piece of the text, which begins at a line.
    pub fn at_line(text: &'t str, cuts: &'t Cuts, line: u64) -> Self {
        Cursor { line, ..Cursor::new(text, cuts) }
    }

    /// How many bytes of the text are behind the cursor.
    pub fn used(&self) -> usize {
        self.at
    }

    /// Goes to the next record, over empty lines, comments and lines to be left out; false at the end.
    pub fn next_record(&mut self) -> bool {
        let bytes = self.text.as_bytes();
        while self.at < bytes.len() {
            let end = self.line_end();
            let line = &self.text[self.at..end];
            let comment = !self.cuts.comment.is_empty() && line.trim_start().starts_with(&self.cuts.comment);
            let skipped = self.cuts.skip.iter().any(|lines| lines.contains(&self.line));
            let empty = line.bytes().next().is_none_or(|b| b.is_ascii_whitespace())
                && line.bytes().all(|b| b.is_ascii_whitespace() && b != self.cuts.separator);
            if !(comment || skipped || empty || self.line <= RULE && is_rule(line)) {
                return true;
            }
            self.comments += u64::from(comment);
            self.at = end + 1;
            self.line += 1;
        }
        false
    }

    /// What separates fields.
    pub fn separator(&self) -> u8 {
        self.cuts.separator
    }

    /// The rest of the line.
    pub fn rest(&self) -> &'t str {
        self.text[self.at.min(self.text.len())..self.line_end()].trim_end_matches('\r')
    }

    fn line_end(&self) -> usize {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        memchr(b'\n', rest).map_or(self.text.len(), |n| self.at + n)
    }

    /// The field here, if it is a plain number; the cursor then stands behind it, and else where it was.
    pub fn number(&mut self, decimal: u8) -> Option<(Plain, Stop)> {
        let bytes = self.text.as_bytes();
        let mut at = self.at;
        while bytes.get(at) == Some(&b' ') && self.cuts.separator != b' ' {
            at += 1;
        }
        let plain = number::plain(&bytes[at..], decimal)?;
        at += plain.len;
        loop {
            match bytes.get(at) {
                Some(b) if *b == self.cuts.separator => {
                    self.at = at + 1;
                    return Some((plain, Stop::Field));
                }
                None | Some(b'\n') => {
                    (self.at, self.line) = (at + 1, self.line + 1);
                    return Some((plain, Stop::Record));
                }
                Some(b' ' | b'\r') => at += 1,
                Some(_) => return None,
            }
        }
    }

    /// The field here as text, without blanks and quotes around it.
    pub fn text(&mut self) -> Result<(Cow<'t, str>, Stop), OpenQuote> {
        let bytes = self.text.as_bytes();
        let mut from = self.at;
        while matches!(bytes.get(from), Some(b' ')) && self.cuts.separator != b' ' {
            from += 1;
        }
        if bytes.get(from) == Some(&self.cuts.quote) {
            return self.quoted(from + 1);
        }
        let rest = bytes.get(self.at..).unwrap_or_default();
        let end = memchr2(self.cuts.separator, b'\n', rest).map_or(self.text.len(), |n| self.at + n);
        let field = self.text[self.at.min(self.text.len())..end].trim();
        Ok((Cow::Borrowed(field), self.stop(end)))
    }

    /// A field whose quote opens before `from`; what stands between its end and the separator belongs to it.
    fn quoted(&mut self, from: usize) -> Result<(Cow<'t, str>, Stop), OpenQuote> {
        let (bytes, opened) = (self.text.as_bytes(), self.line);
        let (mut at, mut doubled) = (from, false);
        loop {
            let rest = bytes.get(at..).unwrap_or_default();
            let close = at + memchr(self.cuts.quote, rest).ok_or(OpenQuote(opened))?;
            if bytes.get(close + 1) == Some(&self.cuts.quote) {
                (at, doubled) = (close + 2, true);
                continue;
            }
            let backslashes = bytes[from..close].iter().rev().take_while(|b| **b == b'\\').count();
            if self.cuts.escape && backslashes % 2 == 1 {
                (at, doubled) = (close + 1, true);
                continue;
            }
            let rest = bytes.get(close + 1..).unwrap_or_default();
            let end = memchr2(self.cuts.separator, b'\n', rest).map_or(self.text.len(), |n| close + 1 + n);
            let (inner, tail) = (&self.text[from..close], self.text[close + 1..end].trim());
            self.line += memchr::memchr_iter(b'\n', inner.as_bytes()).count() as u64;
            let mut field = Cow::Borrowed(inner);
            if doubled || !tail.is_empty() {
                let quote = char::from(self.cuts.quote);
                let mut whole = inner.replace(&format!("{quote}{quote}"), &quote.to_string());
                if self.cuts.escape {
                    whole = whole.replace(&format!("\\{quote}"), &quote.to_string()).replace("\\\\", "\\");
                }
                whole.push_str(tail);
                field = Cow::Owned(whole);
            }
            return Ok((field, self.stop(end)));
        }
    }

    /// Goes behind the end of a field.
    fn stop(&mut self, end: usize) -> Stop {
        self.at = end + 1;
        if self.text.as_bytes().get(end) == Some(&self.cuts.separator) {
            return Stop::Field;
        }
        self.line += 1;
        Stop::Record
    }

    /// All fields of the record here.
    pub fn fields(&mut self) -> Result<Vec<Cow<'t, str>>, OpenQuote> {
        let mut all = Vec::new();
        loop {
            let (field, stop) = self.text()?;
            all.push(field);
            if stop == Stop::Record {
                return Ok(all);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, separator: u8, expected: &[&[&str]]) {
        let cuts = Cuts { separator, quote: b'"', comment: "#".into(), escape: false, skip: vec![] };
        let mut cursor = Cursor::new(text, &cuts);
        let mut got = Vec::new();
        while cursor.next_record() {
            got.push(cursor.fields().expect("closed"));
        }
        assert_eq!(got, expected, "{text:?}");
    }

    #[test]
    fn fields_are_cut() {
        check("a,b\n1,2\n", b',', &[&["a", "b"], &["1", "2"]]);
        check("a, b \r\n\r\n# no\n1,2", b',', &[&["a", "b"], &["1", "2"]]);
        check("\"a, b\",\"say \"\"no\"\"\"\n", b',', &[&["a, b", "say \"no\""]]);
        check("\"two\nlines\",x\n,\n", b',', &[&["two\nlines", "x"], &["", ""]]);
        check("5\" pipe,\"a\"b\n", b',', &[&["5\" pipe", "ab"]]);
        check("\t\n1\t2\n", b'\t', &[&["", ""], &["1", "2"]]);
    }

    #[test]
    fn lines_are_counted_and_an_open_quote_is_told() {
        let cuts =
            Cuts { separator: b',', quote: b'"', comment: String::new(), escape: false, skip: vec![2..=2] };
        let mut cursor = Cursor::new("a\nleft out\n\"x\ny\"\n\"open\nb\n", &cuts);
        let mut lines = Vec::new();
        while cursor.next_record() {
            lines.push(cursor.line);
            if let Err(OpenQuote(line)) = cursor.fields() {
                assert_eq!((line, &lines[..]), (5, &[1, 3, 5][..]));
                return;
            }
        }
        panic!("the quote was closed: {lines:?}");
    }
}
