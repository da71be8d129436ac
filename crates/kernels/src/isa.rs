//! The instruction set in use: chosen once at run time, so one binary is fast on every machine.

use std::sync::atomic::{AtomicU8, Ordering};

/// The instruction sets that kernels are compiled for.
///
/// The first three fuse multiplication and addition and agree bit for bit with one another; `Portable`
/// rounds twice and may differ from them in the last bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Isa {
    /// x86-64 with AVX-512 F, BW, DQ and VL: 16 lanes.
    Avx512 = 1,
    /// x86-64 with AVX2 and FMA: 8 lanes.
    Avx2 = 2,
    /// aarch64 with Advanced SIMD: 4 lanes.
    Neon = 3,
    /// Whatever the target's baseline has.
    Portable = 4,
}

impl Isa {
    /// All of them, fastest first.
    pub const ALL: [Isa; 4] = [Isa::Avx512, Isa::Avx2, Isa::Neon, Isa::Portable];

    /// The name that reports show.
    pub fn name(self) -> &'static str {
        match self {
            Isa::Avx512 => "avx512",
            Isa::Avx2 => "avx2",
            Isa::Neon => "neon",
            Isa::Portable => "portable",
        }
    }

    /// Whether this machine can run it.
    pub fn is_available(self) -> bool {
        match self {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => {
                std::arch::is_x86_feature_detected!("avx512f")
                    && std::arch::is_x86_feature_detected!("avx512bw")
                    && std::arch::is_x86_feature_detected!("avx512dq")
                    && std::arch::is_x86_feature_detected!("avx512vl")
                    && Isa::Avx2.is_available()
            }
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => {
                std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma")
            }
            #[cfg(target_arch = "aarch64")]
            Isa::Neon => std::arch::is_aarch64_feature_detected!("neon"),
            Isa::Portable => true,
            _ => false,
        }
    }

    /// Whether multiplication and addition round once.
    pub fn is_fused(self) -> bool {
        self != Isa::Portable
    }

    fn from_code(code: u8) -> Option<Isa> {
        Isa::ALL.into_iter().find(|isa| *isa as u8 == code)
    }
}

/// 0 until the first question is asked.
static CHOSEN: AtomicU8 = AtomicU8::new(0);

/// The instruction set in use: the fastest that this machine has, unless [`force`] chose another.
#[inline]
pub fn isa() -> Isa {
    match Isa::from_code(CHOSEN.load(Ordering::Relaxed)) {
        Some(isa) => isa,
        None => detect(),
    }
}

#[cold]
fn detect() -> Isa {
    let best = Isa::ALL.into_iter().find(|isa| isa.is_available()).unwrap_or(Isa::Portable);
    CHOSEN.store(best as u8, Ordering::Relaxed);
    best
}

/// Chooses the instruction set for the whole process, for tests and comparisons.
///
/// Returns false, and changes nothing, when this machine lacks it.
pub fn force(isa: Isa) -> bool {
    let available = isa.is_available();
    if available {
        CHOSEN.store(isa as u8, Ordering::Relaxed);
    }
    available
}

/// How a [`multiversion!`](crate::multiversion) body multiplies and adds.
pub trait Arith: Copy + 'static {
    /// Whether [`Arith::fma`] rounds once.
    const FUSED: bool;
    /// `a * b + c`: rounded once if `FUSED`, else twice. Never a call into a math library.
    fn fma(a: f32, b: f32, c: f32) -> f32;
}

/// Rounds once; used where the hardware has the instruction.
#[derive(Clone, Copy)]
pub struct Fused;

/// Rounds twice; used by [`Isa::Portable`].
#[derive(Clone, Copy)]
pub struct Unfused;

impl Arith for Fused {
    const FUSED: bool = true;
    #[inline(always)]
    fn fma(a: f32, b: f32, c: f32) -> f32 {
        a.mul_add(b, c)
    }
}

impl Arith for Unfused {
    const FUSED: bool = false;
    #[inline(always)]
    fn fma(a: f32, b: f32, c: f32) -> f32 {
        a * b + c
    }
}

/// Compiles one generic body per instruction set and chooses among them at each call.
///
/// The body must be `#[inline(always)]`, with one type parameter of trait [`Arith`] first; loops in
/// it are vectorized by the compiler for each instruction set.
///
/// ```
/// use kernels::isa::Arith;
/// kernels::multiversion! {
///     /// `y += a * x`, element by element.
///     pub fn axpy(a: f32, x: &[f32], y: &mut [f32]) = body;
/// }
/// #[inline(always)]
/// fn body<A: Arith>(a: f32, x: &[f32], y: &mut [f32]) {
///     for (y, x) in y.iter_mut().zip(x) {
///         *y = A::fma(a, *x, *y);
///     }
/// }
/// let mut y = [1.0, 2.0];
/// axpy(2.0, &[3.0, 4.0], &mut y);
/// assert_eq!(y, [7.0, 10.0]);
/// ```
#[macro_export]
macro_rules! multiversion {
    ($($(#[$meta:meta])* $vis:vis fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? = $body:ident;)+) => {$(
        $(#[$meta])*
        #[inline]
        #[allow(clippy::too_many_arguments)]
        $vis fn $name($($arg: $ty),*) $(-> $ret)? {
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
            #[allow(clippy::too_many_arguments)]
            fn avx512($($arg: $ty),*) $(-> $ret)? {
                $body::<$crate::isa::Fused>($($arg),*)
            }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            #[allow(clippy::too_many_arguments)]
            fn avx2($($arg: $ty),*) $(-> $ret)? {
                $body::<$crate::isa::Fused>($($arg),*)
            }
            match $crate::isa::isa() {
                // SAFETY: `isa` names only what the machine was found to have.
                #[cfg(target_arch = "x86_64")]
                $crate::isa::Isa::Avx512 => unsafe { avx512($($arg),*) },
                // SAFETY: as above.
                #[cfg(target_arch = "x86_64")]
                $crate::isa::Isa::Avx2 => unsafe { avx2($($arg),*) },
                // Advanced SIMD is in every aarch64 baseline, so the plain body is compiled with it.
                #[cfg(target_arch = "aarch64")]
                $crate::isa::Isa::Neon => $body::<$crate::isa::Fused>($($arg),*),
                _ => $body::<$crate::isa::Unfused>($($arg),*),
            }
        }
    )+};
}

#[cfg(test)]
mod tests {
    use super::{Arith, Isa, isa};

    multiversion! {
        fn residue(x: &[f32], y: &[f32]) -> f32 = residue_body;
    }

    #[inline(always)]
    fn residue_body<A: Arith>(x: &[f32], y: &[f32]) -> f32 {
        x.iter().zip(y).map(|(x, y)| A::fma(*x, *y, -1.0)).sum()
    }

    #[test]
    fn the_chosen_set_is_available_and_fuses_as_it_says() {
        assert!(isa().is_available());
        // (1 + e)(1 - e) - 1 = -e^2 when rounded once, 0 when the product is rounded first.
        let e = f32::EPSILON;
        let want = if isa().is_fused() { -e * e } else { 0.0 };
        assert_eq!(residue(&[1.0 + e], &[1.0 - e]), want);
    }

    #[test]
    fn codes_name_their_sets() {
        for isa in Isa::ALL {
            assert_eq!(Isa::from_code(isa as u8), Some(isa));
        }
        assert_eq!(Isa::from_code(0), None);
    }
}
