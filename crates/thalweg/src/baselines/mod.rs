//! Simple models beside a network: majority or mean, a linear model, nearest neighbors.
//!
//! They are fitted on the samples that the network was trained on, as it saw them, and measured on the samples of its
//! own figures. Inputs that are no images are standardized on the training samples, constant ones left out. Nothing is
//! random, and a single thread does it all, so that the figures are the same everywhere.

mod columns;
mod linear;
mod neighbors;

use record::{Baseline, Baselines, Gain};

use crate::data::Task;
use crate::source::{Head, Source, SourceError};
use crate::train::settings::with_commas as commas;
use columns::Columns;
use linear::{MOST_ITERATIONS, logistic, ridge};
use neighbors::nearest;

/// The most values, samples times inputs, that are read of a part.
const MOST_VALUES: usize = 5_000_000;
/// The most multiply-adds that a model may cost: about half a second.
const MOST_WORK: usize = 1_000_000_000;
/// Iterations of logistic regression that are worth it.
const FEWEST_ITERATIONS: usize = 25;
/// The most training samples among which neighbors are looked for.
const MOST_NEIGHBORS: usize = 20_000;

/// Samples of a source, by their numbers.
#[derive(Clone, Copy)]
pub struct Part<'a> {
    /// where they come from
    pub source: &'a dyn Source,
    /// their numbers
    pub samples: &'a [u32],
}

impl std::fmt::Debug for Part<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Part").field("samples", &self.samples.len()).finish_non_exhaustive()
    }
}

/// Fits simple models on `train` and measures them on `judged`, for which the network gave `answers`,
/// `[judged.samples.len(), n_outputs]`, as [`Measured::outputs`](crate::train::Measured) has them.
///
/// - Classes: the most frequent class; logistic regression; the majority of the five nearest neighbors. The figure is
///   accuracy.
/// - Numbers: the mean; ridge regression; the mean of the five nearest neighbors. The figure is RMSE over all targets
///   in their own unit.
///
/// A model that would take more than 10⁹ multiply-adds, data of more than 5 million values, or neighbors among more
/// than 20,000 samples are left out, with the reason. Nothing is given where there are several heads or targets are
/// missing.
///
/// # Errors
/// Whatever keeps a source from giving its rows.
pub fn compare(train: Part, judged: Part, answers: &[f32]) -> Result<Option<Baselines>, SourceError> {
    let [head] = train.source.heads() else { return Ok(None) };
    if head.may_miss || train.samples.is_empty() || judged.samples.is_empty() {
        return Ok(None);
    }
    let comparison = Comparison {
        head,
        known: Said::truth(&head.task, train)?,
        truth: Said::truth(&head.task, judged)?,
        n: train.samples.len(),
        m: judged.samples.len(),
        d: train.source.input_shape().iter().product(),
        is_same: std::ptr::addr_eq(train.source, judged.source) && train.samples == judged.samples,
    };
    comparison.done(train, judged, answers).map(Some)
}

/// What is true of samples, or what a model says of them.
#[derive(Debug, PartialEq)]
enum Said {
    Classes(Vec<usize>),
    /// `[targets, n]`
    Numbers(Vec<f64>),
}

impl Said {
    fn truth(task: &Task, part: Part) -> Result<Self, SourceError> {
        let (n, width) = (part.samples.len(), task.n_targets());
        let mut targets = vec![0.0; n * width];
        part.source.targets(part.samples, &mut targets)?;
        Ok(match task {
            Task::Classification { .. } => Said::Classes(targets.iter().map(|y| *y as usize).collect()),
            Task::Regression { .. } => Said::Numbers(by_target(&targets, width, |_, y| f64::from(y))),
        })
    }

    /// What the network's outputs say.
    fn network(head: &Head, outputs: &[f32]) -> Self {
        let width = head.task.n_outputs().max(1);
        match &head.task {
            Task::Classification { .. } => {
                let values: Vec<f64> = outputs.iter().map(|x| f64::from(*x)).collect();
                Said::Classes(values.chunks_exact(width).map(first_largest).collect())
            }
            Task::Regression { .. } => Said::Numbers(by_target(outputs, width, |j, x| head.own_unit(j, x))),
        }
    }

    /// Of each of `m` samples: 1 where a class is wrong, or the mean square of residuals over the targets.
    fn costs(&self, truth: &Said, m: usize) -> Vec<f64> {
        match (self, truth) {
            (Said::Classes(said), Said::Classes(truth)) => {
                said.iter().zip(truth).map(|(a, b)| f64::from(u8::from(a != b))).collect()
            }
            (Said::Numbers(said), Said::Numbers(truth)) => {
                let width = (truth.len() / m.max(1)) as f64;
                let mut costs = vec![0.0; m];
                for (said, truth) in said.chunks_exact(m.max(1)).zip(truth.chunks_exact(m.max(1))) {
                    let squares = said.iter().zip(truth).map(|(a, b)| (a - b) * (a - b) / width);
                    costs.iter_mut().zip(squares).for_each(|(cost, square)| *cost += square);
                }
                costs
            }
            _ => unreachable!("a model says what its task asks for"),
        }
    }
}

/// `[n, width]` to `[width, n]`, each number mapped.
fn by_target(rows: &[f32], width: usize, map: impl Fn(usize, f32) -> f64) -> Vec<f64> {
    let column = |j: usize| rows.iter().skip(j).step_by(width).map(move |x| (j, *x));
    (0..width).flat_map(column).map(|(j, x)| map(j, x)).collect()
}

/// The place of the largest value, of equal ones the first.
fn first_largest(values: &[f64]) -> usize {
    (0..values.len()).fold(0, |best, i| if values[i] > values[best] { i } else { best })
}

struct Comparison<'a> {
    head: &'a Head,
    known: Said,
    truth: Said,
    /// training samples, judged samples, inputs
    n: usize,
    m: usize,
    d: usize,
    /// whether the judged samples are those that were learned
    is_same: bool,
}

/// Something, or in words why there is none.
type OrWhy<T> = Result<T, String>;

impl Comparison<'_> {
    fn done(&self, train: Part, judged: Part, answers: &[f32]) -> Result<Baselines, SourceError> {
        let (iterations, near) = (self.linear_iterations(), self.neighbors_fit());
        let inputs = match iterations.is_ok() || near.is_ok() {
            true => self.inputs(train, judged)?,
            false => Err(String::new()),
        };
        let linear = iterations.and_then(|most| Ok((most, inputs.as_ref().map_err(String::clone)?)));
        let linear = linear.map(|(most, (x, queries))| self.linear(x, queries, most));
        let near = near.and_then(|()| inputs.as_ref().map_err(String::clone));
        let near = near.map(|(x, queries)| self.neighbors(x, queries));
        let (name, constant) = self.constant();
        let costs = |said: &Said| said.costs(&self.truth, self.m);
        let network = costs(&Said::network(self.head, answers));
        let against = |said: &Said| {
            let differences =
                costs(said).iter().zip(&network).map(|(linear, own)| linear - own).collect::<Vec<_>>();
            Gain::new(&differences)
        };
        Ok(Baselines {
            metric: if matches!(self.truth, Said::Classes(_)) { "accuracy" } else { "rmse" }.into(),
            network: self.figure(&network),
            against_linear: linear.as_ref().ok().map(against).filter(|gain| gain.mean.is_finite()),
            models: [(name, Ok(constant)), ("linear model", linear), ("nearest neighbors", near)]
                .into_iter()
                .map(|(name, said)| Baseline {
                    name: name.into(),
                    value: said.as_ref().ok().and_then(|said| self.figure(&costs(said))),
                    left_out: said.err(),
                })
                .collect(),
        })
    }

    /// Accuracy, or the root of the mean square.
    fn figure(&self, costs: &[f64]) -> Option<f64> {
        let (n, sum) = (self.m as f64, costs.iter().sum::<f64>());
        let value = if matches!(self.truth, Said::Classes(_)) { (n - sum) / n } else { (sum / n).sqrt() };
        value.is_finite().then_some(value)
    }

    /// Inputs of both parts as the simple models see them, where they are numbers.
    fn inputs(&self, train: Part, judged: Part) -> Result<OrWhy<(Columns, Columns)>, SourceError> {
        let read = |part: Part| Columns::read(part.source, part.samples);
        let (x, queries) = (read(train)?, read(judged)?);
        if !x.are_finite() || !queries.are_finite() {
            return Ok(Err("some inputs are not finite".into()));
        }
        if train.source.input_shape().len() > 1 {
            return Ok(Ok((x, queries)));
        }
        let moments = x.moments();
        Ok(Ok((x.standardized(&moments), queries.standardized(&moments))))
    }

    /// The majority or the mean of the training samples, for every sample.
    fn constant(&self) -> (&'static str, Said) {
        match &self.known {
            Said::Classes(known) => {
                let counts = votes(known.iter().copied(), self.head.task.n_outputs());
                ("majority", Said::Classes(vec![first_largest(&counts); self.m]))
            }
            Said::Numbers(known) => {
                let mean = |y: &[f64]| y.iter().sum::<f64>() / self.n as f64;
                let means = known.chunks_exact(self.n).flat_map(|y| std::iter::repeat_n(mean(y), self.m));
                ("mean", Said::Numbers(means.collect()))
            }
        }
    }

    /// Iterations that the linear model may take; 1 where it has a closed form.
    fn linear_iterations(&self) -> OrWhy<usize> {
        self.values_fit()?;
        let (n, d, k) = (self.n, self.d, self.head.task.n_outputs());
        let most = match self.truth {
            Said::Classes(_) => MOST_WORK / (2 * n * d * if k == 2 { 1 } else { k }).max(1),
            Said::Numbers(_) => {
                let squares = d.saturating_mul(d);
                let work = (n / 2 + d / 6).saturating_mul(squares).saturating_add(n * d * k);
                if work <= MOST_WORK { MOST_ITERATIONS } else { 0 }
            }
        };
        match most < FEWEST_ITERATIONS {
            true => Err(format!("{} × {} values are too many for it", commas(n), commas(d))),
            false => Ok(most.min(MOST_ITERATIONS)),
        }
    }

    fn values_fit(&self) -> OrWhy<()> {
        let n = self.n.max(self.m);
        match n.saturating_mul(self.d) {
            0 => Err("there are no inputs".into()),
            values if values > MOST_VALUES => {
                Err(format!("{} × {} values are too many", commas(n), commas(self.d)))
            }
            _ => Ok(()),
        }
    }

    fn neighbors_fit(&self) -> OrWhy<()> {
        self.values_fit()?;
        let pairs = self.n.saturating_mul(self.m);
        if self.is_same {
            Err("each sample would be its own neighbor".into())
        } else if self.n > MOST_NEIGHBORS {
            Err(format!("{} training samples are too many", commas(self.n)))
        } else if pairs.saturating_mul(self.d) > MOST_WORK {
            let [n, m, d] = [self.n, self.m, self.d].map(commas);
            Err(format!("{n} × {m} distances of {d} inputs are too many"))
        } else {
            Ok(())
        }
    }

    fn linear(&self, x: &Columns, queries: &Columns, iterations: usize) -> Said {
        match &self.known {
            Said::Numbers(known) => Said::Numbers(ridge(x, known).outputs(queries)),
            Said::Classes(known) => {
                let k = self.head.task.n_outputs();
                let z = logistic(x, known, k, iterations).outputs(queries);
                let chosen = |i: usize| match k {
                    2 => usize::from(z[i] > 0.0),
                    _ => first_largest(&(0..k).map(|class| z[class * self.m + i]).collect::<Vec<_>>()),
                };
                Said::Classes((0..self.m).map(chosen).collect())
            }
        }
    }

    fn neighbors(&self, x: &Columns, queries: &Columns) -> Said {
        let nearest = nearest(x, queries);
        match &self.known {
            Said::Classes(known) => {
                let votes =
                    |near: &Vec<usize>| votes(near.iter().map(|i| known[*i]), self.head.task.n_outputs());
                Said::Classes(nearest.iter().map(|near| first_largest(&votes(near))).collect())
            }
            Said::Numbers(known) => {
                let mean = |near: &Vec<usize>, y: &[f64]| {
                    near.iter().map(|i| y[*i]).sum::<f64>() / near.len() as f64
                };
                let of_target = |y| nearest.iter().map(move |near| mean(near, y));
                Said::Numbers(known.chunks_exact(self.n).flat_map(of_target).collect())
            }
        }
    }
}

/// How often each class is named.
fn votes(classes: impl Iterator<Item = usize>, n_classes: usize) -> Vec<f64> {
    let mut counts = vec![0.0; n_classes];
    classes.for_each(|class| counts[class] += 1.0);
    counts
}

#[cfg(test)]
mod tests;
