//! Which columns matter: bars with their spread, and small pictures of how answers follow the first of them.

use std::fmt::Write as _;

use record::{Dependence, Explanation, Importance, Values};

use crate::format::{is_share, metric_words, number, percent, plural, short, split_words};
use crate::markup::{cut, esc, xy};
use crate::scale::{Scale, linear_reach};

const WIDTH: f64 = 720.0;
const NAMES: f64 = 190.0;
const END: f64 = 620.0;
const ROW: f64 = 24.0;
/// Columns that are drawn; the file has all of them.
const MOST_COLUMNS: usize = 30;
/// Lines of one picture: as many as there are colors.
const MOST_LINES: usize = 4;
const LINES: [&str; MOST_LINES] = ["s-valid", "s-train", "s-test", "s-other"];

const LEFT: f64 = 58.0;
const RIGHT: f64 = 426.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 190.0;

pub(crate) fn section(e: &Explanation) -> String {
    let mut out = format!(
        "<section><h2>Which columns matter <small>{} split, {}, {} checkpoint</small></h2><div class=\"tables\"><div class=\"card\">{}\
         <p class=\"note\">How much {} when the values of a column are shuffled among the samples, mean of {}; the thin line is one standard deviation to each side. If several columns carry the same information, each may seem unimportant.{}</p></div></div>",
        esc(split_words(&e.split)),
        plural(e.samples, "sample"),
        esc(&e.checkpoint),
        bars(e),
        esc(&worse(&e.metric)),
        plural(e.repeats, "shuffle"),
        more(e),
    );
    if !e.dependence.is_empty() {
        out.push_str("<h3 class=\"note\">How the answers depend on the most important columns</h3><div class=\"pair\">");
        e.dependence.iter().for_each(|d| out.push_str(&picture(d)));
        out.push_str(
            "</div><p class=\"note\">Mean answers when all samples have the same value in this column and keep their other values.</p>",
        );
    }
    out + "</section>\n"
}

fn worse(metric: &str) -> String {
    let verb = if metric.ends_with("accuracy") { "falls" } else { "grows" };
    format!("{} {verb}", metric_words(metric))
}

fn more(e: &Explanation) -> String {
    let more = e.columns.len().saturating_sub(MOST_COLUMNS);
    if more == 0 {
        String::new()
    } else {
        format!(" {more} more columns are in <code>explanation.json</code>.")
    }
}

fn shown(metric: &str, v: f64) -> String {
    if is_share(metric) { percent(v) } else { number(v) }
}

/// A bar for each column with its mean and spread.
fn bars(e: &Explanation) -> String {
    let columns = &e.columns[..e.columns.len().min(MOST_COLUMNS)];
    // what is no number has no bar
    let drawn = |i: usize| {
        let Importance { mean, std } = e.main(&columns[i]);
        let mean = if mean.is_finite() { mean } else { 0.0 };
        (mean, std.filter(|v| v.is_finite()).unwrap_or(0.0))
    };
    let ends = (0..columns.len()).map(drawn).flat_map(|(mean, std)| [mean - std, mean + std]);
    let (lo, hi) = ends.fold((0.0f64, 0.0f64), |(lo, hi), v| (lo.min(v), hi.max(v)));
    let x = Scale { lo, hi: if hi > lo { hi } else { lo + 1.0 }, log: false, a: NAMES, b: END };
    let height = 8.0 + ROW * columns.len() as f64;
    let label = format!("Importance of {}", plural(columns.len() as u64, "column"));
    let mut out = format!(
        "<svg class=\"plot\" viewBox=\"0 0 {WIDTH} {}\" role=\"img\" aria-label=\"{}\">",
        xy(height),
        esc(&label)
    );
    for (i, column) in columns.iter().enumerate() {
        let (top, (mean, std)) = (4.0 + ROW * i as f64, drawn(i));
        let middle = top + ROW / 2.0;
        let (from, to) = (x.at(mean.min(0.0)), x.at(mean.max(0.0)));
        let _ = write!(
            out,
            "<text x=\"{0}\" y=\"{1}\" text-anchor=\"end\">{2}<title>{3}</title></text>\
             <rect class=\"column\" x=\"{4}\" y=\"{5}\" width=\"{6}\" height=\"{7}\"/>",
            NAMES - 10.0,
            xy(middle + 4.0),
            esc(&cut(&column.column, 26)),
            esc(&column.column),
            xy(from),
            xy(top + 4.0),
            xy((to - from).max(0.5)),
            ROW - 8.0
        );
        if std > 0.0 {
            let [a, b] = [mean - std, mean + std].map(|v| x.at(v));
            let _ = write!(out, "<path class=\"best-line\" d=\"M{} {2}H{}\"/>", xy(a), xy(b), xy(middle));
        }
        let _ = write!(
            out,
            "<text x=\"{}\" y=\"{}\">{}</text>",
            END + 12.0,
            xy(middle + 4.0),
            esc(&shown(&e.metric, e.main(column).mean))
        );
    }
    let _ = write!(out, "<path class=\"axis\" d=\"M{0} 0V{1}\"/></svg>", xy(x.at(0.0)), xy(height));
    out
}

/// The outputs that a picture shows: of two classes the second, of more those that move most.
fn outputs(d: &Dependence) -> Vec<usize> {
    if d.shares && d.outputs.len() == 2 {
        return vec![1];
    }
    let reach = |i: &usize| {
        let finite = || d.means[*i].iter().copied().filter(|v| v.is_finite());
        finite().fold(f64::NEG_INFINITY, f64::max) - finite().fold(f64::INFINITY, f64::min)
    };
    let mut all: Vec<usize> = (0..d.means.len().min(d.outputs.len())).collect();
    all.sort_by(|a, b| reach(b).total_cmp(&reach(a)));
    all.truncate(MOST_LINES);
    all.sort_unstable();
    all
}

fn picture(d: &Dependence) -> String {
    let chosen = outputs(d);
    let values: Vec<f64> = chosen.iter().flat_map(|i| d.means[*i].iter().copied()).collect();
    let bounds = d.shares.then_some((0.0, 1.0));
    let (lo, hi, _) = linear_reach(&values, bounds.map(|b| b.0), bounds.map(|b| b.1));
    let y = Scale { lo, hi, log: false, a: BOTTOM, b: TOP };
    let label = format!("Mean answers by {}", d.column);
    let mut out = format!(
        "<figure><h3>{}</h3>{}<svg class=\"plot\" viewBox=\"0 0 440 230\" role=\"img\" aria-label=\"{}\">",
        esc(&d.column),
        legend(d, &chosen),
        esc(&label)
    );
    for t in y.ticks(6) {
        let mark = if d.shares { percent(t) } else { short(t) };
        let _ = write!(
            out,
            "<path class=\"grid\" d=\"M{LEFT} {0}H{RIGHT}\"/><text class=\"tick y\" x=\"{1}\" y=\"{2}\">{mark}</text>",
            xy(y.at(t)),
            LEFT - 8.0,
            xy(y.at(t) + 4.0)
        );
    }
    let _ = write!(out, "<path class=\"axis\" d=\"M{LEFT} {BOTTOM}H{RIGHT}\"/>");
    match &d.at {
        Values::Numbers(at) => lines(&mut out, d, &chosen, at, &y),
        Values::Categories(names) => columns(&mut out, d, &chosen, names, &y),
    }
    out + "</svg></figure>"
}

fn legend(d: &Dependence, chosen: &[usize]) -> String {
    let what = if d.shares { "probability of " } else { "" };
    let one = |(k, i): (usize, &usize)| {
        format!(
            "<span class=\"{}\"><svg width=\"18\" height=\"8\" viewBox=\"0 0 18 8\" aria-hidden=\"true\"><path class=\"line\" d=\"M0 4H18\"/></svg>{what}{}</span>",
            LINES[k % MOST_LINES],
            esc(&d.outputs[*i])
        )
    };
    format!("<p class=\"legend\">{}</p>", chosen.iter().enumerate().map(one).collect::<String>())
}

/// A line for each output over the values of a number, whose marks stand below.
fn lines(out: &mut String, d: &Dependence, chosen: &[usize], at: &[f64], y: &Scale) {
    let finite = || at.iter().copied().filter(|v| v.is_finite());
    let (lo, hi) = (finite().fold(f64::INFINITY, f64::min), finite().fold(f64::NEG_INFINITY, f64::max));
    if lo > hi {
        return;
    }
    let x = Scale { lo, hi: if hi > lo { hi } else { lo + 1.0 }, log: false, a: LEFT, b: RIGHT };
    for t in x.ticks(5) {
        let _ = write!(
            out,
            "<text class=\"tick x\" x=\"{}\" y=\"{}\">{}</text>",
            xy(x.at(t)),
            BOTTOM + 18.0,
            short(t)
        );
    }
    for (k, i) in chosen.iter().enumerate() {
        let points = at.iter().zip(&d.means[*i]).filter(|(a, v)| a.is_finite() && v.is_finite());
        let path: Vec<String> = points.map(|(a, v)| format!("{} {}", xy(x.at(*a)), xy(y.at(*v)))).collect();
        if !path.is_empty() {
            let _ =
                write!(out, "<g class=\"{}\"><path class=\"line\" d=\"M{}\"/></g>", LINES[k], path.join("L"));
        }
    }
}

/// A dot for each output and category.
fn columns(out: &mut String, d: &Dependence, chosen: &[usize], names: &[String], y: &Scale) {
    let step = (RIGHT - LEFT) / names.len().max(1) as f64;
    let fits = (step / 7.5) as usize;
    for (place, name) in names.iter().enumerate() {
        let x = LEFT + step * (place as f64 + 0.5);
        if fits >= 2 {
            let _ = write!(
                out,
                "<text class=\"tick x\" x=\"{}\" y=\"{}\">{}</text>",
                xy(x),
                BOTTOM + 18.0,
                esc(&cut(name, fits))
            );
        }
        for (k, i) in chosen.iter().enumerate() {
            let Some(v) = d.means[*i].get(place).filter(|v| v.is_finite()) else { continue };
            let _ = write!(
                out,
                "<g class=\"{}\"><circle class=\"dot\" cx=\"{}\" cy=\"{}\" r=\"4.5\"><title>{}: {}</title></circle></g>",
                LINES[k],
                xy(x),
                xy(y.at(*v)),
                esc(name),
                if d.shares { percent(*v) } else { number(*v) }
            );
        }
    }
}
