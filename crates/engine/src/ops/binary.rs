//! Element-wise functions of two arguments, with broadcasting as in NumPy.

use super::{Op, Operator};
use crate::error::Fault;
use crate::grad::Backward;
use crate::graph::{Built, Graph, Node, Var};
use crate::reference::Tensor;
use crate::shape::Shape;
use crate::steps::emit::Emit;
use crate::steps::{Inputs, Residency};
use kernels::map::{Access, Draw, Src};
pub use kernels::math::Fn2;

/// `y = f(a, b)`, element by element.
#[derive(Clone, Debug, PartialEq)]
pub struct Binary(pub Fn2);

impl Operator for Binary {
    fn name(&self) -> &'static str {
        match self.0 {
            Fn2::Add => "add",
            Fn2::Sub => "sub",
            Fn2::Mul => "mul",
            Fn2::Div => "div",
            Fn2::Max => "max",
            Fn2::Min => "min",
            Fn2::Gate => "gate",
            Fn2::Eq => "eq",
        }
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, Fault> {
        broadcast_shape(inputs[0], inputs[1])
    }

    fn flops(&self, _inputs: &[&Shape], shape: &Shape) -> u64 {
        shape.numel() as u64
    }

    fn grad(&self, at: &mut Backward) -> Built<()> {
        let (a, b, y, dy) = (at.inputs[0], at.inputs[1], at.output, at.dy);
        let g = &mut *at.graph;
        let (da, db) = match self.0 {
            Fn2::Add => (Some(dy), Some(dy)),
            Fn2::Sub => (Some(dy), Some(g.unary(super::unary::Fn1::Neg, dy)?)),
            Fn2::Mul => (Some(g.mul(dy, b)?), Some(g.mul(dy, a)?)),
            Fn2::Div => {
                let da = g.div(dy, b)?;
                let t = g.mul(da, y)?;
                (Some(da), Some(g.unary(super::unary::Fn1::Neg, t)?))
            }
            Fn2::Max | Fn2::Min => {
                let (high, low) = if self.0 == Fn2::Max { (a, b) } else { (b, a) };
                let ahead = g.sub(high, low)?;
                let wins = g.unary(super::unary::Fn1::Step, ahead)?;
                let tie = g.binary(Fn2::Eq, a, b)?;
                let half = g.scale(tie, 0.5)?;
                let share = g.add(wins, half)?;
                let da = g.mul(dy, share)?;
                (Some(da), Some(g.sub(dy, da)?))
            }
            Fn2::Gate => (Some(g.binary(Fn2::Gate, dy, b)?), None),
            Fn2::Eq => (None, None),
        };
        for (i, (v, d)) in [(a, da), (b, db)].into_iter().enumerate() {
            if let Some(d) = d {
                let shape = at.graph.shape(v).clone();
                let d = at.graph.sum_to(d, &shape)?;
                at.give(i, d)?;
            }
        }
        Ok(())
    }

    fn residency(&self, at: &Inputs) -> Result<Residency, Fault> {
        at.own_rows()
    }

    fn reference(&self, inputs: &[&Tensor], shape: &Shape, _draw: &Draw) -> Tensor {
        let (a, b) = (inputs[0].broadcast(shape), inputs[1].broadcast(shape));
        a.zip(&b, |a, b| match self.0 {
            Fn2::Add => a + b,
            Fn2::Sub => a - b,
            Fn2::Mul => a * b,
            Fn2::Div => a / b,
            Fn2::Max => a.max(b),
            Fn2::Min => a.min(b),
            Fn2::Gate => {
                if b > 0.0 {
                    a
                } else {
                    0.0
                }
            }
            Fn2::Eq => f64::from(a == b),
        })
    }

    fn emit(&self, emit: &mut Emit, args: &[Src]) -> Option<Src> {
        Some(emit.bin(self.0, args[0], args[1]))
    }
}

/// The shape that both broadcast to.
pub(crate) fn broadcast_shape(a: &Shape, b: &Shape) -> Result<Shape, Fault> {
    let rank = a.len().max(b.len());
    let size = |s: &Shape, i: usize| if i + s.len() >= rank { s[i + s.len() - rank] } else { 1 };
    let fits = |i: usize| match (size(a, i), size(b, i)) {
        (x, y) if x == y => Some(x),
        (1, y) => Some(y),
        (x, 1) => Some(x),
        _ => None,
    };
    let sizes: Option<Vec<usize>> = (0..rank).map(fits).collect();
    sizes.map(Shape::from).ok_or_else(|| Fault::Broadcast { a: a.clone(), b: b.clone() })
}

/// How an operand of shape `s` is read in a frame of shape `out`, and the columns that this fixes.
pub(crate) fn access(out: &Shape, s: &Shape) -> Option<(Access, Option<usize>)> {
    if s == out {
        return Some((Access::Full, None));
    }
    // a single number beside `[batch]` has no rows: it is the same for all of them
    let row =
        s.len() > 1 && s.len() == out.len() && s.last_dim() == 1 && s[..s.len() - 1] == out[..out.len() - 1];
    if row {
        return Some((Access::Row, Some(out.last_dim())));
    }
    // in a batch of one row, a value of that row is not one for the whole batch
    if s.len() == out.len() && s.first() == out.first() {
        return None;
    }
    if s.numel() == 1 {
        return Some((Access::Scalar, None));
    }
    let core = &s[s.iter().take_while(|d| **d == 1).count()..];
    (out.ends_with(core) && s.len() <= out.len()).then(|| (Access::Vector, Some(core.iter().product())))
}

impl Graph {
    /// `f(a, b)`, element by element, broadcast as in NumPy.
    pub fn binary(&mut self, f: Fn2, a: Var, b: Var) -> Built {
        let out = match broadcast_shape(self.shape(a), self.shape(b)) {
            Ok(shape) => shape,
            Err(fault) => return Err(self.error(Binary(f).name(), fault)),
        };
        if let (Some(x), Some(y)) = (self.constant_value(a), self.constant_value(b)) {
            return self.constant(f.apply(x, y), out);
        }
        if let Some(known) = self.neutral(f, a, b, &out) {
            return Ok(known);
        }
        if let Some(repeated) = self.before_repeating(f, a, b, &out)? {
            return Ok(repeated);
        }
        let a = self.readable(a, b, &out)?;
        let b = self.readable(b, a, &out)?;
        let a = self.agreeing(a, b, &out)?;
        self.push(Op::Binary(Binary(f)), &[a, b])
    }

    /// Multiplication by 1 and addition of 0 need no node.
    fn neutral(&self, f: Fn2, a: Var, b: Var, out: &Shape) -> Option<Var> {
        let is = |v: Var, x: f32| self.constant_value(v) == Some(x);
        let whole = |v: Var| self.shape(v) == out;
        match f {
            Fn2::Mul if is(b, 1.0) && whole(a) => Some(a),
            Fn2::Mul if is(a, 1.0) && whole(b) => Some(b),
            Fn2::Div if is(b, 1.0) && whole(a) => Some(a),
            Fn2::Add | Fn2::Sub if is(b, 0.0) && whole(a) => Some(a),
            Fn2::Add if is(a, 0.0) && whole(b) => Some(b),
            _ => None,
        }
    }

    /// `f` of a repeated value and a number is computed on what is repeated.
    fn before_repeating(&mut self, f: Fn2, a: Var, b: Var, out: &Shape) -> Built<Option<Var>> {
        let (v, number) = match (self.constant_value(a), self.constant_value(b)) {
            (None, Some(x)) => (a, x),
            (Some(x), None) => (b, x),
            _ => return Ok(None),
        };
        let Node { op: Op::Broadcast(broadcast), inputs, .. } = self.node(v) else { return Ok(None) };
        if broadcast.to != *out {
            return Ok(None);
        }
        let (op, source, like) = (Op::Broadcast(broadcast.clone()), inputs[0], inputs[1]);
        let number = self.constant(number, [])?;
        let y = if v == a { self.binary(f, source, number)? } else { self.binary(f, number, source)? };
        self.push(op, &[y, like]).map(Some)
    }

    /// An operand in a form that a frame of shape `out` can read, repeated like `other` where it must be.
    fn readable(&mut self, v: Var, other: Var, out: &Shape) -> Built {
        // where neither operand has the frame's shape, one of them must carry it
        let v = if self.shape(other) == out { self.unrepeated(v, out) } else { v };
        if self.constant_value(v).is_some() || access(out, self.shape(v)).is_some() {
            return Ok(v);
        }
        if self.shape(other) == out {
            return self.broadcast_like(v, other);
        }
        let frame = self.push(super::broadcast::Broadcast { to: out.clone() }.into(), &[v, other])?;
        Ok(frame)
    }

    /// The first of two operands, repeated to the frame's shape where each could be read in it but not both:
    /// `[B, C, 1]` beside `[C, H]` goes over rows of H columns, and the other over rows of C·H.
    fn agreeing(&mut self, a: Var, b: Var, out: &Shape) -> Built {
        let columns = |v: Var| access(out, self.shape(v)).and_then(|(_, columns)| columns);
        match (columns(a), columns(b)) {
            (Some(m), Some(n)) if m != n => {
                self.push(super::broadcast::Broadcast { to: out.clone() }.into(), &[a, b])
            }
            _ => Ok(a),
        }
    }

    /// `a + b`
    pub fn add(&mut self, a: Var, b: Var) -> Built {
        self.binary(Fn2::Add, a, b)
    }

    /// `a − b`
    pub fn sub(&mut self, a: Var, b: Var) -> Built {
        self.binary(Fn2::Sub, a, b)
    }

    /// `a · b`, element by element
    pub fn mul(&mut self, a: Var, b: Var) -> Built {
        self.binary(Fn2::Mul, a, b)
    }

    /// `a / b`
    pub fn div(&mut self, a: Var, b: Var) -> Built {
        self.binary(Fn2::Div, a, b)
    }

    /// `k · x`
    pub fn scale(&mut self, x: Var, k: f32) -> Built {
        let k = self.constant(k, [])?;
        self.mul(x, k)
    }

    /// `x + k`
    pub fn shift(&mut self, x: Var, k: f32) -> Built {
        let k = self.constant(k, [])?;
        self.add(x, k)
    }
}
