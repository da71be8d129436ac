//! What a matrix product or a convolution takes into its own step: a bias, a ReLU and a gate.

use super::{Fuser, Role};
use crate::graph::Var;
use crate::ops::Op;
use crate::ops::binary::Fn2;
use crate::ops::unary::Fn1;

/// Nodes that a product has taken in.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::plan) struct Followers {
    pub bias: Option<Var>,
    pub relu: bool,
    pub gate: Option<Var>,
}

impl Fuser<'_> {
    /// The unit of a product with what follows it.
    pub(super) fn product(&mut self, v: Var) -> usize {
        // a convolution writes tile by tile, so that a gate from memory is read better by the program behind it
        let dense = matches!(self.graph.node(v).op, Op::MatMul(_));
        let mut followers = Followers::default();
        let mut nodes = vec![v];
        let mut last = v;
        while let Some(next) = self.only_user(last) {
            let node = self.graph.node(next);
            let inputs = (node.inputs[0], node.inputs.get(1).copied());
            let ready = |w: Var| self.units.of[w.index()].is_some();
            match (&node.op, inputs) {
                (Op::Binary(b), (x, Some(w)))
                    if b.0 == Fn2::Add && nodes.len() == 1 && x == last && self.is_bias(w, v) && ready(w) =>
                {
                    followers.bias = Some(w);
                }
                (Op::Unary(f), _) if f.0 == Fn1::Relu && !followers.relu && followers.gate.is_none() => {
                    followers.relu = true;
                }
                (Op::Binary(b), (x, Some(y)))
                    if b.0 == Fn2::Gate
                        && dense
                        && x == last
                        && y != last
                        && followers.gate.is_none()
                        && ready(y)
                        && self.graph.shape(y) == self.graph.shape(v)
                        && self.places.residency[y.index()] == self.places.residency[v.index()] =>
                {
                    followers.gate = Some(y);
                }
                _ => break,
            }
            nodes.push(next);
            last = next;
        }
        let u = self.units.new_unit(Role::Product(followers), v);
        for node in &nodes[1..] {
            self.units.of[node.index()] = Some(u);
        }
        self.units.list[u].nodes = nodes;
        u
    }

    fn is_bias(&self, w: Var, product: Var) -> bool {
        let columns = self.graph.shape(product).last_dim();
        let shape = self.graph.shape(w);
        !self.places.is_rows(w)
            && shape.numel() == columns
            && shape.last_dim() == columns
            && !self.is_constant(w)
    }
}
