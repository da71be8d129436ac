//! What separates the fields of a table, and what its first line is.

use crate::{DataError, DataOptions};

/// Separators in the order in which they are preferred when several would do.
const SEPARATORS: [u8; 5] = [b'\t', b',', b';', b'|', b' '];

/// Lines that are looked at.
const LOOK: usize = 50;

/// How a table is written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Dialect {
    /// What separates fields; a blank stands for runs of blanks.
    pub separator: u8,
    /// What the first line is.
    pub header: Header,
}

/// What the first line of a table is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Header {
    /// Data.
    None,
    /// Names of the columns.
    Names(Vec<String>),
    /// Number of samples and of inputs, then names of the classes (scikit-learn's own files).
    Counted(Vec<String>),
}

/// The separator of a text: told, or the one that cuts most lines into the same number of fields.
pub(crate) fn separator(text: &str, options: &DataOptions) -> Result<u8, DataError> {
    if let Some(told) = options.separator {
        let good =
            u8::try_from(told).ok().filter(|s| s.is_ascii() && !s.is_ascii_alphanumeric() && *s != b'"');
        let (value, expected) = (told.to_string(), "a comma, semicolon, tab, bar, blank or the like".into());
        return good.ok_or(DataError::BadOption { option: "separator", value, expected });
    }
    let lines: Vec<&str> = text.lines().filter(|l| !l.trim().is_empty()).take(LOOK).collect();
    let score = |separator: u8| {
        let counts: Vec<usize> =
            lines.iter().map(|l| count_fields(l, separator)).filter(|c| *c > 1).collect();
        counts.iter().map(|c| counts.iter().filter(|d| *d == c).count()).max().unwrap_or(0)
    };
    // The first of the best: `max_by_key` gives the last.
    let best = SEPARATORS.into_iter().rev().max_by_key(|s| score(*s)).unwrap_or(b',');
    Ok(if score(best) == 0 { b',' } else { best })
}

/// Fields of a line, separators between quotes left aside.
fn count_fields(line: &str, separator: u8) -> usize {
    if separator == b' ' {
        return line.split_ascii_whitespace().count();
    }
    let mut quoted = false;
    let separators = line.bytes().filter(|b| {
        quoted ^= *b == b'"';
        *b == separator && !quoted
    });
    separators.count() + 1
}

/// Tells what the first of the `rows` is; `n_rows` counts all of the file.
pub(crate) fn header(rows: &[Vec<String>], n_rows: impl Fn() -> usize, told: Option<bool>) -> Header {
    let Some((first, others)) = rows.split_first() else { return Header::None };
    let names = || Header::Names(first.clone());
    match told {
        Some(true) => return names(),
        Some(false) => return Header::None,
        None => {}
    }
    if let Some(classes) = counted(first, others, n_rows) {
        return Header::Counted(classes);
    }
    let unique = || first.iter().enumerate().all(|(i, f)| !f.is_empty() && !first[..i].contains(f));
    let text = first.iter().all(|f| !super::scan::is_missing(f) && f.parse::<f64>().is_err());
    let recurs = |column: usize| others.iter().any(|row| row.get(column) == Some(&first[column]));
    if text && unique() && !(0..first.len()).any(recurs) { names() } else { Header::None }
}

/// `569,30,malignant,benign`: the counts must be those of the lines that follow.
fn counted(first: &[String], others: &[Vec<String>], n_rows: impl Fn() -> usize) -> Option<Vec<String>> {
    let [n, n_inputs, classes @ ..] = first else { return None };
    let (n, n_inputs) = (n.parse::<usize>().ok()?, n_inputs.parse::<usize>().ok()?);
    let fits = n_inputs.checked_add(1)? == others.first()?.len() && n.checked_add(1)? == n_rows();
    fits.then(|| classes.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: u8) {
        let found = separator(text, &DataOptions::default()).expect("nothing told");
        assert_eq!(found as char, expected as char, "{text}");
    }

    #[test]
    fn the_separator_is_found() {
        check("a,b\n1,2\n", b',');
        check("a;b\n1,5;2,5\n", b';');
        check("a\tb c\n1\t2\n", b'\t');
        check("5.1, 3.5, x y\n4.9, 3.0, z\n", b',');
        check(" 1  2 3\n 4 5   6\n", b' ');
        check("\"a, b\";c\n\"d, e, f\";g\n", b';');
        check("1\n2\n3\n", b',');
        check("1|2\n", b'|');
    }

    fn rows(text: &str) -> Vec<Vec<String>> {
        text.lines().map(|l| l.split(',').map(String::from).collect()).collect()
    }

    #[test]
    fn the_first_line_is_understood() {
        let names = |n: &[&str]| n.iter().map(|s| (*s).to_string()).collect::<Vec<_>>();
        let tell = |text: &str| header(&rows(text), || text.lines().count(), None);
        assert_eq!(tell("a,b\n1,2"), Header::Names(names(&["a", "b"])));
        assert_eq!(tell("1,2\n3,4"), Header::None);
        assert_eq!(tell("red,small\nblue,large\nred,large"), Header::None);
        assert_eq!(tell("2,1,no,yes\n0.5,0\n0.7,1"), Header::Counted(names(&["no", "yes"])));
        assert_eq!(tell("3,1,no,yes\n0.5,0,1,1\n0.7,1,1,1"), Header::None);
    }
}
