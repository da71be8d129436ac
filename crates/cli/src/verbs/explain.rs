//! `thalweg explain`: which columns a trained model goes by, with their spread.

use std::path::PathBuf;

use record::{ColumnImportance, Explanation, RunDir};
use serde_json::json;
use thalweg::train::{Explaining, Kept, Trained};

use super::eval::with_data;
use crate::args::kept;
use crate::failure::Failure;
use crate::table::{Side, count, figure, short, table};
use crate::ui::Ui;

/// Show which columns a trained model relies on: how much worse it gets when one is shuffled
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The run folder; its report will show the result
    #[arg(value_name = "RUN")]
    run: PathBuf,

    /// Settings such as `threads=2`, or `data=PATH` if the data of the run have moved
    #[arg(value_name = "KEY=VALUE")]
    settings: Vec<String>,

    /// How many times to shuffle each column
    #[arg(long, default_value_t = 10, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    repeats: u32,

    /// The seed of the shuffling
    #[arg(long, default_value_t = 0, value_name = "N")]
    seed: u64,

    /// For how many of the most important columns the report shows how the answers depend on them
    #[arg(long, default_value_t = 4, value_name = "N")]
    top: usize,

    /// Which weights to use: best or last
    #[arg(long, default_value = "best", value_parser = kept(), hide_possible_values = true)]
    checkpoint: Kept,
}

/// Columns that are shown.
const MOST_COLUMNS: usize = 30;

/// Characters of the longest bar.
const BAR: f64 = 24.0;

pub fn run(ui: &Ui, args: Args) -> Result<(), Failure> {
    let dir = RunDir::open(&args.run)?;
    let config = with_data(&dir, &args.settings, "explain")?;
    let mut trained = Trained::open(&dir, config, args.checkpoint)?;
    let Args { repeats, seed, top, checkpoint, .. } = args;
    let explanation = trained.explain(&Explaining { repeats: repeats as usize, seed, top, checkpoint })?;
    trained.warnings().iter().for_each(|text| ui.warn(text));
    dir.write_explanation(&explanation)?;
    dir.write_report(&report::report_html(&dir.load()?))?;
    ui.print(&described(&explanation));
    ui.say(&format!("\nreport  {}", dir.report_path().display()));
    let mut fields = serde_json::to_value(&explanation).unwrap_or_default();
    fields["run_dir"] = json!(dir.path());
    fields["report"] = json!(dir.report_path());
    fields["warnings"] = json!(trained.warnings());
    ui.result(fields);
    Ok(())
}

fn described(e: &Explanation) -> String {
    let figures: Vec<String> = e
        .figures
        .iter()
        .map(|(name, value)| format!("{} {}", name.replace('_', " "), figure(name, *value)))
        .collect();
    let verb = if e.metric.ends_with("accuracy") { "falls" } else { "grows" };
    let mut text = format!(
        "{} part, {} samples, {} weights: {}\nhow much {} {verb} when a column is shuffled, mean ± deviation of {}\n\n",
        e.split,
        count(e.samples as usize),
        e.checkpoint,
        figures.join(", "),
        e.metric,
        e.repeats
    );
    let others: Vec<&String> = e.figures.keys().filter(|name| **name != e.metric).collect();
    let mut head = vec!["column".to_owned(), String::new(), e.metric.replace('_', " ")];
    head.extend(others.iter().map(|name| name.replace('_', " ")));
    let most = e.columns.iter().map(|c| e.main(c).mean).fold(0.0, f64::max);
    let mut rows = vec![head];
    rows.extend(e.columns.iter().take(MOST_COLUMNS).map(|column| row(e, column, most, &others)));
    let mut sides = vec![Side::Left, Side::Left];
    sides.extend(std::iter::repeat_n(Side::Right, 1 + others.len()));
    text += &table(&rows, &sides, usize::MAX);
    let more = e.columns.len().saturating_sub(MOST_COLUMNS);
    if more > 0 {
        text += &format!("and {more} more columns\n");
    }
    text
}

fn row(e: &Explanation, column: &ColumnImportance, most: f64, others: &[&String]) -> Vec<String> {
    let told = |name: &str| {
        let Some(own) = column.importance.get(name) else { return "–".to_owned() };
        let points = if name.ends_with("accuracy") { 100.0 } else { 1.0 };
        let unit = if name.ends_with("accuracy") { " %" } else { "" };
        let spread = own.std.map_or(String::new(), |std| format!(" ± {}", short(std * points)));
        format!("{}{spread}{unit}", short(own.mean * points))
    };
    let share = if most > 0.0 { (e.main(column).mean / most).clamp(0.0, 1.0) } else { 0.0 };
    let mut cells = vec![column.column.clone(), "█".repeat((share * BAR).round() as usize), told(&e.metric)];
    cells.extend(others.iter().map(|name| told(name)));
    cells
}
