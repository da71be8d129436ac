//! An optimizer of one's own: steps of equal length in the direction of the averaged gradient's signs.

use std::sync::Arc;

use thalweg::losses::CrossEntropy;
use thalweg::model::{Model, ModelConfig};
use thalweg::optim::{Block, ElementStage, Optimizer, Stage, StateSpec, StepInfo};
use thalweg::source::Arrays;
use thalweg::train::Trainer;

/// m ← μ·m + (1 − μ)·g; θ ← θ − lr·sign(m) (signum: Bernstein et al., signSGD, 2018, arxiv.org/abs/1802.04434).
#[derive(Debug)]
struct Signum {
    lr: f64,
    momentum: f32,
}

impl Optimizer for Signum {
    fn lr(&self) -> f64 {
        self.lr
    }

    fn stages(&self, _decay: f64) -> Vec<Stage> {
        vec![Stage::Element(Arc::new(SignOfAverage(self.momentum))), Stage::Step]
    }
}

/// Turns the update, which is the gradient at first, into the signs of its average.
#[derive(Debug)]
struct SignOfAverage(f32);

impl ElementStage for SignOfAverage {
    fn states(&self, shape: &[usize]) -> Vec<StateSpec> {
        vec![StateSpec::like("average", shape)]
    }

    fn apply(&self, _info: &StepInfo, block: &mut Block<'_, '_>) {
        let (_, update, [average]) = block.split();
        for (u, m) in update.iter_mut().zip(average) {
            *m = self.0 * *m + (1.0 - self.0) * *u;
            *u = m.signum();
        }
    }
}

#[allow(clippy::print_stdout)]
pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    // which of four quarters of the plane a point is in
    let points: Vec<f32> = (0..800).map(|i| ((i * 37) % 101) as f32 / 50.0 - 1.01).collect();
    let quarter = |p: &[f32]| u32::from(p[0] > 0.0) + 2 * u32::from(p[1] > 0.0);
    let labels: Vec<u32> = points.chunks(2).map(quarter).collect();
    let data = Arrays::new(points, &[2]).classes(labels, 4);
    let model = Model::new(&"2-32-4".parse::<ModelConfig>()?, &[2], 4)?;
    let signum = Signum { lr: 0.002, momentum: 0.9 };
    let mut trainer = Trainer::builder(model, data, CrossEntropy::default(), signum).epochs(60).build()?;
    let accuracy = trainer.fit()?.last("train_accuracy").unwrap_or(0.0);
    println!("{:.1} % are right", 100.0 * accuracy);
    assert!(accuracy > 0.95);
    Ok(())
}
