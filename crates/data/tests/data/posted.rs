//! Tables of the kinds that people post where they ask for help, and what must be said of them.

use data::TableSchema;

use super::*;

/// A table with a header and 30 rows, each made of its number.
fn rows(header: &str, row: impl Fn(usize) -> String) -> String {
    let rows: Vec<String> = (0..30).map(row).collect();
    format!("{header}\n{}\n", rows.join("\n"))
}

/// What is warned of a table, or its one warning is this text.
#[track_caller]
fn warns(text: &str, expected: &str) {
    let folder = Folder::new(&format!("warns{}", expected.len()));
    let set = open(&folder.write("t.csv", text));
    assert_eq!(set.warnings, [expected].iter().filter(|e| !e.is_empty()).copied().collect::<Vec<_>>());
}

#[test]
fn what_is_probably_meant_otherwise_is_told() {
    warns(
        &rows("a,ok", |i| format!("{}.5,{}", i * 7 % 11, ["yes", "No", "no"][i % 3])),
        "`No` and `no` are read as different classes; write them alike if they are the same",
    );
    warns(
        &rows("a,ok", |i| format!("{}.5,{}", i * 7 % 11, ["1E2", "100", "2"][i % 3])),
        "`100` and `1E2` are read as different classes; write them alike if they are the same",
    );
    warns(
        &rows("zip,y", |i| format!("{},{}", ["02139", "10001", "94105"][i % 3], i % 2)),
        "column `zip` has whole numbers that begin with 0, like codes, but is read as numbers; \
         `data.types={\"zip\"=\"category\"}` makes it categories",
    );
    warns(
        &rows("a,y", |i| {
            format!("{},{}", if i % 5 == 0 { "-999".into() } else { format!("{}.5", i * 7 % 11) }, i % 2)
        }),
        "column `a` has -999 in 6 rows, far from all other values; `data.missing=-999` reads it as missing",
    );
    warns(
        &rows("resp,a,y", |i| format!("{},{},{}", i + 1, i * 7 % 11, i % 2)),
        "column `resp` counts the rows and is an input; `data.drop=[\"resp\"]` leaves it out",
    );
    let months =
        rows("month,sales,profit", |i| format!("{},{}.5,{}.25", ["Jan", "Feb"][i % 2], i * 7 % 11, i));
    warns(
        &(months + "Total,400.5,300.25\n"),
        "the last row has `Total` in column `month` and is read as a sample; `data.skip_lines=32` leaves it out",
    );
    // nothing is said of what is as it should be
    warns(&rows("a,b,y", |i| format!("{},{}.5,{}", 90 + i % 10, i * 7 % 11, ["a", "b"][i % 2])), "");
}

#[test]
fn columns_that_name_rows_are_known_by_their_names() {
    let folder = Folder::new("ids");
    for name in ["PassengerId", "customerID", "loan_id", "Order ID"] {
        let set = open(&folder.write(
            "t.csv",
            rows(&format!("{name},a,y"), |i| format!("{},{},{}", i * 37 % 1000, i * 7 % 11, i % 2)),
        ));
        assert_eq!(set.features, ["a"], "{name}");
    }
    for name in ["grid", "PAID", "void"] {
        let set = open(&folder.write(
            "t.csv",
            rows(&format!("{name},a,y"), |i| format!("{},{},{}", i * 37 % 1000, i * 7 % 11, i % 2)),
        ));
        assert_eq!(set.features, [name, "a"]);
    }
}

#[test]
fn amounts_of_spreadsheets_and_units_are_no_words() {
    let folder = Folder::new("amounts");
    let amount = |i: usize| {
        if i.is_multiple_of(5) { "\" $ -   \"".into() } else { format!("\" $ 1,{}.00 \"", 100 + i) }
    };
    let set = open(&folder.write("t.csv", rows("amt,y", |i| format!("{},{}", amount(i), i % 2))));
    assert_eq!(
        (&set.features[..], &floats(&set)[..3]),
        (&["amt".to_string()][..], &[0.0, 1101.0, 1102.0][..])
    );
    let path = folder
        .write("kg.csv", rows("weight,b,y", |i| format!("{}.{} kg,{},{}", i, i % 7, i * 7 % 11, i % 2)));
    fails(
        &path,
        &DataOptions::default(),
        "column `weight` holds numbers with units, such as `0.0 kg` in line 2: amounts/kg.csv",
        "write the numbers alone; `data.types={\"weight\"=\"category\"}` makes it categories; `data.drop=[\"weight\"]` leaves the column out",
    );
    let page = folder.write("page.csv", "<!DOCTYPE html>\n<html>\n<td>1</td>\n");
    fails(
        &page,
        &DataOptions::default(),
        "not a file of format table: expected it to begin with records, got a web page: amounts/page.csv",
        "download the file itself, or save it as CSV",
    );
    let pointer =
        folder.write("p.csv", "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 1\n");
    assert!(
        data::open(&pointer, &DataOptions::default())
            .is_err_and(|e| e.to_string().contains("a pointer of Git LFS"))
    );
}

/// The schema of a table of 30 rows.
fn schema(folder: &Folder, header: &str, row: impl Fn(usize) -> String) -> TableSchema {
    open(&folder.write("train.csv", rows(header, row))).schema.expect("a table's")
}

/// Opens a new table for a model.
fn again(folder: &Folder, schema: &TableSchema, text: &str) -> Result<Dataset, data::DataError> {
    let options = DataOptions { schema: Some(schema.clone()), inputs_only: true, ..DataOptions::default() };
    data::open(&folder.write("new.csv", text), &options)
}

#[test]
fn new_tables_have_one_answer_for_each_row() {
    let folder = Folder::new("new");
    let named = schema(&folder, "Color,size,y", |i| format!("{},{}.5,{}", ["red", "blue"][i % 2], i, i % 2));
    for text in ["color,SIZE\nred,3.5\n", " Color , size \nred,3.5\n", "red,3.5\n", "size,Color\n3.5,red\n"] {
        let set = again(&folder, &named, text).expect("a table");
        assert_eq!((floats(&set), set.warnings.len()), (&[0.0, 1.0, 3.5][..], 0), "{text}");
    }
    let other = again(&folder, &named, "shade,length\nred,3.5\nred,4.5\n").expect_err("no such columns");
    assert_eq!(other.hint(), "the columns are `shade`, `length`");
    let nameless = schema(&folder, "red,0.5,1", |i| format!("{},{}.5,{}", ["red", "blue"][i % 2], i, i % 2));
    for text in ["shade,length\nred,3.5\n", "x0,x1\nred,3.5\n", "red,3.5\n"] {
        assert_eq!(floats(&again(&folder, &nameless, text).expect("a table")), [0.0, 1.0, 3.5], "{text}");
    }
}

#[test]
fn new_tables_are_read_as_the_training_table_where_they_prove_nothing() {
    let folder = Folder::new("dialect");
    let german = schema(&folder, "a;b;y", |i| format!("{i},5;{i},25;{i},75"));
    for (text, expected) in [("a;b\n1.234;5\n", 1234.0), ("a;b\n1.234,5;5\n", 1234.5), ("a,b\n1.5,5\n", 1.5)]
    {
        assert_eq!(floats(&again(&folder, &german, text).expect("a table"))[0], expected, "{text}");
    }
    let dates = schema(&folder, "d,y", |i| format!("2025-05-{:02},{}.5", i + 1, i));
    for text in ["d\n5/25/2025\n5/06/2025\n", "d\n25/05/2025\n06/05/2025\n", "d\n2025-05-25\n2025-05-06\n"] {
        assert_eq!(floats(&again(&folder, &dates, text).expect("a table"))[0], 24.0, "{text}");
    }
    let numbers = schema(&folder, "a,y", |i| format!("{i}.5,{i}.5"));
    for text in ["a\n1e400\n", "a\n1e39\n"] {
        assert!(
            matches!(again(&folder, &numbers, text), Err(data::DataError::NotFinite { row: 0, .. })),
            "{text}"
        );
    }
}
