//! Statistics of batch norms over a whole part of the data, in place of running averages.
//!
//! Running averages lag behind the weights, and belong to no weights at all where those were averaged or moved by hand.

use std::ops::Range;

use engine::Draw;

use super::error::TrainError;
use super::program::{Output, Probe, ProgramKey};
use super::session::Session;
use crate::model::Norms;
use crate::source::{Pass, Source};

/// How the statistics of a norm behind other norms are defined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Estimate {
    /// One pass, in which every norm normalizes by its batch, as in training; what each norm was given in all batches
    /// makes its statistics. Those of a norm behind another one depend, a little, on the size of batches.
    ///
    /// Source: Wu and Johnson, Rethinking "Batch" in BatchNorm, 2021, arxiv.org/abs/2105.07576 ("PreciseBN"); there the
    /// batches' variances are averaged, here the variance is that of all samples together.
    Batches,
    /// One pass for each norm, in order, in which those before it normalize by the statistics that they already have:
    /// exactly what the norm is given in evaluation. Does not depend on batches.
    Layers,
}

/// A norm and the places of its statistics among the buffers.
struct Norm {
    probe: Probe,
    mean: Range<usize>,
    variance: Range<usize>,
}

/// Moments of some values of every channel, joined as by Chan, Golub and LeVeque (1983).
#[derive(Clone, Debug)]
struct Moments {
    n: f64,
    mean: Vec<f64>,
    /// Σ (x − mean)²
    squares: Vec<f64>,
}

impl Moments {
    fn new(channels: usize) -> Self {
        Moments { n: 0.0, mean: vec![0.0; channels], squares: vec![0.0; channels] }
    }

    /// Takes in `n` values of every channel by their means and biased variances.
    fn join(&mut self, n: usize, moments: &[f32]) {
        let (n, before) = (n as f64, self.n);
        let all = before + n;
        let (means, variances) = moments.split_at(self.mean.len());
        for (i, (m, v)) in means.iter().zip(variances).enumerate() {
            let apart = f64::from(*m) - self.mean[i];
            self.mean[i] += apart * n / all;
            self.squares[i] += f64::from(*v) * n + apart * apart * before * n / all;
        }
        self.n = all;
    }
}

impl Session {
    /// Replaces the running averages of every norm that has `running_mean` and `running_var` by statistics over
    /// `samples`, joined in f64; the variance is unbiased, as that of training is.
    ///
    /// `weights` are flat parameters and flat buffers. Batches have `batch` samples or a few fewer, and nearly the same
    /// number each.
    ///
    /// # Errors
    /// Whatever keeps the source from giving the samples, or a layer from running on such batches.
    pub fn reestimate_norms(
        &mut self,
        (params, buffers): (&[f32], &mut [f32]),
        samples: (&dyn Source, &[u32], Pass),
        batch: usize,
        how: Estimate,
    ) -> Result<(), TrainError> {
        let norms = self.norms();
        let groups: Vec<&[Norm]> = match how {
            _ if norms.is_empty() || samples.1.is_empty() => return Ok(()),
            Estimate::Batches => vec![&norms],
            Estimate::Layers => norms.chunks(1).collect(),
        };
        for group in groups {
            let mode = if how == Estimate::Batches { Norms::Batch } else { Norms::Running };
            let found = self.moments_of(group, (params, buffers), samples, batch, mode)?;
            for (norm, moments) in group.iter().zip(found) {
                let unbiased = moments.n / (moments.n - 1.0).max(1.0);
                let write = |out: &mut [f32], values: &[f64], factor: f64| {
                    out.iter_mut().zip(values).for_each(|(o, x)| *o = (x * factor) as f32);
                };
                write(&mut buffers[norm.mean.clone()], &moments.mean, 1.0);
                write(&mut buffers[norm.variance.clone()], &moments.squares, unbiased / moments.n);
            }
        }
        Ok(())
    }

    /// Norms with running averages, in the order of the network.
    fn norms(&self) -> Vec<Norm> {
        let buffers = self.model.buffers();
        let norm = |slot: &engine::Slot| {
            let layer = slot.name.strip_suffix(".running_mean")?;
            let variance = buffers.find(&format!("{layer}.running_var"))?.range();
            Some(Norm { probe: Probe::moments(layer), mean: slot.range(), variance })
        };
        buffers.slots.iter().filter_map(norm).collect()
    }

    fn moments_of(
        &mut self,
        norms: &[Norm],
        weights: (&[f32], &[f32]),
        (source, samples, pass): (&dyn Source, &[u32], Pass),
        batch: usize,
        mode: Norms,
    ) -> Result<Vec<Moments>, TrainError> {
        let mut all: Vec<Moments> = norms.iter().map(|norm| Moments::new(norm.mean.len())).collect();
        let probes: Vec<Probe> = norms.iter().map(|norm| norm.probe.clone()).collect();
        let n_batches = samples.len().div_ceil(batch.max(1));
        for i in 0..n_batches {
            let cut = |i: usize| samples.len() * i / n_batches;
            let chunk = &samples[cut(i)..cut(i + 1)];
            let key = ProgramKey { norms: mode, ..ProgramKey::answer(chunk.len()) };
            let key = key.with_probes(probes.clone());
            let program = self.run(&key, weights, Draw::default(), (source, chunk, pass))?;
            for (probe, moments) in probes.iter().zip(&mut all) {
                let n = program.per_channel(probe).unwrap_or(0);
                if let Some(values) = program.output(&Output::Probe(probe.clone())) {
                    moments.join(n, values);
                }
            }
        }
        Ok(all)
    }
}
