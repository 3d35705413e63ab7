//! More data than memory: with a small `maxmemory` objects leave memory and nothing else changes.
//!
//! One client writes all types at random and keeps a model beside; every reply is compared. Now
//! and then memory is emptied (DEBUG RELOAD), or the server is killed and started again. Whether a
//! key is in memory, in the base, or deleted but not yet in the base must never show. The seed is
//! printed; `BOWSHOCK_SEED` repeats a run.
//!
//! Limits: it runs on `--base rocksdb` whatever `BOWSHOCK_BASE` says, since with a base in memory
//! nothing can leave memory.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use compat_tests::client::Client;
use compat_tests::random::Random;
use compat_tests::reply::Reply;
use compat_tests::server::{Program, Server};

const KEYS: usize = 10_000;
const MAXMEMORY: &str = "24mb";
/// How long the random part runs.
const RUN: Duration = Duration::from_secs(12);
/// Commands sent at once.
const PIPELINE: usize = 64;

#[derive(Clone, Debug, PartialEq)]
enum Value {
    Text(String),
    Hash(BTreeMap<String, String>),
    List(Vec<String>),
    Set(BTreeSet<String>),
    Scores(BTreeMap<String, i64>),
}

type Model = HashMap<String, Value>;

fn seed() -> u64 {
    let given = std::env::var("BOWSHOCK_SEED").ok().and_then(|text| text.parse().ok());
    let clock = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros() as u64;
    let seed = given.unwrap_or_else(clock);
    println!("BOWSHOCK_SEED={seed}");
    seed
}

fn start() -> Server {
    Server::start(Program::BowshockRocksdb, &["--maxmemory", MAXMEMORY])
        .unwrap_or_else(|error| panic!("{error}"))
}

fn words(args: &[&str]) -> Vec<String> {
    args.iter().map(|arg| (*arg).to_owned()).collect()
}

/// A value of its own for each write, between a few bytes and 4 KB.
fn text(random: &mut Random) -> String {
    format!("{}:{}", random.bits(), "v".repeat(random.below(4_000)))
}

/// The next command and, as redis-cli would show it, its reply; the model moves on.
fn next(model: &mut Model, random: &mut Random) -> (Vec<String>, String) {
    let kind = random.word(&["s", "s", "s", "h", "l", "t", "z"]);
    let key = format!("{kind}{}", random.below(KEYS));
    let name = format!("m{}", random.below(300));
    if random.percent(35) {
        return read(model, &key, kind);
    }
    if random.percent(8) {
        let gone = model.remove(&key).is_some();
        return (words(&["DEL", &key]), integer(usize::from(gone)));
    }
    if random.percent(2) {
        // Its time has passed: it is deleted, and must not come back from the base.
        let gone = model.remove(&key).is_some();
        return (words(&["PEXPIREAT", &key, "1"]), integer(usize::from(gone)));
    }
    let text = text(random);
    match kind {
        "s" => {
            let args = words(&["SET", &key, &text]);
            model.insert(key, Value::Text(text));
            (args, "OK".to_owned())
        }
        "h" => {
            let args = words(&["HSET", &key, &name, &text]);
            let Value::Hash(hash) = model.entry(key).or_insert(Value::Hash(BTreeMap::new())) else {
                unreachable!()
            };
            (args, integer(usize::from(hash.insert(name, text).is_none())))
        }
        "l" => {
            let args = words(&["RPUSH", &key, &text]);
            let Value::List(list) = model.entry(key).or_insert(Value::List(Vec::new())) else {
                unreachable!()
            };
            list.push(text);
            (args, integer(list.len()))
        }
        "t" => {
            let args = words(&["SADD", &key, &name]);
            let Value::Set(set) = model.entry(key).or_insert(Value::Set(BTreeSet::new())) else {
                unreachable!()
            };
            (args, integer(usize::from(set.insert(name))))
        }
        _ => {
            let score = random.between(-1_000, 1_000);
            let args = words(&["ZADD", &key, &score.to_string(), &name]);
            let Value::Scores(scores) = model.entry(key).or_insert(Value::Scores(BTreeMap::new()))
            else {
                unreachable!()
            };
            (args, integer(usize::from(scores.insert(name, score).is_none())))
        }
    }
}

/// A read of a key, whether it exists or not.
fn read(model: &Model, key: &str, kind: &str) -> (Vec<String>, String) {
    let value = model.get(key);
    match (kind, value) {
        ("s", Some(Value::Text(text))) => (words(&["GET", key]), text.clone()),
        ("s", _) => (words(&["STRLEN", key]), integer(0)),
        ("h", Some(Value::Hash(hash))) => {
            let (name, text) = hash.iter().next().unwrap();
            (words(&["HGET", key, name]), text.clone())
        }
        ("l", Some(Value::List(list))) => {
            (words(&["LINDEX", key, "-1"]), list.last().unwrap().clone())
        }
        ("t", Some(Value::Set(set))) => (words(&["SCARD", key]), integer(set.len())),
        ("z", Some(Value::Scores(scores))) => {
            let (name, score) = scores.iter().next().unwrap();
            (words(&["ZSCORE", key, name]), score.to_string())
        }
        _ => (words(&["EXISTS", key]), integer(0)),
    }
}

fn integer(number: usize) -> String {
    format!("(integer) {number}")
}

/// A reply without the marks that only tell its type.
fn plain(reply: &Reply) -> String {
    match reply.bytes() {
        Some(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        None => reply.render(),
    }
}

fn run_batch(client: &mut Client, model: &mut Model, random: &mut Random, seed: u64) {
    let batch: Vec<_> = (0..PIPELINE).map(|_| next(model, random)).collect();
    batch.iter().for_each(|(args, _)| client.queue(args));
    client.flush().unwrap();
    for (args, expected) in &batch {
        let reply =
            client.receive().unwrap_or_else(|error| panic!("seed {seed}, {args:?}: {error}"));
        assert_eq!(&plain(&reply), expected, "seed {seed}, {args:?}");
    }
}

fn strings(reply: &Reply) -> Vec<String> {
    let items = reply.elements().unwrap_or_else(|| panic!("{}", reply.render()));
    items.iter().map(|item| String::from_utf8(item.bytes().unwrap().to_vec()).unwrap()).collect()
}

/// All keys, as SCAN gives them.
fn scan(client: &mut Client) -> HashSet<String> {
    let mut cursor = "0".to_owned();
    let mut seen = HashSet::new();
    loop {
        let reply = client.command(&["SCAN", &cursor, "COUNT", "500"]).unwrap();
        let parts = reply.elements().unwrap();
        seen.extend(strings(&parts[1]));
        cursor = String::from_utf8(parts[0].bytes().unwrap().to_vec()).unwrap();
        if cursor == "0" {
            return seen;
        }
    }
}

/// Compares everything there is with the model.
fn verify(client: &mut Client, model: &Model, seed: u64) {
    let size = client.command(&["DBSIZE"]).unwrap().integer().unwrap();
    assert_eq!(usize::try_from(size).unwrap(), model.len(), "seed {seed}: DBSIZE");
    let expected: HashSet<String> = model.keys().cloned().collect();
    let found = scan(client);
    let odd: Vec<_> = found.symmetric_difference(&expected).take(5).collect();
    assert!(odd.is_empty(), "seed {seed}: SCAN and the model differ in {odd:?}");
    let mut keys: Vec<&String> = model.keys().collect();
    keys.sort();
    for chunk in keys.chunks(PIPELINE) {
        for key in chunk {
            match key.as_bytes()[0] {
                b's' => client.queue(&["GET", key]),
                b'h' => client.queue(&["HGETALL", key]),
                b'l' => client.queue(&["LRANGE", key, "0", "-1"]),
                b't' => client.queue(&["SMEMBERS", key]),
                _ => client.queue(&["ZRANGE", key, "0", "-1", "WITHSCORES"]),
            }
        }
        client.flush().unwrap();
        for key in chunk {
            let reply =
                client.receive().unwrap_or_else(|error| panic!("seed {seed}, {key}: {error}"));
            let value = value_of(key, &reply);
            assert!(
                value == model[*key],
                "seed {seed}: {key} differs:\n{value:?}\n{:?}",
                model[*key]
            );
        }
    }
}

fn value_of(key: &str, reply: &Reply) -> Value {
    let pairs = || -> Vec<(String, String)> {
        let items = strings(reply);
        items.chunks(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect()
    };
    match key.as_bytes()[0] {
        b's' => Value::Text(plain(reply)),
        b'h' => Value::Hash(pairs().into_iter().collect()),
        b'l' => Value::List(strings(reply)),
        b't' => Value::Set(strings(reply).into_iter().collect()),
        _ => {
            let scores = pairs().into_iter().map(|(name, score)| (name, score.parse().unwrap()));
            Value::Scores(scores.collect())
        }
    }
}

fn info(client: &mut Client, name: &str) -> u64 {
    let text = plain(&client.command(&["INFO"]).unwrap());
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.unwrap_or_else(|| panic!("INFO has no {name}")).trim().parse().unwrap()
}

#[test]
fn what_left_memory_is_still_there() {
    let seed = seed();
    let mut random = Random::new(seed);
    let mut server = start();
    let mut client = server.client().unwrap();
    let mut model = Model::new();
    let begun = Instant::now();
    let (mut reloads, mut kills, mut unloaded) = (0, 0, 0);
    while begun.elapsed() < RUN || reloads == 0 || kills == 0 {
        run_batch(&mut client, &mut model, &mut random, seed);
        match random.below(400) {
            0 => {
                // In the middle of other commands: what comes behind it is compared as well.
                client.queue(&["DEBUG", "RELOAD"]);
                client.flush().unwrap();
                assert_eq!(client.receive().unwrap().render(), "OK", "seed {seed}");
                reloads += 1;
            }
            1 if kills < 6 => {
                unloaded += info(&mut client, "unloaded_keys");
                server.restart().unwrap_or_else(|error| panic!("seed {seed}: {error}"));
                client = server.client().unwrap();
                kills += 1;
            }
            _ => {}
        }
    }
    unloaded += info(&mut client, "unloaded_keys");
    verify(&mut client, &model, seed);
    server.restart().unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    verify(&mut server.client().unwrap(), &model, seed);
    assert!(unloaded > 1_000, "seed {seed}: only {unloaded} objects left memory");
    assert!(!server.output().contains("panicked at"), "{}", server.output());
    println!("{} keys, {unloaded} unloaded, {reloads} reloads, {kills} kills", model.len());
}

/// Sends commands in pipelines and expects the same reply to each.
fn send_all(client: &mut Client, commands: &[Vec<String>], expected: &str) {
    for chunk in commands.chunks(PIPELINE) {
        chunk.iter().for_each(|args| client.queue(args));
        client.flush().unwrap();
        for args in chunk {
            assert_eq!(plain(&client.receive().unwrap()), expected, "{args:?}");
        }
    }
}

/// One MGET of more than memory holds is answered, and memory is given back afterwards.
#[test]
fn a_command_may_need_more_than_memory() {
    let server = start();
    let mut client = server.client().unwrap();
    let names: Vec<String> = (0..20_000).map(|at| format!("k{at}")).collect();
    let value = |name: &str| format!("{name}:{}", "x".repeat(2_000));
    let sets: Vec<_> = names.iter().map(|name| words(&["SET", name, &value(name)])).collect();
    send_all(&mut client, &sets, "OK");
    let mut args = words(&["MGET"]);
    args.extend(names.iter().cloned());
    let found = strings(&client.command(&args).unwrap());
    assert!(found.iter().zip(&names).all(|(found, name)| *found == value(name)));
    assert_eq!(found.len(), names.len());
    send_all(&mut client, &[words(&["SET", "one", "more"])], "OK");
}

/// Keys that are only in the base expire without being looked at, many more than one page of the
/// walk over the deadlines; and a database that was emptied and flushed stays empty.
#[test]
fn unloaded_keys_expire_and_stay_deleted() {
    let server = start();
    let mut client = server.client().unwrap();
    let names: Vec<String> = (0..8_000).map(|at| format!("k{at}")).collect();
    let sets: Vec<_> = names.iter().map(|name| words(&["SET", name, "v", "PX", "3000"])).collect();
    send_all(&mut client, &sets, "OK");
    assert_eq!(client.command(&["DEBUG", "RELOAD"]).unwrap().render(), "OK");
    let begun = Instant::now();
    while client.command(&["DBSIZE"]).unwrap().integer() != Some(0) {
        assert!(begun.elapsed() < Duration::from_secs(10), "unloaded keys do not expire");
        std::thread::sleep(Duration::from_millis(10));
    }

    let sets: Vec<_> = names.iter().map(|name| words(&["SET", name, "v"])).collect();
    send_all(&mut client, &sets, "OK");
    assert_eq!(client.command(&["DEBUG", "RELOAD"]).unwrap().render(), "OK");
    let deletes: Vec<_> = names.iter().map(|name| words(&["DEL", name])).collect();
    send_all(&mut client, &deletes, &integer(1));
    assert_eq!(client.command(&["FLUSHDB"]).unwrap().render(), "OK");
    let looks: Vec<_> = names.iter().map(|name| words(&["EXISTS", name])).collect();
    send_all(&mut client, &looks, &integer(0));
}

/// A restart serves before the journal's long tail has become objects. What is asked for at once
/// is there, be it deleted, flushed, changed in a large object that is in the base, or new.
#[test]
fn a_long_tail_is_there_at_once() {
    let mut server = Server::start(Program::BowshockRocksdb, &[]).unwrap();
    let mut client = server.client().unwrap();
    let field = |at: usize| words(&["HSET", "large", &format!("f{at}"), &"x".repeat(20)]);
    send_all(&mut client, &(0..2_000).map(field).collect::<Vec<_>>(), &integer(1));
    let old: Vec<_> = (0..2_000).map(|at| words(&["SET", &format!("old{at}"), "v"])).collect();
    send_all(&mut client, &old, "OK");
    send_all(&mut client, &[words(&["DEBUG", "RELOAD"])], "OK");

    // From here on it is the tail; the feeding thread waits for an idle second.
    let flushed: Vec<_> = (0..2_000).map(|at| words(&["SET", &format!("gone{at}"), "v"])).collect();
    send_all(&mut client, &[words(&["SELECT", "1"])], "OK");
    send_all(&mut client, &flushed, "OK");
    send_all(&mut client, &[words(&["FLUSHDB"]), words(&["SELECT", "0"])], "OK");
    let gone: Vec<_> = (0..1_000).map(|at| words(&["DEL", &format!("old{at}")])).collect();
    send_all(&mut client, &gone, &integer(1));
    send_all(&mut client, &(2_000..4_000).map(field).collect::<Vec<_>>(), &integer(1));
    let new = |at: usize| words(&["SET", &format!("new{at}"), &at.to_string(), "PX", "100000000"]);
    send_all(&mut client, &(0..40_000).map(new).collect::<Vec<_>>(), "OK");

    server.restart().unwrap_or_else(|error| panic!("{error}"));
    let mut client = server.client().unwrap();
    let looks = [
        (words(&["GET", "new39999"]), "39999".to_owned()),
        (words(&["EXISTS", "old1"]), integer(0)),
        (words(&["GET", "old1999"]), "v".to_owned()),
        (words(&["HLEN", "large"]), integer(4_000)),
        (words(&["DBSIZE"]), integer(41_001)),
        (words(&["INCR", "new7"]), integer(8)),
        (words(&["SELECT", "1"]), "OK".to_owned()),
        (words(&["DBSIZE"]), integer(0)),
        (words(&["EXISTS", "gone1"]), integer(0)),
        (words(&["SELECT", "0"]), "OK".to_owned()),
    ];
    for (args, expected) in looks {
        send_all(&mut client, &[args], &expected);
    }
    let reads = |at: usize| (words(&["GET", &format!("new{at}")]), at.to_string());
    for (args, expected) in (0..40_000).filter(|at| *at != 7).step_by(7).map(reads) {
        send_all(&mut client, &[args], &expected);
    }
    assert_eq!(scan(&mut client).len(), 41_001);
}
