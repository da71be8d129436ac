//! Factors of columns after preprocessing.

use std::collections::BTreeMap;

use data::{Affine, Preprocess};

use super::*;

/// Thirty rows: a number of which some are missing, words, and another number.
fn set(folder: &Folder) -> Dataset {
    let row = |i: usize| {
        let a = if i == 4 { String::new() } else { format!("{}.5", i % 7) };
        format!("{a},{},{}.25,{}\n", ["p", "q"][i / 2 % 2], i % 5, ["u", "v"][i % 2])
    };
    open(&folder.write("t.csv", (0..30).fold("a,kind,b,y\n".to_string(), |text, i| text + &row(i))))
}

fn factors(all: &[(&str, f64)]) -> BTreeMap<String, f64> {
    all.iter().map(|(name, factor)| ((*name).to_string(), *factor)).collect()
}

#[test]
fn inputs_of_a_column_are_multiplied_after_preprocessing() {
    let folder = Folder::new("scale");
    let set = set(&folder);
    assert_eq!(set.features, ["a", "a=?", "kind=p", "kind=q", "b"]);
    let train: Vec<u32> = (0..30).collect();
    for how in [Preprocess::None, Preprocess::Standardize, Preprocess::GlobalStandardize, Preprocess::Robust]
    {
        let plain = data::fit(&set, &train, how).expect("a map");
        let scaled = plain.clone().scaled(&set, &factors(&[("a", 4.0), ("-2", 0.5)])).expect("a map");
        let of = |map: &Affine| {
            let mut out = vec![0.0; 30 * 5];
            set.gather(&train, map, &mut out).expect("rows in memory");
            out
        };
        let times = [4.0, 4.0, 1.0, 1.0, 0.5].into_iter().cycle();
        let expected: Vec<f32> = of(&plain).into_iter().zip(times).map(|(x, f)| x * f).collect();
        // powers of two change no digit
        assert_eq!(of(&scaled), expected, "{how:?}");
        assert_eq!(plain.clone().scaled(&set, &BTreeMap::new()).expect("a map"), plain);
    }
}

#[test]
fn factors_of_what_is_no_input_of_numbers_are_told() {
    let folder = Folder::new("no-scale");
    let set = set(&folder);
    let fails = |set: &Dataset, name: &str, factor: f64, message: &str| {
        let error = Affine::identity().scaled(set, &factors(&[(name, factor)])).expect_err("an error");
        assert_eq!(error.to_string(), format!("`data.scale = {message}"));
        assert_eq!(error.hint(), "set `data.scale` to another value, or leave it out");
    };
    for (factor, told) in [(0.0, "0"), (-2.0, "-2"), (f64::INFINITY, "inf"), (f64::NAN, "NaN")] {
        fails(&set, "a", factor, &format!("{{ a = {told} }}` is not possible: expected a factor above 0"));
    }
    let message = "{ a = 1e-50 }` is not possible: expected a factor that stays within single precision";
    fails(&set, "a", 1e-50, &message.replace("1e-50", &1e-50.to_string()));
    fails(
        &set,
        "kind",
        2.0,
        "kind` is not possible: expected a column of numbers, as `data info` shows them",
    );
    fails(&set, "y", 2.0, "y` is not possible: expected a column that is an input");
    fails(&set, "3", 2.0, "3` is not possible: expected a column that is an input");
    let digits = open("digits");
    fails(&digits, "a", 2.0, "a` is not possible: expected nothing, because only tables have columns");
    let error = Affine::identity().scaled(&set, &factors(&[("knid", 2.0)])).expect_err("no column");
    assert_eq!(error.hint(), "did you mean `kind`?");
}
