//! Element-wise programs against the obvious interpreter, bit for bit, on every instruction set of the machine.

#[path = "common/draw.rs"]
mod draw;
#[path = "common/isa.rs"]
mod isa;

use draw::Draw as Dice;
use isa::{on_each_isa, one_at_a_time};
use kernels::isa::{Arith, Fused, Unfused};
use kernels::map::{Access, Call, Draw, Dst, Fold, Instr, MapProgram, Src, keep_below, mask_word};
use kernels::math::{Fn1, Fn2};

/// A program with what it runs on.
struct Case {
    instrs: Vec<Instr>,
    accesses: Vec<Access>,
    operands: Vec<Vec<f32>>,
    outs: Vec<Access>,
    n_parts: usize,
    rows: usize,
    cols: usize,
    ends: Vec<usize>,
    draw: Draw,
}

/// Outputs and column reductions.
#[derive(Debug, PartialEq)]
struct Results {
    outs: Vec<Vec<u32>>,
    parts: Vec<Vec<u32>>,
}

/// Bits, with one NaN.
fn bits(values: &[Vec<f32>]) -> Vec<Vec<u32>> {
    let bit = |x: &f32| if x.is_nan() { 0x7FC0_0000 } else { x.to_bits() };
    values.iter().map(|v| v.iter().map(bit).collect()).collect()
}

fn len(access: Access, rows: usize, cols: usize) -> usize {
    match access {
        Access::Full => rows * cols,
        Access::Vector => cols,
        Access::Row => rows,
        Access::Scalar => 1,
    }
}

const COLS: [usize; 22] =
    [1, 2, 3, 6, 7, 8, 10, 15, 16, 17, 32, 33, 48, 64, 100, 250, 256, 257, 500, 512, 513, 1100];

impl Case {
    fn new(seed: u32) -> Case {
        let mut dice = Dice::salted(seed, 11);
        let cols = dice.of(&COLS);
        let rows = dice.below(if cols < 40 { 150 } else { 20 });
        let kinds = [Access::Full, Access::Vector, Access::Row, Access::Scalar];
        let only_full = dice.below(5) == 0;
        let accesses: Vec<Access> =
            (0..1 + dice.below(4)).map(|_| if only_full { Access::Full } else { dice.of(&kinds) }).collect();
        let operands = accesses.iter().map(|a| dice.floats(len(*a, rows, cols))).collect();
        let mut ends = vec![rows];
        (0..dice.below(4)).for_each(|_| ends.push(dice.below(rows + 1)));
        ends.sort_unstable();
        let draw = Draw { seed: 5, step: dice.below(100) as u64, first_row: dice.below(1000) as u64 };
        // of a long row, a value a row taken from one that differs along it depends on where blocks begin
        let mut writer = Writer { accesses: accesses.clone(), any_row: cols <= 256, ..Writer::default() };
        (0..3 + dice.below(12)).for_each(|_| writer.write(&mut dice));
        let Writer { instrs, outs, n_parts, .. } = writer;
        Case { instrs, accesses, operands, outs, n_parts, rows, cols, ends, draw }
    }

    fn program(&self) -> MapProgram {
        MapProgram::new(self.instrs.clone(), self.accesses.clone(), self.outs.clone(), self.n_parts)
    }

    /// Runs the rows up to each of `cuts`, one call after another, and then the rest.
    fn run(&self, cuts: &[usize]) -> Results {
        let program = self.program();
        let (cols, total) = (self.cols, self.rows);
        let mut outs: Vec<Vec<f32>> =
            self.outs.iter().map(|a| vec![f32::NAN; len(*a, total, cols)]).collect();
        let mut parts = vec![vec![f32::NAN; self.ends.len() * cols]; self.n_parts];
        let mut scratch = vec![f32::NAN; program.scratch_len(cols)];
        let mut first = 0;
        for end in cuts.iter().copied().chain([total]) {
            let part = |a: Access| match a {
                Access::Full => first * cols..end * cols,
                Access::Row => first..end,
                Access::Vector => 0..cols,
                Access::Scalar => 0..1,
            };
            let operands: Vec<&[f32]> =
                self.operands.iter().zip(&self.accesses).map(|(o, a)| &o[part(*a)]).collect();
            let mut slices: Vec<&mut [f32]> =
                outs.iter_mut().zip(&self.outs).map(|(o, a)| &mut o[part(*a)]).collect();
            let mut folded: Vec<&mut [f32]> = parts.iter_mut().map(|p| &mut p[..]).collect();
            let group_ends: Vec<usize> = self.ends.iter().map(|e| (*e).clamp(first, end) - first).collect();
            let call = Call {
                rows: end - first,
                cols,
                operands: &operands,
                outs: &mut slices,
                parts: &mut folded,
                seen: first,
                group_ends: &group_ends,
                draw: Draw { first_row: self.draw.first_row + first as u64, ..self.draw },
            };
            program.run(call, &mut scratch);
            first = end;
        }
        Results { outs: bits(&outs), parts: bits(&parts) }
    }
}

/// Random instructions that read only what was written.
#[derive(Default)]
struct Writer {
    instrs: Vec<Instr>,
    outs: Vec<Access>,
    accesses: Vec<Access>,
    any_row: bool,
    n_parts: usize,
    regs: u8,
    rows: u8,
}

impl Writer {
    fn source(&self, dice: &mut Dice) -> Src {
        match dice.below(10) {
            0 => Src::Imm(dice.floats(1)[0]),
            1 | 2 if self.rows > 0 => Src::Row(dice.below(self.rows as usize) as u8),
            3..=6 if self.regs > 0 => Src::Reg(dice.below(self.regs as usize) as u8),
            _ => Src::Operand(dice.below(self.accesses.len()) as u8),
        }
    }

    /// An old register or the next one.
    fn target(dice: &mut Dice, n: &mut u8) -> u8 {
        let r = dice.below((*n as usize + 1).min(4)) as u8;
        *n = (*n).max(r + 1);
        r
    }

    fn dst(&mut self, dice: &mut Dice, by_row: bool) -> Dst {
        if by_row && dice.below(4) == 0 {
            Dst::Row(Self::target(dice, &mut self.rows))
        } else {
            Dst::Reg(Self::target(dice, &mut self.regs))
        }
    }

    fn row_valued(&self, src: Src) -> bool {
        match src {
            Src::Imm(_) | Src::Row(_) => true,
            Src::Reg(_) => false,
            Src::Operand(o) => matches!(self.accesses[o as usize], Access::Row | Access::Scalar),
        }
    }

    fn write(&mut self, dice: &mut Dice) {
        let [a, b] = [self.source(dice), self.source(dice)];
        let by_row = self.any_row || (self.row_valued(a) && self.row_valued(b));
        let fold = dice.of(&[Fold::Sum, Fold::Max]);
        let instr = match dice.below(16) {
            0 => Instr::RowFold(fold, Self::target(dice, &mut self.rows), a),
            1 => Instr::Column(Self::target(dice, &mut self.regs)),
            2 => Instr::Mask { dst: Self::target(dice, &mut self.regs), id: 7, keep: 0.75 },
            3..=5 => {
                let one_a_row = by_row && dice.below(3) == 0;
                self.outs.push(if one_a_row { Access::Row } else { Access::Full });
                Instr::Store(self.outs.len() as u8 - 1, a)
            }
            6 | 7 if self.n_parts < 4 => {
                self.n_parts += 1;
                Instr::ColFold(fold, self.n_parts as u8 - 1, a)
            }
            8 | 9 => Instr::Un(dice.of(&Fn1::ALL), self.dst(dice, by_row), a),
            _ => Instr::Bin(dice.of(&Fn2::ALL), self.dst(dice, by_row), a, b),
        };
        self.instrs.push(instr);
    }
}

/// The whole frame, instruction after instruction.
struct Plain<'a> {
    case: &'a Case,
    regs: Vec<Vec<f32>>,
    row_regs: Vec<Vec<f32>>,
}

impl Plain<'_> {
    fn at(&self, src: Src, row: usize, col: usize) -> f32 {
        let i = row * self.case.cols + col;
        match src {
            Src::Imm(x) => x,
            Src::Reg(r) => self.regs[r as usize][i],
            Src::Row(r) => self.row_regs[r as usize][row],
            Src::Operand(o) => {
                let data = &self.case.operands[o as usize];
                match self.case.accesses[o as usize] {
                    Access::Full => data[i],
                    Access::Vector => data[col],
                    Access::Row => data[row],
                    Access::Scalar => data[0],
                }
            }
        }
    }

    fn write(&mut self, dst: Dst, value: impl Fn(&Self, usize, usize) -> f32) {
        let (rows, cols) = (self.case.rows, self.case.cols);
        match dst {
            Dst::Reg(r) => {
                self.regs[r as usize] = (0..rows * cols).map(|i| value(self, i / cols, i % cols)).collect();
            }
            Dst::Row(r) => self.row_regs[r as usize] = (0..rows).map(|row| value(self, row, 0)).collect(),
        }
    }

    fn row_fold(&self, fold: Fold, a: Src, row: usize) -> f32 {
        let cols = self.case.cols;
        let single = match a {
            Src::Imm(_) | Src::Row(_) => true,
            Src::Operand(o) => matches!(self.case.accesses[o as usize], Access::Row | Access::Scalar),
            Src::Reg(_) => false,
        };
        if single {
            let x = self.at(a, row, 0);
            return if fold == Fold::Sum { x * cols as f32 } else { x };
        }
        let mut lanes = [fold.neutral(); 16];
        // sums in runs of 32 vectors; no row here has more than 32 such runs
        let run = if fold == Fold::Sum { 32 * 16 } else { cols };
        for first in (0..cols).step_by(run) {
            let mut part = [fold.neutral(); 16];
            (first..cols.min(first + run))
                .for_each(|c| part[c % 16] = fold.join(part[c % 16], self.at(a, row, c)));
            (0..16).for_each(|l| lanes[l] = fold.join(lanes[l], part[l]));
        }
        for half in [8, 4, 2, 1] {
            (0..half).for_each(|l| lanes[l] = fold.join(lanes[l], lanes[l + half]));
        }
        lanes[0]
    }
}

fn plain<A: Arith>(case: &Case) -> Results {
    let (rows, cols, draw) = (case.rows, case.cols, case.draw);
    let mut outs: Vec<Vec<f32>> = case.outs.iter().map(|_| vec![]).collect();
    let mut parts = vec![vec![]; case.n_parts];
    let mut plain = Plain { case, regs: vec![vec![]; 8], row_regs: vec![vec![]; 8] };
    for instr in &case.instrs {
        match *instr {
            Instr::Un(f, dst, a) => plain.write(dst, |p, r, c| f.apply::<A>(p.at(a, r, c))),
            Instr::Bin(f, dst, a, b) => plain.write(dst, |p, r, c| f.apply(p.at(a, r, c), p.at(b, r, c))),
            Instr::RowFold(fold, r, a) => plain.write(Dst::Row(r), |p, row, _| p.row_fold(fold, a, row)),
            Instr::Column(r) => plain.write(Dst::Reg(r), |_, _, c| c as f32),
            Instr::Mask { dst, id, keep } => plain.write(Dst::Reg(dst), |_, r, c| {
                let word = mask_word(draw.seed, id, draw.step, draw.first_row + r as u64, c, cols);
                if word >> 8 < keep_below(keep) { 1.0 / keep } else { 0.0 }
            }),
            Instr::Store(out, a) => {
                let out = out as usize;
                outs[out] = match case.outs[out] {
                    Access::Row => (0..rows).map(|r| plain.at(a, r, 0)).collect(),
                    _ => (0..rows * cols).map(|i| plain.at(a, i / cols, i % cols)).collect(),
                };
            }
            Instr::ColFold(fold, part, a) => {
                let mut sums = vec![fold.neutral(); case.ends.len() * cols];
                for r in 0..rows {
                    let group = case.ends.iter().position(|e| r < *e).unwrap();
                    for c in 0..cols {
                        let sum = &mut sums[group * cols + c];
                        *sum = fold.join(*sum, plain.at(a, r, c));
                    }
                }
                parts[part as usize] = sums;
            }
            Instr::ColSum(..) => unreachable!("tested beside the interpreter"),
        }
    }
    Results { outs: bits(&outs), parts: bits(&parts) }
}

#[test]
fn random_programs_give_the_bits_of_the_obvious_interpreter() {
    on_each_isa(|isa| {
        for seed in 0..1500 {
            let case = Case::new(seed);
            let want = if isa.is_fused() { plain::<Fused>(&case) } else { plain::<Unfused>(&case) };
            let got = case.run(&[]);
            let about = || format!("{isa:?} {seed}: {:?} over {} x {}", case.instrs, case.rows, case.cols);
            assert!(got == want, "{}", about());
            let cut = [case.rows / 3, case.rows / 2];
            assert!(case.run(&cut) == want, "cut {}", about());
        }
    });
}

/// Layer norm over short rows and the sums of its backward pass, against f64.
#[test]
fn layer_norm_of_short_rows_agrees_with_f64() {
    let _one = one_at_a_time();
    for (rows, cols) in [(1, 64), (50, 64), (33, 10), (7, 6), (100, 16), (20, 250)] {
        let mut dice = Dice::salted(1, 11);
        let [x, gain] = [rows * cols, cols].map(|n| dice.floats(n));
        let share = Src::Imm(1.0 / cols as f32);
        let instrs = vec![
            Instr::RowFold(Fold::Sum, 0, Src::Operand(0)),
            Instr::Bin(Fn2::Mul, Dst::Row(0), Src::Row(0), share),
            Instr::Bin(Fn2::Sub, Dst::Reg(0), Src::Operand(0), Src::Row(0)),
            Instr::Un(Fn1::Square, Dst::Reg(1), Src::Reg(0)),
            Instr::RowFold(Fold::Sum, 1, Src::Reg(1)),
            Instr::Bin(Fn2::Mul, Dst::Row(1), Src::Row(1), share),
            Instr::Bin(Fn2::Add, Dst::Row(1), Src::Row(1), Src::Imm(1e-5)),
            Instr::Un(Fn1::Sqrt, Dst::Row(1), Src::Row(1)),
            Instr::Bin(Fn2::Div, Dst::Reg(0), Src::Reg(0), Src::Row(1)),
            Instr::Bin(Fn2::Mul, Dst::Reg(0), Src::Reg(0), Src::Operand(1)),
            Instr::Store(0, Src::Reg(0)),
            Instr::ColFold(Fold::Sum, 0, Src::Reg(0)),
        ];
        let program = MapProgram::new(instrs, vec![Access::Full, Access::Vector], vec![Access::Full], 1);
        let (mut y, mut sums) = (vec![f32::NAN; rows * cols], vec![f32::NAN; cols]);
        let call = Call {
            rows,
            cols,
            operands: &[&x, &gain],
            outs: &mut [&mut y],
            parts: &mut [&mut sums],
            seen: 0,
            group_ends: &[rows],
            draw: Draw::default(),
        };
        program.run(call, &mut vec![f32::NAN; program.scratch_len(cols)]);
        let mut want_sums = vec![0.0; cols];
        for (r, row) in x.chunks(cols).enumerate() {
            let row: Vec<f64> = row.iter().map(|v| f64::from(*v)).collect();
            let mean = row.iter().sum::<f64>() / cols as f64;
            let variance = row.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / cols as f64;
            for c in 0..cols {
                let want = (row[c] - mean) / (variance + 1e-5).sqrt() * f64::from(gain[c]);
                assert!((f64::from(y[r * cols + c]) - want).abs() < 2e-6, "{rows} {cols}");
                want_sums[c] += want;
            }
        }
        assert!(sums.iter().zip(&want_sums).all(|(s, w)| (f64::from(*s) - w).abs() < 2e-5));
    }
}
