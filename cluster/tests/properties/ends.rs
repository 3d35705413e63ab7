//! Where runs end: at rest, at the same place whatever crashed, and quiet for ever after.

use cluster::topology::Topology;
use proptest::prelude::*;

use super::checks::Checks;
use super::load::Load;
use super::scenario::{Scenario, manners, scenario};
use super::world::{TICK_MS, World};

/// Longer than any window, cool-down or `divide-after` that something could still wait for (2 h 5 min).
const CALM: u32 = 750;
/// Enough to shrink from three large shards to the least, one step per window.
const MOST: u32 = 9000;
/// Silence: thirty days, and in a build that is not optimised six hours.
const SILENT_MS: u64 = if cfg!(debug_assertions) { 21_600_000 } else { 30 * 86_400_000 };

fn at_rest(world: &World) {
    let t = &world.topology;
    assert_eq!(t.operations().count(), 0, "{t}");
    assert!(world.down.keys().all(|n| t.node(*n).is_none()), "{:?} in {t}", world.down);
    for shard in t.shards() {
        let replicas = t.replicas(shard.id);
        assert_eq!(shard.members[&shard.writer].reads, replicas.is_empty(), "who reads: {t}");
        for member in shard.members.values() {
            let shadow = t.node(member.node).unwrap().shadow == Some(shard.id);
            let duty = member.node == shard.writer || member.reads || shadow;
            assert!(duty && member.part.is_none(), "{} has no duty: {t}", member.node);
        }
    }
}

fn play(scenario: &Scenario) -> World {
    scenario.play(Checks::of(&[1, 2, 3, 4, 5, 7, 18]))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, ..ProptestConfig::default() })]

    /// Constant load: there is an end, and then nothing is done. Counted are operations: each is at
    /// most a few actions. A cluster whose maximum holds it back rests too.
    #[test]
    fn i12_constant_load_comes_to_rest(scenario in scenario()) {
        let mut world = play(&scenario);
        world.settle(CALM, MOST);
        at_rest(&world);
    }

    /// From anywhere, after any crash, nothing to do leads to the least cluster.
    #[test]
    fn i21_every_history_converges_to_the_same(scenario in scenario(), after in 0usize..12, old in any::<bool>()) {
        let mut world = play(&scenario);
        world.crash = Some((after, old));
        world.load = Load::default();
        world.settle(2 * CALM, MOST);
        at_rest(&world);
        let t = &world.topology;
        let least = world.config.replicas.min_mach;
        let found: Vec<_> = t.shards().map(|s| (s.range.count(), t.mach(s.id))).collect();
        prop_assert_eq!(found, [(1000, least)], "{}", t);
        prop_assert_eq!(t.node_count() as u32, least, "{}", t);
    }
}

#[test]
fn i12_a_new_cluster_grows_to_its_load_and_stays_silent() {
    // One node is 63 % busy with the first, six Replicas are with the second.
    let loads = [(3_000, 100, 1..=2), (20_000, 500, 6..=14), (30_000, 8_000, 8..=60)];
    for (reads, writes, nodes) in loads {
        let mut runner = proptest::test_runner::TestRunner::deterministic();
        let manners = proptest::strategy::Strategy::new_tree(&manners(), &mut runner).unwrap();
        let manners = proptest::strategy::ValueTree::current(&manners);
        let config = cluster::autoscaler::Config::predictive();
        let all = Checks::of(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 14, 16, 18]);
        let mut world = World::new("N1 LM WR s1", config, manners, all);
        world.load = Load { reads, writes };
        world.settle(CALM, MOST);
        let begun = world.events.len();
        assert!(nodes.contains(&world.topology.node_count()), "{nodes:?}: {}", world.topology);
        at_rest(&world);
        let before = world.topology.clone();
        let actions = world.actions;
        world.checks = Checks::default();
        for _ in 0..SILENT_MS / TICK_MS {
            world.tick();
        }
        assert_eq!((world.actions, world.events.len()), (actions, begun), "{before}");
        assert_eq!(world.topology, before);
    }
}

/// Splits at the middle until nothing is left to divide, each time the first shard that can be, and
/// back: sizes of one generation differ by one, and the merges give back what there was.
#[test]
fn i17_splits_reach_every_bucket_and_merges_take_them_back() {
    for buckets in [1u16, 2, 7, 16, 30] {
        let mut t = Topology::found(buckets, cluster::topology::Level::MIN, None).unwrap();
        let found = t.by_range().into_iter().map(|s| s.range).collect::<Vec<_>>();
        let mut made = Vec::new();
        let next = |t: &Topology| t.shards().find_map(|s| Some((s.id, s.range.middle()?)));
        while let Some((shard, at)) = next(&t) {
            let writer = [t.shard(shard).unwrap().writer].into();
            let counters = t.counters();
            t.split(shard, at, (counters.shard, counters.group), &writer, &[].into()).unwrap();
            let (left, right) = (t.shard(shard).unwrap(), t.shard(counters.shard).unwrap());
            assert!(left.range.count().abs_diff(right.range.count()) <= 1);
            made.push((shard, counters.shard));
        }
        assert_eq!(t.shard_count(), usize::from(buckets));
        for (left, right) in made.into_iter().rev() {
            t.merge(left, right).unwrap();
        }
        assert_eq!(t.by_range().into_iter().map(|s| s.range).collect::<Vec<_>>(), found);
    }
}

/// One bucket cannot be divided: operators are told, and no split is tried.
#[test]
fn i17_a_single_bucket_is_a_limit_that_is_told() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let manners = proptest::strategy::Strategy::new_tree(&manners(), &mut runner).unwrap();
    let manners = proptest::strategy::ValueTree::current(&manners);
    let seven = "N1 W s1 | N2 R s1 | N3 R s1 | N4 R s1 | N5 R s1 | N6 R s1:learner | N7 LM s1~ \
        | cluster B1";
    let config = cluster::autoscaler::Config::predictive();
    let mut world = World::new(seven, config, manners, Checks::of(&[1, 9, 10]));
    world.load = Load { reads: 60_000, writes: 10 };
    for _ in 0..120 {
        world.tick();
    }
    let told = world.events.iter().filter(|e| {
        let limit = cluster::autoscaler::event::Limit::Buckets;
        matches!(e, cluster::autoscaler::EventKind::LimitReached { limit: l, .. } if *l == limit)
    });
    // When it is met first, and when more Replicas do not help any more either.
    assert!((1..=2).contains(&told.count()), "{:?}", world.events);
    assert_eq!(world.topology.shard_count(), 1);
}
