//! Second derivatives: Hessian-vector products, made by differentiating g·v again, against the f64 reference and
//! against finite differences of the gradient.

#![allow(clippy::print_stdout, reason = "the distances found, for those who ask with --nocapture")]

use std::sync::Arc;

use engine::graph::{Built, Graph, Var};
use engine::ops::Op;
use engine::ops::losses::CrossEntropy;
use engine::ops::pooling::PoolOptions;
use engine::ops::resize::Resize;
use engine::reference::{Feed as Values, evaluate};
use engine::rng::{Purpose, Rng};
use engine::{Draw, Executor, Plan, PlanOptions, Pool, StepContext, Wanted};

/// A block between two linear layers.
type Block = fn(&mut Graph, Var) -> Built<Var>;

fn with_norm(g: &mut Graph, x: Var, f: impl Fn(&mut Graph, [Var; 3]) -> Built<Var>) -> Built<Var> {
    let channels = g.shape(x)[1];
    let (gamma, beta) = (g.param("gamma", [channels])?, g.param("beta", [channels])?);
    let y = f(g, [x, gamma, beta])?;
    g.tanh(y)
}

/// Windows that leave an image of one column as high as it is.
const WINDOWS: PoolOptions = PoolOptions { kernel: [3, 1], stride: [1, 1], padding: [1, 0], ceil: false };

/// Features as the pixels of a column.
fn as_image(g: &mut Graph, x: Var, f: impl Fn(&mut Graph, Var) -> Built<Var>) -> Built<Var> {
    let shape = g.shape(x).clone();
    let image = g.reshape(x, [shape[0], shape[1], 1, 1])?;
    let y = f(g, image)?;
    g.reshape(y, shape)
}

const BLOCKS: &[(&str, Block)] = &[
    ("tanh", Graph::tanh),
    ("relu", Graph::relu),
    ("gelu", Graph::gelu),
    ("softplus", Graph::softplus),
    ("batch norm", |g, x| with_norm(g, x, |g, [x, gamma, beta]| Ok(g.batch_norm(x, gamma, beta, 1e-5)?.y))),
    ("layer norm", |g, x| with_norm(g, x, |g, [x, gamma, beta]| g.layer_norm(x, gamma, beta, 1e-5))),
    ("max pool", |g, x| {
        as_image(g, x, |g, x| {
            let x = g.tanh(x)?;
            g.max_pool2d(x, &WINDOWS)
        })
    }),
    ("average pool", |g, x| {
        as_image(g, x, |g, x| {
            let x = g.tanh(x)?;
            g.avg_pool2d(x, &WINDOWS, false)
        })
    }),
    ("bilinear", |g, x| {
        as_image(g, x, |g, x| {
            let [_, n, ..] = g.shape(x)[..] else { unreachable!("an image") };
            let x = g.tanh(x)?;
            let y = g.resize(x, [2 * n + 1, 1], Resize::Bilinear)?;
            g.adaptive_avg_pool2d(y, [n, 1])
        })
    }),
    ("group norm", |g, x| {
        let x = g.tanh(x)?;
        let y = as_image(g, x, |g, x| g.group_norm(x, 1, 1e-1))?;
        g.add(x, y)
    }),
    ("dropout", |g, x| {
        let y = g.tanh(x)?;
        g.dropout(y, 0.3)
    }),
];

const SIZES: &[(usize, &[usize])] =
    &[(13, &[5, 7, 6, 4]), (64, &[20, 32, 32, 5]), (5, &[3, 17, 3]), (33, &[1, 1, 2])];

/// A network with its loss, gradient and Hessian-vector product; the vector is the flat tangents.
struct Net {
    g: Graph,
    batch: usize,
    loss: Var,
    gradient: Vec<Var>,
    product: Vec<Var>,
}

fn build(block: Block, batch: usize, widths: &[usize]) -> Built<Net> {
    let mut g = Graph::new();
    let mut x = g.input("x", [batch, widths[0]])?;
    let labels = g.input("labels", [batch])?;
    for (i, pair) in widths.windows(2).enumerate() {
        x = g.scope(format!("fc{i}"), |g| {
            let (weight, bias) = (g.param("weight", [pair[1], pair[0]])?, g.param("bias", [pair[1]])?);
            let y = g.linear(x, weight, Some(bias))?;
            if i + 2 < widths.len() { block(g, y) } else { Ok(y) }
        })?;
    }
    let options = CrossEntropy { smoothing: 0.1, weights: None };
    let loss = g.cross_entropy(x, labels, options)?.mean;
    let params: Vec<Var> = g.vars().filter(|v| matches!(g.node(*v).op, Op::Param(_))).collect();
    let gradient = g.gradients(loss, &params)?;
    let product = g.hessian_product(loss, &params)?;
    Ok(Net { g, batch, loss, gradient, product })
}

/// Values that f32 holds exactly, so that both sides compute from the same.
fn draw_values(net: &Net, classes: usize, salt: u64) -> Values {
    let rng = Rng::new(salt, Purpose::Probe, 0, 0);
    let numbers = |n: usize, from: u64, reach: f64| -> Vec<f64> {
        (0..n as u64)
            .map(|i| f64::from(((f64::from(rng.uniform(from << 32 | i)) * 2.0 - 1.0) * reach) as f32))
            .collect()
    };
    let labels = (0..net.batch as u64).map(|i| rng.below(classes as u64, 9 << 32 | i) as f64).collect();
    Values {
        inputs: vec![numbers(net.g.inputs[0].shape.numel(), 1, 2.0), labels],
        params: numbers(net.g.params.len(), 2, 0.7),
        buffers: Vec::new(),
        tangents: numbers(net.g.params.len(), 3, 1.0),
        draw: Draw { seed: 3, step: 5, first_row: 0 },
    }
}

fn flat(g: &Graph, values: &Values, wanted: &[Var]) -> Vec<f64> {
    evaluate(g, values, wanted).into_iter().flat_map(|t| t.data).collect()
}

/// (∇L(θ + hv) − ∇L(θ − hv)) / 2h.
fn by_differences(net: &Net, values: &Values) -> Vec<f64> {
    let h = 1e-6;
    let at = |sign: f64| {
        let params = values.params.iter().zip(&values.tangents).map(|(p, v)| p + sign * h * v).collect();
        flat(&net.g, &Values { params, ..values.clone() }, &net.gradient)
    };
    at(1.0).iter().zip(at(-1.0)).map(|(a, b)| (a - b) / (2.0 * h)).collect()
}

/// Loss, and the product as the plan completes it.
fn by_plan(net: &Net, values: &Values, workers: usize, fuse: bool) -> (f32, Vec<f32>) {
    let wanted = Wanted { outputs: vec![net.loss], gradients: net.product.clone(), assigns: false };
    let options = PlanOptions { fuse, ..PlanOptions::new(net.batch, 3, workers) };
    let plan = Plan::compile(&net.g, &wanted, options).unwrap();
    let mut executor = Executor::new(Arc::new(plan), Arc::new(Pool::new(workers)));
    let f32s = |values: &[f64]| values.iter().map(|x| *x as f32).collect::<Vec<f32>>();
    let (params, tangents) = (f32s(&values.params), f32s(&values.tangents));
    let (x, labels) = (f32s(&values.inputs[0]), f32s(&values.inputs[1]));
    let context = StepContext { params: &params, buffers: &[], tangents: &tangents, draw: values.draw };
    executor.run(context, &[&x[..], &labels[..]]);
    let mut product = vec![f32::NAN; params.len()];
    executor.gradients(&mut product);
    (executor.scalar(0), product)
}

/// ‖a − b‖ / ‖b‖; NaN where either holds one.
fn apart(a: impl IntoIterator<Item = f64>, b: &[f64]) -> f64 {
    let off: f64 = a.into_iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum();
    (off / b.iter().map(|b| b * b).sum::<f64>()).sqrt()
}

fn check(name: &str, block: Block, batch: usize, widths: &[usize]) {
    let net = build(block, batch, widths).unwrap();
    let values = draw_values(&net, widths[widths.len() - 1], batch as u64);
    let exact = flat(&net.g, &values, &net.product);
    let differences = apart(by_differences(&net, &values), &exact);
    let (loss, one) = by_plan(&net, &values, 1, true);
    let fast = apart(one.iter().map(|x| f64::from(*x)), &exact);
    let (_, unfused) = by_plan(&net, &values, 2, false);
    let plain = apart(unfused.iter().map(|x| f64::from(*x)), &exact);
    println!("{name} {widths:?}: differences {differences:.1e}, fused {fast:.1e}, unfused {plain:.1e}");
    assert!(differences <= 1e-6, "{name} {widths:?}: differences are off by {differences:e}");
    assert!(fast <= 1e-5, "{name} {widths:?}: the fast path is off by {fast:e}");
    assert!(plain <= 1e-5, "{name} {widths:?}: the unfused path is off by {plain:e}");
    let (again, two) = by_plan(&net, &values, 2, true);
    let bits = |v: &[f32]| v.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    assert_eq!((loss.to_bits(), bits(&one)), (again.to_bits(), bits(&two)), "{name}: 1 and 2 workers differ");
}

#[test]
fn hessian_vector_products() {
    for (name, block) in BLOCKS {
        for (batch, widths) in SIZES {
            check(name, *block, *batch, widths);
        }
    }
}

/// uᵀHv = vᵀHu.
#[test]
fn the_hessian_is_symmetric() {
    for (name, block) in BLOCKS {
        let net = build(*block, 13, &[5, 7, 6, 4]).unwrap();
        let values = draw_values(&net, 4, 1);
        let u = draw_values(&net, 4, 2).tangents;
        let v = values.tangents.clone();
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let h_v = flat(&net.g, &values, &net.product);
        let h_u = flat(&net.g, &Values { tangents: u.clone(), ..values }, &net.product);
        let (one, other) = (dot(&u, &h_v), dot(&v, &h_u));
        assert!(
            (one - other).abs() <= 1e-12 * dot(&h_v, &h_v).sqrt() * dot(&u, &u).sqrt(),
            "{name}: {one} {other}"
        );
    }
}
