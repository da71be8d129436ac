//! The list of transforms in a config: names and tables, or one text such as `crop-4,flip`.

use std::fmt;
use std::str::FromStr;

use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Number, Value};

use super::{ALL, Table, TransformConfig};
use settings::Entry;
use settings::Tag;

/// Transforms in the order in which they are applied; none by default.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Augment(pub Vec<TransformConfig>);

const TAG: Tag = Tag { key: "type", what: "transform" };

impl<'de> Deserialize<'de> for TransformConfig {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        match from.deserialize_any(WordOrTable)? {
            Either::Word(word) => read_word(&word),
            Either::Table(table) => read_table(table),
        }
        .map_err(de::Error::custom)
    }
}

fn read_table(table: Map<String, Value>) -> Result<TransformConfig, String> {
    TAG.read::<Table>(table, ALL).map(TransformConfig::from)
}

/// `crop-4-reflect`: a name, then values of its keys in their order.
fn read_word(word: &str) -> Result<TransformConfig, String> {
    let word = word.trim();
    let mut parts = word.split('-');
    let name = parts.next().unwrap_or_default();
    let mut table = Map::from_iter([(TAG.key.to_owned(), Value::from(name))]);
    let values = whole_values(parts);
    // A name that nobody has is told by the reader of tables.
    let keys = ALL.iter().find(|e: &&Entry| e.name == name).map_or(&[][..], |e| e.keys);
    if !keys.is_empty() && values.len() > keys.len() {
        let names: Vec<&str> = keys.iter().map(|k| k.name).collect();
        let (got, names) = (values.len(), names.join("`, `"));
        return Err(format!("`{word}` has {got} values, transform `{name}` has the keys `{names}`"));
    }
    for (key, value) in keys.iter().zip(values) {
        // NaN and infinity are no numbers of JSON and stay words.
        let float = || value.parse().ok().and_then(Number::from_f64).map(Value::Number);
        let number = value.parse::<i64>().map(Value::from).ok().or_else(float);
        table.insert(key.name.to_owned(), number.unwrap_or_else(|| Value::from(value)));
    }
    let is_short = table.len() > 1;
    read_table(table).map_err(|problem| match problem.strip_prefix(&format!("{} `{name}`: ", TAG.what)) {
        Some(rest) if is_short => format!("`{word}`: {rest}"),
        _ => problem,
    })
}

/// The values of `mixup--1` and `mixup-1e-3`, whose signs are no separators.
fn whole_values<'a>(parts: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut values: Vec<String> = Vec::new();
    for part in parts {
        match values.last_mut() {
            Some(before) if before.is_empty() || is_mantissa(before) => {
                before.push('-');
                before.push_str(part);
            }
            _ => values.push(part.to_owned()),
        }
    }
    values
}

/// `1e` of `1e-3`.
fn is_mantissa(text: &str) -> bool {
    text.strip_suffix(['e', 'E']).is_some_and(|number| number.parse::<f64>().is_ok())
}

impl FromStr for Augment {
    type Err = String;

    /// Reads `crop-4,flip`; `none` and nothing are the empty list.
    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() || text == "none" {
            return Ok(Augment::default());
        }
        text.split(',').map(read_word).collect::<Result<_, _>>().map(Augment)
    }
}

impl<'de> Deserialize<'de> for Augment {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(TextOrList)
    }
}

struct TextOrList;

impl<'de> Visitor<'de> for TextOrList {
    type Value = Augment;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a list of transforms such as [\"flip\", { type = \"crop\", padding = 4 }], or \"crop-4,flip\"",
        )
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Augment, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Augment, A::Error> {
        let mut list = Vec::new();
        while let Some(transform) = items.next_element()? {
            list.push(transform);
        }
        Ok(Augment(list))
    }
}

enum Either {
    Word(String),
    Table(Map<String, Value>),
}

struct WordOrTable;

impl<'de> Visitor<'de> for WordOrTable {
    type Value = Either;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a transform, or a table with the key `type`")
    }

    fn visit_str<E: de::Error>(self, word: &str) -> Result<Either, E> {
        Ok(Either::Word(word.to_owned()))
    }

    fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Either, A::Error> {
        Map::deserialize(de::value::MapAccessDeserializer::new(map))
            .map(Either::Table)
            .map_err(de::Error::custom)
    }
}

impl TransformConfig {
    /// Checks every value against its key's range, for transforms that a program made.
    pub(super) fn check(&self) -> Result<(), String> {
        match serde_json::to_value(self) {
            Ok(Value::Object(table)) => read_table(table).map(|_| ()),
            Ok(_) => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Crop, Cutout, Fill, Flip, Mixup, Randaugment};
    use super::*;

    #[test]
    fn words_and_tables_say_the_same() {
        let list: Augment = "crop-4, flip ,cutout-8-0.5-zero,randaugment-1-14".parse().unwrap();
        let want: Vec<TransformConfig> = vec![
            Crop { padding: 4, fill: Fill::Zero }.into(),
            Flip::default().into(),
            Cutout { size: 8, p: 0.5, fill: Fill::Zero }.into(),
            Randaugment { n: 1, m: 14.0, fill: Fill::Zero }.into(),
        ];
        assert_eq!(list.0, want);
        assert_eq!(
            "mixup-1e-2".parse::<Augment>().unwrap().0,
            [Mixup { alpha: 0.01, ..Mixup::default() }.into()]
        );
        let json = r#"["crop-4", {"type": "flip"}, {"type": "cutout", "size": 8, "p": 0.5, "fill": "zero"}, {"type": "randaugment", "n": 1, "m": 14}]"#;
        assert_eq!(serde_json::from_str::<Augment>(json).unwrap().0, want);
        let written = serde_json::to_string(&list).unwrap();
        assert_eq!(serde_json::from_str::<Augment>(&written).unwrap(), list);
        assert!(
            "none".parse::<Augment>().unwrap().0.is_empty() && "".parse::<Augment>().unwrap().0.is_empty()
        );
    }

    #[test]
    fn what_is_wrong_is_named() {
        let text = |word: &str| word.parse::<Augment>().unwrap_err();
        assert_eq!(text("crop,filp"), "unknown transform `filp`, did you mean `flip`?");
        assert_eq!(text("crop-0"), "`crop-0`: `padding` is 0, expected 1 or more");
        assert_eq!(
            text("crop-4-blue"),
            "`crop-4-blue`: `fill` is \"blue\", expected one of `zero`, `mean`, `edge`, `reflect`"
        );
        assert_eq!(text("pca-1-2"), "`pca-1-2` has 2 values, transform `pca` has the keys `sigma`");
        assert_eq!(text("mixup-0"), "`mixup-0`: `alpha` is 0, expected from 0.001 to 1000");
        assert_eq!(text("flip, cutout--1"), "`cutout--1`: `size` is -1, expected 1 or more");
        assert_eq!(text("flip--1"), "`flip--1`: `p` is -1, expected from 0 to 1");
        assert_eq!(text("mixup-1e-30"), "`mixup-1e-30`: `alpha` is 1e-30, expected from 0.001 to 1000");
        assert_eq!(text("rotate-nan"), "`rotate-nan`: `degrees` is \"nan\", expected from 0 to 180");
        assert_eq!(text("rotate-"), "`rotate-`: `degrees` is \"\", expected from 0 to 180");
        assert_eq!(text("randaugment-17"), "`randaugment-17`: `n` is 17, expected from 1 to 16");
        let json = |text: &str| serde_json::from_str::<Augment>(text).unwrap_err().to_string();
        assert!(
            json(r#"[{"type": "crop", "pading": 4}]"#)
                .contains("transform `crop` has no key `pading`, did you mean `padding`?")
        );
        assert!(json(r#"[{"type": "crop", "padding": 4.5}]"#).contains("transform `crop`: `padding`"));
        assert!(json("[3]").contains("the name of a transform"));
    }

    /// What the registry tells of defaults is what one gets.
    #[test]
    fn defaults_are_those_of_the_registry() {
        for entry in ALL {
            let config = read_word(entry.name).unwrap();
            assert_eq!(config.entry().name, entry.name);
            let value = serde_json::to_value(&config).unwrap();
            for key in entry.keys {
                assert_eq!(
                    value[key.name],
                    serde_json::from_str::<Value>(key.default).unwrap(),
                    "{} of {}",
                    key.name,
                    entry.name
                );
            }
            assert_eq!(value.as_object().unwrap().len(), entry.keys.len() + 1, "{}", entry.name);
        }
    }
}
