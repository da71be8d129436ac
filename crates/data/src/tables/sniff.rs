//! How a text is cut into fields: told, or by what makes the cleanest fields.

use std::ops::RangeInclusive;

use super::cursor::{Cursor, Cuts};
use super::dates;
use super::missing::Marks;
use super::number;
use super::text::Text;
use crate::{DataError, DataOptions};

/// Separators in the order in which they are preferred when several would do.
const SEPARATORS: [u8; 5] = [b'\t', b',', b';', b'|', b' '];

/// What lines that are no data begin with, where nothing is told.
const COMMENTS: [&str; 3] = ["#", "%", "//"];

/// Records that are looked at.
pub(crate) const LOOK: usize = 200;

/// How a text is cut, and what was found on the way.
pub(crate) struct Sniffed {
    pub cuts: Cuts,
    /// Fields of most records.
    pub width: usize,
    /// Names of columns in the last comment before the data.
    pub names: Option<Vec<String>>,
    /// What was found without being told, for people.
    pub notes: Vec<String>,
}

/// Finds how a text is cut.
///
/// # Errors
/// [`DataError::BadOption`] for settings that cannot be.
pub(crate) fn sniff(whole: &Text, options: &DataOptions) -> Result<Sniffed, DataError> {
    let text = whole.head();
    let mut notes = Vec::new();
    let mut skip = options.skip_lines.iter().map(|s| lines(s)).collect::<Result<Vec<_>, _>>()?;
    skip.extend((options.skip > 0).then_some(1..=options.skip));
    let mut separator = options.separator.map(told_separator).transpose()?;
    if let Some(told) = separator_line(text) {
        skip.push(1..=1);
        separator.get_or_insert(told);
    }
    let mut comment = match &options.comment {
        Some(told) => told.clone(),
        None => found_comment(text, &skip).map(String::from).unwrap_or_default(),
    };
    let quote = quote(text);
    let escape = whole.escapes(quote, LOOK);
    let cuts = |separator, comment: &str| Cuts {
        separator,
        quote,
        comment: comment.into(),
        escape,
        skip: skip.clone(),
    };
    let separator = separator.unwrap_or_else(|| {
        let score = |s: u8| Sample::new(text, &cuts(s, &comment)).score();
        // The first of the best: `max_by` gives the last.
        let best =
            SEPARATORS.into_iter().rev().max_by(|a, b| score(*a).total_cmp(&score(*b))).unwrap_or(b',');
        if score(best) == 0.0 { b',' } else { best }
    });
    let width = Sample::new(text, &cuts(separator, &comment)).width();
    if comment.is_empty() && options.comment.is_none() && has_comments(whole, &cuts(separator, ""), width) {
        comment = "#".into();
    }
    let cuts = cuts(separator, &comment);
    let names = if options.comment.is_none() && options.header.is_none() {
        commented_names(text, &cuts, width)
    } else {
        None
    };
    if options.comment.is_none() && !comment.is_empty() {
        notes.push(match &names {
            Some(_) => format!("lines that begin with `{comment}` are left out; the last of them has the names of the columns"),
            None => format!("lines that begin with `{comment}` are left out as comments; `data.comment=\"\"` reads them"),
        });
    }
    Ok(Sniffed { cuts, width, names, notes })
}

fn told_separator(told: char) -> Result<u8, DataError> {
    let good = u8::try_from(told).ok().filter(|s| s.is_ascii() && !s.is_ascii_alphanumeric() && *s != b'"');
    let (value, expected) = (told.to_string(), "a comma, semicolon, tab, bar, blank or the like".into());
    good.ok_or(DataError::BadOption { option: "separator", value, expected })
}

/// `3`, `1-4`: lines from 1.
fn lines(text: &str) -> Result<RangeInclusive<u64>, DataError> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    match (first.trim().parse::<u64>(), last.trim().parse::<u64>()) {
        (Ok(first), Ok(last)) if first <= last && first > 0 => Ok(first..=last),
        _ => Err(DataError::BadOption {
            option: "skip_lines",
            value: text.into(),
            expected: "numbers of lines, from 1: `2`, or `2,205-207`".into(),
        }),
    }
}

/// The separator that a spreadsheet wrote into the first line, as `sep=;`.
fn separator_line(text: &str) -> Option<u8> {
    let line = text.lines().next()?.trim_matches(['"', '\r', ' ']);
    let told = line.get(..4).filter(|l| l.eq_ignore_ascii_case("sep=")).and_then(|_| line.get(4..))?;
    let mut bytes = told.bytes();
    match (bytes.next(), bytes.next()) {
        (Some(b), None) => Some(b),
        _ => told.eq_ignore_ascii_case("\\t").then_some(b'\t'),
    }
}

/// What comments begin with: the first line does, and lines without it follow.
fn found_comment(text: &str, skip: &[RangeInclusive<u64>]) -> Option<&'static str> {
    let numbered = text.lines().zip(1u64..).filter(|(_, n)| !skip.iter().any(|s| s.contains(n)));
    let mut lines = numbered.map(|(line, _)| line.trim_start()).filter(|l| !l.is_empty());
    let first = lines.next()?;
    let mark = COMMENTS.into_iter().find(|m| first.starts_with(m))?;
    let rest: Vec<&str> = lines.skip_while(|l| l.starts_with(mark)).take(LOOK).collect();
    (!rest.is_empty() && !rest.iter().any(|l| l.starts_with(mark))).then_some(mark)
}

/// Whether lines that begin with `#` have not as many fields as all others, so that they are no records.
fn has_comments(text: &Text, cuts: &Cuts, width: usize) -> bool {
    let lines = text.hashed(LOOK);
    let plain = Cuts { skip: Vec::new(), ..cuts.clone() };
    let odd = |line: &&str| Cursor::new(line, &plain).fields().is_ok_and(|f| f.len() != width);
    width > 1 && !lines.is_empty() && lines.iter().all(odd)
}

/// The last comment before the data, where it has a name for each column.
fn commented_names(text: &str, cuts: &Cuts, width: usize) -> Option<Vec<String>> {
    if cuts.comment.is_empty() {
        return None;
    }
    let before =
        text.lines().map(str::trim_start).take_while(|l| l.is_empty() || l.starts_with(&cuts.comment));
    let last = before.filter(|l| !l.is_empty()).last()?.trim_start_matches(&cuts.comment[..]).trim();
    let bare = Cuts { comment: String::new(), skip: Vec::new(), ..cuts.clone() };
    let names: Vec<String> =
        Cursor::new(last, &bare).fields().ok()?.into_iter().map(std::borrow::Cow::into_owned).collect();
    let is_name = |n: &String| !n.is_empty() && number::whole(n).is_none();
    (width > 1 && names.len() == width && names.iter().all(is_name)).then_some(names)
}

/// Double quotes; single ones in a text without the others, where fields both begin and end with them.
fn quote(text: &str) -> u8 {
    let look: Vec<&str> = text.lines().take(LOOK).collect();
    if look.iter().any(|l| l.contains('"')) {
        return b'"';
    }
    let fields = look.iter().flat_map(|l| l.split([',', ';', '\t', '|'])).map(str::trim);
    let (mut closed, mut open) = (0, 0);
    for field in fields.filter(|f| f.starts_with('\'')) {
        let closes = field.len() > 1 && field.ends_with('\'');
        closed += usize::from(closes);
        open += usize::from(!closes);
    }
    if closed > open { b'\'' } else { b'"' }
}

/// The first records of a text under one way to cut it.
struct Sample {
    widths: Vec<usize>,
    clean: usize,
    n_fields: usize,
}

impl Sample {
    fn new(text: &str, cuts: &Cuts) -> Sample {
        let mut sample = Sample { widths: Vec::new(), clean: 0, n_fields: 0 };
        let marks = Marks::default();
        let blanks;
        let text = if cuts.separator == b' ' {
            blanks = single_blanks(text.lines().take(2 * LOOK));
            &blanks
        } else {
            text
        };
        let mut cursor = Cursor::new(text, cuts);
        while sample.widths.len() < LOOK && cursor.next_record() {
            let Ok(fields) = cursor.fields() else { break };
            let clean = fields.iter().filter(|f| is_clean(f, cuts.separator, &marks)).count();
            sample.clean += clean;
            sample.n_fields += fields.len();
            sample.widths.push(fields.len());
        }
        sample
    }

    /// Fields of most records; the first line is told from the others elsewhere.
    fn width(&self) -> usize {
        let widths = if self.widths.len() > 1 { &self.widths[1..] } else { &self.widths[..] };
        let count = |w: usize| widths.iter().filter(|v| **v == w).count();
        let first = self.widths.first().copied();
        widths.iter().copied().max_by_key(|w| (count(*w), Some(*w) == first, *w)).unwrap_or(1)
    }

    /// Share of records of one width times share of clean fields; 0 where nothing is cut.
    fn score(&self) -> f64 {
        let width = self.width();
        let cut = self.widths.iter().filter(|w| **w == width).count();
        if width < 2 {
            return 0.0;
        }
        cut as f64 / self.widths.len() as f64 * self.clean as f64 / self.n_fields.max(1) as f64
    }
}

/// A number, a date, a missing value, or a word in which no other separator is left.
fn is_clean(field: &str, separator: u8, marks: &Marks) -> bool {
    // a whole line that is not cut is neither
    const LONGEST: usize = 128;
    let others = SEPARATORS.iter().filter(|s| **s != separator && **s != b' ');
    if others.clone().all(|s| !field.as_bytes().contains(s)) {
        return true;
    }
    if field.len() > LONGEST {
        return false;
    }
    marks.has_among_numbers(field)
        || number::undress(field).is_some_and(|d| d.value(b'.', None).or(d.value(b',', None)).is_some())
        || dates::evidence(field).is_some()
}

/// Runs of blanks become one blank, those at the ends of lines none; what is quoted and the number of lines stay.
pub(crate) fn single_blanks<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    let mut out = String::new();
    for line in lines {
        let (mut quoted, mut gap) = (false, false);
        let begin = out.len();
        for c in line.trim().chars() {
            quoted ^= c == '"';
            if !quoted && (c == ' ' || c == '\t') {
                gap = true;
                continue;
            }
            if std::mem::take(&mut gap) && out.len() > begin {
                out.push(' ');
            }
            out.push(c);
        }
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: u8) {
        let found =
            sniff(&Text::Whole(text.into()), &DataOptions::default()).expect("nothing told").cuts.separator;
        assert_eq!(found as char, expected as char, "{text}");
    }

    #[test]
    fn the_separator_is_found() {
        check("a,b\n1,2\n", b',');
        check("a;b\n1,5;2,5\n", b';');
        check("0,00;0,33\n1,07;0,5\n", b';');
        check("a\tb c\n1\t2\n", b'\t');
        check("5.1, 3.5, x y\n4.9, 3.0, z\n", b',');
        check(" 1  2 3\n 4 5   6\n", b' ');
        check("\"a, b\";c\n\"d, e, f\";g\n", b';');
        check("1\n2\n3\n", b',');
        check("1|2\n", b'|');
        check("t,x\n2025-01-01 10:00,5\n2025-01-02 11:00,6\n", b',');
        check("sep=;\na;b,c\n1;2\n", b';');
        check("a;b\n1 234;5 678\n2 345;1\n", b';');
    }

    #[test]
    fn comments_are_found_at_the_top() {
        let found =
            |text: &str| sniff(&Text::Whole(text.into()), &DataOptions::default()).expect("nothing told");
        assert_eq!(found("# made today\na,b\n1,2\n").cuts.comment, "#");
        assert_eq!(found("#ff0000,1\n#00ff00,2\n").cuts.comment, "");
        assert_eq!(found("# x y\n1 2\n3 4\n").names, Some(vec!["x".into(), "y".into()]));
        assert_eq!(found("# made today\na,b\n1,2\n").names, None);
    }
}
