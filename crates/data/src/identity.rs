//! What tells a data set from every other: a checksum of its samples, its classes and its parts.
//!
//! A run notes the identity of its data, so that it is not resumed or evaluated on others. What is summed up is written
//! here field by field and carries a version; names of types and fields in this program have no part in it. A change
//! needs a new version beside the earlier ones, since run folders of today are read by the program of tomorrow.

use std::fmt::Write;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::{Dataset, Task, Values};

/// The identity of a data set under one version of the rules; what a checkpoint holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Which rules it was made by: 2 today, 1 before.
    pub version: u32,
    /// CRC-32 (ISO 3309) of all that identifies the data.
    pub crc32: u32,
}

/// The identities of one data set under all versions of the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identities {
    first: u32,
    second: u32,
}

impl Identities {
    /// The identity under the newest rules, to be noted.
    pub fn newest(&self) -> Identity {
        Identity { version: 2, crc32: self.second }
    }

    /// The identity under the rules of `version`; `None` for rules that this program does not know.
    pub fn of_version(&self, version: u32) -> Option<Identity> {
        let crc32 = match version {
            1 => self.first,
            2 => self.second,
            _ => return None,
        };
        Some(Identity { version, crc32 })
    }
}

impl Dataset {
    /// What tells this set from others. Cost: one pass over all samples in memory; nothing is read of those in a file,
    /// whose blocks were summed up when it was written.
    pub fn identities(&self) -> Identities {
        let mut samples = crc32fast::Hasher::new();
        match &self.inputs {
            Values::F32(values) => add_numbers(&mut samples, values),
            Values::U8(bytes) => samples.update(bytes),
            // rows lie in the file as they are summed up here
            Values::Rows(rows) => samples = rows.file().inputs_crc(),
        }
        add_numbers(&mut samples, &self.targets);
        let with = |rest: &[u8]| {
            let mut all = samples.clone();
            all.update(rest);
            all.finalize()
        };
        Identities { first: with(first(self).as_bytes()), second: with(&second(self)) }
    }
}

/// Adds numbers as little-endian bytes.
fn add_numbers(crc: &mut crc32fast::Hasher, values: &[f32]) {
    for chunk in values.chunks(1024) {
        let mut bytes = [0; 4096];
        bytes.as_chunks_mut::<4>().0.iter_mut().zip(chunk).for_each(|(b, x)| *b = x.to_le_bytes());
        crc.update(&bytes[..4 * chunk.len()]);
    }
}

/// What follows the samples in version 2: a name; how inputs are stored; the shape of a sample; the kind of targets and
/// their names; the source's own parts; where samples have weights, the word `weights` and these, as little-endian f64.
/// Lists and texts come after their length, whole numbers as 8 little-endian bytes.
fn second(set: &Dataset) -> Vec<u8> {
    let mut out = b"thalweg data 2".to_vec();
    let number = |out: &mut Vec<u8>, n: usize| out.extend((n as u64).to_le_bytes());
    out.push(match &set.inputs {
        Values::F32(_) => 0,
        Values::U8(_) => 1,
        Values::Rows(rows) => u8::from(rows.are_bytes()),
    });
    number(&mut out, set.input_shape.len());
    set.input_shape.iter().for_each(|axis| number(&mut out, *axis));
    let (kind, names) = match &set.task {
        Task::Classification { classes } => (0, classes),
        Task::Regression { targets } => (1, targets),
    };
    out.push(kind);
    number(&mut out, names.len());
    for name in names {
        number(&mut out, name.len());
        out.extend(name.as_bytes());
    }
    for part in [&set.fixed_valid, &set.fixed_test] {
        out.push(u8::from(part.is_some()));
        if let Some(Range { start, end }) = part {
            number(&mut out, *start);
            number(&mut out, *end);
        }
    }
    if let Some(weights) = &set.weights {
        out.extend(b"weights");
        weights.iter().for_each(|w| out.extend(w.to_le_bytes()));
    }
    out
}

/// What follows the samples in version 1: a text that was once made by Rust's `Debug`, now letter by letter.
fn first(set: &Dataset) -> String {
    let (kind, field, names) = match &set.task {
        Task::Classification { classes } => ("Classification", "classes", classes),
        Task::Regression { targets } => ("Regression", "targets", targets),
    };
    let part = |part: &Option<Range<usize>>| match part {
        Some(Range { start, end }) => format!("Some({start}..{end})"),
        None => "None".to_owned(),
    };
    let shape: Vec<String> = set.input_shape.iter().map(usize::to_string).collect();
    let mut text = format!("([{}], {kind} {{ {field}: [", shape.join(", "));
    for (i, name) in names.iter().enumerate() {
        // Only texts are still written by the standard library, which quotes and escapes them.
        let _ = write!(text, "{}{name:?}", if i > 0 { ", " } else { "" });
    }
    text + &format!("] }}, {}, {})", part(&set.fixed_valid), part(&set.fixed_test))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DataOptions, Origin, open};

    fn set(task: Task) -> Dataset {
        Dataset {
            name: "any".into(),
            input_shape: vec![2, 1],
            inputs: Values::F32(vec![0.5, -1.0, 2.0, 0.0]),
            targets: vec![1.0, 0.0],
            task,
            features: Vec::new(),
            origin: Origin::default(),
            fixed_valid: None,
            fixed_test: Some(1..2),
            missing: Vec::new(),
            groups: None,
            times: None,
            weights: None,
            schema: None,
            columns: Vec::new(),
            notes: Vec::new(),
            warnings: Vec::new(),
        }
    }

    fn classes(names: &[&str]) -> Task {
        Task::Classification { classes: names.iter().map(|n| (*n).to_owned()).collect() }
    }

    /// Recorded, and computed by another program from what is written above: a change of any of these makes run folders
    /// of other days strangers to their data.
    #[test]
    fn identities_are_those_that_were_recorded() {
        let check = |set: &Dataset, first, second| {
            let all = set.identities();
            let got = [1, 2].map(|version| all.of_version(version).map(|i| i.crc32));
            assert_eq!(got, [Some(first), Some(second)], "{got:x?}");
            assert_eq!((all.newest().version, all.newest().crc32), (2, second));
        };
        check(&set(classes(&["a", "b\n\"é"])), 0x219b_92f3, 0x53b7_69a9);
        let targets = vec!["y".to_owned()];
        check(&set(Task::Regression { targets }), 0xd582_dcfb, 0x787b_c1fe);
        check(&open("digits", &DataOptions::default()).unwrap(), 0x2ce8_3a76, 0x26d3_eedb);
    }

    /// Version 1 is what `Debug` gave when it was in use.
    #[test]
    fn the_first_version_is_the_text_of_then() {
        let text = r#"([2, 1], Classification { classes: ["a", "b"] }, None, Some(1..2))"#;
        assert_eq!(first(&set(classes(&["a", "b"]))), text);
    }

    /// Every field counts, and no two layouts of the same letters are one.
    #[test]
    fn other_data_have_another_identity() {
        let base = || set(classes(&["ab", "c"]));
        let mut others = vec![set(classes(&["a", "bc"])), set(classes(&["ab"]))];
        others.push(set(Task::Regression { targets: vec!["ab".into(), "c".into()] }));
        let change = |others: &mut Vec<Dataset>, change: fn(&mut Dataset)| {
            let mut set = base();
            change(&mut set);
            others.push(set);
        };
        change(&mut others, |set| set.input_shape = vec![1, 2]);
        change(&mut others, |set| set.targets[0] = 0.0);
        change(&mut others, |set| set.inputs = Values::F32(vec![0.5, -1.0, 2.0, 1e-9]));
        change(&mut others, |set| set.fixed_test = None);
        change(&mut others, |set| set.fixed_test = Some(0..2));
        change(&mut others, |set| set.weights = Some(vec![1.0, 1.0]));
        change(&mut others, |set| set.weights = Some(vec![1.0, 2.0]));
        change(&mut others, |set| (set.fixed_valid, set.fixed_test) = (Some(1..2), None));
        let own = base().identities();
        for other in others {
            assert_ne!(other.identities().newest(), own.newest(), "{other:?}");
        }
        let mut named = base();
        (named.name, named.notes) = ("other".into(), vec!["note".into()]);
        assert_eq!(named.identities(), own);
        assert_eq!(own.of_version(3), None);
    }
}
