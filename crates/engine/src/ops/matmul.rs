//! The matrix product, with either factor transposed.
//!
//! Axes before the last of the first factor are rows. Of `y = a·b`: `da = dy·bᵀ` and `db = aᵀ·dy`; the other
//! cases follow by transposing both sides.

use super::{Op, Operator};
use crate::error::Fault;
use crate::grad::Backward;
use crate::graph::{Built, Graph, Var};
use crate::reference::Tensor;
use crate::shape::Shape;
use crate::steps::gemm::{Factor, Gemm, product_flops};
use crate::steps::gemm_partial::GemmPartial;
use crate::steps::{Inputs, Kernel, Lowering, Residency};
use kernels::map::Draw;

/// `a·b`, `aᵀ·b` or `a·bᵀ`.
#[derive(Clone, Debug, PartialEq)]
pub struct MatMul {
    /// `a` is `[.., m]` and the product sums over its rows: `[m, n]`; `b` is `[.., n]` with as many rows
    pub ta: bool,
    /// `b` is `[n, k]`
    pub tb: bool,
}

/// Rows, inner size and columns of a product.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Extents {
    /// rows of the result
    pub m: usize,
    /// columns of the result
    pub n: usize,
    /// terms in each sum
    pub k: usize,
}

impl MatMul {
    /// The sizes of the product of tensors with these shapes.
    pub fn extents(&self, a: &Shape, b: &Shape) -> Extents {
        let (rows, cols) = flat(a);
        let (m, k) = if self.ta { (cols, rows) } else { (rows, cols) };
        let n = if self.tb { b[0] } else { b.last_dim() };
        Extents { m, n, k }
    }
}

fn flat(s: &Shape) -> (usize, usize) {
    (s[..s.len() - 1].iter().product(), s.last_dim())
}

impl Operator for MatMul {
    fn name(&self) -> &'static str {
        "matmul"
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, Fault> {
        let (a, b) = (inputs[0], inputs[1]);
        let rank = |s: &Shape, expected| Err(Fault::Rank { expected, got: s.clone() });
        if a.len() < 2 {
            return rank(a, "at least 2");
        }
        if b.len() < 2 || (b.len() != 2 && !self.ta) {
            return rank(b, "2");
        }
        let inner_a = if self.ta { flat(a).0 } else { a.last_dim() };
        let inner_b = if self.tb { b.last_dim() } else { flat(b).0 };
        if inner_a != inner_b || (self.ta && self.tb) {
            return Err(Fault::Inner { x: a.clone(), w: b.clone() });
        }
        let Extents { m, n, .. } = self.extents(a, b);
        if self.ta { Ok([m, n].into()) } else { Ok(a.with(a.len() - 1, n)) }
    }

    fn flops(&self, inputs: &[&Shape], _shape: &Shape) -> u64 {
        let e = self.extents(inputs[0], inputs[1]);
        product_flops(e.m, e.n, e.k)
    }

    fn grad(&self, at: &mut Backward) -> Built<()> {
        let (a, b, dy) = (at.inputs[0], at.inputs[1], at.dy);
        let mut product = |x, y, ta, tb| at.graph.push(Op::MatMul(MatMul { ta, tb }), &[x, y]);
        let (da, db) = match (self.ta, self.tb) {
            (false, false) => (product(dy, b, false, true)?, product(a, dy, true, false)?),
            (false, true) => (product(dy, b, false, false)?, product(dy, a, true, false)?),
            _ => {
                // the rows of one may be spread over several axes, those of the other over one
                let (da, db) = (product(b, dy, false, true)?, product(a, dy, false, false)?);
                let [a, b] = [a, b].map(|v| at.graph.shape(v).clone());
                (at.graph.reshape(da, a)?, at.graph.reshape(db, b)?)
            }
        };
        at.give(0, da)?;
        at.give(1, db)
    }

    fn residency(&self, at: &Inputs) -> Result<Residency, Fault> {
        if self.ta { at.summed() } else { at.rows_if(at.rows == [true, false]) }
    }

    fn lower(&self, at: &Lowering) -> Vec<Kernel> {
        let [a, b] = [at.inputs[0], at.inputs[1]];
        if let Some(out) = at.partial {
            let (m, n) = (at.shape[0], at.shape[1]);
            return vec![GemmPartial { m, n, rows: a.len.count() / m.max(1), a, b, out }.into()];
        }
        let Extents { m, n, k } = self.extents(at.shapes[0], at.shapes[1]);
        let factor = |span, transposed, rows, cols| {
            let (row_stride, col_stride) = if transposed { (1, rows) } else { (cols, 1) };
            Factor { span, row_stride, col_stride }
        };
        let (a, b) = (factor(a, self.ta, m, k), factor(b, self.tb, k, n));
        vec![Gemm { m: at.extent(m), n, k, a, b, out: at.out, tail: at.tail }.into()]
    }

    fn reference(&self, inputs: &[&Tensor], shape: &Shape, _draw: &Draw) -> Tensor {
        let (a, b) = (inputs[0], inputs[1]);
        let Extents { m, n, k } = self.extents(&a.shape, &b.shape);
        let mut y = Tensor::filled(shape, 0.0);
        for i in 0..m {
            for j in 0..n {
                for l in 0..k {
                    let x = a.data[if self.ta { l * m + i } else { i * k + l }];
                    let w = b.data[if self.tb { j * k + l } else { l * n + j }];
                    y.data[i * n + j] += x * w;
                }
            }
        }
        y
    }
}

impl Graph {
    /// `a·b` for `a: [.., k]` and `b: [k, n]`.
    pub fn matmul(&mut self, a: Var, b: Var) -> Built {
        self.push(Op::MatMul(MatMul { ta: false, tb: false }), &[a, b])
    }

    /// `a·bᵀ` for `a: [.., k]` and `b: [n, k]`.
    pub fn matmul_nt(&mut self, a: Var, b: Var) -> Built {
        self.push(Op::MatMul(MatMul { ta: false, tb: true }), &[a, b])
    }

    /// `aᵀ·b` for `a: [.., m]` and `b: [.., n]` with as many rows.
    pub fn matmul_tn(&mut self, a: Var, b: Var) -> Built {
        self.push(Op::MatMul(MatMul { ta: true, tb: false }), &[a, b])
    }
}
