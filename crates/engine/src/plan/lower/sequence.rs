//! The order of everything that a step does: what is fed, every unit, and the meetings of the workers between them.

use std::collections::{BTreeSet, HashSet};

use super::{Entry, Lower};
use crate::graph::Var;
use crate::ops::Op;
use crate::plan::fuse::Role;
use crate::plan::{Wanted, schedule};
use crate::steps::Partial;

impl Lower<'_> {
    /// Whether a node is made per shard and joined afterwards.
    fn is_shared(&self, v: Var) -> bool {
        let node = self.graph.node(v);
        let over_rows = node.inputs.iter().any(|i| self.places.is_rows(*i)) && !self.places.is_rows(v);
        over_rows && !self.is_finished_later(v)
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

    pub(super) fn sequence(&mut self, wanted: &Wanted) -> Vec<Entry> {
        let shared: Vec<bool> =
            self.graph.vars().map(|v| self.places.live[v.index()] && self.is_shared(v)).collect();
        let read = self.read_joined(wanted);
        let needs_joining = |v: Var| read.contains(&v) || self.reads_through_views(v);
        let joined: Vec<bool> = self.graph.vars().map(|v| shared[v.index()] && needs_joining(v)).collect();
        let order =
            schedule::order(self.units, |u| self.units.list[u].nodes.iter().any(|v| joined[v.index()]));
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
                let len = self.join(*v).partial_len(self.graph.shape(*v).numel());
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
}
