//! The parts that the columns of a table play: inputs, targets, and what is left out, with what is wrong.

use std::collections::{HashMap, HashSet};

use super::Table;
use super::cells::{Cell, unpack};
use super::kinds::{self, Found, Kind};
use super::readings::Readings;
use super::stored::Stored;
use crate::columns::{ColumnInfo, ColumnRole};
use crate::dataset::MAX_CLASSES;
use crate::error::{ColumnFault, Fault};
use crate::{ColumnType, DataError, DataOptions, Task, TaskKind};

/// Whole numbers with at most this many different values are classes, unless told otherwise.
const FEW: usize = 20;

/// Examples of values that are shown of a column.
const EXAMPLES: usize = 3;

/// The columns of a table in their parts.
pub(crate) struct Roles {
    /// What each column holds; nothing where that is unclear.
    pub found: Vec<Option<Found>>,
    pub roles: Vec<ColumnRole>,
    pub targets: Vec<usize>,
    /// What is wrong with columns that are used.
    pub faults: Vec<ColumnFault>,
    pub notes: Vec<String>,
}

impl Roles {
    /// Finds the parts of all columns; `own` tells whether the targets are in this table.
    ///
    /// # Errors
    /// [`DataError::NoColumn`] for a setting that names none.
    pub fn find(table: &Table, own: bool, options: &DataOptions) -> Result<Roles, DataError> {
        let width = table.names.len();
        let dropped = options.drop.iter().map(|d| table.column(d)).collect::<Result<HashSet<_>, _>>()?;
        for name in options.types.keys() {
            table.column(name)?;
        }
        let group = options.group.as_ref().map(|g| table.column(g)).transpose()?;
        let weight = options.weight.as_ref().map(|w| table.column(w)).transpose()?;
        let aside: Vec<usize> = group.into_iter().chain(weight).collect();
        let targets: Vec<usize> = if !own {
            Vec::new()
        } else if options.target.is_empty() && !table.outputs.is_empty() {
            table.outputs.clone()
        } else if options.target.is_empty() {
            last_used(table, &dropped, &aside).into_iter().collect()
        } else {
            options.target.iter().map(|t| table.column(t)).collect::<Result<_, _>>()?
        };
        if let (Some(index), Some(value)) = (weight, &options.weight)
            && (targets.contains(&index) || dropped.contains(&index))
        {
            let expected = "a column that is neither a target nor left out by `data.drop`".into();
            return Err(DataError::BadOption { option: "weight", value: value.clone(), expected });
        }
        let mut roles = Roles {
            found: Vec::with_capacity(width),
            roles: Vec::with_capacity(width),
            targets,
            faults: Vec::new(),
            notes: Vec::new(),
        };
        for index in 0..width {
            let is_target = roles.targets.contains(&index);
            // weights may count up from 1, and are no index
            let is_weight = weight == Some(index);
            let (found, fault) = match kinds::find(table, index, is_target || is_weight, options) {
                Ok(found) => (Some(found), None),
                Err(fault) => (None, Some(fault)),
            };
            let role = match () {
                () if is_target => ColumnRole::Target,
                () if is_weight => ColumnRole::Weight,
                () if unused(&found) || dropped.contains(&index) || aside.contains(&index) => {
                    ColumnRole::LeftOut
                }
                () => ColumnRole::Input,
            };
            // what cannot weigh rows is told of all rows at once, by `cuts`
            let used = matches!(role, ColumnRole::Input | ColumnRole::Target);
            if let Some(fault) = fault.filter(|_| used) {
                let column = table.names[index].clone();
                roles.faults.push(ColumnFault { column, target: is_target, fault });
            }
            roles.found.push(found);
            roles.roles.push(role);
        }
        roles.keep_index(table, &dropped, &aside, options);
        roles.remark(table, &dropped);
        Ok(roles)
    }

    /// A column that counts the rows is an input all the same where there is no other.
    fn keep_index(
        &mut self,
        table: &Table,
        dropped: &HashSet<usize>,
        aside: &[usize],
        options: &DataOptions,
    ) {
        if self.roles.contains(&ColumnRole::Input) {
            return;
        }
        for index in (0..self.roles.len()).filter(|i| !dropped.contains(i) && !aside.contains(i)) {
            let is_index = self.found[index].as_ref().is_some_and(|f| f.kind == Kind::Index);
            if is_index && let Ok(found) = kinds::find(table, index, true, options) {
                self.found[index] = Some(found);
                self.roles[index] = ColumnRole::Input;
            }
        }
    }

    /// The columns of a part.
    pub fn of(&self, role: ColumnRole) -> impl Iterator<Item = usize> + '_ {
        self.roles.iter().enumerate().filter(move |(_, r)| **r == role).map(|(i, _)| i)
    }

    /// Columns that are left out with what they hold, for an error.
    pub fn left_out(&self, table: &Table) -> Vec<String> {
        let word = |i: usize| self.found[i].as_ref().map_or("unclear", |f| f.kind.word());
        self.of(ColumnRole::LeftOut)
            .filter(|i| unused(&self.found[*i]))
            .map(|i| format!("`{}` ({})", shown(&table.names[i]), word(i)))
            .collect()
    }

    /// What was left out or decided without being told.
    fn remark(&mut self, table: &Table, dropped: &HashSet<usize>) {
        let mut left: HashMap<&str, Vec<String>> = HashMap::new();
        for index in self.of(ColumnRole::LeftOut).filter(|i| !dropped.contains(i)) {
            let word = self.found[index].as_ref().map_or("unclear", |f| f.kind.word());
            left.entry(word).or_default().push(format!("`{}`", shown(&table.names[index])));
        }
        for (word, why) in [
            ("index", "with nothing but row numbers or names"),
            ("text", "whose texts hardly repeat"),
            ("empty", "without any value"),
        ] {
            let Some(names) = left.get(word) else { continue };
            let (n, s) = (names.len(), if names.len() == 1 { "" } else { "s" });
            let key = if word == "empty" {
                String::new()
            } else {
                "; `data.types={NAME=\"category\"}` uses one".into()
            };
            self.notes.push(format!("{n} column{s} left out, {why}: {}{key}", crate::error::first(names)));
        }
        let noted: Vec<String> = (0..table.names.len())
            .filter(|i| self.roles[*i] != ColumnRole::LeftOut)
            .filter_map(|i| {
                let note = self.found[i].as_ref()?.note.as_ref()?;
                Some(format!("`{}` {note}", shown(&table.names[i])))
            })
            .collect();
        if !noted.is_empty() {
            self.notes.push(format!("column {}", crate::error::first(&noted)));
        }
    }

    /// The columns as `data info` shows them.
    pub fn columns(&self, table: &Table, inputs: &HashMap<usize, usize>) -> Vec<ColumnInfo> {
        let one = |index: usize| {
            let found = self.found[index].as_ref();
            let (min, max) = found.and_then(|f| range(table, index, &f.kind)).unzip();
            ColumnInfo {
                name: table.names[index].clone(),
                kind: found.map_or("unclear", |f| f.kind.word()),
                role: self.roles[index],
                missing: found.map_or(0, |f| f.n_missing),
                min,
                max,
                examples: examples(table, index),
                inputs: inputs.get(&index).copied().unwrap_or(0),
            }
        };
        (0..table.names.len()).map(one).collect()
    }
}

/// Whether a column is left out for what it holds.
fn unused(found: &Option<Found>) -> bool {
    found.as_ref().is_some_and(|f| matches!(f.kind, Kind::Text | Kind::Index | Kind::Empty))
}

/// A name for people; an index column of pandas has none.
fn shown(name: &str) -> &str {
    if name.is_empty() { "(no name)" } else { name }
}

/// The last column with a value.
fn last_used(table: &Table, dropped: &HashSet<usize>, aside: &[usize]) -> Option<usize> {
    let has_value = |i: &usize| {
        let column = &table.columns[*i];
        column.n_numbers > 0 || column.texts.iter().any(|t| t.count > 0 && !table.marks.has(&t.text))
    };
    let all = 0..table.names.len();
    all.clone()
        .rev()
        .filter(|i| !dropped.contains(i) && !aside.contains(i))
        .find(has_value)
        .or_else(|| all.last())
}

/// The smallest and the largest number of a column of numbers.
fn range(table: &Table, index: usize, kind: &Kind) -> Option<(f64, f64)> {
    let (Kind::Number { .. } | Kind::Index) = kind else { return None };
    if table.columns[index].worded {
        return None;
    }
    let none = Readings::default();
    let texts = kind.texts().unwrap_or(&none);
    let (mut min, mut max) = (f64::INFINITY, f64::NEG_INFINITY);
    for value in table.columns[index].values(texts, &table.marks) {
        (min, max) = (min.min(value), max.max(value));
    }
    (min <= max).then_some((min, max))
}

/// The first different values.
fn examples(table: &Table, index: usize) -> Vec<String> {
    let column = &table.columns[index];
    let mut out: Vec<String> = Vec::new();
    let mut cells = Stored::new(column, false);
    for _ in 0..50 {
        let Some(stored) = cells.next() else { break };
        let text = match (cells.loose(stored), unpack(stored)) {
            (Some(text), _) => text.to_string(),
            (None, Cell::Number(x)) => x.to_string(),
            (None, Cell::Text(code)) => column.texts[code as usize].text.to_string(),
        };
        if !text.is_empty() && !out.contains(&text) {
            out.push(text);
        }
        if out.len() == EXAMPLES {
            break;
        }
    }
    out
}

/// What the targets of a table are, and what was decided without being told. Classes are found later, unless the first
/// line tells them.
///
/// # Errors
/// [`DataError::BadOption`] for a task that these columns cannot have, or the [`Fault`] of a column.
pub(crate) fn task(
    table: &Table,
    targets: &[usize],
    found: &[Option<Found>],
    options: &DataOptions,
    notes: &mut Vec<String>,
) -> Result<Task, DataError> {
    let names: Vec<String> = targets.iter().map(|i| table.names[*i].clone()).collect();
    let fail = |index: usize, fault| {
        let faults = vec![ColumnFault { column: table.names[index].clone(), target: true, fault }];
        Err(DataError::Columns { faults, path: table.path.clone() })
    };
    let kind = |i: &usize| found[*i].as_ref().map(|f| &f.kind);
    let guess = match targets {
        [one] => match kind(one) {
            Some(Kind::Number { .. }) if table.is_declared(*one, ColumnType::Number) => TaskKind::Regression,
            Some(Kind::Number { .. }) if table.classes.is_none() && !is_few(table, *one, found, notes) => {
                TaskKind::Regression
            }
            Some(Kind::Date { .. }) => return fail(*one, Fault::DateTarget),
            _ => TaskKind::Classification,
        },
        _ => TaskKind::Regression,
    };
    if options.task.is_some() {
        notes.clear();
    }
    if options.task.unwrap_or(guess) == TaskKind::Regression {
        let wordy = |i: &&usize| !matches!(kind(i), Some(Kind::Number { .. } | Kind::Boolean { .. }));
        if let Some(index) = targets.iter().find(wordy) {
            return fail(
                *index,
                Fault::NoNumbers { value: examples(table, *index).first().cloned().unwrap_or_default() },
            );
        }
        return Ok(Task::Regression { targets: names });
    }
    if targets.len() > 1 {
        let expected = format!("`regression` for {} target columns", targets.len());
        return Err(DataError::BadOption { option: "task", value: "classification".into(), expected });
    }
    Ok(Task::Classification { classes: table.classes.clone().unwrap_or_default() })
}

/// Whether a column of numbers holds few different whole ones, each of which comes more than once.
fn is_few(table: &Table, index: usize, found: &[Option<Found>], notes: &mut Vec<String>) -> bool {
    const MANY: usize = 1000;
    let none = Readings::default();
    let texts = found[index].as_ref().and_then(|f| f.kind.texts()).unwrap_or(&none);
    let mut distinct = HashSet::new();
    let mut known = 0;
    for value in table.columns[index].values(texts, &table.marks).filter(|x| !x.is_nan()) {
        known += 1;
        if value.fract() != 0.0 || distinct.insert(value.to_bits()) && distinct.len() > MANY {
            return false;
        }
    }
    let (n, name) = (distinct.len(), &table.names[index]);
    let few = n <= FEW && 2 * n <= known;
    if few && n > 2 {
        notes.push(format!("the {n} different whole numbers of `{name}` are classes; `data.task=regression` predicts the number instead"));
    } else if !few && n * 5 <= known {
        notes.push(format!("the {n} different whole numbers of `{name}` are predicted as numbers; `data.task=classification` makes them classes"));
    }
    few
}

/// The classes that occur in a column of words, sorted: as numbers if all are, else as text.
///
/// # Errors
/// More classes than `data.classes` allows, or so many that they are probably none.
pub(crate) fn classes(table: &Table, index: usize, options: &DataOptions) -> Result<Vec<String>, DataError> {
    let column = &table.columns[index];
    let known = column.texts.iter().filter(|t| t.count > 0 && !table.marks.has(&t.text));
    let n: usize = known.clone().map(|t| t.distinct).sum();
    let limit = options.classes.unwrap_or(MAX_CLASSES);
    if n > limit {
        let expected = format!("at least {n}, the number of different values of the target");
        let value = if options.classes.is_some() { limit.to_string() } else { "none".into() };
        return Err(DataError::BadOption { option: "classes", value, expected });
    }
    let mut counts: Vec<usize> = known.clone().map(|t| t.count).collect();
    let mut classes: Vec<String> = known.map(|t| t.word().to_string()).collect();
    let number = super::number::whole;
    if classes.iter().all(|c| number(c).is_some()) {
        let key = |c: &String| number(c).unwrap_or(0.0);
        classes.sort_by(|a, b| key(a).total_cmp(&key(b)).then_with(|| a.cmp(b)));
    } else {
        classes.sort();
    }
    counts.sort_unstable();
    let rows: usize = counts.iter().sum();
    let median = counts.get(counts.len() / 2).copied().unwrap_or(0);
    let told = options.task == Some(TaskKind::Classification) || options.classes.is_some();
    if !told && (n > 10 && 3 * n > rows || n > 2 && median == 1) {
        let example = classes.first().cloned().unwrap_or_default();
        let fault = Fault::ManyClasses { classes: n, rows, example };
        let faults = vec![ColumnFault { column: table.names[index].clone(), target: true, fault }];
        return Err(DataError::Columns { faults, path: table.path.clone() });
    }
    Ok(classes)
}
