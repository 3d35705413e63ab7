//! C7: a panic costs one connection and the touched partitions' memory, never an acknowledged
//! write. The commands that panic are of this file; no client of a server has them.

use super::wire::Wire;
use super::*;
use crate::session::{After, Call, SessionFn};
use storage::commands::row::range;
use storage::commands::{Ctx, Fail, Missing, Outcome, ROW, Row, Run, flags};
use storage::keyspace::Watch;
use storage::objects::{Hash, Value};

/// `crash KEY...` changes all its keys, then panics in the middle of changing the last one;
/// `stumble` has no key.
pub const ROWS: &[Row] = &[
    Row {
        name: "crash",
        arity: -2,
        flags: flags::WRITE,
        keys: &[range(1, -1, 1, "RW update")],
        run: Run::Keyed(crash),
        ..ROW
    },
    Row { name: "stumble", arity: 1, run: Run::Session, ..ROW },
];
pub const CODE: &[(&str, SessionFn)] = &[("stumble", stumble)];

fn crash(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    out.array(7);
    let last = cx.args.len() - 1;
    for at in 1..last {
        let key = cx.key(at);
        match at % 3 {
            0 => cx.set_deadline(&key, Some(cx.now + 1)),
            1 => cx.delete(&key),
            _ => {
                cx.store_str(&key, b"half");
                true
            }
        };
    }
    let key = cx.key(last);
    cx.modify::<Hash, ()>(&key, Missing::Create, |hash, changes| {
        hash.set(b"f1", b"half", changes);
        hash.remove(b"f2", changes);
        panic!("half way")
    })
    .expect_err("of another type");
    cx.delete(&key);
    cx.put(&key, Value::Str(storage::objects::Str::new(b"half")), Some(cx.now + 1));
    panic!("behind the change of {:?}", String::from_utf8_lossy(key.name))
}

fn stumble(_: &mut Call<'_>, reply: &mut Reply<'_>) -> Result<After, Fail> {
    reply.ok();
    panic!("no foot to stand on")
}

/// Keys of one partition.
const KEYS: [&str; 4] = ["{t}a", "{t}b", "{t}c", "{t}d"];

#[test]
fn a_panic_undoes_its_command_and_nothing_else() {
    let machine = Machine::default();
    let mut rig = machine.start();
    for line in ["SET {t}a 1", "HSET {t}h f1 1 f2 2", "SET {t}gone v", "SET {t}due v PX 60000"] {
        rig.run(line);
    }
    rig.feed();
    rig.unload();
    // Above the base's index: some of it was never written, and none of it acknowledged.
    for line in ["INCR {t}a", "HSET {t}h f3 3", "DEL {t}gone", "RPUSH {t}l x y", "SET {t}s v"] {
        rig.run(line);
    }
    let len = rig.len();
    for line in ["crash {t}a", "crash {t}a {t}l {t}due {t}new {t}h", "crash {t}l {t}new {t}new2"] {
        assert!(rig.run(line).starts_with("panicked: "), "{line}");
        assert_eq!(rig.len(), len, "DBSIZE after {line}");
        assert_eq!(rig.run("MGET {t}a {t}s {t}new"), "*3 $1 2 $1 v $-1");
        assert_eq!(rig.run("HMGET {t}h f1 f2 f3"), "*3 $1 1 $1 2 $1 3");
        assert_eq!(rig.run("LRANGE {t}l 0 -1"), "*2 $1 x $1 y");
        assert_eq!(rig.run("EXISTS {t}gone {t}new2"), ":0");
        assert_eq!(rig.run("PTTL {t}due"), ":60000");
    }
    rig.at(BEGIN + 60_000);
    assert_eq!(rig.run("GET {t}due"), "$-1", "deadlines are kept too");
    rig.acknowledge();
    let mut rig = machine.start();
    assert_eq!(rig.run("MGET {t}a {t}s {t}gone"), "*3 $1 2 $1 v $-1");
    assert_eq!(rig.len(), len - 1);
}

/// Under `always` the journal gives back only what is synced.
#[test]
fn what_was_not_synced_yet_is_there_after_a_panic() {
    let machine = Machine::default();
    let mut rig = machine.start_with(Sync::Always);
    rig.run("SET k 1");
    rig.acknowledge();
    rig.run("INCR k");
    assert!(rig.store().journal.released() < rig.store().journal.end());
    assert!(rig.run("crash k").starts_with("panicked: "));
    assert_eq!((rig.run("GET k"), rig.len()), ("$1 2".into(), 1));
}

#[test]
fn what_was_rewound_does_not_leave_memory_before_the_base_has_it() {
    let machine = Machine::default();
    let mut rig = machine.start();
    rig.run("SET k old");
    rig.feed();
    rig.run("SET k new");
    rig.run("crash k");
    let gone = |node: &Node| node.counters.unloaded.load(Ordering::Relaxed) > 0;
    assert_eq!(rig.evict(gone), 0);
    assert!(rig.is_resident("k"));
    rig.feed();
    assert_eq!(rig.evict(gone), 1);
    assert_eq!(rig.run("GET k"), "$3 new");
}

/// What the rewind reads from the journal begins where the base ends, and so do the large objects
/// it loads: the base may take nothing in meanwhile.
#[test]
fn a_rewind_and_an_ingest_wait_for_each_other() {
    let machine = Machine::default();
    let mut rig = machine.start();
    // Of a large hash the journal has single elements.
    rig.node.space.configure(|settings| settings.thresholds.hash_entries = 1);
    rig.at(BEGIN);
    rig.run("HSET {t}h f1 1 f2 2 f3 3");
    let store = rig.store();
    let waits = Arc::new(AtomicUsize::new(0));
    let looked = |waits: &Arc<AtomicUsize>| -> Option<Hook> {
        let waits = waits.clone();
        Some(Box::new(move || {
            waits.fetch_add(usize::from(store.ingesting.is_locked()), Ordering::Relaxed);
        }))
    };
    *rig.base.on_ingest.lock() = looked(&waits);
    rig.feed();
    assert_eq!(waits.load(Ordering::Relaxed), 1, "during an ingest");
    rig.run("HSET {t}h f4 4");
    rig.run("HDEL {t}h f1 f2");
    *rig.base.on_load.lock() = looked(&waits);
    assert!(rig.run("crash {t}k").starts_with("panicked: "));
    assert_eq!(waits.load(Ordering::Relaxed), 2, "during a load of a rewind");
    assert_eq!((rig.run("HMGET {t}h f1 f2 f3 f4"), rig.len()), ("*4 $-1 $-1 $1 3 $1 4".into(), 1));
}

#[test]
fn a_load_under_way_brings_nothing_after_a_panic_and_watched_keys_count_as_changed() {
    let machine = Machine::default();
    let mut rig = machine.start();
    for name in KEYS {
        rig.run(&format!("SET {name} v"));
    }
    rig.feed();
    rig.unload();
    let watch: Watch = Arc::new(AtomicBool::new(false));
    let key = Key::new(KEYS[1].as_bytes(), rig.node.space.tag());
    rig.node.space.partition(key.partition()).watch(0, key.name, &watch);
    let mut core = rig.other();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let loading = seen.clone();
    *rig.base.on_load.lock() = Some(Box::new(move || {
        core.run("SET {t}new v");
        core.run("crash {t}new");
        let partition = core.node.space.partition(key_of(&core, KEYS[0]));
        loading.lock().push(partition.is_loading(0, KEYS[0].as_bytes()));
    }));
    let loaded = || rig.node.counters.loaded.load(Ordering::Relaxed);
    let before = loaded();
    load_all(rig.node, rig.store(), &vec![(0, KEYS[0].as_bytes().into())]).unwrap();
    assert_eq!((loaded(), seen.lock().as_slice()), (before, &[true][..]), "it was given up");
    assert!(watch.load(Ordering::Acquire));
    assert_eq!(rig.run("MGET {t}a {t}new"), "*2 $1 v $1 v");
    assert_eq!(rig.len(), 5);
}

fn key_of(rig: &Rig, name: &str) -> u16 {
    Key::new(name.as_bytes(), rig.node.space.tag()).partition()
}

#[test]
fn a_panic_closes_its_connection_and_others_go_on() {
    let machine = Machine::default();
    let rig = machine.start();
    let wire = Wire::serve(&rig);
    let (mut one, mut other) = (wire.client(), wire.client());
    assert_eq!(other.talk("SET k 1\r\nSET l 1\r\n", "+OK\r\n+OK\r\n"), "+OK\r\n+OK\r\n");
    let error = "-ERR the command failed inside Bowshock; it changed no key, the log says more\r\n";
    let reply = one.talk_to_the_end("INCR k\r\ncrash k l m\r\nINCR k\r\n");
    assert_eq!(reply, format!(":2\r\n{error}"), "what came behind is not executed");
    assert_eq!(wire.client().talk_to_the_end("stumble\r\n"), error);
    let reply = other.talk("GET k\r\nDBSIZE\r\nGET l\r\nPING\r\n", "+PONG\r\n");
    assert_eq!(reply, "$1\r\n2\r\n:2\r\n$1\r\n1\r\n+PONG\r\n");
    assert_eq!(rig.node.counters.panics.load(Ordering::Relaxed), 2);
    assert_eq!(rig.node.clients.list().len(), 1);
}

#[test]
fn a_panic_in_exec_undoes_all_of_it() {
    let machine = Machine::default();
    let rig = machine.start();
    let wire = Wire::serve(&rig);
    let mut other = wire.client();
    other.talk("SET k 1\r\n", "+OK\r\n");
    for bad in ["crash l", "stumble"] {
        let queue = format!("MULTI\r\nINCR k\r\nSET new v\r\n{bad}\r\nINCR k\r\nEXEC\r\n");
        let reply = wire.client().talk_to_the_end(&format!("WATCH k\r\n{queue}"));
        assert!(reply.contains("+QUEUED\r\n-ERR the command failed inside Bowshock"), "{reply}");
        let reply = other.talk("GET k\r\nDBSIZE\r\nPING\r\n", "+PONG\r\n");
        assert_eq!(reply, "$1\r\n1\r\n:1\r\n+PONG\r\n", "after {bad}");
    }
    drop(wire);
    rig.acknowledge();
    let mut rig = machine.start();
    assert_eq!((rig.run("GET k"), rig.len()), ("$1 1".into(), 1));
}

/// Changes of the journal's tail belong to the databases as they are mapped now.
#[test]
fn a_rewind_knows_which_databases_were_flushed_and_swapped() {
    let machine = Machine::default();
    let rig = machine.start();
    let wire = Wire::serve(&rig);
    let mut client = wire.client();
    let request = "SET {t}old v\r\nFLUSHDB\r\nSET {t}a 0\r\nSELECT 1\r\nSET {t}b 1\r\n\
                   SWAPDB 0 1\r\nPING\r\n";
    client.talk(request, "+PONG\r\n");
    wire.client().talk_to_the_end("crash {t}a\r\n");
    let reply = client.talk("KEYS *\r\nSELECT 0\r\nKEYS *\r\nDBSIZE\r\nPING\r\n", "+PONG\r\n");
    assert_eq!(reply, "*1\r\n$4\r\n{t}a\r\n+OK\r\n*1\r\n$4\r\n{t}b\r\n:1\r\n+PONG\r\n");
}

/// Set for [`case`], which is then run in a process of its own.
const CASE: &str = "BOWSHOCK_FLUSH_CASE";

/// No test of its own: what the other one runs.
#[test]
fn case() {
    if std::env::var_os(CASE).is_some() {
        let rig = Machine::default().start();
        let wire = Wire::serve(&rig);
        wire.client().talk("SET k v\r\nMULTI\r\nFLUSHDB\r\ncrash k\r\nEXEC\r\n", "?");
    }
}

#[test]
fn a_flush_that_was_not_journaled_yet_ends_the_process() {
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    let done = command.args(["--exact", "store::tests::panics::case"]).env(CASE, "1").output();
    assert_eq!(done.unwrap().status.code(), Some(74));
}
