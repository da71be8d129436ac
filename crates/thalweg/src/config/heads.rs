//! Heads of a run: what a model is to tell of a sample, where that is more than one thing.

use serde::de::{Deserializer, Error};
use serde::{Deserialize, Serialize};

use super::declare::fields;
#[cfg(feature = "runs")]
use super::field::Kind;
#[cfg(feature = "runs")]
use super::keys;
use crate::data::TaskKind;
use crate::losses::LossConfig;
#[cfg(feature = "runs")]
use crate::settings::Range;

/// The most heads of a run.
const MOST: usize = 64;

fields! {
    /// One head: a name, its target columns, and its part in the loss.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    pub struct HeadConfig {
        /// stands in the names of its figures, such as `valid_NAME_accuracy`
        pub name: String = String::new() => "\"\"", is Kind::Text;
        /// target columns; the one called as the head
        ///
        /// Several are numbers of one head.
        #[serde(deserialize_with = "one_or_more")]
        pub target: Vec<String> = Vec::new() => "[]", is Kind::Texts;
        /// classes or numbers; told by the targets
        #[serde(skip_serializing_if = "Option::is_none")]
        pub task: Option<TaskKind> = None, example "\"regression\"", is Kind::Words(TaskKind::WORDS);
        /// what training minimizes; cross entropy for classes, mean square for numbers
        pub loss: LossConfig = LossConfig::default() => "\"auto\"", is Kind::Choice(&keys::LOSSES);
        /// factor of its mean loss in the sum
        pub weight: f64 = 1.0, is Kind::Number(Range::AtLeast(0.0));
    }
}

/// `"a"` as `["a"]`.
fn one_or_more<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        One(String),
        More(Vec<String>),
    }
    match Either::deserialize(from).map_err(|_| D::Error::custom("`target` is text, or a list of texts"))? {
        Either::One(name) => Ok(vec![name]),
        Either::More(names) => Ok(names),
    }
}

impl HeadConfig {
    /// The target columns: those that were named, or the one of the head's own name.
    pub fn targets(&self) -> Vec<String> {
        if self.target.is_empty() { vec![self.name.clone()] } else { self.target.clone() }
    }
}

/// What is wrong with a list of heads, in words.
pub(super) fn problem(heads: &[HeadConfig]) -> Option<String> {
    if heads.len() > MOST {
        return Some(format!("{} heads, expected at most {MOST}", heads.len()));
    }
    let good = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    for (i, head) in heads.iter().enumerate() {
        let name = &head.name;
        if name.is_empty() {
            return Some("a head needs the key `name`, such as `name = \"color\"`".into());
        }
        if !name.chars().all(good) {
            return Some(format!(
                "the name \"{}\" must be letters, digits, `_` and `-`",
                name.escape_debug()
            ));
        }
        if heads[..i].iter().any(|other| other.name == *name) {
            return Some(format!("two heads are called `{name}`"));
        }
        if !head.weight.is_finite() || head.weight < 0.0 {
            return Some(format!("the weight of `{name}` is {}, expected 0 or more", head.weight));
        }
        if let Err(error) = head.loss.check() {
            return Some(format!("head `{name}`: {error}"));
        }
    }
    if !heads.is_empty() && heads.iter().all(|head| head.weight == 0.0) {
        return Some("the weight of every head is 0, so nothing would be learned".into());
    }
    None
}
