//! Several runs as one command: seeds and folds, some at once, cut short in every way, and gone on with.

mod common;

use std::path::Path;
use std::time::{Duration, Instant};

use common::Folder;
use serde_json::Value;

/// A list that takes a second or two.
const LIST: &str = "train seeds=4 epochs=40 batch=32 model.dropout=0.1 optimizer=adamw schedule=cosine";

fn read(here: &Folder, file: &str) -> String {
    let path = here.path().join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{e}: {}", path.display()))
}

fn json(here: &Folder, file: &str) -> Value {
    serde_json::from_str(&read(here, file)).unwrap()
}

fn hash(here: &Folder, run: &str) -> String {
    let summary = json(here, &format!("{run}/summary.json"));
    assert_eq!(summary["status"], "done", "{run}");
    summary["weights_sha256"].as_str().unwrap().to_owned()
}

fn standings(here: &Folder, folder: &str) -> Vec<String> {
    let list = json(here, &format!("{folder}/runs.json"));
    let runs = list["runs"].as_array().unwrap();
    runs.iter().map(|run| run["status"].as_str().unwrap().to_owned()).collect()
}

/// The weights of every run and the table of figures: all that must not depend on how the list was trained.
fn came_out(here: &Folder, folder: &str) -> (Vec<String>, String) {
    let hashes = (0..4).map(|seed| hash(here, &format!("{folder}/seed-{seed}"))).collect();
    (hashes, read(here, &format!("{folder}/results.csv")))
}

#[test]
fn folds_are_the_runs_of_each_fold_and_their_mean() {
    let here = Folder::new("folds");
    let words = "train data=two-moons data.folds=3 epochs=3 model=mlp-8";
    let ran = here.run(&format!("{words} --run-dir all -j 2"));
    assert_eq!(ran.code, 0, "{}", ran.err);
    let mut accuracies = Vec::new();
    for fold in 0..3 {
        here.run(&format!("{words} data.fold={fold} --run-dir one-{fold} -q")).fine();
        assert_eq!(hash(&here, &format!("one-{fold}")), hash(&here, &format!("all/fold-{fold}")));
        let summary = json(&here, &format!("one-{fold}/summary.json"));
        accuracies.push(summary["best"]["test_accuracy"].as_f64().unwrap());
        assert!(here.path().join(format!("all/fold-{fold}/report.html")).is_file());
    }
    let mean = accuracies.iter().sum::<f64>() / 3.0;
    let std = (accuracies.iter().map(|a| (a - mean).powi(2)).sum::<f64>() / 2.0).sqrt();
    let csv = read(&here, "all/folds.csv");
    let rows: Vec<Vec<&str>> = csv.lines().map(|line| line.split(',').collect()).collect();
    let at = rows[0].iter().position(|name| *name == "test_accuracy").unwrap();
    let column: Vec<(&str, &str)> = rows[1..].iter().map(|row| (row[0], row[at])).collect();
    let texts = [accuracies[0], accuracies[1], accuracies[2], mean, std].map(|v| v.to_string());
    let heads = ["0", "1", "2", "mean", "std"];
    assert_eq!(column, heads.into_iter().zip(texts.iter().map(String::as_str)).collect::<Vec<_>>());
    let line = format!("{:<16} {mean:.4} ± {std:.4} over 3 folds\n", "test accuracy");
    assert!(ran.out.contains(&line), "{}", ran.out);
}

#[test]
fn one_or_two_at_once_give_the_same_bits_and_seeds_are_those_of_single_runs() {
    let here = Folder::new("jobs");
    let ran = here.run(&format!("{LIST} --run-dir one --json"));
    assert_eq!(ran.code, 0, "{}", ran.err);
    let lines = ran.json();
    let runs: Vec<&Value> = lines.iter().filter(|line| line["event"] == "run").collect();
    assert_eq!(runs.len(), 4);
    assert_eq!(
        (&runs[2]["settings"]["seed"], &runs[2]["status"], &runs[2]["epochs"]),
        (&2.into(), &"done".into(), &40.into())
    );
    assert!(runs[2]["best"]["test_accuracy"].is_number() && runs[2]["run_dir"] == "one/seed-2");
    let last = lines.last().unwrap();
    assert_eq!((&last["event"], &last["runs"], &last["done"]), (&"result".into(), &4.into(), &4.into()));
    assert!(
        last["mean"]["test_accuracy"].is_number() && last["std"]["test_accuracy"].as_f64().unwrap() > 0.0
    );

    here.run(&format!("{LIST} --run-dir two -j 2 -q")).fine();
    assert_eq!(came_out(&here, "one"), came_out(&here, "two"));
    let single = LIST.replace("seeds=4", "seed=3");
    here.run(&format!("{single} --run-dir single -q")).fine();
    assert_eq!(hash(&here, "single"), hash(&here, "two/seed-3"));
    let csv = read(&here, "two/runs.csv");
    assert!(csv.starts_with("run,group,status,seed,train_loss,") && csv.lines().count() == 5, "{csv}");
    assert_eq!(json(&here, "two/results.json")["groups"][0]["n"], 4);
}

#[test]
fn a_killed_list_goes_on_as_if_it_had_not_been() {
    let here = Folder::new("killed-list");
    let started = Instant::now();
    here.run(&format!("{LIST} --run-dir whole -j 2 -q")).fine();
    let lasts = started.elapsed();
    let mut moments = 0x9E37_79B9_u32;
    let mut kills = 0;
    let mut child = here.start(&format!("{LIST} --run-dir cut -j 2"));
    while kills < 12 {
        // a pseudo-random moment within an eighth of the whole
        moments = moments.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let share = f64::from(moments >> 8) / 16_777_216.0;
        std::thread::sleep(Duration::from_millis(5) + lasts.mul_f64(share / 8.0));
        if child.try_wait().unwrap().is_some() {
            break;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
        child = match here.path().join("cut/runs.json").exists() {
            true => here.start(&format!("resume cut -j {}", 1 + kills % 2)),
            false => here.start(&format!("{LIST} --run-dir cut --overwrite")),
        };
    }
    assert!(kills >= 4, "only {kills} kills before the list was over");
    assert!(child.wait().unwrap().success());
    assert_eq!(came_out(&here, "cut"), came_out(&here, "whole"), "after {kills} kills");
    assert!((0..4).all(|seed| here.path().join(format!("cut/seed-{seed}/report.html")).is_file()));
}

#[test]
fn time_ends_a_list_and_says_what_is_left() {
    let here = Folder::new("time-list");
    here.run(&format!("{LIST} --run-dir whole -q")).fine();
    let long = LIST.replace("epochs=40", "epochs=4000");
    let ran = here.run(&format!("{long} --run-dir cut time=700ms"));
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(
        ran.err.contains("the time limit was reached after 0 of 4 runs; still to do: seed-0, seed-1"),
        "{}",
        ran.err
    );
    assert_eq!(standings(&here, "cut"), ["interrupted", "waiting", "waiting", "waiting"]);
    assert!(!read(&here, "cut/seed-0/config.toml").lines().any(|line| line.starts_with("time")));

    let cut = here.run(&format!("{LIST} --run-dir short time=1ms -q"));
    assert_eq!(cut.code, 0, "{}", cut.err);
    here.run("resume short -q").fine();
    assert_eq!(came_out(&here, "short"), came_out(&here, "whole"));
}

#[test]
fn time_ends_a_single_run_too() {
    let here = Folder::new("time-single");
    let ran = here.run("train epochs=4000 time=0.5s --run-dir a --json");
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("the time limit was reached at step"), "{}", ran.err);
    let last = ran.json().pop().unwrap();
    assert_eq!(
        (&last["status"], &last["reason"]),
        (&"interrupted".into(), &"the time limit was reached".into())
    );
    let steps = last["steps"].as_u64().unwrap();
    assert!(steps > 0 && steps < 80_000, "{steps}");
    let epochs = steps / 20 + 1;
    here.run(&format!("resume a epochs={epochs} -q")).fine();
    here.run(&format!("train epochs={epochs} --run-dir b -q")).fine();
    assert_eq!(hash(&here, "a"), hash(&here, "b"));
    here.run("train time=10").fails(
        2,
        "error: `time` on the command line: `10` is not a time, expected numbers with units such as 90s, 10m, 1h30m\n\
         hint: `thalweg config show` explains `time`",
    );
}

#[test]
fn a_run_that_fails_does_not_hide_the_others() {
    let here = Folder::new("fails-list");
    let ran = here.run(&format!("{LIST} --run-dir a -q"));
    assert_eq!(ran.code, 0, "{}", ran.err);
    let last = here.path().join("a/seed-1/checkpoints/last.safetensors");
    std::fs::write(&last, "noise").unwrap();
    let ran = here.run("resume a epochs=41 --json");
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert_eq!(standings(&here, "a"), ["done", "failed", "done", "done"]);
    assert!(
        ran.err.contains("warning: seed-1 failed: ") && ran.err.contains("last.safetensors"),
        "{}",
        ran.err
    );
    assert!(ran.err.contains("error: 1 of 4 runs did not finish\nhint: "), "{}", ran.err);
    let result = ran.json().pop().unwrap();
    assert_eq!((&result["done"], &result["failed"]), (&3.into(), &serde_json::json!(["seed-1"])));
    assert!(result["mean"]["test_accuracy"].is_number());

    std::fs::remove_file(last).unwrap();
    here.run("resume a -q").fine();
    here.run(&format!("{} --run-dir b -q", LIST.replace("epochs=40", "epochs=41"))).fine();
    assert_eq!(hash(&here, "a/seed-1"), hash(&here, "b/seed-1"));

    let ran = here.run("train optimizer=sgd lr=1e9 seeds=2 --run-dir bad");
    assert_eq!((ran.code, standings(&here, "bad")), (1, vec!["diverged".to_owned(), "diverged".to_owned()]));
    assert!(ran.err.contains("warning: seed-0 diverged: loss became NaN at step"), "{}", ran.err);
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_a_list_that_can_be_gone_on_with() {
    let here = Folder::new("ctrl-c-list");
    let mut child = here.start("train seeds=3 epochs=400 --run-dir a -j 2");
    let began = |path: &Path| std::fs::read_to_string(path).is_ok_and(|t| t.lines().count() > 3);
    let metrics = here.path().join("a/seed-0/metrics.csv");
    let waiting = Instant::now();
    while !began(&metrics) && waiting.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(5));
    }
    std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(standings(&here, "a")[..1], ["interrupted"]);
    let steps = json(&here, "a/seed-0/summary.json")["steps"].as_u64().unwrap();
    assert!(steps > 0 && steps < 8000, "{steps}");
    // two run at once, and either may be ahead
    let other = json(&here, "a/seed-1/summary.json")["steps"].as_u64().unwrap_or(0);
    let epochs = steps.max(other) / 20 + 1;
    here.run(&format!("resume a epochs={epochs} -q")).fine();
    here.run(&format!("train epochs={epochs} seed=2 --run-dir b -q")).fine();
    assert_eq!(hash(&here, "a/seed-2"), hash(&here, "b"));
}

#[test]
fn what_makes_no_sense_is_refused() {
    let here = Folder::new("refused-list");
    here.run("train seeds=2 epochs=1 --run-dir a -q").fine();
    here.run("train seeds=2 epochs=1 --run-dir a").fails(
        2,
        "error: run folder exists and is not empty: a\n\
         hint: continue it with `thalweg resume a`, choose another `--run-dir`, or add `--overwrite`",
    );
    here.run("eval a")
        .fails(2, "error: the folder holds several runs: a\nhint: name one of them, such as `a/seed-0`");
    assert_eq!(here.run("eval a/seed-0 -q").code, 0);
    assert_eq!(here.run("resume a lr=1").code, 2);
    here.run("train -j 2").fails(
        2,
        "error: `-j 2` is for several runs, but this is one run\n\
         hint: leave it out, or ask for several runs: `seeds=3`, `data.folds=5`",
    );
    assert_eq!(here.run("train seeds=1,1").code, 2);
    assert_eq!(here.run("train seeds=2 model=7-3-10 --run-dir none").code, 2);
    assert!(!here.path().join("none").exists());
    // a shorter list in the place of a longer one leaves nothing of it
    here.run("train seeds=[1] epochs=1 --run-dir a --overwrite -q").fine();
    let mut names: Vec<String> = std::fs::read_dir(here.path().join("a"))
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(
        names,
        [".runs.lock", "base.toml", "results.csv", "results.json", "runs.csv", "runs.json", "seed-1"]
    );
    std::fs::write(
        here.path().join("a/runs.json"),
        r#"{"kind":"seeds","runs":[{"name":"../b","group":"all","settings":[]}]}"#,
    )
    .unwrap();
    let ran = here.run("resume a");
    assert!(ran.code == 1 && ran.err.starts_with("error: run name `../b` is not made of"), "{}", ran.err);
}

/// Nothing that lay there is taken for a run of the list, and nothing of the user's goes.
#[test]
fn a_new_list_has_its_folders_for_itself() {
    let here = Folder::new("for-itself");
    let ended = |words: &str, says: &str| {
        let ran = here.run(words);
        assert!(ran.code != 0 && ran.err.contains(says), "{words}: {} {}", ran.code, ran.err);
    };
    here.run("train epochs=2 seeds=2 model=mlp-8 --run-dir a -q").fine();
    let before = hash(&here, "a/seed-0");
    // a list that is damaged says no longer which runs are its own
    std::fs::write(here.path().join("a/runs.json"), "{").unwrap();
    ended(
        "train epochs=1 seeds=2 model=mlp-8 --run-dir a --overwrite",
        "this is in the way and is not of these runs: a/seed-0",
    );
    assert_eq!(hash(&here, "a/seed-0"), before);
    // a run that came in between is not of the list
    here.run("train epochs=1 seeds=2 model=mlp-8 --run-dir b -q").fine();
    here.run("train epochs=3 model=mlp-8 --run-dir b/seed-2 -q").fine();
    ended(
        "train epochs=1 seeds=3 model=mlp-8 --run-dir b --overwrite",
        "in the way and is not of these runs: b/seed-2",
    );
    // a file of the user's in the folder of a run
    here.run("train epochs=1 seeds=2 model=mlp-8 --run-dir c -q").fine();
    std::fs::write(here.path().join("c/seed-0/notes.txt"), "mine").unwrap();
    ended("train epochs=2 seeds=2 model=mlp-8 --run-dir c --overwrite", "c/seed-0/notes.txt");
    assert_eq!(read(&here, "c/seed-0/notes.txt"), "mine");
    hash(&here, "c/seed-0");
    // taken elsewhere, as the hint says
    std::fs::rename(here.path().join("c/seed-0/notes.txt"), here.path().join("notes.txt")).unwrap();
    here.run("train epochs=2 seeds=2 model=mlp-8 --run-dir c --overwrite -q").fine();
    // files that are called as ours
    std::fs::create_dir(here.path().join("d")).unwrap();
    for file in ["results.csv", "runs.csv", "folds.csv"] {
        std::fs::write(here.path().join("d").join(file), "mine").unwrap();
    }
    ended("train epochs=1 seeds=2 model=mlp-8 --run-dir d --overwrite", "d");
    assert_eq!(read(&here, "d/folds.csv"), "mine");
}

/// All runs of a list have the same length and the same data, or it says why not.
#[test]
fn a_resumed_list_stays_one_experiment() {
    let here = Folder::new("one-experiment");
    here.run("train epochs=4 seeds=2 model=mlp-8 --run-dir a -q").fine();
    here.run("resume a epochs=2").fails(
        2,
        "error: `seed-0` has already done 4 epochs and 80 steps\nhint: ask for more, such as `epochs=8`",
    );
    assert_eq!(here.run("resume a steps=3").code, 2);
    let said = here.run("resume a eval_batch=7 save.every=7st");
    assert!(said.code == 0 && said.err.contains("`eval_batch`, `save.every` have no effect"), "{}", said.err);
    assert!(!read(&here, "a/runs.json").contains("eval_batch"));
    here.run("resume a epochs=8 -q").fine();
    assert_eq!(json(&here, "a/seed-1/summary.json")["epochs"], 8);
    let row = |i: usize| format!("{},{},{}\n", i % 13, i % 29, ["no", "yes"][i % 2]);
    let table = |n: usize| "a,b,c\n".to_owned() + &(0..n).map(row).collect::<String>();
    std::fs::write(here.path().join("t.csv"), table(300)).unwrap();
    here.run("train data=t.csv seeds=2 epochs=2 model=mlp-8 --run-dir t -q").fine();
    std::fs::write(here.path().join("t.csv"), table(250)).unwrap();
    std::fs::remove_dir_all(here.path().join("t/seed-1")).unwrap();
    let list = read(&here, "t/runs.json");
    let at = list.rfind("\"done\"").unwrap();
    std::fs::write(here.path().join("t/runs.json"), format!("{}\"waiting\"{}", &list[..at], &list[at + 6..]))
        .unwrap();
    let ran = here.run("resume t");
    assert!(ran.code == 1 && ran.err.contains("the data have changed since the run began"), "{}", ran.err);
    // more runs than a list can have
    assert_eq!(here.run("train data.folds=4000000000").code, 2);
    assert_eq!(here.run("train data.folds=1000 seeds=1000").code, 2);
}
