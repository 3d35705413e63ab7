//! Random commands on a node that feeds, unloads, loads and restarts at random points, beside a
//! keyspace that keeps everything in memory: their replies are the same. Commands that panic are
//! executed by the node only.

use super::*;
use storage::commands::Ctx;
use storage::keyspace::{Settings, scan};

const SEEDS: u64 = 12;
const STEPS: usize = 500;
const NAMES: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];

/// The keyspace without journal and base.
struct Model {
    node: &'static Node,
    space: Space,
    turn: Turn,
    db: usize,
}

/// Collections outgrow their compact form early.
fn shrink(settings: &mut Settings) {
    settings.thresholds.hash_entries = 3;
    settings.thresholds.zset_entries = 3;
    settings.thresholds.intset_entries = 3;
}

impl Model {
    fn new(node: &'static Node) -> Model {
        let space = Space::new(node.space.settings(), false, false);
        space.configure(shrink);
        let mut turn = Turn::new(&space, 1);
        turn.begin(&space, BEGIN);
        Model { node, space, turn, db: 0 }
    }

    fn run(&mut self, line: &str) -> String {
        let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
        let args = OwnedArgs::from_slices(&words);
        let args = args.as_args();
        let Found::Command(command) = self.node.registry.find(words[0], None) else { panic!() };
        let Code::Keyed(handler) = command.code else { panic!() };
        let tag = self.space.tag();
        let keys = command.row.key_positions(args).map(|at| Key::new(args.at(at), tag).partition());
        let locked = self.space.lock(keys);
        let mut out = Vec::new();
        let mut reply = Reply::new(&mut out, Protocol::Resp2);
        let mut cx = Ctx::new(args, self.db, &self.space, locked, &mut self.turn);
        if let Err(fail) = handler(&mut cx, &mut reply) {
            reply.truncate(0);
            reply.error_bytes(&fail.0);
        }
        String::from_utf8_lossy(&out).trim_end().replace("\r\n", " ")
    }
}

/// Any command whose reply depends on nothing but the keys.
fn command(rng: &mut fastrand::Rng, now: i64) -> String {
    let mut name = || NAMES[rng.usize(..NAMES.len())];
    let (key, other) = (name(), name());
    let n = rng.u32(..12);
    let soon = rng.i64(1..60);
    match rng.u32(..34) {
        0 | 1 => format!("SET {key} {n}"),
        2 => format!("SET {key} {n} PX {soon}"),
        3 => format!("SET {key} {n} KEEPTTL"),
        4 | 5 => format!("GET {key}"),
        6 => format!("APPEND {key} {n}"),
        7 => format!("INCR {key}"),
        8 | 9 => format!("DEL {key}"),
        10 => format!("PEXPIRE {key} {soon}"),
        11 => format!("PERSIST {key}"),
        12 => format!("PTTL {key}"),
        13..16 => format!("HSET {key} f{n} {soon}"),
        16 => format!("HDEL {key} f{n}"),
        17 => format!("HGETALL {key}"),
        18 | 19 => format!("RPUSH {key} {n} {soon}"),
        20 => format!("LPOP {key}"),
        21 => format!("LRANGE {key} 0 -1"),
        22 | 23 => format!("SADD {key} m{n} {n}"),
        24 => format!("SREM {key} m{n} {n}"),
        25 => format!("SMEMBERS {key}"),
        26 | 27 => format!("ZADD {key} {soon} m{n}"),
        28 => format!("ZREM {key} m{n}"),
        29 => format!("ZRANGE {key} 0 -1 WITHSCORES"),
        30 => format!("RENAME {key} {other}"),
        31 => format!("COPY {key} {other} REPLACE"),
        32 => format!("PEXPIREAT {key} {}", now - 1),
        _ => format!("EXISTS {key} {other}"),
    }
}

/// The words of a reply, in an order that does not depend on how an object is stored.
fn words(line: &str, reply: &str) -> Vec<String> {
    let mut words: Vec<String> = reply.split(' ').map(str::to_owned).collect();
    if line.starts_with("HGETALL") || line.starts_with("SMEMBERS") {
        words.sort();
    }
    words
}

struct Pair {
    machine: Machine,
    rig: Rig,
    model: Model,
    seed: u64,
    now: i64,
}

impl Pair {
    fn new(seed: u64) -> Pair {
        let machine = Machine::default();
        let mut rig = machine.start();
        rig.node.space.configure(shrink);
        rig.at(BEGIN);
        let model = Model::new(rig.node);
        Pair { machine, rig, model, seed, now: BEGIN }
    }

    fn both(&mut self, line: &str) {
        let (got, expected) = (self.rig.run(line), self.model.run(line));
        assert_eq!(words(line, &got), words(line, &expected), "seed {}: {line}", self.seed);
    }

    fn pass(&mut self, ms: i64) {
        self.now += ms;
        self.rig.at(self.now);
        self.model.turn.begin(&self.model.space, self.now);
    }

    /// A kill, of which everything that was written survives.
    fn restart(&mut self) {
        self.rig.acknowledge();
        let db = self.rig.db;
        self.rig = self.machine.start();
        self.rig.node.space.configure(shrink);
        self.rig.db = db;
        self.pass(0);
    }

    /// Feeds; another core executes a command between the ingest and the feed's end. Its reply is
    /// not looked at, what it leaves is.
    fn feed_meanwhile(&mut self, line: String) {
        let mut core = self.rig.other();
        let base = self.rig.base.clone();
        let acted = Arc::new(AtomicBool::new(false));
        let seen = acted.clone();
        let run = line.clone();
        let act: Hook = Box::new(move || {
            seen.store(true, Ordering::Relaxed);
            core.run(&run);
        });
        *base.on_ingest.lock() = Some(act);
        self.rig.feed();
        *base.on_ingest.lock() = None;
        if acted.load(Ordering::Relaxed) {
            self.model.run(&line);
        }
    }

    fn verify(&mut self) {
        for db in 0..2 {
            (self.rig.db, self.model.db) = (db, db);
            for name in NAMES {
                self.both(&format!("TYPE {name}"));
                self.both(&format!("PTTL {name}"));
                for read in ["GET", "HGETALL", "SMEMBERS"] {
                    self.both(&format!("{read} {name}"));
                }
                for read in ["LRANGE", "ZRANGE"] {
                    self.both(&format!("{read} {name} 0 -1"));
                }
            }
            let seed = self.seed;
            assert_eq!(self.rig.len(), self.model.space.len(db), "seed {seed}: DBSIZE of {db}");
            self.rig.unload();
            let keys = walk(&self.rig.node.space, Some(&*self.rig.base), db);
            assert_eq!(keys, walk(&self.model.space, None, db), "seed {seed}: SCAN of {db}");
        }
    }
}

/// All names of a database, as SCAN walks them, two at a time.
fn walk(space: &Space, base: Option<&dyn Base>, db: usize) -> Vec<Box<[u8]>> {
    let mut at = Some(scan::Cursor::from_number(0));
    let mut names = Vec::new();
    while let Some(cursor) = at {
        let (keys, next) =
            scan::scan(scan::Keys { space, locked: None }, base, db, cursor, 2).unwrap();
        names.extend(keys.into_iter().map(|seen| seen.name));
        at = next;
    }
    names
}

#[test]
fn a_node_answers_as_if_all_were_in_memory() {
    for seed in 0..SEEDS {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut pair = Pair::new(seed);
        for _ in 0..STEPS {
            match rng.u32(..100) {
                0..6 => pair.rig.feed(),
                6..14 => pair.rig.unload(),
                14 => pair.restart(),
                15..20 => pair.pass(rng.i64(1..30)),
                20..23 => {
                    let line = command(&mut rng, pair.now);
                    pair.feed_meanwhile(line);
                }
                23 => pair.verify(),
                24 => {
                    let db = rng.usize(..2);
                    (pair.rig.db, pair.model.db) = (db, db);
                }
                25 => {
                    let names = [0; 3].map(|_| NAMES[rng.usize(..NAMES.len())]);
                    let reply = pair.rig.run(&format!("crash {}", names.join(" ")));
                    assert!(reply.starts_with("panicked: "), "seed {seed}: {reply}");
                }
                26 => pair.both(&format!("MOVE a {}", rng.u32(..2))),
                _ => {
                    let line = command(&mut rng, pair.now);
                    pair.both(&line);
                }
            }
        }
        pair.verify();
        pair.restart();
        pair.verify();
        assert_eq!(*pair.rig.base.unsynced.lock(), []);
        let report = pair.machine.base.check().unwrap();
        assert_eq!(report.problems, Vec::<String>::new(), "seed {seed}");
    }
}
