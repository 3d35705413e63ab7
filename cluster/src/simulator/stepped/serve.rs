//! A tick of requests: who answers them, and how soon.

use std::collections::BTreeMap;

use super::Stepped;
use crate::autoscaler::observation::Work;
use crate::autoscaler::{Aggregate, TimeMs};
use crate::simulator::arrangement::relay_us;
use crate::simulator::model::{
    APPLY, Answered, RELAY_US, SERVICE_US, TICK_S, admitted_share, response_us, speed,
};
use crate::simulator::trace::Load;
use crate::topology::{NodeId, Shard, ShardId, Topology};

/// Part of a tick in which a shard whose Writer was just lost has none.
const ELECTION: f64 = 0.2;

/// What a tick's requests came to.
#[derive(Default)]
pub struct Served {
    /// In all.
    pub answered: Answered,
    /// By shard: requests per second, and what its members did.
    pub shards: BTreeMap<ShardId, ShardServed>,
}

/// One shard.
#[derive(Default)]
pub struct ShardServed {
    /// Requests per second.
    pub rate: f64,
    /// What each member did.
    pub work: BTreeMap<NodeId, Work>,
}

/// What a node is asked for: parts of its time.
#[derive(Clone, Copy, Default)]
struct Demand {
    /// Reads and writes: they can be shed.
    asked: f64,
    /// Applied writes: they cannot.
    applied: f64,
}

/// One shard's requests and who gets them, with each one's part.
struct Plan {
    shard: ShardId,
    reads: f64,
    writes: f64,
    leader: Option<NodeId>,
    readers: Vec<(NodeId, f64)>,
    applying: Vec<NodeId>,
    /// Part of the tick in which writes are answered.
    led: f64,
}

impl Served {
    /// Busiest shard by mean shard.
    pub fn balance(&self) -> f64 {
        let rates = self.shards.values().map(|s| s.rate);
        let (most, sum) = rates.fold((0.0_f64, 0.0), |(most, sum), r| (most.max(r), sum + r));
        if sum > 0.0 { most * self.shards.len() as f64 / sum } else { 1.0 }
    }
}

impl Stepped<'_> {
    /// Answers a tick's requests, and counts them in cells.
    pub(super) fn serve(&mut self, begin: TimeMs, load: Load) -> Served {
        let shards: Vec<Shard> = self.observation.topology.shards().cloned().collect();
        let plans: Vec<Plan> = shards.iter().map(|s| self.plan(s, begin, load)).collect();
        let mut demands: BTreeMap<NodeId, Demand> = BTreeMap::new();
        for plan in &plans {
            for &(node, part) in &plan.readers {
                demands.entry(node).or_default().asked += self.time(node, plan.reads * part);
            }
            if let Some(leader) = plan.leader {
                demands.entry(leader).or_default().asked += self.time(leader, plan.writes);
            }
            for &node in &plan.applying {
                demands.entry(node).or_default().applied += self.time(node, plan.writes * APPLY);
            }
        }
        let relay = self.relay(load);
        let mut served = Served::default();
        for plan in &plans {
            let shard = self.serve_shard(plan, &demands, relay, begin, &mut served.answered);
            served.shards.insert(plan.shard, shard);
        }
        served
    }

    /// Part of a node's time that `rate` requests per second of level 1's service time take.
    fn time(&self, node: NodeId, rate: f64) -> f64 {
        rate * self.service_us(node) / 1e6
    }

    fn service_us(&self, node: NodeId) -> f64 {
        let level = self.observation.topology.node(node).map_or(super::ORDINARY, |n| n.level);
        SERVICE_US / speed(level)
    }

    fn plan(&mut self, shard: &Shard, begin: TimeMs, load: Load) -> Plan {
        let share = self.heat.share(shard.id, shard.range, load.hot);
        let warm = |node: NodeId| self.copies.lacks(shard.id, node) == 0;
        let alive = |node: NodeId| !self.dead.contains_key(&node);
        let leader = leader(&self.observation.topology, &self.dead, shard);
        let applying = |n: &NodeId| Some(*n) != leader && alive(*n) && warm(*n);
        let mut readers: Vec<NodeId> =
            shard.readers().into_iter().filter(|&n| alive(n) && warm(n)).collect();
        if readers.is_empty() {
            readers.extend(leader);
        }
        let all: f64 = readers.iter().map(|&n| 1.0 / self.service_us(n)).sum();
        let part = |&n: &NodeId| (n, 1.0 / self.service_us(n) / all);
        let just_lost = self.dead.get(&shard.writer).is_some_and(|(since, _)| *since == begin);
        Plan {
            shard: shard.id,
            reads: load.reads * share,
            writes: load.writes * share,
            leader,
            readers: readers.iter().map(part).collect(),
            applying: shard.members.keys().copied().filter(applying).collect(),
            led: if just_lost { 1.0 - ELECTION } else { 1.0 },
        }
    }

    /// Microseconds in a Load Manager, and the part of the requests that gets through.
    fn relay(&mut self, load: Load) -> (f64, f64) {
        let live = self.observation.topology.load_managers();
        let live = live.filter(|n| !self.dead.contains_key(&n.id));
        let power: f64 = live.map(|n| speed(n.level)).sum();
        self.pressure.note(load.rate() * RELAY_US / 1e6);
        if power <= 0.0 {
            return (0.0, 0.0);
        }
        let wanted = load.rate() * RELAY_US / 1e6 / power;
        (relay_us(load.rate(), power), admitted_share(wanted, 0.0))
    }

    fn serve_shard(
        &mut self,
        plan: &Plan,
        demands: &BTreeMap<NodeId, Demand>,
        relay: (f64, f64),
        begin: TimeMs,
        all: &mut Answered,
    ) -> ShardServed {
        let state = |node: NodeId| {
            let demand = demands.get(&node).copied().unwrap_or_default();
            let share = admitted_share(demand.asked, demand.applied) * relay.1;
            let us = response_us(self.service_us(node), demand.asked + demand.applied) + relay.0;
            (share, us)
        };
        let mut shard = ShardServed { rate: plan.reads + plan.writes, ..ShardServed::default() };
        let seconds = f64::from(TICK_S);
        let window_ms = u64::from(TICK_S) * 1000;
        let mut work = |node: NodeId, fill: &dyn Fn(&mut Work)| {
            let work = shard.work.entry(node).or_default();
            work.window_ms = window_ms;
            fill(work);
        };
        let (mut reads, mut read_busy) = (Answered::default(), 0.0);
        for &(node, part) in &plan.readers {
            let (share, us) = state(node);
            let rate = plan.reads * part;
            reads += Answered::of(rate, share, us);
            let busy = rate * share * self.service_us(node) * seconds;
            read_busy += busy;
            work(node, &|w| {
                w.reads = (rate * share * seconds) as u64;
                w.read_busy_us = busy as u64;
            });
        }
        if plan.readers.is_empty() {
            reads = Answered::of(plan.reads, 0.0, 0.0);
        }
        let (mut writes, mut write_busy) = (Answered::of(plan.writes, 0.0, 0.0), 0.0);
        if let Some(leader) = plan.leader {
            let (share, us) = state(leader);
            let share = share * plan.led;
            writes = Answered::of(plan.writes, share, us);
            write_busy = plan.writes * share * self.service_us(leader) * seconds;
            work(leader, &|w| {
                w.writes = (plan.writes * share * seconds) as u64;
                w.write_busy_us = write_busy as u64;
            });
        }
        for &node in &plan.applying {
            let applied = writes.answered * seconds;
            let busy = applied * APPLY * self.service_us(node);
            work(node, &|w| {
                w.applied = applied as u64;
                w.apply_busy_us = busy as u64;
            });
        }
        let cells = self.cells.entry(plan.shard).or_default();
        cells.0.record(begin, aggregate(reads, read_busy));
        cells.1.record(begin, aggregate(writes, write_busy));
        *all += reads;
        *all += writes;
        shard
    }
}

/// The Writer while it lives; else whom the voters elect: who serves before a shadow, then the
/// bigger, then the later. None without a majority.
pub fn leader(
    topology: &Topology,
    dead: &BTreeMap<NodeId, (TimeMs, Option<TimeMs>)>,
    shard: &Shard,
) -> Option<NodeId> {
    let alive = |node: &NodeId| !dead.contains_key(node);
    if alive(&shard.writer) && dead.is_empty() {
        return Some(shard.writer);
    }
    let quorum = [shard.voters(), shard.voters_before()]
        .iter()
        .all(|voters| 2 * voters.iter().filter(|n| alive(n)).count() > voters.len());
    if !quorum {
        return None;
    }
    if alive(&shard.writer) {
        return Some(shard.writer);
    }
    let rank =
        |id: &NodeId| topology.node(*id).map(|n| (n.shadow != Some(shard.id), n.level, n.joined));
    shard.voters().into_iter().filter(alive).max_by_key(rank)
}

/// A tick's requests as a cell counts them.
fn aggregate(answered: Answered, busy_us: f64) -> Aggregate {
    let seconds = f64::from(TICK_S);
    Aggregate {
        n: (answered.answered * seconds).round() as u64,
        sum_us: (answered.sum_us * seconds) as u64,
        timeouts: 0,
        shed: (answered.failed * seconds).round() as u64,
        busy_us: busy_us as u64,
    }
}
