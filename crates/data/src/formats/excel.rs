//! Workbooks: a sheet of Excel's or OpenDocument's, its first row of names, then a row for each sample.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::Path;

use calamine::{Data, DataRef, DataType, ExcelDateTime, Reader as _, Sheets, open_workbook_auto_from_rs};

use super::table::{COLUMNS, MARKS};
use super::{Format, Reader};
use crate::tables::cells::Column;
use crate::tables::read::Pass;
use crate::tables::typed::Typed;
use crate::tables::{Table, header};
use crate::{DataError, DataOptions, FilesError, foreign};

/// The registry line.
pub const FORMAT: Format = Format {
    name: "excel",
    endings: &[".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"],
    summary: "workbooks of Excel and LibreOffice: the first sheet with cells, or the one that `data.sheet` names",
    options: &[COLUMNS, MARKS, &["header", "skip", "sheet"]],
    reader: Reader::Table(load),
};

/// A table has at most so many fields for each cell with a value, and as many as these besides.
const SPARSE: (usize, usize) = (64, 1 << 24);

/// A cell with its row and column.
type Cell = (u32, u32, Data);

fn load(bytes: Vec<u8>, path: &Path, options: &DataOptions) -> Result<Table, DataError> {
    let (chosen, n_sheets, cells) = foreign::guarded(path, || sheet(bytes, path, options))?;
    let mut table = table(cells, path, options)?;
    if options.sheet.is_none() && n_sheets > 1 {
        table
            .notes
            .insert(0, format!("sheet `{chosen}` of {n_sheets} is read; `data.sheet=NAME` chooses another"));
    }
    Ok(table)
}

/// The sheet that is told, or the first one with cells: its name, how many there are, and its cells.
fn sheet(
    bytes: Vec<u8>,
    path: &Path,
    options: &DataOptions,
) -> Result<(String, usize, Vec<Cell>), DataError> {
    let damaged = |error: calamine::Error| {
        let reason = error.to_string().to_lowercase();
        match reason.contains("password") {
            true => DataError::Damaged { reason: "it is protected by a password".into(), path: path.into() },
            false => DataError::Damaged { reason, path: path.into() },
        }
    };
    let mut book = open_workbook_auto_from_rs(Cursor::new(bytes)).map_err(damaged)?;
    let names = book.sheet_names();
    let (chosen, cells) = match &options.sheet {
        Some(asked) => {
            let one = names.iter().find(|n| *n == asked || n.eq_ignore_ascii_case(asked));
            let missing = || FilesError::Tables {
                what: "sheet",
                asked: Some(asked.clone()),
                found: names.clone(),
                path: path.into(),
            };
            let one = one.ok_or_else(missing)?;
            (one.clone(), cells(&mut book, one).map_err(damaged)?)
        }
        None => {
            let mut found = None;
            for name in &names {
                let cells = cells(&mut book, name).map_err(damaged)?;
                if !cells.is_empty() {
                    found = Some((name.clone(), cells));
                    break;
                }
            }
            found.ok_or(DataError::NoSamples { path: path.into() })?
        }
    };
    Ok((chosen, names.len(), cells))
}

/// The cells of a sheet that have a value, row by row.
fn cells(book: &mut Sheets<Cursor<Vec<u8>>>, name: &str) -> Result<Vec<Cell>, calamine::Error> {
    let mut all: Vec<Cell> = Vec::new();
    match book {
        // without the area between cells, which may be large
        Sheets::Xlsx(book) => {
            let mut reader = book.worksheet_cells_reader(name)?;
            while let Some(cell) = reader.next_cell()? {
                let (row, column) = cell.get_position();
                let value = match cell.get_value() {
                    DataRef::Empty => continue,
                    DataRef::SharedString(text) => Data::String((*text).into()),
                    other => other.clone().into(),
                };
                all.push((row, column, value));
            }
        }
        other => {
            let range = other.worksheet_range(name)?;
            let (top, left) = range.start().unwrap_or_default();
            let used = range.used_cells().filter(|(.., v)| !v.is_empty());
            all.extend(used.map(|(row, column, v)| (top + row as u32, left + column as u32, v.clone())));
        }
    }
    all.retain(|(.., v)| !matches!(v, Data::String(text) if text.trim().is_empty()));
    all.sort_by_key(|(row, column, _)| (*row, *column));
    Ok(all)
}

/// The table of a sheet's cells: rows and columns without any value are none.
fn table(mut cells: Vec<Cell>, path: &Path, options: &DataOptions) -> Result<Table, DataError> {
    let mut notes = Vec::new();
    cells.retain(|(row, ..)| u64::from(*row) >= options.skip);
    skip_title(&mut cells, options, &mut notes);
    let mut places: BTreeMap<u32, usize> = cells.iter().map(|(_, column, _)| (*column, 0)).collect();
    places.values_mut().enumerate().for_each(|(i, place)| *place = i);
    let mut row_numbers: Vec<u32> = cells.iter().map(|(row, ..)| row + 1).collect();
    row_numbers.dedup();
    let (height, width) = (row_numbers.len(), places.len());
    if height == 0 {
        return Err(DataError::NoSamples { path: path.into() });
    }
    let (each, besides) = SPARSE;
    if height.saturating_mul(width) > each * cells.len() + besides {
        let reason =
            format!("{} cells with a value are spread over {height} rows and {width} columns", cells.len());
        return Err(DataError::Header { format: "sheet's", reason, path: path.into() });
    }
    let mut columns: Vec<Column> = (0..width).map(|_| Column::new(b'.')).collect();
    columns.iter_mut().for_each(Column::leave_room);
    let mut first = vec![String::new(); width];
    let mut at = 0;
    for (n, number) in row_numbers.iter().enumerate() {
        while let Some((row, column, value)) = cells.get(at).filter(|c| c.0 + 1 == *number) {
            let (place, _) = (places[column], row);
            match n {
                0 => first[place] = text(value),
                _ => {
                    columns[place].fill_to(n - 1);
                    push(&mut columns[place], value);
                }
            }
            at += 1;
        }
    }
    columns.iter_mut().for_each(|c| c.fill_to(height - 1));
    let mut pass = Pass {
        first,
        columns,
        n_rows: height - 1,
        shifted: false,
        cut_before: 0,
        notes: Vec::new(),
        shares: None,
    };
    let found = header::find(&mut pass, None, options, &mut notes, path)?;
    if found.is_first_record {
        row_numbers.remove(0);
    }
    let n = found.names.len();
    let typed =
        Typed { names: found.names, columns: pass.columns, declared: vec![None; n], unread: vec![None; n] };
    let mut table = typed.finish(path, options)?;
    notes.append(&mut table.notes);
    (table.notes, table.row_numbers) = (notes, row_numbers);
    (table.has_names, table.classes) = (found.has_names, found.classes);
    Ok(table)
}

/// Leaves out rows of one cell above a table of three columns or more: its title.
fn skip_title(cells: &mut Vec<Cell>, options: &DataOptions, notes: &mut Vec<String>) {
    let mut widths: BTreeMap<u32, usize> = BTreeMap::new();
    cells.iter().for_each(|(row, ..)| *widths.entry(*row).or_default() += 1);
    let mut counts: Vec<usize> = widths.values().copied().collect();
    counts.sort_unstable();
    if options.skip > 0 || counts.get(counts.len() / 2).is_none_or(|median| *median < 3) {
        return;
    }
    let title: Vec<u32> = widths.iter().take_while(|(_, n)| **n == 1).map(|(row, _)| *row).collect();
    if let Some(last) = title.last() {
        let shown: Vec<String> =
            cells.iter().take(title.len()).map(|(.., v)| format!("`{}`", text(v))).collect();
        notes.push(format!(
            "rows with a single cell above the table were left out: {}",
            crate::error::first(&shown)
        ));
        cells.retain(|(row, ..)| row > last);
    }
}

fn push(column: &mut Column, value: &Data) {
    match value {
        Data::Int(x) => column.push_whole((*x).into()),
        Data::Float(x) => column.push_number(*x),
        other => column.push_text(&text(other)),
    }
}

/// A value as it would stand in a text.
fn text(value: &Data) -> String {
    match value {
        Data::Int(x) => x.to_string(),
        Data::Float(x) => x.to_string(),
        Data::String(text) => text.trim().into(),
        Data::Bool(yes) => yes.to_string(),
        Data::DateTime(moment) => moment_text(moment),
        Data::DateTimeIso(text) => text.clone(),
        Data::DurationIso(text) => duration(text).unwrap_or_else(|| text.clone()),
        Data::Error(error) => error.to_string(),
        Data::Empty => String::new(),
    }
}

/// `2025-03-04`, `2025-03-04 05:06:07`, `05:06:07`; hours of a duration go beyond 24, and are a number of days.
fn moment_text(moment: &ExcelDateTime) -> String {
    let days = moment.as_f64();
    if moment.is_duration() && !(0.0..1.0).contains(&days) {
        return days.to_string();
    }
    let (year, month, day, hour, minute, second, milli) = moment.to_ymd_hms_milli();
    let millis = if milli > 0 { format!(".{milli:03}") } else { String::new() };
    let time = format!("{hour:02}:{minute:02}:{second:02}{millis}");
    match (days < 1.0, days.fract() == 0.0) {
        (true, _) => time,
        (false, true) => format!("{year:04}-{month:02}-{day:02}"),
        (false, false) => format!("{year:04}-{month:02}-{day:02} {time}"),
    }
}

/// `PT05H06M07S` as a time of day.
fn duration(text: &str) -> Option<String> {
    let (hours, rest) = text.strip_prefix("PT")?.split_once('H')?;
    let (minutes, rest) = rest.split_once('M')?;
    let seconds = rest.strip_suffix('S')?.replace(',', ".");
    let (whole, rest) = seconds.split_once('.').unwrap_or((&seconds, ""));
    let hours: u32 = hours.parse().ok().filter(|h| *h < 24)?;
    let (minutes, whole): (u32, u32) = (minutes.parse().ok()?, whole.parse().ok()?);
    let rest = rest.trim_end_matches('0');
    let point = if rest.is_empty() { "" } else { "." };
    Some(format!("{hours:02}:{minutes:02}:{whole:02}{point}{rest}"))
}
