//! Parquet: typed columns, of which the flat ones and those within structs are read.

use std::path::Path;

use bytes::Bytes;
use parquet::basic::{ConvertedType, LogicalType, TimeUnit};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl, get_column_reader};
use parquet::data_type::{DataType, Int96};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, ParquetMetaDataReader};
use parquet::schema::types::ColumnDescriptor;

use self::pages::{Pages, wrong};
use super::{Format, Reader, table};
use crate::tables::Table;
use crate::tables::cells::Column;
use crate::tables::instants::{self, Unit};
use crate::tables::typed::Typed;
use crate::{DataError, DataOptions, foreign};

mod pages;

/// The registry line.
pub const FORMAT: Format = Format {
    name: "parquet",
    endings: &[".parquet", ".pq"],
    summary: "Parquet, plain or with Snappy, gzip, Zstandard or LZ4; lists and maps cannot be columns of a table",
    options: &[table::COLUMNS, table::MARKS],
    reader: Reader::Table(load),
};

/// Rows that are decoded at once.
const BATCH: usize = 1 << 16;

fn load(bytes: Vec<u8>, path: &Path, options: &DataOptions) -> std::result::Result<Table, DataError> {
    let bytes = Bytes::from(bytes);
    let damaged = |error: ParquetError| {
        let text = error.to_string();
        let reason = text.split_once(": ").map_or(&text[..], |(_, reason)| reason).to_lowercase();
        DataError::Damaged { reason, path: path.into() }
    };
    let read = || {
        let metadata = ParquetMetaDataReader::new().parse_and_finish(&bytes).map_err(damaged)?;
        let mut typed = columns(&bytes, &metadata, path).map_err(damaged)?;
        let noted = metadata.file_metadata().key_value_metadata();
        let pandas =
            noted.and_then(|all| all.iter().find(|kv| kv.key == "pandas")).and_then(|kv| kv.value.as_deref());
        typed.index_first(pandas);
        Ok(typed)
    };
    foreign::guarded(path, read)?.finish(path, options)
}

fn columns(bytes: &Bytes, metadata: &ParquetMetaData, path: &Path) -> Result<Typed> {
    let schema = metadata.file_metadata().schema_descr();
    let mut typed = Typed::default();
    // for each leaf the column that it is
    let mut places: Vec<Option<usize>> = Vec::new();
    for leaf in schema.columns() {
        let parts = leaf.path().parts();
        if leaf.max_rep_level() == 0 {
            places.push(Some(typed.add(&parts.join("."))));
            continue;
        }
        places.push(None);
        let name = &parts[0];
        if !typed.names.contains(name) {
            let index = typed.add(name);
            typed.unread[index] = Some("lists or maps".into());
        }
    }
    let mut rows = 0usize;
    for group in metadata.row_groups() {
        let n = usize::try_from(group.num_rows())
            .map_err(|_| wrong("a group of rows has a negative number of them"))?;
        rows = rows.checked_add(n).ok_or_else(|| wrong("there are more rows than can be counted"))?;
        if group.num_columns() != places.len() {
            return Err(wrong("a group of rows does not have the columns of the file"));
        }
        for (chunk, place) in group.columns().iter().zip(&places) {
            let Some(place) = *place else { continue };
            let reader = get_column_reader(chunk.column_descr_ptr(), Box::new(pages(bytes, chunk, path)?));
            let column = &mut typed.columns[place];
            read(reader, chunk.column_descr(), n, column, &mut typed.unread[place])?;
            if column.len() != rows {
                return Err(wrong("a column ends before the others"));
            }
        }
    }
    typed.columns.iter_mut().for_each(|c| c.fill_to(rows));
    Ok(typed)
}

/// The pages of a column in one group of rows.
fn pages(bytes: &Bytes, chunk: &ColumnChunkMetaData, path: &Path) -> Result<Pages> {
    let start = chunk.dictionary_page_offset().filter(|at| *at > 0).unwrap_or(chunk.data_page_offset());
    let start = start.min(chunk.data_page_offset());
    let range = usize::try_from(start).ok().zip(usize::try_from(chunk.compressed_size()).ok());
    let range =
        range.and_then(|(from, len)| Some(from..from.checked_add(len)?)).filter(|r| r.end <= bytes.len());
    let range = range.ok_or_else(|| wrong("a column lies outside of the file"))?;
    Ok(Pages::new(bytes.slice(range), chunk.num_values(), chunk.compression(), path.into()))
}

/// What the values of a leaf stand for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Meaning {
    Plain,
    Unsigned,
    Date,
    Time(Unit),
    Moment(Unit),
    Decimal(i64),
    Text,
    Uuid,
    Half,
    Other,
}

fn meaning(leaf: &ColumnDescriptor) -> Meaning {
    let unit = |unit: &TimeUnit| match unit {
        TimeUnit::MILLIS => Unit::Milli,
        TimeUnit::MICROS => Unit::Micro,
        TimeUnit::NANOS => Unit::Nano,
    };
    match leaf.logical_type_ref() {
        Some(LogicalType::Date) => return Meaning::Date,
        Some(LogicalType::Time(time)) => return Meaning::Time(unit(&time.unit)),
        Some(LogicalType::Timestamp(moment)) => return Meaning::Moment(unit(&moment.unit)),
        Some(LogicalType::Decimal(decimal)) => return Meaning::Decimal(decimal.scale.into()),
        Some(LogicalType::Integer(int)) if !int.is_signed => return Meaning::Unsigned,
        Some(LogicalType::String | LogicalType::Enum | LogicalType::Json) => return Meaning::Text,
        Some(LogicalType::Uuid) => return Meaning::Uuid,
        Some(LogicalType::Float16) => return Meaning::Half,
        _ => {}
    }
    match leaf.converted_type() {
        ConvertedType::DATE => Meaning::Date,
        ConvertedType::TIME_MILLIS => Meaning::Time(Unit::Milli),
        ConvertedType::TIME_MICROS => Meaning::Time(Unit::Micro),
        ConvertedType::TIMESTAMP_MILLIS => Meaning::Moment(Unit::Milli),
        ConvertedType::TIMESTAMP_MICROS => Meaning::Moment(Unit::Micro),
        ConvertedType::DECIMAL => Meaning::Decimal(leaf.type_scale().into()),
        ConvertedType::UINT_8 | ConvertedType::UINT_16 | ConvertedType::UINT_32 | ConvertedType::UINT_64 => {
            Meaning::Unsigned
        }
        ConvertedType::UTF8 | ConvertedType::ENUM | ConvertedType::JSON => Meaning::Text,
        ConvertedType::NONE
        | ConvertedType::INT_8
        | ConvertedType::INT_16
        | ConvertedType::INT_32
        | ConvertedType::INT_64 => Meaning::Plain,
        _ => Meaning::Other,
    }
}

/// Reads the values of a leaf in one group of rows onto a column; `unread` tells what it holds where that is nothing
/// for a table.
fn read(
    reader: ColumnReader,
    leaf: &ColumnDescriptor,
    rows: usize,
    column: &mut Column,
    unread: &mut Option<String>,
) -> Result<()> {
    let meaning = meaning(leaf);
    let levels = leaf.max_def_level();
    match reader {
        ColumnReader::BoolColumnReader(r) => {
            each(r, rows, levels, column, |c, x| c.push_text(if *x { "true" } else { "false" }))
        }
        ColumnReader::Int32ColumnReader(r) => each(r, rows, levels, column, |c, x| match meaning {
            Meaning::Unsigned => c.push_whole(x.cast_unsigned().into()),
            meaning => whole(c, (*x).into(), meaning),
        }),
        ColumnReader::Int64ColumnReader(r) => each(r, rows, levels, column, |c, x| match meaning {
            Meaning::Unsigned => c.push_whole(x.cast_unsigned().into()),
            meaning => whole(c, (*x).into(), meaning),
        }),
        ColumnReader::Int96ColumnReader(r) => {
            each(r, rows, levels, column, |c, x| c.push_text(&instants::datetime(nanoseconds(x), Unit::Nano)))
        }
        ColumnReader::FloatColumnReader(r) => each(r, rows, levels, column, |c, x| c.push_single(*x)),
        ColumnReader::DoubleColumnReader(r) => each(r, rows, levels, column, |c, x| c.push_number(*x)),
        ColumnReader::ByteArrayColumnReader(r) => {
            each(r, rows, levels, column, |c, x| text(c, x.data(), meaning, unread))
        }
        ColumnReader::FixedLenByteArrayColumnReader(r) => {
            each(r, rows, levels, column, |c, x| text(c, x.data(), meaning, unread))
        }
    }
}

/// Calls `push` with each value of a column, and adds missing ones between them.
fn each<T: DataType>(
    mut reader: ColumnReaderImpl<T>,
    rows: usize,
    levels: i16,
    column: &mut Column,
    mut push: impl FnMut(&mut Column, &T::T),
) -> Result<()> {
    let (mut defined, mut values) = (Vec::new(), Vec::new());
    let mut left = rows;
    while left > 0 {
        defined.clear();
        values.clear();
        let (n, ..) = reader.read_records(left.min(BATCH), Some(&mut defined), None, &mut values)?;
        if n == 0 {
            return Err(wrong("a column ends before the others"));
        }
        let mut known = values.iter();
        for row in 0..n {
            match levels == 0 || defined.get(row) == Some(&levels) {
                true => push(
                    column,
                    known.next().ok_or_else(|| wrong("a column has fewer values than it claims"))?,
                ),
                false => column.push_missing(),
            }
        }
        left = left.saturating_sub(n);
    }
    Ok(())
}

fn whole(column: &mut Column, value: i128, meaning: Meaning) {
    match meaning {
        Meaning::Date => column.push_text(&instants::date(value as i64)),
        Meaning::Time(unit) => column.push_text(&instants::time(value, unit)),
        Meaning::Moment(unit) => column.push_text(&instants::datetime(value, unit)),
        Meaning::Decimal(scale) => column.push_decimal(value, scale),
        _ => column.push_whole(value),
    }
}

/// Nanoseconds since 1970 of a moment as Impala and Spark once wrote it: nanoseconds of the day, and the Julian day.
fn nanoseconds(value: &Int96) -> i128 {
    let [low, high, day] = [0, 1, 2].map(|i| value.data().get(i).copied().unwrap_or(0));
    (i128::from(day) - 2_440_588) * 86_400_000_000_000 + (i128::from(high) << 32 | i128::from(low))
}

fn text(column: &mut Column, bytes: &[u8], meaning: Meaning, unread: &mut Option<String>) {
    let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
    match (meaning, bytes) {
        (Meaning::Text | Meaning::Plain, _) if let Ok(text) = str::from_utf8(bytes) => column.push_text(text),
        (Meaning::Uuid, a) if a.len() == 16 => {
            let parts = [&a[..4], &a[4..6], &a[6..8], &a[8..10], &a[10..]];
            column.push_text(&parts.map(hex).join("-"));
        }
        (Meaning::Half, [low, high]) => column.push_single(half([*low, *high])),
        (Meaning::Decimal(scale), [first, ..]) if bytes.len() <= 16 => {
            // two's complement, the highest byte first
            let start = if first & 0x80 == 0 { 0 } else { -1 };
            column.push_decimal(bytes.iter().fold(start, |x, b| x << 8 | i128::from(*b)), scale);
        }
        _ => {
            unread.get_or_insert_with(|| "bytes that are not text".into());
            column.push_missing();
        }
    }
}

/// A number of 16 bits: a sign, five of the exponent, ten of the fraction (IEEE 754 binary16).
fn half(bytes: [u8; 2]) -> f32 {
    let bits = u16::from_le_bytes(bytes);
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f32::from(bits & 1023));
    let power = |n: i32| f32::from_bits(((127 + n) as u32) << 23);
    let size = match exponent {
        0 => fraction * power(-24),
        31 if fraction == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        _ => (1024.0 + fraction) * power(exponent - 25),
    };
    if bits >> 15 == 1 { -size } else { size }
}
