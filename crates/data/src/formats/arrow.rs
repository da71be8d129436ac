//! Arrow's files (Feather) and streams: record batches of typed columns.

use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type,
    DurationMicrosecondType, DurationMillisecondType, DurationNanosecondType, DurationSecondType,
    Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, Time32MillisecondType,
    Time32SecondType, Time64MicrosecondType, Time64NanosecondType, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{ArrowError, DataType, Field, Fields, Schema, TimeUnit};

use self::messages::Messages;
use super::{Format, Reader, table};
use crate::tables::Table;
use crate::tables::cells::Column;
use crate::tables::instants::{self, Unit};
use crate::tables::typed::Typed;
use crate::{ColumnType, DataError, DataOptions, foreign};

mod messages;

/// The registry line.
pub const FORMAT: Format = Format {
    name: "arrow",
    endings: &[".arrow", ".arrows", ".feather", ".ipc"],
    summary: "Arrow's files (Feather 2) and streams, plain or with LZ4; lists and maps cannot be columns of a table",
    options: &[table::COLUMNS, table::MARKS],
    reader: Reader::Table(load),
};

/// Structs within structs that are followed.
const DEPTH: usize = 16;

fn load(bytes: Vec<u8>, path: &Path, options: &DataOptions) -> Result<Table, DataError> {
    let damaged = |error: ArrowError| {
        let text = error.to_string();
        let reason = text.split_once(": ").map_or(&text[..], |(_, reason)| reason).to_lowercase();
        DataError::Damaged { reason, path: path.into() }
    };
    let read = || {
        let messages = Messages::new(bytes).map_err(damaged)?;
        let schema = messages.schema.clone();
        collect(&schema, messages).map_err(damaged)
    };
    foreign::guarded(path, read)?.finish(path, options)
}

fn collect(
    schema: &Schema,
    batches: impl Iterator<Item = Result<RecordBatch, ArrowError>>,
) -> Result<Typed, ArrowError> {
    let mut typed = Typed::default();
    leaves(schema.fields(), "", 0, &mut typed);
    for batch in batches {
        let batch = batch?;
        let mut next = 0;
        for (field, array) in schema.fields().iter().zip(batch.columns()) {
            add(field, array, &|_| true, 0, &mut typed, &mut next);
        }
    }
    typed.index_first(schema.metadata().get("pandas").map(String::as_str));
    Ok(typed)
}

/// Adds a column for each field, and for those within structs.
fn leaves(fields: &Fields, prefix: &str, depth: usize, typed: &mut Typed) {
    for field in fields {
        let name = format!("{prefix}{}", field.name());
        match field.data_type() {
            DataType::Struct(inner) if depth < DEPTH => leaves(inner, &format!("{name}."), depth + 1, typed),
            kind => {
                let index = typed.add(&name);
                typed.unread[index] = unread(kind);
                // categories of numbers are categories all the same
                let is_category = matches!(kind, DataType::Dictionary(_, values) if values.is_numeric());
                typed.declared[index] = is_category.then_some(ColumnType::Category);
            }
        }
    }
}

/// What a type holds that no table can.
fn unread(kind: &DataType) -> Option<String> {
    use DataType::*;
    let what = match kind {
        List(_) | ListView(_) | FixedSizeList(..) | LargeList(_) | LargeListView(_) => "lists",
        Map(..) => "maps",
        Struct(_) => "structs in structs",
        Union(..) => "unions",
        Binary | LargeBinary | BinaryView | FixedSizeBinary(_) => "bytes",
        Interval(_) => "intervals",
        Decimal256(..) => "decimals of 256 bits",
        RunEndEncoded(..) => "runs",
        Dictionary(_, values) => {
            return unread(values)
                .or_else(|| matches!(**values, Dictionary(..)).then(|| "dictionaries".into()));
        }
        _ => return None,
    };
    Some(what.into())
}

/// Adds the cells of a field in one batch to its columns, from `next` on.
fn add(
    field: &Field,
    array: &ArrayRef,
    is_known: &dyn Fn(usize) -> bool,
    depth: usize,
    typed: &mut Typed,
    next: &mut usize,
) {
    if let (DataType::Struct(inner), true) = (field.data_type(), depth < DEPTH) {
        let parts = array.as_struct();
        let known = |row: usize| is_known(row) && parts.is_valid(row);
        for (field, array) in inner.iter().zip(parts.columns()) {
            add(field, array, &known, depth + 1, typed, next);
        }
        return;
    }
    let index = *next;
    *next += 1;
    let column = &mut typed.columns[index];
    if typed.unread[index].is_some() {
        (0..array.len()).for_each(|_| column.push_missing());
        return;
    }
    match field.data_type() {
        DataType::Dictionary(..) => {
            let dictionary = array.as_any_dictionary();
            // each value once, as a cell to take from
            let mut values = Column::new(b'.');
            cells(dictionary.values(), &|_| true, &mut values);
            let keys = dictionary.normalized_keys();
            for (row, key) in keys.iter().enumerate() {
                match is_known(row) && dictionary.keys().is_valid(row) && *key < values.len() {
                    true => column.push_word(&values, *key),
                    false => column.push_missing(),
                }
            }
        }
        _ => cells(array, is_known, column),
    }
}

/// Adds the cells of a flat array.
fn cells(array: &ArrayRef, is_known: &dyn Fn(usize) -> bool, column: &mut Column) {
    let known = |row: usize| is_known(row) && array.is_valid(row);
    let mut each = |push: &dyn Fn(&mut Column, usize)| {
        for row in 0..array.len() {
            match known(row) {
                true => push(column, row),
                false => column.push_missing(),
            }
        }
    };
    macro_rules! each_of {
        ($kind:ty, |$column:ident, $x:ident| $push:expr) => {{
            let values = array.as_primitive::<$kind>();
            each(&|$column, row| {
                let $x = values.value(row);
                $push
            })
        }};
    }
    use DataType::*;
    match array.data_type() {
        Boolean => each(&|c, row| c.push_text(if array.as_boolean().value(row) { "true" } else { "false" })),
        Int8 => each_of!(Int8Type, |c, x| c.push_whole(x.into())),
        Int16 => each_of!(Int16Type, |c, x| c.push_whole(x.into())),
        Int32 => each_of!(Int32Type, |c, x| c.push_whole(x.into())),
        Int64 => each_of!(Int64Type, |c, x| c.push_whole(x.into())),
        UInt8 => each_of!(UInt8Type, |c, x| c.push_whole(x.into())),
        UInt16 => each_of!(UInt16Type, |c, x| c.push_whole(x.into())),
        UInt32 => each_of!(UInt32Type, |c, x| c.push_whole(x.into())),
        UInt64 => each_of!(UInt64Type, |c, x| c.push_whole(x.into())),
        Float16 => each_of!(Float16Type, |c, x| c.push_single(x.to_f32())),
        Float32 => each_of!(Float32Type, |c, x| c.push_single(x)),
        Float64 => each_of!(Float64Type, |c, x| c.push_number(x)),
        Utf8 => each(&|c, row| c.push_text(array.as_string::<i32>().value(row))),
        LargeUtf8 => each(&|c, row| c.push_text(array.as_string::<i64>().value(row))),
        Utf8View => each(&|c, row| c.push_text(array.as_string_view().value(row))),
        Date32 => each_of!(Date32Type, |c, x| c.push_text(&instants::date(x.into()))),
        Date64 => each_of!(Date64Type, |c, x| c.push_text(&instants::datetime(x.into(), Unit::Milli))),
        Decimal32(_, scale) => each_of!(Decimal32Type, |c, x| c.push_decimal(x.into(), (*scale).into())),
        Decimal64(_, scale) => each_of!(Decimal64Type, |c, x| c.push_decimal(x.into(), (*scale).into())),
        Decimal128(_, scale) => each_of!(Decimal128Type, |c, x| c.push_decimal(x, (*scale).into())),
        Timestamp(..) | Time32(_) | Time64(_) | Duration(_) => instants_of(array, &mut each),
        // null throughout
        _ => each(&|c, _| c.push_missing()),
    }
}

/// Takes what adds one row of an array to a column.
type Each<'a> = dyn FnMut(&dyn Fn(&mut Column, usize)) + 'a;

/// Adds the cells of an array of instants, times of day or spans.
fn instants_of(array: &ArrayRef, each: &mut Each<'_>) {
    match array.data_type() {
        DataType::Timestamp(unit, _) => {
            let ticks: [Ticks; 4] = [
                ticks::<TimestampSecondType>,
                ticks::<TimestampMillisecondType>,
                ticks::<TimestampMicrosecondType>,
                ticks::<TimestampNanosecondType>,
            ];
            times(array, *unit, each, ticks, |c, x, unit| c.push_text(&instants::datetime(x, unit)));
        }
        DataType::Time32(unit) | DataType::Time64(unit) => {
            let ticks: [Ticks; 4] = [
                ticks::<Time32SecondType>,
                ticks::<Time32MillisecondType>,
                ticks::<Time64MicrosecondType>,
                ticks::<Time64NanosecondType>,
            ];
            times(array, *unit, each, ticks, |c, x, unit| c.push_text(&instants::time(x, unit)));
        }
        DataType::Duration(unit) => {
            let ticks: [Ticks; 4] = [
                ticks::<DurationSecondType>,
                ticks::<DurationMillisecondType>,
                ticks::<DurationMicrosecondType>,
                ticks::<DurationNanosecondType>,
            ];
            times(array, *unit, each, ticks, |c, x, unit| c.push_number(instants::seconds(x, unit)));
        }
        _ => {}
    }
}

/// The number in a row of an array of times.
type Ticks = fn(&ArrayRef, usize) -> i128;

fn ticks<T: ArrowPrimitiveType>(array: &ArrayRef, row: usize) -> i128
where
    T::Native: Into<i64>,
{
    i128::from(array.as_primitive::<T>().value(row).into())
}

/// Adds times of the unit that an array has, by the reader for it.
fn times(
    array: &ArrayRef,
    unit: TimeUnit,
    each: &mut Each<'_>,
    ticks: [Ticks; 4],
    push: fn(&mut Column, i128, Unit),
) {
    let (ticks, unit) = match unit {
        TimeUnit::Second => (ticks[0], Unit::Second),
        TimeUnit::Millisecond => (ticks[1], Unit::Milli),
        TimeUnit::Microsecond => (ticks[2], Unit::Micro),
        TimeUnit::Nanosecond => (ticks[3], Unit::Nano),
    };
    each(&|column, row| push(column, ticks(array, row), unit));
}
