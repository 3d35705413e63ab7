//! Surge or growth (X13).
//!
//! One raw cell above three times the usual rate begins a surge: it is absorbed, nothing is copied
//! for it. Its baseline is frozen, or it would become the usual rate itself. It ends below one and a
//! half times the baseline; it is taken for growth when it outlasts the patience or looks like many
//! new clients. Reads and writes are watched together, and each alone where it is a tenth of the
//! load.

use super::cells::CELL_MS;
use super::config::SurgeRules;
use super::observation::{ClientMix, ShardObservation};
use super::state::Surge;
use super::{EventKind, Rate, Share, TimeMs};
use crate::topology::ShardId;

/// The surge after `before`, and what is told of it.
pub(super) fn surge(
    rules: &SurgeRules,
    shard: ShardId,
    before: Option<Surge>,
    seen: &ShardObservation,
    now: TimeMs,
) -> (Option<Surge>, Option<EventKind>) {
    let rate = Rate(seen.reads.cell_rate.0.saturating_add(seen.writes.cell_rate.0));
    match before {
        None => {
            let baseline = (seen.reads.baseline_rate, seen.writes.baseline_rate);
            let (Some(reads), Some(writes)) = baseline else { return (None, None) };
            if !rules.surge_guard || !exceeds(seen, reads, writes, rules.surge_enter) {
                return (None, None);
            }
            // It may have begun within the cell before.
            let since = TimeMs(now.0.saturating_sub(2 * CELL_MS));
            let found =
                Surge { since, baseline_reads: reads, baseline_writes: writes, legitimate: false };
            let baseline = Rate(reads.0.saturating_add(writes.0));
            (Some(found), Some(EventKind::SurgeBegin { shard, rate, baseline }))
        }
        Some(surge) => {
            let lasted_ms = now.since_ms(surge.since);
            let end = |outlasted| Some(EventKind::SurgeEnd { shard, lasted_ms, outlasted });
            if !exceeds(seen, surge.baseline_reads, surge.baseline_writes, rules.surge_leave) {
                return (None, (!surge.legitimate).then(|| end(false)).flatten());
            }
            let patient = !now.is_past(surge.since, rules.surge_patience);
            if surge.legitimate || (patient && !looks_like_growth(rules, seen.clients)) {
                return (Some(surge), None);
            }
            (Some(Surge { legitimate: true, ..surge }), end(true))
        }
    }
}

fn exceeds(seen: &ShardObservation, reads: Rate, writes: Rate, bound: Share) -> bool {
    let all = reads.0.saturating_add(writes.0);
    let cell = seen.reads.cell_rate.0.saturating_add(seen.writes.cell_rate.0);
    let over = |now: u64, usual: u64| bound.is_exceeded_by(now, usual);
    let tenth = |usual: u64| usual >= all / 10;
    over(cell, all)
        || (tenth(reads.0) && over(seen.reads.cell_rate.0, reads.0))
        || (tenth(writes.0) && over(seen.writes.cell_rate.0, writes.0))
}

fn looks_like_growth(rules: &SurgeRules, mix: ClientMix) -> bool {
    rules.surge_clients.is_reached_by(u64::from(mix.clients), u64::from(mix.clients_usual))
        && mix.busiest <= rules.surge_busiest
        && mix.hits.0.abs_diff(mix.hits_usual.0) <= rules.surge_hits.0
}
