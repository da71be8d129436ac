//! Element-wise functions of one argument.

use super::{Op, Operator};
use crate::error::Fault;
use crate::grad::Backward;
use crate::graph::{Built, Graph, Var};
use crate::reference::{Tensor, erf64};
use crate::shape::Shape;
use crate::steps::emit::Emit;
use kernels::map::{Draw, Src};
pub use kernels::math::Fn1;
use std::f64::consts::TAU;

/// `y = f(x)`, element by element.
#[derive(Clone, Debug, PartialEq)]
pub struct Unary(pub Fn1);

impl Operator for Unary {
    fn name(&self) -> &'static str {
        match self.0 {
            Fn1::Neg => "neg",
            Fn1::Abs => "abs",
            Fn1::Sign => "sign",
            Fn1::Step => "step",
            Fn1::Square => "square",
            Fn1::Sqrt => "sqrt",
            Fn1::Recip => "recip",
            Fn1::Exp => "exp",
            Fn1::Ln => "ln",
            Fn1::Tanh => "tanh",
            Fn1::Sigmoid => "sigmoid",
            Fn1::Softplus => "softplus",
            Fn1::Erf => "erf",
            Fn1::Relu => "relu",
            Fn1::CosTurn => "cos_turn",
            Fn1::SinTurn => "sin_turn",
        }
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, Fault> {
        Ok(inputs[0].clone())
    }

    fn flops(&self, _inputs: &[&Shape], shape: &Shape) -> u64 {
        shape.numel() as u64
    }

    fn grad(&self, at: &mut Backward) -> Built<()> {
        let (x, y, dy) = (at.inputs[0], at.output, at.dy);
        let g = &mut *at.graph;
        let slope = match self.0 {
            Fn1::Sign | Fn1::Step => return Ok(()),
            Fn1::Relu => {
                let dx = g.binary(super::binary::Fn2::Gate, dy, y)?;
                return at.give(0, dx);
            }
            Fn1::Neg => g.constant(-1.0, [])?,
            Fn1::Abs => g.unary(Fn1::Sign, x)?,
            Fn1::Square => g.scale(x, 2.0)?,
            Fn1::Sqrt => {
                let r = g.unary(Fn1::Recip, y)?;
                g.scale(r, 0.5)?
            }
            Fn1::Recip => {
                let s = g.unary(Fn1::Square, y)?;
                g.unary(Fn1::Neg, s)?
            }
            Fn1::Exp => y,
            Fn1::Ln => g.unary(Fn1::Recip, x)?,
            Fn1::Tanh => {
                let s = g.unary(Fn1::Square, y)?;
                g.one_minus(s)?
            }
            Fn1::Sigmoid => {
                let rest = g.one_minus(y)?;
                g.mul(y, rest)?
            }
            Fn1::Softplus => g.unary(Fn1::Sigmoid, x)?,
            Fn1::Erf => {
                let s = g.unary(Fn1::Square, x)?;
                let n = g.unary(Fn1::Neg, s)?;
                let e = g.unary(Fn1::Exp, n)?;
                g.scale(e, std::f32::consts::FRAC_2_SQRT_PI)?
            }
            Fn1::CosTurn => {
                let s = g.unary(Fn1::SinTurn, x)?;
                g.scale(s, -std::f32::consts::TAU)?
            }
            Fn1::SinTurn => {
                let c = g.unary(Fn1::CosTurn, x)?;
                g.scale(c, std::f32::consts::TAU)?
            }
        };
        let dx = g.mul(dy, slope)?;
        at.give(0, dx)
    }

    fn reference(&self, inputs: &[&Tensor], _shape: &Shape, _draw: &Draw) -> Tensor {
        inputs[0].map(|x| match self.0 {
            Fn1::Neg => -x,
            Fn1::Abs => x.abs(),
            Fn1::Sign => f64::from(x > 0.0) - f64::from(x < 0.0),
            Fn1::Step => f64::from(x > 0.0),
            Fn1::Square => x * x,
            Fn1::Sqrt => x.sqrt(),
            Fn1::Recip => 1.0 / x,
            Fn1::Exp => libm::exp(x),
            Fn1::Ln => libm::log(x),
            Fn1::Tanh => libm::tanh(x),
            Fn1::Sigmoid => 1.0 / (1.0 + libm::exp(-x)),
            Fn1::Softplus => x.max(0.0) + libm::log1p(libm::exp(-x.abs())),
            Fn1::Erf => erf64(x),
            Fn1::CosTurn => libm::cos(TAU * (x - x.round())),
            Fn1::SinTurn => libm::sin(TAU * (x - x.round())),
            Fn1::Relu => {
                if x > 0.0 {
                    x
                } else {
                    0.0
                }
            }
        })
    }

    fn emit(&self, emit: &mut Emit, args: &[Src]) -> Option<Src> {
        Some(emit.un(self.0, args[0]))
    }
}

impl Graph {
    /// `f(x)`, element by element.
    pub fn unary(&mut self, f: Fn1, x: Var) -> Built {
        if let Some(value) = self.constant_value(x) {
            let shape = self.shape(x).clone();
            return self.constant(f.apply::<kernels::isa::Unfused>(value), shape);
        }
        self.push(Op::Unary(Unary(f)), &[x])
    }

    /// `1 − x`
    pub fn one_minus(&mut self, x: Var) -> Built {
        let one = self.constant(1.0, [])?;
        self.sub(one, x)
    }
}
