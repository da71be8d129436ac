//! What a weights file says is enough to repeat the program's answers: in PyTorch (a checked-in result of the
//! handbook's lines) and here in f64, from the file alone.

mod common;

use std::collections::BTreeMap;
use std::path::Path;

use common::Folder;
use serde_json::{Value, json};

/// A safetensors file, read without the program: its text fields, and tensors with their shapes.
type Tensors = BTreeMap<String, (Vec<usize>, Vec<f64>)>;

fn read(path: &Path) -> (Value, Tensors) {
    let bytes = std::fs::read(path).unwrap();
    let n = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header: Value = serde_json::from_slice(&bytes[8..8 + n]).unwrap();
    let whole = |v: &Value| v.as_u64().unwrap() as usize;
    let tensor = |facts: &Value| {
        let [from, to] = [0, 1].map(|i| 8 + n + whole(&facts["data_offsets"][i]));
        let shape = facts["shape"].as_array().unwrap().iter().map(whole).collect();
        let numbers = bytes[from..to].as_chunks::<4>().0.iter().map(|b| f64::from(f32::from_le_bytes(*b)));
        (shape, numbers.collect())
    };
    let named = header.as_object().unwrap().iter().filter(|(name, _)| *name != "__metadata__");
    let tensors = named.map(|(name, facts)| (name.clone(), tensor(facts))).collect();
    (header["__metadata__"].clone(), tensors)
}

fn numbers(list: &Value) -> Vec<f64> {
    list.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

/// A row of a table as the inputs of the network, by what the file says of its columns.
fn inputs(facts: &Value, row: &BTreeMap<&str, &str>) -> Vec<f64> {
    let mut all = Vec::new();
    for column in facts["columns"].as_array().unwrap() {
        let cell = row[column["name"].as_str().unwrap()];
        let told = |key: &str, default: f64| column.get(key).map_or(default, |v| v.as_f64().unwrap());
        match column.get("values").and_then(Value::as_array) {
            None => {
                let number = cell.parse::<f64>().map(|x| (x - told("offset", 0.0)) * told("factor", 1.0));
                all.push(number.unwrap_or_else(|_| told("missing", 0.0)));
                all.extend((column["inputs"] == 2).then_some(f64::from(u8::from(cell.is_empty()))));
            }
            Some(values) => {
                let n = column["inputs"].as_u64().unwrap() as usize;
                let on = values.iter().position(|v| v == cell).unwrap_or(n - 1);
                all.extend((0..n).map(|i| f64::from(u8::from(i == on))));
            }
        }
    }
    let (scale, shift) = (numbers(&facts["scale"]), numbers(&facts["shift"]));
    let at = |list: &[f64], i: usize| if list.len() == 1 { list[0] } else { list[i] };
    all.iter().enumerate().map(|(i, x)| at(&scale, i) * x + at(&shift, i)).collect()
}

/// The network of linear layers with ReLU between them.
fn network(tensors: &Tensors, mut x: Vec<f64>) -> Vec<f64> {
    let mut places: Vec<usize> =
        tensors.keys().filter_map(|name| name.strip_suffix(".weight")?.parse().ok()).collect();
    places.sort_unstable();
    for (i, place) in places.iter().enumerate() {
        let (shape, weight) = &tensors[&format!("{place}.weight")];
        let bias = &tensors[&format!("{place}.bias")].1;
        let row = |j: usize| {
            weight[j * shape[1]..][..shape[1]].iter().zip(&x).map(|(w, x)| w * x).sum::<f64>() + bias[j]
        };
        x = (0..shape[0]).map(row).collect();
        if i + 1 < places.len() {
            x.iter_mut().for_each(|x| *x = x.max(0.0));
        }
    }
    x
}

fn answers(facts: &Value, outputs: &[f64]) -> Vec<f64> {
    match facts["probabilities"].as_str().unwrap() {
        "softmax" => {
            let top = outputs.iter().copied().fold(f64::MIN, f64::max);
            let all: Vec<f64> = outputs.iter().map(|x| (x - top).exp()).collect();
            all.iter().map(|x| x / all.iter().sum::<f64>()).collect()
        }
        "sigmoid" => outputs.iter().map(|x| 1.0 / (1.0 + (-x).exp())).collect(),
        _ if facts.get("target_scale").is_none() => outputs.to_vec(),
        _ => {
            let (scale, shift) = (numbers(&facts["target_scale"]), numbers(&facts["target_shift"]));
            outputs.iter().enumerate().map(|(i, x)| (x - shift[i]) / scale[i]).collect()
        }
    }
}

/// Rows of a CSV file without quotes, by their columns.
fn rows(text: &str) -> Vec<BTreeMap<&str, &str>> {
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().unwrap().split(',').collect();
    lines.map(|line| names.iter().copied().zip(line.split(',')).collect()).collect()
}

fn table() -> String {
    let row = |i: usize| {
        let size = if i % 17 == 3 { String::new() } else { format!("{}.5", 20 + i * 7 % 50) };
        let side = ["north", "south", "west"][i * 5 % 3];
        format!(
            "{size},{side},{},{}.25,{}\n",
            1000 + i * 13 % 97,
            i * 11 % 40 + 5 * (i % 3),
            ["low", "high"][i * 7 % 50 / 25]
        )
    };
    "size,side,year,price,kind\n".to_owned() + &(0..240).map(row).collect::<String>()
}

/// What the program answers, and what the file alone gives.
fn both(here: &Folder, run: &str, columns: &[String]) -> Vec<(f64, f64)> {
    here.run(&format!("predict {run} table.csv -o {run}.csv")).json();
    let text = table();
    let said = std::fs::read_to_string(here.path().join(format!("{run}.csv"))).unwrap();
    let (fields, tensors) = read(&here.path().join(run).join("checkpoints/best.safetensors"));
    let facts: Value = serde_json::from_str(fields["thalweg.preprocessing"].as_str().unwrap()).unwrap();
    let mut pairs = Vec::new();
    for (row, said) in rows(&text).iter().zip(rows(&said)) {
        let own = answers(&facts, &network(&tensors, inputs(&facts, row)));
        pairs.extend(columns.iter().zip(own).map(|(name, own)| (said[name.as_str()].parse().unwrap(), own)));
    }
    assert_eq!(pairs.len(), 240 * columns.len());
    pairs
}

#[test]
fn answers_follow_from_the_file_alone() {
    let here = Folder::new("facts");
    std::fs::write(here.path().join("table.csv"), table()).unwrap();
    here.run("data=table.csv model=mlp-12-7 epochs=40 --run-dir kind -q").fine();
    for (said, own) in both(&here, "kind", &["p_high".into(), "p_low".into()]) {
        assert!((said - own).abs() < 1e-5, "{said} and {own}");
    }
    here.run("data=table.csv data.target=price model=mlp-9 epochs=10 --run-dir price -q").fine();
    for (said, own) in both(&here, "price", &["price".into()]) {
        assert!((said - own).abs() < 1e-5 * own.abs().max(1.0), "{said} and {own}");
    }
}

#[test]
fn show_tells_what_the_file_says_and_how_it_went() {
    let here = Folder::new("show");
    std::fs::write(here.path().join("table.csv"), table()).unwrap();
    here.run("data=table.csv model=mlp-4 epochs=2 lr=0.02 --run-dir run -q").fine();
    let shown = here.run("show run --json").json().pop().unwrap();
    let (fields, _) = read(&here.path().join("run/checkpoints/best.safetensors"));
    let facts: Value = serde_json::from_str(fields["thalweg.preprocessing"].as_str().unwrap()).unwrap();
    assert_eq!(shown["preprocessing"], facts);
    assert_eq!(
        facts["features"],
        json!(["size", "size=?", "side=north", "side=south", "side=west", "year", "price"])
    );
    assert_eq!(facts["classes"], json!(["high", "low"]));
    assert_eq!(shown["changed"]["optimizer.lr"], json!(0.02));
    assert_eq!((&shown["results"]["epochs"], &shown["data"]["samples"]["train"]), (&json!(2), &json!(168)));
    assert_eq!(shown["model"]["layers"].as_array().unwrap().len(), 3);
    let text = here.run("show run").fine();
    for part in
        ["run       done, 2 epochs", "2 classes: high, low", "optimizer.lr=0.02", "mlp-4", "run/report.html"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    here.run("show nothing")
        .fails(2, "error: no such run folder: nothing\nhint: `ls runs` shows the runs made here");
    // one that was stopped before its first checkpoint
    std::fs::remove_dir_all(here.path().join("run/checkpoints")).unwrap();
    let shown = here.run("show run --json").json().pop().unwrap();
    assert_eq!((&shown["preprocessing"], &shown["name"]), (&Value::Null, &json!("run")));
}

fn golden(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/pytorch").join(name)
}

/// The handbook's lines were run by the generator, on the run that is checked in.
#[test]
fn the_handbooks_python_gives_the_same() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/src/pytorch.md");
    let lines = std::fs::read_to_string(golden("snippet.py")).unwrap();
    assert!(std::fs::read_to_string(page).unwrap().contains(&lines), "run golden/pytorch/generate.py again");
    assert!(lines.lines().filter(|line| !line.is_empty()).count() <= 10);
    let here = Folder::new("golden-pytorch");
    std::fs::create_dir_all(here.path().join("wine/checkpoints")).unwrap();
    for name in ["wine.csv", "wine/config.toml", "wine/summary.json", "wine/checkpoints/best.safetensors"] {
        std::fs::copy(golden(name), here.path().join(name)).unwrap();
    }
    let said = here.run("predict wine wine.csv").fine();
    let torch = std::fs::read_to_string(golden("probabilities.csv")).unwrap();
    let (said, torch) = (rows(&said), rows(&torch));
    assert_eq!((said.len(), torch.len()), (200, 200));
    for (said, torch) in said.iter().zip(&torch) {
        for (class, p) in torch {
            let own: f64 = said[format!("p_{class}").as_str()].parse().unwrap();
            assert!((own - p.parse::<f64>().unwrap()).abs() < 1e-5, "{class}: {own} and {p}");
        }
    }
}
