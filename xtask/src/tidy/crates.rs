//! Rules about `Cargo.toml`: imports point down, and every dependency has a reason.

use super::Complaint;
use crate::tree::Tree;

/// What each crate may import of ours.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("kernels", &[]),
    ("engine", &["kernels"]),
    ("record", &[]),
    ("settings", &[]),
    ("data", &["kernels", "settings"]),
    ("thalweg", &["kernels", "engine", "record", "settings", "data"]),
    ("report", &["record"]),
    ("cli", &["kernels", "engine", "record", "settings", "data", "thalweg", "report"]),
    ("xtask", &[]),
];

pub(super) fn layers(tree: &Tree) -> Vec<Complaint> {
    let ours = |name: &str| MAY_IMPORT.iter().any(|(n, _)| *n == name);
    let mut found = Vec::new();
    for file in tree.files.iter().filter(|f| f.path.ends_with("/Cargo.toml")) {
        let Some(own) = file.crate_name() else { continue };
        let Some((_, allowed)) = MAY_IMPORT.iter().find(|(n, _)| *n == own) else {
            found.push(Complaint::of(&file.path, format!("crate `{own}` is not in the list of layers")));
            continue;
        };
        for (line, name) in entries(&file.text, &["dependencies", "dev-dependencies", "build-dependencies"]) {
            if ours(&name) && !allowed.contains(&name.as_str()) {
                let what = format!("`{own}` must not import `{name}`: imports point down");
                found.push(Complaint::at(&file.path, line, what));
            }
        }
    }
    found
}

pub(super) fn reasons(tree: &Tree) -> Vec<Complaint> {
    let (manifest, document) = ("Cargo.toml", "ARCHITECTURE.md");
    let Some(text) = tree.text(manifest) else { return vec![Complaint::of(manifest, "is missing")] };
    let table = tree.text(document).unwrap_or_default();
    let mut found = Vec::new();
    for (line, name) in entries(text, &["workspace.dependencies"]) {
        let own = text.lines().nth(line - 1).unwrap_or_default();
        if own.contains("path =") {
            continue;
        }
        if !own.contains(" # ") {
            found.push(Complaint::at(manifest, line, format!("`{name}` needs a reason behind `#`")));
        }
        if !table.contains(&format!("`{name}`")) {
            found.push(Complaint::of(document, format!("does not name the dependency `{name}`")));
        }
    }
    found
}

/// Names and lines of the keys in these tables.
fn entries(text: &str, tables: &[&str]) -> Vec<(usize, String)> {
    let (mut found, mut inside) = (Vec::new(), false);
    for (i, line) in text.lines().enumerate() {
        if let Some(header) = line.trim().strip_prefix('[') {
            inside = header.split(']').next().is_some_and(|t| tables.iter().any(|table| t.ends_with(table)));
            continue;
        }
        let key = line.split(['=', '.']).next().unwrap_or_default().trim();
        if inside && !key.is_empty() && !key.starts_with('#') && line.contains('=') {
            found.push((i + 1, key.to_owned()));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_import_that_points_up_is_found() {
        let engine =
            "[package]\nname = \"e\"\n[dependencies]\nkernels.workspace = true\nthalweg = { path = \"x\" }\n";
        let found = layers(&Tree::of(&[("crates/engine/Cargo.toml", engine)]));
        assert_eq!((found.len(), found[0].line), (1, 5));
        assert_eq!(layers(&Tree::of(&[("crates/new/Cargo.toml", "[package]\n")])).len(), 1);
    }

    #[test]
    fn dependencies_without_reason_are_found() {
        let manifest =
            "[workspace.dependencies]\nengine = { path = \"x\" }\na = \"1\" # why\nb = \"1\"\n[lints]\n";
        let found = reasons(&Tree::of(&[("Cargo.toml", manifest), ("ARCHITECTURE.md", "`a`")]));
        assert_eq!(found.len(), 2, "{found:?}");
    }
}
