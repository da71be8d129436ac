//! What a column holds: numbers, switches, dates, categories, or what no network can use.

use std::collections::{BTreeMap, HashSet};

use super::Table;
use super::cells::{Cell, Column, Text};
use super::dates::{self, Evidence};
use super::index::is_index;
use super::missing::Marks;
use super::number::{self, Votes};
use super::readings::{Readings, Rule};
use super::{distinct, style};
use crate::error::{Fault, Odd};
use crate::{ColumnType, DataOptions, DateOrder, Place};

/// The most different values that a column may have as an input for each of them.
pub(crate) const MAX_CATEGORIES: usize = 256;

/// The most different dates that a target may have to be classes.
const FEW_CLASSES: usize = 20;

/// Words that are yes and no to each other, lower case, no first.
const SWITCHES: &[[&str; 2]] = &[["false", "true"], ["no", "yes"], ["n", "y"], ["f", "t"], ["off", "on"]];

/// What a column holds, with the value of each of its texts; NaN where one stands for a missing value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    Number {
        texts: Readings,
    },
    /// 0 and 1.
    Boolean {
        texts: Readings,
        names: [String; 2],
    },
    /// Seconds.
    Date {
        texts: Readings,
        has_date: bool,
        has_time: bool,
    },
    Category,
    Text,
    Index,
    /// Nothing is known of it in any row.
    Empty,
}

impl Kind {
    /// The word that `data info` shows.
    pub fn word(&self) -> &'static str {
        match self {
            Kind::Number { .. } => "number",
            Kind::Boolean { .. } => "boolean",
            Kind::Date { has_date: true, has_time: true, .. } => "datetime",
            Kind::Date { has_date: false, .. } => "time",
            Kind::Date { .. } => "date",
            Kind::Category => "category",
            Kind::Text => "text",
            Kind::Index => "index",
            Kind::Empty => "empty",
        }
    }

    /// Values of the texts, where the column is measured.
    pub fn texts(&self) -> Option<&Readings> {
        match self {
            Kind::Number { texts } | Kind::Boolean { texts, .. } | Kind::Date { texts, .. } => Some(texts),
            Kind::Category | Kind::Text | Kind::Index | Kind::Empty => None,
        }
    }
}

/// How many different texts there are.
fn distinct(texts: &[&Text]) -> usize {
    texts.iter().map(|t| t.distinct).sum()
}

/// What was found of a column.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub kind: Kind,
    pub n_missing: usize,
    /// What was decided without being told.
    pub note: Option<String>,
}

/// Whether all words of a column are one pair of yes and no.
pub(crate) fn are_switches(column: &Column) -> bool {
    let marks = Marks::default();
    let words = column.texts.iter().filter(|t| t.count > 0 && !marks.has_among_numbers(&t.text));
    column.n_numbers == 0 && switch(words.map(|t| &*t.text)).is_some()
}

/// Whether a word is a yes or no.
pub(crate) fn is_switch(word: &str) -> bool {
    SWITCHES.iter().flatten().any(|w| word.eq_ignore_ascii_case(w))
}

fn switch<'a>(words: impl Iterator<Item = &'a str> + Clone) -> Option<[&'static str; 2]> {
    words.clone().next()?;
    SWITCHES
        .iter()
        .copied()
        .find(|pair| words.clone().all(|w| pair.iter().any(|p| w.eq_ignore_ascii_case(p))))
}

/// The rows of a column by what their texts are.
struct Census<'a> {
    /// Words that are no missing value in any column.
    words: Vec<&'a Text>,
    /// Rows of texts that are always missing, of numbers told to be, and of marks that are missing among numbers.
    n_missing: usize,
    n_soft: usize,
    /// Rows of numbers, plain or dressed.
    n_numbers: usize,
    n_dates: usize,
    /// Words that are neither.
    others: Vec<&'a Text>,
    /// Signs beside numbers with the rows that have them.
    signs: BTreeMap<char, usize>,
}

impl<'a> Census<'a> {
    fn new(table: &'a Table, column: &'a Column, is_target: bool) -> Self {
        let marks = &table.marks;
        let told = match marks.has_numbers() {
            true => column.cells().filter(|c| matches!(c, Cell::Number(x) if marks.has_number(*x))).count(),
            false => 0,
        };
        let mut census = Census {
            words: Vec::new(),
            n_missing: told,
            n_soft: 0,
            n_numbers: column.n_numbers - told,
            n_dates: 0,
            others: Vec::new(),
            signs: BTreeMap::new(),
        };
        for text in column.texts.iter().filter(|t| t.count > 0) {
            if marks.has(&text.text)
                || !is_target && column.n_numbers == 0 && marks.has_among_words(&text.text)
            {
                census.n_missing += text.count;
                continue;
            }
            census.words.push(text);
            if marks.has_among_numbers(&text.text) {
                census.n_soft += text.count;
            } else if let Some(number) = number::undress(&text.text) {
                census.n_numbers += text.count;
                if let Some(sign) = number.sign {
                    *census.signs.entry(sign).or_default() += text.count;
                }
            } else if dates::evidence(&text.text).is_some() {
                census.n_dates += text.count;
                census.others.push(text);
            } else {
                census.others.push(text);
            }
        }
        census
    }

    fn n_others(&self) -> usize {
        self.others.iter().map(|t| t.count).sum()
    }
}

/// What a column holds.
///
/// # Errors
/// [`Fault`] where only the user knows.
pub(crate) fn find(
    table: &Table,
    index: usize,
    is_target: bool,
    options: &DataOptions,
) -> Result<Found, Fault> {
    let column = &table.columns[index];
    let census = Census::new(table, column, is_target);
    if let Some(told) = options
        .types
        .get(&table.names[index])
        .copied()
        .or_else(|| table.declared.get(index).copied().flatten())
    {
        return as_told(told, table, column, &census, options);
    }
    if census.n_numbers == 0 && census.words.is_empty() {
        return Ok(Found { kind: Kind::Empty, n_missing: census.n_missing, note: None });
    }
    if census.others.is_empty() && census.n_numbers > 0 {
        let found = numbers(table, column, &census, options)?;
        let kind = if !is_target && is_index(table, index, &found) { Kind::Index } else { found.kind };
        return Ok(Found { kind, ..found });
    }
    let n_others = census.n_others();
    if census.n_numbers == 0 && census.n_dates == n_others && n_others > 0 {
        if is_target && 2 * distinct(&census.words) <= n_others && distinct(&census.words) <= FEW_CLASSES {
            let note = Some("holds dates or times, which are used as classes".into());
            return Ok(Found { kind: Kind::Category, n_missing: census.n_missing, note });
        }
        return dates(column, &census, table, options);
    }
    if !census.others.is_empty() && are_switches(column) {
        return Ok(switches(column, &census, table));
    }
    if census.n_dates * 2 >= n_others && census.n_dates > census.n_numbers {
        return Err(mixed(table, column, &census, "dates"));
    }
    if census.n_numbers >= n_others {
        return match are_codes(table, column, &census) {
            true => Ok(Found {
                kind: Kind::Category,
                n_missing: census.n_missing,
                note: Some("holds numbers and words, which are used as categories".into()),
            }),
            false => Err(mixed(table, column, &census, "numbers")),
        };
    }
    let found = words(column, &census);
    if found.kind == Kind::Text
        && !is_target
        && let Some(text) = with_units(&census)
    {
        let place = table.place_of(column.first_row(text));
        return Err(Fault::Units { value: text.text.to_string(), place });
    }
    Ok(if is_target { Found { kind: Kind::Category, ..found } } else { found })
}

/// The type that a setting tells.
fn as_told(
    told: ColumnType,
    table: &Table,
    column: &Column,
    census: &Census<'_>,
    options: &DataOptions,
) -> Result<Found, Fault> {
    let n_missing = census.n_missing;
    let is_number = census.others.is_empty() && census.n_numbers > 0;
    let is_date = census.n_numbers == 0 && census.n_dates == census.n_others() && census.n_dates > 0;
    match told {
        ColumnType::Number if is_number => numbers(table, column, census, options),
        ColumnType::Number => Err(mixed(table, column, census, "numbers")),
        ColumnType::Date if is_date => dates(column, census, table, options),
        ColumnType::Date => Err(mixed(table, column, census, "dates")),
        ColumnType::Boolean if are_switches(column) => Ok(switches(column, census, table)),
        ColumnType::Boolean if is_number => {
            let found = numbers(table, column, census, options)?;
            let good = |x: f64| x.is_nan() || x == 0.0 || x == 1.0;
            let texts = found.kind.texts().cloned().unwrap_or_default();
            let all = column.values(&texts, &Marks::default()).all(good);
            let names = ["0".into(), "1".into()];
            if all {
                Ok(Found { kind: Kind::Boolean { texts, names }, ..found })
            } else {
                Err(Fault::NotSwitches)
            }
        }
        ColumnType::Boolean => Err(Fault::NotSwitches),
        ColumnType::Category => Ok(Found { kind: Kind::Category, n_missing, note: None }),
        ColumnType::Text => Ok(Found { kind: Kind::Text, n_missing, note: None }),
    }
}

/// A column of numbers, with the value of each text.
fn numbers(
    table: &Table,
    column: &Column,
    census: &Census<'_>,
    options: &DataOptions,
) -> Result<Found, Fault> {
    if let Some(fault) = signs(census) {
        return Err(fault);
    }
    let decimal = decimal(table, column, options)?;
    let mut note = None;
    let mut texts = vec![f64::NAN; column.texts.len()];
    for (value, text) in texts.iter_mut().zip(&column.texts).filter(|(_, t)| t.count > 0) {
        if table.marks.has_among_numbers(&text.text) {
            continue;
        }
        let dressed = number::undress(&text.text);
        *value = dressed.and_then(|d| d.value(decimal, options.thousands)).unwrap_or(f64::NAN);
        if value.is_nan() {
            let place = table.place_of(column.first_row(text));
            return Err(Fault::NotANumber { value: text.text.to_string(), place });
        }
    }
    if census.n_soft > 0 {
        let soft = column
            .texts
            .iter()
            .filter(|t| t.count > 0 && table.marks.has_among_numbers(&t.text) && !table.marks.has(&t.text));
        let shown: Vec<String> = soft.map(|t| format!("`{}`", t.text)).collect();
        note = Some(format!("has {} in {} rows, which are read as missing", shown.join(", "), census.n_soft));
    }
    let texts = Readings { listed: texts, rule: Rule::Number { decimal, thousands: options.thousands } };
    Ok(Found { kind: Kind::Number { texts }, n_missing: census.n_missing + census.n_soft, note })
}

/// The decimal mark of a column's numbers.
fn decimal(table: &Table, column: &Column, options: &DataOptions) -> Result<u8, Fault> {
    let votes = style::votes(column);
    let mark = style::of_column(&votes, table.mark, options).map_err(|()| marks(table, column, votes))?;
    Ok(mark.unwrap_or(column.decimal))
}

/// What is wrong with numbers whose marks only the user can tell.
fn marks(table: &Table, column: &Column, votes: Votes) -> Fault {
    let find = |comma: bool| {
        let has = |t: &&Text| {
            t.count > 0
                && number::undress(&t.text).is_some_and(|d| {
                    let v = d.votes();
                    if comma {
                        v.comma_decimal + v.comma_either + v.comma_group > 0
                    } else {
                        v.point_decimal + v.point_either + v.point_group > 0
                    }
                })
        };
        column.texts.iter().find(has)
    };
    let commas = votes.comma_either + votes.comma_decimal + votes.comma_group;
    let text = find(commas > 0).or_else(|| find(false));
    let value = text.map_or(String::new(), |t| t.text.to_string());
    let place = text.map_or(Place::Line(0), |t| table.place_of(column.first_row(t)));
    match votes.proved() {
        Ok(_) => Fault::EitherMark { value, place },
        Err(()) => Fault::BothMarks { value, place },
    }
}

/// Signs that make numbers of different kinds.
fn signs(census: &Census<'_>) -> Option<Fault> {
    let signed: usize = census.signs.values().sum();
    let bare = census.n_numbers - signed;
    let relative = |c: &char| matches!(c, '%' | '‰');
    let mut kinds: Vec<String> = census.signs.iter().map(|(sign, n)| format!("{n} with `{sign}`")).collect();
    let unlike = census.signs.len() > 1 || census.signs.keys().any(relative) && bare > 0;
    if unlike && bare > 0 {
        kinds.push(format!("{bare} without a sign"));
    }
    unlike.then_some(Fault::Signs { kinds })
}

/// A column of dates, times or both.
fn dates(column: &Column, census: &Census<'_>, table: &Table, options: &DataOptions) -> Result<Found, Fault> {
    let evidence = |t: &&Text| dates::evidence(&t.text);
    let find = |wanted: Evidence| census.others.iter().copied().find(|t| evidence(t) == Some(wanted));
    let (day, month) = (find(Evidence::DayFirst), find(Evidence::MonthFirst));
    let order = match (options.date_order, day, month, find(Evidence::Either)) {
        (Some(told), ..) => told,
        (None, Some(a), Some(b), _) => {
            return Err(Fault::DatesDisagree { one: a.text.to_string(), other: b.text.to_string() });
        }
        (None, Some(_), None, _) => DateOrder::Dmy,
        (None, None, Some(_), _) => DateOrder::Mdy,
        (None, None, None, Some(either)) => {
            let place = table.place_of(column.first_row(either));
            return Err(Fault::DateOrder { value: either.text.to_string(), place });
        }
        (None, None, None, None) => DateOrder::Dmy,
    };
    let mut texts = vec![f64::NAN; column.texts.len()];
    let (mut n_dates, mut n_times, mut n) = (0, 0, 0);
    for (value, text) in texts.iter_mut().zip(&column.texts).filter(|(_, t)| t.count > 0) {
        if table.marks.has_among_numbers(&text.text) {
            continue;
        }
        let Some(moment) = dates::read(&text.text, order) else {
            let place = table.place_of(column.first_row(text));
            return Err(Fault::NotADate { value: text.text.to_string(), place, order });
        };
        *value = moment.seconds;
        n += 1;
        n_dates += usize::from(moment.has_date);
        n_times += usize::from(moment.has_time);
    }
    if n_dates != 0 && n_dates != n {
        return Err(mixed(table, column, census, "dates"));
    }
    let texts = Readings { listed: texts, rule: Rule::Date(order) };
    let kind = Kind::Date { texts, has_date: n_dates > 0, has_time: n_times > 0 };
    Ok(Found { kind, n_missing: census.n_missing + census.n_soft, note: None })
}

/// A column of yes and no.
fn switches(column: &Column, census: &Census<'_>, table: &Table) -> Found {
    let known = census.others.iter().map(|t| &*t.text);
    let pair = switch(known).unwrap_or(["false", "true"]);
    let value =
        |t: &Text| match (table.marks.has_among_numbers(&t.text), t.text.eq_ignore_ascii_case(pair[1])) {
            (true, _) => f64::NAN,
            (false, yes) => f64::from(u8::from(yes)),
        };
    let texts = Readings { listed: column.texts.iter().map(value).collect(), rule: Rule::Listed };
    Found {
        kind: Kind::Boolean { texts, names: pair.map(String::from) },
        n_missing: census.n_missing + census.n_soft,
        note: None,
    }
}

/// Numbers among words that are codes all the same: `2`, `3`, `4`, `5more`. Few values that each come often.
fn are_codes(table: &Table, column: &Column, census: &Census<'_>) -> bool {
    const FEW: usize = 12;
    let mut numbers = HashSet::new();
    for cell in column.cells() {
        if let Cell::Number(x) = cell
            && !table.marks.has_number(x)
            && (x.fract() != 0.0 || numbers.insert(x.to_bits()) && numbers.len() > FEW)
        {
            return false;
        }
    }
    let often = (column.len() / 50).max(3);
    distinct(&census.others) <= FEW && census.others.iter().all(|t| t.count >= often)
}

/// Categories, or text that no network of this kind can use.
fn words(column: &Column, census: &Census<'_>) -> Found {
    let distinct = distinct(&census.words) + distinct::count(column);
    let known = column.len() - census.n_missing;
    let each_its_own = distinct == known && known >= 10;
    let text = each_its_own || distinct > 20 && distinct * 2 > known;
    let kind = if text { Kind::Text } else { Kind::Category };
    Found { kind, n_missing: census.n_missing, note: None }
}

/// One of the texts of a column in which all are numbers with a unit behind them, as `12.5 kg`: of few units.
fn with_units<'a>(census: &Census<'a>) -> Option<&'a Text> {
    const FEW: usize = 3;
    let mut units = HashSet::new();
    let all = census.n_numbers == 0
        && census.others.iter().all(|t| {
            number::unit(&t.text).is_some_and(|u| {
                units.insert(u);
                units.len() <= FEW
            })
        });
    census.others.first().copied().filter(|_| all)
}

/// The fault of a column of one kind with words of another in it.
fn mixed(table: &Table, column: &Column, census: &Census<'_>, kind: &'static str) -> Fault {
    let is_other = |t: &&&Text| kind != "dates" || dates::evidence(&t.text).is_none();
    let others: Vec<&Text> = census.others.iter().filter(is_other).copied().collect();
    let n = others.iter().map(|t| t.count).sum();
    let mut odd: Vec<Odd> = others
        .iter()
        .filter(|t| t.distinct == 1)
        .take(1000)
        .map(|t| Odd {
            value: t.text.to_string(),
            count: t.count,
            place: Place::Line(0),
            row: column.first_row(t),
        })
        .collect();
    odd.sort_by_key(|o| std::cmp::Reverse(o.count));
    odd.truncate(3);
    for one in &mut odd {
        one.place = table.place_of(one.row);
    }
    let known = column.len() - census.n_missing;
    Fault::Mixed { kind, n, known, distinct: distinct(&others), odd }
}
