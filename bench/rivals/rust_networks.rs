//! The networks of the cases as lists of layers, which every Rust peer walks through.

use super::common::Case;

/// One layer; the peer keeps its parameters in the order of the list.
#[derive(Clone, Copy, Debug)]
pub enum Layer {
    Conv {
        n_in: usize,
        n_out: usize,
        kernel: usize,
        stride: usize,
        padding: usize,
        bias: bool,
    },
    Linear {
        n_in: usize,
        n_out: usize,
    },
    Norm(usize),
    Relu,
    MaxPool,
    Flatten,
    /// Mean over the image.
    GlobalPool,
    /// Keeps the value for the next `Add`.
    Keep,
    /// Adds the kept value, thinned by `stride` and with `extra` channels of zeros (He et al.'s option A).
    Add {
        stride: usize,
        extra: usize,
    },
}

/// The shape of a sample, channels first.
pub fn sample_of(case: &Case) -> Vec<usize> {
    match case.network.as_str() {
        "mlp" => vec![case.widths[0]],
        "resnet20" | "vgg16bn" => vec![3, 32, 32],
        _ => vec![1, 28, 28],
    }
}

/// Number of classes.
pub fn classes_of(case: &Case) -> usize {
    case.widths.last().copied().unwrap_or(10)
}

/// The layers of a case's network, the same as in `pytorch/networks.py`.
pub fn layers_of(case: &Case) -> Vec<Layer> {
    use Layer::*;
    let n_classes = classes_of(case);
    match case.network.as_str() {
        "mlp" => mlp(case),
        "2c2d" => vec![
            biased(1, 32, 5, 2),
            Relu,
            MaxPool,
            biased(32, 64, 5, 2),
            Relu,
            MaxPool,
            Flatten,
            Linear { n_in: 7 * 7 * 64, n_out: 1024 },
            Relu,
            Linear { n_in: 1024, n_out: n_classes },
        ],
        "cnn-1-32-64" => vec![
            biased(1, 32, 3, 0),
            Relu,
            biased(32, 64, 3, 0),
            Relu,
            MaxPool,
            Flatten,
            Linear { n_in: 12 * 12 * 64, n_out: 128 },
            Relu,
            Linear { n_in: 128, n_out: n_classes },
        ],
        "vgg16bn" => vgg16(n_classes),
        "resnet20" => resnet20(n_classes),
        other => panic!("unknown network {other}"),
    }
}

fn biased(n_in: usize, n_out: usize, kernel: usize, padding: usize) -> Layer {
    Layer::Conv { n_in, n_out, kernel, stride: 1, padding, bias: true }
}

/// 3x3, padding 1, no bias, then batch norm.
fn normed(n_in: usize, n_out: usize, stride: usize) -> [Layer; 2] {
    [Layer::Conv { n_in, n_out, kernel: 3, stride, padding: 1, bias: false }, Layer::Norm(n_out)]
}

fn mlp(case: &Case) -> Vec<Layer> {
    let mut layers = Vec::new();
    for (i, w) in case.widths.windows(2).enumerate() {
        layers.push(Layer::Linear { n_in: w[0], n_out: w[1] });
        if i + 2 < case.widths.len() {
            layers.extend(case.batch_norm.then_some(Layer::Norm(w[1])));
            layers.push(Layer::Relu);
        }
    }
    layers
}

fn vgg16(n_classes: usize) -> Vec<Layer> {
    let (mut layers, mut n_in) = (Vec::new(), 3);
    for (n_out, times) in [(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)] {
        for _ in 0..times {
            layers.extend(normed(n_in, n_out, 1));
            layers.push(Layer::Relu);
            n_in = n_out;
        }
        layers.push(Layer::MaxPool);
    }
    layers.extend([Layer::Flatten, Layer::Linear { n_in, n_out: n_classes }]);
    layers
}

fn resnet20(n_classes: usize) -> Vec<Layer> {
    let mut layers = normed(3, 16, 1).to_vec();
    layers.push(Layer::Relu);
    let mut n_in = 16;
    for n_out in [16, 32, 64] {
        for _ in 0..3 {
            let stride = n_out / n_in;
            layers.push(Layer::Keep);
            layers.extend(normed(n_in, n_out, stride));
            layers.push(Layer::Relu);
            layers.extend(normed(n_out, n_out, 1));
            layers.extend([Layer::Add { stride, extra: n_out - n_in }, Layer::Relu]);
            n_in = n_out;
        }
    }
    layers.extend([Layer::GlobalPool, Layer::Linear { n_in, n_out: n_classes }]);
    layers
}
