//! A run's figures and curves for a terminal: plain text of a given width, color only where asked for.

use std::fmt::Write as _;

use record::{Figures, RunRecord};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::commands::{REPEAT, commands};
use crate::format::{capital, count, metric_words, plural, short, split_of, split_words, value};
use crate::scale::{Scale, linear_reach, log_reach};
use crate::verdict::{observations, verdict};
use crate::worth::comparison;

const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// Dots of a braille cell, by row and column.
const DOTS: [[u8; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];
const GUTTER: usize = 8;

/// Whether the text may hold ANSI color codes; ask the terminal and `NO_COLOR`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Color {
    /// Plain text.
    Off,
    /// The 16 basic colors, which every theme makes readable.
    On,
}

/// One line of a [`curve`].
#[derive(Clone, Debug)]
pub struct Line<'a> {
    /// Stands beside the line's end.
    pub name: &'a str,
    /// One value per row; gaps stay gaps.
    pub values: &'a [Option<f64>],
}

/// The end of a run for a terminal of `width` columns (34 to 100; others count as the nearest): verdict, loss curve,
/// figures, what the curves say, what to type next.
pub fn summary(record: &RunRecord, width: usize, color: Color) -> String {
    let width = width.clamp(34, 100);
    let mut out = wrapped(&verdict(record).sentence(), width, "");
    if color == Color::On {
        out = format!("\x1b[1m{}\x1b[0m\n", out.trim_end());
    }
    let [train, valid] = ["train_loss", "valid_loss"].map(|c| record.metrics.column(c));
    if record.metrics.rows.len() > 1 {
        let lines = [Line { name: "train", values: &train }, Line { name: "valid", values: &valid }];
        let _ = write!(out, "\n{}", curve(&lines, width, 7, color));
    }
    let table = figures_table(record, width);
    if !table.is_empty() {
        let _ = write!(out, "\n{table}");
    }
    let compared = record.evaluation.as_ref().and_then(comparison).map(|text| capital(&text));
    let seen: Vec<String> = compared.into_iter().chain(observations(record)).collect();
    if !seen.is_empty() {
        out.push('\n');
        seen.iter().for_each(|o| out.push_str(&wrapped(o, width, "")));
    }
    let s = &record.summary;
    let _ = write!(out, "\n{}", wrapped(&facts(s), width, ""));
    let _ = writeln!(out, "\n{}", fit(&record.folder, width));
    for c in commands(record).iter().filter(|c| c.what != REPEAT).take(2) {
        // A command is never cut: it is to be copied.
        let _ = writeln!(out, "  {}", c.line);
    }
    out
}

fn facts(s: &record::Summary) -> String {
    let rate = if s.samples_per_second > 0.0 {
        format!(" · {} samples/s", count(s.samples_per_second.min(1e18) as u64))
    } else {
        String::new()
    };
    let threads = plural(s.threads as u64, "thread").replace('\u{a0}', " ");
    let hash = s
        .weights_sha256
        .as_ref()
        .map(|h| format!(" · weights {}", h.chars().take(12).collect::<String>()))
        .unwrap_or_default();
    let peak =
        s.peak_bytes.map(|bytes| format!(" · {} MiB of memory", bytes.div_ceil(1 << 20))).unwrap_or_default();
    format!("{} parameters{rate} · {threads} · seed {}{hash}{peak}", count(s.parameters), s.seed)
}

/// Metrics by split, of the best epoch and, where another one, the last.
fn figures_table(record: &RunRecord, width: usize) -> String {
    let s = &record.summary;
    let mut out = String::new();
    if let Some(best) = &s.best {
        out.push_str(&one_table(&format!("best, epoch {}", best.epoch), best, width));
    }
    if let Some(last) = s.last.as_ref().filter(|l| s.best.as_ref().is_none_or(|b| b.epoch != l.epoch)) {
        out.push_str(&one_table(&format!("last, epoch {}", last.epoch), last, width));
    }
    out
}

fn one_table(title: &str, figures: &Figures, width: usize) -> String {
    let mut splits: Vec<&str> = Vec::new();
    let mut metrics: Vec<&str> = Vec::new();
    for (split, metric) in figures.metrics.iter().map(|(name, _)| split_of(name)) {
        if !splits.contains(&split) {
            splits.push(split);
        }
        if !metrics.contains(&metric) {
            metrics.push(metric);
        }
    }
    if metrics.is_empty() {
        return String::new();
    }
    let names: Vec<String> = metrics.iter().map(|m| metric_words(m)).collect();
    let narrow = width < 48;
    let cell = if narrow { 8 } else { 11 };
    let title_of = |split| if narrow { split } else { split_words(split) };
    let first = names
        .iter()
        .map(|n| n.width())
        .chain([title.width()])
        .max()
        .unwrap_or(0)
        .min(width.saturating_sub(cell * splits.len()).max(8));
    let pad = |text: &str, w: usize| format!("{text}{}", " ".repeat(w.saturating_sub(text.width())));
    let right = |text: &str| format!("{}{text}", " ".repeat(cell.saturating_sub(text.width())));
    let mut out = pad(&fit(title, first), first);
    splits.iter().for_each(|s| out.push_str(&right(title_of(s))));
    out.push('\n');
    for (metric, name) in metrics.iter().zip(&names) {
        out.push_str(&pad(&fit(name, first), first));
        for split in &splits {
            let column = if split.is_empty() { metric.to_string() } else { format!("{split}_{metric}") };
            let text = figures
                .metrics
                .get(&column)
                .map_or(String::new(), |v| value(metric, v).replace('\u{a0}', " "));
            out.push_str(&right(&text));
        }
        out.push('\n');
    }
    out
}

/// One row of block characters, at most `width` wide; longer series are averaged. A space is a value that was not
/// measured, `×` one that is not finite.
///
/// ```
/// assert_eq!(report::terminal::sparkline(&[Some(0.0), Some(1.0), None, Some(f64::NAN), Some(0.5)], 10), "▁█ ×▅");
/// ```
pub fn sparkline(values: &[Option<f64>], width: usize) -> String {
    if width == 0 || values.is_empty() {
        return String::new();
    }
    let cells: Vec<Option<f64>> = buckets(values, width).map(mean).collect();
    let finite: Vec<f64> =
        cells.iter().flatten().copied().filter(|v| v.is_finite()).map(|v| v.clamp(-1e150, 1e150)).collect();
    let lo = finite.iter().copied().fold(f64::INFINITY, f64::min);
    let hi = finite.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let bar = |v: f64| {
        let share = if hi > lo { (v - lo) / (hi - lo) } else { 0.5 };
        BARS[((share * 7.0).round().clamp(0.0, 7.0)) as usize]
    };
    cells.iter().map(|c| c.map_or(' ', |v| if v.is_finite() { bar(v) } else { '×' })).collect()
}

fn buckets(values: &[Option<f64>], width: usize) -> impl Iterator<Item = &[Option<f64>]> {
    let n = values.len().min(width);
    (0..n).map(move |i| &values[i * values.len() / n..(i + 1) * values.len() / n])
}

/// The mean of what was measured; NaN where any of it is not finite.
fn mean(values: &[Option<f64>]) -> Option<f64> {
    let known: Vec<f64> = values.iter().flatten().copied().collect();
    let bad = known.iter().any(|v| !v.is_finite());
    (!known.is_empty())
        .then(|| if bad { f64::NAN } else { known.iter().map(|v| v / known.len() as f64).sum() })
}

/// A chart of braille dots, `width` columns by `height` rows, with marks on the left and the lines' names and last
/// values on the right. Positive values that span much are drawn on a logarithmic axis. Empty where there is nothing
/// finite to draw or no room.
pub fn curve(lines: &[Line], width: usize, height: usize, color: Color) -> String {
    let values: Vec<f64> =
        lines.iter().flat_map(|l| l.values.iter().flatten().copied()).filter(|v| v.is_finite()).collect();
    let tail = lines.iter().filter_map(|l| Some(1 + name_and_value(l)?.1.width())).max().unwrap_or(0);
    let plot = width.saturating_sub(GUTTER + 1 + tail);
    if values.is_empty() || plot < 4 || height == 0 {
        return String::new();
    }
    let mut canvas = Canvas::new(plot, height, vertical(&values, height));
    lines.iter().enumerate().for_each(|(k, l)| canvas.draw(l.values, k));
    canvas.render(&ends(lines, &canvas), color)
}

fn vertical(values: &[f64], height: usize) -> Scale {
    let dots = (height * 4 - 1) as f64;
    let log = log_reach(values).filter(|(lo, hi)| hi / lo > 40.0);
    let (lo, hi) = log.unwrap_or_else(|| {
        let (lo, hi, _) = linear_reach(values, None, None);
        (lo, hi)
    });
    Scale { lo, hi, log: log.is_some(), a: dots, b: 0.0 }
}

/// Which row each line's name stands in: that of its last value, or the next free one.
fn ends(lines: &[Line], canvas: &Canvas) -> Vec<Option<(usize, String)>> {
    let mut named: Vec<(usize, f64, String)> = lines
        .iter()
        .enumerate()
        .filter_map(|(k, l)| name_and_value(l).map(|(last, text)| (k, last, text)))
        .collect();
    named.sort_by(|a, b| b.1.total_cmp(&a.1));
    let mut rows = vec![None; canvas.height];
    for (rank, (k, last, text)) in named.iter().enumerate() {
        let wanted = (canvas.y.at(*last) / 4.0).clamp(0.0, (canvas.height - 1) as f64) as usize;
        // Rows above are for the larger ones, and the smaller ones need a row each below.
        let above = rows.iter().rposition(Option::is_some).map_or(0, |r| r + 1);
        let row = wanted.min((canvas.height + rank).saturating_sub(named.len())).max(above);
        if let Some(place) = rows.get_mut(row) {
            *place = Some((*k, text.clone()));
        }
    }
    rows
}

/// The last value of a line, and what stands at its end.
fn name_and_value(line: &Line) -> Option<(f64, String)> {
    let last = line.values.iter().rev().flatten().copied().find(|v| v.is_finite())?;
    Some((last, format!("{} {}", line.name, short(last))))
}

struct Canvas {
    width: usize,
    height: usize,
    y: Scale,
    cells: Vec<(u8, usize)>, // dots, line drawn last
}

impl Canvas {
    fn new(width: usize, height: usize, y: Scale) -> Self {
        Canvas { width, height, y, cells: vec![(0, 0); width * height] }
    }

    fn dot(&mut self, x: usize, y: usize, line: usize) {
        if let Some(cell) = self.cells.get_mut(y / 4 * self.width + x / 2).filter(|_| x < self.width * 2) {
            *cell = (cell.0 | DOTS[y % 4][x % 2], line);
        }
    }

    /// Joins the values; in one column of dots all of its values are covered.
    fn draw(&mut self, values: &[Option<f64>], line: usize) {
        let right = (self.width * 2 - 1) as f64;
        let bottom = self.height * 4 - 1;
        let step = if values.len() > 1 { right / (values.len() - 1) as f64 } else { 0.0 };
        let mut before: Option<(f64, f64)> = None;
        for (i, v) in values.iter().enumerate() {
            let Some(v) = v else { continue };
            let here = v.is_finite().then(|| (i as f64 * step, self.y.at(*v).clamp(0.0, bottom as f64)));
            if let Some(to) = here {
                self.stroke(before.unwrap_or(to), to, line);
            }
            before = here;
        }
    }

    fn stroke(&mut self, from: (f64, f64), to: (f64, f64), line: usize) {
        let n = (to.0 - from.0).abs().max((to.1 - from.1).abs()).ceil().max(1.0) as usize;
        for i in 0..=n {
            let t = i as f64 / n as f64;
            let at = |a: f64, b: f64| (a + (b - a) * t).round() as usize;
            self.dot(at(from.0, to.0), at(from.1, to.1), line);
        }
    }

    fn render(&self, ends: &[Option<(usize, String)>], color: Color) -> String {
        let mut marks = vec![String::new(); self.height];
        for t in self.y.ticks(self.height.clamp(2, 5)) {
            let row = (self.y.at(t) / 4.0).round().clamp(0.0, (self.height - 1) as f64) as usize;
            marks[row] = short(t);
        }
        let mut out = String::new();
        for (row, mark) in marks.iter().enumerate() {
            let _ = write!(out, "{:>GUTTER$} ", fit(mark, GUTTER));
            let cells = &self.cells[row * self.width..(row + 1) * self.width];
            for run in cells.chunk_by(|a, b| a.1 == b.1) {
                let text: String = run.iter().map(|(bits, _)| braille(*bits)).collect();
                out.push_str(&paint(&text, run[0].1, color));
            }
            if let Some((line, text)) = &ends[row] {
                let _ = write!(out, " {}", paint(text, *line, color));
            }
            out.truncate(out.trim_end().len());
            out.push('\n');
        }
        out
    }
}

/// The character with these dots; an empty one is a plain space, which copies and trims as one.
fn braille(bits: u8) -> char {
    if bits == 0 { ' ' } else { char::from_u32(0x2800 + u32::from(bits)).unwrap_or(' ') }
}

fn paint(text: &str, line: usize, color: Color) -> String {
    const CODES: [u8; 4] = [33, 36, 35, 32];
    match color {
        Color::Off => text.to_string(),
        Color::On => format!("\x1b[{}m{text}\x1b[0m", CODES[line % CODES.len()]),
    }
}

/// `text` cut to `width` columns, with an ellipsis where something was cut.
fn fit(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_string();
    }
    let mut out = String::new();
    for c in text.chars() {
        if out.width() + c.width().unwrap_or(0) + 1 > width {
            break;
        }
        out.push(c);
    }
    out.push('…');
    out
}

/// `text` in lines of at most `width` columns, broken at spaces.
fn wrapped(text: &str, width: usize, indent: &str) -> String {
    let mut out = String::new();
    let mut line = String::from(indent);
    for word in capital(text).split(' ').filter(|w| !w.is_empty()) {
        let word = fit(word, width);
        if line.width() + word.width() + 1 > width && line.trim() != "" {
            let _ = writeln!(out, "{}", line.trim_end());
            line = indent.to_string();
        }
        line.push_str(&word);
        line.push(' ');
    }
    let _ = writeln!(out, "{}", line.trim_end());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_falling_line_falls() {
        let values = [4.0, 3.0, 2.0, 1.0].map(Some);
        let text = curve(&[Line { name: "l", values: &values }], 30, 2, Color::Off);
        let rows: Vec<&str> = text.lines().collect();
        assert_eq!(rows.len(), 2);
        assert!(rows[0].contains('⠉') || rows[0].contains('⠒') || rows[0].contains('⠤'), "{text}");
        assert!(rows[1].ends_with(" l 1"), "{text}");
    }

    #[test]
    fn sparklines_bear_anything() {
        assert_eq!(sparkline(&[], 5), "");
        assert_eq!(sparkline(&[Some(2.0)], 0), "");
        assert_eq!(sparkline(&[Some(2.0); 3], 9), "▅▅▅");
        assert_eq!(sparkline(&[Some(f64::NAN); 3], 2), "××");
        assert_eq!(sparkline(&[Some(f64::MAX), Some(-f64::MAX)], 2), "█▁");
        let long: Vec<Option<f64>> = (0..1000).map(|i| Some(f64::from(i))).collect();
        assert_eq!(sparkline(&long, 8), "▁▂▃▄▅▆▇█");
    }

    #[test]
    fn text_fits() {
        assert_eq!(fit("日本語", 4), "日…");
        assert_eq!(wrapped("one two three", 8, ""), "One two\nthree\n");
    }
}
