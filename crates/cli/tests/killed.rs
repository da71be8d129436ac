//! A run killed at random moments and resumed is, bit for bit, the run that was never killed.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const WORDS: [&str; 5] =
    ["epochs=400", "batch=32", "model.dropout=0.1", "optimizer=adamw", "schedule=cosine"];

fn thalweg() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_thalweg"));
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("killed").join(name);
    let _ = std::fs::remove_dir_all(&path);
    path
}

fn digest(folder: &Path) -> String {
    let text = std::fs::read_to_string(folder.join("summary.json")).unwrap();
    let summary: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(summary["status"], "done", "{}", folder.display());
    summary["weights_sha256"].as_str().unwrap().to_owned()
}

#[test]
fn twenty_kills_change_nothing() {
    let whole = folder("whole");
    let started = Instant::now();
    assert!(thalweg().arg("train").args(WORDS).arg("--run-dir").arg(&whole).status().unwrap().success());
    let (want, lasts) = (digest(&whole), started.elapsed());

    let cut = folder("cut");
    let mut moments = 0x9E37_79B9_u32;
    let mut kills = 0;
    let mut child = thalweg().arg("train").args(WORDS).arg("--run-dir").arg(&cut).spawn().unwrap();
    while kills < 20 {
        // a pseudo-random moment within a part of the whole run, so that twenty kills come before its end, also on a
        // machine that is twice as fast by then
        moments = moments.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        std::thread::sleep(
            Duration::from_millis(5) + lasts.mul_f64(f64::from(moments >> 8) / 16_777_216.0 / 24.0),
        );
        if child.try_wait().unwrap().is_some() {
            break;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
        let verb = if cut.join("config.toml").exists() { "resume" } else { "train" };
        let mut command = thalweg();
        command.arg(verb);
        match verb {
            "resume" => command.arg(&cut),
            _ => command.args(WORDS).arg("--run-dir").arg(&cut).arg("--overwrite"),
        };
        child = command.spawn().unwrap();
    }
    assert!(kills >= 10, "only {kills} kills before the run was over");
    println!("{kills} kills");
    assert!(child.wait().unwrap().success());
    assert_eq!(digest(&cut), want, "after {kills} kills");
}
