//! Parameter groups of a run: settings of their own for parameters whose names match a pattern.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::declare::fields;
#[cfg(feature = "runs")]
use super::field::Kind;
#[cfg(feature = "runs")]
use super::keys;
use crate::optim::{Group, OptimConfig};
use crate::registry::{OutOfRange, Range};

/// What both numbers of a group may be.
const NUMBER: Range = Range::AtLeast(0.0);

fields! {
    /// A group: `{ match = "*.bias", lr_factor = 0.1 }`. The first group that matches has the parameter.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    pub struct GroupConfig {
        /// which parameters, by name; `*` stands for any text
        pub r#match: String = String::new() => "\"\"", is Kind::Text;
        /// factor of the optimizer's `lr`
        pub lr_factor: f64 = 1.0, is Kind::Number(NUMBER);
        /// strength of the weight decay of all of these parameters, whatever `decay_on` says; as elsewhere
        #[serde(skip_serializing_if = "Option::is_none")]
        pub weight_decay: Option<f64> = None, example "0.0", is Kind::Number(NUMBER);
        /// whether they stay as they are
        pub freeze: bool = false, is Kind::Switch;
        /// their own optimizer; the same
        #[serde(skip_serializing_if = "Option::is_none")]
        pub optimizer: Option<OptimConfig> = None, example "\"adam\"", is Kind::Choice(&keys::OPTIMIZERS);
    }
}

impl GroupConfig {
    /// Parameters that match, with no setting of their own yet.
    pub fn new(pattern: impl Into<String>) -> Self {
        GroupConfig { r#match: pattern.into(), ..GroupConfig::default() }
    }

    /// Checks every number and makes the optimizer.
    ///
    /// # Errors
    /// Names the first key whose value is not allowed.
    pub fn build(&self) -> Result<Group, OutOfRange> {
        let check = |key, value, default| match NUMBER.allows(value) {
            true => Ok(()),
            false => Err(OutOfRange { of: "groups", key, value, allowed: NUMBER, default }),
        };
        check("lr_factor", self.lr_factor, "1.0")?;
        self.weight_decay.map_or(Ok(()), |decay| check("weight_decay", decay, ""))?;
        let optimizer = self.optimizer.as_ref().map(OptimConfig::build).transpose()?;
        Ok(Group {
            pattern: self.r#match.clone(),
            lr_factor: self.lr_factor,
            weight_decay: self.weight_decay,
            freeze: self.freeze,
            optimizer: optimizer.map(Arc::from),
        })
    }
}

/// What is wrong with a list of groups, in words.
#[cfg(feature = "runs")]
pub(super) fn problem(groups: &[GroupConfig]) -> Option<String> {
    if groups.iter().any(|group| group.r#match.is_empty()) {
        return Some("a group needs the key `match`, such as `match = \"*.bias\"`".into());
    }
    groups.iter().find_map(|group| group.build().err()).map(|error| error.to_string())
}
