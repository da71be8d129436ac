//! `thalweg eval`: measures a trained model on its own test part, or on new data.

use std::path::PathBuf;

use record::{ClassScore, Confusion, Evaluation, HeadOutcome, Outcome, Residuals, RunDir, visible_line};
use serde_json::json;
use thalweg::config::RunConfig;
use thalweg::train::{Kept, Trained};

use crate::args::kept;
use crate::failure::Failure;
use crate::table::{Side, count, figure, short, table};
use crate::ui::{Look, Ui, paint};

/// Measure a trained model: on its own test part, or on new data with `data=PATH`
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The run folder
    #[arg(value_name = "RUN")]
    run: PathBuf,

    /// New data and how to read them, such as `data=new.csv data.target=price`
    #[arg(value_name = "KEY=VALUE")]
    settings: Vec<String>,

    /// Which weights: best or last
    #[arg(long, default_value = "best", value_parser = kept(), hide_possible_values = true)]
    checkpoint: Kept,
}

/// Most classes whose figures are shown one by one.
const MOST_CLASSES: usize = 30;

pub fn run(ui: &Ui, args: Args) -> Result<(), Failure> {
    let dir = RunDir::open(&args.run)?;
    let config = with_data(&dir, &args.settings, "eval")?;
    let is_new = args.settings.iter().any(|word| word.starts_with("data"));
    let which = args.checkpoint;
    let mut trained = Trained::open(&dir, config, which)?;
    let done = if is_new { trained.measure_new(which) } else { trained.measure_own(which) }?;
    trained.warnings().iter().for_each(|text| ui.warn(text));
    ui.print(&described(&done.evaluation, &done.measured.metrics));
    let mut fields = serde_json::to_value(&done.evaluation).unwrap_or_default();
    fields["metrics"] = serde_json::to_value(&done.measured.metrics).unwrap_or_default();
    fields["run_dir"] = json!(dir.path());
    fields["warnings"] = json!(trained.warnings());
    ui.result(fields);
    Ok(())
}

/// The run's config with other data; settings that a trained model cannot change are refused.
pub fn with_data(dir: &RunDir, settings: &[String], verb: &str) -> Result<RunConfig, Failure> {
    const KEYS: [&str; 4] = ["data", "eval_batch", "threads", "top_k"];
    let key = |word: &str| word.split('=').next().unwrap_or_default().to_string();
    let allowed = |key: &String| KEYS.contains(&key.split('.').next().unwrap_or_default());
    let config = RunConfig::from_toml(&dir.config()?, &dir.config_path(), settings)?;
    match settings.iter().map(|w| key(w)).find(|k| !allowed(k)) {
        Some(key) => Err(Failure::wrong(
            "cli.fixed-setting",
            format!("`{key}` cannot change once a model is trained"),
            format!("`thalweg {verb}` takes `{}`", KEYS.join("`, `")),
        )),
        None => Ok(config),
    }
}

fn described(evaluation: &Evaluation, metrics: &record::Metrics) -> String {
    let Evaluation { split, checkpoint, samples, outcome } = evaluation;
    let mut text = format!("{split} part, {} samples, {checkpoint} weights\n\n", count(*samples as usize));
    let short = |name: &str| {
        let short = name.strip_prefix(split.as_str()).map_or(name, |n| n.trim_start_matches('_'));
        short.replace('_', " ")
    };
    let width = metrics.iter().map(|(name, _)| short(name).chars().count()).max().unwrap_or(0).max(9);
    for (name, value) in metrics.iter() {
        let shown = short(name);
        let line = format!("{shown:<width$} {}\n", figure(name, value));
        text += &if shown == "loss" { line } else { paint(&line, Look::Strong) };
    }
    text + &answers(outcome)
}

fn answers(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Confusion(confusion) => classes(confusion),
        Outcome::Residuals(residuals) => numbers(residuals),
        Outcome::Heads(heads) => {
            let head = |h: &HeadOutcome| {
                format!("\n{}, {} samples\n{}", h.name, count(h.samples as usize), answers(&h.outcome))
            };
            heads.iter().map(head).collect()
        }
        _ => String::new(),
    }
}

fn classes(confusion: &Confusion) -> String {
    let share = |x: Option<f64>| x.map_or("–".into(), |x| figure("accuracy", x));
    let row = |s: &ClassScore| {
        vec![s.class.clone(), share(s.precision), share(s.recall), share(s.f1), count(s.support as usize)]
    };
    let mut rows = vec![["class", "precision", "recall", "F1", "samples"].map(String::from).to_vec()];
    rows.extend(confusion.per_class().iter().take(MOST_CLASSES).map(row));
    let sides = [Side::Left, Side::Right, Side::Right, Side::Right, Side::Right];
    let mut text = format!("\n{}", table(&rows, &sides, usize::MAX));
    let more = confusion.classes().len().saturating_sub(MOST_CLASSES);
    if more > 0 {
        text += &format!("and {more} classes more\n");
    }
    let pairs = confusion.confused(5);
    if !pairs.is_empty() {
        let pairs: Vec<String> = pairs
            .iter()
            .map(|p| visible_line(&format!("{} → {} ({})", p.truth, p.predicted, p.count)).into_owned())
            .collect();
        text += &format!("\nmost often taken for another: {}\n", pairs.join(", "));
    }
    text
}

fn numbers(residuals: &[Residuals]) -> String {
    let shown = |x: Option<f64>| x.map_or("–".into(), short);
    let mut rows = vec![["target", "RMSE", "MAE", "bias", "R²"].map(String::from).to_vec()];
    rows.extend(
        residuals
            .iter()
            .map(|r| vec![r.target.clone(), shown(r.rmse), shown(r.mae), shown(r.bias), shown(r.r2)]),
    );
    let sides = [Side::Left, Side::Right, Side::Right, Side::Right, Side::Right];
    format!("\n{}", table(&rows, &sides, usize::MAX))
}
