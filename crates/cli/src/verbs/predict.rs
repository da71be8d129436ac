//! `thalweg predict`: a trained model's answers for new samples, as CSV.

use std::path::PathBuf;

use record::{RunDir, write_atomic};
use serde_json::{Value, json};
use thalweg::train::{Answers, Kept, Trained};

use super::eval::with_data;
use crate::args::kept;
use crate::failure::Failure;
use crate::table::count;
use crate::ui::Ui;

/// Answer for new samples with a trained model; the answers are a CSV table
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The run folder
    #[arg(value_name = "RUN")]
    run: PathBuf,

    /// A file or folder with samples; targets are not needed
    #[arg(value_name = "INPUT")]
    input: String,

    /// How to read it, such as `data.separator=;`
    #[arg(value_name = "KEY=VALUE")]
    settings: Vec<String>,

    /// The table to write; else standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Which weights: best or last
    #[arg(long, default_value = "best", value_parser = kept(), hide_possible_values = true)]
    checkpoint: Kept,
}

pub fn run(ui: &Ui, args: Args) -> Result<(), Failure> {
    let dir = RunDir::open(&args.run)?;
    let mut settings = args.settings.clone();
    settings.push(format!("data.source={}", args.input));
    let config = with_data(&dir, &settings, "predict")?;
    let mut trained = Trained::open(&dir, config, args.checkpoint)?;
    let answers = trained.answer()?;
    trained.warnings().iter().for_each(|text| ui.warn(text));
    let rows = Rows::new(&answers);
    match &args.output {
        Some(path) => {
            write_atomic(path, |out| rows.write(out)).map_err(|e| Failure::unwritten(e, "-o"))?;
            ui.say(&format!("{} answers in {}", count(rows.n), path.display()));
            ui.result(json!({ "samples": rows.n, "output": path }));
        }
        None if ui.is_json() => {
            (0..rows.n).for_each(|i| ui.event("sample", rows.object(i)));
            ui.result(json!({ "samples": rows.n }));
        }
        None => ui.data(|out| rows.write(out)),
    }
    Ok(())
}

/// Answers as a table.
struct Rows<'a> {
    n: usize,
    head: Vec<String>,
    answers: &'a Answers,
}

impl<'a> Rows<'a> {
    fn new(answers: &'a Answers) -> Self {
        let (n, head) = match answers {
            Answers::Classes { classes, chosen, .. } => {
                let own = ["sample", "class"].map(String::from);
                (chosen.len(), own.into_iter().chain(classes.iter().map(|c| format!("p_{c}"))).collect())
            }
            Answers::Numbers { targets, values } => {
                let head = std::iter::once("sample".to_string()).chain(targets.iter().cloned()).collect();
                (values.len() / targets.len().max(1), head)
            }
        };
        Rows { n, head, answers }
    }

    /// The numbers of a sample.
    fn numbers(&self, i: usize) -> &[f32] {
        match self.answers {
            Answers::Classes { classes, scores, .. } => &scores[i * classes.len()..(i + 1) * classes.len()],
            Answers::Numbers { targets, values } => &values[i * targets.len()..(i + 1) * targets.len()],
        }
    }

    fn class(&self, i: usize) -> Option<&str> {
        match self.answers {
            Answers::Classes { classes, chosen, .. } => Some(&classes[chosen[i]]),
            Answers::Numbers { .. } => None,
        }
    }

    fn write(&self, out: &mut dyn std::io::Write) -> std::io::Result<()> {
        let line = |cells: Vec<String>| cells.iter().map(|c| quoted(c)).collect::<Vec<_>>().join(",");
        writeln!(out, "{}", line(self.head.clone()))?;
        for i in 0..self.n {
            let mut cells = vec![i.to_string()];
            cells.extend(self.class(i).map(String::from));
            cells.extend(self.numbers(i).iter().map(f32::to_string));
            writeln!(out, "{}", line(cells))?;
        }
        out.flush()
    }

    fn object(&self, i: usize) -> Value {
        let names = self.head.iter().skip(if self.class(i).is_some() { 2 } else { 1 });
        let values: serde_json::Map<String, Value> =
            names.zip(self.numbers(i)).map(|(name, x)| (name.clone(), json!(x))).collect();
        match self.class(i) {
            Some(class) => json!({ "sample": i, "class": class, "scores": values }),
            None => json!({ "sample": i, "values": values }),
        }
    }
}

/// A field of CSV, in quotes where it must be.
fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.into()
    }
}
