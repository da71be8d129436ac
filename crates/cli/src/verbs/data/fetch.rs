//! `thalweg data fetch`: brings a public data set to this machine, whole and checked.

use std::path::PathBuf;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};
use thalweg::data::fetch::{self, FetchError, FetchObserver, FetchOptions, Fetched, PublicSet, Source};

use super::bytes;
use crate::failure::Failure;
use crate::hint;
use crate::ui::{Look, Ui, paint};

/// Download a public data set: mnist, fashion-mnist, cifar10 or cifar100
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub struct Args {
    /// Name of the set
    #[arg(value_name = "NAME")]
    name: String,

    /// The folder that the files go to; without it, `thalweg data=NAME` finds them
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,

    /// Another place to take the files from: an address or a folder
    #[arg(long, value_name = "URL|DIR")]
    from: Option<String>,

    /// Replace other files of the same names
    #[arg(long)]
    force: bool,
}

const AFTER: &str = "\
If a download is interrupted, run the same command again: it continues where it stopped.
Every file is compared with its SHA-256. Data sets are kept in $THALWEG_DATA, or thalweg/ in
$XDG_DATA_HOME (~/.local/share). Without a network, the message says what to copy where.";

pub fn run(ui: &Ui, args: Args) -> Result<(), Failure> {
    let typed = typed(&args);
    let failed = |error| Failure::of_fetch(&error, &typed);
    let unknown = || FetchError::UnknownSet { name: args.name.clone() };
    let set = fetch::by_name(&args.name).ok_or_else(unknown).map_err(failed)?;
    let from = args.from.as_deref().map(Source::parse).transpose().map_err(failed)?;
    let named = args.to.is_some();
    let options = FetchOptions { to: args.to, from, force: args.force, ..FetchOptions::default() };
    let fetched = fetch::fetch(set, &options, &mut Watch::new(ui)).map_err(failed)?;
    // A folder of one's own is opened by its path, all others by name.
    let open = if named { fetched.open.display().to_string() } else { set.name.to_string() };
    ui.print(&told(set, &fetched, &open));
    ui.result(result(set, &fetched, &open));
    Ok(())
}

/// The command once more.
fn typed(args: &Args) -> hint::Fetch {
    let flag = |flag: &str, value: Option<&str>| {
        value.map_or(String::new(), |value| format!(" {flag} {}", report::quote(value)))
    };
    let to = args.to.as_ref().map(|to| to.display().to_string());
    let here = format!("thalweg data fetch {}{}", args.name, flag("--to", to.as_deref()));
    let force = if args.force { " --force" } else { "" };
    hint::Fetch { again: format!("{here}{}{force}", flag("--from", args.from.as_deref())), here }
}

fn told(set: &PublicSet, fetched: &Fetched, open: &str) -> String {
    let what = match fetched.transferred {
        0 if fetched.files.iter().all(|(_, there)| *there) => "was already there, complete".to_string(),
        n => format!("{} fetched", bytes(n as usize)),
    };
    let title = paint(set.title, Look::Strong);
    let word = format!("data={open}");
    let word = if word.contains([' ', '\'', '"']) { format!("{word:?}") } else { word };
    format!("{title} · {what} · {}\ntrain on it: thalweg {word}\n", fetched.folder.display())
}

fn result(set: &PublicSet, fetched: &Fetched, open: &str) -> Value {
    let files = fetched.files.iter().map(|(name, there)| json!({ "name": name, "was_there": there }));
    json!({
        "set": set.name,
        "folder": fetched.folder,
        "transferred": fetched.transferred,
        "files": files.collect::<Value>(),
        "data": open,
    })
}

/// Shows a bar in a terminal, a line a file elsewhere, JSON events for programs.
struct Watch<'a> {
    ui: &'a Ui,
    bar: Option<ProgressBar>,
    started: Instant,
    from: u64,
}

impl<'a> Watch<'a> {
    fn new(ui: &'a Ui) -> Self {
        Watch { ui, bar: None, started: Instant::now(), from: 0 }
    }

    fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

impl FetchObserver for Watch<'_> {
    fn on_file(&mut self, name: &str, url: &str, from: u64, total: u64) {
        self.clear();
        (self.started, self.from) = (Instant::now(), from);
        self.ui.event("file", json!({ "name": name, "url": url, "from": from, "bytes": total }));
        if !self.ui.is_live() {
            let on =
                if from > 0 { format!(", going on after {}", bytes(from as usize)) } else { String::new() };
            self.ui.say(&format!("{name}: {}{on}, from {url}", bytes(total as usize)));
            return;
        }
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr_with_hz(10));
        let look = if self.ui.color_err() { ":.cyan/238" } else { "" };
        let style = ProgressStyle::with_template(&format!("{{prefix}} {{wide_bar{look}}} {{msg}}"));
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━╸─"));
        bar.set_prefix(name.to_string());
        bar.set_position(from);
        self.bar = Some(bar);
    }

    fn on_bytes(&mut self, done: u64) {
        let Some(bar) = &self.bar else { return };
        let total = bar.length().unwrap_or(done);
        let rate = (done - self.from.min(done)) as f64 / self.started.elapsed().as_secs_f64().max(1e-3);
        let left = (total.saturating_sub(done) as f64 / rate.max(1.0)).ceil() as u64;
        let (of, rate) = (bytes(total as usize), bytes(rate as usize));
        bar.set_message(format!(
            "{} of {of}  {rate}/s  {}:{:02} left",
            bytes(done as usize),
            left / 60,
            left % 60
        ));
        bar.set_position(done);
    }

    fn on_retry(&mut self, why: &FetchError) {
        self.clear();
        self.ui.say(&format!("note: {why}; trying again"));
        self.ui.event("retry", json!({ "why": why.to_string() }));
    }

    fn on_unpack(&mut self, name: &str) {
        self.clear();
        self.ui.say(&format!("unpacking {name}"));
        self.ui.event("unpack", json!({ "name": name }));
    }
}

impl Drop for Watch<'_> {
    /// The last bar goes, also after an error.
    fn drop(&mut self) {
        self.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::shown;

    fn of(transferred: u64, was_there: bool) -> Fetched {
        let files = vec![("a", was_there)];
        Fetched { folder: "/d/mnist".into(), open: "/d/mnist".into(), transferred, files }
    }

    #[test]
    fn the_end_says_what_to_type() {
        let set = fetch::by_name("mnist").unwrap();
        assert_eq!(
            shown(&told(set, &of(11_594_722, false), "mnist"), false),
            "MNIST · 11.59 MB fetched · /d/mnist\ntrain on it: thalweg data=mnist\n"
        );
        assert_eq!(
            shown(&told(set, &of(0, true), "my data"), false),
            "MNIST · was already there, complete · /d/mnist\ntrain on it: thalweg \"data=my data\"\n"
        );
    }

    #[test]
    fn programs_learn_what_is_where() {
        let expected = json!({
            "set": "mnist",
            "folder": "/d/mnist",
            "transferred": 7,
            "files": [{ "name": "a", "was_there": false }],
            "data": "mnist",
        });
        assert_eq!(result(fetch::by_name("mnist").unwrap(), &of(7, false), "mnist"), expected);
    }
}
