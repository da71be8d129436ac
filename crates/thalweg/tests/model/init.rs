//! Initial values: their spread against the formulas, their bounds, and that they only depend on the seed.

use super::{config, model, run};
use thalweg::init::{ALL, InitConfig};
use thalweg::layers::{ACTIVATIONS, Activation};
use thalweg::model::{Mode, Model};

fn init(json: &str) -> InitConfig {
    serde_json::from_str(json).unwrap()
}

/// The weight [400, 600] of a linear layer with that initializer, a ReLU behind it.
fn weights(json: &str) -> Vec<f32> {
    let text = format!(
        r#"{{"layers": [{{"type": "linear", "units": 400, "init": {json}, "bias": false}}, "relu"]}}"#
    );
    model(&text, &[600], 400).init(7).0
}

fn moments(x: &[f32]) -> (f64, f64) {
    let n = x.len() as f64;
    let mean = x.iter().map(|x| f64::from(*x)).sum::<f64>() / n;
    (mean, (x.iter().map(|x| (f64::from(*x) - mean).powi(2)).sum::<f64>() / n).sqrt())
}

/// 240,000 draws: the standard error of the std is below 0.15 %, of the mean 0.2 % of the std.
#[test]
fn spreads_follow_the_formulas() {
    let (inputs, outputs) = (600f64, 400f64);
    let cases = [
        (r#"{"name": "normal", "std": 0.3}"#, 0.3),
        (r#"{"name": "uniform", "low": -0.2, "high": 0.2}"#, 0.4 / 12f64.sqrt()),
        (r#""xavier_normal""#, (2.0 / (inputs + outputs)).sqrt()),
        (r#"{"name": "xavier_normal", "mode": "fan_in"}"#, (1.0 / inputs).sqrt()),
        (r#"{"name": "xavier_normal", "mode": "fan_out", "gain": 2}"#, 2.0 * (1.0 / outputs).sqrt()),
        (r#""xavier_uniform""#, (2.0 / (inputs + outputs)).sqrt()),
        (r#"{"name": "xavier_uniform", "mode": "fan_in"}"#, (1.0 / inputs).sqrt()),
        (r#""he_normal""#, (2.0 / inputs).sqrt()),
        (r#"{"name": "he_normal", "mode": "fan_out"}"#, (2.0 / outputs).sqrt()),
        (r#"{"name": "he_normal", "gain": 1.0}"#, (1.0 / inputs).sqrt()),
        (r#""he_uniform""#, (2.0 / inputs).sqrt()),
        (r#""lecun_normal""#, (1.0 / inputs).sqrt()),
        (r#""torch_linear""#, (1.0 / (3.0 * inputs)).sqrt()),
        // cut at 2 std: variance 1 − 2·2φ(2)/(2Φ(2) − 1) = 0.7737413
        (r#"{"name": "trunc_normal", "std": 0.5, "low": -1.0, "high": 1.0}"#, 0.5 * 0.7737413f64.sqrt()),
    ];
    for (json, std) in cases {
        let (mean, got) = moments(&weights(json));
        assert!((got / std - 1.0).abs() < 0.006, "{json}: std {got}, formula {std}");
        assert!(mean.abs() < 0.008 * std, "{json}: mean {mean}");
    }
    let (mean, std) = moments(&weights(r#"{"name": "normal", "std": 0.1, "mean": 3}"#));
    assert!((mean - 3.0).abs() < 0.001 && (std - 0.1).abs() < 0.001);
}

#[test]
fn bounds_hold_and_are_reached() {
    let cases = [
        (r#""torch_linear""#, 1.0 / 600f64.sqrt()),
        (r#""he_uniform""#, (6.0 / 600f64).sqrt()),
        (r#""xavier_uniform""#, (6.0 / 1000f64).sqrt()),
        (r#"{"name": "trunc_normal", "std": 1, "low": -0.5, "high": 0.5}"#, 0.5),
    ];
    for (json, bound) in cases {
        let w = weights(json);
        let (low, high) = w.iter().fold((0f64, 0f64), |(a, b), x| (a.min((*x).into()), b.max((*x).into())));
        assert!(high <= bound * (1.0 + 1e-7) && high > 0.999 * bound, "{json}: {high} and {bound}");
        assert!(low >= -bound * (1.0 + 1e-7) && low < -0.999 * bound, "{json}: {low} and {bound}");
    }
    assert!(weights(r#""zeros""#).iter().all(|x| *x == 0.0));
    assert!(weights(r#"{"name": "constant", "value": 0.25}"#).iter().all(|x| *x == 0.25));
}

#[test]
fn biases_start_at_zero_or_as_pytorchs() {
    let bias = |layer: &str| {
        let net = model(&format!(r#"{{"layers": [{layer}]}}"#), &[100], 50);
        let (params, _) = net.init(3);
        params[net.params().find("0.bias").unwrap().range()].to_vec()
    };
    assert!(bias(r#"{"type": "linear", "units": 50}"#).iter().all(|x| *x == 0.0));
    let torch = bias(r#"{"type": "linear", "units": 50, "init": "torch_linear"}"#);
    assert!(torch.iter().all(|x| x.abs() <= 0.1) && torch.iter().any(|x| x.abs() > 0.08));
    let positive = r#"{"type": "linear", "units": 50, "bias_init": {"name": "constant", "value": 0.01}}"#;
    assert!(bias(positive).iter().all(|x| *x == 0.01));
}

/// The std of the first weight [500, 500], times √500.
fn first_gain(layers: &str) -> f64 {
    let text = format!(r#"{{"layers": [{{"type": "linear", "units": 500}}, {layers}]}}"#);
    let net = model(&text, &[500], 500);
    moments(&net.init(1).0[..250_000]).1 * 500f64.sqrt()
}

#[test]
fn weights_are_scaled_for_the_activation_that_follows() {
    let near = |got: f64, want: f64| assert!((got / want - 1.0).abs() < 0.006, "{got} and not {want}");
    near(first_gain(r#""relu""#), 2f64.sqrt());
    near(first_gain(r#""batch_norm", {"type": "dropout"}, "relu""#), 2f64.sqrt());
    near(first_gain(r#""tanh""#), 5.0 / 3.0);
    near(first_gain(r#"{"type": "leaky_relu", "slope": 1.0}"#), 1.0);
    near(first_gain(r#""layer_norm""#), 1.0);
    near(first_gain(r#"{"type": "linear", "units": 500}, "relu""#), 1.0);
}

/// E gelu(z)² = ∫ φ(z)(zΦ(z))² dz and the like, by SciPy's `quad`.
#[test]
fn gains_of_smooth_activations() {
    let gain = |name: &str| {
        let activation: Activation = serde_json::from_str(&format!("\"{name}\"")).unwrap();
        activation.layer().gain().unwrap()
    };
    for &(name, want) in GAINS {
        assert!((gain(name) - want).abs() < 1e-8 * want, "{name}: {} and not {want}", gain(name));
    }
}

/// 1/√E f(z)², with f as the layer computes it in f32 and the integral as a sum over 20,001 points of [−10, 10]. Left
/// out are those whose gain is agreed upon, not computed, and those that look at a whole row.
#[test]
fn gains_belong_to_what_the_layers_compute() {
    const AGREED: [&str; 6] = ["relu", "leaky_relu", "sigmoid", "tanh", "softmax", "log_softmax"];
    let points: Vec<f32> = (-10_000..=10_000).map(|i| i as f32 / 1000.0).collect();
    for entry in ACTIVATIONS.iter().filter(|entry| !AGREED.contains(&entry.name)) {
        let net = model(&format!(r#"{{"layers": ["{}"]}}"#, entry.name), &[1], 1);
        let values = run(&net, &points, &[], &mut [], Mode::Eval);
        let density = |z: f32| (-0.5 * f64::from(z).powi(2)).exp() / std::f64::consts::TAU.sqrt();
        let square: f64 =
            points.iter().zip(&values).map(|(z, f)| 1e-3 * density(*z) * f64::from(*f).powi(2)).sum();
        let activation: Activation = serde_json::from_str(&format!("\"{}\"", entry.name)).unwrap();
        let gain = activation.layer().gain().unwrap();
        assert!((gain * square.sqrt() - 1.0).abs() < 1e-5, "{}: {gain}, 1/√{square}", entry.name);
    }
}

const GAINS: &[(&str, f64)] = &[
    ("elu", 1.2451983007),
    ("gelu", 1.5335304412),
    ("silu", 1.6765324703),
    ("mish", 1.4868475813),
    ("softplus", 1.0418668355),
    ("softsign", 2.3375333631),
    ("hard_sigmoid", 1.8978404247),
    ("hard_swish", 1.7366572128),
    ("hard_tanh", 1.3920361404),
];

#[test]
fn values_depend_on_the_seed_and_the_place_alone() {
    let net = |text: &str| Model::new(&config(text).unwrap(), &[6], 3).unwrap();
    let narrow = net(r#"{"name": "mlp", "hidden": [5]}"#);
    assert_eq!(narrow.init(1), narrow.init(1));
    assert_ne!(narrow.init(1), narrow.init(2));
    let (params, _) = narrow.init(1);
    let view = |name: &str| &params[narrow.params().find(name).unwrap().range()];
    assert_ne!(view("0.weight")[..15], view("2.weight")[..15]);
    // one more layer behind does not move the first
    let (deep, _) = net(r#"{"name": "mlp", "hidden": [5, 5]}"#).init(1);
    assert_eq!(deep[..30], params[..30]);
}

#[test]
fn defaults_are_those_of_the_registry() {
    for entry in ALL {
        let named = init(&format!("\"{}\"", entry.name));
        let keys: Vec<String> = entry.keys.iter().map(|k| format!("\"{}\": {}", k.name, k.default)).collect();
        let fields: Vec<String> =
            std::iter::once(format!("\"name\": \"{}\"", entry.name)).chain(keys).collect();
        let full = format!("{{{}}}", fields.join(", "));
        assert_eq!(init(&full), named, "{full}");
        assert_eq!(init(&serde_json::to_string(&named).unwrap()), named);
        assert_eq!(named.entry().name, entry.name);
        named.check().unwrap();
    }
}

#[test]
fn wrong_settings_are_named() {
    let error = |json: &str| match serde_json::from_str::<InitConfig>(json) {
        Err(error) => error.to_string(),
        Ok(init) => init.check().unwrap_err().to_string(),
    };
    for (json, message) in [
        (r#""he_norml""#, "unknown initializer `he_norml`, did you mean `he_normal`?"),
        (r#"{"name": "normal", "sd": 1}"#, "initializer `normal` has no key `sd`, did you mean `std`?"),
        (r#"{"name": "normal", "std": -1}"#, "initializer `normal`: `std` is -1, expected 0 or more"),
        (
            r#"{"name": "xavier_normal", "mode": "fan"}"#,
            "initializer `xavier_normal`: `mode` is \"fan\", expected one of `fan_in`, `fan_out`, `fan_avg`",
        ),
        (
            r#"{"name": "he_normal", "gain": -2}"#,
            "he_normal: `gain` is -2, expected a number above 0, or \"auto\"",
        ),
        (r#"{"name": "uniform", "low": 1, "high": 0}"#, "uniform: `high` is 0, expected 1 or more"),
        (
            r#"{"name": "trunc_normal", "low": 3, "high": 4}"#,
            "trunc_normal: `low` is 3, expected at most 2 std above the mean",
        ),
        (r#"{"std": 1}"#, "an initializer needs the key `name`"),
    ] {
        assert!(error(json).starts_with(message), "{json}: {}", error(json));
    }
}
