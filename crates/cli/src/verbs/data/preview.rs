//! `thalweg data preview`: a few samples as text, or as a picture with what augmentation makes of them.

use std::path::{Path, PathBuf};

use serde_json::json;
use thalweg::config::RunConfig;
use thalweg::data::augment::{Pipeline, Sheet, pick, sheet};
use thalweg::data::{self, DataOptions};

use super::Source;
use crate::failure::Failure;
use crate::ui::Ui;

/// Show a few samples: as text, or as a picture before and after augmentation
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub struct Args {
    #[command(flatten)]
    source: Source,

    /// How many samples
    #[arg(short, long = "samples", default_value_t = 10, value_name = "COUNT")]
    n: usize,

    /// A PNG file for a contact sheet of training images
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Augmented versions beside each image of the sheet, one an epoch
    #[arg(long, default_value_t = 8, value_name = "COUNT", requires = "out", value_parser = clap::value_parser!(u16).range(1..))]
    versions: u16,

    /// Which samples and which versions of them; else `seed`
    #[arg(long, value_name = "SEED", requires = "out")]
    seed: Option<u64>,

    /// Replace the file
    #[arg(long, requires = "out")]
    force: bool,
}

const AFTER: &str = "\
For example: thalweg data preview digits augment=crop-1,rotate-20 --out digits.png
Each row of the picture shows a training sample, first as it is and then as the first epochs see it.";

pub fn run(ui: &Ui, args: Args) -> Result<(), Failure> {
    let config = args.source.config()?;
    if let Some(out) = &args.out {
        return picture(ui, &args, &config, out);
    }
    if !config.augment.0.is_empty() {
        let hint = "add `--out FILE.png`";
        return Err(Failure::wrong(
            "cli.preview-augmented",
            "augmented images can only be shown as a picture",
            hint,
        ));
    }
    let (set, _) = args.source.open()?;
    let text = data::preview(&set, args.n)?;
    ui.print(&text);
    ui.result(json!({ "name": set.name, "text": text }));
    Ok(())
}

fn picture(ui: &Ui, args: &Args, config: &RunConfig, out: &Path) -> Result<(), Failure> {
    if out.exists() && !args.force {
        let hint = "choose another name, or add `--force` to replace it";
        return Err(Failure::wrong(
            "cli.preview-exists",
            format!("the file exists already: {}", out.display()),
            hint,
        ));
    }
    let options = DataOptions { cache: data::default_cache_folder(), ..config.data.options() };
    let set = data::open(&config.data.source, &options)?;
    let train = data::split(&set, &config.data.split())?.train;
    let seed = args.seed.unwrap_or(config.seed);
    let pipeline = Pipeline::new(&config.augment, &set, &train, seed)?;
    let samples = pick(&set, &train, args.n, seed);
    let shown = sheet(&set, &samples, pipeline.as_ref(), args.versions.into())?;
    let Some(Sheet { width, height, legend, .. }) = &shown else {
        let shape =
            format!("{} has samples of shape {:?}, and these are not images", set.name, set.input_shape);
        return Err(Failure::wrong(
            "cli.preview-no-images",
            shape,
            "`thalweg data preview` without `--out` shows other samples",
        ));
    };
    record::write_atomic(out, |to| shown.iter().try_for_each(|sheet| sheet.write_png(&mut *to)))
        .map_err(|e| Failure::unwritten(e, "--out"))?;
    ui.print(&format!("{}: {width} x {height} pixels; its rows are\n", out.display()));
    legend.iter().for_each(|line| ui.print(&format!("  {line}\n")));
    let file = out.display().to_string();
    ui.result(json!({ "name": set.name, "file": file, "width": width, "height": height, "rows": legend }));
    Ok(())
}
