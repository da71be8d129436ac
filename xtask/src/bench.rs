//! `bench [SUITE]`: runs us and the peers in turn and writes medians, ratios and the machine to `bench/records/`.

mod execute;
mod flops;
mod record;

use execute::execute;
use record::{first_words, write_record};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

const US: &str = "thalweg";
const MS_PER_STEP: &str = "ms per step";
const EPOCH_SECONDS: &str = "epoch seconds";
const USAGE: &str = "cargo xtask bench [SUITE] [--rounds N] [--seconds S] [--threads N] [--peers a,b] \
[--cases a,b] [--prefix \"WORDS\"] [--out DIR]\n\
SUITE names a file in bench/suites (default: steps). --prefix goes before every measured command.\n\
Environment: THALWEG_PYTHON (default python3), THALWEG_BIN (default target/release/thalweg).";

struct Options {
    suite: String,
    rounds: usize,
    seconds: f64,
    threads: usize,
    peers: Option<Vec<String>>,
    cases: Option<Vec<String>>,
    prefix: Vec<String>,
    out: Option<PathBuf>,
}

struct Peer {
    name: String,
    about: String,
    settings: Vec<String>,
    /// the cases that it takes part in; all if empty
    cases: Vec<String>,
    command: Vec<String>,
    /// in suites of processes: its milliseconds per step times this many are an epoch
    epoch_steps: Option<f64>,
}

struct Suite {
    about: String,
    is_process: bool,
    /// whether peak memory is recorded; of processes it always is
    memory: bool,
    cases: Vec<String>,
    ceiling: Vec<String>,
    peers: Vec<Peer>,
}

/// One number of one run of one peer.
struct Sample {
    round: usize,
    case: String,
    peer: String,
    setting: String,
    metric: String,
    value: f64,
}

/// Everything that a run has found so far.
#[derive(Default)]
struct Findings {
    samples: Vec<Sample>,
    versions: BTreeMap<String, String>,
    skipped: BTreeMap<String, String>,
    best_gflops: f64,
}

/// Runs the suite named in `args` and writes its record.
pub fn run(args: &[String]) -> Result<(), String> {
    let options = parse(args)?;
    let mut suite = read_suite(&options)?;
    if suite.is_process && !options.prefix.is_empty() {
        return Err("`--prefix` would be measured too: this suite times whole processes".into());
    }
    let mut found = Findings::default();
    let load_before = first_words("/proc/loadavg", 3);
    let chosen = choose_settings(&options, &suite, &mut found);
    for round in 1..=options.rounds {
        if !suite.ceiling.is_empty() {
            measure_ceiling(&options, &suite, &mut found);
        }
        for case in &suite.cases {
            for peer in &suite.peers {
                let Some(setting) = chosen.get(&(case.clone(), peer.name.clone())) else { continue };
                if found.skipped.contains_key(&key_of(peer, case)) {
                    continue;
                }
                eprintln!("round {round} of {}: {case}: {} {setting}", options.rounds, peer.name);
                match measure(&options, &suite, peer, case, setting, &mut found.versions) {
                    Ok(rows) => rows.into_iter().for_each(|(setting, metric, value)| {
                        let (case, peer) = (case.clone(), peer.name.clone());
                        found.samples.push(Sample { round, case, peer, setting, metric, value });
                    }),
                    Err(why) if peer.name == US => return Err(without_us(&options, why)),
                    Err(why) => note_skip(&mut found, peer, case, why),
                }
            }
        }
    }
    suite.cases.retain(|case| found.samples.iter().any(|s| s.case == *case));
    if suite.cases.is_empty() {
        return Err("no peer gave a number".into());
    }
    write_record(&options, &suite, &found, &load_before)
}

fn parse(args: &[String]) -> Result<Options, String> {
    let mut o = Options {
        suite: "steps".into(),
        rounds: 5,
        seconds: 1.0,
        threads: 2,
        peers: None,
        cases: None,
        prefix: Vec::new(),
        out: None,
    };
    let list = |text: &str| Some(text.split(',').map(String::from).collect());
    let mut words = args.iter();
    while let Some(word) = words.next() {
        if !word.starts_with("--") {
            o.suite = word.clone();
            continue;
        }
        let value = words.next().ok_or_else(|| format!("`{word}` needs a value\n{USAGE}"))?;
        let bad = |_| format!("`{word} {value}`: expected a number");
        match word.as_str() {
            "--rounds" => o.rounds = value.parse().map_err(bad)?,
            "--threads" => o.threads = value.parse().map_err(bad)?,
            "--seconds" => {
                o.seconds = value.parse().map_err(|_| format!("`{word} {value}`: expected a number"))?
            }
            "--peers" => o.peers = list(value),
            "--cases" => o.cases = list(value),
            "--prefix" => o.prefix = value.split_whitespace().map(String::from).collect(),
            "--out" => o.out = Some(value.into()),
            _ => return Err(format!("unknown option `{word}`\n{USAGE}")),
        }
    }
    Ok(o)
}

fn read_suite(options: &Options) -> Result<Suite, String> {
    let path = root().join("bench/suites").join(format!("{}.json", options.suite));
    let text = fs::read_to_string(&path)
        .map_err(|e| format!("suite `{}`: {e}: {}", options.suite, path.display()))?;
    let json: Value = serde_json::from_str(&text).map_err(|e| format!("{e}: {}", path.display()))?;
    let mut suite = Suite {
        about: text_of(&json["about"]),
        is_process: json["kind"] == "process",
        memory: json["kind"] == "process" || json["memory"] == true,
        cases: options.cases.clone().unwrap_or_else(|| texts_of(&json["cases"])),
        ceiling: texts_of(&json["ceiling"]),
        peers: Vec::new(),
    };
    for peer in json["peers"].as_array().into_iter().flatten() {
        let name = text_of(&peer["name"]);
        if options.peers.as_ref().is_none_or(|wanted| wanted.contains(&name)) {
            suite.peers.push(Peer {
                name,
                about: text_of(&peer["about"]),
                settings: texts_of(&peer["settings"]),
                cases: texts_of(&peer["cases"]),
                command: texts_of(&peer["command"]),
                epoch_steps: peer["epoch_steps"].as_f64(),
            });
        }
    }
    let known = |name: &&String| suite.peers.iter().any(|p| p.name == **name);
    match options.peers.iter().flatten().find(|name| !known(name)) {
        Some(name) => Err(format!("no peer `{name}` in suite `{}`", options.suite)),
        None => Ok(suite),
    }
}

/// The fastest setting of each peer on each case, found by a short run of all of them.
fn choose_settings(
    options: &Options,
    suite: &Suite,
    found: &mut Findings,
) -> BTreeMap<(String, String), String> {
    let mut chosen = BTreeMap::new();
    for case in &suite.cases {
        for peer in &suite.peers {
            let key = (case.clone(), peer.name.clone());
            if !peer.cases.is_empty() && !peer.cases.contains(case) {
                continue;
            }
            if peer.settings.len() < 2 {
                chosen.insert(key, peer.settings.join(""));
                continue;
            }
            eprintln!("choosing: {case}: {} among {}", peer.name, peer.settings.join(", "));
            let all = peer.settings.join(",");
            match measure(options, suite, peer, case, &all, &mut found.versions) {
                Ok(rows) => {
                    let times = rows.iter().filter(|row| row.1 == MS_PER_STEP);
                    let best = times.clone().min_by(|a, b| a.2.total_cmp(&b.2)).map(|row| row.0.clone());
                    for (setting, _, ms) in times {
                        eprintln!("  {setting}: {ms:.4} ms");
                    }
                    chosen.extend(best.map(|setting| (key, setting)));
                }
                Err(why) => note_skip(found, peer, case, why),
            }
        }
    }
    chosen
}

fn note_skip(found: &mut Findings, peer: &Peer, case: &str, why: String) {
    eprintln!("warning: {} left out on {case}: {why}", peer.name);
    found.skipped.insert(key_of(peer, case), why);
}

fn key_of(peer: &Peer, case: &str) -> String {
    format!("{} on {case}", peer.name)
}

fn without_us(options: &Options, why: String) -> String {
    format!(
        "{US} gave no number for suite `{}`: {why}\nhint: cargo build --release; or measure the others alone with --peers",
        options.suite
    )
}

/// Largest GFLOP/s of any matrix product seen.
fn measure_ceiling(options: &Options, suite: &Suite, found: &mut Findings) {
    match execute(options, &suite.ceiling, "", "") {
        Ok(done) => {
            let rates = done.lines.iter().filter_map(|line| line["gflops"].as_f64());
            found.best_gflops = rates.fold(found.best_gflops, f64::max);
        }
        Err(why) => eprintln!("warning: matrix products not measured: {why}"),
    }
}

/// (setting, metric, value) rows of one run of one peer.
fn measure(
    options: &Options,
    suite: &Suite,
    peer: &Peer,
    case: &str,
    settings: &str,
    versions: &mut BTreeMap<String, String>,
) -> Result<Vec<(String, String, f64)>, String> {
    let done = execute(options, &peer.command, case, settings)?;
    let mut rows = Vec::new();
    for line in &done.lines {
        if let Some(version) = line["version"].as_str() {
            versions.insert(peer.name.clone(), version.into());
        }
        if let Some(blocks) = line["ms"].as_array() {
            let ms = median(blocks.iter().filter_map(Value::as_f64).collect());
            let row = match (suite.is_process, peer.epoch_steps) {
                (false, _) => (MS_PER_STEP, ms),
                (true, Some(n)) => (EPOCH_SECONDS, ms * n / 1e3),
                (true, None) => continue,
            };
            rows.push((text_of(&line["setting"]), row.0.into(), row.1));
        }
    }
    let last = done.lines.last().cloned().unwrap_or_default();
    let mut push = |metric: &str, value: Option<f64>| {
        rows.extend(value.map(|v| (text_of(&last["setting"]), metric.to_string(), v)));
    };
    if suite.is_process && peer.epoch_steps.is_none() {
        push("process seconds", Some(done.seconds));
        let epoch = done.lines.iter().find(|line| line["event"] == "epoch");
        push(EPOCH_SECONDS, last["epoch_secs"][0].as_f64().or(epoch.and_then(|e| e["seconds"].as_f64())));
    }
    if suite.memory && peer.epoch_steps.is_none() {
        push("peak MiB", done.peak_mib);
    }
    match rows.is_empty() {
        true => Err(format!("no result line from `{}`", peer.command.join(" "))),
        false => Ok(rows),
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    match (values.len(), values.len() / 2) {
        (0, _) => f64::NAN,
        (n, half) if n % 2 == 1 => values[half],
        (_, half) => (values[half - 1] + values[half]) / 2.0,
    }
}

fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

fn text_of(value: &Value) -> String {
    value.as_str().unwrap_or("").into()
}

fn texts_of(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(text_of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_of_odd_even_and_none() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 2.5);
        assert!(median(Vec::new()).is_nan());
    }

    #[test]
    fn every_suite_names_us_and_fills_its_placeholders() {
        for suite in ["steps", "mnist", "conv", "cifar"] {
            let options = parse(&[suite.to_string()]).unwrap();
            let read = read_suite(&options).unwrap();
            assert!(read.peers.iter().any(|p| p.name == US), "{suite}");
            assert!(!read.cases.is_empty() && read.peers.iter().all(|p| !p.command.is_empty()), "{suite}");
            let known = |peer: &Peer| peer.cases.iter().all(|case| read.cases.contains(case));
            assert!(read.peers.iter().all(known), "{suite}");
        }
    }

    #[test]
    fn unknown_options_and_peers_are_refused() {
        assert!(parse(&["--raunds".into(), "3".into()]).is_err());
        let options = parse(&["--peers".into(), "nope".into()]).unwrap();
        assert_eq!(read_suite(&options).err().unwrap(), "no peer `nope` in suite `steps`");
    }
}
