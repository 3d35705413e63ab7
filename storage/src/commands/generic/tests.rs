//! Replies here are redis-server 7.0.15's for the same commands, but for OBJECT BUCKET.

use super::*;
use crate::commands::testing::Shell;
use crate::commands::{Ctx, Outcome, object};
use crate::keyspace::{Policy, notify};
use crate::objects::{Str, Value};
use crate::record::{self, Change};
use resp::Reply;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

const NOW: i64 = 1_000_000;

/// Enough of SET and GET to have something to work on.
const STRINGS: &[Row] = &[
    Row { name: "set", arity: 3, keys: &[one(1, "OW")], run: Run::Keyed(set), ..ROW },
    Row { name: "get", arity: 2, keys: &[one(1, "RO")], run: Run::Keyed(get), ..ROW },
];

fn set(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    cx.store(&cx.key(1), Value::Str(Str::new(cx.args.at(2))));
    out.ok();
    Ok(())
}

fn get(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    let key = cx.key(1);
    match cx.read_str(&key)? {
        Some(string) => out.bulk(&string.bytes()),
        None => out.null(),
    }
    Ok(())
}

fn shell() -> Shell {
    Shell::new(&[STRINGS, ROWS, object::ROWS])
}

/// Runs commands, one per line with its reply behind `=>`. `OBJECT X key` stands as `object|x - key`.
fn check(shell: &mut Shell, script: &str) {
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (command, reply) = line.split_once(" => ").expect("a command and its reply");
        assert_eq!(shell.run(command), reply, "{command}");
    }
}

/// What was announced since the last call, as `event@db:key`.
fn events(shell: &mut Shell) -> String {
    let notices = std::mem::take(&mut shell.turn.notices);
    let shown = notices.iter().map(|notice| {
        format!("{}@{}:{}", notice.event, notice.db, String::from_utf8_lossy(&notice.key))
    });
    shown.collect::<Vec<_>>().join(" ")
}

#[test]
fn keys_are_counted_as_often_as_they_are_named() {
    check(
        &mut shell(),
        "set a 1 => +OK
        set b 2 => +OK
        exists a b a x => :3
        touch a a x => :2
        type a => +string
        type x => +none
        del a a b x => :2
        unlink a => :0
        exists a => :0
        del => -ERR wrong number of arguments for 'del' command",
    );
}

#[test]
fn deadlines_are_set_and_told_in_all_units() {
    check(
        &mut shell(),
        "set a 1 => +OK
        ttl a => :-1
        ttl x => :-2
        expiretime a => :-1
        pexpiretime x => :-2
        expire x 10 => :0
        expire a 10 => :1
        ttl a => :10
        pttl a => :10000
        expiretime a => :1010
        pexpiretime a => :1010000
        pexpire a 1499 => :1
        ttl a => :1
        pexpire a 1500 => :1
        ttl a => :2
        pexpire a 499 => :1
        ttl a => :0
        expireat a 1001 => :1
        pttl a => :1000
        pexpireat a 1000001 => :1
        pttl a => :1
        persist a => :1
        persist a => :0
        persist x => :0
        pexpireat a 9223372036854775807 => :1
        expiretime a => :9223372036854776",
    );
}

#[test]
fn conditions_compare_with_the_present_deadline() {
    check(
        &mut shell(),
        "set a 1 => +OK
        expire a 10 xx => :0
        expire a 10 gt => :0
        expire a 10 XX LT => :0
        expire a 10 lt => :1
        expire a 10 lt => :0
        expire a 10 gt => :0
        expire a 20 nx => :0
        expire a 20 xx gt => :1
        expire a 5 gt => :0
        expire a 5 lt => :1
        ttl a => :5
        persist a => :1
        expire a 7 nx nx => :1
        expire a 1 gt => :0
        expire a -1 lt => :1
        exists a => :0",
    );
}

#[test]
fn bad_expire_arguments_are_refused_in_redis_order() {
    let incompatible = "-ERR NX and XX, GT or LT options at the same time are not compatible";
    let script = format!(
        "set a 1 => +OK
        expire a 10 nx xx => {incompatible}
        expire a 10 nx gt => {incompatible}
        expire a 10 xx gt lt => -ERR GT and LT options at the same time are not compatible
        expire a x foo => -ERR Unsupported option foo
        expire a 10 nx Foo => -ERR Unsupported option Foo
        expire a x => -ERR value is not an integer or out of range
        expire a 9223372036854775807 => -ERR invalid expire time in 'expire' command
        expire a -9223372036854775808 => -ERR invalid expire time in 'expire' command
        expireat a 9223372036854776 => -ERR invalid expire time in 'expireat' command
        pexpire a 9223372036854775807 => -ERR invalid expire time in 'pexpire' command
        expire x 9223372036854775 => -ERR invalid expire time in 'expire' command
        ttl a => :-1
        pexpire a -9223372036854775808 => :1
        exists a => :0"
    );
    check(&mut shell(), &script);
}

#[test]
fn a_passed_deadline_deletes_and_says_so() {
    let mut shell = shell();
    shell.space.configure(|settings| settings.notify = notify::parse("KEA").unwrap());
    shell.turn.begin(&shell.space, NOW);
    check(&mut shell, "set a 1 => +OK\n expire a 0 => :1\n exists a => :0");
    assert_eq!(events(&mut shell), "del@0:a");
    check(&mut shell, "set a 1 => +OK\n pexpire a 5 => :1\n persist a => :1\n pexpire a 5 => :1");
    assert_eq!(events(&mut shell), "expire@0:a persist@0:a expire@0:a");
    shell.turn.begin(&shell.space, NOW + 5);
    check(&mut shell, "ttl a => :-2\n rename a b => -ERR no such key\n expire a 9 => :0");
    assert_eq!(events(&mut shell), "expired@0:a");
    assert!(shell.space.is_empty(0));
}

#[test]
fn renaming_takes_value_and_deadline_along() {
    let mut shell = shell();
    check(
        &mut shell,
        "rename x x => -ERR no such key
        renamenx x y => -ERR no such key
        set a 1 => +OK
        rename a a => +OK
        renamenx a a => :0
        expire a 10 => :1
        set b 2 => +OK
        expire b 99 => :1
        renamenx a b => :0
        rename a b => +OK
        exists a => :0
        get b => $1 1
        ttl b => :10
        renamenx b c => :1
        get c => $1 1
        ttl c => :10
        set d 4 => +OK
        rename d c => +OK
        ttl c => :-1",
    );
    assert_eq!(shell.space.len(0), 1);
}

#[test]
fn copying_leaves_the_source_and_crosses_databases() {
    let mut shell = shell();
    check(
        &mut shell,
        "set a 1 => +OK
        copy a a => -ERR source and destination objects are the same
        copy x x => -ERR source and destination objects are the same
        copy a a db 0 => -ERR source and destination objects are the same
        copy a b foo => -ERR syntax error
        copy a b db => -ERR syntax error
        copy a b db x replace => -ERR value is not an integer or out of range
        copy a b db 16 foo => -ERR DB index is out of range
        copy a b db -1 => -ERR DB index is out of range
        copy a b db 99999999999 => -ERR value is out of range, value must between -2147483648 and 2147483647
        copy x b => :0
        expire a 10 => :1
        copy a b => :1
        copy a b => :0
        set a 2 => +OK
        copy a b REPLACE => :1
        get b => $1 2
        ttl b => :-1
        copy a a DB 1 => :1
        copy a a db 1 => :0
        copy b a replace db 1 => :1
        exists a b => :2",
    );
    shell.db = 1;
    check(&mut shell, "exists a b => :1\n get a => $1 2");
    assert_eq!((shell.space.len(0), shell.space.len(1)), (2, 1));
}

#[test]
fn moving_needs_a_free_name_in_the_other_database() {
    let mut shell = shell();
    check(
        &mut shell,
        "set a 1 => +OK
        move a 99 => -ERR DB index is out of range
        move a x => -ERR value is not an integer or out of range
        move x 0 => -ERR source and destination objects are the same
        move x 1 => :0
        expire a 10 => :1
        move a 1 => :1
        exists a => :0
        set a 2 => +OK
        move a 1 => :0
        get a => $1 2",
    );
    shell.db = 1;
    check(&mut shell, "get a => $1 1\n ttl a => :10");
}

#[test]
fn transfers_tell_both_names() {
    let mut shell = shell();
    shell.space.configure(|settings| settings.notify = notify::parse("KEAn").unwrap());
    shell.turn.begin(&shell.space, NOW);
    check(&mut shell, "set a 1 => +OK\n set b 1 => +OK");
    assert_eq!(events(&mut shell), "new@0:a new@0:b");
    check(&mut shell, "rename a b => +OK");
    assert_eq!(events(&mut shell), "new@0:b rename_from@0:a rename_to@0:b");
    for copy in ["copy b a db 3 => :1", "copy b a db 3 replace => :1"] {
        check(&mut shell, copy);
        assert_eq!(events(&mut shell), "new@3:a copy_to@3:a");
    }
    check(&mut shell, "move b 3 => :1");
    assert_eq!(events(&mut shell), "new@3:b move_from@0:b move_to@3:b");
}

#[test]
fn a_miss_is_announced_by_those_who_read() {
    let mut shell = shell();
    shell.space.configure(|settings| settings.notify = notify::parse("KEAm").unwrap());
    shell.turn.begin(&shell.space, NOW);
    for reading in ["exists x", "touch x", "type x", "ttl x", "copy x y"] {
        shell.run(reading);
        assert_eq!(events(&mut shell), "keymiss@0:x", "{reading}");
    }
    for silent in ["del x", "expire x 9", "persist x", "rename x y", "renamenx x y", "move x 1"] {
        shell.run(silent);
        assert_eq!(events(&mut shell), "", "{silent}");
    }
    shell.run("object|encoding - x");
    shell.run("memory|usage - x");
    assert_eq!(events(&mut shell), "");
}

#[test]
fn watchers_of_both_names_are_told() {
    for command in ["rename a b", "renamenx a b", "copy a b", "move a 1", "del a", "expire a 9"] {
        let mut shell = shell();
        shell.run("set a 1");
        let watch = Arc::new(AtomicBool::new(false));
        let name = if command.contains(" b") { "b" } else { "a" };
        let key = Key::new(name.as_bytes(), shell.turn.settings.tag);
        shell.space.partition(key.partition()).watch(0, key.name, &watch);
        shell.run("exists a");
        assert!(!watch.load(Ordering::Acquire));
        shell.run(command);
        assert!(watch.load(Ordering::Acquire), "{command}");
    }
}

#[test]
fn asking_is_no_use_of_the_object_but_changing_is() {
    let mut shell = shell();
    check(&mut shell, "set a 1 => +OK");
    shell.turn.begin(&shell.space, NOW + 30_000);
    check(
        &mut shell,
        "exists a => :1
        type a => +string
        ttl a => :-1
        object|idletime - a => :30
        persist a => :0
        object|idletime - a => :0",
    );
    shell.turn.begin(&shell.space, NOW + 60_000);
    check(&mut shell, "touch a => :1\n object|idletime - a => :0");
}

#[test]
fn objects_show_what_they_are() {
    let mut shell = shell();
    check(
        &mut shell,
        "set a 9999 => +OK
        object|encoding - a => $3 int
        object|encoding - x => $-1
        object|refcount - a => :2147483647
        set b 10000 => +OK
        object|refcount - b => :1
        set b -1 => +OK
        object|refcount - b => :1
        object|refcount - x => $-1
        object|idletime - x => $-1
        object|freq - x => $-1
        set foo 1 => +OK
        object|bucket - foo => :744
        object|bucket - x => $-1
        memory|usage - x => $-1
        memory|usage - a samples => -ERR syntax error
        memory|usage - a samples -1 => -ERR syntax error
        memory|usage - a samples x => -ERR value is not an integer or out of range
        memory|usage - a foo 1 => -ERR syntax error",
    );
    assert_eq!(shell.run("memory|usage - a"), shell.run("memory|usage - a SAMPLES 0"));
    assert!(shell.run("object|freq - a").starts_with("-ERR An LFU maxmemory policy is not"));
    assert!(shell.run("object|help -").contains("+BUCKET <key> "));
}

#[test]
fn under_lfu_objects_have_a_frequency_and_no_idle_time() {
    let mut shell = shell();
    shell.space.configure(|settings| {
        settings.policy = Policy::AllKeysLfu;
        settings.maxmemory = 1 << 30;
    });
    shell.turn.begin(&shell.space, NOW);
    check(&mut shell, "set a 1 => +OK\n object|freq - a => :5\n object|refcount - a => :1");
    assert!(
        shell.run("object|idletime - a").starts_with("-ERR An LFU maxmemory policy is selected")
    );
    // The first access above the start always counts; renaming keeps what was counted.
    check(&mut shell, "touch a => :1\n object|freq - a => :6");
    shell.space.configure(|settings| settings.lfu_log_factor = 1 << 30);
    shell.turn.begin(&shell.space, NOW);
    check(&mut shell, "rename a b => +OK\n object|freq - b => :6\n object|freq - a => $-1");
}

#[test]
fn a_transfer_is_journaled_as_a_deletion_and_a_put() {
    let mut shell = shell();
    check(&mut shell, "set a 1 => +OK\n move a 1 => :1");
    let batch = shell.journal.last().unwrap();
    let changes: Vec<_> = record::changes(batch).map(|change| change.unwrap()).collect();
    let [
        Change::Delete { key: from, db: 0, .. },
        Change::Put { key: to, db: 1, created: true, .. },
    ] = changes[..]
    else {
        panic!("{changes:?}")
    };
    assert_eq!((from, to), (&b"a"[..], &b"a"[..]));
}
