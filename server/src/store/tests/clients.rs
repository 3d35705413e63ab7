//! What clients see of each other and of the node: EXEC as one step, WATCH, SCAN beside other
//! writers, INFO.

use super::wire::Wire;
use super::*;
use std::collections::BTreeSet;
use storage::keyspace::{Watch, scan};

/// A kill can leave all of a transaction or nothing, since the journal has it as one batch.
#[test]
fn exec_is_one_batch_in_the_journal() {
    let machine = Machine::default();
    let rig = machine.start();
    let request = "MULTI\r\nSET a 1\r\nINCR a\r\nRPUSH b x\r\nEXEC\r\nPING\r\n";
    let reply = Wire::serve(&rig).client().talk(request, "+PONG\r\n");
    let queued = "+QUEUED\r\n".repeat(3);
    assert_eq!(reply, format!("+OK\r\n{queued}*3\r\n+OK\r\n:2\r\n:1\r\n+PONG\r\n"));
    let entries = rig.store().journal.read(1, usize::MAX).unwrap();
    let batches: Vec<usize> = entries
        .iter()
        .flat_map(|entry| entry.batches())
        .map(|batch| changes(batch).map(Result::unwrap).count())
        .collect();
    assert_eq!(batches, [3]);
}

#[test]
fn an_expiry_is_seen_by_those_who_watch_the_key() {
    let machine = Machine::default();
    let mut rig = machine.start();
    let watch = |rig: &Rig, name: &str| -> Watch {
        let watch = Arc::new(AtomicBool::new(false));
        let key = Key::new(name.as_bytes(), rig.node.space.tag());
        rig.node.space.partition(key.partition()).watch(rig.db, key.name, &watch);
        watch
    };
    for name in ["resident", "cold"] {
        rig.run(&format!("SET {name} v PXAT {}", BEGIN + 10));
    }
    rig.feed();
    rig.unload();
    assert_eq!(rig.run("GET resident"), "$1 v");
    let (resident, cold) = (watch(&rig, "resident"), watch(&rig, "cold"));
    expire_in_base(rig.node, rig.store(), &mut DuePlace::default()).unwrap();
    assert!(cold.load(Ordering::Acquire), "expired where it was, in the base");
    assert!(!resident.load(Ordering::Acquire), "still there at the time of the core");
    rig.at(BEGIN + 10);
    assert_eq!(rig.run("GET resident"), "$-1");
    assert!(resident.load(Ordering::Acquire), "expired at a look");
}

/// Redis's guarantee: what is there all along is returned, however the table grows and shrinks.
#[test]
fn a_scan_returns_what_stays_while_the_table_grows_and_shrinks() {
    let machine = Machine::default();
    let mut rig = machine.start();
    // One partition, one table.
    let stays: BTreeSet<String> = (0..300).map(|at| format!("{{t}}stays{at}")).collect();
    for name in &stays {
        rig.run(&format!("SET {name} v"));
    }
    let mut seen = BTreeSet::new();
    let mut at = Some(scan::Cursor::from_number(0));
    let mut calls = 0;
    while let Some(cursor) = at {
        let base: &dyn Base = &*rig.base;
        let (keys, next) = scan::scan(
            scan::Keys { space: &rig.node.space, locked: None },
            Some(base),
            0,
            cursor,
            10,
        )
        .unwrap();
        seen.extend(keys.iter().map(|key| String::from_utf8(key.name.to_vec()).unwrap()));
        at = next;
        calls += 1;
        for number in 0..200 {
            let word = if calls % 8 < 4 { "SET" } else { "DEL" };
            let value = if calls % 8 < 4 { " v" } else { "" };
            rig.run(&format!("{word} {{t}}comes{}{value}", calls % 4 * 1000 + number));
        }
        if calls % 5 == 0 {
            rig.feed();
            rig.unload();
        }
    }
    assert!(calls > 20, "{calls} calls");
    let missed: Vec<&String> = stays.difference(&seen).collect();
    assert!(missed.is_empty(), "{missed:?}");
}

#[test]
fn the_rate_of_commands_is_measured_though_nobody_asks() {
    let rig = Machine::default().start();
    let wire = Wire::serve(&rig);
    let mut client = wire.client();
    let begun = std::time::Instant::now();
    while rig.node.samples.rates().commands == 0 {
        client.talk("PING\r\n", "+PONG\r\n");
        assert!(begun.elapsed().as_secs() < 30, "no sample was taken");
    }
}

/// C22: clients of Redis read 0 as they wrote it; the limit in force is INFO's.
#[test]
fn maxmemory_0_is_a_share_of_memory() {
    let rig = Machine::default().start();
    let wire = Wire::serve(&rig);
    let mut client = wire.client();
    let share = |percent: u64| rig.node.config.start().memory_bytes / 100 * percent;
    let info = |client: &mut wire::WireClient| -> u64 {
        let text = client.talk("INFO memory\r\nPING\r\n", "+PONG\r\n");
        let line = text.lines().find_map(|line| line.strip_prefix("maxmemory:"));
        line.unwrap().parse().unwrap()
    };
    assert_eq!(info(&mut client), share(60));
    assert!(share(60) > 0);
    let reply = client.talk("CONFIG GET maxmemory\r\n", "$1\r\n0\r\n");
    assert_eq!(reply, "*2\r\n$9\r\nmaxmemory\r\n$1\r\n0\r\n");
    client.talk("CONFIG SET maxmemory-share 10\r\n", "+OK\r\n");
    assert_eq!(info(&mut client), share(10));
    client.talk("CONFIG SET maxmemory 100mb\r\n", "+OK\r\n");
    assert_eq!(info(&mut client), 100 << 20);
}
