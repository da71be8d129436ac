//! What the Rust peers share: arguments, case names, block timing, the JSON line.

use std::time::Instant;

const BLOCK_SECS: f64 = 0.05;
const CASES: [&str; 4] =
    ["mlp-784-128-10-b64", "mlp-784-512-512-10-b128", "mlp-784-10x500-10-b128", "mlp-784-10x500-10-b128-bn"];

const IMAGES: [&str; 4] = ["resnet20", "2c2d", "cnn-1-32-64", "vgg16bn"];

/// A training step of an MLP (layer widths, batch norm before each ReLU) or of a network on images.
#[derive(Default)]
pub struct Case {
    pub name: String,
    pub network: String,
    pub widths: Vec<usize>,
    pub batch: usize,
    pub batch_norm: bool,
    /// Evaluation mode, no gradients.
    pub forward: bool,
}

/// `--case` (repeatable; default all four), `--threads`, `--seconds`.
pub struct Args {
    pub cases: Vec<Case>,
    pub threads: usize,
    pub seconds: f64,
}

pub fn arguments() -> Args {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let mut args = Args { cases: Vec::new(), threads: 2, seconds: 3.0 };
    for pair in words.chunks(2) {
        let value = pair.get(1).expect("every option takes a value");
        match pair[0].as_str() {
            "--case" => args.cases.push(parse_case(value)),
            "--threads" => args.threads = value.parse().expect("--threads: a number"),
            "--seconds" => args.seconds = value.parse().expect("--seconds: a number"),
            "--settings" => {}
            other => panic!("unknown option {other}"),
        }
    }
    if args.cases.is_empty() {
        args.cases = CASES.iter().map(|c| parse_case(c)).collect();
    }
    args
}

/// `mlp-784-10x500-10-b128-bn` -> widths [784, 500 * 10, 10], batch 128, batch norm;
/// `resnet20-forward-b256` -> the network, the batch, only forward.
fn parse_case(name: &str) -> Case {
    let mut case = Case { name: name.into(), network: "mlp".into(), ..Case::default() };
    let mut rest = name;
    if let Some(network) = IMAGES.iter().find(|n| name.starts_with(**n)) {
        case.network = network.to_string();
        rest = &name[network.len()..];
    }
    for token in rest.trim_start_matches("mlp").split('-').filter(|t| !t.is_empty()) {
        if token == "forward" {
            case.forward = true;
        } else if token == "bn" {
            case.batch_norm = true;
        } else if let Some(batch) = token.strip_prefix('b') {
            case.batch = batch.parse().expect("batch size");
        } else if let Some((count, width)) = token.split_once('x') {
            let width: usize = width.parse().expect("width");
            case.widths.extend(vec![width; count.parse().expect("count")]);
        } else {
            case.widths.push(token.parse().expect("width"));
        }
    }
    case
}

/// Milliseconds per step, one number per block of about 50 ms.
pub fn time_blocks(seconds: f64, mut step: impl FnMut()) -> Vec<f64> {
    let mut run = |n: usize| {
        let start = Instant::now();
        (0..n).for_each(|_| step());
        start.elapsed().as_secs_f64()
    };
    run(3); // first calls: allocation, autotuning
    let (mut n, mut fastest) = (1, run(1));
    while fastest < BLOCK_SECS / 2.0 {
        n *= 2;
        fastest = run(n);
    }
    if fastest < BLOCK_SECS {
        fastest = (0..8).map(|_| run(n)).fold(fastest, f64::min);
    }
    let n = ((n as f64 * BLOCK_SECS / fastest).round() as usize).max(1);
    let (mut blocks, start) = (Vec::new(), Instant::now());
    while blocks.len() < 5 || start.elapsed().as_secs_f64() < seconds {
        blocks.push(run(n) * 1e3 / n as f64);
    }
    blocks
}

/// Prints the line that the harness reads.
pub fn emit(peer: &str, setting: &str, case: &str, version: &str, blocks: &[f64]) {
    let line = serde_json::json!({ "peer": peer, "setting": setting, "case": case, "version": version, "ms": blocks });
    println!("{line}");
}

/// Uniform numbers in [-1, 1): enough for inputs and first weights.
pub fn uniform(n: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..n).map(|_| next()).collect()
}
