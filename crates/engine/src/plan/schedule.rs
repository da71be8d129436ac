//! The order of units: what needs a meeting of the workers waits until everything else that can run has run.

use super::fuse::{Role, Units};

/// Orders units topologically. `shares` says which of them make per-shard results that others read joined: joining
/// takes a meeting, so their readers come as late as possible and one meeting serves many.
pub(super) fn order(units: &Units, shares: impl Fn(usize) -> bool) -> Vec<usize> {
    let n = units.list.len();
    let (mut done, mut unmet) = (vec![false; n], vec![false; n]);
    let mut left: Vec<usize> = (0..n).filter(|u| !units.list[*u].nodes.is_empty()).collect();
    let mut order = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let ready = |u: &usize| units.list[*u].deps.iter().all(|d| done[*d]);
        // a view of an unjoined result runs no code, so it may come before the meeting
        let waits =
            |u: &usize| units.list[*u].role != Role::View && units.list[*u].deps.iter().any(|d| unmet[*d]);
        let free = left.iter().position(|u| ready(u) && !waits(u));
        let Some(at) = free.or_else(|| left.iter().position(ready)) else {
            unreachable!("fusion makes no cycles")
        };
        if free.is_none() {
            unmet.fill(false);
        }
        let u = left.remove(at);
        done[u] = true;
        let view = units.list[u].role == Role::View;
        unmet[u] = shares(u) || (view && units.list[u].deps.iter().any(|d| unmet[*d]));
        if !view {
            order.push(u);
        }
    }
    order
}
