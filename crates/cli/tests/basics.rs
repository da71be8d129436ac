//! Help, versions, exit codes, messages and JSON lines of the verbs that do not train.

mod common;

use common::Folder;

#[test]
fn help_names_every_verb() {
    let here = Folder::new("help");
    let text = here.run("--help").fine();
    for verb in ["data", "list", "config", "report", "completions"] {
        assert!(text.lines().any(|l| l.trim_start().starts_with(verb)), "{verb}: {text}");
        assert!(here.run(&format!("{verb} --help")).fine().contains("Usage: thalweg"));
    }
    assert_eq!(here.run("--help").out, here.run("-h").out);
    assert_eq!(here.run("--version").fine(), format!("thalweg {}\n", env!("CARGO_PKG_VERSION")));
    assert!(here.run("-q --json list --help").fine().contains("Usage: thalweg list"));
}

#[test]
fn mistakes_on_the_command_line() {
    let here = Folder::new("mistakes");
    std::fs::write(here.path().join("wine.csv"), "a,b\n1,2\n").unwrap();
    let cases = [
        ("lst", "error: unknown verb `lst`\nhint: did you mean `list`?"),
        ("wine.csv", "error: unknown verb `wine.csv`\nhint: train on it: `thalweg train data=wine.csv`"),
        ("list --jsn", "error: unknown argument `--jsn`\nhint: did you mean `--json`?"),
        (
            "list --color red",
            "error: `--color <WHEN>` cannot be `red`\nhint: it takes `auto`, `always`, `never`",
        ),
        (
            "list optimizers bob",
            "error: unknown optimizer `bob`\nhint: there are sgd, momentum, nesterov, adam, adamw, lamb",
        ),
        (
            "config",
            "error: `thalweg config` needs one more word\nhint: `thalweg config --help` shows what is possible",
        ),
        (
            "report",
            "error: RUN is missing\nhint: `thalweg report RUN`; `thalweg report --help` explains them",
        ),
        (
            "config show epochs 5",
            "error: `epochs` is not of the form `key=value`\nhint: did you mean `epochs=5`?",
        ),
        (
            "config show wine.csv",
            "error: `wine.csv` is not of the form `key=value`\nhint: did you mean `data=wine.csv`?",
        ),
        (
            "config show epoch=5",
            "error: unknown key `epoch` on the command line\nhint: did you mean `epochs`? `thalweg config show` prints every key",
        ),
        (
            "config check none.toml",
            "error: cannot read the config: there is no such file: none.toml\nhint: `thalweg config show > none.toml` writes one with every key",
        ),
        ("report nowhere", "error: no such run folder: nowhere\nhint: `ls runs` shows the runs made here"),
        (
            "data info digitz",
            "error: no data set, file or folder is called `digitz`\nhint: did you mean `digits`? `thalweg data list` shows the sets",
        ),
    ];
    for (words, talk) in cases {
        here.run(words).fails(2, talk);
    }
}

/// Names of figures begin with those of heads, which are of any length.
#[test]
fn figures_of_several_heads_stand_below_one_another() {
    let here = Folder::new("heads-figures");
    let row = |i: usize| format!("{},{},{}\n", i % 7, ["blue", "red"][i % 2], i % 7);
    let text = "a,color,height_of_stop\n".to_owned() + &(0..60).map(row).collect::<String>();
    std::fs::write(here.path().join("t.csv"), text).unwrap();
    let heads = "heads=[{name=\"color\"},{name=\"height_of_stop\",task=\"regression\"}]";
    assert_eq!(here.run(&format!("data=t.csv {heads} epochs=1 batch=16 --run-dir r")).code, 0);
    let text = here.run("eval r").fine();
    let figures: Vec<&str> = text.split("\n\n").nth(1).unwrap().lines().collect();
    assert_eq!(figures.len(), 6, "{text}");
    let starts = figures.iter().map(|line| line.rfind(|c: char| c == ' ' && !line.ends_with('%')));
    let starts: Vec<usize> = starts.flatten().collect();
    assert!(starts.len() >= 4 && starts.windows(2).all(|pair| pair[0] == pair[1]), "{text}");
    assert!(!figures.iter().any(|line| line.contains("stop") && line.ends_with('%')), "{text}");
}

/// What the library says in words of settings is a command here.
#[test]
fn hints_are_commands() {
    let here = Folder::new("hints");
    let cases = [
        ("learning_rate=1", "did you mean `lr`? `thalweg config show` prints every key"),
        ("zzz=1", "`thalweg config show` prints every key"),
        ("optimizer=adamv", "did you mean `adam`? `thalweg list optimizers` shows all"),
        ("model=mpl", "did you mean `mlp`? `thalweg list models` shows all"),
        ("schedule=qqq", "`thalweg list schedules` shows all"),
        ("model.activation=rellu", "`thalweg config show` explains `model`"),
        ("data=qqqqq", "`thalweg data list` shows the sets; a path works as well"),
        ("data.classes=4 data=xor", "leave out `data.classes`, or set it to what is expected"),
        (
            "augment=[\"flip\"] data=xor",
            "`augment=none` trains without augmentation, `thalweg list augment` shows all transforms",
        ),
        ("groups=[{match=\"*\",freeze=true}]", "`thalweg eval RUN` evaluates without training"),
        ("data.folds=2 learning_rate=1", "did you mean `lr`? `thalweg config show` prints every key"),
    ];
    for (words, hint) in cases {
        let ran = here.run(&format!("train {words} --run-dir r"));
        assert!(ran.code != 0 && ran.err.ends_with(&format!("\nhint: {hint}\n")), "{words}: {}", ran.err);
    }
    std::fs::write(here.path().join("t.csv"), "x,class\n1,a\n2,b\n3,a\n4,b\n").unwrap();
    std::fs::write(here.path().join("bare.csv"), "x\n1\n2\n").unwrap();
    assert_eq!(here.run("data=t.csv epochs=1 batch=2 --run-dir r -q").code, 0);
    let ran = here.run("eval r data=bare.csv");
    assert!(ran.err.ends_with("\nhint: `thalweg predict RUN DATA` needs none\n"), "{}", ran.err);
    here.run("predict r bare.csv").fine();
}

#[test]
fn data_that_cannot_be_read_is_failed_work() {
    let here = Folder::new("data-missing");
    assert_eq!(here.run("data info none.csv").code, 1);
    std::fs::write(here.path().join("bad.csv"), "a,b\n1,2\n3\n").unwrap();
    let ran = here.run("data info bad.csv");
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("bad.csv") && ran.err.contains("\nhint: "), "{}", ran.err);
}

#[test]
fn errors_are_json_too() {
    let here = Folder::new("json-errors");
    for (words, exit) in
        [("config show epoch=5 --json", 2), ("--json lst", 2), ("--json data info none.csv", 1)]
    {
        let ran = here.run(words);
        let lines = ran.json();
        let last = lines.last().unwrap();
        assert_eq!(
            (ran.code, last["event"].as_str(), last["exit"].as_i64()),
            (exit, Some("error"), Some(exit.into()))
        );
        assert!(last["message"].is_string() && last["hint"].is_string());
        assert!(ran.err.starts_with("error: "));
    }
}

#[test]
fn json_is_pure_and_ends_with_the_result() {
    let here = Folder::new("json");
    for words in [
        "list --json",
        "list optimizers --json",
        "list optimizers adam --json",
        "--json list data",
        "data list --json",
        "data info digits --json",
        "data preview xor -n 3 --json",
        "config show lr=0.1 --json",
        "config schema --json",
        "completions bash --json",
    ] {
        let ran = here.run(words);
        let lines = ran.json();
        assert_eq!((lines.len(), ran.code, ran.err.as_str()), (1, 0, ""), "{words}");
        assert_eq!(lines[0]["event"], "result", "{words}");
    }
    let info = &here.run("data info digits --json").json()[0];
    assert_eq!((info["samples"].as_u64(), info["split"]["test"].as_u64()), (Some(1797), Some(359)));
    assert_eq!(here.run("config show lr=0.25 --json").json()[0]["config"]["optimizer"]["lr"], 0.25);
}

#[test]
fn the_resolved_config_is_a_config() {
    let here = Folder::new("config");
    let words = "optimizer=momentum lr=0.1 schedule=cosine data.valid=0.2 clip_norm=1";
    let text = here.run(&format!("config show {words}")).fine();
    std::fs::write(here.path().join("run.toml"), &text).unwrap();
    assert_eq!(here.run("config check run.toml").fine(), "run.toml is right\n");
    assert_eq!(here.run("config show --config run.toml").fine(), text);
    assert_eq!(here.run("--config run.toml config show").fine(), text);
    std::fs::write(here.path().join("bad.toml"), "epochs = 5\nbatch = \"many\"\n").unwrap();
    here.run("config check bad.toml").fails(
        2,
        "error: `batch` is the text \"many\" at bad.toml:2, expected a whole number, 1 or more\nhint: for example `batch=64`",
    );
}

#[test]
fn lists_come_from_the_registries() {
    let here = Folder::new("lists");
    let lists = here.run("list").fine();
    for line in lists.lines() {
        let name = line.split_whitespace().next().unwrap();
        assert!(here.run(&format!("list {name}")).fine().lines().count() > 1, "{name}");
    }
    let adam = here.run("list optimizers adam").fine();
    assert!(adam.contains("betas") && adam.contains("Kingma") && adam.contains("[0.9, 0.999]"), "{adam}");
    assert!(here.run("list data").fine().contains("two-moons"));
}

#[test]
fn data_are_described() {
    let here = Folder::new("describe");
    std::fs::write(
        here.path().join("t.csv"),
        "size,color,price\n1,red,2.5\n2,blue,3.5\n,red,9.25\n4,red,1.5\n",
    )
    .unwrap();
    let text = here.run("data info t.csv data.target=price data.valid=0 data.test=1").fine();
    for part in ["4 samples", "price   number    to predict", "size", "3 train · 0 valid · 1 test"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(here.run("data preview digits -n 2").fine().lines().count(), 10);
    assert_eq!(here.run("data list").fine().lines().count(), 14);
}

#[test]
fn a_contact_sheet_is_drawn_once() {
    let here = Folder::new("sheet");
    let words = "data preview digits augment=crop-1,rotate --out sheet.png --samples 3 --versions 2";
    let text = here.run(words).fine();
    assert!(text.starts_with("sheet.png: 220 x 208 pixels") && text.lines().count() == 4, "{text}");
    let png = std::fs::read(here.path().join("sheet.png")).unwrap();
    assert!(png.starts_with(b"\x89PNG\r\n"));
    let other = format!("{words} --seed 2");
    here.run(&other).fails(
        2,
        "error: the file exists already: sheet.png\nhint: choose another name, or add `--force` to replace it",
    );
    assert_eq!(std::fs::read(here.path().join("sheet.png")).unwrap(), png);
    here.run(&format!("{words} --force")).fine();
    assert_eq!(std::fs::read(here.path().join("sheet.png")).unwrap(), png, "the same bits");
    here.run(&format!("{other} --force")).fine();
    assert_ne!(std::fs::read(here.path().join("sheet.png")).unwrap(), png);
    here.run("data preview digits augment=flip")
        .fails(2, "error: augmented images can only be shown as a picture\nhint: add `--out FILE.png`");
    here.run("data preview digits --out none/x.png")
        .fails(1, "error: no such folder: none\nhint: make it first: `mkdir -p none`");
    here.run("data preview two-moons --out moons.png").fails(
        2,
        "error: two-moons has samples of shape [2], and these are not images\nhint: `thalweg data preview` without `--out` \
         shows other samples",
    );
}

#[test]
fn completions_know_the_verbs() {
    let here = Folder::new("completions");
    for shell in ["bash", "zsh", "fish"] {
        let script = here.run(&format!("completions {shell}")).fine();
        assert!(script.contains("config") && script.contains("preview"), "{shell}");
    }
}

#[test]
fn colors_only_where_asked_for() {
    let here = Folder::new("colors");
    assert!(!here.run("config show").out.contains('\x1b'));
    assert!(!here.run("--color never config show x=1").err.contains('\x1b'));
    assert!(here.run("--color always config show").out.contains('\x1b'));
    assert!(here.run("--color=always config show x=1").err.contains('\x1b'));
}

/// Output that does not arrive is failed work, whatever it was; a reader that has read enough is none.
#[cfg(target_os = "linux")]
#[test]
fn lost_output_is_told() {
    let here = Folder::new("lost");
    for words in ["--help", "list", "list --json", "config schema", "data preview digits", "completions bash"]
    {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        here.run_into(words, full).fails(
            1,
            "error: cannot write standard output: no space left on device\n\
             hint: free some space and run it again, or write elsewhere: `> FILE`",
        );
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        here.run_into(words, writer).fine();
    }
}
