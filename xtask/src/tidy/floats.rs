//! No function of the platform's mathematics in the crates that make numbers: its last bits differ between machines.

use super::Complaint;
use crate::tree::Tree;

/// Crates that only show numbers, or time them.
const SHOW: &[&str] = &["cli", "report", "xtask"];

/// Methods of `f32` and `f64` whose results no standard fixes. Those without arguments are told by their empty brackets
/// from the graph's own. Roots and fused multiply-adds are exact everywhere.
const CALLS: &[&str] = &[
    ".acos()",
    ".acosh()",
    ".asin()",
    ".asinh()",
    ".atan()",
    ".atan2(",
    ".atanh()",
    ".cbrt()",
    ".cos()",
    ".cosh()",
    ".exp()",
    ".exp2()",
    ".exp_m1()",
    ".hypot(",
    ".ln()",
    ".ln_1p()",
    ".log(",
    ".log10()",
    ".log2()",
    ".powf(",
    ".powi(",
    ".sin()",
    ".sin_cos()",
    ".sinh()",
    ".tan()",
    ".tanh()",
];

pub(super) fn floats(tree: &Tree) -> Vec<Complaint> {
    let shows = |name: Option<&str>| name.is_none_or(|name| SHOW.contains(&name));
    let mut found = Vec::new();
    for (file, source) in tree.rust().filter(|(file, _)| file.is_product() && !shows(file.crate_name())) {
        for (line, code) in source.product() {
            if let Some(call) = CALLS.iter().find(|call| code.contains(*call)) {
                let what = format!("`{call}` differs between machines: take `libm`, `power`, or a product");
                found.push(Complaint::at(&file.path, line, what));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_of_the_platform_are_found() {
        let text = "//! A.\nfn a() { x.ln(); y.powi(3); z.sqrt(); }\nfn b() { graph.tanh(x); libm::log(x); }\n\
                    #[cfg(test)]\nmod tests {\n    fn c() { x.ln(); }\n}\n";
        let tree = Tree::of(&[("crates/a/src/a.rs", text), ("crates/report/src/a.rs", text)]);
        let found = floats(&tree);
        assert_eq!((found.len(), found[0].line), (1, 2));
    }
}
