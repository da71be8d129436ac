//! The files of the repository, read once.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::rust::Source;

/// Folders that hold no work of ours.
const PASSED_OVER: &[&str] = &["target", "runs", ".git", "__pycache__"];
/// Endings of files that are read as text.
const TEXT: &[&str] = &["rs", "md", "toml", "py", "sh", "json", "csv", "html", "css", "js", "yml", "txt"];

/// One text file.
pub struct File {
    /// Path from the repository's root, with `/`.
    pub path: String,
    /// Its text.
    pub text: String,
    /// Where it is Rust: code and comments taken apart.
    pub source: Option<Source>,
}

/// All text files of the repository.
pub struct Tree {
    /// Sorted by path.
    pub files: Vec<File>,
    /// Paths of all files, text or not.
    pub paths: Vec<String>,
}

/// The repository's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new(".")).to_path_buf()
}

/// Runs a program of the repository in its root.
pub fn command(program: &str, args: &[&str]) -> Result<(), String> {
    command_in_path(&root().join(program).to_string_lossy(), args)
}

/// Runs any program in the root.
pub fn command_in_path(program: &str, args: &[&str]) -> Result<(), String> {
    let status = Command::new(program).args(args).current_dir(root()).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`{program}` failed: {status}")),
        Err(error) => Err(format!("cannot run `{program}`: {error}")),
    }
}

/// What git prints for these arguments.
pub fn git(args: &[&str]) -> Result<String, String> {
    let out = Command::new("git").args(args).current_dir(root()).output();
    let out = out.map_err(|error| format!("cannot run git: {error}"))?;
    if out.status.success() {
        Ok(String::from_utf8_lossy(&out.stdout).into_owned())
    } else {
        Err(format!("git {}: {}", args.join(" "), String::from_utf8_lossy(&out.stderr).trim()))
    }
}

impl File {
    /// A file from its text.
    pub fn new(path: &str, text: &str) -> File {
        let source = path.ends_with(".rs").then(|| Source::new(text));
        File { path: path.to_owned(), text: text.to_owned(), source }
    }

    /// The crate that it belongs to: the folder below `crates/`, or `xtask`.
    pub fn crate_name(&self) -> Option<&str> {
        let mut parts = self.path.split('/');
        match parts.next() {
            Some("crates") => parts.next(),
            Some("xtask") => Some("xtask"),
            _ => None,
        }
    }

    /// Whether it is part of a crate's own code, not of its tests or benches.
    pub fn is_product(&self) -> bool {
        self.path.starts_with("crates/") && self.path.contains("/src/")
    }
}

impl Tree {
    /// Reads the repository.
    pub fn read() -> Result<Tree, String> {
        let (root, mut tree) = (root(), Tree { files: vec![], paths: vec![] });
        tree.walk(&root, "").map_err(|error| format!("cannot read the repository: {error}"))?;
        tree.files.sort_by(|a, b| a.path.cmp(&b.path));
        tree.paths.sort();
        Ok(tree)
    }

    /// A tree of these files.
    #[cfg(test)]
    pub fn of(files: &[(&str, &str)]) -> Tree {
        let files: Vec<File> = files.iter().map(|(path, text)| File::new(path, text)).collect();
        let paths = files.iter().map(|f| f.path.clone()).collect();
        Tree { files, paths }
    }

    fn walk(&mut self, folder: &Path, prefix: &str) -> std::io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = format!("{prefix}{name}");
            if entry.file_type()?.is_dir() {
                if !PASSED_OVER.contains(&name.as_str()) {
                    self.walk(&entry.path(), &format!("{path}/"))?;
                }
                continue;
            }
            self.paths.push(path.clone());
            let ending = name.rsplit_once('.').map_or("", |(_, e)| e);
            if !TEXT.contains(&ending) && path != ".ci/run" {
                continue;
            }
            if let Ok(text) = fs::read_to_string(entry.path()) {
                self.files.push(File::new(&path, &text));
            }
        }
        Ok(())
    }

    /// The text of a file.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.files.iter().find(|f| f.path == path).map(|f| f.text.as_str())
    }

    /// Whether a file or a folder exists.
    pub fn has(&self, path: &str) -> bool {
        let folder = format!("{}/", path.trim_end_matches('/'));
        self.paths.iter().any(|p| p == path || p.starts_with(&folder))
    }

    /// Rust files of the workspace.
    pub fn rust(&self) -> impl Iterator<Item = (&File, &Source)> {
        self.files.iter().filter(|f| f.crate_name().is_some()).filter_map(|f| Some((f, f.source.as_ref()?)))
    }
}
