//! Writing the instructions of a fused element-wise program, and giving its values registers.

use kernels::map::{Dst, Fold, Instr, Src};
use kernels::math::{Fn1, Fn2};

/// Collects instructions; values get fresh registers here and few ones in `Emit::finish`.
#[derive(Debug, Default)]
pub struct Emit {
    instrs: Vec<Instr>,
    next: u8,
    /// whether the node being emitted has one value a row
    pub(crate) row_valued: bool,
}

impl Emit {
    fn fresh(&mut self) -> u8 {
        self.next = self.next.checked_add(1).unwrap_or_else(|| unreachable!("fusion keeps programs short"));
        self.next - 1
    }

    fn target(&mut self) -> (Dst, Src) {
        let r = self.fresh();
        if self.row_valued { (Dst::Row(r), Src::Row(r)) } else { (Dst::Reg(r), Src::Reg(r)) }
    }

    /// `f(a)`
    pub fn un(&mut self, f: Fn1, a: Src) -> Src {
        let (dst, src) = self.target();
        self.instrs.push(Instr::Un(f, dst, a));
        src
    }

    /// `f(a, b)`
    pub fn bin(&mut self, f: Fn2, a: Src, b: Src) -> Src {
        let (dst, src) = self.target();
        self.instrs.push(Instr::Bin(f, dst, a, b));
        src
    }

    /// The index of the column.
    pub fn column(&mut self) -> Src {
        let r = self.fresh();
        self.instrs.push(Instr::Column(r));
        Src::Reg(r)
    }

    /// A dropout mask.
    pub fn mask(&mut self, id: u32, keep: f32) -> Src {
        let dst = self.fresh();
        self.instrs.push(Instr::Mask { dst, id, keep });
        Src::Reg(dst)
    }

    pub(crate) fn row_fold(&mut self, fold: Fold, a: Src) -> Src {
        let r = self.fresh();
        self.instrs.push(Instr::RowFold(fold, r, a));
        Src::Row(r)
    }

    pub(crate) fn col_fold(&mut self, fold: Fold, part: usize, a: Src) {
        self.instrs.push(Instr::ColFold(fold, part as u8, a));
    }

    pub(crate) fn col_sum(&mut self, part: usize, a: Src) {
        self.instrs.push(Instr::ColSum(part as u8, a));
    }

    pub(crate) fn store(&mut self, out: usize, a: Src) {
        self.instrs.push(Instr::Store(out as u8, a));
    }

    /// The instructions with as few registers as their lifetimes allow.
    pub(crate) fn finish(self) -> Vec<Instr> {
        let last = self.last_uses();
        let mut slots: [Vec<Option<u8>>; 2] = [Vec::new(), Vec::new()];
        let mut place = [[0u8; 256]; 2];
        let mut done = Vec::with_capacity(self.instrs.len());
        for (at, instr) in self.instrs.into_iter().enumerate() {
            let renamed = rename_sources(instr, |kind, r| place[kind][r as usize]);
            for (kind, kind_slots) in slots.iter_mut().enumerate() {
                for slot in kind_slots.iter_mut() {
                    if slot.is_some_and(|r| last[kind][r as usize] <= at) {
                        *slot = None;
                    }
                }
            }
            done.push(rename_target(renamed, |kind, r| {
                let free = slots[kind].iter().position(Option::is_none).unwrap_or_else(|| {
                    slots[kind].push(None);
                    slots[kind].len() - 1
                });
                slots[kind][free] = Some(r);
                place[kind][r as usize] = free as u8;
                free as u8
            }));
        }
        done
    }

    /// For block and row registers, the instruction that reads each last.
    fn last_uses(&self) -> [[usize; 256]; 2] {
        let mut last = [[0; 256]; 2];
        for (at, instr) in self.instrs.iter().enumerate() {
            rename_sources(*instr, |kind, r| {
                last[kind][r as usize] = at;
                r
            });
            rename_target(*instr, |kind, r| {
                last[kind][r as usize] = at;
                r
            });
        }
        last
    }
}

/// Kind 0 are block registers, kind 1 row registers.
fn rename_sources(instr: Instr, mut name: impl FnMut(usize, u8) -> u8) -> Instr {
    let mut src = |s| match s {
        Src::Reg(r) => Src::Reg(name(0, r)),
        Src::Row(r) => Src::Row(name(1, r)),
        other => other,
    };
    match instr {
        Instr::Un(f, d, a) => Instr::Un(f, d, src(a)),
        Instr::Bin(f, d, a, b) => Instr::Bin(f, d, src(a), src(b)),
        Instr::RowFold(f, r, a) => Instr::RowFold(f, r, src(a)),
        Instr::Store(o, a) => Instr::Store(o, src(a)),
        Instr::ColFold(f, p, a) => Instr::ColFold(f, p, src(a)),
        Instr::ColSum(p, a) => Instr::ColSum(p, src(a)),
        Instr::Column(_) | Instr::Mask { .. } => instr,
    }
}

fn rename_target(instr: Instr, mut name: impl FnMut(usize, u8) -> u8) -> Instr {
    let mut dst = |d| match d {
        Dst::Reg(r) => Dst::Reg(name(0, r)),
        Dst::Row(r) => Dst::Row(name(1, r)),
    };
    match instr {
        Instr::Un(f, d, a) => Instr::Un(f, dst(d), a),
        Instr::Bin(f, d, a, b) => Instr::Bin(f, dst(d), a, b),
        Instr::RowFold(f, r, a) => Instr::RowFold(f, name(1, r), a),
        Instr::Column(r) => Instr::Column(name(0, r)),
        Instr::Mask { dst, id, keep } => Instr::Mask { dst: name(0, dst), id, keep },
        Instr::Store(..) | Instr::ColFold(..) | Instr::ColSum(..) => instr,
    }
}
