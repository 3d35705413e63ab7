//! What every base must do: random batches in feeds of random length, against a model of objects.

use super::*;
use crate::keyspace::hash32;
use crate::objects::Str;
use crate::record::{Change, Main, put_main};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// A base under test.
pub(super) trait Subject {
    fn base(&self) -> &dyn Base;

    fn check(&self) -> Report;

    /// The same after a restart, where there is such a thing.
    fn reopen(self) -> Self;
}

impl Subject for MemoryBase {
    fn base(&self) -> &dyn Base {
        self
    }

    fn check(&self) -> Report {
        self.check().unwrap()
    }

    fn reopen(self) -> Self {
        self
    }
}

/// Some keys: two of one hash, one a prefix of another, the empty one, bytes at the borders.
static KEYS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let mut keys = vec![Vec::new(), b"a".to_vec(), b"ab".to_vec(), vec![0xff; 3], vec![0; 2]];
    keys.push(vec![b'x'; 400]);
    let mut seen = std::collections::HashMap::new();
    for number in 0u32.. {
        let key = number.to_string().into_bytes();
        if let Some(other) = seen.insert(hash32(&key), key.clone()) {
            keys.extend([other, key]);
            return keys;
        }
    }
    keys
});

const DBS_USED: u32 = 3;
const BUCKETS_USED: u16 = 4;

type Place = (u16, u32, u32, usize, Vec<u8>);

#[derive(Clone, Debug, PartialEq)]
struct Object {
    main: Vec<u8>,
    large: bool,
    elements: BTreeMap<Vec<u8>, Vec<u8>>,
}

#[derive(Clone, Debug)]
pub(super) enum Step {
    Put { bucket: u16, db: u32, key: usize, value: Vec<u8>, deadline: Option<i64> },
    Grow { bucket: u16, db: u32, key: usize, deadline: Option<i64> },
    Elements { bucket: u16, db: u32, key: usize, ops: Vec<(u8, Option<u8>)> },
    Delete { bucket: u16, db: u32, key: usize },
    Clear { db: u32, from: u16, to: u16 },
    MapDbs(u32),
    Feed,
    Reopen,
}

pub(super) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let place = || (1..=BUCKETS_USED, 0..DBS_USED, 0..KEYS.len());
    let deadline = || prop::option::weighted(0.4, 0..20i64);
    let step = prop_oneof![
        6 => (place(), prop::collection::vec(any::<u8>(), 0..40), deadline()).prop_map(
            |((bucket, db, key), value, deadline)| Step::Put { bucket, db, key, value, deadline }
        ),
        3 => (place(), deadline())
            .prop_map(|((bucket, db, key), deadline)| Step::Grow { bucket, db, key, deadline }),
        6 => (place(), prop::collection::vec((0..9u8, prop::option::of(any::<u8>())), 0..6))
            .prop_map(|((bucket, db, key), ops)| Step::Elements { bucket, db, key, ops }),
        4 => place().prop_map(|(bucket, db, key)| Step::Delete { bucket, db, key }),
        1 => (0..DBS_USED, 1..=BUCKETS_USED, 0..BUCKETS_USED).prop_map(|(db, from, more)| {
            Step::Clear { db, from, to: (from + more).min(BUCKETS_USED) }
        }),
        1 => any::<u32>().prop_map(Step::MapDbs),
        3 => Just(Step::Feed),
        1 => Just(Step::Reopen),
    ];
    prop::collection::vec(step, 1..120)
}

#[derive(Default)]
struct Model {
    objects: BTreeMap<Place, Object>,
    map: Option<[u32; DBS]>,
}

fn place(bucket: u16, db: u32, key: usize) -> Place {
    let key = &KEYS[key];
    (bucket, db, hash32(key), key.len(), key.clone())
}

impl Model {
    /// Does the step, and writes the batch a Writer would journal.
    fn apply(&mut self, step: &Step, batch: &mut Vec<u8>) {
        match *step {
            Step::Put { bucket, db, key, ref value, deadline } => {
                let mut main = Vec::new();
                put_main(&mut main, &Value::Str(Str::new(value)), deadline);
                self.put(place(bucket, db, key), main, false, batch);
            }
            Step::Grow { bucket, db, key, deadline } => {
                let mut main = vec![Kind::Hash as u8, if deadline.is_some() { 2 } else { 0 }];
                main.extend(deadline.into_iter().flat_map(i64::to_le_bytes));
                self.put(place(bucket, db, key), main, true, batch);
            }
            Step::Elements { bucket, db, key, ref ops } => {
                let at = place(bucket, db, key);
                let Some(object) = self.objects.get_mut(&at).filter(|object| object.large) else {
                    return;
                };
                let limits = crate::objects::Thresholds::default();
                let mut changes = crate::objects::Changes::new(&limits, true);
                for (subkey, value) in ops {
                    // The empty subkey is one of them.
                    let subkey = vec![0xff; usize::from(*subkey)];
                    match value {
                        Some(value) => {
                            changes.put(&subkey, &[*value]);
                            object.elements.insert(subkey, vec![*value]);
                        }
                        None => {
                            changes.delete(&subkey);
                            object.elements.remove(&subkey);
                        }
                    }
                }
                let ops = changes.ops();
                Change::Elements { bucket, db, key: &at.4, ops }.encode(batch);
            }
            Step::Delete { bucket, db, key } => self.delete(&place(bucket, db, key), batch),
            Step::Clear { db, from, to } => {
                self.objects.retain(|at, _| at.1 != db || !(from..=to).contains(&at.0));
                Change::Clear { db, from, to }.encode(batch);
            }
            Step::MapDbs(seed) => {
                let map = std::array::from_fn(|db| seed.wrapping_add(db as u32));
                self.map = Some(map);
                Change::MapDbs { map }.encode(batch);
            }
            Step::Feed | Step::Reopen => {}
        }
    }

    fn delete(&mut self, at: &Place, batch: &mut Vec<u8>) {
        if let Some(object) = self.objects.remove(at) {
            let wide = object.large;
            Change::Delete { bucket: at.0, db: at.1, key: &at.4, wide }.encode(batch);
        }
    }

    fn put(&mut self, at: Place, main: Vec<u8>, large: bool, batch: &mut Vec<u8>) {
        if self.objects.get(&at).is_some_and(|old| old.large || large) {
            self.delete(&at, batch);
        }
        let object = Object { main, large, elements: BTreeMap::new() };
        let put = |created, value: &[u8], batch: &mut Vec<u8>| {
            Change::Put { bucket: at.0, db: at.1, key: &at.4, created, value }.encode(batch);
        };
        put(!self.objects.contains_key(&at), &object.main, batch);
        self.objects.insert(at, object);
    }

    fn deadline(object: &Object) -> Option<i64> {
        Main::decode(&object.main).unwrap().deadline
    }

    fn verify(&self, base: &dyn Base, index: u64) {
        assert_eq!(base.index(), index);
        assert_eq!(base.db_map().unwrap(), self.map);
        self.verify_keys(base, index);
        for bucket in 1..=BUCKETS_USED {
            for db in 0..DBS_USED {
                for limit in [1, 3, 100] {
                    self.verify_scan(base, bucket, db, limit);
                }
            }
        }
        let mut counts = BTreeMap::new();
        for at in self.objects.keys() {
            *counts.entry((at.1, at.0)).or_insert(0) += 1;
        }
        let counts: Vec<_> = counts.into_iter().map(|((db, bucket), n)| (db, bucket, n)).collect();
        assert_eq!(base.counts().unwrap(), counts);
        for (until, limit) in [(-1, 9), (5, 2), (19, 3), (i64::MAX, 1000)] {
            self.verify_due(base, until, limit);
        }
    }

    fn verify_keys(&self, base: &dyn Base, index: u64) {
        let mut keys = Vec::new();
        for bucket in 1..=BUCKETS_USED {
            for db in 0..DBS_USED {
                for key in KEYS.iter() {
                    let hash = hash32(key);
                    let key = BaseKey { bucket, db, hash, key };
                    keys.push(OwnedKey { bucket, db, hash, key: SmallBytes::new(key.key) });
                    let object =
                        self.objects.get(&(bucket, db, hash, key.key.len(), key.key.to_vec()));
                    if object.is_some() {
                        assert_eq!(base.probe(key), Cached::Unknown);
                    }
                    let expected: Vec<RawRecord> = object
                        .into_iter()
                        .flat_map(|object| {
                            let main = (Vec::new(), object.main.clone());
                            std::iter::once(main).chain(object.elements.clone())
                        })
                        .collect();
                    assert_eq!(base.records(key).unwrap(), (index, expected));
                    let (at, loaded) = base.load(key).unwrap();
                    assert_eq!(at, index);
                    assert_loaded(loaded, object);
                }
            }
        }
        keys.reverse();
        let (at, loaded) = base.load_many(&keys).unwrap();
        assert_eq!((at, loaded.len()), (index, keys.len()));
        for (key, loaded) in keys.iter().zip(loaded) {
            let at = (key.bucket, key.db, key.hash, key.key.len(), key.key.to_vec());
            assert_hollow(loaded, self.objects.get(&at));
        }
    }

    fn verify_scan(&self, base: &dyn Base, bucket: u16, db: u32, limit: usize) {
        let mut found = Vec::new();
        let mut from = Some(0);
        while let Some(hash) = from {
            let page = base.scan(bucket, db, hash, limit).unwrap();
            assert!(page.next.is_none() || page.keys.len() >= limit);
            let last = page.keys.last().map(|key| key.hash);
            assert!(page.next.is_none_or(|next| last.is_some_and(|last| next > last)));
            found.extend(page.keys);
            from = page.next;
        }
        let expected: Vec<ScannedKey> = self
            .objects
            .iter()
            .filter(|(at, _)| (at.0, at.1) == (bucket, db))
            .map(|(at, object)| ScannedKey {
                hash: at.2,
                key: SmallBytes::new(&at.4),
                kind: if object.large { Kind::Hash } else { Kind::String },
                deadline: Model::deadline(object),
            })
            .collect();
        assert_eq!(found, expected);
    }

    fn verify_due(&self, base: &dyn Base, until: i64, limit: usize) {
        let mut expected: Vec<(i64, &Place)> = self
            .objects
            .iter()
            .filter_map(|(at, object)| Some((Model::deadline(object)?, at)))
            .filter(|(deadline, _)| *deadline <= until)
            .collect();
        expected.sort();
        let mut found: Vec<Due> = Vec::new();
        loop {
            let page = base.due(found.last(), until, limit).unwrap();
            assert!(page.len() <= limit);
            if page.is_empty() {
                break;
            }
            found.extend(page);
        }
        let found: Vec<(i64, Place)> = found
            .into_iter()
            .map(|due| {
                let Due { deadline, key } = due;
                (deadline, (key.bucket, key.db, key.hash, key.key.len(), key.key.to_vec()))
            })
            .collect();
        let expected: Vec<(i64, Place)> =
            expected.into_iter().map(|(deadline, at)| (deadline, at.clone())).collect();
        assert_eq!(found, expected);
        // A deadline that no longer holds may come before the next one that does.
        let next = self.objects.values().filter_map(Model::deadline).filter(|at| *at > until);
        let first = base.next_deadline(until.saturating_add(1)).unwrap();
        assert!(first.is_none_or(|first| first > until || until == i64::MAX));
        assert!(next.min().is_none_or(|next| first.is_some_and(|first| first <= next)));
    }
}

fn assert_loaded(loaded: Option<Loaded>, object: Option<&Object>) {
    let loaded = loaded.map(|loaded| {
        let mut elements = BTreeMap::new();
        loaded.value.elements(&mut |subkey, value| {
            elements.insert(subkey.to_vec(), value.to_vec());
        });
        let mut main = Vec::new();
        put_main(&mut main, &loaded.value, loaded.deadline);
        Object { main, large: !loaded.value.is_single(), elements }
    });
    assert_eq!(loaded.as_ref(), object);
}

/// As [`assert_loaded`] for a main record alone.
fn assert_hollow(loaded: Option<Loaded>, object: Option<&Object>) {
    match loaded {
        Some(loaded) if loaded.value.is_hollow() => {
            let object = object.filter(|object| object.large).unwrap();
            assert_eq!(loaded.value.kind(), Kind::Hash);
            assert_eq!(loaded.deadline, Model::deadline(object));
        }
        loaded => {
            assert!(object.is_none_or(|object| !object.large));
            assert_loaded(loaded, object);
        }
    }
}

/// Runs the steps; each is a journal entry of its own.
pub(super) fn run<S: Subject>(mut subject: S, steps: &[Step]) {
    let mut model = Model::default();
    // So small that a feed of some steps has several runs.
    let mut feed = subject.base().new_feed(512);
    let mut index = 0;
    for step in steps.iter().chain([&Step::Feed, &Step::Reopen]) {
        let mut batch = Vec::new();
        model.apply(step, &mut batch);
        match step {
            Step::Feed => {
                let next = subject.base().new_feed(512);
                let fed = std::mem::replace(&mut feed, next);
                let ingested = subject.base().ingest(fed).unwrap();
                assert_eq!(ingested.index, index);
                model.verify(subject.base(), index);
                let report = subject.check();
                assert_eq!(report.problems, Vec::<String>::new());
                assert_eq!(report.keys, model.objects.len() as u64);
            }
            Step::Reopen if feed.is_empty() => {
                subject = subject.reopen();
                model.verify(subject.base(), index);
            }
            _ => {
                index += 1;
                feed.add(index, index / 10, index as i64, &batch).unwrap();
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn memory_base_is_its_model(steps in steps()) {
        run(MemoryBase::new(), &steps);
    }
}

#[test]
fn feeds_go_forward_only() {
    let base = MemoryBase::new();
    let feed = |index| {
        let mut feed = Feed::new(1);
        feed.add(index, 1, 50, &[]).unwrap();
        feed
    };
    base.ingest(feed(7)).unwrap();
    assert_eq!(base.record(), BaseRecord { index: 7, term: 1, time_ms: 50, db_map: None });
    for index in [6, 7] {
        assert!(matches!(base.ingest(feed(index)), Err(BaseError::Behind { base: 7, .. })));
    }
    assert_eq!(base.ingest(Feed::new(1)).unwrap().index, 7);
}
