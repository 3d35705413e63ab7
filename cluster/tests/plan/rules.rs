//! Rules that no script shows: what the deciding half says beside sizes, and copies that fail.

use cluster::autoscaler::observation::OperationObservation;
use cluster::autoscaler::state::Surge;
use cluster::autoscaler::{DesiredShard, Health, Rate, TimeMs};
use cluster::plan::reconcile;
use cluster::topology::{Level, NodeId, OperationId, ShardId};

use super::world::{Want, World, texts};

const FOUR: &str = "N1 W s1 | N2 R s1 | N3 R s1 | N4 LM s1~";
const TWO_OF_FOUR: &str = "N1 W s1 | N2 R s1 | N3 R s1 | N4 LM s1~ | N5 W s2 | N6 R s2 | N7 R s2 \
    | N8 LM s2~ | s1 1-500 e2 | s2 501-1000 e2 of s1";

fn surge(legitimate: bool) -> Surge {
    let rate = Rate::per_second(1000);
    Surge { since: TimeMs(1), baseline_reads: rate, baseline_writes: rate, legitimate }
}

/// One round, and what it did.
fn round(world: &mut World) -> Vec<String> {
    texts(&world.round())
}

fn copies(actions: &[String]) -> bool {
    actions.iter().any(|a| a.contains("copy "))
}

#[test]
fn in_a_burst_the_shadow_serves_and_stops_with_it() {
    let mut world = World::new(FOUR);
    world.state.shards.entry(ShardId(1)).or_default().burst = true;
    assert_eq!(round(&mut world), ["N4: LM s1~ reads s1"]);
    assert_eq!(round(&mut world), [""; 0]);
    world.state.shards.entry(ShardId(1)).or_default().burst = false;
    assert_eq!(round(&mut world), ["N4: LM s1~"]);
}

#[test]
fn a_young_surge_lets_nodes_enter_but_copies_nothing() {
    let mut world = World::new(FOUR);
    world.extra = 1;
    world.state.shards.entry(ShardId(1)).or_default().surge = Some(surge(false));
    for _ in 0..4 {
        assert!(!copies(&round(&mut world)));
    }
    // It serves clients meanwhile.
    assert!(world.shape().contains("N5 r1 LM s1~"), "{}", world.shape());
    world.state.shards.entry(ShardId(1)).or_default().surge = Some(surge(true));
    assert!(copies(&round(&mut world)));
}

#[test]
fn a_lost_node_is_replaced_in_a_surge_too() {
    let mut world = World::new(FOUR);
    world.state.shards.entry(ShardId(1)).or_default().surge = Some(surge(false));
    world.fail(NodeId(3));
    let rounds = world.settle();
    assert!(rounds.iter().any(|r| copies(&texts(r))));
    assert_eq!(world.topology.mach(ShardId(1)), 4);
}

#[test]
fn a_merge_that_is_not_wanted_any_more_leaves_nothing_behind() {
    let mut world = World::new(TWO_OF_FOUR);
    let before = world.shape();
    let seven = Want { mach: Some(7), merge: Some(ShardId(2)), ..Want::default() };
    world.wants.insert(ShardId(1), seven);
    assert!(copies(&round(&mut world)));
    world.wants.insert(ShardId(1), Want { mach: Some(4), ..Want::default() });
    let actions = round(&mut world);
    assert_eq!(actions.iter().filter(|a| a.contains("drops")).count(), 6, "{actions:?}");
    assert_eq!(actions.last().map(String::as_str), Some("o1 cancel"));
    assert_eq!(world.shape(), before);
    assert_eq!(round(&mut world), [""; 0]);
}

#[test]
fn a_smaller_leader_that_is_not_wanted_any_more_is_an_ordinary_node() {
    let mut world = World::new("N1 L2 W s1 | N2 L2 R s1 | N3 L2 R s1 | N4 L2 LM s1~");
    let lower = Want { level: Some(Level::MIN), mach: Some(4), ..Want::default() };
    world.wants.insert(ShardId(1), lower);
    world.round();
    let begun = world.topology.operations().next().map(|o| o.kind.to_string());
    assert_eq!(begun.as_deref(), Some("level L1"));
    world.wants.insert(ShardId(1), Want { mach: Some(4), ..Want::default() });
    world.settle();
    assert_eq!(world.topology.writer_level(ShardId(1)), Level::new(2).ok());
    assert_eq!(world.topology.operations().count(), 0);
}

#[test]
fn a_copy_that_takes_too_long_or_fails_is_begun_anew() {
    let mut world = World::new(FOUR);
    world.wants.insert(ShardId(1), Want { mach: Some(5), ..Want::default() });
    world.round();
    assert!(copies(&round(&mut world)));
    for (failed, wait_ms) in [(false, 3_600_000), (true, 30_000)] {
        let mut state = world.state.clone();
        let mut seen = world.observe();
        let wanted = DesiredShard { mach: 5, level: Level::MIN, split: None, merge: None };
        state.desired.shards.insert(ShardId(1), wanted);
        let new = NodeId(5);
        let member = seen.shards.get_mut(&ShardId(1)).unwrap().members.get_mut(&new).unwrap();
        (member.seeded, member.lag_bytes, member.lag_entries) = (false, 1 << 30, 1 << 20);
        let failed = failed.then(|| "disk full".to_owned());
        let progress = OperationObservation { failed, ..Default::default() };
        seen.operations.insert(OperationId(1), progress);
        let begun = state.operations[&OperationId(1)].phase_since.0;
        seen.now_ms = TimeMs(begun + wait_ms - 1);
        assert!(!copies(&texts(&reconcile(&world.config, &state, &seen).actions)));
        seen.now_ms = TimeMs(begun + wait_ms);
        let planned = reconcile(&world.config, &state, &seen);
        let actions = texts(&planned.actions);
        assert!(actions[0].starts_with("o1 N5 drops 1-1000 of s1"), "{actions:?}");
        assert!(copies(&actions), "{actions:?}");
        assert_eq!(planned.state.operations[&OperationId(1)].attempt, 2);
    }
}

#[test]
fn nothing_is_begun_beside_a_member_that_is_not_up() {
    for (topology, want) in [
        (FOUR, Want { mach: Some(5), ..Want::default() }),
        (TWO_OF_FOUR, Want { mach: Some(4), merge: Some(ShardId(2)), ..Want::default() }),
    ] {
        let mut world = World::new(topology);
        world.wants.insert(ShardId(1), want);
        world.plan();
        let mut seen = world.observe();
        let mut begun = || {
            let planned = reconcile(&world.config, &world.state, &seen).actions;
            let health = &mut seen.nodes.get_mut(&NodeId(3)).unwrap().health;
            *health = if *health == Health::Up { Health::Suspect } else { Health::Down };
            let begun = texts(&planned).into_iter().filter(|a| a.contains("begin"));
            begun.collect::<Vec<String>>()
        };
        assert_eq!(begun().len(), 1);
        // It may only be slow: nothing is begun, and nobody is replaced either.
        assert_eq!(begun(), [""; 0]);
        assert_eq!(begun(), ["o1 begin replace N3 on s1"]);
    }
}

#[test]
fn of_two_nodes_that_come_for_one_request_one_is_released() {
    let mut world = World::new(FOUR);
    world.wants.insert(ShardId(1), Want { mach: Some(5), ..Want::default() });
    world.round();
    let request = world.topology.operations().flat_map(|o| o.requests.iter()).next().copied();
    world.topology.join(Level::MIN, None, request);
    world.settle();
    assert_eq!((world.topology.mach(ShardId(1)), world.topology.node_count()), (5, 5));
}
