//! Scripts whose replies are those of redis-server 7.0.15.

use super::*;
use crate::commands::testing::Shell;
use crate::keyspace::Key;

fn check(script: &[(&str, &str)]) -> Shell {
    let mut shell = Shell::new(&[ROWS, crate::commands::lists::ROWS]);
    for (line, reply) in script {
        assert_eq!(&shell.run(line), reply, "{line}");
    }
    shell
}

fn encoding(shell: &Shell, key: &str) -> &'static str {
    let key = Key::new(key.as_bytes(), shell.turn.settings.tag);
    let locked = shell.space.lock([key.partition()]);
    let entry = locked.get(key.partition()).and_then(|partition| partition.get(0, &key));
    entry.map_or("", |entry| entry.value.encoding())
}

#[test]
fn set_and_its_options() {
    check(&[
        ("SET k v", "+OK"),
        ("SET k w NX", "$-1"),
        ("SET k w NX GET", "$1 v"),
        ("SET k w XX GET", "$1 v"),
        ("SET k v NX XX", "-ERR syntax error"),
        ("SET k v EX 1 PX 1", "-ERR syntax error"),
        ("SET k v EX 1 EX 2", "+OK"),
        ("SET k v EX", "-ERR syntax error"),
        ("SET k v EX 0", "-ERR invalid expire time in 'set' command"),
        ("SET k v EX x", "-ERR value is not an integer or out of range"),
        ("SET k v PX 9223372036854775807", "-ERR invalid expire time in 'set' command"),
        ("SET k v PXAT 1", "+OK"),
        ("GET k", "$-1"),
        ("SETEX k -1 v", "-ERR invalid expire time in 'setex' command"),
        ("PSETEX k 10 v", "+OK"),
        ("GETEX k EX 0", "-ERR invalid expire time in 'getex' command"),
        ("GETEX k PERSIST EX 1", "-ERR syntax error"),
        ("GETEX k EXAT 1", "$1 v"),
        ("GETEX k EX 0", "$-1"),
        ("RPUSH l a", ":1"),
        ("SET l v GET", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("SETNX l v", ":0"),
        ("MSETNX a 1 l 2", ":0"),
        ("MSET a 1 l 2", "+OK"),
        ("MSET a 1 b", "-ERR wrong number of arguments for 'mset' command"),
        ("MGET a l no", "*3 $1 1 $1 2 $-1"),
        ("GETSET a x", "$1 1"),
        ("GETDEL a", "$1 x"),
        ("GETDEL a", "$-1"),
    ]);
}

#[test]
fn editing_and_encodings() {
    let shell = check(&[
        ("INCR n", ":1"),
        ("INCRBY n 9223372036854775807", "-ERR increment or decrement would overflow"),
        ("DECRBY n -9223372036854775808", "-ERR decrement would overflow"),
        ("INCRBYFLOAT f 0.1", "$3 0.1"),
        ("INCRBYFLOAT f 0.2", "$3 0.3"),
        ("INCRBYFLOAT f 0.7", "$1 1"),
        ("INCRBYFLOAT f x", "-ERR value is not a valid float"),
        ("INCRBYFLOAT f inf", "-ERR increment would produce NaN or Infinity"),
        ("APPEND a 12", ":2"),
        ("APPEND b 1", ":1"),
        ("APPEND b 2", ":2"),
        ("STRLEN b", ":2"),
        ("SETRANGE r 2 xy", ":4"),
        ("GETRANGE r 2 -1", "$2 xy"),
        ("GETRANGE r -1 -2", "$0"),
        ("SUBSTR r -2 100", "$2 xy"),
        ("SETRANGE r -1 x", "-ERR offset is out of range"),
        ("SETRANGE r 536870912 x", "-ERR string exceeds maximum allowed size (proto-max-bulk-len)"),
    ]);
    let encodings = ["n", "f", "a", "b", "r"].map(|key| encoding(&shell, key));
    assert_eq!(encodings, ["int", "embstr", "int", "raw", "raw"]);
}

#[test]
fn common_subsequences() {
    let mut shell = check(&[
        ("MSET a ohmytext b mynewtext", "+OK"),
        ("LCS a b", "$6 mytext"),
        ("LCS a b LEN", ":6"),
        (
            "LCS a b IDX MINMATCHLEN 4 WITHMATCHLEN",
            "*4 $7 matches *1 *3 *2 :4 :7 *2 :5 :8 :4 $3 len :6",
        ),
        ("LCS a b IDX", "*4 $7 matches *2 *2 *2 :4 :7 *2 :5 :8 *2 *2 :2 :3 *2 :0 :1 $3 len :6"),
        ("LCS a no", "$0"),
        ("LCS a b IDX LEN", "-ERR If you want both the length and indexes, please just use IDX."),
        ("RPUSH l a", ":1"),
        ("LCS a l FOO", "-ERR The specified keys must contain string values"),
    ]);
    shell.protocol = resp::Protocol::Resp3;
    assert_eq!(shell.run("LCS a no IDX"), "%2 $7 matches *0 $3 len :0");
}
