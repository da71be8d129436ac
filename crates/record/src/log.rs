//! `log.txt`: what was said, each line after the seconds since the run began.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::error::{Action, RecordError, Result};
use crate::open::append;
use crate::visible::visible;

/// Appends lines to `log.txt`. No date is written, so that a log tells about the run and not about the wall clock.
#[derive(Debug)]
pub struct LogWriter {
    path: PathBuf,
    file: File,
    start: Instant,
    before: Duration,
}

impl LogWriter {
    /// Opens or makes `path`; `before` is the time spent in earlier parts of a resumed run.
    ///
    /// # Errors
    /// [`RecordError::Denied`] or [`RecordError::Io`].
    pub fn open(path: &Path, before: Duration) -> Result<Self> {
        let file = append(path).map_err(|e| RecordError::io(Action::Write, path, e))?;
        Ok(LogWriter { path: path.to_path_buf(), file, start: Instant::now(), before })
    }

    /// Appends `text` with the elapsed time; further lines of it are indented.
    ///
    /// # Errors
    /// [`RecordError::DiskFull`], [`RecordError::Denied`] or [`RecordError::Io`].
    pub fn line(&mut self, text: &str) -> Result<()> {
        let entry = format_entry(self.before + self.start.elapsed(), text);
        self.file.write_all(entry.as_bytes()).map_err(|e| RecordError::io(Action::Write, &self.path, e))
    }
}

fn format_entry(elapsed: Duration, text: &str) -> String {
    let seconds = elapsed.as_secs_f64();
    let text = visible(text);
    let mut lines = text.trim_end().lines();
    let mut entry = format!("{seconds:>10.3}  {}\n", lines.next().unwrap_or_default());
    lines.for_each(|l| {
        entry.push_str("            ");
        entry.push_str(l);
        entry.push('\n');
    });
    entry
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_line_up() {
        let text = format_entry(Duration::from_millis(1250), "a\nb\n");
        assert_eq!(text, "     1.250  a\n            b\n");
        let text = format_entry(Duration::ZERO, "class \u{1b}]0;x\u{7} is\r missing");
        assert_eq!(text, "     0.000  class \\u{1b}]0;x\\u{7} is\\r missing\n");
    }
}
