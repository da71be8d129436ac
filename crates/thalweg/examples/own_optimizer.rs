//! An optimizer of one's own: steps of equal length in the direction of the averaged gradient's signs.

use thalweg::losses::CrossEntropy;
use thalweg::model::{Model, ModelConfig};
use thalweg::optim::{DecayRule, Optimizer, Piece, StepInfo};
use thalweg::source::Arrays;
use thalweg::train::Trainer;

/// m ← μ·m + (1 − μ)·g; θ ← θ − lr·sign(m) (signum: Bernstein et al., signSGD, 2018, arxiv.org/abs/1802.04434).
#[derive(Debug)]
struct Signum {
    lr: f64,
    momentum: f32,
}

impl Optimizer for Signum {
    fn name(&self) -> &'static str {
        "signum"
    }

    fn slots(&self) -> &'static [&'static str] {
        &["momentum"]
    }

    fn lr(&self) -> f64 {
        self.lr
    }

    fn decay_on(&self) -> &DecayRule {
        &DecayRule::All // which has no effect, as nothing decays
    }

    fn update(&self, info: &StepInfo, piece: Piece<'_, '_>) {
        let averages = piece.slots[0].iter_mut();
        for ((theta, g), m) in piece.param.iter_mut().zip(piece.grad).zip(averages) {
            *m = self.momentum * *m + (1.0 - self.momentum) * g * info.grad_scale;
            *theta -= info.lr * m.signum();
        }
    }
}

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    // which of four quarters of the plane a point is in
    let points: Vec<f32> = (0..800).map(|i| ((i * 37) % 101) as f32 / 50.0 - 1.01).collect();
    let quarter = |p: &[f32]| u32::from(p[0] > 0.0) + 2 * u32::from(p[1] > 0.0);
    let labels: Vec<u32> = points.chunks(2).map(quarter).collect();
    let data = Arrays::new(points, &[2]).classes(labels, 4);
    let config: ModelConfig = "2-32-4".parse()?;
    let optimizer = Signum { lr: 0.002, momentum: 0.9 };
    let mut trainer =
        Trainer::builder(Model::new(&config, &[2], 4)?, data, CrossEntropy::default(), optimizer)
            .epochs(60)
            .build()?;
    let accuracy = trainer.fit()?.last("train_accuracy").unwrap_or(0.0);
    println!("{:.1} % are right", 100.0 * accuracy);
    assert!(accuracy > 0.95);
    Ok(())
}
