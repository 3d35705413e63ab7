//! Random histories: changes drawn at random, most of them refused, the others kept. Whatever
//! topology comes out, the invariants hold, and text and JSON give it back.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::*;

/// One attempt to change something, with numbers that pick what.
#[derive(Clone, Debug)]
pub struct Attempt {
    what: u8,
    a: u64,
    b: u64,
    c: u16,
}

/// Up to 80 attempts on a cluster of up to 64 buckets.
pub fn history() -> impl Strategy<Value = Topology> {
    attempts().prop_map(|(buckets, attempts)| {
        let mut topology = Topology::found(buckets, level(1), None).unwrap();
        for attempt in &attempts {
            let _ = attempt.make(&mut topology);
        }
        topology
    })
}

fn attempts() -> impl Strategy<Value = (u16, Vec<Attempt>)> {
    let one = (0u8..17, any::<u64>(), any::<u64>(), any::<u16>())
        .prop_map(|(what, a, b, c)| Attempt { what, a, b, c });
    (1u16..=64, prop::collection::vec(one, 0..80))
}

impl Attempt {
    fn make(&self, t: &mut Topology) -> Result<(), Violation> {
        let (node, shard) = (self.node(t), self.shard(t));
        let s = t.shard(shard).unwrap().clone();
        match self.what {
            0 | 1 => {
                let zone = (!self.b.is_multiple_of(3))
                    .then(|| Zone::new(&format!("z{}", self.b % 3)).unwrap());
                let request = (self.c.is_multiple_of(4)).then_some(RequestId(self.b % 9));
                t.join(level((self.a % 5) as u8 + 1), zone, request);
                Ok(())
            }
            2 => t.leave(node),
            3 if self.c.is_multiple_of(8) => t.fence(node),
            3..=5 => {
                let states =
                    [LoadManagerState::On, LoadManagerState::Off, LoadManagerState::Draining];
                let load_manager = states[self.c as usize % 3];
                let held = t.shards_of(node).filter(|s| (self.b >> (s.id.0 % 60)) & 1 == 1);
                let reads = held.map(|s| s.id).collect();
                let shadow = (self.c % 5 > 1).then_some(shard);
                t.set_roles(node, &Roles { load_manager, reads, shadow })
            }
            6 | 7 => {
                let part = match self.c % 4 {
                    0 => s.range.middle().and_then(|at| Some(s.range.split_at(at).ok()?.1)),
                    _ => None,
                };
                t.attach(shard, node, part)
            }
            8 => t.detach(shard, node),
            9 | 10 => {
                let chosen = s.members.keys().filter(|n| (self.b >> (n.0 % 60)) & 1 == 1);
                t.begin_voters(shard, &chosen.copied().collect())
            }
            11 => t.finish_voters(shard),
            12 => t.set_writer(shard, node),
            13 => t.take_over(shard, node),
            14 => {
                let all = s.members.keys().copied();
                let (mut voters, learners): (std::collections::BTreeSet<_>, _) =
                    all.partition(|n| (self.b >> (n.0 % 60)) & 1 == 1 || *n == s.writer);
                if voters.len() % 2 == 0 {
                    let drop = voters.iter().copied().find(|n| *n != s.writer);
                    voters.remove(&drop.unwrap());
                }
                let next = t.counters();
                let at = BucketId(s.range.first().0.saturating_add(self.c % 64));
                t.split(shard, at, (next.shard, next.group), &voters, &learners)
            }
            15 => match t.right_neighbour(shard).map(|r| r.id) {
                Some(right) => t.merge(shard, right),
                None => t.raise_epoch(Epoch(t.epoch().0 + self.a % 3)),
            },
            _ => self.saga(t, node, shard),
        }
    }

    fn saga(&self, t: &mut Topology, node: NodeId, shard: ShardId) -> Result<(), Violation> {
        let flying = t.operations().nth(self.b as usize % 3).map(|o| o.id);
        match (self.c % 6, flying) {
            (0, Some(id)) => t.finish(id).map(drop),
            (1, Some(id)) => t.cancel(id).map(drop),
            (2, Some(id)) => t.involve(id, &[node], &[RequestId(self.a % 9)]),
            (3, Some(id)) => t.withdraw(id, RequestId(self.a % 9)),
            (4, Some(id)) => t.advance(
                id,
                if self.a.is_multiple_of(2) { Phase::Syncing } else { Phase::Draining },
            ),
            _ => {
                let next = t.counters();
                let right = t.right_neighbour(shard).map_or(shard, |s| s.id);
                let cause =
                    if self.a.is_multiple_of(2) { SplitCause::Reads } else { SplitCause::Writes };
                let split = OperationKind::Split { at: BucketId(self.c), child: next.shard, cause };
                let kinds = [
                    OperationKind::Grow,
                    OperationKind::Shrink,
                    OperationKind::AddLoadManager,
                    OperationKind::RemoveLoadManager,
                    OperationKind::ChangeLevel { to: level(3) },
                    split,
                    OperationKind::Merge { right },
                    OperationKind::Replace { lost: node },
                    OperationKind::Revote,
                    OperationKind::SwitchTo { to: node },
                ];
                let kind = kinds[self.a as usize % kinds.len()].clone();
                let on = (!self.b.is_multiple_of(4)).then_some(shard);
                let epoch = Epoch(1 + self.b % 4);
                t.begin(Operation::begin(next.operation, kind, on, epoch))
            }
        }
    }

    fn node(&self, t: &Topology) -> NodeId {
        let count = t.node_count() as u64;
        t.nodes().nth((self.a % count) as usize).unwrap().id
    }

    fn shard(&self, t: &Topology) -> ShardId {
        let count = t.shard_count() as u64;
        t.shards().nth((self.b % count) as usize).unwrap().id
    }
}

/// The properties below say little of changes that are always refused.
#[test]
fn every_change_succeeds_in_some_history() {
    let mut runner = TestRunner::deterministic();
    let mut done = [0u32; 17];
    for _ in 0..2000 {
        let (buckets, attempts) = attempts().new_tree(&mut runner).unwrap().current();
        let mut t = Topology::found(buckets, level(1), None).unwrap();
        for attempt in &attempts {
            done[usize::from(attempt.what)] += u32::from(attempt.make(&mut t).is_ok());
        }
    }
    assert!(done.iter().all(|n| *n > 20), "{done:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn no_history_breaks_an_invariant((buckets, attempts) in attempts()) {
        let mut t = Topology::found(buckets, level(1), None).unwrap();
        for attempt in &attempts {
            let before = t.clone();
            match attempt.make(&mut t) {
                Err(_) => prop_assert_eq!(&t, &before, "refused and changed: {:?}", attempt),
                Ok(()) => prop_assert!(t.version() > before.version() , "{:?}", attempt),
            }
            prop_assert_eq!(t.check(), Ok(()), "{:?} made {} of {}", attempt, t, before);
            prop_assert!(t.epoch() >= before.epoch());
            for (old, new) in before.shards().filter_map(|s| Some((s, t.shard(s.id)?))) {
                prop_assert!(new.epoch >= old.epoch);
                let routing = |s: &Shard| (s.range, s.writer, s.readers());
                prop_assert_eq!(new.epoch > old.epoch, routing(new) != routing(old));
            }
            let (old, new) = (before.counters(), t.counters());
            prop_assert_eq!(old.max(new), new, "ids came back");
        }
    }

    #[test]
    fn texts_and_json_give_the_topology_back(t in history()) {
        let line = t.to_string();
        prop_assert!(!line.contains('\n'));
        let read: Topology = line.parse().map_err(|e| TestCaseError::fail(format!("{line}: {e}")))?;
        prop_assert_eq!(&read, &t, "{}", line);
        prop_assert_eq!(&format!("{t:#}").parse::<Topology>().unwrap(), &t);
        let json = serde_json::to_string(&t).unwrap();
        prop_assert_eq!(&serde_json::from_str::<Topology>(&json).unwrap(), &t);
    }

    #[test]
    fn shapes_are_what_is_said_of_each_shard(t in history()) {
        let shapes = t.shapes();
        for shard in t.shards().map(|s| s.id) {
            let shape = &shapes[&shard];
            prop_assert_eq!(&shape.replicas, &t.replicas(shard));
            prop_assert_eq!(shape.mach(), t.mach(shard));
            prop_assert_eq!(shape.shadows.iter().copied().collect::<Vec<_>>(),
                t.shadows(shard).map(|n| n.id).collect::<Vec<_>>());
            prop_assert_eq!(shape.right, t.right_neighbour(shard).map(|s| s.id));
            prop_assert_eq!(shape.busy, t.busy(shard).map(|o| o.id));
        }
        prop_assert_eq!(shapes.len(), t.shard_count());
    }
}
