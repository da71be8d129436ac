//! Regression: predicted against true values, and how the residuals are spread.

use std::fmt::Write as _;

use record::Residuals;

use crate::format::{number, short};
use crate::markup::{esc, xy};
use crate::scale::{Scale, linear_reach};

const WIDTH: f64 = 560.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 62.0;
const RIGHT: f64 = 546.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 370.0;

/// Figures and two pictures for each target.
pub(crate) fn section(targets: &[Residuals]) -> String {
    if targets.is_empty() {
        return "<p class=\"note\">No samples were evaluated.</p>".into();
    }
    targets.iter().map(|r| target(r, targets.len() > 1)).collect()
}

fn target(r: &Residuals, several: bool) -> String {
    let name = if several { format!("<h3>{}</h3>", esc(&r.target)) } else { String::new() };
    let fact = |what: &str, v: Option<f64>| {
        format!("<div><dt>{what}</dt><dd>{}</dd></div>", v.map_or("–".into(), number))
    };
    let facts = format!(
        "<dl class=\"facts\">{}{}{}{}</dl>",
        fact("R²", r.r2),
        fact("RMSE", r.rmse),
        fact("mean absolute residual", r.mae),
        fact("mean residual", r.bias)
    );
    if r.pairs.is_empty() {
        return format!("{name}{facts}<p class=\"note\">No finite prediction to draw.</p>");
    }
    format!(
        "{name}{facts}<div class=\"pair\"><figure>{}<figcaption>Each dot is a sample; on the line, the prediction equals the true value.</figcaption></figure>\
         <figure>{}<figcaption>Residuals (predicted minus true) of {} samples; the line is at zero.</figcaption></figure></div>",
        scatter(r),
        histogram(r),
        r.pairs.len()
    )
}

fn open(label: &str) -> String {
    format!(
        "<svg class=\"plot\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">",
        esc(label)
    )
}

fn axes(out: &mut String, x: &Scale, y: &Scale, names: [&str; 2]) {
    for t in y.ticks(5) {
        let at = y.at(t);
        let _ = write!(
            out,
            "<path class=\"grid\" d=\"M{LEFT} {0}H{RIGHT}\"/><text class=\"tick y\" x=\"{1}\" y=\"{2}\">{3}</text>",
            xy(at),
            LEFT - 8.0,
            xy(at + 4.0),
            short(t)
        );
    }
    for t in x.ticks(6) {
        let _ = write!(
            out,
            "<text class=\"tick x\" x=\"{}\" y=\"{}\">{}</text>",
            xy(x.at(t)),
            BOTTOM + 18.0,
            short(t)
        );
    }
    let _ = write!(
        out,
        "<path class=\"axis\" d=\"M{LEFT} {BOTTOM}H{RIGHT}\"/><text class=\"axis-name\" text-anchor=\"end\" x=\"{RIGHT}\" y=\"{}\">{} →</text>\
         <text class=\"axis-name\" text-anchor=\"end\" transform=\"translate(13 {TOP}) rotate(-90)\">{} →</text>",
        BOTTOM + 40.0,
        names[0],
        names[1]
    );
}

fn scatter(r: &Residuals) -> String {
    let both: Vec<f64> = r.pairs.iter().flat_map(|p| [p.0, p.1]).collect();
    let (lo, hi, _) = linear_reach(&both, None, None);
    let x = Scale { lo, hi, log: false, a: LEFT, b: RIGHT };
    let y = Scale { lo, hi, log: false, a: BOTTOM, b: TOP };
    let mut out = open(&format!("Predicted against true values of {}, {} samples", r.target, r.pairs.len()));
    axes(&mut out, &x, &y, ["true", "predicted"]);
    let _ = write!(out, "<path class=\"equal\" d=\"M{LEFT} {BOTTOM}L{RIGHT} {TOP}\"/>");
    let faint = if r.pairs.len() > 400 { " faint" } else { "" };
    // One path of round zero-length strokes: a dot each, at a fraction of the size of circles.
    let _ = write!(out, "<path class=\"dots{faint}\" d=\"");
    let limit = |v: f64, a: f64, b: f64| v.clamp(a.min(b), a.max(b));
    for (t, p) in &r.pairs {
        let _ = write!(out, "M{} {}h0", xy(limit(x.at(*t), LEFT, RIGHT)), xy(limit(y.at(*p), TOP, BOTTOM)));
    }
    out + "\"/></svg>"
}

fn histogram(r: &Residuals) -> String {
    let residuals: Vec<f64> = r.pairs.iter().map(|(t, p)| p - t).filter(|v| v.is_finite()).collect();
    let (lo, hi, _) = linear_reach(&residuals, None, None);
    let bins = ((residuals.len() as f64).sqrt().ceil() as usize).clamp(5, 40);
    let mut counts = vec![0u64; bins];
    for v in &residuals {
        let share = ((v - lo) / (hi - lo)).clamp(0.0, 1.0);
        counts[((share * bins as f64) as usize).min(bins - 1)] += 1;
    }
    let most = counts.iter().copied().max().unwrap_or(1).max(1);
    let x = Scale { lo, hi, log: false, a: LEFT, b: RIGHT };
    let y = Scale { lo: 0.0, hi: most as f64 * 1.05, log: false, a: BOTTOM, b: TOP };
    let mut out = open(&format!("Histogram of the residuals of {}", r.target));
    axes(&mut out, &x, &y, ["residual", "samples"]);
    let wide = (RIGHT - LEFT) / bins as f64;
    for (i, &k) in counts.iter().enumerate().filter(|(_, k)| **k > 0) {
        let top = y.at(k as f64);
        let from = lo + (hi - lo) * i as f64 / bins as f64;
        let to = lo + (hi - lo) * (i + 1) as f64 / bins as f64;
        let _ = write!(
            out,
            "<rect class=\"column\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"><title>{} to {}: {k}</title></rect>",
            xy(LEFT + wide * i as f64 + 0.5),
            xy(top),
            xy((wide - 1.0).max(0.5)),
            xy(BOTTOM - top),
            short(from),
            short(to)
        );
    }
    if lo <= 0.0 && hi >= 0.0 {
        let _ = write!(out, "<path class=\"zero\" d=\"M{} {TOP}V{BOTTOM}\"/>", xy(x.at(0.0)));
    }
    out + "</svg>"
}
