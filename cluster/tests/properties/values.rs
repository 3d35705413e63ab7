//! What must not matter, or only in one direction: names, classes, processors, units of time.

use std::collections::BTreeMap;

use cluster::autoscaler::observation::ShardObservation;
use cluster::autoscaler::state::LoadClass;
use cluster::autoscaler::{
    ActionKind, Aggregate, Cells, Choice, Config, Observation, Share, State, TimeMs, decide,
};
use cluster::plan::Step as Text;
use cluster::step::step;
use cluster::topology::{NodeId, OperationKind, ShardId, Topology, TopologyParts};
use proptest::prelude::*;

use super::checks::Checks;
use super::load::Load;
use super::scenario::{manners, scenario};
use super::world::World;

/// The same cluster, its nodes named otherwise.
fn renamed(t: &Topology, name: &dyn Fn(NodeId) -> NodeId) -> Topology {
    let mut parts: TopologyParts = t.clone().into_parts();
    for node in &mut parts.nodes {
        node.id = name(node.id);
    }
    for shard in &mut parts.shards {
        shard.writer = name(shard.writer);
        let members = std::mem::take(&mut shard.members);
        for mut member in members.into_values() {
            member.node = name(member.node);
            shard.members.insert(member.node, member);
        }
    }
    for operation in &mut parts.operations {
        operation.nodes = operation.nodes.iter().map(|&n| name(n)).collect();
        use cluster::topology::OperationKind::{Replace, SwitchTo};
        match &mut operation.kind {
            Replace { lost: node } | SwitchTo { to: node } => *node = name(*node),
            _ => {}
        }
    }
    Topology::from_parts(parts).unwrap()
}

fn renamed_observation(seen: &Observation, name: &dyn Fn(NodeId) -> NodeId) -> Observation {
    let mut new = seen.clone();
    new.topology = renamed(&seen.topology, name);
    new.nodes = seen.nodes.iter().map(|(n, of)| (name(*n), *of)).collect();
    new.load_managers = seen.load_managers.iter().map(|(n, of)| (name(*n), *of)).collect();
    for shard in new.shards.values_mut() {
        shard.leader = shard.leader.map(name);
        let members = std::mem::take(&mut shard.members);
        shard.members = members.into_iter().map(|(n, of)| (name(n), of)).collect();
    }
    new
}

/// The words of each action, names replaced, in no order: sets of nodes are written by name.
fn words(
    done: &cluster::step::Step,
    name: &dyn Fn(NodeId) -> NodeId,
) -> BTreeMap<Vec<String>, usize> {
    let mut all = BTreeMap::new();
    for action in &done.actions {
        let text = Text(action).to_string().replace([':', ','], " ");
        let word = |w: &str| match w.strip_prefix('N').and_then(|n| n.parse().ok()) {
            Some(id) => name(NodeId(id)).to_string(),
            None => w.to_owned(),
        };
        let mut words: Vec<String> = text.split_whitespace().map(word).collect();
        words.sort();
        *all.entry(words).or_default() += 1;
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    /// Who is called what does not matter, only who joined when.
    #[test]
    fn i11_other_names_are_given_other_names(scenario in scenario(), ticks in 1u32..60, by in 1u64..40) {
        let mut world = scenario.play(Checks::default());
        for _ in 0..ticks {
            world.tick();
        }
        let nodes: Vec<NodeId> = world.topology.nodes().map(|n| n.id).collect();
        let lost = nodes[by as usize % nodes.len()];
        world.fail(lost);
        // Every name becomes another, none is used twice, and their order turns round.
        let name = |n: NodeId| NodeId(10_000 - n.0);
        let same = |n: NodeId| n;
        let seen = renamed_observation(&world.observe(), &same);
        let one = step(&world.config, &State::default(), &seen);
        let other = step(&world.config, &State::default(), &renamed_observation(&seen, &name));
        prop_assert_eq!(words(&one, &name), words(&other, &same), "{}", seen.topology);
    }

    /// Below Mach IV a load's class does not matter (R57).
    #[test]
    fn i15_the_class_is_ignored_below_mach_four(
        mach in 1usize..=3, reads in 1_000u32..20_000, writes in 0u32..6_000, manners in manners(),
    ) {
        let text = ["N1 LM WR s1", "N1 WR s1 | N2 LM s1~", "N1 W s1 | N2 R s1 | N3 LM s1~:voter"][mach - 1];
        let mut world = World::new(text, Config::predictive(), manners, Checks::default());
        world.config.replicas.max_nodes = mach as u32 + 1;
        world.load = Load { reads, writes };
        for _ in 0..30 {
            let usual = [(9, 1), (1, 9), (1, 1)].map(|(reads, writes)| {
                let mut seen = world.observe();
                for shard in seen.shards.values_mut() {
                    let all = |n: u64| Aggregate { n: n * 10_000, ..Aggregate::default() };
                    (shard.reads.usual, shard.writes.usual) = (all(reads), all(writes));
                }
                let state = decide(&world.config, &world.state, &seen).state;
                state.desired
            });
            prop_assert_eq!(&usual[0], &usual[1], "{}", world.topology);
            prop_assert_eq!(&usual[0], &usual[2]);
            world.tick();
            if world.topology.node_count() > mach {
                return Ok(());
            }
        }
    }

    /// A processor at its limit and good response times: only Load Managers come (R34).
    #[test]
    fn i20_processors_move_no_data(manners in manners(), cpu in 76u32..=99) {
        let five = "N1 W s1 | N2 R s1 | N3 R s1 | N4 R s1:learner | N5 LM s1~";
        let mut world = World::new(five, Config::predictive(), manners, Checks::of(&[1, 4, 7]));
        // Busy enough that nothing shrinks.
        world.load = Load { reads: 7_500, writes: 300 };
        // The first figures look like a steep rise: nothing may come of it.
        world.config.replicas.max_nodes = 5;
        world.gateway = Some(Share::percent(50));
        for _ in 0..120 {
            world.tick();
        }
        world.config.replicas.max_nodes = 8;
        world.gateway = Some(Share::percent(cpu));
        let mut added = 0;
        for _ in 0..400 {
            world.tick();
            for operation in world.topology.operations() {
                let kind = cluster::topology::OperationKind::AddLoadManager;
                prop_assert_eq!(&operation.kind, &kind, "{} {:?}", world.topology, world.events);
                added += 1;
            }
        }
        prop_assert!(added > 0);
        prop_assert_eq!(world.topology.replicas(cluster::topology::ShardId(1)).len(), 3);
    }

    /// Times and thresholds in another unit: the same decision.
    #[test]
    fn i11_units_of_time_do_not_matter(
        us in 1u64..6_000_000, timeouts in 0u64..200, k in 2u64..50, reads in 1u64..10_000,
    ) {
        let choice = |k: u64| -> Choice {
            let mut config = Config::article();
            config.trigger.up_average_us *= k;
            config.trigger.down_average_us *= k;
            config.trigger.timeout_us *= k;
            let mut cells = cluster::autoscaler::Cells::default();
            for cell in 0..360u64 {
                let sum_us = reads * us * k;
                let all = Aggregate { n: reads, sum_us, timeouts, ..Aggregate::default() };
                cells.record(cluster::autoscaler::TimeMs(cell * 10_000), all);
            }
            let now = cluster::autoscaler::TimeMs(3_600_000);
            let five = "N1 W s1 | N2 R s1 | N3 R s1 | N4 R s1:learner | N5 LM s1~";
            let mut seen = Observation::of(now, five.parse().unwrap());
            let shard = cluster::autoscaler::observation::ShardObservation {
                reads: cells.windows(&config, now, None),
                ..Default::default()
            };
            seen.shards.insert(cluster::topology::ShardId(1), shard);
            decide(&config, &State::default(), &seen).decisions[0].choice.clone()
        };
        prop_assert_eq!(choice(1), choice(k));
    }
}

/// What `step` begins on Mach V, in mode article, when an hour of such cells has passed; and the
/// class of the load.
fn after_an_hour(reads: Aggregate, writes: Aggregate) -> (Option<OperationKind>, LoadClass) {
    let config = Config::article();
    let five = "N1 W s1 | N2 R s1 | N3 R s1 | N4 R s1:learner | N5 LM s1~";
    let mut state = State::default();
    let (mut of_reads, mut of_writes) = (Cells::default(), Cells::default());
    for cell in 0..360u64 {
        of_reads.record(TimeMs(cell * 10_000), reads);
        of_writes.record(TimeMs(cell * 10_000), writes);
        let now = TimeMs((cell + 1) * 10_000);
        let mut seen = Observation::of(now, five.parse().unwrap());
        let shard = ShardObservation {
            reads: of_reads.windows(&config, now, None),
            writes: of_writes.windows(&config, now, None),
            ..ShardObservation::default()
        };
        seen.shards.insert(ShardId(1), shard);
        let done = step(&config, &state, &seen);
        state = done.state;
        let begun = done.actions.into_iter().find_map(|a| match a.kind {
            ActionKind::BeginOperation { what, .. } => Some(what),
            _ => None,
        });
        if begun.is_some() || cell == 359 {
            return (begun, state.shards[&ShardId(1)].class);
        }
    }
    unreachable!("the last cell returns")
}

fn requests(n: u64, us: u64, timeouts: u64) -> Aggregate {
    Aggregate { n, sum_us: n * us, timeouts, ..Aggregate::default() }
}

/// I19: the article's figures, to the letter and with a virtual clock.
#[test]
fn i19_the_figures_of_the_article() {
    let (grow, shrink) = (Some(OperationKind::Grow), Some(OperationKind::Shrink));
    let average = |us| after_an_hour(requests(90, us, 0), requests(10, us, 0)).0;
    assert_eq!((average(3_000_000), average(2_999_000)), (grow.clone(), None));
    assert_eq!((average(499_000), average(500_000)), (shrink, None));
    // 1.01 % and 1.00 % of 10,000 requests.
    let failed =
        |n| after_an_hour(requests(9_000, 1_000_000, n), requests(1_000 - n, 1_000_000, 0)).0;
    assert_eq!((failed(101), failed(100)), (grow, None));
    let class = |n| after_an_hour(requests(n, 1_000_000, 0), requests(1000 - n, 1_000_000, 0)).1;
    assert_eq!((class(800), class(799)), (LoadClass::Read, LoadClass::Balanced));
}
