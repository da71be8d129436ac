//! `thalweg eval`: measures a trained model on its own test part, or on new data.

use std::path::PathBuf;

use record::{
    Calibration, CalibrationFigures, ClassScore, Confusion, Evaluation, HeadOutcome, Outcome, Residuals,
    RunDir, Threshold, visible_line,
};
use serde_json::json;
use thalweg::config::RunConfig;
use thalweg::train::{Kept, Trained, Wanted};

use crate::args::{kept, wanted};
use crate::failure::Failure;
use crate::table::{Side, count, figure, short, table};
use crate::ui::{Look, Ui, paint};

/// Evaluate a trained model on its own test part, or on new data with `data=PATH`
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The run folder
    #[arg(value_name = "RUN")]
    run: PathBuf,

    /// New data and how to read them, such as `data=new.csv data.target=price`
    #[arg(value_name = "KEY=VALUE")]
    settings: Vec<String>,

    /// Which weights to use: best or last
    #[arg(long, default_value = "best", value_parser = kept(), hide_possible_values = true)]
    checkpoint: Kept,

    /// Choose a temperature on the validation part, and for two classes the threshold with the highest
    /// balanced_accuracy or f1; `predict --calibrated` uses both
    #[arg(long, value_name = "FIGURE", num_args = 0..=1, require_equals = true,
          default_missing_value = "balanced_accuracy", value_parser = wanted(), hide_possible_values = true)]
    calibrate: Option<Wanted>,
}

/// Most classes whose figures are shown one by one.
const MOST_CLASSES: usize = 30;

pub fn run(ui: &Ui, args: Args) -> Result<(), Failure> {
    let dir = RunDir::open(&args.run)?;
    let config = with_data(&dir, &args.settings, "eval")?;
    let is_new = args.settings.iter().any(|word| word.starts_with("data"));
    let which = args.checkpoint;
    if is_new && args.calibrate.is_some() {
        let problem = "calibration uses the run's own validation part, not other data";
        return Err(Failure::wrong(
            "cli.calibrate-elsewhere",
            problem,
            format!("`thalweg eval {} --calibrate`", args.run.display()),
        ));
    }
    let data = is_new.then(|| config.data.source.clone());
    let mut trained = Trained::open(&dir, config, which)?;
    let done = if is_new { trained.measure_new(which) } else { trained.measure_own(which) }?;
    trained.warnings().iter().for_each(|text| ui.warn(text));
    ui.print(&described(&done.evaluation, &done.measured.metrics, data.as_deref()));
    let mut fields = serde_json::to_value(&done.evaluation).unwrap_or_default();
    fields["metrics"] = serde_json::to_value(&done.measured.metrics).unwrap_or_default();
    fields["run_dir"] = json!(dir.path());
    fields["warnings"] = json!(trained.warnings());
    if let Some(wanted) = args.calibrate {
        let calibration = trained.calibrate(which, wanted)?;
        dir.write_calibration(&calibration)?;
        ui.print(&corrected(&calibration, &dir));
        fields["calibration"] = serde_json::to_value(&calibration).unwrap_or_default();
    }
    ui.result(fields);
    Ok(())
}

/// Temperature and threshold, and what they change.
fn corrected(calibration: &Calibration, dir: &RunDir) -> String {
    let mut text = format!("\ntemperature {}", short(calibration.temperature));
    if let Some(Threshold { class, at, figure }) = &calibration.threshold {
        let (class, figure) = (visible_line(class), figure.replace('_', " "));
        text += &format!(", `{class}` from a probability of {} on (largest {figure})", short(*at));
    }
    text += ", chosen on the validation part\n\n";
    let mut rows = vec![["", "samples", "", "before", "after"].map(String::from).to_vec()];
    for part in std::iter::once(&calibration.chosen_on).chain(&calibration.judged_on) {
        let figures = |f: &CalibrationFigures| {
            let share = |x: Option<f64>| x.map(|x| figure("accuracy", x));
            let plain = |x: Option<f64>| x.map(short);
            [
                plain(f.calibration_error),
                plain(f.log_loss),
                share(f.accuracy),
                share(f.balanced_accuracy),
                share(f.f1),
            ]
        };
        let names = ["calibration error", "log loss", "accuracy", "balanced accuracy", "F1"];
        let each = names.iter().zip(figures(&part.before).into_iter().zip(figures(&part.after)));
        for (i, (name, (before, after))) in each.enumerate() {
            let (Some(before), Some(after)) = (before, after) else { continue };
            let (split, n) =
                if i == 0 { (part.split.clone(), count(part.samples as usize)) } else { Default::default() };
            rows.push(vec![split, n, (*name).to_owned(), before, after]);
        }
    }
    text += &table(&rows, &[Side::Left, Side::Right, Side::Left, Side::Right, Side::Right], usize::MAX);
    text + &format!("\n`thalweg predict {} INPUT --calibrated` uses them\n", dir.path().display())
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
            format!("`{key}` cannot change after a model has been trained"),
            format!("`thalweg {verb}` takes `{}`", KEYS.join("`, `")),
        )),
        None => Ok(config),
    }
}

/// The figures, of a part of the run's own data or of `data`.
fn described(evaluation: &Evaluation, metrics: &record::Metrics, data: Option<&str>) -> String {
    let Evaluation { split, checkpoint, samples, outcome, .. } = evaluation;
    let what = data.map_or_else(|| format!("{split} part"), |data| visible_line(data).into_owned());
    let mut text = format!("{what}, {} samples, {checkpoint} weights\n\n", count(*samples as usize));
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
    text += &answers(outcome);
    let compared = [report::comparison(evaluation), report::worth(evaluation)].into_iter().flatten();
    for said in compared.chain(report::imbalance(evaluation)) {
        text += &format!("\n{}\n", visible_line(&said));
    }
    text
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
    let mut text = format!("{}\n{}", figures(confusion), table(&rows, &sides, usize::MAX));
    let more = confusion.classes().len().saturating_sub(MOST_CLASSES);
    if more > 0 {
        text += &format!("and {more} more classes\n");
    }
    let pairs = confusion.confused(5);
    if !pairs.is_empty() {
        let pairs: Vec<String> = pairs
            .iter()
            .map(|p| visible_line(&format!("{} → {} ({})", p.truth, p.predicted, p.count)).into_owned())
            .collect();
        text += &format!("\nmost often confused: {}\n", pairs.join(", "));
    }
    text
}

/// What follows from the matrix, and what the probabilities say.
fn figures(confusion: &Confusion) -> String {
    let scores = confusion.scores();
    let share = |x: Option<f64>| x.map(|x| figure("accuracy", x));
    let of = |class: &str| visible_line(class).into_owned();
    let majority = confusion.majority().map_or_else(String::new, |m| of(&m.class));
    let positive = scores.positive.as_ref().map_or_else(String::new, |p| format!(" of {}", of(p)));
    let rows = [
        (format!("always {majority}"), share(confusion.majority().map(|m| m.share))),
        ("balanced accuracy".into(), share(confusion.balanced_accuracy())),
        ("area under the ROC curve".into(), scores.roc_auc.map(short)),
        (format!("average precision{positive}"), scores.average_precision.map(short)),
        ("log loss".into(), scores.log_loss.map(short)),
        ("Brier score".into(), scores.brier.map(short)),
        ("calibration error, 15 bins".into(), scores.calibration_error.map(short)),
    ];
    let known = rows.into_iter().filter_map(|(what, value)| Some(vec![what, value?]));
    let rows: Vec<Vec<String>> = known.collect();
    if rows.is_empty() {
        return String::new();
    }
    format!("\n{}", table(&rows, &[Side::Left, Side::Right], usize::MAX))
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
