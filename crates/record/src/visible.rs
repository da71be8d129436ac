//! Text for a person: what a terminal would obey is written out instead.
//!
//! Names of classes, columns and files come from data that anybody may have made. Where text goes to a terminal or into
//! a log, control characters (ANSI sequences among them), and characters that turn the direction of text around, stand
//! as `\u{1b}` and the like. Files and JSON for programs hold names as they are.

use std::borrow::Cow;

/// Whether a terminal, or a reader's eye, is led by this character instead of being shown it.
fn is_hidden(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
}

/// A text of several lines: line breaks and tabs stay, all else that would be obeyed is written out.
///
/// ```
/// assert_eq!(record::visible("a\tb\n\u{1b}[2Jc"), "a\tb\n\\u{1b}[2Jc");
/// ```
pub fn visible(text: &str) -> Cow<'_, str> {
    written_out(text, |c| is_hidden(c) && c != '\n' && c != '\t')
}

/// A name or a message of one line: line breaks are written out, too.
///
/// ```
/// assert_eq!(record::visible_line("cat\nerror: dog\r"), "cat\\nerror: dog\\r");
/// ```
pub fn visible_line(text: &str) -> Cow<'_, str> {
    written_out(text, is_hidden)
}

fn written_out(text: &str, hidden: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&hidden) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if hidden(c) { out.extend(c.escape_default()) } else { out.push(c) }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_obeyed_gets_through() {
        for c in ('\0'..='\u{9f}').chain("\u{202e}\u{2066}\u{2028}".chars()) {
            let text = format!("a{c}b");
            let line = visible_line(&text);
            assert!(!line.contains(is_hidden) && visible_line(&line) == line, "{line:?}");
            assert_eq!(line == text, matches!(c, ' '..='~'), "{text:?}");
            let kept = visible(&text).contains(c);
            assert_eq!(kept, matches!(c, ' '..='~' | '\n' | '\t'), "{text:?}");
        }
        assert_eq!(visible("Größe → 5 µm 猫"), "Größe → 5 µm 猫");
    }
}
