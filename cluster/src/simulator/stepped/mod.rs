//! The cluster that [`step`] rules: a real [`Topology`] in a simulated world.
//!
//! Each tick nodes arrive and fail, copies go on, requests are answered by the queue model, and the
//! counts go into cells. Then decisions are made as in the product, one a second: what is observed
//! goes into `step`, its actions are applied to the topology by [`Topology::apply`] and have their
//! effect on the world, and this is repeated until nothing is left to do or the tick is over. Roles,
//! voters and leadership take one such second; only nodes and copies take longer. After each
//! decision every invariant of the topology is checked.

mod copies;
mod heat;
mod observe;
mod operator;
mod serve;

use std::collections::{BTreeMap, BTreeSet};

use super::arrangement::Arrangement;
use super::counted::{FIT, fit_for};
use super::model::{TICK_S, price};
use super::random::Random;
use super::run::{Broken, Change, Cluster, Tick, World};
use super::trace::Load;
use crate::autoscaler::{
    Action, ActionKind, Applied, Cells, ClassWindow, Config, Observation, OperatorWord, Share,
    State, TimeMs,
};
use crate::step::step;
use crate::topology::{Level, NodeId, ShardId, Topology};
use copies::Copies;
use heat::Heat;
use observe::Pressure;
use operator::Operator;
use serve::Served;

/// Decisions in a tick at the most: one a second.
const DECISIONS: u64 = TICK_S as u64;
/// Stream of a seed's random numbers: which node fails.
const WHICH: u64 = 4;
/// Seconds a failed process is away that comes back; every third one does.
const AWAY_MS: u64 = 20_000;

/// The world of one cluster.
pub struct Stepped<'w> {
    world: &'w World,
    config: Config,
    clock: &'w mut dyn FnMut() -> u64,
    state: State,
    /// What is observed; its topology is the world's.
    observation: Observation,
    cells: BTreeMap<ShardId, (Cells, Cells)>,
    /// Windows of those, made once a tick and after an operation: since when, reads, writes.
    windows: BTreeMap<ShardId, (Option<TimeMs>, ClassWindow, ClassWindow)>,
    copies: Copies,
    operator: Operator,
    heat: Heat,
    /// Share of the requests that go to the hot key.
    hot: f64,
    pressure: Pressure,
    /// Nodes that do not answer: since when, and when they will again.
    dead: BTreeMap<NodeId, (TimeMs, Option<TimeMs>)>,
    /// Nodes whose Load Manager drains: since when.
    draining: BTreeMap<NodeId, TimeMs>,
    words: Vec<OperatorWord>,
    random: Random,
}

impl<'w> Stepped<'w> {
    /// A cluster fit for the first tick of the trace (or of one node), ruled as `config` says.
    pub fn new(
        world: &'w World,
        mut config: Config,
        clock: &'w mut dyn FnMut() -> u64,
    ) -> Result<Self, Broken> {
        config.replicas.max_nodes = world.nodes_max;
        let first = world.trace.loads.first().copied().unwrap_or_default();
        let text = match world.trace.from_one {
            true => format!("cluster B{} | N1 LM WR s1", heat::BUCKETS_GROWING),
            false => start(fit(first, world.nodes_max)),
        };
        let topology: Topology = text
            .parse()
            .map_err(|error| Broken { seconds: 0, what: format!("{text}: {error}") })?;
        Ok(Self {
            world,
            config,
            clock,
            state: State::default(),
            observation: Observation::of(TimeMs(0), topology),
            cells: BTreeMap::new(),
            windows: BTreeMap::new(),
            copies: Copies::default(),
            operator: Operator::new(world),
            heat: Heat::new(world),
            hot: 0.0,
            pressure: Pressure::new(first),
            dead: BTreeMap::new(),
            draining: BTreeMap::new(),
            words: Vec::new(),
            random: Random::new(world.seed, WHICH),
        })
    }

    /// Who comes, who fails, what is copied until `now`.
    fn move_world(&mut self, at: usize, now: TimeMs) {
        for arrival in self.operator.arrivals(now) {
            let topology = &mut self.observation.topology;
            topology.join(arrival.level, None, Some(arrival.request));
        }
        self.dead.retain(|_, (_, back)| back.is_none_or(|back| back > now));
        if self.world.fails.get(at).is_some_and(|&fails| fails) {
            let alive = self.observation.topology.nodes().map(|n| n.id);
            let alive: Vec<NodeId> = alive.filter(|n| !self.dead.contains_key(n)).collect();
            if let Some(&node) = alive.get(self.random.below(alive.len())) {
                let back = (self.random.below(3) == 0).then(|| TimeMs(now.0 + AWAY_MS));
                self.dead.insert(node, (now, back));
            }
        }
        let dead = &self.dead;
        self.copies.go_on(&self.observation.topology, |node| dead.contains_key(&node));
    }

    /// One decision and what follows from it. False if there was nothing to do.
    fn decide(&mut self, now: TimeMs, tick: &mut Tick) -> Result<bool, Broken> {
        let began = (self.clock)();
        let step = step(&self.config, &self.state, &self.observation);
        let took = (self.clock)().saturating_sub(began);
        tick.step_us.push(u32::try_from(took).unwrap_or(u32::MAX));
        self.state = step.state;
        tick.told.extend(step.events);
        for action in &step.actions {
            self.perform(action, now, tick);
        }
        self.observation.topology.check().map_err(|violation| {
            let last: Vec<String> = step.actions.iter().map(|a| format!("{:?}", a.kind)).collect();
            Broken { seconds: now.0 / 1000, what: format!("{violation} after {}", last.join(", ")) }
        })?;
        let idle = step.actions.is_empty();
        tick.done.extend(step.actions.into_iter().map(|action| (now, action)));
        Ok(!idle)
    }

    /// An action and its effect. One that is refused has none: the next decision sees to it.
    fn perform(&mut self, action: &Action, now: TimeMs, tick: &mut Tick) {
        let before = match &action.kind {
            ActionKind::SplitShard { shard, .. } => self.copies.incomplete(*shard),
            _ => BTreeSet::new(),
        };
        let Ok(applied) = self.observation.topology.apply(action) else {
            tick.refused += 1;
            return;
        };
        let changed = applied == Applied::Changed;
        match &action.kind {
            ActionKind::RequestNode(asked) => self.operator.request(asked, now, &mut self.words),
            ActionKind::CancelRequest { request } => self.operator.cancel(*request),
            ActionKind::ReleaseNode { node } if changed => {
                self.dead.remove(node);
                self.draining.remove(node);
                self.words.push(OperatorWord::Released { node: *node });
            }
            ActionKind::Fence { node } => {
                self.dead.entry(*node).or_insert((now, None)).1 = None;
                self.words.push(OperatorWord::Fenced { node: *node });
            }
            ActionKind::AttachLearner { node, shard, .. } if changed => {
                self.copies.begin(&self.observation.topology, *shard, *node);
                tick.copies += 1;
            }
            ActionKind::SplitShard { shard, child, .. } if changed => {
                self.copies.split(&self.observation.topology, *shard, *child, &before);
                self.divide_cells(*shard, *child);
                self.windows.remove(shard);
                self.windows.remove(child);
            }
            ActionKind::MergeShards { left, right } if changed => {
                self.copies.merge(*left, *right);
                self.windows.remove(left);
                self.windows.remove(right);
                if let Some((reads, writes)) = self.cells.remove(right) {
                    let cells = self.cells.entry(*left).or_default();
                    cells.0.add(&reads);
                    cells.1.add(&writes);
                }
            }
            ActionKind::BeginOperation { what, shard } if changed => {
                let of = shard.map_or(0, |s| s.0);
                tick.changes.push(Change { of, grows: what.grows() });
            }
            _ => {}
        }
    }

    /// Load Managers know what came for each half.
    fn divide_cells(&mut self, parent: ShardId, child: ShardId) {
        let topology = &self.observation.topology;
        let (Some(left), Some(right)) = (topology.shard(parent), topology.shard(child)) else {
            return;
        };
        let left = self.heat.share(parent, left.range, self.hot);
        let right = self.heat.share(child, right.range, self.hot);
        let share = Share::from_f64(right / (left + right).max(1e-12));
        let rest = Share(Share::ONE.0.saturating_sub(share.0));
        if let Some((reads, writes)) = self.cells.get(&parent).cloned() {
            self.cells.insert(child, (reads.part(share), writes.part(share)));
            self.cells.insert(parent, (reads.part(rest), writes.part(rest)));
        }
    }

    /// The rest of a tick's description.
    fn describe(&self, tick: &mut Tick, served: &Served) {
        let topology = &self.observation.topology;
        let mut writers = BTreeSet::new();
        let mut readers = BTreeSet::new();
        for shard in topology.shards() {
            writers.insert(shard.writer);
            readers.extend(shard.readers());
        }
        for node in topology.nodes() {
            let role = match node.id {
                id if self.dead.contains_key(&id) => &mut tick.others,
                id if writers.contains(&id) => &mut tick.writers,
                id if readers.contains(&id) => &mut tick.replicas,
                _ if node.is_load_manager() => &mut tick.load_managers,
                _ => &mut tick.others,
            };
            *role += 1;
            if !self.dead.contains_key(&node.id) {
                tick.paid += price(node.level);
            }
        }
        for level in self.operator.coming() {
            tick.others += 1;
            tick.paid += price(level);
        }
        tick.shards = u32::try_from(topology.shard_count()).unwrap_or(u32::MAX);
        tick.answered = served.answered;
        tick.balance = served.balance();
    }
}

impl Cluster for Stepped<'_> {
    fn tick(&mut self, at: usize, load: Load) -> Result<Tick, Broken> {
        let begin = TimeMs(at as u64 * u64::from(TICK_S) * 1000);
        self.hot = load.hot;
        self.move_world(at, begin);
        let served = self.serve(begin, load);
        let mut tick = Tick { load, ..Tick::default() };
        self.describe(&mut tick, &served);
        for second in 0..DECISIONS {
            let now = TimeMs(begin.0 + (u64::from(TICK_S) + second) * 1000);
            self.observe(now, load, &served);
            if !self.decide(now, &mut tick)? {
                break;
            }
        }
        Ok(tick)
    }
}

/// The fewest nodes of which each shard is fit for the load: Replicas do not always divide evenly.
fn fit(load: Load, nodes_max: u32) -> Arrangement {
    let least = fit_for(load, nodes_max);
    let arranged = |nodes: u32| Arrangement::best(nodes, load);
    let even = |a: &Arrangement| {
        let replicas = a.replicas / a.shards * a.shards;
        Arrangement { replicas, ..*a }.utilisation(load).0 <= FIT || a.replicas == 0
    };
    (least..=nodes_max).map(arranged).find(even).unwrap_or_else(|| arranged(least))
}

/// The text of a cluster of level 1 nodes in that arrangement.
fn start(wanted: Arrangement) -> String {
    let (mut items, mut node) = (vec!["cluster B1000".to_owned()], 0);
    let mut next = || {
        node += 1;
        node
    };
    if wanted.replicas == 0 {
        return "N1 LM WR s1".to_owned();
    }
    for shard in 1..=wanted.shards {
        let replicas =
            wanted.replicas / wanted.shards + u32::from(shard <= wanted.replicas % wanted.shards);
        if wanted.shards > 1 {
            let bucket = |n: u32| 1000 * n / wanted.shards;
            items.push(format!("s{shard} {}-{}", bucket(shard - 1) + 1, bucket(shard)));
        }
        items.push(format!("N{} W s{shard}", next()));
        // Voters are odd: the Writer and the Replicas, the shadow if that makes them so (X3).
        for replica in 1..=replicas {
            let votes = replica <= 4 && (replica < 4 || replicas.is_multiple_of(2) || replicas > 4);
            let votes = if votes { "" } else { ":learner" };
            items.push(format!("N{} R s{shard}{votes}", next()));
        }
        let votes = if replicas == 1 || replicas == 3 { ":voter" } else { "" };
        items.push(format!("N{} LM s{shard}~{votes}", next()));
    }
    items.join(" | ")
}

/// Level of nodes that nobody asked a level of.
const ORDINARY: Level = Level::MIN;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clusters_start_legally() {
        for nodes in 1..60 {
            // Mach II serves no more than Mach I: nobody starts so.
            for arrangement in Arrangement::all(nodes).filter(|a| a.replicas > 0 || nodes == 1) {
                let text = start(arrangement);
                let topology: Topology = text.parse().unwrap_or_else(|e| panic!("{text}: {e}"));
                assert_eq!(topology.node_count(), nodes.max(1) as usize, "{text}");
                assert_eq!(topology.shard_count(), arrangement.shards as usize);
            }
        }
    }
}
