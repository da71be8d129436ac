//! Images of every format, depth, color space and orientation: their pixels are those of Pillow.

use super::images::{bytes, image};
use super::*;

/// One line of the list: name, shape, how close, where its pixels begin.
struct Case {
    name: String,
    shape: Vec<usize>,
    how: String,
    at: usize,
}

fn cases() -> Vec<Case> {
    let list = fs::read_to_string(fixture("kinds/list.txt")).expect("a fixture");
    let case = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        let number = |i: usize| words[i].parse::<usize>().expect("a number");
        let shape = vec![number(1), number(2), number(3)];
        Case { name: words[0].into(), shape, how: words[4].into(), at: number(5) }
    };
    list.lines().map(case).collect()
}

/// What is wrong with how a file is read; nothing where it is read as Pillow does.
fn fault(case: &Case, expected: &[u8]) -> Option<String> {
    let size = if case.name.starts_with("small") { vec![5, 6] } else { vec![] };
    let set = image(&format!("kinds/{}", case.name), DataOptions { size, ..DataOptions::default() });
    if set.input_shape != case.shape {
        return Some(format!("shape {:?}", set.input_shape));
    }
    let n: usize = case.shape.iter().product();
    let expected = &expected[case.at..];
    match (&set.inputs, &case.how[..]) {
        (Values::F32(values), "numbers") => {
            let expected = expected.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b));
            let far = values.iter().zip(expected).find(|(x, y)| (*x - y).abs() > 1e-6 * y.abs().max(1e-3));
            far.map(|(x, y)| format!("{x} for {y}"))
        }
        (Values::U8(_), "exact") => {
            let wrong = bytes(&set).iter().zip(expected).filter(|(x, y)| x != y).count();
            (wrong > 0 || bytes(&set).len() != n).then(|| format!("{wrong} of {n} differ"))
        }
        (Values::U8(_), "close") => {
            let apart: Vec<u8> = bytes(&set).iter().zip(expected).map(|(x, y)| x.abs_diff(*y)).collect();
            let mean = apart.iter().map(|d| f64::from(*d)).sum::<f64>() / n as f64;
            let within = apart.iter().filter(|d| **d <= 4).count() as f64 / n as f64;
            (mean > 1.0 || within < 0.999).then(|| format!("mean {mean:.3}, within 4: {within:.5}"))
        }
        (Values::U8(_), how) => Some(format!("bytes, not {how}")),
        (Values::F32(_), how) => Some(format!("numbers, not {how}")),
    }
}

#[test]
fn pixels_of_every_kind_are_those_of_pillow() {
    let expected = fs::read(fixture("kinds/expected.bin")).expect("a fixture");
    let cases = cases();
    assert!(cases.len() > 100);
    let told = |case: &Case| fault(case, &expected).map(|what| format!("{}: {what}", case.name));
    let faults: Vec<String> = cases.iter().filter_map(told).collect();
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}
