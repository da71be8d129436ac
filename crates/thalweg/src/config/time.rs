//! How long work may take: `90s`, `10m`, `1h30m`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::de::{Deserializer, Error};
use serde::{Deserialize, Serialize, Serializer};

/// Units, longest first, in milliseconds.
const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

/// A time that work may take, more than none; written as numbers with units: `1h30m`, `1.5h`, `90s`, `250ms`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Time(pub Duration);

/// A text that is no time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a time, expected numbers with units such as 90s, 10m, 1h30m")]
pub struct TimeError {
    /// The text.
    pub text: String,
}

impl FromStr for Time {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        let wrong = || TimeError { text: text.into() };
        let mut rest = text.trim();
        let mut total = 0.0f64;
        let mut shortest = f64::INFINITY;
        while !rest.is_empty() {
            let digits = rest.find(|c: char| c.is_ascii_alphabetic()).ok_or_else(wrong)?;
            let (number, tail) = rest.split_at(digits);
            let end = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
            let (unit, tail) = tail.split_at(end);
            let size = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, ms)| *ms as f64);
            let size = size.filter(|size| *size < shortest).ok_or_else(wrong)?;
            let plain = !number.is_empty() && number.chars().all(|c| c.is_ascii_digit() || c == '.');
            let n: f64 = number.parse().ok().filter(|_| plain).ok_or_else(wrong)?;
            total += n * size;
            shortest = size;
            rest = tail;
        }
        // a hundred years, which no clock overflows
        match (1.0..=3.2e12).contains(&total) {
            true => Ok(Time(Duration::from_millis(total.round() as u64))),
            false => Err(wrong()),
        }
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut left = u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX);
        for (unit, size) in UNITS {
            let n = left / size;
            left %= size;
            if n > 0 {
                write!(f, "{n}{unit}")?;
            }
        }
        Ok(())
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Time {
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
    fn texts_become_times_and_texts_again() {
        let cases = [("90s", 90_000, "1m30s"), ("10m", 600_000, "10m"), ("1h30m", 5_400_000, "1h30m")];
        let more = [
            ("1.5h", 5_400_000, "1h30m"),
            ("250ms", 250, "250ms"),
            ("1d2h3m4s5ms", 93_784_005, "1d2h3m4s5ms"),
        ];
        for (text, ms, shown) in cases.into_iter().chain(more) {
            let time: Time = text.parse().unwrap();
            assert_eq!((time.0.as_millis(), time.to_string().as_str()), (ms, shown), "{text}");
            assert_eq!(shown.parse(), Ok(time));
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in
            ["", "10", "m", "0s", "-5s", "10x", "5m1h", "5m5m", "1e3s", "infs", "9999999d", "1h 30", "5 %"]
        {
            assert_eq!(text.parse::<Time>(), Err(TimeError { text: text.into() }));
        }
    }
}
