//! Faults that were found once: each with the command that showed it.

mod common;

use common::Folder;

/// A flag's value that stands before the verb is not the verb.
#[test]
fn a_value_before_the_verb_is_no_verb() {
    let here = Folder::new("before");
    let plan = here.run("plan data=xor model=mlp-4 --batch 32").fine();
    assert_eq!(here.run("--batch 32 plan data=xor model=mlp-4").fine(), plan);
    assert_ne!(here.run("--batch 16 plan data=xor model=mlp-4").fine(), plan);
    let two = here.run("data preview two-moons -n 2").fine();
    assert_eq!(here.run("-n 2 data preview two-moons").fine(), two);
    assert_eq!(here.run("--samples 2 data preview two-moons").fine(), two);
}

#[test]
fn as_many_threads_as_there_can_be() {
    let here = Folder::new("threads");
    here.run("data=xor model=mlp-4 epochs=1 batch=128 shards=128 threads=64 --run-dir most -q").fine();
    here.run("data=xor shards=65 threads=65")
        .fails(2, "error: `threads` is 65 on the command line, expected a whole number from 0 to 64\nhint: the default is `threads=0`");
    here.run("config show threads=64").fine();
}

#[test]
fn a_finished_run_says_what_it_does_not_do() {
    let here = Folder::new("finished");
    here.run("data=two-moons model=mlp-4 epochs=2 --run-dir a -q threads=1").fine();
    let before = std::fs::read(here.path().join("a/config.toml")).unwrap();
    let refused = |key: &str| {
        let from = "thalweg train init_from=RUN/checkpoints/best.safetensors ...";
        format!(
            "error: `{key}` cannot change when a run is resumed\nhint: start from the weights instead: `{from}`"
        )
    };
    here.run("resume a optimizer=sgd").fails(2, &refused("optimizer.name"));
    here.run("resume a lr=0.5").fails(2, &refused("optimizer.lr"));
    here.run("resume a data.test=0.3").fails(2, &refused("data.test"));
    let said = |words: &str| {
        let ran = here.run(words);
        assert_eq!(ran.code, 0, "{}", ran.err);
        ran.err
    };
    let nothing = "nothing is left to do: 2 epochs, 22 steps";
    assert_eq!(said("resume a"), format!("{nothing}\n"));
    assert_eq!(
        said("resume a threads=2"),
        format!("{nothing}; without further steps, `threads` has no effect\n")
    );
    assert_eq!(
        said("resume a threads=2 save.every=2ep"),
        format!("{nothing}; without further steps, `threads`, `save.every` have no effect\n")
    );
    assert_eq!(std::fs::read(here.path().join("a/config.toml")).unwrap(), before);
}

/// Takes away the looks that this program gives; whatever else begins with an escape stays.
fn without_looks(text: &str) -> String {
    let mut text = text.to_owned();
    for code in ["0", "1", "2", "1;31", "1;33", "1;36", "31", "32", "33", "34", "35", "36"] {
        text = text.replace(&format!("\x1b[{code}m"), "");
    }
    text
}

/// Names come from data that anybody may have made; a terminal must show them and not obey them.
#[test]
fn names_cannot_steer_the_terminal() {
    let here = Folder::new("names");
    let evil = "x\u{1b}]0;owned\u{7}\u{1b}[2J\r\u{9b}31m\u{202e}";
    let class = format!("{evil}-a");
    let mut table = format!("\"{evil}\",plain,\"{evil} y\"\n");
    for i in 0..60 {
        let class = if i % 2 == 0 { &class } else { "b" };
        table += &format!("{i},{},\"{class}\"\n", i % 7);
    }
    let name = format!("t{}.csv", "\u{1b}[5m");
    std::fs::write(here.path().join(&name), table).unwrap();
    let train = format!("data={name} data.header=true model=mlp-4 epochs=2 batch=8");
    let preview = format!("data preview {name}");
    let missing = format!("data={name} data.target=no{evil}");
    let info = format!("data info {name} data.header=true");
    for color in ["never", "always"] {
        let words = [
            format!("{train} --run-dir {color} --color {color}"),
            format!("eval {color} --color {color}"),
            format!("resume {color} --color {color}"),
            format!("report {color} --color {color}"),
            format!("{info} --color {color}"),
            format!("{preview} --color {color}"),
            format!("{missing} --color {color}"),
            format!("data=none{evil}.csv --color {color}"),
            format!("config show name={evil} --color {color}"),
            format!("{evil} --color {color}"),
            format!("--{evil} --color {color}"),
            format!("list {evil} --color {color}"),
            format!("eval no{evil} --color {color}"),
        ];
        for words in words {
            let ran = here.run(&words);
            let text = without_looks(&(ran.out + &ran.err));
            let obeyed = text.chars().find(|c| c.is_control() && *c != '\n' || *c == '\u{202e}');
            assert_eq!(obeyed, None, "{words:?}: {text:?}");
        }
    }
    let log = std::fs::read_to_string(here.path().join("never/log.txt")).unwrap();
    assert!(!log.contains(|c: char| c.is_control() && c != '\n'), "{log:?}");
    // What a program reads is exact.
    let lines = here.run("eval never --json").json();
    let last = &lines[lines.len() - 1];
    assert_eq!(last["confusion"]["classes"][1].as_str().or(last["classes"][1].as_str()), Some(&*class));
    let answers = here.run(&format!("predict never {name}")).out;
    assert!(answers.starts_with(&format!("sample,class,p_b,\"p_{class}\"\n")), "{answers:?}");
}

/// A limit on the size of files is a disk that is full in the middle of a checkpoint.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_keeps_the_old_checkpoint() {
    let here = Folder::new("full");
    let digest = |run: &str| {
        let text = std::fs::read_to_string(here.path().join(run).join("summary.json")).unwrap();
        let summary: serde_json::Value = serde_json::from_str(&text).unwrap();
        summary["weights_sha256"].as_str().unwrap().to_owned()
    };
    here.run("data=digits model=mlp-64 epochs=4 threads=1 --run-dir roomy -q").fine();
    here.run("data=digits model=mlp-64 epochs=2 threads=1 --run-dir full -q").fine();
    let checkpoints =
        ["best", "last"].map(|name| here.path().join(format!("full/checkpoints/{name}.safetensors")));
    let before = checkpoints.each_ref().map(|path| std::fs::read(path).unwrap());
    let ran = here.run_limited("resume full epochs=4 -q", 32);
    assert_eq!(ran.code, 1, "{}", ran.err);
    let told = "error: no space left to write ";
    assert!(ran.err.starts_with(told) && ran.err.contains("full/checkpoints/"), "{}", ran.err);
    assert!(
        before == checkpoints.each_ref().map(|path| std::fs::read(path).unwrap()),
        "the old checkpoint was touched"
    );
    let left = std::fs::read_dir(here.path().join("full/checkpoints")).unwrap().count();
    assert_eq!(left, 2, "the unfinished file is there");
    here.run("resume full -q").fine();
    assert_eq!(digest("full"), digest("roomy"));
}

/// What cannot change is named by its whole key, and a mistake on the command line has the colors that were asked for.
#[test]
fn messages_are_whole() {
    let here = Folder::new("messages");
    here.run("data=xor model=mlp-4 epochs=1 --run-dir a -q").fine();
    here.run("eval a optimizer.lr=2").fails(
        2,
        "error: `optimizer.lr` cannot change after a model has been trained\n\
         hint: `thalweg eval` takes `data`, `eval_batch`, `threads`, `top_k`",
    );
    assert!(here.run("lst --color=always").err.starts_with("\x1b[1;31merror\x1b[0m: "));
}
