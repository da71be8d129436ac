//! Files of rows: what comes back of them, and what does not.

use std::path::Path;

use super::*;
use crate::{CacheError, DataError};

const WIDTH: usize = 700;
/// Of 46 rows each, the last one of 12.
const N: usize = 10 * 46 + 12;

fn number(row: usize, column: usize) -> f32 {
    (row * 1000 + column) as f32 * 0.5
}

fn write(folder: &Path, n: usize) -> Result<(RowsWriter, usize), DataError> {
    let form = Form { bytes: false, width: WIDTH, n_targets: 2 };
    let mut writer = RowsWriter::create(folder, form)?;
    for row in 0..n {
        let inputs: Vec<f32> = (0..WIDTH).map(|column| number(row, column)).collect();
        writer.numbers(&inputs, &[row as f32, -1.0])?;
    }
    Ok((writer, 7))
}

fn make(folder: &Path) -> RowsFile {
    kept(Kept { folder, key: "test 1".into(), sources: Vec::new() }, |path| write(path, N)).unwrap().0
}

fn check(rows: &Rows, wanted: &[u32]) {
    let mut seen = 0;
    rows.each(wanted, |place, bytes| {
        let mut row = vec![0.0; WIDTH];
        rows.numbers(bytes, &mut row);
        let expected = (0..WIDTH).map(|column| number(wanted[place] as usize, column));
        assert!(row.iter().copied().eq(expected), "row {}", wanted[place]);
        seen += 1;
    })
    .unwrap();
    assert_eq!(seen, wanted.len());
}

#[test]
fn rows_come_back_in_any_order_and_with_any_window() {
    let here = tempfile::tempdir().unwrap();
    let all: Vec<u32> = (0..N as u32).collect();
    let mixed: Vec<u32> = (0..N as u32).map(|i| i * 101 % N as u32).collect();
    for memory in [0, 1 << 20, 4 << 20, 1 << 30] {
        let rows = Rows::streamed(make(here.path()), memory);
        assert_eq!((rows.len(), rows.n_blocks(), rows.file().rows_in_block()), (N, 11, 46));
        check(&rows, &mixed);
        for window in [&all[..100], &all[400..], &mixed[..], &all[..], &[5, 200, 471], &[]] {
            rows.make_ready(window, &all).unwrap();
            check(&rows, window);
            check(&rows, &mixed);
        }
        let mut next = 0;
        rows.pass(&all, |place, _| next += usize::from(place == next)).unwrap();
        assert_eq!(next, N);
    }
    #[cfg(feature = "images")]
    check(&Rows::mapped(make(here.path())), &mixed);
}

#[test]
fn targets_missing_values_and_check_sums_are_kept() {
    let here = tempfile::tempdir().unwrap();
    let path = here.path().join("rows");
    let form = Form { bytes: false, width: 2, n_targets: 1 };
    let mut writer = RowsWriter::create(&path, form).unwrap();
    writer.numbers(&[1.0, f32::NAN, 3.0, 4.0], &[0.0, 1.0]).unwrap();
    writer.finish(b"{}").unwrap();
    let (file, manifest) = RowsFile::new(std::fs::File::open(&path).unwrap(), &path).unwrap();
    assert_eq!((&manifest[..], file.n_missing(), file.targets().unwrap()), (&b"{}"[..], 1, vec![0.0, 1.0]));
    let bytes: Vec<u8> = [1.0, f32::NAN, 3.0, 4.0].iter().flat_map(|x| x.to_le_bytes()).collect();
    assert_eq!(file.inputs_crc().finalize(), crc32fast::hash(&bytes));
    let rows = Rows::streamed(file, 1 << 20).filled(&[(1, 8.0)]);
    let mut row = [0.0; 2];
    rows.each(&[0], |_, bytes| rows.numbers(bytes, &mut row)).unwrap();
    assert_eq!(row, [1.0, 8.0]);
    let none = RowsWriter::create(&here.path().join("none"), form).unwrap();
    none.finish(b"{}").unwrap();
}

#[test]
fn all_inputs_together_have_the_check_sum_of_their_bytes() {
    let here = tempfile::tempdir().unwrap();
    let all: Vec<u8> =
        (0..N).flat_map(|row| (0..WIDTH).flat_map(move |c| number(row, c).to_le_bytes())).collect();
    assert_eq!(make(here.path()).inputs_crc().finalize(), crc32fast::hash(&all));
}

/// The file of the cache, and the only one.
fn only(folder: &Path) -> std::path::PathBuf {
    let files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files[0].clone()
}

#[test]
fn a_damaged_block_is_told_when_it_is_read_and_the_file_goes() {
    let here = tempfile::tempdir().unwrap();
    for streamed in [true, false] {
        drop(make(here.path()));
        let path = only(here.path());
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[4096 + 3 * 46 * (WIDTH * 4 + 8) + 17] ^= 4;
        std::fs::write(&path, bytes).unwrap();
        let file = make(here.path());
        #[cfg(feature = "images")]
        let rows = if streamed { Rows::streamed(file, 1 << 20) } else { Rows::mapped(file) };
        #[cfg(not(feature = "images"))]
        let rows = Rows::streamed(file, 1 << 20);
        check(&rows, &[0, 3 * 46 - 1, 4 * 46]);
        match rows.each(&[5, 3 * 46 + 1], |_, _| {}) {
            Err(DataError::Cache(CacheError::Block { block: 4, of: 11, deleted: true, path: of })) => {
                assert_eq!(of, path);
            }
            other => panic!("{streamed} {other:?}"),
        }
        assert!(!path.exists());
        check(&Rows::streamed(make(here.path()), 1 << 20), &[3 * 46 + 1]);
    }
}

#[test]
fn a_file_is_used_only_if_it_is_whole_and_of_the_same_sources() {
    let here = tempfile::tempdir().unwrap();
    let source = here.path().join("source");
    std::fs::write(&source, "a").unwrap();
    let folder = here.path().join("cache");
    let times = std::cell::Cell::new(0);
    let open = || {
        let sources = vec![SourceFile::of(&source).unwrap()];
        let (file, told, note) = kept(Kept { folder: &folder, key: "test 1".into(), sources }, |path| {
            times.set(times.get() + 1);
            write(path, 50)
        })
        .unwrap();
        assert_eq!((told, file.len()), (7, 50));
        (times.get(), note)
    };
    assert_eq!((open(), open()), ((1, None), (1, None)));
    std::fs::write(&source, "ab").unwrap();
    assert_eq!(
        (open().1.as_deref(), open()),
        (Some("the cache of rows was out of date: written again"), (2, None))
    );
    let path = only(&folder);
    let whole = std::fs::read(&path).unwrap();
    let at = [0, 20, 60, 95];
    let damage = at.into_iter().chain([whole.len() - 1, whole.len() - 100]);
    for (i, at) in damage.enumerate() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(open().0, 3 + i, "byte {at}");
    }
    for cut in [0, 50, 5000, whole.len() - 1] {
        std::fs::write(&path, &whole[..cut]).unwrap();
        assert_eq!(open().1.as_deref(), Some("the cache of rows was damaged: written again"), "{cut} bytes");
    }
}

/// What a killed writer leaves has another name, and is in nobody's way.
#[test]
fn a_part_of_a_file_is_never_used() {
    let here = tempfile::tempdir().unwrap();
    let path = here.path().join("rows.bin");
    let (writer, _) = write(&path, N).unwrap();
    std::mem::forget(writer);
    let part = only(here.path());
    assert!(part != path && part.extension().is_some_and(|e| e == "tmp"), "{part:?}");
    let (writer, _) = write(&path, N).unwrap();
    writer.finish(b"{}").unwrap();
    assert!(path.exists() && part.exists());
    let (writer, _) = write(&path, N).unwrap();
    drop(writer);
    assert_eq!(std::fs::read_dir(here.path()).unwrap().count(), 2);
}
