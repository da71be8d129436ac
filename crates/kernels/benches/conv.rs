//! Prints the rate of convolutions at the shapes of networks, in GFLOP/s on one thread:
//! `cargo bench -p thalweg-kernels --bench conv [NAME [IMAGES]]`.

use kernels::conv::{Conv, Direction};
use kernels::gemm::Epilogue;
use std::time::Instant;

const N_TIMINGS: usize = 7;

fn square(side: usize, channels: [usize; 2], kernel: usize, stride: usize, padding: usize) -> Conv {
    let out = (side + 2 * padding - kernel) / stride + 1;
    Conv {
        input: [side, side, channels[0]],
        output: [out, out, channels[1]],
        kernel: [kernel; 2],
        stride: [stride; 2],
        padding: [padding; 2],
        dilation: [1; 2],
        groups: 1,
    }
}

fn depthwise(side: usize, channels: usize, kernel: usize) -> Conv {
    Conv { groups: channels, ..square(side, [channels; 2], kernel, 1, kernel / 2) }
}

/// (name, geometry, images in a call)
fn shapes() -> Vec<(&'static str, Conv, usize)> {
    vec![
        ("resnet 3->16 @32", square(32, [3, 16], 3, 1, 1), 8),
        ("resnet 16->16 @32", square(32, [16, 16], 3, 1, 1), 8),
        ("resnet 16->32 @32 /2", square(32, [16, 32], 3, 2, 1), 8),
        ("resnet 16->32 @32 /2 1x1", square(32, [16, 32], 1, 2, 0), 8),
        ("resnet 32->32 @16", square(16, [32, 32], 3, 1, 1), 8),
        ("resnet 32->64 @16 /2", square(16, [32, 64], 3, 2, 1), 8),
        ("resnet 64->64 @8", square(8, [64, 64], 3, 1, 1), 8),
        ("2c2d 1->32 5x5 @28", square(28, [1, 32], 5, 1, 2), 8),
        ("2c2d 32->64 5x5 @14", square(14, [32, 64], 5, 1, 2), 8),
        ("cnn 1->32 @28", square(28, [1, 32], 3, 1, 0), 8),
        ("cnn 32->64 @26", square(26, [32, 64], 3, 1, 0), 8),
        ("vgg 64->64 @32", square(32, [64, 64], 3, 1, 1), 4),
        ("vgg 128->128 @16", square(16, [128, 128], 3, 1, 1), 4),
        ("vgg 256->256 @8", square(8, [256, 256], 3, 1, 1), 8),
        ("vgg 512->512 @4", square(4, [512, 512], 3, 1, 1), 16),
        ("vgg 512->512 @2", square(2, [512, 512], 3, 1, 1), 32),
        ("pointwise 96->384 @16", square(16, [96, 384], 1, 1, 0), 8),
        ("depthwise 96 7x7 @16", depthwise(16, 96, 7), 8),
        ("depthwise 64 3x3 @16", depthwise(16, 64, 3), 8),
    ]
}

fn main() {
    let mut args = std::env::args().skip(1).filter(|arg| !arg.starts_with('-'));
    let filter = args.next().unwrap_or_default();
    let all: Option<usize> = args.next().and_then(|images| images.parse().ok());
    println!("{:26} {:>8} {:>8} {:>8}   GFLOP/s", "", "forward", "input", "weight");
    for (name, conv, images) in shapes().into_iter().filter(|(name, ..)| name.contains(&filter)) {
        measure(name, &conv, all.unwrap_or(images));
    }
}

/// Floats from a cache line on.
fn floats(n: usize) -> Vec<f32> {
    (0..n + 16).map(|i| (i * 7919 % 1999) as f32 * 1e-3 - 1.0).collect()
}

fn from_line(x: &mut [f32]) -> &mut [f32] {
    let skip = x.as_ptr().align_offset(64);
    &mut x[skip..]
}

fn measure(name: &str, conv: &Conv, images: usize) {
    let len = |shape: [usize; 3]| images * shape.iter().product::<usize>();
    let n_weights = conv.kernel.iter().product::<usize>() * conv.input[2] / conv.groups * conv.output[2];
    let work = 2.0 * n_weights as f64 * (images * conv.output[0] * conv.output[1]) as f64;
    let [mut x, mut y, mut w] = [len(conv.input), len(conv.output), n_weights].map(floats);
    let [x, y, w] = [&mut x, &mut y, &mut w].map(|x| from_line(x));
    let mut scratch = floats(conv.scratch_len(images));
    let scratch = from_line(&mut scratch);
    let n_calls = (3e8 / work).ceil() as usize;
    let plain = Epilogue::default();
    let rate = |f: &mut dyn FnMut()| {
        f();
        let mut best = f64::INFINITY;
        for _ in 0..N_TIMINGS {
            let start = Instant::now();
            (0..n_calls).for_each(|_| f());
            best = best.min(start.elapsed().as_secs_f64() / n_calls as f64);
        }
        work * 1e-9 / best
    };
    let mut prepared = [Direction::Forward, Direction::Backward].map(|direction| {
        let mut out = floats(conv.prepared_len(direction));
        conv.prepare(direction, w, from_line(&mut out), scratch);
        out
    });
    let [ahead, back] = &mut prepared;
    let pick = |own, direction| if conv.prepared_len(direction) == 0 { &*w } else { own };
    let (ahead, back) =
        (pick(&*from_line(ahead), Direction::Forward), pick(&*from_line(back), Direction::Backward));
    let mut sums = floats(conv.sums_len());
    let sums = from_line(&mut sums);
    let forward = rate(&mut || conv.forward(images, x, ahead, y, plain, scratch));
    let input = rate(&mut || conv.input_gradient(images, y, back, x, plain, scratch));
    let weight = rate(&mut || conv.weight_gradient(images, x, y, sums, false, scratch));
    println!("{name:26} {forward:8.1} {input:8.1} {weight:8.1}");
}
