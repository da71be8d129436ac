//! Naming the first layer whose values are not finite.

use std::sync::Arc;

use engine::graph::{Graph, Var};
use engine::ops::Op;
use engine::{Draw, Executor, GraphError, Plan, PlanOptions, StepContext, Wanted};

use super::program::{Batch, ProgramKey};
use super::session::Session;

/// Where the first value that is not finite stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Culprit {
    /// such as ``the output of `2` (matmul)``
    pub what: String,
}

/// Runs the batch again, operation by operation, and names the first result that is not finite.
pub(super) fn culprit(
    session: &Session,
    weights: (&[f32], &[f32]),
    draw: Draw,
    mut batch: Batch<'_>,
) -> Result<Option<Culprit>, GraphError> {
    if let Some(what) = first_bad_tensor(session, weights.0, weights.1) {
        return Ok(Some(Culprit { what }));
    }
    let size = batch.samples.len();
    let blueprint = session.graph(&ProgramKey::train(size))?;
    batch.fed = blueprint.fed.clone();
    let graph = blueprint.graph;
    let live = graph.live(&blueprint.wanted.outputs);
    let forward: Vec<Var> = graph.vars().filter(|v| live[v.index()] && is_computed(&graph, *v)).collect();
    let all = Wanted { outputs: forward.clone(), gradients: vec![], assigns: false };
    let plan = Plan::compile(&graph, &all, PlanOptions { fuse: false, ..session.options(size) })?;
    let mut executor = Executor::new(Arc::new(plan), session.pool());
    executor.run(StepContext { params: weights.0, buffers: weights.1, tangents: &[], draw }, &batch);
    for (i, v) in forward.iter().enumerate() {
        let mut values = vec![0.0; executor.output_len(i)];
        executor.output(i, &mut values);
        if let Some(bad) = values.iter().find(|x| !x.is_finite()) {
            let node = graph.node(*v);
            let layer = if node.layer.is_empty() { "the model" } else { &node.layer };
            return Ok(Some(Culprit {
                what: format!("`{layer}` ({}), whose output holds {bad}", node.op.get().name()),
            }));
        }
    }
    Ok(None)
}

/// The first parameter or running average that holds a number that is not finite, in words.
pub(super) fn first_bad_tensor(session: &Session, params: &[f32], buffers: &[f32]) -> Option<String> {
    let (p, b) = session.model.layout();
    let slots = p.slots.iter().map(|s| (s, params)).chain(b.slots.iter().map(|s| (s, buffers)));
    slots.into_iter().find_map(|(slot, values)| {
        let bad = values[slot.range()].iter().find(|x| !x.is_finite())?;
        Some(format!("`{}`, which holds {bad} since the step before", slot.name))
    })
}

fn is_computed(graph: &Graph, v: Var) -> bool {
    !matches!(graph.node(v).op, Op::Param(_) | Op::Buffer(_) | Op::Tangent(_) | Op::Constant(_))
}
