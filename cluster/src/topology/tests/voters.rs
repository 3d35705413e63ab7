//! Who should vote.

use proptest::prelude::*;

use super::random::history;
use super::*;

const S1: ShardId = ShardId(1);

#[track_caller]
fn check(text: &str, expected: &[u64]) {
    let found = topology(text).best_voters(S1, VoterRule::default(), |_| true);
    assert_eq!(found, nodes(expected), "{text}");
}

#[test]
fn the_number_is_odd_and_a_shadow_only_makes_it_so() {
    check("N1 LM WR s1", &[1]);
    check("N1 WR s1 | N2 LM s1~", &[1]);
    check("N1 WR s1 | N2 LM s1~ | N3 LM s1~", &[1]);
    check("N1 W s1 | N2 R s1:learner | N3 LM s1~", &[1, 2, 3]);
    check("N1 W s1 | N2 R s1:learner | N3 LM s1~:none", &[1]);
    check("N1 W s1 | N2 R s1 | N3 R s1 | N4 LM s1~", &[1, 2, 3]);
    let mach5 = "N1 W s1 | N2 R s1 | N3 R s1 | N4 R s1:learner | N5 LM s1~";
    check(mach5, &[1, 2, 3, 4, 5]);
    check("N1 W s1 | N2 R s1 | N3 R s1 | N4 R s1:learner | N5 LM", &[1, 2, 3]);
    let mach7 = "N1 W s1 | N2 R s1 | N3 R s1 | N4 R s1:learner | N5 R s1:learner \
                 | N6 R s1:learner | N7 LM s1~";
    check(mach7, &[1, 2, 3, 4, 5]);
    // A learner that catches up, a part, a fenced node do not vote.
    check("N1 W s1 | N2 R s1:learner | N3 F s1 | N4 LM s1~[1-500]", &[1]);
    check("N1 W s1 | N2 fenced R s1:learner | N3 R s1:learner | N4 LM s1~", &[1, 3, 4]);
}

#[test]
fn limits_and_health_count() {
    let mach5 = topology("N1 W s1 | N2 R s1 | N3 R s1 | N4 R s1:learner | N5 LM s1~");
    let best = |max, sick| {
        let rule = VoterRule { max, ..VoterRule::default() };
        mach5.best_voters(S1, rule, |n| n != NodeId(sick))
    };
    assert_eq!(best(3, 9), nodes(&[1, 2, 3]));
    assert_eq!(best(1, 9), nodes(&[1]));
    assert_eq!(best(4, 9), nodes(&[1, 2, 3]));
    assert_eq!(best(5, 3), nodes(&[1, 2, 4]));
    assert_eq!(best(5, 5), nodes(&[1, 2, 3]), "without a shadow one Replica too many is left out");
    assert_eq!(best(5, 1), nodes(&[1, 2, 3, 4, 5]), "the Writer always votes");
    let article = VoterRule { alone_below_four: true, ..VoterRule::default() };
    let mach3 = topology("N1 W s1 | N2 R s1:learner | N3 LM s1~");
    assert_eq!(mach3.best_voters(S1, article, |_| true), nodes(&[1]));
    let mach4 = topology("N1 W s1 | N2 R s1 | N3 R s1 | N4 LM s1~");
    assert_eq!(mach4.best_voters(S1, article, |_| true), nodes(&[1, 2, 3]));
    assert_eq!(mach4.best_voters(ShardId(5), article, |_| true), nodes(&[]));
}

#[test]
fn zones_are_spread_when_all_are_known() {
    let best = |text: &str| {
        let rule = VoterRule { max: 3, ..VoterRule::default() };
        topology(text).best_voters(S1, rule, |_| true)
    };
    let zoned = "N1 @a W s1 | N2 @a R s1 | N3 @a R s1 | N4 @b R s1:learner \
                 | N5 @c R s1:learner | N6 LM";
    assert_eq!(best(zoned), nodes(&[1, 4, 5]), "one per zone, though N2 and N3 vote already");
    let unknown = zoned.replace("N4 @b", "N4");
    assert_eq!(best(&unknown), nodes(&[1, 2, 3]), "one unknown zone: who votes stays");
}

#[test]
fn bigger_and_older_ones_are_preferred() {
    let text = "N1 L5 W s1 | N2 L2 R s1:learner | N3 L4 R s1:learner | N4 L4 R s1:learner \
                | N5 L4 R s1:learner | N6 LM";
    let rule = VoterRule { max: 3, ..VoterRule::default() };
    assert_eq!(topology(text).best_voters(S1, rule, |_| true), nodes(&[1, 3, 4]));
}

#[test]
fn who_votes_already_stays() {
    let text = "N1 W s1 | N2 R s1:learner | N3 R s1:learner | N4 R s1 | N5 R s1 | N6 LM";
    let rule = VoterRule { max: 3, ..VoterRule::default() };
    assert_eq!(topology(text).best_voters(S1, rule, |_| true), nodes(&[1, 4, 5]));
}

proptest! {
    /// Odd, at most `max`, legal, and once it is so it stays so.
    #[test]
    fn voters_are_odd_legal_and_settle(mut t in history(), max in 1usize..=5, sick in 1u64..12) {
        let rule = VoterRule { max, alone_below_four: false };
        let fit = |n: NodeId| n.0 != sick;
        for shard in t.shards().map(|s| s.id).collect::<Vec<_>>() {
            let best = t.best_voters(shard, rule, fit);
            prop_assert!(best.len() % 2 == 1 && best.len() <= max);
            if t.shard(shard).unwrap().is_joint()
                || t.node(t.shard(shard).unwrap().writer).unwrap().fenced
            {
                continue;
            }
            prop_assert_eq!(t.begin_voters(shard, &best), Ok(()));
            prop_assert_eq!(t.finish_voters(shard), Ok(()));
            prop_assert_eq!(t.best_voters(shard, rule, fit), best);
        }
    }
}
