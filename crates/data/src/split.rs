//! Training, validation and test parts: fractions or counts, stratified, k-fold, the same for the same seed.

use std::collections::BTreeMap;

use kernels::rng::{Purpose, Rng};
use serde::{Deserialize, Serialize};

use super::{DataError, Dataset, Task};

/// Sample indices of each part, ascending.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Splits {
    /// To train on.
    pub train: Vec<u32>,
    /// To watch and to choose by.
    pub valid: Vec<u32>,
    /// To report, once.
    pub test: Vec<u32>,
    /// Remarks for the user, such as classes too small to be in every part.
    pub warnings: Vec<String>,
}

/// How much a part gets; in a config a number below 1 is a fraction, another one a count.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub enum Share {
    /// A fraction of all samples, 0 to 1.
    Fraction(f64),
    /// A number of samples.
    Count(usize),
}

/// How to split. The default: 10 % for validation, 20 % for testing, by class for classes, seed 0.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SplitOptions {
    /// Validation part; not used where the source has its own.
    pub valid: Share,
    /// Test part; not used where the source has its own.
    pub test: Share,
    /// Whether each part gets its share of each class. Default: yes for classes; numbers are never stratified.
    pub stratify: Option<bool>,
    /// Which of the many splits.
    pub seed: u64,
}

impl Default for SplitOptions {
    fn default() -> Self {
        SplitOptions { valid: Share::Fraction(0.1), test: Share::Fraction(0.2), stratify: None, seed: 0 }
    }
}

impl TryFrom<f64> for Share {
    type Error = String;
    fn try_from(x: f64) -> Result<Share, String> {
        match x {
            _ if (0.0..1.0).contains(&x) => Ok(Share::Fraction(x)),
            _ if x >= 1.0 && x.fract() == 0.0 && x < 4e9 => Ok(Share::Count(x as usize)),
            _ => Err(format!("expected a fraction from 0 to 1 or a whole number of samples, got {x}")),
        }
    }
}

impl From<Share> for f64 {
    fn from(share: Share) -> f64 {
        match share {
            Share::Fraction(f) => f,
            Share::Count(n) => n as f64,
        }
    }
}

impl Share {
    fn of(self, n: usize) -> usize {
        match self {
            Share::Fraction(f) => (f * n as f64).round() as usize,
            Share::Count(count) => count,
        }
    }
}

/// Splits a data set; parts that the source sets aside itself are kept, and fractions are then of the rest.
///
/// # Errors
/// [`DataError::Split`] if nothing is left to train on.
pub fn split(set: &Dataset, options: &SplitOptions) -> Result<Splits, DataError> {
    let (mut rest, fixed_valid, fixed_test) = fixed_parts(set);
    let n = rest.len();
    let n_test = if set.fixed_test.is_some() { 0 } else { options.test.of(n) };
    let n_valid = if set.fixed_valid.is_some() { 0 } else { options.valid.of(n) };
    if n_test.saturating_add(n_valid) >= n {
        let left = n as i64 - n_test as i64 - n_valid as i64;
        return Err(DataError::Split { n, valid: n_valid, test: n_test, left });
    }
    let mut splits = Splits { valid: fixed_valid, test: fixed_test, ..Splits::default() };
    if n_test > 0 {
        (splits.test, rest) = take(set, options, rest, n_test, Rng::new(options.seed, Purpose::Split, 0, 0));
    }
    if n_valid > 0 {
        (splits.valid, rest) =
            take(set, options, rest, n_valid, Rng::new(options.seed, Purpose::Split, 1, 0));
    }
    if rest.is_empty() {
        let (n_valid, n_test) = (splits.valid.len(), splits.test.len());
        return Err(DataError::Split { n, valid: n_valid, test: n_test, left: 0 });
    }
    splits.train = rest;
    splits.warnings = warnings(set, &splits);
    Ok(splits)
}

/// The `k` splits of cross-validation: part `i` is the test part of split `i`, and `options.valid` is taken from the
/// rest of each. A test part of the source's own stays out of all of them.
///
/// # Errors
/// [`DataError::BadOption`] if `k` is below 2 or above the number of samples; [`DataError::Split`] as in [`split`].
pub fn folds(set: &Dataset, k: usize, options: &SplitOptions) -> Result<Vec<Splits>, DataError> {
    let (all, _, _) = fixed_parts(set);
    let n = all.len();
    if k < 2 || k > n {
        let expected = format!("2 to {n}, the number of samples");
        return Err(DataError::BadOption { option: "folds", value: k.to_string(), expected });
    }
    let rng = Rng::new(options.seed, Purpose::Split, 2, 0);
    let mut parts = vec![Vec::new(); k];
    if set.times.is_some() {
        let expected = "nothing beside `data.time`: a fold would be predicted from what came after it".into();
        return Err(DataError::BadOption { option: "folds", value: k.to_string(), expected });
    }
    if let Some(groups) = &set.groups {
        let mut kin = kin(groups, &all, rng);
        if kin.len() < k {
            let expected = format!("2 to {}, the number of groups", kin.len());
            return Err(DataError::BadOption { option: "folds", value: k.to_string(), expected });
        }
        // the largest first, each to the part that has the fewest samples so far
        kin.sort_by_key(|group| std::cmp::Reverse(group.len()));
        for group in kin {
            let least = (0..k).min_by_key(|i| parts[*i].len()).unwrap_or(0);
            parts[least].extend(group);
        }
        return (0..k).map(|i| one_fold(set, &parts, i, options)).collect();
    }
    let mixed = classes(set, options, &all).into_iter().flat_map(|group| shuffled(group, rng));
    mixed.enumerate().for_each(|(i, sample)| parts[i % k].push(sample));
    (0..k).map(|i| one_fold(set, &parts, i, options)).collect()
}

fn one_fold(
    set: &Dataset,
    parts: &[Vec<u32>],
    i: usize,
    options: &SplitOptions,
) -> Result<Splits, DataError> {
    let mut rest: Vec<u32> = (0..parts.len()).filter(|j| *j != i).flat_map(|j| parts[j].clone()).collect();
    rest.sort_unstable();
    let mut splits = Splits { test: parts[i].clone(), ..Splits::default() };
    splits.test.sort_unstable();
    let n_valid = options.valid.of(rest.len());
    if n_valid >= rest.len() {
        let (n, test) = (rest.len() + splits.test.len(), splits.test.len());
        return Err(DataError::Split { n, valid: n_valid, test, left: rest.len() as i64 - n_valid as i64 });
    }
    if n_valid > 0 {
        let rng = Rng::new(options.seed, Purpose::Split, 1, i as u64 + 1);
        (splits.valid, rest) = take(set, options, rest, n_valid, rng);
    }
    splits.train = rest;
    splits.warnings = warnings(set, &splits);
    Ok(splits)
}

/// Takes `count` samples as the set asks for it: the latest ones, whole groups (as near to the count as they come), or
/// each class its share; gives what was taken and what is left.
fn take(
    set: &Dataset,
    options: &SplitOptions,
    rest: Vec<u32>,
    count: usize,
    rng: Rng,
) -> (Vec<u32>, Vec<u32>) {
    if let Some(times) = &set.times {
        let mut by_time = rest;
        by_time.sort_by(|a, b| times[*a as usize].total_cmp(&times[*b as usize]).then(a.cmp(b)));
        let mut taken = by_time.split_off(by_time.len() - count);
        taken.sort_unstable();
        by_time.sort_unstable();
        return (taken, by_time);
    }
    let Some(groups) = &set.groups else { return draw(classes(set, options, &rest), count, rng) };
    let (mut taken, mut left) = (Vec::new(), Vec::new());
    for group in kin(groups, &rest, rng) {
        let fits = taken.len() + group.len().div_ceil(2) <= count;
        if fits { &mut taken } else { &mut left }.extend(group);
    }
    taken.sort_unstable();
    left.sort_unstable();
    (taken, left)
}

/// The samples of each group, groups in random order.
fn kin(groups: &[u32], indices: &[u32], rng: Rng) -> Vec<Vec<u32>> {
    let mut by_group: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    indices.iter().for_each(|i| by_group.entry(groups[*i as usize]).or_default().push(*i));
    let mut order: Vec<u32> = by_group.keys().copied().collect();
    rng.shuffle(&mut order, 0);
    order.iter().filter_map(|group| by_group.remove(group)).collect()
}

/// Samples that are free, and the source's own validation and test parts.
fn fixed_parts(set: &Dataset) -> (Vec<u32>, Vec<u32>, Vec<u32>) {
    let has =
        |range: &Option<std::ops::Range<usize>>, i: usize| range.as_ref().is_some_and(|r| r.contains(&i));
    let (mut rest, mut valid, mut test) = (Vec::with_capacity(set.len()), Vec::new(), Vec::new());
    for i in 0..set.len() {
        let part = match () {
            () if has(&set.fixed_test, i) => &mut test,
            () if has(&set.fixed_valid, i) => &mut valid,
            () => &mut rest,
        };
        part.push(i as u32);
    }
    (rest, valid, test)
}

/// The samples of each class, or all in one group.
fn classes(set: &Dataset, options: &SplitOptions, indices: &[u32]) -> Vec<Vec<u32>> {
    match set.n_classes() {
        Some(n_classes) if options.stratify.unwrap_or(true) => {
            let mut groups = vec![Vec::new(); n_classes];
            indices.iter().for_each(|&i| groups[set.targets[i as usize] as usize].push(i));
            groups
        }
        _ => vec![indices.to_vec()],
    }
}

/// Takes `count` samples, each group its share (largest remainders first); gives what was taken and what is left.
fn draw(groups: Vec<Vec<u32>>, count: usize, rng: Rng) -> (Vec<u32>, Vec<u32>) {
    let sizes: Vec<usize> = groups.iter().map(Vec::len).collect();
    let shares = apportion(&sizes, count);
    let (mut taken, mut left) = (Vec::with_capacity(count), Vec::new());
    for (group, share) in groups.into_iter().zip(shares) {
        let mixed = shuffled(group, rng);
        taken.extend_from_slice(&mixed[..share]);
        left.extend_from_slice(&mixed[share..]);
    }
    taken.sort_unstable();
    left.sort_unstable();
    (taken, left)
}

/// Divides `count` in proportion to `sizes` by largest remainders; ties go to the first.
fn apportion(sizes: &[usize], count: usize) -> Vec<usize> {
    let total = sizes.iter().sum::<usize>().max(1) as u128;
    let exact = |size: usize| size as u128 * count as u128;
    let mut shares: Vec<usize> = sizes.iter().map(|&s| (exact(s) / total) as usize).collect();
    let mut by_remainder: Vec<usize> = (0..sizes.len()).collect();
    by_remainder.sort_by_key(|&i| (std::cmp::Reverse(exact(sizes[i]) % total), i));
    let missing = count - shares.iter().sum::<usize>();
    by_remainder.iter().take(missing).for_each(|&i| shares[i] += 1);
    shares
}

/// A group in random order. The order depends on the group's first sample too, so that groups are independent.
fn shuffled(mut group: Vec<u32>, rng: Rng) -> Vec<u32> {
    let first = u64::from(group.first().copied().unwrap_or(0));
    rng.shuffle(&mut group, first << 32);
    group
}

/// What the data lost, and classes that some part lacks.
fn warnings(set: &Dataset, splits: &Splits) -> Vec<String> {
    let mut warnings = set.warnings.clone();
    let Task::Classification { classes } = &set.task else { return warnings };
    if let [one] = &classes[..] {
        warnings.push(format!("there is only one class, `{one}`: nothing to tell apart"));
    }
    for (part, indices) in
        [("training", &splits.train), ("validation", &splits.valid), ("test", &splits.test)]
    {
        let counts = set.class_counts(indices.iter().map(|&i| i as usize));
        let lacking: Vec<&str> =
            classes.iter().zip(&counts).filter(|(_, n)| **n == 0).map(|(c, _)| &c[..]).collect();
        if !indices.is_empty() && !lacking.is_empty() {
            let names = lacking.iter().take(5).map(|c| format!("`{c}`")).collect::<Vec<_>>().join(", ");
            let more =
                if lacking.len() > 5 { format!(" and {} more", lacking.len() - 5) } else { String::new() };
            warnings.push(format!("the {part} part has no sample of class {names}{more}"));
        }
    }
    warnings
}
