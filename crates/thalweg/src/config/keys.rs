//! Every key of the config, in the order in which they are written.

use engine::exec::MAX_WORKERS;

use super::field::{Choice, Field, Kind};
use crate::data::augment;
use crate::registry::{Entry, Range};
use crate::{init, layers, losses, model, optim, schedule};

/// The registry of models.
pub static MODELS: Choice = Choice {
    word: Some(super::model::word),
    parts: Some(super::model::LAYER_LIST),
    ..registry("model", "models", model::ALL, "mlp")
};

/// The registry of optimisers.
pub static OPTIMISERS: Choice = registry("optimiser", "optimisers", optim::ALL, "adam");

/// The registry of what is laid around optimizers.
pub static WRAPPERS: Choice = registry("wrapper", "wrappers", optim::WRAPPERS, "");

/// The registry of averages of weights.
pub static AVERAGES: Choice = registry("average", "averages", optim::AVERAGES, "ema");

/// The registry of schedules.
pub static SCHEDULES: Choice =
    Choice { common: &schedule::WARMUP_KEYS, ..registry("schedule", "schedules", schedule::ALL, "constant") };

/// The registry of losses.
pub static LOSSES: Choice = registry("loss", "losses", losses::ALL, "auto");

/// The registry of layers, activations too.
pub static LAYERS: Choice = registry("layer", "layers", layers::ALL, "");

/// The registry of activations.
pub static ACTIVATIONS: Choice = registry("activation", "activations", layers::ACTIVATIONS, "relu");

/// The registry of random changes of training images.
pub static AUGMENT: Choice = registry("transform", "augment", augment::ALL, "");

/// The registry of initialisers.
pub static INITS: Choice = registry("initialiser", "inits", init::ALL, "he_normal");

const fn registry(
    what: &'static str,
    list: &'static str,
    entries: &'static [Entry],
    default: &'static str,
) -> Choice {
    Choice { what, list, entries, common: &[], default, word: None, parts: None }
}

const MANY: u64 = u64::MAX;
/// The most that the 32-bit sample indices can count.
const SAMPLES: u64 = u32::MAX as u64;

const PREPROCESS: &[&str] = &[
    "auto",
    "none",
    "centre",
    "standardise",
    "channel-centre",
    "channel-standardise",
    "global-standardise",
    "second-moment",
    "scale01",
];

const fn key(name: &'static str, kind: Kind, default: &'static str, help: &'static str) -> Field {
    Field { name, kind, default, example: "", help }
}

const fn unset(name: &'static str, kind: Kind, example: &'static str, help: &'static str) -> Field {
    Field { name, kind, default: "", example, help }
}

/// The top of the config: plain keys first, tables last.
pub const TOP: &[Field] = &[
    key(
        "epochs",
        Kind::Whole(0, MANY),
        "20",
        "passes over the training samples; as many as `steps` takes where that is set",
    ),
    unset("steps", Kind::Whole(0, MANY), "1000", "updates; the run ends at whichever of the two comes first"),
    key("batch", Kind::Whole(1, SAMPLES), "64", "samples that go through the network at once"),
    key(
        "accumulate",
        Kind::Whole(1, SAMPLES),
        "1",
        "batches whose gradients are averaged for one update; steps and schedules count updates",
    ),
    key(
        "eval_batch",
        Kind::Whole(1, SAMPLES),
        "256",
        "samples measured at once; does not change the figures' meaning",
    ),
    unset("lr", Kind::Number(Range::AtLeast(0.0)), "0.01", "short for `optimizer.lr`"),
    unset("clip_norm", Kind::Number(Range::Above(0.0)), "1.0", "longest gradient; a longer one is shortened"),
    unset(
        "clip_value",
        Kind::Number(Range::Above(0.0)),
        "1.0",
        "largest element of the gradient, after `clip_norm`; larger ones are cut",
    ),
    key("shuffle", Kind::Switch, "true", "another order of the samples in every epoch"),
    key("seed", Kind::Whole(0, i64::MAX as u64), "0", "decides everything random"),
    unset(
        "seeds",
        Kind::Free("how many seeds, or a list of them such as [0, 1, 2]"),
        "3",
        "several runs, and their mean: so many seeds from `seed` on, or a list of them",
    ),
    key("shards", Kind::Whole(1, 1024), "8", "parts of a batch; with the seed they define the numbers"),
    key(
        "threads",
        Kind::Whole(0, MAX_WORKERS as u64),
        "0",
        "0: one for each core; never changes the numbers",
    ),
    unset(
        "time",
        Kind::Free("a time such as 90s, 10m, 1h30m"),
        "\"10m\"",
        "the longest that this may take; then it stops, and `thalweg resume` goes on",
    ),
    unset("init_from", Kind::Text, "\"start.safetensors\"", "weights to start from"),
    key("preprocess", Kind::Words(PREPROCESS), "\"auto\"", "of the inputs, fitted on the training samples"),
    key(
        "augment",
        Kind::Free(
            "a list of transforms such as [\"flip\", { type = \"crop\", padding = 4 }], or one text such as \"crop-4,flip\"",
        ),
        "[]",
        "random changes of training images, in this order; `thalweg list augment` shows all",
    ),
    key(
        "wrap",
        Kind::Free(
            "a list of wrappers such as [\"lookahead\", { name = \"sam\", rho = 0.1 }], or one text such as \"lookahead,sam\"",
        ),
        "[]",
        "laid around the optimizer, from the inside out; `thalweg list wrappers` shows all",
    ),
    key(
        "groups",
        Kind::Free(
            "a list of tables such as [{ match = \"*.bias\", lr_factor = 0.1, weight_decay = 0.0 }, { match = \"0.*\", freeze = true }]",
        ),
        "[]",
        "parameters by name with lr_factor (times lr), weight_decay, freeze or optimizer; the first match counts",
    ),
    key(
        "standardise_targets",
        Kind::WordsOrSwitch(&["auto"]),
        "\"auto\"",
        "regression: learn targets of mean 0 and deviation 1",
    ),
    key(
        "heads",
        Kind::Free(
            "a list such as [{ name = \"color\", target = \"color\", loss = \"cross_entropy\", weight = 1.0 }]",
        ),
        "[]",
        "several things to learn at once, each with a name, target columns, a loss and its weight",
    ),
    key("top_k", Kind::Wholes(1), "[]", "also measure how often the truth is among the k likeliest"),
    unset("name", Kind::Text, "\"first-try\"", "of the run folder; else made of data and model"),
    key("data", Kind::Table(DATA), "\"digits\"", "what to learn from"),
    key("model", Kind::Choice(&MODELS), "\"mlp\"", "the network"),
    key("optimizer", Kind::Choice(&OPTIMISERS), "\"adam\"", "how weights move"),
    key("schedule", Kind::Choice(&SCHEDULES), "\"constant\"", "how the learning rate changes"),
    unset(
        "momentum_schedule",
        Kind::Choice(&SCHEDULES),
        "\"cosine\"",
        "a factor of the momentum, and of Adam's first beta",
    ),
    unset("weight_decay_schedule", Kind::Choice(&SCHEDULES), "\"cosine\"", "a factor of every weight decay"),
    unset(
        "average",
        Kind::Choice(&AVERAGES),
        "\"ema\"",
        "of the weights, measured and kept in their place; batch norm's statistics are those of the trained weights",
    ),
    key("loss", Kind::Choice(&LOSSES), "\"auto\"", "what is made small"),
    key("save", Kind::Table(SAVE), "\"1ep\"", "checkpoints"),
];

const SHARE: Kind = Kind::Number(Range::AtLeast(0.0));

/// `[data]`; `data = "x"` is short for its first key.
pub const DATA: &[Field] = &[
    key("source", Kind::Text, "\"digits\"", "a built-in name, a file or a folder"),
    unset(
        "valid",
        SHARE,
        "0.1",
        "to choose by: a share below 1, or a number of samples; 0.1, of arrays nothing",
    ),
    unset("test", SHARE, "0.2", "to report once: the same; 0.2, of arrays nothing"),
    unset("stratify", Kind::Switch, "true", "each part has its share of every class; yes for classes"),
    key("split_seed", Kind::Whole(0, i64::MAX as u64), "0", "which of the many splits"),
    unset("folds", Kind::Whole(2, SAMPLES), "5", "cross-validation: cut the samples into so many parts"),
    unset(
        "fold",
        Kind::Whole(0, SAMPLES),
        "0",
        "which fold is the test part, from 0; without it, each in turn",
    ),
    key("target", Kind::Texts, "[]", "target columns; else the last one"),
    unset(
        "task",
        Kind::Words(&["classification", "regression"]),
        "\"regression\"",
        "else told by the targets",
    ),
    unset("classes", Kind::Whole(1, 65_536), "10", "number of classes; else all that are found"),
    key("drop", Kind::Texts, "[]", "columns to leave out"),
    unset("header", Kind::Switch, "true", "whether a table's first line holds names; else found out"),
    unset("separator", Kind::Text, "\";\"", "between a table's fields; else found out"),
    unset("allow_missing", Kind::Switch, "true", "missing values become means; yes in tables"),
    key(
        "channels",
        Kind::Words(&["auto", "first", "last"]),
        "\"auto\"",
        "where images in arrays have them: [C, H, W] or [H, W, C]",
    ),
    key(
        "color",
        Kind::Words(&["auto", "grey", "rgb"]),
        "\"auto\"",
        "of image files; auto: grey if all are grey",
    ),
    key("size", Kind::Wholes(1), "[]", "of image files: one number, or height and width; else as they are"),
    key(
        "resize",
        Kind::Words(&["stretch", "crop", "pad"]),
        "\"stretch\"",
        "how image files get that size: all to it, the middle, or with black beside it",
    ),
    key(
        "corrupt",
        Kind::Words(&["skip", "error"]),
        "\"skip\"",
        "what becomes of image files that cannot be read",
    ),
    key("labels", Kind::Words(&["fine", "coarse"]), "\"fine\"", "of CIFAR-100: 100 classes, or 20 groups"),
    unset("n", Kind::Whole(1, SAMPLES), "1000", "samples of a synthetic set"),
    unset("noise", Kind::Number(Range::AtLeast(0.0)), "0.1", "deviation of a synthetic set's noise"),
    key("seed", Kind::Whole(0, i64::MAX as u64), "0", "of a synthetic set"),
];

/// `[save]`.
pub const SAVE: &[Field] = &[
    key("every", Kind::Length, "\"1ep\"", "distance of checkpoints: \"1ep\", \"500st\", \"0.1dur\""),
    key("best", Kind::Text, "\"auto\"", "metric that tells the best epoch, such as \"valid_loss\""),
];

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
    ("optimiser", "optimizer"),
    ("random_state", "seed"),
    ("normalize", "preprocess"),
    ("normalise", "preprocess"),
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
