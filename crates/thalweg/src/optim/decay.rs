//! Weight decay: its two kinds, and the rule that says which parameters decay.

use serde::de::{Deserializer, Error, SeqAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use settings::{Range, unranged, words};
use std::fmt;

words! {
    /// How the decay acts. The same for plain gradient descent; different as soon as an optimizer averages or rescales.
    pub enum Decay {
        /// The gradient of ½λ‖θ‖² joins the loss's: g ← g + λθ, after clipping. (With a penalty λ‖θ‖², as some texts
        /// write, the same shrinking needs half the λ.)
        L2 = "l2",
        /// θ ← (1 − αλ)θ beside the step.
        Decoupled = "decoupled",
    }
}

/// Which parameters decay.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum DecayRule {
    /// Those with two dimensions or more: weights, and neither biases nor norm gains. The default (PyTorch: all).
    #[default]
    Weights,
    /// All.
    All,
    /// Those whose name matches one of the patterns; `*` stands for any text. An empty list means none.
    Matching(Vec<String>),
}

/// A pattern that fits no parameter: nearly always a spelling mistake.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`decay_on`: no parameter is called `{pattern}`; the first of {n_names} names is `{first}`")]
pub struct UnmatchedPattern {
    /// The pattern.
    pub pattern: String,
    /// How many parameters there are.
    pub n_names: usize,
    /// The first parameter's name.
    pub first: String,
}

impl UnmatchedPattern {
    /// What to type instead.
    pub fn hint(&self) -> String {
        "write the whole name of a parameter, or `*` for the part that may vary, as in `\"*.weight\"`".into()
    }
}

unranged! { DecayRule }

impl DecayRule {
    /// What it may be, in words.
    pub(super) const RANGE: Range = Range::Other(
        "`weights` (not biases, not norm gains), `all`, `none`, or a list of name patterns with `*`",
    );

    /// Whether a parameter of this name and number of dimensions decays.
    pub fn decays(&self, name: &str, n_dims: usize) -> bool {
        match self {
            DecayRule::Weights => n_dims >= 2,
            DecayRule::All => true,
            DecayRule::Matching(patterns) => patterns.iter().any(|p| matches(p, name)),
        }
    }

    /// For each parameter (name, number of dimensions) whether it decays.
    ///
    /// # Errors
    /// When a pattern fits no parameter.
    pub fn apply(&self, params: &[(&str, usize)]) -> Result<Vec<bool>, UnmatchedPattern> {
        if let DecayRule::Matching(patterns) = self
            && let Some(pattern) = patterns.iter().find(|p| !params.iter().any(|(name, _)| matches(p, name)))
        {
            let first = params.first().map_or_else(String::new, |(name, _)| (*name).into());
            return Err(UnmatchedPattern { pattern: pattern.clone(), n_names: params.len(), first });
        }
        Ok(params.iter().map(|(name, n_dims)| self.decays(name, *n_dims)).collect())
    }

    /// Names of the parameters that decay, to show to a person.
    pub fn names<'a>(&self, params: &[(&'a str, usize)]) -> Vec<&'a str> {
        params.iter().filter(|(name, n_dims)| self.decays(name, *n_dims)).map(|(name, _)| *name).collect()
    }
}

/// Whether the pattern covers the whole name.
pub(crate) fn matches(pattern: &str, name: &str) -> bool {
    let Some((head, tail)) = pattern.split_once('*') else { return pattern == name };
    let Some(rest) = name.strip_prefix(head) else { return false };
    let ends = rest.char_indices().map(|(i, _)| i).chain([rest.len()]);
    ends.into_iter().any(|i| matches(tail, &rest[i..]))
}

impl Serialize for DecayRule {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            DecayRule::Weights => to.serialize_str("weights"),
            DecayRule::All => to.serialize_str("all"),
            DecayRule::Matching(patterns) if patterns.is_empty() => to.serialize_str("none"),
            DecayRule::Matching(patterns) => patterns.serialize(to),
        }
    }
}

impl<'de> Deserialize<'de> for DecayRule {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Rule;
        impl<'de> Visitor<'de> for Rule {
            type Value = DecayRule;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`weights`, `all`, `none` or a list of name patterns such as [\"*.weight\"]")
            }
            fn visit_str<E: Error>(self, word: &str) -> Result<DecayRule, E> {
                match word {
                    "weights" => Ok(DecayRule::Weights),
                    "all" => Ok(DecayRule::All),
                    "none" => Ok(DecayRule::Matching(Vec::new())),
                    _ => Err(E::invalid_value(serde::de::Unexpected::Str(word), &self)),
                }
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<DecayRule, A::Error> {
                let mut patterns = Vec::new();
                while let Some(pattern) = seq.next_element()? {
                    patterns.push(pattern);
                }
                Ok(DecayRule::Matching(patterns))
            }
        }
        from.deserialize_any(Rule)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_cover_whole_names() {
        let yes = [
            ("*", ""),
            ("*", "a.b"),
            ("a.*", "a."),
            ("*.weight", "fc.1.weight"),
            ("a*b*c", "a.b.b.c"),
            ("ü*", "üb"),
        ];
        let no = [("a", "ab"), ("*.weight", "weight"), ("a*b*c", "acb"), ("", "a"), ("a*", "ba")];
        assert!(yes.iter().all(|(p, n)| matches(p, n)));
        assert!(!no.iter().any(|(p, n)| matches(p, n)));
    }

    #[test]
    fn the_default_spares_biases_and_gains() {
        let params = [("fc.weight", 2), ("fc.bias", 1), ("conv.weight", 4), ("norm.weight", 1), ("scale", 0)];
        assert_eq!(DecayRule::default().names(&params), ["fc.weight", "conv.weight"]);
        assert_eq!(DecayRule::All.names(&params).len(), 5);
        let rule = DecayRule::Matching(vec!["*.bias".into(), "scale".into()]);
        assert_eq!(rule.apply(&params), Ok(vec![false, true, false, false, true]));
        let wrong = DecayRule::Matching(vec!["*.wieght".into()]).apply(&params).unwrap_err();
        assert_eq!(
            wrong.to_string(),
            "`decay_on`: no parameter is called `*.wieght`; the first of 5 names is `fc.weight`"
        );
    }
}
