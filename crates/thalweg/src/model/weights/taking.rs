//! What of a file of weights is taken: all, what a prefix and patterns leave, and what is none of the model's.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use engine::graph::Slot;
use safetensors::tensor::{Dtype, TensorView};

use super::{Decode, Matched, Mismatch, OPTIMIZER, WeightsError, WeightsFile, compare};
use crate::optim::matches;

/// What is to be taken of a file of weights; the default is all of it.
///
/// ```
/// use thalweg::model::weights::Taking;
/// let taking = Taking { prefix: Some("backbone.".into()), skip: vec!["2.*".into()] };
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taking {
    /// What the names of the tensors to take begin with in the file; it is taken off, and all others are left. None: a
    /// prefix that all names share is found.
    pub prefix: Option<String>,
    /// Names that are not taken, without the prefix; `*` stands for any text. The model's tensors of these
    /// names keep what they have, and those of the file are left.
    pub skip: Vec<String>,
}

impl Taking {
    /// Whether a name is one of those that are not taken.
    fn skips(&self, name: &str) -> bool {
        self.skip.iter().any(|pattern| matches(pattern, name))
    }

    /// The prefix as names have it: with its dot where one is meant.
    fn prefix_in<'a>(&self, names: impl Iterator<Item = &'a str> + Clone) -> Option<String> {
        let told = self.prefix.clone()?;
        let dotted = format!("{told}.");
        let meant = !told.is_empty() && names.clone().any(|name| name.starts_with(&dotted));
        Some(if meant { dotted } else { told })
    }

    /// Checks that every pattern fits a name of the model or of the file.
    fn check_patterns(&self, names: &BTreeSet<&str>, path: &Path) -> Result<(), WeightsError> {
        let fits = |pattern: &String| names.iter().any(|name| matches(pattern, name));
        match self.skip.iter().find(|pattern| !fits(pattern)) {
            None => Ok(()),
            Some(pattern) => Err(WeightsError::Unmatched {
                pattern: pattern.clone(),
                names: names.iter().map(|name| (*name).to_owned()).collect(),
                path: path.to_owned(),
            }),
        }
    }

    /// The keys that a person types for it, such as `init_skip="2.*"`.
    pub(super) fn words(&self) -> String {
        let prefix = self.prefix.iter().map(|prefix| format!("init_prefix=\"{prefix}\""));
        let skip = match &self.skip[..] {
            [] => None,
            [one] => Some(format!("init_skip=\"{one}\"")),
            several => {
                let quoted: Vec<String> = several.iter().map(|pattern| format!("\"{pattern}\"")).collect();
                Some(format!("'init_skip=[{}]'", quoted.join(",")))
            }
        };
        prefix.chain(skip).collect::<Vec<_>>().join(" ")
    }
}

/// First parts of names under which an optimizer, a schedule or a scaler is kept.
const OPTIMIZERS: [&str; 9] = [
    "optimizer",
    "optimizers",
    "optim",
    "optimizer_state",
    "optimizer_states",
    "scheduler",
    "lr_scheduler",
    "scaler",
    "grad_scaler",
];

/// First parts of names under which averaged copies of the weights are kept.
const AVERAGES: [&str; 9] = [
    "ema",
    "ema_model",
    "model_ema",
    "ema_state_dict",
    "state_dict_ema",
    "ema_params",
    "shadow",
    "shadow_params",
    "swa_model",
];

/// Names of counters.
const COUNTERS: [&str; 7] =
    ["step", "epoch", "global_step", "iteration", "num_updates", "n_averaged", "best_metric"];

/// Whether a tensor is none of a model's by its name: a counter, an optimizer's state, a running average of weights.
fn is_extra(name: &str) -> bool {
    let first = name.split('.').next().unwrap_or_default();
    OPTIMIZERS.contains(&first) || AVERAGES.contains(&first) || is_counter(name)
}

/// Whether a tensor counts something.
fn is_counter(name: &str) -> bool {
    name.ends_with("num_batches_tracked") || COUNTERS.contains(&name)
}

/// Patterns that leave out the layers of all names that do not fit; none where these are too many to be meant.
fn patterns(mismatch: &Mismatch) -> Vec<String> {
    const MOST: usize = 6;
    let shapes = mismatch.shapes.iter().map(|(name, ..)| name);
    let types = mismatch.types.iter().map(|(name, _)| name);
    let names = mismatch.missing.iter().chain(&mismatch.unexpected).chain(shapes).chain(types);
    let layer = |name: &String| name.rsplit_once('.').map_or(name.clone(), |(layer, _)| format!("{layer}.*"));
    let all: BTreeSet<String> = names.map(layer).collect();
    if all.len() > MOST { Vec::new() } else { all.into_iter().collect() }
}

/// What of a file fits, and how it is read.
pub(super) struct Fit<'v> {
    pub matched: Matched,
    pub mismatch: Mismatch,
    pub copies: Vec<(usize, &'v Slot, &'v [u8], Decode)>,
}

impl WeightsFile {
    /// What fits and what does not.
    pub(super) fn fit<'v>(
        &self,
        views: &'v BTreeMap<String, TensorView<'v>>,
        slots: &[(usize, &'v Slot)],
        what: &Taking,
    ) -> Result<Fit<'v>, WeightsError> {
        let wanted: BTreeSet<&str> = slots.iter().map(|(_, slot)| slot.name.as_str()).collect();
        let (mut matched, mut found) = self.chosen(views, &wanted, what)?;
        let names: BTreeSet<&str> = found.keys().copied().chain(wanted).collect();
        what.check_patterns(&names, &self.path)?;
        let skipped = found.keys().filter(|name| what.skips(name));
        matched.left.extend(skipped.map(|name| format!("{}{name}", matched.prefix)));
        found.retain(|name, _| !what.skips(name));
        let (mut mismatch, mut copies) = (Mismatch::default(), Vec::new());
        for (set, slot) in slots {
            if what.skips(&slot.name) {
                matched.kept.push(slot.name.clone());
                continue;
            }
            let Some(view) = found.remove(slot.name.as_str()) else {
                mismatch.missing.push(slot.name.clone());
                continue;
            };
            if let Some(decode) = compare(slot, view, &mut mismatch) {
                if view.dtype() != Dtype::F32 {
                    matched.converted.push((slot.name.clone(), view.dtype().to_string()));
                }
                copies.push((*set, *slot, view.data(), decode));
            }
        }
        matched.n_taken = copies.len();
        mismatch.unexpected = found.keys().map(|name| (*name).to_owned()).collect();
        Ok(Fit { matched, mismatch, copies })
    }

    /// The tensors that are a model's, by their names without the prefix; which were left, and which are none.
    fn chosen<'v>(
        &self,
        views: &'v BTreeMap<String, TensorView<'v>>,
        wanted: &BTreeSet<&str>,
        what: &Taking,
    ) -> Result<(Matched, BTreeMap<&'v str, &'v TensorView<'v>>), WeightsError> {
        let mut matched = Matched::default();
        let mut names: Vec<&str> = views.keys().map(String::as_str).collect();
        match what.prefix_in(names.iter().copied()) {
            Some(prefix) => {
                let left = names.iter().filter(|name| !name.starts_with(&prefix));
                matched.left = left.map(|name| (*name).to_owned()).collect();
                if matched.left.len() == names.len() {
                    let first = |name: &&str| name.split_once('.').map(|(first, _)| format!("`{first}.`"));
                    let found: BTreeSet<String> = names.iter().filter_map(first).collect();
                    let (found, path) = (found.into_iter().collect(), self.path.clone());
                    return Err(WeightsError::NoPrefix { prefix, found, path });
                }
                names.retain(|name| name.starts_with(&prefix));
                matched.prefix = prefix;
                names.retain(|name| !is_counter(name));
            }
            None => {
                // whoever asks for an optimizer's state is told of every tensor that is none of it
                let whole = wanted.iter().any(|name| name.starts_with(OPTIMIZER));
                let none = |name: &str| match whole {
                    true => name.ends_with("num_batches_tracked"),
                    false => is_extra(name) || is_counter(name),
                };
                let (own, others): (Vec<&str>, Vec<&str>) =
                    names.iter().partition(|name| wanted.contains(*name) || !none(name));
                if !own.is_empty() {
                    matched.ignored = others.into_iter().map(String::from).collect();
                    names = own;
                }
                matched.prefix = prefix(&names, wanted);
            }
        }
        let found = names.iter().map(|name| (&name[matched.prefix.len()..], &views[*name])).collect();
        Ok((matched, found))
    }

    /// What would take all that fits, where that is anything.
    pub(super) fn cure<'v>(
        &self,
        views: &'v BTreeMap<String, TensorView<'v>>,
        slots: &[(usize, &'v Slot)],
        what: &Taking,
        mismatch: &Mismatch,
        n_taken: usize,
    ) -> Option<Taking> {
        let starts =
            |name: &String| name.match_indices('.').map(|(at, _)| name[..=at].to_owned()).collect::<Vec<_>>();
        let prefixes: BTreeSet<String> = match what.prefix {
            Some(_) => BTreeSet::new(),
            None => views.keys().flat_map(starts).collect(),
        };
        let with = |prefix: String| {
            let what = Taking { prefix: Some(prefix), skip: Vec::new() };
            let fit = self.fit(views, slots, &what).ok()?;
            Some((fit.matched.n_taken, what, fit.mismatch))
        };
        let own = (n_taken, what.clone(), mismatch.clone());
        let best = prefixes.into_iter().filter_map(with).fold(own, |a, b| if b.0 > a.0 { b } else { a });
        let (_, mut cure, mismatch) = best;
        cure.skip.extend(if mismatch.is_empty() { Vec::new() } else { patterns(&mismatch) });
        let fit = self.fit(views, slots, &cure).ok()?;
        (fit.mismatch.is_empty() && fit.matched.n_taken > 0).then_some(cure)
    }
}

/// Leading parts that all names share, `a.b.`, taken off one by one until a wanted name appears.
fn prefix(names: &[&str], wanted: &BTreeSet<&str>) -> String {
    let mut prefix = String::new();
    let Some(first) = names.first() else { return prefix };
    while !names.iter().any(|name| wanted.contains(&name[prefix.len()..])) {
        let Some(dot) = first[prefix.len()..].find('.') else { return String::new() };
        let longer = &first[..prefix.len() + dot + 1];
        if !names.iter().all(|name| name.starts_with(longer)) {
            return String::new();
        }
        prefix = longer.to_owned();
    }
    prefix
}

/// How many names of each kind a run tells at its start.
const FEW: usize = 4;

impl Matched {
    /// What was taken, left and passed over, in words.
    pub fn words(&self) -> String {
        let tensors = |n: usize| if n == 1 { "1 tensor".into() } else { format!("{n} tensors") };
        let quoted = |names: &[String]| {
            let shown: Vec<String> = names.iter().take(FEW).map(|name| format!("`{name}`")).collect();
            let more = names.len().saturating_sub(FEW);
            if more > 0 { format!("{} and {more} more", shown.join(", ")) } else { shown.join(", ") }
        };
        let mut text = match self.kept.len() {
            0 => format!("all {} taken", tensors(self.n_taken)),
            kept => format!(
                "{} of {} taken; {} start from scratch: {}",
                self.n_taken,
                tensors(self.n_taken + kept),
                kept,
                quoted(&self.kept)
            ),
        };
        for (what, names) in [("left in the file", &self.left), ("passed over", &self.ignored)] {
            if !names.is_empty() {
                text += &format!("; {} {what}: {}", names.len(), quoted(names));
            }
        }
        text
    }
}
