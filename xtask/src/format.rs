//! `fmt`: the formatter over every Rust file of the repository, those that macros declare and the rivals' too.
//!
//! `cargo fmt` follows `mod` lines only, and so passes over every file that a registry's macro declares.

use std::process::Command;

use crate::tree::{Tree, root};

/// The edition of every crate; `rustfmt` alone does not read the manifest.
const EDITION: &str = "2024";

/// Formats every file, or with `--check` only says which ones are not.
///
/// # Errors
/// When `--check` finds a file that is not formatted, or the formatter cannot read one.
pub fn run(args: &[String]) -> Result<(), String> {
    match args {
        [] => rustfmt(&[], &files(&Tree::read()?)).map(|_| ()),
        [flag] if flag == "--check" => {
            let found = unformatted(&files(&Tree::read()?))?;
            found.iter().for_each(|path| eprintln!("  {path}"));
            match found.len() {
                0 => Ok(()),
                n => Err(format!("{n} files are not formatted\nhint: cargo xtask fmt")),
            }
        }
        _ => Err("usage: cargo xtask fmt [--check]".to_owned()),
    }
}

/// Paths of all Rust files, from the root.
pub fn files(tree: &Tree) -> Vec<&str> {
    tree.paths.iter().map(String::as_str).filter(|p| p.ends_with(".rs")).collect()
}

/// Those of the files that the formatter would change.
///
/// # Errors
/// When there is no formatter, or it cannot read a file.
pub fn unformatted(paths: &[&str]) -> Result<Vec<String>, String> {
    let root = root().canonicalize().map_err(|error| format!("cannot find the repository: {error}"))?;
    let printed = rustfmt(&["--check", "-l"], paths)?;
    let mut found: Vec<String> = printed
        .lines()
        .filter_map(|line| std::path::Path::new(line).canonicalize().ok())
        .map(|path| path.strip_prefix(&root).unwrap_or(&path).to_string_lossy().replace('\\', "/"))
        .collect();
    found.sort();
    found.dedup();
    Ok(found)
}

/// What the formatter prints. It ends with 1 both for a difference and for a file that it cannot read, and only in the
/// second case writes to the error stream.
fn rustfmt(flags: &[&str], paths: &[&str]) -> Result<String, String> {
    let out = Command::new("rustfmt")
        .args(["--edition", EDITION])
        .args(flags)
        .args(paths)
        .current_dir(root())
        .output();
    let out =
        out.map_err(|error| format!("cannot run rustfmt: {error}\nhint: rustup component add rustfmt"))?;
    let said = String::from_utf8_lossy(&out.stderr);
    if !out.status.success() && !said.trim().is_empty() {
        return Err(format!("rustfmt: {}", said.trim()));
    }
    Ok(String::from_utf8_lossy(&out.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn files_that_macros_declare_and_rivals_are_looked_at() {
        let tree = Tree::read().unwrap();
        let all = files(&tree);
        for path in
            ["crates/engine/src/ops/softmax.rs", "bench/rivals/candle/src/main.rs", "xtask/src/format.rs"]
        {
            assert!(all.contains(&path), "{path}");
        }
    }

    #[test]
    fn a_file_out_of_shape_is_named() {
        let folder = std::env::temp_dir().join(format!("thalweg-format-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.join(name);
            fs::write(&path, text).unwrap();
            path.to_string_lossy().into_owned()
        };
        let (good, bad) = (write("good.rs", "fn f() {}\n"), write("bad.rs", "fn  f( ) { }\n"));
        let broken = write("broken.rs", "fn f(\n");
        let found = unformatted(&[&good, &bad]).unwrap();
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].ends_with("bad.rs"), "{found:?}");
        assert!(unformatted(&[&broken]).unwrap_err().contains("broken.rs"));
        fs::remove_dir_all(&folder).unwrap();
    }
}
