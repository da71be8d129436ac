//! Every key of the config, in the order in which they are written.

use super::RunConfig;
use super::field::{Choice, Field, Kind};
use crate::data::{Preprocess, augment};
use crate::registry::{Entry, Range};
use crate::{init, layers, losses, model, optim, schedule};

/// The registry of models.
pub static MODELS: Choice = Choice {
    word: Some(super::model::word),
    parts: Some(super::model::LAYER_LIST),
    ..registry("model", "models", model::ALL, "mlp")
};

/// The registry of optimizers.
pub static OPTIMIZERS: Choice = registry("optimizer", "optimizers", optim::ALL, "adam");

/// The registry of what is laid around optimizers.
pub static WRAPPERS: Choice = registry("wrapper", "wrappers", optim::WRAPPERS, "");

/// The registry of averages of weights.
pub static AVERAGES: Choice = registry("average", "averages", optim::AVERAGES, "ema");

/// The registry of schedules.
pub static SCHEDULES: Choice =
    Choice { common: schedule::Warmup::KEYS, ..registry("schedule", "schedules", schedule::ALL, "constant") };

/// The registry of losses.
pub static LOSSES: Choice = registry("loss", "losses", losses::ALL, "auto");

/// The registry of layers, activations too.
pub static LAYERS: Choice = registry("layer", "layers", layers::ALL, "");

/// The registry of activations.
pub static ACTIVATIONS: Choice = registry("activation", "activations", layers::ACTIVATIONS, "relu");

/// The registry of random changes of training images.
pub static AUGMENT: Choice = registry("transform", "augment", augment::ALL, "");

/// The registry of initializers.
pub static INITS: Choice = registry("initializer", "inits", init::ALL, "he_normal");

const fn registry(
    what: &'static str,
    list: &'static str,
    entries: &'static [Entry],
    default: &'static str,
) -> Choice {
    Choice { what, list, entries, common: &[], default, word: None, parts: None }
}

/// What `preprocess` may be.
pub(super) const PREPROCESS: &[&str] = &{
    let mut words = ["auto"; Preprocess::ALL.len() + 1];
    let mut i = 0;
    while i < Preprocess::ALL.len() {
        words[i + 1] = Preprocess::ALL[i].1;
        i += 1;
    }
    words
};

/// What `augment` may be.
pub(super) const TRANSFORMS: &str = "a list of transforms such as [\"flip\", { type = \"crop\", padding = 4 }], or one \
                                     text such as \"crop-4,flip\"";

/// What `wrap` may be.
pub(super) const WRAPPER_LIST: &str = "a list of wrappers such as [\"lookahead\", { name = \"sam\", rho = 0.1 }], or one text such \
                                   as \"lookahead,sam\"";

/// What `heads` may be.
pub(super) const HEAD_LIST: &str =
    "a list such as [{ name = \"color\", target = \"color\", loss = \"cross_entropy\", weight = 1.0 }]";

/// What `groups` may be.
pub(super) const GROUP_LIST: &str = "a list of tables such as [{ match = \"*.bias\", lr_factor = 0.1, weight_decay = 0.0 }, \
                                 { match = \"0.*\", freeze = true }]";

/// Beside the keys of the run: a short word for one of a table.
const LR: Field = Field {
    name: "lr",
    kind: Kind::Number(Range::AtLeast(0.0)),
    default: "",
    example: "0.01",
    help: "short for `optimizer.lr`",
};

/// Where `lr` stands among them.
const LR_AT: usize = 5;

/// The top of the config: plain keys first, tables last.
pub const TOP: &[Field] = &{
    let mut all = [LR; RunConfig::FIELDS.len() + 1];
    let mut i = 0;
    while i < RunConfig::FIELDS.len() {
        all[if i < LR_AT { i } else { i + 1 }] = RunConfig::FIELDS[i];
        i += 1;
    }
    all
};

/// Words of other tools for keys of this one.
pub const SYNONYMS: &[(&str, &str)] = &[
    ("learning_rate", "lr"),
    ("lr_scheduler", "schedule"),
    ("scheduler", "schedule"),
    ("max_steps", "steps"),
    ("max_epochs", "epochs"),
    ("bs", "batch"),
    ("minibatch", "batch"),
    ("workers", "threads"),
    ("random_state", "seed"),
    ("normalize", "preprocess"),
    ("grad_clip", "clip_norm"),
    ("augmentation", "augment"),
    ("grad_accumulation", "accumulate"),
    ("accumulate_grad_batches", "accumulate"),
    ("gradient_accumulation_steps", "accumulate"),
    ("param_groups", "groups"),
    ("ema", "average"),
    ("swa", "average"),
    ("lookahead", "wrap"),
    ("sam", "wrap"),
    ("transforms", "augment"),
    ("criterion", "loss"),
    ("weights", "init_from"),
    ("pretrained", "init_from"),
    ("network", "model"),
    ("arch", "model"),
    ("path", "data"),
    ("label_smoothing", "loss.smoothing"),
    ("warmup_steps", "schedule.warmup"),
    ("test_size", "data.test"),
    ("validation_split", "data.valid"),
];
