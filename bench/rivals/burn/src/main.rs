//! Whole training steps in burn, on its `flex` processor backend with AVX-512 matrix products.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::loss::{CrossEntropyLoss, CrossEntropyLossConfig};
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig, PaddingConfig2d};
use burn::optim::decay::WeightDecayConfig;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{AdamConfig, GradientsParams, ModuleOptimizer, SgdConfig};
use burn::tensor::activation::relu;
use burn::tensor::module::adaptive_avg_pool2d;
use burn::tensor::{Device, Int, Tensor, TensorData, s};

#[path = "../../rust_common.rs"]
mod common;
#[path = "../../rust_networks.rs"]
mod networks;
use common::{Case, arguments, emit, time_blocks, uniform};
use networks::{Layer, classes_of, layers_of, sample_of};

const N_BATCHES: usize = 8;

fn main() {
    let args = arguments();
    // SAFETY: the only thread so far; rayon reads this when its pool starts.
    unsafe { std::env::set_var("RAYON_NUM_THREADS", args.threads.to_string()) };
    for case in &args.cases {
        let blocks = match case.forward {
            true => time_blocks(args.seconds, make_evaluation(case)),
            false => time_blocks(args.seconds, make_step(case)),
        };
        emit("burn", "flex-x86-v4", &case.name, "0.22.0", &blocks);
    }
}

/// The layers that have parameters, each kind in the order of the network.
#[derive(Module, Debug)]
struct Network {
    convs: Vec<Conv2d>,
    linears: Vec<Linear>,
    norms: Vec<BatchNorm>,
    pool: MaxPool2d,
}

impl Network {
    fn new(layers: &[Layer], device: &Device) -> Self {
        let pool = MaxPool2dConfig::new([2, 2]).init();
        let mut network = Network { convs: vec![], linears: vec![], norms: vec![], pool };
        for layer in layers {
            match *layer {
                Layer::Conv { n_in, n_out, kernel: k, stride, padding: p, bias } => {
                    let config = Conv2dConfig::new([n_in, n_out], [k, k]).with_stride([stride, stride]);
                    let config = config.with_padding(PaddingConfig2d::Explicit(p, p, p, p)).with_bias(bias);
                    network.convs.push(config.init(device));
                }
                Layer::Linear { n_in, n_out } => {
                    network.linears.push(LinearConfig::new(n_in, n_out).init(device));
                }
                Layer::Norm(n) => network.norms.push(BatchNormConfig::new(n).init(device)),
                _ => {}
            }
        }
        network
    }

    /// Logits; networks on images begin with `images`, MLPs with `rows`.
    fn forward(&self, layers: &[Layer], input: &Input) -> Tensor<2> {
        let (mut convs, mut linears) = (self.convs.iter(), self.linears.iter());
        let mut norms = self.norms.iter();
        let (mut image, mut row) = match input.clone() {
            Input::Images(x) => (Some(x), None),
            Input::Rows(x) => (None, Some(x)),
        };
        let mut kept = None;
        for layer in layers {
            if let Some(x) = image.take() {
                image = Some(match *layer {
                    Layer::Conv { .. } => convs.next().expect("a convolution").forward(x),
                    Layer::Norm(_) => norms.next().expect("a norm").forward(x),
                    Layer::Relu => relu(x),
                    Layer::MaxPool => self.pool.forward(x),
                    Layer::Keep => {
                        kept = Some(x.clone());
                        x
                    }
                    Layer::Add { stride, extra } => x + shortcut(kept.take().expect("kept"), stride, extra),
                    Layer::Flatten => {
                        row = Some(x.flatten(1, 3));
                        continue;
                    }
                    Layer::GlobalPool => {
                        row = Some(adaptive_avg_pool2d(x, [1, 1]).flatten(1, 3));
                        continue;
                    }
                    Layer::Linear { .. } => unreachable!("flattened before"),
                });
            } else if let Some(x) = row.take() {
                row = Some(match layer {
                    Layer::Linear { .. } => linears.next().expect("a linear layer").forward(x),
                    Layer::Norm(_) => norms.next().expect("a norm").forward(x),
                    Layer::Relu => relu(x),
                    other => unreachable!("{other:?} of rows"),
                });
            }
        }
        row.expect("logits")
    }
}

fn shortcut(x: Tensor<4>, stride: usize, extra: usize) -> Tensor<4> {
    if extra == 0 {
        return x;
    }
    assert_eq!(stride, 2, "the only stride of these networks");
    let x = x.slice(s![.., .., 0..;2, 0..;2]);
    let [n, _, h, w] = x.dims();
    let zeros = Tensor::zeros([n, extra / 2, h, w], &x.device());
    Tensor::cat(vec![zeros.clone(), x, zeros], 1)
}

#[derive(Clone)]
enum Input {
    Rows(Tensor<2>),
    Images(Tensor<4>),
}

fn batches(case: &Case, device: &Device) -> Vec<(Input, Tensor<1, Int>)> {
    let sample = sample_of(case);
    let (size, n_classes) = (case.batch * sample.iter().product::<usize>(), classes_of(case));
    let one = |i: usize| {
        let values = uniform(size, 7 + i as u64);
        let input = match sample[..] {
            [c, h, w] => {
                Input::Images(Tensor::from_data(TensorData::new(values, [case.batch, c, h, w]), device))
            }
            _ => Input::Rows(Tensor::from_data(TensorData::new(values, [case.batch, sample[0]]), device)),
        };
        let labels: Vec<i32> = (0..case.batch).map(|j| ((i + 3 * j) % n_classes) as i32).collect();
        (input, Tensor::from_data(TensorData::new(labels, [case.batch]), device))
    };
    (0..N_BATCHES).map(one).collect()
}

/// Adam for MLPs, SGD for images: with momentum, and with weight decay for ResNet-20.
fn optimizer(case: &Case) -> (ModuleOptimizer, f64) {
    let momentum = MomentumConfig::new().with_momentum(0.9).with_dampening(0.0);
    let sgd = SgdConfig::new();
    match case.network.as_str() {
        "mlp" => (AdamConfig::new().with_epsilon(1e-8).init(), 1e-3),
        "cnn-1-32-64" => (sgd.init(), 0.01),
        "resnet20" => {
            let decay = WeightDecayConfig::new(1e-4);
            (sgd.with_momentum(Some(momentum)).with_weight_decay(Some(decay)).init(), 0.01)
        }
        _ => (sgd.with_momentum(Some(momentum)).init(), 0.01),
    }
}

fn make_step(case: &Case) -> impl FnMut() + use<> {
    let device = Device::flex().autodiff();
    let layers = layers_of(case);
    let mut model = Some(Network::new(&layers, &device));
    let (mut opt, lr) = optimizer(case);
    let cross_entropy: CrossEntropyLoss = CrossEntropyLossConfig::new().init(&device);
    let batches = batches(case, &device);
    let mut at = 0;
    move || {
        let (x, y) = &batches[at % N_BATCHES];
        at += 1;
        let before = model.take().expect("put back at the end of each step");
        let loss = cross_entropy.forward(before.forward(&layers, x), y.clone());
        let grads = GradientsParams::from_grads(loss.backward(), &before);
        model = Some(opt.step(lr, before, grads));
    }
}

fn make_evaluation(case: &Case) -> impl FnMut() + use<> {
    let device = Device::flex();
    let layers = layers_of(case);
    let model = Network::new(&layers, &device);
    let batches = batches(case, &device);
    let mut at = 0;
    move || {
        let logits = model.forward(&layers, &batches[at % N_BATCHES].0);
        at += 1;
        std::hint::black_box(logits.into_data());
    }
}
