//! One test per promise; each acts at the very moment that matters.

use super::*;
use cluster::files::CrashMode;
use storage::record::{Change, Main};

#[test]
fn what_is_acknowledged_is_there_after_a_kill() {
    let machine = Machine::default();
    let mut rig = machine.start();
    for line in ["SET s 1", "INCR s", "HSET h f v", "RPUSH l a b", "MSET m1 1 m2 2", "DEL m1"] {
        rig.run(line);
        rig.acknowledge();
    }
    // The process is gone; the operating system has what was written.
    let mut rig = machine.start();
    assert_eq!(rig.run("MGET s m1 m2"), "*3 $1 2 $-1 $1 2");
    assert_eq!((rig.run("HGET h f"), rig.run("LLEN l")), ("$1 v".into(), ":2".into()));
    assert_eq!(rig.len(), 4);
}

#[test]
fn deadlines_stay_and_the_expired_stay_away_after_a_restart() {
    let machine = Machine::default();
    let mut rig = machine.start();
    for line in ["SET gone v", "SET stays v", "SET persists v"] {
        rig.run(line);
    }
    rig.run("PEXPIRE gone 10");
    rig.run("PEXPIRE stays 1000");
    rig.run("PEXPIRE persists 10");
    rig.run("PERSIST persists");
    rig.at(BEGIN + 10);
    assert_eq!(rig.run("GET gone"), "$-1");
    rig.acknowledge();
    let mut rig = machine.start();
    // A clock behind the one that saw the expiry.
    rig.at(BEGIN);
    assert_eq!(rig.run("MGET gone stays persists"), "*3 $-1 $1 v $1 v");
    assert_eq!((rig.run("PTTL stays"), rig.run("PTTL persists")), (":1000".into(), ":-1".into()));
    assert_eq!(rig.len(), 2);
}

/// C4: the base is never ahead of what a power cut would leave of the journal.
#[test]
fn the_journal_is_synced_before_the_base_takes_it_in() {
    let machine = Machine::default();
    let mut rig = machine.start();
    for at in 0..100 {
        rig.run(&format!("SET k{at} v"));
        rig.acknowledge();
    }
    assert!(rig.store().journal.synced() < rig.store().journal.end(), "nothing else syncs");
    rig.feed();
    assert_eq!(machine.base.index(), rig.store().journal.end());
    assert_eq!(*rig.base.unsynced.lock(), []);
    rig.run("SET last v");
    rig.acknowledge();
    machine.disk.crash(CrashMode::Drop, 1);
    let rig = machine.start();
    assert_eq!(rig.len(), 100, "what was fed is there, what was never synced is not");
    assert!(rig.store().journal.end() >= machine.base.index());
}

/// C24: order in the journal is order of execution.
#[test]
fn the_writes_of_two_cores_to_one_key_are_journaled_as_they_happened() {
    const WRITES: i64 = 20_000;
    let machine = Machine::default();
    let rig = machine.start();
    let cores = [rig.other(), rig.other()];
    std::thread::scope(|scope| {
        for mut core in cores {
            scope.spawn(move || {
                for _ in 0..WRITES {
                    core.run("INCR counter");
                }
            });
        }
    });
    rig.acknowledge();
    let mut last = 0;
    for entry in rig.store().journal.read(1, usize::MAX).unwrap() {
        for change in entry.batches().flat_map(changes) {
            let Change::Put { value, .. } = change.unwrap() else { panic!("not a put") };
            let storage::objects::Value::Str(text) = Main::decode(value).unwrap().value().unwrap()
            else {
                panic!("not a string")
            };
            assert_eq!(text.integer(), Some(last + 1), "after {last}");
            last += 1;
        }
    }
    assert_eq!(last, 2 * WRITES);
}

/// C13, with and without a feed that is under way when the key goes.
#[test]
fn a_deleted_key_does_not_come_back_from_the_base() {
    let machine = Machine::default();
    let mut rig = machine.start();
    for name in ["before", "during", "expires"] {
        rig.run(&format!("SET {name} v"));
    }
    rig.run("PEXPIRE expires 10");
    rig.feed();
    rig.unload();
    assert_eq!(rig.run("MGET before during expires"), "*3 $1 v $1 v $1 v");
    assert_eq!(rig.run("DEL before"), ":1");
    rig.at(BEGIN + 10);
    assert_eq!(rig.run("EXISTS before expires"), ":0");
    rig.feed();
    assert_eq!(rig.run("EXISTS before expires"), ":0");
    rig.run("SET other v");
    let mut core = rig.other();
    *rig.base.on_ingest.lock() = Some(Box::new(move || drop(core.run("DEL during"))));
    rig.feed();
    assert_eq!(rig.run("EXISTS during"), ":0", "its deletion is above the base's index");
    rig.feed();
    assert_eq!((rig.run("EXISTS during"), rig.len()), (":0".into(), 1));
}

#[test]
fn an_object_with_changes_above_the_base_index_does_not_leave_memory() {
    let machine = Machine::default();
    let mut rig = machine.start();
    rig.run("SET k old");
    assert_eq!(rig.evict(|node| node.counters.unloaded.load(Ordering::Relaxed) > 0), 0);
    rig.feed();
    rig.run("APPEND k er");
    assert_eq!(rig.evict(|node| node.counters.unloaded.load(Ordering::Relaxed) > 0), 0);
    // Changed while a feed is under way: the feed may or may not have it.
    let mut core = rig.other();
    *rig.base.on_ingest.lock() = Some(Box::new(move || drop(core.run("APPEND k !"))));
    rig.feed();
    assert_eq!(rig.evict(|node| node.counters.unloaded.load(Ordering::Relaxed) > 0), 0);
    assert_eq!(rig.run("GET k"), "$6 older!");
    rig.feed();
    assert_eq!(rig.evict(|node| node.counters.unloaded.load(Ordering::Relaxed) > 0), 1);
    assert!(!rig.is_resident("k"));
    assert_eq!(rig.run("GET k"), "$6 older!");
}

/// C14: the key expires in the base, and a feed passes its deletion, between the moment the load
/// reads the base and the moment it ends.
#[test]
fn what_a_load_brings_is_not_used_when_the_key_changed_meanwhile() {
    let machine = Machine::default();
    let mut rig = machine.start();
    // Ahead by the core's clock, past by that of the walk over the base.
    rig.run(&format!("SET k v PXAT {}", BEGIN + 60_000));
    rig.run("SET other v");
    rig.feed();
    rig.unload();
    let (node, store) = (rig.node, rig.store());
    *rig.base.on_load.lock() = Some(Box::new(move || {
        expire(node, BEGIN + 60_000);
        feed(node, store).unwrap();
    }));
    assert_eq!(rig.run("GET k"), "$-1");
    assert_eq!((rig.is_resident("k"), rig.len()), (false, 1));
}
