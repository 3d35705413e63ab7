//! One second of the autoscaler: decide, plan, number what is told.

use crate::autoscaler::decide::supposing;
use crate::autoscaler::event::Reason;
use crate::autoscaler::{
    Action, ActionKind, Choice, Config, Decided, Decision, Event, EventKind, Observation, Purpose,
    State, decide,
};
use crate::plan::{Planned, reconcile};

/// The outcome of one second: one entry of the control group.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// The memory afterwards.
    pub state: State,
    /// What is to be done, in this order.
    pub actions: Vec<Action>,
    /// What operators are told, in this order.
    pub events: Vec<Event>,
}

/// [`decide`], then [`reconcile`], then numbers for the events. Total and deterministic.
///
/// Of a decision that waits for approval, or of a dry run, the plan is made and told, once, and not
/// followed; repairs and operations in flight go on.
pub fn step(config: &Config, state: &State, observation: &Observation) -> Step {
    let Decided { state: decided, decisions, mut events } = decide(config, state, observation);
    for (&operation, pending) in
        decided.pending.iter().filter(|(id, _)| !state.pending.contains_key(id))
    {
        let supposed = supposing(config, &decided, observation, &pending.decision);
        let before = reconcile(config, &decided, observation).actions;
        let mut actions = reconcile(config, &supposed, observation).actions;
        actions.retain(|a| !before.contains(a));
        let explanation = pending.decision.explanation.clone();
        events.push(EventKind::Plan { operation, actions, explanation });
    }
    let Planned { mut state, actions, events: planned } = reconcile(config, &decided, observation);
    // Begun a moment ago and not observed yet: told then.
    let new = |a: &&Action| !decided.operations.contains_key(&a.operation);
    events.extend(actions.iter().filter(new).filter_map(|action| fired(action, &decisions)));
    events.extend(planned.into_iter().map(|event| with_reason(event, &decisions)));
    let (epoch, now) = (observation.topology.epoch(), observation.now_ms);
    let number = |kind| {
        let seq = state.next_event;
        state.next_event = seq.saturating_add(1);
        Event::new(&config.cluster, seq, epoch, now, kind)
    };
    let events = events.into_iter().map(number).collect();
    Step { state, actions, events }
}

/// The decision behind an operation that begins.
fn fired(action: &Action, decisions: &[Decision]) -> Option<EventKind> {
    let ActionKind::BeginOperation { what, shard } = &action.kind else { return None };
    let found = decisions.iter().find(|d| d.shard == *shard).filter(|_| !what.is_repair())?;
    let idle = matches!(found.choice, Choice::Stay | Choice::BurstServe);
    (!idle).then(|| EventKind::TriggerFired {
        shard: *shard,
        operation: action.operation,
        choice: found.choice.clone(),
        explanation: found.explanation.clone(),
    })
}

/// A request for a node says which figure is behind it.
fn with_reason(event: EventKind, decisions: &[Decision]) -> EventKind {
    let EventKind::NodeRequest { request, deadline, reason: None } = event else { return event };
    let shard = match request.purpose {
        Purpose::Replace { .. } => {
            return EventKind::NodeRequest { request, deadline, reason: None };
        }
        Purpose::ExtraLoadManager { .. } => None,
        purpose => purpose.shard(),
    };
    let found = decisions.iter().find(|d| d.shard == shard);
    let first = found.and_then(|d| d.explanation.comparisons.first()).filter(|c| c.holds);
    let reason = first.map(|c| Reason {
        metric: c.metric,
        value: c.value,
        threshold: c.threshold,
        window: c.window,
    });
    EventKind::NodeRequest { request, deadline, reason }
}

#[cfg(test)]
mod tests;
