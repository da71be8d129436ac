//! Writing outputs directly: an instruction whose value is stored computes it where it is stored.

use super::{Access, Dst, Instr, Src};

/// The instructions without the stores that became superfluous. A register from `n_regs` on is a block of an output,
/// `direct[r - n_regs]` says of which.
pub(super) fn forward(instrs: &[Instr], outs: &[Access], n_regs: usize) -> (Vec<Instr>, Vec<u8>) {
    let (mut ops, mut direct) = (instrs.to_vec(), Vec::new());
    let stores = |out: u8| instrs.iter().filter(|i| matches!(i, Instr::Store(o, _) if *o == out)).count();
    let mut at = 0;
    while at < ops.len() {
        let room = n_regs + direct.len() < usize::from(u8::MAX);
        match ops[at] {
            Instr::Store(out, Src::Reg(r))
                if room
                    && (r as usize) < n_regs
                    && outs[out as usize] == Access::Full
                    && stores(out) == 1 =>
            {
                redirect(&mut ops, at, r, (n_regs + direct.len()) as u8);
                direct.push(out);
                ops.remove(at);
            }
            _ => at += 1,
        }
    }
    (ops, direct)
}

/// Renames the value that register `r` holds at `store`, from where it is made to where the register is overwritten.
fn redirect(ops: &mut [Instr], store: usize, r: u8, to: u8) {
    let made = ops[..store].iter().rposition(|i| writes(i, r));
    let Some(made) = made else { unreachable!("checked: registers are written before they are read") };
    set_target(&mut ops[made], to);
    for op in &mut ops[made + 1..] {
        rename_sources(op, r, to);
        if writes(op, r) {
            break;
        }
    }
}

pub(super) fn writes(instr: &Instr, r: u8) -> bool {
    match *instr {
        Instr::Un(_, dst, _) | Instr::Bin(_, dst, _, _) => dst == Dst::Reg(r),
        Instr::Column(dst) | Instr::Mask { dst, .. } => dst == r,
        Instr::RowFold(..) | Instr::Store(..) | Instr::ColFold(..) | Instr::ColSum(..) => false,
    }
}

fn set_target(instr: &mut Instr, to: u8) {
    match instr {
        Instr::Un(_, dst, _) | Instr::Bin(_, dst, _, _) => *dst = Dst::Reg(to),
        Instr::Column(dst) | Instr::Mask { dst, .. } => *dst = to,
        Instr::RowFold(..) | Instr::Store(..) | Instr::ColFold(..) | Instr::ColSum(..) => {}
    }
}

fn rename_sources(instr: &mut Instr, r: u8, to: u8) {
    let rename = |src: &mut Src| {
        if *src == Src::Reg(r) {
            *src = Src::Reg(to);
        }
    };
    match instr {
        Instr::Un(_, _, a)
        | Instr::RowFold(_, _, a)
        | Instr::Store(_, a)
        | Instr::ColFold(_, _, a)
        | Instr::ColSum(_, a) => rename(a),
        Instr::Bin(_, _, a, b) => {
            rename(a);
            rename(b);
        }
        Instr::Column(_) | Instr::Mask { .. } => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::{Fn1, Fn2};

    #[test]
    fn a_stored_value_is_written_and_read_at_its_output() {
        let (x, r) = (Src::Operand(0), Src::Reg(0));
        let instrs = [
            Instr::Un(Fn1::Exp, Dst::Reg(0), x),
            Instr::Un(Fn1::Neg, Dst::Reg(0), r),
            Instr::Store(0, r),
            Instr::Bin(Fn2::Add, Dst::Reg(0), r, x),
            Instr::Store(1, r),
            Instr::ColFold(super::super::Fold::Sum, 0, r),
        ];
        let (ops, direct) = forward(&instrs, &[Access::Full, Access::Full], 1);
        let [first, second] = [Src::Reg(1), Src::Reg(2)];
        assert_eq!(direct, [0, 1]);
        assert_eq!(
            ops,
            [
                Instr::Un(Fn1::Exp, Dst::Reg(0), x),
                Instr::Un(Fn1::Neg, Dst::Reg(1), r),
                Instr::Bin(Fn2::Add, Dst::Reg(2), first, x),
                Instr::ColFold(super::super::Fold::Sum, 0, second),
            ]
        );
    }
}
