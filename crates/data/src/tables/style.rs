//! Which mark begins the decimals of each column.

use super::cells::Column;
use super::missing::Marks;
use super::number::{self, Votes};
use crate::DataOptions;

/// What the numbers of a column prove of its marks.
pub(crate) fn votes(column: &Column) -> Votes {
    let mut votes = Votes::default();
    votes.add_plain(column.decimal, column.sure_marks, column.either_marks);
    let marks = Marks::default();
    let many = column.n_texts() > 100;
    for text in column.texts.iter().filter(|t| t.count > 0 && !marks.has_among_numbers(&t.text)) {
        match number::undress(&text.text) {
            Some(number) => votes.add(number.votes()),
            // words among numbers prove nothing
            None if many && column.n_numbers == 0 => return Votes::default(),
            None => {}
        }
    }
    votes
}

/// The decimal marks under which a text should be read once more; `None` where it was read rightly.
pub(crate) fn decimals(columns: &[Column], options: &DataOptions) -> Option<Vec<u8>> {
    let all: Vec<Votes> = columns.iter().map(votes).collect();
    let table = table_mark(&all);
    let of = |(column, votes): (&Column, &Votes)| {
        of_column(votes, table, options).ok().flatten().unwrap_or(column.decimal)
    };
    let wanted: Vec<u8> = columns.iter().zip(&all).map(of).collect();
    wanted.iter().zip(columns).any(|(w, c)| *w != c.decimal).then_some(wanted)
}

/// The decimal mark that follows from a told separator of thousands.
fn beside_thousands(options: &DataOptions) -> Option<u8> {
    match options.thousands {
        Some(',') => Some(b'.'),
        Some('.') => Some(b','),
        _ => None,
    }
}

/// The decimal mark that all columns which prove one agree on.
pub(crate) fn table_mark(all: &[Votes]) -> Option<u8> {
    let proofs: Vec<u8> = all.iter().filter_map(|v| v.proved().ok().flatten()).collect();
    let first = *proofs.first()?;
    proofs.iter().all(|p| *p == first).then_some(first)
}

/// The decimal mark of a column: proved by its own numbers, else told or that of the training table, else by those of
/// the other columns; `None` where its numbers have no mark that could be either, an error where only the user knows.
pub(crate) fn of_column(votes: &Votes, table: Option<u8>, options: &DataOptions) -> Result<Option<u8>, ()> {
    if let Some(mark) = beside_thousands(options) {
        return Ok(Some(mark));
    }
    let before = || options.schema.as_ref()?.dialect.decimal;
    let told = options.decimal.or_else(before).and_then(|d| u8::try_from(d).ok());
    match (votes.proved(), told) {
        (Ok(Some(own)), _) => return Ok(Some(own)),
        (_, Some(told)) => return Ok(Some(told)),
        (Err(()), None) => return Err(()),
        (Ok(None), None) => {}
    }
    match (votes.comma_either, votes.point_either) {
        (1.., _) => table.map(Some).ok_or(()),
        (0, 1..) => Ok(Some(table.unwrap_or(b'.'))),
        (0, 0) => Ok(None),
    }
}
