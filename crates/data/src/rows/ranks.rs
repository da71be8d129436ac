//! Values at places of the sorted values of columns, without holding a column: found digit by digit of their bits.

use crate::DataError;

/// Bits of each digit, from the first; together those of an f32.
const DIGITS: [u32; 3] = [11, 11, 10];

/// Bytes of counts that are held at a time.
const ROOM: usize = 32 << 20;

/// Calls its argument with what gives the number of a row in a column.
type Visit<'a> = &'a mut dyn FnMut(&dyn Fn(usize) -> f32);

/// For each of `columns` the values at the places that `places` tells for their number, in ascending order of all that
/// are no NaN (as `f32::total_cmp` has it). `pass` calls its argument with a function that gives the number of a row
/// in a column, once for each row. Cost: 3 passes for every 500 columns or so, and exact.
///
/// # Errors
/// Those of `pass`.
pub(crate) fn at_places(
    columns: &[usize],
    places: impl Fn(usize) -> Vec<usize>,
    mut pass: impl FnMut(Visit<'_>) -> Result<(), DataError>,
) -> Result<Vec<Vec<f32>>, DataError> {
    let n_places = places(usize::MAX >> 8).len().max(1);
    let in_group = (ROOM / ((4 * n_places) << DIGITS[0])).max(1);
    let mut out = Vec::with_capacity(columns.len());
    for group in columns.chunks(in_group) {
        let mut searches: Vec<Search> = group.iter().map(|_| Search::new()).collect();
        let mut below = 32;
        for (i, digit) in DIGITS.into_iter().enumerate() {
            below -= digit;
            pass(&mut |row| {
                for (search, column) in searches.iter_mut().zip(group) {
                    let x = row(*column);
                    if !x.is_nan() {
                        search.count(ordered(x), below, digit);
                    }
                }
            })?;
            if i == 0 {
                searches.iter_mut().for_each(|s| s.begin(&places));
            }
            searches.iter_mut().for_each(|s| s.narrow(digit));
        }
        out.extend(searches.into_iter().map(|s| s.found.into_iter().map(|f| value(f.bits)).collect()));
    }
    Ok(out)
}

/// Bits in the order of `f32::total_cmp`.
fn ordered(x: f32) -> u32 {
    let bits = x.to_bits();
    if bits >> 31 == 1 { !bits } else { bits | 1 << 31 }
}

/// The number of ordered bits.
fn value(bits: u32) -> f32 {
    f32::from_bits(if bits >> 31 == 1 { bits & !(1 << 31) } else { !bits })
}

/// The values of one column while they are looked for.
struct Search {
    /// The first digits that are wanted, each with counts of the next one.
    counts: Vec<(u32, Vec<u32>)>,
    found: Vec<Found>,
}

/// A value of which the first digits are known.
struct Found {
    bits: u32,
    /// Its place among those with these digits.
    place: u32,
}

impl Search {
    fn new() -> Search {
        Search { counts: vec![(0, vec![0; 1 << DIGITS[0]])], found: Vec::new() }
    }

    fn count(&mut self, bits: u32, below: u32, digit: u32) {
        let first = bits.checked_shr(below + digit).unwrap_or(0);
        for (wanted, counts) in &mut self.counts {
            if *wanted == first {
                counts[(bits >> below) as usize & ((1 << digit) - 1)] += 1;
            }
        }
    }

    /// Takes the places, now that the number of values is known.
    fn begin(&mut self, places: impl Fn(usize) -> Vec<usize>) {
        let n = self.counts.iter().flat_map(|(_, c)| c).map(|n| *n as usize).sum();
        let places = if n == 0 { Vec::new() } else { places(n) };
        self.found = places.into_iter().map(|place| Found { bits: 0, place: place as u32 }).collect();
    }

    /// Finds the next digit of each value.
    fn narrow(&mut self, digit: u32) {
        for found in &mut self.found {
            let Some((_, counts)) = self.counts.iter().find(|(first, _)| *first == found.bits) else {
                continue;
            };
            let mut next = 0;
            while found.place >= counts[next] {
                found.place -= counts[next];
                next += 1;
            }
            found.bits = found.bits << digit | next as u32;
        }
        let mut wanted: Vec<u32> = self.found.iter().map(|f| f.bits).collect();
        wanted.sort_unstable();
        wanted.dedup();
        self.counts = wanted.into_iter().map(|first| (first, vec![0; 1 << DIGITS[0]])).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_at_places_are_those_of_a_sort() {
        let n = 5000;
        let column = |j: usize| -> Vec<f32> {
            let x = |i: usize| ((i * 7919 + j * 104_729) % 10_007) as f32 / 100.0 - 50.0;
            let value = |i| match (j, i % 50) {
                (1, 0) => f32::NAN,
                (2, _) => 3.5,
                (3, _) => x(i) * 1e30,
                (4, _) => (x(i) as i32).min(0) as f32 * 0.0,
                _ => x(i),
            };
            (0..n).map(value).collect()
        };
        let columns: Vec<Vec<f32>> = (0..6).map(column).collect();
        let places = |n: usize| vec![0, n / 4, (n - 1) / 2, (n - 1) / 2, n - 1];
        let pass = |visit: Visit<'_>| {
            (0..n).for_each(|i| visit(&|j| columns[j][i]));
            Ok(())
        };
        let wanted = [5, 0, 1, 2, 3, 4];
        let found = at_places(&wanted, places, pass).expect("no file");
        for (j, found) in wanted.into_iter().zip(found) {
            let mut sorted = columns[j].clone();
            sorted.retain(|x| !x.is_nan());
            sorted.sort_unstable_by(f32::total_cmp);
            let want: Vec<u32> = places(sorted.len()).into_iter().map(|p| sorted[p].to_bits()).collect();
            assert_eq!(found.iter().map(|x| x.to_bits()).collect::<Vec<_>>(), want, "column {j}");
        }
    }
}
