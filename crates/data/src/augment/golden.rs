//! Motions and tones against PyTorch's `grid_sample` and Pillow, from a file that a script beside it wrote.

use serde::Deserialize;

use super::fill::Fill;
use super::motion::{Motion, Scene, resample, resample_in_place, scratch_len};
use super::{levels, tone};

#[derive(Deserialize)]
struct Golden {
    moved: Vec<Moved>,
    changed: Vec<Changed>,
}

#[derive(Deserialize)]
struct Moved {
    shape: [usize; 3],
    pixels: Vec<u8>,
    matrix: [[f32; 2]; 2],
    offset: [f32; 2],
    fill: Fill,
    want: Vec<f64>,
}

#[derive(Deserialize)]
struct Changed {
    name: String,
    value: f32,
    shape: [usize; 3],
    pixels: Vec<u8>,
    want: Vec<u8>,
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("../../tests/golden/augment/augment.json"))
        .unwrap_or_else(|error| unreachable!("{error}"))
}

fn numbers(bytes: &[u8]) -> Vec<f32> {
    bytes.iter().map(|b| f32::from(*b) / 255.0).collect()
}

#[test]
fn motions_are_those_of_grid_sample() {
    for case in golden().moved {
        let motion = Motion { matrix: case.matrix, offset: case.offset };
        let (shape, fill, mean) = (case.shape, case.fill, &vec![0.5; case.shape[2]][..]);
        let mut scratch = vec![f32::NAN; scratch_len(shape)];
        let mut out = vec![f32::NAN; case.pixels.len()];
        let close = |out: &[f32], way: &str| {
            for (i, (got, want)) in out.iter().zip(&case.want).enumerate() {
                // positions up to 40 have an error of 40 · 2⁻²³, which a slope of at most 1 keeps
                assert!(
                    (f64::from(*got) - want).abs() < 1e-5,
                    "{motion:?} {shape:?} {fill:?} {way}: {i}: {got}, {want}"
                );
            }
        };
        resample(Scene { pixels: &case.pixels[..], shape, fill, mean }, motion, &mut out, &mut scratch);
        close(&out, "bytes");
        let mut values = numbers(&case.pixels);
        resample(Scene { pixels: &values[..], shape, fill, mean }, motion, &mut out, &mut scratch);
        close(&out, "numbers");
        resample_in_place((shape, fill, mean), motion, &mut values, &mut scratch);
        close(&values, "in place");
    }
}

/// With the mean as fill, the image minus its mean moves as it does with zeros.
#[test]
fn the_mean_is_a_zero_elsewhere() {
    for case in golden().moved.into_iter().filter(|c| c.fill == Fill::Zero) {
        let motion = Motion { matrix: case.matrix, offset: case.offset };
        let shape = case.shape;
        let mean: Vec<f32> = (0..shape[2]).map(|k| 0.3 + 0.1 * k as f32).collect();
        let mut scratch = vec![f32::NAN; scratch_len(shape)];
        let (mut out, mut moved) = (vec![f32::NAN; case.pixels.len()], vec![f32::NAN; case.pixels.len()]);
        let centered: Vec<f32> =
            numbers(&case.pixels).iter().enumerate().map(|(i, x)| x - mean[i % shape[2]]).collect();
        let scene = Scene { pixels: &case.pixels[..], shape, fill: Fill::Mean, mean: &mean };
        resample(scene, motion, &mut out, &mut scratch);
        let scene = Scene { pixels: &centered[..], shape, fill: Fill::Zero, mean: &mean };
        resample(scene, motion, &mut moved, &mut scratch);
        for (i, (a, b)) in out.iter().zip(&moved).enumerate() {
            assert!((a - mean[i % shape[2]] - b).abs() < 1e-6, "{motion:?}: {a}, {b}");
        }
    }
}

#[test]
fn tones_and_levels_are_those_of_pillow() {
    for case in golden().changed {
        let (shape, value) = (case.shape, case.value);
        let channels = shape[2];
        let mut x = numbers(&case.pixels);
        // Pillow's blends cut to bytes, and so do the grays that they blend with: one step each at the most.
        let steps = match &*case.name {
            "brightness" => 1.0,
            "posterize" | "solarize" | "equalize" => 0.01,
            "autocontrast" => 1.0,
            _ => 1.0 + (1.0 - value).abs(),
        };
        match &*case.name {
            "brightness" => tone::brightness(&mut x, value, true),
            "contrast" => tone::contrast(&mut x, channels, value, true),
            "saturation" => tone::saturation(&mut x, channels, value, true),
            "sharpness" => {
                let mut scratch = vec![f32::NAN; x.len()];
                levels::sharpness(&mut x, &mut scratch, shape, value);
            }
            "posterize" => levels::posterize(&mut x, value as u32),
            "solarize" => levels::solarize(&mut x, (value - 0.5) / 255.0),
            "autocontrast" => levels::autocontrast(&mut x, channels),
            _ => levels::equalize(&mut x, channels),
        }
        for (i, (got, want)) in x.iter().zip(&case.want).enumerate() {
            let got = got * 255.0;
            let text = || format!("{} {value} {shape:?}: {i}: {got} instead of {want}", case.name);
            assert!((got - f32::from(*want)).abs() <= steps + 1e-3, "{}", text());
        }
        let unchanged = x.iter().zip(numbers(&case.pixels)).all(|(a, b)| *a == b);
        assert!(
            !unchanged || case.name == "equalize" || (channels == 1 && case.name == "saturation"),
            "{}",
            case.name
        );
    }
}

#[test]
fn motions_compose_in_their_order() {
    // A quarter turn to the left, then two pixels to the right: seen at (0, 0) is what was at (−2, 0) after the turn,
    // which was at (0, −2) rows above before it: x' = −y.
    let turn = Motion::linear([[0.0, -1.0], [1.0, 0.0]]);
    let both = turn.then(Motion::offset(-2.0, 0.0));
    assert_eq!(both, Motion { matrix: [[0.0, -1.0], [1.0, 0.0]], offset: [0.0, -2.0] });
    let rotated = Motion::rotation(std::f32::consts::FRAC_PI_2);
    let close =
        rotated.matrix.iter().flatten().zip(turn.matrix.iter().flatten()).all(|(a, b)| (a - b).abs() < 1e-6);
    assert!(close, "{rotated:?}");
}
