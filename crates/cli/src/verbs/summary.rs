//! `thalweg summary`: a model's layers with shapes, parameters, operations and memory.

use serde_json::json;
use thalweg::train::Prepared;

use crate::args::ConfigArgs;
use crate::failure::Failure;
use crate::ui::Ui;

/// Show a model's layers: shapes, parameters, operations, memory
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    from: ConfigArgs,
}

pub fn run(ui: &Ui, args: Args) -> Result<(), Failure> {
    let config = args.from.load([])?;
    let summary = Prepared::model(&config)?.summary()?;
    ui.print(&format!("{summary}\n"));
    let layers = summary.rows.iter().map(|r| {
        json!({
            "name": r.name, "kind": r.kind, "describe": r.describe, "depth": r.depth, "output": r.output,
            "parameters": r.n_params, "flops": r.flops, "activation_bytes": r.activation_bytes,
        })
    });
    ui.result(json!({
        "title": summary.title, "input": summary.input, "layers": layers.collect::<serde_json::Value>(),
        "parameters": summary.n_params, "buffers": summary.n_buffers, "flops": summary.flops,
        "activation_bytes": summary.activation_bytes,
    }));
    Ok(())
}
