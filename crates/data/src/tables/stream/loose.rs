//! Texts of a column that are too many for its list: those that matter by themselves join it, all others by kinds.
//!
//! Whatever is decided of a column looks at a text through few questions: is it a mark, a number under which decimal
//! mark, a date in which order, a word of which kind? Texts that answer alike are one text of the list, with their
//! count, their first row and their number, and nothing that follows can tell the difference. By themselves stay marks
//! of missing values, switches, words of totals, the field of the first line, the most frequent texts, and the first
//! that a message may show as an example.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};

use crate::DataOptions;
use crate::DateOrder;
use crate::tables::cells::{Cell, Column, Seen, Text, packed};
use crate::tables::dates::{self, Evidence};
use crate::tables::kinds;
use crate::tables::missing::Marks;
use crate::tables::number::{self, Votes};
use crate::tables::remarks;
use crate::tables::scratch::Scratch;

/// Texts that are neither numbers nor dates of which the first are kept, for messages.
const FIRST: usize = 1000;

/// Units that are told apart; more than a column of numbers with units has.
const UNITS: usize = 4;

/// Texts of a list beyond which the number of different dates or numbers plays no part.
const MANY: usize = 1000;

/// Bytes of a part that are written together.
const PIECE: usize = 1 << 15;

/// Whether a date has a day, and whether it has a time.
type Moments = (bool, bool);

/// What can be asked of a text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Kind {
    number: Option<(Votes, Option<char>, [bool; 2])>,
    /// What it tells of the order of day and month, and which parts it has in each order.
    date: Option<(Evidence, [Option<Moments>; 2])>,
    is_word: bool,
    unit: Option<String>,
}

impl Kind {
    fn of(text: &str, thousands: Option<char>, units: &mut Vec<String>) -> Kind {
        let number = number::undress(text).map(|d| {
            let reads = [b'.', b','].map(|mark| d.value(mark, thousands).is_some());
            (d.votes(), d.sign, reads)
        });
        let parts = |order| dates::read(text, order).map(|m| (m.has_date, m.has_time));
        let date = match number {
            Some(_) => None,
            None => dates::evidence(text).map(|e| (e, [DateOrder::Dmy, DateOrder::Mdy].map(parts))),
        };
        let unit = number::unit(text).map(|unit| {
            if !units.iter().any(|u| u == unit) && units.len() < UNITS {
                units.push(unit.into());
            }
            // all units beyond the first few are one
            units.iter().find(|u| *u == unit).or(units.last()).cloned().unwrap_or_default()
        });
        Kind { number, date, is_word: text.starts_with(char::is_alphanumeric), unit }
    }
}

/// Those that stay by themselves, while they are looked for.
struct Search<'a> {
    marks: Marks,
    watched: &'a str,
    thousands: Option<char>,
    units: Vec<String>,
    /// Different texts of each kind.
    distinct: HashMap<Kind, usize>,
    alone: HashSet<Box<str>>,
    frequent: BinaryHeap<(Reverse<usize>, Box<str>)>,
    most: usize,
    /// The first texts that are no numbers, and those that are no dates either.
    odd: [BinaryHeap<(usize, Box<str>)>; 2],
}

impl Search<'_> {
    /// Whether a text stays by itself for what it is.
    fn is_alone(&self, text: &str) -> bool {
        text == self.watched
            || self.marks.has_among_numbers(text)
            || kinds::is_switch(text)
            || remarks::is_total(text)
    }

    fn add(&mut self, text: &str, count: usize, first: usize) {
        let kind = Kind::of(text, self.thousands, &mut self.units);
        let odd = [kind.number.is_none(), kind.number.is_none() && kind.date.is_none()];
        *self.distinct.entry(kind).or_default() += 1;
        if self.is_alone(text) {
            self.alone.insert(text.into());
            return;
        }
        let rarer = |(least, last): &(Reverse<usize>, Box<str>)| (Reverse(count), text) < (*least, &**last);
        if self.frequent.len() < self.most || self.frequent.peek().is_some_and(rarer) {
            self.frequent.push((Reverse(count), text.into()));
            if self.frequent.len() > self.most {
                self.frequent.pop();
            }
        }
        for (all, _) in self.odd.iter_mut().zip(odd).filter(|(_, is_odd)| *is_odd) {
            if all.len() < FIRST || all.peek().is_some_and(|(last, _)| first < *last) {
                all.push((first, text.into()));
                if all.len() > FIRST {
                    all.pop();
                }
            }
        }
    }
}

impl Column {
    /// Whether the list has every text by itself.
    pub fn is_listed(&self) -> bool {
        self.away.as_ref().is_none_or(|a| a.n_loose == 0)
    }

    /// What its different values may take in memory.
    pub fn room(&self) -> usize {
        self.away.as_ref().map_or(usize::MAX, |a| a.room)
    }

    /// Whether the most frequent of its texts are known.
    pub fn is_counted(&self) -> bool {
        self.away.as_ref().is_none_or(|a| a.n_loose == 0 || a.is_counted)
    }

    /// Puts loose texts into kinds, the `most` frequent of them by themselves; `watched` is the first line's field.
    /// A column of numbers or dates alone is not counted unless that is needed.
    pub fn gather(&mut self, watched: &str, most: usize, needed: bool, options: &DataOptions) {
        let n_texts = self.texts.len();
        let Some(away) = &mut self.away else { return };
        away.is_full = false;
        if away.n_loose == 0 {
            return;
        }
        let n_listed = *away.n_listed.get_or_insert(n_texts);
        // the field of the first line became a row, and joined the list then
        let first = match (self.before, self.texts.get(n_listed..).unwrap_or_default()) {
            (0, [_, ..]) => self.cell(0),
            _ => Cell::Number(0.0),
        };
        let first = match first {
            Cell::Text(code) if code as usize >= n_listed => Some(self.texts[code as usize].text.clone()),
            _ => None,
        };
        self.texts.truncate(n_listed);
        self.known.retain(|_, code| (*code as usize) < n_listed);
        if let Some(text) = &first {
            self.replace_first(text);
        }
        let before = options.schema.as_ref().and_then(|s| s.dialect.thousands);
        let mut search = Search {
            marks: Marks::new(&options.missing),
            watched: first.as_deref().unwrap_or(watched),
            thousands: options.thousands.or(before),
            units: Vec::new(),
            distinct: HashMap::new(),
            alone: HashSet::new(),
            frequent: BinaryHeap::new(),
            most,
            odd: Default::default(),
        };
        let is_counted = needed || n_listed < MANY || !self.is_measured(&search);
        if is_counted {
            self.count(&mut search);
        }
        let Some(away) = &mut self.away else { return };
        away.is_counted = is_counted;
        search.alone.extend(std::mem::take(&mut search.frequent).into_iter().map(|(_, text)| text));
        search.alone.extend(std::mem::take(&mut search.odd).into_iter().flatten().map(|(_, text)| text));
        self.list(search);
    }

    /// Whether all texts are numbers, or all are dates, but for those that stay by themselves.
    fn is_measured(&self, search: &Search<'_>) -> bool {
        let (mut numbers, mut dates) = (true, self.n_numbers == 0);
        let mut look = |text: &str| {
            if (numbers || dates) && !search.is_alone(text) {
                let is_number = number::undress(text).is_some();
                dates = dates && !is_number && dates::evidence(text).is_some();
                numbers = numbers && is_number;
            }
        };
        self.texts.iter().filter(|t| t.count > 0).for_each(|t| look(&t.text));
        self.each(|seen| {
            if let Seen::Loose(text) = seen {
                look(text);
            }
        });
        numbers || dates
    }

    /// Counts each loose text, in parts that fit into memory.
    fn count(&self, search: &mut Search<'_>) {
        let Some(away) = &self.away else { return };
        let size = away.n_loose * (2 * size_of::<Text>()) + away.n_bytes;
        let mut parts = Parts::new(size.div_ceil(away.room.max(1)).max(1));
        let mut row = 0;
        self.each(|seen| {
            if let Seen::Loose(text) = seen {
                parts.add(row, text, &away.scratch);
            }
            row += 1;
        });
        for part in parts.0 {
            let mut counts: HashMap<Box<str>, (usize, usize)> = HashMap::new();
            part.each(&away.scratch, |row, text| match counts.get_mut(text) {
                Some((n, _)) => *n += 1,
                None => drop(counts.insert(text.into(), (1, row))),
            });
            counts.into_iter().for_each(|(text, (count, first))| search.add(&text, count, first));
        }
    }

    /// Gives each loose text its place in the list.
    fn list(&mut self, mut search: Search<'_>) {
        let Some(mut away) = self.away.take() else { return };
        for text in &search.alone {
            let kind = Kind::of(text, search.thousands, &mut search.units);
            if let Some(n) = search.distinct.get_mut(&kind) {
                *n -= 1;
            }
        }
        let mut kinds: HashMap<Kind, u32> = HashMap::new();
        let (texts, known) = (&mut self.texts, &mut self.known);
        away.code(|at, text| {
            let mut add = |distinct| {
                texts.push(Text { text: text.into(), count: 0, first: at, distinct });
                texts.len() as u32 - 1
            };
            let code = match known.get(text) {
                Some(code) => *code,
                None if search.alone.contains(text) || search.is_alone(text) => {
                    let code = add(1);
                    known.insert(text.into(), code);
                    code
                }
                None => {
                    let kind = Kind::of(text, search.thousands, &mut search.units);
                    let n = search.distinct.get(&kind).copied().unwrap_or(MANY);
                    *kinds.entry(kind).or_insert_with(|| add(n))
                }
            };
            texts[code as usize].count += 1;
            packed(code)
        });
        self.away = Some(away);
    }
}

/// Loose texts with their rows, in parts by hash.
struct Parts(Vec<Part>);

/// Texts of a part: those in a file, and the last ones.
#[derive(Default)]
struct Part {
    away: Vec<(u64, usize)>,
    last: Vec<u8>,
}

impl Parts {
    fn new(n: usize) -> Parts {
        Parts((0..n).map(|_| Part::default()).collect())
    }

    fn add(&mut self, row: usize, text: &str, scratch: &Scratch) {
        let at = crc32fast::hash(text.as_bytes()) as usize % self.0.len();
        let part = &mut self.0[at];
        part.last.extend((row as u64).to_le_bytes());
        part.last.extend((text.len() as u64).to_le_bytes());
        part.last.extend(text.as_bytes());
        if part.last.len() >= PIECE {
            part.away.push((scratch.append(&part.last), part.last.len()));
            part.last.clear();
        }
    }
}

impl Part {
    /// Calls `visit` with each row and text, in the order of rows.
    fn each(self, scratch: &Scratch, mut visit: impl FnMut(usize, &str)) {
        let pieces = self.away.into_iter().map(|(at, n)| scratch.read(at, n));
        for bytes in pieces.chain([self.last]) {
            let mut rest = &bytes[..];
            while let Some((row, more)) = rest.split_first_chunk::<8>() {
                let Some((len, more)) = more.split_first_chunk::<8>() else { break };
                let Some((text, more)) = more.split_at_checked(u64::from_le_bytes(*len) as usize) else {
                    break;
                };
                visit(u64::from_le_bytes(*row) as usize, std::str::from_utf8(text).unwrap_or_default());
                rest = more;
            }
        }
    }
}
