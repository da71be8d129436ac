//! Gaussian blobs on a circle.

use std::f32::consts::TAU;

use super::{BuiltIn, Defaults, planar};

/// The registry line.
pub const SET: BuiltIn = BuiltIn {
    name: "blobs",
    summary: "Gaussian blobs with centers on a circle, one for each class",
    defaults: Defaults { n: 1000, noise: 0.3, classes: 3, any_classes: true },
    build: |settings| planar("blobs", settings, place),
};

/// Centers at radius 1, evenly spaced; all the spread is noise.
fn place(class: usize, n_classes: usize, _: [f32; 2]) -> [f32; 2] {
    let (sin, cos) = libm::sincosf(TAU * class as f32 / n_classes as f32);
    [cos, sin]
}
