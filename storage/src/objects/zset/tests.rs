//! Sorted sets against a map and an ordered set, and their records.

use super::*;
use crate::objects::{ElementOp, decode_ops};
use proptest::prelude::*;
use std::collections::HashMap;

const LIMITS: Thresholds = Thresholds {
    hash_entries: 8,
    hash_value: 8,
    intset_entries: 8,
    zset_entries: 8,
    zset_value: 12,
};

/// What a sorted set is, written as simply as possible.
#[derive(Default)]
struct Model(HashMap<Vec<u8>, f64>);

impl Model {
    fn sorted(&self) -> Vec<(Vec<u8>, f64)> {
        let mut pairs: Vec<_> = self.0.iter().map(|(m, s)| (m.clone(), *s)).collect();
        pairs.sort_by(|a, b| a.1.partial_cmp(&b.1).unwrap().then_with(|| a.0.cmp(&b.0)));
        pairs
    }
}

fn pairs<'a>(iter: impl Iterator<Item = (&'a [u8], f64)>) -> Vec<(Vec<u8>, f64)> {
    iter.map(|(member, score)| (member.to_vec(), score)).collect()
}

fn member(n: u16) -> Vec<u8> {
    format!("member:{n:04}").into_bytes()
}

fn score(n: i16) -> f64 {
    match n {
        100 => f64::INFINITY,
        -100 => f64::NEG_INFINITY,
        n => f64::from(n) / 4.0,
    }
}

/// Applies journaled changes as a Replica does.
fn replay(copy: &mut ZSet, ops: &[u8]) {
    for op in decode_ops(ops) {
        match op.unwrap() {
            ElementOp::Put { subkey, value } => copy.load_element(subkey, value).unwrap(),
            ElementOp::Delete { subkey } => copy.unload_element(subkey),
        }
    }
}

/// Through its record and elements, as a base gives them back.
fn reload(set: &ZSet) -> ZSet {
    let mut record = Vec::new();
    set.encode(&mut record);
    let mut back = ZSet::decode(set.is_single(), &record).unwrap();
    let mut elements = Vec::new();
    set.elements(&mut |subkey, value| elements.push((subkey.to_vec(), value.to_vec())));
    elements.sort();
    for (subkey, value) in elements {
        back.load_element(&subkey, &value).unwrap();
    }
    back
}

fn same(a: &ZSet, b: &ZSet) -> bool {
    pairs(a.iter()) == pairs(b.iter()) && a.encoding() == b.encoding()
}

#[derive(Clone, Debug)]
enum Step {
    Set(u16, i16),
    Remove(u16),
    RemoveRanks(u8, u8),
}

fn step(members: u16) -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => (0..members, -100i16..=100).prop_map(|(m, s)| Step::Set(m, s)),
        4 => (0..members).prop_map(Step::Remove),
        1 => (any::<u8>(), any::<u8>()).prop_map(|(at, count)| Step::RemoveRanks(at, count)),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop_oneof![prop::collection::vec(step(10), 0..60), prop::collection::vec(step(2000), 0..1500),]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn behaves_like_a_sorted_map_and_replays(steps in steps(), probes in prop::collection::vec((-101i16..=101, any::<bool>(), 0u16..2000), 6)) {
        let (mut set, mut copy) = (ZSet::default(), ZSet::default());
        let mut model = Model::default();
        for step in steps {
            let mut changes = Changes::new(&LIMITS, true);
            let was_single = set.is_single();
            match step {
                Step::Set(n, s) => {
                    let old = model.0.insert(member(n), score(s));
                    prop_assert_eq!(set.set(&member(n), score(s), &mut changes), old);
                    prop_assert_eq!(changes.is_dirty(), old != Some(score(s)));
                }
                Step::Remove(n) => {
                    let old = model.0.remove(&member(n));
                    prop_assert_eq!(set.remove(&member(n), &mut changes), old);
                    prop_assert_eq!(changes.is_dirty(), old.is_some());
                }
                Step::RemoveRanks(at, count) => {
                    let at = usize::from(at) * model.0.len() / 256;
                    let end = (at + usize::from(count) / 4).min(model.0.len());
                    for (gone, _) in &model.sorted()[at..end] {
                        model.0.remove(gone);
                    }
                    prop_assert_eq!(set.remove_ranks(at..at + usize::from(count) / 4, &mut changes), end - at);
                }
            }
            match (was_single, set.is_single()) {
                (false, false) => replay(&mut copy, changes.ops()),
                _ if changes.is_dirty() => copy = reload(&set),
                _ => {}
            }
            prop_assert_eq!(set.len(), model.0.len());
        }
        let sorted = model.sorted();
        prop_assert_eq!(pairs(set.iter()), sorted.clone());
        prop_assert!(same(&set, &copy), "replayed changes lead elsewhere");
        prop_assert!(same(&set, &reload(&set)) && same(&set, &set.clone()));
        for (rank, (member, score)) in sorted.iter().enumerate() {
            prop_assert_eq!(set.rank(member), Some((rank, *score)));
            prop_assert_eq!(set.score(member), Some(*score));
        }
        for pair in probes.windows(2) {
            let [(a, a_open, a_member), (b, b_open, b_member)] = pair else { unreachable!() };
            let min = Bound { score: score(*a), exclusive: *a_open };
            let max = Bound { score: score(*b), exclusive: *b_open };
            let inside = |s: f64| {
                let above = if min.exclusive { s > min.score } else { s >= min.score };
                above && if max.exclusive { s < max.score } else { s <= max.score }
            };
            let expected: Vec<_> = sorted.iter().filter(|(_, s)| inside(*s)).cloned().collect();
            let ranks = set.ranks_by_score(min, max);
            prop_assert_eq!(pairs(set.range(ranks.clone())), expected.clone());
            prop_assert_eq!(pairs(set.range(ranks).rev()), expected.into_iter().rev().collect::<Vec<_>>());

            let flat = sorted.iter().map(|(m, _)| (SmallBytes::new(m), 1.0)).collect();
            let flat = ZSet::from_pairs(flat, &LIMITS);
            let (low, high) = (member(*a_member), member(*b_member));
            let min = if *a_open { LexBound::Exclusive(&low) } else { LexBound::Inclusive(&low) };
            let max = if *b_open { LexBound::Exclusive(&high) } else { LexBound::Inclusive(&high) };
            let expected = sorted.iter().filter(|(m, _)| {
                (if *a_open { *m > low } else { *m >= low }) && if *b_open { *m < high } else { *m <= high }
            });
            prop_assert_eq!(flat.ranks_by_lex(min, max).len(), expected.count());
            prop_assert_eq!(flat.ranks_by_lex(LexBound::Min, LexBound::Max), 0..flat.len());
            prop_assert!(flat.ranks_by_lex(LexBound::Max, LexBound::Min).is_empty());
        }
    }

    #[test]
    fn bulk_building_is_the_same_as_setting_one_by_one(scores in prop::collection::vec(-100i16..=100, 0..600)) {
        let mut set = ZSet::default();
        let mut all = Vec::new();
        for (n, s) in scores.into_iter().enumerate() {
            set.set(&member(n as u16), score(s), &mut Changes::new(&LIMITS, false));
            all.push((SmallBytes::new(&member(n as u16)), score(s)));
        }
        prop_assert!(same(&ZSet::from_pairs(all, &LIMITS), &set));
    }

    #[test]
    fn records_of_any_content_are_taken_or_refused(payload in prop::collection::vec(any::<u8>(), 0..80)) {
        if let Ok(set) = ZSet::decode(true, &payload) {
            let mut record = Vec::new();
            set.encode(&mut record);
            prop_assert_eq!(record, payload);
            prop_assert_eq!(set.iter().count(), set.len());
        }
    }
}

#[test]
fn the_small_form_is_left_at_its_limits_and_not_entered_again() {
    let mut changes = Changes::new(&LIMITS, false);
    let mut set = ZSet::default();
    for n in 0..8 {
        set.set(&member(n), 0.0, &mut changes);
        assert_eq!(set.encoding(), "listpack");
    }
    set.set(&member(8), 0.0, &mut changes);
    assert_eq!(set.encoding(), "skiplist");
    set.remove_ranks(0..8, &mut changes);
    assert_eq!((set.len(), set.encoding()), (1, "skiplist"));

    let mut set = ZSet::default();
    set.set(&[b'x'; 12], 0.0, &mut changes);
    assert_eq!(set.encoding(), "listpack");
    set.set(&[b'y'; 13], 0.0, &mut changes);
    assert_eq!(set.encoding(), "skiplist");
}

#[test]
fn minus_zero_equals_zero_and_keeps_its_sign_in_the_large_form() {
    for (zset_entries, negative) in [(8, false), (0, true)] {
        let limits = Thresholds { zset_entries, ..LIMITS };
        let mut changes = Changes::new(&limits, false);
        let mut set = ZSet::default();
        set.set(b"b", -0.0, &mut changes);
        set.set(b"a", 0.0, &mut changes);
        assert_eq!(set.set(b"b", 0.0, &mut changes), Some(0.0));
        assert_eq!(set.score(b"b").unwrap().is_sign_negative(), negative);
        assert_eq!(set.rank(b"b").map(|(rank, _)| rank), Some(1));
        let zero = Bound { score: 0.0, exclusive: true };
        assert!(set.ranks_by_score(zero, Bound::MAX).is_empty());
    }
}

#[test]
fn a_scan_visits_what_stays_while_the_set_changes() {
    let mut changes = Changes::new(&LIMITS, false);
    let mut set = ZSet::default();
    for n in 0..3000 {
        set.set(&member(n), f64::from(n), &mut changes);
    }
    let (mut cursor, mut seen, mut calls) = (0, std::collections::HashSet::new(), 0u16);
    loop {
        cursor = set.scan(cursor, 10, |member, _| {
            seen.insert(member.to_vec());
        });
        if cursor == 0 {
            break;
        }
        calls += 1;
        // The upper thousands go while newcomers make the table grow and shrink.
        set.remove(&member(1000 + calls), &mut changes);
        set.set(&member(5000 + calls * 3), 0.0, &mut changes);
        set.set(&member(5001 + calls * 3), 0.0, &mut changes);
    }
    assert!(calls > 100);
    assert!((0..1000).all(|n| seen.contains(&member(n))));
    assert_eq!(set.scan(u64::MAX, 10, |_, _| unreachable!()), 0);
}

#[test]
fn random_draws_reach_every_member() {
    for count in [5u16, 500] {
        let mut set = ZSet::default();
        for n in 0..count {
            set.set(&member(n), 1.0, &mut Changes::new(&LIMITS, false));
        }
        let mut draws = 0usize;
        let mut seen = std::collections::HashSet::new();
        while seen.len() < usize::from(count) {
            let mut next = |below: usize| {
                draws += 1;
                draws * 7919 % below
            };
            seen.insert(set.random(&mut next).unwrap().0.to_vec());
            assert!(draws < 1_000_000);
        }
    }
    assert_eq!(ZSet::default().random(|_| 0), None);
}

#[test]
fn a_large_set_is_lean_and_gives_memory_back() {
    let count = 100_000u32;
    let mut changes = Changes::new(&LIMITS, false);
    let mut set = ZSet::default();
    for n in 0..count {
        let scattered = f64::from(n.wrapping_mul(2_654_435_761));
        set.set(format!("element:{n:012}").as_bytes(), scattered, &mut changes);
    }
    let each = set.heap_bytes(5) / count as usize;
    assert!(each <= 75, "{each} bytes per member");
    let full = set.heap_bytes(0);
    set.remove_ranks(1000..count as usize, &mut changes);
    assert_eq!(set.len(), 1000);
    assert!(set.heap_bytes(0) < full / 10, "{} of {full}", set.heap_bytes(0));
}

#[test]
fn corrupt_records_are_refused() {
    assert!(ZSet::decode(false, b"x").is_err());
    let mut set = ZSet::decode(false, b"").unwrap();
    assert!(set.load_element(b"m", b"short").is_err());
    assert!(set.load_element(b"m", &f64::NAN.to_le_bytes()).is_err());
    assert!(set.load_element(b"m", &1f64.to_le_bytes()).is_ok());
    let mut single = ZSet::default();
    assert!(single.load_element(b"m", &1f64.to_le_bytes()).is_err());
}
