//! The fast path of a drawn graph beside the f64 reference, finite differences, and itself under other cuts.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use engine::graph::Var;
use engine::plan::CACHE_BYTES;
use engine::reference::{Feed as Values, Tensor};
use engine::{
    Executor, Feed, Graph, GraphError, Piece, Plan, PlanOptions, Pool, StepContext, Update, Wanted,
};

use crate::dice::Dice;
use crate::draw::{Drawn, draw};
use crate::exact::{Disturbed, evaluate, largest};

/// What a run of many graphs met.
#[derive(Default, Debug)]
pub struct Seen {
    pub checked: usize,
    /// graphs that the compiler refuses, by operator
    pub refused: std::collections::BTreeMap<String, usize>,
    /// values compared, and those whose rounding alone moves them by more than a thousandth
    pub values: usize,
    pub loose: usize,
    /// coordinates held to finite differences, and those at a kink
    pub differences: usize,
    pub kinks: usize,
    /// entries of the registry that graphs held
    pub operators: std::collections::BTreeSet<&'static str>,
}

/// What one run of the fast path gives: outputs, gradients, new buffers, and parameters after one update.
#[derive(Clone, PartialEq)]
struct Got {
    outputs: Vec<Vec<f32>>,
    gradient: Vec<f32>,
    buffers: Vec<f32>,
    updated: Vec<f32>,
}

impl Got {
    fn bits(&self) -> Vec<u32> {
        let parts = [&self.gradient, &self.buffers, &self.updated];
        self.outputs.iter().chain(parts).flatten().map(|x| x.to_bits()).collect()
    }
}

struct Rows<'a>(&'a [Vec<f32>]);

impl Feed for Rows<'_> {
    fn fill(&self, input: usize, rows: std::ops::Range<usize>, out: &mut [f32]) {
        let slices: Vec<&[f32]> = self.0.iter().map(Vec::as_slice).collect();
        slices[..].fill(input, rows, out);
    }
}

struct Descend;

impl Update for Descend {
    fn apply(&self, piece: Piece) {
        piece.values.iter_mut().zip(piece.gradient).for_each(|(v, g)| *v -= 0.25 * *g);
    }
}

fn to_f32(values: &[f64]) -> Vec<f32> {
    values.iter().map(|x| *x as f32).collect()
}

fn run(d: &Drawn, wanted: &Wanted, options: PlanOptions, pool: &Arc<Pool>) -> Result<Got, GraphError> {
    let mut executor = Executor::new(Arc::new(Plan::compile(&d.g, wanted, options)?), pool.clone());
    let inputs: Vec<Vec<f32>> = d.feed.inputs.iter().map(|x| to_f32(x)).collect();
    let (mut params, mut buffers) = (to_f32(&d.feed.params), to_f32(&d.feed.buffers));
    let tangents = to_f32(&d.feed.tangents);
    // twice, so that nothing depends on what the arena held
    for _ in 0..2 {
        let context =
            StepContext { params: &params, buffers: &buffers, tangents: &tangents, draw: d.feed.draw };
        executor.run(context, &Rows(&inputs));
    }
    let outputs = (0..wanted.outputs.len()).map(|i| {
        let mut out = vec![f32::NAN; executor.output_len(i)];
        executor.output(i, &mut out);
        out
    });
    let outputs = outputs.collect();
    let mut gradient = vec![f32::NAN; if wanted.gradients.is_empty() { 0 } else { params.len() }];
    if !gradient.is_empty() {
        executor.gradients(&mut gradient);
        executor.update(&mut params, &mut [], &Descend);
    }
    executor.assign(&mut buffers);
    Ok(Got { outputs, gradient, buffers, updated: params })
}

/// Values of several disturbed evaluations, and the largest distance of each from the exact one.
struct Exact {
    values: Vec<Tensor>,
    tolerance: Vec<f64>,
}

fn exact(d: &Drawn, live: &[bool]) -> Exact {
    let values = evaluate(&d.g, &d.feed, live, Disturbed::Not);
    let mut moved = vec![0.0f64; values.len()];
    for trial in 0..3 {
        let noisy = evaluate(&d.g, &d.feed, live, Disturbed::Noise(Dice::new(7, trial)));
        for ((m, a), b) in moved.iter_mut().zip(&values).zip(&noisy) {
            let off: Vec<f64> = a.data.iter().zip(&b.data).map(|(a, b)| a - b).collect();
            *m = m.max(largest(&off));
        }
    }
    let tolerance = |(v, m): (&Tensor, &f64)| 16.0 * m + 2e-6 * largest(&v.data) + 1e-7;
    let tolerance = values.iter().zip(&moved).map(tolerance).collect();
    Exact { values, tolerance }
}

fn close(what: &str, got: &[f32], want: &[f64], tolerance: f64) -> Result<(), String> {
    if got.len() != want.len() {
        return Err(format!("{what}: {} values instead of {}", got.len(), want.len()));
    }
    for (i, (g, w)) in got.iter().zip(want).enumerate() {
        let error = (f64::from(*g) - w).abs();
        if error.is_nan() || error > tolerance {
            return Err(format!("{what}[{i}]: got {g}, want {w}, off by {error:.1e} > {tolerance:.1e}"));
        }
    }
    Ok(())
}

/// Central differences of the objective at a few coordinates, with detached values held still.
fn check_differences(d: &Drawn, exact: &Exact, seen: &mut Seen) -> Result<(), String> {
    let mut dice = Dice::new(11, 3);
    let live = d.g.live(&[d.objective]);
    let at = |feed: &Values| {
        evaluate(&d.g, feed, &live, Disturbed::Frozen(&exact.values))[d.objective.index()].data[0]
    };
    let h = 1e-5;
    for (v, slope) in d.wrt.iter().zip(&d.slopes) {
        let gradient = &exact.values[slope.index()].data;
        let scale = largest(gradient).max(1.0);
        for _ in 0..gradient.len().min(2) {
            let i = dice.below(gradient.len());
            let moved = |by: f64| {
                let mut feed = d.feed.clone();
                match &d.g.node(*v).op {
                    engine::ops::Op::Param(p) => feed.params[d.g.params.slots[p.index].offset + i] += by,
                    engine::ops::Op::Input(p) => feed.inputs[p.index][i] += by,
                    _ => {}
                }
                at(&feed)
            };
            let [low, mid, high] = [-h, 0.0, h].map(moved);
            let (left, right) = ((mid - low) / h, (high - mid) / h);
            let numeric = (high - low) / (2.0 * h);
            seen.differences += 1;
            if (left - right).abs() > 1e-2 * scale.max(left.abs()) {
                seen.kinks += 1;
                continue;
            }
            // the third derivative, and what f64 loses in the difference
            let error = (numeric - gradient[i]).abs();
            if error.is_nan() || error > 2e-6 * scale.max((left - right).abs() / h * 1e-3) {
                return Err(format!(
                    "the gradient of %{} [{i}] is {}, finite differences say {numeric}",
                    v.index(),
                    gradient[i]
                ));
            }
        }
    }
    Ok(())
}

/// What else is to be right: everything wanted, on every cut of the work.
pub fn check(d: &Drawn, pools: &[Arc<Pool>], seen: &mut Seen) -> Result<(), String> {
    let all: Vec<Var> =
        d.outputs.iter().chain(&d.slopes).copied().chain(d.assigned.iter().map(|a| a.1)).collect();
    let live = d.g.live(&[&all[..], &[d.objective]].concat());
    let exact = exact(d, &live);
    check_differences(d, &exact, seen)?;
    let wanted = Wanted { outputs: d.outputs.clone(), gradients: d.gradients.clone(), assigns: true };
    let cuts = [
        (true, 1, CACHE_BYTES),
        (true, 2, CACHE_BYTES),
        (true, 3, 2000),
        (true, 1, 300),
        (false, 2, CACHE_BYTES),
        (false, 1, 700),
    ];
    let mut first: [Option<(String, Got)>; 2] = [None, None];
    for (fuse, workers, cache_bytes) in cuts {
        let cut = format!(
            "{}, {workers} workers, chunks for {cache_bytes} B",
            if fuse { "fused" } else { "unfused" }
        );
        let options = PlanOptions { fuse, cache_bytes, ..PlanOptions::new(d.batch, d.shards, workers) };
        let got = match run(d, &wanted, options, &pools[workers - 1]) {
            Ok(got) => got,
            Err(refused) => {
                *seen.refused.entry(refused.to_string()).or_default() += 1;
                return Ok(());
            }
        };
        for (v, out) in d.outputs.iter().zip(&got.outputs) {
            let (want, tolerance) = (&exact.values[v.index()], exact.tolerance[v.index()]);
            close(&format!("{cut}: output %{}", v.index()), out, &want.data, tolerance)?;
        }
        for (slot, v) in d.g.params.slots.iter().zip(&d.gradients) {
            let (want, tolerance) = (&exact.values[v.index()].data, exact.tolerance[v.index()]);
            let what = format!("{cut}: gradient %{} of {}", v.index(), slot.name);
            close(&what, &got.gradient[slot.range()], want, tolerance)?;
            let (old, new) = (&d.feed.params[slot.range()], &got.updated[slot.range()]);
            let want: Vec<f64> = old.iter().zip(want).map(|(p, g)| p - 0.25 * g).collect();
            let what = format!("{cut}: {} after an update", slot.name);
            close(&what, new, &want, tolerance + 1e-6 * largest(&want))?;
        }
        for (buffer, v) in &d.assigned {
            let slot = &d.g.buffers.slots[*buffer];
            let (want, tolerance) = (&exact.values[v.index()], exact.tolerance[v.index()]);
            let what = format!("{cut}: {} := %{}", slot.name, v.index());
            close(&what, &got.buffers[slot.range()], &want.data, tolerance)?;
        }
        match &first[usize::from(fuse)] {
            Some((other, one)) if one.bits() != got.bits() => {
                return Err(format!("other bits: {other}, and {cut}"));
            }
            Some(_) => {}
            None => first[usize::from(fuse)] = Some((cut, got)),
        }
    }
    seen.checked += 1;
    seen.operators.extend(d.g.vars().filter(|v| live[v.index()]).map(|v| d.g.node(v).op.file()));
    seen.values += all.len();
    let wide = |v: &&Var| exact.tolerance[v.index()] > 1e-3 * largest(&exact.values[v.index()].data) + 1e-6;
    seen.loose += all.iter().filter(wide).count();
    Ok(())
}

/// Checks the graph of a seed; what is wrong, where something is.
fn attempt(d: &Drawn, pools: &[Arc<Pool>], seen: &mut Seen) -> Result<(), String> {
    catch_unwind(AssertUnwindSafe(|| check(d, pools, seen))).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|t| (*t).to_owned()));
        Err(format!("panic: {}", text.unwrap_or_default()))
    })
}

pub fn pools() -> Vec<Arc<Pool>> {
    (1..=3).map(|n| Arc::new(Pool::new(n))).collect()
}

/// Panics where a graph is wrong, or refused.
pub fn must_be_right(d: &Drawn) {
    let mut seen = Seen::default();
    if let Err(why) = check(d, &pools(), &mut seen) {
        panic!("{why}\n{}", text(d));
    }
    assert_eq!(seen.checked, 1, "refused: {:?}", seen.refused);
}

/// Draws and checks the graph of a seed; a failure tells seed, cause and the smallest graph that still fails.
pub fn try_seed(seed: u64, pools: &[Arc<Pool>], seen: &mut Seen) -> Result<(), String> {
    let d = draw(seed, usize::MAX).map_err(|e| format!("seed {seed} cannot be drawn: {e}"))?;
    let Err(first) = attempt(&d, pools, seen) else { return Ok(()) };
    let (d, why) = shrunk(seed, d, first);
    Err(format!("seed {seed}: {why}\n{}", text(&d)))
}

/// A smaller graph that fails too: fewer operators, then fewer values asked for.
fn shrunk(seed: u64, whole: Drawn, why: String) -> (Drawn, String) {
    let mut unseen = Seen::default();
    let mut fails = |d: &Drawn| attempt(d, &pools(), &mut unseen).err();
    let (mut best, mut why) = (whole, why);
    for most in 0..14 {
        let Ok(d) = draw(seed, most) else { continue };
        if let Some(found) = fails(&d) {
            (best, why) = (d, found);
            break;
        }
    }
    let without = |d: &Drawn, outputs: Vec<Var>, gradients: Vec<Var>| Drawn {
        g: d.g.clone(),
        feed: d.feed.clone(),
        wrt: d.wrt.clone(),
        slopes: d.slopes.clone(),
        assigned: d.assigned.clone(),
        outputs,
        gradients,
        ..*d
    };
    let mut offers = vec![(best.outputs.clone(), vec![]), (vec![], best.gradients.clone())];
    offers.extend(best.outputs.iter().map(|v| (vec![*v], vec![])));
    for (outputs, gradients) in offers {
        let d = without(&best, outputs, gradients);
        if let Some(found) = fails(&d) {
            (best, why) = (d, found);
        }
    }
    (best, why)
}

fn text(d: &Drawn) -> String {
    let mut wanted: Vec<Var> = d.outputs.iter().chain(&d.gradients).copied().collect();
    wanted.extend(d.assigned.iter().map(|a| a.1));
    if wanted.is_empty() {
        wanted.push(d.objective);
    }
    let live = d.g.live(&wanted);
    let mut lines = format!("batch {}, {} shards\n", d.batch, d.shards);
    for v in d.g.vars().filter(|v| live[v.index()]) {
        lines += &line(&d.g, v);
    }
    let names = |vars: &[Var]| vars.iter().map(|v| format!("%{}", v.index())).collect::<Vec<_>>().join(" ");
    lines
        + &format!(
            "outputs {}; gradients {}; assigned {:?}; objective %{}",
            names(&d.outputs),
            names(&d.gradients),
            d.assigned,
            d.objective.index()
        )
}

fn line(g: &Graph, v: Var) -> String {
    let node = g.node(v);
    let inputs: Vec<String> = node.inputs.iter().map(|i| format!("%{}", i.index())).collect();
    format!("%{} = {:?} {} -> {}\n", v.index(), node.op, inputs.join(" "), node.shape)
}
