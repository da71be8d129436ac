//! Models in a config: every form, and every message.

use super::{config, listing, model};
use thalweg::layers::{ACTIVATIONS, ALL};
use thalweg::model::{Model, ModelConfig, ModelError};

/// The message and the hint, from reading or from making the model for 64 inputs and 10 outputs.
fn complaint(json: &str) -> (String, String) {
    let parsed = match config(json) {
        Ok(config) => config,
        Err(message) => return (message, String::new()),
    };
    let error = Model::new(&parsed, &[8, 8], 10).unwrap_err();
    (error.to_string(), error.hint().unwrap_or_default())
}

#[track_caller]
fn says(json: &str, message: &str, hint: &str) {
    let (got, got_hint) = complaint(json);
    let got = got.split(" at line").next().unwrap_or_default().to_owned();
    assert_eq!((got.as_str(), got_hint.as_str()), (message, hint), "{json}");
}

fn list(layers: &str) -> String {
    format!(r#"{{"layers": [{layers}]}}"#)
}

#[test]
fn forms_of_one_model() {
    let table = config(r#"{"name": "mlp", "hidden": [512, 512]}"#).unwrap();
    assert_eq!(config(r#""mlp-512-512""#).unwrap(), table);
    let sizes = config(r#""64-512-512-10""#).unwrap();
    assert_eq!(sizes.to_string(), "64-512-512-10");
    let by_name = Model::new(&table, &[8, 8], 10).unwrap();
    assert_eq!(Model::new(&sizes, &[64], 10).unwrap().params(), by_name.params());
    let layers = list(
        r#""flatten", {"type": "linear", "units": 512}, "relu", {"type": "linear", "units": 512},
        {"type": "relu"}, {"type": "linear", "units": "outputs"}"#,
    );
    let by_layers = model(&layers, &[8, 8], 10);
    assert_eq!(by_layers.params().len(), by_name.params().len());
    assert_eq!(listing(by_layers.params())[0], "1.weight [512, 64]");
    assert_eq!(listing(model(r#""linear""#, &[8, 8], 10).params()), ["0.weight [10, 64]", "0.bias [10]"]);
    assert_eq!(listing(model(r#""64-10""#, &[8, 8], 10).params()).len(), 2);
    let plain = listing(model(r#"{"name": "mlp", "hidden": [], "bias": false}"#, &[8, 8], 10).params());
    assert_eq!(plain, ["0.weight [10, 64]"]);
}

#[test]
fn configs_survive_writing_and_reading() {
    for json in [
        r#""mlp""#,
        r#""linear""#,
        r#""64-32-10""#,
        r#"{"name": "mlp", "activation": {"type": "elu", "alpha": 2.0}, "init": {"name": "normal", "std": 0.5}}"#,
        r#"{"layers": ["flatten", {"type": "linear", "units": "outputs", "name": "head", "bias_init": "constant"}]}"#,
        r#"{"layers": [{"type": "residual", "layers": [{"type": "concat", "branches": [[], ["relu"]]}]}]}"#,
    ] {
        let read = config(json).unwrap();
        let written = serde_json::to_string(&read).unwrap();
        assert_eq!(config(&written).unwrap(), read, "{written}");
    }
    assert_eq!(config(r#"{"name": "mlp", "hidden": [128, 64]}"#).unwrap(), ModelConfig::default());
}

/// Every layer with its keys written out as the registry says is the layer without them.
#[test]
fn defaults_are_those_of_the_registry() {
    for entry in ALL.iter().chain(thalweg::model::ALL) {
        let (tag, wrap) = if ALL.iter().any(|e| e.name == entry.name && e.summary == entry.summary) {
            ("type", true)
        } else {
            ("name", false)
        };
        let needed = |name: &str| if matches!(name, "layers" | "branches") { "[]" } else { "3" };
        let written = |all: bool| {
            let keys = entry.keys.iter().filter(|k| all || k.default.is_empty());
            let keys = keys.map(|k| {
                let value = if k.default.is_empty() { needed(k.name) } else { k.default };
                format!("\"{}\": {value}", k.name)
            });
            let fields: Vec<String> =
                std::iter::once(format!("\"{tag}\": \"{}\"", entry.name)).chain(keys).collect();
            let table = format!("{{{}}}", fields.join(", "));
            config(&if wrap { list(&table) } else { table }).unwrap()
        };
        let (full, short) = (written(true), written(false));
        // what a bias starts with follows the weights unless it is written out
        if !entry.keys.iter().any(|k| k.name == "bias_init") {
            assert_eq!(full, short, "{}", entry.name);
        }
        full.check().unwrap();
    }
}

#[test]
fn unknown_words_name_the_nearest() {
    says(
        &list(r#"{"type": "liner", "units": 3}"#),
        "layers[0]: unknown layer `liner`, did you mean `linear`?",
        "",
    );
    says(&list(r#""flatten", "Relu""#), "layers[1]: unknown layer `Relu`, did you mean `relu`?", "");
    says(
        &list(r#"{"type": "linear", "unit": 3}"#),
        "layers[0]: layer `linear` has no key `unit`, did you mean `units`?",
        "",
    );
    says(r#"{"name": "mpl"}"#, "unknown model `mpl`, did you mean `mlp`?", "");
    says(r#""resent""#, "unknown model `resent`, did you mean `resnet`?", "");
    let all: Vec<String> = ACTIVATIONS.iter().map(|entry| format!("`{}`", entry.name)).collect();
    says(
        r#"{"name": "mlp", "activation": "dropout"}"#,
        &format!(
            "model `mlp`: `activation`: unknown activation `dropout`, expected one of {}",
            all.join(", ")
        ),
        "",
    );
    says(r#"{"hidden": [3]}"#, "a model needs the key `name`, or a list `layers`", "");
}

#[test]
fn wrong_values_name_the_key_and_what_is_allowed() {
    says(
        &list(r#"{"type": "dropout", "drop": 1.5}"#),
        "layers[0]: layer `dropout`: `drop` is 1.5, expected from 0 to below 1",
        "",
    );
    says(
        &list(r#"{"type": "linear", "units": -3}"#),
        "layers[0]: layer `linear`: invalid value: integer `-3`, expected a number from 1 to 16777216, or \"outputs\"",
        "",
    );
    says(
        &list(r#"{"type": "linear", "units": 0}"#),
        "layers[0]: layer `linear`: invalid value: integer `0`, expected a number from 1 to 16777216, or \"outputs\"",
        "",
    );
    says(
        &list(r#"{"type": "linear"}"#),
        "layers[0]: layer `linear` needs the key `units`: width of the result, or \"outputs\" for as many as the data asks for",
        "",
    );
    says(
        &list(r#"{"type": "linear", "units": 3, "bias": 1}"#),
        "layers[0]: layer `linear`: `bias` is 1, expected `true` or `false`",
        "",
    );
    says(
        r#"{"name": "mlp", "dropout": 1.0}"#,
        "model `mlp`: `dropout` is 1.0, expected from 0 to below 1",
        "",
    );
    says(
        r#"{"name": "mlp", "hidden": [-3]}"#,
        "model `mlp`: `hidden`: invalid value: integer `-3`, expected usize",
        "",
    );
    says(
        r#"{"name": "mlp", "hidden": [8, 0]}"#,
        "mlp: `hidden` is 0, expected from 1 to 16777216",
        "the default is `hidden = [128, 64]`",
    );
    says(
        r#"{"name": "mlp", "init": {"name": "normal", "std": "big"}}"#,
        "model `mlp`: `init`: initializer `normal`: `std` is \"big\", expected 0 or more",
        "",
    );
    says(
        &list(r#"{"type": "relu", "name": "a.b"}"#),
        "layers[0]: `name` of a layer is \"a.b\", expected a word without a full stop",
        "",
    );
}

#[test]
fn ends_must_fit_the_data() {
    says(
        r#""784-512-10""#,
        "model `784-512-10`: the data has 64 inputs and 10 outputs, the model 784 and 10",
        "`model=64-512-10`",
    );
    says(
        r#""64-512-9""#,
        "model `64-512-9`: the data has 64 inputs and 10 outputs, the model 64 and 9",
        "`model=64-512-10`",
    );
    says(
        &list(r#""flatten", {"type": "linear", "units": 12, "name": "head"}"#),
        "the last layer `head` gives [12] for a sample, the data needs [10]",
        "end with `{ type = \"linear\", units = \"outputs\" }`, which takes its width from the data",
    );
    says(
        &list(r#"{"type": "linear", "units": 10}"#),
        "the last layer `0` gives [8, 10] for a sample, the data needs [10]",
        "put `{ type = \"flatten\" }` before the last linear layer",
    );
    says(
        &list(""),
        "`layers` is empty, expected one layer or more",
        "`model=linear` is the smallest; or list layers, as in `model=mlp-64` written out",
    );
}

#[test]
fn layers_that_do_not_fit_are_named() {
    says(
        &list(
            r#""flatten", {"type": "residual", "name": "block", "layers": [{"type": "linear", "units": 3}]}"#,
        ),
        "residual `block`: what is added must be [2, 64], got [2, 3]",
        "let `layers`, and `shortcut` if there is one, end in the same shape",
    );
    says(
        &list(r#"{"type": "relu", "name": "1"}, "relu", "flatten", {"type": "linear", "units": 10}"#),
        "two layers are called `1`",
        "give one of them another `name`",
    );
    let wide = r#"{"type": "linear", "units": 16777216}"#;
    let (message, _) = complaint(&list(&format!(r#""flatten", {wide}, {wide}"#)));
    assert_eq!(message, "model `2`: parameters in all must be at most 2147483648, got 281476067229696");
    assert!(matches!(Model::new(&ModelConfig::default(), &[], 10), Ok(_) | Err(ModelError::Graph(_))));
}
