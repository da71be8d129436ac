//! Numbers that look random and are the same, bit for bit, wherever this formula is written; see golden/formula.py.

/// `n` values in [-1, 1), multiples of 2⁻²³: the finalizer of MurmurHash3 of a counter, salted with FNV-1a of a name.
pub fn noise(name: &str, n: usize) -> Vec<f32> {
    let salt = name.bytes().fold(0x811c_9dc5u32, |h, byte| (h ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let value = |i: u32| {
        let h = i.wrapping_mul(0x9e37_79b9).wrapping_add(salt);
        let h = (h ^ h >> 16).wrapping_mul(0x85eb_ca6b);
        let h = (h ^ h >> 13).wrapping_mul(0xc2b2_ae35);
        ((h ^ h >> 16) >> 8) as f32 / 8_388_608.0 - 1.0
    };
    (0..n as u32).map(value).collect()
}
