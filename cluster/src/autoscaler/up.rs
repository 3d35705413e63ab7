//! How a shard grows: Replicas, then two shards, for reads (R59-R63); a bigger Writer, then two
//! shards, for writes (R64-R69). Below Mach IV the class of the load does not matter (R57).

use super::Choice;
use super::explain::Held;
use super::forecast::Load;
use super::load::View;
use super::split::{fit_for_halves, possible, relieve_writer, split};
use super::trigger::Cause;
use crate::topology::SplitCause;

/// What to do about `cause`, and what spoke against something better.
pub(super) fn grow(view: &View<'_>, cause: Cause) -> (Choice, Vec<Held>) {
    if view.mach() < 4 {
        let wanted = if view.predictive() { wanted_mach(view) } else { view.mach() + 1 };
        return (Choice::Grow { nodes: step(view, wanted.min(cap(view) + 2)) }, Vec::new());
    }
    // More Replicas than a shard should have: two halves have a Writer each, at no copy, now or when
    // there are Replicas enough for both.
    if view.predictive()
        && cause != Cause::Reads
        && view.replica_count() > cap(view)
        && possible(view, SplitCause::Reads).is_ok()
    {
        return match relieve_writer(view) {
            Some(goal) => (Choice::Split(goal), Vec::new()),
            None => read_path(view),
        };
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

/// Replicas, and when one shard has as many as it may have for a while, two shards. Where the halves
/// could not do the work, the shard first grows so far that they can (X8).
fn read_path(view: &View<'_>) -> (Choice, Vec<Held>) {
    let (have, cap) = (view.replica_count(), cap(view));
    if !view.predictive() {
        return match split(view, SplitCause::Reads) {
            _ if have < cap => (Choice::Grow { nodes: 1 }, Vec::new()),
            Ok(goal) => (Choice::Split(goal), Vec::new()),
            Err(held) => (Choice::Stay, vec![held]),
        };
    }
    let (wanted, most) = (wanted_mach(view), view.config.replicas.most(&view.config.split));
    if wanted.saturating_sub(2) <= most && have < most {
        return (Choice::Grow { nodes: step(view, wanted) }, Vec::new());
    }
    let held = match split(view, SplitCause::Reads) {
        Ok(goal) if have >= cap => return (Choice::Split(goal), Vec::new()),
        Ok(_) => None,
        Err(held) => Some(held),
    };
    if have >= most {
        return match (held, possible(view, SplitCause::Reads)) {
            // Each half may grow again.
            (Some(Held::Unhelpful), Ok(goal)) if most > cap => (Choice::Split(goal), Vec::new()),
            (held, _) => (Choice::Stay, held.into_iter().collect()),
        };
    }
    // Of a shard that may not be divided now all Replicas serve all reads.
    let needed = match held {
        None | Some(Held::Unhelpful) => fit_for_halves(view, most),
        Some(_) => most,
    };
    let nodes = step(view, needed.clamp(have + 1, most) + 2);
    let advice = |h: &Held| have >= cap && !matches!(h, Held::CoolDown { .. });
    (Choice::Grow { nodes }, held.filter(advice).into_iter().collect())
}

/// A shard that has more Replicas than it should have, and usually needs them, is divided (R38), if
/// need be after it has grown so far that each half can do its work (X8).
pub(super) fn divide(view: &View<'_>) -> Option<Choice> {
    let (have, cap) = (view.replica_count(), cap(view));
    if !view.predictive() || have <= cap {
        return None;
    }
    let lasted = view.memory.crowded_since?;
    if !view.now.is_past(lasted, view.config.split.divide_after) {
        return None;
    }
    let (reads, writes) = (view.seen.reads.baseline_rate?, view.seen.writes.baseline_rate?);
    let usual = Load { reads: reads.as_f64(), writes: writes.as_f64() };
    let alone = view.utilisation(usual, cap.saturating_add(2), view.writer_level())?;
    if alone.highest() <= view.config.forecast.up_utilisation.as_f64() {
        return None;
    }
    let most = view.config.replicas.most(&view.config.split);
    match split(view, SplitCause::Reads) {
        Ok(goal) => Some(Choice::Split(goal)),
        Err(Held::Unhelpful) if have < most => {
            let nodes = step(view, fit_for_halves(view, most).max(have + 1) + 2);
            Some(Choice::Grow { nodes })
        }
        Err(_) => None,
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
    let with = |n: u32| view.busy_replicas(load, n);
    match (with(have), with(have.saturating_add(1))) {
        (Some(now), Some(then)) => then < now * 0.99,
        _ => true,
    }
}
