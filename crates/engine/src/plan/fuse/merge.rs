//! Two programs that have come together at one node become one, where nothing lies between them.

use super::frame::folds_columns;
use super::join::{MAX_NODES, within_limits};
use super::{Frame, Fuser, Role, Units};
use crate::graph::Var;
use crate::ops::Op;
use crate::ops::binary::access;
use kernels::map::Access;

impl Fuser<'_> {
    /// Makes program `other` a part of program `home`, where it may be.
    pub(super) fn merge(&mut self, home: usize, other: usize) {
        let (Role::Map(a), Role::Map(b)) =
            (self.units.list[home].role.clone(), self.units.list[other].role.clone())
        else {
            return;
        };
        let cols = match (a.cols, b.cols) {
            (Some(x), Some(y)) if x != y => return,
            (x, y) => x.or(y),
        };
        let blocked = |units: &Units, x: usize, y: usize| {
            units.list[x].deps.iter().any(|d| *d != y && units.reaches(*d, y))
        };
        let mut nodes: Vec<Var> =
            self.units.list[home].nodes.iter().chain(&self.units.list[other].nodes).copied().collect();
        nodes.sort_unstable();
        let fits = a.residency == b.residency
            && a.numel == b.numel
            && nodes.len() <= MAX_NODES
            && within_limits(self.graph, &nodes);
        if !fits || blocked(&self.units, home, other) || blocked(&self.units, other, home) {
            return;
        }
        let frame = Frame { cols, ..a };
        let crosses = |i: &&Var| matches!(self.units.of[i.index()], Some(u) if u == home || u == other);
        let readable = |v: &Var| {
            let node = self.graph.node(*v);
            if node.inputs.iter().filter(crosses).any(|i| folds_columns(self.graph, *i)) {
                return false;
            }
            matches!(node.op, Op::Reduce(_))
                || self.row_valued(*v, frame)
                || node.inputs.iter().filter(crosses).all(|i| {
                    match access(&node.shape, self.graph.shape(*i)) {
                        Some((Access::Full, _)) => !self.row_valued(*i, frame),
                        Some((Access::Row, _)) => self.row_valued(*i, frame),
                        _ => false,
                    }
                })
        };
        if !nodes.iter().all(readable) {
            return;
        }
        self.units.absorb(home, other, nodes, Role::Map(frame));
    }
}
