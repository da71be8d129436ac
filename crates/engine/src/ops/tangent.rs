//! A direction in the space of the parameters, a view of the flat tangent vector, which lies as the parameters do.

use super::{Op, Operator};
use crate::error::Fault;
use crate::graph::{Built, Graph, Var};
use crate::reference::Tensor;
use crate::shape::Shape;
use kernels::map::Draw;

/// The part of the direction that belongs to one parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct Tangent {
    /// which parameter
    pub index: usize,
    /// its shape
    pub shape: Shape,
}

impl Operator for Tangent {
    fn name(&self) -> &'static str {
        "tangent"
    }

    fn shape(&self, _inputs: &[&Shape]) -> Result<Shape, Fault> {
        Ok(self.shape.clone())
    }

    fn reference(&self, _inputs: &[&Tensor], _shape: &Shape, _draw: &Draw) -> Tensor {
        unreachable!("the evaluator supplies tangents")
    }
}

impl Graph {
    /// The part of the tangent vector that belongs to a parameter: a value shaped like it, fed at every step.
    ///
    /// # Errors
    /// When `param` is not a parameter.
    pub fn tangent(&mut self, param: Var) -> Built {
        match &self.node(param).op {
            Op::Param(p) => {
                let (index, shape) = (p.index, p.shape.clone());
                self.push(Tangent { index, shape }.into(), &[])
            }
            _ => Err(self.error("tangent", Fault::NotAParameter)),
        }
    }

    /// The product of the Hessian of a single number with the tangent vector, `∂²of/∂θ² · v`, as one value for each of
    /// `params`: the gradient of `∇of · v` (Pearlmutter, "Fast exact multiplication by the Hessian", Neural
    /// Computation 1994). Costs two to three gradients.
    ///
    /// # Errors
    /// When `of` is not a single number, or one of `params` is not a parameter.
    pub fn hessian_product(&mut self, of: Var, params: &[Var]) -> Built<Vec<Var>> {
        let gradients = self.gradients(of, params)?;
        let mut slope = self.constant(0.0, [])?;
        for (gradient, param) in gradients.into_iter().zip(params) {
            let direction = self.tangent(*param)?;
            let product = self.mul(gradient, direction)?;
            let sum = self.sum(product)?;
            slope = self.add(slope, sum)?;
        }
        self.gradients(slope, params)
    }
}
