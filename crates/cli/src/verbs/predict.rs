//! `thalweg predict`: a trained model's answers for new samples, as CSV.

use std::path::{Path, PathBuf};

use record::{RunDir, write_atomic};
use serde_json::{Value, json};
use thalweg::train::{Answers, Kept, Trained};

use super::eval::with_data;
use crate::args::kept;
use crate::failure::Failure;
use crate::table::count;
use crate::ui::Ui;

/// Predict for new samples with a trained model; the answers are a CSV table
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The run folder
    #[arg(value_name = "RUN")]
    run: PathBuf,

    /// A file or folder with samples; targets are not needed
    #[arg(value_name = "INPUT")]
    input: String,

    /// How to read the samples, such as `data.separator=;`
    #[arg(value_name = "KEY=VALUE")]
    settings: Vec<String>,

    /// The CSV file to write; by default standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Replace the file if it exists
    #[arg(long, requires = "output")]
    overwrite: bool,

    /// Columns of the input to copy to the answers: `inputs` for all that the model sees, or `id=COLUMN`; can be
    /// repeated
    #[arg(long, value_name = "inputs|id=COLUMN")]
    with: Vec<String>,

    /// Which weights to use: best or last
    #[arg(long, default_value = "best", value_parser = kept(), hide_possible_values = true)]
    checkpoint: Kept,

    /// Use the temperature and the threshold from `thalweg eval RUN --calibrate`
    #[arg(long)]
    calibrated: bool,
}

pub fn run(ui: &Ui, args: Args) -> Result<(), Failure> {
    let dir = RunDir::open(&args.run)?;
    if let Some(output) = args.output.as_deref().filter(|output| is_same(output, args.input.as_ref())) {
        return Err(Failure::wrong(
            "cli.predict-onto-samples",
            format!("the answers would overwrite the samples: {}", output.display()),
            "name another file after `-o`",
        ));
    }
    if let Some(path) = args.output.as_deref().filter(|path| path.is_file() && !args.overwrite) {
        return Err(Failure::wrong(
            "cli.predict-exists",
            format!("the file exists already: {}", path.display()),
            "choose another name for `-o`, or add `--overwrite` to replace it",
        ));
    }
    let mut settings = args.settings.clone();
    settings.push(format!("data.source={}", args.input));
    let config = with_data(&dir, &settings, "predict")?;
    let mut trained = Trained::open(&dir, config, args.checkpoint)?;
    let copied = copied(&trained, &args.with)?;
    if args.calibrated {
        let again =
            format!("`thalweg eval {} --calibrate --checkpoint {}`", args.run.display(), args.checkpoint);
        let Some(calibration) = dir.calibration()? else {
            let path = dir.calibration_path();
            return Err(Failure::wrong(
                "cli.not-calibrated",
                format!("the run has not been calibrated: {}", path.display()),
                again,
            ));
        };
        if calibration.checkpoint != args.checkpoint.to_string() {
            let problem = format!("the calibration belongs to the {} weights", calibration.checkpoint);
            return Err(Failure::wrong("cli.calibrated-otherwise", problem, again));
        }
        trained.set_calibration(calibration)?;
    }
    let answers = trained.answer()?;
    trained.warnings().iter().for_each(|text| ui.warn(text));
    let rows = Rows::new(&answers, copied);
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

/// The columns that are copied to the answers, with the texts of their rows.
fn copied(trained: &Trained, with: &[String]) -> Result<Vec<(String, Vec<String>)>, Failure> {
    let mut names: Vec<String> = Vec::new();
    for word in with {
        match (word.as_str(), word.strip_prefix("id=")) {
            (_, Some(column)) => names.push(column.into()),
            ("inputs", None) => names.extend(trained.input_columns()),
            _ => {
                return Err(Failure::wrong(
                    "cli.predict-with",
                    format!("`--with {word}` is neither `inputs` nor `id=COLUMN`"),
                    format!("`--with id={word}` copies the column of that name"),
                ));
            }
        }
    }
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let texts = trained.texts(&names)?;
    Ok(names.into_iter().zip(texts).collect())
}

/// Whether two paths lead to one file.
fn is_same(a: &Path, b: &Path) -> bool {
    a.canonicalize().is_ok_and(|a| b.canonicalize().is_ok_and(|b| a == b))
}

/// Answers as a table.
struct Rows<'a> {
    n: usize,
    /// columns of the input, with the texts of their rows
    copied: Vec<(String, Vec<String>)>,
    /// what each head says, with its name; the name is empty where there is one
    heads: Vec<(&'a str, &'a Answers)>,
}

impl<'a> Rows<'a> {
    fn new(answers: &'a Answers, copied: Vec<(String, Vec<String>)>) -> Self {
        let heads = match answers {
            Answers::Heads(heads) => heads.iter().map(|(name, own)| (name.as_str(), own)).collect(),
            one => vec![("", one)],
        };
        let n = heads.first().map_or(0, |(_, own)| match own {
            Answers::Classes { chosen, .. } => chosen.len(),
            Answers::Numbers { targets, values } => values.len() / targets.len().max(1),
            Answers::Heads(_) => 0,
        });
        Rows { n, copied, heads }
    }

    /// Names of the columns: those of several heads begin with the head's name.
    fn columns(&self) -> Vec<String> {
        let mut names = vec!["sample".to_owned()];
        names.extend(self.copied.iter().map(|(name, _)| name.clone()));
        for (head, own) in &self.heads {
            let full = |name: &str| if head.is_empty() { name.to_owned() } else { format!("{head}_{name}") };
            if matches!(own, Answers::Classes { .. }) {
                names.push(full("class"));
            }
            names.extend(names_of(own).iter().map(|name| full(name)));
        }
        names
    }

    fn write(&self, out: &mut dyn std::io::Write) -> std::io::Result<()> {
        let line = |cells: Vec<String>| cells.iter().map(|c| quoted(c)).collect::<Vec<_>>().join(",");
        writeln!(out, "{}", line(self.columns()))?;
        for i in 0..self.n {
            let mut cells = vec![i.to_string()];
            cells.extend(self.copied.iter().map(|(_, texts)| texts.get(i).cloned().unwrap_or_default()));
            for (_, own) in &self.heads {
                cells.extend(class(own, i).map(String::from));
                cells.extend(numbers(own, i).into_iter().map(short));
            }
            writeln!(out, "{}", line(cells))?;
        }
        out.flush()
    }

    fn object(&self, i: usize) -> Value {
        let mut object = json!({ "sample": i });
        if !self.copied.is_empty() {
            let own = self.copied.iter().map(|(name, texts)| (name.clone(), json!(texts.get(i))));
            object["columns"] = Value::Object(own.collect());
        }
        for (head, own) in &self.heads {
            let told = told(own, i);
            match head.is_empty() {
                true => told.into_iter().for_each(|(key, value)| object[key] = value),
                false => object[*head] = told.into_iter().map(|(k, v)| (k.to_owned(), v)).collect(),
            }
        }
        object
    }
}

/// The class that came first for a sample.
fn class(answers: &Answers, i: usize) -> Option<&str> {
    match answers {
        Answers::Classes { classes, chosen, .. } => Some(&classes[chosen[i]]),
        Answers::Numbers { .. } | Answers::Heads(_) => None,
    }
}

/// A number in as few digits as single precision has, where it is no more than that.
fn short(x: f64) -> String {
    let single = x as f32;
    if f64::from(single) == x { single.to_string() } else { x.to_string() }
}

/// What the numbers of a sample are called.
fn names_of(answers: &Answers) -> Vec<String> {
    match answers {
        Answers::Classes { classes, .. } => classes.iter().map(|c| format!("p_{c}")).collect(),
        Answers::Numbers { targets, .. } => targets.clone(),
        Answers::Heads(_) => Vec::new(),
    }
}

/// The numbers of a sample.
fn numbers(answers: &Answers, i: usize) -> Vec<f64> {
    match answers {
        Answers::Classes { classes, scores, .. } => {
            scores[i * classes.len()..(i + 1) * classes.len()].iter().map(|x| f64::from(*x)).collect()
        }
        Answers::Numbers { targets, values } => values[i * targets.len()..(i + 1) * targets.len()].to_vec(),
        Answers::Heads(_) => Vec::new(),
    }
}

/// What a head says of a sample, by key.
fn told(answers: &Answers, i: usize) -> Vec<(&'static str, Value)> {
    let values: serde_json::Map<String, Value> =
        names_of(answers).into_iter().zip(numbers(answers, i)).map(|(name, x)| (name, json!(x))).collect();
    match class(answers, i) {
        Some(class) => vec![("class", json!(class)), ("scores", Value::Object(values))],
        None => vec![("values", Value::Object(values))],
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
