//! Where words go: results to standard output, talk to standard error, JSON lines where a program reads.

use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::OnceLock;

use clap::ColorChoice;
use record::{visible, visible_line};
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
    const ALL: [Look; 5] = [Look::Strong, Look::Faint, Look::Error, Look::Warning, Look::Hint];

    /// Stands in a text where the look begins. Unicode keeps these characters for a program's own use.
    fn mark(self) -> char {
        match self {
            Look::Strong => '\u{fdd0}',
            Look::Faint => '\u{fdd1}',
            Look::Error => '\u{fdd2}',
            Look::Warning => '\u{fdd3}',
            Look::Hint => '\u{fdd4}',
        }
    }

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

    /// Whether standard error may hold colors.
    pub fn color_err(&self) -> bool {
        self.color_err
    }

    /// Columns of the terminal.
    pub fn width(&self) -> usize {
        self.width
    }

    /// What a person asked for, on standard output; nothing under `--json`.
    pub fn print(&self, text: &str) {
        if !self.json {
            self.write(|out| out.write_all(shown(text, self.color_out).as_bytes()));
        }
    }

    /// The same for a picture in colors of its own. They are left out where the plain text holds anything that a
    /// terminal would obey: it could not be told from them.
    pub fn picture(&self, draw: impl Fn(bool) -> String) {
        let plain = draw(false);
        if self.color_out && shown(&plain, false) == plain && !self.json {
            self.write(|out| out.write_all(draw(true).as_bytes()));
        } else {
            self.print(&plain);
        }
    }

    /// Data on standard output: exact for a program, and for a person at a terminal as any other text.
    pub fn data(&self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) {
        if !io::stdout().is_terminal() {
            return self.write(|out| write(&mut io::BufWriter::new(out)));
        }
        let mut bytes = Vec::new();
        self.keep(write(&mut bytes));
        self.write(|out| out.write_all(shown(&String::from_utf8_lossy(&bytes), false).as_bytes()));
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
            self.tell(&format!("{text}\n"));
        }
    }

    /// Writes to standard error. Whether that arrives is nothing that a run depends on.
    fn tell(&self, text: &str) {
        let _ = io::stderr().write_all(shown(text, self.color_err).as_bytes());
    }

    /// One JSON line; nothing without `--json`.
    pub fn event(&self, kind: &str, fields: Value) {
        if self.json {
            let mut line = json!({ "event": kind });
            if let (Value::Object(line), Value::Object(fields)) = (&mut line, fields) {
                line.extend(fields);
            }
            self.write(|out| writeln!(out, "{}", escaped(&line.to_string())));
        }
    }

    /// The last line under `--json`.
    pub fn result(&self, fields: Value) {
        self.event("result", fields);
    }

    /// A warning: told even under `--quiet`.
    pub fn warn(&self, text: &str) {
        self.tell(&format!("{}: {}\n", paint("warning", Look::Warning), visible_line(text)));
        self.event("warning", json!({ "message": text }));
    }

    /// Tells an error once, and gives its exit code.
    pub fn fail(&self, failure: &Failure) -> ExitCode {
        let word = match failure.exit {
            INTERRUPTED => paint("stopped", Look::Warning),
            _ => paint("error", Look::Error),
        };
        let mut text = format!("{word}: {}\n", visible_line(&failure.message));
        if let Some(hint) = &failure.hint {
            text += &format!("{}: {hint}\n", paint("hint", Look::Hint));
        }
        self.tell(&text);
        let Failure { exit, id, message, hint, result } = failure;
        self.event("error", json!({ "exit": exit, "id": id, "message": message, "hint": hint }));
        if let Some(result) = result {
            self.result(result.clone());
        }
        ExitCode::from(*exit)
    }
}

/// JSON in which characters that a terminal would obey, or that turn text around, are written as JSON writes them: the
/// same text to a program. They can stand in its strings only.
fn escaped(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let mut one = [0; 4];
    for c in json.chars() {
        match visible_line(c.encode_utf8(&mut one)) {
            Cow::Borrowed(_) => out.push(c),
            Cow::Owned(_) => out += &format!("\\u{:04x}", u32::from(c)),
        }
    }
    out
}

/// The mark at the end of a look.
const END: char = '\u{fddf}';

/// Text in a look, for whichever way it goes: [`Ui`] puts in the colors, or leaves them out, where it writes.
pub fn paint(text: &str, look: Look) -> String {
    if text.is_empty() { String::new() } else { format!("{}{text}{END}", look.mark()) }
}

/// Text as it goes to a person: looks as the terminal's codes, and nothing else that a terminal would obey. Every text
/// passes here last, so no name in it can do more than look odd.
pub fn shown(text: &str, color: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in visible(text).chars() {
        let look = Look::ALL.into_iter().find(|look| look.mark() == c);
        match (look, c) {
            (Some(look), _) if color => out += &format!("\x1b[{}m", look.code()),
            (None, END) if color => out += "\x1b[0m",
            (Some(_), _) | (None, END) => {}
            (None, c) => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_the_same_text_without_what_a_terminal_obeys() {
        let name = "\x1b[2J\u{9b}31m\u{202e}\u{7f}Größe 猫";
        let line = escaped(&json!({ name: name }).to_string());
        assert_eq!(
            line,
            r#"{"\u001b[2J\u009b31m\u202e\u007fGröße 猫":"\u001b[2J\u009b31m\u202e\u007fGröße 猫"}"#
        );
        assert_eq!(serde_json::from_str::<Value>(&line).unwrap(), json!({ name: name }));
    }

    #[test]
    fn only_our_own_codes_reach_a_terminal() {
        let name = "\x1b[2Jcat\r\u{9b}31m\x07";
        let text = format!("{} and {name}\n", paint(name, Look::Strong));
        let safe = "\\u{1b}[2Jcat\\r\\u{9b}31m\\u{7}";
        assert_eq!(shown(&text, false), format!("{safe} and {safe}\n"));
        assert_eq!(shown(&text, true), format!("\x1b[1m{safe}\x1b[0m and {safe}\n"));
        for look in Look::ALL {
            assert_eq!(shown(&paint("x", look), true), format!("\x1b[{}mx\x1b[0m", look.code()));
        }
    }
}
