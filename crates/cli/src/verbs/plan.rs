//! `thalweg plan`: the graph of a training step, and what it is compiled to.

use serde_json::json;
use thalweg::engine::Plan;
use thalweg::train::{Blueprint, Prepared, ProgramKey, Trainer};

use crate::args::ConfigArgs;
use crate::failure::Failure;
use crate::ui::Ui;

/// Print the graph of a training step, or the steps it is compiled into
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    from: ConfigArgs,

    /// What to print: graph (as built, gradients included), live (the part that is needed), plan (after fusion)
    #[arg(long, default_value = "plan", hide_possible_values = true)]
    stage: Stage,

    /// Do not fuse operations
    #[arg(long)]
    no_fuse: bool,

    /// Show evaluation instead of training
    #[arg(long)]
    eval: bool,

    /// Samples in the batch; by default the setting `batch`
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    batch: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Stage {
    Graph,
    Live,
    Plan,
}

pub fn run(ui: &Ui, args: Args) -> Result<(), Failure> {
    let mut config = args.from.load(args.batch.map(|n| format!("batch={n}")))?;
    // A plan is asked for, not a run: a batch larger than the data is fine.
    let asked = config.batch.take();
    let data = Prepared::open(&config)?;
    config.batch = asked.map(|batch| batch.min(data.splits.train.len()));
    let trainer = Trainer::new(&config, data)?;
    let batch = asked.or(trainer.settled(&config).batch).unwrap_or(1);
    let session = &trainer.session;
    let key = if args.eval { ProgramKey::measure(batch) } else { ProgramKey::train(batch) };
    let Blueprint { graph, wanted, .. } = session.graph(&key)?;
    let roots = [&wanted.outputs[..], &wanted.gradients[..]].concat();
    let text = match args.stage {
        Stage::Graph => graph.print(None),
        Stage::Live => graph.print(Some(&graph.live(&roots))),
        Stage::Plan => {
            let mut options = session.options(batch);
            options.fuse = !args.no_fuse;
            Plan::compile(&graph, &wanted, options)?.print(&graph)
        }
    };
    ui.print(&text);
    ui.result(json!({ "batch": batch, "nodes": graph.len(), "text": text }));
    Ok(())
}
