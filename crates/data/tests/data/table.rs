//! Tables: encoding, headers, separators, targets, and what can be wrong with them.

use data::{Role, SplitOptions, TaskKind};

use super::*;

const TABLE: &str = "size,color,weight,kind\n1,red,0.5,cat\n2,blue,NA,dog\n,red,1.5,cat\n3,?,2.5,dog\n";

#[test]
fn tables_become_numbers_and_categories() {
    let folder = Folder::new("table");
    let set = open(&folder.write("t.csv", TABLE));
    assert_eq!(set.features, ["size", "size=?", "color=blue", "color=red", "color=?", "weight", "weight=?"]);
    assert_eq!(classes(&set), ["cat", "dog"]);
    assert_eq!(set.targets, [0.0, 1.0, 0.0, 1.0]);
    #[rustfmt::skip]
    let expected = [
        1.0, 0.0, 0.0, 1.0, 0.0, 0.5, 0.0,
        2.0, 0.0, 1.0, 0.0, 0.0, 1.5, 1.0,
        2.0, 1.0, 0.0, 1.0, 0.0, 1.5, 0.0,
        3.0, 0.0, 0.0, 0.0, 1.0, 2.5, 0.0,
    ];
    assert_eq!(floats(&set), expected);
    assert_eq!(set.missing, [12, 14]);
    let notes = [
        "the target is the last column, `kind`; `data.target=NAME` chooses another",
        "3 missing values in `size` (1), `color` (1), `weight` (1): a number becomes the median of its column, with an extra input that says it was missing",
    ];
    assert_eq!(set.notes, notes);
    let tsv = open(&folder.write("t.tsv", TABLE.replace(',', "\t")));
    let semicolons = open(&folder.write("t2.csv", TABLE.replace(',', ";").replace('\n', "\r\n")));
    assert_eq!((floats(&tsv), floats(&semicolons)), (&expected[..], &expected[..]));
}

fn drop(names: &[&str]) -> DataOptions {
    DataOptions { drop: names.iter().map(|s| (*s).to_string()).collect(), ..DataOptions::default() }
}

#[test]
fn a_missing_value_becomes_the_median_of_the_training_part() {
    let folder = Folder::new("median");
    let rows = "9,0.5,1\n,0.5,0\n1,0.5,1\n2,0.5,0\n";
    let mut set = open(&folder.write("m.csv", format!("a,b,y\n{rows}")));
    set.fill_missing(&[0, 2, 3]).unwrap();
    assert_eq!(floats(&set)[3..6], [2.0, 1.0, 0.5]);
    let mut set = open(&folder.write("t.csv", TABLE));
    set.fill_missing(&[0, 2, 3]).unwrap();
    assert_eq!((floats(&set)[12], floats(&set)[14]), (1.5, 1.0));
    set.fill_missing(&[0, 2]).unwrap();
    assert_eq!((floats(&set)[12], floats(&set)[14]), (0.5, 1.0));
    let schema = set.schema.expect("a table's");
    assert_eq!(schema.columns[2].role, Role::Number { fill: 0.5, indicator: true, offset: 0.0, factor: 1.0 });
}

#[test]
fn targets_are_found_by_name_and_by_index() {
    let folder = Folder::new("targets");
    let path = folder.write("t.csv", TABLE);
    for name in ["color", "1", "-3"] {
        let text = "the value at line 5, column `color` is missing: targets/t.csv";
        fails(
            &path,
            &target(&[name]),
            text,
            "`data.missing_target=drop` leaves out such lines; `data.target=NAME` chooses another column",
        );
    }
    let path = folder.write("two.csv", "a,b,c\n1,0.5,9\n2,1.5,8\n3,2.5,7\n");
    let two = open_with(&path, &target(&["c", "a"]));
    assert_eq!(two.task, Task::Regression { targets: vec!["c".into(), "a".into()] });
    assert_eq!((two.n_targets(), &two.targets[..]), (2, &[9., 1., 8., 2., 7., 3.][..]));
    assert_eq!(floats(&two), [0.5, 1.5, 2.5]);
    let text = "there is no column `colr`: targets/t.csv";
    fails(&folder.path("t.csv"), &target(&["colr"]), text, "did you mean `color`?");
    let text = "there is no column `zzz`: targets/two.csv";
    fails(&path, &target(&["zzz"]), text, "the columns are `a`, `b`, `c`");
    let text = "there is no column `zzz`: targets/two.csv";
    fails(&path, &drop(&["zzz"]), text, "the columns are `a`, `b`, `c`");
    let hint = "a table needs at least one column besides the target; check `data.target` and `data.drop`";
    fails(&path, &drop(&["a", "b"]), "no column is left for the inputs: targets/two.csv", hint);
    let both = DataOptions { task: Some(TaskKind::Classification), ..target(&["c", "a"]) };
    let text = "`data.task = classification` is not possible: expected `regression` for 2 target columns";
    fails(&path, &both, text, "set `data.task` to another value, or leave it out");
}

#[test]
fn few_whole_numbers_are_classes_and_many_are_not() {
    let folder = Folder::new("kinds");
    let column = |values: Vec<f64>| values.iter().map(|v| format!("1,{v}\n")).collect::<String>();
    let few = open(&folder.write("few.csv", column((0..30).map(|i| f64::from(i % 3 * 5)).collect())));
    assert_eq!((classes(&few), few.targets[2]), (vec!["0", "5", "10"], 2.0));
    let many = open(&folder.write("many.csv", column((0..60).map(f64::from).collect())));
    assert!(matches!(many.task, Task::Regression { .. }));
    let halves = open(&folder.write("halves.csv", column((0..60).map(|i| f64::from(i % 2) / 2.0).collect())));
    assert!(matches!(halves.task, Task::Regression { .. }));
    let told = DataOptions { task: Some(TaskKind::Classification), ..DataOptions::default() };
    assert_eq!(classes(&open_with(&folder.path("halves.csv"), &told)), ["0", "0.5"]);
    let few_told = DataOptions { classes: Some(2), ..DataOptions::default() };
    let text = "`data.classes = 2` is not possible: expected at least 3, the number of different values of the target";
    fails(&folder.path("few.csv"), &few_told, text, "set `data.classes` to another value, or leave it out");
}

#[test]
fn the_files_of_scikit_learn_are_understood() {
    let folder = Folder::new("sklearn");
    let counted = "4,2,malignant,benign\n1.5,2,0\n2.5,3,1\n3.5,4,1\n4.5,5,0\n";
    let set = open(&folder.write("breast_cancer.csv", counted));
    assert_eq!((classes(&set), &set.input_shape[..]), (vec!["malignant", "benign"], &[2][..]));
    assert_eq!(
        (floats(&set), &set.targets[..]),
        (&[1.5, 2., 2.5, 3., 3.5, 4., 4.5, 5.][..], &[0., 1., 1., 0.][..])
    );
    // The same table again with the columns of the trained model, with and without its first line.
    let again = DataOptions { schema: set.schema.clone(), ..DataOptions::default() };
    assert_eq!(open_with(&folder.path("breast_cancer.csv"), &again).targets, set.targets);
    let bare = folder.write("bare.csv", "1.5,2,0\n2.5,3,1\n");
    assert_eq!(open_with(&bare, &again).targets, [0.0, 1.0]);
    let text = "label 2 of sample 1 is not a class: expected 0 to 1: sklearn/bad.csv";
    let bad = folder.write("bad.csv", counted.replace("2.5,3,1", "2.5,3,2"));
    fails(&bad, &DataOptions::default(), text, "set `data.classes=3`, or correct the label");
    // Blank-separated inputs and a file of targets.
    let data = folder.write("data_raw.csv", "59 2 32.1\n48 1  21.6\n 72 2 30.5 \n");
    folder.write("target.csv", "1.51e+02\n7.5e+01\n1.41e+02\n");
    let set = open_with(&data, &target(&["target.csv"]));
    assert_eq!((floats(&set)[5], &set.targets[..]), (21.6, &[151.0, 75.0, 141.0][..]));
    // For evaluation the same pair of files is read with the columns of the trained model.
    let again = DataOptions { schema: set.schema.clone(), ..target(&["target.csv"]) };
    assert_eq!(open_with(&data, &again).targets, set.targets);
    assert!(!open_with(&data, &DataOptions { target: vec![], ..again.clone() }).has_targets());
    folder.write("wide.csv", "1 2\n2 3\n3 4\n");
    let wide = DataOptions { target: vec!["wide.csv".into()], ..again.clone() };
    let hint = "correct the line, or set the separator: `data.separator=\";\"`";
    fails(&data, &wide, "line 1 has 2 fields, expected 1: sklearn/wide.csv", hint);
    folder.write("short.csv", "1\n2\n");
    let text = "3 inputs but 2 targets: sklearn/data_raw.csv and sklearn/short.csv";
    let hint = "name the file that belongs to the inputs: `data.target=FILE`";
    fails(&data, &target(&["short.csv"]), text, hint);
}

#[test]
fn options_that_cannot_be_are_told() {
    let folder = Folder::new("options");
    let path = folder.write("t.csv", TABLE);
    let show = |option| format!("set `data.{option}` to another value, or leave it out");
    let options = DataOptions { separator: Some('e'), ..DataOptions::default() };
    let text =
        "`data.separator = e` is not possible: expected a comma, semicolon, tab, bar, blank or the like";
    fails(&path, &options, text, &show("separator"));
    let options = DataOptions { noise: Some(0.5), ..DataOptions::default() };
    let text =
        "`data.noise = 0.5` is not possible: expected nothing, because a file or folder has no such option";
    fails(&path, &options, text, &show("noise"));
    let text =
        "`data.target = kind` is not possible: expected nothing, because a built-in set has no such option";
    fails("xor", &target(&["kind"]), text, &show("target"));
}

#[test]
fn bad_tables_are_told() {
    let folder = Folder::new("bad");
    let none = DataOptions::default();
    let bad = |content: &str, message: &str, hint: &str| {
        fails(&folder.write("t.csv", content), &none, message, hint)
    };
    let leave = |line| {
        format!(
            "`data.skip_lines={line}` skips lines that are not data; `data.separator=\";\"` chooses another separator"
        )
    };
    bad("a,b\n1,2\n\n3,4,5\n", "line 4 has 3 fields (`3,4,5`); the others have 2: bad/t.csv", &leave(4));
    bad("a,b\n1,2\n3\n", "line 3 has 1 field (`3`); the others have 2: bad/t.csv", &leave(3));
    bad("1 2 3\n4 5 6\n7 8\n", "line 3 has 2 fields (`7 8`); the others have 3: bad/t.csv", &leave(3));
    bad("", "the file is empty: bad/t.csv", AGAIN);
    bad("a,b\n\n", "there are no samples: bad/t.csv", "add samples, or name another file");
    bad(
        "a,b\n1e999,2\n1,3\n",
        "inf in sample 0 (counted from 0), column a: bad/t.csv",
        "correct it, or put NaN there and set `data.allow_missing=true`",
    );
    let mut slip: String = (0..40).map(|i| format!("{i}.5,{}\n", i % 2)).collect();
    slip += "1o.5,1\n";
    bad(
        &slip,
        "column `x0` holds numbers, but of 41 values 1 is not: `1o.5` in line 41: bad/t.csv",
        "correct it, or `data.missing=[\"1o.5\"]`, or `data.skip_lines=41`; `data.drop=[\"x0\"]` leaves the column out",
    );
    let names: String = (0..300).map(|i| format!("name{i},{i}.5,{}\n", i % 2)).collect();
    let set = open(&folder.write("t.csv", &names));
    assert_eq!(set.features, ["x1"]);
    assert!(set.notes.iter().any(|n| n.starts_with("1 column left out, whose texts hardly repeat: `x0`")));
    bad(
        "PAR2\0\0",
        "not a file of format table: expected it to begin with text, got 50 41 52 32: bad/t.csv",
        FORMATS,
    );
    let strict = DataOptions { allow_missing: Some(false), ..none.clone() };
    let text = "the value at line 4, column `size` is missing: bad/m.csv";
    let hint = "set `data.allow_missing=true` to replace it by the column's median";
    fails(&folder.write("m.csv", TABLE), &strict, text, hint);
    let regression = DataOptions { task: Some(TaskKind::Regression), ..none.clone() };
    let text = "target `kind` holds words, such as `cat`, but the task is to predict numbers: bad/m.csv";
    let hint =
        "`data.task=classification` predicts them as classes; `data.target=NAME` chooses another target";
    fails(&folder.path("m.csv"), &regression, text, hint);
}

#[test]
fn a_new_table_is_encoded_like_the_first() {
    let folder = Folder::new("schema");
    folder.write("train.csv", TABLE);
    folder.write("test.csv", "kind,weight,color,size\ndog,4,red,5\ncat,?,green,6\n");
    let set = open(&folder.0.display().to_string());
    assert_eq!((set.len(), set.fixed_test.clone()), (6, Some(4..6)));
    assert_eq!(floats(&set)[28..], [5.0, 0.0, 0.0, 1.0, 0.0, 4.0, 0.0, 6.0, 0.0, 0.0, 0.0, 0.0, 1.5, 1.0]);
    assert_eq!(set.targets[4..], [1.0, 0.0]);
    assert_eq!(set.warnings, ["column `color` has 1 value that the training table did not have: `green`"]);
    let splits = data::split(&set, &SplitOptions { valid: data::Share::Count(0), ..SplitOptions::default() });
    assert_eq!(splits.expect("parts").train, [0, 1, 2, 3]);
    let again = DataOptions { schema: set.schema.clone(), ..DataOptions::default() };
    let new = open_with(&folder.write("new.csv", "size,color,weight\n7,blue,8\n"), &again);
    assert!(!new.has_targets() && floats(&new) == [7.0, 0.0, 1.0, 0.0, 0.0, 8.0, 0.0]);
    let text = "there is no column `size`: schema/no.csv";
    fails(&folder.write("no.csv", "sizes,color,weight\n7,blue,8\n"), &again, text, "did you mean `sizes`?");
    let text = "`dogg` at line 2 is not one of the 2 classes: schema/class.csv";
    let class = folder.write("class.csv", "size,color,weight,kind\n7,blue,8,dogg\n");
    fails(&class, &again, text, "did you mean `dog`?");
    let json = serde_json::to_string(&set.schema).expect("plain data");
    assert_eq!(serde_json::from_str::<Option<data::TableSchema>>(&json).expect("the same"), set.schema);
}

#[test]
fn quotes_and_line_ends_are_respected() {
    let folder = Folder::new("quotes");
    let text = "\u{feff}\"first, name\",y\r\n\"a \"\"b\"\"\",1\r\n\"c\nd\",0\r\n\"c\nd\",1\r\n\"c\nd\",0\r\n";
    let set = open(&folder.write("t.csv", text));
    assert_eq!(set.features, ["first, name=a \"b\"", "first, name=c\nd"]);
    assert_eq!(set.targets, [1.0, 0.0, 1.0, 0.0]);
}
