//! What the names of cases stand for: a network, a batch, an optimizer.

use std::sync::Arc;

use crate::failure::Failure;
use serde_json::{Value, json};
use thalweg::model::{ModelConfig, Preset};
use thalweg::optim::{Adam, Momentum, Optimizer, Sgd};
use thalweg::train::TrainError;

/// A training step of a network, or its forward pass in evaluation mode.
pub(super) struct Case {
    network: Network,
    pub batch: usize,
    /// shape of a sample
    pub sample: Vec<usize>,
    pub classes: usize,
    pub forward: bool,
}

#[derive(Clone, Debug, PartialEq)]
enum Network {
    Mlp {
        sizes: Vec<usize>,
        batch_norm: bool,
    },
    /// a word of a config
    Named(&'static str),
    /// two convolutions of 3 by 3 without padding, as in PyTorch's MNIST example
    Cnn,
}

/// Networks on images: the prefix of a case, the model's word, the side and channels of a sample.
const NAMED: [(&str, &str, usize, usize); 3] =
    [("resnet20", "resnet20", 32, 3), ("2c2d", "2c2d", 28, 1), ("vgg16bn", "vgg16", 32, 3)];
const CNN: &str = "cnn-1-32-64";

impl Case {
    /// `mlp-784-10x500-10-b128-bn`, `resnet20-b128`, `resnet20-forward-b256`.
    pub fn parse(text: &str) -> Option<Self> {
        let case = match text.strip_prefix("mlp-") {
            Some(rest) => Self::parse_mlp(rest)?,
            None => Self::parse_images(text)?,
        };
        (1..=1 << 16).contains(&case.batch).then_some(case)
    }

    fn parse_mlp(text: &str) -> Option<Self> {
        let (mut sizes, mut batch, mut batch_norm) = (Vec::new(), 0, false);
        for word in text.split('-') {
            match (word.strip_prefix('b'), word.split_once('x')) {
                (Some("n"), _) => batch_norm = true,
                (Some(n), _) => batch = n.parse().ok()?,
                (None, Some((n, width))) => {
                    let (n, width) = (n.parse().ok().filter(|n| *n <= 1000)?, width.parse().ok()?);
                    sizes.extend(std::iter::repeat_n::<usize>(width, n));
                }
                (None, None) => sizes.push(word.parse().ok()?),
            }
        }
        let &[first, .., last] = sizes.as_slice() else { return None };
        let network = Network::Mlp { sizes, batch_norm };
        Some(Case { network, batch, sample: vec![first], classes: last, forward: false })
    }

    fn parse_images(text: &str) -> Option<Self> {
        let (name, batch) = text.rsplit_once("-b")?;
        let (name, forward) = name.strip_suffix("-forward").map_or((name, false), |name| (name, true));
        let (network, side, channels) = match NAMED.iter().find(|(prefix, ..)| *prefix == name) {
            Some(&(_, word, side, channels)) => (Network::Named(word), side, channels),
            None if name == CNN => (Network::Cnn, 28, 1),
            None => return None,
        };
        let sample = vec![side, side, channels];
        Some(Case { network, batch: batch.parse().ok()?, sample, classes: 10, forward })
    }

    pub fn model(&self) -> Result<ModelConfig, Failure> {
        match &self.network {
            Network::Mlp { sizes, batch_norm } => {
                let words: Vec<String> = sizes.iter().map(usize::to_string).collect();
                let mut config: ModelConfig = words.join("-").parse().map_err(TrainError::from)?;
                if let ModelConfig::Preset(Preset::Mlp(mlp)) = &mut config {
                    mlp.batch_norm = *batch_norm;
                }
                Ok(config)
            }
            Network::Named(word) => Ok(word.parse().map_err(TrainError::from)?),
            Network::Cnn => serde_json::from_value(cnn()).map_err(|e| {
                Failure::wrong("cli.bench-layer", e.to_string(), "`thalweg list layers` shows all")
            }),
        }
    }

    /// Adam for MLPs, SGD for images: with momentum, and with weight decay for ResNet-20, as the peers.
    pub fn optimizer(&self) -> Arc<dyn Optimizer> {
        let momentum = Momentum { lr: 0.01, momentum: 0.9, ..Momentum::default() };
        match self.network {
            Network::Mlp { .. } => Arc::new(Adam::default()),
            Network::Cnn => Arc::new(Sgd { lr: 0.01, ..Sgd::default() }),
            Network::Named("resnet20") => Arc::new(Momentum { weight_decay: Some(1e-4), ..momentum }),
            Network::Named(_) => Arc::new(momentum),
        }
    }
}

/// Two convolutions of 3 by 3 without padding, a pool, two linear layers.
fn cnn() -> Value {
    json!({ "layers": [
        { "type": "conv", "channels": 32, "kernel": 3 }, "relu",
        { "type": "conv", "channels": 64, "kernel": 3 }, "relu",
        { "type": "max_pool", "kernel": 2 }, "flatten",
        { "type": "linear", "units": 128 }, "relu",
        { "type": "linear", "units": "outputs" },
    ] })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_cases() {
        let case = Case::parse("mlp-784-2x500-10-b128-bn").unwrap();
        let sizes = vec![784, 500, 500, 10];
        assert_eq!(case.network, Network::Mlp { sizes, batch_norm: true });
        assert_eq!((case.batch, case.sample, case.classes), (128, vec![784], 10));
        let case = Case::parse("resnet20-forward-b256").unwrap();
        assert_eq!((case.network, case.forward), (Network::Named("resnet20"), true));
        assert_eq!((case.batch, case.sample), (256, vec![32, 32, 3]));
        let case = Case::parse("cnn-1-32-64-b128").unwrap();
        assert_eq!((case.network, case.forward, case.sample), (Network::Cnn, false, vec![28, 28, 1]));
        for wrong in ["mlp-784-b64", "resnet20", "resnet20-b0", "resnet20-b", "vgg-b64", "mlp-b1"] {
            assert!(Case::parse(wrong).is_none(), "{wrong}");
        }
    }
}
