//! Parameter groups: settings of their own for parameters whose names match a pattern.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::decay::matches;
use super::{OptimConfig, Optimizer, UnmatchedPattern};
use crate::registry::{Entry, Key, OutOfRange, Range};

/// A group as a config has it: `{ match = "*.bias", lr_factor = 0.1 }`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupConfig {
    /// Which parameters, by name; `*` stands for any text. The first group that matches has the parameter.
    #[serde(rename = "match")]
    pub pattern: String,
    /// Factor of the optimizer's `lr`; 1.
    #[serde(default = "one")]
    pub lr_factor: f64,
    /// Strength of the weight decay of all of these parameters, whatever `decay_on` says; as elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight_decay: Option<f64>,
    /// Whether they stay as they are; false.
    #[serde(default)]
    pub freeze: bool,
    /// Their own optimizer; the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub optimizer: Option<OptimConfig>,
}

fn one() -> f64 {
    1.0
}

const NUMBERS: Entry = Entry {
    name: "groups",
    summary: "",
    formula: "",
    source: "",
    keys: &[
        Key { name: "lr_factor", default: "1.0", unit: "", range: Range::AtLeast(0.0), help: "" },
        Key { name: "weight_decay", default: "0.0", unit: "", range: Range::AtLeast(0.0), help: "" },
    ],
};

impl GroupConfig {
    /// Parameters that match, with no setting of their own yet.
    pub fn new(pattern: impl Into<String>) -> Self {
        let pattern = pattern.into();
        GroupConfig { pattern, lr_factor: 1.0, weight_decay: None, freeze: false, optimizer: None }
    }

    /// Checks every number and makes the optimizer.
    ///
    /// # Errors
    /// Names the first key whose value is not allowed.
    pub fn build(&self) -> Result<Group, OutOfRange> {
        NUMBERS.check("lr_factor", self.lr_factor)?;
        self.weight_decay.map_or(Ok(()), |decay| NUMBERS.check("weight_decay", decay))?;
        let optimizer = self.optimizer.as_ref().map(OptimConfig::build).transpose()?;
        Ok(Group {
            pattern: self.pattern.clone(),
            lr_factor: self.lr_factor,
            weight_decay: self.weight_decay,
            freeze: self.freeze,
            optimizer: optimizer.map(Arc::from),
        })
    }
}

/// A group, ready: see [`GroupConfig`].
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
                "leave `freeze` out of one of them; measuring a model takes no training".into()
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
