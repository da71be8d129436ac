//! The order of units: what needs a meeting of the workers waits until everything else that can run has run.

use std::collections::BTreeSet;

use super::fuse::{Role, Units};

/// Orders units topologically. `shares` says which of them make per-shard results that others read joined: joining
/// takes a meeting, so their readers come as late as possible and one meeting serves many.
///
/// Of the units that can run without a meeting, the first in the list runs next; where there is none, a meeting frees
/// all those that wait.
pub(super) fn order(units: &Units, shares: impl Fn(usize) -> bool) -> Vec<usize> {
    let n = units.list.len();
    let mut users: Vec<Vec<usize>> = vec![vec![]; n];
    let mut missing: Vec<usize> = vec![0; n];
    for (u, unit) in units.list.iter().enumerate() {
        missing[u] = unit.deps.len();
        unit.deps.iter().for_each(|d| users[*d].push(u));
    }
    // units with a result that waits for a meeting
    let mut unmet: BTreeSet<usize> = BTreeSet::new();
    let mut free: BTreeSet<usize> =
        (0..n).filter(|u| missing[*u] == 0 && !units.list[*u].nodes.is_empty()).collect();
    let mut waiting: BTreeSet<usize> = BTreeSet::new();
    let mut order = Vec::with_capacity(n);
    let mut n_done = 0;
    loop {
        if free.is_empty() {
            unmet.clear();
            std::mem::swap(&mut free, &mut waiting);
        }
        let Some(u) = free.pop_first() else { break };
        n_done += 1;
        // a view of an unjoined result runs no code, so it may come before the meeting
        let reads_unmet = |u: usize| units.list[u].deps.iter().any(|d| unmet.contains(d));
        let view = units.list[u].role == Role::View;
        if shares(u) || (view && reads_unmet(u)) {
            unmet.insert(u);
        }
        if !view {
            order.push(u);
        }
        for user in &users[u] {
            missing[*user] -= 1;
            if missing[*user] > 0 {
                continue;
            }
            let waits = units.list[*user].role != Role::View
                && units.list[*user].deps.iter().any(|d| unmet.contains(d));
            if waits {
                waiting.insert(*user)
            } else {
                free.insert(*user)
            };
        }
    }
    let n_units = units.list.iter().filter(|u| !u.nodes.is_empty()).count();
    assert_eq!(n_done, n_units, "fusion makes no cycles");
    order
}
