//! Two interleaved half circles.

use std::f32::consts::PI;

use super::{BuiltIn, Defaults, planar};

/// The registry line. The shape is that of scikit-learn's `make_moons`; angles are uniform instead of evenly spaced.
pub const SET: BuiltIn = BuiltIn {
    name: "two-moons",
    summary: "two interleaved half circles in the plane",
    defaults: Defaults { n: 1000, noise: 0.1, classes: 2, any_classes: false },
    build: |settings| planar("two-moons", settings, place),
};

/// (cos t, sin t) for the first class, (1 − cos t, ½ − sin t) for the second, t in 0..π.
fn place(class: usize, _: usize, u: [f32; 2]) -> [f32; 2] {
    let (sin, cos) = libm::sincosf(PI * u[0]);
    if class == 0 { [cos, sin] } else { [1.0 - cos, 0.5 - sin] }
}
