//! What the autoscaler gets to see of the world.

use std::collections::{BTreeMap, VecDeque};

use super::serve::{Served, ShardServed, leader};
use super::{Cells, Stepped, TimeMs};
use crate::autoscaler::observation::{
    ClientMix, LoadManagerObservation, MemberObservation, NodeObservation, Provision,
    ShardObservation, Trend,
};
use crate::autoscaler::{Health, Seconds, Share};
use crate::simulator::model::{SHARD_BYTES, TICK_S, TICKS_PER_MINUTE, speed};
use crate::simulator::trace::Load;
use crate::topology::LoadManagerState;

/// Within this all connections of a draining Load Manager are gone.
const DRAINED_MS: u64 = 120_000;
/// Memory that a Load Manager uses.
const MEMORY: Share = Share::percent(30);
/// Bytes of an entry of the journal.
const ENTRY_BYTES: u64 = 1000;
/// Ticks over which the usual number of clients is averaged: an hour.
const USUAL_TICKS: f64 = 3600.0 / TICK_S as f64;
/// Ticks of `lm-window` and of `lm-idle-window`.
const WINDOW_TICKS: usize = 30;
const IDLE_TICKS: usize = 60;

/// What Load Managers feel.
pub struct Pressure {
    /// Level 1 nodes' worth of relaying, by tick.
    relayed: VecDeque<f64>,
    clients_usual: f64,
    /// Clients by tick.
    clients: VecDeque<f64>,
    trend: Trend,
}

impl Pressure {
    pub fn new(first: Load) -> Self {
        Self {
            relayed: VecDeque::new(),
            clients_usual: first.clients,
            clients: VecDeque::new(),
            trend: Trend::default(),
        }
    }

    /// Notes a tick's clients.
    fn note_clients(&mut self, clients: f64, window: Seconds) {
        self.clients_usual += (clients - self.clients_usual) / USUAL_TICKS;
        self.clients.push_back(clients);
        if self.clients.len() > Trend::cells(window) {
            self.clients.pop_front();
        }
        self.trend = Trend::of_clients(self.clients.make_contiguous(), window);
    }

    /// Notes a tick's relaying.
    pub fn note(&mut self, relayed: f64) {
        self.relayed.push_back(relayed);
        if self.relayed.len() > IDLE_TICKS {
            self.relayed.pop_front();
        }
    }

    fn mean(&self) -> f64 {
        let last = self.relayed.iter().rev().take(WINDOW_TICKS);
        last.clone().sum::<f64>() / last.len().max(1) as f64
    }

    /// The highest minute.
    fn highest(&self) -> f64 {
        let all: Vec<f64> = self.relayed.iter().copied().collect();
        let minutes = all.chunks(TICKS_PER_MINUTE);
        minutes.map(|m| m.iter().sum::<f64>() / m.len() as f64).fold(0.0, f64::max)
    }
}

impl Stepped<'_> {
    /// Brings the observation up to `now`.
    pub(super) fn observe(&mut self, now: TimeMs, load: Load, served: &Served) {
        self.observation.now_ms = now;
        if now.0.is_multiple_of(u64::from(TICK_S) * 1000) {
            self.pressure.note_clients(load.clients, self.config.forecast.down_utilisation_window);
            self.leave_surges_out(now);
            self.windows.clear();
        }
        self.observe_shards(now, load, served);
        self.observe_nodes(now, load);
        self.observation.words = std::mem::take(&mut self.words);
        let pending = self.operator.pending().iter().map(|p| Provision {
            request: Some(p.request),
            node: None,
            level: Some(p.level),
            expected_ms: Some(p.due),
        });
        let joined = self.observation.topology.nodes().filter(|n| n.request.is_some());
        let joined = joined.map(|n| Provision {
            request: n.request,
            node: Some(n.id),
            level: Some(n.level),
            expected_ms: None,
        });
        self.observation.provisions = pending.chain(joined).collect();
    }

    /// Cells of a surge that is absorbed count for no average (X13).
    fn leave_surges_out(&mut self, now: TimeMs) {
        let patience = self.config.surge.surge_patience;
        for (id, cells) in &mut self.cells {
            let surge = self.state.shards.get(id).and_then(|s| s.surge);
            if let Some(surge) = surge {
                let absorbed = !surge.legitimate && !now.is_past(surge.since, patience);
                cells.0.mark(surge.since, absorbed);
                cells.1.mark(surge.since, absorbed);
            }
            cells.0.forget(&self.config, now);
            cells.1.forget(&self.config, now);
        }
    }

    fn observe_shards(&mut self, now: TimeMs, load: Load, served: &Served) {
        let (copies, dead, usual) = (&self.copies, &self.dead, self.pressure.clients_usual);
        let none = ShardServed::default();
        let mut seen = BTreeMap::new();
        for shard in self.observation.topology.shards() {
            let did = served.shards.get(&shard.id).unwrap_or(&none);
            let last = self.state.shards.get(&shard.id).and_then(|s| s.last_completed);
            let requests = did.rate * f64::from(TICK_S);
            let (reads, writes) = match self.windows.get(&shard.id) {
                Some((since, reads, writes)) if *since == last => (*reads, *writes),
                _ => {
                    let cells = self.cells.entry(shard.id).or_default();
                    let windows = |cells: &Cells| cells.windows(&self.config, now, last);
                    let (reads, writes) = (windows(&cells.0), windows(&cells.1));
                    self.windows.insert(shard.id, (last, reads, writes));
                    (reads, writes)
                }
            };
            let members = shard.members.keys().map(|&node| {
                let lag_bytes = copies.lacks(shard.id, node);
                let member = MemberObservation {
                    lag_entries: lag_bytes / ENTRY_BYTES,
                    lag_bytes,
                    seeded: lag_bytes == 0,
                    serving: !dead.contains_key(&node),
                    work: did.work.get(&node).copied().unwrap_or_default(),
                };
                (node, member)
            });
            let shard_seen = ShardObservation {
                leader: leader(&self.observation.topology, dead, shard),
                term: shard.epoch.0,
                members: members.collect(),
                bytes: SHARD_BYTES,
                heat: self.heat.hottest(shard.id, shard.range, load.hot, requests),
                heat_total: requests as u64,
                working_set_bytes: SHARD_BYTES / 10,
                reads,
                writes,
                clients: ClientMix {
                    clients: load.clients as u32,
                    trend: self.pressure.trend,
                    clients_usual: usual as u32,
                    busiest: Share::from_f64(load.busiest),
                    hits: Share::ONE,
                    hits_usual: Share::ONE,
                },
                cross_bucket: None,
            };
            seen.insert(shard.id, shard_seen);
        }
        self.observation.shards = seen;
    }

    fn observe_nodes(&mut self, now: TimeMs, load: Load) {
        let topology = &self.observation.topology;
        let on = topology.load_managers().filter(|n| !self.dead.contains_key(&n.id));
        let (count, power) = on.fold((0.0, 0.0), |(n, p), node| (n + 1.0, p + speed(node.level)));
        let each = load.clients / f64::max(count, 1.0);
        let cpu = |demand: f64| Share::from_f64(demand / f64::max(power, 1.0));
        self.draining.retain(|node, _| {
            topology.node(*node).is_some_and(|n| n.load_manager == LoadManagerState::Draining)
        });
        let (mut nodes, mut managers) = (BTreeMap::new(), BTreeMap::new());
        for node in topology.nodes() {
            let lost = self.dead.get(&node.id);
            let connections = match node.load_manager {
                LoadManagerState::Off => 0.0,
                LoadManagerState::On => each,
                LoadManagerState::Draining => {
                    let since = *self.draining.entry(node.id).or_insert(now);
                    each * (1.0 - now.since_ms(since) as f64 / DRAINED_MS as f64).max(0.0)
                }
            };
            let connections = if lost.is_some() { 0 } else { connections as u32 };
            let health = if lost.is_some() { Health::Down } else { Health::Up };
            let since_ms = lost.map_or(TimeMs(0), |(since, _)| *since);
            nodes.insert(node.id, NodeObservation { health, since_ms, connections });
            if node.is_load_manager() && lost.is_none() {
                let seen = LoadManagerObservation {
                    cpu: cpu(self.pressure.mean()),
                    memory: MEMORY,
                    cpu_idle_max: cpu(self.pressure.highest()),
                    connections,
                    queue_wait_us: 0,
                };
                managers.insert(node.id, seen);
            }
        }
        self.observation.nodes = nodes;
        self.observation.load_managers = managers;
    }
}
