use super::*;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Op {
    Insert(usize, Vec<u8>),
    Replace(usize, Vec<u8>),
    Remove(usize, usize),
    Retain(usize, u8),
    SplitAppend(usize),
}

fn entry() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        8 => prop::collection::vec(any::<u8>(), 0..12),
        1 => (100usize..300, any::<u8>()).prop_map(|(len, byte)| vec![byte; len]),
        1 => (16_300usize..16_500).prop_map(|len| vec![b'x'; len]),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => (any::<usize>(), entry()).prop_map(|(at, e)| Op::Insert(at, e)),
        3 => (any::<usize>(), entry()).prop_map(|(at, e)| Op::Replace(at, e)),
        2 => (any::<usize>(), 1usize..4).prop_map(|(at, n)| Op::Remove(at, n)),
        1 => (1usize..4, any::<u8>()).prop_map(|(group, below)| Op::Retain(group, below)),
        1 => any::<usize>().prop_map(Op::SplitAppend),
    ]
}

fn run<const BACK: bool>(ops: &[Op]) -> Result<(Pack<BACK>, Vec<Vec<u8>>), TestCaseError> {
    let mut pack = Pack::<BACK>::new();
    let mut model: Vec<Vec<u8>> = Vec::new();
    for op in ops {
        match op.clone() {
            Op::Insert(at, entry) => {
                let at = at % (model.len() + 1);
                pack.insert(pack.offset(at), &entry);
                model.insert(at, entry);
            }
            Op::Replace(at, entry) => {
                let at = at % (model.len() + 1);
                prop_assert_eq!(pack.replace(pack.offset(at), &entry), at < model.len());
                if let Some(place) = model.get_mut(at) {
                    *place = entry;
                }
            }
            Op::Remove(at, count) => {
                let at = at % (model.len() + 1);
                let end = (at + count).min(model.len());
                prop_assert_eq!(pack.remove(pack.offset(at), count), end - at);
                model.drain(at..end);
            }
            Op::Retain(group, below) => {
                let keep = |entry: &[u8]| entry.first().is_none_or(|&byte| byte >= below);
                pack.retain(group, keep);
                let groups = model.chunks(group).filter(|chunk| keep(&chunk[0]));
                model = groups.flatten().cloned().collect();
            }
            Op::SplitAppend(at) => {
                let at = at % (model.len() + 1);
                let tail = pack.split_off(pack.offset(at));
                prop_assert_eq!((pack.len(), tail.len()), (at, model.len() - at));
                pack.append(&tail);
            }
        }
        prop_assert_eq!(pack.len(), model.len());
    }
    prop_assert!(pack.iter().eq(model.iter().map(|entry| &entry[..])));
    prop_assert_eq!(&Pack::from_bytes(pack.as_bytes()).unwrap(), &pack);
    let size: usize = model.iter().map(|entry| Pack::<BACK>::entry_size(entry.len())).sum();
    prop_assert_eq!(size, pack.end());
    for wanted in model.iter().chain([&b"absent".to_vec()]) {
        for step in 1..3 {
            let index = model.iter().step_by(step).position(|entry| entry == wanted);
            let found = pack.find(0, step, wanted);
            prop_assert_eq!(found, index.map(|index| pack.offset(index * step)));
        }
    }
    Ok((pack, model))
}

proptest! {
    #[test]
    fn behaves_like_a_vector(ops in prop::collection::vec(op(), 0..60)) {
        run::<false>(&ops)?;
        let (pack, mut model) = run::<true>(&ops)?;
        model.reverse();
        prop_assert!(pack.iter().rev().eq(model.iter().map(|entry| &entry[..])));
    }

    #[test]
    fn reads_or_refuses_any_bytes(bytes in prop::collection::vec(0u8..6, 0..20)) {
        if let Ok(pack) = Pack::<false>::from_bytes(&bytes) {
            prop_assert_eq!(pack.iter().count(), pack.len());
        }
        if let Ok(pack) = TwoWay::from_bytes(&bytes) {
            prop_assert_eq!(pack.iter().rev().count(), pack.len());
        }
    }
}

#[test]
fn allocates_little_more_than_it_holds() {
    let mut pack = Pack::<false>::new();
    for n in 0..1000 {
        pack.push_back(format!("entry:{n}").as_bytes());
        assert!(pack.heap_bytes() <= pack.end() + pack.end() / 8 + 16);
    }
    pack.remove(0, 990);
    assert!(pack.heap_bytes() <= 2 * pack.end() + 64);
    assert_eq!(size_of::<Pack>(), 32);
    assert!(Pack::<false>::from_bytes(b"\x03ab").is_err());
}
