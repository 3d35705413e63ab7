use super::*;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Op {
    Push(Vec<Vec<u8>>),
    Replace(usize, Vec<u8>),
    Remove(usize, usize),
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
        6 => prop::collection::vec(entry(), 0..4).prop_map(Op::Push),
        3 => (any::<usize>(), entry()).prop_map(|(at, e)| Op::Replace(at, e)),
        2 => (any::<usize>(), 1usize..4).prop_map(|(at, n)| Op::Remove(at, n)),
    ]
}

proptest! {
    #[test]
    fn behaves_like_a_vector(ops in prop::collection::vec(op(), 0..60)) {
        let mut pack = Pack::new();
        let mut model: Vec<Vec<u8>> = Vec::new();
        for op in ops {
            match op {
                Op::Push(entries) => {
                    pack.push_all(entries.iter().map(Vec::as_slice));
                    model.extend(entries);
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
            }
            prop_assert_eq!((pack.len(), pack.is_empty()), (model.len(), model.is_empty()));
        }
        prop_assert!(pack.iter().eq(model.iter().map(|entry| &entry[..])));
        prop_assert_eq!(&Pack::from_bytes(pack.as_bytes()).unwrap(), &pack);
        let size: usize = model.iter().map(|entry| entry_size(entry.len())).sum();
        prop_assert_eq!(size, pack.end());
        for wanted in model.iter().chain([&b"absent".to_vec()]) {
            for step in 1..3 {
                let index = model.iter().step_by(step).position(|entry| entry == wanted);
                let found = pack.find(0, step, wanted);
                prop_assert_eq!(found, index.map(|index| pack.offset(index * step)));
            }
        }
    }

    #[test]
    fn reads_or_refuses_any_bytes(bytes in prop::collection::vec(0u8..6, 0..20)) {
        if let Ok(pack) = Pack::from_bytes(&bytes) {
            prop_assert_eq!(pack.iter().count(), pack.len());
            prop_assert_eq!(pack.as_bytes(), &bytes);
        }
    }
}

#[test]
fn an_owner_holds_two_words_and_the_heap_no_slack() {
    let mut pack = Pack::new();
    assert_eq!(pack.heap_bytes(), 0);
    for n in 0..1000 {
        pack.push_back(format!("entry:{n}").as_bytes());
        assert_eq!(pack.heap_bytes(), pack.end() + COUNT_BYTES);
    }
    pack.remove(0, 990);
    assert_eq!(pack.heap_bytes(), pack.end() + COUNT_BYTES);
    pack.remove(0, 10);
    assert_eq!(pack.heap_bytes(), 0);
    assert_eq!(size_of::<Pack>(), 16);
    assert!(Pack::from_bytes(b"\x03ab").is_err());
}
