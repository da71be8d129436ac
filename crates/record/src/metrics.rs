//! Figures by name, and the table of them that `metrics.csv` is.

use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Figures by name, in the order they were first set; for example `train_loss`, `valid_accuracy`, `valid_r2`.
///
/// A NaN or infinity is `null` in JSON, which reads back as NaN, and an empty field in `metrics.csv`.
#[derive(Clone, Debug, Default)]
pub struct Metrics(Vec<(String, f64)>);

impl Metrics {
    /// No figures.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a figure; an earlier one of that name is replaced in its place.
    pub fn set(&mut self, name: impl Into<String>, value: f64) {
        let name = name.into();
        match self.0.iter_mut().find(|(n, _)| *n == name) {
            Some((_, v)) => *v = value,
            None => self.0.push((name, value)),
        }
    }

    /// The figure of that name.
    pub fn get(&self, name: &str) -> Option<f64> {
        self.0.iter().find(|(n, _)| n == name).map(|&(_, v)| v)
    }

    /// Names and figures in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, f64)> {
        self.0.iter().map(|(n, v)| (n.as_str(), *v))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True where there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The same names in the same order and the same bits, so that NaN equals NaN.
impl PartialEq for Metrics {
    fn eq(&self, other: &Self) -> bool {
        self.iter().map(|(n, v)| (n, v.to_bits())).eq(other.iter().map(|(n, v)| (n, v.to_bits())))
    }
}

impl<S: Into<String>> FromIterator<(S, f64)> for Metrics {
    fn from_iter<I: IntoIterator<Item = (S, f64)>>(pairs: I) -> Self {
        let mut out = Metrics::new();
        pairs.into_iter().for_each(|(n, v)| out.set(n, v));
        out
    }
}

impl<S: Into<String>, const N: usize> From<[(S, f64); N]> for Metrics {
    fn from(pairs: [(S, f64); N]) -> Self {
        pairs.into_iter().collect()
    }
}

impl Serialize for Metrics {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let mut map = s.serialize_map(Some(self.len()))?;
        for (name, value) in self.iter() {
            map.serialize_entry(name, &value.is_finite().then_some(value))?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Metrics {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_map(MetricsVisitor)
    }
}

struct MetricsVisitor;

impl<'de> Visitor<'de> for MetricsVisitor {
    type Value = Metrics;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("figures by name")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Metrics, A::Error> {
        let mut out = Metrics::new();
        while let Some((name, value)) = map.next_entry::<String, Option<f64>>()? {
            out.set(name, value.unwrap_or(f64::NAN));
        }
        Ok(out)
    }
}

/// One row of `metrics.csv`: the state after an epoch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row {
    /// Epochs done, from 1; 0 for a step of a run that ended in its first epoch.
    pub epoch: u64,
    /// Steps done.
    pub step: u64,
    /// Seconds of training since the run began, over all its resumptions.
    pub seconds: f64,
    /// Learning rate of the last step.
    pub lr: f64,
    /// What was measured; a column that is not here is left empty.
    pub metrics: Metrics,
}

/// All of `metrics.csv`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MetricsTable {
    /// Names of the metric columns, without `epoch`, `step`, `seconds` and `lr`.
    pub columns: Vec<String>,
    /// Rows in the order they were written.
    pub rows: Vec<Row>,
    /// True where the last line was cut off in the middle (a killed run); that line is left out.
    pub torn: bool,
}

impl MetricsTable {
    /// A column by name, one entry per row, `None` where it was not measured. Knows `seconds` and `lr` as well.
    pub fn column(&self, name: &str) -> Vec<Option<f64>> {
        self.rows
            .iter()
            .map(|row| match name {
                "seconds" => Some(row.seconds),
                "lr" => Some(row.lr),
                _ => row.metrics.get(name),
            })
            .collect()
    }
}
