//! Random choices, a pure function of a seed and of how many were made before.

use engine::rng::{Purpose, Rng};

#[derive(Clone)]
pub struct Dice {
    rng: Rng,
    next: u64,
}

impl Dice {
    pub fn new(seed: u64, stream: u32) -> Self {
        Dice { rng: Rng::new(seed, Purpose::Probe, stream, 0), next: 0 }
    }

    pub fn below(&mut self, n: usize) -> usize {
        self.next += 1;
        self.rng.below(n.max(1) as u64, self.next) as usize
    }

    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    /// A number that f32 holds exactly.
    pub fn uniform(&mut self, low: f64, high: f64) -> f64 {
        self.next += 1;
        let unit = self.rng.below(1 << 53, self.next) as f64 / (1u64 << 53) as f64;
        f64::from((low + (high - low) * unit) as f32)
    }
}
