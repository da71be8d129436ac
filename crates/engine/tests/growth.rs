//! The time of compiling grows about as the graph does, and not as its square.

#![allow(clippy::print_stdout, reason = "the times found, for those who ask with --nocapture")]

use std::time::{Duration, Instant};

use engine::graph::{Built, Graph, Var};
use engine::ops::Op;
use engine::{Plan, PlanOptions, Wanted};

type Kind = (&'static str, fn(&mut Graph, Var, usize) -> Built<Var>);

/// One more layer of `[32, 8]` values.
const KINDS: &[Kind] = &[
    ("dense", |g, x, i| {
        let (w, b) = (g.param(&format!("w{i}"), [8, 8])?, g.param(&format!("b{i}"), [8])?);
        let y = g.linear(x, w, Some(b))?;
        g.tanh(y)
    }),
    ("residual with norms", |g, x, i| {
        let w = g.param(&format!("w{i}"), [8, 8])?;
        let (gamma, beta) = (g.param(&format!("g{i}"), [8])?, g.param(&format!("b{i}"), [8])?);
        let y = g.linear(x, w, None)?;
        let y = g.batch_norm(y, gamma, beta, 1e-5)?.y;
        let y = g.relu(y)?;
        let v = g.param(&format!("v{i}"), [8, 8])?;
        let y = g.linear(y, v, None)?;
        g.add(x, y)
    }),
    ("element-wise", |g, x, i| {
        let p = g.param(&format!("p{i}"), [8])?;
        let y = g.mul(x, p)?;
        let y = g.tanh(y)?;
        g.add(y, x)
    }),
];

/// A network of at least this many nodes with its gradients.
fn network((_, layer): Kind, n_nodes: usize) -> Built<(Graph, Wanted)> {
    let mut g = Graph::new();
    let mut x = g.input("x", [32, 8])?;
    // gradients are about as many again, and twice as many again with norms
    let mut i = 0;
    while g.len() < n_nodes / 3 {
        x = layer(&mut g, x, i)?;
        i += 1;
    }
    let square = g.mul(x, x)?;
    let loss = g.sum(square)?;
    let params: Vec<Var> = g.vars().filter(|v| matches!(g.node(*v).op, Op::Param(_))).collect();
    let gradients = g.gradients(loss, &params)?;
    Ok((g, Wanted { outputs: vec![loss], gradients, assigns: false }))
}

/// Nodes, and the shortest of a few times that compiling them took.
fn compile(kind: Kind, n_nodes: usize, tries: usize) -> (usize, Duration) {
    let (g, wanted) = network(kind, n_nodes).unwrap();
    let took = (0..tries).map(|_| {
        let start = Instant::now();
        Plan::compile(&g, &wanted, PlanOptions::new(32, 4, 2)).unwrap();
        start.elapsed()
    });
    (g.len(), took.min().unwrap())
}

#[test]
fn compiling_takes_time_in_proportion_to_the_graph() {
    for kind in KINDS {
        let (few, short) = compile(*kind, 2_500, 6);
        let (many, long) = compile(*kind, 20_000, 4);
        let (nodes, times) = (many as f64 / few as f64, long.as_secs_f64() / short.as_secs_f64());
        println!("{}: {few} nodes {short:.1?}, {many} nodes {long:.1?}", kind.0);
        // proportional would be `nodes`, quadratic its square
        assert!(
            times < 0.6 * nodes * nodes,
            "{}: {nodes:.1} times the nodes took {times:.1} times as long",
            kind.0
        );
    }
}
