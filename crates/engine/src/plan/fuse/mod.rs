//! Grouping nodes into units: a unit becomes one step, or none where it only renames memory.
//!
//! Two rules. A matrix product or a convolution takes a bias, a ReLU and a gate behind it into its own step, as long
//! as nobody else reads what lies between (`product`). Element-wise nodes, row reductions and column reductions over
//! the same frame share one program, as long as no other unit lies on a path between them (`join`, `merge`).

mod frame;
mod join;
mod merge;
mod product;
mod units;

use std::collections::HashSet;

use super::place::Places;
use super::{PlanOptions, Wanted};
use crate::graph::{Graph, Var};
use crate::ops::Op;

pub(super) use frame::{Frame, folds_row, is_row_valued};
pub(super) use product::Followers;
pub(super) use units::{Role, Units};

/// Elements above which a convolution's weight gradient is completed after the steps, like a dense layer's: one
/// for each shard would cost more memory than the images.
const LARGE_WEIGHT: usize = 64 * 1024;
/// The same where sums are made at points, which is several times as fast: worth the memory up to 256 × 256 channels.
const LARGE_AT_POINTS: usize = 640 * 1024;

struct Fuser<'a> {
    graph: &'a Graph,
    places: &'a Places,
    units: Units,
    fuse: bool,
    /// gradients that are wanted
    trained: HashSet<Var>,
    /// outputs, and new values of buffers
    read: HashSet<Var>,
}

pub(super) fn units(graph: &Graph, wanted: &Wanted, places: &Places, options: PlanOptions) -> Units {
    let units = Units { list: vec![], of: vec![None; graph.len()] };
    let (trained, read) = (wanted.gradients.iter().copied().collect(), wanted.read(graph).collect());
    let mut fuser = Fuser { graph, places, units, fuse: options.fuse, trained, read };
    for v in graph.vars().filter(|v| places.live[v.index()]) {
        if fuser.units.of[v.index()].is_some() {
            continue;
        }
        let u = fuser.unit_for(v);
        for node in fuser.units.list[u].nodes.clone() {
            fuser.units.add_deps(graph, u, node);
        }
        if fuser.units.list[u].users.is_empty() {
            fuser.units.find_way(u);
        }
    }
    fuser.units
}

impl Fuser<'_> {
    fn unit_for(&mut self, v: Var) -> usize {
        let node = self.graph.node(v);
        match &node.op {
            Op::Input(_)
            | Op::Param(_)
            | Op::Buffer(_)
            | Op::Tangent(_)
            | Op::Constant(_)
            | Op::Reshape(_) => self.units.new_unit(Role::View, v),
            Op::Slice(s) if s.axis == 0 => self.units.new_unit(Role::View, v),
            Op::MatMul(m) if m.ta && self.reads_rows(v) => {
                self.units.new_unit(if self.only_trained(v) { Role::Finish } else { Role::Single }, v)
            }
            Op::ConvWeight(c) if self.reads_rows(v) => {
                let numel = node.shape.numel();
                let most = if c.0.sums_len() > numel { LARGE_AT_POINTS } else { LARGE_WEIGHT };
                let large = c.0.groups == 1 && numel > most;
                self.units
                    .new_unit(if large && self.only_trained(v) { Role::Finish } else { Role::Single }, v)
            }
            Op::MatMul(_) | Op::Conv(_) | Op::ConvInput(_) => self.product(v),
            _ => match self.frame(v) {
                Some(frame) => self.grouped(v, frame),
                None => self.units.new_unit(Role::Single, v),
            },
        }
    }

    fn reads_rows(&self, v: Var) -> bool {
        self.graph.node(v).inputs.iter().any(|i| self.places.is_rows(*i))
    }

    /// Whether a value is a gradient that nothing in the steps, no output and no buffer reads, so that it may be
    /// completed after the steps from factors that all belong to rows.
    fn only_trained(&self, v: Var) -> bool {
        self.trained.contains(&v)
            && self.users(v).is_empty()
            && !self.read.contains(&v)
            && self.graph.node(v).inputs.iter().all(|i| self.places.is_rows(*i))
    }

    fn users(&self, v: Var) -> &[usize] {
        &self.places.users[v.index()]
    }

    /// The only user of a value that nothing else keeps.
    fn only_user(&self, v: Var) -> Option<Var> {
        match self.users(v) {
            [one] if self.fuse && !self.places.kept[v.index()] => Some(Var(*one as u32)),
            _ => None,
        }
    }

    fn is_constant(&self, v: Var) -> bool {
        matches!(self.graph.node(v).op, Op::Constant(_))
    }
}
