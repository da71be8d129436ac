//! Transforms ready to be applied: fitted on the training samples, then sample by sample, without allocating.

use std::cell::RefCell;

use kernels::affine::affine_in_place;

use super::canvas::Canvas;
use super::colors::Colors;
use super::mixing::Mix;
use super::motion::scratch_len;
use super::{Augment, Draws, Images, TransformConfig, Unsuitable};
use crate::gather::Repeated;
use crate::{Affine, DataError, Dataset};

/// A list of transforms, and what they know of the training samples.
#[derive(Clone, Debug)]
pub struct Pipeline {
    transforms: Vec<TransformConfig>,
    colors: Colors,
    shape: [usize; 3],
    seed: u64,
    /// Samples that others are mixed with; empty where nothing is mixed.
    partners: Vec<u32>,
}

/// What a mixed sample is made of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mixed {
    /// The other sample.
    pub partner: u32,
    /// Share of the sample's own target; the partner's is the rest.
    pub own: f32,
}

thread_local! {
    /// Two images: what a motion reads, and the partner of a mixed sample. Grows at a thread's first sample.
    static SCRATCH: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

impl Pipeline {
    /// Fits transforms to the training samples `train` of `set`; none for an empty list.
    ///
    /// # Errors
    /// [`DataError::Augment`] for samples that are not images, or that a transform cannot change; what keeps rows of a
    /// file from being read.
    pub fn new(
        augment: &Augment,
        set: &Dataset,
        train: &[u32],
        seed: u64,
    ) -> Result<Option<Pipeline>, DataError> {
        let transforms = augment.0.clone();
        let refuse = |transform: &TransformConfig, problem: String| {
            let (transform, shape) = (transform.entry().name, set.input_shape.clone());
            Err(DataError::Augment { transform, problem, shape })
        };
        let Some(first) = transforms.first() else { return Ok(None) };
        let Some(shape) = set.image_shape().filter(|shape| shape.iter().all(|n| *n > 0)) else {
            return refuse(first, "it changes images, [height, width] or [height, width, channels]".into());
        };
        let axes = transforms.iter().any(|t| t.transform().wants_axes());
        let colors = Colors::fit(set, train, shape[2], axes)?;
        let images = Images { shape, bounded: colors.bounded };
        for transform in &transforms {
            if let Err(problem) = transform.check() {
                return refuse(transform, problem);
            }
            if let Err(Unsuitable(problem)) = transform.transform().suits(&images) {
                return refuse(transform, problem);
            }
        }
        let mixes = |t: &TransformConfig| t.transform().mixes();
        let late = transforms.iter().skip_while(|t| !mixes(t)).find(|t| !mixes(t));
        if let Some(late) = late {
            return refuse(late, "it must stand before those that mix samples".into());
        }
        let partners = if transforms.iter().any(mixes) { train.to_vec() } else { Vec::new() };
        Ok(Some(Pipeline { transforms, colors, shape, seed, partners }))
    }

    /// Whether samples are mixed, so that a loss has two targets.
    pub fn mixes(&self) -> bool {
        !self.partners.is_empty()
    }

    /// The samples that others are mixed with: those that it was fitted on, where anything is mixed.
    pub fn partners(&self) -> &[u32] {
        &self.partners
    }

    /// What a sample is mixed with in an epoch; itself alone where nothing mixes it.
    pub fn mixed(&self, sample: u32, epoch: u64) -> Mixed {
        match self.mix(sample, epoch) {
            Some(mix) => Mixed { partner: self.partners[mix.partner], own: mix.own },
            None => Mixed { partner: sample, own: 1.0 },
        }
    }

    /// Copies the inputs of `indices`, changed as in `epoch` and then mapped by `affine`, to `out`
    /// (`[indices.len(), h, w, c]`).
    ///
    /// A row depends on the seed, the epoch and its index, and on nothing else. Allocates once a thread.
    ///
    /// # Errors
    /// What keeps rows of a file from being read; nothing of those in memory.
    ///
    /// # Panics
    /// If `out` has another length, an index is not below [`Dataset::len`], or the map does not fit the inputs.
    pub fn gather(
        &self,
        set: &Dataset,
        indices: &[u32],
        epoch: u64,
        affine: &Affine,
        out: &mut [f32],
    ) -> Result<(), DataError> {
        let width: usize = self.shape.iter().fold(1, |n: usize, size| n.saturating_mul(*size));
        assert_eq!(out.len(), indices.len() * width, "length of the batch");
        assert!(width.is_multiple_of(affine.scale.len()), "values of the preprocessing");
        let map = Repeated::new(affine);
        let (scale, shift) = map.parts();
        SCRATCH.with_borrow_mut(|scratch| {
            let framed = scratch_len(self.shape);
            if scratch.len() < framed + width {
                scratch.resize(framed + width, 0.0);
            }
            let (scratch, partner) = scratch.split_at_mut(framed);
            let partner = &mut partner[..width];
            for (&sample, out) in indices.iter().zip(out.chunks_exact_mut(width)) {
                self.change(set, sample, epoch, out, scratch)?;
                if let Some(mix) = self.mix(sample, epoch) {
                    self.change(set, self.partners[mix.partner], epoch, partner, scratch)?;
                    mix.apply(out, partner, self.shape);
                }
                if !affine.is_identity() {
                    affine_in_place(out, scale, shift);
                }
            }
            Ok(())
        })
    }

    /// One sample through all transforms but those that mix.
    fn change(
        &self,
        set: &Dataset,
        sample: u32,
        epoch: u64,
        out: &mut [f32],
        scratch: &mut [f32],
    ) -> Result<(), DataError> {
        set.each_row(&[sample], |_, row| {
            let mut canvas = Canvas::new(row, self.shape, &self.colors, out, scratch);
            for (position, transform) in self.transforms.iter().enumerate() {
                transform.transform().apply(Draws::new(self.seed, epoch, position, sample), &mut canvas);
            }
            canvas.pixels();
        })
    }

    /// The first transform that mixes the sample, if any does.
    fn mix(&self, sample: u32, epoch: u64) -> Option<Mix> {
        if !self.mixes() {
            return None;
        }
        let mut transforms = self.transforms.iter().enumerate().filter(|(_, t)| t.transform().mixes());
        transforms.find_map(|(position, transform)| {
            let draws = Draws::new(self.seed, epoch, position, sample);
            transform.transform().mix(draws, self.partners.len(), self.shape)
        })
    }
}
