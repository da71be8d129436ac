//! Lists as people type them: `a,b`, `[a,b]` and `["a, b",c]` mean the same, with or without quotes.

use toml::de::DeValue;

/// The items of a list of texts; quotes hold an item with a comma together.
pub(super) fn texts(text: &str) -> Vec<String> {
    items(inside(text, '[', ']').unwrap_or(text)).into_iter().map(|item| unquoted(item).0).collect()
}

/// The value of a text that may be a list or a table whose words have no quotes; none where it is neither.
pub(super) fn value(text: &str) -> Option<toml::Value> {
    if let Some(inner) = inside(text, '[', ']') {
        return Some(toml::Value::Array(items(inner).into_iter().map(item).collect()));
    }
    if let Some(inner) = inside(text, '{', '}') {
        let pairs = items(inner).into_iter().map(|pair| {
            let (key, value) = pair.split_once('=')?;
            Some((key.trim().to_owned(), item(value.trim())))
        });
        return pairs.collect::<Option<toml::Table>>().map(toml::Value::Table);
    }
    let all = items(text);
    (all.len() > 1).then(|| toml::Value::Array(all.into_iter().map(item).collect()))
}

/// Two texts of one list as one.
pub(super) fn joined(a: &str, b: &str) -> String {
    let parts = [a, b].map(|text| inside(text, '[', ']').unwrap_or(text).trim().trim_end_matches(','));
    format!("[{}]", parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(","))
}

/// An item: as TOML reads it, else a list or a table of its own, else a text.
fn item(text: &str) -> toml::Value {
    let is_nested = text.starts_with(['[', '{']);
    let parsed = DeValue::parse(text).ok().map(|parsed| super::tree::leaf(parsed.get_ref()));
    let nested = || value(text).filter(|_| is_nested);
    parsed.or_else(nested).unwrap_or_else(|| toml::Value::String(text.into()))
}

/// What stands between two brackets that belong together.
fn inside(text: &str, open: char, close: char) -> Option<&str> {
    let text = text.trim();
    let inner = text.strip_prefix(open)?;
    (end_of(text) == Some(text.len())).then(|| inner.strip_suffix(close)).flatten()
}

/// The parts between commas that stand in no quotes and no brackets; nothing stands behind a last comma.
fn items(text: &str) -> Vec<&str> {
    let mut all = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        // the quotes or brackets of `key=["a", "b"]` hold an item together, as those around a whole item do
        let value = behind_key(rest);
        let end = end_of(&rest[value..]).map(|end| value + end);
        let held = end.filter(|end| matches!(rest[*end..].trim_start().chars().next(), None | Some(',')));
        let from = held.unwrap_or(0);
        let end = rest[from..].find(',').map_or(rest.len(), |at| from + at);
        all.push(rest[..end].trim());
        rest = rest.get(end + 1..).unwrap_or("").trim_start();
    }
    all
}

/// Where the value of `key = value` begins; 0 where the text is of another form.
fn behind_key(text: &str) -> usize {
    let is_key = |key: &str| key.trim_end().chars().all(|c| c.is_alphanumeric() || "_-.".contains(c));
    match text.split_once('=') {
        Some((key, value)) if is_key(key) => text.len() - value.trim_start().len(),
        _ => 0,
    }
}

/// Where the quotes or brackets that a text begins with come to their end.
fn end_of(text: &str) -> Option<usize> {
    let first = text.chars().next()?;
    if first == '"' || first == '\'' {
        return end_of_quotes(text, first);
    }
    let mut open = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        match c {
            '[' => open.push(']'),
            '{' => open.push('}'),
            ']' | '}' if open.pop() != Some(c) => return None,
            '"' | '\'' if starts_item(&text[..at]) => {
                at += end_of_quotes(&text[at..], c)?;
                continue;
            }
            _ => {}
        }
        at += c.len_utf8();
        if open.is_empty() {
            return "[{".contains(first).then_some(at);
        }
    }
    None
}

/// Whether what comes behind this text begins an item, where quotes are quotes.
fn starts_item(before: &str) -> bool {
    before.trim_end().ends_with(['[', '{', ',', '='])
}

fn end_of_quotes(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' if quote == '"' => escaped = true,
            _ if c == quote => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// A text without its quotes, and whether it had any.
pub(super) fn unquoted(text: &str) -> (String, bool) {
    match DeValue::parse(text) {
        Ok(parsed) if text.starts_with(['"', '\'']) => match parsed.get_ref() {
            DeValue::String(inner) => (inner.to_string(), true),
            _ => (text.into(), false),
        },
        _ => (text.into(), false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_list_in_every_way_of_typing_it() {
        for text in ["a,b", "[a,b]", "[\"a\",\"b\"]", "a, b,", "[ 'a' , b ]", "\"a\",b"] {
            assert_eq!(texts(text), ["a", "b"], "{text}");
        }
        assert_eq!(texts("[\"a, b\",c]"), ["a, b", "c"]);
        assert_eq!(texts("\"a, b\""), ["a, b"]);
        assert_eq!(texts("001,1.50,1e2"), ["001", "1.50", "1e2"]);
        assert_eq!(texts("size [cm],it's,f(x"), ["size [cm]", "it's", "f(x"]);
        assert_eq!(texts("\"[cm]\""), ["[cm]"]);
        assert_eq!(texts("a,,b"), ["a", "", "b"]);
        assert_eq!(texts("\"open,b"), ["\"open", "b"]);
        assert_eq!(texts("[\"qu\\\"ote, d\",é]"), ["qu\"ote, d", "é"]);
        assert_eq!(texts("[]"), [""; 0]);
    }

    #[test]
    fn values_are_numbers_tables_and_words() {
        let of = |text: &str| value(text).map(|v| v.to_string());
        assert_eq!(of("128,64").as_deref(), Some("[128, 64]"));
        assert_eq!(
            of("[flip,{type=crop,padding=4}]"),
            Some("[\"flip\", { type = \"crop\", padding = 4 }]".into())
        );
        assert_eq!(of("[[relu],[]]").as_deref(), Some("[[\"relu\"], []]"));
        assert_eq!(
            of("[{match=*.bias,lr_factor=0.1}]"),
            Some("[{ match = \"*.bias\", lr_factor = 0.1 }]".into())
        );
        let nested = of("[{type=concat,branches=[[relu,tanh],[]],name=a}]");
        let want = "[{ type = \"concat\", branches = [[\"relu\", \"tanh\"], []], name = \"a\" }]";
        assert_eq!(nested.as_deref(), Some(want));
        assert_eq!(of("mlp-64"), None);
        assert_eq!(of("[a"), None);
    }

    #[test]
    fn two_lists_are_one() {
        for (a, b, all) in [
            ("a", "b", "[a,b]"),
            ("[a,]", "b,c", "[a,b,c]"),
            ("\"a, b\"", "[\"c\"]", "[\"a, b\",\"c\"]"),
            ("[]", "x", "[x]"),
            ("{name=a}", "{name=b}", "[{name=a},{name=b}]"),
        ] {
            assert_eq!(joined(a, b), all);
        }
    }
}
