//! Large objects are freed where nobody waits for it.

use super::wire::Wire;
use super::*;

fn many(count: usize) -> String {
    (0..count).map(|at| format!(" m{at}")).collect()
}

#[test]
fn what_is_large_and_deleted_or_overwritten_is_kept_to_be_freed_later() {
    let machine = Machine::default();
    let mut rig = machine.start();
    let lines = ["DEL k", "UNLINK k", "SET k v", "SUNIONSTORE k none", "RENAME other k"];
    for line in lines {
        for (count, kept) in [(10, 0), (2000, 1)] {
            rig.run("SET other v");
            rig.run("DEL k");
            rig.run(&format!("SADD k{}", many(count)));
            rig.turn.discarded.clear();
            rig.run(line);
            assert_eq!(rig.turn.discarded.len(), kept, "{line} of {count} members");
        }
    }
    rig.run("DEL k");
    rig.run(&format!("SADD k{}", many(2000)));
    rig.run(&format!("PEXPIREAT k {}", BEGIN + 10));
    rig.turn.discarded.clear();
    rig.at(BEGIN + 10);
    assert_eq!((rig.run("EXISTS k"), rig.turn.discarded.len()), (":0".into(), 1), "expired");
}

#[test]
fn a_core_lets_another_thread_free() {
    let machine = Machine::default();
    let rig = machine.start();
    let wire = Wire::serve(&rig);
    let mut client = wire.client();
    let one_by_one = "SADD small a b\r\nUNLINK small\r\nSADD k";
    client.talk(&format!("{one_by_one}{}\r\nPING\r\n", many(2000)), "+PONG\r\n");
    assert!(!rig.node.workers.has_freed());
    client.talk("MULTI\r\nUNLINK k\r\nEXEC\r\nPING\r\n", "+PONG\r\n");
    assert!(rig.node.workers.has_freed());
}
