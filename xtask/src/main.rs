//! Tasks of the house: tidy, gen, bench, size.

fn main() {}
