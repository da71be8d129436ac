//! Memory that is wanted soon.

/// Bytes that a processor fetches at once.
const LINE: usize = 64;
/// The most lines that are asked for; what follows them is fetched by the processor on its own.
const LINES: usize = 8;

/// Asks the processor to fetch the beginning of `values` into its caches. It changes nothing but the time of reading
/// them, and does nothing where there is no such instruction.
#[inline]
pub fn prefetch<T>(values: &[T]) {
    let bytes = size_of_val(values);
    #[cfg(target_arch = "x86_64")]
    for at in (0..bytes.min(LINE * LINES)).step_by(LINE) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: the instruction is a hint that reads nothing and cannot fault, whatever the address is.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(values.as_ptr().cast::<i8>().wrapping_add(at)) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (bytes, LINE, LINES);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stay_what_they_are() {
        for n in [0, 1, 15, 16, 17, 1000] {
            let values: Vec<f32> = (0..n).map(|i| i as f32).collect();
            prefetch(&values);
            assert!(values.iter().zip(0..).all(|(x, i)| *x == i as f32));
        }
    }
}
