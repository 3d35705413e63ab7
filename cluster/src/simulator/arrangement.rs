//! What a number of nodes can do at best: for policies that know nothing but a number.
//!
//! The roles are the product's: each shard needs a Writer and a Load Manager, the others serve
//! reads; a shard has at most five Replicas and at least two once there is more than one shard. Load
//! and Replicas are spread evenly over the shards, which no real split does better, so this favours
//! the baselines and the oracle.

use super::model::{APPLY, Answered, RELAY_US, SERVICE_US, admitted_share, response_us};
use super::trace::Load;

/// Most Replicas of a shard (R38).
pub const REPLICAS_MAX: u32 = 5;
/// Nodes of a shard at the most: with its Writer and its Load Manager.
const NODES_PER_SHARD_MAX: u32 = REPLICAS_MAX + 2;
/// Nodes of a shard at the least, if there are several (R61).
const NODES_PER_SHARD_MIN: u32 = 4;

/// Nodes by what they do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Arrangement {
    /// Shards, each with a Writer.
    pub shards: u32,
    /// Nodes that serve reads only.
    pub replicas: u32,
    /// Nodes that clients connect to.
    pub load_managers: u32,
}

impl Arrangement {
    /// Every way to use `nodes`, fewest shards first; at least one.
    pub fn all(nodes: u32) -> impl Iterator<Item = Self> {
        let fewest = nodes.div_ceil(NODES_PER_SHARD_MAX).max(1);
        let most = (nodes / NODES_PER_SHARD_MIN).max(fewest);
        (fewest..=most).map(move |shards| Self {
            shards,
            replicas: nodes.saturating_sub(2 * shards),
            load_managers: shards,
        })
    }

    /// The one of `nodes` that answers `load` soonest.
    pub fn best(nodes: u32, load: Load) -> Self {
        let average = |a: &Self| a.answer(load).average_us();
        let all = Self::all(nodes).map(|a| (a, average(&a)));
        let best = all.reduce(|best, next| if next.1 < best.1 { next } else { best });
        best.map_or(Self { shards: 1, replicas: 0, load_managers: 1 }, |(best, _)| best)
    }

    /// Utilisation that `load` asks for: of nodes that serve reads, and of Writers. Above 1 if they
    /// cannot.
    pub fn utilisation(&self, load: Load) -> (f64, f64) {
        let second_us = 1e6;
        let reads = load.reads * SERVICE_US / second_us;
        let writes = load.writes * SERVICE_US / second_us / f64::from(self.shards);
        match self.replicas {
            0 => (reads + writes, reads + writes),
            replicas => (reads / f64::from(replicas) + writes * APPLY, writes),
        }
    }

    /// What becomes of a tick's load.
    pub fn answer(&self, load: Load) -> Answered {
        let (readers, writers) = self.utilisation(load);
        let applied = match self.replicas {
            0 => 0.0,
            _ => writers * APPLY,
        };
        let relay = relay_us(load.rate(), f64::from(self.load_managers));
        let share = admitted_share(readers - applied, applied);
        let mut all = Answered::of(load.reads, share, response_us(SERVICE_US, readers) + relay);
        let share = admitted_share(writers, 0.0);
        all += Answered::of(load.writes, share, response_us(SERVICE_US, writers) + relay);
        all
    }
}

/// Microseconds a request spends in the Load Manager, with `speed` level 1 nodes' worth of them.
pub fn relay_us(rate: f64, speed: f64) -> f64 {
    response_us(RELAY_US, rate * RELAY_US / 1e6 / speed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(reads: f64, writes: f64) -> Load {
        Load { reads, writes, ..Load::default() }
    }

    #[test]
    fn nodes_get_the_roles_of_the_product() {
        let of = |n| Arrangement::all(n).map(|a| (a.shards, a.replicas)).collect::<Vec<_>>();
        assert_eq!(of(1), [(1, 0)]);
        assert_eq!(of(3), [(1, 1)]);
        assert_eq!(of(7), [(1, 5)]);
        assert_eq!(of(8), [(2, 4)]);
        assert_eq!(of(12), [(2, 8), (3, 6)]);
    }

    #[test]
    fn one_more_shard_helps_writes_and_hurts_reads() {
        assert_eq!(Arrangement::best(12, load(5000.0, 50.0)).shards, 2);
        assert_eq!(Arrangement::best(12, load(500.0, 1800.0)).shards, 3);
    }

    #[test]
    fn four_nodes_answer_as_two_queues_of_reads_and_one_of_writes() {
        let mach4 = Arrangement { shards: 1, replicas: 2, load_managers: 1 };
        let (readers, writers) = mach4.utilisation(load(1000.0, 400.0));
        assert!((readers - 0.6).abs() < 1e-9 && (writers - 0.4).abs() < 1e-9);
        let expected = (1000.0 * 1000.0 / 0.4 + 400.0 * 1000.0 / 0.6) / 1400.0;
        let relay = 50.0 / (1.0 - 1400.0 * 50e-6);
        let average = mach4.answer(load(1000.0, 400.0)).average_us();
        assert!((average - expected - relay).abs() < 1e-6, "{average}");
    }
}
