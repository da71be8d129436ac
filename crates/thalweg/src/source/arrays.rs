//! Samples in memory.

use super::{Head, Pass, Source, SourceError, copy_rows, copy_targets, is_missing};
use crate::data::Task;

/// Arrays in memory: inputs as the model is to see them, and targets.
///
/// ```
/// use thalweg::source::{Arrays, Source};
/// let xor = Arrays::new(vec![0., 0., 0., 1., 1., 0., 1., 1.], &[2]).classes([0, 1, 1, 0], 2);
/// assert_eq!(xor.len(), 4);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Arrays {
    inputs: Vec<f32>,
    shape: Vec<usize>,
    heads: Vec<Head>,
    /// of each head `[n, n_targets]`
    targets: Vec<Vec<f32>>,
    /// of each sample; empty where all count alike
    weights: Vec<f64>,
}

impl Arrays {
    /// Samples of a shape, one after the other: `inputs` is `[n, shape..]`.
    pub fn new(inputs: impl Into<Vec<f32>>, shape: &[usize]) -> Self {
        let (inputs, shape) = (inputs.into(), shape.to_vec());
        Arrays { inputs, shape, ..Arrays::default() }
    }

    /// What each sample counts in a loss, beside the others: 0 or more.
    ///
    /// ```
    /// use thalweg::source::{Arrays, Source};
    /// let line = Arrays::new(vec![0., 1., 2.], &[1]).numbers(vec![1., 3., 9.], 1).weights([1., 1., 0.25]);
    /// assert!(line.is_weighted() && line.weight(2) == 0.25);
    /// ```
    pub fn weights(self, weights: impl IntoIterator<Item = f64>) -> Self {
        Arrays { weights: weights.into_iter().collect(), ..self }
    }

    /// A class for every sample, from 0 to `n_classes - 1`: the only head.
    pub fn classes(self, labels: impl IntoIterator<Item = u32>, n_classes: usize) -> Self {
        self.class_head("", labels.into_iter().map(Some), n_classes)
    }

    /// A class for every sample, by its place among names such as those of the training data: the only head.
    pub fn named_classes(
        self,
        labels: impl IntoIterator<Item = u32>,
        names: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        let classes = names.into_iter().map(Into::into).collect();
        self.with("", Task::Classification { classes }, labels.into_iter().map(|l| l as f32).collect())
    }

    /// `width` numbers for every sample, `[n, width]`: the only head.
    pub fn numbers(self, values: impl Into<Vec<f32>>, width: usize) -> Self {
        self.number_head("", values, width)
    }

    /// One head of several, with a class for every sample where it is known.
    pub fn class_head(
        self,
        name: &str,
        labels: impl IntoIterator<Item = Option<u32>>,
        n_classes: usize,
    ) -> Self {
        let classes = (0..n_classes).map(|k| k.to_string()).collect();
        let labels = labels.into_iter().map(|label| label.map_or(f32::NAN, |l| l as f32)).collect();
        self.with(name, Task::Classification { classes }, labels)
    }

    /// One head of several, with `width` numbers for every sample, `[n, width]`; NaN where they are not known.
    pub fn number_head(self, name: &str, values: impl Into<Vec<f32>>, width: usize) -> Self {
        let targets = (0..width).map(|j| j.to_string()).collect();
        self.with(name, Task::Regression { targets }, values.into())
    }

    fn with(mut self, name: &str, task: Task, values: Vec<f32>) -> Self {
        let may_miss = is_missing(&values);
        self.heads.push(Head { name: name.to_owned(), may_miss, ..Head::only(task) });
        self.targets.push(values);
        self
    }

    fn width(&self) -> usize {
        self.shape.iter().product()
    }
}

impl Source for Arrays {
    fn len(&self) -> usize {
        self.inputs.len() / self.width().max(1)
    }

    fn input_shape(&self) -> &[usize] {
        &self.shape
    }

    fn heads(&self) -> &[Head] {
        &self.heads
    }

    fn check(&self) -> Result<(), SourceError> {
        let (n, width) = (self.len(), self.width());
        if self.inputs.len() != n * width || width == 0 {
            let got = self.inputs.len();
            return Err(format!("{got} numbers are not samples of shape {:?}", self.shape).into());
        }
        if self.is_weighted() && self.weights.len() != n {
            return Err(format!("{} weights, expected {n}, one for each sample", self.weights.len()).into());
        }
        for (head, values) in self.heads.iter().zip(&self.targets) {
            let of = if head.name.is_empty() { String::new() } else { format!(" of head `{}`", head.name) };
            let (got, expected) = (values.len(), n * head.task.n_targets());
            if got != expected {
                return Err(format!("{got} targets{of}, expected {expected} for {n} samples").into());
            }
            if let Task::Classification { classes } = &head.task
                && let Some(y) = values.iter().find(|y| **y >= classes.len() as f32)
            {
                return Err(format!("class {y}{of}, expected 0 to {}", classes.len().max(1) - 1).into());
            }
        }
        Ok(())
    }

    fn inputs(&self, samples: &[u32], _pass: Pass, out: &mut [f32]) -> Result<(), SourceError> {
        copy_rows(&self.inputs, self.width(), samples, out);
        Ok(())
    }

    fn targets(&self, samples: &[u32], out: &mut [f32]) -> Result<(), SourceError> {
        copy_targets(&self.heads, &self.targets, samples, out);
        Ok(())
    }

    fn is_weighted(&self) -> bool {
        !self.weights.is_empty()
    }

    fn weight(&self, sample: u32) -> f64 {
        self.weights.get(sample as usize).copied().unwrap_or(1.0)
    }
}
