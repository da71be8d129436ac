//! The config: what it reads, what it refuses and in which words, and that what it writes reads back the same.

use std::path::Path;

use serde_json::Value;
use thalweg::config::{RunConfig, json_schema};
use thalweg::schedule;

fn load(words: &[&str]) -> RunConfig {
    let words: Vec<String> = words.iter().map(|w| w.to_string()).collect();
    RunConfig::load(None, &words).unwrap_or_else(|e| panic!("{words:?}: {e}"))
}

/// The message and the hint of a command line, or of a file where the words hold a line break.
fn refused(text: &str) -> String {
    let (file, words) = if text.contains('\n') { (text, vec![]) } else { ("", text.split(' ').collect()) };
    let words: Vec<String> = words.into_iter().map(String::from).collect();
    let error = RunConfig::from_toml(file, Path::new("run.toml"), &words).expect_err(text);
    format!("{error}\n{}", error.hint())
}

fn check(text: &str, expected: &str) {
    assert_eq!(refused(text), expected, "{text}");
}

#[test]
fn an_unknown_key_names_the_nearest() {
    check("epoch=5", "unknown key `epoch` on the command line\ndid you mean `epochs`?");
    check("\nepoch = 5\n", "unknown key `epoch` at run.toml:2\ndid you mean `epochs`?");
    check(
        "[optimizer]\nname = \"adam\"\nbeta = [0.9, 0.99]\n",
        "unknown key `optimizer.beta` at run.toml:3\ndid you mean `optimizer.betas` (default [0.9, 0.999])?",
    );
    check(
        "optimizer.lrr=1",
        "unknown key `optimizer.lrr` on the command line\ndid you mean `optimizer.lr` (default 0.001)?",
    );
    check("learning_rate=1", "unknown key `learning_rate` on the command line\ndid you mean `lr`?");
    check(
        "hidden=[64]",
        "unknown key `hidden` on the command line\ndid you mean `model.hidden` (default [128, 64])?",
    );
    check(
        "loss.smoothing=0.1",
        "unknown key `loss.smoothing` on the command line\nit belongs to `loss=cross_entropy`: set that as well",
    );
    check("zzz=1", "unknown key `zzz` on the command line\nthe keys are the fields of `RunConfig`");
}

#[test]
fn an_unknown_name_names_the_nearest() {
    check(
        "\n\n[optimizer]\nname = \"adamv\"\n",
        "unknown optimizer `adamv` at run.toml:4\ndid you mean `adam`?",
    );
    check("model=mpl", "unknown model `mpl` on the command line\ndid you mean `mlp`?");
    let there: Vec<&str> = schedule::ALL.iter().map(|e| e.name).collect();
    let there = format!("there are {}", there.join(", "));
    check("schedule=qqq", &format!("unknown schedule `qqq` on the command line\n{there}"));
}

#[test]
fn a_wrong_value_says_what_it_is_and_may_be() {
    check(
        "batch=ten",
        "`batch` is the text \"ten\" on the command line, expected a whole number, 1 or more\nfor example `batch=64`",
    );
    check(
        "batch=0",
        "`batch` is 0 on the command line, expected a whole number, 1 or more\nfor example `batch=64`",
    );
    check(
        "data.fold=7",
        "`data.fold` on the command line: a fold is one of `data.folds`, which is not set; with `data.folds=5` there are folds 0 to 4\n\
         the documentation of `data` says what it takes",
    );
    check(
        "batch=100000000000",
        "`batch` is 100000000000 on the command line, expected a whole number from 1 to 4294967295\nfor example `batch=64`",
    );
    check("\nlr = -0.1\n", "`lr` is -0.1 at run.toml:2, expected a number, 0 or more\nfor example `lr=0.01`");
    check("lr=nan", "`lr` is NaN on the command line, expected a number, 0 or more\nfor example `lr=0.01`");
    check(
        "optimizer.lr=inf",
        "`optimizer.lr` is inf on the command line, expected a number, 0 or more\nthe default is `optimizer.lr=0.001`",
    );
    check(
        "shuffle=1",
        "`shuffle` is 1 on the command line, expected `true` or `false`\nthe default is `shuffle=true`",
    );
    check(
        "[model]\nactivation = \"rellu\"\n",
        "`model.activation` at run.toml:2: model `mlp`: `activation`: unknown activation `rellu`, did you mean `relu`?\n\
         the documentation of `model` says what it takes",
    );
    check(
        "optimizer.betas=[2,0.1]",
        "`optimizer.betas` on the command line: adam: `betas` is 2, expected from 0 to below 1\n\
         the documentation of `optimizer` says what it takes",
    );
    check(
        "data.folds=3 data.fold=3",
        "`data.fold` is 3 on the command line, expected a whole number from 0 to 2, as `data.folds` is 3\n\
         for example `data.fold=0`",
    );
    check("lr=0.1 optimizer.lr=0.2", "`lr` and `optimizer.lr` are both set on the command line\nremove `lr`");
    check(
        "epochs=99999999999999999999999",
        "`epochs` is the text \"99999999999999999999999\" on the command line, expected a whole number, 0 or more\n\
         for example `epochs=20`",
    );
    check(
        "foo",
        "`foo` is not of the form `key=value`\nsettings are written without spaces, as in `epochs=10 lr=0.01`",
    );
    assert!(refused("epochs = \n").starts_with("not TOML at run.toml:1: "));
    assert!(refused("data = \"a\ndata = \"b\"\n").starts_with("not TOML at run.toml:1: "));
    assert!(refused("a = 1\na = 2\n").starts_with("not TOML at run.toml:2: "));
}

#[test]
fn a_file_that_cannot_be_read() {
    let error = RunConfig::load(Some(Path::new("/nowhere/run.toml")), &[]).unwrap_err();
    assert_eq!(error.to_string(), "cannot read the config: there is no such file: /nowhere/run.toml");
}

#[test]
fn what_is_written_reads_back_the_same() {
    let cases: &[&[&str]] = &[
        &[],
        &[
            "data=wine.csv",
            "data.target=quality",
            "data.drop=[\"a b\",\"3\"]",
            "data.valid=0",
            "data.test=37",
        ],
        &["steps=1000", "clip_norm=1", "init_from=a \"b\".safetensors", "name=x", "top_k=[3,5]"],
        &["optimizer=momentum", "lr=1e-7", "schedule=cosine", "schedule.warmup=5ep", "shuffle=false"],
        &["model=784-512-10", "model.batch_norm=true", "loss=huber", "loss.delta=2"],
        &["loss=cross_entropy", "loss.class_weights=[1,2.5]", "loss.smoothing=0.1", "preprocess=none"],
        &["model.layers=[{type='linear',units=4},'relu',{type='linear',units='outputs'}]"],
        &["optimizer.decay_on=[\"*.weight\"]", "optimizer.weight_decay=0.01", "standardize_targets=false"],
        &["data.separator=;", "data.header=false", "data.task=regression", "save.every=10st", "data.folds=5"],
    ];
    for words in cases {
        let config = load(words);
        let text = config.to_toml();
        let again =
            RunConfig::from_toml(&text, Path::new("run.toml"), &[]).unwrap_or_else(|e| panic!("{e}\n{text}"));
        assert_eq!(again, config, "{text}");
        assert_eq!(again.to_toml(), text);
        config.check().unwrap();
    }
    assert_eq!(RunConfig::default(), load(&[]));
}

#[test]
fn every_key_is_written_with_a_comment() {
    let text = RunConfig::default().to_toml();
    for line in text.lines().filter(|l| l.contains(" = ")) {
        assert!(line.contains("  # "), "{line}");
    }
    for key in ["steps", "clip_norm", "init_from", "batch", "data", "stratify", "betas", "warmup", "every"] {
        assert!(text.lines().any(|l| l.trim_start_matches(['#', ' ', '[']).starts_with(key)), "{key}");
    }
}

#[test]
fn later_words_win_and_names_take_their_keys_along() {
    let file = "lr = 0.5\n[data]\nsource = \"a.csv\"\nvalid = 0.3\n[optimizer]\nname = \"adam\"\nbetas = [0.8, 0.9]\n";
    let over = |words: &[&str]| {
        let words: Vec<String> = words.iter().map(|w| w.to_string()).collect();
        RunConfig::from_toml(file, Path::new("run.toml"), &words).unwrap()
    };
    let lr = |mut c: RunConfig| *c.optimizer.lr_mut();
    assert_eq!(lr(over(&[])), 0.5);
    assert_eq!(lr(over(&["lr=0.25"])), 0.25);
    assert_eq!(lr(over(&["optimizer.lr=0.125"])), 0.125);
    assert_eq!(lr(over(&["optimizer=sgd"])), 0.5);
    assert_eq!(over(&["optimizer=adam"]), over(&[]));
    assert_eq!(over(&["optimizer=sgd"]).optimizer.entry().name, "sgd");
    assert_eq!(over(&["data=b.csv"]).data.source, "b.csv");
    assert_eq!(over(&["data=b.csv"]).data.valid, over(&[]).data.valid);
    assert_eq!(load(&["model.dropout=0.1", "model=mlp-7"]), load(&["model=mlp-7", "model.dropout=0.1"]));
    let file = |words: &[&str]| {
        let words: Vec<String> = words.iter().map(|w| (*w).to_string()).collect();
        RunConfig::from_toml("clip_norm = 1.0", Path::new("run.toml"), &words).unwrap()
    };
    assert_eq!(file(&["clip_norm=none"]), load(&[]));
}

#[test]
fn texts_may_look_like_numbers() {
    assert_eq!(load(&["data=2024.5"]).data.source, "2024.5");
    assert_eq!(load(&["data.target=007"]).data.target, ["007"]);
    assert_eq!(load(&["data.target=1.50"]).data.target, ["1.50"]);
    assert_eq!(load(&["name=true"]).name.as_deref(), Some("true"));
    assert_eq!(load(&["data=a=b.csv"]).data.source, "a=b.csv");
    assert_eq!(load(&["epochs=1e3"]).epochs, Some(1000));
}

#[test]
fn batches_fit_the_data() {
    let config = load(&["batch=100"]);
    assert!(config.check_samples(100).is_ok());
    let error = config.check_samples(99).unwrap_err();
    assert_eq!(error.to_string(), "`batch` is 100, more than the 99 training samples");
    assert_eq!(error.hint(), "lower it: `batch=99` or less");
}

/// A small judge of JSON schemas: as much as ours uses.
fn valid(value: &Value, schema: &Value) -> bool {
    let number = |key: &str| schema.get(key).and_then(Value::as_f64);
    let kind = |kind: &str| match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.as_f64().is_some_and(|x| x.fract() == 0.0),
        "number" => value.is_number(),
        other => panic!("{other}"),
    };
    let kinds: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(all) => all.iter().filter_map(Value::as_str).collect(),
        _ => vec![],
    };
    let x = value.as_f64();
    let any = schema["anyOf"].as_array().is_none_or(|all| all.iter().any(|s| valid(value, s)));
    let words = schema["enum"].as_array().is_none_or(|all| all.contains(value));
    let constant = schema.get("const").is_none_or(|c| c == value);
    let bounds = x.is_none_or(|x| {
        number("minimum").is_none_or(|m| x >= m)
            && number("maximum").is_none_or(|m| x <= m)
            && number("exclusiveMinimum").is_none_or(|m| x > m)
            && number("exclusiveMaximum").is_none_or(|m| x < m)
    });
    let items = value
        .as_array()
        .is_none_or(|all| all.iter().all(|v| schema.get("items").is_none_or(|s| valid(v, s))));
    let keys = value.as_object().is_none_or(|map| {
        let properties = schema["properties"].as_object();
        map.iter().all(|(k, v)| match properties.and_then(|p| p.get(k)) {
            Some(schema) => valid(v, schema),
            None => schema["additionalProperties"] != false,
        }) && schema["required"]
            .as_array()
            .is_none_or(|all| all.iter().all(|k| map.contains_key(k.as_str().unwrap())))
    });
    (kinds.is_empty() || kinds.iter().any(|k| kind(k))) && any && words && constant && bounds && items && keys
}

#[test]
fn the_schema_accepts_what_is_written_and_refuses_what_is_refused() {
    let schema = json_schema();
    let json = |toml: &str| serde_json::to_value(toml.parse::<toml::Table>().unwrap()).unwrap();
    let good: &[&[&str]] = &[
        &[],
        &["optimizer=sgd", "schedule=cosine", "loss=huber", "clip_norm=1", "top_k=[5]", "data.target=y"],
        &["model.layers=['relu']", "data.folds=5", "standardize_targets=true", "init_from=a"],
    ];
    for words in good {
        let text = load(words).to_toml();
        assert!(valid(&json(&text), &schema), "{text}");
    }
    for short in
        ["data = \"digits\"", "model = \"784-10\"", "optimizer = \"adam\"", "[optimizer]\nlr = 1", "save = 2"]
    {
        assert!(valid(&json(short), &schema), "{short}");
    }
    for bad in [
        "epoch = 1",
        "batch = 0",
        "lr = -1",
        "optimizer = \"adamv\"",
        "[optimizer]\nname = \"sgd\"\nbetas = [1]",
        "[data]\nvalidd = 1",
        "shuffle = 1",
        "preprocess = \"x\"",
    ] {
        assert!(!valid(&json(bad), &schema), "{bad}");
        assert!(RunConfig::from_toml(bad, Path::new("x"), &[]).is_err(), "{bad}");
    }
}

/// One list, however it is typed.
#[test]
fn lists_mean_the_same_everywhere() {
    let read =
        |words: &[&str]| RunConfig::load(None, &words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>());
    let same = |all: &[&[&str]]| {
        let first = read(all[0]).unwrap_or_else(|e| panic!("{e}: {:?}", all[0]));
        assert_ne!(first, RunConfig::default());
        for words in all {
            assert_eq!(read(words).as_ref(), Ok(&first), "{words:?}");
        }
    };
    same(&[
        &["data.drop=[\"a\",\"b\"]"],
        &["data.drop=[a,b]"],
        &["data.drop=a,b"],
        &["data.drop=a, b,"],
        &["data.drop=a", "data.drop=b"],
        &["data.drop=[a]", "accumulate=1", "data.drop=[\"b\"]"],
    ]);
    same(&[&["data.drop=[\"a, b\",c]"], &["data.drop=\"a, b\",c"], &["data.drop=\"a, b\"", "data.drop=c"]]);
    same(&[&["data.target=[\"x\",\"y\"]"], &["data.target=x,y"], &["data.target=x", "data.target=y"]]);
    same(&[&["data.size=[8,16]"], &["data.size=8,16"], &["data.size=8", "data.size=16"]]);
    same(&[&["top_k=[1,5]"], &["top_k=1,5"], &["top_k=1", "top_k=5"]]);
    same(&[&["seeds=[3,4]"], &["seeds=3,4"], &["seeds=3", "seeds=4"]]);
    same(&[&["model.hidden=[64,32]"], &["model.hidden=64,32"], &["model.hidden=64", "model.hidden=32"]]);
    same(&[&["model.hidden=[64]"], &["model.hidden=64"]]);
    same(&[&["optimizer.betas=[0.8,0.9]"], &["optimizer.betas=0.8,0.9"]]);
    same(&[
        &["augment=[\"flip\",{type=\"crop\",padding=4}]"],
        &["augment=flip,{type=crop,padding=4}"],
        &["augment=[flip,crop-4]"],
        &["augment=flip,crop-4"],
        &["augment=flip", "augment=crop-4"],
    ]);
    same(&[
        &["groups=[{match=\"*.bias\",freeze=true}]"],
        &["groups=[{match=*.bias,freeze=true}]"],
        &["groups={match=*.bias,freeze=true}"],
    ]);
    same(&[
        &["heads=[{name=\"a\"},{name=\"b\",weight=2.0}]"],
        &["heads=[{name=a},{name=b,weight=2.0}]"],
        &["heads={name=a}", "heads={name=b,weight=2.0}"],
    ]);
    same(&[
        &["model.layers=[{type=\"linear\",units=8},\"relu\"]"],
        &["model.layers=[{type=linear,units=8},relu]"],
    ]);
    let file = |text: &str| RunConfig::from_toml(text, "run.toml".as_ref(), &[]);
    assert_eq!(
        file("top_k = \"1,5\"\n[model]\nhidden = \"64,32\""),
        read(&["top_k=1,5", "model.hidden=64,32"])
    );
    assert_eq!(file("[data]\ndrop = \"a, b\"").unwrap().data.drop, ["a, b"]);
}

#[test]
fn one_value_is_enough_for_what_is_no_list() {
    let error = |words: &[&str]| {
        let words: Vec<String> = words.iter().map(|w| (*w).to_owned()).collect();
        let error = RunConfig::load(None, &words).unwrap_err();
        format!("{error}; {}", error.hint())
    };
    assert_eq!(
        error(&["epochs=5", "lr=0.1", "epochs=6"]),
        "`epochs` is set twice on the command line: to 5 and to 6; keep one of them, such as `epochs=6`"
    );
    assert!(error(&["data=a.csv", "data.source=b.csv"]).contains("`data.source` is set twice"));
    assert!(error(&["optimizer=sgd", "optimizer.name=adam"]).contains("to sgd and to adam"));
    assert!(error(&["data.header=true", "data.header=true"]).contains("set twice"));
    assert!(error(&["model=mlp-8", "model=mlp-9"]).contains("to mlp-8 and to mlp-9"));
}

#[test]
fn a_model_brings_what_nobody_set() {
    use thalweg::data::Preprocess;
    use thalweg::model::{Mlp, Tabular};
    let all = load(&["model=tabular"]);
    let lr = |config: &RunConfig| *config.optimizer.clone().lr_mut();
    assert_eq!((lr(&all), all.schedule.curve.entry().name, all.groups.len()), (0.04, "coslog", 2));
    assert_eq!(all.preprocess, Some(Preprocess::Robust));
    assert!(all.to_toml().contains("betas = [0.9, 0.95]"));
    assert_eq!(RunConfig::of(Tabular::default()), Ok(all.clone()));
    assert_eq!(RunConfig::of(Mlp::default()), Ok(RunConfig::default()));
    // what was written stays, and what is resolved reads back the same
    assert_eq!(RunConfig::from_toml(&all.to_toml(), Path::new("run.toml"), &[]), Ok(all));
    let one = load(&["model=tabular", "lr=0.1", "groups=[]", "preprocess=standardize"]);
    assert_eq!((lr(&one), one.groups.len(), one.preprocess), (0.1, 0, Some(Preprocess::Standardize)));
    assert!(one.to_toml().contains("betas = [0.9, 0.95]"));
    let inner = load(&["model=tabular", "optimizer.lr=0.1", "schedule.warmup=5"]);
    assert_eq!((lr(&inner), inner.schedule.curve.entry().name), (0.1, "coslog"));
    assert!(inner.to_toml().contains("betas = [0.9, 0.95]"));
    let other = load(&["model=tabular", "optimizer=sgd", "schedule=cosine"]);
    let sgd = load(&["optimizer=sgd"]);
    assert_eq!((other.optimizer, other.schedule.curve.entry().name), (sgd.optimizer, "cosine"));
    let table = RunConfig::from_toml("[model]\nname = \"tabular\"\nhidden = [8]\n", Path::new("r.toml"), &[]);
    assert_eq!(table.map(|config| lr(&config)), Ok(0.04));
    // in a run's name stands what differs from that
    assert_eq!(load(&["model=tabular"]).told(), Vec::<String>::new());
    assert_eq!(load(&["model=tabular", "lr=0.1", "schedule=constant"]).told(), ["lr0.1", "constant"]);
}
