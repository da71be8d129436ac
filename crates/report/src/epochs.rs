//! Every epoch's figures as a table, and as data for the pointer.

use std::fmt::Write as _;

use record::RunRecord;

use crate::format::{duration, is_share, metric_words, short, split_of, split_words, value};
use crate::markup::{esc, json_string};
use crate::panel::Run;

/// Rows shown; of longer runs an even choice with the best and the last.
const ROWS: usize = 120;
/// Rows the pointer can reach.
const POINTER_ROWS: usize = 2000;

/// The table, folded up when long.
pub(crate) fn table(record: &RunRecord, run: &Run) -> String {
    let (rows, columns) = (&record.metrics.rows, &record.metrics.columns);
    if rows.is_empty() {
        return String::new();
    }
    let shown = choice(rows.len(), ROWS, run.best);
    let open = if rows.len() <= 12 { " open=\"open\"" } else { "" };
    let mut out = format!(
        "<details{open}><summary><h2>Epoch by epoch</h2></summary><div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"figures by epoch\">\
         <table><thead><tr><th scope=\"col\">epoch</th><th scope=\"col\">step</th><th scope=\"col\">time</th><th scope=\"col\">learning rate</th>"
    );
    for c in columns {
        let (split, metric) = split_of(c);
        let _ = write!(out, "<th scope=\"col\">{} {}</th>", split_words(split), esc(&metric_words(metric)));
    }
    out.push_str("</tr></thead><tbody>");
    for &i in &shown {
        let row = &rows[i];
        let best = if run.best == Some(i) { " class=\"best\"" } else { "" };
        let _ = write!(
            out,
            "<tr{best}><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td>{}</td>",
            row.epoch,
            row.step,
            duration(row.seconds),
            short(row.lr)
        );
        for c in columns {
            let cell = row.metrics.get(c).map_or(String::new(), |v| value(c, v));
            let _ = write!(out, "<td>{cell}</td>");
        }
        out.push_str("</tr>");
    }
    out.push_str("</tbody></table></div>");
    if shown.len() < rows.len() {
        let _ = write!(
            out,
            "<p class=\"note\">{} of {} epochs; all are in <code>metrics.csv</code>.</p>",
            shown.len(),
            rows.len()
        );
    }
    out + "</details>"
}

/// The same figures as JSON in a script element.
pub(crate) fn data(record: &RunRecord, run: &Run) -> String {
    let shown = choice(run.xs.len(), POINTER_ROWS, run.best);
    let mut out =
        format!("<script type=\"application/json\" id=\"data\">{{\"unit\":\"{}\",\"x\":[", run.unit);
    let list = |values: Vec<String>| values.join(",");
    out.push_str(&list(shown.iter().map(|i| run.xs[*i].to_string()).collect()));
    out.push_str("],\"cols\":{");
    for (k, c) in record.metrics.columns.iter().enumerate() {
        let column = record.metrics.column(c);
        let cells = shown.iter().map(|i| match column[*i] {
            None => "null".into(),
            Some(v) if v.is_finite() => format!("{v:.4e}"),
            Some(v) => format!("\"{}\"", value(c, v)),
        });
        let _ = write!(
            out,
            "{}{}:{{\"share\":{},\"v\":[{}]}}",
            if k > 0 { "," } else { "" },
            json_string(c),
            is_share(c),
            list(cells.collect())
        );
    }
    out + "}}</script>"
}

/// At most about `most` rows of `n`, evenly, always with the first, the last and `best`.
fn choice(n: usize, most: usize, best: Option<usize>) -> Vec<usize> {
    let step = n.div_ceil(most).max(1);
    let mut out: Vec<usize> = (0..n).step_by(step).chain(n.checked_sub(1)).chain(best).collect();
    out.sort_unstable();
    out.dedup();
    out
}

#[cfg(test)]
mod tests {
    use super::choice;

    #[test]
    fn the_choice_has_both_ends_and_the_best() {
        assert_eq!(choice(10, 3, Some(5)), [0, 4, 5, 8, 9]);
        assert_eq!(choice(2, 3, None), [0, 1]);
        assert!(choice(0, 3, None).is_empty());
    }
}
