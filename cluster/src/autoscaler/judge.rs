//! What one shard needs, by itself: growing before shrinking, and why not now.

use super::explain::{
    Comparison, Explanation, Figure, Held, Input, Metric, Otherwise, Relation, Rule,
};
use super::load::View;
use super::split::hot_bucket;
use super::{Choice, Decision, Rate, Seconds, Share, down, trigger, up};
use crate::topology::OperationKind;

/// The judgement of one shard.
pub(super) struct Judgement {
    pub decision: Decision,
    /// A rule for growing holds now, though it may not act.
    pub up: bool,
    /// The rule for shrinking holds now.
    pub down: bool,
    /// Its shadow shall serve.
    pub burst: bool,
}

/// Judges. `shards` is how many there are, `merge` what `merge::pairs` found for this one.
pub(super) fn judge(view: &View<'_>, shards: usize) -> Judgement {
    let trigger = trigger::up(view);
    let least = least(view, shards);
    let short = view.mach() < least;
    let up = trigger.fired.is_some();
    let surging = view.memory.surge.is_some_and(|s| !s.legitimate);
    let held_long = trigger.steady
        || view
            .memory
            .up_since
            .is_some_and(|since| view.now.is_past(since, view.config.forecast.up_hold))
        || view.config.forecast.up_hold == Seconds(0);
    let burst = burst(view, up);

    let (calm, low) = trigger::calm(view);
    let shrinks = if up || short { None } else { down::shrink(view, shards, least) };
    let fits = |found: &(Choice, Vec<Comparison>)| found.1.iter().all(|c| c.holds);
    let kept = view.predictive().then_some(view.config.forecast.down_utilisation_window);
    let rested = kept.zip(view.memory.grown).is_none_or(|(span, at)| view.now.is_past(at, span));
    let down = calm && rested && view.memory.surge.is_none() && shrinks.as_ref().is_some_and(fits);
    let divides = if up || surging || short { None } else { up::divide(view) };

    let mut held = Vec::new();
    let (choice, rule, comparisons) = match (trigger.fired, shrinks) {
        (Some((rule, _)), _) if surging => {
            held.push(Held::Surge);
            let choice = if burst { Choice::BurstServe } else { Choice::Stay };
            (choice, Some(rule), trigger.comparisons)
        }
        (Some((rule, cause)), _) if held_long => {
            let (choice, why) = up::grow(view, cause);
            held.extend(why);
            (choice, Some(rule), trigger.comparisons)
        }
        _ if surging => {
            let choice = if burst { Choice::BurstServe } else { Choice::Stay };
            (choice, Some(Rule::Surge), trigger.comparisons)
        }
        _ if short => {
            let nodes = (least - view.mach()).min(view.config.replicas.batch_step).max(1);
            (Choice::Grow { nodes }, Some(Rule::Minimum), vec![minimum(view, least)])
        }
        _ if divides.is_some() => {
            let choice = divides.unwrap_or(Choice::Stay);
            (choice, Some(Rule::Divide), vec![too_many(view)])
        }
        (None, Some((choice, after))) if down => {
            (choice, Some(Rule::Down), after.into_iter().chain(low).collect())
        }
        (None, Some((_, after))) => {
            let all = trigger.comparisons.into_iter().chain(after).chain(low);
            (Choice::Stay, None, all.collect())
        }
        _ => (Choice::Stay, None, trigger.comparisons),
    };
    if trigger.too_few && choice == Choice::Stay {
        held.push(Held::Samples);
    }
    let (choice, waits) = now_or_later(view, choice);
    held.extend(waits);
    let explanation = explain(view, rule, comparisons, held, &choice);
    let decision = Decision { shard: Some(view.shard.id), choice, explanation };
    Judgement { decision, up, down, burst }
}

/// The least Mach: of the only shard, `min-nodes` too.
pub(super) fn least(view: &View<'_>, shards: usize) -> u32 {
    let rules = &view.config.replicas;
    let alone = if shards == 1 { rules.min_nodes } else { 1 };
    rules.min_mach.max(alone.min(rules.max_replicas.saturating_add(2)))
}

/// What holds a choice back on this shard alone (the cluster's guards come later). An operation that
/// shrinks is abandoned when the shard must grow.
pub(super) fn now_or_later(view: &View<'_>, choice: Choice) -> (Choice, Vec<Held>) {
    if matches!(choice, Choice::Stay | Choice::BurstServe) {
        return (choice, Vec::new());
    }
    let grows = grows(&choice);
    if let Some(operation) = view.observation.topology.busy(view.shard.id) {
        let shrinking = matches!(
            operation.kind,
            OperationKind::Shrink | OperationKind::Merge { .. } | OperationKind::ChangeLevel { .. }
        ) && !raises(view, &operation.kind);
        if grows && shrinking && operation.phase.can_cancel() {
            return (Choice::Abort, Vec::new());
        }
        // Growth in flight may be widened.
        if matches!(choice, Choice::Grow { .. }) && operation.kind == OperationKind::Grow {
            let unhealthy = view.unhealthy().map(|node| Held::Unhealthy { node });
            return (choice, unhealthy.into_iter().collect());
        }
        return (choice, vec![Held::Busy { operation: operation.id }]);
    }
    let mut held = Vec::new();
    if let Some(node) = view.unhealthy() {
        held.push(Held::Unhealthy { node });
    }
    let memory = view.memory;
    let until = if grows { memory.cooldown_up_until } else { memory.cooldown_down_until };
    if view.now < until {
        held.push(Held::CoolDown { remaining_ms: until.since_ms(view.now) });
    }
    (choice, held)
}

fn raises(view: &View<'_>, kind: &OperationKind) -> bool {
    matches!(kind, OperationKind::ChangeLevel { to } if *to > view.writer_level())
}

fn grows(choice: &Choice) -> bool {
    matches!(choice, Choice::Grow { .. } | Choice::RaiseLevel { .. } | Choice::Split(_))
}

/// Whether the shadow shall serve: a surge, or growth that is still awaited. It goes on until the
/// others can do without it.
fn burst(view: &View<'_>, up: bool) -> bool {
    let possible = view.config.surge.burst_serve
        && !view.shape.shadows.is_empty()
        && !view.shape.replicas.is_empty();
    let target = view.config.forecast.target_utilisation.as_f64();
    let needed = view.utilisation_now(view.coming()).is_some_and(|u| u.reads > target);
    possible && (up || view.memory.surge.is_some() || (view.memory.burst && needed))
}

fn minimum(view: &View<'_>, least: u32) -> Comparison {
    let (have, least) = (Figure::Count(view.mach().into()), Figure::Count(least.into()));
    Comparison::new(Metric::Nodes, have, Relation::Below, least, None)
}

fn too_many(view: &View<'_>) -> Comparison {
    let have = Figure::Count(view.replica_count().into());
    let most = Figure::Count(view.config.replicas.max_replicas.into());
    Comparison::new(Metric::Replicas, have, Relation::Above, most, None)
}

/// The reasons as data.
pub(super) fn explain(
    view: &View<'_>,
    rule: Option<Rule>,
    comparisons: Vec<Comparison>,
    held: Vec<Held>,
    choice: &Choice,
) -> Explanation {
    let otherwise = match (choice, comparisons.first()) {
        (Choice::Stay, _) => comparisons.iter().filter(|c| !c.holds).map(as_it_is).collect(),
        (_, Some(first)) => vec![opposite(first)],
        (_, None) => Vec::new(),
    };
    let moves = super::moves::moves(view, choice);
    Explanation { rule, inputs: inputs(view), comparisons, held, moves, otherwise }
}

fn as_it_is(c: &Comparison) -> Otherwise {
    Otherwise { metric: c.metric, relation: c.relation, value: c.threshold }
}

fn opposite(c: &Comparison) -> Otherwise {
    let relation = match c.relation {
        Relation::AtLeast => Relation::Below,
        Relation::Above => Relation::AtMost,
        Relation::Below => Relation::AtLeast,
        Relation::AtMost => Relation::Above,
    };
    Otherwise { metric: c.metric, relation, value: c.threshold }
}

fn inputs(view: &View<'_>) -> Vec<Input> {
    let seen = view.seen;
    let sum = |a: Rate, b: Rate| Figure::Rate(Rate(a.0.saturating_add(b.0)));
    let (reads, writes) = (seen.reads.usual.offered(), seen.writes.usual.offered());
    let share = Share::of(reads, reads.saturating_add(writes));
    let mut inputs = vec![
        Input { metric: Metric::Rate, value: sum(seen.reads.cell_rate, seen.writes.cell_rate) },
        Input { metric: Metric::ReadShare, value: Figure::Share(share) },
        Input { metric: Metric::Replicas, value: Figure::Count(view.replica_count().into()) },
        Input { metric: Metric::Level, value: Figure::Level(view.writer_level()) },
        Input { metric: Metric::Bytes, value: Figure::Bytes(seen.bytes) },
    ];
    if let (Some(r), Some(w)) = (seen.reads.baseline_rate, seen.writes.baseline_rate) {
        inputs.push(Input { metric: Metric::BaselineRate, value: sum(r, w) });
    }
    if let Some((_, share)) = hot_bucket(view) {
        inputs.push(Input { metric: Metric::HotBucket, value: Figure::Share(share) });
    }
    inputs
}
