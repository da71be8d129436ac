//! An experiment's figure as SVG that stands alone: charts of lines with their spread, and rows of histograms.

use std::fmt::Write as _;

use record::{Chart, HistogramRow, LabFigure, Line};

use crate::format::short;
use crate::markup::{esc, xy};
use crate::scale::{Scale, linear_reach, log_reach};

const WIDTH: f64 = 1120.0;
const CHART_WIDTH: f64 = 540.0;
const CHART_HEIGHT: f64 = 268.0;
/// Of a chart: where its axes are.
const LEFT: f64 = 62.0;
const RIGHT: f64 = 530.0;
const TOP: f64 = 34.0;
const BOTTOM: f64 = 228.0;
const BAR_HEIGHT: f64 = 56.0;
/// A row of histograms with its heading and captions.
const ROW_HEIGHT: f64 = 112.0;
/// Lines of one color each; more lines share them.
const COLORS: usize = 6;

/// Ink, soft ink, grid, background, and the lines' colors. Written out by rule, since many viewers know no CSS
/// variables.
type Theme = [&'static str; 4 + COLORS];
const LIGHT: Theme = [
    "#15202b", "#566570", "#dde3e6", "#ffffff", "#0b6fa8", "#b3261e", "#18733f", "#c2551a", "#7b3fa8",
    "#566570",
];
const DARK: Theme = [
    "#e7edf0", "#9db0bb", "#2b363d", "#141b20", "#5bb8f2", "#ff8a80", "#5fd092", "#f59a62", "#cda0f5",
    "#9db0bb",
];
const PRINT: Theme =
    ["#000", "#444", "#ccc", "#fff", "#075f93", "#b3261e", "#18733f", "#b04a12", "#6a3296", "#444"];

const SHAPES: &str = "\
.lab text { font: 12.5px system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'Liberation Sans',
  'DejaVu Sans', Arial, sans-serif; }
.lab text.head { font-weight: 650; font-size: 14px; }
.lab text.end { text-anchor: end; } .lab text.middle { text-anchor: middle; }
.lab .grid, .lab .axis, .lab .curve { fill: none; }
.lab .curve { stroke-width: 2; stroke-linejoin: round; } .lab .spread { opacity: 0.16; }
";

fn style() -> String {
    let rules = |[ink, soft, grid, back, colors @ ..]: Theme| {
        let mut text = format!(
            ".lab .back {{ fill: {back}; }} .lab text {{ fill: {soft}; }} .lab text.head {{ fill: {ink}; }} \
             .lab .grid {{ stroke: {grid}; }} .lab .axis {{ stroke: {soft}; }}\n"
        );
        for (i, color) in colors.iter().enumerate() {
            let _ = writeln!(
                text,
                ".lab .k{i} .curve {{ stroke: {color}; }} .lab .k{i} .spread, .lab .k{i} .dot, .lab .k{i} .bars {{ fill: {color}; }}"
            );
        }
        text
    };
    format!(
        "{SHAPES}{}@media (prefers-color-scheme: dark) {{\n{}}}\n@media print {{\n{}}}\n",
        rules(LIGHT),
        rules(DARK),
        rules(PRINT)
    )
}

/// The figure. It has its own colors for light, dark and print, and needs nothing else.
///
/// ```
/// let svg = report::lab_figure_svg(&record::LabFigure::default());
/// assert!(svg.starts_with("<svg "));
/// ```
pub fn lab_figure_svg(figure: &LabFigure) -> String {
    let names = names(figure);
    let legend = legend(&names);
    let rows = figure.charts.len().div_ceil(2) as f64;
    let charts_at = legend.height + 6.0;
    let bars_at = charts_at + rows * CHART_HEIGHT;
    let heading = if figure.rows.is_empty() { 0.0 } else { 30.0 };
    let height = bars_at + heading + figure.rows.len() as f64 * ROW_HEIGHT + 6.0;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"lab\" viewBox=\"0 0 {WIDTH} {0}\" width=\"{WIDTH}\" height=\"{0}\" role=\"img\">\
         <style>{1}</style><rect class=\"back\" width=\"{WIDTH}\" height=\"{0}\"/>\n",
        xy(height),
        style()
    );
    out.push_str(&legend.svg);
    for (i, one) in figure.charts.iter().enumerate() {
        let (x, y) = ((i % 2) as f64 * (WIDTH - CHART_WIDTH), charts_at + (i / 2) as f64 * CHART_HEIGHT);
        let _ = writeln!(out, "<g transform=\"translate({} {})\">{}</g>", xy(x), xy(y), chart(one, &names));
    }
    if !figure.rows.is_empty() {
        let _ = writeln!(
            out,
            "<text class=\"head\" x=\"8\" y=\"{}\">{}</text>",
            xy(bars_at + 16.0),
            esc(&figure.histograms)
        );
    }
    for (i, row) in figure.rows.iter().enumerate() {
        let y = bars_at + heading + i as f64 * ROW_HEIGHT;
        let _ =
            writeln!(out, "<g transform=\"translate(0 {})\">{}</g>", xy(y), histograms(row, figure, &names));
    }
    out + "</svg>\n"
}

/// Names in the order of their first use; the place of a name is its color.
fn names(figure: &LabFigure) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    let lines = figure.charts.iter().flat_map(|chart| &chart.lines).map(|line| line.name.as_str());
    for name in lines.chain(figure.rows.iter().map(|row| row.name.as_str())) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn color(names: &[&str], name: &str) -> usize {
    names.iter().position(|n| *n == name).unwrap_or(0) % COLORS
}

struct Legend {
    svg: String,
    height: f64,
}

fn legend(names: &[&str]) -> Legend {
    let (mut svg, mut x, mut y) = (String::new(), 8.0, 18.0);
    for name in names {
        // no font is known here; this is on the wide side
        let wide = 34.0 + 7.4 * name.chars().count() as f64;
        if x + wide > WIDTH {
            (x, y) = (8.0, y + 20.0);
        }
        let _ = write!(
            svg,
            "<g class=\"k{}\"><path class=\"curve\" d=\"M{} {}h20\"/><text x=\"{}\" y=\"{}\">{}</text></g>",
            color(names, name),
            xy(x),
            xy(y - 4.0),
            xy(x + 26.0),
            xy(y),
            esc(name)
        );
        x += wide;
    }
    Legend { svg: svg + "\n", height: y + 8.0 }
}

/// A chart in its own coordinates.
fn chart(chart: &Chart, names: &[&str]) -> String {
    let drawn = |v: f64| v.is_finite() && (!chart.log || v > 0.0);
    let all = || chart.lines.iter().flat_map(|line| &line.points);
    // the spread below a line may reach 0, where a logarithm has no place
    let edges = |(mean, std): &(f64, Option<f64>)| [mean - std.unwrap_or(0.0), mean + std.unwrap_or(0.0)];
    let values: Vec<f64> = match chart.log {
        true => all().map(|(mean, _)| *mean).filter(|v| drawn(*v)).collect(),
        false => all().flat_map(edges).filter(|v| drawn(*v)).collect(),
    };
    let reach = log_reach(&values).filter(|_| chart.log);
    let log = reach.is_some();
    let (lo, hi) = reach.unwrap_or_else(|| {
        let (lo, hi, _) = linear_reach(&values, None, None);
        (lo, hi)
    });
    let y = Scale { lo, hi, log, a: BOTTOM, b: TOP };
    let ends =
        || chart.lines.iter().flat_map(|l| [l.first, l.first + l.points.len().saturating_sub(1) as f64]);
    let (first, last) = (ends().fold(f64::MAX, f64::min), ends().fold(f64::MIN, f64::max));
    let x = Scale { lo: first, hi: last.max(first + 1.0), log: false, a: LEFT + 8.0, b: RIGHT - 8.0 };
    let mut out = format!("<text class=\"head\" x=\"8\" y=\"18\">{}</text>", esc(&chart.title));
    for tick in y.ticks(5) {
        let at = xy(y.at(tick));
        let _ = write!(
            out,
            "<path class=\"grid\" d=\"M{LEFT} {at}H{RIGHT}\"/><text class=\"end\" x=\"{}\" y=\"{at}\" dy=\"4\">{}</text>",
            LEFT - 7.0,
            short(tick)
        );
    }
    for tick in x.ticks(10).into_iter().filter(|t| t.fract() == 0.0) {
        let at = xy(x.at(tick));
        let _ =
            write!(out, "<text class=\"middle\" x=\"{at}\" y=\"{}\">{}</text>", BOTTOM + 18.0, short(tick));
    }
    let _ = write!(
        out,
        "<path class=\"axis\" d=\"M{LEFT} {BOTTOM}H{RIGHT}\"/><text class=\"end\" x=\"{RIGHT}\" y=\"{}\">{}</text>",
        BOTTOM + 34.0,
        esc(&chart.x_label)
    );
    for line in &chart.lines {
        let class = color(names, &line.name);
        let _ = write!(
            out,
            "<g class=\"k{class}\"><title>{}</title>{}</g>",
            esc(&line.name),
            curve(line, x, y, &drawn)
        );
    }
    out
}

/// A line, its points, and a band of one deviation on either side.
fn curve(line: &Line, x: Scale, y: Scale, drawn: &dyn Fn(f64) -> bool) -> String {
    let points: Vec<(f64, f64, f64)> = line
        .points
        .iter()
        .enumerate()
        .filter(|(_, (mean, _))| drawn(*mean))
        .map(|(i, (mean, std))| (x.at(line.first + i as f64), *mean, std.unwrap_or(0.0)))
        .collect();
    let path = |points: &mut dyn Iterator<Item = (f64, f64)>| {
        points.map(|(x, y)| format!("{} {}", xy(x), xy(y))).collect::<Vec<_>>().join("L")
    };
    let low = |mean: f64, std: f64| if drawn(mean - std) { mean - std } else { y.lo };
    let upper = path(&mut points.iter().map(|(at, m, s)| (*at, y.at(m + s))));
    let lower = path(&mut points.iter().rev().map(|(at, m, s)| (*at, y.at(low(*m, *s)))));
    let middle = path(&mut points.iter().map(|(at, m, _)| (*at, y.at(*m))));
    let mut out = String::new();
    if points.len() > 1 {
        let _ = write!(
            out,
            "<path class=\"spread\" d=\"M{upper}L{lower}Z\"/><path class=\"curve\" d=\"M{middle}\"/>"
        );
    }
    for (at, mean, _) in &points {
        let _ =
            write!(out, "<circle class=\"dot\" cx=\"{}\" cy=\"{}\" r=\"2.6\"/>", xy(*at), xy(y.at(*mean)));
    }
    out
}

/// A row of histograms in its own coordinates, each drawn to its own height.
fn histograms(row: &HistogramRow, figure: &LabFigure, names: &[&str]) -> String {
    let n = row.bins.len().max(1) as f64;
    let step = (WIDTH - 16.0) / n;
    let wide = step - 10.0;
    let base = 26.0 + BAR_HEIGHT;
    let mut out = format!(
        "<g class=\"k{}\"><rect class=\"dot\" x=\"8\" y=\"5\" width=\"10\" height=\"10\"/><text x=\"24\" y=\"14\">{}</text>",
        color(names, &row.name),
        esc(&row.name)
    );
    for (i, (bins, caption)) in row.bins.iter().zip(&row.captions).enumerate() {
        let left = 8.0 + i as f64 * step;
        let most = bins.iter().copied().fold(0.0, f64::max);
        let bar = wide / bins.len().max(1) as f64;
        let mut path = String::new();
        for (b, share) in bins.iter().enumerate().filter(|(_, share)| **share > 0.0) {
            let high = (share / most * BAR_HEIGHT).max(0.5);
            let (x, w) = (left + b as f64 * bar, (bar - 0.4).max(0.3));
            let _ = write!(path, "M{:.2} {base}v-{high:.2}h{w:.2}v{high:.2}Z", x);
        }
        let right = left + wide;
        let _ = write!(
            out,
            "<path class=\"bars\" d=\"{path}\"/><path class=\"axis\" d=\"M{} {base}H{}\"/>\
             <text x=\"{0}\" y=\"{2}\">{3}</text><text class=\"middle\" x=\"{4}\" y=\"{2}\">{5}</text><text class=\"end\" x=\"{1}\" y=\"{2}\">{6}</text>",
            xy(left),
            xy(right),
            xy(base + 16.0),
            short(figure.low),
            xy(left + wide / 2.0),
            esc(caption),
            short(figure.high)
        );
    }
    out + "</g>"
}
