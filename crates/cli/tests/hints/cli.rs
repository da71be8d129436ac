//! Hints about the command line.

use super::{Case, RUN, case, write};

pub const CASES: &[Case] = &[
    case(
        "cli.not-calibrated",
        "thalweg predict r t.csv --calibrated",
        "{0} && thalweg predict r t.csv --calibrated",
    )
    .before(super::RUN),
    case(
        "cli.calibrated-otherwise",
        "thalweg predict r t.csv --calibrated --checkpoint last",
        "{0} && thalweg predict r t.csv --calibrated --checkpoint last",
    )
    .before("thalweg data=t.csv model=mlp-4 batch=16 steps=1 -q --run-dir r && thalweg eval r --calibrate"),
    case("cli.calibrate-elsewhere", "thalweg eval r data=t.csv --calibrate", "{0}").before(super::RUN),
    case("cli.predict-with", "thalweg predict r t.csv --with x", "thalweg predict r t.csv {0}")
        .before(super::RUN),
    case("cli.jobs-of-one", "thalweg -j 2 steps=1", "thalweg -j 2 steps=1 {0} model=mlp-4 -q"),
    case("cli.two-configs", "thalweg train a.toml b.toml", "thalweg train a.toml steps=1 -q").setup(|here| {
        write(here, "a.toml", "model = \"mlp-4\"\n");
        write(here, "b.toml", "lr = 0.1\n");
    }),
    case("cli.no-lab", "thalweg lab innit", "thalweg lab init samples=4 width=3 depth=2 seeds=1 -q"),
    case(
        "cli.lab-all-setting",
        "thalweg lab all depth=3",
        "thalweg lab init depth=3 samples=4 width=3 seeds=1 -q",
    ),
    case("cli.train-on-a-run", "thalweg train r", "{0} && {1} -q").before(RUN),
    case("cli.resume-behind", "thalweg resume r steps=1", "{0} -q").before(RUN),
    case("cli.resume-behind", "thalweg resume e epochs=1", "{0} -q")
        .before("thalweg data=t.csv model=mlp-4 batch=16 epochs=1 -q --run-dir e"),
    case("cli.fixed-setting", "thalweg eval r lr=1", "thalweg eval r {1}=t.csv {2}=7 {3}=1").before(RUN),
    case("cli.no-list", "thalweg list cakes", "thalweg list models"),
    case("cli.list-no-entry", "thalweg list optimizers bob", "thalweg list optimizers adam"),
    case(
        "cli.preview-augmented",
        "thalweg data preview digits augment=flip",
        "thalweg data preview digits augment=flip {0}",
    )
    .by_hand(|_, quoted| assert_eq!(quoted[0], "--out FILE.png")),
    case(
        "cli.preview-exists",
        "thalweg data preview digits --out a.png",
        "thalweg data preview digits --out a.png {0}",
    )
    .before("thalweg data preview digits --out a.png"),
    case("cli.preview-no-images", "thalweg data preview xor --out a.png", "{0} xor"),
    case("cli.predict-onto-samples", "thalweg predict r t.csv -o t.csv", "thalweg predict r t.csv {0} a.csv")
        .before(RUN),
    case(
        "cli.predict-exists",
        "thalweg predict r t.csv -o a.csv",
        "thalweg predict r t.csv {0} b.csv && thalweg predict r t.csv -o a.csv {1}",
    )
    .before(RUN)
    .setup(|here| write(here, "a.csv", "")),
    case("cli.unknown-argument", "thalweg train --epochs 1", "thalweg train {0} model=mlp-4 -q"),
    case("cli.unknown-argument", "thalweg list --jsn", "thalweg list {0}"),
    case("cli.unknown-argument", "thalweg list --zzz", "{0}"),
    case("cli.one-more-word", "thalweg config", "{0} && {2}"),
    case("cli.bad-value", "thalweg list --color red", "thalweg list --color {1}"),
    case("cli.bad-value", "thalweg -j 100000 seeds=2", "thalweg -j 1024 seeds=2 steps=1 model=mlp-4 -q"),
    case("cli.missing-word", "thalweg predict r", "thalweg predict r t.csv && {1}").before(RUN),
    case("cli.missing-word", "thalweg predict", "{1}"),
    case("cli.unknown-verb", "thalweg lst", "thalweg {0}"),
    case("cli.unknown-verb", "thalweg t.csv", "{0} model=mlp-4 batch=16 steps=1 -q"),
    case("cli.unknown-verb", "thalweg r", "{0} && {1}").before(RUN),
    case("cli.unknown-verb", "thalweg mlp-4", "{0} steps=1 -q"),
    case("cli.unknown-verb", "thalweg qqqqqq", "thalweg train steps=1 model=mlp-4 -q"),
    case("cli.unknown-instructions", "THALWEG_ISA=abc thalweg list", "unset THALWEG_ISA; thalweg list"),
    case(
        "cli.diverged",
        "thalweg optimizer=sgd lr=1e30 model=mlp-4 -q",
        "thalweg optimizer=sgd {0} model=mlp-4 epochs=1 -q",
    ),
    case(
        "cli.diverged",
        "thalweg 'wrap={name=sam,rho=1e30}' model=mlp-4 -q",
        "thalweg {0} model=mlp-4 epochs=1 -q",
    ),
    case(
        "cli.diverged",
        "thalweg 'groups={match=\"*\",lr_factor=1e30}' model=mlp-4 -q",
        "thalweg {0} model=mlp-4 epochs=1 -q",
    ),
    case(
        "cli.diverged",
        "thalweg optimizer=sgd optimizer.weight_decay=1e30 model=mlp-4 -q",
        "thalweg optimizer=sgd {0} model=mlp-4 epochs=1 -q",
    ),
    case(
        "cli.runs-failed",
        "thalweg optimizer=sgd lr=1e30 model=mlp-4 seeds=2 epochs=1 -q",
        "thalweg optimizer=sgd lr=0.1 model=mlp-4 seeds=2 epochs=1 -q",
    ),
];
