//! What can be wrong with the lines and columns of a table.

use super::words::NAMED;
use crate::DateOrder;

/// Where a value stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A line of a text, from 1; 0 where it is not known.
    Line(u64),
    /// A row of a table that has no lines, from 1.
    Row(u64),
    /// The place in one of several files.
    In(Box<Place>, String),
}

impl Place {
    /// Whether there is anything to say.
    fn is_known(&self) -> bool {
        match self {
            Place::Line(line) => *line > 0,
            Place::Row(_) => true,
            Place::In(..) => true,
        }
    }

    /// The line in the only file.
    pub fn line(&self) -> Option<u64> {
        match self {
            Place::Line(line) => Some(*line).filter(|line| *line > 0),
            Place::Row(_) | Place::In(..) => None,
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Place::Line(line) => write!(f, "line {line}"),
            Place::Row(row) => write!(f, "row {row}"),
            Place::In(place, file) => write!(f, "{place} of `{}`", printable(file)),
        }
    }
}

/// A line that has not as many fields as the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OddLine {
    /// The line, from 1.
    pub line: u64,
    /// Its fields.
    pub fields: usize,
    /// Its beginning.
    pub text: String,
}

/// A column that cannot be used as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnFault {
    /// Its name.
    pub column: String,
    /// Whether it is a target.
    pub target: bool,
    /// What is wrong with it.
    pub fault: Fault,
}

/// A word among numbers or dates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Odd {
    /// The word.
    pub value: String,
    /// How often it comes.
    pub count: usize,
    /// Where it comes first.
    pub place: Place,
    /// The row in which it comes first, from 0.
    pub row: usize,
}

/// Why a value cannot weigh a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoWeight {
    /// It is below 0.
    Negative,
    /// It is infinite.
    Infinite,
    /// There is none.
    Missing,
    /// It is a word, or a number with a unit.
    NotANumber,
}

/// What is wrong with a column.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// It is mostly of one kind, with words of another.
    Mixed {
        /// Numbers or dates.
        kind: &'static str,
        /// Rows with other words.
        n: usize,
        /// Rows with any value.
        known: usize,
        /// Different other words.
        distinct: usize,
        /// The most frequent of them.
        odd: Vec<Odd>,
    },
    /// A field is no number.
    NotANumber {
        /// The field.
        value: String,
        /// Where it stands.
        place: Place,
    },
    /// A comma or point in its numbers may begin decimals or separate thousands.
    EitherMark {
        /// One of the numbers.
        value: String,
        /// Where it stands.
        place: Place,
    },
    /// Its numbers contradict each other in what comma and point mean.
    BothMarks {
        /// One of the numbers.
        value: String,
        /// Where it stands.
        place: Place,
    },
    /// Its numbers have different signs beside them, as percent and none.
    Signs {
        /// How many have which.
        kinds: Vec<String>,
    },
    /// Its numbers have units behind them.
    Units {
        /// One of the fields.
        value: String,
        /// Where it stands.
        place: Place,
    },
    /// Day and month of all its dates may be either.
    DateOrder {
        /// One of the dates.
        value: String,
        /// Where it stands.
        place: Place,
    },
    /// Its dates contradict each other in the order of day and month.
    DatesDisagree {
        /// A date whose day comes first.
        one: String,
        /// A date whose month comes first.
        other: String,
    },
    /// A date that does not exist in the order that was told.
    NotADate {
        /// The field.
        value: String,
        /// Where it stands.
        place: Place,
        /// The order.
        order: DateOrder,
    },
    /// It was told to hold switches, and has other values.
    NotSwitches,
    /// A target of words, where numbers are to be predicted.
    NoNumbers {
        /// One of the words.
        value: String,
    },
    /// A target with so many classes that it is probably none.
    ManyClasses {
        /// Different values.
        classes: usize,
        /// Rows with any.
        rows: usize,
        /// One of them.
        example: String,
    },
    /// A target of dates.
    DateTarget,
    /// Parts are to be cut by its times, and it holds none.
    NoTimes,
    /// It is to weigh the rows, and not all of its values can.
    BadWeight {
        /// The first of them.
        value: String,
        /// Why it cannot.
        why: NoWeight,
        /// Where it stands.
        place: Place,
        /// How many there are.
        n: usize,
    },
}

/// `line 5 has 3 fields, the others 2 (`Total, 7, 8`)`.
pub(super) fn odd_lines(n: usize, lines: &[OddLine], expected: usize) -> String {
    let fields = |n: usize| if n == 1 { "1 field".into() } else { format!("{n} fields") };
    let one = |l: &OddLine| format!("line {} has {} (`{}`)", l.line, fields(l.fields), printable(&l.text));
    let shown = lines.iter().map(one).collect::<Vec<_>>().join(", ");
    let more =
        if n > lines.len() { format!(", and {} more odd lines", n - lines.len()) } else { String::new() };
    format!("{shown}{more}; the others have {expected}")
}

/// What to type about odd lines: to leave them out, where they are few or stand together.
pub(super) fn of_lines(n: usize, lines: &[OddLine], last: u64) -> String {
    let first = lines.first().map_or(1, |l| l.line);
    let other = "`data.separator=\";\"` chooses another separator";
    if last == n as u64 {
        return format!("`data.skip={n}` skips the lines above the table; {other}");
    }
    if n > lines.len() && last - first + 1 == n as u64 {
        return format!("`data.skip_lines={first}-{last}` skips these lines; {other}");
    }
    if n > lines.len() {
        return format!("{other}; comments: `data.comment=\"#\"`");
    }
    let few: Vec<String> = lines.iter().map(|l| l.line.to_string()).collect();
    format!("`data.skip_lines={}` skips lines that are not data; {other}", few.join(","))
}

/// The faults of columns in one message.
pub(super) fn column_faults(faults: &[ColumnFault]) -> String {
    let shown: Vec<String> = faults.iter().take(NAMED).map(of_fault).collect();
    let more = faults.len().saturating_sub(NAMED);
    let more = if more > 0 { format!("; and {more} more columns") } else { String::new() };
    match faults.len() {
        0 | 1 => shown.concat(),
        n => format!("{n} columns cannot be used: {}{more}", shown.join("; ")),
    }
}

/// A value, with its place where that is known.
fn at(value: &str, place: &Place) -> String {
    match place.is_known() {
        false => format!("`{}`", printable(value)),
        true => format!("`{}` in {place}", printable(value)),
    }
}

fn of_fault(fault: &ColumnFault) -> String {
    let name = format!("{} `{}`", if fault.target { "target" } else { "column" }, printable(&fault.column));
    match &fault.fault {
        Fault::Mixed { kind, n, known, odd, distinct } => {
            let shown = odd.iter().map(|o| at(&o.value, &o.place)).collect::<Vec<_>>().join(", ");
            let more = if *distinct > odd.len() { ", …" } else { "" };
            let has = if *n == 1 { "1 is not".into() } else { format!("{n} are not") };
            format!("{name} holds {kind}, but of {known} values {has}: {shown}{more}")
        }
        Fault::NotANumber { value, place } => format!("{name}: {} is not a number", at(value, place)),
        Fault::EitherMark { value, place } => {
            let mark = if value.contains(',') { "comma" } else { "point" };
            format!(
                "{name}: the {mark} in {} may be a decimal mark or a thousands separator",
                at(value, place)
            )
        }
        Fault::BothMarks { value, place } => {
            format!(
                "{name}: some numbers have a decimal comma and others a decimal point, as in {}",
                at(value, place)
            )
        }
        Fault::Signs { kinds } => format!("{name} mixes numbers of different kinds: {}", kinds.join(", ")),
        Fault::Units { value, place } => {
            format!("{name} holds numbers with units, such as {}", at(value, place))
        }
        Fault::DateOrder { value, place } => {
            format!(
                "{name}: {} may be day and month or month and day, and so may all other dates in it",
                at(value, place)
            )
        }
        Fault::DatesDisagree { one, other } => {
            format!(
                "{name}: the day comes first in `{}`, and the month in `{}`",
                printable(one),
                printable(other)
            )
        }
        Fault::NotADate { value, place, order } => {
            format!("{name}: {} is not a date in the order {}", at(value, place), order.word())
        }
        Fault::NotSwitches => format!("{name} has values other than one pair of words, or 0 and 1"),
        Fault::NoNumbers { value } => {
            format!("{name} holds words, such as `{}`, but the task is to predict numbers", printable(value))
        }
        Fault::ManyClasses { classes, rows, example } => {
            format!(
                "{name} has {classes} different values in {rows} rows, such as `{}`: too many for classes",
                printable(example)
            )
        }
        Fault::BadWeight { value, why, place, n } => bad_weight(&name, value, *why, place, *n),
        Fault::NoTimes => {
            format!("{name} holds neither dates nor numbers, so it cannot put the rows in order")
        }
        Fault::DateTarget => format!("{name} holds dates, which are neither classes nor numbers"),
    }
}

/// What to type where a column does not weigh the rows.
const OTHER_WEIGHT: &str = "`data.weight=NAME` chooses another column";

fn bad_weight(name: &str, value: &str, why: NoWeight, place: &Place, n: usize) -> String {
    let what = match why {
        NoWeight::Negative => "is negative",
        NoWeight::Infinite => "is infinite",
        NoWeight::Missing => "stands for a missing value",
        NoWeight::NotANumber => "is not a number",
    };
    let one = match value {
        "" => format!("the value in {place} is missing"),
        _ => format!("{} {what}", at(value, place)),
    };
    let more = if n > 1 { format!(", and {} more are no weights either", n - 1) } else { String::new() };
    format!("{name} cannot weigh the rows: {one}{more}")
}

/// What to type about the faults of columns.
pub(super) fn of_faults(faults: &[ColumnFault]) -> String {
    match faults {
        [] => String::new(),
        [one] => of_one(one),
        many => {
            if let Some(line) = common_line(many) {
                return format!("`data.skip_lines={line}` skips line {line}, which has all of them");
            }
            let inputs: Vec<String> = many.iter().filter(|f| !f.target).map(|f| quoted(&f.column)).collect();
            let same = many
                .iter()
                .all(|f| std::mem::discriminant(&f.fault) == std::mem::discriminant(&many[0].fault));
            let own = if same || inputs.len() < many.len() {
                format!("{}; ", of_one(&many[0]))
            } else {
                String::new()
            };
            format!("{own}`data.drop=[{}]` leaves them out", inputs.join(","))
        }
    }
}

/// The one line in which everything that is odd stands, as units below the names or a total at the end.
fn common_line(faults: &[ColumnFault]) -> Option<u64> {
    let mut lines = faults.iter().map(|f| match &f.fault {
        Fault::Mixed { n: 1, odd, .. } => odd.first().and_then(|o| o.place.line()),
        _ => None,
    });
    let first = lines.next()??;
    lines.all(|l| l == Some(first)).then_some(first)
}

fn of_one(fault: &ColumnFault) -> String {
    let name = quoted(&fault.column);
    let leave = if fault.target {
        "`data.target=NAME` chooses another target".to_string()
    } else {
        format!("`data.drop=[{name}]` leaves the column out")
    };
    let as_words = format!("`data.types={{{name}=\"category\"}}` makes it categories");
    match &fault.fault {
        Fault::Mixed { n: 1, odd, .. } if odd[0].place.line().is_some() => {
            let line = odd[0].place.line().unwrap_or(0);
            format!(
                "correct it, or `data.missing=[{}]`, or `data.skip_lines={line}`; {leave}",
                quoted(&odd[0].value)
            )
        }
        Fault::Mixed { odd, distinct, .. } if *distinct <= NAMED => {
            let marks = odd.iter().map(|o| quoted(&o.value)).collect::<Vec<_>>().join(",");
            format!("`data.missing=[{marks}]` reads them as missing values; {as_words}; {leave}")
        }
        Fault::Mixed { .. } => format!("{as_words}; {leave}"),
        Fault::NotANumber { .. } => format!("correct it; {as_words}; {leave}"),
        Fault::EitherMark { value, .. } => {
            let mark = if value.contains(',') { ',' } else { '.' };
            format!(
                "`data.decimal=\"{mark}\"` if it is the decimal mark, `data.thousands=\"{mark}\"` if it separates thousands"
            )
        }
        Fault::BothMarks { .. } => {
            format!("correct them, or `data.thousands=\",\"` if all commas separate thousands; {leave}")
        }
        Fault::Signs { .. } => format!("write them alike; {leave}"),
        Fault::Units { .. } => format!("write the numbers alone; {as_words}; {leave}"),
        Fault::DateOrder { .. } => {
            "`data.date_order=dmy` if the day comes first, `data.date_order=mdy` if the month does".into()
        }
        Fault::DatesDisagree { .. } | Fault::NotADate { .. } => format!("correct them; {as_words}; {leave}"),
        Fault::NotSwitches => format!("{as_words}; {leave}"),
        Fault::NoNumbers { .. } => {
            "`data.task=classification` predicts them as classes; `data.target=NAME` chooses another target".into()
        }
        Fault::ManyClasses { .. } => {
            "`data.target=NAME` chooses another target; `data.task=classification` if they are classes after all"
                .into()
        }
        Fault::BadWeight { n: 1, place, .. } if place.line().is_some() => {
            let line = place.line().unwrap_or(0);
            format!("correct it (0 if the row is not to count), or `data.skip_lines={line}`; {OTHER_WEIGHT}")
        }
        Fault::BadWeight { .. } => {
            format!("write numbers of 0 or more there (0 where a row is not to count); {OTHER_WEIGHT}")
        }
        Fault::NoTimes => "`data.time=NAME` chooses another column".into(),
        Fault::DateTarget => {
            format!("{leave}; `data.types={{{name}=\"category\"}}` makes classes of them")
        }
    }
}

/// A text as it can be typed in a list.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A text from a file without what a terminal would obey.
fn printable(text: &str) -> String {
    text.replace(char::is_control, "?")
}
