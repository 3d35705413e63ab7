//! Shapes and guards beyond one shard's Replicas: merges, levels, pairs, hot buckets, budgets, quiet
//! hours, operators' words, approvals.

use super::predictive::World;
use crate::autoscaler::config::QuietHours;
use crate::autoscaler::explain::{Held, Rule};
use crate::autoscaler::observation::BucketHeat;
use crate::autoscaler::*;
use crate::topology::{BucketId, Level, OperationId, ShardId, SplitCause};

const TWO_OF_FOUR: &str = "s1 1-500 | s2 501-1000 | N1 W s1 | N2 R s1 | N3 R s1 | N4 LM s1~ \
                           | N5 W s2 | N6 R s2 | N7 R s2 | N8 LM s2~";
const MACH_SEVEN: &str = "N1 W s1 | N2 R s1 | N3 R s1 | N4 R s1 | N5 R s1 | N6 R s1:learner \
                          | N7 LM s1~";
const LEVEL_FIVE: &str = "N1 L5 W s1 | N2 L4 R s1 | N3 L4 R s1 | N4 L4 LM s1~";

fn level(number: u8) -> Level {
    Level::new(number).unwrap()
}

fn of(decided: &Decided, shard: u32) -> &Decision {
    decided.decisions.iter().find(|d| d.shard == Some(ShardId(shard))).unwrap()
}

#[test]
fn two_calm_neighbours_become_one_of_their_replicas_but_not_in_quiet_hours() {
    let mut world = World::new(TWO_OF_FOUR);
    let decided = world.run(400, 500, 20);
    assert_eq!(of(&decided, 1).choice, Choice::Merge { right: ShardId(2) });
    let wanted = decided.state.desired.shards[&ShardId(1)];
    assert_eq!((wanted.merge, wanted.mach), (Some(ShardId(2)), 6));
    world.config.budget.quiet_hours = Some(QuietHours { from: 0, until: 1439 });
    let held = world.run(1, 500, 20);
    assert!(of(&held, 1).explanation.held.contains(&Held::QuietHours), "{held:?}");
    assert_eq!(held.state.desired.shards[&ShardId(1)].merge, None);
}

#[test]
fn too_much_for_one_shard_is_not_merged() {
    let mut world = World::new(TWO_OF_FOUR);
    // 1100 reads each: 2200 of four Replicas would be 55 %, of the applied writes 12 %.
    assert_eq!(of(&world.run(400, 1100, 250), 1).choice, Choice::Stay);
}

#[test]
fn an_idle_writer_gets_smaller_at_mach_four() {
    let mut world = World::new("N1 L3 W s1 | N2 L2 R s1 | N3 L2 R s1 | N4 L2 LM s1~");
    world.config.replicas.min_mach = 4;
    let to = level(2);
    assert_eq!(of(&world.run(400, 100, 20), 1).choice, Choice::LowerLevel { to });
    let mut busy = World::new("N1 L3 W s1 | N2 L2 R s1 | N3 L2 R s1 | N4 L2 LM s1~");
    busy.config.replicas.min_mach = 4;
    // A write costs 1 ms at level 3 and 1.5 ms at level 2: 500 of them are 75 % of it.
    assert_eq!(of(&busy.run(400, 100, 500), 1).choice, Choice::Stay);
}

#[test]
fn a_pair_must_do_more_than_the_writer_it_replaces() {
    let pair = |number: u8| {
        let mut world = World::new(LEVEL_FIVE);
        world.config.levels.paired_level = Some(level(number));
        world.run(200, 300, 500);
        let decided = world.run(30, 300, 900);
        let found = of(&decided, 1);
        (found.choice.clone(), found.explanation.held.clone())
    };
    let (choice, _) = pair(3);
    let Choice::Split(goal) = choice else { panic!("{choice:?}") };
    assert_eq!((goal.cause, goal.paired_level), (SplitCause::Writes, Some(level(3))));
    assert_eq!(pair(2), (Choice::Stay, vec![Held::Weaker]));
}

#[test]
fn one_hot_bucket_is_not_divided_and_told_once() {
    let mut world = World::new(LEVEL_FIVE);
    world.heat = vec![BucketHeat { bucket: BucketId(321), requests: 700 }];
    world.run(200, 300, 500);
    let mut told = 0;
    for _ in 0..30 {
        let decided = world.cell(300, 900, 0);
        let found = of(&decided, 1);
        assert!(!matches!(found.choice, Choice::Split(_)), "{found:?}");
        told += decided.events.iter().filter(|e| matches!(e, EventKind::HotKey { .. })).count();
    }
    assert_eq!(told, 1);
}

#[test]
fn budgets_hold_growth_back() {
    let held = |change: fn(&mut Config)| {
        let mut world = World::new(MACH_SEVEN);
        change(&mut world.config);
        world.run(300, 2900, 100);
        let decided = world.run(60, 4500, 100);
        let found = of(&decided, 1);
        assert!(matches!(found.choice, Choice::Grow { .. }), "{found:?}");
        (found.explanation.held.clone(), decided.state.desired.shards[&ShardId(1)].mach)
    };
    assert_eq!(held(|c| c.budget.max_node_hours_per_day = Some(3)), (vec![Held::Budget], 7));
    assert_eq!(held(|c| c.budget.max_actions_per_hour = Some(0)), (vec![Held::Budget], 7));
    assert!(held(|_| {}).1 > 7);
}

#[test]
fn an_operators_wish_outlives_the_second_in_which_it_was_said() {
    let mut world = World::new(MACH_SEVEN);
    world.run(300, 1000, 50);
    let at = Some(BucketId(400));
    world.words = vec![OperatorWord::Hold, OperatorWord::Split { shard: ShardId(1), at }];
    world.run(1, 1000, 50);
    world.words = Vec::new();
    assert!(of(&world.run(2, 1000, 50), 1).explanation.held.contains(&Held::Operator));
    world.words = vec![OperatorWord::Resume];
    let decided = world.run(1, 1000, 50);
    assert_eq!(of(&decided, 1).explanation.rule, Some(Rule::Operator));
    assert_eq!(decided.state.desired.shards[&ShardId(1)].split.map(|g| g.at), at);
    // Not for ever: an hour later nobody means it any more.
    world.words = vec![OperatorWord::Hold];
    world.run(361, 1000, 50);
    assert!(world.state.asked.is_empty());
}

#[test]
fn an_approval_is_for_one_operation() {
    let mut world = World::new(MACH_SEVEN);
    world.config.budget.approve = true;
    world.run(300, 2900, 100);
    world.run(60, 4500, 100);
    let id = *world.state.pending.keys().next().unwrap();
    world.words = vec![OperatorWord::Approve { operation: id }];
    let passes = world.run(1, 4500, 100);
    assert!(passes.state.desired.shards[&ShardId(1)].mach > 7);
    // It begins; when it ends, the next one is asked for anew.
    world.words = Vec::new();
    world.topology = format!("{MACH_SEVEN} | o1 grow on s1 requested e1").parse().unwrap();
    world.run(1, 4500, 100);
    assert_eq!(world.state.pending.len(), 0);
    world.topology = MACH_SEVEN.parse().unwrap();
    let again = world.run(30, 4500, 100);
    assert_eq!(again.state.desired.shards[&ShardId(1)].mach, 7);
    let waiting: Vec<OperationId> = world.state.pending.keys().copied().collect();
    assert!(waiting.len() == 1 && waiting[0] != id, "{waiting:?}");
}
