//! What is known of the numbers of a column, and how f32 keeps what makes them differ.

use super::Table;
use super::cells::Column as Cells;
use super::readings::Readings;
use crate::DataError;

/// What is known of the numbers of a column.
pub(crate) struct Known {
    pub n: usize,
    pub mean: f64,
    pub min: f64,
    pub max: f64,
    std: f64,
    /// The first row with an infinite value.
    infinite: Option<(usize, f64)>,
}

impl Known {
    pub fn of(table: &Table, column: &Cells, texts: &Readings) -> Known {
        let mut known =
            Known { n: 0, mean: 0.0, min: f64::INFINITY, max: f64::NEG_INFINITY, std: 0.0, infinite: None };
        let mut sum = 0.0;
        for (row, x) in column.values(texts, &table.marks).enumerate() {
            if x.is_infinite() {
                known.infinite.get_or_insert((row, x));
            }
            if !x.is_finite() {
                continue;
            }
            known.n += 1;
            sum += x;
            (known.min, known.max) = (known.min.min(x), known.max.max(x));
        }
        known.mean = sum / known.n.max(1) as f64;
        let deviations = column.values(texts, &table.marks).filter(|x| x.is_finite());
        let squares: f64 = deviations.map(|x| (x - known.mean) * (x - known.mean)).sum();
        known.std = (squares / known.n.max(1) as f64).sqrt();
        known
    }

    /// An infinite value is an error.
    pub fn check(&self, table: &Table, index: usize, target: bool) -> Result<(), DataError> {
        let Some((row, value)) = self.infinite else { return Ok(()) };
        let (column, path) = (table.names[index].clone(), table.path.clone());
        Err(DataError::NotFinite { target, value, row, column, path })
    }

    /// What is taken away before f32 and the factor of the rest: (0, 1), unless values lie so far from zero that f32
    /// would lose what makes them differ, or beyond its range.
    pub fn offset_and_factor(&self) -> (f64, f64) {
        const FAR: f64 = 1024.0;
        const LARGEST: f64 = 1e30;
        let largest = self.min.abs().max(self.max.abs());
        if self.n == 0 || largest == 0.0 {
            return (0.0, 1.0);
        }
        let far = self.std > 0.0 && largest > FAR * self.std && largest >= f64::from(1u32 << 12);
        let offset = match far {
            true if self.std >= 1.0 => self.mean.round(),
            true => self.mean,
            false => 0.0,
        };
        let rest = (self.min - offset).abs().max((self.max - offset).abs());
        let factor = if rest > LARGEST || rest > 0.0 && rest < 1.0 / LARGEST { 1.0 / rest } else { 1.0 };
        (offset, factor)
    }
}
