//! Writes a run's record: the machine, every number, and the table of medians and ratios.

use super::flops::flops;
use super::{Findings, MS_PER_STEP, Options, Suite, US, median, root};
use std::fmt::Write as _;
use std::fs;
use std::process::Command;

pub(super) fn write_record(
    options: &Options,
    suite: &Suite,
    found: &Findings,
    load: &str,
) -> Result<(), String> {
    let name = format!("{}-{}", output_of("date", &["-u", "+%F"]), host_kind());
    let folder =
        options.out.clone().unwrap_or_else(|| root().join("bench/records").join(name).join(&options.suite));
    fs::create_dir_all(&folder).map_err(|e| format!("{e}: {}", folder.display()))?;
    let mut raw = String::from("round,case,peer,setting,metric,value\n");
    for s in &found.samples {
        let _ = writeln!(raw, "{},{},{},{},{},{}", s.round, s.case, s.peer, s.setting, s.metric, s.value);
    }
    let summary = summary(options, suite, found);
    println!("{summary}");
    let files = [("setup.md", setup(options, suite, found, load)), ("raw.csv", raw), ("summary.md", summary)];
    for (file, text) in files {
        fs::write(folder.join(file), text).map_err(|e| format!("{e}: {}", folder.join(file).display()))?;
    }
    eprintln!("record: {}", folder.display());
    Ok(())
}

/// A table for each case and metric: medians over the rounds, and how many times ours.
fn summary(options: &Options, suite: &Suite, found: &Findings) -> String {
    let mut text = format!("# {}: medians of {} rounds\n\n{}\n", options.suite, options.rounds, suite.about);
    let mut metrics: Vec<&String> = Vec::new();
    found.samples.iter().for_each(|s| {
        if !metrics.contains(&&s.metric) {
            metrics.push(&s.metric)
        }
    });
    if found.best_gflops > 0.0 {
        let _ = writeln!(text, "\nBest matrix product seen in this run: {:.0} GFLOP/s.", found.best_gflops);
    }
    for case in &suite.cases {
        metrics.iter().for_each(|metric| text += &table(suite, found, case, metric));
    }
    if !found.skipped.is_empty() {
        text.push_str("\n## Left out\n\n");
        found.skipped.iter().for_each(|(who, why)| {
            let _ = writeln!(text, "- {who}: {why}");
        });
    }
    text
}

/// One row a peer: median over the rounds, its range, how many times ours, share of the best product.
fn table(suite: &Suite, found: &Findings, case: &str, metric: &str) -> String {
    let values_of = |peer: &str| -> Vec<f64> {
        let rows = found.samples.iter().filter(|s| s.case == case && s.metric == metric && s.peer == peer);
        rows.map(|s| s.value).collect()
    };
    let ours = median(values_of(US));
    let mut text = format!("\n## {case}: {metric}\n\n");
    if let (MS_PER_STEP, Some(n)) = (metric, flops(case)) {
        let _ = writeln!(text, "{:.2} GFLOP.\n", n / 1e9);
    }
    text += "| peer | setting | median | rounds from–to | times ours | of best product |\n";
    text += "|---|---|---|---|---|---|\n";
    for peer in &suite.peers {
        let mut values = values_of(&peer.name);
        values.sort_by(f64::total_cmp);
        let (Some(low), Some(high)) = (values.first(), values.last()) else { continue };
        let setting = setting_of(found, case, &peer.name);
        let value = median(values.clone());
        let ratio = if ours.is_nan() { "–".into() } else { format!("{:.2}", value / ours) };
        let share = match (metric, flops(case)) {
            (MS_PER_STEP, Some(n)) if found.best_gflops > 0.0 => {
                format!("{:.0} %", n / (value * 1e-3) / (found.best_gflops * 1e9) * 100.0)
            }
            _ => "–".into(),
        };
        let name = &peer.name;
        let _ =
            writeln!(text, "| {name} | {setting} | {value:.4} | {low:.4}–{high:.4} | {ratio} | {share} |");
    }
    text
}

fn setting_of<'a>(found: &'a Findings, case: &str, peer: &str) -> &'a str {
    found.samples.iter().find(|s| s.case == case && s.peer == peer).map_or("", |s| &s.setting)
}

fn setup(options: &Options, suite: &Suite, found: &Findings, load: &str) -> String {
    let mut text = format!("# Setup\n\n- date: {}\n", output_of("date", &["-u", "+%F %H:%M UTC"]));
    let dirty =
        if output_of("git", &["status", "--porcelain"]).is_empty() { "" } else { " (with local changes)" };
    let _ = writeln!(text, "- commit: {}{dirty}", output_of("git", &["rev-parse", "--short=12", "HEAD"]));
    let _ =
        writeln!(text, "- processor: {}, {} cores, L2 {}", cpu("model name"), n_cores(), cpu("cache size"));
    let wide: Vec<&str> = ["avx2", "fma", "avx512f", "avx512_bf16"]
        .into_iter()
        .filter(|f| cpu("flags").split(' ').any(|g| g == *f))
        .collect();
    let _ = writeln!(text, "- instruction sets: {}", wide.join(", "));
    let _ = writeln!(text, "- memory: {}", first_words("/proc/meminfo", 3));
    let _ = writeln!(
        text,
        "- kernel: {}; compiler: {}",
        output_of("uname", &["-sr"]),
        output_of("rustc", &["--version"])
    );
    let _ = writeln!(text, "- load average before: {load}");
    let _ = writeln!(
        text,
        "- threads {}, rounds {}, seconds per run {}; peers run in turn, each in its own process; prefix `{}`",
        options.threads,
        options.rounds,
        options.seconds,
        options.prefix.join(" ")
    );
    for peer in &suite.peers {
        let version = found.versions.get(&peer.name).map_or("", String::as_str);
        let _ = writeln!(text, "- {} {version}: {} `{}`", peer.name, peer.about, peer.command.join(" "));
    }
    text
}

fn output_of(program: &str, args: &[&str]) -> String {
    let out = Command::new(program).args(args).current_dir(root()).output();
    out.map(|o| String::from_utf8_lossy(&o.stdout).trim().into()).unwrap_or_default()
}

pub(super) fn first_words(path: &str, n: usize) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.split_whitespace().take(n).collect::<Vec<_>>().join(" ")
}

fn cpu(key: &str) -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = text.lines().find(|l| l.starts_with(key)).and_then(|l| l.split_once(':'));
    line.map(|(_, v)| v.trim().into()).unwrap_or_default()
}

fn n_cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Such as `amd-epyc-2c`: what the machine is, not what it is called.
fn host_kind() -> String {
    let model = cpu("model name").to_lowercase();
    let words: Vec<&str> =
        model.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).take(3).collect();
    format!("{}-{}c", if words.is_empty() { "cpu".into() } else { words.join("-") }, n_cores())
}
