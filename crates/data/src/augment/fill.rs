//! What stands where a moved image has nothing to show.

use settings::words;

words! {
    /// What is beyond the frame of an image.
    #[derive(Default)]
    pub enum Fill {
        /// Zeros: black, before any preprocessing.
        #[default]
        Zero = "zero",
        /// The mean of each channel over the training samples.
        Mean = "mean",
        /// The nearest pixel of the frame.
        Edge = "edge",
        /// The image mirrored at its outermost pixels, which are not repeated (NumPy's and PyTorch's `reflect`).
        Reflect = "reflect",
    }
}

impl Fill {
    /// The place along an axis of `n` pixels that shows at `i`, or nothing where there is a constant.
    #[inline(always)]
    pub(super) fn place(self, i: isize, n: usize) -> Option<usize> {
        let n = n as isize;
        if (0..n).contains(&i) {
            return Some(i as usize);
        }
        match self {
            Fill::Zero | Fill::Mean => None,
            Fill::Edge => Some(i.clamp(0, n - 1) as usize),
            Fill::Reflect if n == 1 => Some(0),
            Fill::Reflect => {
                let period = 2 * (n - 1);
                let at = i.rem_euclid(period);
                Some(at.min(period - at) as usize)
            }
        }
    }

    /// The constant of each channel, given their means.
    #[inline(always)]
    pub(super) fn constant(self, mean: f32) -> f32 {
        if self == Fill::Mean { mean } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::Fill;

    /// `np.pad([0, 1, 2, 3], 5, mode)`, and the same for one pixel.
    #[test]
    fn places_are_those_of_numpy() {
        let places = |fill: Fill, n| (-5..n as isize + 5).map(|i| fill.place(i, n)).collect::<Vec<_>>();
        let some = |v: &[usize]| v.iter().map(|i| Some(*i)).collect::<Vec<_>>();
        assert_eq!(places(Fill::Edge, 4), some(&[0, 0, 0, 0, 0, 0, 1, 2, 3, 3, 3, 3, 3, 3]));
        assert_eq!(places(Fill::Reflect, 4), some(&[1, 2, 3, 2, 1, 0, 1, 2, 3, 2, 1, 0, 1, 2]));
        assert_eq!(places(Fill::Reflect, 1), vec![Some(0); 11]);
        assert_eq!(places(Fill::Zero, 1).iter().flatten().count(), 1);
    }
}
