//! Commands as people type them: each is done, or the hint says what to type instead.

mod common;

use common::Folder;

/// A folder with a table, a file of settings and a run.
fn furnished(name: &str) -> Folder {
    let here = Folder::new(name);
    let row = |i: usize| format!("{},{},{},{}\n", i, i % 7, i % 3, ["u", "v"][i % 2]);
    let table = "a,b,\"c, d\",y\n".to_owned() + &(0..80).map(row).collect::<String>();
    std::fs::write(here.path().join("iris.csv"), table).unwrap();
    std::fs::write(here.path().join("run.toml"), "steps = 1\nmodel = \"mlp-4\"\ndata = \"iris.csv\"\n")
        .unwrap();
    here.run("train run.toml --run-dir r -q").fine();
    here
}

#[test]
fn files_of_settings_and_runs_stand_where_settings_do() {
    let here = furnished("typed-files");
    let shown = |words: &str| here.run(&format!("config show {words}")).fine();
    assert_eq!(shown("run.toml"), shown("--config run.toml"));
    assert_eq!(shown("lr=0.5 run.toml epochs=3"), shown("--config run.toml lr=0.5 epochs=3"));
    assert!(shown("run.toml steps=7").contains("steps = 7 "));
    assert_eq!(here.run("config show r").fine(), here.run("config show r/config.toml").fine());
    assert_eq!(here.run("summary r").fine(), here.run("summary run.toml").fine());
    assert!(here.run("plan r").fine().contains("total"));
    here.run("run.toml lr=0.02 --run-dir second -q").fine();
    assert_eq!(here.run("help train").fine(), here.run("train --help").fine());
    assert_eq!(here.run("help").fine(), here.run("--help").fine());
    assert_eq!(here.run("help config show").fine(), here.run("config show --help").fine());
}

#[test]
fn what_is_not_done_has_the_hint_that_does_it() {
    let here = furnished("typed-hints");
    let key = |word: &str| format!("did you mean `{word}`?");
    let cases = [
        ("--epochs 5", key("epochs=5")),
        ("train --epochs=5", key("epochs=5")),
        ("train --epochs 5 data=xor", key("epochs=5")),
        ("resume r --epochs 3", key("epochs=3")),
        ("train --learning-rate 0.1", key("lr=0.1")),
        ("train -lr 0.1", key("lr=0.1")),
        ("train --batch-norm true", key("model.batch_norm=true")),
        ("train --data iris.csv", key("data=iris.csv")),
        ("train epochs 5", key("epochs=5")),
        ("train epochs = 5", key("epochs=5")),
        ("train epochs: 5", key("epochs=5")),
        ("train iris.csv", key("data=iris.csv")),
        ("train digits", key("data=digits")),
        ("summary mlp", key("model=mlp")),
        ("config show model=mpl-32", key("mlp-32") + " `thalweg list models` shows all"),
        ("config show model=mlp-64,32", key("mlp-64-32") + " `thalweg list models` shows all"),
        (
            "config show batchnorm=true",
            "did you mean `model.batch_norm` (default false)?".into(),
        ),
        ("iris.csv", "train on it: `thalweg train data=iris.csv`".into()),
        ("r", "`thalweg resume r` goes on with the run, `thalweg eval r` measures it".into()),
        (
            "train r",
            "go on with it: `thalweg resume r`; or train anew with its settings: `thalweg train r/config.toml`".into(),
        ),
        ("eval r run.toml", "`thalweg train run.toml` trains with it".into()),
        ("predict", "`thalweg predict RUN INPUT`; `thalweg predict --help` says what they are".into()),
        ("predict r", "`thalweg predict r INPUT`; `thalweg predict --help` says what they are".into()),
        ("train seeds=2 -j 100000", "it takes 1 to 1024".into()),
        ("train run.toml r/config.toml", "name one of them, and settings over it".into()),
        ("lab init dept=3", key("depth").replace('?', " (default 10)?")),
    ];
    for (words, hint) in cases {
        let ran = here.run(words);
        assert_eq!(
            (ran.code, ran.err.split_once("\nhint: ").map(|(_, hint)| hint.trim_end())),
            (2, Some(hint.as_str())),
            "{words}"
        );
    }
    let ran = here.run("lab init time=1s");
    assert!(ran.err.contains("hint: the keys here are `activation`"), "{}", ran.err);
}

/// As the file of a config, so the table of answers: nothing is replaced unasked.
#[test]
fn answers_replace_no_file_unasked() {
    let here = furnished("typed-answers");
    std::fs::write(here.path().join("thesis.csv"), "all of it").unwrap();
    here.run("predict r iris.csv -o thesis.csv").fails(
        2,
        "error: there is such a file already: thesis.csv\nhint: another name behind `-o`, or `--overwrite` to replace it",
    );
    assert_eq!(std::fs::read_to_string(here.path().join("thesis.csv")).unwrap(), "all of it");
    assert_eq!(here.run("predict r iris.csv -o thesis.csv --overwrite").code, 0);
    assert_eq!(std::fs::read_to_string(here.path().join("thesis.csv")).unwrap().lines().count(), 81);
    assert_eq!(here.run("predict r iris.csv --overwrite").code, 2);
}

#[test]
fn a_column_with_a_comma_is_left_out_by_its_quoted_name() {
    let here = furnished("typed-comma");
    let inputs = |word: &str| {
        let mut words = vec!["data", "info", "iris.csv", "--json"];
        words.extend(word.split(" & ").filter(|w| !w.is_empty()));
        let out = std::process::Command::new(env!("CARGO_BIN_EXE_thalweg"))
            .args(words)
            .current_dir(here.path())
            .output()
            .unwrap();
        let info: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
        let names = info["features"].as_array().unwrap_or_else(|| panic!("{info}")).iter();
        names.map(|f| f["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(inputs(""), ["a", "b", "c, d"]);
    for word in ["data.drop=[\"c, d\",a]", "data.drop=a & data.drop=\"c, d\"", "data.drop=\"c, d\",a"] {
        assert_eq!(inputs(word), ["b"], "{word}");
    }
    for word in ["data.drop=a,b", "data.drop=[a,b]", "data.drop=[\"a\",\"b\"]", "data.drop=a & data.drop=b"] {
        assert_eq!(inputs(word), ["c, d"], "{word}");
    }
}

/// The script as the shell runs it.
#[test]
fn bash_completes_keys_and_names() {
    let here = Folder::new("typed-bash");
    let script = here.run("completions bash").fine();
    let complete = |line: &str| {
        let words: Vec<String> = line.split('|').map(|w| format!("'{w}'")).collect();
        let code = format!(
            "{script}\nCOMP_WORDS=({}); COMP_CWORD={}; _thalweg_words thalweg; echo \"${{COMPREPLY[@]}}\"",
            words.join(" "),
            words.len() - 1
        );
        let Ok(out) = std::process::Command::new("bash").arg("-c").arg(code).output() else { return None };
        Some(String::from_utf8(out.stdout).unwrap().trim().to_owned())
    };
    // no bash on this machine: the scripts are looked at below
    if complete("thalweg|tr").is_some() {
        assert_eq!(complete("thalweg|tr").unwrap(), "train");
        assert_eq!(complete("thalweg|train|optimizer|=|ad").unwrap(), "adam adamw");
        assert!(complete("thalweg|train|model|=").unwrap().contains("mlp"));
        assert!(complete("thalweg|train|data|=|two").unwrap().contains("two-moons"));
        assert_eq!(complete("thalweg|config|show|epo").unwrap(), "epochs=");
        assert!(complete("thalweg|train|--run").unwrap().contains("--run-dir"));
    }
    let zsh = here.run("completions zsh").fine();
    assert!(zsh.contains(":_thalweg_settings'") && zsh.contains("optimizer) compadd -- sgd"));
    assert!(here.run("completions fish").fine().contains("-a \"optimizer= optimizer=sgd "));
}
