//! A load and what serving it takes: each request a fixed part of a node's time, less on a bigger
//! node, waiting as in M/M/1, and failing where there is more to do than time.

use cluster::autoscaler::Aggregate;
use cluster::autoscaler::observation::Work;
use cluster::topology::{NodeId, Shard, Topology};

/// Seconds of a node of level 1 per read, write, write applied elsewhere.
const READ: f64 = 0.000_2;
const WRITE: f64 = 0.000_3;
const APPLY: f64 = 0.000_1;
/// Nothing is slower than this: it fails.
const FULL: f64 = 0.95;
/// Length of a cell in seconds.
const CELL: f64 = 10.0;
/// Cells that make the window of a member's work.
const WINDOW_CELLS: u64 = 90;

/// Requests per second on the whole cluster.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Load {
    pub reads: u32,
    pub writes: u32,
}

/// One cell of a shard: what clients felt, and each member's work.
pub struct Served {
    pub reads: Aggregate,
    pub writes: Aggregate,
    pub work: Vec<(NodeId, Work)>,
}

fn speed(topology: &Topology, node: NodeId) -> f64 {
    topology.node(node).map_or(1.0, |n| f64::from(n.level.number()))
}

/// What `rate` per second at `seconds` each felt like, at a utilisation.
fn felt(rate: f64, seconds: f64, busy: f64) -> Aggregate {
    let count = (rate * CELL).round();
    let (served, wait) =
        if busy < FULL { (count, 1.0 / (1.0 - busy)) } else { (count * FULL / busy, 20.0) };
    let served = served.round();
    Aggregate {
        n: served as u64,
        sum_us: (served * seconds * wait * 1e6).round() as u64,
        timeouts: (count - served) as u64,
        shed: 0,
        busy_us: (served * seconds * 1e6).round() as u64,
    }
}

/// Ten seconds of a shard's part of the load.
pub fn serve(
    topology: &Topology,
    shard: &Shard,
    load: Load,
    up: &dyn Fn(NodeId) -> bool,
) -> Served {
    let part = f64::from(shard.range.count()) / f64::from(topology.buckets());
    let (reads, writes) = (f64::from(load.reads) * part, f64::from(load.writes) * part);
    let readers: Vec<NodeId> = shard.readers().into_iter().filter(|&n| up(n)).collect();
    let writer = Some(shard.writer).filter(|&w| up(w));
    let level = |n: NodeId| speed(topology, n);
    let failed =
        |rate: f64| Aggregate { timeouts: (rate * CELL).round() as u64, ..Aggregate::default() };
    // Load Managers make all who serve reads equally busy.
    let fixed = |n: NodeId| writes * if Some(n) == writer { WRITE } else { APPLY };
    let all: f64 = readers.iter().map(|&n| level(n)).sum();
    let even = (reads * READ + readers.iter().map(|&n| fixed(n)).sum::<f64>()) / all.max(1e-9);
    let part = |n: NodeId| ((even * level(n) - fixed(n)) / READ).max(0.0);
    let busy = |n: NodeId| {
        let reads = if readers.contains(&n) { part(n) * READ } else { 0.0 };
        (reads + fixed(n)) / level(n)
    };
    let slowest = readers.iter().map(|&n| busy(n)).fold(0.0, f64::max);
    let reading = readers.iter().map(|&n| READ / level(n)).fold(0.0, f64::max);
    let work = shard.members.keys().filter(|&&n| up(n)).map(|&node| {
        let n = |rate: f64| (rate * CELL).round() as u64 * WINDOW_CELLS;
        let us = |rate: f64, cost: f64| (n(rate) as f64 * cost / level(node) * 1e6) as u64;
        let mut work = Work { window_ms: 10_000 * WINDOW_CELLS, ..Work::default() };
        if readers.contains(&node) {
            (work.reads, work.read_busy_us) = (n(part(node)), us(part(node), READ));
        }
        if Some(node) == writer {
            (work.writes, work.write_busy_us) = (n(writes), us(writes, WRITE));
        } else {
            (work.applied, work.apply_busy_us) = (n(writes), us(writes, APPLY));
        }
        (node, work)
    });
    Served {
        reads: if readers.is_empty() { failed(reads) } else { felt(reads, reading, slowest) },
        writes: writer.map_or(failed(writes), |w| felt(writes, WRITE / level(w), busy(w))),
        work: work.collect(),
    }
}
