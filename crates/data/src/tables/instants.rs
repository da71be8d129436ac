//! Dates and times of typed files as the texts that `dates` reads.

/// Seconds of a day.
const DAY: i128 = 86_400;

/// Units in a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Second,
    Milli,
    Micro,
    Nano,
}

impl Unit {
    fn in_second(self) -> i128 {
        match self {
            Unit::Second => 1,
            Unit::Milli => 1_000,
            Unit::Micro => 1_000_000,
            Unit::Nano => 1_000_000_000,
        }
    }
}

/// A day, counted from 1970-01-01.
pub(crate) fn date(days: i64) -> String {
    let (year, month, day) = civil(days);
    format!("{year:04}-{month:02}-{day:02}")
}

/// A moment since 1970-01-01 00:00; midnight is the day alone.
pub(crate) fn datetime(count: i128, unit: Unit) -> String {
    let in_day = DAY * unit.in_second();
    let days = i64::try_from(count.div_euclid(in_day)).unwrap_or(i64::MAX / 1000);
    match count.rem_euclid(in_day) {
        0 => date(days),
        rest => format!("{} {}", date(days), time(rest, unit)),
    }
}

/// A time of day.
pub(crate) fn time(count: i128, unit: Unit) -> String {
    let (whole, rest) = (count.div_euclid(unit.in_second()), count.rem_euclid(unit.in_second()));
    let clock = format!("{:02}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
    if rest == 0 {
        return clock;
    }
    let digits = unit.in_second().ilog10() as usize;
    format!("{clock}.{rest:0digits$}").trim_end_matches('0').into()
}

/// A span in seconds.
pub(crate) fn seconds(count: i128, unit: Unit) -> f64 {
    count as f64 / unit.in_second() as f64
}

/// Year, month and day of the Gregorian calendar (Hinnant, chrono-compatible low-level date algorithms).
fn civil(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let (era, of_era) = (z.div_euclid(146_097), z.rem_euclid(146_097));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year + era * 400 + i64::from(month <= 2), month, of_year - (153 * shifted + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::super::dates;
    use super::*;
    use crate::DateOrder;

    #[test]
    fn moments_are_read_back() {
        let back = |text: &str| dates::read(text, DateOrder::Dmy).map(|m| m.seconds);
        for days in [-719_528, -1, 0, 58, 59, 60, 11_016, 19_782, 2_932_896] {
            assert_eq!(back(&date(days)), Some(days as f64 * 86_400.0), "{}", date(days));
        }
        assert_eq!(datetime(-1, Unit::Second), "1969-12-31 23:59:59");
        assert_eq!(datetime(1_700_000_000_123_456, Unit::Micro), "2023-11-14 22:13:20.123456");
        assert_eq!(datetime(86_400_000, Unit::Milli), "1970-01-02");
        assert_eq!(time(3_723_500, Unit::Milli), "01:02:03.5");
    }
}
