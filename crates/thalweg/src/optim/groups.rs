//! Parameter groups, ready: which parameters each has, and whether they fit the model.

use std::sync::Arc;

use super::decay::matches;
use super::{Optimizer, UnmatchedPattern};

/// Parameters with settings of their own; the first group that matches has a parameter.
#[derive(Clone, Debug)]
pub struct Group {
    /// Which parameters, by name.
    pub pattern: String,
    /// Factor of the optimizer's step size.
    pub lr_factor: f64,
    /// Strength of their weight decay, where it is their own.
    pub weight_decay: Option<f64>,
    /// Whether they stay as they are.
    pub freeze: bool,
    /// Their own optimizer.
    pub optimizer: Option<Arc<dyn Optimizer>>,
}

/// Groups that do not fit the model.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GroupError {
    /// A pattern that fits no parameter.
    #[error("`groups`: no parameter is called `{}`; the first of {} names is `{}`", .0.pattern, .0.n_names, .0.first)]
    Unmatched(UnmatchedPattern),
    /// A group all of whose parameters an earlier one has.
    #[error("`groups`: every parameter called `{pattern}` is in an earlier group")]
    Shadowed {
        /// The pattern.
        pattern: String,
    },
    /// Nothing is left to train.
    #[error("`groups` freezes all {n_params} parameters")]
    AllFrozen {
        /// How many there are.
        n_params: usize,
    },
}

impl GroupError {
    /// What to type instead.
    pub fn hint(&self) -> String {
        match self {
            GroupError::Unmatched(error) => error.hint(),
            GroupError::Shadowed { .. } => {
                "put the narrower pattern first: the first group that matches counts".into()
            }
            GroupError::AllFrozen { .. } => {
                "remove `freeze` from one of them; a model can be evaluated without training".into()
            }
        }
    }
}

/// For each parameter the group that it is in.
pub(super) fn assign(groups: &[Group], names: &[&str]) -> Result<Vec<Option<usize>>, GroupError> {
    let of = |name: &&str| groups.iter().position(|g| matches(&g.pattern, name));
    let found: Vec<Option<usize>> = names.iter().map(of).collect();
    if let Some(group) = (0..groups.len()).find(|i| !found.contains(&Some(*i))).map(|i| &groups[i]) {
        let pattern = group.pattern.clone();
        return Err(match names.iter().any(|name| matches(&pattern, name)) {
            true => GroupError::Shadowed { pattern },
            false => {
                let first = names.first().map_or_else(String::new, |name| (*name).into());
                GroupError::Unmatched(UnmatchedPattern { pattern, n_names: names.len(), first })
            }
        });
    }
    let frozen = |group: &Option<usize>| group.is_some_and(|i| groups[i].freeze);
    if !found.is_empty() && found.iter().all(frozen) {
        return Err(GroupError::AllFrozen { n_params: found.len() });
    }
    Ok(found)
}
