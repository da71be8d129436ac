//! Rows of a data set one by one, wherever they are.

use std::cell::RefCell;

use super::{DataError, Dataset, Rows, Values};

/// The inputs of one sample as they are stored.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Row<'a> {
    /// `b` stands for `b / 255`.
    Bytes(&'a [u8]),
    Numbers(&'a [f32]),
}

thread_local! {
    /// The numbers of a row in a file. Grows at a thread's first one.
    static NUMBERS: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

impl Row<'_> {
    /// The number at a place.
    pub fn number(&self, at: usize) -> f32 {
        match self {
            Row::Bytes(bytes) => f32::from(bytes[at]) / 255.0,
            Row::Numbers(numbers) => numbers[at],
        }
    }
}

impl Dataset {
    /// Calls `f` with the place of each sample among `samples` and its inputs.
    ///
    /// # Errors
    /// What keeps rows of a file from being read; nothing of those in memory.
    pub(crate) fn each_row(&self, samples: &[u32], mut f: impl FnMut(usize, Row)) -> Result<(), DataError> {
        match &self.inputs {
            Values::Rows(rows) => {
                let mut numbers = NUMBERS.take();
                numbers.resize(rows.width(), 0.0);
                let done = rows.each(samples, |place, bytes| f(place, of_file(rows, bytes, &mut numbers)));
                NUMBERS.set(numbers);
                done
            }
            held => {
                in_memory(held, self.n_inputs(), samples, f);
                Ok(())
            }
        }
    }

    /// The same for samples in ascending order, of which many are wanted: a file is read block by block.
    ///
    /// # Errors
    /// As above.
    pub(crate) fn pass(&self, samples: &[u32], mut f: impl FnMut(usize, Row)) -> Result<(), DataError> {
        match &self.inputs {
            Values::Rows(rows) => {
                let mut numbers = vec![0.0; rows.width()];
                rows.pass(samples, |place, bytes| f(place, of_file(rows, bytes, &mut numbers)))
            }
            held => {
                in_memory(held, self.n_inputs(), samples, f);
                Ok(())
            }
        }
    }
}

fn of_file<'a>(rows: &Rows, bytes: &'a [u8], numbers: &'a mut [f32]) -> Row<'a> {
    if rows.are_bytes() {
        return Row::Bytes(bytes);
    }
    if let Some(plain) = rows.plain(bytes) {
        return Row::Numbers(plain);
    }
    rows.numbers(bytes, numbers);
    Row::Numbers(numbers)
}

fn in_memory(values: &Values, width: usize, samples: &[u32], mut f: impl FnMut(usize, Row)) {
    for (place, i) in samples.iter().map(|i| *i as usize * width).enumerate() {
        match values {
            Values::F32(values) => f(place, Row::Numbers(&values[i..i + width])),
            Values::U8(bytes) => f(place, Row::Bytes(&bytes[i..i + width])),
            Values::Rows(_) => unreachable!("rows of a file are read by it"),
        }
    }
}
