//! Some of a source's samples.

use std::sync::Arc;

use super::{Head, Pass, Source, SourceError};

/// Some samples of a source as a source of their own, such as one part of a split. They are changed at random as the
/// source does it, but not mixed.
///
/// ```
/// use std::sync::Arc;
/// use thalweg::source::{Arrays, Source, Subset};
/// let all = Arc::new(Arrays::new(vec![0., 1., 2., 3.], &[1]).classes([0, 0, 1, 1], 2));
/// let (low, high) = (Subset::new(all.clone(), vec![0, 1]), Subset::new(all, vec![2, 3]));
/// assert_eq!((low.len(), high.len()), (2, 2));
/// ```
#[derive(Clone)]
pub struct Subset {
    all: Arc<dyn Source>,
    numbers: Vec<u32>,
}

impl Subset {
    /// The samples of these numbers, in this order.
    pub fn new(all: Arc<dyn Source>, numbers: Vec<u32>) -> Self {
        Subset { all, numbers }
    }

    fn number(&self, sample: u32) -> u32 {
        self.numbers[sample as usize]
    }

    /// Calls `f` with the numbers in the whole source, a few at a time, and with their rows.
    fn each(
        &self,
        samples: &[u32],
        out: &mut [f32],
        f: impl Fn(&[u32], &mut [f32]) -> Result<(), SourceError>,
    ) -> Result<(), SourceError> {
        const AT_A_TIME: usize = 64;
        let width = out.len() / samples.len().max(1);
        let mut numbers = [0; AT_A_TIME];
        for (samples, out) in samples.chunks(AT_A_TIME).zip(out.chunks_mut((AT_A_TIME * width).max(1))) {
            numbers.iter_mut().zip(samples).for_each(|(n, sample)| *n = self.number(*sample));
            f(&numbers[..samples.len()], out)?;
        }
        Ok(())
    }
}

impl Source for Subset {
    fn len(&self) -> usize {
        self.numbers.len()
    }

    fn input_shape(&self) -> &[usize] {
        self.all.input_shape()
    }

    fn heads(&self) -> &[Head] {
        self.all.heads()
    }

    fn check(&self) -> Result<(), SourceError> {
        self.all.check()?;
        match self.numbers.iter().find(|n| **n as usize >= self.all.len()) {
            Some(n) => Err(format!("sample {n} of {}", self.all.len()).into()),
            None => Ok(()),
        }
    }

    fn inputs(&self, samples: &[u32], pass: Pass, out: &mut [f32]) -> Result<(), SourceError> {
        self.each(samples, out, |numbers, out| self.all.inputs(numbers, pass, out))
    }

    fn targets(&self, samples: &[u32], out: &mut [f32]) -> Result<(), SourceError> {
        self.each(samples, out, |numbers, out| self.all.targets(numbers, out))
    }
}
