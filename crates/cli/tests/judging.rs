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

/// A table of `n` rows with two classes.
fn classes(n: usize) -> String {
    let mut text = "a,b,class\n".to_owned();
    for i in 0..n {
        let (a, b) = ((i * 7 % 11) as f64 / 11.0, (i * 5 % 13) as f64 / 13.0);
        let _ = writeln!(text, "{a:.4},{b:.4},{}", if a > b { "more" } else { "less" });
    }
    text
}

#[test]
fn batch_and_epochs_of_a_table_follow_from_its_rows() {
    let here = Folder::new("chosen");
    std::fs::write(here.path().join("t.csv"), classes(150)).unwrap();
    let ran = here.run("train data=t.csv --run-dir r");
    assert_eq!(ran.code, 0, "{}", ran.err);
    let n_train = json(&here, "r/summary.json")["samples"]["train"].as_u64().unwrap();
    let said =
        format!("note: epochs=400, batch=64, chosen from {n_train} training samples; set `epochs`, `batch`");
    assert!(ran.err.contains(&said), "{}", ran.err);
    let config = read(&here, "r/config.toml");
    assert!(config.contains("\nepochs = 400 ") && config.contains("\nbatch = 64 "), "{config}");
    // the resolved config is the same run, and so is the one that was cut short
    let hash = |run: &str| json(&here, &format!("{run}/summary.json"))["weights_sha256"].clone();
    let again = here.run("train --config r/config.toml --run-dir again");
    assert!(again.code == 0 && !again.err.contains("chosen"), "{}", again.err);
    assert_eq!(hash("r"), hash("again"));
    let cut = here.run("train data=t.csv time=1ms --run-dir cut");
    assert_eq!(json(&here, "cut/summary.json")["status"], "interrupted", "{}", cut.err);
    assert_eq!(here.run("resume cut").code, 0);
    assert_eq!(hash("r"), hash("cut"));
    // `steps` alone leaves the epochs open, and what is set stays
    let ran = here.run("train data=t.csv steps=7 --run-dir steps");
    assert!(!ran.err.contains("chosen"), "{}", ran.err);
    assert_eq!(json(&here, "steps/summary.json")["steps"], 7);
    let ran = here.run("train data=t.csv epochs=3 batch=16 --run-dir both");
    assert!(!ran.err.contains("chosen"), "{}", ran.err);
    assert_eq!(json(&here, "both/summary.json")["epochs"], 3);
    // data that are no table keep their defaults
    let ran = here.run("train data=xor steps=1 --run-dir xor");
    assert!(!ran.err.contains("chosen"), "{}", ran.err);
    assert!(here.run("config show").fine().contains("# batch = 64"));
}

#[test]
fn tables_smaller_than_a_batch_are_learnt() {
    let here = Folder::new("small");
    for n in [5, 12, 40, 79] {
        std::fs::write(here.path().join("t.csv"), classes(n)).unwrap();
        let ran = here.run(&format!("train data=t.csv --run-dir r{n}"));
        assert_eq!(ran.code, 0, "{n}: {}", ran.err);
        let ran = here.run(&format!("train data=t.csv data.folds=2 seeds=2 --run-dir f{n}"));
        assert_eq!(ran.code, 0, "{n}: {}", ran.err);
    }
    // 65 training samples in batches of 64 leave one, of which a norm knows no statistics
    std::fs::write(here.path().join("t.csv"), classes(65)).unwrap();
    let model = "model.hidden=[8] model.batch_norm=true";
    let ran = here.run(&format!("train data=t.csv {model} data.valid=0 data.test=0 epochs=2 --run-dir norm"));
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("batch=63"), "{}", ran.err);
    let asked = |batch: &str| {
        here.run(&format!(
            "train data=t.csv {model} data.valid=0 data.test=0 epochs=2 {batch} --run-dir told"
        ))
    };
    let ran = asked("batch=64");
    assert!(ran.err.contains("hint: another batch size, for example `batch=63`"), "{}", ran.err);
    assert_eq!(asked("batch=63").code, 0);
}

#[test]
fn a_class_that_is_never_found_is_said_in_the_last_lines() {
    let here = Folder::new("rare");
    let mut text = "a,b,y\n".to_owned();
    for i in 0..300 {
        let _ = writeln!(text, "{},{},{}", i * 7 % 11, i * 5 % 13, if i % 50 == 7 { "yes" } else { "no" });
    }
    std::fs::write(here.path().join("t.csv"), text).unwrap();
    let ran = here.run("train data=t.csv epochs=1 --run-dir r");
    assert_eq!(ran.code, 0, "{}", ran.err);
    let said = "equals the majority class `no`; recall of `yes` is 0 %.";
    let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(plain(&ran.out).contains(said), "{}", ran.out);
    let out = here.run("eval r").fine();
    assert!(out.trim_end().ends_with(said), "{out}");
    assert!(out.contains("\nalways no ") && out.contains("\naverage precision of yes "), "{out}");
    let json = here.run("eval r --json").json().pop().unwrap();
    let confusion = &json["confusion"];
    assert_eq!(
        (&confusion["balanced_accuracy"], &confusion["majority"]["class"]),
        (&0.5.into(), &"no".into())
    );
    for figure in ["roc_auc", "average_precision", "log_loss", "brier", "calibration_error"] {
        assert!(confusion[figure].is_f64(), "{figure}: {confusion}");
    }
    assert_eq!(self::json(&here, "r/evaluation.json")["confusion"], *confusion);
    assert!(read(&here, "r/report.html").contains("always <b>no</b>"));
    // nothing is said of a model that finds its classes
    let ran = here.run("train data=digits epochs=3 --run-dir digits");
    assert!(!ran.out.contains("majority"), "{}", ran.out);
}
