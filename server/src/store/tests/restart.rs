//! A long tail of the journal, applied when it is needed.

use super::*;
use std::sync::mpsc;
use std::time::Duration;

/// Changes of which a start applies none itself.
const LONG_TAIL: usize = 20_001;

/// The tail changes an object that is only in the base, so it has to be read.
#[test]
fn no_partition_is_locked_while_the_tail_waits_for_the_disk() {
    let machine = Machine::default();
    let mut rig = machine.start();
    rig.node.space.configure(|settings| settings.thresholds.hash_entries = 3);
    rig.at(BEGIN);
    rig.run("HSET h a 1 b 2 c 3 d 4");
    rig.feed();
    rig.run("HSET h a new");
    rig.run("HDEL h b");
    for at in 0..LONG_TAIL {
        rig.run(&format!("SET k{} {at}", at % 1000));
    }
    rig.acknowledge();
    let (read, is_read) = mpsc::channel::<mpsc::Sender<()>>();
    let (locked, all_locked) = mpsc::channel();
    let mut rig = machine.start_as(Sync::No, |store, base| {
        store.alarm.stop();
        *base.on_load.lock() = Some(Box::new(move || {
            let (go_on, may_go_on) = mpsc::channel();
            read.send(go_on).unwrap();
            may_go_on.recv().unwrap();
        }));
    });
    // Whoever comes first to that partition reads: a thread of the start, or this command.
    let mut core = rig.other();
    let command = std::thread::spawn(move || core.run("HLEN h"));
    let go_on = is_read.recv().unwrap();
    let node = rig.node;
    std::thread::spawn(move || {
        (0..PARTITIONS as u16).for_each(|number| drop(node.space.partition(number)));
        locked.send(()).unwrap();
    });
    assert_eq!(all_locked.recv_timeout(Duration::from_secs(20)), Ok(()), "a lock is held");
    go_on.send(()).unwrap();
    assert_eq!(command.join().unwrap(), ":3");
    assert_eq!(rig.run("HMGET h a b d"), "*3 $3 new $-1 $1 4");
    assert_eq!((rig.run("GET k7"), rig.len()), ("$5 19007".into(), 1001));
}
