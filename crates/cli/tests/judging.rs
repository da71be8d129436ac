//! What a run says of itself: which epoch is the best, how an undefined number is written.

mod common;

use std::fmt::Write as _;

use common::Folder;
use serde_json::Value;

/// `n` rows of two inputs and a number that follows from them.
fn numbers(n: usize, target: impl Fn(f64, f64) -> f64) -> String {
    let mut text = "a,b,y\n".to_owned();
    for i in 0..n {
        let (a, b) = ((i * 7 % 11) as f64 / 11.0, (i * 5 % 13) as f64 / 13.0);
        let _ = writeln!(text, "{a:.4},{b:.4},{}", target(a, b));
    }
    text
}

fn read(here: &Folder, file: &str) -> String {
    std::fs::read_to_string(here.path().join(file)).unwrap()
}

fn json(here: &Folder, file: &str) -> Value {
    serde_json::from_str(&read(here, file)).unwrap()
}

/// No file and no line of talk holds a number that is none.
#[track_caller]
fn nothing_undefined_is_spelt(text: &str) {
    for word in ["NaN", "nan", "inf,", "-inf", "−∞", "inf "] {
        assert!(!text.contains(word), "{word}: {text}");
    }
}

#[test]
fn one_validation_row_is_judged_by_its_error() {
    let here = Folder::new("one-valid");
    std::fs::write(here.path().join("t.csv"), numbers(40, |a, b| 3.0 * a - b)).unwrap();
    let ran = here.run("train data=t.csv data.valid=1 data.test=1 epochs=30 batch=8 --run-dir r");
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("warning: `valid_r2` is undefined"), "{}", ran.err);
    let summary = json(&here, "r/summary.json");
    assert!(summary["best"]["epoch"].as_u64().unwrap() > 1, "{summary}");
    assert_eq!((&summary["metric"], &summary["goal"]), (&"rmse".into(), &"min".into()));
    assert!(summary["best"]["valid_r2"].is_null() && summary["best"]["test_r2"].is_null(), "{summary}");
    let table = read(&here, "r/metrics.csv");
    let head: Vec<&str> = table.lines().next().unwrap().split(',').collect();
    assert_eq!(head[5..], ["valid_loss", "valid_rmse", "valid_r2"], "{table}");
    let rows: Vec<&str> = table.lines().skip(1).collect();
    assert!(rows.iter().all(|row| row.ends_with(',')), "{table}");
    let lowest = |row: &&str| row.split(',').nth(6).unwrap().parse::<f64>().unwrap();
    let best = rows.iter().min_by(|a, b| lowest(a).total_cmp(&lowest(b))).unwrap();
    assert_eq!(best.split(',').next().unwrap(), summary["best"]["epoch"].to_string());
    for file in ["r/log.txt", "r/metrics.csv", "r/summary.json", "r/evaluation.json"] {
        nothing_undefined_is_spelt(&read(&here, file));
    }
    let page = read(&here, "r/report.html");
    let page = page.rsplit_once("<script>").unwrap().0;
    assert!(page.contains("test RMSE") && !page.contains("NaN") && !page.contains("−∞"), "{page}");
    nothing_undefined_is_spelt(&(ran.out + &ran.err));
    nothing_undefined_is_spelt(&here.run("eval r").fine());
}

#[test]
fn equal_validation_targets_are_judged_by_their_error_in_folds_too() {
    let here = Folder::new("equal-valid");
    // all targets but one are a number that no power of two divides
    let text = numbers(40, |a, b| if a == 0.0 && b == 0.0 { 0.7 } else { 0.1 });
    std::fs::write(here.path().join("t.csv"), text).unwrap();
    let ran = here.run("train data=t.csv data.task=regression data.folds=4 epochs=6 batch=8 --run-dir r");
    assert_eq!(ran.code, 0, "{}", ran.err);
    nothing_undefined_is_spelt(&(ran.out + &ran.err));
    for file in ["r/runs.csv", "r/results.csv", "r/folds.csv", "r/results.json", "r/fold-1/metrics.csv"] {
        nothing_undefined_is_spelt(&read(&here, file));
    }
    let results = read(&here, "r/results.csv");
    assert!(results.contains("all,test_rmse,4,"), "{results}");
}
