//! Training, going on, measuring and predicting, as a user types them.

mod common;

use common::Folder;

/// The figures of a run folder.
fn summary(here: &Folder, run: &str) -> serde_json::Value {
    let text = std::fs::read_to_string(here.path().join(run).join("summary.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn thalweg_alone_trains_digits_and_says_what_is_next() {
    let here = Folder::new("alone");
    let ran = here.run("");
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(ran.err.lines().filter(|l| l.starts_with("epoch ")).count(), 20, "{}", ran.err);
    let s = summary(&here, "runs/digits-mlp-128-64-001");
    assert_eq!(
        (s["status"].as_str(), s["seed"].as_u64(), s["shards"].as_u64()),
        (Some("done"), Some(0), Some(8))
    );
    assert!(s["best"]["test_accuracy"].as_f64().unwrap() >= 0.97, "{s}");
    for file in ["config.toml", "metrics.csv", "log.txt", "report.html", "checkpoints/last.safetensors"] {
        assert!(here.path().join("runs/digits-mlp-128-64-001").join(file).is_file(), "{file}");
    }
    for part in ["test accuracy", "thalweg resume runs/digits-mlp-128-64-001 epochs=40", "report.html"] {
        assert!(ran.out.contains(part), "{part}: {}", ran.out);
    }
    assert!(!ran.out.contains('\x1b') && ran.out.lines().all(|l| l.chars().count() <= 80), "{}", ran.out);
    assert_eq!(here.run("epochs=1 -q").fine(), "");
    assert!(here.path().join("runs/digits-mlp-128-64-002").is_dir());
}

#[test]
fn a_run_is_never_overwritten_unasked() {
    let here = Folder::new("overwrite");
    here.run("train epochs=1 --run-dir a -q").fine();
    here.run("train epochs=1 --run-dir a").fails(
        2,
        "error: run folder exists and is not empty: a\n\
         hint: continue it with `thalweg resume a`, choose another `--run-dir`, or add `--overwrite`",
    );
    let before = summary(&here, "a");
    assert_eq!(here.run("train data=nowhere.csv --run-dir a --overwrite").code, 1);
    assert_eq!(summary(&here, "a"), before);
    here.run("train epochs=2 --run-dir a --overwrite -q").fine();
    assert_eq!(summary(&here, "a")["epochs"], 2);
    std::fs::create_dir(here.path().join("mine")).unwrap();
    std::fs::write(here.path().join("mine/thesis.txt"), "all of it").unwrap();
    assert_eq!(here.run("train epochs=1 --run-dir mine --overwrite").code, 2);
    assert_eq!(std::fs::read_to_string(here.path().join("mine/thesis.txt")).unwrap(), "all of it");
}

#[test]
fn a_run_that_does_not_begin_leaves_nothing() {
    let here = Folder::new("nothing");
    for (words, code) in [
        ("batch=5000", 2),
        ("augment=crop-400", 2),
        ("augment=scale-2-1", 2),
        ("augment=mixup,flip", 2),
        ("data=xor augment=mixup", 2),
        ("data=none.csv", 1),
        ("model=7-3-10", 2),
        ("loss=cross_entropy data=none.npz", 1),
    ] {
        let ran = here.run(words);
        assert_eq!(ran.code, code, "{words}: {}", ran.err);
        assert!(ran.err.starts_with("error: ") && ran.err.contains("\nhint: "), "{}", ran.err);
    }
    assert_eq!(std::fs::read_dir(here.path()).unwrap().count(), 0);
}

#[test]
fn json_lines_tell_the_whole_run() {
    let here = Folder::new("json-run");
    let ran = here.run("train epochs=2 --json --run-dir a");
    let lines = ran.json();
    let events: Vec<&str> = lines.iter().map(|l| l["event"].as_str().unwrap()).collect();
    assert_eq!((ran.code, events), (0, vec!["start", "epoch", "epoch", "result"]));
    let last = &lines[3];
    assert_eq!((last["status"].as_str(), last["run_dir"].as_str()), (Some("done"), Some("a")));
    assert_eq!(last["weights_sha256"], summary(&here, "a")["weights_sha256"]);
    assert!(lines[1]["valid_accuracy"].is_number() && lines[1]["best"] == true);
}

#[test]
fn going_on_is_the_run_that_never_stopped() {
    let here = Folder::new("resume");
    here.run("epochs=3 --run-dir whole -q").fine();
    here.run("epochs=1 --run-dir parts -q threads=1").fine();
    let ran = here.run("resume parts epochs=3 threads=2");
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(summary(&here, "parts")["weights_sha256"], summary(&here, "whole")["weights_sha256"]);
    let again = here.run("resume parts --json");
    assert_eq!((again.code, again.json()[0]["event"].as_str()), (0, Some("result")));
    here.run("resume parts epochs=2").fails(
        2,
        "error: the run has already done 3 epochs and 60 steps\nhint: ask for more: `thalweg resume parts epochs=6`",
    );
    assert_eq!(here.run("resume parts lr=1 epochs=9").code, 2);
    here.run("resume nowhere")
        .fails(2, "error: no such run folder: nowhere\nhint: `ls runs` shows the runs made here");
}

#[test]
fn the_resolved_config_repeats_the_run() {
    let here = Folder::new("repeat");
    here.run("data=two-moons epochs=2 lr=0.01 model=mlp-8 --run-dir a -q").fine();
    here.run("train --config a/config.toml --run-dir b -q").fine();
    assert_eq!(summary(&here, "a")["weights_sha256"], summary(&here, "b")["weights_sha256"]);
}

#[test]
fn a_run_that_diverges_says_so() {
    let here = Folder::new("diverge");
    let ran = here.run("optimizer=sgd lr=1e9 --json --run-dir a");
    assert_eq!(ran.code, 1);
    assert!(
        ran.err.contains("error: loss became NaN at step")
            && ran.err.contains("hint: try `lr=0.1` (now 1e9)"),
        "{}",
        ran.err
    );
    let lines = ran.json();
    let last = lines.last().unwrap();
    assert_eq!((last["event"].as_str(), last["status"].as_str()), (Some("result"), Some("diverged")));
    assert_eq!(summary(&here, "a")["status"], "diverged");
}

#[test]
fn a_model_is_measured_as_in_training() {
    let here = Folder::new("eval");
    here.run("epochs=3 --run-dir a -q").fine();
    let s = summary(&here, "a");
    for which in ["best", "last"] {
        let result = &here.run(&format!("eval a --checkpoint {which} --json")).json()[0];
        let stored = &s[if which == "best" { "best" } else { "final" }];
        assert_eq!(result["metrics"]["test_accuracy"], stored["test_accuracy"]);
        assert_eq!(result["metrics"]["test_loss"], stored["test_loss"]);
        assert_eq!((result["split"].as_str(), result["samples"].as_u64()), (Some("test"), Some(359)));
    }
    let text = here.run("eval a").fine();
    assert!(text.contains("accuracy") && text.contains("precision"), "{text}");
    here.run("eval a lr=1").fails(
        2,
        "error: `lr` cannot change after a model has been trained\nhint: `thalweg eval` takes `data`, `eval_batch`, `threads`, `top_k`",
    );
    assert!(here.run("eval a data=two-moons").err.contains("shape [8, 8, 1], the data has [2]"));
}

#[test]
fn new_rows_are_answered_without_their_target() {
    let here = Folder::new("predict");
    let rows: String = (0..60)
        .map(|i| format!("{},{},{}\n", 2 * i, (i * 7) % 13, if i < 30 { "low" } else { "high, up" }))
        .collect();
    let quoted = rows.replace("high, up", "\"high, up\"");
    std::fs::write(here.path().join("t.csv"), format!("a,b,level\n{quoted}")).unwrap();
    std::fs::write(here.path().join("new.csv"), "a,b\n2,5\n116,5\n").unwrap();
    here.run("data=t.csv batch=8 epochs=30 lr=0.01 --run-dir a -q").fine();
    let table = here.run("predict a new.csv").fine();
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines[0], "sample,class,\"p_high, up\",p_low");
    assert!(lines[1].starts_with("0,low,") && lines[2].starts_with("1,\"high, up\","), "{table}");
    let ran = here.run("predict a new.csv -o out.csv");
    assert_eq!((ran.code, ran.out.as_str()), (0, ""));
    assert_eq!(std::fs::read_to_string(here.path().join("out.csv")).unwrap(), table);
    let json = here.run("predict a new.csv --json").json();
    assert_eq!((json.len(), json[0]["class"].as_str()), (3, Some("low")));
    assert_eq!(here.run("eval a data=new.csv").code, 2);
    assert_eq!(here.run("predict a none.csv").code, 1);
    here.run("predict a new.csv -o ./new.csv").fails(
        2,
        "error: the answers would overwrite the samples: ./new.csv\nhint: name another file after `-o`",
    );
    assert!(std::fs::read_to_string(here.path().join("new.csv")).unwrap().starts_with("a,b\n"));
    here.run("predict a new.csv -o none/out.csv")
        .fails(1, "error: no such folder: none\nhint: make it first: `mkdir -p none`");
    #[cfg(target_os = "linux")]
    for words in ["predict a new.csv", "predict a new.csv --json"] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let ran = here.run_into(words, full);
        assert!(ran.code == 1 && ran.err.starts_with("error: cannot write standard output: "), "{ran:?}");
    }
}

#[test]
fn a_damaged_checkpoint_is_failed_work() {
    let here = Folder::new("damaged");
    here.run("epochs=1 --run-dir a -q").fine();
    let path = here.path().join("a/checkpoints/best.safetensors");
    let bytes = std::fs::read(&path).unwrap();
    for (name, damaged) in
        [("cut", &bytes[..bytes.len() / 2]), ("empty", &bytes[..0]), ("noise", b"not a checkpoint at all")]
    {
        std::fs::write(&path, damaged).unwrap();
        let ran = here.run("eval a");
        assert_eq!(ran.code, 1, "{name}: {}", ran.err);
        assert!(ran.err.contains("best.safetensors") && ran.err.contains("\nhint: "), "{name}: {}", ran.err);
    }
}

#[test]
fn plans_and_summaries_are_printed() {
    let here = Folder::new("plan");
    assert!(here.run("plan --stage graph").fine().contains("0.weight"));
    assert!(
        here.run("plan --stage live --eval").fine().lines().count()
            < here.run("plan --stage graph").fine().lines().count()
    );
    let (fused, apart) = (here.run("plan").fine(), here.run("plan --no-fuse").fine());
    assert!(fused.lines().count() < apart.lines().count());
    assert!(here.run("plan --batch 4096").fine().starts_with("batch 4096,"));
    let text = here.run("summary model=mlp-32").fine();
    assert!(text.contains("linear(32)") && text.contains("2,080"), "{text}");
    assert_eq!(here.run("summary model=mlp-32 --json").json()[0]["parameters"], 64 * 32 + 32 + 32 * 10 + 10);
    assert_eq!(std::fs::read_dir(here.path()).unwrap().count(), 0);
}

/// Ctrl-C ends the run with 130 and a state to go on from, which then is the run that was never interrupted.
#[cfg(unix)]
#[test]
fn ctrl_c_saves_and_can_be_resumed() {
    let here = Folder::new("ctrl-c");
    let words = "train epochs=400 --run-dir a --json";
    let mut child = here.start(words);
    let saved = here.path().join("a/metrics.csv");
    let began = || std::fs::read_to_string(&saved).is_ok_and(|t| t.lines().count() > 3);
    for _ in 0..2000 {
        if began() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let id = child.id().to_string();
    std::process::Command::new("kill").args(["-INT", &id]).status().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let s = summary(&here, "a");
    assert_eq!(s["status"], "interrupted");
    let steps = s["steps"].as_u64().unwrap();
    assert!(steps > 0 && steps < 8000, "{steps}");
    let epochs = steps / 20 + 1;
    assert_eq!(here.run(&format!("resume a epochs={epochs} -q")).code, 0);
    here.run(&format!("train epochs={epochs} --run-dir b -q")).fine();
    assert_eq!(summary(&here, "a")["weights_sha256"], summary(&here, "b")["weights_sha256"]);
}

#[test]
fn data_that_changed_are_not_gone_on_with() {
    let here = Folder::new("changed");
    let table = |last: &str| {
        let rows: String = (0..40).map(|i| format!("{},{},{}\n", i % 7, i % 5, ["a", "b"][i % 2])).collect();
        std::fs::write(here.path().join("t.csv"), format!("x,y,class\n{rows}{last}\n")).unwrap();
    };
    table("1,1,a");
    here.run("train data=t.csv epochs=2 batch=8 --run-dir a -q").fine();
    let before = here.run("eval a --json").out;
    table("1,2,a");
    let path = here.path().join("t.csv");
    let measure = format!("evaluate on the data as they are now: `thalweg eval RUN data={}`", path.display());
    for (verb, next) in [
        (
            "resume a epochs=3",
            "train on the data as they are now: `thalweg train init_from=a/checkpoints/best.safetensors ...`",
        ),
        ("eval a", measure.as_str()),
    ] {
        let ran = here.run(verb);
        assert_eq!(ran.code, 1, "{}", ran.err);
        assert!(
            ran.err.starts_with("error: the data have changed since the run began: checksum "),
            "{}",
            ran.err
        );
        assert!(ran.err.contains(&format!(": {}\nhint: {next}", path.display())), "{}", ran.err);
    }
    table("1,1,a");
    assert_eq!(here.run("eval a --json").out, before);
    here.run("resume a epochs=3 -q").fine();
}

#[test]
fn a_column_weighs_rows_in_training_and_new_data_may_lack_it() {
    let here = Folder::new("weight");
    let table = |name: &str, head: &str, row: &dyn Fn(usize) -> String| {
        let text = (0..80).map(row).fold(format!("{head}\n"), |text, row| text + &row + "\n");
        std::fs::write(here.path().join(name), text).unwrap();
    };
    table("t.csv", "x,n,y", &|i| format!("{}.5,{},{}", i % 7, i % 4, ["u", "v"][i % 2]));
    table("bare.csv", "x,y", &|i| format!("{}.5,{}", i % 7, ["u", "v"][i % 2]));
    table("bad.csv", "x,n", &|i| format!("{}.5,-{i}", i % 7));
    let info = here.run("data info t.csv data.weight=n").fine();
    assert!(info.contains("n       number    weight"), "{info}");
    let plain = here.run("data info bad.csv data.weight=n data.target=x");
    assert!(
        plain.out.contains("column `n` cannot weigh the rows: `-1` in line 3 is negative"),
        "{}",
        plain.out
    );
    here.run("data=t.csv data.weight=n model=mlp-4 epochs=2 --run-dir r -q").fine();
    let told = |file: &str| {
        let json = here.run(&format!("eval r data={file} --json")).json().pop().unwrap();
        let warning = "warning: there is no column `n`, so all rows count alike in the loss";
        (
            json["metrics"]["test_loss"].as_f64().unwrap(),
            here.run(&format!("eval r data={file}")).err.contains(warning),
        )
    };
    let (weighted, alike) = (told("t.csv"), told("bare.csv"));
    assert!(weighted.0 != alike.0 && !weighted.1 && alike.1, "{weighted:?} {alike:?}");
    for file in ["t.csv", "bare.csv", "bad.csv"] {
        assert_eq!(here.run(&format!("predict r {file} -o a.csv --overwrite")).code, 0, "{file}");
        let answers = std::fs::read_to_string(here.path().join("a.csv")).unwrap();
        assert_eq!(answers.lines().count(), 81, "{file}");
    }
    here.run("resume r epochs=3 -q").fine();
}

/// A factor of a column is the column in another unit, where preprocessing does not undo that.
#[test]
fn a_factor_is_kept_for_predictions() {
    let here = Folder::new("scale");
    for (name, factor) in [("t.csv", 1), ("four.csv", 4)] {
        let row = |i: usize| format!("{},{}.5,{}\n", factor * (i % 7), i % 5, ["u", "v"][i % 2]);
        let text = (0..80).map(row).fold("x,z,y\n".to_owned(), |text, row| text + &row);
        std::fs::write(here.path().join(name), text).unwrap();
    }
    let with = "model=mlp-4 epochs=2 preprocess=none -q";
    here.run(&format!("data=four.csv {with} --run-dir four")).fine();
    here.run(&format!("data=t.csv data.scale={{x=4}} {with} --run-dir scaled")).fine();
    here.run(&format!("data=t.csv {with} --run-dir plain")).fine();
    let sha = |run: &str| summary(&here, run)["weights_sha256"].clone();
    assert!(sha("scaled") == sha("four") && sha("plain") != sha("four"));
    assert_eq!(here.run("predict scaled t.csv").fine(), here.run("predict four four.csv").fine());
    let answers = |words: &str| here.run(words).json().pop().unwrap()["metrics"].clone();
    assert_eq!(answers("eval scaled --json"), answers("eval four --json"));
    here.run("resume scaled epochs=3 -q").fine();
    here.run("resume four epochs=3 -q").fine();
    assert_eq!(sha("scaled"), sha("four"));
    let info = here.run("data info t.csv data.scale={y=4}");
    assert!(info.out.contains("expected a column that is an"), "{}{}", info.out, info.err);
}
