//! The UCI handwritten digits, 8 × 8, embedded in the program.

use std::path::Path;

use super::{BuiltIn, Defaults, Settings};
use crate::gzip::Gunzip;
use crate::{DataError, Dataset, Origin, Task, Values};

/// The registry line.
pub const SET: BuiltIn = BuiltIn {
    name: "digits",
    summary: "handwritten digits, 1,797 images of 8 x 8 with 17 levels of gray",
    defaults: Defaults { n: N, noise: 0.0, classes: 10, any_classes: false },
    build,
};

/// Samples.
const N: usize = 1797;
/// Pixels.
const SIZE: usize = 64;
/// Gzip of all labels, then all pixels, one byte each; made by `assets/digits.py`.
const ASSET: &[u8] = include_bytes!("../../assets/digits.gz");

/// Gray levels 0 to 16 become 0 to 1.
fn build(_: &Settings) -> Result<Dataset, DataError> {
    let bytes = Gunzip::new(Path::new("digits"), ASSET).read_to_end()?;
    let (labels, pixels) = bytes.split_at(N.min(bytes.len()));
    debug_assert_eq!(pixels.len(), N * SIZE);
    Ok(Dataset {
        name: "digits".into(),
        input_shape: vec![8, 8, 1],
        inputs: Values::F32(pixels.iter().map(|p| f32::from(*p) / 16.0).collect()),
        targets: labels.iter().map(|l| f32::from(*l)).collect(),
        task: Task::Classification { classes: (0..10).map(|c| c.to_string()).collect() },
        features: Vec::new(),
        origin: Origin {
            source:
                "Alpaydin and Kaynak (1998), Optical Recognition of Handwritten Digits, UCI Machine Learning \
                     Repository, doi:10.24432/C50P49; the 1797 test samples, as in scikit-learn"
                    .into(),
            license: "CC BY 4.0".into(),
        },
        fixed_valid: None,
        fixed_test: None,
        missing: Vec::new(),
        groups: None,
        times: None,
        weights: None,
        schema: None,
        columns: Vec::new(),
        notes: Vec::new(),
        warnings: Vec::new(),
    })
}
