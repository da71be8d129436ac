//! The lecture's claims on initialization, each with its control and the rule by which the figures decide.

use record::{Claim, Measured as Figure, Verdict};

use super::measure::{Layers, SATURATED};
use super::{Measured, SLIDES, Setting, Sizes, slides};

/// All claims; those that speak of settings that were not measured say so.
pub(super) fn all(measured: &[Measured], sizes: Sizes) -> Vec<Claim> {
    let [small, large, lecun, relu, he] = slides().map(|setting| of(measured, &setting));
    let mut claims = vec![
        shrink(small, lecun),
        become_zero(small, lecun),
        weights_stand_still(small, lecun),
        saturate(large, lecun),
        saturated_gradients(large, lecun),
        xavier_suits_tanh(lecun, small),
        xavier_breaks_for_relu(relu, he),
        he_mends(he, relu),
        he_mends_backward(he, relu),
        printed(&[small, large, lecun, relu, he], sizes),
    ];
    let own = measured.iter().filter(|m| !slides().contains(&m.setting));
    claims.extend(own.map(keeps_scale));
    claims
}

/// The layers of each seed, where the setting was measured.
type Seeds<'a> = Option<&'a [Layers]>;

fn of<'a>(measured: &'a [Measured], setting: &Setting) -> Seeds<'a> {
    measured.iter().find(|m| m.setting == *setting).map(|m| m.seeds.as_slice())
}

/// The words of a claim.
struct Told<'a> {
    claim: &'a str,
    control: &'a str,
    rule: &'a str,
}

impl Told<'_> {
    /// Judged by `main`, which has a value for each seed, and none where its setting was not measured. A figure that is
    /// no number, as 0 / 0, says nothing.
    fn claim(&self, main: Figure, holds: impl Fn(f64) -> bool, beside: Option<Figure>) -> Claim {
        let undefined = main.values.iter().any(|v| v.is_nan());
        let answers: Vec<bool> = main.values.iter().filter(|_| !undefined).map(|v| holds(*v)).collect();
        let measured = !main.values.is_empty();
        Claim {
            claim: self.claim.into(),
            control: self.control.into(),
            rule: self.rule.into(),
            figures: std::iter::once(main)
                .filter(|_| measured)
                .chain(beside.filter(|f| !f.values.is_empty()))
                .collect(),
            verdict: Verdict::of(&answers),
        }
    }
}

fn figure(name: &str, seeds: Seeds<'_>, value: impl Fn(&Layers) -> f64) -> Figure {
    Figure::new(name, seeds.unwrap_or_default().iter().map(value).collect())
}

/// Standard deviation of the last layer's results over that of the first one's.
fn kept(layers: &Layers) -> f64 {
    ratio(layers.outputs.last().map(|s| s.std), layers.outputs.first().map(|s| s.std))
}

/// The same of gradients, which go the other way.
fn kept_backward(layers: &Layers) -> f64 {
    ratio(layers.gradients.first().map(|s| s.std), layers.gradients.last().map(|s| s.std))
}

fn ratio(a: Option<f64>, b: Option<f64>) -> f64 {
    a.zip(b).map_or(f64::NAN, |(a, b)| a / b)
}

fn last_saturated(layers: &Layers) -> f64 {
    layers.outputs.last().map_or(f64::NAN, |s| s.saturated)
}

fn shrink(small: Seeds<'_>, lecun: Seeds<'_>) -> Claim {
    let told = Told {
        claim: "with small weights (σ = 0.01), tanh layers pass on less and less: activations shrink towards zero with depth",
        control: "the same network with σ = 1/√n",
        rule: "the last layer's deviation is below 1 % of the first one's",
    };
    let name = "deviation of the results, last layer over first";
    let beside = figure("the same with σ = 1/√n", lecun, kept);
    told.claim(figure(name, small, kept), |v| v < 0.01, Some(beside))
}

fn become_zero(small: Seeds<'_>, lecun: Seeds<'_>) -> Claim {
    let told = Told {
        claim: "with small weights (σ = 0.01), all activations become zero",
        control: "the same network with σ = 1/√n",
        rule: "every result of the last layer is exactly 0; it is the limit of ever more layers, not what ten give",
    };
    let zero = |layers: &Layers| layers.outputs.last().map_or(f64::NAN, |s| s.zero);
    let beside = figure("the same with σ = 1/√n", lecun, zero);
    told.claim(figure("share of exact zeros in the last layer", small, zero), |v| v == 1.0, Some(beside))
}

fn weights_stand_still(small: Seeds<'_>, lecun: Seeds<'_>) -> Claim {
    let told = Told {
        claim: "then the backward pass of a W·x gate, ∂W = δ·xᵀ, makes the gradients of all weights vanish: small x below, small δ above",
        control: "the same network with σ = 1/√n, the same gradient coming in",
        rule: "in every layer, the weight gradient's deviation is below 0.1 % of the control's",
    };
    let pairs: Vec<(&Layers, &Layers)> =
        small.unwrap_or_default().iter().zip(lecun.unwrap_or_default()).collect();
    let largest = |(a, b): &(&Layers, &Layers)| {
        let ratios = a.weights.iter().zip(&b.weights).map(|(a, b)| a.std / b.std);
        ratios.fold(0.0, |most: f64, r| if most.is_nan() || r.is_nan() { f64::NAN } else { most.max(r) })
    };
    let name = "deviation of a layer's weight gradient over the control's, the largest of all layers";
    told.claim(Figure::new(name, pairs.iter().map(largest).collect()), |v| v < 1e-3, None)
}

fn saturate(large: Seeds<'_>, lecun: Seeds<'_>) -> Claim {
    let told = Told {
        claim: "with large weights (σ = 1), almost all tanh units are saturated at −1 or 1",
        control: "the same network with σ = 1/√n",
        rule: "more than 90 % of the last layer's results are beyond ±0.95",
    };
    let beside = figure("the same with σ = 1/√n", lecun, last_saturated);
    let name = format!("share of the last layer's results beyond ±{SATURATED}");
    told.claim(figure(&name, large, last_saturated), |v| v > 0.9, Some(beside))
}

fn saturated_gradients(large: Seeds<'_>, lecun: Seeds<'_>) -> Claim {
    let told = Told {
        claim: "saturated units (tanh, σ = 1) make all gradients zero",
        control: "the same network with σ = 1/√n",
        rule: "the gradient at the first layer's result has less than 1 % of the deviation that it has at the last one's; \
               the few units that are not saturated can outweigh the rest, as each passes it on times weights of σ = 1",
    };
    let beside = figure("the same with σ = 1/√n", lecun, kept_backward);
    let name = "deviation of the gradient, first layer over last";
    told.claim(figure(name, large, kept_backward), |v| v < 0.01, Some(beside))
}

fn xavier_suits_tanh(lecun: Seeds<'_>, small: Seeds<'_>) -> Claim {
    let told = Told {
        claim: "σ = 1/√n (Xavier, in the slides' form) suits tanh: activations neither vanish nor saturate",
        control: "the same network with σ = 0.01",
        rule: "the last layer's deviation is above 0.1, and in no layer are more than 10 % of the results beyond ±0.95 (else it \
               counts as 0); tanh of N(0, 1) itself has 6.7 % there",
    };
    let value = |layers: &Layers| {
        let free = layers.outputs.iter().all(|s| s.saturated.is_nan() || s.saturated <= 0.1);
        layers.outputs.last().filter(|_| free).map_or(0.0, |s| s.std)
    };
    let beside = figure("the same with σ = 0.01", small, value);
    told.claim(figure("deviation of the last layer's results", lecun, value), |v| v > 0.1, Some(beside))
}

fn xavier_breaks_for_relu(relu: Seeds<'_>, he: Seeds<'_>) -> Claim {
    let told = Told {
        claim: "σ = 1/√n breaks for ReLU: half of the variance is lost in every layer",
        control: "the same network with σ = √(2/n)",
        rule: "the last layer's deviation is below 10 % of the first one's",
    };
    let beside = figure("the same with σ = √(2/n)", he, kept);
    told.claim(
        figure("deviation of the results, last layer over first", relu, kept),
        |v| v < 0.1,
        Some(beside),
    )
}

fn he_mends(he: Seeds<'_>, relu: Seeds<'_>) -> Claim {
    let told = Told {
        claim: "σ = √(2/n) (He) mends it: results keep their scale through ReLU layers",
        control: "the same network with σ = 1/√n",
        rule: "the last layer's deviation is between 2/3 and 3/2 of the first one's",
    };
    let beside = figure("the same with σ = 1/√n", relu, kept);
    let holds = |v: f64| (2.0 / 3.0..=1.5).contains(&v);
    told.claim(figure("deviation of the results, last layer over first", he, kept), holds, Some(beside))
}

fn he_mends_backward(he: Seeds<'_>, relu: Seeds<'_>) -> Claim {
    let told = Told {
        claim: "σ = √(2/n) keeps the scale of gradients on their way back too",
        control: "the same network with σ = 1/√n",
        rule: "the gradient's deviation at the first layer's result is between 2/3 and 3/2 of that at the last one's",
    };
    let beside = figure("the same with σ = 1/√n", relu, kept_backward);
    let holds = |v: f64| (2.0 / 3.0..=1.5).contains(&v);
    told.claim(
        figure("deviation of the gradient, first layer over last", he, kept_backward),
        holds,
        Some(beside),
    )
}

/// What the slides print of the first and the last layer's deviation, in the order of [`slides`], with half of the
/// last digit.
const PRINTED: [[f64; 3]; 5] = [
    [0.213, 0.0, 0.0005],
    [0.98, 0.98, 0.005],
    [0.628, 0.228, 0.0005],
    [0.582, 0.026, 0.0005],
    [0.825, 0.844, 0.0005],
];

fn printed(measured: &[Seeds<'_>; 5], sizes: Sizes) -> Claim {
    let mut figures = Vec::new();
    let mut answers = Vec::new();
    let mut undefined = false;
    for ((setting, seeds), [first, last, half]) in slides().iter().zip(measured).zip(PRINTED) {
        let Some(seeds) = seeds.filter(|_| sizes == SLIDES) else { continue };
        for (what, at, printed) in [("first", 0, first), ("last", sizes.depth - 1, last)] {
            let name = format!("{}: {what} layer's deviation (slides: {printed})", setting.name());
            let figure = Figure::new(name, seeds.iter().map(|s| s.outputs[at].std).collect());
            // one more network of the same kind lies about that far from the mean
            undefined |= figure.mean.is_nan();
            answers.push((figure.mean - printed).abs() <= half + 4.0 * figure.std.unwrap_or(0.0));
            figures.push(figure);
        }
    }
    let verdict = match answers.contains(&false) {
        _ if undefined => Verdict::NotMeasured,
        true => Verdict::Fails,
        false => Verdict::of(&answers),
    };
    Claim {
        claim: "the slides' tables: deviations of the first and the last of ten layers of 500 units".into(),
        control: "networks of other seeds: the slides show one".into(),
        rule: "every printed figure is within four deviations over the seeds of their mean, or rounds to it"
            .into(),
        figures,
        verdict,
    }
}

/// What can be asked of any setting.
fn keeps_scale(measured: &Measured) -> Claim {
    let name = measured.setting.name();
    let told = Told {
        claim: &format!("{name}: results keep their scale from the first layer to the last"),
        control: "the gradients, on their way back",
        rule: "the last layer's deviation is between 2/3 and 3/2 of the first one's",
    };
    let seeds = Some(measured.seeds.as_slice());
    let beside = figure("deviation of the gradient, first layer over last", seeds, kept_backward);
    let holds = |v: f64| (2.0 / 3.0..=1.5).contains(&v);
    told.claim(figure("deviation of the results, last layer over first", seeds, kept), holds, Some(beside))
}
