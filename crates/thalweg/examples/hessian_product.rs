//! Hessian-vector products: the largest eigenvalue of a loss's Hessian by power iteration, which tells how large a
//! step may be.

use std::sync::Arc;

use thalweg::engine::{Draw, Executor, Plan, Pool, StepContext};
use thalweg::losses::Mse;
use thalweg::model::{Model, ModelConfig};
use thalweg::optim::Sgd;
use thalweg::source::Arrays;
use thalweg::train::{Blueprint, ProgramKey, Trainer};

#[allow(clippy::print_stdout)]
pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    // least squares over the corners of a rectangle, so that the answer is known: the Hessian is 2·mean([x 1]ᵀ[x 1]),
    // which is diagonal here, with 2·1², 2·2² and 2
    let x = vec![1.0, 2.0, 1.0, -2.0, -1.0, 2.0, -1.0, -2.0];
    let y = vec![3.0, -1.0, 1.0, -3.0];
    let data = Arrays::new(x.clone(), &[2]).numbers(y.clone(), 1);
    let model = Model::new(&"2-1".parse::<ModelConfig>()?, &[2], 1)?;
    let trainer = Trainer::builder(model, data, Mse::default(), Sgd::default()).batch(y.len()).build()?;

    // the program of a training step, whose gradients become products of the Hessian with the tangents
    let session = &trainer.session;
    let Blueprint { mut graph, mut wanted, .. } = session.graph(&ProgramKey::train(y.len()))?;
    let params = session.model.param_vars(&graph);
    wanted.gradients = graph.hessian_product(wanted.outputs[0], &params)?;
    let plan = Plan::compile(&graph, &wanted, session.options(y.len()))?;
    let mut executor = Executor::new(Arc::new(plan), Arc::new(Pool::new(session.n_threads())));

    let (params, buffers) = trainer.weights();
    let mut direction = vec![1.0; params.len()];
    let mut eigenvalue = 0.0;
    for _ in 0..20 {
        let tangents = &direction[..];
        executor.run(StepContext { params, buffers, tangents, draw: Draw::default() }, &[&x[..], &y[..]]);
        executor.gradients(&mut direction);
        eigenvalue = direction.iter().map(|d| d * d).sum::<f32>().sqrt();
        direction.iter_mut().for_each(|d| *d /= eigenvalue);
    }
    println!(
        "largest eigenvalue {eigenvalue:.4}: gradient descent diverges above lr = {:.4}",
        2.0 / eigenvalue
    );
    assert!((eigenvalue - 8.0).abs() < 1e-4, "{eigenvalue}");
    Ok(())
}
