//! C20: keys that are only in the base expire in time, and nobody pays for those that do not.

use super::wire::Wire;
use super::*;
use crate::net::Message;
use std::sync::mpsc;
use storage::keyspace::notify;

#[test]
fn deadlines_are_read_only_when_something_is_due() {
    let machine = Machine::default();
    let mut rig = machine.start();
    rig.run(&format!("SET k v PXAT {}", BEGIN + 1000));
    rig.feed();
    rig.unload();
    let mut walk = Walk::new(rig.node);
    let mut step = |now| walk.step(rig.node, rig.store(), now).unwrap();
    let walks = || rig.base.walks.load(Ordering::Relaxed);
    assert_eq!(step(BEGIN), BEGIN + 1000);
    let read = walks();
    for now in BEGIN..BEGIN + 1000 {
        assert_eq!(step(now), BEGIN + 1000);
    }
    assert_eq!((walks(), rig.len()), (read, 1));
    assert_eq!((step(BEGIN + 1000), rig.len()), (i64::MAX, 0));
    // What was deleted is still in the base, and is not met again.
    let read = walks();
    assert_eq!((step(BEGIN + 1001), walks()), (i64::MAX, read));
}

#[test]
fn a_feed_brings_the_walk_deadlines_that_are_nearer() {
    let machine = Machine::default();
    let mut rig = machine.start();
    let mut walk = Walk::new(rig.node);
    for (name, after) in [("late", 1000), ("soon", 10)] {
        rig.run(&format!("SET {name} v PXAT {}", BEGIN + after));
        rig.feed();
        rig.unload();
        let next = walk.step(rig.node, rig.store(), BEGIN).unwrap();
        assert_eq!(next, BEGIN + after, "{name}");
    }
}

/// The walk read the base, then the key lost its deadline, the base took that in and the key left
/// memory.
#[test]
fn a_key_that_is_no_longer_due_is_not_deleted() {
    let machine = Machine::default();
    let mut rig = machine.start();
    rig.run(&format!("SET kept v PXAT {}", BEGIN + 10));
    rig.run(&format!("SET gone v PXAT {}", BEGIN + 10));
    rig.feed();
    rig.unload();
    let mut core = rig.other();
    *rig.base.on_due.lock() = Some(Box::new(move || {
        core.run("PERSIST kept");
        core.run("DEL gone");
        core.feed();
        core.unload();
    }));
    expire(rig.node, BEGIN + 10);
    rig.at(BEGIN + 10);
    assert_eq!((rig.run("MGET kept gone"), rig.len()), ("*2 $1 v $-1".into(), 1));
}

#[test]
fn resident_and_hollow_keys_are_judged_by_their_own_deadlines() {
    let machine = Machine::default();
    let mut rig = machine.start();
    rig.node.space.configure(|settings| settings.thresholds.hash_entries = 3);
    rig.at(BEGIN);
    for name in ["later", "resident", "hollow"] {
        rig.run(&format!("HSET {name} a 1 b 2 c 3 d 4"));
        rig.run(&format!("PEXPIREAT {name} {}", BEGIN + 10));
    }
    rig.feed();
    rig.unload();
    rig.run(&format!("PEXPIREAT later {}", BEGIN + 20));
    rig.run("HLEN resident");
    rig.run("EXISTS hollow");
    expire(rig.node, BEGIN + 10);
    assert_eq!((rig.is_resident("resident"), rig.is_resident("hollow")), (false, false));
    assert_eq!((rig.run("EXISTS later resident hollow"), rig.len()), (":1".into(), 1));
    rig.feed();
    assert_eq!(rig.run("HLEN hollow"), ":0");
    assert_eq!(machine.base.check().unwrap().problems, Vec::<String>::new());
}

/// C26: and not before the deletion is released.
#[test]
fn an_expiry_in_the_base_is_told_to_those_who_listen() {
    let machine = Machine::default();
    let mut rig = machine.start();
    rig.node.space.configure(|settings| settings.notify = notify::parse("KEx").unwrap());
    rig.run(&format!("SET k v PXAT {}", BEGIN + 10));
    rig.feed();
    rig.unload();
    let wire = Wire::serve(&rig);
    let mut client = wire.client();
    client.talk("SUBSCRIBE __keyevent@0__:expired __keyspace@0__:k\r\n", ":2\r\n");
    // What comes now stays in the core's inbox.
    drop(wire);
    let before = rig.store().journal.end();
    expire(rig.node, BEGIN + 10);
    let deleted = rig.store().journal.end();
    assert!(deleted > before);
    let (mut messages, mut ready) = (Vec::new(), Vec::new());
    rig.node.inboxes[0].take(&mut messages, &mut ready);
    let told: Vec<(String, u64)> = messages
        .into_iter()
        .filter_map(|message| match message {
            Message::Deliver { bytes, after, .. } => {
                Some((String::from_utf8_lossy(&bytes).replace("\r\n", " "), after))
            }
            _ => None,
        })
        .collect();
    let text = |channel: &str, payload: &str| {
        let len = |text: &str| text.len();
        let (channel_len, payload_len) = (len(channel), len(payload));
        format!("*3 $7 message ${channel_len} {channel} ${payload_len} {payload} ")
    };
    let expected = [text("__keyspace@0__:k", "expired"), text("__keyevent@0__:expired", "k")];
    assert_eq!(told, expected.map(|text| (text, deleted)));
}

#[test]
fn keys_expire_while_a_feed_is_under_way() {
    let machine = Machine::default();
    let mut rig = machine.start_expiring();
    rig.at(crate::node::wall_ms());
    rig.run("SET k v PX 300");
    rig.run("SET stays v");
    rig.feed();
    rig.unload();
    rig.run("SET more v");
    let (begun, has_begun) = mpsc::channel();
    let (end, may_end) = mpsc::channel::<()>();
    *rig.base.on_ingest.lock() = Some(Box::new(move || {
        begun.send(()).unwrap();
        may_end.recv().unwrap();
    }));
    std::thread::scope(|scope| {
        scope.spawn(|| rig.feed());
        has_begun.recv().unwrap();
        let waited = std::time::Instant::now();
        while rig.len() == 3 {
            assert!(waited.elapsed().as_secs() < 30, "it did not expire");
            std::thread::yield_now();
        }
        end.send(()).unwrap();
    });
    rig.store().alarm.stop();
    assert_eq!((rig.run("GET k"), rig.len()), ("$-1".into(), 2));
}
