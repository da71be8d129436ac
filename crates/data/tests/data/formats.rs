//! Tables in every format that holds them, against what Python wrote, and what their readers refuse.
//!
//! `tests/formats/generate.py` wrote them and what is in them.

use data::DataError;
use serde_json::Value;

use super::messy::{list, text};
use super::roundtrip::judge;
use super::*;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/formats")
}

fn file(name: &str) -> PathBuf {
    folder().join("files").join(name)
}

#[test]
fn every_format_gives_the_table_that_was_written() {
    let expected = fs::read_to_string(folder().join("expected.json")).expect("what was written");
    let cases: Vec<Value> = serde_json::from_str(&expected).expect("JSON");
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|case| {
            let options: DataOptions = serde_json::from_value(case["settings"].clone()).expect("settings");
            let found = judge(&file(text(&case["file"])), case, &options).err()?;
            Some(format!("{} {}: {found}", text(&case["file"]), case["settings"]))
        })
        .collect();
    assert!(cases.len() > 30);
    assert!(wrong.is_empty(), "{} of {} are wrong:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    assert!(cases.iter().all(|c| !list(&c["columns"]).is_empty()));
}

#[test]
fn a_new_table_of_another_format_is_read_as_the_first() {
    let set = open(&file("plain.jsonl").display().to_string());
    let options = DataOptions { schema: set.schema.clone(), ..DataOptions::default() };
    let same = [
        "plain.csv.gz",
        "plain.csv.zst",
        "plain.json",
        "one.zip",
        "text.xls",
        "several/*",
        "unnamed.parquet",
    ];
    for name in same {
        let other = open_with(&file(name).display().to_string(), &options);
        assert_eq!((floats(&other), &other.targets), (floats(&set), &set.targets), "{name}");
    }
    let workbook = DataOptions { sheet: Some("more".into()), ..options };
    let other = open_with(&file("book.ods").display().to_string(), &workbook);
    assert_eq!((floats(&other), &other.targets), (floats(&set), &set.targets));
}

#[test]
fn several_files_are_one_table_only_with_the_same_columns() {
    let folder = Folder::new("several");
    let none = DataOptions::default();
    folder.write("1.csv", "a,code,y\n1,01,p\n2,02,q\n3,01,p\n4,02,q\n");
    folder.write("2.csv", "y;code;a\np;02;5\nq;03;6\np;02;7\nq;03;8\n");
    let all = folder.path("*.csv");
    let set = open(&all);
    assert_eq!((set.len(), classes(&set)), (8, vec!["p", "q"]));
    assert_eq!(floats(&set).iter().step_by(2).copied().collect::<Vec<_>>(), [1., 2., 3., 4., 5., 6., 7., 8.]);
    let note = &set.notes[0];
    assert!(note.starts_with("2 files are one table: ") && note.ends_with("2.csv"), "{note}");
    // labels of several files keep their text
    let codes =
        open_with(&all, &DataOptions { task: Some(data::TaskKind::Classification), ..target(&["code"]) });
    assert_eq!(classes(&codes), ["01", "02", "03"]);
    // names with commas between them, in their own order and with the columns of the first one
    let two = format!("{},{}", folder.path("2.csv"), folder.path("1.csv"));
    assert_eq!(floats(&open_with(&two, &target(&["y"])))[..2], [2.0, 5.0]);
    folder.write("3.csv", "a,code,y\n1,01,p\nfive,02,q\n3,01,p\n");
    let text = "column `a` holds numbers, but of 11 values 1 is not: `five` in line 3 of `several/3.csv`: several/*.csv";
    let hint = "`data.missing=[\"five\"]` reads them as missing values; `data.types={\"a\"=\"category\"}` makes it categories; \
                `data.drop=[\"a\"]` leaves the column out";
    fails(&all, &none, text, hint);
    folder.write("3.csv", "a,b,y\n1,01,p\n2,02,q\n");
    let text = "there is no column `code`, which several/1.csv has: several/3.csv";
    fails(&all, &none, text, "give all files the same columns, or train on those that have them");
    folder.write("3.csv", "a,code,y,z\n1,01,p,1\n2,02,q,2\n");
    let text = "there is a column `z`, which several/1.csv does not have: several/3.csv";
    fails(
        &all,
        &none,
        text,
        "give all files the same columns, or leave out the one that differs: remove `z`",
    );
    let twice = format!("{0},{0}", folder.path("1.csv"));
    fails(&twice, &none, "the file is named twice: several/1.csv", "name it once");
    let hint = "write it in quotes, as in `data='logs/*.csv'`, and check the folder";
    fails(&folder.path("*.tsv"), &none, "no file has such a name: several/*.tsv", hint);
}

#[test]
fn what_is_wrong_with_typed_tables_is_told() {
    let folder = Folder::new("typed");
    let none = DataOptions::default();
    let bad = |name: &str, content: &str, message: &str, hint: &str| {
        fails(&folder.write(name, content), &none, message, hint)
    };
    let json = "correct it, or remove it from the file";
    let broken = "{\"a\": 1, \"y\": 2}\n{\"a\": 1, \"y\": }\n";
    bad("t.jsonl", broken, "line 2 is not valid JSON: expected value: typed/t.jsonl", json);
    bad(
        "t.jsonl",
        "{\"a\": 1}\n[1]\n",
        "row 2 is not a JSON object: it begins with `[1]`: typed/t.jsonl",
        json,
    );
    bad(
        "t.jsonl",
        "{\"a\": [1, 2], \"b\": 1, \"y\": 1}\n{\"a\": [], \"b\": 2, \"y\": 2}\n",
        "column that cannot be read: `a` holds lists: typed/t.jsonl",
        "`data.drop=[\"a\"]` leaves it out",
    );
    let dropped = DataOptions { drop: vec!["a".into()], ..DataOptions::default() };
    assert_eq!(floats(&open_with(&folder.path("t.jsonl"), &dropped)), [1.0, 2.0]);
    bad("t.jsonl", "[]", "there are no samples: typed/t.jsonl", "add samples, or name another file");
    let rows: String = (0..40)
        .map(|i| {
            format!("{{\"a\": {}, \"y\": {i}.5}}\n", if i == 3 { "\"x7\"".into() } else { i.to_string() })
        })
        .collect();
    let hint = "`data.missing=[\"x7\"]` reads them as missing values; `data.types={\"a\"=\"category\"}` makes it categories; \
                `data.drop=[\"a\"]` leaves the column out";
    bad(
        "t.jsonl",
        &rows,
        "column `a` holds numbers, but of 40 values 1 is not: `x7` in row 4: typed/t.jsonl",
        hint,
    );
    let again = "write the file again with the program that made it";
    let head = "@relation t\n@attribute a real\n@attribute y {p,q}\n";
    bad("t.arff", head, "the arff header is wrong: there is no line `@data`: typed/t.arff", again);
    let sparse = format!("{head}@data\n{{0 1.5, 1 p}}\n");
    bad(
        "t.arff",
        &sparse,
        "the arff header is wrong: sparse rows, in braces, are not read: typed/t.arff",
        again,
    );
    let odd = "@relation t\n@attribute a relational\n@data\n1\n";
    bad(
        "t.arff",
        odd,
        "the arff header is wrong: line 2: `a` has a type that is not read, `relational`: typed/t.arff",
        again,
    );
    let archive = file("two.zip").display().to_string();
    let error = data::open(&archive, &none).expect_err("two tables");
    assert_eq!(error.hint(), "name one: `data.sheet=\"a.csv\"`");
    let named = DataOptions { sheet: Some("c.csv".into()), ..DataOptions::default() };
    let error = data::open(&archive, &named).expect_err("no such table");
    assert!(
        error.to_string().starts_with("there is no file `c.csv`, only `a.csv`, `b/plain.csv`"),
        "{error}"
    );
    let error = data::open(&file("book.xlsx").display().to_string(), &named).expect_err("no such sheet");
    assert!(matches!(error, DataError::Files(data::FilesError::Tables { .. })), "{error}");
    let sheet = DataOptions { sheet: Some("a".into()), ..DataOptions::default() };
    let text = "`data.sheet = a` is not possible: expected nothing, because data of format `json` have no such option";
    fails(
        &file("plain.json").display().to_string(),
        &sheet,
        &text.replace("typed", ""),
        "set `data.sheet` to another value, or leave it out",
    );
}

/// Files that are cut or changed in any place: read or refused, without a panic.
#[test]
fn damaged_files_make_no_panic() {
    let folder = Folder::new("damaged");
    let mut state = 7u64;
    let mut draw = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below.max(1)
    };
    for name in [
        "none.parquet",
        "zstd.parquet",
        "v2.parquet",
        "lz4.feather",
        "stream.arrows",
        "odd.feather",
        "book.xls",
        "book.ods",
        "frames.csv.zst",
    ] {
        let bytes = fs::read(file(name)).expect("what was written");
        for _ in 0..80 {
            let mut copy = bytes.clone();
            for _ in 0..=draw(3) {
                let at = draw(copy.len());
                copy[at] ^= 1 << draw(8);
            }
            if draw(4) == 0 {
                copy.truncate(draw(bytes.len()));
            }
            let path = folder.write(name, &copy);
            if let Err(error) = data::open(&path, &DataOptions::default()) {
                drop((error.to_string(), error.hint()));
            }
        }
    }
}
