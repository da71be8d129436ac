//! A contact sheet: samples, and beside each what augmentation makes of it, as one picture.

#[cfg(feature = "images")]
use std::io;

use super::Pipeline;
use crate::{Affine, DataError, Dataset, Task, order};

/// A picture of red, green and blue bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sheet {
    /// Pixels across.
    pub width: usize,
    /// Pixels down.
    pub height: usize,
    /// Three bytes for each pixel, row by row.
    pub rgb: Vec<u8>,
    /// What the rows show, from the top: samples with their targets.
    pub legend: Vec<String>,
}

/// Shorter side of a shown image, at least, in pixels.
const LEAST_SIDE: usize = 64;
/// Pixels between images.
const GAP: usize = 4;
/// Pixels between a sample and what became of it.
const WIDE_GAP: usize = 16;
/// Color between images.
const PAPER: u8 = 255;

/// Draws `samples` of `set`, a row for each: as they are, then as they are in the first `versions` epochs.
///
/// Values are shown as they are before any preprocessing: 0 to 1 as black to white, and those of a set with other
/// values by the range of the samples shown. One channel is gray, three are colors, of others the mean is shown.
/// None if samples are not images.
///
/// # Errors
/// What keeps rows of a file from being read.
pub fn sheet(
    set: &Dataset,
    samples: &[u32],
    pipeline: Option<&Pipeline>,
    versions: usize,
) -> Result<Option<Sheet>, DataError> {
    let shape = set.image_shape().filter(|shape| shape.iter().all(|n| *n > 0));
    let Some([h, w, c]) = shape else { return Ok(None) };
    let versions = if pipeline.is_some() { versions } else { 0 };
    let factor = LEAST_SIDE.div_ceil(h.min(w));
    let (tile_h, tile_w) = (h * factor, w * factor);
    let rest = if versions == 0 { 0 } else { WIDE_GAP + versions * (tile_w + GAP) - GAP };
    let (width, height) = (2 * GAP + tile_w + rest, GAP + samples.len() * (tile_h + GAP));
    let mut rgb = vec![PAPER; 3 * width * height];
    let mut image = vec![0.0; h * w * c];
    let range = range_of(set, samples, &mut image)?;
    for (row, sample) in samples.iter().enumerate() {
        let top = GAP + row * (tile_h + GAP);
        let mut draw = |image: &[f32], left: usize| {
            for (y, x) in (0..tile_h).flat_map(|y| (0..tile_w).map(move |x| (y, x))) {
                let pixel = &image[((y / factor) * w + x / factor) * c..][..c];
                rgb[3 * ((top + y) * width + left + x)..][..3].copy_from_slice(&color(pixel, range));
            }
        };
        set.gather(&[*sample], &Affine::identity(), &mut image)?;
        draw(&image, GAP);
        for (version, pipeline) in (0..versions).zip(pipeline.iter().cycle()) {
            pipeline.gather(set, &[*sample], version as u64, &Affine::identity(), &mut image)?;
            draw(&image, GAP + tile_w + WIDE_GAP + version * (tile_w + GAP));
        }
    }
    let legend = samples.iter().map(|i| format!("sample {i}: {}", target(set, *i))).collect();
    Ok(Some(Sheet { width, height, rgb, legend }))
}

/// `n` of the samples `from`, in an order that the seed decides; of classes one each in turn.
pub fn pick(set: &Dataset, from: &[u32], n: usize, seed: u64) -> Vec<u32> {
    let mut seen = vec![0usize; set.n_classes().unwrap_or(0)];
    let shuffled = order(from.len(), seed, 0, true);
    let mut ranked: Vec<(usize, usize, usize, u32)> = Vec::new();
    for (place, sample) in shuffled.into_iter().map(|i| from[i as usize]).enumerate() {
        let class = if seen.is_empty() { 0 } else { set.targets[sample as usize] as usize };
        let rank = seen.get_mut(class).map_or(0, |s| std::mem::replace(s, *s + 1));
        if rank < n && (set.n_classes().is_some() || place < n) {
            ranked.push((rank, class, place, sample));
        }
    }
    ranked.sort_unstable();
    ranked.into_iter().take(n).map(|(_, _, _, sample)| sample).collect()
}

#[cfg(feature = "images")]
impl Sheet {
    /// Writes the picture as PNG; with the feature `images`.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write_png(&self, to: impl io::Write) -> io::Result<()> {
        let mut encoder = png::Encoder::new(to, self.width as u32, self.height as u32);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_compression(png::Compression::High);
        let mut writer = encoder.write_header().map_err(io_error)?;
        writer.write_image_data(&self.rgb).map_err(io_error)?;
        writer.finish().map_err(io_error)
    }
}

#[cfg(feature = "images")]
/// The system's own words, where it is the system that refused.
fn io_error(error: png::EncodingError) -> io::Error {
    match error {
        png::EncodingError::IoError(error) => error,
        other => io::Error::other(other),
    }
}

/// What black and white stand for.
fn range_of(set: &Dataset, samples: &[u32], image: &mut [f32]) -> Result<(f32, f32), DataError> {
    let (mut low, mut high) = (f32::INFINITY, f32::NEG_INFINITY);
    for sample in samples {
        set.gather(&[*sample], &Affine::identity(), image)?;
        low = image.iter().copied().fold(low, f32::min);
        high = image.iter().copied().fold(high, f32::max);
    }
    Ok(if low >= 0.0 && high <= 1.0 || low >= high { (0.0, 1.0) } else { (low, high) })
}

fn color(pixel: &[f32], (low, high): (f32, f32)) -> [u8; 3] {
    let byte = |x: f32| ((x - low) / (high - low) * 255.0).round().clamp(0.0, 255.0) as u8;
    match *pixel {
        [r, g, b] | [r, g, b, _] => [byte(r), byte(g), byte(b)],
        _ => [byte(pixel.iter().sum::<f32>() / pixel.len() as f32); 3],
    }
}

/// The target of a sample as text.
fn target(set: &Dataset, sample: u32) -> String {
    let n = set.n_targets();
    let target = &set.targets[sample as usize * n..(sample as usize + 1) * n];
    match &set.task {
        Task::Classification { classes } => classes.get(target[0] as usize).cloned().unwrap_or("?".into()),
        Task::Regression { .. } => target.iter().map(f32::to_string).collect::<Vec<_>>().join(", "),
    }
}

#[cfg(test)]
#[cfg(all(feature = "gzip", feature = "images"))]
mod tests {
    use super::*;
    use crate::{self as data, DataOptions};

    #[test]
    fn rows_show_samples_and_their_versions() {
        let set = data::open("digits", &DataOptions::default()).unwrap();
        let all: Vec<u32> = (0..set.len() as u32).collect();
        let samples = pick(&set, &all, 12, 5);
        let classes: Vec<f32> = samples.iter().map(|i| set.targets[*i as usize]).collect();
        assert_eq!(classes, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 0.0, 1.0]);
        assert_ne!(samples, pick(&set, &all, 12, 6));
        let pipeline = Pipeline::new(&"flip-1".parse().unwrap(), &set, &all, 0).unwrap();
        let shown = sheet(&set, &samples, pipeline.as_ref(), 3).unwrap().unwrap();
        // 8 × 8 becomes 64 × 64
        assert_eq!((shown.width, shown.height), (8 + 64 + 16 + 3 * 68 - 4, 4 + 12 * 68));
        assert_eq!(shown.legend[1], format!("sample {}: 1", samples[1]));
        let at = |y: usize, x: usize| &shown.rgb[3 * (y * shown.width + x)..][..3];
        for (y, x) in (0..64).flat_map(|y| (0..64).map(move |x| (y, x))) {
            let gray = (data_value(&set, samples[2], y / 8, x / 8) * 255.0).round() as u8;
            assert_eq!(at(4 + 2 * 68 + y, 4 + x), [gray; 3]);
            assert_eq!(at(4 + 2 * 68 + y, 4 + 64 + 16 + 63 - x), [gray; 3], "the mirror image beside it");
        }
        let mut bytes = Vec::new();
        shown.write_png(&mut bytes).unwrap();
        let mut reader = png::Decoder::new(io::Cursor::new(bytes)).read_info().unwrap();
        let mut back = vec![0; shown.rgb.len()];
        reader.next_frame(&mut back).unwrap();
        assert_eq!(back, shown.rgb);
        let plain = sheet(&set, &samples, None, 3).unwrap().unwrap();
        assert_eq!(plain.width, 8 + 64);
        let points = data::open("two-moons", &DataOptions::default()).unwrap();
        assert_eq!(sheet(&points, &[0], None, 3).unwrap(), None);
    }

    fn data_value(set: &Dataset, sample: u32, y: usize, x: usize) -> f32 {
        let mut image = vec![0.0; 64];
        set.gather(&[sample], &Affine::identity(), &mut image).unwrap();
        image[8 * y + x]
    }
}
