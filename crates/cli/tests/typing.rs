//! Commands as people type them: each is done, or the hint says what to type instead.

mod common;

use common::Folder;

/// A folder with a table, a file of settings and a run.
fn furnished(name: &str) -> Folder {
    let here = Folder::new(name);
    let row = |i: usize| format!("{},{},{},{}\n", 3 * i, i % 7, i % 3, ["u", "v"][i % 2]);
    let table = "a,b,\"c, d\",y\n".to_owned() + &(0..80).map(row).collect::<String>();
    std::fs::write(here.path().join("iris.csv"), table).unwrap();
    std::fs::write(
        here.path().join("run.toml"),
        "steps = 1\nbatch = 16\nmodel = \"mlp-4\"\ndata = \"iris.csv\"\n",
    )
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
        ("r", "`thalweg resume r` continues the run, `thalweg eval r` evaluates it".into()),
        (
            "train r",
            "continue it with `thalweg resume r`, or start over with its settings: `thalweg train r/config.toml`".into(),
        ),
        ("eval r run.toml", "`thalweg train run.toml` trains with it".into()),
        ("predict", "`thalweg predict RUN INPUT`; `thalweg predict --help` explains them".into()),
        ("predict r", "`thalweg predict r INPUT`; `thalweg predict --help` explains them".into()),
        ("train seeds=2 -j 100000", "it takes 1 to 1024".into()),
        ("train run.toml r/config.toml", "name only one of them; settings on the command line win over it".into()),
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
        "error: the file exists already: thesis.csv\nhint: choose another name for `-o`, or add `--overwrite` to replace it",
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
            "{script}\nCOMP_WORDS=({}); COMP_CWORD={}; _thalweg_words thalweg \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD-1]}}\"; echo \"${{COMPREPLY[@]}}\"",
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
        assert_eq!(complete("thalweg|optimizer|=|ad").unwrap(), "adam adamw");
        assert_eq!(complete("thalweg|epo").unwrap(), "epochs=");
        assert_eq!(complete("thalweg|optimizer|=|adam|epo").unwrap(), "epochs=");
        assert_eq!(complete("thalweg|ben").unwrap(), "", "verbs that are not shown are not offered");
    }
    let zsh = here.run("completions zsh").fine();
    assert!(zsh.contains(":_thalweg_settings'") && zsh.contains("optimizer) compadd -- sgd"));
    let fish = here.run("completions fish").fine();
    assert!(fish.contains("-a \"optimizer= optimizer=sgd "));
    for script in [&zsh, &fish] {
        assert!(!script.contains("Time whole training steps"), "verbs that are not shown are not offered");
    }
    std::fs::write(here.path().join("thalweg.fish"), &fish).unwrap();
    let complete = |line: &str| {
        let code = format!("source thalweg.fish; complete -C '{line}'");
        let out = std::process::Command::new("fish").args(["-c", &code]).current_dir(here.path()).output();
        Some(String::from_utf8(out.ok()?.stdout).unwrap())
    };
    // where there is a fish
    for (line, offered) in [
        ("thalweg train optimizer=ad", "optimizer=adamw\n"),
        ("thalweg optimizer=ad", "optimizer=adamw\n"),
        ("thalweg data=digits epo", "epochs=\n"),
    ] {
        assert!(complete(line).is_none_or(|out| out.contains(offered)), "{line}: {:?}", complete(line));
    }
}

/// A program reads the same text; a terminal is not led by it.
#[test]
fn json_holds_nothing_that_a_terminal_obeys() {
    let here = Folder::new("typed-json");
    let name = "x\u{9b}31m\u{202e}\u{7f}y";
    let rows: String = (0..20).map(|i| format!("{i},{}\n", i % 2)).collect();
    std::fs::write(here.path().join("t.csv"), format!("{name},class\n{rows}")).unwrap();
    for words in ["data info t.csv --json", "data info t.csv data.target=no\u{9b} --json"] {
        let ran = here.run(words);
        assert!(!ran.out.contains(['\u{9b}', '\u{202e}', '\u{7f}']), "{}", ran.out);
        assert_eq!(ran.json().len(), 1);
    }
    assert_eq!(here.run("data info t.csv --json").json()[0]["features"][0]["name"], name);
}

/// Each of these was found only after work, or not at all.
#[test]
fn what_cannot_be_is_told_before_the_work() {
    let here = Folder::new("typed-before");
    std::fs::write(here.path().join("file"), "").unwrap();
    let ran = here.run("lab init seeds=1 samples=10 depth=2 width=4 --out file");
    assert_eq!(
        (ran.code, ran.err.lines().next()),
        (2, Some("error: a file where a folder is needed: file")),
        "{}",
        ran.err
    );
    // of 3 folds one leaves a single sample over: nothing is trained before that is known
    let rows: String = (0..74).map(|i| format!("{i},{}\n", i % 2)).collect();
    std::fs::write(here.path().join("t.csv"), format!("x,class\n{rows}")).unwrap();
    let folds = "data=t.csv data.folds=3 data.valid=0 model=mlp-4 model.batch_norm=true epochs=1 -q";
    let ran = here.run(&format!("{folds} batch=48 --run-dir f"));
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert!(!here.path().join("f").exists());
    let batch = ran.err.split("`batch=").nth(1).unwrap().split('`').next().unwrap();
    assert_eq!(here.run(&format!("{folds} batch={batch} --run-dir f")).code, 0, "{}", ran.err);
}

/// 0 / 0 decides nothing.
#[test]
fn a_figure_that_is_no_number_is_no_verdict() {
    let here = Folder::new("typed-lab");
    let lines = here.run("lab init seeds=1 samples=1 width=1 depth=2 --json").json();
    let claims = lines.last().unwrap()["claims"].as_array().unwrap().clone();
    let mut n_undefined = 0;
    for claim in claims {
        let main = claim["figures"].get(0).map(|f| f["values"].clone());
        if main.is_some_and(|values| values.as_array().unwrap().iter().any(serde_json::Value::is_null)) {
            assert_eq!(claim["verdict"], "not measured", "{claim}");
            n_undefined += 1;
        }
    }
    assert!(n_undefined > 0, "the case shows nothing");
}

/// Identifiers and inputs stand beside the answers, as they are written.
#[test]
fn answers_take_columns_of_their_rows_along() {
    let here = Folder::new("with");
    let row = |i: usize| format!("{:03},{},{},{}\n", i, i % 9, ["red", "blue"][i % 2], ["u", "v"][i % 2]);
    let rows: String = (0..60).map(row).collect();
    std::fs::write(here.path().join("t.csv"), format!("id,x,color,class\n{rows}")).unwrap();
    assert_eq!(here.run("data=t.csv model=mlp-4 steps=3 -q --run-dir r").code, 0);
    std::fs::write(here.path().join("new.csv"), "id,x,color\n007,1.50,red\n\"a, b\",2,pink\n").unwrap();
    let ran = here.run("predict r new.csv --with id=id --with inputs");
    let lines: Vec<&str> = ran.out.lines().collect();
    assert!(lines[0].starts_with("sample,id,x,color,class,p_u,p_v"), "{}", ran.out);
    assert!(
        lines[1].starts_with("0,007,1.50,red,") && lines[2].starts_with("1,\"a, b\",2,pink,"),
        "{}",
        ran.out
    );
    assert!(
        ran.err.contains("column `color` has 1 value that the training table did not have: `pink`"),
        "{}",
        ran.err
    );
    let ran = here.run("predict r new.csv --with id=name");
    assert!(ran.code != 0 && ran.err.contains("there is no column `name`"), "{}", ran.err);
}
