//! Where values lie: which entries of the sequence form loops, how long values live in them, and their places.

use std::collections::HashMap;

use super::fuse::Role;
use super::loops::{self, Loop, Room, Touched};
use super::lower::{Entry, Lower};
use super::memory::{Lifetime, assign};
use super::{Direction, Extent, Loc, Span, Wanted};
use crate::graph::Var;
use crate::ops::Op;
use crate::ops::conv::Geometry;

/// What has a place in the arena.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Stored {
    /// a value of the graph
    Value(Var),
    /// the weights of a unit's convolution, prepared
    Weights(usize),
    /// a copy of a value that lies in the parameters or buffers, as it was before they change
    Copy(Var),
}

/// A convolution's weights as a direction wants them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Prepared {
    pub conv: Geometry,
    pub direction: Direction,
    pub weight: Var,
}

/// From which entry to which a value lives, and in which loops these are.
#[derive(Clone, Copy, Debug)]
struct Life {
    first: usize,
    last: usize,
    first_loop: usize,
    last_loop: usize,
    chunked: bool,
}

impl Life {
    /// Whether it lives within the chunks of one loop.
    fn is_local(self) -> bool {
        self.chunked && self.first_loop == self.last_loop
    }

    /// First and last entry, where a loop over chunks lives as a whole.
    fn widened(self, loops: &[Loop]) -> [usize; 2] {
        let whole = |l: usize| loops.get(l).filter(|l| l.chunk.is_some()).map(|l| &l.steps);
        let first = whole(self.first_loop).map_or(self.first, |steps| steps.start);
        let last = whole(self.last_loop).map_or(self.last, |steps| steps.end - 1);
        [first, last]
    }
}

impl Lower<'_> {
    /// Between two meetings, what is the same for all rows comes first: it needs nothing that rows make there.
    pub fn shared_first(&self, sequence: Vec<Entry>) -> Vec<Entry> {
        let stretches = sequence.split_inclusive(|e| *e == Entry::Meet);
        let ordered = stretches.flat_map(|stretch| {
            let (rows, shared): (Vec<Entry>, Vec<Entry>) =
                stretch.iter().partition(|e| **e == Entry::Meet || self.touched(**e).rows);
            shared.into_iter().chain(rows)
        });
        ordered.collect()
    }

    pub fn loops(&self, sequence: &[Entry]) -> Vec<Loop> {
        let o = &self.options;
        let room =
            Room { cache_bytes: o.cache_bytes, shard: o.most_shard_rows(), worker: o.most_worker_rows() };
        let mut found = Vec::new();
        let mut at = 0;
        for stretch in sequence.split_inclusive(|e| *e == Entry::Meet) {
            let (meet, body) = match stretch.split_last() {
                Some((Entry::Meet, body)) => (true, body),
                _ => (false, stretch),
            };
            let touched: Vec<Touched> = body.iter().map(|e| self.touched(*e)).collect();
            found.extend(loops::cut(&touched, at, room));
            at += stretch.len();
            if meet {
                found.push(Loop { steps: at - 1..at, chunk: None });
            }
        }
        found
    }

    /// What an entry reads and writes.
    fn touched(&self, entry: Entry) -> Touched {
        let nodes = match entry {
            Entry::Unit(u) => &self.units.list[u].nodes[..],
            _ => &[],
        };
        let mut touched =
            Touched { whole_shard: nodes.iter().any(|v| self.takes_whole_shards(*v)), ..Touched::default() };
        let (reads, writes) = self.reads_and_writes(entry);
        for v in reads.into_iter().chain(writes) {
            match (v, self.extent(v)) {
                (Stored::Value(v), Extent::PerRow(n)) => touched.values.push((v.index(), 4 * n)),
                (Stored::Value(_) | Stored::Copy(_), Extent::Fixed(n)) => touched.weights += 4 * n,
                // counted by the weights that they are made of
                _ => {}
            }
        }
        touched.weights +=
            nodes.iter().filter_map(|v| self.partials.get(v)).map(|p| 4 * p.len).sum::<usize>();
        touched.rows = !touched.values.is_empty();
        touched
    }

    /// Whether a node needs whole shards at a time.
    fn takes_whole_shards(&self, v: Var) -> bool {
        let node = self.graph.node(v);
        let first = node.inputs.first();
        first.is_some_and(|x| {
            node.op.get().takes_whole_shards(self.places.extent(self.graph, *x), self.graph.shape(*x))
        })
    }

    /// Gives every value its place; the length of the arena.
    pub fn lay_out(&mut self, sequence: &[Entry], loops: &[Loop], wanted: &Wanted) -> usize {
        let lives = self.lives(sequence, loops, wanted);
        let rows = self.options.most_worker_rows();
        let mut vars: Vec<Stored> = lives.keys().copied().collect();
        vars.sort_unstable();
        let (locals, globals): (Vec<Stored>, Vec<Stored>) = vars
            .into_iter()
            .partition(|v| lives[v].is_local() && matches!(self.extent(*v), Extent::PerRow(_)));
        let mut lifetimes: Vec<Lifetime> = globals
            .iter()
            .map(|v| {
                let [first, last] = lives[v].widened(loops);
                Lifetime { len: self.extent(*v).of(rows), first, last }
            })
            .collect();
        // the values of one loop share a place among those that live longer
        let mut inner: Vec<(Vec<Stored>, Vec<usize>)> = Vec::new();
        let mut of_loop: Vec<Vec<Stored>> = vec![vec![]; loops.len()];
        locals.into_iter().for_each(|v| of_loop[lives[&v].first_loop].push(v));
        for (at, own) in loops.iter().zip(of_loop) {
            let chunk = at.chunk.unwrap_or(0);
            let lifetime = |v: &Stored| Lifetime {
                len: self.extent(*v).of(chunk),
                first: lives[v].first,
                last: lives[v].last,
            };
            let (offsets, len) = assign(&own.iter().map(lifetime).collect::<Vec<_>>());
            lifetimes.push(Lifetime { len, first: at.steps.start, last: at.steps.end.max(1) - 1 });
            inner.push((own, offsets));
        }
        let (offsets, total) = assign(&lifetimes);
        let (of_globals, of_loops) = offsets.split_at(globals.len());
        self.offsets = globals.into_iter().zip(of_globals.iter().map(|o| Loc::Arena(*o))).collect();
        for ((own, offsets), base) in inner.into_iter().zip(of_loops) {
            self.offsets.extend(own.into_iter().zip(offsets.into_iter().map(|o| Loc::Chunk(base + o))));
        }
        total
    }

    /// From which entry to which each value lives.
    fn lives(&self, sequence: &[Entry], loops: &[Loop], wanted: &Wanted) -> HashMap<Stored, Life> {
        let mut lives: HashMap<Stored, Life> = HashMap::new();
        for (l, each) in loops.iter().enumerate() {
            for at in each.steps.clone() {
                let (reads, writes) = self.reads_and_writes(sequence[at]);
                let born =
                    Life { first: at, last: at, first_loop: l, last_loop: l, chunked: each.chunk.is_some() };
                writes.into_iter().for_each(|v| _ = lives.entry(v).or_insert(born));
                reads.iter().for_each(|v| {
                    _ = lives.entry(*v).and_modify(|life| (life.last, life.last_loop) = (at, l))
                });
            }
        }
        let mut kept: Vec<Var> = wanted.read(self.graph).collect();
        for v in &wanted.gradients {
            kept.push(*v);
            if self.is_finished_later(self.root(*v).0) {
                kept.extend(&self.graph.node(*v).inputs);
            }
        }
        for v in kept {
            let end = |life: &mut Life| (life.last, life.last_loop) = (sequence.len(), loops.len());
            lives.entry(Stored::Value(self.root(v).0)).and_modify(end);
            lives.entry(Stored::Copy(v)).and_modify(end);
        }
        lives
    }

    /// Whether a gradient is completed after the steps, from its factors.
    pub fn is_finished_later(&self, root: Var) -> bool {
        self.units.of[root.index()].is_some_and(|u| self.units.list[u].role == Role::Finish)
    }

    /// Where a value is, seen through views.
    pub fn span(&self, v: Var) -> Span {
        let (root, start) = self.root(v);
        let len = self.places.extent(self.graph, v);
        let loc = match &self.graph.node(root).op {
            Op::Param(p) => Loc::Param(self.graph.params.slots[p.index].offset + start),
            Op::Buffer(b) => Loc::Buffer(self.graph.buffers.slots[b.index].offset + start),
            Op::Tangent(t) => Loc::Tangent(self.graph.params.slots[t.index].offset + start),
            Op::Constant(c) => {
                self.offsets.get(&Stored::Value(root)).map_or(Loc::Const(c.value), |loc| loc.plus(start))
            }
            _ => self.offsets.get(&Stored::Value(root)).map_or(Loc::Arena(usize::MAX), |loc| loc.plus(start)),
        };
        Span { loc, len }
    }

    /// Where a value is for a reader that takes it row by row of the batch: of one that is the same for all workers,
    /// each reads the part of its own rows.
    pub fn rows_of(&self, v: Var) -> Span {
        let span = self.span(v);
        let each = |n: usize| Extent::OfBatch(n / self.places.batch.max(1));
        if self.places.is_rows(v) { span } else { Span { len: each(span.len.count()), ..span } }
    }

    /// Whether a value lies in the parameters or buffers, which change before it is read after the steps.
    pub fn needs_copy(&self, v: Var) -> bool {
        matches!(self.graph.node(self.root(v).0).op, Op::Param(_) | Op::Buffer(_) | Op::Tangent(_))
    }

    /// Where a value is for those who read it after the steps.
    pub fn kept_span(&self, v: Var) -> Span {
        let span = self.span(v);
        Span { loc: self.offsets.get(&Stored::Copy(v)).copied().unwrap_or(span.loc), ..span }
    }

    /// What a unit's convolution must have prepared, where it must.
    pub fn prepared(&self, u: usize) -> Option<Prepared> {
        let node = self.graph.node(self.units.list[u].nodes[0]);
        let (conv, direction) = node.op.get().prepares()?;
        (conv.prepared_len(direction) > 0).then(|| Prepared { conv, direction, weight: node.inputs[1] })
    }

    /// Where the weights of a unit's convolution lie.
    pub fn prepared_span(&self, u: usize, prepared: Prepared) -> Span {
        let len = Extent::Fixed(prepared.conv.prepared_len(prepared.direction));
        Span { loc: self.offsets.get(&Stored::Weights(u)).copied().unwrap_or(Loc::Arena(usize::MAX)), len }
    }

    fn extent(&self, v: Stored) -> Extent {
        match v {
            Stored::Value(v) | Stored::Copy(v) => self.places.extent(self.graph, v),
            Stored::Weights(u) => {
                Extent::Fixed(self.prepared(u).map_or(0, |p| p.conv.prepared_len(p.direction)))
            }
        }
    }

    fn reads_and_writes(&self, entry: Entry) -> (Vec<Stored>, Vec<Stored>) {
        let values = |v: Vec<Var>| v.into_iter().map(Stored::Value).collect::<Vec<_>>();
        match entry {
            Entry::Meet => (vec![], vec![]),
            Entry::Feed(v) | Entry::Fill(v) | Entry::Combine(v) => (vec![], vec![Stored::Value(v)]),
            Entry::Copy(v) => (vec![], vec![Stored::Copy(v)]),
            Entry::Prepare(u) => {
                let weight = self.prepared(u).map(|p| Stored::Value(self.root(p.weight).0));
                (weight.into_iter().collect(), vec![Stored::Weights(u)])
            }
            Entry::Unit(u) => {
                let mut reads = values(self.reads_of(u));
                reads.extend(self.prepared(u).map(|_| Stored::Weights(u)));
                (reads, values(self.writes_of(u)))
            }
        }
    }
}
