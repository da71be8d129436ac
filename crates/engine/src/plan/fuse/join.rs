//! Which program a node joins: one that makes what it reads, or, for a sum down columns, one that reads the same.

use super::frame::folds_columns;
use super::{Frame, Fuser, Role};
use crate::graph::{Graph, Var};
use crate::ops::Op;
use crate::ops::binary::access;
use kernels::map::{Access, MAX_OPERANDS, MAX_PARTS};
// any node of a program may have to be stored, so there are at most as many nodes as outputs
pub(super) use kernels::map::MAX_OUTS as MAX_NODES;

impl Fuser<'_> {
    /// The unit of a node that can be part of a program.
    pub(super) fn grouped(&mut self, v: Var, frame: Frame) -> usize {
        let candidates = if self.fuse { self.candidates(v) } else { vec![] };
        let home = candidates.iter().copied().find_map(|u| self.joined(v, frame, u).map(|f| (u, f)));
        let Some((home, joined)) = home else {
            return self.units.new_unit(Role::Map(frame), v);
        };
        self.units.list[home].role = Role::Map(joined);
        self.units.list[home].nodes.push(v);
        self.units.of[v.index()] = Some(home);
        self.units.add_deps(self.graph, home, v);
        for other in candidates.into_iter().filter(|u| *u != home) {
            self.merge(home, other);
        }
        home
    }

    /// Programs that `v` might join, the latest first: those that make its inputs, then, for a column reduction,
    /// those that read the same.
    fn candidates(&self, v: Var) -> Vec<usize> {
        let inputs = &self.graph.node(v).inputs;
        let is_map = |u: &usize| matches!(self.units.list[*u].role, Role::Map(_));
        let mut found: Vec<usize> =
            inputs.iter().filter_map(|i| self.units.of[i.index()]).filter(is_map).collect();
        if matches!(&self.graph.node(v).op, Op::Reduce(r) if r.start == 0) {
            let readers = inputs.iter().flat_map(|i| self.users(*i));
            found.extend(readers.filter_map(|n| self.units.of[*n]).filter(is_map));
        }
        found.sort_unstable();
        found.dedup();
        found.reverse();
        found
    }

    /// The frame of program `u` with `v` in it, where `v` may join.
    fn joined(&self, v: Var, frame: Frame, u: usize) -> Option<Frame> {
        let unit = &self.units.list[u];
        let Role::Map(own) = unit.role else { return None };
        let inside = |i: &Var| self.units.of[i.index()] == Some(u);
        let node = self.graph.node(v);
        if unit.nodes.len() >= MAX_NODES || !self.has_room(u, v) {
            return None;
        }
        // what goes down the columns is known only behind the last row
        if node.inputs.iter().any(|i| inside(i) && folds_columns(self.graph, *i)) {
            return None;
        }
        let outside = node.inputs.iter().filter_map(|i| self.units.of[i.index()]).filter(|d| *d != u);
        if outside.into_iter().any(|d| self.units.reaches(d, u)) {
            return None;
        }
        let joined = match (own.cols, frame.cols) {
            _ if own.residency != frame.residency => return None,
            (a, b) if own.numel == frame.numel && (a.is_none() || b.is_none() || a == b) => {
                Frame { cols: a.or(b), ..own }
            }
            (Some(cols), None) if cols > 1 && own.numel == frame.numel * cols => {
                let fits = |i: &Var| {
                    let same = self.places.extent(self.graph, *i) == self.places.extent(self.graph, v);
                    (same && (!inside(i) || self.row_valued(*i, own)))
                        || (!inside(i) && self.graph.shape(*i).numel() == 1)
                };
                let elementwise = matches!(node.op, Op::Unary(_) | Op::Binary(_) | Op::Detach(_));
                let anchored = node.inputs.iter().any(inside);
                if elementwise && anchored && node.inputs.iter().all(fits) {
                    return Some(own);
                }
                return None;
            }
            _ => return None,
        };
        let reduces = matches!(node.op, Op::Reduce(_));
        let readable = |i: &Var| {
            let row = self.row_valued(*i, joined);
            match if reduces { None } else { access(&node.shape, self.graph.shape(*i)) } {
                None | Some((Access::Full, _)) => !row,
                Some((Access::Row, _)) => row,
                Some(_) => false,
            }
        };
        node.inputs.iter().filter(|i| inside(i)).all(readable).then_some(joined)
    }

    /// Whether the program stays within the interpreter's limits with `v` in it.
    fn has_room(&self, u: usize, v: Var) -> bool {
        let nodes: Vec<Var> = self.units.list[u].nodes.iter().copied().chain([v]).collect();
        within_limits(self.graph, &nodes)
    }
}

/// Whether a program of these nodes stays within the interpreter's limits.
pub(super) fn within_limits(graph: &Graph, nodes: &[Var]) -> bool {
    let mut reads: Vec<Var> =
        nodes.iter().flat_map(|n| graph.node(*n).inputs.clone()).filter(|i| !nodes.contains(i)).collect();
    reads.sort_unstable();
    reads.dedup();
    let folds = nodes.iter().filter(|n| matches!(&graph.node(**n).op, Op::Reduce(r) if r.start == 0)).count();
    reads.len() <= MAX_OPERANDS && folds <= MAX_PARTS && nodes.len() <= MAX_NODES
}
