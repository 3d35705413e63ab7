//! The clairvoyant: the cheapest number of nodes, minute by minute, for who knows the load, the
//! noise, and how long a node takes.
//!
//! A dynamic programme over the number of nodes. A minute's state is how many nodes serve; it is
//! allowed if their average response time stays under the target in that minute. A minute costs its
//! nodes. Each node that is added costs what it is paid before it serves, provisioning and sync;
//! taking one away is free. With `f(t, n)` the least cost of the minutes up to `t` that ends with `n`,
//!
//! `f(t, n) = n + min( min over m >= n of f(t-1, m), min over m < n of f(t-1, m) + (n - m) * lead )`,
//!
//! and both minima run along `n`, so a minute takes time linear in the most nodes.

use super::arrangement::Arrangement;
use super::model::{Answered, PROVISION_MEDIAN_S, TARGET_US, TICK_S, TICKS_PER_MINUTE, sync_s};
use super::trace::Load;

/// Above this many nodes no plan is made: it would take longer than the run.
const NODES_MAX: u32 = 400;

/// Seconds from a node's request until it serves.
pub fn lead_s() -> f64 {
    PROVISION_MEDIAN_S + sync_s()
}

/// A plan.
#[derive(Clone, PartialEq, Debug)]
pub struct Plan {
    /// Serving nodes by minute.
    pub nodes: Vec<u32>,
    /// The least number that is enough all the time.
    pub peak: u32,
}

/// The cheapest plan of at most `nodes_max` nodes; none if there is no load, or too many nodes would
/// be needed to find one.
pub fn plan(loads: &[Load], nodes_max: u32) -> Option<Plan> {
    let minutes: Vec<&[Load]> = loads.chunks(TICKS_PER_MINUTE).collect();
    let limit = nodes_max.min(NODES_MAX);
    let enough = |nodes: u32| minutes.iter().all(|minute| meets_target(nodes, minute));
    let peak = (1..=limit).find(|&nodes| enough(nodes))?;
    let allowed = |nodes: u32, minute: usize| {
        minutes.get(minute).is_some_and(|minute| nodes == peak || meets_target(nodes, minute))
    };
    let lead = lead_s() / 60.0;
    Some(Plan { nodes: cheapest(minutes.len(), peak, lead, allowed), peak })
}

/// Whether `nodes` keep the average of these ticks under the target.
fn meets_target(nodes: u32, minute: &[Load]) -> bool {
    let mut all = Answered::default();
    for &load in minute {
        all += Arrangement::best(nodes, load).answer(load);
    }
    all.average_us() < TARGET_US
}

/// The dynamic programme: `steps` numbers in `1..=most`, each `allowed` at its step, of least cost:
/// their sum and `lead` for each one by which a number is above the one before.
fn cheapest(steps: usize, most: u32, lead: f64, allowed: impl Fn(u32, usize) -> bool) -> Vec<u32> {
    let free = |nodes: u32, step: usize, cost: f64| {
        if allowed(nodes, step) { cost + f64::from(nodes) } else { f64::INFINITY }
    };
    let mut costs: Vec<f64> = (1..=most).map(|n| free(n, 0, 0.0)).collect();
    let mut came_from: Vec<Vec<u32>> = Vec::with_capacity(steps);
    for step in 1..steps {
        // From above: the cheapest of at least as many.
        let mut from = vec![(f64::INFINITY, 0_u32); costs.len()];
        let mut best = (f64::INFINITY, 0);
        for ((n, &cost), from) in (1..most + 1).zip(&costs).zip(&mut from).rev() {
            if cost < best.0 {
                best = (cost, n);
            }
            *from = best;
        }
        // From below: each further node costs its lead.
        let mut best = (f64::INFINITY, 0);
        for ((n, &cost), from) in (1..).zip(&costs).zip(&mut from) {
            best.0 += lead;
            if best.0 < from.0 {
                *from = best;
            }
            if cost < best.0 {
                best = (cost, n);
            }
        }
        costs = (1..).zip(&from).map(|(n, &(cost, _))| free(n, step, cost)).collect();
        came_from.push(from.into_iter().map(|(_, n)| n).collect());
    }
    let last = (1..).zip(&costs).min_by(|a, b| a.1.total_cmp(b.1)).map_or(most, |(n, _)| n);
    let mut plan = vec![last];
    let mut nodes = last;
    for from in came_from.iter().rev() {
        nodes = from.get(nodes.saturating_sub(1) as usize).copied().unwrap_or(most);
        plan.push(nodes);
    }
    plan.truncate(steps);
    plan.reverse();
    plan
}

impl Plan {
    /// Nodes that serve in a tick.
    pub fn serving(&self, tick: usize) -> u32 {
        let last = self.nodes.last().copied();
        self.nodes.get(tick / TICKS_PER_MINUTE).copied().or(last).unwrap_or(self.peak)
    }

    /// Nodes that are paid for in a tick: those that serve, and those that will soon.
    pub fn paid(&self, tick: usize) -> u32 {
        let lead = (lead_s() / f64::from(TICK_S)).ceil() as usize;
        let soon = (tick..=tick + lead).step_by(TICKS_PER_MINUTE).chain([tick + lead]);
        soon.map(|tick| self.serving(tick)).max().unwrap_or(self.peak)
    }

    /// What it costs in all.
    pub fn node_hours(&self) -> f64 {
        let ticks = self.nodes.len() * TICKS_PER_MINUTE;
        let paid: f64 = (0..ticks).map(|tick| f64::from(self.paid(tick))).sum();
        paid * f64::from(TICK_S) / 3600.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::random::Random;

    fn cost(plan: &[u32], lead: f64) -> f64 {
        let rises = plan.iter().zip(plan.iter().skip(1)).map(|(a, b)| b.saturating_sub(*a));
        plan.iter().sum::<u32>() as f64 + lead * f64::from(rises.sum::<u32>())
    }

    /// Every plan of `steps` numbers up to `most`.
    fn every(steps: usize, most: u32) -> Vec<Vec<u32>> {
        (0..steps).fold(vec![Vec::new()], |plans, _| {
            let longer = |plan: Vec<u32>| (1..=most).map(move |n| [plan.clone(), vec![n]].concat());
            plans.into_iter().flat_map(longer).collect()
        })
    }

    #[test]
    fn no_plan_is_cheaper() {
        let mut random = Random::new(1, 1);
        for round in 0..60 {
            let (steps, most, lead) = (5, 4, [0.4, 1.5, 2.7][round % 3]);
            // Not every larger number is allowed too: 8 nodes may be worse than 7.
            let open: Vec<Vec<bool>> = (0..steps)
                .map(|_| (1..=most).map(|n| n == most || random.share() < 0.5).collect())
                .collect();
            let allowed = |n: u32, step: usize| open[step][n as usize - 1];
            let legal = |p: &&Vec<u32>| p.iter().enumerate().all(|(step, &n)| allowed(n, step));
            let plans = every(steps, most);
            let least = plans.iter().filter(legal).map(|p| cost(p, lead)).fold(1e9, f64::min);
            let found = cheapest(steps, most, lead, allowed);
            assert!(legal(&&found), "{found:?} in {open:?}");
            assert!((cost(&found, lead) - least).abs() < 1e-9, "{found:?} in {open:?}: {least}");
        }
    }

    #[test]
    fn a_node_is_kept_over_a_short_valley_only() {
        let valley = |length: usize| {
            cheapest(length + 2, 3, 2.5, move |n, step| n >= 2 || step > 0 && step <= length)
        };
        assert_eq!(valley(2), [2, 2, 2, 2]);
        assert_eq!(valley(3), [2, 1, 1, 1, 2]);
    }

    #[test]
    fn it_pays_before_it_serves() {
        let mut nodes = vec![4; 10];
        nodes.extend([6; 10]);
        let plan = Plan { nodes, peak: 6 };
        assert_eq!((plan.serving(59), plan.serving(60)), (4, 6));
        assert_eq!((plan.paid(43), plan.paid(44)), (4, 6));
    }
}
