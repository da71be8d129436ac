//! Names are spelled the American way; keys and words that are typed the British way are understood.

use thalweg::config::RunConfig;

fn load(file: &str, words: &[&str]) -> RunConfig {
    let words: Vec<String> = words.iter().map(|w| (*w).to_owned()).collect();
    RunConfig::from_toml(file, "run.toml".as_ref(), &words).unwrap_or_else(|e| panic!("{file}{words:?}: {e}"))
}

#[test]
fn british_keys_and_words_mean_the_american_ones() {
    let american = load(
        "",
        &[
            "optimizer=sgd",
            "optimizer.lr=0.2",
            "data.color=gray",
            "preprocess=channel-standardize",
            "standardize_targets=false",
        ],
    );
    let british = [
        "optimiser=sgd",
        "optimiser.lr=0.2",
        "data.colour=grey",
        "preprocess=channel-standardise",
        "standardise_targets=false",
    ];
    assert_eq!(load("", &british), american);
    let file = "preprocess = \"channel-standardise\"\nstandardise_targets = false\n[optimiser]\nname = \"sgd\"\nlr = 0.1\n\
                [data]\ncolour = \"rgb\"\n";
    assert_eq!(load(file, &["optimizer.lr=0.2", "data.color=grey"]), american, "words win over the file");
}

#[test]
fn both_spellings_at_once_are_an_error() {
    let twice = RunConfig::load(None, &["optimizer=sgd".into(), "optimiser=adam".into()]).unwrap_err();
    assert!(twice.to_string().contains("twice"), "{twice}");
    let file = "[data]\ncolor = \"gray\"\ncolour = \"rgb\"\n";
    let beside = RunConfig::from_toml(file, "run.toml".as_ref(), &[]).unwrap_err();
    assert!(beside.to_string().contains("unknown key `data.colour`"), "{beside}");
}
