//! A feed leaves in the base what its changes would have left one by one, however they are cut
//! into feeds (C17). Few keys and few subkeys, so that changes of one feed meet each other.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use storage::base::{Base, BaseKey, Feed, MemoryBase};
use storage::keyspace::hash32;
use storage::objects::{Changes, Kind, Str, Thresholds, Value};
use storage::record::{Change, put_main};

const BUCKET: u16 = 1;
const KEYS: [&[u8]; 2] = [b"a", b"b"];

type Batch = Vec<u8>;

fn put(key: &[u8], created: bool, text: &str, deadline: Option<i64>) -> Batch {
    let (mut batch, mut value) = (Vec::new(), Vec::new());
    put_main(&mut value, &Value::Str(Str::new(text.as_bytes())), deadline);
    Change::Put { bucket: BUCKET, db: 0, key, created, value: &value }.encode(&mut batch);
    batch
}

/// The main record of a hash whose fields are records of their own.
fn put_large(key: &[u8]) -> Batch {
    let mut batch = Vec::new();
    let value = [Kind::Hash as u8, 0];
    Change::Put { bucket: BUCKET, db: 0, key, created: true, value: &value }.encode(&mut batch);
    batch
}

/// Puts fields, or deletes those without a value.
fn fields(key: &[u8], fields: &[(&str, Option<&str>)]) -> Batch {
    let limits = Thresholds::default();
    let mut changes = Changes::new(&limits, true);
    for (field, value) in fields {
        match value {
            Some(value) => changes.put(field.as_bytes(), value.as_bytes()),
            None => changes.delete(field.as_bytes()),
        }
    }
    let mut batch = Vec::new();
    Change::Elements { bucket: BUCKET, db: 0, key, ops: changes.ops() }.encode(&mut batch);
    batch
}

fn delete(key: &[u8], wide: bool) -> Batch {
    let mut batch = Vec::new();
    Change::Delete { bucket: BUCKET, db: 0, key, wide }.encode(&mut batch);
    batch
}

/// A base that has taken in each of the feeds; every batch is an entry of its own.
fn fed(feeds: &[&[Batch]]) -> MemoryBase {
    let base = MemoryBase::new();
    let mut index = 0;
    for batches in feeds {
        let mut feed = Feed::new(1 << 20);
        for batch in *batches {
            index += 1;
            feed.add(index, 1, 0, batch).unwrap();
        }
        base.ingest(feed).unwrap();
        assert_eq!(base.index(), index);
    }
    base
}

/// Subkeys and values of a key, the main record first.
fn records(base: &MemoryBase, key: &[u8]) -> Vec<(String, Vec<u8>)> {
    let place = BaseKey { bucket: BUCKET, db: 0, hash: hash32(key), key };
    let (_, records) = base.records(place).unwrap();
    records.into_iter().map(|(key, value)| (String::from_utf8(key).unwrap(), value)).collect()
}

/// Everything a base says of the keys.
fn contents(base: &MemoryBase) -> String {
    let report = base.check().unwrap();
    assert_eq!(report.problems, Vec::<String>::new());
    let keys = KEYS.map(|key| records(base, key));
    format!("{keys:?} {:?} {:?}", base.counts().unwrap(), base.due(None, 100, 100).unwrap())
}

#[test]
fn every_field_of_a_feed_is_in_the_base() {
    let all = [("f1", Some("1")), ("f2", Some("2")), ("f3", Some("3")), ("f2", Some("4"))];
    let base = fed(&[&[put_large(b"a"), fields(b"a", &all)]]);
    let expected = [("f1", b"1"), ("f2", b"4"), ("f3", b"3")];
    let expected = expected.map(|(field, value)| (field.to_owned(), value.to_vec()));
    assert_eq!(records(&base, b"a")[1..], expected);
}

/// The key was large before the feed and is small when it is deleted the second time.
#[test]
fn the_fields_of_a_deleted_hash_do_not_come_back_with_the_next_one_of_that_name() {
    let old = [put_large(b"a"), fields(b"a", &[("old", Some("1"))])];
    let then = [
        delete(b"a", true),
        put(b"a", true, "small", None),
        delete(b"a", false),
        put_large(b"a"),
        fields(b"a", &[("new", Some("2"))]),
    ];
    let base = fed(&[&old, &then]);
    let subkeys: Vec<String> = records(&base, b"a").into_iter().map(|(key, _)| key).collect();
    assert_eq!(subkeys, ["", "new"]);
}

/// What the next change of a key can be depends on what it holds.
#[derive(Clone, Copy, PartialEq)]
enum Holds {
    Nothing,
    Small,
    Large,
}

fn change(rng: &mut fastrand::Rng, key: &[u8], holds: &mut Holds) -> Batch {
    let deadline = rng.bool().then(|| rng.i64(1..5));
    let text = rng.u32(..100).to_string();
    match (*holds, rng.u32(..4)) {
        (Holds::Nothing, 0..2) => {
            *holds = Holds::Small;
            put(key, true, &text, deadline)
        }
        (Holds::Nothing, _) => {
            *holds = Holds::Large;
            put_large(key)
        }
        (Holds::Small, 0..2) => put(key, false, &text, deadline),
        (Holds::Large, 0..3) => {
            let names = ["f1", "f2", "f3", "g"];
            let some: Vec<_> = (0..rng.usize(1..4))
                .map(|_| (names[rng.usize(..4)], rng.bool().then_some(&text[..])))
                .collect();
            fields(key, &some)
        }
        (held, _) => {
            *holds = Holds::Nothing;
            delete(key, held == Holds::Large)
        }
    }
}

#[test]
fn however_changes_are_cut_into_feeds_the_base_is_the_same() {
    for seed in 0..500 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut holds = [Holds::Nothing; KEYS.len()];
        let batches: Vec<Batch> = (0..40)
            .map(|_| {
                let key = rng.usize(..KEYS.len());
                change(&mut rng, KEYS[key], &mut holds[key])
            })
            .collect();
        let alone: Vec<&[Batch]> = batches.chunks(1).collect();
        let mut cut: Vec<&[Batch]> = Vec::new();
        let mut rest = &batches[..];
        while !rest.is_empty() {
            let (feed, after) = rest.split_at(rng.usize(1..=rest.len().min(12)));
            cut.push(feed);
            rest = after;
        }
        assert_eq!(contents(&fed(&cut)), contents(&fed(&alone)), "seed {seed}");
    }
}
