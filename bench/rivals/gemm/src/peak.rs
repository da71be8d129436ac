//! What one core can do at most: fused multiply-adds in registers only.

use std::arch::asm;
use std::time::Instant;

const STEPS: u64 = 100_000;
const CHAINS: u64 = 16;

/// GFLOP/s of independent chains of 512-bit FMA; zeros, so that nothing overflows.
pub fn gflops() -> f64 {
    assert!(std::arch::is_x86_feature_detected!("avx512f"), "this comparison needs AVX-512");
    let start = Instant::now();
    // SAFETY: the feature was found; registers only, all of them declared.
    unsafe {
        asm!(
            ".irp r,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17",
            "vpxord zmm\\r, zmm\\r, zmm\\r",
            ".endr",
            "2:",
            ".irp r,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15",
            "vfmadd231ps zmm\\r, zmm16, zmm17",
            ".endr",
            "dec {n}",
            "jnz 2b",
            "vzeroupper",
            n = inout(reg) STEPS => _,
            out("zmm0") _, out("zmm1") _, out("zmm2") _, out("zmm3") _, out("zmm4") _, out("zmm5") _,
            out("zmm6") _, out("zmm7") _, out("zmm8") _, out("zmm9") _, out("zmm10") _, out("zmm11") _,
            out("zmm12") _, out("zmm13") _, out("zmm14") _, out("zmm15") _, out("zmm16") _, out("zmm17") _,
            options(nomem, nostack),
        );
    }
    (STEPS * CHAINS * 32) as f64 / start.elapsed().as_secs_f64() * 1e-9
}
