//! Texts: what is usual is left out, and what is wrong is said with its place.

use crate::topology::{NodeId, ShardId, Topology, Vote};

/// The text is printed as it was written.
#[track_caller]
fn same(text: &str) {
    let read: Topology = text.parse().unwrap_or_else(|e| panic!("{text}: {e}"));
    assert_eq!(read.to_string(), text);
}

#[test]
fn what_is_usual_is_left_out() {
    same("N1 LM WR s1");
    same("N1 WR s1 | N2 LM s1~");
    same("N1 W s1 | N2 R s1 | N3 LM s1~:voter");
    same(
        "N1 L5 @eu-1a W s1 | N2 L4 @eu-1b j9 r7 LM-draining R s1 | N3 fenced F s1:voter | N4 LM s1~",
    );
    same("N1 WR s1 | N2 R s1:incoming | N3 LM R s1~:incoming | N4 | s1 e7 g3");
    same(
        "N1 W s1 | N2 R s1 | N3 R s1 R s2 | N4 R s2 | N5 W s2 | N6 LM s1~ \
         | N7 LM s2~:none | s1 1-500 e3 | s2 501-1000 e2 g9 of s1",
    );
    same(
        "N1 LM WR s1 | N2 F s1[501-1000] | o4 split s2 at 501 for writes on s1 syncing e3 N2 r7 r8",
    );
    same("N1 LM WR s1 | o1 level L3 on s1 | o2 replace N4 | o3 switch N1 draining e9 N1");
    same("N1 LM WR s1 | cluster B16 v12 e3 next N9 j8 s7 g6 o5");
}

#[test]
fn lines_and_comments_are_items_too() {
    let text = "
        # Mach III
        N1 W s1      # the Writer
        N2 R s1 | N3 LM s1~:voter
    ";
    let read: Topology = text.parse().unwrap();
    assert_eq!(read.to_string(), "N1 W s1 | N2 R s1 | N3 LM s1~:voter");
    assert_eq!(format!("{read:#}"), "N1 W s1\nN2 R s1\nN3 LM s1~:voter");
    assert_eq!(read.member(ShardId(1), NodeId(3)).unwrap().vote, Vote::Voter);
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let cases = [
        ("N1 LM WR s1 | X2", "line 1, column 15: expected a node `N1`, a shard `s1`, an operation"),
        ("N1 LM WR", "line 1, column 9: expected a shard `s1` after the role, found the end"),
        ("N1 LM WR | N2", "line 1, column 10: expected a shard `s1` after the role, found the end"),
        ("N1 LM\nN2 WR x1", "line 2, column 7: expected a shard `s1` after the role, found `x1`"),
        ("N1 LM L2 WR s1", "line 1, column 7: expected `L2`, `@zone`"),
        ("N1 LM s1", "line 1, column 7: expected `L2`"),
        ("N1 L6 LM WR s1", "column 4: expected `L2`"),
        ("N1 LM WR s1 | N2 W s1", "column 20: expected one Writer of the shard only, found `s1`"),
        ("N1 LM WR s1 R s1", "column 15: expected each shard once"),
        ("N1 LM WR s1 | N2 LM s1~ s1~", "column 25: expected one shadow only"),
        ("N1 LM W s1~", "column 9: expected a shard `s1` after the role"),
        ("N1 LM R s1~:none", "column 9: expected `:none` only after a mere shadow"),
        ("N1 LM WR s1:maybe", "column 10: expected a shard `s1` after the role"),
        ("N1 LM WR s1 | N2 R s2", "column 10: expected an item `s1 FIRST-LAST`"),
        ("N1 LM WR s1 | s1 9-5", "column 18: expected a range (buckets 9-5 are no range"),
        ("N1 LM WR s1 | s1 | s1", "column 20: expected each shard's item once"),
        ("N1 LM WR s1 | s1 e2 1-5", "column 21: expected buckets `1-500`, `e1`"),
        ("N1 LM R s1", "column 9: expected a node with `W s1`"),
        ("N1 LM WR s1 | s1 1-8 | s2 9-1000", "column 24: expected a node with `W s2`"),
        ("N1 LM WR s1 | o1 dance", "column 18: expected `grow`, `shrink`"),
        (
            "N1 LM WR s1 | o1 split s2 at x",
            "column 30: expected the child's first bucket, found `x`",
        ),
        ("N1 LM WR s1 | o1 grow on s1 r1 N1", "column 32: expected `on s1`, a phase"),
        ("N1 LM WR s1 | cluster v1 B5", "column 26: expected `B1000`"),
        ("N1 LM WR s1 | cluster | cluster", "column 25: expected a node `N1`"),
        ("N99999999999999999999 LM", "column 1: expected a node `N1`"),
        ("N1 ü LM", "column 4: expected `L2`"),
        ("ü | N1 LM x", "column 1: expected"),
        ("N1 LM WR s1 | ü", "column 15: expected"),
    ];
    for (text, expected) in cases {
        let refused = text.parse::<Topology>().map(|t| t.to_string()).unwrap_err().to_string();
        assert!(refused.contains(expected), "{text}: {refused}");
    }
    assert!("".parse::<Topology>().unwrap_err().to_string().contains("belong to no shard"));
}
