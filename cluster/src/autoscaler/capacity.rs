//! What nodes can do: costs learned from how long they were busy, and utilisation predicted from
//! them (3.1, X11).
//!
//! A Replica's utilisation is its part of the reads and all writes applied:
//! `R*read/n + W*apply`; a Writer's is `W*write`. Where Replicas differ, Load Managers give each as
//! much as makes them equally busy. A level that was never measured is taken to do as much more (or
//! less) as its number says.

use super::forecast::Load;
use super::observation::{Observation, ShardObservation, Work};
use super::state::{CapacityTable, LevelCost};
use crate::topology::Level;

/// Costs in seconds of a node's time.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Cost {
    pub read: f64,
    pub write: f64,
    pub apply: f64,
}

/// How busy Replicas (or who else serves reads) and the Writer are, 1.0 being always.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(super) struct Utilisation {
    pub reads: f64,
    pub writes: f64,
}

impl Utilisation {
    pub(super) fn highest(self) -> f64 {
        self.reads.max(self.writes)
    }
}

/// A node that serves reads: what they cost it, and what other shards take of its time.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Server {
    pub cost: Cost,
    pub taken: f64,
}

impl CapacityTable {
    /// Learns from what the members of all shards did in the forecast window.
    pub(super) fn learn(&mut self, observation: &Observation, min_samples: u64) {
        let mut seen: std::collections::BTreeMap<Level, Work> =
            self.levels.keys().map(|&level| (level, Work::default())).collect();
        for member in observation.shards.values().flat_map(|s| &s.members) {
            let Some(node) = observation.topology.node(*member.0) else { continue };
            let (sum, work) = (seen.entry(node.level).or_default(), member.1.work);
            sum.reads = sum.reads.saturating_add(work.reads);
            sum.read_busy_us = sum.read_busy_us.saturating_add(work.read_busy_us);
            sum.writes = sum.writes.saturating_add(work.writes);
            sum.write_busy_us = sum.write_busy_us.saturating_add(work.write_busy_us);
            sum.applied = sum.applied.saturating_add(work.applied);
            sum.apply_busy_us = sum.apply_busy_us.saturating_add(work.apply_busy_us);
        }
        for (level, work) in seen {
            let samples = work.reads.saturating_add(work.writes).saturating_add(work.applied);
            if samples < min_samples {
                continue;
            }
            let cost = self.levels.entry(level).or_default();
            let enough = min_samples / 10;
            mix(&mut cost.read_ns, work.read_busy_us, work.reads, enough);
            mix(&mut cost.write_ns, work.write_busy_us, work.writes, enough);
            mix(&mut cost.apply_ns, work.apply_busy_us, work.applied, enough);
            cost.samples = samples;
        }
    }

    /// What requests cost on `level`; by `seen`, what the shard's Load Managers were told, if no
    /// level was measured. None if nothing is known.
    pub(super) fn cost(
        &self,
        level: Level,
        writer: Level,
        seen: &ShardObservation,
    ) -> Option<Cost> {
        let far = |known: &Level| known.number().abs_diff(level.number());
        let nearest = self.levels.iter().filter(|(_, c)| c.read_ns > 0 || c.write_ns > 0);
        if let Some((known, cost)) = nearest.min_by_key(|(k, _)| (far(k), **k)) {
            return Some(scaled(*cost, *known, level));
        }
        let busy =
            |a: super::Aggregate| a.busy_us.saturating_mul(1000).checked_div(a.n).unwrap_or(0);
        let (read_ns, write_ns) = (busy(seen.reads.forecast), busy(seen.writes.forecast));
        let cost = LevelCost { read_ns, write_ns, apply_ns: 0, samples: 1 };
        (read_ns > 0 || write_ns > 0).then(|| scaled(cost, writer, level))
    }
}

/// Moves an average of nanoseconds an eighth of the way; the first one is taken as it is.
fn mix(average: &mut u64, busy_us: u64, n: u64, enough: u64) {
    if n == 0 || n < enough {
        return;
    }
    let new = busy_us.saturating_mul(1000) / n;
    *average = if *average == 0 { new } else { *average - *average / 8 + new / 8 };
}

fn scaled(cost: LevelCost, known: Level, level: Level) -> Cost {
    let factor = f64::from(known.number()) / f64::from(level.number()) / 1e9;
    let or = |ns: u64, other: u64| (if ns > 0 { ns } else { other }) as f64 * factor;
    // What was never seen costs as much as its nearest relative.
    Cost {
        read: or(cost.read_ns, cost.write_ns),
        write: or(cost.write_ns, cost.read_ns),
        apply: or(cost.apply_ns, cost.write_ns),
    }
}

/// How busy `servers` are with the reads of `load` and with applying its writes.
pub(super) fn replicas(load: Load, servers: impl Iterator<Item = Server>) -> f64 {
    let (mut speed, mut fixed) = (0.0, 0.0);
    for Server { cost, taken } in servers {
        let read = cost.read.max(1e-12);
        speed += 1.0 / read;
        fixed += (load.writes * cost.apply + taken) / read;
    }
    if speed > 0.0 { (load.reads + fixed) / speed } else { f64::INFINITY }
}
