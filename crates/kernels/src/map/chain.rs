//! Chains of instructions that hand one value on: run as one loop that keeps the value in a vector register.
//!
//! The arithmetic is that of the instructions one by one, rounded at every step, so the bits are the same.

use super::forward::writes;
use super::{Access, Dst, Instr, LANES, Src, sources};
use crate::math::{Fn1, Fn2};

/// What a chain may do to its value `t` with one more source `c`.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Link {
    /// t + c
    Add,
    /// t − c
    Sub,
    /// c − t
    From,
    /// t · c
    Mul,
    /// t where c > 0, else 0
    Gate,
}

impl Link {
    #[inline(always)]
    fn apply(self, t: f32, c: f32) -> f32 {
        match self {
            Link::Add => t + c,
            Link::Sub => t - c,
            Link::From => c - t,
            Link::Mul => t * c,
            Link::Gate => Fn2::Gate.apply(t, c),
        }
    }

    /// How `f(a, b)` goes on from `t`, and the other source.
    fn of(f: Fn2, a: Src, b: Src, t: Src) -> Option<(Link, Src)> {
        match (f, a == t, b == t) {
            (Fn2::Add, true, false) => Some((Link::Add, b)),
            (Fn2::Add, false, true) => Some((Link::Add, a)),
            (Fn2::Sub, true, false) => Some((Link::Sub, b)),
            (Fn2::Sub, false, true) => Some((Link::From, a)),
            (Fn2::Mul, true, false) => Some((Link::Mul, b)),
            (Fn2::Mul, false, true) => Some((Link::Mul, a)),
            (Fn2::Gate, true, false) => Some((Link::Gate, b)),
            _ => None,
        }
    }
}

/// Most links of a chain.
const MAX_LINKS: usize = 5;
/// Most sources of a chain.
pub(super) const MAX_SOURCES: usize = MAX_LINKS + 1;

/// Where a chain reads a source, and how far apart its vectors are: 0 floats for one number.
pub(super) type Read = (*const f32, usize);

/// One loop for each pattern.
macro_rules! patterns {
    ($($name:ident: $($link:ident)+;)+) => {
        /// The links of a chain that there is a loop for.
        #[derive(Clone, Copy, Debug, PartialEq)]
        enum Pattern { $($name,)+ }

        impl Pattern {
            const ALL: &[(Pattern, &[Link])] = &[$((Pattern::$name, &[$(Link::$link),+]),)+];

            /// # Safety
            /// `dst` and what is read have `n` vectors.
            #[inline(always)]
            unsafe fn run(self, dst: *mut f32, n: usize, reads: [Read; MAX_SOURCES], low: f32) {
                // SAFETY: promised by the caller.
                match self { $(Pattern::$name => unsafe { run_links(&[$(Link::$link),+], dst, n, reads, low) },)+ }
            }

            /// # Safety
            /// As for [`run_rows`].
            #[inline(always)]
            unsafe fn run_rows(
                self,
                dst: *mut f32,
                sizes: [usize; 2],
                reads: [Read; MAX_SOURCES],
                low: f32,
                streamed: Streamed,
            ) {
                // SAFETY: promised by the caller.
                match self {
                    $(Pattern::$name => unsafe {
                        choose_rows(&[$(Link::$link),+], dst, sizes, reads, low, streamed)
                    },)+
                }
            }
        }
    };
}

patterns! {
    Add: Add; Sub: Sub; Mul: Mul; Gate: Gate;
    AddAdd: Add Add; AddSub: Add Sub; AddFrom: Add From; AddMul: Add Mul; AddGate: Add Gate;
    SubAdd: Sub Add; SubSub: Sub Sub; SubFrom: Sub From; SubMul: Sub Mul; SubGate: Sub Gate;
    MulAdd: Mul Add; MulSub: Mul Sub; MulFrom: Mul From; MulMul: Mul Mul; MulGate: Mul Gate;
    GateAdd: Gate Add; GateSub: Gate Sub; GateFrom: Gate From; GateMul: Gate Mul;
    SubMulAdd: Sub Mul Add; SubMulMul: Sub Mul Mul; SubMulFrom: Sub Mul From;
    SubSubMul: Sub Sub Mul; MulFromMul: Mul From Mul; MulAddAdd: Mul Add Add; MulMulAdd: Mul Mul Add;
    SubMulMulAdd: Sub Mul Mul Add; SubMulMulAddAdd: Sub Mul Mul Add Add; FromMulSubAddMul: From Mul Sub Add Mul;
}

/// # Safety
/// `dst` and what is read have `n` vectors.
#[inline(always)]
unsafe fn run_links<const N: usize>(
    links: &[Link; N],
    mut dst: *mut f32,
    n: usize,
    reads: [Read; MAX_SOURCES],
    low: f32,
) {
    // in registers, while what the caller has is in memory
    let (mut at, mut steps) = ([std::ptr::null::<f32>(); MAX_SOURCES], [0; MAX_SOURCES]);
    for k in 0..=N {
        (at[k], steps[k]) = reads[k];
    }
    for _ in 0..n {
        super::block::one_vector_at_a_time();
        // SAFETY: promised by the caller.
        unsafe {
            let mut t: [f32; LANES] = std::ptr::read_unaligned(at[0].cast());
            for k in 0..N {
                let c: [f32; LANES] = std::ptr::read_unaligned(at[k + 1].cast());
                for l in 0..LANES {
                    t[l] = links[k].apply(t[l], c[l]);
                }
            }
            for lane in &mut t {
                *lane = if *lane < low { low } else { *lane };
            }
            std::ptr::write_unaligned(dst.cast(), t);
            dst = dst.add(LANES);
            for k in 0..=N {
                at[k] = at[k].add(steps[k]);
            }
        }
    }
}

/// Which link's source differs from row to row, where the others are the same in all.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Streamed {
    None,
    /// the second of three, or the fourth of five
    Middle,
    /// the last of three or more
    Last,
}

/// A loop for each combination that occurs; [`Chain::by_rows`] admits no other.
///
/// # Safety
/// As for [`run_rows`].
#[inline(always)]
unsafe fn choose_rows<const N: usize>(
    links: &[Link; N],
    dst: *mut f32,
    sizes: [usize; 2],
    reads: [Read; MAX_SOURCES],
    low: f32,
    streamed: Streamed,
) {
    // SAFETY: promised by the caller.
    unsafe {
        match streamed {
            Streamed::None if N >= 2 => run_rows(links, dst, sizes, reads, low, N),
            Streamed::Middle if N == 3 || N == 5 => run_rows(links, dst, sizes, reads, low, N - 2),
            Streamed::Last if N >= 3 => run_rows(links, dst, sizes, reads, low, N - 1),
            _ => {}
        }
    }
}

/// Column by column, so that what is the same in all rows stays in registers; link `streamed` reads what is not.
///
/// # Safety
/// `dst` and what is read have `rows · vectors` vectors, those that are the same in all rows at least `vectors`.
#[inline(always)]
unsafe fn run_rows<const N: usize>(
    links: &[Link; N],
    dst: *mut f32,
    [rows, vectors]: [usize; 2],
    reads: [Read; MAX_SOURCES],
    low: f32,
    streamed: usize,
) {
    let row = vectors * LANES;
    for v in 0..vectors {
        // SAFETY: promised by the caller.
        unsafe {
            let (mut x, mut y) = (reads[0].0.add(v * LANES), dst.add(v * LANES));
            let mut other = if streamed < N { reads[streamed + 1].0.add(v * LANES) } else { x };
            let mut same = [[0.0f32; LANES]; N];
            for k in 0..N {
                same[k] = std::ptr::read_unaligned(reads[k + 1].0.add(v * reads[k + 1].1).cast());
            }
            for _ in 0..rows {
                super::block::one_vector_at_a_time();
                let mut t: [f32; LANES] = std::ptr::read_unaligned(x.cast());
                let c: [f32; LANES] = std::ptr::read_unaligned(other.cast());
                for k in 0..N {
                    for l in 0..LANES {
                        t[l] = links[k].apply(t[l], if k == streamed { c[l] } else { same[k][l] });
                    }
                }
                for lane in &mut t {
                    *lane = if *lane < low { low } else { *lane };
                }
                std::ptr::write_unaligned(y.cast(), t);
                (x, y, other) = (x.add(row), y.add(row), other.add(row));
            }
        }
    }
}

/// Several instructions in one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Chain {
    pattern: Pattern,
    /// block register written
    pub dst: u8,
    /// the first, and one for each link
    pub sources: [Src; MAX_SOURCES],
    pub n_sources: usize,
    /// the least result: 0 for a ReLU, −∞ for none
    low: f32,
    /// where sources are the same in all rows, so that they can stay in registers
    rows: Option<Streamed>,
}

impl Chain {
    /// # Safety
    /// `dst` and what is read have `n` vectors.
    #[inline(always)]
    pub unsafe fn run(&self, dst: *mut f32, n: usize, reads: [Read; MAX_SOURCES]) {
        // SAFETY: promised by the caller.
        unsafe { self.pattern.run(dst, n, reads, self.low) }
    }

    /// Runs over a block of whole rows of this many vectors. False where that is no better.
    ///
    /// # Safety
    /// `dst` and what is read have `rows · vectors` vectors.
    #[inline(always)]
    pub unsafe fn run_rows(&self, dst: *mut f32, sizes: [usize; 2], reads: [Read; MAX_SOURCES]) -> bool {
        let Some(streamed) = self.rows.filter(|_| reads[0].1 == LANES) else { return false };
        // SAFETY: promised by the caller.
        unsafe { self.pattern.run_rows(dst, sizes, reads, self.low, streamed) };
        true
    }

    /// Whether all links but one read what is the same in all rows.
    fn by_rows(sources: &[Src], accesses: &[Access]) -> Option<Streamed> {
        let links = &sources[1..];
        let mut streamed = (0..links.len()).filter(|k| differs(links[*k], accesses));
        match (links.len(), streamed.next(), streamed.next()) {
            (2.., None, None) => Some(Streamed::None),
            (3, Some(1), None) | (5, Some(3), None) => Some(Streamed::Middle),
            (n @ 3.., Some(k), None) if k == n - 1 => Some(Streamed::Last),
            _ => None,
        }
    }

    /// The longest chain at the start of `instrs`, and how many instructions it replaces.
    fn longest(instrs: &[Instr], accesses: &[Access], n_regs: usize) -> Option<(Chain, usize)> {
        let Instr::Bin(f, Dst::Reg(first_dst), a, b) = *instrs.first()? else { return None };
        // the value that is handed on is one that differs from row to row
        let t = if differs(a, accesses) || !differs(b, accesses) { a } else { b };
        let (first, c) = Link::of(f, a, b, t).or_else(|| Some((Link::Mul, b)).filter(|_| f == Fn2::Mul))?;
        let mut links = vec![first];
        let mut reads = vec![t, c];
        let mut dsts = vec![first_dst];
        while links.len() < MAX_LINKS {
            let (done, t) = (links.len(), dsts[links.len() - 1]);
            let Some(Instr::Bin(f, Dst::Reg(d), a, b)) = instrs.get(done).copied() else { break };
            let Some((link, c)) = Link::of(f, a, b, Src::Reg(t)) else { break };
            if !passes_on(instrs, done, t, n_regs) {
                break;
            }
            links.push(link);
            reads.push(c);
            dsts.push(d);
        }
        let known = |n: &usize| Pattern::ALL.iter().find(|(_, l)| *l == &links[..*n]).map(|(p, _)| (*p, *n));
        let (pattern, n) = (1..=links.len()).rev().find_map(|n| known(&n))?;
        let mut chain = Chain {
            pattern,
            dst: dsts[n - 1],
            sources: [Src::Imm(0.0); MAX_SOURCES],
            n_sources: n + 1,
            low: f32::NEG_INFINITY,
            rows: Chain::by_rows(&reads[..n + 1], accesses),
        };
        chain.sources[..n + 1].copy_from_slice(&reads[..n + 1]);
        let mut replaced = n;
        if let Some(Instr::Un(Fn1::Relu, Dst::Reg(d), a)) = instrs.get(n).copied()
            && a == Src::Reg(chain.dst)
            && passes_on(instrs, n, chain.dst, n_regs)
        {
            (chain.dst, chain.low) = (d, 0.0);
            replaced += 1;
        }
        (replaced > 1).then_some((chain, replaced))
    }
}

/// Whether a source differs from row to row.
fn differs(s: Src, accesses: &[Access]) -> bool {
    match s {
        Src::Imm(_) => false,
        Src::Operand(o) => !matches!(accesses[o as usize], Access::Vector | Access::Scalar),
        Src::Reg(_) | Src::Row(_) => true,
    }
}

/// Whether nobody but instruction `at` reads register `t` as it is before it.
fn passes_on(instrs: &[Instr], at: usize, t: u8, n_regs: usize) -> bool {
    let mut live = !writes(&instrs[at], t);
    (t as usize) < n_regs
        && instrs[at + 1..].iter().all(|i| {
            let read = live && sources(i).any(|s| s == Src::Reg(t));
            live &= !writes(i, t);
            !read
        })
}

/// What a program runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Op {
    One(Instr),
    Chain(Chain),
}

/// Puts chains in place of instructions; registers from `n_regs` on are outputs, which must be written.
pub(super) fn link(instrs: &[Instr], accesses: &[Access], n_regs: usize) -> Vec<Op> {
    let (mut ops, mut at) = (Vec::new(), 0);
    while at < instrs.len() {
        let (op, n) = match Chain::longest(&instrs[at..], accesses, n_regs) {
            Some((chain, n)) => (Op::Chain(chain), n),
            None => (Op::One(instrs[at]), 1),
        };
        ops.push(op);
        at += n;
    }
    ops
}
