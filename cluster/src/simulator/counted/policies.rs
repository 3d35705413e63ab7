//! The baselines.

use std::collections::VecDeque;

use super::{Counting, Seen, described, fit_for};
use crate::simulator::arrangement::{Arrangement, REPLICAS_MAX};
use crate::simulator::model::{TARGET_US, TICK_S, TICKS_PER_MINUTE};
use crate::simulator::oracle::Plan;
use crate::simulator::run::{Broken, Change, Cluster, Tick, World};
use crate::simulator::trace::Load;

/// What Kubernetes' horizontal autoscaler is told to hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Measure {
    /// Utilisation, at 70 %.
    Utilisation,
    /// Response time, at half of the target.
    ResponseTime,
}

/// Kubernetes' horizontal pod autoscaler with its defaults: replicas times measure by goal, rounded
/// up; nothing within 10 % of the goal; the highest of the last five minutes when it goes down; at
/// most twice as many, or four more, at a time. The measure is a mean over a minute, as its metrics
/// server gives it.
pub struct Hpa {
    measure: Measure,
    minute: VecDeque<f64>,
    recommended: VecDeque<u32>,
}

impl Hpa {
    const UTILISATION: f64 = 0.7;
    const TOLERANCE: f64 = 0.1;
    const STABILISATION_TICKS: usize = 300 / TICK_S as usize;
    /// Ticks that it lets pass between two decisions (its period is 15 s).
    const PERIOD_TICKS: usize = 2;

    pub fn new(measure: Measure) -> Self {
        Self { measure, minute: VecDeque::new(), recommended: VecDeque::new() }
    }

    /// Measure by goal.
    fn ratio(&mut self, seen: &Seen) -> f64 {
        let now = match self.measure {
            Measure::Utilisation => seen.utilisation / Self::UTILISATION,
            Measure::ResponseTime => seen.answered.average_us() / (TARGET_US / 2.0),
        };
        self.minute.push_back(now);
        if self.minute.len() > TICKS_PER_MINUTE {
            self.minute.pop_front();
        }
        self.minute.iter().sum::<f64>() / self.minute.len() as f64
    }
}

impl Counting for Hpa {
    fn nodes(&mut self, seen: &Seen) -> u32 {
        let ratio = self.ratio(seen);
        if !seen.at.is_multiple_of(Self::PERIOD_TICKS) {
            return seen.ordered;
        }
        let ready = seen.serving.replicas.max(1);
        let wanted = f64::from(ready) * ratio;
        let wanted = match (ratio - 1.0).abs() <= Self::TOLERANCE {
            true => ready,
            false => (wanted.ceil() as u32).min((ready * 2).max(ready + 4)),
        };
        self.recommended.push_back(nodes_with(wanted));
        if self.recommended.len() > Self::STABILISATION_TICKS / Self::PERIOD_TICKS {
            self.recommended.pop_front();
        }
        let highest = self.recommended.iter().copied().max().unwrap_or(seen.ordered);
        // Up at once; down only as far as everything of the last minutes allows.
        nodes_with(wanted).max(highest.min(seen.ordered))
    }
}

/// Nodes that have so many Replicas among them.
fn nodes_with(replicas: u32) -> u32 {
    let replicas = replicas.max(1);
    replicas + 2 * replicas.div_ceil(REPLICAS_MAX)
}

/// What the busiest minute needs.
pub struct Static(u32);

impl Static {
    pub fn new(world: &World) -> Self {
        let planned = world.oracle.as_ref().map(|plan| plan.peak);
        Self(planned.unwrap_or_else(|| {
            let peak =
                world.loads.iter().copied().reduce(|a, b| if b.rate() > a.rate() { b } else { a });
            fit_for(peak.unwrap_or_default(), world.nodes_max)
        }))
    }
}

impl Counting for Static {
    fn nodes(&mut self, _seen: &Seen) -> u32 {
        self.0
    }

    fn first(&self) -> Option<u32> {
        Some(self.0)
    }
}

/// A plan from outside.
pub struct Planned {
    steps: Vec<(f64, u32)>,
}

impl Planned {
    pub fn new(steps: Vec<(f64, u32)>) -> Self {
        Self { steps }
    }

    fn at(&self, seconds: f64) -> u32 {
        let begun = self.steps.iter().rev().find(|(from, _)| *from <= seconds);
        begun.or(self.steps.first()).map_or(1, |(_, nodes)| *nodes)
    }
}

impl Counting for Planned {
    fn nodes(&mut self, seen: &Seen) -> u32 {
        self.at((seen.at + 1) as f64 * f64::from(TICK_S))
    }

    fn first(&self) -> Option<u32> {
        Some(self.at(0.0))
    }
}

/// The oracle's cluster: its nodes serve the moment it wants, since it asked in time.
pub struct Oracle {
    plan: Plan,
}

impl Oracle {
    pub fn new(world: &World) -> Self {
        let nodes = vec![world.nodes_max];
        let none = || Plan { nodes, peak: world.nodes_max };
        Self { plan: world.oracle.clone().unwrap_or_else(none) }
    }
}

impl Cluster for Oracle {
    fn tick(&mut self, at: usize, load: Load) -> Result<Tick, Broken> {
        let (serving, paid) = (self.plan.serving(at), self.plan.paid(at));
        let used = Arrangement::best(serving, load);
        let mut tick = described(serving, used, load, used.answer(load));
        tick.paid = f64::from(paid);
        tick.others = paid - serving.min(paid);
        let before = self.plan.serving(at.saturating_sub(1));
        if serving != before {
            tick.changes.push(Change { of: 0, grows: Some(serving > before) });
            tick.copies = serving.saturating_sub(before);
        }
        Ok(tick)
    }
}
