//! Topologies by the rules.

use super::*;

fn level(number: u8) -> Level {
    Level::new(number).unwrap()
}

#[test]
fn a_cluster_begins_as_mach_one() {
    let t = Topology::found(1000, level(1), None).unwrap();
    assert_eq!(t.check(), Ok(()));
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
