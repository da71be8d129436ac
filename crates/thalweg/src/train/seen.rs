//! Whether samples to be measured are those that a model was trained on.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::prepared::Prepared;
use super::settings::with_commas;
use crate::data::{Dataset, Values};

/// The samples that made a model: those that it was trained on, and those that chose its best epoch.
pub(super) struct Seen {
    train: HashSet<u64>,
    valid: HashSet<u64>,
    /// the share of the run's own test part that is equal to a training sample, as happens in tables of few values
    usual: f64,
    with_targets: bool,
}

impl Seen {
    /// Of a run's own data; samples of several heads are compared by their inputs.
    pub fn of(prepared: &Prepared) -> Self {
        let with_targets = prepared.reading.heads.is_empty();
        let (set, splits) = (&prepared.set, &prepared.splits);
        let hashes =
            |part: &[u32]| part.iter().map(|i| hash(set, *i, with_targets)).collect::<HashSet<u64>>();
        let train = hashes(&splits.train);
        let of_test = splits.test.iter().filter(|i| train.contains(&hash(set, **i, with_targets))).count();
        let usual = of_test as f64 / splits.test.len().max(1) as f64;
        Seen { valid: hashes(&splits.valid), train, usual, with_targets }
    }

    /// What is said of samples of a set, where more of them were trained on than chance explains.
    pub fn warning(&self, set: &Dataset, samples: &[u32]) -> Option<String> {
        let hashes: Vec<u64> = samples.iter().map(|i| hash(set, *i, self.with_targets)).collect();
        let trained = hashes.iter().filter(|hash| self.train.contains(hash)).count();
        let chose =
            hashes.iter().filter(|hash| self.valid.contains(hash) && !self.train.contains(hash)).count();
        let known = trained as f64 > 2.0 * self.usual * samples.len() as f64;
        let n = with_commas(samples.len());
        let chose = match chose {
            0 => String::new(),
            chose => format!(", and {} chose the best epoch", with_commas(chose)),
        };
        let trained = with_commas(trained);
        known.then(|| format!("the model was trained on {trained} of these {n} samples{chose}: {NOT_NEW}"))
    }
}

/// What figures of training samples are not.
const NOT_NEW: &str = "the figures do not show how it does on new data";

/// What is said of the training data themselves, where they can only be told as a whole.
pub(super) fn same_data() -> String {
    format!("the model was trained on these data: {NOT_NEW}")
}

fn hash(set: &Dataset, sample: u32, with_targets: bool) -> u64 {
    let row = |width: usize| sample as usize * width..(sample as usize + 1) * width;
    let width = set.input_shape.iter().product();
    let mut hasher = DefaultHasher::new();
    match &set.inputs {
        Values::F32(values) => values[row(width)].iter().for_each(|x| x.to_bits().hash(&mut hasher)),
        Values::U8(bytes) => bytes[row(width)].hash(&mut hasher),
    }
    if with_targets {
        set.targets[row(set.n_targets())].iter().for_each(|y| y.to_bits().hash(&mut hasher));
    }
    hasher.finish()
}
