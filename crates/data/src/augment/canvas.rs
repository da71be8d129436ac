//! One sample while it is augmented: motions are collected, and pixels are read once somebody asks for them.

use super::colors::Colors;
use super::fill::Fill;
use super::motion::{Motion, Scene, resample, resample_in_place};
use crate::row::Row;

/// An image on its way through the transforms.
#[derive(Debug)]
pub(crate) struct Canvas<'a> {
    /// The sample, until its pixels are in `out`.
    source: Option<Row<'a>>,
    out: &'a mut [f32],
    /// Of the size of `scratch_len`.
    scratch: &'a mut [f32],
    /// Height, width, channels.
    pub shape: [usize; 3],
    /// What was fitted on the training samples.
    pub colors: &'a Colors,
    motion: Option<Motion>,
    fill: Option<Fill>,
}

impl<'a> Canvas<'a> {
    pub fn new(
        source: Row<'a>,
        shape: [usize; 3],
        colors: &'a Colors,
        out: &'a mut [f32],
        scratch: &'a mut [f32],
    ) -> Canvas<'a> {
        Canvas { source: Some(source), out, scratch, shape, colors, motion: None, fill: None }
    }

    /// Moves the image; nothing is resampled before pixels are asked for. Motions with the same fill are one
    /// resampling, so what one moves out of the frame another can bring back.
    pub fn move_by(&mut self, motion: Motion, fill: Fill) {
        if self.fill.is_some_and(|before| before != fill) {
            self.settle();
        }
        self.fill = Some(fill);
        self.motion = Some(self.motion.map_or(motion, |before| before.then(motion)));
    }

    /// Moves the image in a way that shows nothing beyond its frame.
    pub fn mirror(&mut self, motion: Motion) {
        self.motion = Some(self.motion.map_or(motion, |before| before.then(motion)));
    }

    /// The values of the image so far, `[h, w, c]`.
    pub fn pixels(&mut self) -> &mut [f32] {
        self.settle();
        self.out
    }

    /// The values so far, and a place of the same size that holds anything.
    pub fn pixels_and_scratch(&mut self) -> (&mut [f32], &mut [f32]) {
        self.settle();
        let n = self.out.len();
        (self.out, &mut self.scratch[..n])
    }

    /// Brings pixels to where the motions so far put them.
    fn settle(&mut self) {
        let motion = self.motion.take();
        let fill = self.fill.take().unwrap_or_default();
        let (shape, mean) = (self.shape, &self.colors.mean[..]);
        let still = Motion::offset(0.0, 0.0);
        match (self.source.take(), motion) {
            (Some(Row::Bytes(pixels)), motion) => {
                let scene = Scene { pixels, shape, fill, mean };
                resample(scene, motion.unwrap_or(still), self.out, self.scratch);
            }
            (Some(Row::Numbers(pixels)), motion) => {
                let scene = Scene { pixels, shape, fill, mean };
                resample(scene, motion.unwrap_or(still), self.out, self.scratch);
            }
            (None, Some(motion)) => resample_in_place((shape, fill, mean), motion, self.out, self.scratch),
            (None, None) => {}
        }
    }
}
