//! Requests and the replies of redis-server 7.0.15.

use super::ROWS;
use crate::commands::testing::Shell;
use crate::commands::{Ctx, Missing, Outcome, ROW, Row, Run, row};
use crate::keyspace::notify;
use crate::objects::{Set, Str, Value};
use resp::{Protocol, Reply};

/// Just enough of other families to have keys of other types.
const OTHERS: &[Row] = &[
    Row { name: "sadd", arity: -3, keys: &[row::one(1, "")], run: Run::Keyed(sadd), ..ROW },
    Row { name: "set", arity: 3, keys: &[row::one(1, "")], run: Run::Keyed(set), ..ROW },
    Row { name: "encoding", arity: 2, keys: &[row::one(1, "")], run: Run::Keyed(encoding), ..ROW },
];

fn sadd<'a>(cx: &mut Ctx<'a, '_>, out: &mut Reply<'_>) -> Outcome {
    let (args, key) = (cx.args, cx.key(1));
    cx.modify(&key, Missing::Create, |set: &mut Set, changes| {
        args.from(2).iter().filter(|member| set.insert(member, changes)).count()
    })?;
    out.ok();
    Ok(())
}

fn set<'a>(cx: &mut Ctx<'a, '_>, out: &mut Reply<'_>) -> Outcome {
    let (args, key) = (cx.args, cx.key(1));
    cx.store(&key, Value::Str(Str::new(args.at(2))));
    out.ok();
    Ok(())
}

fn encoding<'a>(cx: &mut Ctx<'a, '_>, out: &mut Reply<'_>) -> Outcome {
    let key = cx.key(1);
    out.simple(cx.value(&key).map_or("none", Value::encoding));
    Ok(())
}

fn shell() -> Shell {
    Shell::new(&[ROWS, OTHERS])
}

/// Runs lines of `request => reply`; without `=>` the reply does not matter.
fn check(shell: &mut Shell, script: &str) {
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        match line.split_once(" => ") {
            Some((request, expected)) => assert_eq!(shell.run(request), expected, "{request}"),
            None => drop(shell.run(line)),
        }
    }
}

const WRONG: &str = "-WRONGTYPE Operation against a key holding the wrong kind of value";

#[test]
fn zadd_minds_its_options() {
    check(
        &mut shell(),
        "zadd k 1 a 2 b 3 c => :3
        zadd k 1 a 5 b 4 d => :1
        zadd k ch 1 a 6 b 4 e => :2
        zadd k nx 9 a 9 f => :1
        zadd k xx ch 8 a 9 g => :1
        zadd k gt ch 7 a 10 b => :1
        zadd k lt ch 7 a 11 b => :1
        zadd k incr 1.5 a => $3 8.5
        zadd k nx incr 1 a => $-1
        zadd k gt incr -1 a => $-1
        zadd no xx 1 a => :0
        zadd no xx incr 1 a => $-1
        zcard no => :0
        zincrby k 2 fresh => $1 2
        zadd k inf i => :1
        zadd k incr -inf i => -ERR resulting score is not a number (NaN)
        zincrby k -inf i => -ERR resulting score is not a number (NaN)
        zscore k i => $3 inf
        zadd k 1 a 2 => -ERR syntax error
        zadd k ch 1 => -ERR syntax error
        zadd k nx xx 1 a => -ERR XX and NX options at the same time are not compatible
        zadd k gt lt 1 a => -ERR GT, LT, and/or NX options at the same time are not compatible
        zadd k nx xx gt 1 a => -ERR XX and NX options at the same time are not compatible
        zadd k incr 1 a 2 b => -ERR INCR option supports a single increment-element pair
        zadd k 1 a x b => -ERR value is not a valid float
        zadd k nan a => -ERR value is not a valid float
        zadd k => -ERR wrong number of arguments for 'zadd' command",
    );
}

#[test]
fn ranges_of_every_kind() {
    check(
        &mut shell(),
        "zadd k 1 a 2 b 3 c 4 d 5 e
        zrange k 1 -2 => *3 $1 b $1 c $1 d
        zrange k 0 1 rev withscores => *4 $1 e $1 5 $1 d $1 4
        zrange k (1 +inf byscore limit 1 2 => *2 $1 c $1 d
        zrange k 4 (1 byscore rev limit 1 -1 => *2 $1 c $1 b
        zrange k 1 4 byscore limit -1 2 => *0
        zrange k 1 4 limit 0 1 => -ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX
        zrange k - + bylex withscores => -ERR syntax error, WITHSCORES not supported in combination with BYLEX
        zrange k 1 2 byscore bylex => -ERR syntax error
        zrange k a 1 => -ERR value is not an integer or out of range
        zrange k a 1 byscore => -ERR min or max is not a float
        zrange k a + bylex => -ERR min or max not valid string range item
        zrevrange k 0 0 => *1 $1 e
        zrangebyscore k 2 3 withscores => *4 $1 b $1 2 $1 c $1 3
        zrevrangebyscore k 3 2 => *2 $1 c $1 b
        zcount k (1 3 => :2
        zrank k c => :2
        zrevrank k a => :4
        zrank k nope => $-1
        zadd lex 0 a 0 b 0 c 0 d
        zrangebylex lex - (c => *2 $1 a $1 b
        zrevrangebylex lex + [b limit 1 1 => *1 $1 c
        zlexcount lex (a + => :3
        zrangebylex lex + - => *0
        zrangestore to k 1 3 byscore limit 1 9 => :2
        zrange to 0 -1 => *2 $1 b $1 c
        zrangestore to k 5 6 => :0
        zcard to => :0
        zrangestore to k 0 1 withscores => -ERR syntax error",
    );
}

#[test]
fn removing_and_popping() {
    check(
        &mut shell(),
        "zadd k 1 a 2 b 3 c 4 d 5 e 6 f 7 g
        zrem k a a nope => :1
        zremrangebyrank k -1 -1 => :1
        zremrangebyscore k (1 2 => :1
        zpopmin k => *2 $1 c $1 3
        zpopmax k 2 => *4 $1 f $1 6 $1 e $1 5
        zpopmin k 0 => *0
        zpopmin k -1 => -ERR value is out of range, must be positive
        zpopmin k x y => -ERR syntax error
        zmpop 2 no k max count 9 => *2 $1 k *1 *2 $1 d $1 4
        zmpop 1 k min => *-1
        zmpop 0 k min => -ERR numkeys should be greater than 0
        zmpop 1 k min count 0 => -ERR count should be greater than 0
        zmpop 1 k min count 1 count 1 => -ERR syntax error
        zmpop 2 k min => -ERR syntax error
        zpopmax k => *0
        zadd k 0 a 0 b 0 c
        zremrangebylex k - [b => :2
        zremrangebylex k b c => -ERR min or max not valid string range item",
    );
}

#[test]
fn algebra_with_sets_weights_and_infinities() {
    check(
        &mut shell(),
        "zadd x 1 a 2 b 3 c
        zadd y 10 b 20 c 30 d
        sadd s a c z
        sadd numbers 1 2
        zunion 2 x y withscores => *8 $1 a $1 1 $1 b $2 12 $1 c $2 23 $1 d $2 30
        zunion 2 x s weights 2 10 aggregate max => *4 $1 b $1 a $1 c $1 z
        zunion 2 x numbers => *5 $1 1 $1 2 $1 a $1 b $1 c
        zinter 2 x s withscores => *4 $1 a $1 2 $1 c $1 4
        zinter 2 x no => *0
        zinter 2 x y weights inf -inf withscores => *4 $1 b $1 0 $1 c $1 0
        zintercard 2 x y => :2
        zintercard 2 x y limit 1 => :1
        zintercard 2 x y limit -1 => -ERR LIMIT can't be negative
        zdiff 2 x y withscores => *2 $1 a $1 1
        zdiff 2 x y weights 1 1 => -ERR syntax error
        zunionstore to 2 x y => :4
        zinterstore to 2 x y aggregate min => :2
        zrange to 0 -1 withscores => *4 $1 b $1 2 $1 c $1 3
        zdiffstore to 2 x x => :0
        zcard to => :0
        zunion 0 x => -ERR at least 1 input key is needed for 'zunion' command
        zunion 3 x y => -ERR syntax error
        zunion x y => -ERR value is not an integer or out of range
        zunion 1 x weights a => -ERR weight value is not a float",
    );
}

#[test]
fn resp3_nests_pairs_and_has_doubles() {
    let mut shell = shell();
    shell.protocol = Protocol::Resp3;
    check(
        &mut shell,
        "zadd k 1 a 2.5 b -inf c
        zscore k b => ,2.5
        zmscore k c nope => *2 ,-inf _
        zrange k 0 1 withscores => *2 *2 $1 c ,-inf *2 $1 a ,1
        zunion 1 k withscores => *3 *2 $1 c ,-inf *2 $1 a ,1 *2 $1 b ,2.5
        zpopmin k => *2 $1 c ,-inf
        zpopmin k 1 => *1 *2 $1 a ,1
        zmpop 1 k max => *2 $1 k *1 *2 $1 b ,2.5
        zmpop 1 k max => _
        zadd k 1 a
        zrandmember k -2 withscores => *2 *2 $1 a ,1 *2 $1 a ,1
        zscan k 0 => *2 $1 0 *2 $1 a $1 1",
    );
}

#[test]
fn other_types_are_refused_after_the_arguments() {
    let mut shell = shell();
    shell.run("set str x");
    for request in [
        "zadd str 1 a",
        "zincrby str 1 a",
        "zcard str",
        "zscore str a",
        "zmscore str a",
        "zcount str 1 2",
        "zlexcount str - +",
        "zrange str 0 -1",
        "zrangestore to str 0 1",
        "zrank str a",
        "zrem str a",
        "zremrangebyrank str 0 1",
        "zpopmin str",
        "zmpop 1 str min",
        "zrandmember str",
        "zrandmember str 2",
        "zscan str 0 foo bar",
        "zunion 2 no str foo",
    ] {
        assert_eq!(shell.run(request), WRONG, "{request}");
    }
    assert_eq!(shell.run("zadd str x a"), "-ERR value is not a valid float");
    assert_eq!(shell.run("zcount str x 1"), "-ERR min or max is not a float");
    assert_eq!(shell.run("zunionstore str 1 no"), ":0");
    assert_eq!(shell.run("zcard str"), ":0");
}

#[test]
fn encodings_follow_the_limits() {
    let mut shell = shell();
    let pairs: Vec<String> = (0..128).map(|n| format!("{n} m{n}")).collect();
    shell.run(&format!("zadd k {}", pairs.join(" ")));
    check(
        &mut shell,
        "encoding k => +listpack
        zadd k 500 m5 => :0
        encoding k => +listpack
        zunionstore copy 1 k => :128
        encoding copy => +listpack
        zadd k 1 extra => :1
        encoding k => +skiplist
        zrem k extra => :1
        encoding k => +skiplist
        zrangestore copy k 0 9 => :10
        encoding copy => +listpack",
    );
    shell.run(&format!("zadd long 1 {}", "x".repeat(65)));
    assert_eq!(shell.run("encoding long"), "+skiplist");
}

#[test]
fn events_are_those_of_redis() {
    let mut shell = shell();
    shell.space.configure(|settings| settings.notify = notify::parse("KEA").unwrap());
    let now = shell.turn.now;
    shell.turn.begin(&shell.space, now);
    for (request, expected) in [
        ("zadd k 1 a 2 b 3 c", "zadd:k"),
        ("zadd k 1 a", ""),
        ("zincrby k 1 a", "zincr:k"),
        ("zincrby k 0 a", ""),
        ("zrem k nope", ""),
        ("zrem k a", "zrem:k"),
        ("zpopmin k", "zpopmin:k"),
        ("zpopmax k", "zpopmax:k del:k"),
        ("zadd k 1 a 2 b", "zadd:k"),
        ("zrangestore to k 0 0", "zrangestore:to"),
        ("zunionstore to 1 k", "zunionstore:to"),
        ("zinterstore to 1 no", "del:to"),
        ("zinterstore to 1 no", ""),
        ("zdiffstore to 1 k", "zdiffstore:to"),
        ("zremrangebyrank k 0 0", "zremrangebyrank:k"),
        ("zremrangebyscore k 0 9", "zremrangebyscore:k del:k"),
        ("zremrangebylex to - +", "zremrangebylex:to del:to"),
    ] {
        shell.run(request);
        let notices = shell.turn.notices.drain(..).filter(|notice| notice.event != "new");
        let seen = notices.map(|n| format!("{}:{}", n.event, String::from_utf8_lossy(&n.key)));
        assert_eq!(seen.collect::<Vec<_>>().join(" "), expected, "{request}");
    }
}

#[test]
fn a_scan_of_a_large_set_finds_every_member_once_when_nothing_changes() {
    let mut shell = shell();
    for n in 0..1000 {
        shell.run(&format!("zadd k {n} m{n}"));
    }
    let (mut cursor, mut seen) = ("0".to_string(), Vec::new());
    loop {
        let reply = shell.run(&format!("zscan k {cursor} count 50 match m*"));
        let mut words = reply.split(' ').filter(|word| !word.starts_with(['*', '$']));
        cursor = words.next().unwrap().to_string();
        let members = words.step_by(2).map(str::to_string);
        seen.extend(members);
        if cursor == "0" {
            break;
        }
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 1000);
}

#[test]
fn random_members_are_distinct_or_not_as_the_sign_says() {
    let mut shell = shell();
    for n in 0..200 {
        shell.run(&format!("zadd k {n} m{n}"));
    }
    let reply = shell.run("zrandmember k 150");
    let mut members: Vec<_> = reply.split(' ').filter(|word| word.starts_with('m')).collect();
    members.sort();
    members.dedup();
    assert_eq!(members.len(), 150);
    let reply = shell.run("zrandmember k -500");
    assert_eq!(reply.split(' ').filter(|word| word.starts_with('m')).count(), 500);
    check(
        &mut shell,
        "zrandmember no => $-1
        zrandmember no 3 => *0
        zrandmember k 0 => *0
        zrandmember k 3 foo => -ERR syntax error
        zrandmember k -9223372036854775807 withscores => -ERR value is out of range",
    );
}
