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
fn nothing_undefined_is_spelled(text: &str) {
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
        nothing_undefined_is_spelled(&read(&here, file));
    }
    let page = read(&here, "r/report.html");
    let page = page.rsplit_once("<script>").unwrap().0;
    assert!(page.contains("test RMSE") && !page.contains("NaN") && !page.contains("−∞"), "{page}");
    nothing_undefined_is_spelled(&(ran.out + &ran.err));
    nothing_undefined_is_spelled(&here.run("eval r").fine());
}

#[test]
fn equal_validation_targets_are_judged_by_their_error_in_folds_too() {
    let here = Folder::new("equal-valid");
    // all targets but one are a number that no power of two divides
    let text = numbers(40, |a, b| if a == 0.0 && b == 0.0 { 0.7 } else { 0.1 });
    std::fs::write(here.path().join("t.csv"), text).unwrap();
    let ran = here.run("train data=t.csv data.task=regression data.folds=4 epochs=6 batch=8 --run-dir r");
    assert_eq!(ran.code, 0, "{}", ran.err);
    nothing_undefined_is_spelled(&(ran.out + &ran.err));
    for file in ["r/runs.csv", "r/results.csv", "r/folds.csv", "r/results.json", "r/fold-1/metrics.csv"] {
        nothing_undefined_is_spelled(&read(&here, file));
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
    assert_eq!(n_train, 105);
    let said = "note: epochs=400, batch=64, optimizer.weight_decay=0.00952, chosen because there are 105 training samples; \
                set `epochs`, `batch`, `optimizer.weight_decay`";
    assert!(ran.err.contains(said), "{}", ran.err);
    let config = read(&here, "r/config.toml");
    let has = |line: &str| config.contains(&format!("\n{line} "));
    assert!(has("epochs = 400") && has("batch = 64") && has("weight_decay = 0.00952"), "{config}");
    // what is set stays, 0 too, and so do the defaults of decoupled decay
    let kept = here.run("train data=t.csv optimizer.weight_decay=0 epochs=2 --run-dir kept");
    assert!(kept.code == 0 && !kept.err.contains("weight_decay"), "{}", kept.err);
    assert!(read(&here, "kept/config.toml").contains("\nweight_decay = 0.0 "));
    let own = here.run("train data=t.csv optimizer=adamw epochs=2 --run-dir own");
    assert!(own.code == 0 && !own.err.contains("weight_decay"), "{}", own.err);
    assert!(read(&here, "own/config.toml").contains("\nweight_decay = 0.01 "));
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
    let ran = here.run("train data=t.csv steps=7 optimizer.weight_decay=0 --run-dir steps");
    assert!(!ran.err.contains("chosen"), "{}", ran.err);
    assert_eq!(json(&here, "steps/summary.json")["steps"], 7);
    let ran = here.run("train data=t.csv epochs=3 batch=16 optimizer.weight_decay=0 --run-dir both");
    assert!(!ran.err.contains("chosen"), "{}", ran.err);
    assert_eq!(json(&here, "both/summary.json")["epochs"], 3);
    // data that are no table keep their defaults
    let ran = here.run("train data=xor steps=1 --run-dir xor");
    assert!(!ran.err.contains("chosen"), "{}", ran.err);
    assert!(here.run("config show").fine().contains("# batch = 64"));
}

#[test]
fn tables_smaller_than_a_batch_are_learned() {
    let here = Folder::new("small");
    for n in [5, 12, 40, 79] {
        std::fs::write(here.path().join("t.csv"), classes(n)).unwrap();
        let ran = here.run(&format!("train data=t.csv epochs=2 --run-dir r{n}"));
        assert_eq!(ran.code, 0, "{n}: {}", ran.err);
        let ran = here.run(&format!("train data=t.csv data.folds=2 seeds=2 epochs=2 --run-dir f{n}"));
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
    assert!(ran.err.contains("hint: another batch size, for example `batch=61`"), "{}", ran.err);
    assert_eq!(asked("batch=61").code, 0);
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
    assert!(!ran.out.contains("majority class"), "{}", ran.out);
}

#[test]
fn measuring_the_training_file_is_told() {
    let here = Folder::new("seen");
    let table = |from: usize, n: usize| {
        let mut text = "a,b,color,y\n".to_owned();
        for i in from..from + n {
            let a =
                if i % 9 == 0 { String::new() } else { format!("{:.4}", (i * 7919 % 1009) as f64 / 1009.0) };
            let color = ["red", "green", "blue"][i % 3];
            let _ = writeln!(text, "{a},{:.4},{color},{}", (i * 5 % 997) as f64, i * 31 % 2);
        }
        text
    };
    std::fs::create_dir(here.path().join("sub")).unwrap();
    std::fs::write(here.path().join("sub/t.csv"), table(0, 200)).unwrap();
    std::fs::write(here.path().join("new.csv"), table(200, 100)).unwrap();
    std::fs::write(here.path().join("mixed.csv"), table(150, 100)).unwrap();
    let missing = "data.allow_missing=true";
    let ran = here.run(&format!("train data=sub/t.csv {missing} epochs=2 --run-dir sub/r"));
    assert_eq!(ran.code, 0, "{}", ran.err);
    let samples = json(&here, "sub/r/summary.json")["samples"].clone();
    let own = here.run("eval sub/r data=sub/t.csv");
    let said = format!(
        "warning: the model was trained on {} of these 200 samples, and {} chose the best epoch: the figures do not show \
         how it does on new data",
        samples["train"], samples["valid"]
    );
    assert_eq!((own.code, own.err.trim_end()), (0, said.as_str()));
    assert!(own.out.starts_with("sub/t.csv, 200 samples"), "{}", own.out);
    let new = here.run("eval sub/r data=new.csv").fine();
    assert!(new.starts_with("new.csv, 100 samples"), "{new}");
    let mixed = here.run("eval sub/r data=mixed.csv");
    assert!(mixed.err.contains("warning: the model was trained on "), "{}", mixed.err);
    // the data are found from another folder, and the run's own test part is no news
    std::fs::rename(here.path().join("sub/r"), here.path().join("r")).unwrap();
    assert!(here.run("eval r").fine().starts_with("test part"));
    let path = here.path().join("sub/t.csv");
    assert!(read(&here, "r/config.toml").contains(&format!("source = {:?}", path.to_str().unwrap())));
    // data that are no longer there are known by their checksum, where nothing was missing
    std::fs::write(here.path().join("whole.csv"), classes(80)).unwrap();
    assert_eq!(here.run("train data=whole.csv epochs=1 --run-dir whole").code, 0);
    std::fs::rename(here.path().join("whole.csv"), here.path().join("moved.csv")).unwrap();
    let moved = here.run("eval whole data=moved.csv");
    assert!(moved.err.contains("the model was trained on these data"), "{}", moved.err);
}

#[test]
fn a_list_is_gone_on_with_from_another_folder() {
    let here = Folder::new("elsewhere");
    std::fs::create_dir(here.path().join("sub")).unwrap();
    std::fs::write(here.path().join("t.csv"), classes(60)).unwrap();
    let ran = here.run("train data=t.csv seeds=2 epochs=2 --run-dir sub/list");
    assert_eq!(ran.code, 0, "{}", ran.err);
    let ran = std::process::Command::new(env!("CARGO_BIN_EXE_thalweg"))
        .args(["resume", "list", "epochs=3"])
        .current_dir(here.path().join("sub"))
        .output()
        .unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    assert_eq!(json(&here, "sub/list/seed-1/summary.json")["epochs"], 3);
}

#[test]
fn checkpoints_stay_where_they_are_asked_for() {
    let here = Folder::new("keep");
    let kept = |run: &str| {
        let folder = here.path().join(run).join("checkpoints");
        let names = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.filter(|name| name.starts_with("step-")).collect();
        names.sort();
        names
    };
    let train = "train data=xor epochs=4 save.every=1ep";
    for (keep, n) in [("", 0), ("save.keep=2", 2), ("save.keep=all", 4)] {
        let ran = here.run(&format!("{train} {keep} --run-dir r{n}"));
        assert_eq!((ran.code, kept(&format!("r{n}")).len()), (0, n), "{}", ran.err);
    }
    let all = kept("r4");
    assert_eq!(kept("r2"), all[2..]);
    let last = std::fs::read(here.path().join("r4/checkpoints/last.safetensors")).unwrap();
    let newest = std::fs::read(here.path().join("r4/checkpoints").join(&all[3])).unwrap();
    let oldest = std::fs::read(here.path().join("r4/checkpoints").join(&all[0])).unwrap();
    assert!(last == newest && last != oldest);
    let from = format!("{train} init_from=r4/checkpoints/{} --run-dir next", all[0]);
    assert_eq!(here.run(&from).code, 0);
    // a run in the place of another leaves none of the other's
    assert_eq!(here.run(&format!("{train} --run-dir r4 --overwrite")).code, 0);
    assert!(kept("r4").is_empty());
    here.run("train save.keep=some").fails(
        2,
        "error: `save.keep` on the command line: expected `all`, or how many checkpoints to keep, got \"some\"\n\
         hint: `thalweg config show` explains `save`",
    );
}

#[test]
fn run_names_say_what_differs() {
    let here = Folder::new("names");
    for (words, name) in [
        ("data=xor steps=1", "xor-mlp-128-64-001"),
        ("data=xor steps=1 model=mlp-8 optimizer=adamw lr=0.01", "xor-mlp-8-adamw-lr0.01-001"),
        (
            "data=xor steps=1 model=mlp-8 schedule=cosine batch=16 seed=3",
            "xor-mlp-8-cosine-batch16-seed3-001",
        ),
        ("data=xor steps=1 model=mlp-8 optimizer=sgd optimizer.lr=1e-5 name=own", "own-001"),
    ] {
        let ran = here.run(&format!("train {words}"));
        assert!(here.path().join("runs").join(name).is_dir(), "{name}: {}{}", ran.err, ran.out);
    }
}

#[test]
fn a_first_epoch_that_diverges_leaves_its_steps() {
    let here = Folder::new("first");
    let ran = here.run("train data=digits optimizer=sgd lr=1e6 batch=1 --run-dir r");
    assert_eq!(ran.code, 1, "{}", ran.err);
    let table = read(&here, "r/metrics.csv");
    assert!(table.starts_with("epoch,step,seconds,lr,train_loss\n0,1,"), "{table}");
    assert_eq!(json(&here, "r/summary.json")["epochs"], 0);
    assert!(read(&here, "r/report.html").contains("<svg"));
}

#[test]
fn nothing_longer_is_proposed_where_all_is_learned() {
    let here = Folder::new("learned");
    std::fs::write(here.path().join("t.csv"), classes(60)).unwrap();
    let ran =
        here.run("train data=t.csv data.valid=0 data.test=0 epochs=400 lr=0.01 save.every=100ep --run-dir r");
    assert!(json(&here, "r/summary.json")["best"]["train_accuracy"] == 1.0, "{}", ran.out);
    assert!(!ran.out.contains("training longer"), "{}", ran.out);
}

#[test]
fn settings_without_effect_and_weights_that_are_none_are_told() {
    let here = Folder::new("idle");
    let ran = here.run("train data=xor steps=2 optimizer=sgd momentum_schedule=cosine --run-dir r");
    assert!(ran.err.contains("warning: `momentum_schedule` changes nothing"), "{}", ran.err);
    // one weight of the file becomes none
    let path = here.path().join("r/weights.safetensors");
    let mut bytes = std::fs::read(&path).unwrap();
    let header = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let text: Value = serde_json::from_slice(&bytes[8..8 + header]).unwrap();
    let start = text["2.weight"]["data_offsets"][0].as_u64().unwrap() as usize;
    let width = text["2.weight"]["shape"][1].as_u64().unwrap() as usize;
    let at = 8 + header + start + 4 * (3 * width + 5);
    bytes[at..at + 4].copy_from_slice(&f32::NAN.to_le_bytes());
    std::fs::write(&path, bytes).unwrap();
    let ran = here.run("train data=xor steps=2 init_from=r/weights.safetensors --run-dir from");
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("error: `2.weight` holds NaN at [3, 5]: r/weights.safetensors"), "{}", ran.err);
    assert!(!ran.err.contains("lr"), "{}", ran.err);
}

/// A line in the terminal, fields in the files, bars in the report; the same from `eval`, and on any number of threads.
#[test]
fn simple_models_stand_beside_the_network() {
    let here = Folder::new("baselines");
    std::fs::write(here.path().join("t.csv"), classes(150)).unwrap();
    let ran = here.run("train data=t.csv epochs=5 threads=1 --run-dir r");
    assert!((ran.out.clone() + &ran.err).contains("For comparison: majority "));
    let found = json(&here, "r/evaluation.json")["baselines"].clone();
    assert_eq!(found["metric"], "accuracy");
    assert_eq!(found["network"], json(&here, "r/summary.json")["best"]["test_accuracy"]);
    let names: Vec<&str> =
        found["models"].as_array().unwrap().iter().map(|m| m["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["majority", "linear model", "nearest neighbors"]);
    // the classes are those of a line
    assert!(found["models"][1]["value"].as_f64().unwrap() > 0.9, "{found}");
    assert!(found["models"][0]["value"].as_f64().unwrap() < 0.7, "{found}");
    assert!(read(&here, "r/report.html").contains("Is the network worth it?"));
    let measured = here.run("eval r --json").fine();
    let last: Value = serde_json::from_str(measured.lines().last().unwrap()).unwrap();
    assert_eq!(last["baselines"], found);
    assert!(here.run("eval r").fine().contains("\nfor comparison: majority "));
    assert_eq!(here.run("train data=t.csv epochs=5 threads=2 --run-dir two").code, 0);
    assert_eq!(json(&here, "two/evaluation.json")["baselines"], found);
    // nothing of the training changes by it
    assert_eq!(here.run("train data=t.csv epochs=5 baselines=false --run-dir without").code, 0);
    assert!(json(&here, "without/evaluation.json")["baselines"].is_null());
    let hash = |run: &str| json(&here, &format!("{run}/summary.json"))["weights_sha256"].clone();
    assert_eq!(hash("without"), hash("r"));
    // numbers, in their own unit
    std::fs::write(here.path().join("n.csv"), numbers(150, |a, b| 1000.0 + 30.0 * a - b)).unwrap();
    let ran = here.run("train data=n.csv epochs=5 --run-dir n");
    assert!((ran.out.clone() + &ran.err).contains("For comparison: RMSE of mean "));
    let found = json(&here, "n/evaluation.json")["baselines"].clone();
    let [own, figure] =
        [&found["network"], &json(&here, "n/summary.json")["best"]["test_rmse"]].map(|x| x.as_f64().unwrap());
    assert!((own - figure).abs() < 1e-4 * figure, "{own} {figure}");
    assert!(found["models"][1]["value"].as_f64().unwrap() < 1.0, "{found}");
    assert!(found["against_linear"]["mean"].as_f64().unwrap() < 0.0, "{found}");
    assert!((ran.out + &ran.err).contains("worse than a linear model"));
}

/// What was chosen on the validation part stands beside the run and changes answers on request alone.
#[test]
fn probabilities_are_calibrated_on_request() {
    let here = Folder::new("calibrated");
    std::fs::write(here.path().join("t.csv"), classes(300)).unwrap();
    assert_eq!(here.run("train data=t.csv epochs=3 --run-dir r").code, 0);
    let plain = here.run("predict r t.csv").out;
    here.run("predict r t.csv --calibrated").fails(
        2,
        "error: the run has not been calibrated: r/calibration.json\nhint: `thalweg eval r --calibrate --checkpoint best`",
    );
    let measured = here.run("eval r --calibrate --json").out;
    let last: Value = serde_json::from_str(measured.lines().last().unwrap()).unwrap();
    let found = json(&here, "r/calibration.json");
    assert_eq!(last["calibration"], found);
    let loss = |when: &str| found["chosen_on"][when]["log_loss"].as_f64().unwrap();
    assert!(loss("after") <= loss("before"), "{found}");
    assert_eq!(found["threshold"]["figure"], "balanced_accuracy");
    assert_eq!(found["judged_on"]["split"], "test");
    assert!(here.run("eval r --calibrate=f1").out.contains("(largest f1), chosen on the validation part"));
    assert_eq!(json(&here, "r/calibration.json")["threshold"]["figure"], "f1");
    let answers = here.run("predict r t.csv --calibrated").out;
    assert!(answers != plain && answers.lines().count() == plain.lines().count(), "{answers}");
    assert_eq!(here.run("predict r t.csv").out, plain);
    here.run("predict r t.csv --calibrated --checkpoint last").fails(
        2,
        "error: the calibration belongs to the best weights\nhint: `thalweg eval r --calibrate --checkpoint last`",
    );
    // the hint cures
    assert_eq!(here.run("eval r --calibrate --checkpoint last").code, 0);
    assert_eq!(here.run("predict r t.csv --calibrated --checkpoint last").code, 0);
    let other = here.run("eval r data=t.csv --calibrate");
    assert!(other.code == 2 && other.err.contains("hint: `thalweg eval r --calibrate`"), "{}", other.err);
    // without a validation part, and of numbers
    assert_eq!(here.run("train data=t.csv data.valid=0 epochs=1 --run-dir none").code, 0);
    let none = here.run("eval none --calibrate");
    assert!(none.code != 0 && none.err.contains("hint: train with `data.valid=0.2`"), "{}", none.err);
    std::fs::write(here.path().join("n.csv"), numbers(60, |a, b| a - b)).unwrap();
    assert_eq!(here.run("train data=n.csv epochs=1 --run-dir n").code, 0);
    assert_ne!(here.run("eval n --calibrate").code, 0);
}
