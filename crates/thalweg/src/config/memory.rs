//! How many bytes something may take: `256MiB`, `1.5 GB`.

use std::fmt;
use std::str::FromStr;

use serde::de::{Deserializer, Error};
use serde::{Deserialize, Serialize, Serializer};

/// Units as they are written, the largest first. `M` alone is what most programs mean by it, 2²⁰.
const UNITS: [(&str, u64); 13] = [
    ("TiB", 1 << 40),
    ("TB", 1_000_000_000_000),
    ("T", 1 << 40),
    ("GiB", 1 << 30),
    ("GB", 1_000_000_000),
    ("G", 1 << 30),
    ("MiB", 1 << 20),
    ("MB", 1_000_000),
    ("M", 1 << 20),
    ("KiB", 1 << 10),
    ("kB", 1000),
    ("K", 1 << 10),
    ("B", 1),
];

/// The fewest bytes that a run can do with.
const LEAST: f64 = (1u64 << 20) as f64;
/// The most that are meant.
const MOST: f64 = (1u64 << 50) as f64;

/// An amount of memory in bytes, at least 1 MiB; written with a unit: `256MiB`, `1.5GiB`, `2GB`, `512M`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory(pub usize);

/// A text that is no amount of memory.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not an amount of memory, expected a number with its unit, at least 1MiB: 256MiB, 1.5GiB, 2GB"
)]
pub struct MemoryError {
    /// The text.
    pub text: String,
}

impl FromStr for Memory {
    type Err = MemoryError;

    fn from_str(text: &str) -> Result<Self, MemoryError> {
        let wrong = || MemoryError { text: text.into() };
        let plain = text.trim();
        let digits = plain.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(plain.len());
        let (number, unit) = (plain[..digits].trim_end(), &plain[digits..]);
        let size =
            UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit)).map(|(_, size)| *size as f64);
        // a bare number is one of bytes, which nobody means who writes a small one
        let size = if unit.is_empty() { 1.0 } else { size.ok_or_else(wrong)? };
        let is_number = number.chars().all(|c| c.is_ascii_digit() || c == '.');
        let n: f64 = number.parse().ok().filter(|_| is_number).ok_or_else(wrong)?;
        let bytes = (n * size).round();
        if (LEAST..=MOST).contains(&bytes) { Ok(Memory(bytes as usize)) } else { Err(wrong()) }
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.0 as u64;
        let exact = UNITS
            .iter()
            .filter(|(name, _)| name.ends_with('B'))
            .find(|(_, size)| bytes.is_multiple_of(*size));
        let (name, size) = exact.copied().unwrap_or(("B", 1));
        write!(f, "{}{name}", bytes / size)
    }
}

impl Serialize for Memory {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Memory {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(from)?;
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_become_bytes_and_texts_again() {
        for (text, bytes, shown) in [
            ("256MiB", 256 << 20, "256MiB"),
            ("256 mib", 256 << 20, "256MiB"),
            ("256M", 256 << 20, "256MiB"),
            ("1.5GiB", 1536 << 20, "1536MiB"),
            ("2GB", 2_000_000_000, "2GB"),
            ("1g", 1 << 30, "1GiB"),
            ("1048576", 1 << 20, "1MiB"),
            ("1048577B", (1 << 20) + 1, "1048577B"),
            (" 2048 KiB ", 2 << 20, "2MiB"),
        ] {
            let memory: Memory = text.parse().unwrap();
            assert_eq!((memory.0, memory.to_string().as_str()), (bytes, shown), "{text}");
            assert_eq!(shown.parse(), Ok(memory));
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in
            ["", "256", "MiB", "-1GiB", "1e9", "10x", "1 2GB", "0GB", "1KiB", "all", "99999TB", "50%", "."]
        {
            assert_eq!(text.parse::<Memory>(), Err(MemoryError { text: text.into() }));
        }
    }
}
