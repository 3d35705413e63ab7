//! Bowshock is killed with `kill -9` at random moments, twenty times; every acknowledged write has
//! to be there after the restart (RELIABILITY.md, section 1), and the restart serves at once.
//!
//! The clients are paced to 2,000 writes a second together, each has one command on its way, and
//! each owns its keys. So after a kill the state of a key is what was acknowledged, or that and
//! the one command whose reply never came: nothing else is accepted.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use compat_tests::client::Client;
use compat_tests::random::Random;
use compat_tests::reply::Reply;
use compat_tests::server::{Program, Server};

const KILLS: u64 = 20;
const CLIENTS: usize = 8;
const WRITES_PER_SECOND: u32 = 2_000;
/// The first read after a restart: generous beside the bar (P8: 1 s) since tests share the machine.
const RESTART_MAX: Duration = Duration::from_secs(5);

/// A command and the change it makes to the model.
type Change = (Vec<String>, Effect);

#[derive(Clone, Debug)]
enum Effect {
    Set(String, String),
    Expire(String),
    Delete(String),
    HashAdd(String, String, i64),
    ListPush(String, String),
    ListPop(String),
    ScoreAdd(String, String, i64),
    SetAdd(String, String),
    SetRemove(String, String),
}

/// What one key holds.
#[derive(Clone, Debug, PartialEq)]
enum Value {
    Text { text: String, expires: bool },
    Hash(BTreeMap<String, i64>),
    List(Vec<String>),
    Scores(BTreeMap<String, i64>),
    Members(BTreeMap<String, ()>),
}

type Model = BTreeMap<String, Value>;

/// One client's keys: what was acknowledged, and the command that was not.
#[derive(Default)]
struct Owner {
    number: usize,
    sequence: u64,
    model: Model,
    pending: Option<Effect>,
}

fn apply(model: &mut Model, effect: &Effect) {
    match effect.clone() {
        Effect::Set(key, text) => {
            model.insert(key, Value::Text { text, expires: false });
        }
        Effect::Expire(key) => {
            if let Some(Value::Text { expires, .. }) = model.get_mut(&key) {
                *expires = true;
            }
        }
        Effect::Delete(key) => {
            model.remove(&key);
        }
        Effect::HashAdd(key, field, by) => {
            let Value::Hash(hash) = model.entry(key).or_insert(Value::Hash(BTreeMap::new())) else {
                unreachable!()
            };
            *hash.entry(field).or_default() += by;
        }
        Effect::ScoreAdd(key, member, by) => {
            let Value::Scores(scores) = model.entry(key).or_insert(Value::Scores(BTreeMap::new()))
            else {
                unreachable!()
            };
            *scores.entry(member).or_default() += by;
        }
        Effect::ListPush(key, item) => {
            let Value::List(list) = model.entry(key).or_insert(Value::List(Vec::new())) else {
                unreachable!()
            };
            list.push(item);
        }
        Effect::ListPop(key) => {
            if let Some(Value::List(list)) = model.get_mut(&key) {
                list.remove(0);
                if list.is_empty() {
                    model.remove(&key);
                }
            }
        }
        Effect::SetAdd(key, member) => {
            let Value::Members(members) =
                model.entry(key).or_insert(Value::Members(BTreeMap::new()))
            else {
                unreachable!()
            };
            members.insert(member, ());
        }
        Effect::SetRemove(key, member) => {
            if let Some(Value::Members(members)) = model.get_mut(&key) {
                members.remove(&member);
                if members.is_empty() {
                    model.remove(&key);
                }
            }
        }
    }
}

impl Owner {
    /// The next SET: a new value of one of 500 keys.
    fn next_set(&mut self, random: &mut Random) -> Change {
        self.sequence += 1;
        let key = format!("c{}:{}", self.number, random.below(500));
        let value = format!("{}:{}", self.sequence, "v".repeat(random.below(200)));
        (words(&["SET", &key, &value]), Effect::Set(key, value))
    }

    /// The next command of any type.
    fn next_mixed(&mut self, random: &mut Random) -> Change {
        self.sequence += 1;
        let key =
            |kind: &str, random: &mut Random| format!("{kind}{}:{}", self.number, random.below(8));
        let name = format!("m{}", random.below(30));
        let by = random.between(1, 5);
        match random.below(12) {
            0..2 => {
                let (key, value) = (key("s", random), self.sequence.to_string());
                (words(&["SET", &key, &value]), Effect::Set(key, value))
            }
            2 => {
                let key = key("s", random);
                (words(&["EXPIRE", &key, "100000000"]), Effect::Expire(key))
            }
            3 => {
                // Past already: the key is gone, and must never come back.
                let key = key("s", random);
                (words(&["PEXPIREAT", &key, "1"]), Effect::Delete(key))
            }
            4..6 => {
                let key = key("h", random);
                (words(&["HINCRBY", &key, &name, &by.to_string()]), Effect::HashAdd(key, name, by))
            }
            6 => {
                let (key, item) = (key("l", random), self.sequence.to_string());
                (words(&["RPUSH", &key, &item]), Effect::ListPush(key, item))
            }
            7 => {
                let key = key("l", random);
                (words(&["LPOP", &key]), Effect::ListPop(key))
            }
            8 => {
                let key = key("z", random);
                let by_text = by.to_string();
                (words(&["ZINCRBY", &key, &by_text, &name]), Effect::ScoreAdd(key, name, by))
            }
            9 => {
                let key = key("t", random);
                (words(&["SADD", &key, &name]), Effect::SetAdd(key, name))
            }
            10 => {
                let key = key("t", random);
                (words(&["SREM", &key, &name]), Effect::SetRemove(key, name))
            }
            _ => {
                let kind = random.word(&["s", "h", "l", "z", "t"]);
                let key = key(kind, random);
                (words(&["DEL", &key]), Effect::Delete(key))
            }
        }
    }

    /// Writes at its share of the rate until the server is gone or `stop` is set; returns how many
    /// were acknowledged.
    fn write(&mut self, addr: SocketAddr, mixed: bool, seed: u64, stop: &AtomicBool) -> u64 {
        let mut random = Random::new(seed);
        // On a busy machine the kill may come before the connection.
        let Ok(mut client) = Client::connect(addr) else { return 0 };
        let start = Instant::now();
        let step = Duration::from_secs(1) * u32::try_from(CLIENTS).unwrap() / WRITES_PER_SECOND;
        let mut acknowledged = 0;
        while !stop.load(Ordering::Relaxed) {
            let (args, effect) =
                if mixed { self.next_mixed(&mut random) } else { self.next_set(&mut random) };
            let due = step * u32::try_from(acknowledged).unwrap();
            // Pacing: the load is a rate, not as fast as possible.
            thread::sleep(due.saturating_sub(start.elapsed()));
            match client.command(&args) {
                Ok(reply) => {
                    assert!(!reply.is_error(), "{args:?}: {}", reply.render());
                    apply(&mut self.model, &effect);
                    acknowledged += 1;
                }
                Err(_) => {
                    self.pending = Some(effect);
                    break;
                }
            }
        }
        acknowledged
    }

    /// Checks every key it ever wrote, and takes over what the server has.
    fn verify(&mut self, client: &mut Client) {
        let mut with_pending = self.model.clone();
        if let Some(effect) = self.pending.take() {
            apply(&mut with_pending, &effect);
        }
        let found = read_all(client, self.number);
        assert!(
            found == self.model || found == with_pending,
            "client {}: {}",
            self.number,
            first_difference(&self.model, &found)
        );
        self.model = found;
    }
}

fn words(args: &[&str]) -> Vec<String> {
    args.iter().map(|arg| (*arg).to_owned()).collect()
}

/// All keys of one client, as the server has them.
fn read_all(client: &mut Client, number: usize) -> Model {
    let mut model = Model::new();
    for kind in ["c", "s", "h", "l", "z", "t"] {
        let keys = strings(&client.command(&["KEYS", &format!("{kind}{number}:*")]).unwrap());
        for key in keys {
            let value = read(client, &key, kind);
            model.insert(key, value);
        }
    }
    model
}

fn read(client: &mut Client, key: &str, kind: &str) -> Value {
    let pairs = |reply: &Reply| -> BTreeMap<String, i64> {
        let items = strings(reply);
        items.chunks(2).map(|pair| (pair[0].clone(), pair[1].parse().unwrap())).collect()
    };
    match kind {
        "h" => Value::Hash(pairs(&client.command(&["HGETALL", key]).unwrap())),
        "z" => Value::Scores(pairs(
            &client.command(&["ZRANGE", key, "0", "-1", "WITHSCORES"]).unwrap(),
        )),
        "l" => Value::List(strings(&client.command(&["LRANGE", key, "0", "-1"]).unwrap())),
        "t" => {
            let members = strings(&client.command(&["SMEMBERS", key]).unwrap());
            Value::Members(members.into_iter().map(|member| (member, ())).collect())
        }
        _ => {
            let text = client.command(&["GET", key]).unwrap();
            let text = String::from_utf8(text.bytes().unwrap().to_vec()).unwrap();
            let ttl = client.command(&["PTTL", key]).unwrap().integer().unwrap();
            Value::Text { text, expires: ttl >= 0 }
        }
    }
}

fn strings(reply: &Reply) -> Vec<String> {
    let items = reply.elements().unwrap_or_else(|| panic!("{}", reply.render()));
    let text = |item: &Reply| String::from_utf8(item.bytes().unwrap().to_vec()).unwrap();
    items.iter().map(text).collect()
}

fn first_difference(acknowledged: &Model, found: &Model) -> String {
    let mut keys: Vec<&String> = acknowledged.keys().chain(found.keys()).collect();
    keys.sort();
    let differs = |key: &&String| acknowledged.get(*key) != found.get(*key);
    let lines: Vec<String> = keys
        .into_iter()
        .filter(differs)
        .take(5)
        .map(|key| {
            format!("{key}: acknowledged {:?}, found {:?}", acknowledged.get(key), found.get(key))
        })
        .collect();
    lines.join("\n")
}

/// Loads, kills, restarts and checks, [`KILLS`] times.
fn kill_many_times(appendfsync: &str, mixed: bool, seed: u64) {
    let mut server = Server::start(Program::BowshockRocksdb, &["--appendfsync", appendfsync])
        .unwrap_or_else(|error| panic!("{error}"));
    let mut random = Random::new(seed);
    let mut clients: Vec<Owner> =
        (0..CLIENTS).map(|number| Owner { number, ..Owner::default() }).collect();
    let mut acknowledged = 0;
    for kill in 0..KILLS {
        let addr = server.addr();
        let stop = AtomicBool::new(false);
        let moment = Duration::from_micros(u64::try_from(random.between(50_000, 800_000)).unwrap());
        acknowledged += thread::scope(|scope| {
            let writers: Vec<_> = clients
                .iter_mut()
                .map(|client| {
                    let (seed, stop) = (random.bits(), &stop);
                    scope.spawn(move || client.write(addr, mixed, seed, stop))
                })
                .collect();
            // The random moment of the kill is what is tested.
            thread::sleep(moment);
            server.kill9().unwrap();
            stop.store(true, Ordering::Relaxed);
            writers.into_iter().map(|writer| writer.join().unwrap()).sum::<u64>()
        });
        let start = Instant::now();
        server.restart().unwrap_or_else(|error| panic!("kill {kill}, seed {seed}: {error}"));
        let mut client = server.client().unwrap();
        client.command(&["GET", "c0:0"]).unwrap();
        let first_read = start.elapsed();
        assert!(first_read < RESTART_MAX, "kill {kill}: the first read came after {first_read:?}");
        for owner in &mut clients {
            owner.verify(&mut client);
        }
    }
    assert!(acknowledged > KILLS * 50, "only {acknowledged} writes were acknowledged");
    assert!(!server.output().contains("panicked at"), "{}", server.output());
    println!("{acknowledged} acknowledged writes, {KILLS} kills, none lost");
}

#[test]
fn everysec_survives_kill_9() {
    kill_many_times("everysec", false, 1);
}

#[test]
fn always_survives_kill_9() {
    kill_many_times("always", false, 2);
}

#[test]
fn every_type_survives_kill_9_under_everysec() {
    kill_many_times("everysec", true, 3);
}

#[test]
fn every_type_survives_kill_9_under_always() {
    kill_many_times("always", true, 4);
}

/// SIGTERM is a clean end: exit code 0, and everything is there again.
#[test]
fn a_clean_end_keeps_everything() {
    let mut server = Server::start(Program::BowshockRocksdb, &["--appendfsync", "everysec"])
        .unwrap_or_else(|error| panic!("{error}"));
    let mut owner = Owner::default();
    let mut client = server.client().unwrap();
    let mut random = Random::new(5);
    for _ in 0..2_000 {
        let (args, effect) = owner.next_mixed(&mut random);
        client.command(&args).unwrap();
        apply(&mut owner.model, &effect);
    }
    let status = server.terminate().unwrap();
    assert!(status.success(), "{status}\n{}", server.output());
    server.restart().unwrap_or_else(|error| panic!("{error}"));
    owner.verify(&mut server.client().unwrap());
}
