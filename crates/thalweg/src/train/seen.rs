//! Whether samples to be measured are those that a model was trained on.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::prepared::Prepared;
use super::settings::with_commas;
use crate::data::{Affine, DataError, Dataset};

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
    ///
    /// # Errors
    /// What keeps samples from being read.
    pub fn of(prepared: &Prepared) -> Result<Self, DataError> {
        let with_targets = prepared.reading.heads.is_empty();
        let (set, splits) = (&prepared.set, &prepared.splits);
        let of = |part: &[u32]| hashes(set, part, with_targets);
        let train: HashSet<u64> = of(&splits.train)?.into_iter().collect();
        let of_test = of(&splits.test)?.iter().filter(|hash| train.contains(hash)).count();
        let usual = of_test as f64 / splits.test.len().max(1) as f64;
        Ok(Seen { valid: of(&splits.valid)?.into_iter().collect(), train, usual, with_targets })
    }

    /// What is said of samples of a set, where more of them were trained on than chance explains.
    ///
    /// # Errors
    /// What keeps samples from being read.
    pub fn warning(&self, set: &Dataset, samples: &[u32]) -> Result<Option<String>, DataError> {
        let hashes = hashes(set, samples, self.with_targets)?;
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
        Ok(known
            .then(|| format!("the model was trained on {trained} of these {n} samples{chose}: {NOT_NEW}")))
    }
}

/// What figures of training samples are not.
const NOT_NEW: &str = "the figures do not show how it does on new data";

/// What is said of the training data themselves, where they can only be told as a whole.
pub(super) fn same_data() -> String {
    format!("the model was trained on these data: {NOT_NEW}")
}

/// Samples that are read at a time.
const AT_A_TIME: usize = 256;

/// A hash of each sample as a model sees it.
fn hashes(set: &Dataset, samples: &[u32], with_targets: bool) -> Result<Vec<u64>, DataError> {
    let width = set.input_shape.iter().product::<usize>();
    let mut inputs = vec![0.0; AT_A_TIME.min(samples.len()) * width];
    let mut hashes = Vec::with_capacity(samples.len());
    for samples in samples.chunks(AT_A_TIME) {
        let inputs = &mut inputs[..samples.len() * width];
        set.make_ready(samples, &[])?;
        set.gather(samples, &Affine::identity(), inputs)?;
        for (sample, row) in samples.iter().zip(inputs.chunks_exact(width.max(1))) {
            let mut hasher = DefaultHasher::new();
            row.iter().for_each(|x| x.to_bits().hash(&mut hasher));
            if with_targets {
                let target = &set.targets[*sample as usize * set.n_targets()..][..set.n_targets()];
                target.iter().for_each(|y| y.to_bits().hash(&mut hasher));
            }
            hashes.push(hasher.finish());
        }
    }
    Ok(hashes)
}
