//! A plan as text.

use std::fmt::Write;

use super::{Cost, Finish, Loop, Plan};
use crate::graph::Graph;
use crate::ops::Op;
use crate::steps::conv::{conv_flops, images_of};
use crate::steps::gemm::product_flops;
use crate::steps::{Loc, Span, StepKernel};

/// What can be printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// every node as it was built, gradients included
    Graph,
    /// nodes that something wanted depends on
    Live,
    /// the steps after fusion, with work, bytes and places in memory
    Plan,
}

impl Graph {
    /// The nodes as text, one a line; with `live`, only those marked.
    pub fn print(&self, live: Option<&[bool]>) -> String {
        let mut text = String::new();
        for v in self.vars().filter(|v| live.is_none_or(|l| l[v.index()])) {
            let node = self.node(v);
            let inputs: Vec<String> = node.inputs.iter().map(|i| format!("%{}", i.index())).collect();
            let what = match &node.op {
                Op::Input(i) => self.inputs[i.index].name.clone(),
                Op::Param(p) => self.params.slots[p.index].name.clone(),
                Op::Buffer(b) => self.buffers.slots[b.index].name.clone(),
                Op::Tangent(t) => self.params.slots[t.index].name.clone(),
                Op::Constant(c) => c.value.to_string(),
                _ => inputs.join(" "),
            };
            let name = format!("%{} = {}", v.index(), node.op.get().name());
            _ = writeln!(text, "{name:<22} {what:<24} {:<20} {}", node.shape.to_string(), node.layer);
        }
        text
    }
}

impl Plan {
    /// Work and traffic of a whole step, gradients included.
    pub fn total_cost(&self) -> Cost {
        let add = |a: Cost, b: Cost| Cost {
            flops: a.flops.saturating_add(b.flops),
            bytes: a.bytes.saturating_add(b.bytes),
        };
        let steps = self.steps.iter().map(|s| s.cost(self.options.batch)).fold(Cost::default(), add);
        self.finish.iter().map(|f| self.finish_cost(f)).fold(steps, add)
    }

    fn finish_cost(&self, finish: &Finish) -> Cost {
        let batch = self.options.batch;
        match finish {
            Finish::Gemm { m, n, rows, a, b } => Cost {
                flops: product_flops(*m, *n, rows.saturating_mul(batch)),
                bytes: 4 * (a.elements(batch) + b.elements(batch) + (m * n) as u64),
            },
            Finish::Conv { conv, x, dy } => Cost {
                flops: conv_flops(conv, images_of(conv, x.len.of(batch))),
                bytes: 4 * (x.elements(batch) + dy.elements(batch)),
            },
            Finish::Shards { from, .. } => Cost {
                flops: (from.len * self.options.shards) as u64,
                bytes: 4 * (from.len * self.options.shards) as u64,
            },
            Finish::Ready(span) => Cost { flops: 0, bytes: 4 * span.elements(batch) },
        }
    }

    /// The steps as text: what each does, for which nodes, with shape, work, bytes and places in memory.
    pub fn print(&self, graph: &Graph) -> String {
        let o = self.options;
        let mut text = format!(
            "batch {}, {} shards, {} workers; arena {} KiB a worker, scratch {} KiB\n",
            o.batch,
            o.shards,
            o.workers,
            self.arena_len / 256,
            self.scratch_len / 256
        );
        for (i, step) in self.steps.iter().enumerate() {
            if let Some(Loop { steps, chunk: Some(rows) }) = self.loops.iter().find(|l| l.steps.start == i) {
                _ = writeln!(text, "    steps {}..{} with {rows} rows at a time", steps.start, steps.end);
            }
            let names: Vec<&str> = step.nodes.iter().map(|v| graph.node(*v).op.get().name()).collect();
            let (kernel, cost) = (step.kernel.get(), step.cost(o.batch));
            let (what, places) = (kernel.describe(), places(kernel));
            let line = format!(
                "{i:>3} {what:<34} {:>9} FLOP {:>9} B  {places:<30} {} {}",
                short(cost.flops),
                short(cost.bytes),
                step.layer,
                names.join("+")
            );
            _ = writeln!(text, "{}", line.trim_end());
        }
        for (finish, slot) in self.finish.iter().zip(&self.params.slots) {
            let what = match finish {
                Finish::Gemm { m, n, rows, .. } => {
                    format!("gradient [{m}, {n}] over {} rows", rows * o.batch)
                }
                Finish::Conv { .. } => format!("gradient {} over {} images", slot.shape, o.batch),
                Finish::Shards { .. } => format!("gradient {} from shards", slot.shape),
                Finish::Ready(Span { loc: Loc::Const(_), .. }) => {
                    format!("gradient {} is not computed", slot.shape)
                }
                Finish::Ready(_) => format!("gradient {} as it is", slot.shape),
            };
            let cost = self.finish_cost(finish);
            let line = format!(
                "  ∂ {what:<34} {:>9} FLOP {:>9} B  {}",
                short(cost.flops),
                short(cost.bytes),
                slot.name
            );
            _ = writeln!(text, "{line}");
        }
        let total = self.total_cost();
        _ = writeln!(text, "total {} FLOP, {} B", short(total.flops), short(total.bytes));
        text
    }
}

/// The values that a kernel reads and those that it writes.
fn places(kernel: &dyn StepKernel) -> String {
    let joined = |spans: Vec<Span>| spans.into_iter().map(Span::text).collect::<Vec<_>>().join(" ");
    match (joined(kernel.reads()), joined(kernel.writes())) {
        (reads, writes) if writes.is_empty() => reads,
        (reads, writes) => format!("{reads} → {writes}").trim_start().to_owned(),
    }
}

fn short(n: u64) -> String {
    match n {
        0..10_000 => n.to_string(),
        10_000..10_000_000 => format!("{:.1}k", n as f64 / 1e3),
        10_000_000..10_000_000_000 => format!("{:.1}M", n as f64 / 1e6),
        _ => format!("{:.1}G", n as f64 / 1e9),
    }
}
