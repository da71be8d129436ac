//! What to type about a run that diverged: the setting that is far from what is usual, else the learning rate.

use thalweg::config::{GroupConfig, RunConfig};
use thalweg::optim::{Sam, WrapConfig, Wrappers};

/// How many times the default a setting is before it is taken for the cause.
const FAR: f64 = 100.0;

/// Weight decay beyond which a step shrinks weights below zero and on.
const STRONG_DECAY: f64 = 10.0;

/// The hint for a run that these settings made.
pub fn hint(mut config: RunConfig) -> String {
    let kept = "the last good state is kept";
    if let Some(words) = far_off(&config) {
        return format!("try {words}; {kept}");
    }
    let lr = *config.optimizer.lr_mut();
    let usual = usual_lr(&config);
    // far above the default one step down is no cure
    let less = if lr > FAR * usual { usual } else { lr / 10.0 };
    format!("try `lr={}` (now {}) or `clip_norm=1`; {kept}", typed(less), typed(lr))
}

/// A setting besides the learning rate that is far off, with what to type instead.
fn far_off(config: &RunConfig) -> Option<String> {
    let usual = Sam::default().rho;
    let rho = config.wrap.0.iter().find_map(|wrap| match wrap {
        WrapConfig::Sam(sam) if sam.rho > FAR * usual => Some(sam.rho),
        _ => None,
    });
    if let Some(rho) = rho {
        let tamed = |wrap: &WrapConfig| match wrap {
            WrapConfig::Sam(_) => WrapConfig::Sam(Sam::default()),
            other => other.clone(),
        };
        let wrap = Wrappers(config.wrap.0.iter().map(tamed).collect());
        return Some(format!("{}, whose `rho` is now {}", list("wrap", &wrap), typed(rho)));
    }
    let is_far = |group: &GroupConfig| {
        group.lr_factor > FAR || group.weight_decay.is_some_and(|decay| decay > STRONG_DECAY)
    };
    if let Some(group) = config.groups.iter().find(|group| is_far(group)) {
        let key = if group.lr_factor > FAR { "lr_factor" } else { "weight_decay" };
        let tamed = |group: &GroupConfig| match is_far(group) {
            true => GroupConfig {
                lr_factor: if group.lr_factor > FAR { 1.0 } else { group.lr_factor },
                weight_decay: group.weight_decay.map(|decay| decay.min(0.01)),
                ..group.clone()
            },
            false => group.clone(),
        };
        let groups: Vec<GroupConfig> = config.groups.iter().map(tamed).collect();
        return Some(format!("{}, with a smaller `{key}`", list("groups", &groups)));
    }
    let table = toml::Value::try_from(&config.optimizer).ok()?;
    let decay =
        table.get("weight_decay").and_then(toml::Value::as_float).filter(|decay| *decay > STRONG_DECAY)?;
    Some(format!("`optimizer.weight_decay=0.01` (now {})", typed(decay)))
}

/// A list as one types it in a shell.
fn list(key: &str, value: &impl serde::Serialize) -> String {
    let text = toml::Value::try_from(value).map_or_else(|_| String::new(), |value| value.to_string());
    format!("`'{key}={text}'`")
}

/// The learning rate where none is set.
fn usual_lr(config: &RunConfig) -> f64 {
    let word = format!("optimizer={}", config.optimizer.entry().name);
    RunConfig::load(None, &[word]).map_or(1e-3, |mut config| *config.optimizer.lr_mut())
}

/// A number as one types it, in two digits.
fn typed(x: f64) -> String {
    let x: f64 = format!("{x:.1e}").parse().unwrap_or(x);
    if (1e-4..1e5).contains(&x) { x.to_string() } else { format!("{x:e}") }
}
