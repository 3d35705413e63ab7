//! Which neighbours could be one shard again (3.4): together they need no more Replicas than a shard
//! may have, their load fits one Writer, and both have been calm. Siblings go first, so that a split
//! is taken back as it was made.

use std::collections::{BTreeMap, BTreeSet};

use super::Config;
use super::capacity::Utilisation;
use super::down::at_most;
use super::explain::Comparison;
use super::forecast::Load;
use super::load::View;
use crate::topology::ShardId;

/// By left shard: its right neighbour, and how busy one shard in place of both would be. No shard
/// stands in two pairs.
pub(super) fn pairs<'a>(
    views: &BTreeMap<ShardId, View<'a>>,
    fit: impl Fn(&View<'a>) -> bool,
) -> BTreeMap<ShardId, (ShardId, Vec<Comparison>)> {
    let mut found = Vec::new();
    for (&left, view) in views {
        let Some((right, other)) = view.shape.right.and_then(|r| Some((r, views.get(&r)?))) else {
            continue;
        };
        if !fit(view) || !fit(other) {
            continue;
        }
        let comparisons = together(view, other);
        if comparisons.iter().all(|c| c.holds) {
            let siblings = view.observation.topology.siblings(left, right);
            found.push((!siblings, left, right, comparisons));
        }
    }
    found.sort_by_key(|(strangers, left, ..)| (*strangers, *left));
    let mut taken = BTreeSet::new();
    let mut pairs = BTreeMap::new();
    for (_, left, right, comparisons) in found {
        if !taken.contains(&left) && !taken.contains(&right) {
            taken.extend([left, right]);
            pairs.insert(left, (right, comparisons));
        }
    }
    pairs
}

/// Mach of one shard in place of two that have so many Replicas.
pub(super) fn mach(config: &Config, replicas: usize) -> u32 {
    let replicas = u32::try_from(replicas).unwrap_or(u32::MAX);
    replicas.clamp(1, config.replicas.max_replicas).saturating_add(2)
}

fn together(left: &View<'_>, right: &View<'_>) -> Vec<Comparison> {
    if !left.predictive() {
        return Vec::new();
    }
    let load = left.steady().zip(right.steady()).map(|(one, other)| Load {
        reads: one.reads + other.reads,
        writes: one.writes + other.writes,
    });
    let mach = mach(left.config, left.shape.replicas.len() + right.shape.replicas.len());
    let after = load.and_then(|load| left.utilisation(load, mach, left.writer_level()));
    let idle = load.is_some_and(|load| load.reads + load.writes <= 0.0);
    let after = after.map_or(if idle { 0.0 } else { 1.0 }, Utilisation::highest);
    vec![at_most(left, after)]
}
