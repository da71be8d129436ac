//! Runs the program as a user does.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

/// A folder of its own for a test, empty at the start and taken away at the end.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("thalweg-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    fn command(&self, words: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_thalweg"));
        command
            .args(words.split(' ').filter(|w| !w.is_empty()))
            .current_dir(&self.0)
            .env("THALWEG_DATA", self.0.join("data"))
            .env_remove("RUST_BACKTRACE");
        command
    }

    /// Runs `thalweg` here; the words are parted by blanks.
    #[allow(dead_code)]
    pub fn run(&self, words: &str) -> Ran {
        Ran::new(self.command(words).output().unwrap())
    }

    /// The same with variables of the environment.
    #[allow(dead_code)]
    pub fn run_with(&self, words: &str, variables: &[(&str, &str)]) -> Ran {
        Ran::new(self.command(words).envs(variables.iter().copied()).output().unwrap())
    }

    /// The same with standard output somewhere else.
    #[allow(dead_code)]
    pub fn run_into(&self, words: &str, out: impl Into<Stdio>) -> Ran {
        Ran::new(self.command(words).stdout(out).output().unwrap())
    }

    /// The same where no file may grow beyond this many blocks of 512 bytes: a write beyond is refused.
    #[allow(dead_code)]
    pub fn run_limited(&self, words: &str, blocks: u32) -> Ran {
        let program = env!("CARGO_BIN_EXE_thalweg");
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec {program} {words}");
        Ran::new(Command::new("sh").arg("-c").arg(script).current_dir(&self.0).output().unwrap())
    }

    /// The same, without waiting for the end.
    #[allow(dead_code)]
    pub fn start(&self, words: &str) -> Child {
        self.command(words).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }
}

impl Folder {
    /// The same with variables of the environment.
    #[allow(dead_code)]
    pub fn start_with(&self, words: &str, variables: &[(&str, &str)]) -> Child {
        let mut command = self.command(words);
        command.envs(variables.iter().copied()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What came of it.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    fn new(output: Output) -> Ran {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Ran { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
    }

    /// Done, and nothing on standard error.
    #[allow(dead_code)]
    #[track_caller]
    pub fn fine(self) -> String {
        assert_eq!((self.code, self.err.as_str()), (0, ""), "{}", self.out);
        self.out
    }

    /// Stopped with this code and exactly this talk.
    #[allow(dead_code)]
    #[track_caller]
    pub fn fails(self, code: i32, talk: &str) {
        assert_eq!((self.code, self.err.trim_end()), (code, talk), "{}", self.out);
    }

    /// Standard output as JSON lines; every line must be one.
    #[allow(dead_code)]
    #[track_caller]
    pub fn json(&self) -> Vec<Value> {
        let line = |l: &str| serde_json::from_str(l).unwrap_or_else(|e| panic!("{e}: {l}"));
        self.out.lines().map(line).collect()
    }
}
