//! What stands for a value that is missing.

use super::cells::Column;
use super::{dates, kinds, number};

/// Marks that mean so in every column, in any case.
const ALWAYS: &[&str] = &[
    "", "?", "na", "n/a", "n.a.", "nan", "-nan", "+nan", "nat", "null", "(null)", "\\n", "<na>", "#n/a",
    "#na", "#value!", "#div/0!", "#ref!", "#name?", "#num!", "#null!", "1.#qnan", "-1.#qnan", "1.#ind",
    "-1.#ind", "#n/a n/a",
];

/// Marks that mean so among numbers, dates and switches, and are words among words: `None` may be a class.
const AMONG_NUMBERS: &[&str] = &["none", "nil", "missing", "-", "--", "---", ".", "..", "*"];

/// The longest of all marks.
const LONGEST: usize = 8;

/// What stands for a missing value in one table.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Marks {
    /// Marks that the user told.
    told: Vec<String>,
    /// Those of them that are numbers, as `-99`.
    numbers: Vec<f64>,
    /// Marks among numbers that stand in this table beside numbers or words: as inputs, they mean the same among
    /// all its words. A network sees a missing word as it sees a word of its own.
    evident: Vec<Box<str>>,
}

impl Marks {
    pub fn new(told: &[String]) -> Self {
        Marks {
            told: told.to_vec(),
            numbers: told.iter().filter_map(|t| number::whole(t)).collect(),
            evident: Vec::new(),
        }
    }

    /// Whether a text means a missing value in a column of words.
    pub fn has(&self, text: &str) -> bool {
        is_one_of(ALWAYS, text) || self.told.iter().any(|t| t == text)
    }

    /// Whether it means so in a column of numbers, dates or switches.
    pub fn has_among_numbers(&self, text: &str) -> bool {
        self.has(text) || is_one_of(AMONG_NUMBERS, text)
    }

    /// Whether it means so in a column of words that are inputs.
    pub fn has_among_words(&self, text: &str) -> bool {
        self.has(text) || self.evident.iter().any(|e| **e == *text)
    }

    /// Notes the marks of a column in which they can mean nothing else.
    pub fn learn(&mut self, column: &Column) {
        let marks = column.texts.iter().filter(|t| t.count > 0);
        let some = marks.clone().any(|t| is_one_of(AMONG_NUMBERS, &t.text));
        if !some || !is_measured(column) && !self.are_words(column) {
            return;
        }
        for text in marks.filter(|t| is_one_of(AMONG_NUMBERS, &t.text)) {
            if !self.evident.contains(&text.text) {
                self.evident.push(text.text.clone());
            }
        }
    }

    /// Whether all other words of a column begin with a letter or digit, so that a mark is not of a kind with them, as
    /// `-` is with `+`.
    fn are_words(&self, column: &Column) -> bool {
        let words = column.texts.iter().filter(|t| t.count > 0 && !self.has_among_numbers(&t.text));
        column.n_numbers == 0
            && words.clone().map(|t| t.distinct).sum::<usize>() > 1
            && words.clone().all(|t| t.text.starts_with(char::is_alphanumeric))
    }

    /// Whether a number was told to stand for a missing value.
    pub fn has_number(&self, value: f64) -> bool {
        self.numbers.contains(&value)
    }

    /// Whether any number was told.
    pub fn has_numbers(&self) -> bool {
        !self.numbers.is_empty()
    }
}

/// Whether a column has numbers, dates or switches besides marks.
fn is_measured(column: &Column) -> bool {
    let known = Marks::default();
    let mut words =
        column.texts.iter().filter(|t| t.count > 0 && !known.has_among_numbers(&t.text)).peekable();
    let measured = |text: &str| number::undress(text).is_some() || dates::evidence(text).is_some();
    let some = column.n_numbers > 0 || words.peek().is_some();
    some && (words.clone().all(|t| measured(&t.text)) || column.n_numbers == 0 && kinds::are_switches(column))
}

fn is_one_of(marks: &[&str], text: &str) -> bool {
    text.len() <= LONGEST && marks.iter().any(|m| text.eq_ignore_ascii_case(m))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_known_by_column() {
        let marks = Marks::new(&["-99".into(), "absent".into()]);
        assert!(
            ["", "NA", "#DIV/0!", "NaT", "<NA>", "N.A.", "1.#QNAN", "absent"].iter().all(|m| marks.has(m))
        );
        assert!(!["None", "-", "Absent", "north"].iter().any(|m| marks.has(m)));
        assert!(["None", "-", ".", "*", "nil", "missing"].iter().all(|m| marks.has_among_numbers(m)));
        assert!(marks.has_number(-99.0) && !marks.has_number(99.0));
        assert!(ALWAYS.iter().chain(AMONG_NUMBERS).all(|m| m.len() <= LONGEST));
    }
}
