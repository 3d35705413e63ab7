//! More Load Managers, or fewer: the only decisions that processor and memory make (R24, R34, X30).

use std::collections::BTreeMap;

use super::config::Config;
use super::explain::{Comparison, Explanation, Figure, Held, Metric, Relation, Rule};
use super::state::LoadManagersState;
use super::{Choice, Decision, Observation, Seconds, Share};
use crate::topology::{Node, OperationId, OperationKind, ShardId};

/// Load Managers beyond the one of each shard. The second one of a shard that is being divided is the
/// child's.
pub(super) fn extra(observation: &Observation) -> u32 {
    let topology = &observation.topology;
    let divides = |s: ShardId| {
        topology.busy(s).is_some_and(|o| matches!(o.kind, OperationKind::Split { .. }))
    };
    let mut shadows: BTreeMap<ShardId, u32> = BTreeMap::new();
    for node in topology.load_managers() {
        if let Some(shard) = node.shadow.filter(|&s| !divides(s)) {
            *shadows.entry(shard).or_default() += 1;
        }
    }
    shadows.values().map(|n| n.saturating_sub(1)).fold(0, u32::saturating_add)
}

/// What to do about Load Managers, if anything, and what is remembered of them.
pub(super) fn decide(
    config: &Config,
    before: &LoadManagersState,
    observation: &Observation,
) -> (LoadManagersState, Option<Decision>) {
    let (mut memory, now) = (before.clone(), observation.now_ms);
    let busy = in_flight(observation);
    if memory.busy.is_some() && memory.busy != busy {
        memory.cooldown_until = now.after(config.load_manager.lm_window);
        memory.idle_since = None;
    }
    memory.busy = busy;
    let (over, compared) = pressed(config, observation);
    memory.over_since.retain(|node, _| over.contains(node));
    for node in over {
        memory.over_since.entry(node).or_insert(now);
    }
    let spare = spare(config, observation);
    memory.idle_since = match &spare {
        Some(_) if memory.over_since.is_empty() => memory.idle_since.or(Some(now)),
        _ => None,
    };
    // What the figures are the highest of is the idle window already.
    let idle = memory.idle_since.is_some();
    let (choice, rule, comparisons) = match spare {
        _ if !memory.over_since.is_empty() => {
            (Choice::AddLoadManager, Rule::LoadManagerUp, compared)
        }
        Some((node, comparisons)) if idle => {
            (Choice::RemoveLoadManager { node: node.id }, Rule::LoadManagerDown, comparisons)
        }
        _ => return (memory, None),
    };
    let mut held = Vec::new();
    if let Some(operation) = busy {
        held.push(Held::Busy { operation });
    }
    if now < memory.cooldown_until {
        held.push(Held::CoolDown { remaining_ms: memory.cooldown_until.since_ms(now) });
    }
    let rule = Some(rule);
    let explanation = Explanation { rule, comparisons, held, ..Explanation::default() };
    (memory, Some(Decision { shard: None, choice, explanation }))
}

/// The operation on Load Managers that is in flight.
fn in_flight(observation: &Observation) -> Option<OperationId> {
    let kinds = |kind: &OperationKind| {
        matches!(kind, OperationKind::AddLoadManager | OperationKind::RemoveLoadManager)
    };
    observation.topology.operations().find(|o| kinds(&o.kind)).map(|o| o.id)
}

/// The Load Managers at or over a threshold, and the highest figures.
fn pressed(
    config: &Config,
    observation: &Observation,
) -> (Vec<crate::topology::NodeId>, Vec<Comparison>) {
    let (rules, mut over) = (&config.load_manager, Vec::new());
    let (mut cpu, mut memory) = (Share::ZERO, Share::ZERO);
    for node in observation.topology.load_managers() {
        let Some(seen) = observation.load_managers.get(&node.id) else { continue };
        (cpu, memory) = (cpu.max(seen.cpu), memory.max(seen.memory));
        if seen.cpu >= rules.lm_cpu || seen.memory >= rules.lm_memory {
            over.push(node.id);
        }
    }
    let reached = |metric, value, bound| {
        let (value, bound) = (Figure::Share(value), Figure::Share(bound));
        Comparison::new(metric, value, Relation::AtLeast, bound, Some(rules.lm_window))
    };
    let mut compared = vec![
        reached(Metric::LoadManagerCpu, cpu, rules.lm_cpu),
        reached(Metric::LoadManagerMemory, memory, rules.lm_memory),
    ];
    compared.sort_by_key(|c| !c.holds);
    (over, compared)
}

/// The extra Load Manager that joined last, if the others could do its work.
fn spare<'a>(config: &Config, observation: &'a Observation) -> Option<(&'a Node, Vec<Comparison>)> {
    let rules = &config.load_manager;
    if extra(observation) == 0 {
        return None;
    }
    let topology = &observation.topology;
    let seen = |n: &Node| observation.load_managers.get(&n.id).copied();
    let all: Option<Vec<_>> = topology.load_managers().map(seen).collect();
    let all = all?;
    let others = u64::try_from(all.len()).ok()?.saturating_sub(1);
    let sum = |of: fn(&super::observation::LoadManagerObservation) -> Share| {
        all.iter().map(|lm| u64::from(of(lm).0)).sum::<u64>()
    };
    let each = |sum: u64| Some(Share(u32::try_from(sum.checked_div(others)?).ok()?));
    let cpu: Option<Share> = each(sum(|lm| lm.cpu_idle_max));
    let memory: Option<Share> = each(sum(|lm| lm.memory));
    let below = |metric, value: Share, bound, window: Seconds| {
        let (value, bound) = (Figure::Share(value), Figure::Share(bound));
        Comparison::new(metric, value, Relation::Below, bound, Some(window))
    };
    let comparisons = vec![
        below(Metric::LoadManagerCpu, cpu?, rules.lm_idle_cpu, rules.lm_idle_window),
        below(Metric::LoadManagerMemory, memory?, rules.lm_memory, rules.lm_window),
    ];
    // Its shard has another shadow, or it has none: nobody misses it.
    let needless = |n: &&Node| n.shadow.is_none_or(|s| topology.shadows(s).count() > 1);
    let newest = topology.load_managers().filter(needless).max_by_key(|n| n.joined)?;
    comparisons.iter().all(|c| c.holds).then_some((newest, comparisons))
}
