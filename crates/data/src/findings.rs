//! What of data would mislead training, told before it: the same detectors serve `data info` and diagnosis.

use std::collections::HashMap;

use serde::Serialize;

use crate::moments::Moments;
use crate::row::Row;
use crate::{DataError, Dataset, Splits, Values};

/// Something that is probably wrong with data.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// `leakage`, `class_imbalance`, `labels`, `input_scale`, or `columns` for those that cannot be used.
    pub fault: &'static str,
    /// From 0 to 1.
    pub confidence: f64,
    /// What was seen, with counts and names.
    pub evidence: String,
    /// A setting that mends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

/// The largest class is this many times the smallest, before it is worth a word.
const IMBALANCE: usize = 10;

/// Inputs' deviations lie this far apart, before it is worth a word.
const SCALES: f64 = 1e3;

/// The most different values of a column that may be the target in other words.
const MOST_CODES: usize = 64;

/// Looks for what would mislead training on `set`, most likely first.
///
/// - `leakage`: samples that stand in more than one part, and columns that are the target in other words (each value
///   goes with one class and each class with one value; for numbers, a correlation beyond 0.9999).
/// - `labels`: samples with the same inputs and different classes, and classes with a single sample.
/// - `class_imbalance`: the largest class has more than 10 times the samples of the smallest.
/// - `input_scale`: deviations of inputs differ by more than 1,000, which preprocessing undoes unless it is turned off.
///
/// Samples that are streamed are more than memory holds, so they are not compared with each other: `leakage` and
/// samples with different classes are not looked for.
///
/// Cost: a few passes over all samples.
///
/// # Errors
/// What keeps rows of a file from being read.
pub fn findings(set: &Dataset, splits: &Splits) -> Result<Vec<Finding>, DataError> {
    let mut found = Vec::new();
    let rows = if set.streamed().is_some() { None } else { Some(hashes(set)?) };
    found.extend(same_columns(set));
    found.extend(rows.as_ref().and_then(|rows| shared_samples(set, splits, rows)));
    found.extend(contradictions(set, rows.as_deref().unwrap_or_default()));
    found.extend(imbalance(set));
    found.extend(scales(set)?);
    Ok(found)
}

/// A hash of the inputs of each sample.
fn hashes(set: &Dataset) -> Result<Vec<u64>, DataError> {
    let hash = |bytes: &mut dyn Iterator<Item = u32>| {
        // FNV-1a over words, folded at the end: enough to tell rows apart, and the same everywhere
        let h = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |h, x| {
            (h ^ u64::from(x)).wrapping_mul(0x0100_0000_01b3).rotate_left(23)
        });
        h ^ (h >> 29)
    };
    let all: Vec<u32> = (0..set.len() as u32).collect();
    let mut hashes = Vec::with_capacity(all.len());
    set.pass(&all, |_, row| {
        hashes.push(match row {
            Row::Numbers(values) => hash(&mut values.iter().map(|x| x.to_bits())),
            Row::Bytes(bytes) => hash(&mut bytes.iter().map(|b| u32::from(*b))),
        });
    })?;
    Ok(hashes)
}

fn target(set: &Dataset, sample: usize) -> &[f32] {
    let width = set.n_targets();
    &set.targets[sample * width..(sample + 1) * width]
}

/// Samples of the validation and test parts that the training part has too, target included.
fn shared_samples(set: &Dataset, splits: &Splits, rows: &[u64]) -> Option<Finding> {
    let mut train: HashMap<u64, Vec<u32>> = HashMap::new();
    for &i in &splits.train {
        train.entry(rows[i as usize]).or_default().push(i);
    }
    let same = |i: &u32| {
        let others = train.get(&rows[*i as usize]);
        others.is_some_and(|o| o.iter().any(|j| target(set, *j as usize) == target(set, *i as usize)))
    };
    let count = |part: &[u32]| part.iter().filter(|i| same(i)).count();
    let (valid, test) = (count(&splits.valid), count(&splits.test));
    if valid + test == 0 {
        return None;
    }
    let evidence = format!(
        "{valid} of {} validation samples and {test} of {} test samples are also in the training part",
        splits.valid.len(),
        splits.test.len()
    );
    let share = (valid + test) as f64 / (splits.valid.len() + splits.test.len()).max(1) as f64;
    Some(Finding { fault: "leakage", confidence: (0.3 + share).min(1.0), evidence, fix: None })
}

/// Columns that are the target in other words.
fn same_columns(set: &Dataset) -> Vec<Finding> {
    let (Some(schema), Values::F32(inputs)) = (&set.schema, &set.inputs) else { return Vec::new() };
    let (width, n) = (set.n_inputs(), set.len());
    let mut out = Vec::new();
    let mut at = 0;
    for column in &schema.columns {
        let own = at..at + column.role.width();
        at = own.end;
        let same = match set.n_classes() {
            Some(classes) => n >= 20 && is_recoded(set, |i| &inputs[i * width..][own.clone()], classes),
            None => {
                own.len() == 1
                    && n >= 20
                    && set.n_targets() == 1
                    && correlation(set, |i| inputs[i * width + own.start]).abs() > 0.9999
            }
        };
        if same {
            out.push(Finding {
                fault: "leakage",
                confidence: 0.8,
                evidence: format!("column `{}` gives the target away: each of its values goes with a single value of the target", column.name),
                fix: Some(format!("data.drop=[\"{}\"]", column.name.replace('\\', "\\\\").replace('"', "\\\""))),
            });
        }
    }
    out
}

/// Whether each value goes with one class and each class with one value.
fn is_recoded<'a>(set: &Dataset, value: impl Fn(usize) -> &'a [f32], n_classes: usize) -> bool {
    let mut class_of: HashMap<Vec<u32>, u32> = HashMap::new();
    for i in 0..set.len() {
        let class = target(set, i)[0];
        if class.is_nan() {
            return false;
        }
        let key: Vec<u32> = value(i).iter().map(|x| x.to_bits()).collect();
        if *class_of.entry(key).or_insert(class.to_bits()) != class.to_bits() || class_of.len() > MOST_CODES {
            return false;
        }
    }
    n_classes >= 2 && class_of.len() == n_classes
}

fn correlation(set: &Dataset, value: impl Fn(usize) -> f32) -> f64 {
    let n = set.len() as f64;
    let pairs = || (0..set.len()).map(|i| (f64::from(value(i)), f64::from(set.targets[i])));
    let (mx, my) = pairs().fold((0.0, 0.0), |(a, b), (x, y)| (a + x / n, b + y / n));
    let (xx, xy, yy) = pairs().fold((0.0, 0.0, 0.0), |(xx, xy, yy), (x, y)| {
        let (x, y) = (x - mx, y - my);
        (xx + x * x, xy + x * y, yy + y * y)
    });
    if xx > 0.0 && yy > 0.0 { xy / (xx * yy).sqrt() } else { 0.0 }
}

/// Samples with the same inputs and different classes, and classes with one sample.
fn contradictions(set: &Dataset, rows: &[u64]) -> Option<Finding> {
    let classes = set.task.classes();
    if classes.is_empty() {
        return None;
    }
    let mut seen: HashMap<u64, (u32, bool, usize)> = HashMap::new();
    for (i, row) in rows.iter().enumerate() {
        let class = target(set, i)[0].to_bits();
        let entry = seen.entry(*row).or_insert((class, false, 0));
        entry.1 |= entry.0 != class;
        entry.2 += 1;
    }
    let n: usize = seen.values().filter(|s| s.1).map(|s| s.2).sum();
    let counts = set.class_counts(0..set.len());
    let lone: Vec<&str> =
        classes.iter().zip(&counts).filter(|(_, n)| **n == 1).map(|(c, _)| c.as_str()).collect();
    let mut said = Vec::new();
    if n > 0 {
        said.push(format!("{n} samples have the same inputs as a sample of a different class"));
    }
    if !lone.is_empty() {
        let names: Vec<String> = lone.iter().map(|c| format!("`{c}`")).collect();
        said.push(format!("classes with a single sample: {}", crate::error::first(&names)));
    }
    let share = n as f64 / set.len().max(1) as f64;
    let confidence = (0.2 + share).min(1.0);
    (!said.is_empty()).then(|| Finding { fault: "labels", confidence, evidence: said.join("; "), fix: None })
}

fn imbalance(set: &Dataset) -> Option<Finding> {
    let counts = set.class_counts(0..set.len());
    let named = || set.task.classes().iter().zip(&counts).filter(|(_, n)| **n > 0);
    let (most, least) = (named().max_by_key(|(_, n)| **n)?, named().min_by_key(|(_, n)| **n)?);
    if *most.1 <= IMBALANCE * least.1 {
        return None;
    }
    let evidence = format!(
        "class `{}` has {} samples, class `{}` {}: always answering `{}` is right {:.1} % of the time",
        most.0,
        most.1,
        least.0,
        least.1,
        most.0,
        100.0 * *most.1 as f64 / set.len() as f64
    );
    let fix = Some("loss.class_weights=balanced".into());
    Some(Finding { fault: "class_imbalance", confidence: 0.7, evidence, fix })
}

fn scales(set: &Dataset) -> Result<Option<Finding>, DataError> {
    if set.schema.is_none() {
        return Ok(None);
    }
    let all: Vec<u32> = (0..set.len() as u32).collect();
    Ok(far_apart(set, &crate::moments::moments(set, &all)?))
}

fn far_apart(set: &Dataset, m: &Moments) -> Option<Finding> {
    let deviation = |i: usize| m.variance[i].sqrt();
    let some = || (0..set.n_inputs()).filter(|i| deviation(*i) > 0.0);
    let wide = some().max_by(|a, b| deviation(*a).total_cmp(&deviation(*b)))?;
    let narrow = some().min_by(|a, b| deviation(*a).total_cmp(&deviation(*b)))?;
    if deviation(wide) <= SCALES * deviation(narrow) {
        return None;
    }
    let evidence = format!(
        "deviations differ by a factor of {:.0}: `{}` has {:.3}, `{}` {:.3}",
        deviation(wide) / deviation(narrow),
        set.feature_name(wide),
        deviation(wide),
        set.feature_name(narrow),
        deviation(narrow)
    );
    Some(Finding {
        fault: "input_scale",
        confidence: 0.2,
        evidence,
        fix: Some("preprocess=standardize".into()),
    })
}
