//! Configs drawn over the documented range of every key of every layer: names, keys and ranges are the registry's, so a
//! layer that is added there is drawn too.

use serde_json::{Map, Value, json};
use thalweg::engine::rng::{Purpose, Rng};
use thalweg::registry::{Entry, Range};
use thalweg::{init, layers, optim};

/// Which values are drawn from a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spread {
    /// at its lower end
    Small,
    /// each alike
    Uniform,
    /// each order of magnitude alike
    Orders,
}

/// A source of values: every call takes the next word of a stream.
pub struct Draws {
    rng: Rng,
    at: u64,
    spread: Spread,
}

/// The config of draw `i`, as TOML. Even ones are small; odd ones reach over the whole range.
pub fn config(seed: u64, i: u64) -> String {
    let rng = Rng::new(seed, Purpose::Probe, i as u32, 0);
    let mut draws = Draws { rng, at: 0, spread: Spread::Small };
    if i % 2 == 1 {
        draws.spread = if draws.chance(0.5) { Spread::Uniform } else { Spread::Orders };
    }
    let n_layers = draws.whole(1, 4);
    let mut list: Vec<Value> = (0..n_layers).map(|_| draws.layer(0)).collect();
    list.push(json!("flatten"));
    list.push(json!({ "type": "linear", "units": "outputs" }));
    let data = ["digits", "digits", "digits", "two-moons"][draws.whole(0, 3) as usize];
    let optimizers: Vec<&str> = optim::ALL.iter().map(|e| e.name).collect();
    let config = json!({
        "data": data,
        "steps": 1,
        "epochs": 1,
        "batch": draws.whole(2, 16),
        "eval_batch": if draws.spread == Spread::Small { draws.whole(1, 64) } else { draws.number(1.0, 4_294_967_295.0) as u64 },
        "shards": draws.whole(1, 8),
        "threads": draws.whole(1, 2),
        "seed": i,
        "optimizer": *draws.one_of(&optimizers),
        "model": { "layers": list },
    });
    toml::to_string(&config).unwrap_or_else(|error| panic!("{config}: {error}"))
}

impl Draws {
    fn unit(&mut self) -> f64 {
        self.at += 1;
        f64::from(self.rng.word(self.at)) / 4_294_967_296.0
    }

    fn chance(&mut self, p: f64) -> bool {
        self.unit() < p
    }

    /// A whole number, each alike.
    fn whole(&mut self, low: u64, high: u64) -> u64 {
        low + (self.unit() * (high - low + 1) as f64) as u64
    }

    fn one_of<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.whole(0, list.len() as u64 - 1) as usize]
    }

    /// A number of a range, as the draws are spread.
    fn number(&mut self, low: f64, high: f64) -> f64 {
        let (u, width) = (self.unit(), high - low);
        match self.spread {
            Spread::Small => low + u * width.min(4.0),
            Spread::Orders if width > 1.0 => low - 1.0 + (u * (width + 1.0).ln()).exp(),
            _ if width.is_finite() => low + u * width,
            _ => low * (1.0 - u) + high * u,
        }
        .clamp(low, high)
    }

    /// A layer with every key that it must have and some of those that it may have.
    fn layer(&mut self, depth: usize) -> Value {
        let lists = |e: &Entry| {
            let is_list = |k: &thalweg::registry::Key| k.range.to_string().contains("list");
            e.keys.iter().any(is_list)
        };
        let mut entry = *self.one_of(layers::ALL);
        while depth > 1 && lists(&entry) {
            entry = *self.one_of(layers::ALL);
        }
        self.table("type", &entry, depth)
    }

    fn table(&mut self, tag: &str, entry: &Entry, depth: usize) -> Value {
        let mut table = Map::from_iter([(tag.to_owned(), json!(entry.name))]);
        for key in entry.keys {
            let given = key.default.is_empty() || self.chance(0.4);
            if let Some(value) = given.then(|| self.value(entry, key.name, key.range, depth)) {
                table.insert(key.name.to_owned(), value);
            }
        }
        Value::Object(table)
    }

    fn value(&mut self, entry: &Entry, key: &str, range: Range, depth: usize) -> Value {
        let large = f64::from(f32::MAX);
        match range {
            Range::AtLeast(low) | Range::Above(low) => {
                let x = self.number(low, large);
                json!(if x > low { x } else { low + 1.0 })
            }
            Range::Within(low, high) if low.fract() == 0.0 && low >= 1.0 => {
                json!(self.number(low, high) as u64)
            }
            Range::Within(low, high) => json!(self.number(low, high)),
            Range::Below(low, high) => json!(low + (high - low) * self.unit() * 0.999),
            Range::Words(words) => json!(*self.one_of(words)),
            Range::Switch => json!(self.chance(0.5)),
            Range::Told(_, text) | Range::Other(text) => self.described(text, depth).unwrap_or_else(|| {
                panic!("`{key}` of `{}`: teach these draws what \"{text}\" means", entry.name)
            }),
        }
    }

    /// A value of a range that is given in words.
    fn described(&mut self, text: &str, depth: usize) -> Option<Value> {
        match text {
            "an initializer" => {
                let entry = *self.one_of(init::ALL);
                return Some(self.table("name", &entry, depth));
            }
            "an activation" => {
                let entry = *self.one_of(layers::ACTIVATIONS);
                return Some(self.table("type", &entry, depth));
            }
            "a list of layers" => return Some(self.list(depth + 1)),
            "a list of lists of layers" => {
                let n = self.whole(1, 3);
                return Some((0..n).map(|_| self.list(depth + 1)).collect());
            }
            "a number above 0, or \"auto\"" => {
                return Some(if self.chance(0.5) { json!("auto") } else { json!(self.number(0.1, 1e6)) });
            }
            "a list of whole numbers from 0" => {
                let n = self.whole(0, 3);
                let mut places: Vec<u64> = (0..n).map(|_| self.number(0.0, 1e9) as u64).collect();
                places.sort_unstable();
                return Some(json!(places));
            }
            _ => {}
        }
        let (_, bounds) = text.split_once("from ")?;
        let mut bounds = bounds.split(|c: char| !c.is_ascii_digit()).filter_map(|n| n.parse::<u64>().ok());
        let (low, high) = (bounds.next()?, bounds.next()?);
        let mut forms: Vec<Value> = text.split('"').skip(1).step_by(2).map(|word| json!(word)).collect();
        let number = |draws: &mut Draws| json!(draws.number(low as f64, high as f64) as u64);
        if text.contains("a number") {
            forms.push(number(self));
        }
        for (form, n) in [("[height, width]", 2), ("[before, behind]", 2), ("[top, left, bottom, right]", 4)]
        {
            if text.contains(form) {
                forms.push((0..n).map(|_| number(self)).collect());
            }
        }
        Some(self.one_of(&forms).clone())
    }

    fn list(&mut self, depth: usize) -> Value {
        let n = self.whole(0, 2);
        (0..n).map(|_| self.layer(depth)).collect()
    }
}
