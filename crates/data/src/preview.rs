//! A few samples as text: small images as characters, planar points as a picture, others as rows.

use super::{Affine, DataError, Dataset, Task};

/// From dark to bright.
const SHADES: &[u8] = b" .:-=+*#%@";

/// Columns of text that a preview may take.
const WIDTH: usize = 96;

/// The first samples of each class in turn (`n` of them) as text; for points in the plane a picture of all.
///
/// # Errors
/// What keeps rows of a file from being read.
pub fn preview(set: &Dataset, n: usize) -> Result<String, DataError> {
    let chosen = choose(set, n);
    match (set.image_shape(), &set.input_shape[..]) {
        (Some([h, w, _]), _) if is_small(h, w) => images(set, &chosen, h, w),
        (_, [2]) if set.n_classes().is_some() => points(set),
        _ => rows(set, &chosen),
    }
}

fn is_small(h: usize, w: usize) -> bool {
    (4..=64).contains(&h) && (4..=64).contains(&w)
}

/// The k-th sample of each class before the k+1-th of any; the first samples for numbers as targets.
fn choose(set: &Dataset, n: usize) -> Vec<u32> {
    let Some(n_classes) = set.n_classes() else { return (0..n.min(set.len()) as u32).collect() };
    let mut seen = vec![0usize; n_classes];
    let mut ranked: Vec<(usize, usize, u32)> = Vec::new();
    for (i, target) in set.targets.iter().enumerate() {
        let class = *target as usize;
        let rank = seen.get_mut(class).map_or(0, |s| std::mem::replace(s, *s + 1));
        if rank < n {
            ranked.push((rank, class, i as u32));
        }
    }
    ranked.sort_unstable();
    ranked.into_iter().take(n).map(|(_, _, i)| i).collect()
}

/// The target of a sample as text.
fn label(set: &Dataset, sample: u32) -> String {
    let width = set.n_targets();
    let target = &set.targets[sample as usize * width..(sample as usize + 1) * width];
    match &set.task {
        Task::Classification { classes } => classes.get(target[0] as usize).cloned().unwrap_or("?".into()),
        Task::Regression { .. } => target.iter().map(f32::to_string).collect::<Vec<_>>().join(", "),
    }
}

fn images(set: &Dataset, chosen: &[u32], h: usize, w: usize) -> Result<String, DataError> {
    // A character is about twice as high as wide: small images take two for a pixel, others one for two pixels.
    let tall = w <= 16;
    let (lines, columns) = if tall { (h, 2 * w) } else { (h.div_ceil(2), w) };
    let per_row = (WIDTH / (columns + 2)).max(1);
    let mut text = String::new();
    for row in chosen.chunks(per_row) {
        let pictures = row.iter().map(|&i| gray(set, i, h, w)).collect::<Result<Vec<_>, _>>()?;
        let titles = row.iter().map(|&i| pad(&format!("{}: {}", i, label(set, i)), columns));
        text += titles.collect::<Vec<_>>().join("  ").trim_end();
        text.push('\n');
        for line in 0..lines {
            let cells = pictures.iter().map(|p| picture_line(p, line, h, w, tall));
            text += cells.collect::<Vec<_>>().join("  ").trim_end();
            text.push('\n');
        }
        text.push('\n');
    }
    Ok(text)
}

fn pad(text: &str, width: usize) -> String {
    let cut: String = text.chars().take(width).collect();
    format!("{cut:width$}")
}

/// One image as shades, averaged over channels and stretched to its own range.
fn gray(set: &Dataset, sample: u32, h: usize, w: usize) -> Result<Vec<u8>, DataError> {
    let mut values = vec![0.0; set.n_inputs()];
    set.gather(&[sample], &Affine::identity(), &mut values)?;
    let channels = values.len() / (h * w);
    let mean: Vec<f32> = values.chunks_exact(channels).map(|pixel| pixel.iter().sum::<f32>()).collect();
    let low = mean.iter().copied().fold(f32::INFINITY, f32::min);
    let high = mean.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let span = if high > low { high - low } else { 1.0 };
    Ok(mean.iter().map(|x| ((x - low) / span * 255.0) as u8).collect())
}

fn picture_line(picture: &[u8], line: usize, h: usize, w: usize, tall: bool) -> String {
    let shade = |value: usize| char::from(SHADES[value * (SHADES.len() - 1) / 255]);
    let at = |y: usize, x: usize| usize::from(picture[y.min(h - 1) * w + x]);
    if tall {
        return (0..w).flat_map(|x| [shade(at(line, x)); 2]).collect();
    }
    (0..w).map(|x| shade(at(2 * line, x).midpoint(at(2 * line + 1, x)))).collect()
}

/// All points of the plane, each as its class.
fn points(set: &Dataset) -> Result<String, DataError> {
    const SIZE: (usize, usize) = (24, 64);
    let all: Vec<u32> = (0..set.len() as u32).collect();
    let mut values = vec![0.0; 2 * all.len()];
    set.gather(&all, &Affine::identity(), &mut values)?;
    let m = super::moments::moments(set, &all)?;
    let place = |x: f32, d: usize, size: usize| {
        let span = if m.max[d] > m.min[d] { m.max[d] - m.min[d] } else { 1.0 };
        ((f64::from(x) - m.min[d]) / span * (size - 1) as f64).round() as usize
    };
    let mut grid = vec![vec![' '; SIZE.1]; SIZE.0];
    for (point, class) in values.chunks_exact(2).zip(&set.targets) {
        let mark = char::from_digit(*class as u32 % 36, 36).unwrap_or('?');
        grid[SIZE.0 - 1 - place(point[1], 1, SIZE.0)][place(point[0], 0, SIZE.1)] = mark;
    }
    let lines: Vec<String> =
        grid.iter().map(|row| row.iter().collect::<String>().trim_end().to_string()).collect();
    Ok(lines.join("\n") + "\n")
}

/// Rows of numbers, as many columns as fit.
fn rows(set: &Dataset, chosen: &[u32]) -> Result<String, DataError> {
    let shown = set.n_inputs().min(8);
    let more = set.n_inputs() - shown;
    let names = (0..shown).map(|i| set.feature_name(i));
    let cell = |text: &str| {
        let cut: String = text.chars().take(11).collect();
        format!("{cut:>11}")
    };
    let mut lines = vec![format!("{:>6}{}  target", "sample", names.map(|n| cell(&n)).collect::<String>())];
    let mut values = vec![0.0; set.n_inputs()];
    for &i in chosen {
        set.gather(&[i], &Affine::identity(), &mut values)?;
        let cells: String = values[..shown].iter().map(|v| cell(&v.to_string())).collect();
        lines.push(format!("{i:>6}{cells}  {}", label(set, i)));
    }
    if more > 0 {
        lines.push(format!("and {more} inputs more"));
    }
    Ok(lines.join("\n") + "\n")
}
