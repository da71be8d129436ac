//! A line of a config that is not TOML, as it was probably meant.

use toml::de::DeTable;

use super::lists;

/// The first line at or before the one of an error that is not TOML by itself, counted from 1, as it was meant.
pub(super) fn before(text: &str, line: usize) -> Option<(usize, String)> {
    let all: Vec<&str> = text.lines().take(line).collect();
    (1..=all.len()).rev().find_map(|n| Some((n, self::line(all[n - 1])?)))
}

/// The line as TOML; none where nobody can tell.
pub(super) fn line(line: &str) -> Option<String> {
    let line = line.trim();
    let whole = |text: &String| DeTable::parse(text).is_ok();
    if whole(&line.to_owned()) {
        return None;
    }
    let table = line.starts_with('[').then(|| format!("{}]", line.trim_end_matches(']')));
    if let Some(table) = table.filter(whole) {
        return Some(table);
    }
    let (key, value) = parts(line)?;
    values(value).into_iter().map(|value| format!("{key} = {value}")).find(whole)
}

/// A key, and what stands behind `=`, a colon or a blank.
fn parts(line: &str) -> Option<(&str, &str)> {
    let key = line.find(|c: char| !c.is_alphanumeric() && !"_-.".contains(c))?;
    let value = line[key..].trim_start().trim_start_matches([':', '=']).trim();
    (key > 0 && !value.is_empty()).then_some((&line[..key], value))
}

/// What a value may have been meant to be, the likeliest first.
fn values(value: &str) -> Vec<String> {
    let bare = value.split(" #").next().unwrap_or(value).trim().trim_end_matches([',', ';']);
    let inner = bare.trim_matches(['"', '\'']);
    let nested = lists::value(bare).filter(|_| bare.ends_with([']', '}']));
    let closed = lists::value(&format!("{bare}]")).filter(|_| bare.starts_with('[') && !bare.ends_with(']'));
    let mut all = vec![value.to_owned(), bare.to_owned()];
    all.extend(
        ["true", "false"].into_iter().filter(|word| bare.eq_ignore_ascii_case(word)).map(String::from),
    );
    all.extend(bare.parse::<f64>().ok().filter(|x| x.is_finite()).map(|x| format!("{x:?}")));
    all.extend(nested.or(closed).map(|value| value.to_string()));
    // a path of Windows stands in quotes that leave its signs alone
    all.extend(inner.contains('\\').then(|| format!("'{inner}'")));
    let is_number = |c: char| c.is_ascii_digit() || ".,_+-".contains(c);
    if !inner.chars().all(is_number) {
        all.push(toml::Value::String(inner.into()).to_string());
    }
    all
}

#[cfg(test)]
mod tests {
    use super::{before, line};

    #[test]
    fn slips_become_toml() {
        for (typed, meant) in [
            ("data = digits", "data = \"digits\""),
            ("epochs: 5", "epochs = 5"),
            ("epochs 5", "epochs = 5"),
            ("shuffle = True", "shuffle = true"),
            ("lr = .1", "lr = 0.1"),
            ("name = \"a", "name = \"a\""),
            ("top_k = [1, 2", "top_k = [1, 2]"),
            ("data.drop = [a, b]", "data.drop = [\"a\", \"b\"]"),
            ("[data", "[data]"),
            ("path = \"C:\\data\"", "path = 'C:\\data'"),
            ("lr: 0.1,", "lr = 0.1"),
            ("time = 10m", "time = \"10m\""),
        ] {
            assert_eq!(line(typed).as_deref(), Some(meant), "{typed}");
        }
        for typed in ["", "{", "=", "]", "epochs", "{\"epochs\": 5}", "lr = 0.1.2", "lr = 1"] {
            assert_eq!(line(typed), None, "{typed}");
        }
        assert_eq!(before("top_k = [1, 2\nlr = 1", 2), Some((1, "top_k = [1, 2]".into())));
    }
}
