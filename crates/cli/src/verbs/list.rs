//! `thalweg list`: what there is to choose from, told by the registries.

use serde_json::{Value, json};
use thalweg::config::field::Choice;
use thalweg::config::keys;
use thalweg::data::{Preprocess, fetch, formats, sets};
use thalweg::registry::{Entry, Key};
use thalweg::settings::american;

use crate::failure::Failure;
use crate::table::{Side, table, wrapped};
use crate::ui::{Look, Ui, paint};

/// List what you can choose from: optimizers, schedules, losses, data, ...
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which list to show; without it, the names of all lists
    what: Option<String>,

    /// One entry of the list, to see its formula, its source and its keys
    name: Option<String>,
}

/// A list that can be asked for.
struct List {
    name: &'static str,
    also: &'static [&'static str],
    summary: &'static str,
    what: What,
}

enum What {
    Registry(&'static Choice),
    Plain(fn() -> Vec<(String, String)>),
}

const LISTS: &[List] = &[
    List {
        name: "models",
        also: &["model"],
        summary: "networks: `model=NAME`",
        what: What::Registry(&keys::MODELS),
    },
    List {
        name: "layers",
        also: &["layer"],
        summary: "building blocks of a network: `{ type = NAME }` in `model.layers`",
        what: What::Registry(&keys::LAYERS),
    },
    List {
        name: "activations",
        also: &["activation"],
        summary: "between layers: `model.activation=NAME`",
        what: What::Registry(&keys::ACTIVATIONS),
    },
    List {
        name: "inits",
        also: &["init", "initializers"],
        summary: "how weights start: `model.init=NAME`",
        what: What::Registry(&keys::INITS),
    },
    List {
        name: "optimizers",
        also: &["optimizer"],
        summary: "how weights move: `optimizer=NAME`",
        what: What::Registry(&keys::OPTIMIZERS),
    },
    List {
        name: "wrappers",
        also: &["wrapper", "wrap"],
        summary: "around any optimizer: `wrap=NAME,NAME`",
        what: What::Registry(&keys::WRAPPERS),
    },
    List {
        name: "averages",
        also: &["average"],
        summary: "averages of the weights: `average=NAME`",
        what: What::Registry(&keys::AVERAGES),
    },
    List {
        name: "schedules",
        also: &["schedule"],
        summary: "how the learning rate changes: `schedule=NAME`",
        what: What::Registry(&keys::SCHEDULES),
    },
    List {
        name: "losses",
        also: &["loss"],
        summary: "what training minimizes: `loss=NAME`",
        what: What::Registry(&keys::LOSSES),
    },
    List {
        name: "augment",
        also: &["augmentation", "transforms", "transform"],
        summary: "random changes of training images: `augment=NAME,NAME`",
        what: What::Registry(&keys::AUGMENT),
    },
    List {
        name: "data",
        also: &["sets"],
        summary: "built-in data sets: `data=NAME`",
        what: What::Plain(built_in),
    },
    List {
        name: "public",
        also: &["public-sets"],
        summary: "public data sets: `thalweg data fetch NAME`, then `data=NAME`",
        what: What::Plain(public),
    },
    List {
        name: "formats",
        also: &["format"],
        summary: "files that `data=PATH` reads",
        what: What::Plain(files),
    },
    List {
        name: "preprocessing",
        also: &["preprocess"],
        summary: "how inputs are prepared: `preprocess=NAME`",
        what: What::Plain(preprocessing),
    },
];

fn built_in() -> Vec<(String, String)> {
    sets::ALL.iter().map(|s| (s.name.into(), s.summary.into())).collect()
}

fn public() -> Vec<(String, String)> {
    fetch::ALL.iter().map(|s| (s.name.into(), format!("{}: {}", s.title, s.summary))).collect()
}

fn files() -> Vec<(String, String)> {
    formats::ALL.iter().map(|f| (f.endings.join(" "), f.summary.into())).collect()
}

fn preprocessing() -> Vec<(String, String)> {
    Preprocess::ALL.iter().map(|(_, name, summary)| ((*name).into(), (*summary).into())).collect()
}

pub fn run(ui: &Ui, args: Args) -> Result<(), Failure> {
    let Some(what) = args.what else { return lists(ui) };
    let names = LISTS.iter().flat_map(|l| std::iter::once(l.name).chain(l.also.iter().copied()));
    let what = american(&what, names).map_or(what.clone(), String::from);
    let known = |l: &&List| l.name == what || l.also.contains(&what.as_str());
    let list = LISTS.iter().find(known).ok_or_else(|| {
        let names: Vec<&str> = LISTS.iter().map(|l| l.name).collect();
        Failure::wrong(
            "cli.no-list",
            format!("there is no list of `{what}`"),
            format!("the lists are {}", names.join(", ")),
        )
    })?;
    match (&list.what, args.name) {
        (What::Registry(choice), Some(name)) => {
            let entry = choice.entry(&name).ok_or_else(|| {
                let names: Vec<&str> = choice.entries.iter().map(|e| e.name).collect();
                Failure::wrong(
                    "cli.list-no-entry",
                    format!("unknown {} `{name}`", choice.what),
                    format!("there are {}", names.join(", ")),
                )
            })?;
            one(ui, choice, entry);
        }
        (What::Registry(choice), None) => all(ui, list, choice),
        (What::Plain(rows), name) => {
            let rows: Vec<_> =
                rows().into_iter().filter(|r| name.as_ref().is_none_or(|n| r.0 == *n)).collect();
            plain(ui, list, &rows);
        }
    }
    Ok(())
}

fn lists(ui: &Ui) -> Result<(), Failure> {
    let rows: Vec<Vec<String>> = LISTS.iter().map(|l| vec![l.name.into(), l.summary.into()]).collect();
    ui.print(&table(&rows, &[Side::Left, Side::Left], ui.width()));
    ui.result(json!({ "lists": LISTS.iter().map(|l| json!({ "name": l.name, "summary": l.summary })).collect::<Value>() }));
    Ok(())
}

fn plain(ui: &Ui, list: &List, rows: &[(String, String)]) {
    let cells: Vec<Vec<String>> = rows.iter().map(|(a, b)| vec![a.clone(), b.clone()]).collect();
    ui.print(&table(&cells, &[Side::Left, Side::Left], ui.width()));
    let entries = rows.iter().map(|(name, summary)| json!({ "name": name, "summary": summary }));
    ui.result(json!({ "list": list.name, "entries": entries.collect::<Value>() }));
}

fn all(ui: &Ui, list: &List, choice: &'static Choice) {
    let rows: Vec<Vec<String>> =
        choice.entries.iter().map(|e| vec![e.name.into(), e.summary.into()]).collect();
    ui.print(&table(&rows, &[Side::Left, Side::Left], ui.width()));
    if let Some(first) = choice.entries.iter().find(|e| !e.keys.is_empty()) {
        let tip = format!("\n`thalweg list {} {}` says more", list.name, first.name);
        ui.print(&format!("{}\n", paint(&tip, Look::Faint)));
    }
    let entries = choice.entries.iter().map(|e| facts(choice, e));
    ui.result(json!({ "list": list.name, "default": choice.default, "entries": entries.collect::<Value>() }));
}

fn one(ui: &Ui, choice: &'static Choice, entry: &'static Entry) {
    let width = ui.width();
    let mut text = format!("{}: {}\n\n", paint(entry.name, Look::Strong), entry.summary);
    text += &format!("  {}\n", wrapped(entry.formula, width.saturating_sub(2), 2));
    if !entry.source.is_empty() {
        text += &format!("\n  {}\n", wrapped(entry.source, width.saturating_sub(2), 2));
    }
    let keys: Vec<&Key> = entry.keys.iter().chain(choice.common).collect();
    let mut rows = vec![vec!["key".into(), "default".into(), "".into()]];
    rows.extend(
        keys.iter()
            .map(|k| vec![k.name.into(), k.default.replace('"', ""), format!("{}; {}", k.help, k.range)]),
    );
    if !keys.is_empty() {
        text += &format!("\n{}", table(&rows, &[Side::Left, Side::Left, Side::Left], width));
    }
    ui.print(&text);
    ui.result(facts(choice, entry));
}

fn facts(choice: &Choice, entry: &Entry) -> Value {
    let keys = entry.keys.iter().chain(choice.common).map(|k| {
        let default = serde_json::from_str(k.default).unwrap_or(Value::Null);
        json!({ "name": k.name, "default": default, "unit": k.unit, "range": k.range.to_string(), "help": k.help })
    });
    json!({
        "name": entry.name,
        "summary": entry.summary,
        "formula": entry.formula,
        "source": entry.source,
        "keys": keys.collect::<Value>(),
    })
}
