//! Preprocessing of inputs as one affine map, fitted on the training samples and stored with the model.

use serde::{Deserialize, Serialize};

use super::moments::{Moments, moments, of_numbers};
use super::{DataError, Dataset, Task, robust};

/// y = scale · x + shift, with one value for all inputs, one per channel (the last axis), or one per input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Affine {
    /// Factors.
    pub scale: Vec<f32>,
    /// Summands.
    pub shift: Vec<f32>,
}

/// How inputs are prepared. An input that is constant on the training samples gets scale 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Preprocess {
    /// As they are (bytes as b / 255).
    #[default]
    None,
    /// Each input minus its mean; for images this subtracts the mean image (Krizhevsky, Sutskever and Hinton 2012,
    /// AlexNet).
    Center,
    /// Each input minus its mean, divided by its standard deviation.
    Standardize,
    /// Each channel minus its mean (Simonyan and Zisserman 2015, VGG).
    ChannelCenter,
    /// Each channel minus its mean, divided by its standard deviation.
    ChannelStandardize,
    /// All inputs minus one mean, divided by one standard deviation.
    GlobalStandardize,
    /// Each input divided by the root of its mean square, so that all have Σx² = n.
    SecondMoment,
    /// Each input to 0..1 by its smallest and largest value.
    Scale01,
    /// Each number minus its median, divided by the distance of its quartiles, or by half its range where that is 0
    /// (Holzmüller, Grinsztajn and Steinwart 2024, RealMLP); inputs of categories and cycles, and those that say what
    /// is missing, stay as they are.
    Robust,
}

impl Preprocess {
    /// All kinds, with their names in a config and what they do.
    pub const ALL: &'static [(Preprocess, &'static str, &'static str)] = &[
        (Preprocess::None, "none", "inputs as they are; bytes as b / 255"),
        (Preprocess::Center, "center", "each input minus its mean (the mean image, as AlexNet)"),
        (Preprocess::Standardize, "standardize", "each input to mean 0 and standard deviation 1"),
        (Preprocess::ChannelCenter, "channel-center", "each channel minus its mean (as VGG)"),
        (
            Preprocess::ChannelStandardize,
            "channel-standardize",
            "each channel to mean 0 and standard deviation 1",
        ),
        (
            Preprocess::GlobalStandardize,
            "global-standardize",
            "one mean and standard deviation for all inputs",
        ),
        (Preprocess::SecondMoment, "second-moment", "each input to mean square 1"),
        (Preprocess::Scale01, "scale01", "each input to the range 0 to 1"),
        (
            Preprocess::Robust,
            "robust",
            "each number minus its median, divided by the distance between its quartiles; outliers have no influence",
        ),
    ];
}

impl Affine {
    /// The map that changes nothing.
    pub fn identity() -> Affine {
        Affine { scale: vec![1.0], shift: vec![0.0] }
    }

    /// Whether the map is the one that changes nothing.
    pub fn is_identity(&self) -> bool {
        matches!((&self.scale[..], &self.shift[..]), ([1.0], [0.0]))
    }

    /// Takes back the map: `values` (`[_, scale.len()]`) become (y − shift) / scale, computed in f64.
    pub fn invert(&self, values: &mut [f32]) {
        for row in values.chunks_mut(self.scale.len().max(1)) {
            for ((y, s), t) in row.iter_mut().zip(&self.scale).zip(&self.shift) {
                *y = ((f64::from(*y) - f64::from(*t)) / f64::from(*s)) as f32;
            }
        }
    }

    /// What the map made into `x` at place `j`, in f64.
    pub fn number(&self, j: usize, x: f32) -> f64 {
        let at = |v: &[f32]| f64::from(v[j.min(v.len() - 1)]);
        (f64::from(x) - at(&self.shift)) / at(&self.scale)
    }

    /// Checks that the map fits inputs of `shape`: one value, one per input, or one per channel, the last
    /// of three axes.
    pub fn check(&self, shape: &[usize]) -> Result<(), DataError> {
        let expected: usize = shape.iter().fold(1, |n: usize, size| n.saturating_mul(*size));
        let channels = if let [_, _, channels] = *shape { channels } else { 1 };
        let got = self.scale.len();
        let fits = got == self.shift.len() && (got == 1 || got == expected || got == channels);
        if fits { Ok(()) } else { Err(DataError::AffineShape { got, expected, shape: shape.to_vec() }) }
    }

    /// From f64 means to subtract and values to divide by.
    pub(crate) fn from_parts(
        subtract: impl Iterator<Item = f64>,
        divide: impl Iterator<Item = f64>,
    ) -> Affine {
        let (scale, shift) = subtract.zip(divide).map(|(m, d)| ((1.0 / d) as f32, (-m / d) as f32)).unzip();
        Affine { scale, shift }
    }
}

/// Fits the preprocessing of inputs on the samples `train` alone, in f64.
///
/// # Errors
/// [`DataError::NoSamples`] if `train` is empty, or what keeps rows of a file from being read.
///
/// Cost: one pass over the training inputs for bytes, two for numbers.
pub fn fit(set: &Dataset, train: &[u32], how: Preprocess) -> Result<Affine, DataError> {
    if how == Preprocess::None {
        return Ok(Affine::identity());
    }
    if train.is_empty() {
        return Err(DataError::NoSamples { path: set.name.clone().into() });
    }
    if how == Preprocess::Robust {
        return robust::fit(set, train);
    }
    let each = moments(set, train)?;
    let channels = set.n_channels().max(1);
    let group = |i: usize| i % channels;
    Ok(match how {
        Preprocess::None | Preprocess::Robust => Affine::identity(),
        Preprocess::Center => center(&each),
        Preprocess::Standardize => standardize(&each),
        Preprocess::GlobalStandardize => standardize(&each.grouped(1, |_| 0)),
        Preprocess::ChannelCenter => center(&each.grouped(channels, group)),
        Preprocess::ChannelStandardize => standardize(&each.grouped(channels, group)),
        Preprocess::SecondMoment => second_moment(&each),
        Preprocess::Scale01 => scale01(&each),
    })
}

/// Fits the standardization of numbers as targets; classes get the identity. Undo it with [`Affine::invert`].
///
/// # Errors
/// [`DataError::NoSamples`] if `train` is empty.
pub fn fit_targets(set: &Dataset, train: &[u32]) -> Result<Affine, DataError> {
    match set.task {
        Task::Classification { .. } => Ok(Affine::identity()),
        Task::Regression { .. } if train.is_empty() => {
            Err(DataError::NoSamples { path: set.name.clone().into() })
        }
        Task::Regression { .. } => Ok(standardize(&of_numbers(&set.targets, set.n_targets(), train))),
    }
}

fn center(m: &Moments) -> Affine {
    Affine::from_parts(m.mean.iter().copied(), std::iter::repeat(1.0))
}

fn standardize(m: &Moments) -> Affine {
    let deviation = (0..m.mean.len()).map(|i| if m.min[i] < m.max[i] { m.variance[i].sqrt() } else { 1.0 });
    Affine::from_parts(m.mean.iter().copied(), deviation.map(or_one))
}

fn second_moment(m: &Moments) -> Affine {
    let root = m.second_moment().into_iter().map(f64::sqrt).zip(m.min.iter().zip(&m.max));
    let divide = root.map(|(r, (low, high))| if low < high { or_one(r) } else { 1.0 });
    Affine::from_parts(std::iter::repeat(0.0), divide)
}

fn scale01(m: &Moments) -> Affine {
    let range = m.min.iter().zip(&m.max).map(|(low, high)| or_one(high - low));
    Affine::from_parts(m.min.iter().copied(), range)
}

/// A divisor that f32 can bear, or 1 for a constant.
pub(crate) fn or_one(d: f64) -> f64 {
    if d > f64::from(f32::MIN_POSITIVE) { d } else { 1.0 }
}
