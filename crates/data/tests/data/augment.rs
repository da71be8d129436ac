//! Augmentation from outside: distributions, and what rows depend on.

use data::augment::{Augment, Pipeline};
use data::{Affine, Origin};

use super::*;

/// A set of `n` images of two classes.
fn images(n: usize, [h, w, c]: [usize; 3], inputs: Values) -> Dataset {
    Dataset {
        name: "images".into(),
        input_shape: vec![h, w, c],
        inputs,
        targets: (0..n).map(|i| (i % 2) as f32).collect(),
        task: Task::Classification { classes: vec!["a".into(), "b".into()] },
        features: vec![],
        origin: Origin::default(),
        fixed_valid: None,
        fixed_test: None,
        missing: vec![],
        groups: None,
        times: None,
        weights: None,
        schema: None,
        columns: Vec::new(),
        notes: vec![],
        warnings: vec![],
    }
}

/// Bytes that look random, the same in every run.
fn noise(n: usize, shape: [usize; 3]) -> Dataset {
    let len = n * shape.iter().product::<usize>();
    let byte = |i: usize| ((i as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 37) as u8;
    images(n, shape, Values::U8((0..len).map(byte).collect()))
}

fn pipeline(text: &str, set: &Dataset) -> Pipeline {
    let augment: Augment = text.parse().unwrap();
    let train: Vec<u32> = (0..set.len() as u32).collect();
    Pipeline::new(&augment, set, &train, 9).unwrap().unwrap()
}

fn rows(pipeline: &Pipeline, set: &Dataset, indices: &[u32], epoch: u64) -> Vec<f32> {
    let mut out = vec![f32::NAN; indices.len() * set.n_inputs()];
    pipeline.gather(set, indices, epoch, &Affine::identity(), &mut out).unwrap();
    out
}

fn plain(set: &Dataset, indices: &[u32]) -> Vec<f32> {
    let mut out = vec![f32::NAN; indices.len() * set.n_inputs()];
    set.gather(indices, &Affine::identity(), &mut out).unwrap();
    out
}

const EVERYTHING: &str = "crop-3-reflect,flip-0.5-vertical,rotate-20-mean,jitter,scale,pca-1,shear,translate,randaugment,cutout-5,mixup-0.5-0.5,cutmix-1-0.8";

#[test]
fn a_row_depends_on_seed_epoch_and_index_alone() {
    let set = noise(40, [11, 13, 3]);
    let all: Vec<u32> = (0..40).collect();
    let pipeline = pipeline(EVERYTHING, &set);
    let whole = rows(&pipeline, &set, &all, 4);
    assert!(whole.iter().all(|x| x.is_finite()));
    let width = set.n_inputs();
    for i in [7, 0, 39, 7] {
        let alone = rows(&pipeline, &set, &[i], 4);
        assert_eq!(alone, whole[i as usize * width..(i as usize + 1) * width], "sample {i}");
    }
    let backwards: Vec<u32> = all.iter().rev().copied().collect();
    let turned = rows(&pipeline, &set, &backwards, 4);
    assert!(turned.chunks(width).rev().flatten().eq(whole.iter()));
    std::thread::scope(|scope| {
        let other = scope.spawn(|| rows(&pipeline, &set, &all, 4));
        assert_eq!(other.join().unwrap(), whole);
    });
    assert_ne!(rows(&pipeline, &set, &all, 5), whole);
}

#[test]
fn nothing_drawn_is_nothing_changed() {
    let set = noise(20, [5, 6, 3]);
    let all: Vec<u32> = (0..20).collect();
    let affine = Affine { scale: vec![2.0, 3.0, 4.0], shift: vec![0.1, -0.2, 0.3] };
    let mut want = vec![f32::NAN; 20 * 90];
    set.gather(&all, &affine, &mut want).unwrap();
    for text in [
        "flip-0",
        "rotate-0",
        "translate-0",
        "scale-1-1",
        "shear-0",
        "jitter-0-0-0",
        "pca-0",
        "cutout-3-0",
        "mixup-1-0,cutmix-1-0",
    ] {
        let mut got = vec![f32::NAN; want.len()];
        pipeline(text, &set).gather(&set, &all, 0, &affine, &mut got).unwrap();
        assert_eq!(got, want, "{text}");
    }
}

/// Values that tell their place: the offset of a crop can be read from the image, and all offsets are as likely.
#[test]
fn crops_and_flips_are_uniform() {
    let (n, h, w) = (4000, 6, 8);
    let places = (0..n).flat_map(|_| (0..h * w).map(|i| 1.0 + i as f32)).collect();
    let set = images(n, [h, w, 1], Values::F32(places));
    let all: Vec<u32> = (0..n as u32).collect();
    let width = set.n_inputs();
    let mut counts = vec![0u32; 2 * 25];
    for image in rows(&pipeline("flip,crop-2", &set), &set, &all, 0).chunks(width) {
        // the center of the frame always shows a part of the image
        let (y, x) = (3usize, 4usize);
        let seen = image[y * w + x] as usize - 1;
        let flipped = image[y * w + x - 1] > image[y * w + x];
        let (sy, sx) = (seen / w, if flipped { w - 1 - seen % w } else { seen % w });
        let (dy, dx) = (sy as isize - y as isize, sx as isize - x as isize);
        assert!((-2..=2).contains(&dy) && (-2..=2).contains(&dx), "{dy}, {dx}");
        counts[usize::from(flipped) * 25 + (dy + 2) as usize * 5 + (dx + 2) as usize] += 1;
        for (place, value) in image.iter().enumerate() {
            let (y, x) = ((place / w) as isize + dy, (place % w) as isize + dx);
            let x0 = if flipped { w as isize - 1 - x } else { x };
            let inside = (0..h as isize).contains(&y) && (0..w as isize).contains(&x);
            let want = if inside { (y * w as isize + x0 + 1) as f32 } else { 0.0 };
            assert_eq!(*value, want);
        }
    }
    // χ² with 49 degrees of freedom: mean 49, deviation 9.9
    let expected = n as f64 / 50.0;
    let chi: f64 = counts.iter().map(|c| (f64::from(*c) - expected).powi(2) / expected).sum();
    assert!((20.0..90.0).contains(&chi), "{chi}: {counts:?}");
}

#[test]
fn a_cutout_is_a_square_of_the_mean() {
    let (n, side) = (3000, 10);
    let set = noise(n, [side, side, 3]);
    let all: Vec<u32> = (0..n as u32).collect();
    let (got, want) = (rows(&pipeline("cutout-4", &set), &set, &all, 1), plain(&set, &all));
    let mean: Vec<f64> = (0..3)
        .map(|k| {
            want.iter().skip(k).step_by(3).map(|x| f64::from(*x)).sum::<f64>() / (n * side * side) as f64
        })
        .collect();
    let mut hidden = vec![0u32; side * side];
    for (a, b) in got.chunks(300).zip(want.chunks(300)) {
        let places: Vec<usize> = (0..100).filter(|i| a[3 * i..3 * i + 3] != b[3 * i..3 * i + 3]).collect();
        let (ys, xs): (Vec<_>, Vec<_>) = places.iter().map(|i| (i / side, i % side)).unzip();
        let extent =
            |v: &[usize]| (v.iter().max().unwrap() - v.iter().min().unwrap() + 1, *v.iter().min().unwrap());
        let ((h, y), (w, x)) = (extent(&ys), extent(&xs));
        assert_eq!(places.len(), h * w, "not a rectangle");
        // smaller than 4 only at the frame
        assert!(h == 4 || (h < 4 && (y == 0 || y + h == side)), "{y} + {h}");
        assert!(w == 4 || (w < 4 && (x == 0 || x + w == side)), "{x} + {w}");
        for i in places {
            hidden[i] += 1;
            assert!((0..3).all(|k| (f64::from(a[3 * i + k]) - mean[k]).abs() < 1e-6));
        }
    }
    // The middle is hidden by 4 · 4 of 100 centers, the upper left corner by centers in rows and columns 0, 1 and 2.
    let near = |count: u32, share: f64| (f64::from(count) / n as f64 - share).abs() < 0.03;
    assert!(near(hidden[5 * side + 5], 0.16) && near(hidden[0], 0.09), "{} {}", hidden[55], hidden[0]);
}

#[test]
fn mixed_samples_are_what_their_shares_say() {
    let set = noise(500, [30, 32, 3]);
    let train: Vec<u32> = (100..400).collect();
    let mut partners = std::collections::BTreeSet::new();
    for (text, blend) in [("mixup-1", true), ("cutmix", false)] {
        let augment: Augment = text.parse().unwrap();
        let pipeline = Pipeline::new(&augment, &set, &train, 2).unwrap().unwrap();
        assert!(pipeline.mixes());
        let (mut mean, mut alone) = (0.0, 0);
        for i in &train {
            let mixed = pipeline.mixed(*i, 3);
            assert!(train.contains(&mixed.partner) && (0.0..=1.0).contains(&mixed.own));
            partners.insert(mixed.partner);
            mean += f64::from(mixed.own) / train.len() as f64;
            alone += usize::from(mixed.own == 1.0);
            let (own, other, got) =
                (plain(&set, &[*i]), plain(&set, &[mixed.partner]), rows(&pipeline, &set, &[*i], 3));
            if blend {
                for ((x, y), got) in own.iter().zip(&other).zip(&got) {
                    assert!((mixed.own * x + (1.0 - mixed.own) * y - got).abs() < 1e-6);
                }
                continue;
            }
            let shows =
                |from: &[f32]| (0..960).filter(|p| got[3 * p..3 * p + 3] == from[3 * p..3 * p + 3]).count();
            let same = (0..960).filter(|p| own[3 * p..3 * p + 3] == other[3 * p..3 * p + 3]).count();
            assert_eq!(shows(&own) + shows(&other), 960 + same, "each pixel is of one or the other");
            assert!(
                (shows(&own) - same..=shows(&own)).contains(&((mixed.own * 960.0).round() as usize)),
                "{mixed:?}"
            );
        }
        // λ is uniform. A box of side s = √u around a uniform center covers (s − s²/4)² on average, 77/240 in all;
        // cut to whole pixels it is a little smaller.
        assert!((mean - if blend { 0.5 } else { 0.69 }).abs() < 0.05, "{text}: {mean}");
        assert!(alone < 40, "{text}: {alone} are not mixed");
    }
    assert!(partners.len() > 170);
}

/// The shifts α₁λ₁p₁ + … have the covariance σ² Σ λ² p pᵀ, which is σ² C² for the pixels' covariance C.
#[test]
fn color_shifts_follow_the_covariance_of_the_pixels() {
    let n = 4000;
    let mut values = plain(&noise(n, [2, 2, 3]), &(0..n as u32).collect::<Vec<_>>());
    // correlated channels, outside of 0 … 1 so that nothing is cut
    for pixel in values.chunks_exact_mut(3) {
        let [r, g, b] = [pixel[0], pixel[1], pixel[2]];
        pixel.copy_from_slice(&[5.0 + 3.0 * r, 2.0 + 2.0 * r + g, r - g + 0.5 * b]);
    }
    let mean: [f64; 3] = std::array::from_fn(|k| {
        values.iter().skip(k).step_by(3).map(|x| f64::from(*x)).sum::<f64>() / (4 * n) as f64
    });
    let covariance = |rows: &[f32], mean: [f64; 3]| -> [[f64; 3]; 3] {
        let pixels = rows.chunks_exact(3);
        let count = pixels.len() as f64;
        let mut sum = [[0.0; 3]; 3];
        for p in pixels {
            for (i, row) in sum.iter_mut().enumerate() {
                (0..3).for_each(|j| {
                    row[j] += (f64::from(p[i]) - mean[i]) * (f64::from(p[j]) - mean[j]) / count
                });
            }
        }
        sum
    };
    let c = covariance(&values, mean);
    let set = images(n, [2, 2, 3], Values::F32(values));
    let all: Vec<u32> = (0..n as u32).collect();
    let (got, before) = (rows(&pipeline("pca-0.5", &set), &set, &all, 0), plain(&set, &all));
    let mut shifts = Vec::new();
    for (a, b) in got.chunks(12).zip(before.chunks(12)) {
        let shift = |p: usize, k: usize| a[3 * p + k] - b[3 * p + k];
        (0..3).for_each(|k| shifts.push(shift(0, k)));
        assert!((1..4).all(|p| (0..3).all(|k| (shift(p, k) - shift(0, k)).abs() < 1e-5)));
    }
    let found = covariance(&shifts, [0.0; 3]);
    let want = |i: usize, j: usize| 0.25 * (0..3).map(|k| c[i][k] * c[k][j]).sum::<f64>();
    for (i, row) in found.iter().enumerate() {
        for (j, found) in row.iter().enumerate() {
            let scale = (want(i, i) * want(j, j)).sqrt();
            assert!((found - want(i, j)).abs() < 0.1 * scale, "{i} {j}: {found} instead of {}", want(i, j));
        }
    }
}

#[test]
fn jitter_factors_are_uniform_in_their_range() {
    let n = 4000;
    let set = images(n, [2, 2, 3], Values::F32(vec![0.5; 12 * n]));
    let all: Vec<u32> = (0..n as u32).collect();
    let factors: Vec<f32> =
        rows(&pipeline("jitter-0.4-0-0", &set), &set, &all, 0).chunks(12).map(|r| r[0] / 0.5).collect();
    let share =
        |from: f32, to: f32| factors.iter().filter(|f| (from..to).contains(*f)).count() as f64 / n as f64;
    assert_eq!(share(0.6, 1.401), 1.0);
    assert!((share(0.6, 0.8) - 0.25).abs() < 0.03 && (share(1.2, 1.401) - 0.25).abs() < 0.03);
    // contrast and saturation leave a gray image as it is
    let gray = rows(&pipeline("jitter-0-0.9-0.9", &set), &set, &all, 0);
    assert!(gray.iter().all(|x| (x - 0.5).abs() < 1e-6));
}
