//! Factors of a table's columns: after preprocessing, a column counts more or less than the others.

use std::collections::BTreeMap;

use settings::nearest;

use crate::schema::{Column, Role, TableSchema};
use crate::{Affine, DataError, Dataset};

impl Affine {
    /// The map with the inputs of some columns of numbers then multiplied by factors, so that these columns count more
    /// or less for models that compare distances or keep weights small. Columns are told by name, or by index from 0
    /// (from the end if negative).
    ///
    /// # Errors
    /// [`DataError::NoColumn`], or [`DataError::BadOption`] for data that are no table, a column that is no input of
    /// numbers, and a factor that is not above 0 or leads out of single precision.
    pub fn scaled(self, set: &Dataset, factors: &BTreeMap<String, f64>) -> Result<Affine, DataError> {
        if factors.is_empty() {
            return Ok(self);
        }
        let Some(schema) = &set.schema else {
            let names = factors.keys().cloned().collect::<Vec<_>>().join(", ");
            return Err(bad(names, "nothing, because only tables have columns".into()));
        };
        let width = schema.n_inputs();
        let wide = |values: Vec<f32>| if values.len() == 1 { vec![values[0]; width] } else { values };
        let (mut scale, mut shift) = (wide(self.scale), wide(self.shift));
        for (name, factor) in factors {
            let told = || format!("{{ {name} = {factor} }}");
            if !(factor.is_finite() && *factor > 0.0) {
                return Err(bad(told(), "a factor above 0".into()));
            }
            let column = find(set, schema, name)?;
            let first: usize = schema.columns[..column].iter().map(|c| c.role.width()).sum();
            for input in first..first + schema.columns[column].role.width() {
                let times = |x: f32| (f64::from(x) * factor) as f32;
                (scale[input], shift[input]) = (times(scale[input]), times(shift[input]));
                if !scale[input].is_normal() || !shift[input].is_finite() {
                    return Err(bad(told(), "a factor that stays within single precision".into()));
                }
            }
        }
        Ok(Affine { scale, shift })
    }
}

/// The place of a column of numbers among the columns that are inputs.
fn find(set: &Dataset, schema: &TableSchema, name: &str) -> Result<usize, DataError> {
    let index = |n: usize| match name.parse::<i64>().ok()? {
        i if i < 0 => n.checked_sub(i.unsigned_abs() as usize),
        i => Some(i as usize),
    };
    let by_name = schema.columns.iter().position(|c| c.name == name);
    let is_other = by_name.is_none() && set.columns.iter().any(|c| c.name == name);
    let by_index = || index(schema.width).and_then(|i| schema.columns.iter().position(|c| c.index == i));
    let place = by_name.or_else(|| if is_other { None } else { by_index() });
    match place.map(|place| &schema.columns[place]) {
        Some(Column { role: Role::Number { .. }, .. }) => Ok(place.unwrap_or(0)),
        Some(_) => Err(bad(name.into(), "a column of numbers, as `data info` shows them".into())),
        None if is_other || index(schema.width).is_some_and(|i| i < schema.width) => {
            Err(bad(name.into(), "a column that is an input".into()))
        }
        None => {
            let inputs = || schema.columns.iter().map(|c| c.name.clone()).collect();
            let all: Vec<String> = set.columns.iter().map(|c| c.name.clone()).collect();
            let columns: Vec<String> = if all.is_empty() { inputs() } else { all };
            Err(DataError::NoColumn {
                name: name.into(),
                nearest: nearest(name, columns.iter().map(String::as_str)),
                columns,
                path: set.origin.source.clone().into(),
            })
        }
    }
}

fn bad(value: String, expected: String) -> DataError {
    DataError::BadOption { option: "scale", value, expected }
}
