use super::*;
use crate::objects::{ElementOp, Thresholds, decode_ops};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

fn changed(limits: &Thresholds, run: impl FnOnce(&mut Changes<'_>)) -> (bool, Vec<u8>) {
    let mut changes = Changes::new(limits, true);
    run(&mut changes);
    (changes.is_dirty(), changes.ops().to_vec())
}

/// What a reader of the journal does with one change: the whole record, or the elements.
fn replay(copy: Option<Hash>, now: &Hash, ops: &[u8]) -> Hash {
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

fn reload(hash: &Hash) -> Hash {
    let mut payload = Vec::new();
    hash.encode(&mut payload);
    let mut copy = Hash::decode(hash.is_single(), &payload).unwrap();
    hash.elements(&mut |subkey, value| copy.load_element(subkey, value).unwrap());
    copy
}

fn content(hash: &Hash) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let all: Vec<_> = hash.iter().map(|(f, v)| (f.to_vec(), v.to_vec())).collect();
    let len = all.len();
    let map: BTreeMap<_, _> = all.into_iter().collect();
    assert_eq!((map.len(), hash.len()), (len, len));
    map
}

proptest! {
    #[test]
    fn behaves_like_a_map(
        ops in prop::collection::vec((0u8..3, 0u16..400, 0usize..40, any::<u8>()), 0..400),
        entries in prop::sample::select(vec![0usize, 5, 128]),
        value_max in prop::sample::select(vec![30usize, 64]),
    ) {
        let limits = Thresholds { hash_entries: entries, hash_value: value_max, ..Thresholds::default() };
        let mut hash = Hash::default();
        let mut copy = None;
        let mut model = BTreeMap::new();
        let mut outgrown = false;
        for (kind, field, len, byte) in ops {
            let field = format!("field:{field}").into_bytes();
            let known = model.contains_key(&field);
            let (dirty, ops) = changed(&limits, |changes| {
                if kind < 2 {
                    let value = vec![byte; len];
                    outgrown |= value.len() > value_max;
                    assert_eq!(hash.set(&field, &value, changes), !known);
                    model.insert(field.clone(), value);
                    outgrown |= model.len() > entries;
                } else {
                    assert_eq!(hash.remove(&field, changes), known);
                    model.remove(&field);
                }
            });
            prop_assert_eq!(dirty, kind < 2 || known);
            prop_assert_eq!(hash.get(&field), model.get(&field).map(|value| &value[..]));
            prop_assert_eq!(hash.encoding(), if outgrown { "hashtable" } else { "listpack" });
            if dirty {
                copy = Some(replay(copy, &hash, &ops));
            }
        }
        prop_assert_eq!(&content(&hash), &model);
        prop_assert_eq!(&content(&reload(&hash)), &model);
        prop_assert_eq!(&content(&hash.clone()), &model);
        prop_assert_eq!(&content(&copy.unwrap_or_default()), &model);
        let mut state = 1u64;
        let drawn = hash.random(|below| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) as usize % below
        });
        prop_assert_eq!(drawn.is_some(), !model.is_empty());
        if let Some((field, value)) = drawn {
            prop_assert_eq!(&model[field], value);
        }
    }
}

proptest! {
    #[test]
    fn fields_set_together_are_as_if_set_in_turn(
        begun in prop::collection::vec((0u8..9, 0usize..4), 0..3),
        pairs in prop::collection::vec((0u8..9, 0usize..4), 0..9),
        entries in 0usize..8,
    ) {
        let limits = Thresholds { hash_entries: entries, hash_value: 2, ..Thresholds::default() };
        let text = |(field, len): &(u8, usize)| (vec![b'f', *field], vec![b'v'; *len]);
        let (begun, pairs): (Vec<_>, Vec<_>) =
            (begun.iter().map(text).collect(), pairs.iter().map(text).collect());
        let mut changes = Changes::new(&limits, true);
        let mut hash = Hash::default();
        for (field, value) in &begun {
            hash.set(field, value, &mut changes);
        }
        let mut model = hash.clone();
        let mut together = Changes::new(&limits, true);
        let slices = pairs.iter().map(|(field, value)| (&field[..], &value[..]));
        let created = hash.set_all(slices, &mut together);
        let mut in_turn = Changes::new(&limits, true);
        let new = pairs.iter().filter(|(field, value)| model.set(field, value, &mut in_turn)).count();
        prop_assert_eq!(created, new);
        prop_assert_eq!(content(&hash), content(&model));
        prop_assert_eq!(hash.encoding(), model.encoding());
        prop_assert_eq!((together.is_dirty(), together.ops()), (in_turn.is_dirty(), in_turn.ops()));
    }
}

#[test]
fn a_scan_returns_all_that_stays_while_the_table_grows_and_shrinks() {
    let limits = Thresholds::default();
    let mut changes = Changes::new(&limits, false);
    let mut hash = Hash::default();
    let stays: BTreeSet<Vec<u8>> = (0..1000).map(|n| format!("stays:{n}").into_bytes()).collect();
    for field in &stays {
        hash.set(field, b"v", &mut changes);
    }
    let mut seen = BTreeSet::new();
    let (mut cursor, mut calls) = (0, 0);
    loop {
        cursor = hash.scan(cursor, 10, |(field, _)| {
            seen.insert(field.to_vec());
        });
        if cursor == 0 {
            break;
        }
        calls += 1;
        for n in 0..200 {
            let field = format!("comes:{n}").into_bytes();
            if calls % 2 == 1 {
                hash.set(&field, b"v", &mut changes);
            } else {
                hash.remove(&field, &mut changes);
            }
        }
    }
    assert!(stays.is_subset(&seen) && calls > 20);
    assert_eq!(hash.scan(u64::MAX, 10, |_| panic!("beyond the last hash")), 0);
}

#[test]
fn records_that_cannot_be_ours_are_refused() {
    assert!(Hash::decode(true, b"\x01a").is_err());
    assert!(Hash::decode(true, b"\x01a\x05b").is_err());
    assert!(Hash::decode(false, b"x").is_err());
    assert!(Hash::default().load_element(b"a", b"b").is_err());
}

#[test]
fn a_small_hash_takes_little_more_than_its_text() {
    let limits = Thresholds::default();
    let mut changes = Changes::new(&limits, false);
    let mut hash = Hash::default();
    let mut text = 0;
    for n in 0..10 {
        let (field, value) = (format!("field:{n}"), format!("value:{n:08}"));
        text += field.len() + value.len();
        hash.set(field.as_bytes(), value.as_bytes(), &mut changes);
    }
    assert_eq!(hash.heap_bytes(0), text + 20 + 4);
    assert_eq!(size_of::<Hash>(), 16);
}
