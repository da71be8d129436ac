//! Every key with the names that it may have, for shells that complete what is typed.

use super::field::{Choice, Field, Kind};
use super::keys::{ACTIVATIONS, AUGMENT, INITS, TOP, WRAPPERS};
use crate::data::{public, sets};

/// Every key as it is typed, in the order of the config, with the names that may stand behind its `=`; none where it
/// takes numbers or texts.
pub fn typed_keys() -> Vec<(String, Vec<&'static str>)> {
    let mut out: Vec<(String, Vec<&'static str>)> = Vec::new();
    for field in TOP {
        let inner = super::check::inner_fields(field);
        let inner = inner.iter().map(|f| (format!("{}.{}", field.name, f.name), names(f)));
        for (key, names) in std::iter::once((field.name.to_owned(), names(field))).chain(inner) {
            match out.iter_mut().find(|(known, _)| *known == key) {
                Some((_, all)) => {
                    all.extend(names.iter().filter(|n| !all.contains(n)).copied().collect::<Vec<_>>())
                }
                None => out.push((key, names)),
            }
        }
    }
    out
}

fn names(field: &Field) -> Vec<&'static str> {
    let of = |choice: &'static Choice| choice.entries.iter().map(|e| e.name).collect();
    match (field.name, field.kind) {
        ("data" | "source", _) => {
            sets::ALL.iter().map(|s| s.name).chain(public::ALL.iter().map(|s| s.name)).collect()
        }
        ("augment", _) => of(&AUGMENT),
        ("wrap", _) => of(&WRAPPERS),
        ("activation", _) => of(&ACTIVATIONS),
        ("init", _) => of(&INITS),
        (_, Kind::Choice(choice)) => of(choice),
        (_, Kind::Words(words)) => words.to_vec(),
        (_, Kind::Switch) => vec!["true", "false"],
        (_, Kind::WordsOrSwitch(words)) => words.iter().copied().chain(["true", "false"]).collect(),
        _ => Vec::new(),
    }
}
