//! One forward and one backward pass through the untrained network, and the statistics of every layer.

use std::sync::Arc;

use engine::rng::{Purpose, Rng};
use engine::{Draw, Executor, Graph, Plan, PlanOptions, Pool, StepContext, Wanted};

use super::{Setting, Sizes};
use crate::layers::{LayerConfig, Linear};
use crate::model::{Mode, Model};
use crate::train::TrainError;

/// Bins of a histogram.
pub(super) const BINS: usize = 30;
/// Its axis.
pub(super) const LOW: f64 = -1.0;
pub(super) const HIGH: f64 = 1.0;
/// A value of tanh beyond this counts as saturated: the slope there is less than a tenth.
pub(super) const SATURATED: f64 = 0.95;

/// What is measured of many numbers.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Stats {
    pub mean: f64,
    /// standard deviation of all of them (n below the sum)
    pub std: f64,
    /// share of values in each bin; those outside of the axis are in none
    pub bins: Vec<f64>,
    /// share beyond [`SATURATED`] on either side
    pub saturated: f64,
    /// share that is exactly 0
    pub zero: f64,
}

/// What is measured of a network: an entry for each layer, the first one first.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Layers {
    /// results of the activations
    pub outputs: Vec<Stats>,
    /// gradients of those
    pub gradients: Vec<Stats>,
    /// gradients of the weights, summed over the samples
    pub weights: Vec<Stats>,
}

/// What goes into every network of a seed: the input, and the gradient that comes in at the last layer's result.
pub(super) struct Probes {
    seed: u64,
    sizes: Sizes,
    input: Vec<f32>,
    above: Vec<f32>,
}

impl Probes {
    pub fn new(seed: u64, sizes: Sizes) -> Self {
        let normal = |sub: u32| {
            let rng = Rng::new(seed, Purpose::Probe, sub, 0);
            (0..(sizes.samples * sizes.width) as u64).map(|i| rng.normal(i)).collect()
        };
        Probes { seed, sizes, input: normal(0), above: normal(1) }
    }
}

/// Measures the network of a seed. The same seed gives the same input, and the same draws before they are scaled, to
/// every setting.
pub(super) fn layers(setting: &Setting, probes: &Probes, threads: usize) -> Result<Layers, TrainError> {
    let Probes { seed, sizes, input, above } = probes;
    let Sizes { depth, width, samples } = *sizes;
    let linear = Linear { bias: false, init: setting.init.clone(), ..Linear::new(width) };
    let pair = || [LayerConfig::from(linear.clone()), setting.activation.clone().into_layer()];
    let list: Vec<LayerConfig> = (0..depth).flat_map(|_| pair()).collect();
    let model = Model::from_fn(&[width], move |b, x| b.sequence(&list, x))?;

    let mut g = Graph::new();
    let x = model.input(&mut g, samples)?;
    let v = g.input("v", [samples, width])?;
    let (last, traced) = model.trace(&mut g, x, Mode::Eval)?;
    let results: Vec<_> =
        traced.iter().filter(|layer| layer.depth == 0).skip(1).step_by(2).map(|l| l.output).collect();
    let product = g.mul(last, v)?;
    let total = g.sum(product)?;
    // the gradient of the last result is v itself, which needs no computing
    let params = model.param_vars(&g);
    let wrt: Vec<_> = results[..depth - 1].iter().chain(&params).copied().collect();
    let mut gradients = g.gradients(total, &wrt)?;
    let of_params = gradients.split_off(depth - 1);
    let outputs: Vec<_> = results.into_iter().chain(gradients).collect();

    let pool = Arc::new(Pool::new(threads.clamp(1, SHARDS)));
    let options = PlanOptions::new(samples, SHARDS, pool.n_workers());
    let wanted = Wanted { outputs, gradients: of_params, assigns: false };
    let mut executor = Executor::new(Arc::new(Plan::compile(&g, &wanted, options)?), pool);

    let (weights, buffers) = model.init(*seed);
    let context = StepContext { params: &weights, buffers: &buffers, tangents: &[], draw: Draw::default() };
    executor.run(context, &[input.as_slice(), above.as_slice()]);
    let mut values = vec![0.0; samples * width];
    let mut read = |index: usize| {
        executor.output(index, &mut values);
        stats(&values)
    };
    let outputs = (0..depth).map(&mut read).collect();
    let mut gradients: Vec<Stats> = (depth..2 * depth - 1).map(&mut read).collect();
    gradients.push(stats(above));
    let mut flat = vec![0.0; model.params().len()];
    executor.gradients(&mut flat);
    let weights = model.params().slots.iter().map(|slot| stats(&flat[slot.range()])).collect();
    Ok(Layers { outputs, gradients, weights })
}

/// Parts of the batch; they define how sums over it are added, and threads do not.
const SHARDS: usize = 8;

fn stats(values: &[f32]) -> Stats {
    let n = values.len() as f64;
    let mean = values.iter().map(|v| f64::from(*v)).sum::<f64>() / n;
    let squares: f64 = values.iter().map(|v| f64::from(*v) - mean).map(|d| d * d).sum();
    let mut bins = vec![0.0; BINS];
    let (mut saturated, mut zero) = (0u64, 0u64);
    for v in values.iter().map(|v| f64::from(*v)) {
        if (LOW..=HIGH).contains(&v) {
            let at = (v - LOW) / (HIGH - LOW) * BINS as f64;
            bins[(at as usize).min(BINS - 1)] += 1.0 / n;
        }
        saturated += u64::from(v.abs() > SATURATED);
        zero += u64::from(v == 0.0);
    }
    Stats { mean, std: (squares / n).sqrt(), bins, saturated: saturated as f64 / n, zero: zero as f64 / n }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_are_those_of_the_numbers() {
        let s = stats(&[-1.0, 1.0, 0.0, 0.5, 3.0]);
        assert!((s.mean - 0.7).abs() < 1e-12);
        assert_eq!((s.bins[0], s.bins[29], s.bins[15], s.bins[22]), (0.2, 0.2, 0.2, 0.2));
        assert!((s.saturated - 0.6).abs() < 1e-12 && (s.zero - 0.2).abs() < 1e-12);
        let squares = [1.7f64, 0.3, 0.7, 0.2, 2.3].map(|d| d * d).iter().sum::<f64>();
        assert!((s.std - (squares / 5.0).sqrt()).abs() < 1e-12);
    }
}
