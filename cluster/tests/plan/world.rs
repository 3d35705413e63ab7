//! A world that does what it is asked: nodes join, copies end, connections close. Every invariant
//! is checked after every action.

use std::collections::{BTreeMap, BTreeSet};

use cluster::autoscaler::observation::{MemberObservation, ShardObservation};
use cluster::autoscaler::state::Answer;
use cluster::autoscaler::{
    Action, ActionKind, Config, DesiredShard, Health, Observation, Purpose, SplitGoal, State,
    TimeMs,
};
use cluster::plan::{Planned, Step, reconcile};
use cluster::topology::{
    Epoch, Level, LoadManagerState, NodeId, OperationKind, RequestId, ShardId, Topology,
};

/// What is wanted of a shard; what is not said is as it is.
#[derive(Clone, Debug, Default)]
pub struct Want {
    pub mach: Option<u32>,
    pub level: Option<Level>,
    pub split: Option<SplitGoal>,
    pub merge: Option<ShardId>,
}

#[derive(Clone)]
pub struct World {
    pub config: Config,
    pub state: State,
    pub topology: Topology,
    pub now: u64,
    pub wants: BTreeMap<ShardId, Want>,
    pub extra: u32,
    pub down: BTreeMap<NodeId, u64>,
    asked: BTreeMap<RequestId, Level>,
    child_leaders: BTreeSet<RequestId>,
    writers: BTreeMap<(ShardId, Epoch), NodeId>,
}

/// Milliseconds from one observation to the next: longer than `node-return`.
const ROUND_MS: u64 = 40_000;
/// No plan takes longer.
const ROUNDS_MAX: usize = 60;

impl World {
    pub fn new(topology: &str) -> Self {
        let topology: Topology = topology.parse().unwrap_or_else(|e| panic!("{topology}: {e}"));
        Self {
            config: Config::default(),
            state: State::default(),
            topology,
            now: 1_000_000,
            wants: BTreeMap::new(),
            extra: 0,
            down: BTreeMap::new(),
            asked: BTreeMap::new(),
            child_leaders: BTreeSet::new(),
            writers: BTreeMap::new(),
        }
    }

    pub fn up(&self, node: NodeId) -> bool {
        self.topology.node(node).is_some_and(|n| !n.fenced) && !self.down.contains_key(&node)
    }

    pub fn fail(&mut self, node: NodeId) {
        self.down.insert(node, self.now);
    }

    pub fn observe(&self) -> Observation {
        let mut seen = Observation::of(TimeMs(self.now), self.topology.clone());
        for (node, since) in &self.down {
            if let Some(seen) = seen.nodes.get_mut(node) {
                (seen.health, seen.since_ms) = (Health::Down, TimeMs(*since));
            }
        }
        for shard in self.topology.shards() {
            let synced = MemberObservation { seeded: true, serving: true, ..Default::default() };
            let members = shard.members.keys().map(|&n| (n, synced)).collect();
            let leader = Some(shard.writer).filter(|w| !self.down.contains_key(w));
            let shard_seen = ShardObservation { leader, members, ..Default::default() };
            seen.shards.insert(shard.id, shard_seen);
        }
        seen
    }

    /// Says what is wanted, as decisions would each second.
    fn desire(&mut self) {
        for (&shard, want) in &mut self.wants {
            let Some(level) = self.topology.writer_level(shard) else { continue };
            let divided = want
                .split
                .is_some_and(|g| !self.topology.shard(shard).unwrap().range.contains(g.at));
            let merged = want.merge.is_some_and(|right| self.topology.shard(right).is_none());
            if divided || merged {
                *want = Want::default();
            }
            let desired = DesiredShard {
                mach: want.mach.unwrap_or(self.topology.mach(shard)),
                level: want.level.unwrap_or(level),
                split: want.split,
                merge: want.merge,
            };
            self.state.desired.shards.insert(shard, desired);
        }
        self.state.desired.extra_load_managers = self.extra;
    }

    pub fn plan(&mut self) -> Planned {
        self.desire();
        let seen = self.observe();
        let planned = reconcile(&self.config, &self.state, &seen);
        // I10: the same observation asks for nothing new (at most for the same, under the same
        // numbers), and tells nothing again.
        let again = reconcile(&self.config, &planned.state, &seen);
        let new = again.actions.iter().find(|a| !planned.actions.contains(a));
        let (first, second) = (texts(&planned.actions), texts(&again.actions));
        assert_eq!(new, None, "{}\n{first:?}\n{second:?}", self.topology);
        assert_eq!(again.events, [], "{}", self.topology);
        planned
    }

    pub fn apply(&mut self, action: &Action) {
        let before = self.topology.to_string();
        if let ActionKind::RequestNode(asked) = &action.kind {
            self.asked.insert(asked.request, asked.min_level);
            if matches!(asked.purpose, Purpose::ChildLeader { .. }) {
                self.child_leaders.insert(asked.request);
            }
        }
        self.check_entrance(action, &before);
        self.topology.apply(action).unwrap_or_else(|e| panic!("{}: {e}\n{before}", Step(action)));
        assert_eq!(self.topology.check(), Ok(()), "{} on {before}", Step(action));
        self.check_quorum(action, &before);
        for shard in self.topology.shards() {
            let writer = *self.writers.entry((shard.id, shard.epoch)).or_insert(shard.writer);
            assert_eq!(writer, shard.writer, "I2: {} on {before}", Step(action));
        }
    }

    /// I6: who joins is Load Manager first, but for the Writer of a child (R67).
    fn check_entrance(&self, action: &Action, before: &str) {
        let (node, first) = match &action.kind {
            ActionKind::SetRoles { node, roles, .. } => (*node, roles.load_manager),
            ActionKind::AttachLearner { node, .. } => (*node, LoadManagerState::Off),
            _ => return,
        };
        let known = self.topology.node(node).unwrap();
        let Some(request) = known.request else { return };
        let new = known.load_manager == LoadManagerState::Off
            && known.shadow.is_none()
            && self.topology.shards_of(node).next().is_none();
        let enters = first == LoadManagerState::On || self.child_leaders.contains(&request);
        let waits = self.topology.operations().any(|o| o.requests.contains(&request));
        assert!(!new || !waits || enters, "I6: {} on {before}", Step(action));
    }

    /// I4 and I7, after all actions of a round: reads are served if anybody lives who can, and by
    /// the Writer only if there is no Replica; there is a Load Manager.
    fn check_service(&self) {
        let t = &self.topology;
        for shard in t.shards() {
            let able = |n: NodeId| self.up(n) && shard.members[&n].part.is_none();
            let able = shard.members.keys().any(|&n| able(n) && shard.members[&n].vote.after());
            let read = shard.readers().into_iter().any(|n| self.up(n));
            assert!(read || !able, "I4: nobody serves reads of {}: {t}", shard.id);
            let rests = t.operations().all(|o| !o.shards().contains(&shard.id))
                && shard.members.keys().all(|&n| self.up(n));
            let alone = t.replicas(shard.id).is_empty();
            let reads = shard.members[&shard.writer].reads;
            assert!(!rests || reads == alone, "I4: who reads {}: {t}", shard.id);
        }
        let able = t.shards().flat_map(|s| s.members.values());
        let able = able.filter(|m| m.vote.after()).any(|m| self.up(m.node));
        assert!(!able || t.load_managers().any(|n| self.up(n.id)), "I7: {t}");
    }

    /// I3: no action leaves a shard without a quorum that had one.
    fn check_quorum(&self, action: &Action, before: &str) {
        let ActionKind::ChangeVoters { shard, voters } = &action.kind else { return };
        let live = voters.iter().filter(|n| !self.down.contains_key(n)).count();
        assert!(2 * live > voters.len(), "{shard}: {} on {before}", Step(action));
    }

    /// Nodes join for all open requests.
    pub fn provide(&mut self) {
        let open: Vec<RequestId> =
            self.topology.operations().flat_map(|o| o.requests.iter().copied()).collect();
        for request in open {
            let answered = self
                .topology
                .nodes()
                .any(|n| n.request == Some(request) && !self.down.contains_key(&n.id));
            if !answered {
                let level = self.asked.get(&request).copied().unwrap_or(Level::MIN);
                self.topology.join(level, None, Some(request));
            }
        }
    }

    /// I18: each lost node that has a duty is asked for once.
    pub fn check_replacements(&self) {
        for node in self.down.keys().filter(|n| self.topology.node(**n).is_some()) {
            let replaced = self
                .topology
                .operations()
                .filter(|o| o.kind == OperationKind::Replace { lost: *node });
            let requests: Vec<usize> = replaced.map(|o| o.requests.len()).collect();
            let duty = self.topology.shards_of(*node).next().is_some();
            let request = self.topology.node(*node).unwrap().request;
            let awaited = self
                .topology
                .operations()
                .any(|o| request.is_some_and(|r| o.requests.contains(&r)));
            // Who was about to leave is not missed.
            let retired = self.topology.operations().any(|o| {
                let shrinks = [OperationKind::Shrink, OperationKind::RemoveLoadManager];
                shrinks.contains(&o.kind) && o.nodes.contains(node)
            });
            assert!(
                requests == [1] || (requests.is_empty() && (!duty || awaited || retired)),
                "{node}: {requests:?} in {}",
                self.topology
            );
        }
    }

    /// One observation, all its actions, and what follows in the world.
    pub fn round(&mut self) -> Vec<Action> {
        let planned = self.plan();
        self.state = planned.state;
        for action in &planned.actions {
            self.apply(action);
        }
        self.check_replacements();
        self.check_service();
        self.provide();
        self.now += ROUND_MS;
        planned.actions
    }

    /// Rounds until nothing is asked for any more.
    pub fn settle(&mut self) -> Vec<Vec<Action>> {
        let mut rounds = Vec::new();
        loop {
            let actions = self.round();
            let open = self.state.requests.values().any(|r| matches!(r.answer, Answer::None));
            if actions.is_empty() && !open {
                self.check_settled();
                return rounds;
            }
            rounds.push(actions);
            if rounds.len() >= ROUNDS_MAX {
                let tail: Vec<String> =
                    rounds.iter().rev().take(4).flat_map(|r| texts(r)).collect();
                panic!("no end in {}\n{}", self.topology, tail.join("\n"));
            }
        }
    }

    /// I4 and the rest of a shard's normal shape.
    pub fn check_settled(&self) {
        let t = &self.topology;
        for shard in t.shards() {
            if shard.members.keys().any(|n| self.down.contains_key(n)) {
                continue;
            }
            let replicas = t.replicas(shard.id);
            let reads = shard.members[&shard.writer].reads;
            assert_eq!(reads, replicas.is_empty(), "who reads: {t}");
            for member in shard.members.values() {
                let shadow = t.node(member.node).unwrap().shadow == Some(shard.id);
                let idle = member.node != shard.writer && !member.reads && !shadow;
                assert!(!idle && member.part.is_none(), "{}: {t}", member.node);
            }
        }
        let lost: BTreeSet<NodeId> = self.down.keys().copied().collect();
        assert!(t.load_managers().any(|n| !lost.contains(&n.id)), "{t}");
    }

    /// The topology without what only counts.
    pub fn shape(&self) -> String {
        let text = self.topology.to_string();
        text.split(" | cluster").next().unwrap().to_owned()
    }
}

pub fn texts(actions: &[Action]) -> Vec<String> {
    actions.iter().map(|a| Step(a).to_string()).collect()
}
