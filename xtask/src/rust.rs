//! Rust text taken apart: code without comments and literals, comments without code, and where tests are.

/// One Rust file; all three have a line for each line of the file.
pub struct Source {
    /// Code; comments and the insides of literals are blanks.
    pub code: Vec<String>,
    /// Comments; the rest is blanks.
    pub comments: Vec<String>,
    /// Whether the line is part of an item under `#[cfg(test)]`.
    pub in_test: Vec<bool>,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Code,
    Line,
    /// depth of nesting
    Block(usize),
    Text,
    /// number of `#`
    Raw(usize),
}

impl Source {
    /// Takes a text apart.
    pub fn new(text: &str) -> Source {
        let (code, comments) = split(text);
        let lines = |s: String| s.split('\n').map(str::to_owned).collect::<Vec<_>>();
        let code = lines(code);
        Source { in_test: test_lines(&code), comments: lines(comments), code }
    }

    /// Lines of code outside tests, with their numbers from 1.
    pub fn product(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.code.iter().zip(&self.in_test).enumerate();
        lines.filter(|(_, (_, test))| !**test).map(|(i, (line, _))| (i + 1, line.as_str()))
    }
}

/// Where a word stands by itself.
pub fn has_word(line: &str, word: &str) -> bool {
    let is_part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    line.match_indices(word).any(|(at, _)| {
        !is_part(line[..at].chars().next_back()) && !is_part(line[at + word.len()..].chars().next())
    })
}

fn split(text: &str) -> (String, String) {
    let chars: Vec<char> = text.chars().collect();
    let (mut code, mut comments) = (String::new(), String::new());
    let mut state = State::Code;
    let mut i = 0;
    while i < chars.len() {
        let (next, len) = step(state, &chars, i);
        let kind = if state == State::Code { next } else { state };
        for (k, c) in chars[i..(i + len).min(chars.len())].iter().enumerate() {
            let blank = if *c == '\n' { '\n' } else { ' ' };
            let is_char = state == State::Code && len > 2 && chars[i] == '\'';
            let (in_code, in_comment) = match kind {
                State::Code if is_char => (blank, blank),
                State::Code => (*c, blank),
                State::Line | State::Block(_) => (blank, *c),
                // quotes stay, so that a literal is still seen as one
                State::Text | State::Raw(_) => (if k == 0 && *c == '"' { '"' } else { blank }, blank),
            };
            code.push(in_code);
            comments.push(in_comment);
        }
        state = next;
        i += len;
    }
    (code, comments)
}

/// The state after the token at `i`, and the token's length.
fn step(state: State, chars: &[char], i: usize) -> (State, usize) {
    let at = |k: usize| chars.get(i + k).copied().unwrap_or('\0');
    let hashes = |from: usize| (from..).take_while(|k| at(*k) == '#').count();
    match state {
        State::Code => match (at(0), at(1)) {
            ('/', '/') => (State::Line, 2),
            ('/', '*') => (State::Block(1), 2),
            ('"', _) => (State::Text, 1),
            ('r', '#' | '"') if !follows_word(chars, i) && at(1 + hashes(1)) == '"' => {
                (State::Raw(hashes(1)), 2 + hashes(1))
            }
            ('\'', '\\') => {
                (State::Code, 3 + (3..).take_while(|k| !matches!(at(*k), '\'' | '\0')).count() + 1)
            }
            ('\'', c) if at(2) == '\'' && c != '\'' => (State::Code, 3),
            _ => (State::Code, 1),
        },
        State::Line if at(0) == '\n' => (State::Code, 1),
        State::Block(depth) => match (at(0), at(1)) {
            ('*', '/') if depth == 1 => (State::Code, 2),
            ('*', '/') => (State::Block(depth - 1), 2),
            ('/', '*') => (State::Block(depth + 1), 2),
            _ => (state, 1),
        },
        State::Text => match at(0) {
            '\\' => (state, 2),
            '"' => (State::Code, 1),
            _ => (state, 1),
        },
        State::Raw(n) if at(0) == '"' && hashes(1) >= n => (State::Code, 1 + n),
        State::Line | State::Raw(_) => (state, 1),
    }
}

fn follows_word(chars: &[char], i: usize) -> bool {
    i > 0 && (chars[i - 1].is_alphanumeric() || chars[i - 1] == '_')
}

/// Lines of items under `#[cfg(test)]`: from the attribute to the end of the braces, or to a semicolon before any.
fn test_lines(code: &[String]) -> Vec<bool> {
    let mut marked = vec![false; code.len()];
    let mut i = 0;
    while i < code.len() {
        if !code[i].trim_start().starts_with("#[cfg(test)]") {
            i += 1;
            continue;
        }
        let (mut depth, mut opened) = (0i64, false);
        loop {
            marked[i] = true;
            for c in code[i].chars() {
                depth += i64::from(c == '{') - i64::from(c == '}');
                opened |= c == '{';
            }
            let ended = (opened && depth <= 0) || (!opened && code[i].trim_end().ends_with(';'));
            i += 1;
            if ended || i == code.len() {
                break;
            }
        }
    }
    marked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_and_comments_are_not_code() {
        let text = "let a = \"unsafe // {\"; // unsafe\n\
                    let b = r#\"panic!(\"x\")\"#; /* dbg! /* */ { */ let c = '\"';\n\
                    fn f<'a>(x: &'a str) -> char { '\\'' }";
        let s = Source::new(text);
        assert_eq!(s.code.len(), 3);
        assert!(!s.code[0].contains("unsafe") && s.comments[0].contains("unsafe"));
        assert!(!s.code[1].contains("panic") && !s.code[1].contains("dbg") && s.code[1].contains("let c ="));
        assert!(s.code[2].contains("fn f<'a>(x: &'a str)"));
        assert_eq!(s.code[2].matches('}').count(), 1);
    }

    #[test]
    fn tests_end_where_their_braces_end() {
        let s = Source::new(
            "fn a() {}\n#[cfg(test)]\nfn b() {\n}\nfn c() {}\n#[cfg(test)]\nmod tests {\n    fn d() {}\n}",
        );
        assert_eq!(s.in_test, [false, true, true, true, false, true, true, true, true]);
        assert_eq!(s.product().count(), 2);
    }

    #[test]
    fn words_stand_alone() {
        assert!(has_word("unsafe { x }", "unsafe") && !has_word("unsafe_code", "unsafe"));
    }
}
