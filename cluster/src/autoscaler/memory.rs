//! What is remembered of a shard from one second to the next, brought up to date before it is
//! judged: cool-downs, class, surge, load.

use super::config::Config;
use super::observation::ShardObservation;
use super::state::ShardState;
use super::{EventKind, Observation, class, surge};
use crate::topology::{Operation, OperationKind, Shard};

/// The memory of `shard` now. `known` is false in the first second of a cluster's life, when no
/// shard is new. Tells whether an operation has begun on it.
pub(super) fn refresh(
    config: &Config,
    before: Option<&ShardState>,
    known: bool,
    observation: &Observation,
    shard: &Shard,
    seen: &ShardObservation,
    busy: Option<&Operation>,
) -> (ShardState, bool, Option<EventKind>) {
    let now = observation.now_ms;
    let rules = &config.cooldown;
    let mut memory = before.cloned().unwrap_or_default();
    let id = busy.map(|o| o.id);
    let ended = memory.busy.is_some() && memory.busy != id;
    let born = before.is_none() && known;
    if ended || born {
        memory.last_completed = Some(now);
        memory.cooldown_up_until = now.after(rules.cooldown_up);
        memory.cooldown_down_until = now.after(rules.cooldown_down);
        (memory.up_since, memory.down_since, memory.merge_since) = (None, None, None);
    }
    let kind = busy.map(|o| &o.kind);
    let divides = matches!(kind, Some(OperationKind::Split { .. }));
    if divides || matches!(kind, Some(OperationKind::Grow)) || born {
        memory.grown = Some(now);
    }
    if divides {
        // What it will need from now on is another question.
        memory.crowded_since = None;
    }
    if divides || (born && shard.parent.is_some()) {
        memory.cooldown_merge_until = now.after(rules.cooldown_merge);
    }
    if matches!(kind, Some(OperationKind::Merge { .. })) {
        memory.cooldown_split_until = now.after(rules.cooldown_merge);
    }
    let begun = id.is_some() && memory.busy != id && !born;
    memory.busy = id;

    memory.class = class::class(&config.class, memory.class, seen);
    let (surge, event) = surge::surge(&config.surge, shard.id, memory.surge, seen, now);
    memory.surge = surge;
    if surge.is_some_and(|s| !s.legitimate) {
        // What an attack adds is no load to grow for.
        (memory.up_since, memory.down_since, memory.merge_since) = (None, None, None);
    }
    (memory, begun, event)
}
