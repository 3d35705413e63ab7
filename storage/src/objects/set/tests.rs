use super::*;
use crate::objects::{ElementOp, Thresholds, decode_ops};
use proptest::prelude::*;
use std::collections::BTreeSet;

fn reload(set: &Set) -> Set {
    let mut payload = Vec::new();
    set.encode(&mut payload);
    let mut copy = Set::decode(set.is_single(), &payload).unwrap();
    set.elements(&mut |subkey, value| copy.load_element(subkey, value).unwrap());
    copy
}

/// What a reader of the journal does with one change: the whole record, or the elements.
fn replay(copy: Option<Set>, now: &Set, ops: &[u8]) -> Set {
    let mut copy = match copy {
        Some(copy) if !copy.is_single() && !now.is_single() => copy,
        _ => return reload(now),
    };
    for op in decode_ops(ops) {
        match op.unwrap() {
            ElementOp::Put { subkey, value } => copy.load_element(subkey, value).unwrap(),
            ElementOp::Delete { subkey } => copy.unload_element(subkey),
        }
    }
    copy
}

fn content(set: &Set) -> BTreeSet<Vec<u8>> {
    let members: BTreeSet<_> = set.iter().map(Member::to_vec).collect();
    assert_eq!((set.iter().count(), set.len()), (members.len(), members.len()));
    members
}

proptest! {
    #[test]
    fn behaves_like_a_set(
        ops in prop::collection::vec((0u8..3, 0u16..600, 0u16..400), 0..700),
        intset_entries in prop::sample::select(vec![0usize, 20, 512]),
    ) {
        let limits = Thresholds { intset_entries, ..Thresholds::default() };
        let mut set = Set::default();
        let mut copy = None;
        let mut model = BTreeSet::new();
        let mut table = false;
        for (kind, number, spelling) in ops {
            let member = match spelling {
                0 => format!("0{number}"),
                1 => format!("{number:0>70}"),
                _ => (i64::from(number) - 300).to_string(),
            }.into_bytes();
            let mut changes = Changes::new(&limits, true);
            let changed = if kind < 2 {
                let new = model.insert(member.clone());
                prop_assert_eq!(set.insert(&member, &mut changes), new);
                table |= integer(&member).is_none() || new && model.len() > intset_entries;
                new
            } else {
                let removed = model.remove(&member);
                prop_assert_eq!(set.remove(&member, &mut changes), removed);
                removed
            };
            prop_assert_eq!(changes.is_dirty(), changed);
            prop_assert_eq!(set.contains(&member), model.contains(&member));
            prop_assert_eq!(set.encoding(), if table { "hashtable" } else { "intset" });
            if changed {
                copy = Some(replay(copy, &set, changes.ops()));
            }
        }
        prop_assert_eq!(&content(&set), &model);
        prop_assert_eq!(&content(&reload(&set)), &model);
        prop_assert_eq!(&content(&set.clone()), &model);
        prop_assert_eq!(reload(&set).encoding(), set.encoding());
        prop_assert_eq!(&content(&copy.unwrap_or_default()), &model);
        prop_assert!(set.iter().all(|member| set.has(member)));
    }
}

#[test]
fn every_member_is_drawn_about_as_often_in_every_form() {
    let limits = Thresholds { intset_entries: 20, ..Thresholds::default() };
    for (members, encoding, single) in [
        ((0..20).map(|n| n.to_string()).collect::<Vec<_>>(), "intset", true),
        ((0..40).map(|n| format!("m{n}")).collect(), "hashtable", true),
        ((0..200).map(|n| format!("m{n}")).collect(), "hashtable", false),
    ] {
        let mut set = Set::default();
        let mut changes = Changes::new(&limits, false);
        for member in &members {
            assert!(set.insert(member.as_bytes(), &mut changes));
        }
        assert_eq!((set.encoding(), set.is_single()), (encoding, single));
        let mut counts = std::collections::BTreeMap::<Vec<u8>, usize>::new();
        let mut state = 1u64;
        let mut draw = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) as usize % below
        };
        for _ in 0..members.len() * 100 {
            let drawn = set.random(&mut draw);
            *counts.entry(drawn.unwrap().to_vec()).or_default() += 1;
        }
        assert_eq!(counts.len(), members.len());
        let mut popped = BTreeSet::new();
        while set.pop(&mut draw, &mut changes, |member| {
            popped.insert(member.to_vec());
        }) {
            assert!(popped.iter().all(|member| !set.contains(member)));
        }
        assert_eq!((popped.len(), set.len()), (members.len(), 0));
        assert!(counts.values().all(|&count| (50..200).contains(&count)), "{counts:?}");
    }
}

#[test]
fn a_scan_returns_all_that_stays_while_the_table_grows_and_shrinks() {
    let limits = Thresholds::default();
    let mut changes = Changes::new(&limits, false);
    let mut set = Set::default();
    let stays: BTreeSet<Vec<u8>> = (0..500).map(|n| format!("stays:{n}").into_bytes()).collect();
    for member in &stays {
        set.insert(member, &mut changes);
    }
    let mut seen = BTreeSet::new();
    let (mut cursor, mut calls) = (0, 0);
    loop {
        cursor = set.scan(cursor, 10, |member| {
            seen.insert(member.to_vec());
        });
        if cursor == 0 {
            break;
        }
        calls += 1;
        for n in 0..200 {
            let member = format!("comes:{n}").into_bytes();
            if calls % 2 == 1 {
                set.insert(&member, &mut changes);
            } else {
                set.remove(&member, &mut changes);
            }
        }
    }
    assert!(stays.is_subset(&seen) && calls > 20);
}

#[test]
fn records_that_cannot_be_ours_are_refused() {
    for (single, payload) in
        [(true, &b""[..]), (true, b"\x02"), (true, b"\x01\x05a"), (false, b"\x01")]
    {
        assert!(Set::decode(single, payload).is_err());
    }
    assert!(Set::default().load_element(b"a", b"").is_err());
}
