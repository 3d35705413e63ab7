//! Topologies by the rules: named cases as texts, and random histories.

mod changes;
pub(crate) mod random;
mod ranges;
mod reshape;
mod voters;

use super::*;

/// Parses, or says why not.
#[track_caller]
fn topology(text: &str) -> Topology {
    text.parse().unwrap_or_else(|e| panic!("{text}: {e}"))
}

/// What `change` makes of `before`, without the version; a refusal by its text, after checking
/// that the value is as it was.
#[track_caller]
fn after(before: &str, change: impl FnOnce(&mut Topology) -> Result<(), Violation>) -> String {
    let old = topology(before);
    let mut new = old.clone();
    match change(&mut new) {
        Ok(()) => {
            assert_eq!(new.check(), Ok(()));
            assert!(new.version() > old.version());
            let parts = TopologyParts { version: old.version(), ..new.into_parts() };
            Topology::from_parts(parts).unwrap().to_string()
        }
        Err(violation) => {
            assert_eq!(new, old);
            violation.to_string()
        }
    }
}

fn level(number: u8) -> Level {
    Level::new(number).unwrap()
}

fn nodes(ids: &[u64]) -> std::collections::BTreeSet<NodeId> {
    ids.iter().map(|&n| NodeId(n)).collect()
}

#[test]
fn a_cluster_begins_as_mach_one() {
    let t = Topology::found(1000, level(1), None).unwrap();
    assert_eq!(t.check(), Ok(()));
    assert_eq!(t.to_string(), "N1 LM WR s1");
    assert_eq!((t.mach(ShardId(1)), t.node_count(), t.shard_count()), (1, 1, 1));
    assert_eq!(Topology::found(0, level(1), None), Err(RangeError::Empty { first: 1, last: 0 }));
}

#[test]
fn json_has_a_version_and_is_checked() {
    let t = Topology::found(1000, level(1), None).unwrap();
    let text = serde_json::to_string(&t).unwrap();
    assert!(text.starts_with(r#"{"format":1,"#), "{text}");
    assert_eq!(serde_json::from_str::<Topology>(&text).unwrap(), t);
    let newer = text.replacen(r#""format":1"#, r#""format":2"#, 1);
    let refused = serde_json::from_str::<Topology>(&newer).unwrap_err().to_string();
    assert!(refused.contains("format version 2 is not known"), "{refused}");
    let broken = text.replacen("[1,1000]", "[1,999]", 1);
    let refused = serde_json::from_str::<Topology>(&broken).unwrap_err().to_string();
    assert!(refused.contains("buckets from b1000 on belong to no shard"), "{refused}");
}

#[test]
fn mach_and_roles_follow_from_the_topology() {
    let cases = [
        ("N1 LM WR s1", 1, vec![], None),
        ("N1 WR s1 | N2 LM s1~", 2, vec![], None),
        ("N1 W s1 | N2 R s1 | N3 LM s1~:voter", 3, vec![2], Some(2)),
        // A learner that catches up does not count, a second Load Manager neither.
        ("N1 W s1 | N2 R s1 | N3 R s1 | N4 LM s1~ | N5 LM s1~ | N6 F s1", 4, vec![2, 3], Some(3)),
        // The latest is the one that joined last, not the one with the largest number.
        ("N1 W s1 | N2 j7 R s1 | N3 R s1 | N4 LM s1~:none", 4, vec![2, 3], Some(2)),
        // A Replica whose reads were withdrawn is one as long as it votes.
        ("N1 WR s1 | N2 F s1:voter | N3 LM R s1~:voter", 3, vec![2], Some(2)),
    ];
    for (text, mach, replicas, latest) in cases {
        let t = topology(text);
        let ids: Vec<u64> = t.replicas(ShardId(1)).into_iter().map(|n| n.0).collect();
        let found = (t.mach(ShardId(1)), ids, t.latest_replica(ShardId(1)).map(|n| n.0));
        assert_eq!(found, (mach, replicas, latest), "{text}");
    }
    assert_eq!(topology("N1 LM WR s1").mach(ShardId(9)), 0);
}

#[test]
fn every_broken_invariant_is_named() {
    let cases = [
        ("N1 LM WR s1 | s1 1-999", "buckets from b1000 on belong to no shard"),
        ("N1 LM WR s1 | s1 2-1000", "s1 holds 2-1000 where a range must begin at b1"),
        ("N1 LM WR s1 | s1 1-1001", "s1 holds 1-1001 where"),
        (
            "N1 LM WR s1 WR s2 | s1 1-500 | s2 500-1000",
            "s2 holds 500-1000 where a range must begin at b501",
        ),
        ("N1 LM W s1 | N2 R s1", "s1 has 2 voters: their number is odd"),
        ("N1 LM WR s1 | N2 R s1:incoming", "s1 has 2 voters"),
        ("N1 LM WR s1:learner | N2 R s1", "N1 is Writer of s1 and does not vote"),
        ("N1 LM WR s1:incoming | N2 R s1:outgoing", "N1 is Writer of s1 and does not vote"),
        ("N1 LM W s1", "nobody serves the reads of s1"),
        ("N1 LM WR s1 | N2 s1~", "N2 holds the shadow of s1 but its Load Manager is off"),
        ("N1 LM WR s1 s1~:none", "N1 is Writer of s1 and cannot hold its shadow"),
        ("N1 LM WR s1 | N2 LM s2~:none", "s2 is not in the topology"),
        ("N1 WR s1", "no node is Load Manager"),
        ("N1 LM-draining WR s1", "no node is Load Manager"),
        ("N1 LM WR s1 | N2 R s1[1-500]:learner", "N2 keeps only 1-500 of s1"),
        ("N1 LM WR s1 | N2 F s1[1-1000]", "1-1000, which N2 keeps, is no part of s1"),
        ("N1 LM WR s1 | N1 L2", "N1 stands twice"),
        ("N1 LM WR s1 | N2 j1", "j1 stands twice"),
        ("N1 LM WR s1 WR s2 | s1 1-500 | s2 501-1000 g1", "g1 stands twice"),
        ("N1 LM WR s1 | s1 e0", "epoch e0 of s1 is not above e0"),
        ("N1 LM WR s1 | o1 grow on s1 | o2 shrink on s1", "s1 is busy: o2 is in flight on it"),
        ("N1 LM WR s1 | o1 grow on s2", "s2 is not in the topology"),
    ];
    for (text, expected) in cases {
        let refused = text.parse::<Topology>().map(|t| t.to_string()).unwrap_err().to_string();
        assert!(refused.contains(expected), "{text}: {refused}");
    }
}

#[test]
fn repairs_go_beside_scaling() {
    topology("N1 LM WR s1 | o1 grow on s1 | o2 replace N7 on s1 | o3 revote on s1");
}
