//! Rules about the text of files: opening sentence, format, length, width, leftovers, private paths.

use super::Complaint;
use crate::format;
use crate::rust::has_word;
use crate::tree::Tree;

/// Lines at which a file must be cut, tests included.
const MAX_LINES: usize = 800;
/// The same without tests.
const MAX_PRODUCT_LINES: usize = 500;
/// Characters of the longest line; one with a literal may be longer, so that the text can be searched for.
const MAX_WIDTH: usize = 120;

pub(super) fn opening(tree: &Tree) -> Vec<Complaint> {
    let opens = |text: &str| {
        let paragraph: Vec<&str> =
            text.lines().map_while(|l| l.strip_prefix("//! ")).map(str::trim_end).collect();
        paragraph.last().is_some_and(|last| last.ends_with(['.', ':']))
    };
    let wrong = tree.rust().filter(|(file, _)| !opens(&file.text));
    wrong
        .map(|(file, _)| Complaint::at(&file.path, 1, "must open with one `//!` sentence and a full stop"))
        .collect()
}

pub(super) fn formatted(tree: &Tree) -> Vec<Complaint> {
    match format::unformatted(&format::files(tree)) {
        Ok(found) => {
            found.iter().map(|path| Complaint::of(path, "is not formatted: cargo xtask fmt")).collect()
        }
        Err(why) => vec![Complaint::of("rustfmt.toml", why)],
    }
}

pub(super) fn length(tree: &Tree) -> Vec<Complaint> {
    let mut found: Vec<Complaint> = tree
        .rust()
        .filter(|(_, source)| source.code.len() > MAX_LINES)
        .map(|(file, source)| {
            Complaint::of(&file.path, format!("has {} lines, at most {MAX_LINES}", source.code.len()))
        })
        .collect();
    let product = tree.rust().filter(|(file, _)| file.path.contains("/src/"));
    found.extend(product.filter_map(|(file, source)| {
        let lines = source.product().count();
        let what = format!("has {lines} lines without tests, at most {MAX_PRODUCT_LINES}");
        (lines > MAX_PRODUCT_LINES && source.code.len() <= MAX_LINES).then(|| Complaint::of(&file.path, what))
    }));
    found
}

pub(super) fn width(tree: &Tree) -> Vec<Complaint> {
    let mut found = Vec::new();
    for (file, source) in tree.rust() {
        for (i, line) in file.text.lines().enumerate() {
            let n = line.chars().count();
            if n > MAX_WIDTH && !source.code[i].contains('"') {
                found.push(Complaint::at(
                    &file.path,
                    i + 1,
                    format!("has {n} characters, at most {MAX_WIDTH}"),
                ));
            }
        }
    }
    found
}

pub(super) fn leftovers(tree: &Tree) -> Vec<Complaint> {
    // in two parts, so that this file does not name them itself
    let notes = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];
    let calls = [concat!("to", "do!"), concat!("unimple", "mented!"), concat!("db", "g!")];
    let mut found = Vec::new();
    for (file, source) in tree.rust() {
        for (i, (code, comment)) in source.code.iter().zip(&source.comments).enumerate() {
            let note = notes.iter().find(|n| has_word(comment, n));
            let call = calls.iter().find(|c| code.contains(*c));
            if let Some(word) = note.or(call) {
                found.push(Complaint::at(&file.path, i + 1, format!("leaves a `{word}`")));
            }
        }
    }
    for file in tree.files.iter().filter(|f| f.path.ends_with(".md")) {
        for (i, line) in file.text.lines().enumerate().filter(|(_, l)| has_word(l, notes[0])) {
            let _ = line;
            found.push(Complaint::at(&file.path, i + 1, format!("leaves a `{}`", notes[0])));
        }
    }
    found
}

pub(super) fn private_paths(tree: &Tree) -> Vec<Complaint> {
    let prefixes =
        [concat!("/ho", "me/"), concat!("/ro", "ot/"), concat!("/Us", "ers/"), concat!("/wo", "rk/")];
    // a path starts where a word or another path does not go on
    let starts = |line: &str, at: usize| {
        line[..at].chars().next_back().is_none_or(|c| !c.is_alphanumeric() && !"./_-~}".contains(c))
    };
    let mut found = Vec::new();
    for file in &tree.files {
        for (i, line) in file.text.lines().enumerate() {
            let hit = prefixes.iter().find(|p| line.match_indices(**p).any(|(at, _)| starts(line, at)));
            if let Some(prefix) = hit {
                found.push(Complaint::at(
                    &file.path,
                    i + 1,
                    format!("names a path of one machine, `{prefix}...`"),
                ));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_opening_is_a_sentence() {
        let tree = Tree::of(&[
            ("crates/a/src/a.rs", "//! One sentence,\n//! on two lines.\n//!\n//! More\nuse b;\n"),
            ("crates/a/src/b.rs", "//! no stop\nuse b;\n"),
            ("crates/a/src/c.rs", "use b;\n"),
        ]);
        let found: Vec<String> = opening(&tree).into_iter().map(|c| c.path).collect();
        assert_eq!(found, ["crates/a/src/b.rs", "crates/a/src/c.rs"]);
    }

    #[test]
    fn long_files_and_long_lines_are_found() {
        let long = format!("//! A.\n{}", "fn a() {}\n".repeat(MAX_LINES));
        let wide = format!("//! A.\n// {}\n", "é".repeat(MAX_WIDTH));
        let product = format!("//! A.\n{}", "fn a() {}\n".repeat(MAX_PRODUCT_LINES));
        let tested =
            format!("//! A.\n#[cfg(test)]\nmod tests {{\n{}}}\n", "fn a() {}\n".repeat(MAX_PRODUCT_LINES));
        let tree = Tree::of(&[
            ("crates/a/src/a.rs", &long),
            ("crates/a/src/b.rs", &wide),
            ("crates/a/src/c.rs", &product),
            ("crates/a/src/d.rs", &tested),
        ]);
        let found: Vec<String> =
            length(&tree).into_iter().map(|c| c.path).filter(|p| p.contains("/a/src/")).collect();
        assert_eq!(found, ["crates/a/src/a.rs", "crates/a/src/c.rs"]);
        assert_eq!(width(&tree), [Complaint::at("crates/a/src/b.rs", 2, "has 123 characters, at most 120")]);
    }

    #[test]
    fn leftovers_are_found_in_comments_and_code_and_not_in_strings() {
        let text = format!(
            "// {0}: later\nfn a() {{ {1}(x); }}\nlet s = \"{0} {1}\";\n",
            concat!("TO", "DO"),
            concat!("db", "g!")
        );
        let lines: Vec<usize> =
            leftovers(&Tree::of(&[("crates/a/src/a.rs", &text)])).iter().map(|c| c.line).collect();
        assert_eq!(lines, [1, 2]);
    }

    #[test]
    fn paths_of_one_machine_are_found() {
        let text = format!("see {}me/jo/x\nand crates{0}me/jo\n", "/ho");
        assert_eq!(private_paths(&Tree::of(&[("docs/a.md", &text)])).len(), 1);
    }
}
