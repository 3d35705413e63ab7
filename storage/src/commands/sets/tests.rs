use super::ROWS;
use crate::commands::testing::Shell;
use crate::keyspace::Key;
use resp::Protocol;
use std::collections::BTreeSet;

const WRONG_TYPE: &str = "-WRONGTYPE Operation against a key holding the wrong kind of value";

fn shell() -> Shell {
    Shell::new(&[ROWS, crate::commands::hashes::ROWS])
}

fn encoding(shell: &mut Shell, name: &str) -> &'static str {
    let key = Key::new(name.as_bytes(), shell.turn.settings.tag);
    let locked = shell.space.lock([key.partition()]);
    let entry = locked.get(key.partition()).and_then(|partition| partition.get(0, &key));
    entry.map_or("none", |entry| entry.value.encoding())
}

/// The members in an array or set reply.
fn members(reply: &str) -> BTreeSet<String> {
    let words = reply.split(' ').skip(1).filter(|word| !word.starts_with('$'));
    words.map(str::to_owned).collect()
}

#[test]
fn replies_are_redis_ones() {
    let mut shell = shell();
    for (line, reply) in [
        ("SADD i 3 1 2 1", ":3"),
        ("SMEMBERS i", "*3 $1 1 $1 2 $1 3"),
        ("SCARD i", ":3"),
        ("SISMEMBER i 2", ":1"),
        ("SISMEMBER i 02", ":0"),
        ("SMISMEMBER i 1 x", "*2 :1 :0"),
        ("SMISMEMBER absent 1 x", "*2 :0 :0"),
        ("SADD j 2 3 4", ":3"),
        ("SINTER i j", "*2 $1 2 $1 3"),
        ("SINTER i absent", "*0"),
        ("SDIFF i j", "*1 $1 1"),
        ("SDIFF absent i", "*0"),
        ("SUNION i j absent", "*4 $1 1 $1 2 $1 3 $1 4"),
        ("SINTERCARD 2 i j", ":2"),
        ("SINTERCARD 2 i j LIMIT 1", ":1"),
        ("SINTERCARD 2 i j LIMIT 0", ":2"),
        ("SINTERCARD 0 i", "-ERR numkeys should be greater than 0"),
        ("SINTERCARD 3 i j", "-ERR Number of keys can't be greater than number of args"),
        ("SINTERCARD 1 i LIMIT -1", "-ERR LIMIT can't be negative"),
        ("SINTERCARD 1 i LIMIT", "-ERR syntax error"),
        ("SINTERCARD 1 i FOO 1", "-ERR syntax error"),
        ("SDIFFSTORE d i j", ":1"),
        ("SUNIONSTORE d i j", ":4"),
        ("SINTERSTORE d i absent", ":0"),
        ("SCARD d", ":0"),
        ("SMOVE i j 1", ":1"),
        ("SMOVE i j 1", ":0"),
        ("SMOVE i i 2", ":1"),
        ("HSET h a 1", ":1"),
        ("SMOVE absent h 1", ":0"),
        ("SMOVE i h 9", WRONG_TYPE),
        ("SINTER absent h", WRONG_TYPE),
        ("SUNIONSTORE h i", ":2"),
        ("SREM h 2 3 4", ":2"),
        ("SCARD h", ":0"),
        ("SPOP absent", "$-1"),
        ("SPOP absent 2", "*0"),
        ("SPOP i -1", "-ERR value is out of range, must be positive"),
        ("SPOP i 1 1", "-ERR syntax error"),
        ("SPOP i 9", "*2 $1 2 $1 3"),
        ("SCARD i", ":0"),
        ("SRANDMEMBER absent", "$-1"),
        ("SRANDMEMBER absent -2", "*0"),
        ("SRANDMEMBER j 9", "*4 $1 1 $1 2 $1 3 $1 4"),
        ("SRANDMEMBER j x y", "-ERR syntax error"),
        ("SSCAN j 0 MATCH [13]", "*2 $1 0 *2 $1 1 $1 3"),
        ("SSCAN j 0 COUNT 0", "-ERR syntax error"),
        ("SSCAN absent 0 COUNT 0", "*2 $1 0 *0"),
    ] {
        assert_eq!(shell.run(line), reply, "{line}");
    }
    shell.protocol = Protocol::Resp3;
    assert_eq!(shell.run("SMEMBERS absent"), "~0");
    assert_eq!(shell.run("SDIFF j"), "~4 $1 1 $1 2 $1 3 $1 4");
    assert_eq!(shell.run("SRANDMEMBER j 0"), "*0");
    assert_eq!(shell.run("SPOP j 4"), "~4 $1 1 $1 2 $1 3 $1 4");
}

#[test]
fn encodings_are_redis_ones() {
    let mut shell = shell();
    shell.run("SADD i 1 2 3");
    shell.run("SADD m 1 2 x");
    shell.run("SINTERSTORE d i m");
    assert_eq!(encoding(&mut shell, "d"), "intset");
    shell.run("SUNIONSTORE d i m");
    assert_eq!(encoding(&mut shell, "d"), "hashtable");
    shell.run("SREM m x");
    assert_eq!(encoding(&mut shell, "m"), "hashtable");
    for n in 0..513 {
        assert_eq!(encoding(&mut shell, "many"), if n == 0 { "none" } else { "intset" });
        shell.run(&format!("SADD many {n}"));
    }
    assert_eq!(encoding(&mut shell, "many"), "hashtable");
    // Popping nearly all rebuilds the set.
    shell.run("SPOP many 500");
    assert_eq!(encoding(&mut shell, "many"), "intset");
    assert_eq!(shell.run("SCARD many"), ":13");
}

#[test]
fn spop_returns_each_member_once_however_many_at_a_time() {
    for count in [1, 3, 50, 149, 151] {
        for name in ["", "m"] {
            let mut shell = shell();
            let all: BTreeSet<String> = (0..150).map(|n| format!("{name}{n}")).collect();
            for member in &all {
                shell.run(&format!("SADD s {member}"));
            }
            let mut popped = BTreeSet::new();
            let mut total = 0;
            while shell.run("SCARD s") != ":0" {
                let drawn = members(&shell.run(&format!("SPOP s {count}")));
                assert!(drawn.iter().all(|m| shell.run(&format!("SISMEMBER s {m}")) == ":0"));
                total += drawn.len();
                popped.extend(drawn);
            }
            assert_eq!((total, &popped), (150, &all));
            assert_eq!(encoding(&mut shell, "s"), "none");
        }
    }
}

#[test]
fn srandmember_draws_distinct_members_or_so_many() {
    let mut shell = shell();
    for n in 0..200 {
        shell.run(&format!("SADD s m{n}"));
    }
    for count in [1, 10, 60, 199, 200] {
        let reply = shell.run(&format!("SRANDMEMBER s {count}"));
        assert!(reply.starts_with(&format!("*{count} ")));
        assert_eq!(members(&reply).len(), count);
    }
    let reply = shell.run("SRANDMEMBER s -1000");
    assert!(reply.starts_with("*1000 ") && reply.matches('m').count() == 1000);
    assert_eq!(shell.run("SCARD s"), ":200");
}

#[test]
fn a_large_set_is_scanned_completely_while_others_come_and_go() {
    let mut shell = shell();
    for n in 0..300 {
        shell.run(&format!("SADD s stays:{n}"));
    }
    let (mut cursor, mut seen, mut calls) = ("0".to_owned(), BTreeSet::new(), 0);
    loop {
        let reply = shell.run(&format!("SSCAN s {cursor} COUNT 9 MATCH stays:*"));
        let words: Vec<&str> = reply.split(' ').collect();
        seen.extend(words.iter().filter(|word| word.starts_with("stays:")).map(|w| w.to_string()));
        cursor = words[2].to_owned();
        if cursor == "0" {
            break;
        }
        calls += 1;
        shell.run(&format!("SADD s comes:{calls} comes:a{calls} comes:b{calls}"));
        shell.run(&format!("SREM s comes:{}", calls / 2));
    }
    assert!(calls > 10);
    assert_eq!(seen.len(), 300);
}
