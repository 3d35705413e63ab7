//! C15: what is read of the base for a command, and for the commands behind it.

use super::wire::Wire;
use super::*;

/// How long a key lives that outlives the test by any clock.
const LIFE_MS: i64 = 1 << 40;

/// Large objects of all collection types, and a string, all only in the base.
fn cold_collections(rig: &mut Rig) {
    rig.node.space.configure(|settings| {
        settings.thresholds.hash_entries = 3;
        settings.thresholds.zset_entries = 3;
        settings.thresholds.intset_entries = 3;
    });
    rig.at(BEGIN);
    let numbers = |each: &dyn Fn(u32) -> String| (0..200).map(each).collect::<String>();
    rig.run(&format!("HSET hash{}", numbers(&|at| format!(" f{at} v"))));
    rig.run(&format!("RPUSH list{}", numbers(&|at| format!(" {at}"))));
    rig.run(&format!("SADD set{}", numbers(&|at| format!(" m{at}"))));
    rig.run(&format!("ZADD zset{}", numbers(&|at| format!(" {at} m{at}"))));
    rig.run("SET string v");
    rig.run(&format!("PEXPIREAT hash {}", BEGIN + LIFE_MS));
    rig.feed();
    rig.unload();
}

fn wholes(rig: &Rig) -> usize {
    rig.base.wholes.load(Ordering::Relaxed)
}

#[test]
fn what_a_main_record_tells_is_known_without_the_elements() {
    let machine = Machine::default();
    let mut rig = machine.start();
    cold_collections(&mut rig);
    assert_eq!(rig.run("EXISTS hash list set zset string none"), ":5");
    assert_eq!((rig.run("TYPE hash"), rig.run("TYPE list")), ("+hash".into(), "+list".into()));
    assert_eq!((rig.run("TYPE set"), rig.run("TYPE zset")), ("+set".into(), "+zset".into()));
    assert_eq!((rig.run("PTTL hash"), rig.run("TTL set")), (format!(":{LIFE_MS}"), ":-1".into()));
    assert_eq!(rig.run("TOUCH hash none"), ":1");
    assert_eq!(
        (rig.run("SETNX list v"), rig.run("MSETNX set v new v")),
        (":0".into(), ":0".into())
    );
    let wrong = "-WRONGTYPE Operation against a key holding the wrong kind of value";
    for line in ["GET hash", "APPEND list v", "INCR set", "SET zset v GET", "HGET list f"] {
        assert_eq!(rig.run(line), wrong, "{line}");
    }
    // Only HGET wanted more than a main record.
    assert_eq!((wholes(&rig), rig.run("MGET hash string")), (1, "*2 $-1 $1 v".into()));
    // What is there without its elements is not taken for the whole.
    assert_eq!((rig.run("HLEN hash"), rig.run("SCARD set")), (":200".into(), ":200".into()));
    assert_eq!((rig.run("ZCARD zset"), rig.run("LLEN list")), (":200".into(), ":200".into()));
    assert_eq!(rig.run("PTTL hash"), format!(":{LIFE_MS}"));
    assert_eq!(wholes(&rig), 4);
}

#[test]
fn a_collection_is_deleted_and_overwritten_without_its_elements() {
    let machine = Machine::default();
    let mut rig = machine.start();
    cold_collections(&mut rig);
    assert_eq!((rig.run("DEL hash"), rig.run("UNLINK list none")), (":1".into(), ":1".into()));
    assert_eq!((rig.run("SET set v"), rig.run("SET zset v EX 9")), ("+OK".into(), "+OK".into()));
    assert_eq!((wholes(&rig), rig.len()), (0, 3));
    for _ in 0..2 {
        assert_eq!(rig.run("MGET hash list set zset"), "*4 $-1 $-1 $1 v $1 v");
        assert_eq!((rig.run("HLEN hash"), rig.run("LLEN list")), (":0".into(), ":0".into()));
        rig.feed();
        rig.unload();
    }
    // The elements are gone from the base too: new ones are all there is.
    rig.run("SADD set2 x");
    rig.run("DEL set zset");
    assert_eq!((rig.run("HSET hash new v"), rig.run("SADD set m7")), (":1".into(), ":1".into()));
    rig.feed();
    rig.unload();
    assert_eq!(rig.run("HGETALL hash"), "*2 $3 new $1 v");
    assert_eq!((rig.run("SCARD set"), rig.len()), (":1".into(), 4));
    assert_eq!(machine.base.check().unwrap().problems, Vec::<String>::new());
}

/// C14 for the elements, whose main record is in memory already.
#[test]
fn elements_are_not_used_when_the_object_changed_while_they_were_read() {
    let machine = Machine::default();
    let mut rig = machine.start();
    cold_collections(&mut rig);
    assert_eq!(rig.run("EXISTS hash"), ":1");
    let mut core = rig.other();
    let base = rig.base.clone();
    // First the main record is read again, then the elements.
    *rig.base.on_load.lock() = Some(Box::new(move || {
        *base.on_load.lock() = Some(Box::new(move || {
            core.run("DEL hash");
            core.run("HSET hash only v");
            core.feed();
        }));
    }));
    assert_eq!(rig.run("HGETALL hash"), "*2 $4 only $1 v");
}

#[test]
fn a_pipeline_waits_once_for_its_cold_keys() {
    const KEYS: usize = 64;
    let machine = Machine::default();
    let mut rig = machine.start();
    for at in 0..KEYS {
        rig.run(&format!("SET k{at} v{at}"));
    }
    rig.feed();
    rig.unload();
    let gets: String = (0..KEYS).map(|at| format!("GET k{at}\r\n")).collect();
    let values: String =
        (0..KEYS).map(|at| format!("${}\r\nv{at}\r\n", 1 + at.to_string().len())).collect();
    assert_eq!(
        Wire::serve(&rig).client().talk(&format!("{gets}PING\r\n"), "+PONG\r\n"),
        format!("{values}+PONG\r\n")
    );
    let reads = rig.base.reads.lock().clone();
    assert_eq!(reads.iter().sum::<usize>(), KEYS, "each key once: {reads:?}");
    assert!(reads.len() < KEYS / 4, "many at once: {reads:?}");
}

/// Loading ahead is no executing ahead.
#[test]
fn the_commands_of_a_cold_pipeline_see_what_those_before_them_did() {
    let machine = Machine::default();
    let mut rig = machine.start();
    cold_collections(&mut rig);
    for name in ["a", "b", "c", "d"] {
        rig.run(&format!("SET {name} old"));
    }
    rig.db = 1;
    rig.run("SET a other");
    rig.feed();
    rig.unload();
    let request = "GET a\r\nSET b new\r\nGET b\r\nDEL c hash\r\nGET c\r\nHLEN hash\r\nAPPEND d x\r\n\
        GET d\r\nSELECT 1\r\nGET a\r\nSELECT 0\r\nRENAME a list\r\nGET list\r\nDBSIZE\r\n";
    let expected = "$3\r\nold\r\n+OK\r\n$3\r\nnew\r\n:2\r\n$-1\r\n:0\r\n:4\r\n$4\r\noldx\r\n+OK\r\n\
        $5\r\nother\r\n+OK\r\n+OK\r\n$3\r\nold\r\n:6\r\n";
    assert_eq!(Wire::serve(&rig).client().talk(request, ":6\r\n"), expected);
}

/// C14 for what is loaded ahead.
#[test]
fn what_was_loaded_ahead_is_not_used_when_the_key_changed_meanwhile() {
    let machine = Machine::default();
    let mut rig = machine.start();
    rig.run("SET first v");
    rig.run(&format!("SET behind v PXAT {}", BEGIN + LIFE_MS));
    rig.feed();
    rig.unload();
    let core = rig.other();
    let base = rig.base.clone();
    *rig.base.on_load.lock() = Some(Box::new(move || {
        *base.on_load.lock() = Some(Box::new(move || {
            expire(core.node, BEGIN + LIFE_MS);
            core.feed();
        }));
    }));
    assert_eq!(
        Wire::serve(&rig).client().talk("GET first\r\nGET behind\r\n", "$-1\r\n"),
        "$1\r\nv\r\n$-1\r\n"
    );
    assert_eq!((*rig.base.reads.lock()).first(), Some(&1), "what is waited for comes first");
}
