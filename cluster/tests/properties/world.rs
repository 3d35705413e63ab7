//! A cluster that lives: load is served, nodes come late or twice, copies take their time, nodes
//! fail and return, the deciding process crashes in the middle of its actions.

use std::collections::{BTreeMap, BTreeSet};

use cluster::autoscaler::observation::{
    LoadManagerObservation, MemberObservation, ShardObservation,
};
use cluster::autoscaler::{
    Action, ActionKind, Cells, Config, EventKind, Health, Observation, OperatorWord, Share, State,
    TimeMs,
};
use cluster::plan::Step as Text;
use cluster::step::step;
use cluster::topology::{Level, NodeId, RequestId, ShardId, Topology};

use super::checks::Checks;
use super::load::{Load, serve};

/// From one observation to the next: one cell.
pub const TICK_MS: u64 = 10_000;
/// Requests per second that fill a Load Manager.
const GATEWAY: u64 = 60_000;

/// How the world behaves.
#[derive(Clone, Copy, Debug)]
pub struct Manners {
    /// Ticks until a node joins.
    pub join: u32,
    /// Ticks that a copy takes.
    pub sync: u32,
    /// Every so many requests are answered by two nodes; 0: none.
    pub twice: u32,
    /// Every so many requests are answered only when asked again; 0: none.
    pub deaf: u32,
    /// Ticks until connections of a draining Load Manager have ended.
    pub drain: u32,
    /// Another leader is elected by the group itself, not by instruction.
    pub elects: bool,
}

#[derive(Clone)]
pub struct World {
    pub config: Config,
    pub state: State,
    pub topology: Topology,
    pub now: u64,
    pub load: Load,
    pub manners: Manners,
    pub down: BTreeMap<NodeId, u64>,
    pub words: Vec<OperatorWord>,
    /// Processor use of every Load Manager, if it is not to follow from the load.
    pub gateway: Option<Share>,
    pub checks: Checks,
    pub events: Vec<EventKind>,
    pub actions: usize,
    /// Of the next actions only so many are carried out; the state is then the old or the new one.
    pub crash: Option<(usize, bool)>,
    cells: BTreeMap<ShardId, (Cells, Cells)>,
    syncing: BTreeMap<(ShardId, NodeId), u32>,
    coming: Vec<(u64, RequestId, Level)>,
    fencing: Vec<(u64, NodeId)>,
    draining: BTreeMap<NodeId, u32>,
    asked: BTreeSet<RequestId>,
}

impl World {
    pub fn new(topology: &str, config: Config, manners: Manners, checks: Checks) -> Self {
        Self {
            config,
            state: State::default(),
            topology: topology.parse().unwrap_or_else(|e| panic!("{topology}: {e}")),
            now: 1_000_000,
            load: Load::default(),
            manners,
            down: BTreeMap::new(),
            words: Vec::new(),
            gateway: None,
            checks,
            events: Vec::new(),
            actions: 0,
            crash: None,
            cells: BTreeMap::new(),
            syncing: BTreeMap::new(),
            coming: Vec::new(),
            fencing: Vec::new(),
            draining: BTreeMap::new(),
            asked: BTreeSet::new(),
        }
    }

    pub fn up(&self, node: NodeId) -> bool {
        self.topology.node(node).is_some_and(|n| !n.fenced) && !self.down.contains_key(&node)
    }

    pub fn is_warm(&self, shard: ShardId, node: NodeId) -> bool {
        self.syncing.get(&(shard, node)).is_none_or(|left| *left == 0)
    }

    pub fn fail(&mut self, node: NodeId) {
        self.down.entry(node).or_insert(self.now);
    }

    pub fn heal(&mut self, node: NodeId) {
        if self.topology.node(node).is_some_and(|n| !n.fenced) {
            self.down.remove(&node);
        }
    }

    /// A majority of the shard's voters lives.
    pub fn has_quorum(&self, shard: ShardId) -> bool {
        let found = self.topology.shard(shard).unwrap();
        [found.voters(), found.voters_before()].iter().all(|voters| {
            let live = voters.iter().filter(|&&n| self.up(n)).count();
            2 * live > voters.len()
        })
    }

    /// Ten seconds pass, then the autoscaler has its second.
    pub fn tick(&mut self) -> usize {
        self.now += TICK_MS;
        self.serve();
        self.happen();
        let seen = self.observe();
        self.words.clear();
        let done = step(&self.config, &self.state, &seen);
        self.checks.again(&self.config, &done, &seen);
        let (mut actions, mut state) = (done.actions, done.state);
        let crashed = self.crash.is_some();
        if let Some((cut, old)) = self.crash.take() {
            actions.truncate(cut);
            if old {
                state = self.state.clone();
            }
        }
        self.state = state;
        for action in &actions {
            self.carry_out(action, &seen);
        }
        self.events.extend(done.events.into_iter().map(|e| e.kind));
        if !crashed {
            let checks = std::mem::take(&mut self.checks);
            checks.after_step(self);
            self.checks = checks;
        }
        self.actions += actions.len();
        actions.len()
    }

    fn serve(&mut self) {
        let at = TimeMs(self.now - TICK_MS);
        let (topology, load) = (&self.topology, self.load);
        let up = |n: NodeId| self.up(n);
        let served: Vec<_> =
            topology.shards().map(|s| (s.id, serve(topology, s, load, &up))).collect();
        for (shard, served) in served {
            let (reads, writes) = self.cells.entry(shard).or_default();
            reads.record(at, served.reads);
            writes.record(at, served.writes);
            let surge = self.state.shards.get(&shard).and_then(|s| s.surge);
            for cells in [reads, writes] {
                if let Some(surge) = surge {
                    cells.mark(surge.since, !surge.legitimate);
                }
                cells.forget(&self.config, TimeMs(self.now));
            }
        }
        self.cells.retain(|s, _| self.topology.shard(*s).is_some());
    }

    /// What others do meanwhile.
    fn happen(&mut self) {
        self.syncing.values_mut().for_each(|left| *left = left.saturating_sub(1));
        let topology = &self.topology;
        self.syncing.retain(|(s, n), _| topology.member(*s, *n).is_some());
        let due: Vec<_> = self.coming.extract_if(.., |(at, ..)| *at <= self.now).collect();
        for (_, request, level) in due {
            self.topology.join(level, None, Some(request));
        }
        let fenced: Vec<_> = self.fencing.extract_if(.., |(at, _)| *at <= self.now).collect();
        self.words.extend(fenced.into_iter().map(|(_, node)| OperatorWord::Fenced { node }));
        for node in self.topology.nodes() {
            let draining = node.load_manager == cluster::topology::LoadManagerState::Draining;
            let left = self.draining.entry(node.id).or_insert(self.manners.drain);
            *left = if draining { left.saturating_sub(1) } else { self.manners.drain };
        }
        self.down.retain(|n, _| self.topology.node(*n).is_some());
    }

    pub fn observe(&self) -> Observation {
        let mut seen = Observation::of(TimeMs(self.now), self.topology.clone());
        for (node, known) in &mut seen.nodes {
            known.connections = self.draining.get(node).copied().unwrap_or(1);
            if let Some(since) = self.down.get(node) {
                (known.health, known.since_ms) = (Health::Down, TimeMs(*since));
            }
        }
        let up = |n: NodeId| self.up(n);
        for shard in self.topology.shards() {
            let served = serve(&self.topology, shard, self.load, &up);
            let works: BTreeMap<_, _> = served.work.into_iter().collect();
            let members = shard.members.keys().map(|&node| {
                let warm = self.is_warm(shard.id, node);
                let lag = if warm { 0 } else { 1 << 30 };
                let member = MemberObservation {
                    lag_entries: lag,
                    lag_bytes: lag,
                    seeded: warm,
                    serving: true,
                    work: works.get(&node).copied().unwrap_or_default(),
                };
                (node, member)
            });
            let last = self.state.shards.get(&shard.id).and_then(|s| s.last_completed);
            let nothing = (Cells::default(), Cells::default());
            let (reads, writes) = self.cells.get(&shard.id).unwrap_or(&nothing);
            let now = TimeMs(self.now);
            let of_shard = ShardObservation {
                leader: self.leader(shard.id),
                term: shard.epoch.0,
                members: members.collect(),
                bytes: 10_000_000 * u64::from(shard.range.count()),
                reads: reads.windows(&self.config, now, last),
                writes: writes.windows(&self.config, now, last),
                ..ShardObservation::default()
            };
            seen.shards.insert(shard.id, of_shard);
        }
        let gateways: Vec<NodeId> =
            self.topology.load_managers().map(|n| n.id).filter(|&n| self.up(n)).collect();
        let rate = u64::from(self.load.reads) + u64::from(self.load.writes);
        for &node in &gateways {
            let even = Share::of(rate, GATEWAY * gateways.len() as u64);
            let cpu = self.gateway.unwrap_or(even);
            let known = LoadManagerObservation { cpu, cpu_idle_max: cpu, ..Default::default() };
            seen.load_managers.insert(node, known);
        }
        seen.words = self.words.clone();
        seen
    }

    fn leader(&self, shard: ShardId) -> Option<NodeId> {
        let found = self.topology.shard(shard).unwrap();
        if self.up(found.writer) && self.has_quorum(shard) {
            return Some(found.writer);
        }
        let votes = |n: &NodeId| found.voters().contains(n) && self.up(*n);
        let elected = found.members.keys().copied().rfind(votes);
        elected.filter(|_| self.manners.elects && self.has_quorum(shard))
    }

    fn carry_out(&mut self, action: &Action, seen: &Observation) {
        let before = self.topology.clone();
        match &action.kind {
            ActionKind::RequestNode(asked) => {
                self.ask(asked.request, asked.min_level, asked.attempt)
            }
            ActionKind::CancelRequest { request } => {
                self.coming.retain(|(_, r, _)| r != request);
            }
            ActionKind::AttachLearner { node, shard, .. } => {
                let fresh = self.topology.member(*shard, *node).is_none();
                // The rest of a part is another copy.
                let part = self.topology.member(*shard, *node).is_some_and(|m| m.part.is_some());
                if fresh || part {
                    self.syncing.insert((*shard, *node), self.manners.sync);
                }
            }
            ActionKind::SplitShard { shard, child, .. } => {
                let inherited: Vec<_> = self
                    .syncing
                    .iter()
                    .filter(|((s, _), _)| s == shard)
                    .map(|(k, v)| (k.1, *v))
                    .collect();
                self.syncing.extend(inherited.into_iter().map(|(n, left)| ((*child, n), left)));
            }
            ActionKind::Fence { node } => {
                let confirmed = OperatorWord::Fenced { node: *node };
                if !seen.words.contains(&confirmed) {
                    self.fencing.push((self.now + 3 * TICK_MS, *node));
                    return;
                }
            }
            _ => {}
        }
        let checks = std::mem::take(&mut self.checks);
        checks.before_action(self, action);
        self.topology.apply(action).unwrap_or_else(|e| panic!("{}: {e}\n{before}", Text(action)));
        self.checks = checks;
        let mut checks = std::mem::take(&mut self.checks);
        checks.after_action(self, &before, action);
        self.checks = checks;
    }

    fn ask(&mut self, request: RequestId, level: Level, attempt: u32) {
        let (manners, now) = (self.manners, self.now);
        let every = |n: u32| n > 0 && request.0.is_multiple_of(u64::from(n));
        let answered = self.coming.iter().any(|(_, r, _)| *r == request);
        if answered || (every(manners.deaf) && attempt == 1) {
            return;
        }
        let at = now + u64::from(manners.join) * TICK_MS;
        self.coming.push((at, request, level));
        if every(manners.twice) && self.asked.insert(request) {
            self.coming.push((at + 2 * TICK_MS, request, level));
        }
    }

    /// Ticks until nothing happens for a while; panics if that takes too long.
    pub fn settle(&mut self, calm: u32, most: u32) {
        let mut quiet = 0;
        for _ in 0..most {
            let acted = self.tick() > 0;
            let open = self.topology.operations().count() > 0 || !self.coming.is_empty();
            quiet = if acted || open { 0 } else { quiet + 1 };
            if quiet >= calm {
                return;
            }
        }
        panic!("no rest after {most} ticks: {}", self.topology);
    }
}
