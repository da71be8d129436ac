//! Sizes whose product does not fit into 64 bits must fail the checks in front of `unsafe` code, not wrap into them.

use std::panic::{AssertUnwindSafe, catch_unwind};

use kernels::conv::Conv;
use kernels::fold::fold_middle;
use kernels::gemm::{Epilogue, Mat, Term, gemm};
use kernels::map::{Access, Call, Draw, Fold, Instr, MapProgram, Src};
use kernels::permute::copy_strided;
use kernels::resample::{Taps, resample};
use kernels::window::{Window, pick, spread};

/// Two of them multiply to 2⁶⁴, which wraps to 0.
const HALF: usize = 1 << 32;

#[track_caller]
fn refused(what: &str, call: impl FnOnce()) {
    std::panic::set_hook(Box::new(|_| {}));
    let done = catch_unwind(AssertUnwindSafe(call));
    _ = std::panic::take_hook();
    assert!(done.is_err(), "{what}");
}

#[test]
fn products_that_wrap_are_refused() {
    let (x, mut out) = ([1.0f32; 64], [0.0f32; 64]);
    let out = &mut out;
    refused("fold: x", || fold_middle(Fold::Sum, [HALF, HALF, 1], &x, out));
    refused("fold: out", || fold_middle(Fold::Sum, [HALF, 0, HALF], &x, out));
    refused("copy: out", || copy_strided(HALF, &[HALF, 1], &[0, 0], &x, &mut out[..0]));
    refused("copy: x", || copy_strided(1, &[2, 3], &[usize::MAX - 1, 1], &x, &mut out[..6]));
    let window = Window {
        input: [HALF, HALF],
        output: [1, 1],
        kernel: [usize::MAX, usize::MAX],
        stride: [1, 1],
        padding: [0, 0],
    };
    refused("window: pixels", || pick(&window, 1, &x[..0], &x[..0], &mut out[..1]));
    let steps =
        Window { input: [2, 2], output: [3, 1], kernel: [1, 1], stride: [1 << 63, 1], padding: [0, 0] };
    refused("window: steps", || spread(&steps, 1, &x[..4], &x[..3], &mut out[..4]));
    let a = Mat { data: &x, row_stride: usize::MAX, col_stride: 1 };
    let b = Mat { data: &x, row_stride: 1, col_stride: 1 };
    let part = Term { a, b, k: 1 };
    let mut scratch = [0.0; 1024];
    refused("gemm: a", || gemm(3, 1, out, 1, &[part], false, Epilogue::default(), &mut scratch));
    refused("taps", || drop(Taps::new(4, [(usize::MAX, &[1.0, 1.0][..])])));
    let taps = Taps::new(1 << 20, [(0, &[1.0][..])]);
    refused("resample", || resample(&taps, &taps, 1 << 24, &x, out, &mut scratch));
    let program = MapProgram::new(vec![Instr::Store(0, Src::Imm(1.0))], vec![], vec![Access::Full], 0);
    refused("map", || {
        let call = Call {
            rows: HALF,
            cols: HALF,
            operands: &[],
            outs: &mut [&mut out[..]],
            parts: &mut [],
            seen: 0,
            group_ends: &[],
            draw: Draw::default(),
        };
        program.run(call, &mut vec![0.0; 1 << 20]);
    });
}

#[test]
fn convolutions_whose_sizes_wrap_are_refused() {
    let (x, w, mut y) = ([1.0f32; 64], [1.0f32; 64], [0.0f32; 64]);
    let sound = Conv {
        input: [2, 2, 1],
        output: [2, 2, 1],
        kernel: [1, 1],
        stride: [1, 1],
        padding: [0, 0],
        dilation: [1, 1],
        groups: 1,
    };
    let mut scratch = vec![0.0; sound.scratch_len(1) + 4096];
    let mut run = |conv: Conv, images: usize| {
        refused(&format!("{conv:?}"), || {
            conv.forward(images, &x, &w, &mut y, Epilogue::default(), &mut scratch);
        });
        refused(&format!("{conv:?}"), || {
            conv.input_gradient(images, &x, &w, &mut y, Epilogue::default(), &mut scratch);
        });
        refused(&format!("{conv:?}"), || conv.weight_gradient(images, &x, &w, &mut y, false, &mut scratch));
    };
    run(sound, 1 << 62);
    run(Conv { input: [HALF, HALF, 1], ..sound }, 1);
    run(Conv { output: [HALF, HALF, 1], ..sound }, 1);
    run(Conv { output: [2, 2, HALF], kernel: [1 << 16, 1 << 16], ..sound }, 1);
    run(Conv { padding: [usize::MAX, 0], ..sound }, 1);
    run(Conv { stride: [1 << 63, 1], ..sound }, 1);
    run(Conv { dilation: [1, usize::MAX], kernel: [1, 2], ..sound }, 1);
    assert!(sound.is_bounded());
}
