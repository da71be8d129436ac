//! Counter-based random numbers: every draw is a pure function of (seed, purpose, sub, step, index).

use crate::philox::philox4x32;

/// What a draw is for; two purposes never share numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Purpose {
    /// Initial values of parameters; `sub` is the parameter's index.
    Init = 1,
    /// Order of the samples; `step` is the epoch.
    Shuffle = 2,
    /// Dropout masks; `sub` is the layer, `step` the training step.
    Dropout = crate::map::MASK_PURPOSE,
    /// Splitting data into training, validation and test parts.
    Split = 4,
    /// Synthetic data sets.
    Synthetic = 5,
    /// Noise added while training.
    Noise = 6,
    /// Augmentation; `step` is the epoch.
    Augment = 7,
    /// Random directions, probes and other measurements.
    Probe = 8,
}

/// A stream of numbers, addressed by index; cheap to copy, holds no state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rng {
    key: [u32; 2],
    high: [u32; 2],
}

impl Rng {
    /// The stream for a purpose. `sub` tells users of one purpose apart (below 2²⁴), `step` is a step or an epoch.
    pub fn new(seed: u64, purpose: Purpose, sub: u32, step: u64) -> Self {
        let key = [seed as u32, (seed >> 32) as u32];
        Rng { key, high: [step as u32, (purpose as u32) << 24 | (sub & 0x00FF_FFFF)] }
    }

    /// Four words of block `index`.
    pub fn block(self, index: u64) -> [u32; 4] {
        philox4x32(self.key, [index as u32, (index >> 32) as u32, self.high[0], self.high[1]])
    }

    /// The word at `index`.
    pub fn word(self, index: u64) -> u32 {
        self.block(index / 4)[(index % 4) as usize]
    }

    /// Uniform in [0, 1), 24 bits.
    pub fn uniform(self, index: u64) -> f32 {
        to_unit(self.word(index))
    }

    /// Standard normal by Box and Muller (1958), computed in f64: the same bits on every machine.
    pub fn normal(self, index: u64) -> f32 {
        let b = self.block(index / 2);
        let pair = if index.is_multiple_of(2) { [b[0], b[1]] } else { [b[2], b[3]] };
        let u = (f64::from(pair[0]) + 1.0) / 4_294_967_296.0;
        let angle = std::f64::consts::TAU * f64::from(pair[1]) / 4_294_967_296.0;
        ((-2.0 * libm::log(u)).sqrt() * libm::cos(angle)) as f32
    }

    /// Uniform integer below `n` (n ≥ 1), from 64 bits, so that the bias is below n / 2⁶⁴.
    pub fn below(self, n: u64, index: u64) -> u64 {
        let b = self.block(index);
        let word = u64::from(b[0]) | u64::from(b[1]) << 32;
        ((u128::from(word) * u128::from(n)) >> 64) as u64
    }

    /// Brings items into a random order (Fisher and Yates) by the draws from index `first` on.
    pub fn shuffle<T>(self, items: &mut [T], first: u64) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i as u64 + 1, first + i as u64) as usize);
        }
    }
}

/// The upper 24 bits of a word as a number in [0, 1).
pub fn to_unit(word: u32) -> f32 {
    (word >> 8) as f32 * (1.0 / 16_777_216.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normals_have_unit_moments() {
        let rng = Rng::new(1, Purpose::Init, 0, 0);
        let n = 100_000;
        let (mut sum, mut square, mut fourth) = (0.0f64, 0.0f64, 0.0f64);
        for i in 0..n {
            let x = f64::from(rng.normal(i));
            sum += x;
            square += x * x;
            fourth += x.powi(4);
        }
        let n = n as f64;
        assert!((sum / n).abs() < 0.01 && (square / n - 1.0).abs() < 0.02 && (fourth / n - 3.0).abs() < 0.1);
    }

    /// Recorded. The platform's logarithm and cosine differ in last bits from one machine to the next; a change of
    /// these numbers changes every run that starts from drawn weights.
    #[test]
    fn normals_are_the_same_bits_on_every_machine() {
        let rng = Rng::new(7, Purpose::Init, 3, 0);
        let digest = (0..100_000).fold(0u64, |sum, i| {
            sum.wrapping_mul(0x0000_0100_0000_01B3).wrapping_add(u64::from(rng.normal(i).to_bits()))
        });
        assert_eq!(digest, 0xdee3_9aab_e4f8_3917, "{digest:#x}");
    }

    /// Masks are drawn in the kernels, all else here: the two must agree on whose numbers are whose.
    #[test]
    fn masks_draw_under_a_purpose_of_their_own() {
        use Purpose::*;
        let (seed, id, step, n) = (9, 4, 11, 64usize);
        let masks: Vec<u32> = (0..n).map(|c| crate::map::mask_word(seed, id, step, 0, c, n)).collect();
        let words = |purpose| {
            let rng = Rng::new(seed, purpose, id, step);
            (0..n).map(|c| rng.block(c as u64 % 16)[c / 16]).collect::<Vec<u32>>()
        };
        assert_eq!(masks, words(Dropout));
        let all = [Init, Shuffle, Dropout, Split, Synthetic, Noise, Augment, Probe];
        for (i, a) in all.into_iter().enumerate() {
            assert!(all[i + 1..].iter().all(|b| a as u32 != *b as u32 && words(a) != words(*b)), "{a:?}");
        }
    }

    #[test]
    fn a_random_order_holds_every_index_once_and_depends_on_the_epoch() {
        let order = |epoch| {
            let mut order: Vec<usize> = (0..1000).collect();
            Rng::new(7, Purpose::Shuffle, 0, epoch).shuffle(&mut order, 0);
            order
        };
        let mut sorted = order(3);
        sorted.sort_unstable();
        assert!(sorted.iter().copied().eq(0..1000));
        assert_ne!(order(3), order(4));
        assert_eq!(order(3), order(3));
    }

    #[test]
    fn below_is_even() {
        let rng = Rng::new(3, Purpose::Split, 0, 0);
        let mut counts = [0; 7];
        (0..70_000).for_each(|i| counts[rng.below(7, i) as usize] += 1);
        assert!(counts.iter().all(|c| (9_600..10_400).contains(c)), "{counts:?}");
    }
}
