//! Scripts whose replies are those of redis-server 7.0.15.

use super::*;
use crate::commands::testing::Shell;

fn check(script: &[(&str, &str)]) {
    let mut shell = Shell::new(&[ROWS]);
    for (line, reply) in script {
        assert_eq!(&shell.run(line), reply, "{line}");
    }
}

#[test]
fn ends() {
    check(&[
        ("RPUSHX l a", ":0"),
        ("RPUSH l a b c", ":3"),
        ("LPUSH l y x", ":5"),
        ("LRANGE l 0 -1", "*5 $1 x $1 y $1 a $1 b $1 c"),
        ("LPOP l", "$1 x"),
        ("RPOP l 2", "*2 $1 c $1 b"),
        ("LPOP l 0", "*0"),
        ("LPOP no", "$-1"),
        ("LPOP no 0", "*-1"),
        ("LPOP no x", "-ERR value is out of range, must be positive"),
        ("LPOP l 1 2", "-ERR wrong number of arguments for 'lpop' command"),
        ("LMOVE l l LEFT RIGHT", "$1 y"),
        ("LRANGE l 0 -1", "*2 $1 a $1 y"),
        ("RPOPLPUSH l m", "$1 y"),
        ("RPOPLPUSH l m", "$1 a"),
        ("RPOPLPUSH l m", "$-1"),
        ("LMPOP 2 l m RIGHT COUNT 5", "*2 $1 m *2 $1 y $1 a"),
        ("LMPOP 2 l m RIGHT", "*-1"),
        ("LMPOP 0 l LEFT", "-ERR numkeys should be greater than 0"),
        ("LMPOP 9223372036854775807 l LEFT", "-ERR syntax error"),
        ("LMPOP 1 l LEFT COUNT 0", "-ERR count should be greater than 0"),
    ]);
}

#[test]
fn inside() {
    check(&[
        ("RPUSH l a b a c a", ":5"),
        ("LINDEX l -1", "$1 a"),
        ("LINDEX l 5", "$-1"),
        ("LINDEX l -6", "$-1"),
        ("LINDEX no x", "$-1"),
        ("LPOS l a RANK 2", ":2"),
        ("LPOS l a RANK -1 COUNT 0", "*3 :4 :2 :0"),
        ("LPOS l a COUNT 0 MAXLEN 3", "*2 :0 :2"),
        ("LPOS l a RANK -9223372036854775808", ":4"),
        ("LPOS l a COUNT -1", "-ERR COUNT can't be negative"),
        ("LINSERT l BEFORE c x", ":6"),
        ("LINSERT l AFTER nothing x", ":-1"),
        ("LINSERT no AFTER a x", ":0"),
        ("LSET l 9 z", "-ERR index out of range"),
        ("LSET no x z", "-ERR no such key"),
        ("LSET l -1 z", "+OK"),
        ("LRANGE l 0 -1", "*6 $1 a $1 b $1 a $1 x $1 c $1 z"),
        ("LREM l -1 a", ":1"),
        ("LTRIM l 1 -2", "+OK"),
        ("LRANGE l -100 100", "*3 $1 b $1 x $1 c"),
        ("LRANGE l 2 1", "*0"),
        ("LRANGE l 0 -4", "*0"),
        ("LTRIM l 5 9", "+OK"),
        ("LLEN l", ":0"),
    ]);
}

#[test]
fn spans_are_held_to_the_list() {
    for (start, stop, expected) in [
        (0, -1, (0, 4)),
        (-2, -1, (2, 4)),
        (1, 2, (1, 3)),
        (-100, 100, (0, 4)),
        (0, -5, (0, 0)),
        (0, -4, (0, 1)),
        (4, 9, (0, 0)),
        (i64::MIN, i64::MAX, (0, 4)),
        (i64::MAX, i64::MIN, (0, 0)),
    ] {
        assert_eq!(span(start, stop, 4), expected, "{start} {stop}");
    }
    assert_eq!(span(0, -1, 0), (0, 0));
}
