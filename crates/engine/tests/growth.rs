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

/// The shortest of a few times that compiling took, and of `known`.
fn compile((g, wanted): &(Graph, Wanted), tries: usize, known: Duration) -> Duration {
    let took = (0..tries).map(|_| {
        let start = Instant::now();
        Plan::compile(g, wanted, PlanOptions::new(32, 4, 2)).unwrap();
        start.elapsed()
    });
    took.fold(known, Duration::min)
}

/// Other programs can only make a time longer, so the shortest times are taken until they agree with the claim; if it
/// is false, they never do.
#[test]
fn compiling_takes_time_in_proportion_to_the_graph() {
    const ROUNDS: usize = 12;
    for kind in KINDS {
        let (few, many) = (network(*kind, 2_500).unwrap(), network(*kind, 20_000).unwrap());
        let nodes = many.0.len() as f64 / few.0.len() as f64;
        let (mut short, mut long) = (Duration::MAX, Duration::MAX);
        let holds = (0..ROUNDS).any(|_| {
            short = compile(&few, 4, short);
            long = compile(&many, 2, long);
            // proportional would be `nodes`, quadratic its square
            long.as_secs_f64() < 0.6 * nodes * nodes * short.as_secs_f64()
        });
        println!("{}: {} nodes {short:.1?}, {} nodes {long:.1?}", kind.0, few.0.len(), many.0.len());
        assert!(holds, "{}: {nodes:.1} times the nodes took {long:.1?} against {short:.1?}", kind.0);
    }
}
