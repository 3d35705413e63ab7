//! Whether and where a shard can be divided: hot bucket (X24), commands over both halves (C36),
//! capacity after it (X8), levels of the new pair (R69, X23).

use super::capacity::Utilisation;
use super::config::SplitAt;
use super::explain::Held;
use super::forecast::Load;
use super::load::View;
use super::{Share, SplitGoal};
use crate::topology::{BucketId, BucketRange, Level, SplitCause};

/// The bucket that has more of the heat than a split could divide.
pub(super) fn hot_bucket(view: &View<'_>) -> Option<(BucketId, Share)> {
    let (first, total) = (view.seen.heat.first()?, view.seen.heat_total);
    let hot = view.config.split.split_hot_bucket.is_exceeded_by(first.requests, total);
    hot.then(|| (first.bucket, Share::of(first.requests, total)))
}

/// How to divide it, or why not.
pub(super) fn split(view: &View<'_>, cause: SplitCause) -> Result<SplitGoal, Held> {
    let goal = possible(view, cause)?;
    match cause {
        SplitCause::Reads if !helps(view, goal.at) => Err(Held::Unhelpful),
        _ => Ok(goal),
    }
}

/// How it could be divided, whether that helps or not.
pub(super) fn possible(view: &View<'_>, cause: SplitCause) -> Result<SplitGoal, Held> {
    let at = place(view).ok_or(Held::Buckets)?;
    if hot_bucket(view).is_some() {
        return Err(Held::HotBucket);
    }
    let rules = &view.config.split;
    let tied = view.seen.cross_bucket.filter(|tied| {
        tied.lowest < at
            && at <= tied.highest
            && !view.now.is_past(tied.last_ms, rules.split_hold_window)
    });
    if tied.is_some() && !rules.split_despite_cross_bucket {
        return Err(Held::CrossBucket);
    }
    if view.now < view.memory.cooldown_split_until {
        let remaining_ms = view.memory.cooldown_split_until.since_ms(view.now);
        return Err(Held::CoolDown { remaining_ms });
    }
    let levels = &view.config.levels;
    let child_level = levels.child_level.unwrap_or_else(|| view.writer_level());
    let paired_level = levels.paired_level.filter(|_| cause == SplitCause::Writes);
    let weaker = paired_level.is_some_and(|level| is_weaker(view, level));
    let nodes = match cause {
        SplitCause::Reads => nodes_for_reads(view),
        SplitCause::Writes => 1 + u32::from(paired_level.is_some()),
    };
    let goal = SplitGoal { at, cause, child_level, paired_level, nodes };
    if weaker { Err(Held::Weaker) } else { Ok(goal) }
}

/// Nodes that must come for a split by the read path.
pub(super) fn nodes_for_reads(view: &View<'_>) -> u32 {
    let (replicas, shadows) = (view.shape.replicas.len(), view.shape.shadows.len());
    u32::from(!SplitGoal::is_enough(replicas, shadows))
}

/// Where: by count, or by load if that is skewed (X25). Bytes per bucket are not observed, and keys
/// spread evenly, so by bytes is by count.
fn place(view: &View<'_>) -> Option<BucketId> {
    let (range, seen) = (view.shard.range, view.seen);
    let middle = range.middle()?;
    let heavy: Vec<_> = seen.heat.iter().map(|h| (h.bucket, h.requests)).collect();
    let by_load = || range.middle_by_weight(&heavy, seen.heat_total);
    match view.config.split.split_at {
        SplitAt::Count | SplitAt::Bytes => Some(middle),
        SplitAt::Load => by_load(),
        SplitAt::Auto => {
            let left = left_share(view, middle);
            let (less, more) = (left.min(1.0 - left), left.max(1.0 - left));
            let skewed = more > less * (1.0 + view.config.split.split_skew.as_f64());
            if skewed { by_load() } else { Some(middle) }
        }
    }
}

/// The left part's share of the load: heat that is known, and the rest even.
fn left_share(view: &View<'_>, at: BucketId) -> f64 {
    let Ok((left, _)) = view.shard.range.split_at(at) else { return 0.5 };
    let total = view.seen.heat_total as f64;
    if total <= 0.0 {
        return f64::from(left.count()) / f64::from(view.shard.range.count());
    }
    let sum = |range: BucketRange| -> (f64, f64) {
        let known = view.seen.heat.iter().filter(|h| range.contains(h.bucket));
        known.fold((0.0, 0.0), |(n, sum), h| (n + 1.0, sum + h.requests as f64))
    };
    let ((all_n, all), (left_n, known)) = (sum(view.shard.range), sum(left));
    let others = (f64::from(view.shard.range.count()) - all_n).max(1.0);
    let rest = (total - all).max(0.0) * (f64::from(left.count()) - left_n) / others;
    ((known + rest) / total.max(all)).clamp(0.0, 1.0)
}

/// X8: the busiest node is less busy afterwards, or the working set does not fit, or there are
/// Replicas enough for two shards. Without known costs nothing speaks against it.
fn helps(view: &View<'_>, at: BucketId) -> bool {
    let rules = &view.config.split;
    let too_big = rules.split_working_set.is_some_and(|most| view.seen.working_set_bytes > most);
    if !rules.split_guard || too_big {
        return true;
    }
    let (load, have) = (view.lasting(), view.replica_count());
    let (Some(before), Some(after)) =
        (view.utilisation_now(load), halves(view, load, at, have).map(Utilisation::highest))
    else {
        return true;
    };
    // More than a shard should have: then it is enough that nothing gets worse.
    if have > view.config.replicas.max_replicas {
        let target = view.config.forecast.target_utilisation.as_f64();
        return after <= target.max(before.highest());
    }
    after < before.highest() * view.config.forecast.improvement.as_f64()
}

/// How to divide a shard whose Writer has too much to do, if the Replicas it has can bear it until
/// each half has grown; both shadows help meanwhile.
pub(super) fn relieve_writer(view: &View<'_>) -> Option<SplitGoal> {
    let goal = possible(view, SplitCause::Reads).ok()?;
    let shadows = if view.config.surge.burst_serve { 2 } else { 0 };
    let after = halves(view, view.recent(), goal.at, view.replica_count() + shadows);
    let most = view.config.forecast.up_utilisation.as_f64();
    after.is_none_or(|after| after.highest() <= most).then_some(goal)
}

/// With how many Replicas each half could do its work; `most` if not even with so many.
pub(super) fn fit_for_halves(view: &View<'_>, most: u32) -> u32 {
    let Some(at) = place(view) else { return most };
    let (load, target) = (view.lasting(), view.config.forecast.target_utilisation.as_f64());
    let fits = |n: &u32| halves(view, load, at, *n).is_none_or(|after| after.highest() <= target);
    (view.replica_count()..most).find(fits).unwrap_or(most)
}

/// How busy the busier half of a shard of so many Replicas is: one becomes the child's Writer, one
/// its Load Manager unless a node comes for that, the others are shared out.
fn halves(view: &View<'_>, load: Load, at: BucketId, have: u32) -> Option<Utilisation> {
    let share = left_share(view, at);
    let share = share.max(1.0 - share);
    let part = Load { reads: load.reads * share, writes: load.writes * share };
    let shadows = view.shape.shadows.len();
    let own = shadows < 2 && SplitGoal::is_enough(have as usize, shadows);
    let reads = view.busy_replicas(part, (have.saturating_sub(1 + u32::from(own)) / 2).max(1))?;
    let writes = part.writes * view.cost(view.writer_level())?.write;
    Some(Utilisation { reads, writes })
}

/// X23: two Writers of `level` must do more than the present one.
fn is_weaker(view: &View<'_>, level: Level) -> bool {
    match (view.cost(level), view.cost(view.writer_level())) {
        (Some(pair), Some(now)) => 2.0 / pair.write < 1.0 / now.write,
        _ => false,
    }
}
