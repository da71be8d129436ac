//! Which seeds several runs have.

use std::fmt;

use serde::de::{Deserializer, Error, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

/// The most seeds of one list.
const MOST: u64 = 10_000;

/// Which seeds: this many from `seed` on, or those of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Seeds {
    /// `seed`, `seed + 1` and so on, this many.
    Count(u64),
    /// These.
    List(Vec<u64>),
}

impl Seeds {
    /// How many they are.
    pub fn count(&self) -> u64 {
        match self {
            Seeds::Count(n) => *n,
            Seeds::List(seeds) => seeds.len() as u64,
        }
    }

    /// The seeds themselves; `first` is the config's `seed`.
    pub fn all(&self, first: u64) -> Vec<u64> {
        match self {
            Seeds::Count(n) => (0..*n).map(|i| first.saturating_add(i)).collect(),
            Seeds::List(seeds) => seeds.clone(),
        }
    }
}

impl<'de> Deserialize<'de> for Seeds {
    /// A number, a list of numbers, or a text with numbers and commas.
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Seeds;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "how many seeds, 1 to {MOST}, or a list of them such as [0, 1, 2]")
    }

    fn visit_i64<E: Error>(self, n: i64) -> Result<Seeds, E> {
        let wrong = || E::custom(format!("expected how many seeds, from 1 to {MOST}, got {n}"));
        u64::try_from(n).ok().filter(|n| (1..=MOST).contains(n)).map(Seeds::Count).ok_or_else(wrong)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Seeds, E> {
        let numbers = text.split(',').map(|part| part.trim().parse::<i64>());
        let wrong = |_| E::custom(format!("expected seeds such as 3 or 0,1,2, got \"{text}\""));
        list(numbers.collect::<Result<_, _>>().map_err(wrong)?)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Seeds, A::Error> {
        let mut seeds = Vec::new();
        while let Some(seed) = items.next_element::<i64>()? {
            seeds.push(seed);
        }
        list(seeds)
    }
}

fn list<E: Error>(numbers: Vec<i64>) -> Result<Seeds, E> {
    let seeds: Vec<u64> = numbers.iter().filter_map(|n| u64::try_from(*n).ok()).collect();
    let mut sorted = seeds.clone();
    sorted.sort_unstable();
    sorted.dedup();
    match seeds.len() {
        0 => Err(E::custom("expected at least one seed, 0 or more")),
        n if n < numbers.len() => Err(E::custom("a seed is a whole number, 0 or more")),
        n if n as u64 > MOST => Err(E::custom(format!("expected at most {MOST} seeds, got {n}"))),
        n if sorted.len() < n => {
            Err(E::custom("a seed is in the list twice, which would be the same run twice"))
        }
        _ => Ok(Seeds::List(seeds)),
    }
}

#[cfg(test)]
#[cfg(feature = "runs")]
mod tests {
    use super::*;
    use crate::config::RunConfig;

    fn read(word: &str) -> Result<Option<Seeds>, String> {
        let config = RunConfig::load(None, &[word.to_owned()]).map_err(|e| e.to_string())?;
        let again = RunConfig::from_toml(&config.to_toml(), "run.toml".as_ref(), &[]).unwrap();
        assert_eq!(config, again, "{word}");
        Ok(config.seeds)
    }

    #[test]
    fn a_number_counts_and_a_list_names() {
        assert_eq!(read("seeds=3"), Ok(Some(Seeds::Count(3))));
        assert_eq!(read("seeds=[7]"), Ok(Some(Seeds::List(vec![7]))));
        assert_eq!(read("seeds=4,2"), Ok(Some(Seeds::List(vec![4, 2]))));
        assert_eq!(read("seeds=none"), Ok(None));
        assert_eq!(Seeds::Count(3).all(10), [10, 11, 12]);
    }

    #[test]
    fn what_is_no_seed_is_refused() {
        for word in [
            "seeds=0",
            "seeds=-1",
            "seeds=[]",
            "seeds=1,1",
            "seeds=[1,-2]",
            "seeds=many",
            "seeds=1.5",
            "seeds=99999",
        ] {
            let error = read(word).unwrap_err();
            assert!(error.contains("seed"), "{word}: {error}");
        }
    }
}
