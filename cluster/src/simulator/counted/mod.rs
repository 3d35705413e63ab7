//! Clusters of policies that decide a number of nodes and nothing else.

mod policies;

pub use policies::{Hpa, Measure, Oracle, Planned, Static};

use super::arrangement::Arrangement;
use super::model::{Answered, TICK_S, sync_s};
use super::random::Random;
use super::run::{Broken, Change, Cluster, Tick, World};
use super::trace::Load;

/// Stream of a seed's random numbers: provisioning.
const PROVISIONING: u64 = 3;
/// Utilisation that clusters are fit for when they start.
pub const FIT: f64 = 0.7;

/// Says how many nodes there should be.
pub trait Counting {
    /// The number wanted after this tick.
    fn nodes(&mut self, seen: &Seen) -> u32;

    /// The number at the start, if the policy has an opinion.
    fn first(&self) -> Option<u32> {
        None
    }
}

/// What such a policy sees.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Seen {
    /// The tick.
    pub at: usize,
    /// Nodes that serve now, as they are used.
    pub serving: Arrangement,
    /// Nodes that serve or are on their way.
    pub ordered: u32,
    /// Utilisation of the busier role, at most 1.
    pub utilisation: f64,
    /// What became of the tick's load.
    pub answered: Answered,
}

/// The cluster of such a policy.
pub struct Counted<'w> {
    world: &'w World,
    policy: Box<dyn Counting + 'w>,
    /// Nodes that serve.
    serving: u32,
    /// Ticks at which those on their way will serve, the soonest last.
    coming: Vec<usize>,
    random: Random,
}

impl<'w> Counted<'w> {
    pub fn new(world: &'w World, policy: Box<dyn Counting + 'w>) -> Self {
        let first = world.trace.loads.first().copied().unwrap_or_default();
        let fit = if world.trace.from_one { 1 } else { fit_for(first, world.nodes_max) };
        let serving = policy.first().unwrap_or(fit).clamp(1, world.nodes_max);
        let random = Random::new(world.seed, PROVISIONING);
        Self { world, policy, serving, coming: Vec::new(), random }
    }

    fn order(&mut self, at: usize) {
        let seconds = self.random.provision_s() + sync_s();
        self.coming.push(at + (seconds / f64::from(TICK_S)).ceil() as usize);
        self.coming.sort_unstable_by(|a, b| b.cmp(a));
    }

    fn ordered(&self) -> u32 {
        self.serving + self.coming.len() as u32
    }

    /// One node breaks down and is asked for anew; the last one restarts at once.
    fn fail(&mut self, at: usize) {
        if self.serving > 1 {
            self.serving -= 1;
            self.order(at);
        }
    }

    /// Brings what is ordered to `wanted`; returns how many were added.
    fn adjust(&mut self, at: usize, wanted: u32) -> u32 {
        let before = self.ordered();
        while self.ordered() < wanted {
            self.order(at);
        }
        while self.ordered() > wanted {
            // The last one ordered is not there yet, so it goes first.
            match self.coming.is_empty() {
                true => self.serving -= 1,
                false => drop(self.coming.remove(0)),
            }
        }
        wanted.saturating_sub(before)
    }
}

impl Cluster for Counted<'_> {
    fn tick(&mut self, at: usize, load: Load) -> Result<Tick, Broken> {
        while self.coming.last().is_some_and(|&ready| ready <= at) {
            self.coming.pop();
            self.serving += 1;
        }
        if self.world.fails.get(at).is_some_and(|&fails| fails) {
            self.fail(at);
        }
        let serving = Arrangement::best(self.serving, load);
        let (readers, writers) = serving.utilisation(load);
        let (answered, utilisation) = (serving.answer(load), readers.max(writers).min(1.0));
        let before = self.ordered();
        let seen = Seen { at, serving, ordered: before, utilisation, answered };
        let wanted = self.policy.nodes(&seen).clamp(1, self.world.nodes_max);
        let paid = f64::from(before);
        let copies = self.adjust(at, wanted);
        let changed = (wanted != before).then_some(Change { of: 0, grows: Some(wanted > before) });
        let mut tick = described(self.serving, serving, load, answered);
        tick.paid = paid;
        tick.others = self.coming.len() as u32;
        tick.changes.extend(changed);
        tick.copies = copies;
        Ok(tick)
    }
}

/// A tick of nodes that are used so.
fn described(nodes: u32, used: Arrangement, load: Load, answered: Answered) -> Tick {
    let writers = used.shards.min(nodes);
    let replicas = used.replicas.min(nodes - writers);
    Tick {
        load,
        answered,
        writers,
        replicas,
        load_managers: nodes - writers - replicas,
        shards: used.shards,
        balance: 1.0,
        ..Tick::default()
    }
}

/// The fewest nodes that `load` brings to 70 % at the most.
pub fn fit_for(load: Load, nodes_max: u32) -> u32 {
    let fits = |nodes: &u32| {
        let (readers, writers) = Arrangement::best(*nodes, load).utilisation(load);
        readers <= FIT && writers <= FIT
    };
    (1..=nodes_max).find(fits).unwrap_or(nodes_max)
}
