//! The random numbers of one transform on one sample: each a pure function of (seed, epoch, transform, sample, which).

use kernels::rng::{Purpose, Rng, to_unit};

/// Draws that one sample has in one transform; far more than any takes.
const PER_SAMPLE: u32 = 20;

/// Candidates of a gamma variate before the last is taken; each is good with a probability above 0.95.
const TRIES: u64 = 64;

/// Numbers by their index; no two indices share any, so the order of calls does not matter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Draws {
    rng: Rng,
    first: u64,
}

impl Draws {
    /// The numbers of the transform at `position` of the list for a sample of the data set, in an epoch.
    pub fn new(seed: u64, epoch: u64, position: usize, sample: u32) -> Draws {
        let rng = Rng::new(seed, Purpose::Augment, position as u32, epoch);
        Draws { rng, first: u64::from(sample) << PER_SAMPLE }
    }

    /// Uniform in [0, 1).
    pub fn uniform(self, which: u64) -> f32 {
        to_unit(self.rng.block(self.first + which)[0])
    }

    /// Uniform between −`size` and `size`.
    pub fn around(self, size: f64, which: u64) -> f32 {
        ((f64::from(self.uniform(which)) * 2.0 - 1.0) * size) as f32
    }

    /// True with probability `p`: always for 1, never for 0.
    pub fn happens(self, p: f64, which: u64) -> bool {
        f64::from(self.uniform(which)) < p
    }

    /// A whole number below `n`, which is at least 1.
    pub fn below(self, n: usize, which: u64) -> usize {
        self.rng.below(n as u64, self.first + which) as usize
    }

    /// Standard normal.
    pub fn normal(self, which: u64) -> f32 {
        self.rng.normal(2 * (self.first + which))
    }

    /// Beta(α, α) for α > 0, as G₁ / (G₁ + G₂) of two gamma variates; takes the indices from `which` to `which` + 399.
    ///
    /// The ratio is taken of logarithms, since for small α both variates are smaller than any number.
    pub fn beta(self, alpha: f64, which: u64) -> f32 {
        let (a, b) = (self.log_gamma_variate(alpha, which), self.log_gamma_variate(alpha, which + 200));
        (1.0 / (1.0 + libm::exp(b - a))) as f32
    }

    /// The logarithm of a Gamma(α, 1) variate (Marsaglia and Tsang 2000): of α + 1, then times U^(1/α).
    fn log_gamma_variate(self, alpha: f64, which: u64) -> f64 {
        let d = alpha + 1.0 - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        let boost = libm::log(self.open_uniform(which)) / alpha;
        let mut log = libm::log(d);
        for candidate in 0..TRIES {
            let x = f64::from(self.normal(which + 1 + 2 * candidate));
            let root = 1.0 + c * x;
            let v = root * root * root;
            let u = self.open_uniform(which + 2 + 2 * candidate);
            if v > 0.0 && libm::log(u) < 0.5 * x * x + d - d * v + d * libm::log(v) {
                log = libm::log(d * v);
                break;
            }
        }
        log + boost
    }

    /// Uniform in (0, 1), for logarithms.
    fn open_uniform(self, which: u64) -> f64 {
        (f64::from(self.rng.block(self.first + which)[0]) + 0.5) / 4_294_967_296.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Mean ½ and variance 1 / (4 (2α + 1)), and the distribution function where it is known in closed form:
    /// α = 1 is uniform, α = ½ is the arcsine law 2/π · asin √x.
    #[test]
    fn beta_has_its_moments_and_distribution() {
        for alpha in [0.05, 0.2, 0.5, 1.0, 2.0, 8.0] {
            let n = 20_000;
            let values: Vec<f64> = (0..n).map(|i| Draws::new(3, 1, 0, i).beta(alpha, 5).into()).collect();
            let mean = values.iter().sum::<f64>() / f64::from(n);
            let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / f64::from(n);
            let want = 0.25 / (2.0 * alpha + 1.0);
            // five standard errors of a mean
            assert!((mean - 0.5).abs() < 5.0 * (want / f64::from(n)).sqrt(), "{alpha}: mean {mean}");
            assert!((variance / want - 1.0).abs() < 0.04, "{alpha}: variance {variance}, expected {want}");
            for x in [0.1f64, 0.3, 0.5, 0.8] {
                let below = values.iter().filter(|v| **v < x).count() as f64 / f64::from(n);
                let law = match alpha {
                    1.0 => x,
                    0.5 => x.sqrt().asin() * std::f64::consts::FRAC_2_PI,
                    _ => continue,
                };
                assert!((below - law).abs() < 0.018, "{alpha}: {below} below {x}, expected {law}");
            }
        }
    }

    #[test]
    fn draws_depend_on_all_that_names_them() {
        let one = Draws::new(1, 2, 3, 4);
        let bits = |d: Draws| d.uniform(0).to_bits();
        assert_eq!(bits(one), bits(Draws::new(1, 2, 3, 4)));
        for other in
            [Draws::new(0, 2, 3, 4), Draws::new(1, 0, 3, 4), Draws::new(1, 2, 0, 4), Draws::new(1, 2, 3, 0)]
        {
            assert_ne!(bits(one), bits(other));
        }
        assert_ne!(one.uniform(0), one.uniform(1));
        assert!(!(0..1000).any(|i| one.happens(0.0, i)) && (0..1000).all(|i| one.happens(1.0, i)));
    }
}
