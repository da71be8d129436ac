//! `gen [--check]`: writes the handbook's tables from what the program says of itself.
//!
//! A page marks a region by `<!-- gen: list optimizers -->`, `<!-- gen: config -->` or `<!-- gen: verbs -->`, each up
//! to `<!-- end -->`. Everything between is replaced.

use serde_json::Value;
use std::fs;
use std::process::Command;

use crate::tree::{Tree, root};

const OPEN: &str = "<!-- gen: ";
const CLOSE: &str = "<!-- end -->";

/// Writes all regions, or with `--check` only compares them.
///
/// # Errors
/// When the program cannot be run, or with `--check` where a page is out of date.
pub fn run(args: &[String]) -> Result<(), String> {
    let check = match args {
        [] => false,
        [flag] if flag == "--check" => true,
        _ => return Err("expected `gen` or `gen --check`".into()),
    };
    let mut stale = Vec::new();
    let tree = Tree::read()?;
    for file in tree.files.iter().filter(|f| f.path.ends_with(".md") && f.text.contains(OPEN)) {
        let text = filled(&file.text, &region).map_err(|why| format!("{}: {why}", file.path))?;
        if text == file.text {
            continue;
        }
        stale.push(file.path.as_str());
        if !check {
            fs::write(root().join(&file.path), &text).map_err(|error| format!("{error}: {}", file.path))?;
            eprintln!("wrote {}", file.path);
        }
    }
    match check && !stale.is_empty() {
        true => Err(format!("out of date: {}; run `cargo xtask gen`", stale.join(", "))),
        false => Ok(()),
    }
}

/// The page with every region replaced.
fn filled(text: &str, region: &dyn Fn(&str) -> Result<String, String>) -> Result<String, String> {
    let (mut out, mut rest) = (String::new(), text);
    while let Some(at) = rest.find(OPEN) {
        let after = &rest[at + OPEN.len()..];
        let (what, body) = after.split_once(" -->").ok_or("a region's first line is not closed")?;
        let (_, tail) =
            body.split_once(CLOSE).ok_or_else(|| format!("the region `{what}` has no `{CLOSE}`"))?;
        out += &format!("{}{OPEN}{what} -->\n{}\n{CLOSE}", &rest[..at], region(what)?.trim_end());
        rest = tail;
    }
    Ok(out + rest)
}

fn region(what: &str) -> Result<String, String> {
    match what.split(' ').collect::<Vec<_>>()[..] {
        ["list", name] => {
            let text = thalweg(&["list", name, "--json"])?;
            let last = text.lines().last().unwrap_or_default();
            Ok(table(&serde_json::from_str(last).map_err(|error| format!("`list {name}`: {error}"))?))
        }
        ["config"] => Ok(format!("```toml\n{}\n```", thalweg(&["config", "show"])?.trim_end())),
        ["verbs"] => verbs(),
        _ => Err(format!("there is no region `{what}`")),
    }
}

/// What the program prints to standard output.
fn thalweg(args: &[&str]) -> Result<String, String> {
    let cargo = ["run", "--release", "--quiet", "--package", "thalweg-cli", "--"];
    let out = Command::new("cargo").args(cargo).args(args).current_dir(root()).output();
    let out = out.map_err(|error| format!("cannot run cargo: {error}"))?;
    if !out.status.success() {
        return Err(format!("`thalweg {}`: {}", args.join(" "), String::from_utf8_lossy(&out.stderr).trim()));
    }
    Ok(String::from_utf8_lossy(&out.stdout).into_owned())
}

/// A heading and the help text for each verb.
fn verbs() -> Result<String, String> {
    let help = thalweg(&["--help"])?;
    let mut out = format!("```text\n{}\n```\n", help.trim_end());
    for verb in verb_names(&help) {
        let own = thalweg(&[verb, "--help"])?;
        out += &format!("\n## thalweg {verb}\n\n```text\n{}\n```\n", own.trim_end());
    }
    Ok(out)
}

/// The first words of the lines below `Commands:`.
fn verb_names(help: &str) -> Vec<&str> {
    let below = help.lines().skip_while(|l| *l != "Commands:").skip(1).take_while(|l| !l.is_empty());
    below
        .filter(|l| l.starts_with("  ") && !l.starts_with("   "))
        .filter_map(|l| l.split_whitespace().next())
        .collect()
}

fn table(list: &Value) -> String {
    let entries = list["entries"].as_array().map(Vec::as_slice).unwrap_or_default();
    if entries.iter().all(|e| e["formula"].is_null()) {
        let rows = entries.iter().map(|e| format!("| {} | {} |\n", names(&e["name"]), cell(&e["summary"])));
        return format!("| name | what |\n|---|---|\n{}", rows.collect::<String>());
    }
    let shared = shared_keys(entries);
    let mut out = String::from("| name | what | own keys | source |\n|---|---|---|---|\n");
    for e in entries {
        let own: Vec<String> = keys(e).iter().filter(|k| !shared.contains(k)).map(key).collect();
        out += &format!(
            "| `{}` | {}: {} | {} | {} |\n",
            text(&e["name"]),
            cell(&e["summary"]),
            code(&e["formula"]),
            own.join(", "),
            cell(&e["source"])
        );
    }
    if !shared.is_empty() {
        out +=
            "\nAll of them also take these keys.\n\n| key | default | what | values |\n|---|---|---|---|\n";
    }
    for k in &shared {
        let (default, range) = (k["default"].to_string(), text(&k["range"]).replace('|', "\\|"));
        out += &format!("| `{}` | `{default}` | {} | {range} |\n", text(&k["name"]), cell(&k["help"]));
    }
    out
}

/// Keys that every entry has, with one default.
fn shared_keys(entries: &[Value]) -> Vec<Value> {
    let Some((first, others)) = entries.split_first().filter(|(_, others)| !others.is_empty()) else {
        return vec![];
    };
    keys(first).iter().filter(|k| others.iter().all(|e| keys(e).contains(k))).cloned().collect()
}

fn keys(entry: &Value) -> &[Value] {
    entry["keys"].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn key(k: &Value) -> String {
    match &k["default"] {
        Value::Null => format!("`{}`", text(&k["name"])),
        default => format!("`{} = {default}`", text(&k["name"])),
    }
}

/// Each word of a list of names as code.
fn names(value: &Value) -> String {
    text(value).split(' ').map(|n| format!("`{n}`")).collect::<Vec<_>>().join(" ")
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Text for a cell; a bar would end it.
fn cell(value: &Value) -> String {
    text(value).replace('|', "\\|")
}

/// A formula, which may hold stars and bars.
fn code(value: &Value) -> String {
    format!("`{}`", cell(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn regions_are_replaced_and_the_rest_stays() {
        let page = "a\n<!-- gen: x y -->\nold\n<!-- end -->\nb\n<!-- gen: z --><!-- end -->\n";
        let once = filled(page, &|what| Ok(format!("[{what}]\n"))).unwrap();
        assert_eq!(
            once,
            "a\n<!-- gen: x y -->\n[x y]\n<!-- end -->\nb\n<!-- gen: z -->\n[z]\n<!-- end -->\n"
        );
        assert_eq!(filled(&once, &|what| Ok(format!("[{what}]\n"))).unwrap(), once);
        assert!(filled("<!-- gen: x -->\n", &|_| Ok(String::new())).is_err());
    }

    #[test]
    fn keys_of_all_entries_are_told_once() {
        let lr = json!({ "name": "lr", "default": 0.1, "range": "more", "help": "step" });
        let mu = json!({ "name": "mu", "default": 0.9, "range": "more", "help": "m" });
        let entry = |name: &str, keys: Value| json!({ "name": name, "summary": "s", "formula": "|x|", "source": "t", "keys": keys });
        let list = json!({ "entries": [entry("a", json!([lr, mu])), entry("b", json!([lr]))] });
        let text = table(&list);
        assert!(text.contains("| `a` | s: `\\|x\\|` | `mu = 0.9` | t |"), "{text}");
        assert_eq!(text.matches("`lr`").count(), 1);
    }

    #[test]
    fn verbs_are_the_first_words() {
        let help = "Usage\n\nCommands:\n  data   Look\n         more\n  list   List\n\nOptions:\n  -h\n";
        assert_eq!(verb_names(help), ["data", "list"]);
    }
}
