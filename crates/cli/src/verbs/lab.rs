//! `thalweg lab`: experiments that measure what the book claims, each in a folder with its data, figure and verdict.

use std::path::PathBuf;
use std::sync::atomic::Ordering;

use record::{LabDir, LabRecord, Verdict};
use serde_json::{Value, json};
use thalweg::config::field::Field;
use thalweg::labs::{self, Lab, LabError};

use crate::failure::Failure;
use crate::stop::{self, INTERRUPTED};
use crate::table::{Side, count, short, table, wrapped};
use crate::ui::{Look, Ui, paint};

/// Run an experiment: `thalweg lab list` shows all of them, `thalweg lab all` runs all of them
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The name of the lab, `list`, or `all`
    #[arg(value_name = "NAME", default_value = "list", hide_default_value = true)]
    name: String,

    /// Settings of the lab, such as `depth=20 seeds=3`; `thalweg lab list NAME` shows them
    #[arg(value_name = "KEY=VALUE")]
    settings: Vec<String>,

    /// Where to create a folder for each lab; nothing is overwritten
    #[arg(long, value_name = "DIR", default_value = "labs")]
    out: PathBuf,
}

pub fn run(ui: &Ui, args: Args) -> Result<(), Failure> {
    match args.name.as_str() {
        "list" => list(ui, args.settings.first()),
        "all" => all(ui, &args),
        name => {
            let lab = named(name)?;
            LabDir::check(&args.out.join(lab.name))?;
            let (record, dir) = make(ui, lab, &args)?;
            ui.print(&shown(ui, &record));
            ui.print(&format!("  {}\n", dir.page().display()));
            ui.result(fields(&record, &dir));
            Ok(())
        }
    }
}

fn named(name: &str) -> Result<&'static Lab, Failure> {
    labs::ALL.iter().find(|lab| lab.name == name).ok_or_else(|| {
        let names: Vec<&str> = labs::ALL.iter().map(|lab| lab.name).collect();
        Failure::wrong(
            "cli.no-lab",
            format!("there is no lab `{name}`"),
            format!("there are {}, and `all`", names.join(", ")),
        )
    })
}

/// The labs, or one of them with its keys.
fn list(ui: &Ui, name: Option<&String>) -> Result<(), Failure> {
    let Some(name) = name else {
        let rows: Vec<Vec<String>> =
            labs::ALL.iter().map(|lab| vec![lab.name.to_owned(), lab.title.to_owned()]).collect();
        ui.print(&table(&rows, &[Side::Left, Side::Left], ui.width()));
        let labs: Vec<Value> = labs::ALL.iter().map(described).collect();
        ui.result(json!({ "labs": labs }));
        return Ok(());
    };
    let lab = named(name)?;
    ui.print(&format!("{}\n{}\n\n", paint(lab.title, Look::Strong), lab.source));
    let row = |f: &Field| vec![f.name.to_owned(), f.default.to_owned(), f.help.to_owned()];
    let rows: Vec<Vec<String>> = lab.fields().iter().map(row).collect();
    ui.print(&table(&rows, &[Side::Left, Side::Left, Side::Left], ui.width()));
    ui.result(described(lab));
    Ok(())
}

fn described(lab: &Lab) -> Value {
    let key = |f: &Field| json!({ "name": f.name, "default": f.default, "help": f.help, "expected": f.kind.words() });
    let keys: Vec<Value> = lab.fields().iter().map(key).collect();
    json!({ "name": lab.name, "summary": lab.title, "source": lab.source, "keys": keys })
}

/// Every lab with its defaults.
fn all(ui: &Ui, args: &Args) -> Result<(), Failure> {
    if let Some(word) =
        args.settings.iter().find(|word| !word.starts_with("seeds=") && !word.starts_with("threads="))
    {
        return Err(Failure::wrong(
            "cli.lab-all-setting",
            format!("`{word}` is not a setting that all labs have"),
            "`thalweg lab all` takes `seeds` and `threads`; for other settings, use `thalweg lab NAME`",
        ));
    }
    labs::ALL.iter().try_for_each(|lab| LabDir::check(&args.out.join(lab.name)))?;
    let mut results = Vec::new();
    for lab in labs::ALL {
        let (record, dir) = make(ui, lab, args)?;
        ui.print(&shown(ui, &record));
        ui.print(&format!("  {}\n", dir.page().display()));
        let fields = fields(&record, &dir);
        ui.event("lab", fields.clone());
        results.push(fields);
    }
    ui.result(json!({ "labs": results, "out": args.out }));
    Ok(())
}

fn make(ui: &Ui, lab: &Lab, args: &Args) -> Result<(LabRecord, LabDir), Failure> {
    let stop = stop::watch();
    let done = lab.measure(&args.settings, stop, &|text| ui.say(&format!("{}: {text}", lab.name)));
    let record = done.map_err(|error| failure(error, stop.load(Ordering::Relaxed)))?;
    let dir = LabDir::create(&args.out, lab.name)?;
    dir.write(&record, &report::lab_figure_svg(&record.figure), &report::lab_html(&record))?;
    Ok((record, dir))
}

fn failure(error: LabError, stopped: bool) -> Failure {
    match error {
        LabError::Config(error) => error.into(),
        LabError::Train(error) => error.into(),
        error if stopped => {
            let (id, message) = ("cli.lab-interrupted".into(), error.to_string());
            Failure { exit: INTERRUPTED, id, message, hint: None, result: None }
        }
        error => Failure::wrong("cli.lab-stopped", error.to_string(), "run it again"),
    }
}

/// A line for each claim, and its main figure.
fn shown(ui: &Ui, record: &LabRecord) -> String {
    let mut text = format!("{}\n\n", paint(&record.title, Look::Strong));
    for claim in &record.claims {
        let look = match claim.verdict {
            Verdict::Holds => Look::Hint,
            Verdict::Fails | Verdict::Undecided => Look::Warning,
            Verdict::NotMeasured => Look::Faint,
        };
        let claimed = wrapped(&claim.claim, ui.width().saturating_sub(4).max(24), 2);
        text += &format!("{}\n  {claimed}\n", paint(claim.verdict.word(), look));
        if let Some(figure) = claim.figures.first() {
            let std = figure.std.map_or(String::new(), |std| format!(" ± {}", short(std)));
            let line = format!("{}: {}{std}", figure.name, short(figure.mean));
            text += &format!("  {}\n", wrapped(&line, ui.width().saturating_sub(4).max(24), 2));
        }
    }
    let n = record.claims.len();
    text + &format!(
        "\n{} of {} claims hold, over {} seeds\n",
        count(record.count(Verdict::Holds)),
        count(n - record.count(Verdict::NotMeasured)),
        count(record.seeds.len())
    )
}

fn fields(record: &LabRecord, dir: &LabDir) -> Value {
    let mut fields = serde_json::to_value(record).unwrap_or_default();
    fields["out"] = json!(dir.path());
    fields
}
