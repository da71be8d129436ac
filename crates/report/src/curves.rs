//! Training curves as SVG, with marks for the best and the last epoch.
//!
//! Hand-written rather than by `plotters`: its SVG has fixed colors and no classes, and these pictures follow the
//! reader's light or dark theme, print, and answer the pointer.

use std::fmt::Write as _;

use crate::format::{capital, is_share, metric_words, short, split_words, value};
use crate::markup::{esc, xy};
use crate::panel::{Panel, Run, Series};
use crate::scale::{Scale, linear_reach, log_reach};

const WIDTH: f64 = 560.0;
const LEFT: f64 = 54.0;
const RIGHT: f64 = 546.0;
const TOP: f64 = 22.0;
const BOTTOM: f64 = 270.0;
const STRIP: f64 = 62.0;
const FOOT: f64 = 26.0;
/// Rows beyond which neighboring points share a column of the picture.
const FINE_ROWS: usize = 1200;

/// A panel: heading with the values, chart, and for positive values a choice of linear and logarithmic axis.
pub(crate) fn figure(panel: &Panel, run: &Run, number: usize) -> String {
    let title = capital(&metric_words(&panel.metric));
    let values = panel.values();
    let log = log_reach(&values).filter(|_| panel.metric == "loss" || panel.metric.ends_with("mse"));
    let (linear_lo, linear_hi, cut) = reach(panel, &values);
    let strip = panel.metric == "loss" && run.lr.iter().any(|v| *v > 0.0);
    let linear = Axis { lo: linear_lo, hi: linear_hi, log: false };
    let mut out = format!(
        "<figure class=\"panel\" id=\"p{number}\"><div class=\"panel-head\"><h3>{}</h3>",
        esc(&title)
    );
    let mut charts = chart(panel, run, linear, strip, &format!("c{number}"));
    if let Some((lo, hi)) = log {
        let by_log = hi / lo > 40.0;
        let check = |on: bool| if on { " checked=\"checked\"" } else { "" };
        let _ = write!(
            out,
            "<div class=\"toggle\" role=\"radiogroup\" aria-label=\"vertical axis of {0}\">\
             <label><input type=\"radio\" name=\"axis{number}\" value=\"log\"{1}/><span>log</span></label>\
             <label><input type=\"radio\" name=\"axis{number}\" value=\"linear\"{2}/><span>linear</span></label></div>",
            esc(&title),
            check(by_log),
            check(!by_log)
        );
        let other = chart(panel, run, Axis { lo, hi, log: true }, strip, &format!("g{number}"));
        charts = format!("<div class=\"as-log\">{other}</div><div class=\"as-linear\">{charts}</div>");
    }
    let note = if cut {
        "<p class=\"note\">Values far away lie beyond the edge of the linear axis; the table below has them.</p>"
    } else {
        ""
    };
    format!("{out}</div>{}{charts}{}{note}</figure>\n", legend(panel, run), broken_note(panel, run))
}

fn reach(panel: &Panel, values: &[f64]) -> (f64, f64, bool) {
    let bounded = is_share(&panel.metric) && values.iter().all(|v| (0.0..=1.0).contains(v));
    let ceiling = (bounded || panel.metric == "r2").then_some(1.0);
    let floor = values.iter().all(|v| *v >= 0.0).then_some(0.0);
    linear_reach(values, floor, ceiling)
}

/// Names, samples of the lines, and values: of the last epoch, or of the one under the pointer.
fn legend(panel: &Panel, run: &Run) -> String {
    let mut out = String::from("<div class=\"legend\">");
    for s in &panel.series {
        let last = s.values.iter().rev().flatten().next();
        let shown = last.map_or("–".into(), |v| value(&panel.metric, *v));
        let name = if s.split.is_empty() { "value" } else { split_words(&s.split) };
        let kind = kind(s);
        let _ = write!(
            out,
            "<span class=\"key {kind}\"><svg width=\"20\" height=\"10\" aria-hidden=\"true\"><path class=\"line\" d=\"M1 5H19\"/></svg>\
             {name} <b data-v=\"{}\">{shown}</b></span>",
            esc(&s.column)
        );
    }
    if let Some(test) = panel.test.filter(|t| t.is_finite()) {
        let _ = write!(
            out,
            "<span class=\"key s-test\"><svg width=\"12\" height=\"12\" aria-hidden=\"true\"><path class=\"mark\" d=\"M6 1L11 6L6 11L1 6Z\"/></svg>\
             test <b>{}</b></span>",
            value(&panel.metric, test)
        );
    }
    let at = run.xs.last().map_or(String::new(), |x| format!("{} {}", run.unit, x));
    let _ = write!(out, "<span class=\"at\" data-at=\"{at}\">{at}</span></div>");
    out
}

fn broken_note(panel: &Panel, run: &Run) -> String {
    let bad = |s: &Series| s.values.iter().position(|v| v.is_some_and(|v| !v.is_finite()));
    match panel.series.iter().filter_map(bad).min() {
        Some(i) => {
            format!("<p class=\"note bad\">First value that is not finite: {} {}.</p>", run.unit, run.xs[i])
        }
        None => String::new(),
    }
}

#[derive(Clone, Copy)]
struct Axis {
    lo: f64,
    hi: f64,
    log: bool,
}

struct Plot<'a> {
    panel: &'a Panel,
    run: &'a Run,
    x: Scale,
    y: Scale,
    id: &'a str,
    strip: bool,
}

fn chart(panel: &Panel, run: &Run, axis: Axis, strip: bool, id: &str) -> String {
    let bottom = if strip { BOTTOM - STRIP } else { BOTTOM };
    let (x0, x1) = x_reach(&run.xs);
    let x = Scale { lo: x0, hi: x1, log: false, a: LEFT, b: RIGHT };
    let y = Scale { lo: axis.lo, hi: axis.hi, log: axis.log, a: bottom, b: TOP };
    let plot = Plot { panel, run, x, y, id, strip };
    let mut out = String::new();
    let _ = write!(
        out,
        "<svg class=\"chart\" viewBox=\"0 0 {WIDTH} {}\" role=\"img\" aria-label=\"{}\" tabindex=\"0\" \
         data-x=\"{x0} {x1} {LEFT} {RIGHT}\" data-y=\"{:e} {:e} {} {TOP} {}\">",
        BOTTOM + FOOT,
        esc(&plot.description()),
        axis.lo,
        axis.hi,
        xy(bottom),
        u8::from(axis.log)
    );
    let clip_height = bottom - TOP + 8.0;
    let _ = write!(
        out,
        "<clipPath id=\"{id}\"><rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/></clipPath>",
        LEFT - 6.0,
        TOP - 4.0,
        RIGHT - LEFT + 12.0,
        clip_height
    );
    plot.grid(&mut out);
    plot.best_line(&mut out);
    panel.series.iter().for_each(|s| plot.curve(&mut out, s));
    plot.test_mark(&mut out);
    if strip {
        plot.learning_rate(&mut out);
    }
    if run.xs.is_empty() {
        let _ = write!(
            out,
            "<text class=\"empty\" x=\"{}\" y=\"{}\">no epoch was finished</text>",
            (LEFT + RIGHT) / 2.0,
            (TOP + bottom) / 2.0
        );
    }
    out.push_str("<g class=\"cursor\"></g></svg>");
    out
}

fn x_reach(xs: &[f64]) -> (f64, f64) {
    match (xs.first(), xs.last()) {
        (Some(&a), Some(&b)) if b > a => (a, b),
        (Some(&a), _) => (a - 1.0, a + 1.0),
        _ => (0.0, 1.0),
    }
}

impl Plot<'_> {
    /// What a reader who cannot see the chart needs.
    fn description(&self) -> String {
        let metric = &self.panel.metric;
        let mut out = format!("{} by {}", capital(&metric_words(metric)), self.run.unit);
        for s in &self.panel.series {
            let ends = s.values.iter().flatten().next().zip(s.values.iter().flatten().next_back());
            if let Some((a, b)) = ends {
                let _ = write!(
                    out,
                    "; {} from {} to {}",
                    split_words(&s.split),
                    value(metric, *a),
                    value(metric, *b)
                );
            }
        }
        if let Some(i) = self.run.best {
            let _ = write!(out, "; best {} {}", self.run.unit, self.run.xs[i]);
        }
        out
    }

    fn grid(&self, out: &mut String) {
        let metric = &self.panel.metric;
        for t in self.y.ticks(5) {
            let y = self.y.at(t);
            let label = if is_share(metric) { format!("{}\u{a0}%", short(t * 100.0)) } else { short(t) };
            let _ = write!(
                out,
                "<path class=\"grid\" d=\"M{LEFT} {0}H{RIGHT}\"/><text class=\"tick y\" x=\"{1}\" y=\"{2}\">{label}</text>",
                xy(y),
                LEFT - 8.0,
                xy(y + 4.0)
            );
        }
        let base = BOTTOM + 18.0;
        let whole = self.x.ticks(6).into_iter().filter(|t| t.fract() == 0.0 && !self.run.xs.is_empty());
        let single = if self.run.xs.len() == 1 { Some(self.run.xs[0]) } else { None };
        let room = RIGHT - 44.0;
        for t in whole.filter(|t| single.is_none_or(|s| s == *t) && self.x.at(*t) < room) {
            let _ = write!(
                out,
                "<text class=\"tick x\" x=\"{}\" y=\"{base}\">{}</text>",
                xy(self.x.at(t)),
                short(t)
            );
        }
        let _ = write!(out, "<text class=\"tick unit\" x=\"{RIGHT}\" y=\"{base}\">{}</text>", self.run.unit);
        let _ = write!(out, "<path class=\"axis\" d=\"M{LEFT} {0}H{RIGHT}\"/>", xy(self.y.a));
    }

    fn best_line(&self, out: &mut String) {
        let Some(i) = self.run.best else { return };
        let x = self.x.at(self.run.xs[i]);
        let anchor = if x > RIGHT - 60.0 {
            "end"
        } else if x < LEFT + 40.0 {
            "start"
        } else {
            "middle"
        };
        let _ = write!(
            out,
            "<path class=\"best-line\" d=\"M{0} {TOP}V{1}\"/><text class=\"best-text\" text-anchor=\"{anchor}\" x=\"{0}\" y=\"{2}\">best · {3}</text>",
            xy(x),
            xy(self.y.a),
            TOP - 8.0,
            self.run.xs[i]
        );
    }

    fn curve(&self, out: &mut String, s: &Series) {
        let points = self.points(&s.values);
        let (path, lone) = path(&points);
        let kind = kind(s);
        let _ = write!(
            out,
            "<g class=\"{kind}\" clip-path=\"url(#{})\"><path class=\"line\" d=\"{path}\"/>",
            self.id
        );
        for (x, y) in lone {
            let _ = write!(out, "<circle class=\"dot\" cx=\"{}\" cy=\"{}\" r=\"2.5\"/>", xy(x), xy(y));
        }
        out.push_str("</g>");
        let at = |i: usize| {
            s.values[i].filter(|v| v.is_finite()).map(|v| (self.x.at(self.run.xs[i]), self.y.at(v)))
        };
        let inside = |place: &(f64, f64)| self.is_inside(place.1);
        if let Some((x, y)) = self.run.best.and_then(at).filter(inside) {
            let _ =
                write!(out, "<circle class=\"{kind} best-dot\" cx=\"{}\" cy=\"{}\" r=\"4\"/>", xy(x), xy(y));
        }
        let last = s.values.iter().rposition(|v| v.is_some_and(f64::is_finite));
        if let Some((x, y)) = last.filter(|i| Some(*i) != self.run.best).and_then(at).filter(inside) {
            let _ =
                write!(out, "<circle class=\"{kind} last-dot\" cx=\"{}\" cy=\"{}\" r=\"4\"/>", xy(x), xy(y));
        }
    }

    /// Positions, `None` where a gap is; many rows are thinned to the lowest and highest of each bucket.
    fn points(&self, values: &[Option<f64>]) -> Vec<Option<(f64, f64)>> {
        let place =
            |i: usize| values[i].filter(|v| v.is_finite()).map(|v| (self.x.at(self.run.xs[i]), self.y.at(v)));
        let all: Vec<usize> = (0..values.len()).filter(|i| values[*i].is_some()).collect();
        if all.len() <= FINE_ROWS {
            return all.into_iter().map(place).collect();
        }
        let size = all.len().div_ceil(FINE_ROWS / 2);
        all.chunks(size).flat_map(|bucket| extremes(bucket, values).into_iter().map(place)).collect()
    }

    /// Whether a mark at this height is within the frame; a linear axis may leave out values that lie far away.
    fn is_inside(&self, y: f64) -> bool {
        (TOP - 4.0..=self.y.a + 4.0).contains(&y)
    }

    fn test_mark(&self, out: &mut String) {
        let place = self.run.best.or(self.run.xs.len().checked_sub(1));
        let Some((i, v)) = place.zip(self.panel.test.filter(|t| t.is_finite())) else { return };
        let (x, y) = (self.x.at(self.run.xs[i]), self.y.at(v));
        if !self.is_inside(y) {
            return;
        }
        let _ = write!(
            out,
            "<path class=\"s-test mark\" d=\"M{} {}l5 5l-5 5l-5-5Z\"><title>test {}</title></path>",
            xy(x),
            xy(y - 5.0),
            value(&self.panel.metric, v)
        );
    }

    /// A strip below the chart: the learning rate from zero to its highest value.
    fn learning_rate(&self, out: &mut String) {
        let rates: Vec<f64> = self.run.lr.iter().copied().filter(|v| v.is_finite() && *v >= 0.0).collect();
        let Some(high) = rates.iter().copied().reduce(f64::max).filter(|h| *h > 0.0 && *h < 1e150) else {
            return;
        };
        let low = rates.iter().copied().fold(high, f64::min);
        let (top, base) = (BOTTOM - STRIP + 30.0, BOTTOM);
        let y = Scale { lo: 0.0, hi: high, log: false, a: base, b: top };
        let points: Vec<_> = self
            .run
            .xs
            .iter()
            .zip(&self.run.lr)
            .map(|(x, v)| (v.is_finite() && *v >= 0.0).then(|| (self.x.at(*x), y.at(*v))))
            .collect();
        let points: Vec<_> =
            points.iter().step_by(points.len().div_ceil(FINE_ROWS).max(1)).copied().collect();
        let range = if low == high {
            format!("{}, constant", short(high))
        } else {
            format!("{} to {}", short(low), short(high))
        };
        let (line, lone) = path(&points);
        let ends = points.iter().flatten().next().zip(points.iter().flatten().next_back());
        if let Some((a, b)) = ends.filter(|_| lone.is_empty() && points.iter().all(Option::is_some)) {
            let _ =
                write!(out, "<path class=\"lr-area\" d=\"{line}L{} {base}L{} {base}Z\"/>", xy(b.0), xy(a.0));
        }
        let _ = write!(
            out,
            "<path class=\"lr-line\" d=\"{line}\"/><path class=\"axis\" d=\"M{LEFT} {base}H{RIGHT}\"/>\
             <text class=\"tick lr-text\" x=\"{LEFT}\" y=\"{}\">learning rate {range}</text>",
            xy(top - 8.0)
        );
        for (x, y) in lone {
            let _ = write!(out, "<circle class=\"lr-dot\" cx=\"{}\" cy=\"{}\" r=\"2.5\"/>", xy(x), xy(y));
        }
        debug_assert!(self.strip);
    }
}

/// The lowest and the highest row of a bucket, in order; a row that is not finite stands for the gap.
fn extremes(bucket: &[usize], values: &[Option<f64>]) -> Vec<usize> {
    let finite = || bucket.iter().copied().filter(|i| values[*i].is_some_and(f64::is_finite));
    let by = |a: &usize, b: &usize| values[*a].unwrap_or(0.0).total_cmp(&values[*b].unwrap_or(0.0));
    let mut out: Vec<usize> = finite().min_by(by).into_iter().chain(finite().max_by(by)).collect();
    out.extend(bucket.iter().copied().find(|i| !values[*i].is_some_and(f64::is_finite)));
    out.sort_unstable();
    out.dedup();
    out
}

/// Path data with gaps, and the points that have no neighbor to be joined to.
fn path(points: &[Option<(f64, f64)>]) -> (String, Vec<(f64, f64)>) {
    let mut out = String::new();
    let mut lone = Vec::new();
    for piece in points.split(Option::is_none) {
        let piece: Vec<(f64, f64)> = piece.iter().flatten().copied().collect();
        if let [point] = piece[..] {
            lone.push(point);
        }
        for (i, (x, y)) in piece.iter().enumerate().filter(|_| piece.len() > 1) {
            let _ = write!(out, "{}{} {}", if i == 0 { 'M' } else { 'L' }, xy(*x), xy(*y));
        }
    }
    (out, lone)
}

fn kind(s: &Series) -> &'static str {
    match s.split.as_str() {
        "train" => "s-train",
        "valid" => "s-valid",
        "test" => "s-test",
        _ => "s-other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_have_gaps_and_lone_points() {
        let p = [Some((0.0, 1.0)), Some((1.0, 2.0)), None, Some((3.0, 4.0)), None, None];
        assert_eq!(path(&p), ("M0 1L1 2".into(), vec![(3.0, 4.0)]));
    }

    #[test]
    fn thinning_keeps_peaks_and_gaps() {
        let values = [1.0, 9.0, 2.0, 0.5, f64::NAN].map(Some);
        assert_eq!(extremes(&[0, 1, 2, 3], &values), [1, 3]);
        assert_eq!(extremes(&[0, 4], &values), [0, 4]);
    }
}
