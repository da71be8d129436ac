//! Dates and times as people write them, as seconds since 1970-01-01 00:00 (no time zone unless one is written).

use crate::DateOrder;

/// Seconds of a day.
pub(crate) const DAY: f64 = 86_400.0;

/// A date, a time of day, or both.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Moment {
    /// Seconds since the epoch, or since midnight where there is no date.
    pub seconds: f64,
    pub has_date: bool,
    pub has_time: bool,
}

/// What a text tells of the order of day and month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Evidence {
    /// There is no choice: the year comes first, the month is a word, or dots separate.
    Fixed,
    /// The first number is above 12.
    DayFirst,
    /// The second number is above 12.
    MonthFirst,
    /// Both are at most 12.
    Either,
}

/// Reads a date with an order for those that need one; `None` for what is no date.
pub(crate) fn read(text: &str, order: DateOrder) -> Option<Moment> {
    if let Some(seconds) = time(text) {
        return Some(Moment { seconds, has_date: false, has_time: true });
    }
    let (date, rest) = split(text);
    let (year, month, day) = match parts(date)? {
        Parts::Fixed(y, m, d) => (y, m, d),
        Parts::Open(a, b, y) => match order {
            DateOrder::Dmy => (y, b, a),
            DateOrder::Mdy => (y, a, b),
        },
    };
    let days = days(year, month, day)?;
    let (seconds, has_time) = match rest {
        Some(rest) => (time_with_zone(rest)?, true),
        None => (0.0, false),
    };
    Some(Moment { seconds: days as f64 * DAY + seconds, has_date: true, has_time })
}

/// What a date tells of the order; `None` for what is no date in any order.
pub(crate) fn evidence(text: &str) -> Option<Evidence> {
    let day_first = read(text, DateOrder::Dmy);
    let month_first = read(text, DateOrder::Mdy);
    match (parts(split(text).0), day_first, month_first) {
        (Some(Parts::Open(..)), Some(_), Some(_)) => Some(Evidence::Either),
        (Some(Parts::Open(..)), Some(_), None) => Some(Evidence::DayFirst),
        (Some(Parts::Open(..)), None, Some(_)) => Some(Evidence::MonthFirst),
        (_, Some(_), _) => Some(Evidence::Fixed),
        _ => None,
    }
}

/// The order of day and month that dates prove: `None` where none of them does, or two contradict.
pub(crate) fn order<'a>(texts: impl Iterator<Item = &'a str> + Clone) -> Option<DateOrder> {
    let has = |wanted: Evidence| texts.clone().any(|t| evidence(t) == Some(wanted));
    match (has(Evidence::DayFirst), has(Evidence::MonthFirst)) {
        (true, false) => Some(DateOrder::Dmy),
        (false, true) => Some(DateOrder::Mdy),
        _ => None,
    }
}

/// The date of a text, and its time where there is one.
fn split(text: &str) -> (&str, Option<&str>) {
    let at = text.char_indices().find(|(i, c)| {
        let digit = |b: Option<&u8>| b.is_some_and(u8::is_ascii_digit);
        let bytes = text.as_bytes();
        (*c == 'T' || *c == 't' || *c == ' ')
            && *i > 5
            && digit(bytes.get(i + 1))
            && text[i + 1..].contains(':')
            && !text[..*i].contains(':')
            && text[i + 1..].find(':').is_some_and(|n| n <= 2)
    });
    match at {
        Some((i, _)) => (text[..i].trim_end_matches(','), Some(&text[i + 1..])),
        None => (text, None),
    }
}

/// Year, month and day; or two numbers whose order is open, and the year.
enum Parts {
    Fixed(i64, i64, i64),
    Open(i64, i64, i64),
}

fn parts(date: &str) -> Option<Parts> {
    if date.len() > 30 || !date.bytes().any(|b| b.is_ascii_digit()) {
        return None;
    }
    let number = |text: &str| -> Option<i64> {
        (!text.is_empty() && text.len() <= 4 && text.bytes().all(|b| b.is_ascii_digit()))
            .then(|| text.parse().ok())
            .flatten()
    };
    for mark in ['-', '/', '.'] {
        let pieces: Vec<&str> = date.split(mark).collect();
        let [a, b, c] = pieces[..] else { continue };
        if let Some(month) = month(b) {
            let (day, year) = if a.len() == 4 { (c, a) } else { (a, c) };
            return Some(Parts::Fixed(full(number(year)?, year), month, number(day)?));
        }
        let (x, y, z) = (number(a)?, number(b)?, number(c)?);
        if a.len() == 4 {
            return (c.len() <= 2 && b.len() <= 2).then_some(Parts::Fixed(x, y, z));
        }
        if a.len() > 2 || b.len() > 2 || !matches!(c.len(), 2 | 4) {
            return None;
        }
        let year = full(z, c);
        return Some(if mark == '.' { Parts::Fixed(year, y, x) } else { Parts::Open(x, y, year) });
    }
    // `3 Jan 2025`, `Jan 3, 2025`
    let pieces: Vec<&str> = date.split([' ', ',']).filter(|p| !p.is_empty()).collect();
    let [a, b, c] = pieces[..] else { return None };
    let year = (c.len() == 4).then(|| number(c)).flatten()?;
    match (month(a), month(b)) {
        (Some(month), None) => Some(Parts::Fixed(year, month, number(b)?)),
        (None, Some(month)) => Some(Parts::Fixed(year, month, number(a)?)),
        _ => None,
    }
}

/// A year of two digits belongs to 1970 to 2069.
fn full(year: i64, text: &str) -> i64 {
    match (text.len(), year) {
        (2, 70..) => 1900 + year,
        (2, _) => 2000 + year,
        _ => year,
    }
}

/// A month by its English name or the first three letters of it.
fn month(text: &str) -> Option<i64> {
    const NAMES: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let low = text.trim_end_matches('.').to_ascii_lowercase();
    let place = NAMES.iter().position(|n| low.len() >= 3 && (low == *n || low == n[..3]));
    place.map(|i| i as i64 + 1)
}

/// Days since 1970-01-01 of a date of the Gregorian calendar (Hinnant, chrono-compatible low-level date algorithms).
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(leap),
        _ => return None,
    };
    if !(1..=length).contains(&day) {
        return None;
    }
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let of_era = y.rem_euclid(400);
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

/// Day of the year, from 0, of a number of days since 1970-01-01.
pub(crate) fn day_of_year(days: i64) -> i64 {
    let mut year = 1970 + days.div_euclid(365);
    while self::days(year, 1, 1).is_some_and(|first| first > days) {
        year -= 1;
    }
    days - self::days(year, 1, 1).unwrap_or(0)
}

/// A time and the zone behind it, as seconds from midnight at Greenwich.
fn time_with_zone(text: &str) -> Option<f64> {
    let text = text.trim();
    let bare = text.strip_suffix(['Z', 'z']).or_else(|| text.strip_suffix(" UTC")).unwrap_or(text);
    match bare.rfind(['+', '-']) {
        Some(at) if at >= 4 => {
            let (clock, zone) = bare.split_at(at);
            let digits: String = zone[1..].chars().filter(|c| *c != ':').collect();
            let all = digits.len() == 4 || digits.len() == 2;
            let value: i64 = digits.parse().ok().filter(|_| all)?;
            let (hours, minutes) = if digits.len() == 2 { (value, 0) } else { (value / 100, value % 100) };
            let seconds = (hours * 3600 + minutes * 60) as f64;
            let ahead = if zone.starts_with('+') { seconds } else { -seconds };
            (hours <= 15 && minutes < 60).then_some(time(clock.trim_end())? - ahead)
        }
        _ => time(bare),
    }
}

/// `7:30`, `07:30:15`, `07:30:15.25`, `7:30 PM`: seconds since midnight.
fn time(text: &str) -> Option<f64> {
    if text.len() > 20 || !text.contains(':') {
        return None;
    }
    let low = text.trim().to_ascii_lowercase();
    let (clock, noon) = match (low.strip_suffix("pm"), low.strip_suffix("am")) {
        (Some(clock), _) => (clock.trim_end(), Some(true)),
        (_, Some(clock)) => (clock.trim_end(), Some(false)),
        _ => (&low[..], None),
    };
    let mut pieces = clock.split(':');
    let two = |p: &str| {
        (matches!(p.len(), 1 | 2) && p.bytes().all(|b| b.is_ascii_digit())).then(|| p.parse::<i64>().ok())
    };
    let mut hours = two(pieces.next()?)??;
    let minutes = two(pieces.next()?)??;
    let seconds = match pieces.next() {
        None => 0.0,
        Some(p) if p.starts_with(|c: char| c.is_ascii_digit()) => p.replace(',', ".").parse::<f64>().ok()?,
        Some(_) => return None,
    };
    match noon {
        Some(_) if !(1..=12).contains(&hours) => return None,
        Some(true) => hours = hours % 12 + 12,
        Some(false) => hours %= 12,
        None => {}
    }
    let good = pieces.next().is_none() && hours < 24 && minutes < 60 && (0.0..61.0).contains(&seconds);
    good.then(|| (hours * 3600 + minutes * 60) as f64 + seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: impl Into<Option<f64>>) {
        assert_eq!(read(text, DateOrder::Dmy).map(|m| m.seconds), expected.into(), "{text}");
    }

    #[test]
    fn dates_are_read() {
        check("1970-01-01", 0.0);
        check("1970-01-02 00:00:01", DAY + 1.0);
        check("2025-03-04T05:06:07Z", 1_741_064_767.0);
        check("2025-03-04T05:06:07+02:00", 1_741_057_567.0);
        check("2025/03/04", 1_741_046_400.0);
        check("4.3.2025", 1_741_046_400.0);
        check("04/03/2025", 1_741_046_400.0);
        check("04/03/25", 1_741_046_400.0);
        check("4-Mar-2025", 1_741_046_400.0);
        check("Mar 4, 2025", 1_741_046_400.0);
        check("4 March 2025", 1_741_046_400.0);
        check("1900-02-28", -2_203_977_600.0);
        check("7:30 PM", 70_200.0);
        check("12:00 am", 0.0);
        check("23:59:59.5", 86_399.5);
        for text in
            ["2025-13-01", "2025-02-29", "1.2.3", "12:60", "1-2-345", "a-b-c", "25:00", "10:20:", "3/4", ""]
        {
            check(text, None);
        }
    }

    #[test]
    fn the_order_is_proved_by_large_days() {
        assert_eq!(evidence("03/04/2025"), Some(Evidence::Either));
        assert_eq!(evidence("13/04/2025"), Some(Evidence::DayFirst));
        assert_eq!(evidence("03/14/2025"), Some(Evidence::MonthFirst));
        assert_eq!(evidence("03.04.2025"), Some(Evidence::Fixed));
        assert_eq!(evidence("2025-03-04"), Some(Evidence::Fixed));
        assert_eq!(evidence("13/14/2025"), None);
    }

    #[test]
    fn the_day_of_the_year_is_found() {
        assert_eq!([0, 364, 365, -1, 20_088].map(day_of_year), [0, 364, 0, 364, 365]);
        assert_eq!(day_of_year(20_151), 62);
    }
}
