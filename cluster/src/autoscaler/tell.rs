//! Telling once why a rule that fired does nothing, or does something else than it would like.

use super::event::Limit;
use super::explain::Held;
use super::load::View;
use super::split::hot_bucket;
use super::state::ShardState;
use super::{Choice, Decision, EventKind};

/// Events of a decision that is held back or was turned aside; none if the same was told last.
pub(super) fn tell(
    decision: &Decision,
    view: Option<&View<'_>>,
    memory: &mut ShardState,
    events: &mut Vec<EventKind>,
) {
    let (Some(view), explanation) = (view, &decision.explanation) else { return };
    // Operations and cool-downs end by themselves: nobody need be told.
    let passing =
        |h: &&Held| matches!(h, Held::Busy { .. } | Held::CoolDown { .. } | Held::Samples);
    let held: Vec<Held> = explanation.held.iter().filter(|h| !passing(h)).copied().collect();
    if held.is_empty() {
        memory.told = None;
        return;
    }
    let now = (kind_of(&decision.choice), held);
    if memory.told.as_ref() == Some(&now) {
        return;
    }
    let shard = Some(view.shard.id);
    let known = memory.told.take().map(|(_, why)| why).unwrap_or_default();
    for why in now.1.iter().filter(|why| !known.contains(why)) {
        events.extend(match why {
            Held::HotBucket => hot_bucket(view).map(|(bucket, share)| EventKind::HotKey {
                shard: view.shard.id,
                bucket,
                share,
            }),
            Held::MaxNodes => Some(EventKind::LimitReached { shard, limit: Limit::MaxNodes }),
            Held::Buckets => Some(EventKind::LimitReached { shard, limit: Limit::Buckets }),
            Held::Weaker => Some(EventKind::LimitReached { shard, limit: Limit::Level }),
            Held::Unhelpful => Some(EventKind::SplitUnhelpful {
                shard: view.shard.id,
                explanation: explanation.clone(),
            }),
            Held::CrossBucket => view
                .seen
                .cross_bucket
                .map(|tied| EventKind::SplitHeld { shard: view.shard.id, last: tied.last_ms }),
            _ => None,
        });
    }
    let (choice, why, explanation) = (decision.choice.clone(), now.1.clone(), explanation.clone());
    events.push(EventKind::TriggerHeld { shard, choice, why, explanation });
    memory.told = Some(now);
}

/// The choice without its figure: two nodes instead of one are no news.
fn kind_of(choice: &Choice) -> Choice {
    match choice {
        Choice::Grow { .. } => Choice::Grow { nodes: 0 },
        other => other.clone(),
    }
}
