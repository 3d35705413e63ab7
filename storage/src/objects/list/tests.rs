//! The list against a `VecDeque`, its records, and the replay of its changes.

use super::*;
use crate::objects::{ElementOp, Thresholds, decode_ops};
use proptest::prelude::*;
use std::collections::VecDeque;

#[derive(Clone, Debug)]
enum Step {
    Push(Side, Vec<u8>),
    Drop(Side, usize),
    Set(usize, Vec<u8>),
    Insert(usize, Vec<u8>),
    Remove(Vec<usize>),
}

fn element() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        6 => prop::collection::vec(any::<u8>(), 0..12),
        3 => (100usize..300, any::<u8>()).prop_map(|(len, byte)| vec![byte; len]),
        1 => (3000usize..20_000, any::<u8>()).prop_map(|(len, byte)| vec![byte; len]),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let side = || prop_oneof![Just(Side::Left), Just(Side::Right)];
    prop_oneof![
        8 => (side(), element()).prop_map(|(side, element)| Step::Push(side, element)),
        2 => (side(), 0usize..6).prop_map(|(side, count)| Step::Drop(side, count)),
        2 => (any::<usize>(), element()).prop_map(|(index, element)| Step::Set(index, element)),
        3 => (any::<usize>(), element()).prop_map(|(index, element)| Step::Insert(index, element)),
        1 => prop::collection::vec(any::<usize>(), 0..6).prop_map(Step::Remove),
    ]
}

fn run(step: &Step, list: &mut List, model: &mut VecDeque<Vec<u8>>, changes: &mut Changes<'_>) {
    let len = model.len();
    match step {
        Step::Push(side, element) => {
            list.push(*side, element, changes);
            match side {
                Side::Left => model.push_front(element.clone()),
                Side::Right => model.push_back(element.clone()),
            }
        }
        Step::Drop(side, count) => {
            list.drop_ends(*side, *count, changes);
            let count = *count.min(&len);
            match side {
                Side::Left => model.drain(..count),
                Side::Right => model.drain(len - count..),
            };
        }
        Step::Set(index, element) => {
            let index = index % (len + 1);
            assert_eq!(list.set(index, element, changes), index < len);
            if let Some(place) = model.get_mut(index) {
                place.clone_from(element);
            }
        }
        Step::Insert(index, element) => {
            let index = index % (len + 1);
            list.insert(index, element, changes);
            model.insert(index, element.clone());
        }
        Step::Remove(indexes) => {
            let mut indexes: Vec<_> = indexes.iter().map(|index| index % (len + 1)).collect();
            indexes.retain(|index| *index < len);
            indexes.sort_unstable();
            indexes.dedup();
            list.remove(&indexes, changes);
            indexes.iter().rev().for_each(|index| drop(model.remove(*index)));
        }
    }
}

fn assert_same(list: &List, model: &VecDeque<Vec<u8>>) {
    assert_eq!(list.len(), model.len());
    assert!(list.iter().eq(model.iter().map(Vec::as_slice)));
    assert!(list.iter().rev().eq(model.iter().rev().map(Vec::as_slice)));
    for index in [0, 1, model.len() / 3, model.len() / 2, model.len().saturating_sub(1)] {
        assert_eq!(list.get(index), model.get(index).map(Vec::as_slice));
        let tail = list.range(index..model.len().saturating_sub(1));
        let len = model.len().saturating_sub(1).saturating_sub(index);
        assert!(tail.eq(model.iter().skip(index).take(len).map(Vec::as_slice)));
    }
}

/// A list as it comes back from its records.
fn reload(list: &List) -> List {
    let mut main = Vec::new();
    list.encode(&mut main);
    let mut records = Vec::new();
    list.elements(&mut |subkey, value| records.push((subkey.to_vec(), value.to_vec())));
    records.sort();
    let mut back = List::decode(list.is_single(), &main).unwrap();
    records.iter().for_each(|(subkey, value)| back.load_element(subkey, value).unwrap());
    back
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_list_is_a_deque_and_its_changes_replay(steps in prop::collection::vec(step(), 1..250)) {
        let limits = Thresholds::default();
        let (mut list, mut model) = (List::default(), VecDeque::new());
        let mut replica = List::default();
        for step in &steps {
            let was_single = list.is_single();
            let before = model.clone();
            let mut changes = Changes::new(&limits, true);
            run(step, &mut list, &mut model, &mut changes);
            assert_same(&list, &model);
            prop_assert!(changes.is_dirty() || before == model);
            if was_single {
                replica = reload(&list);
            }
            for op in decode_ops(changes.ops()).filter(|_| !was_single) {
                match op.unwrap() {
                    ElementOp::Put { subkey, value } => replica.load_element(subkey, value).unwrap(),
                    ElementOp::Delete { subkey } => replica.unload_element(subkey),
                }
            }
            assert_same(&replica, &model);
        }
        let mut back = reload(&list);
        assert_same(&back, &model);
        prop_assert_eq!(back.is_single(), list.is_single());
        // Every position went along: what the one list frees, the other one knows.
        let mut changes = Changes::new(&limits, true);
        list.drop_ends(Side::Left, list.len() / 2, &mut changes);
        if !list.is_single() {
            for op in decode_ops(changes.ops()) {
                let ElementOp::Delete { subkey } = op.unwrap() else { panic!("only deletes") };
                back.unload_element(subkey);
            }
            prop_assert!(back.iter().eq(list.iter()));
        }
    }
}

#[test]
fn an_end_costs_one_record_and_an_insertion_the_shorter_side() {
    let limits = Thresholds::default();
    let mut list = List::default();
    let mut changes = Changes::new(&limits, true);
    for number in 0..1000 {
        list.push(Side::Right, format!("{number}").as_bytes(), &mut changes);
    }
    assert!(!list.is_single());
    let count = |run: &mut dyn FnMut(&mut Changes<'_>)| {
        let mut changes = Changes::new(&limits, true);
        run(&mut changes);
        decode_ops(changes.ops()).count()
    };
    assert_eq!(count(&mut |changes| list.push(Side::Left, b"x", changes)), 1);
    assert_eq!(count(&mut |changes| list.drop_ends(Side::Right, 1, changes)), 1);
    assert_eq!(count(&mut |changes| list.insert(3, b"x", changes)), 4);
    assert_eq!(count(&mut |changes| list.insert(list.len() - 3, b"x", changes)), 4);
    assert_eq!(count(&mut |changes| list.remove(&[3, 5], changes)), 4 + 2);
    assert_eq!(count(&mut |changes| list.remove(&[list.len() - 2], changes)), 1 + 1);
}

#[test]
fn memory_is_near_the_content() {
    let limits = Thresholds::default();
    let mut list = List::default();
    for _ in 0..10_000 {
        list.push(Side::Left, &[b'v'; 64], &mut Changes::new(&limits, false));
    }
    assert!(list.heap_bytes(0) < 10_000 * 68, "{}", list.heap_bytes(0));
    assert_eq!(size_of::<List>(), 32);
}

#[test]
fn foreign_records_are_refused() {
    assert!(List::decode(true, b"\x05a").is_err());
    assert!(List::decode(false, b"x").is_err());
    let mut single = List::default();
    assert!(single.load_element(&subkey(0), b"a").is_err());
    let mut large = List::decode(false, b"").unwrap();
    assert!(large.load_element(b"short", b"a").is_err());
    large.load_element(&subkey(i64::MAX), b"a").unwrap();
    assert!(large.load_element(&subkey(i64::MIN), b"b").is_err());
    assert!(large.load_element(&subkey(5), b"b").is_err());
    large.unload_element(&subkey(5));
    assert_eq!(large.len(), 1);
}
