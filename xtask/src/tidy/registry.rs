//! Every file is reached by a `mod` or a registry line, and what looks like a concept is in the registry beside it.
//!
//! A registry is a `macro_rules!` whose body writes `mod $name;`, called once in the same file. Each name in the call
//! is a file; the constants that the macro takes from it (`$module::ENTRY`) mark a file as a concept.

use super::Complaint;
use crate::rust::{Source, has_word};
use crate::tree::{File, Tree};

/// One registry: where it is, what it lists, and what its files hold.
struct Registry {
    listed: Vec<String>,
    marks: Vec<String>,
}

pub(super) fn listed(tree: &Tree) -> Vec<Complaint> {
    let mut found = Vec::new();
    for (file, source) in tree.rust().filter(|(f, _)| f.path.contains("/src/")) {
        let registries = registries(source);
        for name in registries.iter().flat_map(|r| &r.listed) {
            if !homes(file)
                .iter()
                .any(|h| tree.has(&format!("{h}/{name}.rs")) || tree.has(&format!("{h}/{name}")))
            {
                found.push(Complaint::of(&file.path, format!("lists `{name}`, which has no file")));
            }
        }
        found.extend(about(tree, file, source));
    }
    found
}

/// What is wrong with one file's place.
fn about(tree: &Tree, file: &File, source: &Source) -> Option<Complaint> {
    let (folder, name) = place(&file.path)?;
    let parents = tree.rust().filter(|(p, _)| p.path != file.path && homes(p).contains(&folder));
    let (mut declared, mut listed, mut marks) = (false, false, Vec::new());
    for (_, parent) in parents {
        declared |= parent.code.iter().any(|line| declares(line, &name));
        for registry in registries(parent) {
            listed |= registry.listed.contains(&name);
            marks.extend(registry.marks);
        }
    }
    let is_concept = marks.iter().any(|mark| {
        source
            .code
            .iter()
            .any(|line| line.contains(&format!("const {mark}:")) || line.contains(&format!("const {mark} ")))
    });
    match (declared, listed) {
        (false, false) => {
            Some(Complaint::of(&file.path, "no `mod` and no registry names it, so it is not compiled"))
        }
        (true, false) if is_concept => {
            Some(Complaint::of(&file.path, "is a concept that its registry does not list"))
        }
        _ => None,
    }
}

fn declares(line: &str, name: &str) -> bool {
    let rest = line.trim_start();
    let rest = rest.split("mod ").nth(1).filter(|_| has_word(rest, "mod")).unwrap_or_default();
    rest.strip_prefix(name).is_some_and(|tail| tail.starts_with(';') || tail.trim_start().starts_with('{'))
}

/// Folder and module name of a file that a parent must name; none for roots of crates and of programs.
fn place(path: &str) -> Option<(String, String)> {
    let (folder, name) = path.rsplit_once('/')?;
    let name = name.strip_suffix(".rs")?;
    if folder.ends_with("/src/bin") || folder.ends_with("/src") && matches!(name, "lib" | "main") {
        return None;
    }
    if name == "mod" {
        let (folder, name) = folder.rsplit_once('/')?;
        return Some((folder.to_owned(), name.to_owned()));
    }
    Some((folder.to_owned(), name.to_owned()))
}

/// Folders in which a file's submodules are.
fn homes(file: &File) -> Vec<String> {
    let Some((folder, name)) = file.path.rsplit_once('/') else { return vec![] };
    match name.strip_suffix(".rs") {
        Some("mod" | "lib" | "main") => vec![folder.to_owned()],
        Some(stem) => vec![format!("{folder}/{stem}")],
        None => vec![],
    }
}

fn registries(source: &Source) -> Vec<Registry> {
    let code = source.code.join("\n");
    let mut found = Vec::new();
    for (at, _) in code.match_indices("macro_rules!") {
        let rest = &code[at + "macro_rules!".len()..];
        let (Some(open), Some(body)) = (rest.find('{'), braces(rest)) else { continue };
        let name = rest[..open].trim();
        if !body.contains("mod $") {
            continue;
        }
        let call = format!("\n{name}!");
        let listed = code.match_indices(&call).filter_map(|(at, _)| braces(&code[at..])).flat_map(names);
        found.push(Registry { listed: listed.collect(), marks: marks(body) });
    }
    found
}

/// The inside of the first pair of braces.
fn braces(text: &str) -> Option<&str> {
    let open = text.find('{')?;
    let mut depth = 0;
    for (i, c) in text[open..].char_indices() {
        depth += i32::from(c == '{') - i32::from(c == '}');
        if depth == 0 {
            return Some(&text[open + 1..open + i]);
        }
    }
    None
}

/// `a, b: C, d::E` names the files a, b and d; so does `group { a, b: C } other { d::E }`. A `#[cfg(...)]` may stand
/// before a name.
fn names(list: &str) -> Vec<String> {
    let entries = list.split_inclusive([',', '{', '}']).filter(|part| !part.ends_with('{'));
    let name = |part: &str| {
        let part = part.trim_start();
        let word =
            if part.starts_with("#[") { part.split_once(']').map_or("", |(_, rest)| rest) } else { part };
        word.trim_start()
            .split(|c: char| !c.is_alphanumeric() && c != '_')
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    entries.map(name).filter(|name| !name.is_empty()).collect()
}

/// Constants that a macro takes from each file: the word behind `$x::` where it is all capitals.
fn marks(body: &str) -> Vec<String> {
    let words = body.split('$').filter_map(|part| part.split_once("::")).map(|(_, rest)| {
        rest.chars().take_while(|c| c.is_ascii_uppercase() || *c == '_').collect::<String>()
    });
    words.filter(|w| w.len() > 1).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "//! A.\nmod help;\nmacro_rules! things {\n    ($($m:ident: $T:ident),*) => { $(mod $m;)* \
                          pub const ALL: &[E] = &[$($m::ENTRY),*]; };\n}\nthings! {\n    one: One,\n    two: Two,\n}\n";

    fn check(more: &[(&str, &str)]) -> Vec<String> {
        let mut files =
            vec![("crates/a/src/lib.rs", "mod things;\n"), ("crates/a/src/things/mod.rs", PARENT)];
        files.extend(["one", "two", "help"].map(|n| match n {
            "one" => ("crates/a/src/things/one.rs", "const ENTRY: E = x;\n"),
            "two" => ("crates/a/src/things/two.rs", "const ENTRY: E = x;\n"),
            _ => ("crates/a/src/things/help.rs", "fn a() {}\n"),
        }));
        files.retain(|(path, _)| more.iter().all(|(p, _)| p != path));
        files.extend(more.iter().filter(|(_, text)| !text.is_empty()));
        listed(&Tree::of(&files)).iter().map(|c| c.to_string()).collect()
    }

    #[test]
    fn lists_may_be_grouped() {
        assert_eq!(names("\n  a, b: B,\n d::D"), ["a", "b", "d"]);
        assert_eq!(names(" one { a: A, b: B, } two { c: C } "), ["a", "b", "c"]);
        assert_eq!(names("a,\n #[cfg(feature = \"x\")]\n b: B"), ["a", "b"]);
    }

    #[test]
    fn a_complete_registry_is_fine() {
        assert_eq!(check(&[]), [] as [&str; 0]);
    }

    #[test]
    fn files_that_nobody_names_and_names_without_file_are_found() {
        let found = check(&[("crates/a/src/things/three.rs", "const ENTRY: E = x;\n")]);
        assert!(
            found.len() == 1 && found[0].starts_with("crates/a/src/things/three.rs: no `mod`"),
            "{found:?}"
        );
        let found = check(&[("crates/a/src/things/two.rs", "")]);
        assert_eq!(found, ["crates/a/src/things/mod.rs: lists `two`, which has no file"]);
    }

    #[test]
    fn a_concept_beside_its_registry_is_found() {
        let found = check(&[("crates/a/src/things/help.rs", "const ENTRY: E = x;\n")]);
        assert_eq!(found, ["crates/a/src/things/help.rs: is a concept that its registry does not list"]);
    }
}
