//! Split and merge.

use super::*;

const S1: ShardId = ShardId(1);
const CHILD: (ShardId, GroupId) = (ShardId(2), GroupId(2));

/// Mach VII and the eighth node, which came as Load Manager for the right half (R60).
const EIGHT: &str = "N1 W s1 | N2 R s1 | N3 R s1 | N4 R s1 | N5 R s1 | N6 R s1:learner \
                     | N7 LM s1~ | N8 LM s1~[501-1000]";

fn split(text: &str, at: u16, voters: &[u64], learners: &[u64]) -> String {
    let (voters, learners) = (nodes(voters), nodes(learners));
    after(text, |t| t.split(S1, BucketId(at), CHILD, &voters, &learners))
}

#[test]
fn a_read_split_leaves_everybody_where_they_are() {
    assert_eq!(
        split(EIGHT, 501, &[1, 4, 5], &[6, 8]),
        "N1 W s1 W s2 | N2 R s1 | N3 R s1 | N4 R s1 R s2 | N5 R s1 R s2 \
         | N6 R s1:learner R s2:learner | N7 LM s1~ | N8 LM s2~ \
         | s1 1-500 e2 | s2 501-1000 e2 of s1"
    );
}

#[test]
fn a_split_is_refused_where_it_would_break_a_rule() {
    assert_eq!(
        split(EIGHT, 501, &[4, 5, 6], &[8]),
        "N1, the Writer of s1, is not among the voters of its child"
    );
    assert_eq!(split(EIGHT, 501, &[1, 4], &[8]), "s2 has 2 voters: their number is odd");
    assert_eq!(split(EIGHT, 501, &[1, 4, 9], &[]), "N9 is no member of s1");
    assert_eq!(
        split(EIGHT, 1, &[1, 4, 5], &[]),
        "1-1000 cannot be split at bucket 1: both parts need a bucket"
    );
    let joint = "N1 W s1 | N2 R s1:incoming | N3 LM s1~:incoming";
    assert_eq!(split(joint, 501, &[1], &[]), "s1 has a change of voters in flight");
    let used = "N1 LM WR s1 | cluster next s3";
    assert_eq!(split(used, 501, &[1], &[]), "s2 was used before");
    let used = "N1 LM WR s1 | cluster next g3";
    assert_eq!(split(used, 501, &[1], &[]), "g2 was used before");
}

#[test]
fn a_write_split_gives_the_new_writer_its_part_only() {
    // N9 keeps the right half: it is no longer a member of s1 and may vote in s2 (R67, C35).
    let parent = "N1 L5 W s1 | N2 R s1 | N3 R s1 | N4 LM s1~ | N9 L5 F s1[501-1000]";
    assert_eq!(
        split(parent, 501, &[1, 2, 9], &[3]),
        "N1 L5 W s1 W s2 | N2 R s1 R s2 | N3 R s1 R s2:learner | N4 LM s1~ | N9 L5 F s2:voter \
         | s1 1-500 e2 | s2 501-1000 e2 of s1"
    );
    // Where nobody of the child serves reads, its Writer does.
    let parent = "N1 L5 W s1 | N2 R s1 | N3 R s1 | N4 LM | N9 L5 F s1[501-1000]";
    assert_eq!(
        split(parent, 501, &[1], &[9]),
        "N1 L5 W s1 WR s2 | N2 R s1 | N3 R s1 | N4 LM | N9 L5 F s2 \
         | s1 1-500 e2 | s2 501-1000 e2 of s1"
    );
}

#[test]
fn a_merge_restores_what_was_before_the_split() {
    let before = topology("N1 LM WR s1");
    let mut t = before.clone();
    t.split(S1, BucketId(501), CHILD, &nodes(&[1]), &nodes(&[])).unwrap();
    assert!(t.siblings(S1, CHILD.0));
    t.merge(S1, CHILD.0).unwrap();
    assert_eq!(t.shard(S1).unwrap().range, before.shard(S1).unwrap().range);
    assert_eq!(t.shard(S1).unwrap().epoch, Epoch(3));
    assert_eq!(t.counters().shard, ShardId(3), "s2 does not come back");
    assert_eq!(t.check(), Ok(()));
}

#[test]
fn a_merge_needs_both_halves_on_whoever_serves() {
    let merge = |text, left, right| after(text, move |t| t.merge(ShardId(left), ShardId(right)));
    let two = "N1 LM WR s1 | N2 LM WR s2 | s1 1-500 e4 | s2 501-1000 e7 of s1";
    assert_eq!(merge(two, 1, 2), "N1 serves or votes in s1 but keeps no copy of s2");
    let held = "N1 LM WR s1 F s2 | N2 LM WR s2 | N3 LM s2~ | s1 1-500 e4 | s2 501-1000 e7 of s1";
    assert_eq!(merge(held, 1, 2), "N1 LM WR s1 | N2 LM | N3 LM | s1 e8 | cluster next s3 g3");
    assert_eq!(merge(held, 2, 1), "N2 serves or votes in s2 but keeps no copy of s1");
    let far = "N1 LM WR s1 WR s2 WR s3 | s1 1-300 | s2 301-600 of s1 | s3 601-1000 of s2";
    assert_eq!(merge(far, 1, 3), "1-300 and 601-1000 are not neighbours in this order");
    // s3's parent is gone, so it is s1's child from now on.
    assert_eq!(merge(far, 1, 2), "N1 LM WR s1 WR s3 | s1 1-600 e2 | s3 601-1000 of s1");
    let busy = format!("{far} | o1 grow on s2");
    assert_eq!(merge(&busy, 1, 2), "s2 is busy: o1 is in flight on it");
    // A learner of the left that lacks the right keeps a part from now on.
    let learner = "N1 LM WR s1 WR s2 | N2 F s1 | s1 1-500 | s2 501-1000 of s1";
    assert_eq!(merge(learner, 1, 2), "N1 LM WR s1 | N2 F s1[1-500] | s1 e2 | cluster next s3 g3");
}

#[test]
fn siblings_are_the_youngest_child_and_its_parent() {
    let t = topology("N1 LM WR s1 WR s2 WR s3 | s1 1-300 | s3 301-600 of s1 | s2 601-1000 of s1");
    assert!(t.siblings(S1, ShardId(3)));
    assert!(!t.siblings(S1, ShardId(2)), "s3 lies between and is younger");
    let t = topology("N1 LM WR s1 WR s2 WR s3 | s1 1-300 | s2 301-600 of s1 | s3 601-1000 of s2");
    assert!(!t.siblings(S1, ShardId(2)), "s2 is divided itself");
    assert!(t.siblings(ShardId(2), ShardId(3)));
    assert!(!t.siblings(ShardId(3), ShardId(2)));
}

#[test]
fn depth_first_splits_reach_one_shard_per_bucket() {
    let mut t = topology("N1 LM WR s1 | cluster B37");
    loop {
        let divisible = t.shards().find_map(|s| Some((s.id, s.range.middle()?)));
        let Some((shard, at)) = divisible else { break };
        let next = t.counters();
        t.split(shard, at, (next.shard, next.group), &nodes(&[1]), &nodes(&[])).unwrap();
    }
    assert_eq!(t.shard_count(), 37);
    assert_eq!(t.check(), Ok(()));
    // And back: always the youngest child first.
    while t.shard_count() > 1 {
        let pair = t.shards().rev().find(|s| s.parent.is_some_and(|p| t.siblings(p, s.id)));
        let (left, right) = pair.map(|s| (s.parent.unwrap(), s.id)).unwrap();
        t.merge(left, right).unwrap();
    }
    assert_eq!(t.check(), Ok(()));
}

#[test]
fn splits_may_end_in_another_order_than_they_began() {
    let two = "N1 LM WR s1 WR s2 | s1 1-500 | s2 501-1000 of s1";
    let begin = |t: &mut Topology, id: u64, shard: u32, child: u32, at: u16| {
        let (at, child, cause) = (BucketId(at), ShardId(child), SplitCause::Reads);
        let kind = OperationKind::Split { at, child, cause };
        t.begin(Operation::begin(OperationId(id), kind, Some(ShardId(shard)), Epoch(1)))
    };
    let mut t = topology(two);
    assert_eq!(begin(&mut t, 1, 1, 3, 251), Ok(()));
    // A number that was set aside is not set aside again, nor taken by another shard.
    assert_eq!(begin(&mut t, 2, 2, 3, 751), Err(Violation::ShardReused(ShardId(3))));
    assert_eq!(begin(&mut t, 2, 2, 4, 751), Ok(()));
    let split = |t: &mut Topology, shard: u32, at: u16, child: u32| {
        let group = t.counters().group;
        let child = (ShardId(child), group);
        t.split(ShardId(shard), BucketId(at), child, &nodes(&[1]), &nodes(&[]))
    };
    assert_eq!(split(&mut t, 2, 751, 3), Err(Violation::ShardReused(ShardId(3))));
    assert_eq!(split(&mut t, 2, 751, 4), Ok(()));
    assert_eq!(split(&mut t, 1, 251, 3), Ok(()));
    assert_eq!(t.counters().shard, ShardId(5));
    assert_eq!(t.check(), Ok(()));
    // The text says so too.
    let text = t.to_string();
    assert_eq!(topology(&text).to_string(), text);
}
