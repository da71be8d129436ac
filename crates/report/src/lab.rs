//! An experiment's page: one self-contained HTML file made from its record.

use std::fmt::Write as _;

use record::{Claim, LabRecord, Measured, Verdict};

use crate::format::number;
use crate::lab_figure::lab_figure_svg;
use crate::markup::esc;
use crate::page::{LOGO, head};

/// The whole page. It needs no network and no scripts, follows the reader's light or dark theme, and prints.
///
/// ```
/// let html = report::lab_html(&record::LabRecord::default());
/// assert!(html.starts_with("<!DOCTYPE html>"));
/// ```
pub fn lab_html(record: &LabRecord) -> String {
    let mut out = head(&format!("{} · lab {}", record.title, record.lab));
    out.push_str(&header(record));
    out.push_str("<section><h2>What is claimed, and what the figures say</h2>");
    record.claims.iter().for_each(|c| out.push_str(&claim(c)));
    let _ = write!(
        out,
        "</section>\n<section><h2>Figure</h2><figure class=\"card\"><div class=\"scroll figure\">{}</div><figcaption>Lines: the mean over \
         the seeds; bands: one sample deviation on either side.</figcaption></figure></section>\n",
        lab_figure_svg(&record.figure)
    );
    out.push_str(&tables(record));
    out.push_str(&made(record));
    let _ = write!(
        out,
        "<footer>thalweg {} · the figures are in <code>data.csv</code>, the verdicts in <code>verdict.json</code></footer>\n</main>\n</body></html>\n",
        esc(&record.version)
    );
    out
}

fn header(record: &LabRecord) -> String {
    let counted = [
        (Verdict::Holds, ["holds", "hold"]),
        (Verdict::Fails, ["does not hold here", "do not hold here"]),
        (Verdict::Undecided, ["undecided"; 2]),
        (Verdict::NotMeasured, ["not measured"; 2]),
    ];
    let count = |(verdict, [one, many]): (Verdict, [&str; 2])| match record.count(verdict) {
        0 => None,
        1 => Some(format!("1 {one}")),
        n => Some(format!("{n} {many}")),
    };
    let words: Vec<String> = counted.into_iter().filter_map(count).collect();
    let mut out = format!(
        "<header><div class=\"brand\">{LOGO}<span>thalweg</span></div><p class=\"run\"><b>lab {}</b></p><h1>{} <span>{}</span></h1>\
         <dl class=\"facts\">",
        esc(&record.lab),
        esc(&record.title),
        esc(&words.join(", "))
    );
    let facts = record.settings.iter().filter(|(_, value)| value.chars().count() <= 16);
    for (what, value) in
        facts.map(|(k, v)| (k.as_str(), v.clone())).chain([("seeds", record.seeds.len().to_string())])
    {
        let _ = write!(out, "<div><dt>{}</dt><dd>{}</dd></div>", esc(what), esc(&value));
    }
    out + "</dl></header>\n"
}

/// The class of a verdict's color.
fn class(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Holds => "done",
        Verdict::Fails => "diverged",
        Verdict::Undecided => "interrupted",
        Verdict::NotMeasured => "",
    }
}

fn claim(claim: &Claim) -> String {
    let mut out = format!(
        "<div class=\"card claim\"><div class=\"panel-head\"><h3>{}</h3><span class=\"pill {}\">{}</span></div>\
         <p class=\"note\">Beside: {}. Rule: {}.</p>",
        esc(&claim.claim),
        class(claim.verdict),
        claim.verdict.word(),
        esc(&claim.control),
        esc(&claim.rule)
    );
    if !claim.figures.is_empty() {
        out.push_str("<table class=\"plain\"><tbody>");
        for figure in &claim.figures {
            let _ = write!(
                out,
                "<tr><th scope=\"row\">{}</th><td>{}</td></tr>",
                esc(&figure.name),
                esc(&spread(figure))
            );
        }
        out.push_str("</tbody></table>");
    }
    out + "</div>"
}

fn spread(figure: &Measured) -> String {
    match figure.std {
        Some(std) => format!("{} ± {} over {} seeds", number(figure.mean), number(std), figure.values.len()),
        None => format!("{}, one seed", number(figure.mean)),
    }
}

fn tables(record: &LabRecord) -> String {
    if record.tables.is_empty() {
        return String::new();
    }
    let mut out = String::from("<section><h2>Tables</h2><div class=\"tables\">");
    for (title, rows) in &record.tables {
        let _ = write!(out, "<div class=\"card\"><h3>{}</h3><div class=\"scroll\"><table>", esc(title));
        for (i, row) in rows.iter().enumerate() {
            let cell = if i == 0 { "th" } else { "td" };
            out.push_str(match i {
                0 => "<thead><tr>",
                _ => "<tr>",
            });
            for (column, text) in row.iter().enumerate() {
                let cell = if column == 0 { "th" } else { cell };
                let _ = write!(out, "<{cell}>{}</{cell}>", esc(text));
            }
            out.push_str(match i {
                0 => "</tr></thead><tbody>",
                _ => "</tr>",
            });
        }
        out.push_str("</tbody></table></div></div>");
    }
    out + "</div></section>\n"
}

fn made(record: &LabRecord) -> String {
    let mut out = String::from("<section><h2>How it was made, and how to repeat it</h2><div class=\"card\">");
    let _ = write!(
        out,
        "<div class=\"command\"><span>Repeat</span><pre><code>{}</code></pre></div><table class=\"plain\"><tbody>",
        esc(&record.command)
    );
    let seeds: Vec<String> = record.seeds.iter().map(ToString::to_string).collect();
    let more = [("seeds".to_owned(), seeds.join(", ")), ("source".to_owned(), record.source.clone())];
    for (what, value) in record.settings.iter().chain(&more) {
        let _ = write!(out, "<tr><th scope=\"row\">{}</th><td>{}</td></tr>", esc(what), esc(value));
    }
    out.push_str("</tbody></table>");
    record.notes.iter().for_each(|note| {
        let _ = write!(out, "<p class=\"note\">{}</p>", esc(note));
    });
    out + "</div></section>\n"
}
