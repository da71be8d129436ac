//! Sizes that no memory holds, and settings whose sums and products do not fit into 64 bits, are errors of the builder.

use engine::graph::{Built, Graph, Var};
use engine::ops::conv::{ConvOptions, ConvTransposeOptions, Padding};
use engine::ops::pooling::PoolOptions;
use engine::ops::resize::Resize;
use engine::shape::MAX_ELEMENTS;
use engine::{Fault, Plan, PlanOptions, Wanted};

/// The fault of building with an image `[2, 4, 4, 1]`.
#[track_caller]
fn fault(build: impl FnOnce(&mut Graph, Var) -> Built) -> Fault {
    let mut g = Graph::new();
    let x = g.input("x", [2, 4, 4, 1]).unwrap();
    let error = g.scope("layer", |g| build(g, x)).expect_err("too large");
    assert_eq!(error.layer, "layer");
    error.fault
}

#[track_caller]
fn is_too_large(build: impl FnOnce(&mut Graph, Var) -> Built) {
    let fault = fault(build);
    assert!(matches!(fault, Fault::TooLarge { .. }), "{fault}");
}

#[track_caller]
fn is_refused(build: impl FnOnce(&mut Graph, Var) -> Built) {
    let fault = fault(build);
    assert!(!fault.to_string().is_empty());
}

const HUGE: [usize; 3] = [(1 << 31) + 1, 1 << 40, usize::MAX];

#[test]
fn tensors_beyond_the_limit_are_refused_where_they_arise() {
    let all = MAX_ELEMENTS;
    is_too_large(|g, _| g.input("y", [all, 2]));
    is_too_large(|g, _| g.input("y", [0, all, 2]));
    is_too_large(|g, _| g.param("w", [1 << 33, 1 << 33]));
    is_too_large(|g, _| g.constant(1.0, [1 << 33, 1 << 33]));
    is_too_large(|g, _| g.buffer("b", [usize::MAX]).map(|(v, _)| v));
    is_too_large(|g, _| {
        g.param("a", [all / 2])?;
        g.param("b", [all / 2])?;
        g.param("c", [1])
    });
    is_too_large(|g, x| {
        let w = g.param("w", [1, 1, 1, all / 2])?;
        g.conv2d(x, w, &ConvOptions { padding: Padding::both(1, 1), ..ConvOptions::default() })
    });
    is_too_large(|g, x| {
        let y = g.param("y", [1, 1 << 13, 1 << 13, 1 << 10])?;
        g.add(x, y).or_else(|_| g.pad(y, 0, 0, 1 << 10))
    });
    is_too_large(|g, x| g.one_hot(x, all));
}

#[test]
fn settings_that_would_wrap_are_refused() {
    for n in HUGE {
        is_refused(|g, x| g.pad(x, 1, n, n));
        is_refused(|g, x| g.slice(x, 1, n, n));
        is_refused(|g, x| g.reshape(x, [n, n]));
        is_refused(|g, x| g.resize(x, [n, 2], Resize::Bilinear));
        is_refused(|g, x| g.adaptive_avg_pool2d(x, [n, 2]));
        let pool = PoolOptions { kernel: [n, 2], stride: [1, 1], padding: [n / 2, 0], ceil: true };
        is_refused(|g, x| g.avg_pool2d(x, &pool, true));
        is_refused(|g, x| g.max_pool2d(x, &PoolOptions { kernel: [n, n], ..pool }));
        let conv = |options: ConvOptions| {
            is_refused(move |g, x| {
                let w = g.param("w", [2, 2, 1, 1])?;
                g.conv2d(x, w, &options)
            });
        };
        conv(ConvOptions { padding: Padding::both(n, n), ..ConvOptions::default() });
        conv(ConvOptions { dilation: [n, n], ..ConvOptions::default() });
        conv(ConvOptions { dilation: [n, n], padding: Padding::both(n, n), ..ConvOptions::default() });
        conv(ConvOptions { groups: n, ..ConvOptions::default() });
        let transposed = |options: ConvTransposeOptions| {
            is_refused(move |g, x| {
                let w = g.param("w", [2, 2, 1, 1])?;
                g.conv2d_transpose(x, w, &options)
            });
        };
        transposed(ConvTransposeOptions { stride: [n, n], ..ConvTransposeOptions::default() });
        transposed(ConvTransposeOptions { dilation: [n, n], ..ConvTransposeOptions::default() });
        transposed(ConvTransposeOptions { padding: [n, n], ..ConvTransposeOptions::default() });
        transposed(ConvTransposeOptions { groups: n, ..ConvTransposeOptions::default() });
    }
}

#[test]
fn the_largest_tensors_are_planned_without_a_wrap() {
    let mut g = Graph::new();
    let x = g.input("x", [64, 1 << 10, 1 << 10, 16]).unwrap();
    let w = g.param("w", [1, 1, 16, 1 << 10]).unwrap();
    let y = g.conv2d(x, w, &ConvOptions::default()).unwrap();
    let loss = g.mean(y).unwrap();
    let gradients = g.gradients(loss, &[w]).unwrap();
    let wanted = Wanted { outputs: vec![y, loss], gradients, assigns: false };
    let plan = Plan::compile(&g, &wanted, PlanOptions::new(64, 64, 64)).unwrap();
    assert!(plan.arena_len >= 1 << 30);
    assert!(plan.total_cost().flops >= 2 * (64 << 20) * (16 << 10));
    assert!(engine::Executor::bytes_for(&plan) >= 4 * plan.arena_len * 64);
}

#[test]
fn transposed_windows_give_the_weights_of_each_pixel() {
    // average pooling over long axes: its gradient is the transposed map, made in one pass over the weights
    let mut g = Graph::new();
    let x = g.input("x", [1, 1, 1 << 20, 1]).unwrap();
    let pool = PoolOptions { kernel: [1, 3], stride: [1, 2], padding: [0, 1], ceil: false };
    let y = g.avg_pool2d(x, &pool, true).unwrap();
    let loss = g.mean(y).unwrap();
    let started = std::time::Instant::now();
    g.gradients(loss, &[x]).unwrap();
    assert!(started.elapsed().as_secs() < 10);
}
