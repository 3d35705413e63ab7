//! Actions, applied: a whole rotation, and what is refused.

use std::collections::BTreeSet;

use proptest::prelude::*;

use crate::autoscaler::action::{Action, ActionKind, NodeRequest, Purpose};
use crate::autoscaler::{Applied, ApplyError};
use crate::topology::tests::random::history;
use crate::topology::{
    BucketId, BucketRange, Epoch, GroupId, Level, LoadManagerState, NodeId, OperationId,
    OperationKind, Phase, RequestId, Roles, ShardId, Topology, TopologyParts,
};

const S1: ShardId = ShardId(1);

fn action(t: &Topology, kind: ActionKind) -> Action {
    let epoch = kind.shard().and_then(|s| t.shard(s)).map_or(t.epoch(), |s| s.epoch);
    Action { operation: OperationId(1), epoch, kind }
}

/// Applies under the present epoch, then once more, which changes nothing.
#[track_caller]
fn apply(t: &mut Topology, kind: ActionKind) {
    let action = action(t, kind);
    assert!(!t.is_done(&action), "{action:?}");
    assert_eq!(t.apply(&action), Ok(Applied::Changed), "{action:?} on {t}");
    assert!(t.is_done(&action), "{action:?}");
    assert_eq!(t.check(), Ok(()));
    let before = t.clone();
    assert_eq!(t.apply(&action), Ok(Applied::Unchanged), "{action:?}");
    assert_eq!(*t, before);
}

/// The text without version and counters.
fn shape(t: &Topology) -> String {
    let text = t.to_string();
    text.split(" | cluster").next().unwrap().to_owned()
}

fn set(
    node: u64,
    load_manager: LoadManagerState,
    reads: &[u32],
    shadow: Option<u32>,
) -> ActionKind {
    let reads = reads.iter().map(|&s| ShardId(s)).collect();
    let roles = Roles { load_manager, reads, shadow: shadow.map(ShardId) };
    ActionKind::SetRoles { node: NodeId(node), shard: Some(S1), roles }
}

fn voters(ids: &[u64]) -> BTreeSet<NodeId> {
    ids.iter().map(|&n| NodeId(n)).collect()
}

fn attach(node: u64, part: Option<(u16, u16)>, source: u64) -> ActionKind {
    let part = part.map(|(first, last)| BucketRange::new(first, last).unwrap());
    ActionKind::AttachLearner { node: NodeId(node), shard: S1, part, source: NodeId(source) }
}

#[test]
fn mach_one_grows_to_three_by_the_table() {
    use LoadManagerState::{Draining, Off, On};
    let mut t = Topology::found(1000, Level::MIN, None).unwrap();
    apply(&mut t, ActionKind::BeginOperation { what: OperationKind::Grow, shard: Some(S1) });
    let request = NodeRequest {
        request: RequestId(1),
        purpose: Purpose::Rotate { shard: S1 },
        min_level: Level::MIN,
        zone_hint: None,
        attempt: 1,
    };
    apply(&mut t, ActionKind::RequestNode(request));
    assert_eq!(shape(&t), "N1 LM WR s1 | o1 grow on s1 r1");
    t.join(Level::MIN, None, Some(RequestId(1)));
    apply(&mut t, ActionKind::AdvanceOperation { phase: Phase::Joined });
    apply(&mut t, set(2, On, &[], Some(1)));
    apply(&mut t, attach(2, None, 1));
    apply(&mut t, set(1, Draining, &[1], None));
    apply(&mut t, set(1, Off, &[1], None));
    assert_eq!(shape(&t), "N1 WR s1 | N2 r1 LM s1~ | o1 grow on s1 joined N1 N2 r1");
    apply(&mut t, ActionKind::FinishOperation);

    t.join(Level::MIN, None, None);
    apply(&mut t, set(3, On, &[], Some(1)));
    apply(&mut t, attach(3, None, 2));
    apply(&mut t, set(2, Off, &[1], None));
    apply(&mut t, set(1, Off, &[], None));
    apply(&mut t, ActionKind::ChangeVoters { shard: S1, voters: voters(&[1, 2, 3]) });
    assert_eq!(shape(&t), "N1 W s1 | N2 r1 R s1 | N3 LM s1~:voter | s1 e3");
    apply(&mut t, ActionKind::TransferLeader { shard: S1, to: NodeId(2) });
    assert_eq!(shape(&t), "N1 F s1:voter | N2 r1 WR s1 | N3 LM s1~:voter | s1 e4");
}

#[test]
fn a_split_and_the_halves_that_are_dropped() {
    use LoadManagerState::Off;
    let mut t: Topology =
        "N1 W s1 | N2 R s1 | N3 R s1 | N4 LM s1~ | N5 LM s1~[501-1000]".parse().unwrap();
    apply(
        &mut t,
        ActionKind::SplitShard {
            shard: S1,
            at: BucketId(501),
            child: ShardId(2),
            group: GroupId(2),
            voters: voters(&[1, 2, 3]),
            learners: voters(&[5]),
        },
    );
    apply(&mut t, ActionKind::TransferLeader { shard: ShardId(2), to: NodeId(3) });
    apply(&mut t, set(3, Off, &[2], None));
    apply(&mut t, ActionKind::ChangeVoters { shard: S1, voters: voters(&[1]) });
    let right = BucketRange::new(1, 500).unwrap();
    let drop = ActionKind::DropRange { node: NodeId(3), shard: S1, range: right };
    apply(&mut t, drop.clone());
    assert_eq!(
        shape(&t),
        "N1 W s1 F s2:voter | N2 R s1:learner R s2 | N3 WR s2 | N4 LM s1~ | N5 LM s2~ \
         | s1 1-500 e3 | s2 501-1000 e3 of s1"
    );
    // Dropping what the node was never asked to keep concerns no topology.
    let mut same = t.clone();
    let again = action(&same, drop);
    assert_eq!(same.apply(&again), Ok(Applied::Unchanged));
    assert_eq!(same, t);
}

#[test]
fn merging_fencing_and_leaving() {
    let mut t: Topology =
        "N1 LM WR s1 F s2 | N2 WR s2 | s1 1-500 | s2 501-1000 of s1".parse().unwrap();
    apply(&mut t, ActionKind::MergeShards { left: S1, right: ShardId(2) });
    apply(&mut t, ActionKind::ReleaseNode { node: NodeId(2) });
    assert_eq!(shape(&t), "N1 LM WR s1 | s1 e2");

    let mut t: Topology = "N1 WR s1 | N2 LM s1~".parse().unwrap();
    apply(&mut t, ActionKind::Fence { node: NodeId(1) });
    apply(&mut t, ActionKind::TakeOver { shard: S1, to: NodeId(2) });
    apply(&mut t, ActionKind::ReleaseNode { node: NodeId(1) });
    assert_eq!(shape(&t), "N2 LM WR s1 | s1 e2");
}

#[test]
fn requests_are_withdrawn_and_operations_cancelled() {
    let mut t: Topology = "N1 LM WR s1 | o1 grow on s1 r3".parse().unwrap();
    apply(&mut t, ActionKind::CancelRequest { request: RequestId(3) });
    apply(&mut t, ActionKind::CancelOperation);
    assert_eq!(shape(&t), "N1 LM WR s1");
    let limits = ActionKind::SetLimits { target: NodeId(1), in_flight: 64 };
    let limits = action(&t, limits);
    assert_eq!(t.apply(&limits), Ok(Applied::Unchanged));
}

#[test]
fn stale_and_early_actions_are_refused_and_change_nothing() {
    let mut t: Topology =
        "N1 W s1 | N2 R s1 | N3 LM s1~:voter | s1 e5 | cluster e4".parse().unwrap();
    let before = t.clone();
    let mut refused = |epoch, kind| {
        let result = t.apply(&Action { operation: OperationId(1), epoch: Epoch(epoch), kind });
        assert_eq!(t, before);
        result.unwrap_err().to_string()
    };
    let transfer = || ActionKind::TransferLeader { shard: S1, to: NodeId(2) };
    assert_eq!(
        refused(4, transfer()),
        "o1: planned under e4, now it is e5: a stale action is refused"
    );
    assert_eq!(refused(6, transfer()), "o1: planned under e6, this topology is only at e5");
    let fence = || ActionKind::Fence { node: NodeId(1) };
    assert_eq!(
        refused(3, fence()),
        "o1: planned under e3, now it is e4: a stale action is refused"
    );
    assert_eq!(refused(5, fence()), "o1: planned under e5, this topology is only at e4");
    let even = ActionKind::ChangeVoters { shard: S1, voters: voters(&[1, 2]) };
    assert_eq!(refused(5, even), "s1 has 2 voters: their number is odd");
    let unknown = ActionKind::TransferLeader { shard: ShardId(2), to: NodeId(2) };
    assert_eq!(refused(5, unknown), "s2 is not in the topology");
    let never = ActionKind::AdvanceOperation { phase: Phase::Joined };
    assert_eq!(refused(4, never), "o1 is not in flight");
}

#[test]
fn copies_come_from_another_whole_copy() {
    let text = "N1 WR s1 | N2 LM s1~[501-1000] | N3";
    for (source, good) in [(1, true), (2, false), (3, false), (9, false)] {
        let mut t: Topology = text.parse().unwrap();
        let copy = action(&t, attach(3, Some((501, 1000)), source));
        match t.apply(&copy) {
            Ok(_) => assert!(good),
            Err(e) => {
                assert!(!good, "{e}");
                assert_eq!(e, ApplyError::Source { shard: S1, source_node: NodeId(source) });
            }
        }
    }
}

#[test]
fn a_learner_of_a_part_becomes_one_of_the_whole() {
    let mut t: Topology = "N1 WR s1 | N2 LM s1~[501-1000]".parse().unwrap();
    apply(&mut t, attach(2, None, 1));
    assert_eq!(shape(&t), "N1 WR s1 | N2 LM s1~");
    // Whoever keeps all keeps each part.
    let part = action(&t, attach(2, Some((501, 1000)), 1));
    assert_eq!(t.apply(&part), Ok(Applied::Unchanged));
}

#[test]
fn a_joint_change_that_was_begun_is_finished() {
    let mut t: Topology = "N1 W s1 | N2 R s1:incoming | N3 LM s1~:incoming".parse().unwrap();
    let other = action(&t, ActionKind::ChangeVoters { shard: S1, voters: voters(&[1]) });
    assert_eq!(t.apply(&other).unwrap_err().to_string(), "s1 has a change of voters in flight");
    apply(&mut t, ActionKind::ChangeVoters { shard: S1, voters: voters(&[1, 2, 3]) });
    let parts: TopologyParts = t.into_parts();
    assert!(!parts.shards[0].is_joint());
}

/// Actions of every kind with small numbers, some of which name what is there.
fn any_action() -> impl Strategy<Value = ActionKind> {
    let node = || (1u64..8).prop_map(NodeId);
    let shard = || (1u32..4).prop_map(ShardId);
    let set = || prop::collection::btree_set((1u64..8).prop_map(NodeId), 1..4);
    let part = || (1u16..16, 16u16..40).prop_map(|(a, b)| BucketRange::new(a, b).unwrap());
    let roles = (0u8..3, prop::collection::btree_set(shard(), 0..3), prop::option::of(shard()))
        .prop_map(|(lm, reads, shadow)| {
            let states = [LoadManagerState::Off, LoadManagerState::On, LoadManagerState::Draining];
            Roles { load_manager: states[usize::from(lm)], reads, shadow }
        });
    let split = (shard(), 1u16..40, 1u32..8, 1u64..8, set(), set());
    prop_oneof![
        node().prop_map(|node| ActionKind::ReleaseNode { node }),
        node().prop_map(|node| ActionKind::Fence { node }),
        (node(), shard(), prop::option::of(part()), node()).prop_map(
            |(node, shard, part, source)| ActionKind::AttachLearner { node, shard, part, source }
        ),
        (shard(), set()).prop_map(|(shard, voters)| ActionKind::ChangeVoters { shard, voters }),
        (node(), prop::option::of(shard()), roles)
            .prop_map(|(node, shard, roles)| ActionKind::SetRoles { node, shard, roles }),
        (shard(), node()).prop_map(|(shard, to)| ActionKind::TransferLeader { shard, to }),
        (shard(), node()).prop_map(|(shard, to)| ActionKind::TakeOver { shard, to }),
        split.prop_map(|(shard, at, child, group, voters, learners)| ActionKind::SplitShard {
            shard,
            at: BucketId(at),
            child: ShardId(child),
            group: GroupId(group),
            voters,
            learners
        }),
        (shard(), shard()).prop_map(|(left, right)| ActionKind::MergeShards { left, right }),
        (node(), shard(), part()).prop_map(|(node, shard, range)| ActionKind::DropRange {
            node,
            shard,
            range
        }),
        shard().prop_map(|shard| ActionKind::BeginOperation {
            what: OperationKind::Grow,
            shard: Some(shard)
        }),
        Just(ActionKind::AdvanceOperation { phase: Phase::Syncing }),
        Just(ActionKind::FinishOperation),
        Just(ActionKind::CancelOperation),
        (1u64..4).prop_map(|r| ActionKind::CancelRequest { request: RequestId(r) }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// Applied or refused, whole, once; and what was decided under another epoch never.
    #[test]
    fn actions_are_whole_and_idempotent(
        mut t in history(),
        kinds in prop::collection::vec((any_action(), 1u64..5, 0u64..3), 1..12),
    ) {
        for (kind, operation, off) in kinds {
            let now = action(&t, kind);
            let epoch = Epoch((now.epoch.0 + off).saturating_sub(1));
            let action = Action { operation: OperationId(operation), epoch, ..now.clone() };
            let before = t.clone();
            let was_done = t.is_done(&action);
            match t.apply(&action) {
                Ok(Applied::Changed) => {
                    prop_assert!(epoch == now.epoch && !was_done, "{:?}", action);
                    prop_assert!(t.is_done(&action), "{:?} made {} of {}", action, t, before);
                    let once = t.clone();
                    prop_assert_eq!(t.apply(&action), Ok(Applied::Unchanged));
                    prop_assert_eq!(&t, &once);
                }
                Ok(Applied::Unchanged) => {
                    prop_assert!(was_done);
                    prop_assert_eq!(&t, &before);
                }
                Err(_) => prop_assert_eq!(&t, &before, "{:?}", action),
            }
            prop_assert_eq!(t.check(), Ok(()), "{:?}", action);
        }
    }
}
