//! Hints about training, weights and losses.

use std::path::Path;

use super::{Case, RUN, case, table, write};

/// A number of a file of weights that is none.
fn spoil(here: &Path) {
    let path = here.join("r/checkpoints/best.safetensors");
    let mut bytes = std::fs::read(&path).unwrap();
    let header = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    bytes[8 + header..12 + header].copy_from_slice(&f32::NAN.to_le_bytes());
    write(here, "nan.safetensors", bytes);
}

pub const CASES: &[Case] = &[
    case("train.Metric", "thalweg save.best=valid_loss data=t.csv data.valid=0 batch=16 model=mlp-4", "thalweg save.best={1} data=t.csv batch=16 data.valid=0 model=mlp-4 steps=1 -q"),
    case(
        "train.LastBatch",
        "thalweg data=t.csv data.valid=0 data.test=31 batch=48 model=mlp-4 model.batch_norm=true",
        "thalweg data=t.csv data.valid=0 data.test=31 {0} model=mlp-4 model.batch_norm=true steps=1 -q",
    ),
    case(
        "train.LastBatch",
        "thalweg batch=1 model=mlp-4 model.batch_norm=true",
        "thalweg {0} model=mlp-4 model.batch_norm=true steps=1 -q",
    ),
    case("train.NoWeight", "thalweg data=t2.csv data.weight=w model=mlp-4 batch=16 steps=1 -q", "thalweg data=t2.csv data.weight=n model=mlp-4 batch=16 steps=1 -q && thalweg data=t2.csv data.drop=w model=mlp-4 batch=16 steps=1 -q")
        .setup(|here| table(here, "t2.csv", "x,w,n,class", 80, |i| format!("{i}.5,0,{},{}", i % 3, ["u", "v"][i % 2])))
        .by_hand(|_, quoted| assert_eq!(quoted, ["data.weight=NAME", "data.drop=NAME"])),
    case("train.NoWeight", "thalweg data=t2.csv data.time=x data.weight=w model=mlp-4 batch=16 steps=1 -q", "thalweg data=t2.csv data.time=x data.weight=w {0} model=mlp-4 batch=16 steps=1 -q")
        .setup(|here| table(here, "t2.csv", "x,w,class", 80, |i| format!("{i}.5,{},{}", usize::from(i < 50), ["u", "v"][i % 2]))),
    case("train.Changed", "thalweg resume r optimizer=sgd", "thalweg train init_from=r/checkpoints/best.safetensors optimizer=sgd data=t.csv model=mlp-4 batch=16 steps=1 -q")
        .before(RUN)
        .by_hand(|_, quoted| assert!(quoted[0].contains("init_from=RUN/checkpoints/best.safetensors"))),
    case("train.DataChanged", "thalweg eval r", "thalweg eval r data=t.csv")
        .before("thalweg data=t.csv model=mlp-4 batch=16 steps=1 -q --run-dir r && sed -i s/u/v/ t.csv && sed -i 2s/v/u/ t.csv"),
    case("train.SampleShape", "thalweg predict r digits", "thalweg data=digits model=mlp-4 steps=1 -q").before(RUN),
    case("train.NoTargets", "thalweg eval r data=bare.csv", "thalweg predict r bare.csv").before(RUN).setup(|here| {
        table(here, "bare.csv", "x,w", 4, |i| format!("{i},2.5"));
    }),
    case("weights.Unreadable", "thalweg data=t.csv model=mlp-4 batch=16 init_from=r", "thalweg data=t.csv model=mlp-4 batch=16 steps=1 {0} -q").before(RUN),
    case("weights.Broken", "thalweg init_from=t.csv model=mlp-4", "thalweg data=t.csv model=mlp-4 batch=16 steps=1 -q init_from=r/checkpoints/best.safetensors").before(RUN),
    case("weights.NotFinite", "thalweg init_from=nan.safetensors data=t.csv model=mlp-4 batch=16", "thalweg {0} data=t.csv model=mlp-4 batch=16 steps=1 -q").setup(|here| {
        let bin = env!("CARGO_BIN_EXE_thalweg");
        let args = ["data=t.csv", "model=mlp-4", "batch=16", "steps=1", "-q", "--run-dir", "r"];
        assert!(std::process::Command::new(bin).args(args).current_dir(here).status().unwrap().success());
        spoil(here);
        std::fs::remove_dir_all(here.join("r")).unwrap();
    }),
    case("weights.NoPrefix", "thalweg data=t.csv model=mlp-4 batch=16 init_from=r/checkpoints/best.safetensors init_prefix=zzz", "thalweg data=t.csv model=mlp-4 batch=16 steps=1 -q init_from=r/checkpoints/best.safetensors").before(RUN),
    case("weights.Unmatched", "thalweg data=t.csv model=mlp-4 batch=16 init_from=r/checkpoints/best.safetensors init_skip=zzz*", "thalweg data=t.csv model=mlp-4 batch=16 steps=1 -q init_from=r/checkpoints/best.safetensors {0}").before(RUN),
    case("weights.NothingTaken", "thalweg data=t.csv model=mlp-4 batch=16 init_from=r/checkpoints/best.safetensors init_skip=*", "thalweg data=t.csv model=mlp-4 batch=16 steps=1 -q").before(RUN),
    case("train.Calibration", "thalweg eval r --calibrate", "thalweg data=t.csv model=mlp-4 batch=16 steps=1 {0} -q --run-dir r2 && thalweg eval r2 --calibrate")
        .before("thalweg data=t.csv data.valid=0 model=mlp-4 batch=16 steps=1 -q --run-dir r"),
    case("weights.Mismatch", "thalweg data=t.csv model=mlp-5 batch=16 init_from=r/checkpoints/best.safetensors", "thalweg data=t.csv model=mlp-4 batch=16 steps=1 -q init_from=r/checkpoints/best.safetensors").before(RUN),
    case("loss.Targets", "thalweg data=n.csv loss=cross_entropy batch=16", "thalweg data=n.csv batch=16 {0} model=mlp-4 steps=1 -q")
        .setup(|here| table(here, "n.csv", "x,y", 60, |i| format!("{i},{}.25", i * 3))),
    case("train.Ahead", "thalweg resume s epochs=1", "thalweg resume s {0} -q")
        .before("thalweg data=t.csv model=mlp-4 batch=16 epochs=2 seeds=2 -q --run-dir s"),
    case("train.Heads", "thalweg data=xor 'heads=[{name=a},{name=b}]'", "thalweg data=xor {0} model=mlp-4 steps=1 -q"),
    case("train.Targets", "thalweg eval r data=blobs", "thalweg data=blobs model=mlp-4 batch=16 steps=1 -q").before(RUN),
    case("train.BrokenState", "thalweg resume r steps=2", "thalweg resume r steps=2 -q")
        .before("thalweg data=t.csv model=mlp-4 batch=16 steps=1 -q --run-dir r && cp r/checkpoints/last.safetensors keep && sed -i 's/step/stop/' r/checkpoints/last.safetensors")
        .by_hand(|here, _| {
            std::fs::copy(here.join("keep"), here.join("r/checkpoints/last.safetensors")).unwrap();
        }),
    case("loss.ClassWeights", "thalweg loss=cross_entropy loss.class_weights=1,2", "thalweg loss=cross_entropy {0} model=mlp-4 steps=1 -q"),
    case("train.Budget", "thalweg data.memory=2MiB", "thalweg {0} model=mlp-4 steps=1 -q"),
    case("train.Memory", "thalweg model=mlp-40000-40000 optimizer=adam", "thalweg model=mlp-4 optimizer=sgd steps=1 -q"),
];
