//! Sizes of every kind: what does not fit is an error that says so, whatever a config asks for.
//!
//! `drawn_configs_train_or_say_why` draws configs over the documented range of every key of every layer. Each is run in
//! a child process whose address space is limited, so that an allocation that nobody checked ends the child: it trains
//! one step, or it is an error with a hint. `THALWEG_DRAWS=10000` draws more of them, `THALWEG_SEED=1` others,
//! `THALWEG_SHOW=12` prints the twelfth.
#![cfg(target_os = "linux")]

mod checkpoint;
mod draw;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use engine::Fault;
use engine::ops::conv::Geometry;
use engine::ops::max_pool::Window;
use engine::plan::{Kernel, Plan, Span, Step};
use thalweg::config::RunConfig;
use thalweg::engine;
use thalweg::model::ModelError;
use thalweg::train::{Prepared, ProgramKey, StepError, TrainError, Trainer};

/// Address space of a child.
const LIMIT_KIB: usize = 512 << 10;
/// Operations of a step up to which it is made; the others are planned, and their memory is taken.
const MOST_WORK: f64 = 1e9;
/// Longest time for one draw.
const PATIENCE: Duration = Duration::from_secs(60);
const LINE: &str = "draw:";

fn variable(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Floating-point operations of a step, windows counted pixel by pixel.
fn work(plan: &Plan) -> f64 {
    let batch = plan.options.batch;
    let windows = |w: &Window, out: &Span| {
        let pixels = [0, 1].map(|a| w.kernel[a].min(w.input[a]) as f64);
        out.len.of(batch) as f64 * pixels[0] * pixels[1]
    };
    let of = |step: &Step| match &step.kernel {
        Kernel::MaxPick(p) => windows(&p.window, &p.out),
        Kernel::MaxSpread(p) => windows(&p.window, &p.dy),
        Kernel::Resample(r) => {
            let pixels = r.out.len.of(batch) as f64 + r.x.len.of(batch) as f64;
            pixels * (r.rows.longest() + r.columns.longest()) as f64
        }
        Kernel::Conv(c) => phases(&c.conv) * c.images.of(batch) as f64 + step.cost(batch).flops as f64,
        Kernel::ConvInput(c) => phases(&c.conv) * c.images.of(batch) as f64 + step.cost(batch).flops as f64,
        _ => step.cost(batch).flops as f64,
    };
    plan.steps.iter().map(of).sum::<f64>().max(plan.total_cost().flops as f64)
}

/// Stretches of rows of all images.
fn phases(conv: &Geometry) -> f64 {
    conv.output[0] as f64 * conv.kernel[0] as f64
}

/// What became of a draw.
fn outcome(text: &str) -> Result<&'static str, TrainError> {
    let config = RunConfig::from_toml(text, Path::new("drawn.toml"), &[])?;
    let data = Prepared::open(&config)?;
    let mut trainer = Trainer::new(&config, data)?;
    let batch = trainer.settled(&config).batch.unwrap();
    let session = &trainer.session;
    let step = session.graph(&ProgramKey::train(batch))?;
    let plan = Plan::compile(&step.graph, &step.wanted, session.options(batch))?;
    if work(&plan) > MOST_WORK {
        return Ok("much work, planned only");
    }
    match trainer.step() {
        Ok(_) => {}
        Err(StepError::NonFinite { .. }) => return Ok("loss is not finite"),
        Err(StepError::Graph(error)) => return Err(error.into()),
        Err(StepError::Source(error)) => return Err(TrainError::Source(error)),
    }
    let valid = trainer.prepared().unwrap().splits.valid.len() as f64;
    if work(&plan) * valid / batch as f64 <= MOST_WORK {
        trainer.measure(thalweg::train::Split::Valid, None, false)?;
    }
    Ok("trained")
}

/// An error without its names and numbers.
fn kind(error: &TrainError) -> String {
    let text = error.to_string();
    let mut kind = String::new();
    for (i, part) in text.split('`').enumerate() {
        kind += if i % 2 == 1 { "·" } else { part };
    }
    let words: Vec<&str> =
        kind.split_whitespace().filter(|w| !w.contains(|c: char| c.is_ascii_digit())).collect();
    words.join(" ").chars().take(70).collect()
}

/// Prints one draw, for a closer look: `THALWEG_SHOW=12`, and `THALWEG_SEED` where it is not 0.
#[test]
fn show() {
    if let Ok(i) = std::env::var("THALWEG_SHOW") {
        println!("{}", draw::config(variable("THALWEG_SEED", 0), i.parse().unwrap()));
    }
}

/// Runs draws in a process of its own; nothing but for [`drawn_configs_train_or_say_why`].
#[test]
fn child() {
    let Ok(range) = std::env::var("THALWEG_CHILD") else { return };
    let numbers: Vec<u64> = range.split(' ').filter_map(|n| n.parse().ok()).collect();
    let [seed, from, to] = numbers[..] else { panic!("{range}") };
    std::panic::set_hook(Box::new(|_| {}));
    let say = |i: u64, text: &str| eprintln!("{LINE} {i} {text}");
    for i in from..to {
        let text = draw::config(seed, i);
        say(i, "begins");
        let done = catch_unwind(AssertUnwindSafe(|| outcome(&text)));
        match done {
            Ok(Ok(what)) => say(i, what),
            Ok(Err(error)) if error.hint().is_none() => say(i, &format!("FAULT no hint: {error}")),
            Ok(Err(error)) => say(i, &format!("error: {}", kind(&error))),
            Err(panic) => {
                let text = panic.downcast_ref::<String>().cloned();
                let text = text.or_else(|| panic.downcast_ref::<&str>().map(|t| (*t).to_owned()));
                say(i, &format!("FAULT panic: {}", text.unwrap_or_default()));
            }
        }
    }
    say(to, "end");
}

fn spawn(seed: u64, from: u64, to: u64) -> Child {
    let program = std::env::current_exe().expect("the test's own path");
    Command::new("sh")
        .arg("-c")
        .arg(format!("ulimit -v {LIMIT_KIB} && exec \"$0\" child --exact --nocapture --test-threads=1"))
        .arg(program)
        .env("THALWEG_CHILD", format!("{seed} {from} {to}"))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a shell")
}

/// What became of each draw of a range, and the slowest. A child that ends in the middle of a draw is followed by
/// another one.
fn run(seed: u64, from: u64, to: u64) -> Vec<(u64, String, Duration)> {
    let mut found = Vec::new();
    let mut at = from;
    while at < to {
        let mut child = spawn(seed, at, to);
        let (send, lines) = channel();
        let stderr = child.stderr.take().expect("a pipe");
        std::thread::spawn(move || {
            BufReader::new(stderr).lines().map_while(Result::ok).for_each(|line| _ = send.send(line));
        });
        let (mut begun, mut last, mut other) = (Instant::now(), at, String::new());
        loop {
            match lines.recv_timeout(PATIENCE) {
                Ok(line) => {
                    let Some((i, text)) = line.strip_prefix(LINE).and_then(|l| l.trim().split_once(' '))
                    else {
                        other = line;
                        continue;
                    };
                    last = i.parse().expect("the number of a draw");
                    match text {
                        "begins" => begun = Instant::now(),
                        "end" => {}
                        _ => {
                            found.push((last, text.to_owned(), begun.elapsed()));
                            at = last + 1;
                        }
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    _ = child.kill();
                    _ = child.wait();
                    found.push((last, "FAULT takes too long".into(), PATIENCE));
                    at = last + 1;
                    break;
                }
                Err(RecvTimeoutError::Disconnected) => {
                    let status = child.wait().expect("the child's status");
                    if at < to {
                        found.push((last, format!("FAULT {status}: {other}"), begun.elapsed()));
                        at = last + 1;
                    }
                    break;
                }
            }
        }
    }
    found
}

#[test]
fn drawn_configs_train_or_say_why() {
    let (n, seed) = (variable("THALWEG_DRAWS", 300), variable("THALWEG_SEED", 0));
    let n_children = 2;
    let parts = (0..n_children).map(|c| (n * c / n_children, n * (c + 1) / n_children));
    let threads: Vec<_> = parts.map(|(a, b)| std::thread::spawn(move || run(seed, a, b))).collect();
    let found: Vec<_> = threads.into_iter().flat_map(|t| t.join().expect("a thread of the test")).collect();
    assert_eq!(found.len() as u64, n);
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    found.iter().for_each(|(_, text, _)| *kinds.entry(text).or_default() += 1);
    let trained = kinds.get("trained").copied().unwrap_or(0) as f64 / n as f64;
    println!("{n} configs: {:.1} % train", 100.0 * trained);
    let mut kinds: Vec<_> = kinds.into_iter().collect();
    kinds.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    kinds.iter().for_each(|(kind, n)| println!("{n:>6}  {kind}"));
    let slowest = found.iter().max_by_key(|(.., time)| *time);
    if let Some((i, text, time)) = slowest {
        println!("slowest: draw {i}, {:.1} s, {text}", time.as_secs_f64());
    }
    let faults: Vec<_> = found.iter().filter(|(_, text, _)| text.starts_with("FAULT")).collect();
    for (i, text, _) in faults.iter().take(20) {
        println!("\ndraw {i} of seed {seed}: {text}\n{}", draw::config(seed, *i));
    }
    assert!(faults.is_empty(), "{} of {n} configs end badly", faults.len());
    assert!(trained >= 0.3, "only {:.1} % of the configs train", 100.0 * trained);
}

/// Layers of which every value is within its range, and the product of all not within 64 bits.
const BEYOND: &str = r#"[
    { type = "resize", size = [28, 28] },
    { type = "conv", channels = 8927460, kernel = 1, padding = [65536, 65536, 59849, 63154] },
    "global_avg_pool",
    { type = "linear", units = "outputs" },
]"#;

#[test]
fn an_image_whose_size_wraps_is_an_error() {
    let text = format!(
        "epochs = 0\neval_batch = 128\nshards = 1\nthreads = 1\ndata = \"digits\"\n[model]\nlayers = {BEYOND}"
    );
    let config = RunConfig::from_toml(&text, Path::new("beyond.toml"), &[]).unwrap();
    let error = Trainer::new(&config, Prepared::open(&config).unwrap()).unwrap_err();
    let TrainError::Model(ModelError::Graph(graph)) = &error else { panic!("{error}") };
    assert_eq!(graph.fault, Fault::TooLarge { shape: [2, 125_413, 128_718, 8_927_460].into() });
    assert_eq!(
        error.to_string(),
        "conv `1`: a result of shape [2, 125413, 128718, 8927460] would have 2.9e17 values, at most 1099511627776 \
         are possible"
    );
    assert!(error.hint().is_some_and(|hint| hint.contains("less padding")));
}

#[test]
fn memory_that_cannot_be_had_is_an_error_before_anything_is_made() {
    // 256 GiB for the convolution's result of each of 8 images
    let text = "data = \"digits\"\nepochs = 1\nbatch = 8\neval_batch = 8\n[model]\nlayers = [\n\
        { type = \"resize\", size = 4096 }, { type = \"conv\", channels = 4096, kernel = 3 },\n\
        \"global_avg_pool\", { type = \"linear\", units = \"outputs\" }]";
    let config = RunConfig::from_toml(text, Path::new("large.toml"), &[]).unwrap();
    let error = Trainer::new(&config, Prepared::open(&config).unwrap()).unwrap_err();
    let TrainError::Memory { need } = &error else { panic!("{error}") };
    assert!(need.programs > 1 << 38, "{need:?}");
    assert!(need.state < 1 << 30 && need.answers < 1 << 20, "{need:?}");
    assert!(error.hint().is_some_and(|hint| hint.contains("`batch=")));
}

/// Norms whose values, times the columns of their frame, do not fit 64 bits.
#[test]
fn norms_of_more_values_than_can_be_are_an_error() {
    let norms = ["\"instance_norm\"", "{ type = \"group_norm\", groups = 1 }"];
    let sizes = [
        "{ type = \"pad\", padding = 60000 }",
        "{ type = \"resize\", size = 65536 }",
        "{ type = \"conv_transpose\", channels = 1, kernel = 1, stride = [16384, 8000] }",
    ];
    for (norm, size) in norms.iter().flat_map(|norm| sizes.iter().map(move |size| (norm, size))) {
        let text = format!(
            "data = \"digits\"\nsteps = 1\n[model]\nlayers = [{size}, {norm}, \"global_avg_pool\", \
             {{ type = \"linear\", units = \"outputs\" }}]"
        );
        let config = RunConfig::from_toml(&text, Path::new("large.toml"), &[]).unwrap();
        let error = Trainer::new(&config, Prepared::open(&config).unwrap()).unwrap_err();
        assert!(error.hint().is_some(), "{size}, {norm}: {error}");
    }
}
