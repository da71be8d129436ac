//! Units become steps: first the sequence with its meetings, then memory, then the steps themselves.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::emit::Emit;
use super::fuse::{Followers, Frame, Role, Units, folds_row, is_row_valued};
use super::layout::{Prepared, Stored};
use super::loops::Loop;
use super::place::{Place, Places};
use super::{
    Extent, Factor, Finish, Join, Kernel, Loc, Part, Partial, Plan, PlanOptions, Span, Step, Tail, Wanted,
};
use crate::error::GraphError;
use crate::graph::{Graph, Var};
use crate::ops::Op;
use crate::ops::binary::access;
use crate::ops::conv::Geometry;
use kernels::map::{Access, Program, Src};

/// An entry of the sequence, before memory is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Entry {
    Feed(Var),
    Fill(Var),
    Copy(Var),
    Unit(usize),
    /// the weights of a unit's convolution
    Prepare(usize),
    Meet,
    Combine(Var),
}

pub(super) struct Lower<'a> {
    pub graph: &'a Graph,
    pub places: &'a Places,
    pub units: &'a Units,
    pub options: PlanOptions,
    pub partials: HashMap<Var, Partial>,
    segments: Vec<usize>,
    /// where values lie in the arena
    pub offsets: HashMap<Stored, Loc>,
}

pub(super) fn lower(
    graph: &Graph,
    wanted: &Wanted,
    places: &Places,
    units: &Units,
    options: PlanOptions,
) -> Result<Plan, GraphError> {
    let mut low = Lower {
        graph,
        places,
        units,
        options,
        partials: HashMap::new(),
        segments: vec![0],
        offsets: HashMap::new(),
    };
    let sequence = low.sequence(wanted);
    let sequence = low.shared_first(sequence);
    let entry_loops = low.loops(&sequence);
    let arena_len = low.lay_out(&sequence, &entry_loops, wanted);
    let mut steps: Vec<Step> = Vec::new();
    let mut loops: Vec<Loop> = Vec::new();
    for Loop { steps: entries, chunk } in entry_loops {
        let start = steps.len();
        steps.extend(sequence[entries].iter().flat_map(|entry| low.steps(*entry)));
        loops.push(Loop { steps: start..steps.len(), chunk });
    }
    let assigns = graph.assigns.iter().filter(|_| wanted.assigns);
    let assigns = assigns.map(|(b, v)| (graph.buffers.slots[*b].range(), low.kept_span(*v))).collect();
    let finish = wanted.gradients.iter().map(|v| low.finish(*v)).collect();
    let outputs = wanted.outputs.iter().map(|v| low.kept_span(*v)).collect();
    let mut plan = Plan {
        options,
        steps,
        loops,
        finish,
        outputs,
        assigns,
        arena_len,
        segments: low.segments,
        scratch_len: 0,
        params: graph.params.clone(),
        buffers: graph.buffers.clone(),
        inputs: graph.inputs.clone(),
    };
    plan.scratch_len = plan.most_scratch();
    Ok(plan)
}

impl Lower<'_> {
    /// The value whose memory `v` is a view of, and where in it `v` starts.
    pub fn root(&self, v: Var) -> (Var, usize) {
        let node = self.graph.node(v);
        match &node.op {
            Op::Reshape(_) => self.root(node.inputs[0]),
            Op::Slice(s) if s.axis == 0 => {
                let (root, offset) = self.root(node.inputs[0]);
                (root, offset + s.start * node.shape.stride(0))
            }
            _ => (v, 0),
        }
    }

    /// Whether a node is made per shard and joined afterwards.
    fn is_shared(&self, v: Var) -> bool {
        let node = self.graph.node(v);
        let over_rows = node.inputs.iter().any(|i| self.places.is_rows(*i)) && !self.places.is_rows(v);
        over_rows && !self.is_finished_later(v) && !matches!(node.op, Op::Mask(_))
    }

    /// What is read joined after the steps: by an output, a buffer, or a gradient that is not joined element by
    /// element.
    fn read_joined(&self, wanted: &Wanted) -> HashSet<Var> {
        let as_whole = |v: Var| {
            let root = self.root(v).0;
            match self.graph.node(root).op {
                Op::Moments(_) => true,
                Op::ConvWeight(_) => self.graph.shape(v).numel() != self.graph.shape(root).numel(),
                _ => false,
            }
        };
        let gradients = wanted.gradients.iter().copied().filter(|v| as_whole(*v));
        wanted.read(self.graph).chain(gradients).map(|v| self.root(v).0).collect()
    }

    fn reads_through_views(&self, v: Var) -> bool {
        self.places.users[v.index()].iter().any(|u| {
            let user = Var(*u as u32);
            if self.root(user).0 == user { true } else { self.reads_through_views(user) }
        })
    }

    fn sequence(&mut self, wanted: &Wanted) -> Vec<Entry> {
        let shared: Vec<bool> =
            self.graph.vars().map(|v| self.places.live[v.index()] && self.is_shared(v)).collect();
        let read = self.read_joined(wanted);
        let needs_joining = |v: Var| read.contains(&v) || self.reads_through_views(v);
        let joined: Vec<bool> = self.graph.vars().map(|v| shared[v.index()] && needs_joining(v)).collect();
        let order = super::schedule::order(self.units, |u| {
            self.units.list[u].nodes.iter().any(|v| joined[v.index()])
        });
        let live = self.graph.vars().filter(|v| self.places.live[v.index()]).collect::<Vec<_>>();
        let mut sequence: Vec<Entry> = Vec::new();
        for v in &live {
            match self.graph.node(*v).op {
                Op::Input(_) => sequence.push(Entry::Feed(*v)),
                Op::Constant(_) if self.constant_is_read(*v) => sequence.push(Entry::Fill(*v)),
                _ => {}
            }
        }
        let mut kept: Vec<Var> = wanted.read(self.graph).chain(wanted.gradients.iter().copied()).collect();
        kept.retain(|v| self.needs_copy(*v));
        kept.sort_unstable();
        kept.dedup();
        sequence.extend(kept.into_iter().map(Entry::Copy));
        let mut pending: BTreeSet<Var> = BTreeSet::new();
        let mut made: Vec<Var> = Vec::new();
        for u in order {
            let unit = &self.units.list[u];
            if unit.role == Role::Finish {
                continue;
            }
            let reads = self.reads_of(u);
            if reads.iter().any(|v| pending.contains(v)) {
                pending.clear();
                self.meet(&mut sequence, &mut made);
            }
            if self.prepared(u).is_some() {
                sequence.push(Entry::Prepare(u));
            }
            sequence.push(Entry::Unit(u));
            for v in unit.nodes.iter().filter(|v| shared[v.index()]) {
                let segment = self.segments.len() - 1;
                let len = match &self.graph.node(*v).op {
                    Op::ConvWeight(c) => c.0.sums_len(),
                    _ => self.graph.shape(*v).numel(),
                };
                self.partials.insert(*v, Partial { segment, offset: self.segments[segment], len });
                self.segments[segment] += len;
                if joined[v.index()] {
                    pending.insert(*v);
                    made.push(*v);
                }
            }
        }
        if !made.is_empty() {
            self.meet(&mut sequence, &mut made);
        }
        sequence
    }

    fn meet(&mut self, sequence: &mut Vec<Entry>, made: &mut Vec<Var>) {
        sequence.push(Entry::Meet);
        sequence.extend(made.drain(..).map(Entry::Combine));
        self.segments.push(0);
    }

    /// Constants are part of programs; other steps need them in memory.
    fn constant_is_read(&self, v: Var) -> bool {
        self.places.users[v.index()].iter().any(|u| {
            let user = Var(*u as u32);
            match self.units.of[*u].map(|u| &self.units.list[u].role) {
                Some(Role::View) => self.constant_is_read(user),
                Some(Role::Map(_)) | None => false,
                Some(_) => true,
            }
        })
    }

    /// The values that a unit reads from memory.
    pub fn reads_of(&self, u: usize) -> Vec<Var> {
        let unit = &self.units.list[u];
        let inputs = unit.nodes.iter().flat_map(|n| &self.graph.node(*n).inputs);
        inputs.filter(|i| self.units.of[i.index()] != Some(u)).map(|i| self.root(*i).0).collect()
    }

    /// The nodes of a unit that are stored in the arena.
    pub fn writes_of(&self, u: usize) -> Vec<Var> {
        let unit = &self.units.list[u];
        match unit.role {
            Role::Product(_) => vec![unit.nodes[unit.nodes.len() - 1]],
            _ => unit.nodes.iter().copied().filter(|v| self.is_stored(*v, u)).collect(),
        }
    }

    fn is_stored(&self, v: Var, u: usize) -> bool {
        let read = self.places.users[v.index()].iter().any(|user| self.units.of[*user] != Some(u));
        !self.partials.contains_key(&v) && (read || self.places.kept[v.index()])
    }

    fn join(&self, v: Var) -> Join {
        match &self.graph.node(v).op {
            Op::Moments(_) => {
                let x = self.graph.node(v).inputs[0];
                let channels = self.graph.shape(x).last_dim().max(1);
                Join::Moments(self.places.extent(self.graph, x).count() / channels)
            }
            Op::Reduce(r) => Join::Fold(r.fold),
            Op::ConvWeight(c) => Join::ConvSums(c.0),
            _ => Join::Fold(kernels::map::Fold::Sum),
        }
    }

    fn finish(&self, v: Var) -> Finish {
        let (root, start) = self.root(v);
        let node = self.graph.node(root);
        let later = self.is_finished_later(root);
        match &node.op {
            Op::ConvWeight(c) if later => {
                Finish::Conv { conv: c.0, x: self.span(node.inputs[0]), dy: self.span(node.inputs[1]) }
            }
            Op::MatMul(_) if later => {
                let [a, b] = [node.inputs[0], node.inputs[1]];
                let (m, n) = (node.shape[0], node.shape[1]);
                let rows = self.places.extent(self.graph, a).count() / m.max(1);
                Finish::Gemm { m, n, rows, a: self.span(a), b: self.span(b) }
            }
            _ => {
                match self.partials.get(&root).filter(|_| !self.offsets.contains_key(&Stored::Value(root))) {
                    Some(from) => Finish::Shards { join: self.join(root), from: *from, start },
                    None => Finish::Ready(self.kept_span(v)),
                }
            }
        }
    }

    fn steps(&self, entry: Entry) -> Vec<Step> {
        let one = |kernel, v: Var| {
            vec![Step { kernel, nodes: vec![v], layer: self.graph.node(v).layer.to_string() }]
        };
        match entry {
            Entry::Meet => vec![Step { kernel: Kernel::Meet, nodes: vec![], layer: String::new() }],
            Entry::Feed(v) => match &self.graph.node(v).op {
                Op::Input(i) => one(Kernel::Feed { input: i.index, out: self.span(v) }, v),
                _ => vec![],
            },
            Entry::Fill(v) => match &self.graph.node(v).op {
                Op::Constant(c) => one(Kernel::Fill { value: c.value, out: self.span(v) }, v),
                _ => vec![],
            },
            Entry::Copy(v) => {
                let (sizes, strides) = (vec![self.graph.shape(v).numel()], vec![1]);
                let (x, out) = (self.span(v), self.kept_span(v));
                one(Kernel::Copy { sizes, batched: false, strides, start: 0, x, out }, v)
            }
            Entry::Prepare(u) => {
                let prepared = self.prepared(u).into_iter();
                let step = |p: Prepared| {
                    let (w, out) = (self.span(p.weight), self.prepared_span(u, p));
                    let kernel = Kernel::Prepare { conv: p.conv, direction: p.direction, w, out };
                    Step {
                        kernel,
                        nodes: vec![],
                        layer: self.graph.node(self.units.list[u].nodes[0]).layer.to_string(),
                    }
                };
                prepared.map(step).collect()
            }
            Entry::Combine(v) => {
                one(Kernel::Combine { join: self.join(v), from: self.partials[&v], out: self.span(v) }, v)
            }
            Entry::Unit(u) => {
                let unit = &self.units.list[u];
                let kernels = match unit.role {
                    Role::Map(frame) => vec![self.map(u, frame)],
                    Role::Product(followers) => vec![self.product(u, followers)],
                    _ => self.single(unit.nodes[0]),
                };
                let last = unit.nodes[unit.nodes.len() - 1];
                let layer = self.graph.node(last).layer.to_string();
                let step = |kernel| Step { kernel, nodes: unit.nodes.clone(), layer: layer.clone() };
                kernels.into_iter().map(step).collect()
            }
        }
    }

    fn product(&self, u: usize, followers: Followers) -> Kernel {
        let nodes = &self.units.list[u].nodes;
        let node = self.graph.node(nodes[0]);
        let [a, b] = [node.inputs[0], node.inputs[1]];
        let tail = Tail {
            bias: followers.bias.map(|v| self.span(v)),
            relu: followers.relu,
            gate: followers.gate.map(|v| self.span(v)),
        };
        let first = node.shape[0];
        let images = match self.places.is_rows(nodes[0]) {
            true => Extent::PerRow(first / self.places.batch.max(1)),
            false => Extent::Fixed(first),
        };
        let [x, w, out] = [a, b, nodes[nodes.len() - 1]].map(|v| self.span(v));
        let w = self.prepared(u).map_or(w, |p| self.prepared_span(u, p));
        let op = match &node.op {
            Op::Conv(c) => return Kernel::Conv { conv: c.0, images, x, w, out, tail },
            Op::ConvInput(c) => return Kernel::ConvInput { conv: c.0, images, x, w, out, tail },
            Op::MatMul(op) => op,
            op => unreachable!("{} is no product", op.get().name()),
        };
        let sizes = op.extents(self.graph.shape(a), self.graph.shape(b));
        let rows = self.places.extent(self.graph, nodes[0]);
        let (a_row, a_col) = if op.ta { (1, sizes.m) } else { (sizes.k, 1) };
        let (b_row, b_col) = if op.tb { (1, sizes.k) } else { (sizes.n, 1) };
        let m = if self.places.is_rows(nodes[0]) { sizes.m / self.places.batch.max(1) } else { sizes.m };
        Kernel::Gemm {
            m: rows.with(m),
            n: sizes.n,
            k: sizes.k,
            a: Factor { span: x, row_stride: a_row, col_stride: a_col },
            b: Factor { span: w, row_stride: b_row, col_stride: b_col },
            out,
            tail,
        }
    }

    fn map(&self, u: usize, frame: Frame) -> Kernel {
        let nodes = &self.units.list[u].nodes;
        let cols =
            frame.cols.unwrap_or_else(|| crate::ops::mask::columns(self.graph.shape(nodes[nodes.len() - 1])));
        let rows = frame.numel.checked_div(cols).unwrap_or(0);
        let unit = Extent::Fixed(0);
        let rows = if frame.place == Place::Rows { Extent::PerRow(rows) } else { unit.with(rows) };
        let mut writer = MapWriter {
            low: self,
            u,
            frame,
            emit: Emit::default(),
            values: HashMap::new(),
            operands: vec![],
            outs: vec![],
            parts: vec![],
        };
        nodes.iter().for_each(|v| writer.node(*v));
        let MapWriter { emit, operands, outs, parts, .. } = writer;
        let program = Program::new(
            emit.finish(),
            operands.iter().map(|(_, access)| *access).collect(),
            outs.iter().map(|(_, access)| *access).collect(),
            parts.len(),
        );
        Kernel::Map {
            program,
            rows,
            cols,
            operands: operands
                .into_iter()
                .map(|(v, access)| (self.operand(v, access, frame), access))
                .collect(),
            outs: outs.into_iter().map(|(v, _)| self.span(v)).collect(),
            parts,
        }
    }

    /// Where a program reads a value.
    fn operand(&self, v: Var, access: Access, frame: Frame) -> Span {
        let by_row = matches!(access, Access::Full | Access::Row) && frame.place == Place::Rows;
        if by_row { self.rows_of(v) } else { self.span(v) }
    }

    /// Where the result of a reduction goes: to the shards, or into memory where there are no rows.
    fn part(&self, v: Var) -> Part {
        self.partials.get(&v).map_or_else(|| Part::Whole(self.span(v)), |p| Part::Shards(*p))
    }

    fn single(&self, v: Var) -> Vec<Kernel> {
        let node = self.graph.node(v);
        let out = self.span(v);
        let shape_in = self.graph.shape(node.inputs[0]);
        let over_rows = node.inputs.iter().any(|i| self.places.is_rows(*i));
        let read = |v: Var| if over_rows { self.rows_of(v) } else { self.span(v) };
        let x = match &node.op {
            Op::Gather(_) => self.span(node.inputs[0]),
            // repeated for all rows
            Op::Broadcast(_)
                if shape_in.len() < node.shape.len() || shape_in.first() != node.shape.first() =>
            {
                self.span(node.inputs[0])
            }
            _ => read(node.inputs[0]),
        };
        // elements before an axis, in the unit of the result
        let before = |axis: usize| {
            let n: usize = node.shape[..axis].iter().product();
            out.len.with(if self.places.is_rows(v) { n / self.places.batch.max(1) } else { n })
        };
        let copy = |strides: Vec<usize>, start: usize| {
            let batched = self.places.is_rows(v);
            let mut sizes = node.shape.to_vec();
            if batched {
                sizes[0] /= self.places.batch.max(1);
            }
            vec![Kernel::Copy { sizes, batched, strides, start, x, out }]
        };
        let strides_in: Vec<usize> = (0..shape_in.len()).map(|a| shape_in.stride(a)).collect();
        match &node.op {
            Op::MatMul(_) => {
                let (m, n) = (node.shape[0], node.shape[1]);
                let rows = x.len.count() / m.max(1);
                vec![Kernel::GemmPartial {
                    m,
                    n,
                    rows,
                    a: x,
                    b: read(node.inputs[1]),
                    out: self.partials[&v],
                }]
            }
            Op::ConvWeight(c) => {
                vec![Kernel::ConvPartial { conv: c.0, x, dy: read(node.inputs[1]), out: self.part(v) }]
            }
            Op::Reduce(r) => {
                let [_, mid, inner] = r.extents(shape_in);
                vec![Kernel::Fold { fold: r.fold, outer: before(r.start), mid, inner, x, out }]
            }
            Op::Moments(_) => {
                let whole_shards = self.joins_whole_shards(v);
                let (rows, channels) = (self.moment_rows(v), shape_in.last_dim());
                vec![Kernel::Moments { rows, channels, whole_shards, x, out: self.part(v) }]
            }
            Op::Broadcast(_) => {
                let lead = node.shape.len() - shape_in.len();
                let stride = |a: usize| match a.checked_sub(lead) {
                    Some(own) if shape_in[own] > 1 => strides_in[own],
                    _ => 0,
                };
                copy((0..node.shape.len()).map(stride).collect(), 0)
            }
            Op::Transpose(t) => copy(t.order.iter().map(|a| strides_in[*a]).collect(), 0),
            Op::Slice(s) => copy(strides_in.clone(), s.start * strides_in[s.axis]),
            Op::Concat(c) => {
                let width = node.shape[c.axis..].iter().product();
                let mut start = 0;
                let place = |i: &Var| {
                    let inner = self.graph.shape(*i)[c.axis..].iter().product();
                    start += inner;
                    Kernel::Place {
                        outer: before(c.axis),
                        inner,
                        out_stride: width,
                        out_start: start - inner,
                        zero: false,
                        x: read(*i),
                        out,
                    }
                };
                node.inputs.iter().map(place).collect()
            }
            Op::Pad(p) => {
                let inner = shape_in[p.axis..].iter().product();
                let (width, start) =
                    (node.shape[p.axis..].iter().product(), p.before * node.shape.stride(p.axis));
                vec![Kernel::Place {
                    outer: before(p.axis),
                    inner,
                    out_stride: width,
                    out_start: start,
                    zero: true,
                    x,
                    out,
                }]
            }
            Op::Gather(_) => {
                let index = self.span(node.inputs[1]);
                vec![Kernel::Gather { rows: shape_in[0], width: shape_in[1], table: x, index, out }]
            }
            Op::Scatter(s) => {
                let dy = read(node.inputs[1]);
                vec![Kernel::ScatterPartial {
                    rows: s.rows,
                    width: node.shape[1],
                    index: x,
                    x: dy,
                    out: self.part(v),
                }]
            }
            Op::MaxPick(p) => {
                let (channels, v) = (shape_in.last_dim(), read(node.inputs[1]));
                vec![Kernel::MaxPick { window: p.window, channels, x, v, out }]
            }
            Op::MaxSpread(p) => {
                let (channels, dy) = (shape_in.last_dim(), read(node.inputs[1]));
                vec![Kernel::MaxSpread { window: p.window, channels, x, dy, out }]
            }
            Op::Resample(r) => {
                let (rows, columns) = (r.rows.lowered(), r.columns.lowered());
                vec![Kernel::Resample { rows, columns, channels: shape_in.last_dim(), x, out }]
            }
            _ => unreachable!("{} is never a step of its own", node.op.get().name()),
        }
    }
}

/// Writes one program.
struct MapWriter<'l, 'a> {
    low: &'l Lower<'a>,
    u: usize,
    frame: Frame,
    emit: Emit,
    values: HashMap<Var, Src>,
    operands: Vec<(Var, Access)>,
    outs: Vec<(Var, Access)>,
    parts: Vec<Part>,
}

impl MapWriter<'_, '_> {
    fn row_valued(&self, v: Var) -> bool {
        is_row_valued(self.low.graph, self.low.places, v, self.frame)
    }

    fn node(&mut self, v: Var) {
        let node = self.low.graph.node(v);
        if let Op::Reduce(r) = &node.op {
            let a = self.source(node.inputs[0], Access::Full);
            if folds_row(self.low.graph, v) {
                let value = self.emit.row_fold(r.fold, a);
                self.values.insert(v, value);
                self.store(v, Access::Row);
            } else {
                self.emit.col_fold(r.fold, self.parts.len(), a);
                self.parts.push(self.low.part(v));
            }
            return;
        }
        let row = self.row_valued(v);
        let args: Vec<Src> = node.inputs.iter().map(|i| self.source(*i, self.access(v, *i, row))).collect();
        self.emit.row_valued = row;
        let Some(value) = node.op.get().emit(&mut self.emit, &args) else {
            unreachable!("{} has no element-wise form", node.op.get().name())
        };
        self.values.insert(v, value);
        self.store(v, if row { Access::Row } else { Access::Full });
    }

    fn access(&self, v: Var, input: Var, row: bool) -> Access {
        let (shape, from) = (&self.low.graph.node(v).shape, self.low.graph.shape(input));
        match access(shape, from).map(|(access, _)| access) {
            Some(Access::Full) if row => Access::Row,
            Some(access) => access,
            None => Access::Row, // the column of labels behind a one-hot row
        }
    }

    fn source(&mut self, v: Var, access: Access) -> Src {
        if let Some(value) = self.values.get(&v) {
            return *value;
        }
        let low = self.low;
        if let Op::Constant(c) = &low.graph.node(low.root(v).0).op {
            return Src::Imm(c.value);
        }
        let known = self.operands.iter().position(|o| *o == (v, access));
        let index = known.unwrap_or_else(|| {
            self.operands.push((v, access));
            self.operands.len() - 1
        });
        Src::Operand(index as u8)
    }

    fn store(&mut self, v: Var, access: Access) {
        if self.low.is_stored(v, self.u) {
            self.emit.store(self.outs.len(), self.values[&v]);
            self.outs.push((v, access));
        }
    }
}

/// Images in so many floats.
pub(crate) fn images_of(conv: &Geometry, floats: usize) -> usize {
    floats.checked_div(conv.input.iter().product()).unwrap_or(0)
}

/// Floats for the sums of a convolution's weight gradient, in whole cache lines.
pub(crate) fn padded_sums(conv: &Geometry) -> usize {
    conv.sums_len().next_multiple_of(16)
}

impl Plan {
    fn most_scratch(&self) -> usize {
        let rows = self.options.max_over_workers(|w| self.options.worker_rows(w).len());
        let gemm = kernels::gemm::scratch_len;
        let step = |s: &Step| match &s.kernel {
            Kernel::Gemm { m, n, k, .. } => gemm(m.of(rows), *n, *k),
            Kernel::GemmPartial { m, n, rows: each, .. } => gemm(*m, *n, each * rows),
            Kernel::Conv { conv, images, .. } | Kernel::ConvInput { conv, images, .. } => {
                conv.scratch_len(images.of(rows))
            }
            Kernel::Prepare { conv, .. } => conv.scratch_len(1),
            Kernel::Combine { join: Join::ConvSums(_), from, .. } => from.len,
            Kernel::ConvPartial { conv, x, out: Part::Shards(_), .. } => {
                conv.scratch_len(images_of(conv, x.len.of(rows)))
            }
            Kernel::ConvPartial { conv, x, .. } => {
                padded_sums(conv) + conv.scratch_len(images_of(conv, x.len.count()))
            }
            Kernel::Map { program, cols, .. } => program.scratch_len(*cols),
            Kernel::Moments { channels, .. } => *channels,
            Kernel::Resample { columns, channels, .. } => kernels::resample::scratch_len(columns, *channels),
            _ => 0,
        };
        let finish = |f: &Finish| match f {
            Finish::Gemm { m, n, rows, .. } => gemm(*m, *n, rows * self.options.batch),
            Finish::Conv { conv, x, .. } => {
                conv.block_scratch_len(images_of(conv, x.len.of(self.options.batch)))
            }
            Finish::Shards { join: Join::ConvSums(_), from, .. } => from.len,
            _ => 0,
        };
        self.steps.iter().map(step).chain(self.finish.iter().map(finish)).max().unwrap_or(0)
    }
}
