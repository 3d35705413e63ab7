//! What a cluster may do at once, in an hour, in a day, and with how many nodes (3.2 guards, I9).
//! Repairs never pass here.

use std::collections::BTreeSet;

use super::config::Config;
use super::explain::Held;
use super::state::{Answer, Request, State};
use super::{Choice, Observation, TimeMs};
use crate::topology::{InFlight, RequestId};

/// Milliseconds of an hour.
const HOUR_MS: u64 = 3_600_000;
/// Milliseconds of a day.
const DAY_MS: u64 = 24 * HOUR_MS;

/// What is left to give this second.
pub(super) struct Guard<'a> {
    config: &'a Config,
    now: TimeMs,
    held: bool,
    in_flight: InFlight,
    nodes: u32,
    more_nodes: u32,
    actions: Option<usize>,
    hours_left: bool,
}

impl<'a> Guard<'a> {
    pub(super) fn new(config: &'a Config, state: &State, observation: &Observation) -> Self {
        let topology = &observation.topology;
        let nodes = u32::try_from(topology.node_count()).unwrap_or(u32::MAX);
        // What was asked for a moment ago and is not observed yet is asked for again, not besides;
        // whoever has joined is counted as a node.
        let next = topology.counters().operation;
        let joined: BTreeSet<RequestId> = topology.nodes().filter_map(|n| n.request).collect();
        let waits = |(id, r): &(&RequestId, &Request)| {
            let came = matches!(r.answer, Answer::Joined { .. }) || joined.contains(id);
            r.operation < next && !came
        };
        let open = state.requests.iter().filter(waits);
        let open = u32::try_from(open.count()).unwrap_or(u32::MAX);
        let actions = config.budget.max_actions_per_hour;
        let hours = config.budget.max_node_hours_per_day;
        Self {
            config,
            now: observation.now_ms,
            held: state.held,
            in_flight: topology.in_flight(),
            nodes,
            more_nodes: config.replicas.max_nodes.saturating_sub(nodes.saturating_add(open)),
            actions: actions.map(|n| (n as usize).saturating_sub(state.budget.begun.len())),
            hours_left: hours.is_none_or(|n| state.budget.node_ms < u64::from(n) * HOUR_MS),
        }
    }

    /// Lets `choice` pass, perhaps with fewer nodes, or says why not.
    pub(super) fn admit(&mut self, choice: &Choice) -> Result<Choice, Held> {
        let wanted = nodes_for(choice);
        if self.held {
            return Err(Held::Operator);
        }
        if self.actions == Some(0) || (wanted > 0 && !self.hours_left) {
            return Err(Held::Budget);
        }
        if self.is_quiet() && matches!(choice, Choice::Merge { .. }) {
            return Err(Held::QuietHours);
        }
        let leaves = matches!(choice, Choice::Shrink | Choice::RemoveLoadManager { .. });
        if leaves && self.nodes <= self.config.replicas.min_nodes {
            return Err(Held::MinNodes);
        }
        let granted = match choice {
            Choice::Grow { nodes } if self.more_nodes > 0 => {
                Choice::Grow { nodes: (*nodes).min(self.more_nodes) }
            }
            _ if wanted > self.more_nodes => return Err(Held::MaxNodes),
            _ => choice.clone(),
        };
        let grows =
            matches!(choice, Choice::Grow { .. } | Choice::AddLoadManager | Choice::Split(_));
        if !self.config.budget.may_begin(grows, self.in_flight, self.nodes) {
            return Err(Held::Concurrency);
        }
        self.in_flight.add(grows);
        self.actions = self.actions.map(|n| n.saturating_sub(1));
        self.more_nodes = self.more_nodes.saturating_sub(nodes_for(&granted));
        self.nodes = self.nodes.saturating_sub(u32::from(leaves));
        Ok(granted)
    }

    /// How many more nodes growth in flight may ask for.
    pub(super) fn admit_more(&mut self, wanted: u32) -> u32 {
        let granted = if self.held || !self.hours_left { 0 } else { wanted.min(self.more_nodes) };
        self.more_nodes -= granted;
        granted
    }

    fn is_quiet(&self) -> bool {
        let minute = self.now.0 % DAY_MS / 60_000;
        self.config.budget.quiet_hours.is_some_and(|q| {
            let (from, until) = (u64::from(q.from), u64::from(q.until));
            if from < until {
                (from..until).contains(&minute)
            } else {
                minute >= from || minute < until
            }
        })
    }
}

/// Nodes that a choice asks for.
fn nodes_for(choice: &Choice) -> u32 {
    match choice {
        Choice::Grow { nodes } => *nodes,
        Choice::Split(goal) => goal.nodes,
        Choice::RaiseLevel { .. } | Choice::LowerLevel { .. } | Choice::AddLoadManager => 1,
        _ => 0,
    }
}

/// Keeps count of node-hours and of what was begun in the last hour.
pub(super) fn account(state: &mut State, observation: &Observation, begun: usize) {
    let (now, budget) = (observation.now_ms, &mut state.budget);
    let passed = budget.counted.map_or(0, |at| now.since_ms(at));
    if now.0 / DAY_MS != budget.day {
        (budget.day, budget.node_ms) = (now.0 / DAY_MS, 0);
    }
    let nodes = observation.topology.node_count() as u64;
    budget.node_ms = budget.node_ms.saturating_add(passed.saturating_mul(nodes));
    budget.counted = Some(now);
    budget.begun.extend(std::iter::repeat_n(now, begun));
    budget.begun.retain(|at| now.since_ms(*at) < HOUR_MS);
}
