//! Units and who needs whom, answered without walking the whole graph.

use std::collections::HashSet;

use super::{Followers, Frame};
use crate::graph::{Graph, Var};

/// What a unit becomes.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::plan) enum Role {
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

#[derive(Clone, Debug)]
pub(in crate::plan) struct Unit {
    pub role: Role,
    pub nodes: Vec<Var>,
    /// units whose results it reads
    pub deps: Vec<usize>,
    /// units that read its results, perhaps some of them twice
    pub(super) users: Vec<usize>,
    /// above that of every unit that it needs
    rank: usize,
    way: Way,
    /// units that became a part of it
    merged: Vec<usize>,
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

/// A unit's place in the tree of deepest needs: the unit with the highest rank that it read when it was new, and one
/// further up, so that most questions of who needs whom take a few steps.
#[derive(Clone, Copy, Debug, Default)]
struct Way {
    parent: usize,
    far: usize,
    depth: usize,
}

#[derive(Debug)]
pub(in crate::plan) struct Units {
    pub list: Vec<Unit>,
    /// the unit of each live node
    pub of: Vec<Option<usize>>,
}

impl Units {
    pub(super) fn new_unit(&mut self, role: Role, v: Var) -> usize {
        self.list.push(Unit { role, nodes: vec![v], ..Unit::default() });
        self.of[v.index()] = Some(self.list.len() - 1);
        self.list.len() - 1
    }

    /// Whether `from` needs the result of `to`, directly or not: looked for from both ends in turn, so that the side
    /// on which there is less decides.
    pub(super) fn reaches(&self, from: usize, to: usize) -> bool {
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
    pub(super) fn find_way(&mut self, u: usize) {
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

    pub(super) fn add_deps(&mut self, graph: &Graph, u: usize, v: Var) {
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

    /// Makes unit `other` a part of unit `home`, which then has these nodes and this role.
    pub(super) fn absorb(&mut self, home: usize, other: usize, nodes: Vec<Var>, role: Role) {
        for v in &nodes {
            self.of[v.index()] = Some(home);
        }
        let moved = std::mem::take(&mut self.list[other]);
        // ways through it stay true: who needed it needs what it became a part of
        self.list[other].way = moved.way;
        self.list[home].merged.push(other);
        self.list[home].merged.extend(moved.merged);
        self.list[home].role = role;
        self.list[home].nodes = nodes;
        self.list[home].deps.retain(|d| *d != other);
        for d in moved.deps.into_iter().filter(|d| *d != home) {
            self.add_dep(home, d);
        }
        for user in moved.users.into_iter().filter(|user| *user != home) {
            let deps = &mut self.list[user].deps;
            if deps.contains(&other) {
                deps.retain(|d| *d != other);
                self.add_dep(user, home);
            }
        }
    }
}
