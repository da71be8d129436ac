//! Grouping nodes into units: a unit becomes one step, or none where it only renames memory.
//!
//! Two rules. A matrix product or a convolution takes a bias, a ReLU and a gate behind it into its own step, as long
//! as nobody else reads what lies between. Element-wise nodes, row reductions and column reductions over the same
//! frame share one
//! program, as long as no other unit lies on a path between them.

use std::collections::HashSet;

use super::place::Places;
use super::{PlanOptions, Wanted};
use crate::graph::{Graph, Var};
use crate::ops::Op;
use crate::ops::binary::{Fn2, access};
use crate::ops::unary::Fn1;
use crate::steps::Residency;
use kernels::map::{Access, MAX_OPERANDS, MAX_PARTS};
// any node of a program may have to be stored, so there are at most as many nodes as outputs
use kernels::map::MAX_OUTS as MAX_NODES;

/// Elements above which a convolution's weight gradient is completed after the steps, like a dense layer's: one
/// for each shard would cost more memory than the images.
const LARGE_WEIGHT: usize = 64 * 1024;
/// The same where sums are made at points, which is several times as fast: worth the memory up to 256 × 256 channels.
const LARGE_AT_POINTS: usize = 640 * 1024;

/// The frame of a program.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Frame {
    pub residency: Residency,
    /// elements, for one row of the batch where it has rows
    pub numel: usize,
    /// columns, where a node needs so many
    pub cols: Option<usize>,
}

/// What a unit becomes.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Role {
    /// inputs of the graph, parameters, constants, views: no step of their own
    View,
    /// the gradient of a parameter, completed after the steps
    Finish,
    /// a fused element-wise program
    Map(Frame),
    /// a matrix product with what follows it
    Product(Followers),
    /// one node by itself
    Single,
}

/// Nodes that a product has taken in.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Followers {
    pub bias: Option<Var>,
    pub relu: bool,
    pub gate: Option<Var>,
}

#[derive(Clone, Debug)]
pub(super) struct Unit {
    pub role: Role,
    pub nodes: Vec<Var>,
    /// units whose results it reads
    pub deps: Vec<usize>,
    /// units that read its results, perhaps some of them twice
    users: Vec<usize>,
    /// above that of every unit that it needs
    rank: usize,
    way: Way,
    /// units that became a part of it
    merged: Vec<usize>,
}

/// A unit's place in the tree of deepest needs: the unit with the highest rank that it read when it was new, and one
/// further up, so that most questions of who needs whom take a few steps.
#[derive(Clone, Copy, Debug, Default)]
struct Way {
    parent: usize,
    far: usize,
    depth: usize,
}

#[derive(Debug)]
pub(super) struct Units {
    pub list: Vec<Unit>,
    /// the unit of each live node
    pub of: Vec<Option<usize>>,
}

impl Units {
    fn new_unit(&mut self, role: Role, v: Var) -> usize {
        self.list.push(Unit { role, nodes: vec![v], ..Unit::default() });
        self.of[v.index()] = Some(self.list.len() - 1);
        self.list.len() - 1
    }

    /// Whether `from` needs the result of `to`, directly or not: looked for from both ends in turn, so that the side
    /// on which there is less decides.
    fn reaches(&self, from: usize, to: usize) -> bool {
        let rank = |u: usize| self.list[u].rank;
        let (mut up, mut down) = (vec![from], vec![to]);
        let (mut above, mut below) = (HashSet::new(), HashSet::new());
        while let (Some(u), Some(d)) = (up.pop(), down.pop()) {
            if u == to || d == from || self.is_on_way(u, to) || self.is_on_way(from, d) {
                return true;
            }
            if rank(u) > rank(to) {
                up.extend(self.list[u].deps.iter().filter(|dep| above.insert(**dep)));
            }
            if rank(d) < rank(from) {
                down.extend(self.list[d].users.iter().filter(|user| below.insert(**user)));
            }
        }
        false
    }

    /// Whether `to`, or what became a part of it, lies on the way up from `from`.
    fn is_on_way(&self, from: usize, to: usize) -> bool {
        let merged = self.list[to].merged.iter();
        [to].iter().chain(merged).any(|to| self.passes(from, *to))
    }

    fn passes(&self, from: usize, to: usize) -> bool {
        let depth = self.list[to].way.depth;
        let mut u = from;
        while self.list[u].way.depth > depth {
            let Way { parent, far, .. } = self.list[u].way;
            u = if self.list[far].way.depth >= depth { far } else { parent };
        }
        u == to
    }

    /// Finds the way of a unit that no other reads yet.
    fn find_way(&mut self, u: usize) {
        let Some(parent) = self.list[u].deps.iter().copied().max_by_key(|d| self.list[*d].rank) else {
            self.list[u].way = Way { parent: u, far: u, depth: 0 };
            return;
        };
        let up = self.list[parent].way;
        let further = self.list[up.far].way;
        // steps double where two of the same length lie behind one another, as in a skip list
        let even = up.depth - further.depth == further.depth - self.list[further.far].way.depth;
        self.list[u].way = Way { parent, far: if even { further.far } else { parent }, depth: up.depth + 1 };
    }

    fn add_deps(&mut self, graph: &Graph, u: usize, v: Var) {
        for i in &graph.node(v).inputs {
            if let Some(d) = self.of[i.index()].filter(|d| *d != u) {
                self.add_dep(u, d);
            }
        }
    }

    fn add_dep(&mut self, u: usize, d: usize) {
        if self.list[u].deps.contains(&d) {
            return;
        }
        self.list[u].deps.push(d);
        self.list[d].users.push(u);
        let mut raised = vec![(u, self.list[d].rank + 1)];
        while let Some((u, rank)) = raised.pop() {
            if self.list[u].rank < rank {
                self.list[u].rank = rank;
                raised.extend(self.list[u].users.iter().map(|user| (*user, rank + 1)));
            }
        }
    }
}

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

    fn product(&mut self, v: Var) -> usize {
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

    fn is_constant(&self, v: Var) -> bool {
        matches!(self.graph.node(v).op, Op::Constant(_))
    }

    /// The frame of a node that can be part of a program.
    fn frame(&self, v: Var) -> Option<Frame> {
        let node = self.graph.node(v);
        let frame_of = |v: Var, cols| Frame {
            residency: self.places.residency[v.index()],
            numel: self.places.extent(self.graph, v).count(),
            cols,
        };
        match &node.op {
            Op::Reduce(r) => {
                let x = node.inputs[0];
                let [_, mid, inner] = r.extents(self.graph.shape(x));
                match folds_row(self.graph, v) {
                    true => Some(frame_of(x, Some(mid))),
                    false => (r.start == 0).then(|| frame_of(x, Some(inner))),
                }
            }
            Op::Unary(_) | Op::Binary(_) | Op::Detach(_) | Op::Mask(_) | Op::OneHot(_) | Op::BatchNorm(_) => {
                let mut cols = match &node.op {
                    Op::Mask(_) | Op::OneHot(_) => Some(crate::ops::mask::columns(&node.shape)),
                    _ => None,
                };
                for i in &node.inputs {
                    let needed = if self.is_constant(*i) {
                        None
                    } else {
                        access(&node.shape, self.graph.shape(*i))?.1
                    };
                    match (cols, needed) {
                        (Some(a), Some(b)) if a != b => return None,
                        (None, some) => cols = some,
                        _ => {}
                    }
                }
                Some(frame_of(v, cols))
            }
            _ => None,
        }
    }

    /// Whether a node of this frame has one value a row of it.
    fn row_valued(&self, v: Var, frame: Frame) -> bool {
        is_row_valued(self.graph, self.places, v, frame)
    }

    fn grouped(&mut self, v: Var, frame: Frame) -> usize {
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

    fn merge(&mut self, home: usize, other: usize) {
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
        for v in &nodes {
            self.units.of[v.index()] = Some(home);
        }
        let moved = std::mem::take(&mut self.units.list[other]);
        // ways through it stay true: who needed it needs what it became a part of
        self.units.list[other].way = moved.way;
        self.units.list[home].merged.push(other);
        self.units.list[home].merged.extend(moved.merged);
        self.units.list[home].role = Role::Map(frame);
        self.units.list[home].nodes = nodes;
        self.units.list[home].deps.retain(|d| *d != other);
        for d in moved.deps.into_iter().filter(|d| *d != home) {
            self.units.add_dep(home, d);
        }
        for user in moved.users.into_iter().filter(|user| *user != home) {
            let deps = &mut self.units.list[user].deps;
            if deps.contains(&other) {
                deps.retain(|d| *d != other);
                self.units.add_dep(user, home);
            }
        }
    }
}

impl Default for Unit {
    fn default() -> Self {
        Unit {
            role: Role::View,
            nodes: vec![],
            deps: vec![],
            users: vec![],
            rank: 0,
            way: Way::default(),
            merged: vec![],
        }
    }
}

fn within_limits(graph: &Graph, nodes: &[Var]) -> bool {
    let mut reads: Vec<Var> =
        nodes.iter().flat_map(|n| graph.node(*n).inputs.clone()).filter(|i| !nodes.contains(i)).collect();
    reads.sort_unstable();
    reads.dedup();
    let folds = nodes.iter().filter(|n| matches!(&graph.node(**n).op, Op::Reduce(r) if r.start == 0)).count();
    reads.len() <= MAX_OPERANDS && folds <= MAX_PARTS && nodes.len() <= MAX_NODES
}

/// Whether a reduction runs along the rows of its frame, rather than down its columns.
pub(super) fn folds_row(graph: &Graph, v: Var) -> bool {
    let node = graph.node(v);
    let Op::Reduce(r) = &node.op else { return false };
    let [_, mid, inner] = r.extents(graph.shape(node.inputs[0]));
    r.start > 0 && inner == 1 && mid > 1
}

/// Whether a reduction in a program goes down the columns of its frame.
fn folds_columns(graph: &Graph, v: Var) -> bool {
    matches!(graph.node(v).op, Op::Reduce(_)) && !folds_row(graph, v)
}

/// Whether a node in a program of this frame has one value a row.
pub(super) fn is_row_valued(graph: &Graph, places: &Places, v: Var, frame: Frame) -> bool {
    let Some(cols) = frame.cols.filter(|c| *c > 1) else { return false };
    places.residency[v.index()] == frame.residency
        && places.extent(graph, v).count() * cols == frame.numel
        && frame.numel > 0
}
