//! Memory by liveness: values that are not alive at the same time share elements of the arena.

/// Elements to which every value is aligned: one cache line.
const ALIGN: usize = 16;

/// A value that needs memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lifetime {
    /// elements
    pub len: usize,
    /// the step that writes it first
    pub first: usize,
    /// the step that reads it last
    pub last: usize,
}

/// An offset for each value, and the length of the arena: values by their first step, each at the lowest gap.
pub(super) fn assign(values: &[Lifetime]) -> (Vec<usize>, usize) {
    let mut by_first: Vec<usize> = (0..values.len()).collect();
    by_first.sort_by_key(|i| (values[*i].first, std::cmp::Reverse(values[*i].len)));
    let mut offsets = vec![0; values.len()];
    let mut placed: Vec<usize> = Vec::new();
    let mut total = 0;
    for i in by_first {
        let v = values[i];
        let mut taken: Vec<(usize, usize)> = placed
            .iter()
            .filter(|p| values[**p].first <= v.last && v.first <= values[**p].last)
            .map(|p| (offsets[*p], offsets[*p] + values[*p].len.next_multiple_of(ALIGN)))
            .collect();
        taken.sort_unstable();
        let len = v.len.next_multiple_of(ALIGN);
        let mut at = 0;
        for (start, end) in taken {
            if at + len <= start {
                break;
            }
            at = at.max(end);
        }
        offsets[i] = at;
        total = total.max(at + len);
        placed.push(i);
    }
    (offsets, total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_live_together_do_not_overlap_and_others_share() {
        let at = |len, first, last| Lifetime { len, first, last };
        let values = [at(100, 0, 2), at(50, 1, 3), at(100, 3, 4), at(10, 2, 2), at(0, 1, 1)];
        let (offsets, total) = assign(&values);
        for i in 0..values.len() {
            for j in 0..i {
                let (a, b) = (values[i], values[j]);
                let together = a.first <= b.last && b.first <= a.last;
                let apart = offsets[i] + a.len <= offsets[j] || offsets[j] + b.len <= offsets[i];
                assert!(!together || apart, "{i} and {j}");
            }
        }
        assert_eq!(offsets[2], offsets[0]);
        assert!(total <= 192);
    }
}
