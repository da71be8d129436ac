//! Whether memory can be had, before it is asked for: an allocation that fails would end the program without a word.

use record::Machine;

/// Bytes that stay free for what is small and asks for memory as it goes: graphs, rows of figures, buffers of files.
const SPARE: usize = 48 << 20;

/// What a run keeps in memory at once, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Need {
    /// samples and their targets, which are there already
    pub data: usize,
    /// parameters, buffers, the optimizer's state, the gradient, and a checkpoint that is read
    pub state: usize,
    /// values of the batches that are trained on and measured
    pub programs: usize,
    /// answers that are kept for the evaluation
    pub answers: usize,
}

impl Need {
    /// All of it, at most `usize::MAX`.
    pub fn total(&self) -> usize {
        let Need { data, state, programs, answers } = *self;
        [data, state, programs, answers].into_iter().fold(0, usize::saturating_add)
    }

    /// Whether this process can have it: what is not there yet can be reserved now, and all of it is no more than the
    /// machine has.
    pub fn can_be_had(&self) -> bool {
        let machine = Machine::memory().is_none_or(|bytes| self.total() as u64 <= bytes);
        machine && has_room(self.total() - self.data)
    }
}

/// Whether so many bytes more can be reserved by this process, and something to spare.
pub(super) fn has_room(bytes: usize) -> bool {
    // given back at once: pages that nobody wrote to cost nothing
    Vec::<u8>::new().try_reserve_exact(bytes.saturating_add(SPARE)).is_ok()
}

/// Bytes of so many vectors of floats, at most `usize::MAX`.
pub(super) fn floats(lengths: &[usize]) -> usize {
    lengths.iter().fold(0usize, |sum, n| sum.saturating_add(n.saturating_mul(size_of::<f32>())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_machine_has_cannot_be_had() {
        let small = Need { state: 1 << 10, programs: 1 << 10, ..Need::default() };
        assert!(small.can_be_had());
        for bytes in [1 << 60, usize::MAX] {
            assert!(!Need { state: bytes, ..small }.can_be_had());
            assert!(!has_room(bytes));
        }
        assert_eq!(floats(&[3, 4]), 28);
        assert_eq!(floats(&[usize::MAX / 2, 4]), usize::MAX);
    }
}
