//! From an observation to what is wanted: every shard is judged by itself, then the cluster's guards
//! let some of it pass, the most urgent first.
//!
//! The rule for `state.desired`: a shard that rests wants to be what it is, but for a decision that
//! may begin now; a shard with an operation in flight, or that waits for the repair of a lost
//! member, keeps wanting what it wanted. So what is not done at once is decided anew, by the
//! figures of then. Sources: REQUIREMENTS.md 3.1 to 3.4.

use std::collections::BTreeMap;

use super::explain::{Held, Rule};
use super::guard::{Guard, account};
use super::judge::{Judgement, explain, judge, now_or_later};
use super::load::{Fleet, View, taken};
use super::memory::refresh;
use super::observation::{OperatorWord, ShardObservation};
use super::state::{Asked, Pending, ShardState, State};
use super::tell::tell;
use super::{Choice, Config, Decision, DesiredShard, EventKind, Explanation, Observation, Seconds};
use super::{load_managers, merge, split, trigger};
use crate::topology::{OperationId, OperationKind, ShardId, SplitCause};

/// An operator's wish for a split or a merge is forgotten after this, if it could not be met.
const ASKED_FOR: Seconds = Seconds::minutes(60);

/// Fewer nodes than are on their way must have been enough for this long before the rest is
/// cancelled.
const ENOUGH_FOR: Seconds = Seconds(20);

/// What was decided.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Decided {
    /// The memory afterwards, with what is wanted.
    pub state: State,
    /// One decision for each shard, and one for Load Managers if something is to be done about
    /// them; the most urgent first.
    pub decisions: Vec<Decision>,
    /// What operators are told, in this order.
    pub events: Vec<EventKind>,
}

/// Decides. Total and deterministic.
pub fn decide(config: &Config, state: &State, observation: &Observation) -> Decided {
    let (mut state, mut events) = (state.clone(), Vec::new());
    listen(&mut state, observation);
    state.capacity.learn(observation, config.trigger.min_samples);
    remember(config, &mut state, observation, &mut events);

    let (taken, unwell) = (taken(observation), observation.unwell());
    let (shapes, nothing) = (observation.topology.shapes(), ShardObservation::default());
    let memories = std::mem::take(&mut state.shards);
    let capacity = state.capacity.clone();
    let mut views = BTreeMap::new();
    for shard in observation.topology.shards() {
        let (Some(shape), Some(memory)) = (shapes.get(&shard.id), memories.get(&shard.id)) else {
            continue;
        };
        let seen = observation.shards.get(&shard.id).unwrap_or(&nothing);
        let (costs, now) = (&capacity, observation.now_ms);
        let (taken, unwell) = (&taken, &unwell);
        let fleet = Fleet::default();
        let view = View {
            config,
            now,
            observation,
            shard,
            shape,
            seen,
            memory,
            costs,
            taken,
            unwell,
            fleet,
        };
        views.insert(shard.id, view.counted());
    }
    let divides = |view: &View<'_>| {
        let busy = view.observation.topology.busy(view.shard.id);
        busy.is_some_and(|o| {
            matches!(o.kind, OperationKind::Split { .. } | OperationKind::Merge { .. })
        })
    };
    state.asked.retain(|shard, asked| {
        let view = views.get(shard).filter(|view| !divides(view));
        !observation.now_ms.is_past(asked.since, ASKED_FOR)
            && view.is_some_and(|view| wish(view, &asked.word).is_some())
    });
    let (judged, mut fresh) = judge_all(config, &views, &memories, &state.asked);
    let (load_managers, extra) = load_managers::decide(config, &state.load_managers, observation);
    state.load_managers = load_managers;

    let mut decisions: Vec<Decision> = judged.into_iter().chain(extra).collect();
    decisions.sort_by(|a, b| a.urgency().cmp(&b.urgency()));
    let desired_before = std::mem::take(&mut state.desired);
    state.desired.extra_load_managers = match state.load_managers.busy {
        Some(_) => desired_before.extra_load_managers,
        None => load_managers::extra(observation),
    };
    for (id, view) in &views {
        let kept = desired_before.shards.get(id).filter(|_| keeps(view));
        let (mach, level) = (view.mach(), view.writer_level());
        let rest = DesiredShard { mach, level, split: None, merge: None };
        let wanted = kept.copied().unwrap_or(rest);
        state.desired.shards.insert(*id, wanted);
    }
    let mut guard = Guard::new(config, &state, observation);
    for decision in &mut decisions {
        let choice = &decision.choice;
        stop_growth(&mut state.desired, observation, decision, &views);
        narrow(&mut state.desired, &mut fresh, decision, &views);
        if matches!(choice, Choice::Stay | Choice::BurstServe)
            || !decision.explanation.held.iter().all(is_advice)
        {
            continue;
        }
        if *choice == Choice::Abort {
            apply(config, &mut state.desired, observation, decision);
            continue;
        }
        if let Some(operation) = growing(observation, decision) {
            let mach = decision.shard.and_then(|s| views.get(&s)).map_or(0, View::mach);
            let wide = widen(config, &mut state, &mut guard, decision, mach);
            if !wide {
                decision.explanation.held.push(Held::Busy { operation });
            }
            continue;
        }
        match allow(config, &mut state, observation, &mut guard, decision) {
            Ok(choice) => {
                decision.choice = choice;
                apply(config, &mut state.desired, observation, decision);
            }
            Err(held) => decision.explanation.held.push(held),
        }
    }
    // What waited is asked for anew after an operation, by the figures of then: an approval is for
    // one operation.
    let waits = |d: &Decision| !d.explanation.held.iter().any(|h| matches!(h, Held::Busy { .. }));
    state.pending.retain(|_, p| decisions.iter().any(|d| same(d, &p.decision) && waits(d)));
    for decision in &decisions {
        let view = decision.shard.and_then(|s| views.get(&s));
        let Some(memory) = decision.shard.and_then(|s| fresh.get_mut(&s)) else { continue };
        tell(decision, view, memory, &mut events);
    }
    state.shards = fresh;
    Decided { state, decisions, events }
}

/// Reasons that say why something better was not chosen; they do not hold back what was.
fn is_advice(held: &Held) -> bool {
    matches!(
        held,
        Held::Unhelpful | Held::HotBucket | Held::CrossBucket | Held::Buckets | Held::Samples
    )
}

/// Hold, resume, approve, deny.
fn listen(state: &mut State, observation: &Observation) {
    for word in &observation.words {
        match word {
            OperatorWord::Hold => state.held = true,
            OperatorWord::Resume => state.held = false,
            OperatorWord::Split { shard, .. } | OperatorWord::Merge { left: shard, .. } => {
                let asked = Asked { since: observation.now_ms, word: word.clone() };
                state.asked.insert(*shard, asked);
            }
            OperatorWord::Approve { operation } | OperatorWord::Deny { operation } => {
                if let Some(pending) = state.pending.get_mut(operation) {
                    pending.approved = Some(matches!(word, OperatorWord::Approve { .. }));
                }
            }
            _ => {}
        }
    }
}

/// Brings the memory of every shard up to date; of shards that are gone it is dropped.
fn remember(
    config: &Config,
    state: &mut State,
    observation: &Observation,
    events: &mut Vec<EventKind>,
) {
    let before = std::mem::take(&mut state.shards);
    let (nothing, mut begun) = (ShardObservation::default(), 0);
    let topology = &observation.topology;
    let mut busy = BTreeMap::new();
    for operation in topology.operations().filter(|o| !o.kind.is_repair()) {
        busy.extend(operation.shards().into_iter().map(|shard| (shard, operation)));
    }
    for shard in topology.shards() {
        let seen = observation.shards.get(&shard.id).unwrap_or(&nothing);
        let (old, known) = (before.get(&shard.id), !before.is_empty());
        let flying = busy.get(&shard.id).copied();
        let (memory, starts, event) = refresh(config, old, known, observation, shard, seen, flying);
        // Of an operation on two shards the first one counts.
        begun += usize::from(starts && flying.is_some_and(|o| o.shard == Some(shard.id)));
        events.extend(event);
        state.shards.insert(shard.id, memory);
    }
    if state.shards.values().any(|m| m.surge.is_some_and(|s| !s.legitimate)) {
        state.load_managers.surged = Some(observation.now_ms);
    }
    account(state, observation, begun);
}

fn judge_all(
    config: &Config,
    views: &BTreeMap<ShardId, View<'_>>,
    memories: &BTreeMap<ShardId, ShardState>,
    asked: &BTreeMap<ShardId, Asked>,
) -> (Vec<Decision>, BTreeMap<ShardId, ShardState>) {
    let mut judged: BTreeMap<ShardId, Judgement> =
        views.iter().map(|(id, view)| (*id, judge(view, views.len()))).collect();
    let quiet = |view: &View<'_>| {
        let up = judged.get(&view.shard.id).is_none_or(|j| j.up);
        !up && view.memory.surge.is_none() && trigger::calm(view).0
    };
    let pairs = merge::pairs(views, quiet);
    let mut fresh = memories.clone();
    for (id, memory) in &mut fresh {
        let (Some(view), Some(judgement)) = (views.get(id), judged.get_mut(id)) else { continue };
        let since =
            |before: Option<super::TimeMs>, holds: bool| holds.then(|| before.unwrap_or(view.now));
        memory.up_since = since(memory.up_since, judgement.up);
        memory.down_since = since(memory.down_since, judgement.down);
        let crowded = view.replica_count() > config.replicas.max_replicas;
        memory.crowded_since = since(memory.crowded_since, crowded);
        memory.burst = judgement.burst;
        let pair = pairs.get(id);
        memory.merge_since = since(memory.merge_since, pair.is_some());
        // The load it looks at is the highest of `down-utilisation-window` already.
        let looked = if view.predictive() { config.forecast.down_utilisation_window.0 } else { 0 };
        let rest = Seconds(config.split.merge_window.0.saturating_sub(looked));
        let rested = memory.merge_since.is_some_and(|s| view.now.is_past(s, rest));
        let Some((right, comparisons)) = pair.filter(|_| rested) else { continue };
        if judgement.decision.choice > (Choice::Merge { right: *right }) {
            let (choice, mut held) = now_or_later(view, Choice::Merge { right: *right });
            held.extend(
                views.get(right).map(|v| now_or_later(v, choice.clone()).1).unwrap_or_default(),
            );
            let until = memory
                .cooldown_merge_until
                .max(memories.get(right).map_or(view.now, |m| m.cooldown_merge_until));
            if view.now < until {
                held.push(Held::CoolDown { remaining_ms: until.since_ms(view.now) });
            }
            let explanation = explain(view, Some(Rule::Down), comparisons.clone(), held, &choice);
            judgement.decision = Decision { shard: Some(*id), choice, explanation };
        }
    }
    for (id, asked) in asked {
        let Some((view, judgement)) = views.get(id).zip(judged.get_mut(id)) else { continue };
        let Some(choice) = wish(view, &asked.word) else { continue };
        let (choice, held) = now_or_later(view, choice);
        let explanation = explain(view, Some(Rule::Operator), Vec::new(), held, &choice);
        judgement.decision = Decision { shard: Some(*id), choice, explanation };
    }
    (judged.into_values().map(|j| j.decision).collect(), fresh)
}

/// What an operator asks of this shard. (`SwitchTo` is the planner's: it changes no shape.)
fn wish(view: &View<'_>, word: &OperatorWord) -> Option<Choice> {
    match word {
        OperatorWord::Split { shard, at } if *shard == view.shard.id => {
            let found = split::split(view, SplitCause::Reads).ok();
            let place = at.or(found.map(|goal| goal.at)).or(view.shard.range.middle())?;
            view.shard.range.split_at(place).ok()?;
            let level = view.config.levels.child_level.unwrap_or_else(|| view.writer_level());
            let cause = SplitCause::Reads;
            let goal = super::SplitGoal {
                at: place,
                cause,
                child_level: level,
                paired_level: None,
                nodes: split::nodes_for_reads(view),
            };
            Some(Choice::Split(goal))
        }
        OperatorWord::Merge { left, right } if *left == view.shard.id => {
            (view.shape.right == Some(*right)).then_some(Choice::Merge { right: *right })
        }
        _ => None,
    }
}

/// Whether what was wanted of the shard is still wanted: an operation is in flight on it, or a
/// member is lost and awaited.
fn keeps(view: &View<'_>) -> bool {
    view.memory.busy.is_some()
        || view.unhealthy().is_some()
        || view.observation.topology.work_on(view.shard.id).any(|o| o.kind.is_repair())
}

/// A shard that is to stay as it is.
fn as_it_is(observation: &Observation, shard: ShardId) -> Option<DesiredShard> {
    let (mach, topology) = (observation.topology.mach(shard), &observation.topology);
    Some(DesiredShard { mach, level: topology.writer_level(shard)?, split: None, merge: None })
}

fn apply(
    config: &Config,
    desired: &mut super::Desired,
    observation: &Observation,
    decision: &Decision,
) {
    match decision.choice {
        Choice::AddLoadManager => desired.extra_load_managers += 1,
        Choice::RemoveLoadManager { .. } => {
            desired.extra_load_managers = desired.extra_load_managers.saturating_sub(1);
        }
        _ => {}
    }
    let Some(shard) = decision.shard else { return };
    let Some(now) = as_it_is(observation, shard) else { return };
    let wanted = match decision.choice {
        Choice::Grow { nodes } => DesiredShard { mach: now.mach.saturating_add(nodes), ..now },
        Choice::Shrink => DesiredShard { mach: now.mach.saturating_sub(1), ..now },
        Choice::RaiseLevel { to } | Choice::LowerLevel { to } => DesiredShard { level: to, ..now },
        Choice::Split(goal) => DesiredShard { split: Some(goal), ..now },
        Choice::Merge { right } => {
            let replicas = [shard, right].map(|s| observation.topology.replicas(s).len());
            let mach = merge::mach(config, replicas.iter().sum());
            DesiredShard { merge: Some(right), mach, ..now }
        }
        _ => now,
    };
    desired.shards.insert(shard, wanted);
}

/// The operation that already lets the shard grow which `decision` wants to grow.
fn growing(observation: &Observation, decision: &Decision) -> Option<OperationId> {
    let grows = matches!(decision.choice, Choice::Grow { .. });
    let busy = observation.topology.busy(decision.shard.filter(|_| grows)?)?;
    (busy.kind == OperationKind::Grow).then_some(busy.id)
}

/// A shard that should be divided, or led by a bigger node, does not wait for the last of the nodes
/// that it grows by.
fn stop_growth(
    desired: &mut super::Desired,
    observation: &Observation,
    decision: &Decision,
    views: &BTreeMap<ShardId, View<'_>>,
) {
    let urgent = matches!(decision.choice, Choice::Split(_) | Choice::RaiseLevel { .. });
    let Some(view) = decision.shard.filter(|_| urgent).and_then(|s| views.get(&s)) else { return };
    let busy = observation.topology.busy(view.shard.id);
    if let Some(wanted) = desired.shards.get_mut(&view.shard.id)
        && busy.is_some_and(|o| o.kind == OperationKind::Grow)
    {
        wanted.mach = view.mach();
    }
}

/// Growth in flight goes less far once fewer nodes than are on their way have been enough for a
/// while: a ramp has ended.
fn narrow(
    desired: &mut super::Desired,
    fresh: &mut BTreeMap<ShardId, ShardState>,
    decision: &Decision,
    views: &BTreeMap<ShardId, View<'_>>,
) {
    let Some(view) = decision.shard.and_then(|s| views.get(&s)) else { return };
    let id = view.shard.id;
    let (Some(memory), Some(wanted)) = (fresh.get_mut(&id), desired.shards.get_mut(&id)) else {
        return;
    };
    let more = match decision.choice {
        Choice::Grow { nodes } => nodes,
        Choice::Stay if view.memory.surge.is_none() => 1,
        _ => u32::MAX,
    };
    let enough = view.mach().saturating_add(more);
    let busy = view.observation.topology.busy(id);
    let grows = view.predictive() && busy.is_some_and(|o| o.kind == OperationKind::Grow);
    if !grows || enough >= wanted.mach {
        memory.enough_since = None;
        return;
    }
    let since = *memory.enough_since.get_or_insert(view.now);
    if view.now.is_past(since, ENOUGH_FOR) {
        wanted.mach = enough;
    }
}

/// Lets growth in flight go further, if more is needed than is on its way.
fn widen(
    config: &Config,
    state: &mut State,
    guard: &mut Guard<'_>,
    decision: &Decision,
    mach: u32,
) -> bool {
    let (Choice::Grow { nodes }, Some(shard)) = (&decision.choice, decision.shard) else {
        return false;
    };
    let asks = config.budget.dry_run || config.budget.approve;
    let Some(wanted) = state.desired.shards.get_mut(&shard).filter(|_| !asks) else {
        return false;
    };
    let more = mach.saturating_add(*nodes).saturating_sub(wanted.mach);
    let granted = guard.admit_more(more);
    wanted.mach = wanted.mach.saturating_add(granted);
    granted > 0
}

/// The cluster's guards, then the operator: in a dry run nothing passes, and with `approve` only
/// what was approved.
fn allow(
    config: &Config,
    state: &mut State,
    observation: &Observation,
    guard: &mut Guard<'_>,
    decision: &Decision,
) -> Result<Choice, Held> {
    let own = decision.explanation.rule == Some(Rule::Operator);
    let asks = config.budget.dry_run || (config.budget.approve && !own);
    let known = state.pending.values().find(|p| same(&p.decision, decision));
    if asks && !(config.budget.approve && known.is_some_and(|p| p.approved == Some(true))) {
        if known.is_none() && !state.held {
            let id = state.next_operation.max(observation.topology.counters().operation);
            state.next_operation = id.next();
            pend(state, observation, id, decision);
        }
        return Err(if config.budget.dry_run { Held::DryRun } else { Held::Approval });
    }
    guard.admit(&decision.choice)
}

fn pend(state: &mut State, observation: &Observation, id: OperationId, decision: &Decision) {
    let (since, decision) = (observation.now_ms, decision.clone());
    state.pending.insert(id, Pending { since, decision, approved: None });
}

/// Whether two decisions are about the same thing, if not by the same figures.
pub(super) fn same(one: &Decision, other: &Decision) -> bool {
    use std::mem::discriminant;
    one.shard == other.shard && discriminant(&one.choice) == discriminant(&other.choice)
}

/// The state as if `decision` had been let through.
pub(crate) fn supposing(
    config: &Config,
    state: &State,
    observation: &Observation,
    decision: &Decision,
) -> State {
    let mut state = state.clone();
    apply(config, &mut state.desired, observation, decision);
    state
}

impl Decided {
    /// The reasons of what was decided about a shard (`None`: about Load Managers).
    pub fn explanation(&self, shard: Option<ShardId>) -> Option<&Explanation> {
        self.decisions.iter().find(|d| d.shard == shard).map(|d| &d.explanation)
    }
}
