//! `thalweg show`: what a run is and how it went: settings, data, preprocessing, model, results.

use std::path::PathBuf;

use record::{RecordError, RunDir, Summary};
use serde_json::{Value, json};
use thalweg::config::RunConfig;
use thalweg::train::{Kept, OutputMeaning, Preprocessing, Trained};

use crate::args::kept;
use crate::failure::Failure;
use crate::table::{Side, count, figure, short, table};
use crate::ui::Ui;

/// Show a run: settings, data, preprocessing, model, results; everything with `--json`
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The run folder
    #[arg(value_name = "RUN")]
    run: PathBuf,

    /// Which weights to use: best or last
    #[arg(long, default_value = "best", value_parser = kept(), hide_possible_values = true)]
    checkpoint: Kept,
}

/// Inputs, classes and targets that are named.
const NAMED: usize = 8;

pub fn run(ui: &Ui, args: Args) -> Result<(), Failure> {
    let dir = RunDir::open(&args.run)?;
    let config = RunConfig::from_toml(&dir.config()?, &dir.config_path(), &[])?;
    let summary = match dir.summary() {
        Err(RecordError::Missing { .. }) => None,
        other => Some(other?),
    };
    let weights = match args.checkpoint {
        Kept::Best => dir.best_checkpoint(),
        Kept::Last => dir.last_checkpoint(),
    };
    // a run that has just begun has none yet
    let trained = match weights.exists() {
        true => Some(Trained::open(&dir, config.clone(), args.checkpoint)?),
        false => None,
    };
    let settings = serde_json::to_value(&config).unwrap_or_default();
    let changed = changed(&config, &settings);
    let preprocessing = trained.as_ref().map(Trained::preprocessing);
    let rows = Seen {
        dir: &dir,
        changed: &changed,
        summary: &summary,
        preprocessing: &preprocessing,
        trained: &trained,
    }
    .rows();
    ui.print(&format!("{}\n\n{}", dir.name(), table(&rows, &[Side::Left, Side::Left], ui.width())));
    // as the file has it: numbers of 32 bits in their shortest form
    let preprocessing = preprocessing.and_then(|p| serde_json::to_string(&p).ok());
    let preprocessing = preprocessing.and_then(|text| serde_json::from_str::<Value>(&text).ok());
    let model = trained.as_ref().map(model).transpose()?;
    let data = json!({
        "source": config.data.source, "name": summary.as_ref().map(|s| &s.data),
        "samples": summary.as_ref().map(|s| s.samples),
    });
    ui.result(json!({
        "name": dir.name(), "run_dir": dir.path(), "settings": settings, "changed": changed, "data": data,
        "preprocessing": preprocessing, "model": model, "results": summary, "explanation": dir.explanation()?,
        "checkpoint": args.checkpoint.to_string(), "weights": trained.is_some().then_some(weights),
    }));
    Ok(())
}

/// Settings that differ from their defaults, by their keys.
fn changed(config: &RunConfig, settings: &Value) -> Value {
    let keys = config.differences(&RunConfig::default());
    let value = |key: &String| key.split('.').try_fold(settings, |at, part| at.get(part)).cloned();
    keys.iter().filter_map(|key| Some((key.clone(), value(key)?))).collect::<serde_json::Map<_, _>>().into()
}

fn model(trained: &Trained) -> Result<Value, Failure> {
    let summary = trained.model().summary()?;
    let layers = summary.rows.iter().map(|r| {
        json!({ "name": r.name, "kind": r.kind, "describe": r.describe, "output": r.output, "parameters": r.n_params })
    });
    Ok(json!({
        "title": summary.title, "input": summary.input, "layers": layers.collect::<Value>(),
        "parameters": summary.n_params, "buffers": summary.n_buffers,
    }))
}

/// What there is to show to people.
struct Seen<'a> {
    dir: &'a RunDir,
    changed: &'a Value,
    summary: &'a Option<Summary>,
    preprocessing: &'a Option<Preprocessing>,
    trained: &'a Option<Trained>,
}

impl Seen<'_> {
    fn rows(&self) -> Vec<Vec<String>> {
        let mut rows: Vec<(&str, String)> = Vec::new();
        if let Some(s) = self.summary {
            rows.push(("run", how(s)));
            rows.push(("data", data(s)));
        }
        if let Some(p) = self.preprocessing {
            rows.push(("inputs", inputs(p)));
            rows.extend(p.outputs.iter().chain(&p.heads).map(|own| ("outputs", outputs(own))));
        }
        if let Some(trained) = self.trained {
            let model = trained.model();
            rows.push(("model", format!("{}, {} parameters", model.title(), count(model.params().len()))));
        }
        let words: Vec<String> = self
            .changed
            .as_object()
            .into_iter()
            .flatten()
            .map(|(key, value)| format!("{key}={}", plain(value)))
            .collect();
        let words = if words.is_empty() { "all at their defaults".into() } else { words.join(" ") };
        rows.push(("settings", words));
        for (what, figures) in self.summary.iter().flat_map(|s| [("best", &s.best), ("last", &s.last)]) {
            if let Some(figures) = figures {
                let told: Vec<String> = figures
                    .metrics
                    .iter()
                    .map(|(name, value)| format!("{name} {}", figure(name, value)))
                    .collect();
                rows.push((what, format!("epoch {}: {}", figures.epoch, told.join(", "))));
            }
        }
        let files = [self.dir.best_checkpoint(), self.dir.report_path()];
        let files: Vec<String> =
            files.iter().filter(|p| p.exists()).map(|p| p.display().to_string()).collect();
        if !files.is_empty() {
            rows.push(("files", files.join(" ")));
        }
        rows.into_iter().map(|(what, text)| vec![what.to_owned(), text]).collect()
    }
}

fn how(s: &Summary) -> String {
    let status = serde_json::to_value(s.status).ok().and_then(|v| v.as_str().map(String::from));
    let reason = s.reason.as_ref().map_or(String::new(), |why| format!(": {why}"));
    let steps = count(s.steps as usize);
    format!(
        "{}{reason}, {} epochs, {steps} steps, {} s",
        status.unwrap_or_default(),
        s.epochs,
        short(s.seconds)
    )
}

fn data(s: &Summary) -> String {
    let [train, valid, test] = [s.samples.train, s.samples.valid, s.samples.test].map(|n| count(n as usize));
    format!("{}: {train} + {valid} + {test} samples", s.data)
}

/// A value as it is typed.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), String::from)
}

/// The first few names.
fn some(names: &[String]) -> String {
    let more = names.len().saturating_sub(NAMED);
    let first = names[..names.len() - more].join(", ");
    if more > 0 { format!("{first} and {more} more") } else { first }
}

fn inputs(p: &Preprocessing) -> String {
    let shape: Vec<String> = p.input_shape.iter().map(usize::to_string).collect();
    let names: Vec<String> = p.columns.iter().map(|column| column.name.clone()).collect();
    let names = if names.is_empty() { String::new() } else { format!(": {}", some(&names)) };
    let map = match (&p.scale[..], &p.shift[..]) {
        ([1.0], [0.0]) => "as they are".to_owned(),
        ([scale], [shift]) => format!("{scale} · x + {shift}"),
        (scale, _) => format!("scale · x + shift, {} of each", scale.len()),
    };
    format!("{}{names}; {map}", shape.join(" x "))
}

fn outputs(own: &OutputMeaning) -> String {
    let name = if own.name.is_empty() { String::new() } else { format!("{}: ", own.name) };
    let map = if own.target_scale.is_empty() { "" } else { ", standardized" };
    match own.classes.len() {
        0 => format!("{name}{}{map}", some(&own.targets)),
        n => format!("{name}{n} classes: {}", some(&own.classes)),
    }
}
