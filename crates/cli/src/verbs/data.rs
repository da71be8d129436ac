//! `thalweg data`: the sets there are, what a source holds, a look at a few samples, and public sets from afar.

mod columns;
mod fetch;
mod preview;

use std::path::Path;

use record::visible_line;
use serde_json::{Value, json};
use thalweg::config::{DataConfig, RunConfig};
use thalweg::data::fetch::{self as public, PublicSet};
use thalweg::data::{
    self, Affine, DataError, DataInfo, DataOptions, Dataset, FeatureInfo, Finding, Preprocess, Splits, Task,
    sets,
};

use crate::failure::Failure;
use crate::table::{Side, count, short, table};
use crate::ui::{Look, Ui, paint};

/// Look at data before training
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// List the built-in and the public data sets
    List,
    Fetch(fetch::Args),
    /// Describe a data source: samples, classes, ranges, missing values, the split
    Info(Source),
    Preview(preview::Args),
}

#[derive(Debug, clap::Args)]
struct Source {
    /// A name, a file or a folder
    #[arg(value_name = "SOURCE")]
    source: String,
    /// Settings, such as `data.target=price`
    #[arg(value_name = "KEY=VALUE")]
    settings: Vec<String>,
}

/// Features shown before the rest is only counted.
const MOST_FEATURES: usize = 40;

pub fn run(ui: &Ui, args: Args) -> Result<(), Failure> {
    match args.what {
        What::List => list(ui),
        What::Fetch(args) => fetch::run(ui, args)?,
        What::Info(source) => info(ui, &source)?,
        What::Preview(args) => preview::run(ui, args)?,
    }
    Ok(())
}

impl Source {
    fn config(&self) -> Result<RunConfig, Failure> {
        let mut words = self.settings.clone();
        words.push(format!("data.source={}", self.source));
        Ok(RunConfig::load(None, &words)?)
    }

    fn open(&self) -> Result<(Dataset, DataConfig), Failure> {
        let config = self.config()?.data;
        let options = DataOptions { cache: data::default_cache_folder(), ..config.options() };
        Ok((data::open(&config.source, &options)?, config))
    }
}

fn list(ui: &Ui) {
    let row = |s: &sets::BuiltIn| vec![s.name.to_string(), s.summary.to_string()];
    let rows: Vec<Vec<String>> = sets::ALL.iter().map(row).collect();
    ui.print(&table(&rows, &[Side::Left, Side::Left], ui.width()));
    let rows: Vec<Vec<String>> = public::ALL.iter().map(public_row).collect();
    let sets = table(&rows, &[Side::Left, Side::Left, Side::Left], ui.width());
    ui.print(&format!("\nPublic data sets, which `thalweg data fetch NAME` downloads:\n{sets}"));
    let tip = "\nA file or a folder works as well: `thalweg list formats`";
    ui.print(&format!("{}\n", paint(tip, Look::Faint)));
    let entries = sets::ALL.iter().map(|s| json!({ "name": s.name, "summary": s.summary }));
    let fetched = public::ALL.iter().map(
        |s| json!({ "name": s.name, "summary": s.summary, "bytes": s.bytes(), "folder": public::find(s) }),
    );
    let (entries, fetched) = (entries.collect::<Value>(), fetched.collect::<Value>());
    ui.result(json!({ "entries": entries, "public": fetched }));
}

/// A public set, and whether it is here or how large it is.
fn public_row(set: &PublicSet) -> Vec<String> {
    let place = public::find(set).map_or_else(|| bytes(set.bytes() as usize), |_| "here".into());
    vec![set.name.into(), place, set.summary.into()]
}

fn info(ui: &Ui, source: &Source) -> Result<(), Failure> {
    let RunConfig { data: config, preprocess, .. } = source.config()?;
    let options = DataOptions { cache: data::default_cache_folder(), ..config.options() };
    let set = match data::open(&config.source, &options) {
        Ok(set) => set,
        Err(error) => return unusable(ui, error, &config, &options),
    };
    if let Err(error) = Affine::identity().scaled(&set, &config.scale) {
        return unusable(ui, error, &config, &options);
    }
    let info = set.info()?;
    // a set too small to be split is shown all the same
    let (splits, unsplit) = match data::split(&set, &config.split()) {
        Ok(splits) => (splits, None),
        Err(error) => {
            let all = Splits { train: (0..set.len() as u32).collect(), ..Splits::default() };
            (all, Some(Finding { fault: "columns", confidence: 1.0, evidence: error.to_string(), fix: None }))
        }
    };
    let mut findings = data::findings(&set, &splits)?;
    // columns of a table are brought to one scale unless that is turned off
    findings.retain(|f| f.fault != "input_scale" || preprocess == Some(Preprocess::None));
    findings.extend(unsplit);
    ui.print(&described(&info, &splits, &findings, ui.width()));
    let sizes =
        json!({ "train": splits.train.len(), "valid": splits.valid.len(), "test": splits.test.len() });
    let mut fields = serde_json::to_value(&info).unwrap_or_default();
    fields["split"] = sizes;
    fields["findings"] = serde_json::to_value(&findings).unwrap_or_default();
    ui.result(fields);
    Ok(())
}

/// A table that cannot be used as it is: what it holds, and what is to be mended.
fn unusable(ui: &Ui, error: DataError, config: &DataConfig, options: &DataOptions) -> Result<(), Failure> {
    let path = Path::new(&config.source);
    let Ok(view) = data::table(path, options).map_err(|_| ()) else { return Err(error.into()) };
    let findings = [columns::to_mend(&error.to_string(), &crate::hint::of_data(&error), &view)];
    let name = visible_line(&config.source).into_owned();
    let title = paint(&name, Look::Strong);
    let mut text = format!(
        "{title} · {} rows of {} columns · cannot be used yet\n",
        count(view.n_rows),
        view.columns.len()
    );
    let notes = view.notes.iter().map(|n| ("note", n.clone()));
    let rows = columns::findings(&findings).into_iter().chain(notes);
    let rows: Vec<Vec<String>> = rows.map(|(k, v)| vec![k.to_string(), v]).collect();
    text += &table(&rows, &[Side::Left, Side::Left], ui.width());
    text += &columns::columns(&view.columns, view.n_rows, ui.width());
    ui.print(&text);
    ui.result(json!({
        "samples": view.n_rows,
        "features": [],
        "columns": view.columns,
        "task": view.task,
        "findings": findings,
    }));
    Ok(())
}

fn described(info: &DataInfo, splits: &Splits, findings: &[Finding], width: usize) -> String {
    let shape: Vec<String> = info.input_shape.iter().map(usize::to_string).collect();
    let what = match &info.task {
        Task::Classification { classes } => format!("{} classes", classes.len()),
        Task::Regression { targets } => format!("to predict: {}", targets.join(", ")),
    };
    let (title, what) = (paint(&visible_line(&info.name), Look::Strong), visible_line(&what));
    let mut text = format!("{title} · {} samples of {} · {what}\n", count(info.samples), shape.join(" × "));
    let all = &info.all_inputs;
    let is_table = !info.columns.is_empty();
    let range = format!(
        "{} to {}, mean {}, deviation {}{}",
        short(all.min),
        short(all.max),
        short(all.mean),
        short(all.std),
        if info.constant > 0 { format!("; {} never change", info.constant) } else { String::new() }
    );
    let (train, valid, test) = (splits.train.len(), splits.valid.len(), splits.test.len());
    let split = format!("{} train · {} valid · {} test", count(train), count(valid), count(test));
    let size = format!("{} as {}", bytes(info.bytes), info.stored_as);
    let mut rows = vec![("split", split), ("inputs", range), ("memory", size)];
    if is_table {
        // columns of different units have no range in common
        let used = info.columns.iter().filter(|c| c.inputs > 0).count();
        rows[1].1 = format!("{}, from {used} columns", info.features.len());
    }
    if let Task::Classification { classes } = &info.task {
        rows.insert(1, ("classes", classes_in_words(classes, &info.class_counts)));
    }
    if info.missing > 0 {
        rows.push(("missing", format!("{} values", count(info.missing))));
    }
    if let Some(streamed) = &info.streamed {
        let held = bytes(streamed.held_bytes);
        rows.push(("streamed", format!("{streamed}, {held} of them in memory at a time")));
        let left_out = "leakage and contradicting labels are not looked for in samples that are streamed";
        rows.push(("note", left_out.into()));
    }
    rows.push(("source", info.origin.source.clone()));
    if !info.origin.license.is_empty() {
        rows.push(("license", info.origin.license.clone()));
    }
    rows.extend(info.notes.iter().map(|note| ("note", note.clone())));
    rows.extend(info.warnings.iter().map(|text| ("warning", text.clone())));
    rows.extend(columns::findings(findings));
    rows.extend(splits.warnings.iter().map(|text| ("warning", text.clone())));
    let rows: Vec<Vec<String>> = rows.into_iter().map(|(k, v)| vec![k.to_string(), v]).collect();
    text += &table(&rows, &[Side::Left, Side::Left], width);
    match info.columns.is_empty() {
        true => text + &features(&info.features, &info.targets),
        false => text + &columns::columns(&info.columns, info.samples, width),
    }
}

/// Counts by class, the same counts told once.
fn classes_in_words(classes: &[String], counts: &[usize]) -> String {
    const MOST: usize = 20;
    let (least, most) =
        (counts.iter().min().copied().unwrap_or(0), counts.iter().max().copied().unwrap_or(0));
    if least == most && classes.len() > 3 {
        return format!(
            "{} of each: {}",
            count(most),
            classes.iter().take(MOST).cloned().collect::<Vec<_>>().join(", ")
        );
    }
    let shown = classes.iter().zip(counts).take(MOST).map(|(c, n)| format!("{c}: {}", count(*n)));
    let more = classes.len().saturating_sub(MOST);
    let more = if more > 0 { format!(", and {more} more") } else { String::new() };
    shown.collect::<Vec<_>>().join(", ") + &more
}

fn features(features: &[FeatureInfo], targets: &[FeatureInfo]) -> String {
    if features.is_empty() && targets.is_empty() {
        return String::new();
    }
    let head = ["column", "min", "max", "mean", "deviation", "missing"].map(String::from).to_vec();
    let row = |f: &FeatureInfo, mark: &str| {
        let missing = if f.missing > 0 { count(f.missing) } else { String::new() };
        vec![format!("{}{mark}", f.name), short(f.min), short(f.max), short(f.mean), short(f.std), missing]
    };
    let mut rows = vec![head];
    rows.extend(targets.iter().map(|f| row(f, " (target)")));
    rows.extend(features.iter().take(MOST_FEATURES).map(|f| row(f, "")));
    if features.iter().all(|f| f.missing == 0) {
        rows.iter_mut().for_each(|row| row.truncate(5));
    }
    let right = [Side::Left, Side::Right, Side::Right, Side::Right, Side::Right, Side::Right];
    let more = features.len().saturating_sub(MOST_FEATURES);
    let more = if more > 0 { format!("and {more} more columns\n") } else { String::new() };
    format!("\n{}{more}", table(&rows, &right, usize::MAX))
}

fn bytes(n: usize) -> String {
    match n as f64 {
        n if n < 1e3 => format!("{n} bytes"),
        n if n < 1e6 => format!("{} kB", short(n / 1e3)),
        n if n < 1e9 => format!("{} MB", short(n / 1e6)),
        n => format!("{} GB", short(n / 1e9)),
    }
}
