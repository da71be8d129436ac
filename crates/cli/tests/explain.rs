//! `thalweg explain`: what matters comes first, the same seed gives the same, and the report shows it.

mod common;

use common::Folder;
use serde_json::{Value, json};

/// A price that follows the rooms, a little the side, and nothing else; `kind` follows the side alone.
fn write(here: &Folder) {
    let row = |i: usize| {
        let (rooms, side) = (1 + i * 7 % 6, i * 5 % 3);
        let price = 1000 * rooms + 400 * side + i * 31 % 17;
        format!(
            "{rooms},{},{},{},{price}\n",
            ["north", "south", "west"][side],
            i * 37 % 101,
            ["a", "b"][side / 2]
        )
    };
    let text = "rooms,side,noise,kind,price\n".to_owned() + &(0..400).map(row).collect::<String>();
    std::fs::write(here.path().join("house.csv"), text).unwrap();
}

fn column<'a>(answer: &'a Value, name: &str) -> &'a Value {
    answer["columns"].as_array().unwrap().iter().find(|c| c["column"] == name).unwrap()
}

#[test]
fn columns_come_by_what_they_matter() {
    let here = Folder::new("explain");
    write(&here);
    here.run("data=house.csv data.drop=kind model=mlp-16 epochs=60 lr=0.01 --run-dir run -q").fine();
    let answer = here.run("explain run --json --repeats 5").json().pop().unwrap();
    let names: Value = answer["columns"].as_array().unwrap().iter().map(|c| c["column"].clone()).collect();
    assert_eq!(names, json!(["rooms", "side", "noise"]));
    assert_eq!((&answer["metric"], &answer["split"]), (&json!("rmse"), &json!("valid")));
    assert_eq!(column(&answer, "side")["inputs"], 3);
    let rmse = |name: &str| column(&answer, name)["importance"]["rmse"]["mean"].as_f64().unwrap();
    // shuffled, a column's error is √2 of its own deviation: 1000 · 1.71 · √2 for the rooms
    assert!((1800.0..3000.0).contains(&rmse("rooms")) && rmse("noise").abs() < 60.0, "{answer}");
    assert!(column(&answer, "rooms")["importance"]["rmse"]["std"].as_f64().unwrap() > 0.0);
    // partial dependence: a room is worth 1000, the sides 400 each
    let of =
        |name: &str| answer["dependence"].as_array().unwrap().iter().find(|d| d["column"] == name).unwrap();
    let rooms = of("rooms");
    assert_eq!(rooms["at"], json!([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]));
    let means: Vec<f64> = rooms["means"][0].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect();
    assert!((means[5] - means[0] - 5000.0).abs() < 250.0, "{means:?}");
    let side = of("side");
    assert_eq!(side["at"], json!(["north", "south", "west"]));
    let means: Vec<f64> = side["means"][0].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect();
    assert!((means[2] - means[0] - 800.0).abs() < 150.0, "{means:?}");
    // the same seed gives the same, on any number of threads; another does not
    let again = here.run("explain run threads=1 --json --repeats 5").json().pop().unwrap();
    assert_eq!(again["columns"], answer["columns"]);
    let other = here.run("explain run --json --repeats 5 --seed 1").json().pop().unwrap();
    assert_ne!(other["columns"], answer["columns"]);
    let kept: Value =
        serde_json::from_slice(&std::fs::read(here.path().join("run/explanation.json")).unwrap()).unwrap();
    assert_eq!(kept["columns"], other["columns"]);
    let page = std::fs::read_to_string(here.path().join("run/report.html")).unwrap();
    assert!(page.contains("Which columns matter") && page.contains("Mean answers by rooms"));
    // other weights, and what was told of the old ones is gone
    here.run("resume run epochs=61 -q").fine();
    assert!(!here.path().join("run/explanation.json").exists());
}

#[test]
fn classes_are_explained_by_accuracy_and_images_by_squares() {
    let here = Folder::new("explain-classes");
    write(&here);
    here.run("data=house.csv data.target=kind data.drop=price model=mlp-16 epochs=30 --run-dir run -q")
        .fine();
    let text = here.run("explain run").out;
    let first = text.lines().position(|line| line.starts_with("column")).unwrap() + 1;
    assert!(text.lines().nth(first).unwrap().starts_with("side    ████████████████████████"), "{text}");
    assert!(
        text.contains("how much accuracy falls when a column is shuffled, mean ± deviation of 10"),
        "{text}"
    );
    here.run("data=digits epochs=1 --run-dir digits -q").fine();
    let answer = here.run("explain digits --repeats 1 --json").json().pop().unwrap();
    assert_eq!((answer["columns"].as_array().unwrap().len(), &answer["dependence"]), (64, &json!([])));
    assert!(answer["columns"].as_array().unwrap().iter().any(|c| c["column"] == "row 0, column 3"));
    // without a validation part another part tells, with a warning
    here.run("data=house.csv data.target=kind data.valid=0 model=mlp-4 epochs=1 --run-dir none -q").fine();
    let ran = here.run("explain none -q");
    assert_eq!(ran.err, "warning: there is no validation part, so the test part is used\n");
}
