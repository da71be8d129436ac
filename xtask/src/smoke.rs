//! `smoke`: the first command of the README, judged by the run folder that it leaves.

use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::tree::{command_in_path, root};

/// Least accuracy on the test part of the digits.
const LEAST_ACCURACY: f64 = 0.97;

/// Runs the program without arguments and looks at what it leaves.
///
/// # Errors
/// When it fails, leaves no run folder, or learns too little.
pub fn run() -> Result<(), String> {
    let before = run_folders();
    command_in_path("cargo", &["run", "--release", "--quiet"])?;
    let new: Vec<PathBuf> = run_folders().difference(&before).cloned().collect();
    let [folder] = new.as_slice() else {
        return Err(format!("expected one new run folder in runs/, got {}", new.len()));
    };
    let said = judge(folder)?;
    eprintln!("{}: {said}", folder.display());
    Ok(())
}

fn run_folders() -> BTreeSet<PathBuf> {
    let entries = fs::read_dir(root().join("runs")).into_iter().flatten().flatten();
    entries.map(|e| e.path()).filter(|p| p.join("summary.json").is_file()).collect()
}

fn judge(folder: &Path) -> Result<String, String> {
    for name in ["summary.json", "metrics.csv", "config.toml", "report.html"] {
        let len = fs::metadata(folder.join(name)).map_or(0, |m| m.len());
        if len == 0 {
            return Err(format!("{name} is missing or empty in {}", folder.display()));
        }
    }
    let path = folder.join("summary.json");
    let text = fs::read_to_string(&path).map_err(|error| format!("{error}: {}", path.display()))?;
    let summary: Value =
        serde_json::from_str(&text).map_err(|error| format!("{error}: {}", path.display()))?;
    verdict(&summary)
}

fn verdict(summary: &Value) -> Result<String, String> {
    if summary["status"] != "done" {
        return Err(format!("expected status \"done\", got {}", summary["status"]));
    }
    let figure = |of: &str| summary[of]["test_accuracy"].as_f64();
    let accuracy = figure("best").or_else(|| figure("final")).ok_or("no `test_accuracy` in summary.json")?;
    if accuracy.is_nan() || accuracy < LEAST_ACCURACY {
        return Err(format!("expected a test accuracy of {LEAST_ACCURACY} or more, got {accuracy}"));
    }
    let sum = summary["weights_sha256"].as_str().filter(|s| s.len() == 64);
    sum.ok_or("`weights_sha256` is no SHA-256")?;
    Ok(format!("test accuracy {accuracy:.4} in {} s", summary["seconds"]))
}

#[cfg(test)]
mod tests {
    use super::verdict;
    use serde_json::json;

    #[test]
    fn a_poor_or_unfinished_run_fails() {
        let run = |status: &str, accuracy: f64| {
            let best = json!({ "test_accuracy": accuracy });
            json!({ "status": status, "best": best, "weights_sha256": "0".repeat(64), "seconds": 1.5 })
        };
        assert!(verdict(&run("done", 0.98)).is_ok());
        assert!(verdict(&run("done", 0.96)).is_err());
        assert!(verdict(&run("diverged", 0.98)).is_err());
        assert!(verdict(&json!({ "status": "done" })).is_err());
    }
}
