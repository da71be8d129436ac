//! Lengths of training: in epochs, in steps, or as a share of the run.

use serde::de::{Deserializer, Error, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// How long a run is; turns a [`Span`] into steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunLength {
    /// Updates in one epoch.
    pub steps_per_epoch: u64,
    /// Updates in the whole run.
    pub n_steps: u64,
}

/// A length of training, as text `"10ep"`, `"500st"`, `"0.1dur"`; a plain number means epochs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Span {
    /// Passes over the training data; may be a fraction.
    Epochs(f64),
    /// Updates.
    Steps(u64),
    /// Share of the whole run, 0 to 1.
    Share(f64),
}

/// A text that is no length.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not a length of training, expected epochs (\"10ep\" or 10), steps (\"500st\") or a share of the run from 0 to 1 (\"0.1dur\")"
)]
pub struct SpanError {
    /// The text.
    pub text: String,
}

impl Span {
    /// The length in updates, rounded to the nearest.
    pub fn steps(self, run: RunLength) -> u64 {
        match self {
            Span::Epochs(n) => (n * run.steps_per_epoch as f64).round() as u64,
            Span::Steps(n) => n,
            Span::Share(share) => (share * run.n_steps as f64).round() as u64,
        }
    }
}

impl FromStr for Span {
    type Err = SpanError;
    fn from_str(text: &str) -> Result<Self, SpanError> {
        let number = |digits: &str| digits.trim().parse::<f64>().ok().filter(|x| x.is_finite() && *x >= 0.0);
        let trimmed = text.trim();
        let span = if let Some(n) = trimmed.strip_suffix("ep") {
            number(n).map(Span::Epochs)
        } else if let Some(n) = trimmed.strip_suffix("st") {
            n.trim().parse().ok().map(Span::Steps)
        } else if let Some(n) = trimmed.strip_suffix("dur") {
            number(n).filter(|share| *share <= 1.0).map(Span::Share)
        } else {
            number(trimmed).map(Span::Epochs)
        };
        span.ok_or_else(|| SpanError { text: text.into() })
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Span::Epochs(n) => write!(f, "{n}ep"),
            Span::Steps(n) => write!(f, "{n}st"),
            Span::Share(share) => write!(f, "{share}dur"),
        }
    }
}

settings::unranged! { Span }

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Span;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a length such as \"10ep\", \"500st\", \"0.1dur\", or a number of epochs")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Span, E> {
                text.parse().map_err(E::custom)
            }
            fn visit_f64<E: Error>(self, n: f64) -> Result<Span, E> {
                n.to_string().parse().map_err(E::custom)
            }
            fn visit_u64<E: Error>(self, n: u64) -> Result<Span, E> {
                self.visit_f64(n as f64)
            }
            fn visit_i64<E: Error>(self, n: i64) -> Result<Span, E> {
                self.visit_f64(n as f64)
            }
        }
        from.deserialize_any(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_become_steps_and_texts_again() {
        let run = RunLength { steps_per_epoch: 7, n_steps: 105 };
        let cases = [("10ep", 70), ("0.5ep", 4), ("500st", 500), ("0.1dur", 11), ("1dur", 105), ("0st", 0)];
        for (text, n_steps) in cases {
            let span: Span = text.parse().unwrap();
            assert_eq!(span.steps(run), n_steps, "{text}");
            assert_eq!(span.to_string(), text);
        }
        assert_eq!("3".parse(), Ok(Span::Epochs(3.0)));
        assert_eq!(serde_json::from_str::<Span>("2.5").unwrap(), Span::Epochs(2.5));
        assert_eq!(serde_json::from_str::<Span>("2").unwrap(), Span::Epochs(2.0));
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "ep", "-1ep", "1.5st", "1.1dur", "NaNep", "infep", "5 s", "epochs"] {
            assert_eq!(text.parse::<Span>(), Err(SpanError { text: text.into() }));
        }
        assert!(serde_json::from_str::<Span>("-1").is_err());
    }
}
