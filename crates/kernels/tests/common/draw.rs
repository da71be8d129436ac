//! Numbers from a seed.

use kernels::philox::philox4x32;

/// A row of numbers that its seed and salt say.
pub struct Draw {
    key: [u32; 2],
    at: u32,
}

impl Draw {
    pub fn salted(seed: u32, salt: u32) -> Draw {
        Draw { key: [seed, salt], at: 0 }
    }

    pub fn word(&mut self) -> u32 {
        self.at += 1;
        philox4x32(self.key, [self.at, 0, 0, 0])[0]
    }

    pub fn below(&mut self, n: usize) -> usize {
        self.word() as usize % n
    }

    pub fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    pub fn floats(&mut self, n: usize) -> Vec<f32> {
        (0..n).map(|_| (self.word() >> 8) as f32 / 8_388_608.0 - 1.0).collect()
    }
}
