//! Different numbers of a column that f64 or f32 makes one.

use std::collections::HashSet;

use super::Table;
use super::encode::Codes;
use crate::schema::{Role, TableSchema};

/// Rows that are looked at.
const LOOK: usize = 20_000;

/// The whole numbers beyond which f64 has gaps.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// What is lost of inputs of numbers: one warning for each column in which more than one of a hundred different values
/// becomes another.
pub(super) fn warnings(table: &Table, schema: &TableSchema, codes: &[Codes]) -> Vec<String> {
    let mut out = Vec::new();
    for (column, codes) in schema.columns.iter().zip(codes) {
        let (Role::Number { offset, factor, .. }, Codes::Measured(texts)) = (&column.role, codes) else {
            continue;
        };
        let values = table.columns[column.index].values(texts, &table.marks);
        let step = (values.len() / LOOK).max(1);
        let values = values.step_by(step).filter(|x| x.is_finite());
        let (mut wide, mut narrow, mut beyond) = (HashSet::new(), HashSet::new(), 0);
        for x in values {
            wide.insert(x.to_bits());
            narrow.insert((((x - offset) * factor) as f32).to_bits());
            beyond += usize::from(x.abs() >= EXACT && x.fract() == 0.0);
        }
        if beyond > 0 {
            out.push(format!(
                "column `{}` has whole numbers beyond 2^53, some of which become equal; `data.types={{\"{}\"=\"category\"}}` keeps them apart",
                column.name, column.name
            ));
        } else if wide.len() - narrow.len() > wide.len() / 100 {
            out.push(format!(
                "column `{}`: of {} different values, only {} remain different in single precision",
                column.name,
                wide.len(),
                narrow.len()
            ));
        }
    }
    out
}
