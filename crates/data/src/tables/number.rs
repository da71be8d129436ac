//! Numbers as people write them: plain ones quickly, and those with decimal commas, grouped digits, currency and
//! percent signs by their own rules.

/// A plain number: digits with at most one decimal mark and an exponent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Plain {
    pub value: f64,
    /// Bytes that it takes.
    pub len: usize,
    /// What its decimal mark proves.
    pub mark: Mark,
    /// Whether printing the value gives the same text: a whole number of at most 15 digits, without ornament.
    pub canonical: bool,
    /// Whether it is whole and begins with a zero, as `007`.
    pub padded: bool,
}

/// What a single decimal mark in a number can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// There is none.
    None,
    /// It begins the decimals: what follows is no group of three digits.
    Decimal,
    /// It may as well separate thousands: `1.234`.
    Either,
}

/// Powers of ten that f64 holds exactly.
const EXACT: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19, 1e20, 1e21, 1e22,
];

/// The plain number at the beginning of `bytes`.
///
/// Where digits and power of ten are exact in f64 their product is the nearest f64 (Clinger, How to read floating point
/// numbers accurately, 1990); all others are read by the standard library.
pub(crate) fn plain(bytes: &[u8], decimal: u8) -> Option<Plain> {
    let digit = |at: usize| bytes.get(at).map(|b| b.wrapping_sub(b'0')).filter(|d| *d < 10);
    let negative = bytes.first() == Some(&b'-');
    let mut at = usize::from(negative || bytes.first() == Some(&b'+'));
    let signed = at;
    let mut digits = 0u64;
    while let Some(d) = digit(at) {
        digits = digits.wrapping_mul(10).wrapping_add(d.into());
        at += 1;
    }
    let (before, mut after, mut mark) = (at - signed, 0, Mark::None);
    if bytes.get(at) == Some(&decimal) {
        at += 1;
        let from = at;
        while let Some(d) = digit(at) {
            digits = digits.wrapping_mul(10).wrapping_add(d.into());
            at += 1;
        }
        after = at - from;
        let group = after == 3 && (1..=3).contains(&before) && bytes[signed] != b'0';
        mark = if group { Mark::Either } else { Mark::Decimal };
    }
    if before + after == 0 {
        return None;
    }
    let mut power = -(after as i64);
    let mut has_exponent = false;
    if let Some(b'e' | b'E') = bytes.get(at) {
        let sign = bytes.get(at + 1).filter(|b| matches!(b, b'+' | b'-'));
        let mut to = at + 1 + usize::from(sign.is_some());
        let from = to;
        let mut exponent = 0i64;
        while let Some(d) = digit(to) {
            exponent = (exponent * 10 + i64::from(d)).min(1_000_000);
            to += 1;
        }
        if to > from {
            power += if sign == Some(&b'-') { -exponent } else { exponent };
            (at, has_exponent) = (to, true);
            mark = if mark == Mark::None { Mark::None } else { Mark::Decimal };
        }
    }
    let short = before + after <= 19 && digits < 1 << 53;
    let value = match power {
        0..=22 if short => digits as f64 * EXACT[power as usize],
        -22..=-1 if short => digits as f64 / EXACT[-power as usize],
        _ => slow(&bytes[signed..at], decimal)?,
    };
    let leading_zero = before > 1 && bytes[signed] == b'0';
    let ornament =
        after > 0 || mark != Mark::None || has_exponent || leading_zero || signed == 1 && !negative;
    let canonical = !ornament && before <= 15 && !(negative && digits == 0);
    let padded = leading_zero && after == 0 && !has_exponent;
    Some(Plain { value: if negative { -value } else { value }, len: at, mark, canonical, padded })
}

#[cold]
fn slow(bytes: &[u8], decimal: u8) -> Option<f64> {
    let text = std::str::from_utf8(bytes).ok()?;
    if decimal == b'.' { text.parse().ok() } else { text.replace(char::from(decimal), ".").parse().ok() }
}

/// All of a text as a plain number with a decimal point.
pub(crate) fn whole(text: &str) -> Option<f64> {
    plain(text.as_bytes(), b'.').filter(|p| p.len == text.len()).map(|p| p.value)
}

/// A number taken apart: its digits and marks, and what stood around them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Dressed {
    negative: bool,
    /// Digits, marks and exponent.
    core: String,
    /// The sign of a currency or unit beside it: `$`, `€`, `%`.
    pub sign: Option<char>,
}

/// What the commas and points of a number prove.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Votes {
    /// Numbers whose comma begins the decimals.
    pub comma_decimal: usize,
    /// Numbers whose commas separate groups of digits.
    pub comma_group: usize,
    /// Numbers with one comma that may be either.
    pub comma_either: usize,
    /// The same of the point.
    pub point_decimal: usize,
    pub point_group: usize,
    pub point_either: usize,
}

impl Votes {
    pub fn add(&mut self, other: Votes) {
        self.comma_decimal += other.comma_decimal;
        self.comma_group += other.comma_group;
        self.comma_either += other.comma_either;
        self.point_decimal += other.point_decimal;
        self.point_group += other.point_group;
        self.point_either += other.point_either;
    }

    /// Counts the marks of numbers that were read with a decimal mark.
    pub fn add_plain(&mut self, decimal: u8, sure: usize, either: usize) {
        if decimal == b',' {
            self.comma_decimal += sure;
            self.comma_either += either;
        } else {
            self.point_decimal += sure;
            self.point_either += either;
        }
    }

    /// The decimal mark that these numbers prove: `None` where they prove none, an error where they contradict.
    pub fn proved(&self) -> Result<Option<u8>, ()> {
        let comma = self.comma_decimal + self.point_group > 0;
        let point = self.point_decimal + self.comma_group > 0;
        match (comma, point) {
            (true, true) => Err(()),
            (true, false) => Ok(Some(b',')),
            (false, true) => Ok(Some(b'.')),
            (false, false) if self.comma_either > 0 && self.point_either > 0 => Err(()),
            (false, false) => Ok(None),
        }
    }
}

/// Signs of currencies and units that may stand before or behind a number.
fn is_sign(c: char) -> bool {
    matches!(c, '$' | '%' | '‰' | '¢' | '£' | '¤' | '¥' | '°') || ('\u{20a0}'..='\u{20cf}').contains(&c)
}

/// Marks that separate thousands besides comma and point.
fn is_spacer(c: char) -> bool {
    matches!(c, ' ' | '\u{a0}' | '\u{202f}' | '\u{2009}' | '\'' | '’' | '_')
}

/// Takes a number apart that is not plain; `None` for what is a number under no decimal mark.
pub(crate) fn undress(text: &str) -> Option<Dressed> {
    let dressed = apart(text)?;
    dressed.value(b'.', None).or(dressed.value(b',', None)).is_some().then_some(dressed)
}

/// The unit behind a number, as the `kg` of `12.5 kg`.
pub(crate) fn unit(text: &str) -> Option<&str> {
    const LONGEST: usize = 6;
    let at = text.rfind(|c: char| c.is_ascii_digit() || c == '.')? + 1;
    let unit = text[at..].trim();
    let good = !unit.is_empty()
        && unit.chars().count() <= LONGEST
        && unit.chars().all(|c| c.is_alphabetic() || matches!(c, '°' | '²' | '³' | '/'));
    (good && undress(&text[..at]).is_some()).then_some(unit)
}

/// The currency of `$ -`, as spreadsheets show an amount of zero.
fn accounted_zero(text: &str) -> Option<char> {
    let is_currency = |c: char| is_sign(c) && !matches!(c, '%' | '‰' | '°');
    let sign = text.chars().find(|c| is_currency(*c))?;
    let rest = text.strip_prefix(sign).or_else(|| text.strip_suffix(sign))?;
    matches!(rest.trim(), "-" | "–" | "—").then_some(sign)
}

fn apart(text: &str) -> Option<Dressed> {
    let mut rest = text.trim();
    if let Some(sign) = accounted_zero(rest) {
        return Some(Dressed { negative: false, core: "0".into(), sign: Some(sign) });
    }
    let mut negative = false;
    if let Some(inner) = rest.strip_prefix('(').and_then(|r| r.strip_suffix(')')) {
        (negative, rest) = (true, inner.trim());
    }
    let mut sign = None;
    let mut signs = 0;
    loop {
        let first = rest.chars().next()?;
        if matches!(first, '-' | '−' | '+') {
            if signs > 0 || negative {
                return None;
            }
            (negative, signs) = (first != '+', 1);
        } else if !is_sign(first) || sign.replace(first).is_some() {
            break;
        }
        rest = rest[first.len_utf8()..].trim_start();
    }
    loop {
        let last = rest.chars().next_back()?;
        if matches!(last, '-' | '−') && signs == 0 && !negative {
            (negative, signs) = (true, 1);
        } else if !is_sign(last) || sign.replace(last).is_some() {
            break;
        }
        rest = rest[..rest.len() - last.len_utf8()].trim_end();
    }
    let good = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',' | 'e' | 'E' | '+' | '-') || is_spacer(c);
    let begins = rest.starts_with(|c: char| c.is_ascii_digit() || c == '.' || c == ',');
    (begins && rest.contains(|c: char| c.is_ascii_digit()) && rest.chars().all(good)).then(|| Dressed {
        negative,
        core: rest.into(),
        sign,
    })
}

impl Dressed {
    /// Digits and marks, and the exponent.
    fn parts(&self) -> (&str, &str) {
        let at = self.core.find(['e', 'E']).unwrap_or(self.core.len());
        self.core.split_at(at)
    }

    /// What its marks prove.
    pub fn votes(&self) -> Votes {
        let (digits, exponent) = self.parts();
        let count = |mark: char| digits.matches(mark).count();
        let (commas, points) = (count(','), count('.'));
        let mut votes = Votes::default();
        let one = |mark: char| {
            let (before, after) = digits.split_once(mark).unwrap_or((digits, ""));
            let group = after.len() == 3 && (1..=3).contains(&before.len()) && !before.starts_with('0');
            group && exponent.is_empty()
        };
        match (commas, points) {
            (0, 0) => {}
            (1, 0) if one(',') => votes.comma_either = 1,
            (1, 0) => votes.comma_decimal = 1,
            (0, 1) if one('.') => votes.point_either = 1,
            (0, 1) => votes.point_decimal = 1,
            (_, 0) => votes.comma_group = 1,
            (0, _) => votes.point_group = 1,
            _ if digits.rfind(',') > digits.rfind('.') => votes.comma_decimal = 1,
            _ => votes.point_decimal = 1,
        }
        votes
    }

    /// Its value, where `decimal` begins the decimals; groups of digits are separated by `thousands`, or by any mark
    /// where none is told.
    pub fn value(&self, decimal: u8, thousands: Option<char>) -> Option<f64> {
        let (digits, exponent) = self.parts();
        let (whole, decimals) = match digits.split_once(char::from(decimal)) {
            Some((whole, decimals)) => (whole, Some(decimals)),
            None => (digits, None),
        };
        if decimals.is_some_and(|d| !d.bytes().all(|b| b.is_ascii_digit())) {
            return None;
        }
        let joined = join_groups(whole, thousands)?;
        let text = format!("{joined}.{}{exponent}", decimals.unwrap_or_default());
        let value = text.parse::<f64>().ok()?;
        Some(if self.negative { -value } else { value })
    }
}

/// The digits of groups of three, or of two and a last one of three as in India.
fn join_groups(whole: &str, thousands: Option<char>) -> Option<String> {
    let Some(mark) = whole.chars().find(|c| !c.is_ascii_digit()) else { return Some(whole.into()) };
    if thousands.is_some_and(|told| told != mark && !(is_spacer(told) && is_spacer(mark))) {
        return None;
    }
    let groups: Vec<&str> = whole.split(mark).collect();
    let (first, rest) = groups.split_first()?;
    let (last, middle) = rest.split_last()?;
    let digits = |g: &&str| g.bytes().all(|b| b.is_ascii_digit());
    let threes = middle.iter().all(|g| g.len() == 3) && (1..=3).contains(&first.len());
    let twos = !middle.is_empty() && middle.iter().all(|g| g.len() == 2) && (1..=2).contains(&first.len());
    (groups.iter().all(digits) && last.len() == 3 && (threes || twos)).then(|| groups.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_numbers_are_those_of_the_standard_library() {
        let texts = [
            "0",
            "-0",
            "1",
            "+7",
            "12345678901234567890",
            "0.1",
            "3.141592653589793",
            "1e22",
            "1e23",
            "-2.5E-3",
            "9007199254740993",
            "1.7976931348623157e308",
            "4.9e-324",
            "1e400",
            ".5",
            "5.",
            "123456789.123456789",
            "0.000000000000000000000000000001",
            "179769313486231570000000000000000000000",
        ];
        for text in texts {
            let plain = plain(text.as_bytes(), b'.').expect(text);
            assert_eq!(
                (plain.value.to_bits(), plain.len),
                (text.parse::<f64>().unwrap().to_bits(), text.len())
            );
            let comma = text.replace('.', ",");
            assert_eq!(super::plain(comma.as_bytes(), b',').expect(text).value, plain.value);
        }
        for text in ["", "-", ".", "e5", "x1", "+-1", "nan", "inf"] {
            assert_eq!(plain(text.as_bytes(), b'.'), None, "{text}");
        }
        assert_eq!(plain(b"1e", b'.').map(|p| p.len), Some(1));
    }

    #[test]
    fn what_prints_alike_is_told() {
        let canonical = |text: &str| plain(text.as_bytes(), b'.').unwrap().canonical;
        assert!(["0", "12", "-3", "123456789012345"].into_iter().all(canonical));
        assert!(!["001", "+1", "1.0", "1e2", "-0", "1234567890123456"].into_iter().any(canonical));
    }

    fn check(text: &str, decimal: u8, expected: impl Into<Option<f64>>) {
        let got = undress(text).and_then(|d| d.value(decimal, None));
        assert_eq!(got, expected.into(), "{text}");
    }

    #[test]
    fn dressed_numbers_are_read() {
        check("1,234", b'.', 1234.0);
        check("1,234", b',', 1.234);
        check("1.234.567,5", b',', 1_234_567.5);
        check("$1,234.50", b'.', 1234.5);
        check("12,5 €", b',', 12.5);
        check("-$5", b'.', -5.0);
        check("$-5", b'.', -5.0);
        check("(1,234.5)", b'.', -1234.5);
        check("12 %", b'.', 12.0);
        check("1 234 567", b'.', 1_234_567.0);
        check("1\u{a0}234,5", b',', 1234.5);
        check("1'234.5", b'.', 1234.5);
        check("12,34,567", b'.', 1_234_567.0);
        check("−3", b'.', -3.0);
        check("5-", b'.', -5.0);
        check("$ -", b'.', 0.0);
        check("- €", b',', 0.0);
        check("1,23", b'.', None);
        check("1,2345", b'.', None);
        check("12 345 6", b'.', None);
        check("$5€", b'.', None);
        check("1e,5", b'.', None);
        assert_eq!(undress("A1"), None);
        assert_eq!(undress("--5"), None);
        assert_eq!(undress("%"), None);
        assert_eq!(undress("- %"), None);
        assert_eq!(undress("2025-01-02"), None);
        assert_eq!(undress("1.2.3"), None);
    }

    #[test]
    fn marks_vote() {
        let proved = |texts: &[&str]| {
            let mut all = Votes::default();
            texts.iter().for_each(|t| all.add(undress(t).expect("a number").votes()));
            all.proved()
        };
        assert_eq!(proved(&["1,07", "0,33"]), Ok(Some(b',')));
        assert_eq!(proved(&["1,234", "12,345"]), Ok(None));
        assert_eq!(proved(&["1,234", "1,234,567"]), Ok(Some(b'.')));
        assert_eq!(proved(&["1,234", "0,123"]), Ok(Some(b',')));
        assert_eq!(proved(&["1.234,5"]), Ok(Some(b',')));
        assert_eq!(proved(&["1,5", "1.5"]), Err(()));
        assert_eq!(proved(&["1,234", "1.234"]), Err(()));
    }
}
