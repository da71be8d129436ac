//! Runs one measured command and gathers its JSON lines, its seconds and its peak memory.

use super::{Options, root};
use serde_json::Value;
use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

pub(super) struct Done {
    pub lines: Vec<Value>,
    pub seconds: f64,
    pub peak_mib: Option<f64>,
}

/// Runs a command whose placeholders are filled in, and gathers its JSON lines.
pub(super) fn execute(
    options: &Options,
    command: &[String],
    case: &str,
    settings: &str,
) -> Result<Done, String> {
    let scratch = std::env::temp_dir().join(format!("thalweg-bench-{}", std::process::id()));
    fs::remove_dir_all(&scratch).ok();
    fs::create_dir_all(&scratch).map_err(|e| format!("{e}: {}", scratch.display()))?;
    let mut words = options.prefix.clone();
    for word in command {
        let mut word = word.replace("{case}", case).replace("{settings}", settings);
        word = word
            .replace("{threads}", &options.threads.to_string())
            .replace("{seconds}", &options.seconds.to_string());
        word = word.replace("{rivals}", &root().join("bench/rivals").to_string_lossy());
        word = word.replace("{scratch}", &scratch.to_string_lossy());
        word = word.replace("{python}", &env_or("THALWEG_PYTHON", "python3"));
        word = word.replace(
            "{thalweg}",
            &env_or("THALWEG_BIN", &root().join("target/release/thalweg").to_string_lossy()),
        );
        words.push(fill_environment(word)?);
    }
    let start = Instant::now();
    let mut child = Command::new(&words[0])
        .args(&words[1..])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| format!("{e}: {}", words[0]))?;
    let (mut out, mut err) =
        (child.stdout.take().ok_or("no stdout")?, child.stderr.take().ok_or("no stderr")?);
    let read_out = std::thread::spawn(move || read_all(&mut out));
    let read_err = std::thread::spawn(move || read_all(&mut err));
    let status_file = format!("/proc/{}/status", child.id());
    let mut peak_mib = None;
    let status = loop {
        peak_mib = peak_of(&status_file).or(peak_mib);
        if let Some(status) = child.try_wait().map_err(|e| e.to_string())? {
            break status;
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    let seconds = start.elapsed().as_secs_f64();
    let (out, err) = (read_out.join().unwrap_or_default(), read_err.join().unwrap_or_default());
    fs::remove_dir_all(&scratch).ok();
    if !status.success() {
        let last = err.lines().rfind(|l| !l.trim().is_empty()).unwrap_or("no message").trim();
        return Err(format!("{status}: {last}"));
    }
    let lines = out.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    Ok(Done { lines, seconds, peak_mib })
}

/// `{env:NAME}` becomes the variable's value.
fn fill_environment(word: String) -> Result<String, String> {
    let Some((before, rest)) = word.split_once("{env:") else { return Ok(word) };
    let (name, after) = rest.split_once('}').ok_or_else(|| format!("`{word}`: no closing brace"))?;
    let value = std::env::var(name).map_err(|_| format!("environment variable {name} is not set"))?;
    Ok(format!("{before}{value}{after}"))
}

fn env_or(name: &str, default: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| default.into())
}

fn read_all(from: &mut impl std::io::Read) -> String {
    let mut bytes = Vec::new();
    from.read_to_end(&mut bytes).ok();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn peak_of(status_file: &str) -> Option<f64> {
    let text = fs::read_to_string(status_file).ok()?;
    let line = text.lines().find(|l| l.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<f64>().ok()? / 1024.0)
}
