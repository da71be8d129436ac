//! Exclusive or: the square's quarters, opposite ones of one class (Minsky and Papert, 1969).

use super::{BuiltIn, Defaults, planar};

/// The registry line.
pub const SET: BuiltIn = BuiltIn {
    name: "xor",
    summary: "the four quarters of a square, opposite ones of one class",
    defaults: Defaults { n: 1000, noise: 0.02, classes: 2, any_classes: false },
    build: |settings| planar("xor", settings, place),
};

/// Uniform in −1..1 along the first axis; the second has the same sign for class 0, the other for class 1.
fn place(class: usize, _: usize, u: [f32; 2]) -> [f32; 2] {
    let x = 2.0 * u[0] - 1.0;
    let sign = if (x < 0.0) == (class == 0) { -1.0 } else { 1.0 };
    [x, sign * u[1]]
}
