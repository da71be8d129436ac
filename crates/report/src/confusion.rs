//! The confusion matrix as a heat map, figures beside what the majority class alone would give, the most confused pairs
//! in words, and a table of figures by class.

use std::fmt::Write as _;

use record::{ClassScore, Confusion};

use crate::format::{count, number, percent, plural};
use crate::markup::{cut, esc, json_string, xy};

/// Classes up to which the cells carry their counts.
const LABELED: usize = 20;
const SIZE: f64 = 560.0;
const LARGEST_CELL: f64 = 110.0;

/// Matrix, mistakes and table.
pub(crate) fn section(c: &Confusion) -> String {
    if c.classes().is_empty() || c.total() == 0 {
        return "<p class=\"note\">No samples were evaluated.</p>".into();
    }
    format!(
        "<div class=\"pair\">{}<div>{}{}{}</div></div>{}",
        matrix(c),
        figures(c),
        mistakes(c),
        table(c),
        pointer_data(c)
    )
}

/// Shares as bars, accuracy beside that of the majority class; what is no share as a number.
fn figures(c: &Confusion) -> String {
    let scores = c.scores();
    let majority = c.majority();
    let always =
        majority.as_ref().map_or_else(String::new, |m| format!("always <b>{}</b>", esc(&cut(&m.class, 24))));
    let positive =
        scores.positive.as_ref().map_or_else(String::new, |p| format!(" of <b>{}</b>", esc(&cut(p, 24))));
    let bars = [
        ("accuracy".to_owned(), c.accuracy()),
        (always, majority.map(|m| m.share)),
        ("balanced accuracy".to_owned(), c.balanced_accuracy()),
    ];
    let numbers = [
        ("area under the ROC curve".to_owned(), scores.roc_auc),
        (format!("average precision{positive}"), scores.average_precision),
        ("log loss".to_owned(), scores.log_loss),
        ("Brier score".to_owned(), scores.brier),
        ("calibration error, 15 bins".to_owned(), scores.calibration_error),
    ];
    let mut out = String::from("<table class=\"scores\"><tbody>");
    for (what, v) in bars {
        let _ = write!(out, "<tr><th scope=\"row\" class=\"name\">{what}</th>{}</tr>", bar_cell(v));
    }
    for (what, v) in numbers.iter().filter(|(_, v)| v.is_some()) {
        let v = v.map_or_else(String::new, number);
        let _ = write!(out, "<tr><th scope=\"row\" class=\"name\">{what}</th><td>{v}</td></tr>");
    }
    out + "</tbody></table>"
}

/// The counts of a matrix too fine for text, for the pointer: `true, predicted, count` in a row.
fn pointer_data(c: &Confusion) -> String {
    let n = c.classes().len();
    if n <= LABELED {
        return String::new();
    }
    let names: Vec<String> = c.classes().iter().map(|name| json_string(name)).collect();
    let cells = (0..n * n).map(|i| (i / n, i % n, c.row(i / n)[i % n])).filter(|cell| cell.2 > 0);
    let cells: Vec<String> = cells.map(|(t, p, k)| format!("{t},{p},{k}")).collect();
    format!(
        "<script type=\"application/json\" id=\"matrix\">{{\"names\":[{}],\"cells\":[{}]}}</script>",
        names.join(","),
        cells.join(",")
    )
}

fn matrix(c: &Confusion) -> String {
    let n = c.classes().len();
    let named = n <= LABELED;
    let longest = c.classes().iter().map(|l| l.chars().count()).max().unwrap_or(0).min(12);
    let left = if named { 34.0 + 7.4 * longest as f64 } else { 52.0 };
    let slanted = named && longest as f64 * 7.6 > (SIZE - left) / n as f64;
    // A slanted name over the last column needs room to its right.
    let right = if slanted { 5.4 * longest as f64 } else { 4.0 };
    let cell = ((SIZE - left - right) / n as f64).min(LARGEST_CELL);
    let top = if slanted { 30.0 + 5.6 * longest as f64 } else { 44.0 };
    let height = top + cell * n as f64 + 4.0;
    let grid = Grid { c, left, top, cell, slanted };
    let mut out = format!(
        "<figure class=\"confusion\"><svg viewBox=\"0 0 {SIZE} {0}\" class=\"matrix\" role=\"img\" aria-label=\"Confusion matrix of {1} classes: \
         {2} of {3} samples on the diagonal\" data-grid=\"{4} {5} {6} {n}\">",
        xy(height),
        n,
        count(c.correct()),
        count(c.total()),
        xy(left),
        xy(top),
        cell
    );
    let _ = write!(
        out,
        "<text class=\"axis-name\" x=\"{}\" y=\"14\" text-anchor=\"end\">predicted →</text>\
         <text class=\"axis-name\" text-anchor=\"end\" transform=\"translate(14 {}) rotate(-90)\">← true</text>\
         <rect class=\"field\" x=\"{}\" y=\"{}\" width=\"{w}\" height=\"{w}\"/>",
        xy(left + cell * n as f64),
        xy(top),
        xy(left),
        xy(top),
        w = xy(cell * n as f64)
    );
    grid.cells(&mut out);
    grid.labels(&mut out);
    let _ = write!(
        out,
        "</svg><figcaption>{} of {} are right ({}). A row is the true class, a column the predicted class; \
         shade is the share of the row{}.</figcaption></figure>",
        count(c.correct()),
        plural(c.total(), "sample"),
        percent(c.correct() as f64 / c.total() as f64),
        if named { "" } else { ". Numbers are those of the table" }
    );
    out
}

struct Grid<'a> {
    c: &'a Confusion,
    left: f64,
    top: f64,
    cell: f64,
    slanted: bool,
}

impl Grid<'_> {
    fn cells(&self, out: &mut String) {
        let n = self.c.classes().len();
        // One path per shade keeps a hundred classes small.
        let mut shades = vec![String::new(); 20];
        let mut texts = String::new();
        let inset = if n <= LABELED { 1.0 } else { 0.0 };
        for t in 0..n {
            let row = self.c.row(t);
            let support: u64 = row.iter().sum();
            for (p, &k) in row.iter().enumerate().filter(|(_, k)| **k > 0) {
                let share = k as f64 / support as f64;
                // Mistakes are rare and must be seen, the more so where cells are small.
                let faintest = if n > LABELED { 4 } else { 1 };
                let level =
                    if t == p { level(share) } else { level((share * 2.0).min(1.0).sqrt()).max(faintest) };
                let (x, y) = (self.left + self.cell * p as f64, self.top + self.cell * t as f64);
                let side = format!("{:.2}", self.cell - inset);
                let shade = &mut shades[level + if t == p { 0 } else { 10 }];
                let _ =
                    write!(shade, "M{:.2} {:.2}h{side}v{side}h-{side}z", x + inset / 2.0, y + inset / 2.0);
                if n <= LABELED {
                    let mid = self.cell / 2.0;
                    let size = (self.cell * 0.92 / k.to_string().len().max(2) as f64 * 1.35)
                        .min(18.0)
                        .min(self.cell * 0.5);
                    let _ = write!(
                        texts,
                        "<text class=\"count q{level}\" style=\"font-size:{}px\" x=\"{}\" y=\"{}\">{k}</text>",
                        xy(size),
                        xy(x + mid),
                        xy(y + mid + size * 0.36)
                    );
                }
            }
        }
        for (i, shade) in shades.iter().enumerate().filter(|(_, s)| !s.is_empty()) {
            let _ = write!(
                out,
                "<path class=\"{} q{}\" d=\"{shade}\"/>",
                if i < 10 { "hit" } else { "miss" },
                i % 10
            );
        }
        out.push_str(&texts);
    }

    fn labels(&self, out: &mut String) {
        let n = self.c.classes().len();
        let every = if n <= LABELED { 1 } else { (n as f64 / 10.0).ceil() as usize };
        for i in (0..n).step_by(every) {
            let name = if n <= LABELED { self.c.classes()[i].clone() } else { i.to_string() };
            let (label, title) = (esc(&cut(&name, 12)), esc(&name));
            let mid = self.cell * (i as f64 + 0.5);
            let (x, y) = (self.left + mid, self.top - 8.0);
            let place = if self.slanted {
                format!("text-anchor=\"start\" transform=\"translate({} {}) rotate(-45)\"", xy(x), xy(y))
            } else {
                format!("text-anchor=\"middle\" x=\"{}\" y=\"{}\"", xy(x), xy(y))
            };
            let _ = write!(
                out,
                "<text class=\"label\" {place}>{label}<title>{title}</title></text>\
                 <text class=\"label\" text-anchor=\"end\" x=\"{}\" y=\"{}\">{label}<title>{title}</title></text>",
                xy(self.left - 8.0),
                xy(self.top + mid + 4.5)
            );
        }
    }
}

/// Shade 1 to 9 of a share above zero.
fn level(share: f64) -> usize {
    (share * 9.0).ceil().clamp(1.0, 9.0) as usize
}

fn mistakes(c: &Confusion) -> String {
    let pairs = c.confused(5);
    if pairs.is_empty() {
        return "<p>Every sample was right.</p>".into();
    }
    let mut out = String::from("<h3>Most confused</h3><ol class=\"mistakes\">");
    for p in pairs {
        let share = percent(p.count as f64 / p.support.max(1) as f64);
        let _ = write!(
            out,
            "<li><b>{}</b> taken for <b>{}</b>: {}, {share} of its {}</li>",
            esc(&p.truth),
            esc(&p.predicted),
            plural(p.count, "time"),
            plural(p.support, "sample")
        );
    }
    out + "</ol>"
}

fn table(c: &Confusion) -> String {
    let mut scores: Vec<(usize, ClassScore)> = c.per_class().into_iter().enumerate().collect();
    let many = scores.len() > LABELED;
    if many {
        scores.sort_by(|a, b| a.1.f1.unwrap_or(0.0).total_cmp(&b.1.f1.unwrap_or(0.0)));
    }
    let order = if many { "<p class=\"note\">Lowest F1 first.</p>" } else { "" };
    let mut out = format!(
        "<h3>By class</h3>{order}<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"figures by class\"><table class=\"scores\"><thead><tr>\
         {}<th scope=\"col\" class=\"name\">class</th><th scope=\"col\">samples</th><th scope=\"col\">precision</th>\
         <th scope=\"col\">recall</th><th scope=\"col\">F1</th></tr></thead><tbody>",
        if many { "<th scope=\"col\">no.</th>" } else { "" }
    );
    for (i, s) in &scores {
        let number = if many { format!("<td>{i}</td>") } else { String::new() };
        let _ = write!(
            out,
            "<tr>{number}<th scope=\"row\" class=\"name\">{}</th><td>{}</td>",
            esc(&s.class),
            count(s.support)
        );
        [s.precision, s.recall, s.f1].iter().for_each(|v| out.push_str(&bar_cell(*v)));
        out.push_str("</tr>");
    }
    let mean = |f: fn(&ClassScore) -> Option<f64>| {
        let all: Vec<f64> = scores.iter().filter_map(|(_, s)| f(s)).collect();
        (!all.is_empty()).then(|| all.iter().sum::<f64>() / all.len() as f64)
    };
    let _ = write!(
        out,
        "</tbody><tfoot><tr>{}<th scope=\"row\" class=\"name\">mean</th><td>{}</td>",
        if many { "<td></td>" } else { "" },
        count(c.total())
    );
    [mean(|s| s.precision), mean(|s| s.recall), mean(|s| s.f1)]
        .iter()
        .for_each(|v| out.push_str(&bar_cell(*v)));
    out + "</tr></tfoot></table></div>"
}

fn bar_cell(v: Option<f64>) -> String {
    match v {
        Some(v) => {
            format!("<td><span class=\"bar\" style=\"--w:{:.1}%\">{}</span></td>", v * 100.0, percent(v))
        }
        None => "<td><span class=\"bar\" style=\"--w:0%\">–</span></td>".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::level;

    #[test]
    fn every_count_has_a_shade() {
        assert_eq!((level(1e-9), level(0.5), level(1.0)), (1, 5, 9));
    }
}
