//! A rule about words: one spelling, the American one, in prose, names and keys.

use super::Complaint;
use crate::tree::Tree;

/// Parts of words that are British, in two pieces so that this file does not hold them itself. Words in `is` count
/// where `a`, `e` or `i` follows, as in `-ise`, `-ising` and `-isation`.
const BRITISH: &[&str] = &[
    concat!("art", "efact"),
    concat!("behav", "iour"),
    concat!("cancel", "led"),
    concat!("cancel", "ling"),
    concat!("catal", "ogue"),
    concat!("cent", "red"),
    concat!("cent", "re"),
    concat!("cent", "ring"),
    concat!("col", "our"),
    concat!("fav", "our"),
    concat!("gr", "ey"),
    concat!("hon", "our"),
    concat!("judge", "ment"),
    concat!("label", "led"),
    concat!("label", "ling"),
    concat!("lear", "nt"),
    concat!("lic", "ence"),
    concat!("model", "led"),
    concat!("model", "ling"),
    concat!("neighb", "our"),
    concat!("general", "is"),
    concat!("initial", "is"),
    concat!("maxim", "is"),
    concat!("minim", "is"),
    concat!("normal", "is"),
    concat!("optim", "is"),
    concat!("organ", "is"),
    concat!("quant", "is"),
    concat!("random", "is"),
    concat!("recogn", "is"),
    concat!("regular", "is"),
    concat!("serial", "is"),
    concat!("standard", "is"),
    concat!("summar", "is"),
    concat!("vector", "is"),
];

/// Files that are for people; data and what other programs wrote are passed over.
const ENDINGS: &[&str] = &["rs", "md", "py", "toml", "sh", "html", "css", "js"];

/// Where British spellings are understood, and that they are is tested; and records, which stay as they were written.
const EXEMPT: &[&str] =
    &["crates/settings/src/spelling.rs", "crates/thalweg/tests/spelling.rs", "bench/records/"];

pub(super) fn american(tree: &Tree) -> Vec<Complaint> {
    let ours = |path: &str| {
        let ending = path.rsplit_once('.').map_or("", |(_, e)| e);
        ENDINGS.contains(&ending) && !EXEMPT.iter().any(|exempt| path.starts_with(exempt))
    };
    let mut found = Vec::new();
    for file in tree.files.iter().filter(|file| ours(&file.path)) {
        for (i, line) in file.text.lines().enumerate() {
            let low = line.to_lowercase();
            if let Some(part) = BRITISH.iter().find(|part| holds(&low, part)) {
                let what = format!("spells `{part}…` the British way; this house spells the American way");
                found.push(Complaint::at(&file.path, i + 1, what));
            }
        }
    }
    found
}

/// Whether a line in lower case holds such a part of a word.
fn holds(line: &str, part: &str) -> bool {
    let suffix = |rest: &str| !part.ends_with("is") || rest.starts_with(['a', 'e', 'i']);
    line.match_indices(part).any(|(at, _)| suffix(&line[at + part.len()..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn british_words_are_found_and_words_that_look_like_them_are_not() {
        let text = format!(
            "an {}er of {}s\noptimistic organisms, concentrated; recent redness; precise, otherwise\nN{}Batch\n",
            concat!("optim", "is"),
            concat!("col", "our"),
            concat!("ormal", "ise"),
        );
        let tree =
            Tree::of(&[("docs/a.md", &text), ("bench/records/a/summary.md", &text), ("data.csv", &text)]);
        let lines: Vec<usize> = american(&tree).iter().map(|c| c.line).collect();
        assert_eq!(lines, [1, 3]);
    }
}
