//! The invariants, looked at before and after every action and after every second.

use std::collections::{BTreeMap, BTreeSet};

use cluster::autoscaler::{Action, ActionKind, Config, EventKind, Observation, Purpose, TimeMs};
use cluster::plan::Step as Text;
use cluster::step::{Step, step};
use cluster::topology::{
    Epoch, LoadManagerState, NodeId, OperationKind, RequestId, ShardId, SplitCause, Topology,
};

use super::world::World;

/// Which invariants are looked at: all that the list names.
#[derive(Clone, Debug, Default)]
pub struct Checks {
    on: Vec<u32>,
    writers: BTreeMap<(ShardId, Epoch), NodeId>,
    served: BTreeSet<NodeId>,
    purposes: BTreeMap<RequestId, Purpose>,
    /// By shard: the last operation that ended made it larger (or smaller), and when.
    ended: BTreeMap<ShardId, (bool, TimeMs)>,
    /// Operators asked for reshaping: what they ask for may reverse.
    pub asked: bool,
}

/// Whether an operation makes a shard larger, or smaller; none if neither.
fn direction(topology: &Topology, kind: &OperationKind, shard: ShardId) -> Option<bool> {
    match kind {
        OperationKind::Grow | OperationKind::Split { .. } => Some(true),
        OperationKind::Shrink | OperationKind::Merge { .. } => Some(false),
        OperationKind::ChangeLevel { to } => {
            topology.writer_level(shard).filter(|l| l != to).map(|l| *to > l)
        }
        _ => None,
    }
}

impl Checks {
    pub fn of(invariants: &[u32]) -> Self {
        Self { on: invariants.to_vec(), ..Self::default() }
    }

    fn on(&self, invariant: u32) -> bool {
        self.on.contains(&invariant)
    }

    /// I10: the same observation again asks for nothing new and tells nothing.
    pub fn again(&self, config: &Config, done: &Step, seen: &Observation) {
        if !self.on(10) {
            return;
        }
        let again = step(config, &done.state, seen);
        let new: Vec<String> = again
            .actions
            .iter()
            .filter(|a| !done.actions.contains(a))
            .map(|a| Text(a).to_string())
            .collect();
        assert_eq!(new, [""; 0], "I10: {}", seen.topology);
        // An end begins cool-downs, and what is advised then may differ.
        let ends = |a: &Action| matches!(a.kind, ActionKind::FinishOperation);
        if !done.actions.iter().any(ends) {
            // A request that is taken back is told so until it is observed to be gone.
            let cancel = |k: &&EventKind| matches!(k, EventKind::NodeCancel { .. });
            let told: Vec<_> =
                again.events.iter().map(|e| &e.kind).filter(|k| !cancel(k)).collect();
            assert!(told.is_empty(), "I10: {told:?} in {}", seen.topology);
        }
    }

    pub fn before_action(&self, world: &World, action: &Action) {
        let t = &world.topology;
        let said = || format!("{} on {t}", Text(action));
        match &action.kind {
            ActionKind::SetRoles { node, roles, .. } => {
                let first = !self.served.contains(node)
                    && world.topology.node(*node).unwrap().request.is_some();
                if self.on(6) && first && t.shards_of(*node).next().is_none() {
                    assert_eq!(roles.load_manager, LoadManagerState::On, "I6: {}", said());
                }
                for &shard in roles.reads.iter().filter(|_| self.on(5)) {
                    let member = t.member(shard, *node);
                    let warm = world.is_warm(shard, *node);
                    let serves = member.is_some_and(|m| m.part.is_none() && (m.reads || warm));
                    assert!(serves, "I5: {}", said());
                }
            }
            ActionKind::AttachLearner { node, shard, .. } => {
                let request = t.node(*node).unwrap().request;
                let purpose = request.and_then(|r| self.purposes.get(&r));
                let child = matches!(purpose, Some(Purpose::ChildLeader { .. }));
                let entered = self.served.contains(node) || request.is_none();
                assert!(!self.on(6) || entered || child, "I6: {}", said());
                let surge = world.state.shards.get(shard).and_then(|s| s.surge);
                let young = surge.is_some_and(|s| !s.legitimate);
                let repair =
                    t.operations().any(|o| o.kind.is_repair() && o.shards().contains(shard));
                assert!(!self.on(14) || !young || repair, "I14: {}", said());
            }
            ActionKind::RequestNode(asked) if asked.attempt == 1 => {
                let repair = matches!(asked.purpose, Purpose::Replace { .. });
                let living = t.node_count();
                let open = t.operations().flat_map(|o| o.requests.iter());
                let open = open.filter(|r| !t.nodes().any(|n| n.request == Some(**r))).count();
                let most = world.config.replicas.max_nodes as usize;
                assert!(!self.on(9) || repair || living + open < most, "I9: {}", said());
            }
            ActionKind::BeginOperation { what, shard: Some(shard) } => {
                self.may_begin(world, what, *shard, &said());
            }
            ActionKind::BeginOperation { what: OperationKind::RemoveLoadManager, .. }
                if self.on(9) =>
            {
                assert!(
                    t.node_count() > world.config.replicas.min_nodes as usize,
                    "I9: {}",
                    said()
                );
            }
            _ => {}
        }
    }

    fn may_begin(&self, world: &World, what: &OperationKind, shard: ShardId, said: &str) {
        let (t, config) = (&world.topology, &world.config);
        let found = t.shard(shard).unwrap();
        if self.asked {
            return;
        }
        if let OperationKind::Split { cause, .. } = what
            && self.on(16)
        {
            let replicas = t.replicas(shard).len();
            match cause {
                SplitCause::Reads => {
                    assert!(replicas >= config.replicas.max_replicas as usize, "I16: {said}");
                }
                SplitCause::Writes => {
                    assert_eq!(t.writer_level(shard), Some(config.levels.max_level), "I16: {said}");
                }
            }
        }
        let Some(larger) = direction(t, what, shard) else { return };
        let all_up = found.members.keys().all(|&n| world.up(n));
        assert!(!self.on(3) || all_up, "nothing is scaled beside a lost member: {said}");
        if !larger && self.on(8) {
            let seen = world.observe();
            let windows = &seen.shards[&shard];
            for window in [windows.reads, windows.writes] {
                assert_eq!(window.down.failed() + window.timeouts.failed(), 0, "I8: {said}");
            }
        }
        if !larger && self.on(9) && *what == OperationKind::Shrink {
            assert!(t.node_count() > config.replicas.min_nodes as usize, "I9: {said}");
        }
        if let Some((before, at)) =
            self.ended.get(&shard).filter(|(b, _)| *b != larger && self.on(13))
        {
            let rest = &config.cooldown;
            let wait = if *before { rest.cooldown_down } else { rest.cooldown_up };
            assert!(TimeMs(world.now).is_past(*at, wait), "I13: {said} after {at:?}");
        }
    }

    pub fn after_action(&mut self, world: &World, before: &Topology, action: &Action) {
        let t = &world.topology;
        let said = || format!("{} on {before}", Text(action));
        match &action.kind {
            ActionKind::RequestNode(asked) => {
                self.purposes.insert(asked.request, asked.purpose);
            }
            ActionKind::SetRoles { node, .. } | ActionKind::AttachLearner { node, .. } => {
                self.served.insert(*node);
            }
            ActionKind::FinishOperation => {
                let ended = before.operation(action.operation);
                for shard in ended.map(|o| o.shards()).unwrap_or_default() {
                    let kind = &ended.unwrap().kind;
                    // A new level is the Writer's by now.
                    let larger = match kind {
                        OperationKind::ChangeLevel { .. } => None,
                        kind => direction(t, kind, shard),
                    };
                    if let Some(larger) = larger {
                        self.ended.insert(shard, (larger, TimeMs(world.now)));
                    }
                }
            }
            _ => {}
        }
        if self.on(1) {
            assert_eq!(t.check(), Ok(()), "I1: {}", said());
            for shard in t.shards() {
                let Some(old) = before.shard(shard.id) else { continue };
                let moved = (old.range, old.writer) != (shard.range, shard.writer);
                assert!(shard.epoch.0 >= old.epoch.0 + u64::from(moved), "I1: {}", said());
            }
        }
        if self.on(2) {
            for shard in t.shards() {
                let writer = *self.writers.entry((shard.id, shard.epoch)).or_insert(shard.writer);
                assert_eq!(writer, shard.writer, "I2: two Writers of one epoch: {}", said());
            }
        }
        if self.on(3) {
            for shard in t.shards() {
                let voters = shard.voters();
                assert!(shard.is_joint() || voters.len() % 2 == 1, "I3: {}", said());
                let live = |voters: &BTreeSet<NodeId>| {
                    2 * voters.iter().filter(|&&n| world.up(n)).count() > voters.len()
                };
                let had = before.shard(shard.id).is_none_or(|s| live(&s.voters()));
                assert!(!had || live(&voters), "I3: {}", said());
            }
        }
    }

    pub fn after_step(&self, world: &World) {
        let t = &world.topology;
        for shard in t.shards() {
            let living: Vec<NodeId> =
                shard.members.keys().copied().filter(|&n| world.up(n)).collect();
            let read = shard.readers().into_iter().any(|n| world.up(n));
            let able = living.iter().any(|&n| {
                let member = &shard.members[&n];
                member.part.is_none() && (n == shard.writer || member.reads)
            });
            assert!(!self.on(4) || read || !able, "I4: nobody serves reads of {}: {t}", shard.id);
            let rests = t.operations().all(|o| !o.shards().contains(&shard.id))
                && living.len() == shard.members.len()
                && living.iter().all(|&n| world.is_warm(shard.id, n));
            if self.on(4) && rests {
                let alone = t.replicas(shard.id).is_empty();
                let writes = shard.members[&shard.writer].reads;
                assert_eq!(writes, alone, "I4: {t}");
            }
        }
        if self.on(7) {
            let able = t
                .shards()
                .flat_map(|s| s.members.values())
                .any(|m| world.up(m.node) && m.part.is_none() && (m.reads || m.vote.after()));
            let gateway = t.load_managers().any(|n| world.up(n.id));
            assert!(gateway || !able, "I7: {t}");
        }
        if self.on(18) {
            self.replacements(world);
        }
    }

    /// I18: a lost node with a duty that nobody else waits for is asked for once.
    fn replacements(&self, world: &World) {
        let t = &world.topology;
        for &node in world.down.keys().filter(|n| t.node(**n).is_some()) {
            let of =
                |o: &&cluster::topology::Operation| o.kind == OperationKind::Replace { lost: node };
            let replacing: Vec<_> = t.operations().filter(of).collect();
            let request = t.node(node).unwrap().request;
            let awaited = t.operations().any(|o| request.is_some_and(|r| o.requests.contains(&r)));
            let leaves = t.operations().any(|o| !o.kind.is_repair() && o.nodes.contains(&node));
            let duty = t.shards_of(node).next().is_some();
            let asked: Vec<usize> = replacing.iter().map(|o| o.requests.len()).collect();
            let none = asked.is_empty() && (!duty || awaited || leaves);
            assert!(asked == [1] || none, "I18: {node} {asked:?} in {t}");
        }
    }
}
