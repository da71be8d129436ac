//! Whole training steps in candle, with candle-nn's AdamW (no weight decay, so that it is Adam).

use candle_core::{DType, Device, Module, ModuleT, Result, Tensor, Var};
use candle_nn::{AdamW, BatchNorm, Linear, Optimizer, ParamsAdamW, VarBuilder, VarMap};

#[path = "../../rust_common.rs"]
mod common;
use common::{Case, arguments, emit, time_blocks, uniform};

const N_BATCHES: usize = 8;

fn main() -> Result<()> {
    let args = arguments();
    // SAFETY: the only thread so far; rayon reads this when its pool starts.
    unsafe { std::env::set_var("RAYON_NUM_THREADS", args.threads.to_string()) };
    for case in &args.cases {
        let mut step = make_step(case)?;
        let blocks = time_blocks(args.seconds, || step().expect("a training step"));
        emit("candle", "gemm-x86-v4", &case.name, "0.11.1", &blocks);
    }
    Ok(())
}

/// Linear layers with, between them, an optional batch norm and a ReLU.
struct Mlp {
    linears: Vec<Linear>,
    norms: Vec<BatchNorm>,
}

impl Mlp {
    fn new(case: &Case, vb: VarBuilder) -> Result<Self> {
        let pairs: Vec<_> = case.widths.windows(2).map(|w| (w[0], w[1])).collect();
        let mut mlp = Mlp { linears: Vec::new(), norms: Vec::new() };
        for (i, &(n_in, n_out)) in pairs.iter().enumerate() {
            mlp.linears.push(candle_nn::linear(n_in, n_out, vb.pp(format!("fc{i}")))?);
            if case.batch_norm && i + 1 < pairs.len() {
                mlp.norms.push(candle_nn::batch_norm(n_out, 1e-5, vb.pp(format!("bn{i}")))?);
            }
        }
        Ok(mlp)
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let (last, hidden) = self.linears.split_last().expect("at least one layer");
        let mut x = x.clone();
        for (i, fc) in hidden.iter().enumerate() {
            x = fc.forward(&x)?;
            if let Some(norm) = self.norms.get(i) {
                x = norm.forward_t(&x, true)?;
            }
            x = x.relu()?;
        }
        last.forward(&x)
    }
}

fn make_step(case: &Case) -> Result<impl FnMut() -> Result<()>> {
    let varmap = VarMap::new();
    let model = Mlp::new(case, VarBuilder::from_varmap(&varmap, DType::F32, &Device::Cpu))?;
    let vars: Vec<Var> = varmap.all_vars();
    let mut opt = AdamW::new(vars, ParamsAdamW { lr: 1e-3, weight_decay: 0.0, ..Default::default() })?;
    let (n_in, n_out) = (case.widths[0], case.widths[case.widths.len() - 1]);
    let mut batches = Vec::new();
    for i in 0..N_BATCHES {
        let x = Tensor::from_vec(uniform(case.batch * n_in, 7 + i as u64), (case.batch, n_in), &Device::Cpu)?;
        let labels: Vec<u32> = (0..case.batch).map(|j| ((i + 3 * j) % n_out) as u32).collect();
        batches.push((x, Tensor::from_vec(labels, case.batch, &Device::Cpu)?));
    }
    let mut at = 0;
    Ok(move || {
        let (x, y) = &batches[at % N_BATCHES];
        at += 1;
        let loss = candle_nn::loss::cross_entropy(&model.forward(x)?, y)?;
        opt.backward_step(&loss)
    })
}
