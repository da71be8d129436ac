//! No `unwrap`, `expect` or `panic!` in the crates outside tests: errors are typed, and broken invariants say so.

use super::Complaint;
use crate::tree::Tree;

/// Lines that may, by file and a part of the line, each with its reason.
const ALLOWED: &[(&str, &str, &str)] = &[];

pub(super) fn panics(tree: &Tree) -> Vec<Complaint> {
    let calls = [".unwrap()", ".expect(", "panic!(", ".unwrap_err()", ".expect_err("];
    let mut found = Vec::new();
    for (file, source) in tree.rust().filter(|(file, _)| file.is_product() && !is_test_file(&file.path)) {
        for (line, code) in source.product() {
            let Some(call) = calls.iter().find(|c| code.contains(*c)) else { continue };
            if !ALLOWED.iter().any(|(path, part, _)| *path == file.path && code.contains(part)) {
                let what = format!(
                    "`{call}` outside tests: return an error, or state the invariant with `unreachable!`"
                );
                found.push(Complaint::at(&file.path, line, what));
            }
        }
    }
    found
}

/// A module of tests in a file of its own.
fn is_test_file(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.contains("/src/tests/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_product_code_is_looked_at() {
        let text = "//! A.\n/// `x.unwrap()`\nfn a() { x.unwrap(); }\n\
                    #[cfg(test)]\nmod tests {\n    fn b() { x.unwrap(); }\n}\n";
        let tree =
            Tree::of(&[("crates/a/src/a.rs", text), ("crates/a/tests/a.rs", text), ("xtask/src/a.rs", text)]);
        let found = panics(&tree);
        assert_eq!((found.len(), found[0].line), (1, 3));
    }
}
