//! Interleaved spirals, after the two-spirals problem of Lang and Witbrock (1988).

use std::f32::consts::TAU;

use super::{BuiltIn, Defaults, planar};

/// The registry line.
pub const SET: BuiltIn = BuiltIn {
    name: "spirals",
    summary: "interleaved spirals in the plane, one for each class",
    defaults: Defaults { n: 1000, noise: 0.02, classes: 2, any_classes: true },
    build: |settings| planar("spirals", settings, place),
};

/// Turns of each spiral.
const TURNS: f32 = 1.5;

/// Radius r in 0.05..1 along an angle that grows with r; the classes are turned evenly.
fn place(class: usize, n_classes: usize, u: [f32; 2]) -> [f32; 2] {
    // The square root spreads the points evenly along the arm.
    let r = 0.05 + 0.95 * u[0].sqrt();
    let (sin, cos) = libm::sincosf(TAU * (TURNS * r + class as f32 / n_classes as f32));
    [r * cos, r * sin]
}
