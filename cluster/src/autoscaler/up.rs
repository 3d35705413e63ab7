//! How a shard grows: Replicas, then two shards, for reads (R59-R63); a bigger Writer, then two
//! shards, for writes (R64-R69). Below Mach IV the class of the load does not matter (R57).

use super::Choice;
use super::capacity::replicas;
use super::explain::Held;
use super::load::View;
use super::split::split;
use super::trigger::Cause;
use crate::topology::SplitCause;

/// What to do about `cause`, and what spoke against something better.
pub(super) fn grow(view: &View<'_>, cause: Cause) -> (Choice, Vec<Held>) {
    if view.mach() < 4 {
        let wanted = if view.predictive() { wanted_mach(view) } else { view.mach() + 1 };
        return (Choice::Grow { nodes: step(view, wanted.min(cap(view) + 2)) }, Vec::new());
    }
    match cause {
        Cause::Writes => write_path(view),
        Cause::Reads if adding_helps(view) => read_path(view),
        Cause::Reads => write_path(view),
        // The better gain per node; of equals, a Replica (X19).
        Cause::Both if adding_helps(view) && view.replica_count() < cap(view) => read_path(view),
        Cause::Both => write_path(view),
    }
}

fn read_path(view: &View<'_>) -> (Choice, Vec<Held>) {
    let wanted = if view.predictive() { wanted_mach(view) } else { view.mach() + 1 };
    let (have, cap) = (view.replica_count(), cap(view));
    if have < cap {
        return (Choice::Grow { nodes: step(view, wanted.min(cap + 2)) }, Vec::new());
    }
    let rules = &view.config.replicas;
    match split(view, SplitCause::Reads) {
        Ok(goal) => (Choice::Split(goal), Vec::new()),
        Err(held) => {
            let extra = view.config.split.split_extra_nodes.saturating_mul(2);
            let most = match held {
                Held::Unhelpful => rules.max_replicas_unhelpful.max(cap.saturating_add(extra)),
                _ => rules.max_replicas_unhelpful,
            };
            let room = most.saturating_sub(have);
            if room == 0 {
                return (Choice::Stay, vec![held]);
            }
            // Towards a split that helps, a Replica more than the load asks for is no waste.
            (Choice::Grow { nodes: step(view, wanted).min(room) }, vec![held])
        }
    }
}

fn write_path(view: &View<'_>) -> (Choice, Vec<Held>) {
    let (levels, level) = (&view.config.levels, view.writer_level());
    if level < levels.max_level {
        let to = level.up(levels.level_step).min(levels.max_level);
        return (Choice::RaiseLevel { to }, Vec::new());
    }
    match split(view, SplitCause::Writes) {
        Ok(goal) => (Choice::Split(goal), Vec::new()),
        Err(held) => (Choice::Stay, vec![held]),
    }
}

fn cap(view: &View<'_>) -> u32 {
    view.config.replicas.max_replicas
}

/// Nodes to ask for at once towards `wanted`: at least one, and only one where growth cannot be
/// told from a surge yet.
fn step(view: &View<'_>, wanted: u32) -> u32 {
    let known = view.seen.reads.baseline_rate.is_some() && view.seen.writes.baseline_rate.is_some();
    let guarded = view.predictive() && view.config.surge.surge_guard;
    let most = if guarded && !known { 1 } else { view.config.replicas.batch_step };
    wanted.saturating_sub(view.mach()).clamp(1, most.max(1))
}

/// The least Mach whose utilisation falls to its target; far more than there are if none does.
fn wanted_mach(view: &View<'_>) -> u32 {
    let (load, target) = (view.lasting(), view.config.forecast.target_utilisation.as_f64());
    let fits = |mach: u32| view.utilisation(load, mach, view.writer_level());
    let (next, most) = (view.mach().saturating_add(1), view.mach().saturating_add(64));
    if fits(next).is_none() {
        return next;
    }
    // Mach II adds nothing to Mach I.
    let enough = |mach: &u32| fits(*mach).is_some_and(|u| u.reads <= target);
    (next..most).find(enough).unwrap_or(most)
}

/// Whether one Replica more takes load off the others: where they mostly apply writes it does not.
fn adding_helps(view: &View<'_>) -> bool {
    if !view.predictive() {
        return true;
    }
    let (load, have) = (view.coming(), view.replica_count());
    let with = |n: u32| view.servers(n).map(|servers| replicas(load, &servers));
    match (with(have), with(have.saturating_add(1))) {
        (Some(now), Some(then)) => then < now * 0.99,
        _ => true,
    }
}
