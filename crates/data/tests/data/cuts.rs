//! Parts that are cut by group or by time.

use std::collections::BTreeSet;

use data::{Share, SplitOptions};

use super::*;

fn rows() -> String {
    let row = |i: usize| {
        format!(
            "p{},{}-{:02}-01,{},{}\n",
            i * 7 % 13,
            2000 + i * 37 % 97 / 12,
            1 + i * 37 % 97 % 12,
            i % 5,
            i % 2
        )
    };
    (0..97).fold("patient,day,x,y\n".into(), |text, i| text + &row(i))
}

#[test]
fn no_group_is_in_two_parts() {
    let folder = Folder::new("groups");
    let path = folder.write("t.csv", rows());
    let options = DataOptions { group: Some("patient".into()), ..DataOptions::default() };
    let set = open_with(&path, &options);
    assert!(set.features.iter().all(|f| !f.starts_with("patient")), "{:?}", set.features);
    let groups = set.groups.clone().expect("groups");
    let of = |part: &[u32]| part.iter().map(|i| groups[*i as usize]).collect::<BTreeSet<_>>();
    let parts = data::split(&set, &SplitOptions::default()).expect("parts");
    let all = [of(&parts.train), of(&parts.valid), of(&parts.test)];
    assert_eq!(all.iter().map(BTreeSet::len).sum::<usize>(), 13, "{all:?}");
    assert!((12..=27).contains(&parts.test.len()) && !parts.valid.is_empty(), "{parts:?}");
    let folds = data::folds(&set, 4, &SplitOptions { valid: Share::Count(0), ..SplitOptions::default() })
        .expect("folds");
    assert_eq!(folds.iter().map(|f| of(&f.test).len()).sum::<usize>(), 13);
    assert!(folds.iter().all(|f| of(&f.train).is_disjoint(&of(&f.test)) && f.test.len() >= 20), "{folds:?}");
    let error = data::folds(&set, 14, &SplitOptions::default()).expect_err("13 groups");
    assert_eq!(
        error.to_string(),
        "`data.folds = 14` is not possible: expected 2 to 13, the number of groups"
    );
}

#[test]
fn the_latest_rows_test() {
    let folder = Folder::new("times");
    let path = folder.write("t.csv", rows());
    let options = DataOptions { time: Some("day".into()), ..DataOptions::default() };
    let set = open_with(&path, &options);
    let times = set.times.clone().expect("times");
    let parts = data::split(&set, &SplitOptions::default()).expect("parts");
    let ends = |part: &[u32]| {
        let all = part.iter().map(|i| times[*i as usize]);
        (all.clone().fold(f64::INFINITY, f64::min), all.fold(f64::NEG_INFINITY, f64::max))
    };
    let (train, valid, test) = (ends(&parts.train), ends(&parts.valid), ends(&parts.test));
    assert!(train.1 <= valid.0 && valid.1 <= test.0, "{train:?} {valid:?} {test:?}");
    assert_eq!((parts.valid.len(), parts.test.len()), (10, 19));
    let wordy = DataOptions { time: Some("patient".into()), ..DataOptions::default() };
    let error = data::open(&path, &wordy).expect_err("words");
    assert!(error.to_string().starts_with("column `patient` holds neither dates nor numbers"), "{error}");
    let both = DataOptions { group: Some("patient".into()), ..options };
    assert!(data::open(&path, &both).is_err());
}

/// Whatever a table is stored as, its parts are cut alike.
#[test]
fn tables_of_every_format_have_groups_and_times() {
    let folder = Folder::new("typed-cuts");
    let json = |i: usize| {
        format!("{{\"patient\": \"p{}\", \"day\": {i}, \"x\": {}, \"y\": {}}}\n", i % 6, i % 5, i % 2)
    };
    let path = folder.write("t.jsonl", (0..60).map(json).collect::<String>());
    let by_group = DataOptions { group: Some("patient".into()), ..DataOptions::default() };
    assert_eq!(open_with(&path, &by_group).groups.map(|g| g.len()), Some(60));
    let by_time = DataOptions { time: Some("day".into()), ..DataOptions::default() };
    assert_eq!(open_with(&path, &by_time).times.map(|t| t[59]), Some(59.0));
}
