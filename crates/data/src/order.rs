//! The order of the samples in an epoch.

use kernels::rng::{Purpose, Rng};

/// Positions `0..n` in the order of an epoch: a pure function of its arguments.
///
/// With `shuffle` off the order is that of the split (which is that of the source).
pub fn order(n: usize, seed: u64, epoch: u64, shuffle: bool) -> Vec<u32> {
    let mut order: Vec<u32> = (0..n as u32).collect();
    if shuffle {
        Rng::new(seed, Purpose::Shuffle, 0, epoch).shuffle(&mut order, 0);
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_comes_once_and_each_epoch_has_its_order() {
        let mut first = order(1000, 5, 0, true);
        assert_eq!(first, order(1000, 5, 0, true));
        assert_ne!(first, order(1000, 5, 1, true));
        assert_ne!(first, order(1000, 6, 0, true));
        first.sort_unstable();
        assert_eq!(first, order(1000, 5, 0, false));
        assert_eq!(order(0, 1, 1, true), Vec::<u32>::new());
        assert_eq!(order(1, 1, 1, true), vec![0]);
    }
}
