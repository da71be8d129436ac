//! Built-in data sets; each is one file here and one name in the list below.

use kernels::rng::{Purpose, Rng};

use super::{DataError, DataOptions, Dataset, Origin, Task, Values};

/// A built-in set.
pub struct BuiltIn {
    /// The name that `data` takes.
    pub name: &'static str,
    /// What it is, one line.
    pub summary: &'static str,
    /// What can be set; zeros where nothing can.
    pub defaults: Defaults,
    build: fn(&Settings) -> Result<Dataset, DataError>,
}

/// Defaults of a synthetic set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Defaults {
    /// Number of samples.
    pub n: usize,
    /// Standard deviation of the noise.
    pub noise: f32,
    /// Number of classes.
    pub classes: usize,
    /// Whether another number of classes may be asked for.
    pub any_classes: bool,
}

/// What a synthetic set is made with.
struct Settings {
    n: usize,
    noise: f32,
    classes: usize,
    seed: u64,
}

macro_rules! sets {
    ($($(#[$feature:meta])? $name:ident),* $(,)?) => {
        $($(#[$feature])? mod $name;)*
        /// All built-in sets.
        pub const ALL: &[BuiltIn] = &[$($(#[$feature])? $name::SET),*];
    };
}

sets! {
    #[cfg(feature = "gzip")] digits,
    two_moons,
    spirals,
    rings,
    xor,
    blobs,
}

/// The built-in set of a name; `_` counts as `-`.
pub fn by_name(name: &str) -> Option<&'static BuiltIn> {
    let name = name.replace('_', "-");
    ALL.iter().find(|s| s.name == name)
}

/// The most samples that are made.
const MAX_N: usize = 10_000_000;

impl BuiltIn {
    /// Makes the set.
    ///
    /// # Errors
    /// [`DataError::BadOption`] for `n`, `noise` or `classes` out of range.
    pub fn make(&self, options: &DataOptions) -> Result<Dataset, DataError> {
        let Defaults { n, noise, classes, any_classes } = self.defaults;
        let bad =
            |option, value: String, expected: String| Err(DataError::BadOption { option, value, expected });
        let settings = Settings {
            n: options.n.unwrap_or(n),
            noise: options.noise.unwrap_or(noise),
            classes: options.classes.unwrap_or(classes),
            seed: options.seed,
        };
        let only = |what: &str| format!("{what}, which is what `{}` has", self.name);
        if !(if any_classes { 2..=100 } else { classes..=classes }).contains(&settings.classes) {
            let expected = if any_classes { "2 to 100".into() } else { only(&classes.to_string()) };
            return bad("classes", settings.classes.to_string(), expected);
        }
        if settings.n != n && (settings.n < settings.classes || settings.n > MAX_N || self.is_fixed()) {
            let expected = if self.is_fixed() {
                only(&n.to_string())
            } else {
                format!("{} to {MAX_N}", settings.classes)
            };
            return bad("n", settings.n.to_string(), expected);
        }
        if !(0.0..=100.0).contains(&settings.noise) || settings.noise != noise && self.is_fixed() {
            let expected = if self.is_fixed() { only("0") } else { "0 to 100".into() };
            return bad("noise", settings.noise.to_string(), expected);
        }
        (self.build)(&settings)
    }

    /// Whether the samples are drawn by this program rather than given.
    pub fn is_drawn(&self) -> bool {
        !self.is_fixed()
    }

    /// Whether the samples are given rather than drawn.
    fn is_fixed(&self) -> bool {
        self.name == "digits"
    }
}

/// Where a point of a planar set lies, before noise, from its class and two uniform numbers.
type Place = fn(class: usize, n_classes: usize, u: [f32; 2]) -> [f32; 2];

/// A set of points in the plane, classes in turn, with Gaussian noise.
fn planar(name: &'static str, settings: &Settings, place: Place) -> Result<Dataset, DataError> {
    // The name is part of the stream, so that two sets of one seed have different noise.
    let id = crc32fast::hash(name.as_bytes()) & 0x00FF_FFFF;
    let uniform = Rng::new(settings.seed, Purpose::Synthetic, id, 0);
    let normal = Rng::new(settings.seed, Purpose::Synthetic, id, 1);
    let (mut inputs, mut targets) = (Vec::with_capacity(2 * settings.n), Vec::with_capacity(settings.n));
    for i in 0..settings.n {
        let (class, at) = (i % settings.classes, 2 * i as u64);
        let point = place(class, settings.classes, [uniform.uniform(at), uniform.uniform(at + 1)]);
        inputs.extend((0..2).map(|d| point[d] + settings.noise * normal.normal(at + d as u64)));
        targets.push(class as f32);
    }
    Ok(Dataset {
        name: name.into(),
        input_shape: vec![2],
        inputs: Values::F32(inputs),
        targets,
        task: Task::Classification { classes: (0..settings.classes).map(|c| c.to_string()).collect() },
        features: vec!["x".into(), "y".into()],
        origin: Origin {
            source: format!("made: n = {}, noise = {}, seed = {}", settings.n, settings.noise, settings.seed),
            license: "none needed".into(),
        },
        fixed_valid: None,
        fixed_test: None,
        missing: Vec::new(),
        groups: None,
        times: None,
        weights: None,
        schema: None,
        columns: Vec::new(),
        notes: Vec::new(),
        warnings: Vec::new(),
    })
}
