//! The operator: makes nodes when asked, and not always as one would wish.

use crate::autoscaler::{NodeRequest, OperatorWord, TimeMs};
use crate::simulator::random::Random;
use crate::simulator::run::World;
use crate::topology::{Level, RequestId};

/// Stream of a seed's random numbers: provisioning.
const PROVISIONING: u64 = 3;
/// An unreliable operator never answers this share of requests ...
const SILENT: f64 = 0.1;
/// ... makes two nodes for this share ...
const DOUBLE: f64 = 0.1;
/// ... and is late with this share, by this factor.
const LATE: f64 = 0.2;
const LATE_FACTOR: f64 = 6.0;

/// The operator.
pub struct Operator {
    unreliable: bool,
    pending: Vec<Arrival>,
    /// The latest attempt heard of each request.
    heard: std::collections::BTreeMap<RequestId, u32>,
    random: Random,
}

/// A node that will come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Arrival {
    /// For which request.
    pub request: RequestId,
    /// Of which level.
    pub level: Level,
    /// When.
    pub due: TimeMs,
}

impl Operator {
    pub fn new(world: &World) -> Self {
        Self {
            unreliable: world.trace.failures,
            pending: Vec::new(),
            heard: std::collections::BTreeMap::new(),
            random: Random::new(world.seed, PROVISIONING),
        }
    }

    /// Hears a request. Asking again for what is on its way changes nothing.
    pub fn request(&mut self, asked: &NodeRequest, now: TimeMs, words: &mut Vec<OperatorWord>) {
        let known = self.heard.insert(asked.request, asked.attempt);
        let coming = self.pending.iter().any(|p| p.request == asked.request);
        if coming || known.is_some_and(|attempt| attempt >= asked.attempt) {
            return;
        }
        let mood = if self.unreliable { self.random.share() } else { 1.0 };
        if mood < SILENT {
            return;
        }
        let times = if mood < SILENT + DOUBLE { 2 } else { 1 };
        let late = (SILENT + DOUBLE..SILENT + DOUBLE + LATE).contains(&mood);
        for _ in 0..times {
            let seconds = self.random.provision_s() * if late { LATE_FACTOR } else { 1.0 };
            let due = TimeMs(now.0 + (seconds * 1000.0) as u64);
            self.pending.push(Arrival { request: asked.request, level: asked.min_level, due });
            let (request, expected_ms) = (asked.request, due);
            words.push(OperatorWord::Accepted { request, expected_ms });
        }
    }

    /// The request is taken back. An unreliable operator brings the node all the same.
    pub fn cancel(&mut self, request: RequestId) {
        if !self.unreliable {
            self.pending.retain(|p| p.request != request);
        }
    }

    /// Nodes that come until `now`, in order.
    pub fn arrivals(&mut self, now: TimeMs) -> Vec<Arrival> {
        self.pending.sort_by_key(|p| (p.due, p.request));
        let later = self.pending.partition_point(|p| p.due <= now);
        self.pending.drain(..later).collect()
    }

    /// What is on its way.
    pub fn pending(&self) -> &[Arrival] {
        &self.pending
    }

    /// Levels of what is on its way, and paid for.
    pub fn coming(&self) -> impl Iterator<Item = Level> + '_ {
        self.pending.iter().map(|p| p.level)
    }
}
