//! A column that weighs the rows.

use data::{ColumnRole, TableSchema};

use super::*;

fn by(column: &str) -> DataOptions {
    DataOptions { weight: Some(column.into()), ..DataOptions::default() }
}

/// Thirty rows with a weight before the target, and some of the rows changed.
fn rows(change: impl Fn(usize) -> Option<String>) -> String {
    let row = |i: usize| {
        let weight = change(i).unwrap_or_else(|| format!("{}", i % 4));
        format!("{}.5,{},{weight},{}\n", i % 7, ["p", "q"][i / 2 % 2], ["u", "v"][i % 2])
    };
    (0..30).fold("x,kind,w,y\n".into(), |text, i| text + &row(i))
}

#[test]
fn weights_are_no_inputs() {
    let folder = Folder::new("weights");
    let set = open_with(&folder.write("t.csv", rows(|_| None)), &by("w"));
    assert_eq!(set.features, ["x", "kind=p", "kind=q"]);
    assert_eq!(set.weights, Some((0..30).map(|i| f64::from(i % 4)).collect()));
    assert_eq!((set.columns[2].role, set.columns[2].kind), (ColumnRole::Weight, "number"));
    assert!(set.notes.iter().any(|n| n.starts_with("`w` weighs the rows in every loss")), "{:?}", set.notes);
    // the last column that is no weight is the target, and weights may count the rows
    let counted = (0..30).fold("x,y,id\n".to_string(), |t, i| t + &format!("{}.5,{},{i}\n", i % 7, i % 2));
    let set = open_with(&folder.write("last.csv", counted), &by("id"));
    assert_eq!((&set.features[..], classes(&set).len()), (&["x".to_string()][..], 2));
    assert_eq!(set.weights.map(|w| w[29]), Some(29.0));
    // a weight is a number of any style
    let set = open_with(&folder.write("s.csv", rows(|i| (i == 3).then(|| "1e300".into()))), &by("2"));
    assert_eq!(set.weights.map(|w| w[3]), Some(1e300));
}

#[test]
fn rows_that_are_left_out_take_their_weights_along() {
    let folder = Folder::new("weights-kept");
    let text = rows(|_| None).replacen(",0,u\n", ",0,\n", 1);
    let options = DataOptions { missing_target: data::MissingTarget::Drop, ..by("w") };
    let set = open_with(&folder.write("t.csv", text), &options);
    assert_eq!((set.len(), set.weights.map(|w| w[..4].to_vec())), (29, Some(vec![1.0, 2.0, 3.0, 0.0])));
    let json = |i: usize| format!("{{\"x\": {}, \"w\": {}.5, \"y\": {}}}\n", i % 5, i, i % 2);
    folder.write("a.jsonl", (0..20).map(json).collect::<String>());
    folder.write("b.jsonl", (20..40).map(json).collect::<String>());
    let set = open_with(&folder.path("*.jsonl"), &by("w"));
    assert_eq!(set.weights.map(|w| (w[0], w[39])), Some((0.5, 39.5)));
}

#[test]
fn parts_of_a_folder_have_weights_or_none() {
    let folder = Folder::new("weights-parts");
    folder.write("train.csv", rows(|_| None));
    folder.write("valid.csv", rows(|_| Some("7".into())));
    folder.write("test.csv", "x,kind,y\n1.5,p,u\n2.5,q,v\n");
    let set = open_with(&folder.path(""), &by("w"));
    let weights = set.weights.clone().expect("weights");
    assert_eq!((weights.len(), weights[1], weights[30], weights[61]), (62, 1.0, 7.0, 1.0));
    let warning = "there is no column `w`, so all rows count alike in the loss";
    assert_eq!(set.warnings, [warning]);
    folder.write("test.csv", "x,kind\n1.5,p\n2.5,q\n");
    let set = open_with(&folder.path(""), &by("w"));
    assert_eq!((set.len(), set.weights.map(|w| w.len())), (60, Some(60)));
}

#[test]
fn what_is_no_weight_is_told_with_its_line() {
    let folder = Folder::new("no-weight");
    let bad = |text: &str, message: &str, hint: &str| {
        let path = folder.write("t.csv", rows(|i| (i == 3).then(|| text.into())));
        fails(
            &path,
            &by("w"),
            &format!("column `w` cannot weigh the rows: {message}: no-weight/t.csv"),
            hint,
        );
    };
    let one = "correct it (0 if the row is not to count), or `data.skip_lines=5`; `data.weight=NAME` chooses another column";
    bad("-1", "`-1` in line 5 is negative", one);
    bad("", "the value in line 5 is missing", one);
    bad("NA", "`NA` in line 5 stands for a missing value", one);
    bad("inf", "`inf` in line 5 is infinite", one);
    bad("1e400", "`inf` in line 5 is infinite", one);
    bad("heavy", "`heavy` in line 5 is not a number", one);
    let many = "write numbers of 0 or more there (0 where a row is not to count); `data.weight=NAME` chooses another column";
    let path = folder.write("m.csv", rows(|i| (i > 20).then(|| format!("{}", 20 - i as i32))));
    let message = "column `w` cannot weigh the rows: `-1` in line 23 is negative, and 8 more are no weights either: no-weight/m.csv";
    fails(&path, &by("w"), message, many);
    let message = "column `kind` cannot weigh the rows: `p` in line 2 is not a number, and 29 more are no weights either: no-weight/m.csv";
    fails(&path, &by("kind"), message, many);
    let path = folder
        .write("c.csv", rows(|i| Some(if i == 9 { "light".into() } else { format!("\"{},5\"", i % 4) })));
    let message = "column `w` cannot weigh the rows: `light` in line 11 is not a number: no-weight/c.csv";
    fails(&path, &by("w"), message, &one.replace('5', "11"));
    // a number that may be two is for the key that tells
    let text =
        (0..30).fold("x,w,y\n".to_string(), |t, i| t + &format!("{i},\"{},500\",{}\n", 1 + i % 4, i % 2));
    let path = folder.write("e.csv", text);
    let message = "column `w`: the comma in `1,500` in line 2 may be a decimal mark or a thousands separator: no-weight/e.csv";
    let hint =
        "`data.decimal=\",\"` if it is the decimal mark, `data.thousands=\",\"` if it separates thousands";
    fails(&path, &by("w"), message, hint);
    let expected = "`data.weight = w` is not possible: expected a column that is neither a target nor left out by `data.drop`";
    let hint = "set `data.weight` to another value, or leave it out";
    let path = folder.write("t.csv", rows(|_| None));
    fails(&path, &DataOptions { drop: vec!["w".into()], ..by("w") }, expected, hint);
    fails(&path, &DataOptions { target: vec!["w".into()], ..by("w") }, expected, hint);
    assert_eq!(data::open(&path, &by("W")).expect_err("no column").hint(), "did you mean `w`?");
    let expected =
        "`data.weight = w` is not possible: expected nothing, because a built-in set has no such option";
    fails("digits", &by("w"), expected, hint);
}

/// Opens a new table for a model, to measure it or to answer.
fn again(folder: &Folder, schema: &TableSchema, text: &str, inputs_only: bool) -> Dataset {
    let options = DataOptions { schema: Some(schema.clone()), inputs_only, ..by("w") };
    open_with(&folder.write("new.csv", text), &options)
}

#[test]
fn new_tables_have_weights_or_none() {
    let folder = Folder::new("weights-new");
    let named = open_with(&folder.write("t.csv", rows(|_| None)), &by("w")).schema.expect("a table's");
    let inputs = [1.5, 1.0, 0.0];
    let set = again(&folder, &named, "W,y,kind,x\n2.5,v,p,1.5\n", false);
    assert_eq!(
        (floats(&set), &set.targets[..], set.weights.clone()),
        (&inputs[..], &[1.0][..], Some(vec![2.5]))
    );
    let set = again(&folder, &named, "y,kind,x\nv,p,1.5\n", false);
    assert_eq!((floats(&set), set.weights.clone(), set.warnings.len()), (&inputs[..], None, 1));
    // answers need no weights, whatever stands there
    for text in ["x,kind,w\n1.5,p,-3\n", "x,kind,w\n1.5,p,heavy\n", "x,kind\n1.5,p\n"] {
        let set = again(&folder, &named, text, true);
        assert_eq!((floats(&set), set.weights.clone(), set.warnings.len()), (&inputs[..], None, 0), "{text}");
    }
    // by place: all columns, without the weights, without the targets, without both
    let text = rows(|_| None).replacen("x,kind,w,y\n", "", 1);
    let nameless = open_with(&folder.write("n.csv", text), &by("2")).schema.expect("a table's");
    let set = again(&folder, &nameless, "1.5,p,2.5,v\n", false);
    assert_eq!(
        (floats(&set), &set.targets[..], set.weights.clone()),
        (&inputs[..], &[1.0][..], Some(vec![2.5]))
    );
    let set = again(&folder, &nameless, "1.5,p,v\n", false);
    assert_eq!((floats(&set), &set.targets[..], set.weights.clone()), (&inputs[..], &[1.0][..], None));
    for text in ["1.5,p,v\n", "1.5,p,2.5\n", "1.5,p\n", "1.5,p,2.5,v\n"] {
        assert_eq!(floats(&again(&folder, &nameless, text, true)), inputs, "{text}");
    }
    // weights in front: a table of one column less may lack them or the target, and these differ
    let text =
        (0..30).fold(String::new(), |t, i| t + &format!("{}.25,{}.5,{}\n", i % 4, i % 7, ["u", "v"][i % 2]));
    let first = open_with(&folder.write("f.csv", text), &by("0")).schema.expect("a table's");
    let options = DataOptions { schema: Some(first), inputs_only: true, ..by("0") };
    let error = data::open(&folder.write("new.csv", "1.5,u\n1.5,v\n"), &options).expect_err("unclear");
    assert!(matches!(error, data::DataError::Ragged { expected: 3, got: 2, .. }), "{error}");
    assert_eq!(floats(&open_with(&folder.write("new.csv", "1.5\n"), &options)), [1.5]);
}

/// Targets in a file of their own say nothing of weights and groups.
#[test]
fn targets_may_be_in_another_file() {
    let folder = Folder::new("weights-beside");
    let text = (0..30).fold("x,w,g\n".to_string(), |t, i| t + &format!("{}.5,{},p{}\n", i % 7, i % 4, i % 6));
    let targets = folder.write("y.csv", (0..30).fold("y\n".to_string(), |t, i| t + &format!("{}\n", i % 2)));
    let path = folder.write("x.csv", text);
    let options = DataOptions { target: vec![targets], group: Some("g".into()), ..by("w") };
    let set = open_with(&path, &options);
    assert_eq!(
        (set.features.len(), set.weights.map(|w| w[3]), set.groups.map(|g| g[7])),
        (1, Some(3.0), Some(1))
    );
}
