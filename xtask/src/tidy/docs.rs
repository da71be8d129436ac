//! Rules about documents: the changelog, links between files, the handbook's summary.

use super::Complaint;
use crate::tree::{File, Tree};

pub(super) fn changelog(tree: &Tree) -> Vec<Complaint> {
    let path = "CHANGELOG.md";
    match tree.text(path) {
        None => vec![Complaint::of(path, "is missing")],
        Some(text) if !text.lines().any(|l| l.trim() == "## [Unreleased]") => {
            vec![Complaint::of(path, "needs a section `## [Unreleased]`")]
        }
        Some(_) => vec![],
    }
}

pub(super) fn links(tree: &Tree) -> Vec<Complaint> {
    let mut found = Vec::new();
    for file in tree.files.iter().filter(|f| f.path.ends_with(".md")) {
        for (line, target) in targets(&file.text) {
            if let Some(what) = broken(tree, file, &target) {
                found.push(Complaint::at(&file.path, line, what));
            }
        }
    }
    found
}

pub(super) fn summary(tree: &Tree) -> Vec<Complaint> {
    let path = "docs/src/SUMMARY.md";
    let Some(text) = tree.text(path) else { return vec![Complaint::of(path, "is missing")] };
    let listed: Vec<String> = targets(text).into_iter().map(|(_, t)| format!("docs/src/{t}")).collect();
    let pages = tree.files.iter().filter(|f| f.path.starts_with("docs/src/") && f.path.ends_with(".md"));
    pages
        .filter(|f| f.path != path && !listed.contains(&f.path))
        .map(|f| Complaint::of(&f.path, "is not in the summary"))
        .collect()
}

/// Why a link does not lead anywhere.
fn broken(tree: &Tree, from: &File, target: &str) -> Option<String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let path = if path.is_empty() { from.path.clone() } else { join(&from.path, path)? };
    if !tree.has(&path) {
        return Some(format!("links to `{path}`, which does not exist"));
    }
    let text = tree.text(&path).filter(|_| !anchor.is_empty() && path.ends_with(".md"))?;
    let known = text.lines().filter(|l| l.starts_with('#')).any(|l| slug(l) == anchor);
    (!known).then(|| format!("links to `{path}`, which has no heading `#{anchor}`"))
}

/// A path relative to a file, from the root; none where it leaves the repository.
fn join(from: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            _ => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// The anchor of a heading, as mdBook and GitHub make it.
fn slug(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    text.chars()
        .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

/// Targets of links and pictures outside code, with their lines.
fn targets(text: &str) -> Vec<(usize, String)> {
    let (mut found, mut in_code) = (Vec::new(), false);
    for (i, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        if in_code {
            continue;
        }
        let prose: String = line.split('`').step_by(2).collect::<Vec<_>>().join("`");
        for part in prose.split("](").skip(1) {
            if let Some((target, _)) = part.split_once(')') {
                found.push((i + 1, target.split(' ').next().unwrap_or_default().to_owned()));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_to_files_and_headings_are_followed() {
        let a = "[b](src/b.md#two-words) [web](https://x.y) `[no](no.md)`\n\
                 ```\n[no](no.md)\n```\n[c](c.md)\n[d](src/b.md#three)\n";
        let tree = Tree::of(&[("docs/a.md", a), ("docs/src/b.md", "# One\n## Two, words!\n")]);
        let lines: Vec<usize> = links(&tree).iter().map(|c| c.line).collect();
        assert_eq!(lines, [5, 6]);
    }

    #[test]
    fn pages_outside_the_summary_are_found() {
        let tree = Tree::of(&[
            ("docs/src/SUMMARY.md", "- [A](a.md)\n"),
            ("docs/src/a.md", ""),
            ("docs/src/b.md", ""),
        ]);
        assert_eq!(summary(&tree), [Complaint::of("docs/src/b.md", "is not in the summary")]);
    }

    #[test]
    fn the_changelog_needs_its_section() {
        assert_eq!(changelog(&Tree::of(&[("CHANGELOG.md", "# Changes\n## [0.1.0]\n")])).len(), 1);
        assert_eq!(changelog(&Tree::of(&[("CHANGELOG.md", "# Changes\n## [Unreleased]\n")])).len(), 0);
    }
}
