//! Some of a source's samples.

use std::sync::Arc;

use super::{Head, Pass, Source, SourceError};
use crate::data::augment::Mixed;

/// Stands for a sample of the whole that is not in the subset.
const NOT_HERE: u32 = u32::MAX;

/// Some samples of a source as a source of their own, such as one part of a split. In training they are changed at
/// random and mixed as the source does it. What they are mixed with must be in the subset as well, else a trainer
/// refuses to train on it: fit a [`Pipeline`](crate::data::augment::Pipeline) that mixes on the numbers of the subset.
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
    /// for each sample of a whole that mixes its place in the subset, or [`NOT_HERE`]; else empty
    places: Vec<u32>,
}

impl Subset {
    /// The samples of these numbers, in this order.
    pub fn new(all: Arc<dyn Source>, numbers: Vec<u32>) -> Self {
        let mut places = vec![NOT_HERE; if all.mixes() { all.len() } else { 0 }];
        for (place, number) in (0..NOT_HERE).zip(&numbers) {
            if let Some(entry) = places.get_mut(*number as usize) {
                *entry = place;
            }
        }
        Subset { all, numbers, places }
    }

    /// A sample's number in the whole.
    fn number(&self, sample: u32) -> Result<u32, SourceError> {
        let number = self.numbers.get(sample as usize).copied();
        number.ok_or_else(|| format!("a sample beyond the {} of the subset", self.numbers.len()).into())
    }

    /// The place in the subset of a sample of the whole.
    fn place(&self, number: u32) -> u32 {
        self.places.get(number as usize).copied().unwrap_or(NOT_HERE)
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
            for (number, sample) in numbers.iter_mut().zip(samples) {
                *number = self.number(*sample)?;
            }
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

    fn make_ready(&self, samples: &[u32], later: &[u32]) -> Result<(), SourceError> {
        let numbers =
            |samples: &[u32]| samples.iter().map(|s| self.number(*s)).collect::<Result<Vec<_>, _>>();
        self.all.make_ready(&numbers(samples)?, &numbers(later)?)
    }

    fn inputs(&self, samples: &[u32], pass: Pass, out: &mut [f32]) -> Result<(), SourceError> {
        self.each(samples, out, |numbers, out| self.all.inputs(numbers, pass, out))
    }

    fn targets(&self, samples: &[u32], out: &mut [f32]) -> Result<(), SourceError> {
        self.each(samples, out, |numbers, out| self.all.targets(numbers, out))
    }

    fn is_weighted(&self) -> bool {
        self.all.is_weighted()
    }

    fn weight(&self, sample: u32) -> f64 {
        self.numbers.get(sample as usize).map_or(1.0, |number| self.all.weight(*number))
    }

    fn mixes(&self) -> bool {
        self.all.mixes()
    }

    fn partners(&self) -> Vec<u32> {
        self.all.partners().into_iter().map(|number| self.place(number)).collect()
    }

    fn mixed(&self, sample: u32, epoch: u64) -> Mixed {
        match self.number(sample) {
            Ok(number) if self.mixes() => {
                let Mixed { partner, own } = self.all.mixed(number, epoch);
                Mixed { partner: if partner == number { sample } else { self.place(partner) }, own }
            }
            _ => Mixed { partner: sample, own: 1.0 },
        }
    }
}
