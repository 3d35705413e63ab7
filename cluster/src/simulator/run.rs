//! One run: a world, a policy in it, and what came of it tick by tick.

use super::model::{Answered, TICK_S};
use super::oracle;
use super::policy::Policy;
use super::random::Random;
use super::score::Score;
use super::trace::{Load, Trace};
use crate::autoscaler::{Action, Event, TimeMs};

/// Stream of a seed's random numbers: noise.
const NOISE: u64 = 1;
/// ... and failures.
const FAILURES: u64 = 2;
/// Where nodes fail, one does once in this many ticks: four a day.
const TICKS_PER_FAILURE: f64 = 6.0 * 3600.0 / TICK_S as f64;

/// What is the same for every policy: the load with its noise, and when nodes fail.
pub struct World {
    /// What it was made from.
    pub trace: Trace,
    /// The load of each tick, with noise.
    pub loads: Vec<Load>,
    /// At which ticks a node fails.
    pub fails: Vec<bool>,
    /// The seed.
    pub seed: u64,
    /// Most nodes a policy may use.
    pub nodes_max: u32,
    /// The oracle's number of nodes by minute; none where nobody could have a plan.
    pub oracle: Option<oracle::Plan>,
}

impl World {
    /// The world of a trace and a seed. With a plan of the oracle's if it is to be compared with.
    pub fn new(trace: &Trace, seed: u64, nodes_max: u32, with_oracle: bool) -> Self {
        let loads = noisy(&trace.loads, seed);
        let calm = trace.calm.as_ref().map(|calm| noisy(calm, seed));
        let plan = || oracle::plan(calm.as_deref().unwrap_or(&loads), nodes_max);
        let oracle = if with_oracle && !trace.from_one { plan() } else { None };
        let mut random = Random::new(seed, FAILURES);
        let fails = loads.iter().map(|_| trace.failures && random.once_in(TICKS_PER_FAILURE));
        let fails = fails.collect();
        Self { trace: trace.clone(), loads, fails, seed, nodes_max, oracle }
    }
}

fn noisy(loads: &[Load], seed: u64) -> Vec<Load> {
    let mut random = Random::new(seed, NOISE);
    loads.iter().map(|load| load.times(random.noise())).collect()
}

/// A rule that must never be broken was.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("after {seconds} s: {what}")]
pub struct Broken {
    /// Virtual time.
    pub seconds: u64,
    /// What, and by which actions.
    pub what: String,
}

/// A cluster under a policy.
pub trait Cluster {
    /// Lives through the tick number `at`, in which `load` comes.
    fn tick(&mut self, at: usize, load: Load) -> Result<Tick, Broken>;
}

/// What one tick was like.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Tick {
    /// What came.
    pub load: Load,
    /// What became of it.
    pub answered: Answered,
    /// What is paid for, in level 1 nodes: from the request of a node to its release.
    pub paid: f64,
    /// Nodes by what they do, and those that come or only copy.
    pub writers: u32,
    /// Nodes that serve reads and do not write.
    pub replicas: u32,
    /// Nodes that clients are sent to and that serve no shard.
    pub load_managers: u32,
    /// Nodes that were asked for, join, copy, drain or are lost.
    pub others: u32,
    /// Shards.
    pub shards: u32,
    /// Load of the busiest shard by that of the mean one.
    pub balance: f64,
    /// Scaling actions that began.
    pub changes: Vec<Change>,
    /// Copies that began.
    pub copies: u32,
    /// Actions that the topology refused.
    pub refused: u32,
    /// How long each decision took, microseconds; empty without a clock.
    pub step_us: Vec<u32>,
    /// What was done, with the second of it, in this order.
    pub done: Vec<(TimeMs, Action)>,
    /// What operators were told, in this order.
    pub told: Vec<Event>,
}

/// A scaling action.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Change {
    /// What it is of: the shard's number; 0 of the whole cluster.
    pub of: u32,
    /// Whether it adds capacity; none if neither.
    pub grows: Option<bool>,
}

impl Tick {
    /// All nodes.
    pub fn nodes(&self) -> u32 {
        self.writers + self.replicas + self.load_managers + self.others
    }
}

/// Lets `policy` live through `world`. `clock` gives microseconds, to time decisions; `seen` sees
/// each tick.
pub fn run(
    world: &World,
    policy: &Policy,
    clock: &mut dyn FnMut() -> u64,
    seen: &mut dyn FnMut(usize, &Tick),
) -> Result<Score, Broken> {
    let mut score = Score::default();
    let mut cluster = policy.cluster(world, clock)?;
    for (at, load) in world.loads.iter().enumerate() {
        let tick = cluster.tick(at, *load)?;
        score.add(&tick);
        seen(at, &tick);
    }
    drop(cluster);
    score.compare(world.oracle.as_ref().map(oracle::Plan::node_hours));
    Ok(score)
}
