//! Hints about settings.

use super::{Case, case, write};

/// A training of a moment.
pub const CASES: &[Case] = &[
    case("config.Read", "thalweg train none.toml", "{0} && thalweg config check none.toml"),
    case("config.Syntax", "thalweg config check run.toml", "thalweg config check run.toml")
        .setup(|here| write(here, "run.toml", "epochs = 1\ndata = digits\n"))
        .by_hand(|here, quoted| write(here, "run.toml", format!("epochs = 1\n{}\n", quoted[0]))),
    case("config.Syntax", "thalweg config check run.toml", "thalweg config check run.toml")
        .setup(|here| write(here, "run.toml", "epochs = 1\nepochs = 2\n"))
        .by_hand(|here, _| write(here, "run.toml", "epochs = 1\n")),
    case("config.Syntax", "thalweg config check run.toml", "thalweg config check run.toml")
        .setup(|here| write(here, "run.toml", "{\"data\": \"digits\"}\n"))
        .by_hand(|here, quoted| write(here, "run.toml", format!("{}\n", quoted[1]))),
    case("config.NotAnOverride", "thalweg train epochs 1 model=mlp-4", "thalweg train {0} model=mlp-4 -q"),
    case("config.NotAnOverride", "thalweg train t.csv", "thalweg train {0} model=mlp-4 batch=16 steps=1 -q"),
    case("config.NotAnOverride", "thalweg eval r run.toml", "{0} -q")
        .setup(|here| write(here, "run.toml", "steps = 1\nmodel = \"mlp-4\"\n"))
        .before(super::RUN),
    case("config.NotAnOverride", "thalweg config show what", "thalweg config show {0}"),
    case("config.UnknownKey", "thalweg config show learning_rate=0.1", "thalweg config show {0}=0.1"),
    case("config.UnknownKey", "thalweg config show batchnorm=true", "thalweg config show {0}=true"),
    case(
        "config.UnknownKey",
        "thalweg config show optimizer.betas=0.8,0.9 optimizer=sgd",
        "thalweg config show {0} optimizer.betas=0.8,0.9",
    ),
    case("config.UnknownKey", "thalweg config show zzz=1", "{0}"),
    case("config.UnknownKey", "thalweg lab init time=1s", "thalweg lab init {2}=1 {3}=3 {4}=4 {5}=1 -q"),
    case(
        "config.UnknownName",
        "thalweg config show optimizer=adamv",
        "thalweg config show optimizer={0} && {1}",
    ),
    case("config.UnknownName", "thalweg config show model=mpl-32", "thalweg config show model={0} && {1}"),
    case("config.UnknownName", "thalweg config show schedule=qqq", "{0}"),
    case("config.Value", "thalweg config show batch=many", "thalweg config show {0}"),
    case("config.Value", "thalweg config show clip_norm=-1", "thalweg config show {0}"),
    case("config.Value", "thalweg config show threads=99", "thalweg config show {0}"),
    case(
        "config.Value",
        "thalweg config show 'heads=[{name=class,weight=-1}]'",
        "thalweg config show 'heads=[{name=class,weight=1.0}]'",
    )
    .by_hand(|_, quoted| assert_eq!(quoted[0], "weight = 1.0")),
    case(
        "config.Value",
        "thalweg seed=9223372036854775807 seeds=2",
        "thalweg {0} seeds=2 steps=1 model=mlp-4 -q",
    ),
    case("config.Refused", "thalweg config show model.activation=rellu", "{0}"),
    case("config.Both", "thalweg config show lr=1 optimizer.lr=2", "thalweg config show optimizer.lr=2"),
    case("config.Twice", "thalweg config show epochs=1 epochs=2", "thalweg config show {0}"),
    case(
        "config.BatchTooLarge",
        "thalweg data=t.csv batch=500 model=mlp-4",
        "thalweg data=t.csv {0} model=mlp-4 steps=1 -q",
    ),
    case(
        "schedule.NoSteps",
        "thalweg steps=2 schedule=cosine schedule.length=0st",
        "thalweg steps=2 schedule=cosine {0} model=mlp-4 -q",
    ),
    case(
        "schedule.NoSteps",
        "thalweg steps=2 'momentum_schedule={name=\"cosine\",length=\"0st\"}'",
        "thalweg steps=2 momentum_schedule=cosine {0} model=mlp-4 -q",
    ),
    case(
        "schedule.Rises",
        "thalweg steps=2 schedule=coslog schedule.warmup=5st",
        "thalweg steps=2 schedule=coslog {0} model=mlp-4 -q",
    ),
    case(
        "decay.UnmatchedPattern",
        "thalweg optimizer=adamw optimizer.decay_on='[q]'",
        "thalweg optimizer=adamw 'optimizer.decay_on=[{1}]' model=mlp-4 steps=1 -q",
    ),
    case(
        "unmatched.UnmatchedPattern",
        "thalweg 'groups=[{match=q,lr_factor=0.1}]'",
        "thalweg 'groups=[{match={1},lr_factor=0.1}]' model=mlp-4 steps=1 -q",
    ),
    case(
        "group.Shadowed",
        "thalweg 'groups=[{match=\"*\",lr_factor=0.1},{match=\"*.bias\",lr_factor=0.2}]'",
        "thalweg 'groups=[{match=\"*.bias\",lr_factor=0.2},{match=\"*\",lr_factor=0.1}]' model=mlp-4 steps=1 -q",
    ),
    case("group.AllFrozen", "thalweg 'groups=[{match=\"*\",freeze=true}]'", "thalweg eval r")
        .before(super::RUN)
        .by_hand(|_, quoted| assert_eq!(quoted[0], "thalweg eval RUN")),
];
