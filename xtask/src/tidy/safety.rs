//! Rules about `unsafe`: where it may be, and what must stand above it.

use super::Complaint;
use crate::rust::{Source, has_word};
use crate::tree::Tree;

/// The crate that may.
const HOME: &str = "kernels";
/// Files elsewhere that may, each with its reason.
const ELSEWHERE: &[(&str, &str)] = &[];
/// Lines above a block in which its reason must begin.
const REACH: usize = 10;

pub(super) fn only_in_kernels(tree: &Tree) -> Vec<Complaint> {
    let away = tree.rust().filter(|(file, _)| {
        file.crate_name() != Some(HOME) && ELSEWHERE.iter().all(|(path, _)| *path != file.path)
    });
    away.flat_map(|(file, source)| {
        let lines = source.code.iter().enumerate().filter(|(_, code)| has_word(code, "unsafe"));
        lines.map(|(i, _)| Complaint::at(&file.path, i + 1, "unsafe code belongs in crate kernels"))
    })
    .collect()
}

pub(super) fn explained(tree: &Tree) -> Vec<Complaint> {
    let blocks = tree.rust().flat_map(|(file, source)| {
        let bare = |i: &usize| opens_block(&source.code[*i]) && !is_explained(source, *i);
        (0..source.code.len()).filter(bare).map(|i| (file.path.as_str(), i + 1)).collect::<Vec<_>>()
    });
    blocks.map(|(path, line)| Complaint::at(path, line, "needs a `// SAFETY:` above it")).collect()
}

/// A block or an `impl`; a function's contract is in its docs, which clippy looks at.
fn opens_block(code: &str) -> bool {
    let rest = code.split("unsafe").nth(1).filter(|_| has_word(code, "unsafe")).map(str::trim_start);
    rest.is_some_and(|r| r.starts_with('{') || r.starts_with("impl") || r.is_empty())
}

/// Whether the reason stands in the comments of the block's own line or of the lines above it.
fn is_explained(source: &Source, line: usize) -> bool {
    (line.saturating_sub(REACH)..=line).any(|i| source.comments[i].contains("SAFETY:"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_need_a_reason_and_a_home() {
        let text = "fn a() {\n    // SAFETY: checked above.\n    unsafe { b() }\n}\n";
        let bare = "fn a() {\n    unsafe { b() }\n}\n";
        let tree = Tree::of(&[
            ("crates/kernels/src/a.rs", text),
            ("crates/kernels/src/b.rs", bare),
            ("crates/engine/src/a.rs", text),
        ]);
        assert_eq!(
            explained(&tree),
            [Complaint::at("crates/kernels/src/b.rs", 2, "needs a `// SAFETY:` above it")]
        );
        let away = only_in_kernels(&tree);
        assert_eq!((away.len(), away[0].path.as_str(), away[0].line), (1, "crates/engine/src/a.rs", 3));
    }

    #[test]
    fn functions_and_their_types_are_not_blocks() {
        let text = "pub unsafe fn a() {}\ntype F = unsafe fn(u8);\nlet s = \"unsafe {\";\n";
        assert!(explained(&Tree::of(&[("crates/kernels/src/a.rs", text)])).is_empty());
    }
}
