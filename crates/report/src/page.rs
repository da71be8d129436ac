//! The report: one self-contained HTML page made from a run's record.

use std::fmt::Write as _;

use record::{Evaluation, Outcome, RunRecord, Status, Summary};

use crate::commands::commands;
use crate::curves;
use crate::epochs;
use crate::format::{capital, count, duration, metric_words, number, plural, split_of, split_words, value};
use crate::markup::esc;
use crate::panel::{Run, panels};
use crate::verdict::{observations, verdict};
use crate::{confusion, explain, residuals, worth};

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");
pub(crate) const LOGO: &str = "<svg class=\"logo\" viewBox=\"0 0 32 20\" width=\"32\" height=\"20\" aria-hidden=\"true\">\
    <path d=\"M2 3C8 3 9 16 15 16S22 8 30 5\"/><circle cx=\"15\" cy=\"16\" r=\"2.6\"/></svg>";
/// The logo as the tab's icon; a page without one makes browsers ask the network for it.
const ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 -6 32 32'%3E%3Cpath d='M2 3C8 3 9 16 15 16S22 8 30 5' \
    fill='none' stroke='%230b6fa8' stroke-width='3'/%3E%3Ccircle cx='15' cy='16' r='4' fill='%23c2551a'/%3E%3C/svg%3E";

/// The whole page. It needs no network and no scripts (they only add the pointer's values and copy buttons),
/// follows the reader's light or dark theme, and prints.
///
/// ```
/// let html = report::report_html(&record::RunRecord::default());
/// assert!(html.starts_with("<!DOCTYPE html>"));
/// ```
pub fn report_html(record: &RunRecord) -> String {
    let run = Run::of(record);
    let verdict = verdict(record);
    let mut out = head(&format!("{} · {}", record.name, verdict.sentence()));
    out.push_str(&header(record));
    out.push_str(&curves_section(record, &run));
    out.push_str(&evaluation_section(record.evaluation.as_ref()));
    out.push_str(&record.evaluation.as_ref().map_or_else(String::new, worth::section));
    out.push_str(&record.explanation.as_ref().map_or_else(String::new, explain::section));
    out.push_str(&epochs::table(record, &run));
    out.push_str(&made_section(record));
    let version = if record.summary.version.is_empty() {
        String::new()
    } else {
        format!(" {}", record.summary.version)
    };
    let _ = write!(
        out,
        "<footer>thalweg{} · made from the files in <code>{}</code></footer>\n</main>\n",
        esc(&version),
        esc(&record.folder)
    );
    out.push_str(&epochs::data(record, &run));
    let _ = write!(out, "<script>\n{SCRIPT}</script>\n</body></html>\n");
    out
}

/// A page up to its content, with the style and colors of all pages.
pub(crate) fn head(title: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"/>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\
         <meta name=\"color-scheme\" content=\"light dark\"/>\
         <title>{}</title><link rel=\"icon\" href=\"{ICON}\"/><style>\n{STYLE}</style></head>\n<body><main>\n",
        esc(title)
    )
}

fn header(record: &RunRecord) -> String {
    let s = &record.summary;
    let v = verdict(record);
    let about: Vec<String> = [
        if s.model.is_empty() { String::new() } else { esc(&s.model) },
        if s.data.is_empty() { String::new() } else { format!("on {}", esc(&s.data)) },
    ]
    .into_iter()
    .filter(|p| !p.is_empty())
    .collect();
    let mut out = format!(
        "<header><div class=\"brand\">{LOGO}<span>thalweg</span><span class=\"pill {0}\">{0}</span></div>\
         <p class=\"run\"><b>{1}</b>{2}</p><h1>{3} <span>{4}</span></h1>",
        status_word(s.status),
        esc(&record.name),
        if about.is_empty() { String::new() } else { format!("<span>{}</span>", about.join(" ")) },
        esc(&v.result),
        esc(&v.rest)
    );
    let seen = observations(record);
    if !seen.is_empty() {
        out.push_str("<ul class=\"seen\">");
        seen.iter().for_each(|o| {
            let _ = write!(out, "<li>{}</li>", esc(&o.replace(" %", "\u{a0}%")));
        });
        out.push_str("</ul>");
    }
    out + &facts(s) + "</header>\n"
}

fn status_word(status: Status) -> &'static str {
    match status {
        Status::Running => "running",
        Status::Done => "done",
        Status::Interrupted => "interrupted",
        Status::Diverged => "diverged",
    }
}

/// The figures that people look for first.
fn facts(s: &Summary) -> String {
    let mut out = String::from("<dl class=\"facts\">");
    let mut fact = |what: &str, v: String| {
        let _ = write!(out, "<div><dt>{}</dt><dd>{}</dd></div>", esc(what), esc(&v));
    };
    if let Some(best) = &s.best {
        fact("best epoch", count(best.epoch));
        let headline = s.headline().map(|(name, _)| name);
        let wanted = ["valid", "test"]
            .map(|split| [format!("{split}_{}", s.metric), format!("{split}_loss")])
            .concat();
        for name in wanted.iter().filter(|n| headline.as_ref() != Some(n)) {
            if let Some(v) = best.metrics.get(name) {
                let (split, metric) = split_of(name);
                fact(&format!("{} {}", split_words(split), metric_words(metric)), value(metric, v));
            }
        }
    }
    if s.parameters > 0 {
        fact("parameters", count(s.parameters));
    }
    if s.samples_per_second > 0.0 && s.samples_per_second.is_finite() {
        fact("samples per second", count(s.samples_per_second.min(1e18).round() as u64));
    }
    if let Some(bytes) = s.peak_bytes {
        fact("memory, at most", format!("{} MiB", count(bytes.div_ceil(1 << 20))));
    }
    fact("training time", duration(s.seconds));
    out + "</dl>"
}

fn curves_section(record: &RunRecord, run: &Run) -> String {
    let panels = panels(record);
    if panels.is_empty() {
        return "<section><h2>Curves</h2><p class=\"note\">No epoch was finished, so there is nothing to draw yet.</p></section>\n".into();
    }
    let mut out = String::from("<section><h2>Curves</h2><div class=\"panels\">");
    panels.iter().enumerate().for_each(|(i, p)| out.push_str(&curves::figure(p, run, i)));
    let best = if run.best.is_some() { "Filled dots and the dashed line: best epoch. " } else { "" };
    let test = if panels.iter().any(|p| p.test.is_some()) {
        " Diamond: the test split, measured once, with the best checkpoint."
    } else {
        ""
    };
    let _ = writeln!(out, "</div><p class=\"note\">{best}Rings: last epoch.{test}</p></section>");
    out
}

fn evaluation_section(evaluation: Option<&Evaluation>) -> String {
    let Some(e) = evaluation else { return String::new() };
    match &e.outcome {
        Outcome::Heads(heads) => heads
            .iter()
            .map(|h| outcome_section(e, &h.outcome, h.samples, &format!("{}: ", h.name)))
            .collect(),
        one => outcome_section(e, one, e.samples, ""),
    }
}

/// One confusion matrix, or residuals.
fn outcome_section(e: &Evaluation, outcome: &Outcome, samples: u64, head: &str) -> String {
    let (title, body) = match outcome {
        Outcome::Confusion(c) if head.is_empty() => ("Which classes it confuses", confusion::section(c)),
        Outcome::Residuals(r) if head.is_empty() => ("How far off it is", residuals::section(r)),
        Outcome::Confusion(c) => ("which classes it confuses", confusion::section(c)),
        Outcome::Residuals(r) => ("how far off it is", residuals::section(r)),
        _ => return String::new(),
    };
    format!(
        "<section><h2>{}{title} <small>{} split, {}, {} checkpoint</small></h2>{body}</section>\n",
        esc(head),
        esc(split_words(&e.split)),
        plural(samples, "sample"),
        esc(&e.checkpoint)
    )
}

fn made_section(record: &RunRecord) -> String {
    let mut out = String::from(
        "<section><h2>How it was made, and how to repeat it</h2><div class=\"pair\"><div><h3>Commands</h3>",
    );
    for c in commands(record) {
        let _ = write!(
            out,
            "<div class=\"command\"><span>{}</span><pre><code>{}</code></pre></div>",
            esc(&capital(c.what)),
            esc(&c.line)
        );
    }
    let _ = write!(
        out,
        "<h3>Run and machine</h3>{}</div><div><h3>Config, resolved</h3>",
        machine(&record.summary)
    );
    let config = if record.config.trim().is_empty() {
        "<p class=\"note\">The config is empty.</p>".into()
    } else {
        toml(&record.config)
    };
    out + &config + "</div></div></section>\n"
}

fn machine(s: &Summary) -> String {
    let m = &s.machine;
    let samples = [("train", s.samples.train), ("validation", s.samples.valid), ("test", s.samples.test)];
    let samples: Vec<String> =
        samples.iter().filter(|(_, n)| *n > 0).map(|(what, n)| format!("{} {what}", count(*n))).collect();
    let rows = [
        ("samples", samples.join(", ")),
        ("steps", count(s.steps)),
        ("seed", s.seed.to_string()),
        ("shards", format!("{} (with the seed, they decide the numbers)", s.shards)),
        ("threads", format!("{} (they do not change the numbers)", s.threads)),
        ("processor", m.cpu.clone()),
        ("instructions", m.isa.clone()),
        ("cores", if m.cores > 0 { m.cores.to_string() } else { String::new() }),
        ("system", m.os.clone()),
        (
            "rate",
            if s.samples_per_second > 0.0 {
                format!("{} samples/s", number(s.samples_per_second))
            } else {
                String::new()
            },
        ),
        ("version", s.version.clone()),
        ("weights, SHA-256", s.weights_sha256.clone().unwrap_or_default()),
    ];
    let mut out = String::from("<table class=\"plain\"><tbody>");
    for (what, v) in rows.iter().filter(|(_, v)| !v.is_empty()) {
        let class = if what.starts_with("weights") { " class=\"hash\"" } else { "" };
        let _ = write!(out, "<tr><th scope=\"row\">{what}</th><td{class}>{}</td></tr>", esc(v));
    }
    out + "</tbody></table>"
}

/// A config with its headings, keys and comments set apart.
fn toml(text: &str) -> String {
    let mut out = String::from(
        "<pre class=\"config\" tabindex=\"0\" role=\"region\" aria-label=\"resolved config\"><code>",
    );
    for line in text.trim_end().lines() {
        let bare = line.trim_start();
        let marked = if bare.starts_with('#') {
            format!("<i>{}</i>", esc(line))
        } else if bare.starts_with('[') {
            format!("<b>{}</b>", esc(line))
        } else {
            toml_pair(line)
        };
        out.push_str(&marked);
        out.push('\n');
    }
    out + "</code></pre>"
}

/// `key = value # comment`; a `#` counts as a comment only outside quotes.
fn toml_pair(line: &str) -> String {
    let mut quoted = None;
    let comment = line.char_indices().find(|(_, c)| {
        match quoted {
            Some(q) if q == *c => quoted = None,
            None if *c == '"' || *c == '\'' => quoted = Some(*c),
            _ => {}
        }
        quoted.is_none() && *c == '#'
    });
    let (code, comment) = line.split_at(comment.map_or(line.len(), |(i, _)| i));
    let comment = if comment.is_empty() { String::new() } else { format!("<i>{}</i>", esc(comment)) };
    match code.split_once('=') {
        Some((key, value)) => format!("<span class=\"k\">{}</span>={}{comment}", esc(key), esc(value)),
        None => format!("{}{comment}", esc(code)),
    }
}
