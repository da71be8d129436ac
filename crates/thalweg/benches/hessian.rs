//! A Hessian-vector product of ResNet-20 beside a gradient, in turn:
//! `cargo bench -p thalweg --bench hessian [THREADS] [BATCH]`.

#![allow(clippy::print_stdout, reason = "figures for developers")]

use std::sync::Arc;
use std::time::Instant;

use thalweg::engine::{Draw, Executor, Plan, Pool, StepContext};
use thalweg::losses::CrossEntropy;
use thalweg::model::{Model, ModelConfig};
use thalweg::optim::Sgd;
use thalweg::source::Arrays;
use thalweg::train::{Blueprint, ProgramKey, Trainer};

const PAIRS: usize = 30;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let numbers: Vec<usize> = std::env::args().filter_map(|a| a.parse().ok()).collect();
    let (threads, batch) = (numbers.first().map_or(2, |n| *n), numbers.get(1).map_or(32, |n| *n));
    let n_inputs = 32 * 32 * 3;
    let x: Vec<f32> = (0..batch * n_inputs).map(|i| ((i * 7919) % 1013) as f32 / 506.0 - 1.0).collect();
    let labels: Vec<u32> = (0..batch as u32).map(|i| i % 10).collect();
    let y: Vec<f32> = labels.iter().map(|c| *c as f32).collect();
    let model = Model::new(&"resnet20".parse::<ModelConfig>()?, &[32, 32, 3], 10)?;
    let data = Arrays::new(x.clone(), &[32, 32, 3]).classes(labels, 10);
    let trainer = Trainer::builder(model, data, CrossEntropy::default(), Sgd::default())
        .threads(threads)
        .batch(batch)
        .build()?;
    let session = &trainer.session;
    let pool = Arc::new(Pool::new(threads));
    let program = |second: bool| -> Result<Executor, Box<dyn std::error::Error>> {
        let Blueprint { mut graph, mut wanted, .. } = session.graph(&ProgramKey::train(batch))?;
        if second {
            let params = session.model.param_vars(&graph);
            wanted.gradients = graph.hessian_product(wanted.outputs[0], &params)?;
        }
        Ok(Executor::new(
            Arc::new(Plan::compile(&graph, &wanted, session.options(batch))?),
            Arc::clone(&pool),
        ))
    };
    let mut programs = [program(false)?, program(true)?];
    let (params, buffers) = trainer.weights();
    let tangents = vec![0.01; params.len()];
    let mut ms = [const { Vec::new() }; 2];
    for pair in 0..PAIRS + 3 {
        for (program, ms) in programs.iter_mut().zip(&mut ms) {
            let context = StepContext { params, buffers, tangents: &tangents, draw: Draw::default() };
            let start = Instant::now();
            program.run(context, &[&x[..], &y[..]]);
            if pair >= 3 {
                ms.push(start.elapsed().as_secs_f64() * 1e3);
            }
        }
    }
    let [gradient, product] = ms.map(|mut ms| {
        ms.sort_by(f64::total_cmp);
        ms[PAIRS / 2]
    });
    println!(
        "resnet20, batch {batch}, {threads} threads: gradient {gradient:.1} ms, Hessian-vector product {product:.1} ms, \
         ratio {:.2}",
        product / gradient
    );
    Ok(())
}
