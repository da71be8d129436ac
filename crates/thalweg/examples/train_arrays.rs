//! Trains a small network on arrays in memory: two spirals, told apart by a point's place.

use std::f32::consts::TAU;
use std::ops::ControlFlow;

use thalweg::losses::CrossEntropy;
use thalweg::model::{Model, ModelConfig};
use thalweg::optim::Adam;
use thalweg::schedule::Cosine;
use thalweg::source::Arrays;
use thalweg::train::Trainer;

/// `n` points of two spirals that wind around each other once.
fn spirals(n: usize, turn: f32) -> Arrays {
    let (mut points, mut labels) = (Vec::new(), Vec::new());
    for i in 0..n {
        let (arm, r) = (i % 2, (i as f32 + turn) / n as f32);
        let angle = TAU * r + arm as f32 * TAU / 2.0;
        points.extend([r * angle.cos(), r * angle.sin()]);
        labels.push(arm as u32);
    }
    Arrays::new(points, &[2]).classes(labels, 2)
}

#[allow(clippy::print_stdout)]
pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    let config: ModelConfig = "2-64-64-2".parse()?;
    let model = Model::new(&config, &[2], 2)?;
    let mut trainer = Trainer::builder(model, spirals(512, 0.0), CrossEntropy::default(), Adam::default())
        .valid(spirals(512, 0.5))
        .batch(64)
        .epochs(100)
        .threads(2)
        .schedule(Cosine::default())
        .callback(|event| {
            let accuracy = event.epoch.and_then(|epoch| epoch.metrics.get("valid_accuracy"));
            if accuracy.is_some_and(|a| a == 1.0) {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })
        .build()?;
    let fitted = trainer.fit()?;
    let test = trainer.evaluate(&spirals(512, 0.25))?;
    let accuracy = test.get("test_accuracy").unwrap_or(0.0);
    println!("after {} epochs {:.1} % of new points are right", fitted.epochs.len(), 100.0 * accuracy);
    assert!(accuracy > 0.95);
    Ok(())
}
