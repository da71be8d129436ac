//! `thalweg lab`: what a lab leaves behind, and that its figures are those of the slides.

mod common;

use common::Folder;
use serde_json::Value;

fn read(here: &Folder, file: &str) -> String {
    let path = here.path().join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{e}: {}", path.display()))
}

fn verdict(here: &Folder, out: &str) -> Value {
    serde_json::from_str(&read(here, &format!("{out}/init/verdict.json"))).unwrap()
}

#[test]
fn the_slides_tables_come_out() {
    let here = Folder::new("lab-slides");
    let ran = here.run("lab init seeds=2 --out book --json");
    assert_eq!(ran.code, 0, "{}", ran.err);
    let csv = read(&here, "book/init/data.csv");
    let head: Vec<&str> = csv.lines().next().unwrap().split(',').collect();
    assert_eq!(
        (head.len(), &head[..7]),
        (37, ["activation", "init", "quantity", "layer", "seed", "mean", "std"].as_slice())
    );
    // every layer's deviation, as the slides print it where they do, of seed 0
    let std = |activation: &str, init: &str, layer: usize| {
        let start = format!("{activation},\"{init}\",output,{layer},0,");
        let line = csv.lines().find(|line| line.starts_with(&start)).unwrap_or_else(|| panic!("{start}"));
        line[start.len()..].split(',').nth(1).unwrap().parse::<f64>().unwrap()
    };
    let near = |value: f64, printed: f64, by: f64| {
        assert!((value - printed).abs() <= by, "{value} instead of {printed}")
    };
    near(std("tanh", "normal std=0.01 mean=0.0", 1), 0.213, 0.003);
    near(std("tanh", "normal std=0.01 mean=0.0", 10), 0.0, 1e-5);
    near(std("tanh", "normal std=1.0 mean=0.0", 1), 0.98, 0.005);
    near(std("tanh", "normal std=1.0 mean=0.0", 10), 0.98, 0.005);
    near(std("tanh", "lecun_normal", 1), 0.628, 0.005);
    near(std("tanh", "lecun_normal", 10), 0.228, 0.015);
    near(std("relu", "lecun_normal", 1), 0.582, 0.01);
    near(std("relu", "lecun_normal", 10), 0.026, 0.008);
    near(std("relu", "he_normal mode=fan_in gain=auto", 1), 0.825, 0.015);
    near(std("relu", "he_normal mode=fan_in gain=auto", 10), 0.844, 0.2);

    let verdict = verdict(&here, "book");
    let words: Vec<(&str, &str)> = verdict["claims"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| (c["claim"].as_str().unwrap(), c["verdict"].as_str().unwrap()))
        .collect();
    let of = |part: &str| {
        words.iter().find(|(claim, _)| claim.contains(part)).unwrap_or_else(|| panic!("{part}")).1
    };
    assert_eq!(of("shrink towards zero"), "holds");
    assert_eq!(of("all activations become zero"), "does not hold here");
    assert_eq!(of("almost all tanh units are saturated"), "holds");
    assert_eq!(of("breaks for ReLU"), "holds");
    assert_eq!(of("(tanh, σ = 1) make all gradients zero"), "does not hold here");
    assert!(words.iter().all(|(_, verdict)| *verdict != "not measured"), "{words:?}");
    for claim in verdict["claims"].as_array().unwrap() {
        assert!(["control", "rule"].iter().all(|key| !claim[key].as_str().unwrap().is_empty()), "{claim}");
        assert!(!claim["figures"].as_array().unwrap().is_empty(), "{claim}");
    }
    let (svg, page) = (read(&here, "book/init/figure.svg"), read(&here, "book/init/index.html"));
    assert!(svg.starts_with("<svg ") && page.contains(svg.trim_end()) && !svg.contains("NaN"));
    assert!(!page.contains("http://") || !page.replace("http://www.w3.org/2000/svg", "").contains("http://"));
    assert_eq!(ran.json().pop().unwrap()["claims"], verdict["claims"]);

    let before = read(&here, "book/init/verdict.json");
    here.run("lab init depth=1 --out book").fails(
        2,
        "error: folder exists and is not empty: book/init\nhint: write elsewhere with `--out DIR`, or remove the folder first",
    );
    assert_eq!(here.run("lab all --out book").code, 2);
    assert_eq!(read(&here, "book/init/verdict.json"), before);
}

#[test]
fn a_setting_of_ones_own_is_judged_by_its_figures() {
    let here = Folder::new("lab-own");
    let words = "lab init activation=tanh init=he_normal depth=3 width=40 samples=64 seeds=[4,9]";
    here.run(&format!("{words} --out a -q threads=1")).fine();
    here.run(&format!("{words} --out b -q threads=2")).fine();
    assert_eq!(read(&here, "a/init/data.csv"), read(&here, "b/init/data.csv"));
    let verdict = verdict(&here, "a");
    assert_eq!(verdict["seeds"], serde_json::json!([4, 9]));
    let claims = verdict["claims"].as_array().unwrap();
    let own = claims.last().unwrap();
    assert!(own["claim"].as_str().unwrap().starts_with("tanh, he_normal: results keep"), "{own}");
    let held = |claim: &Value| {
        let values = claim["figures"][0]["values"].as_array().unwrap();
        values.iter().map(|v| (2.0 / 3.0..=1.5).contains(&v.as_f64().unwrap())).collect::<Vec<_>>()
    };
    let word = match held(own)[..] {
        [true, true] => "holds",
        [false, false] => "does not hold here",
        _ => "undecided",
    };
    assert_eq!(own["verdict"], word);
    assert!(claims[..claims.len() - 1].iter().all(|claim| claim["verdict"] == "not measured"));
    // no scale is kept where there is hardly any
    here.run("lab init activation=relu init.name=normal init.std=0.001 depth=3 width=40 samples=64 seeds=2 --out c -q").fine();
    assert_eq!(
        self::verdict(&here, "c")["claims"].as_array().unwrap().last().unwrap()["verdict"],
        "does not hold here"
    );
}

#[test]
fn labs_are_listed_and_mistakes_told() {
    let here = Folder::new("lab-list");
    assert!(here.run("lab list").fine().starts_with("init  "));
    assert!(here.run("lab list init").fine().contains("width"));
    let labs = here.run("lab list --json").json();
    assert_eq!(labs[0]["labs"][0]["name"], "init");
    here.run("lab nosuch").fails(2, "error: there is no lab `nosuch`\nhint: there are init, and `all`");
    for word in ["dept=3", "activation=rely", "init=normal-1", "width=0", "width=16000", "seeds=0"] {
        let ran = here.run(&format!("lab init {word}"));
        assert!(ran.code == 2 && ran.err.contains("\nhint: "), "{word}: {}", ran.err);
    }
    assert_eq!(here.run("lab all depth=3").code, 2);
    assert_eq!(std::fs::read_dir(here.path()).unwrap().count(), 0);
}
