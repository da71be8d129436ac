//! What the scale of the first weights does to ten layers: activations and gradients, layer by layer, before training.
//!
//! h₀ ~ N(0, 1), hₗ = f(Wₗ·hₗ₋₁); backward, v ~ N(0, 1) comes in at the last layer's result, as the gradient of
//! Σ v·h_L. Each layer's gradient, and that of its weights, is what the engine's own graph gives.

mod claims;
mod measure;
mod pages;

use std::sync::atomic::Ordering;

use record::LabRecord;
use serde::Deserialize;

use super::{Lab, LabError, Request};
use crate::config;
use crate::config::field::{Field, Kind};
use crate::init::{HeNormal, InitConfig, LecunNormal, Normal};
use crate::layers::{Activation, Relu, Tanh};
use measure::{Layers, Probes};

pub(super) const ENTRY: Lab = Lab {
    name: "init",
    title: "The scale of the first weights, and what ten layers make of it",
    source: "Glorot and Bengio, Understanding the difficulty of training deep feedforward neural networks, 2010; He, Zhang, \
             Ren and Sun, Delving deep into rectifiers, 2015; the tables of Stanford's CS231n, lecture 6, 2016",
    keys: &[
        key(
            "activation",
            Kind::Free("an activation, or a list of them"),
            "[\"tanh\", \"relu\"]",
            "after every layer",
        ),
        key(
            "init",
            Kind::Free("an initializer, or a list of them"),
            "[{ name = \"normal\", std = 0.01 }, { name = \"normal\", std = 1.0 }, \"lecun_normal\", \"he_normal\"]",
            "how the weights start; alone, with both activations; without either, the five settings of the slides",
        ),
        key("depth", Kind::Whole(1, 1000), "10", "layers"),
        key("width", Kind::Whole(1, 16_384), "500", "units of each, and values of a sample"),
        key("samples", Kind::Whole(1, 1_000_000), "1000", "rows of the input, each N(0, 1)"),
    ],
    run,
};

const fn key(name: &'static str, kind: Kind, default: &'static str, help: &'static str) -> Field {
    Field { name, kind, default, example: "", help }
}

/// Sizes of the network and its input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sizes {
    depth: usize,
    width: usize,
    samples: usize,
}

/// The most numbers of a network, results and weights; ten times as many bytes are needed.
const MOST: usize = 200_000_000;

impl Sizes {
    fn check(self) -> Result<(), LabError> {
        let n = self.depth.saturating_mul(self.width).saturating_mul(self.samples.saturating_add(self.width));
        if n <= MOST {
            return Ok(());
        }
        let problem = format!("depth · width · (samples + width) is {n}, expected at most {MOST}");
        Err(config::refused("width", &problem).into())
    }
}

/// Those of the slides.
const SLIDES: Sizes = Sizes { depth: 10, width: 500, samples: 1000 };

/// An activation with an initialization.
#[derive(Clone, Debug, PartialEq)]
struct Setting {
    activation: Activation,
    init: InitConfig,
}

impl Setting {
    fn new(activation: impl Into<Activation>, init: impl Into<InitConfig>) -> Self {
        Setting { activation: activation.into(), init: init.into() }
    }

    fn activation(&self) -> String {
        self.activation.layer().describe()
    }

    /// The standard deviation as the slides write it, or the initializer's name.
    fn init(&self) -> String {
        match &self.init {
            InitConfig::Normal(normal) if normal.mean == 0.0 => format!("σ = {}", normal.std),
            InitConfig::LecunNormal(_) => "σ = 1/√n".into(),
            init if *init == HeNormal::default().into() && self.activation == Relu::default().into() => {
                "σ = √(2/n)".into()
            }
            init => init.entry().name.into(),
        }
    }

    fn name(&self) -> String {
        format!("{}, {}", self.activation(), self.init())
    }
}

/// The five settings of the slides.
fn slides() -> [Setting; 5] {
    let (small, large) = (Normal { std: 0.01, mean: 0.0 }, Normal { std: 1.0, mean: 0.0 });
    [
        Setting::new(Tanh::default(), small),
        Setting::new(Tanh::default(), large),
        Setting::new(Tanh::default(), LecunNormal {}),
        Setting::new(Relu::default(), LecunNormal {}),
        Setting::new(Relu::default(), HeNormal::default()),
    ]
}

/// A setting with what was measured of it: for each seed, its layers.
struct Measured {
    setting: Setting,
    seeds: Vec<Layers>,
}

fn run(request: &Request<'_>) -> Result<LabRecord, LabError> {
    let size = |key: &str, default: usize| Ok::<_, LabError>(request.setting(key)?.unwrap_or(default));
    let sizes = Sizes {
        depth: size("depth", SLIDES.depth)?,
        width: size("width", SLIDES.width)?,
        samples: size("samples", SLIDES.samples)?,
    };
    sizes.check()?;
    let of = |setting| Measured { setting, seeds: Vec::new() };
    let mut all: Vec<Measured> = settings(request)?.into_iter().map(of).collect();
    for seed in &request.seeds {
        (request.say)(&format!("seed {seed}"));
        let probes = Probes::new(*seed, sizes);
        for Measured { setting, seeds } in &mut all {
            if request.stop.load(Ordering::Relaxed) {
                return Err(LabError::Stopped);
            }
            seeds.push(measure::layers(setting, &probes, request.threads)?);
        }
    }
    let claims = claims::all(&all, sizes);
    Ok(pages::record(request, sizes, &all, claims))
}

/// Every activation with every initialization that is asked for; the slides' where none is.
fn settings(request: &Request<'_>) -> Result<Vec<Setting>, LabError> {
    let activations: Option<Several<Activation>> = request.setting("activation")?;
    let inits: Option<Several<InitConfig>> = request.setting("init")?;
    if activations.is_none() && inits.is_none() {
        return Ok(slides().to_vec());
    }
    let activations =
        activations.map_or_else(|| vec![Tanh::default().into(), Relu::default().into()], Several::list);
    let [small, large, lecun, _, he] = slides().map(|setting| setting.init);
    let inits = inits.map_or_else(|| vec![small, large, lecun, he], Several::list);
    for (key, checked) in [
        ("activation", activations.iter().try_for_each(|a| a.layer().check())),
        ("init", inits.iter().try_for_each(InitConfig::check)),
    ] {
        checked.map_err(|error| config::refused(key, &error.to_string()))?;
    }
    let both = |activation: &Activation| {
        let activation = activation.clone();
        inits.iter().map(move |init| Setting { activation: activation.clone(), init: init.clone() })
    };
    Ok(activations.iter().flat_map(both).collect())
}

/// One of them, or a list.
struct Several<T>(Vec<T>);

impl<T> Several<T> {
    fn list(self) -> Vec<T> {
        self.0
    }
}

impl<'de, T: serde::de::DeserializeOwned> Deserialize<'de> for Several<T> {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let values = match toml::Value::deserialize(from)? {
            toml::Value::Array(items) => items,
            toml::Value::String(text) if text.contains(',') => {
                text.split(',').map(|part| toml::Value::String(part.trim().into())).collect()
            }
            one => vec![one],
        };
        let read =
            |value: toml::Value| T::deserialize(value).map_err(|e| serde::de::Error::custom(e.message()));
        let list = values.into_iter().map(read).collect::<Result<Vec<T>, D::Error>>()?;
        match list.is_empty() {
            true => Err(serde::de::Error::custom("the list is empty")),
            false => Ok(Several(list)),
        }
    }
}
