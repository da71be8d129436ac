//! Rings around one center.

use std::f32::consts::TAU;

use super::{BuiltIn, Defaults, planar};

/// The registry line.
pub const SET: BuiltIn = BuiltIn {
    name: "rings",
    summary: "rings around one center in the plane, one for each class",
    defaults: Defaults { n: 1000, noise: 0.06, classes: 2, any_classes: true },
    build: |settings| planar("rings", settings, place),
};

/// Radius (class + 1) / classes, any angle.
fn place(class: usize, n_classes: usize, u: [f32; 2]) -> [f32; 2] {
    let r = (class + 1) as f32 / n_classes as f32;
    let (sin, cos) = libm::sincosf(TAU * u[0]);
    [r * cos, r * sin]
}
