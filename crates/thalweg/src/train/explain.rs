//! What a trained model goes by: permutation importance, and how the answers follow a column.

use std::collections::BTreeMap;

use record::{ColumnImportance, Dependence, Explanation, Importance, Metrics, Values};

use super::apply::{Answers, Trained};
use super::choice::{Kept, Split};
use super::error::TrainError;
use super::evaluate::Measuring;
use crate::data::{Dataset, Role, order};
use crate::source::{Head, Pass, Preprocessed, Source, SourceError};

/// How a model is explained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explaining {
    /// How many times to shuffle each column; 10.
    pub repeats: usize,
    /// Decides how; 0.
    pub seed: u64,
    /// For how many of the most important columns it is told how the answers follow them; 4.
    pub top: usize,
    /// Which weights these are, for the record; the best.
    pub checkpoint: Kept,
}

impl Default for Explaining {
    fn default() -> Self {
        Explaining { repeats: 10, seed: 0, top: 4, checkpoint: Kept::Best }
    }
}

/// Samples that the answers' means are taken over, at most.
const MOST_SAMPLES: usize = 500;

/// Values of a number at which the answers' means are taken, at most.
const MOST_VALUES: usize = 20;

/// Cells of an image along each side, at most.
const CELLS: usize = 8;

/// Inputs that are shuffled together.
struct Group {
    name: String,
    inputs: Vec<usize>,
    kind: GroupKind,
}

/// What the inputs of a group are.
enum GroupKind {
    /// the first input is (value - offset) * factor
    Number { offset: f64, factor: f64 },
    /// the words of 0 and 1
    Boolean([String; 2]),
    /// the names of the inputs
    Category(Vec<String>),
    /// part of an image, or of a kind that no single value stands for
    Other,
}

impl Trained {
    /// Measures which columns the model goes by, on the validation part of the run's own data (where there is none, the
    /// test or the training part).
    ///
    /// *Permutation importance* (Breiman, Random Forests, 2001; Fisher, Rudin and Dominici, 2019): by how much a figure
    /// gets worse where the values of one column are shuffled among the samples, so that it tells nothing of them. The
    /// inputs of a category are shuffled together, an image by squares. *Partial dependence* (Friedman 2001): the mean
    /// answer where a column has one value in all samples. Both look at one column at a time: of two columns that say
    /// the same, each may seem not to matter, and shuffled rows may be such as never occur.
    ///
    /// Cost: `repeats` times the number of columns passes over the part.
    ///
    /// # Errors
    /// Whatever is wrong with the run's data.
    pub fn explain(&mut self, how: &Explaining) -> Result<Explanation, TrainError> {
        let prepared = self.own_data()?;
        let part = match prepared.splits.valid.is_empty() {
            false => Split::Valid,
            true => Split::to_judge(&prepared.splits),
        };
        if part != Split::Valid {
            let name = if part == Split::Train { "training" } else { part.name() };
            self.warnings.push(format!("there is no validation part, so the {name} part is used"));
        }
        let (source, samples) = (prepared.source(), part.of(&prepared.splits).to_vec());
        let groups = self.groups(&prepared.set);
        let base = self.figures(&source, &samples, part)?;
        let metric = ["accuracy", "rmse", "loss"].into_iter().find(|name| base.contains_key(*name));
        let metric = metric.unwrap_or("loss").to_owned();
        let mut columns = Vec::new();
        for group in &groups {
            let importance = self.importance((&source, &samples), part, group, &base, how)?;
            let (column, inputs) = (group.name.clone(), group.inputs.len() as u64);
            columns.push(ColumnImportance { column, inputs, importance });
        }
        let mut explanation = Explanation {
            split: part.to_string(),
            checkpoint: how.checkpoint.to_string(),
            samples: samples.len() as u64,
            repeats: how.repeats as u64,
            seed: how.seed,
            metric,
            figures: base,
            columns,
            dependence: Vec::new(),
        };
        let places = sort(&mut explanation);
        for place in places {
            if explanation.dependence.len() == how.top {
                break;
            }
            let dependence = self.dependence(&source, &samples, &groups[place])?;
            explanation.dependence.extend(dependence);
        }
        Ok(explanation)
    }

    /// Inputs by the columns that they were made of.
    fn groups(&self, set: &Dataset) -> Vec<Group> {
        if let Some(schema) = &self.reading.schema {
            let mut at = 0;
            let group = |column: &crate::data::Column| {
                let inputs: Vec<usize> = (at..at + column.role.width()).collect();
                at += inputs.len();
                let kind = match &column.role {
                    Role::Number { offset, factor, .. } => {
                        GroupKind::Number { offset: *offset, factor: *factor }
                    }
                    Role::Boolean { names, .. } => GroupKind::Boolean(names.clone()),
                    Role::Category { values, missing, other } => {
                        let rest = [missing.then_some("(missing)"), other.then_some("(other)")];
                        let rest = rest.into_iter().flatten().map(String::from);
                        GroupKind::Category(values.iter().cloned().chain(rest).collect())
                    }
                    Role::Date { .. } => GroupKind::Other,
                };
                Group { name: column.name.clone(), inputs, kind }
            };
            return schema.columns.iter().map(group).collect();
        }
        match set.image_shape() {
            Some(shape) => cells(shape),
            None => (0..set.n_inputs())
                .map(|i| {
                    let name = set.features.get(i).cloned().unwrap_or_else(|| format!("input {i}"));
                    Group { name, inputs: vec![i], kind: GroupKind::Number { offset: 0.0, factor: 1.0 } }
                })
                .collect(),
        }
    }

    /// Losses, accuracies and errors of samples, by their names without the part.
    fn figures(
        &mut self,
        source: &dyn Source,
        samples: &[u32],
        part: Split,
    ) -> Result<BTreeMap<String, f64>, TrainError> {
        let buffers = self.all_buffers();
        let how = Measuring { part, batch: self.config.eval_batch, top_k: &[], keep: false };
        let metrics = self.session.measure((&self.params, &buffers), (source, samples), how)?.metrics;
        Ok(told(&metrics, part))
    }

    fn importance(
        &mut self,
        (source, samples): (&Preprocessed, &[u32]),
        part: Split,
        group: &Group,
        base: &BTreeMap<String, f64>,
        how: &Explaining,
    ) -> Result<BTreeMap<String, Importance>, TrainError> {
        let mut worse: BTreeMap<String, Vec<f64>> = BTreeMap::new();
        for repeat in 0..how.repeats.max(1) as u64 {
            let mut partner: Vec<u32> = (0..source.len() as u32).collect();
            let places = order(samples.len(), how.seed, repeat, true);
            places.iter().zip(samples).for_each(|(from, to)| partner[*to as usize] = samples[*from as usize]);
            let shuffled = Altered { source, inputs: &group.inputs, change: Change::Partner(partner) };
            for (name, now) in self.figures(&shuffled, samples, part)? {
                let Some(before) = base.get(&name) else { continue };
                let loss = if name.ends_with("accuracy") { before - now } else { now - before };
                worse.entry(name).or_default().push(loss);
            }
        }
        let spread = |(name, values): (String, Vec<f64>)| {
            let (mean, std) = record::mean_and_std(&values);
            (name, Importance { mean, std })
        };
        Ok(worse.into_iter().map(spread).collect())
    }

    /// The mean answers at values of a column that samples have; nothing for what no single value stands for.
    fn dependence(
        &mut self,
        source: &Preprocessed,
        samples: &[u32],
        group: &Group,
    ) -> Result<Option<Dependence>, TrainError> {
        let mut rows = vec![0.0; source.set().n_inputs()];
        let mut prepared = |sample: u32| -> Result<Vec<f32>, TrainError> {
            source.inputs(&[sample], Pass::Measure, &mut rows).map_err(TrainError::of_source)?;
            Ok(group.inputs.iter().map(|i| rows[*i]).collect())
        };
        let raw = |k: usize, x: f32| self.reading.inputs.number(group.inputs[k], x);
        let (at, values) = match &group.kind {
            GroupKind::Other => return Ok(None),
            GroupKind::Number { offset, factor } => {
                // a row of each value, that of a missing one left aside: it has the last input set
                let mut rows: BTreeMap<u32, Vec<f32>> = BTreeMap::new();
                let mut own = Vec::new();
                for sample in samples {
                    let row = prepared(*sample)?;
                    if row.len() == 1 || raw(1, row[1]) < 0.5 {
                        own.push(row[0]);
                        rows.entry(row[0].to_bits()).or_insert(row);
                    }
                }
                let chosen = spaced(own);
                let at = chosen.iter().map(|x| raw(0, *x) / factor + offset).collect();
                (Values::Numbers(at), chosen.iter().map(|x| rows[&x.to_bits()].clone()).collect::<Vec<_>>())
            }
            GroupKind::Boolean(_) | GroupKind::Category(_) => {
                // a sample of each value says what its inputs become; of the validation part, or of all
                let all = samples.iter().copied().chain(0..source.len() as u32);
                let mut found: BTreeMap<usize, Vec<f32>> = BTreeMap::new();
                for sample in all {
                    if found.len() == group.inputs.len().max(2) {
                        break;
                    }
                    let row = prepared(sample)?;
                    let on = (0..row.len()).rev().find(|k| raw(*k, row[*k]) > 0.5);
                    let place = match group.kind {
                        // the input itself, and after it what says that it was missing
                        GroupKind::Boolean(_) => on.map_or(0, |k| k + 1),
                        _ => match on {
                            Some(k) => k,
                            None => continue,
                        },
                    };
                    found.entry(place).or_insert(row);
                }
                let name = |place: &usize| match &group.kind {
                    GroupKind::Boolean(names) => names.get(*place).cloned(),
                    GroupKind::Category(names) => names.get(*place).cloned(),
                    _ => None,
                };
                let known = found.keys().map(|k| name(k).unwrap_or_else(|| "(missing)".into())).collect();
                (Values::Categories(known), found.into_values().collect())
            }
        };
        let step = samples.len().div_ceil(MOST_SAMPLES).max(1);
        let few: Vec<u32> = samples.iter().copied().step_by(step).collect();
        let buffers = self.all_buffers();
        let mut means: Vec<Vec<f64>> = Vec::new();
        let (mut outputs, mut shares) = (Vec::new(), false);
        for value in values {
            let fixed = Altered { source, inputs: &group.inputs, change: Change::Value(value) };
            let weights = (&self.params[..], &buffers[..]);
            let raw = self.session.answer(weights, (&fixed, &few), self.config.eval_batch)?;
            let mut told = Vec::new();
            (outputs, shares) = (Vec::new(), true);
            flatten(&self.words(raw), "", &mut outputs, &mut told, &mut shares);
            means.resize(told.len(), Vec::new());
            means.iter_mut().zip(told).for_each(|(all, mean)| all.push(mean));
        }
        Ok(Some(Dependence { column: group.name.clone(), at, outputs, means, shares }))
    }
}

/// Names and means of all answers.
fn flatten(answers: &Answers, head: &str, names: &mut Vec<String>, means: &mut Vec<f64>, shares: &mut bool) {
    let (own, values) = match answers {
        Answers::Classes { classes, scores, .. } => {
            (classes, &scores.iter().map(|x| f64::from(*x)).collect())
        }
        Answers::Numbers { targets, values } => {
            *shares = false;
            (targets, values)
        }
        Answers::Heads(heads) => {
            return heads
                .iter()
                .for_each(|(name, own)| flatten(own, &format!("{name} "), names, means, shares));
        }
    };
    let n = (values.len() / own.len().max(1)).max(1) as f64;
    for (j, name) in own.iter().enumerate() {
        names.push(format!("{head}{name}"));
        means.push(values.iter().skip(j).step_by(own.len()).sum::<f64>() / n);
    }
}

/// The figures that tell how good answers are, without the part in their names.
fn told(metrics: &Metrics, part: Split) -> BTreeMap<String, f64> {
    let good = |name: &str| ["accuracy", "loss", "rmse"].iter().any(|end| name.ends_with(end));
    let own = |name: &str| name.strip_prefix(part.name()).map(|n| n.trim_start_matches('_').to_owned());
    let named = metrics.iter().filter(|(name, value)| good(name) && value.is_finite());
    named.filter_map(|(name, value)| Some((own(name)?, value))).collect()
}

/// Puts the most important columns first, those that the main figure does not tell apart by their loss; gives their
/// places of before.
fn sort(explanation: &mut Explanation) -> Vec<usize> {
    let mean = |column: &ColumnImportance, name: &str| column.importance.get(name).map_or(0.0, |i| i.mean);
    let main = explanation.metric.clone();
    let mut all: Vec<(usize, ColumnImportance)> = explanation.columns.drain(..).enumerate().collect();
    all.sort_by(|(_, a), (_, b)| {
        let by = |name: &str| mean(b, name).total_cmp(&mean(a, name));
        by(&main).then(by("loss"))
    });
    let places = all.iter().map(|(place, _)| *place).collect();
    explanation.columns = all.into_iter().map(|(_, column)| column).collect();
    places
}

/// Different values, a few of them where there are many: those at equal shares of the samples.
fn spaced(mut values: Vec<f32>) -> Vec<f32> {
    values.sort_unstable_by(f32::total_cmp);
    let mut different = values.clone();
    different.dedup();
    if different.len() <= MOST_VALUES {
        return different;
    }
    let place = |i: usize| i * (values.len() - 1) / (MOST_VALUES - 1);
    let mut chosen: Vec<f32> = (0..MOST_VALUES).map(|i| values[place(i)]).collect();
    chosen.dedup();
    chosen
}

/// Squares of an image with all of their channels.
fn cells([h, w, c]: [usize; 3]) -> Vec<Group> {
    let cut = |size: usize| {
        let n = size.min(CELLS);
        (0..n).map(move |i| i * size / n..(i + 1) * size / n)
    };
    let cell = |(rows, columns): (std::ops::Range<usize>, std::ops::Range<usize>)| {
        let name = format!("{}, {}", span("row", &rows), span("column", &columns));
        let pixels = rows.flat_map(|y| columns.clone().map(move |x| y * w + x));
        let inputs = pixels.flat_map(|p| p * c..(p + 1) * c).collect();
        Group { name, inputs, kind: GroupKind::Other }
    };
    cut(h).flat_map(|rows| cut(w).map(move |columns| (rows.clone(), columns))).map(cell).collect()
}

/// `row 3`, `rows 3-5`
fn span(what: &str, places: &std::ops::Range<usize>) -> String {
    match places.len() {
        1 => format!("{what} {}", places.start),
        _ => format!("{what}s {}-{}", places.start, places.end - 1),
    }
}

/// Samples some of whose inputs are others.
struct Altered<'a> {
    source: &'a Preprocessed,
    inputs: &'a [usize],
    change: Change,
}

/// What stands in their place.
enum Change {
    /// for each sample the one whose inputs it gets
    Partner(Vec<u32>),
    /// the same in all samples
    Value(Vec<f32>),
}

impl Source for Altered<'_> {
    fn len(&self) -> usize {
        self.source.len()
    }

    fn input_shape(&self) -> &[usize] {
        self.source.input_shape()
    }

    fn heads(&self) -> &[Head] {
        self.source.heads()
    }

    fn inputs(&self, samples: &[u32], pass: Pass, out: &mut [f32]) -> Result<(), SourceError> {
        self.source.inputs(samples, pass, out)?;
        let width = out.len() / samples.len().max(1);
        match &self.change {
            Change::Value(value) => {
                for row in out.chunks_exact_mut(width.max(1)) {
                    self.inputs.iter().zip(value).for_each(|(i, x)| row[*i] = *x);
                }
            }
            Change::Partner(partner) => {
                let partners: Vec<u32> = samples.iter().map(|s| partner[*s as usize]).collect();
                let mut others = vec![0.0; out.len()];
                self.source.inputs(&partners, pass, &mut others)?;
                for (row, other) in out.chunks_exact_mut(width.max(1)).zip(others.chunks_exact(width.max(1)))
                {
                    self.inputs.iter().for_each(|i| row[*i] = other[*i]);
                }
            }
        }
        Ok(())
    }

    fn targets(&self, samples: &[u32], out: &mut [f32]) -> Result<(), SourceError> {
        self.source.targets(samples, out)
    }

    fn is_weighted(&self) -> bool {
        self.source.is_weighted()
    }

    fn weight(&self, sample: u32) -> f64 {
        self.source.weight(sample)
    }
}
