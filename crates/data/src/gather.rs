//! Gathering rows of a data set into a batch, with preprocessing fused into the copy.

use kernels::affine::{PATTERN, affine_bytes, affine_in_place, affine_numbers};
use kernels::fetch::prefetch;

use super::{Affine, DataError, Dataset, Values};

impl Dataset {
    /// Copies the inputs of `indices` to `out` (`[indices.len(), input_shape...]`), mapped by `affine`.
    ///
    /// Nothing is allocated; bytes become numbers in the same pass. Bytes or words read and written once each.
    ///
    /// # Errors
    /// What keeps rows of a file from being read; nothing of those in memory.
    ///
    /// # Panics
    /// If `out` has another length, an index is not below [`Dataset::len`], or the map has neither one value nor
    /// one per input or channel; [`super::fit`] makes maps that fit.
    pub fn gather(&self, indices: &[u32], affine: &Affine, out: &mut [f32]) -> Result<(), DataError> {
        let width = self.n_inputs();
        assert_eq!(out.len(), indices.len() * width, "length of the batch");
        assert!(width.is_multiple_of(affine.scale.len()), "values of the preprocessing");
        let map = Repeated::new(affine);
        let (scale, shift) = map.parts();
        if let Values::Rows(rows) = &self.inputs {
            return rows.each(indices, |place, bytes| {
                let out = &mut out[place * width..(place + 1) * width];
                if rows.are_bytes() {
                    return u8::affine(bytes, scale, shift, out);
                }
                match rows.plain(bytes) {
                    Some(numbers) if affine.is_identity() => return out.copy_from_slice(numbers),
                    Some(numbers) => return f32::affine(numbers, scale, shift, out),
                    None => rows.numbers(bytes, out),
                }
                if !affine.is_identity() {
                    affine_in_place(out, scale, shift);
                }
            });
        }
        let soon = indices.iter().skip(AHEAD).map(|&i| Some(i as usize * width)).chain([None; AHEAD]);
        let rows = indices.iter().map(|&i| i as usize * width).zip(out.chunks_exact_mut(width.max(1)));
        let rows = rows.zip(soon);
        match &self.inputs {
            Values::F32(values) if affine.is_identity() => {
                rows.for_each(|((at, out), soon)| out.copy_from_slice(taken(values, at, soon, width)));
            }
            Values::F32(values) => {
                rows.for_each(|((at, out), soon)| {
                    f32::affine(taken(values, at, soon, width), scale, shift, out)
                });
            }
            Values::U8(bytes) => {
                rows.for_each(|((at, out), soon)| {
                    u8::affine(taken(bytes, at, soon, width), scale, shift, out)
                });
            }
            Values::Rows(_) => unreachable!("gathered above"),
        }
        Ok(())
    }

    /// Copies the targets of `indices` to `out` (`[indices.len(), n_targets]`), mapped by `affine`.
    ///
    /// Pass [`Affine::identity`] for classes, and what [`super::fit_targets`] gave for numbers.
    ///
    /// # Panics
    /// If `out` has another length, or an index is not below [`Dataset::len`].
    pub fn gather_targets(&self, indices: &[u32], affine: &Affine, out: &mut [f32]) {
        let width = self.n_targets();
        assert_eq!(out.len(), indices.len() * width, "length of the batch's targets");
        for (&i, out) in indices.iter().zip(out.chunks_exact_mut(width)) {
            let row = &self.targets[i as usize * width..(i as usize + 1) * width];
            if affine.is_identity() {
                out.copy_from_slice(row);
            } else {
                affine_numbers(row, &affine.scale, &affine.shift, out);
            }
        }
    }
}

/// Rows from the one that is copied to the one that is fetched: rows of a batch lie far apart.
pub(crate) const AHEAD: usize = 8;

/// A row, while the one that begins at `soon` is fetched.
fn taken<T>(values: &[T], at: usize, soon: Option<usize>, width: usize) -> &[T] {
    if let Some(soon) = soon {
        prefetch(&values[soon..soon + width]);
    }
    &values[at..at + width]
}

/// A stored value that is read as a number.
pub(crate) trait Stored: Copy {
    /// `out = row · scale + shift`, with values for every place or a repeated pattern.
    fn affine(row: &[Self], scale: &[f32], shift: &[f32], out: &mut [f32]);
}

impl Stored for f32 {
    fn affine(row: &[f32], scale: &[f32], shift: &[f32], out: &mut [f32]) {
        affine_numbers(row, scale, shift, out);
    }
}

impl Stored for u8 {
    fn affine(row: &[u8], scale: &[f32], shift: &[f32], out: &mut [f32]) {
        affine_bytes(row, scale, shift, out);
    }
}

/// A map as its kernel wants it: few values are repeated to [`PATTERN`], on the stack, so that nothing is allocated.
pub(crate) struct Repeated<'a> {
    affine: &'a Affine,
    scale: [f32; PATTERN],
    shift: [f32; PATTERN],
    len: usize,
}

impl<'a> Repeated<'a> {
    /// The map, made ready once for many rows.
    pub fn new(affine: &'a Affine) -> Repeated<'a> {
        let n = affine.scale.len();
        let len = (PATTERN / n.max(1)) * n;
        let repeat = |v: &[f32]| std::array::from_fn(|i| if i < len { v[i % n] } else { 0.0 });
        Repeated { affine, scale: repeat(&affine.scale), shift: repeat(&affine.shift), len }
    }

    /// Scales and shifts: one for each input, or a pattern.
    pub fn parts(&self) -> (&[f32], &[f32]) {
        match self.len {
            0 => (&self.affine.scale, &self.affine.shift),
            len => (&self.scale[..len], &self.shift[..len]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Origin, Task};

    fn set(inputs: Values, shape: &[usize]) -> Dataset {
        let task = Task::Regression { targets: vec!["a".into(), "b".into()] };
        let targets = vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        Dataset {
            name: "test".into(),
            input_shape: shape.to_vec(),
            inputs,
            targets,
            task,
            features: vec![],
            origin: Origin::default(),
            fixed_valid: None,
            fixed_test: None,
            missing: vec![],
            groups: None,
            times: None,
            weights: None,
            schema: None,
            columns: Vec::new(),
            notes: vec![],
            warnings: Vec::new(),
        }
    }

    fn check(set: &Dataset, affine: &Affine, expected: &[f32]) {
        let mut out = vec![f32::NAN; expected.len()];
        set.gather(&[2, 0], affine, &mut out).unwrap();
        for (got, want) in out.iter().zip(expected) {
            assert!((got - want).abs() <= 1e-6 * want.abs(), "{out:?} instead of {expected:?}");
        }
    }

    #[test]
    fn rows_are_copied_and_mapped() {
        let numbers = set(Values::F32((0..12).map(|i| i as f32).collect()), &[2, 1, 2]);
        check(&numbers, &Affine::identity(), &[8.0, 9.0, 10.0, 11.0, 0.0, 1.0, 2.0, 3.0]);
        let one = Affine { scale: vec![2.0], shift: vec![1.0] };
        check(&numbers, &one, &[17.0, 19.0, 21.0, 23.0, 1.0, 3.0, 5.0, 7.0]);
        let channel = Affine { scale: vec![2.0, 10.0], shift: vec![1.0, 0.0] };
        check(&numbers, &channel, &[17.0, 90.0, 21.0, 110.0, 1.0, 10.0, 5.0, 30.0]);
        let each = Affine { scale: vec![1.0, 2.0, 3.0, 4.0], shift: vec![0.0, 0.0, 1.0, 0.0] };
        check(&numbers, &each, &[8.0, 18.0, 31.0, 44.0, 0.0, 2.0, 7.0, 12.0]);
    }

    #[test]
    fn bytes_stand_for_parts_of_255() {
        let bytes = set(Values::U8((0..12).map(|i| i * 20).collect()), &[4]);
        let unit = |b: f32| b / 255.0;
        let expected = [160.0, 180.0, 200.0, 220.0, 0.0, 20.0, 40.0, 60.0].map(unit);
        check(&bytes, &Affine::identity(), &expected);
        let each = Affine { scale: vec![255.0, 51.0, 1.0, 0.0], shift: vec![0.0, 1.0, 0.0, 7.0] };
        check(&bytes, &each, &[160.0, 37.0, unit(200.0), 7.0, 0.0, 5.0, unit(40.0), 7.0]);
    }

    #[test]
    fn targets_are_copied_and_mapped() {
        let set = set(Values::F32(vec![0.0; 3]), &[1]);
        let mut out = [0.0; 4];
        set.gather_targets(&[2, 1], &Affine::identity(), &mut out);
        assert_eq!(out, [5.0, 6.0, 3.0, 4.0]);
        set.gather_targets(&[2, 1], &Affine { scale: vec![2.0, 1.0], shift: vec![0.0, -1.0] }, &mut out);
        assert_eq!(out, [10.0, 5.0, 6.0, 3.0]);
    }
}
