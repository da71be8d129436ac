//! Whole training steps in burn, on its `flex` processor backend with AVX-512 matrix products.

use burn::module::Module;
use burn::nn::loss::{CrossEntropyLoss, CrossEntropyLossConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig};
use burn::optim::{AdamConfig, GradientsParams};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Int, Tensor, TensorData};

#[path = "../../rust_common.rs"]
mod common;
use common::{Case, arguments, emit, time_blocks, uniform};

const N_BATCHES: usize = 8;

fn main() {
    let args = arguments();
    // SAFETY: the only thread so far; rayon reads this when its pool starts.
    unsafe { std::env::set_var("RAYON_NUM_THREADS", args.threads.to_string()) };
    for case in &args.cases {
        let blocks = time_blocks(args.seconds, make_step(case));
        emit("burn", "flex-x86-v4", &case.name, "0.22.0", &blocks);
    }
}

/// Linear layers with, between them, an optional batch norm and a ReLU.
#[derive(Module, Debug)]
struct Mlp {
    linears: Vec<Linear>,
    norms: Vec<BatchNorm>,
}

impl Mlp {
    fn new(case: &Case, device: &Device) -> Self {
        let hidden = &case.widths[1..case.widths.len() - 1];
        let norms = if case.batch_norm { hidden } else { &[] };
        Mlp {
            linears: case.widths.windows(2).map(|w| LinearConfig::new(w[0], w[1]).init(device)).collect(),
            norms: norms.iter().map(|&n| BatchNormConfig::new(n).init(device)).collect(),
        }
    }

    fn forward(&self, mut x: Tensor<2>) -> Tensor<2> {
        let (last, hidden) = self.linears.split_last().expect("at least one layer");
        for (i, fc) in hidden.iter().enumerate() {
            x = fc.forward(x);
            if let Some(norm) = self.norms.get(i) {
                x = norm.forward(x);
            }
            x = relu(x);
        }
        last.forward(x)
    }
}

fn make_step(case: &Case) -> impl FnMut() + use<> {
    let device = Device::flex().autodiff();
    let mut model = Some(Mlp::new(case, &device));
    let mut opt = AdamConfig::new().with_epsilon(1e-8).init();
    let cross_entropy: CrossEntropyLoss = CrossEntropyLossConfig::new().init(&device);
    let (n_in, n_out) = (case.widths[0], case.widths[case.widths.len() - 1]);
    let mut batches: Vec<(Tensor<2>, Tensor<1, Int>)> = Vec::new();
    for i in 0..N_BATCHES {
        let x = TensorData::new(uniform(case.batch * n_in, 7 + i as u64), [case.batch, n_in]);
        let labels: Vec<i32> = (0..case.batch).map(|j| ((i + 3 * j) % n_out) as i32).collect();
        let y = TensorData::new(labels, [case.batch]);
        batches.push((Tensor::from_data(x, &device), Tensor::from_data(y, &device)));
    }
    let mut at = 0;
    move || {
        let (x, y) = batches[at % N_BATCHES].clone();
        at += 1;
        let before = model.take().expect("put back at the end of each step");
        let loss = cross_entropy.forward(before.forward(x), y);
        let grads = GradientsParams::from_grads(loss.backward(), &before);
        model = Some(opt.step(1e-3, before, grads));
    }
}
