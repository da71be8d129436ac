//! Whole training steps in candle: Adam (AdamW without weight decay) for MLPs, SGD for images.

use candle_core::{DType, Device, Module, ModuleT, Result, Tensor, Var};
use candle_nn::{
    AdamW, BatchNorm, Conv2d, Conv2dConfig, Linear, Optimizer, ParamsAdamW, SGD, VarBuilder, VarMap,
};

#[path = "../../rust_common.rs"]
mod common;
#[path = "../../rust_networks.rs"]
mod networks;
use common::{Case, arguments, emit, time_blocks, uniform};
use networks::{Layer, classes_of, layers_of, sample_of};

const N_BATCHES: usize = 8;

fn main() -> Result<()> {
    let args = arguments();
    // SAFETY: the only thread so far; rayon reads this when its pool starts.
    unsafe { std::env::set_var("RAYON_NUM_THREADS", args.threads.to_string()) };
    for case in &args.cases {
        let mut step = make_step(case)?;
        let blocks = time_blocks(args.seconds, || step().expect("a step"));
        emit("candle", "gemm-x86-v4", &case.name, "0.11.1", &blocks);
    }
    Ok(())
}

enum Part {
    Conv(Conv2d),
    Linear(Linear),
    Norm(Box<BatchNorm>),
    Other(Layer),
}

/// The layers of a network with their parameters.
struct Network(Vec<Part>);

impl Network {
    fn new(layers: &[Layer], vb: VarBuilder) -> Result<Self> {
        let part = |(i, layer): (usize, &Layer)| {
            let vb = vb.pp(i);
            Ok(match *layer {
                Layer::Conv { n_in, n_out, kernel, stride, padding, bias } => {
                    let config = Conv2dConfig { padding, stride, ..Default::default() };
                    let make = if bias { candle_nn::conv2d } else { candle_nn::conv2d_no_bias };
                    Part::Conv(make(n_in, n_out, kernel, config, vb)?)
                }
                Layer::Linear { n_in, n_out } => Part::Linear(candle_nn::linear(n_in, n_out, vb)?),
                Layer::Norm(n) => Part::Norm(Box::new(candle_nn::batch_norm(n, 1e-5, vb)?)),
                other => Part::Other(other),
            })
        };
        layers.iter().enumerate().map(part).collect::<Result<_>>().map(Network)
    }

    fn forward(&self, x: &Tensor, train: bool) -> Result<Tensor> {
        let (mut x, mut kept) = (x.clone(), x.clone());
        for part in &self.0 {
            x = match part {
                Part::Conv(conv) => conv.forward(&x)?,
                Part::Linear(linear) => linear.forward(&x)?,
                Part::Norm(norm) => norm.forward_t(&x, train)?,
                Part::Other(Layer::Relu) => x.relu()?,
                Part::Other(Layer::MaxPool) => x.max_pool2d(2)?,
                Part::Other(Layer::Flatten) => x.flatten_from(1)?,
                Part::Other(Layer::GlobalPool) => x.mean((2, 3))?,
                Part::Other(Layer::Keep) => {
                    kept = x.clone();
                    x
                }
                Part::Other(Layer::Add { stride, extra }) => (x + shortcut(&kept, *stride, *extra)?)?,
                Part::Other(other) => unreachable!("{other:?} has parameters"),
            };
        }
        Ok(x)
    }
}

fn shortcut(x: &Tensor, stride: usize, extra: usize) -> Result<Tensor> {
    if extra == 0 {
        return Ok(x.clone());
    }
    let (n, c, h, w) = x.dims4()?;
    let (h, w) = (h / stride, w / stride);
    let x = x.reshape(&[n, c, h, stride, w, stride])?.narrow(3, 0, 1)?.narrow(5, 0, 1)?;
    x.reshape((n, c, h, w))?.pad_with_zeros(1, extra / 2, extra / 2)
}

enum Update {
    Adam(AdamW),
    Sgd(SGD),
}

fn optimizer(case: &Case, vars: Vec<Var>) -> Result<Update> {
    Ok(match case.network.as_str() {
        "mlp" => {
            Update::Adam(AdamW::new(vars, ParamsAdamW { lr: 1e-3, weight_decay: 0.0, ..Default::default() })?)
        }
        _ => Update::Sgd(SGD::new(vars, 0.01)?), // candle has neither momentum nor weight decay for it
    })
}

fn make_step(case: &Case) -> Result<impl FnMut() -> Result<()>> {
    let varmap = VarMap::new();
    let model = Network::new(&layers_of(case), VarBuilder::from_varmap(&varmap, DType::F32, &Device::Cpu))?;
    let mut update = optimizer(case, varmap.all_vars())?;
    let batches = batches(case)?;
    let forward = case.forward;
    let mut at = 0;
    Ok(move || {
        let (x, y) = &batches[at % N_BATCHES];
        at += 1;
        if forward {
            std::hint::black_box(model.forward(x, false)?);
            return Ok(());
        }
        let loss = candle_nn::loss::cross_entropy(&model.forward(x, true)?, y)?;
        match &mut update {
            Update::Adam(opt) => opt.backward_step(&loss),
            Update::Sgd(opt) => opt.backward_step(&loss),
        }
    })
}

fn batches(case: &Case) -> Result<Vec<(Tensor, Tensor)>> {
    let (mut shape, n_classes) = (sample_of(case), classes_of(case));
    shape.insert(0, case.batch);
    let one = |i: usize| {
        let x = Tensor::from_vec(uniform(shape.iter().product(), 7 + i as u64), &shape[..], &Device::Cpu)?;
        let labels: Vec<u32> = (0..case.batch).map(|j| ((i + 3 * j) % n_classes) as u32).collect();
        Ok((x, Tensor::from_vec(labels, case.batch, &Device::Cpu)?))
    };
    (0..N_BATCHES).map(one).collect()
}
