//! What there is to draw: the columns of `metrics.csv` grouped into panels, over a common horizontal axis.

use record::{MetricsTable, RunRecord};

use crate::format::split_of;

/// One chart: a metric with its splits.
#[derive(Debug)]
pub(crate) struct Panel {
    pub metric: String,
    pub series: Vec<Series>,
    /// The figure on the test split at the best epoch (else the last), which is measured only once.
    pub test: Option<f64>,
}

/// One curve.
#[derive(Debug)]
pub(crate) struct Series {
    pub column: String,
    pub split: String,
    pub values: Vec<Option<f64>>,
}

impl Panel {
    /// Every finite value in the panel.
    pub fn values(&self) -> Vec<f64> {
        let all = self.series.iter().flat_map(|s| s.values.iter().flatten().copied());
        all.chain(self.test).filter(|v| v.is_finite()).collect()
    }
}

/// The horizontal axis, one position per row.
#[derive(Debug)]
pub(crate) struct Run {
    pub unit: &'static str,
    pub xs: Vec<f64>,
    pub lr: Vec<f64>,
    /// Row of the best epoch.
    pub best: Option<usize>,
}

impl Run {
    /// Epochs where they increase, else steps, else the rows' numbers.
    pub fn of(record: &RunRecord) -> Self {
        let rows = &record.metrics.rows;
        let (unit, xs) = axis(&record.metrics);
        let best = record.summary.best.as_ref();
        let place = |f: &record::Figures| {
            rows.iter()
                .position(|r| r.step == f.step && r.epoch == f.epoch)
                .or_else(|| rows.iter().position(|r| r.epoch == f.epoch))
        };
        Run { unit, xs, lr: rows.iter().map(|r| r.lr).collect(), best: best.and_then(place) }
    }
}

fn axis(table: &MetricsTable) -> (&'static str, Vec<f64>) {
    let column = |f: fn(&record::Row) -> u64| table.rows.iter().map(|r| f(r) as f64).collect::<Vec<_>>();
    let epochs = column(|r| r.epoch);
    if epochs.is_sorted_by(|a, b| a < b) {
        return ("epoch", epochs);
    }
    let steps = column(|r| r.step);
    if steps.is_sorted_by(|a, b| a < b) {
        ("step", steps)
    } else {
        ("row", (1..=table.rows.len()).map(|i| i as f64).collect())
    }
}

/// Loss first, then the main metric, then the rest in the file's order.
pub(crate) fn panels(record: &RunRecord) -> Vec<Panel> {
    let mut out: Vec<Panel> = Vec::new();
    for column in &record.metrics.columns {
        let (split, metric) = split_of(column);
        let values = record.metrics.column(column);
        let series = Series { column: column.clone(), split: split.to_string(), values };
        match out.iter_mut().find(|p| p.metric == metric) {
            Some(panel) => panel.series.push(series),
            None => out.push(Panel {
                metric: metric.to_string(),
                series: vec![series],
                test: test_figure(record, metric),
            }),
        }
    }
    let main = &record.summary.metric;
    out.sort_by_key(|p| {
        if p.metric == "loss" {
            0
        } else if p.metric == *main {
            1
        } else {
            2
        }
    });
    out
}

fn test_figure(record: &RunRecord, metric: &str) -> Option<f64> {
    let name = format!("test_{metric}");
    if record.metrics.columns.contains(&name) {
        return None;
    }
    let s = &record.summary;
    s.best.as_ref().or(s.last.as_ref())?.metrics.get(&name)
}
