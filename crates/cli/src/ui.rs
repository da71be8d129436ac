//! Where words go: results to standard output, talk to standard error, JSON lines where a program reads.

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::OnceLock;

use clap::ColorChoice;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::stop::INTERRUPTED;

/// Columns where the width of the terminal is not known.
const WIDTH: usize = 80;

/// How this process talks.
#[derive(Debug)]
pub struct Ui {
    json: bool,
    quiet: bool,
    color_out: bool,
    color_err: bool,
    live: bool,
    width: usize,
    /// Why standard output is not whole.
    lost: OnceLock<io::Error>,
}

/// The few looks there are.
#[derive(Clone, Copy, Debug)]
pub enum Look {
    Strong,
    Faint,
    Error,
    Warning,
    Hint,
}

impl Look {
    fn code(self) -> &'static str {
        match self {
            Look::Strong => "1",
            Look::Faint => "2",
            Look::Error => "1;31",
            Look::Warning => "1;33",
            Look::Hint => "1;36",
        }
    }
}

impl Ui {
    /// From the command line's flags, the terminal, and `NO_COLOR`.
    pub fn new(json: bool, quiet: bool, color: ColorChoice) -> Ui {
        let (out, err) = (std::io::stdout(), std::io::stderr());
        let plain = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty())
            || std::env::var_os("TERM").is_some_and(|v| v == "dumb");
        let on = |is_terminal: bool| match color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => is_terminal && !plain,
        };
        let width = terminal_size::terminal_size().map_or(WIDTH, |(w, _)| usize::from(w.0));
        Ui {
            json,
            quiet,
            color_out: on(out.is_terminal()),
            color_err: on(err.is_terminal()),
            live: err.is_terminal() && !quiet && !json,
            width,
            lost: OnceLock::new(),
        }
    }

    /// Whether standard output is for a program.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Whether a line may be redrawn: a person sits at a terminal.
    pub fn is_live(&self) -> bool {
        self.live
    }

    /// Whether only what went wrong is to be told.
    pub fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Whether standard error may hold colours.
    pub fn color_err(&self) -> bool {
        self.color_err
    }

    /// Columns of the terminal.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Whether standard output may hold colours.
    pub fn color(&self) -> bool {
        self.color_out
    }

    /// What a person asked for, on standard output; nothing under `--json`.
    pub fn print(&self, text: &str) {
        if !self.json {
            self.write(|out| out.write_all(text.as_bytes()));
        }
    }

    /// Writes to standard output. The first failure is kept for [`Ui::close`], so that a run goes on without a reader.
    pub fn write(&self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) {
        self.keep(write(&mut io::stdout().lock()));
    }

    /// Whether all that was written has arrived; the end of a command that is otherwise done.
    ///
    /// # Errors
    /// The first refusal of the system.
    pub fn close(&self) -> Result<(), Failure> {
        self.write(|out| out.flush());
        self.lost.get().map_or(Ok(()), |error| Err(Failure::output(error)))
    }

    /// A reader that closed the pipe has read enough; all else is output that is lost.
    fn keep(&self, wrote: io::Result<()>) {
        if let Err(error) = wrote
            && error.kind() != io::ErrorKind::BrokenPipe
        {
            // the first is the one to tell
            let _ = self.lost.set(error);
        }
    }

    /// Talk, on standard error; nothing under `--quiet`.
    pub fn say(&self, text: &str) {
        if !self.quiet {
            let _ = writeln!(std::io::stderr(), "{text}");
        }
    }

    /// One JSON line; nothing without `--json`.
    pub fn event(&self, kind: &str, fields: Value) {
        if self.json {
            let mut line = json!({ "event": kind });
            if let (Value::Object(line), Value::Object(fields)) = (&mut line, fields) {
                line.extend(fields);
            }
            self.write(|out| writeln!(out, "{line}"));
        }
    }

    /// The last line under `--json`.
    pub fn result(&self, fields: Value) {
        self.event("result", fields);
    }

    /// A warning: told even under `--quiet`.
    pub fn warn(&self, text: &str) {
        let _ = writeln!(std::io::stderr(), "{}: {text}", paint("warning", Look::Warning, self.color_err));
        self.event("warning", json!({ "message": text }));
    }

    /// Tells an error once, and gives its exit code.
    pub fn fail(&self, failure: &Failure) -> ExitCode {
        let word = match failure.exit {
            INTERRUPTED => paint("stopped", Look::Warning, self.color_err),
            _ => paint("error", Look::Error, self.color_err),
        };
        let mut text = format!("{word}: {}\n", failure.message);
        if let Some(hint) = &failure.hint {
            text += &format!("{}: {hint}\n", paint("hint", Look::Hint, self.color_err));
        }
        let _ = std::io::stderr().write_all(text.as_bytes());
        let Failure { exit, message, hint, result } = failure;
        self.event("error", json!({ "exit": exit, "message": message, "hint": hint }));
        if let Some(result) = result {
            self.result(result.clone());
        }
        ExitCode::from(*exit)
    }

    /// Text for standard output in a look.
    pub fn paint(&self, text: &str, look: Look) -> String {
        paint(text, look, self.color_out)
    }

    /// Text for standard error in a look.
    pub fn paint_err(&self, text: &str, look: Look) -> String {
        paint(text, look, self.color_err)
    }
}

fn paint(text: &str, look: Look, on: bool) -> String {
    if on && !text.is_empty() { format!("\x1b[{}m{text}\x1b[0m", look.code()) } else { text.into() }
}
