use super::ROWS;
use crate::commands::testing::Shell;
use resp::Protocol;

#[test]
fn replies_are_redis_ones() {
    let mut shell = Shell::new(&[ROWS, crate::commands::sets::ROWS]);
    for (line, reply) in [
        ("HSET h a 1 b 2", ":2"),
        ("HSET h a 1 b", "-ERR wrong number of arguments for 'hset' command"),
        ("HMSET h a 1 b", "-ERR wrong number of arguments for 'hmset' command"),
        ("HMSET h a 1 c x", "+OK"),
        ("HSET h a 5 d 4", ":1"),
        ("HSETNX h a 9", ":0"),
        ("HSETNX h e 1e2", ":1"),
        ("HGETALL h", "*10 $1 a $1 5 $1 b $1 2 $1 c $1 x $1 d $1 4 $1 e $3 1e2"),
        ("HINCRBY h a 37", ":42"),
        ("HINCRBY h a x", "-ERR value is not an integer or out of range"),
        ("HINCRBY h c 1", "-ERR hash value is not an integer"),
        ("HINCRBY h a 9223372036854775807", "-ERR increment or decrement would overflow"),
        ("HINCRBY new a 3", ":3"),
        ("HINCRBYFLOAT h e 0.1", "$5 100.1"),
        ("HINCRBYFLOAT h c 1", "-ERR hash value is not a float"),
        ("HINCRBYFLOAT h a inf", "-ERR value is NaN or Infinity"),
        ("HINCRBYFLOAT h a x", "-ERR value is not a valid float"),
        ("HINCRBYFLOAT absent a x", "-ERR value is not a valid float"),
        ("HLEN absent", ":0"),
        ("HMGET h a zz e", "*3 $2 42 $-1 $5 100.1"),
        ("HGET h zz", "$-1"),
        ("HSTRLEN h e", ":5"),
        ("HEXISTS h e", ":1"),
        ("HKEYS h", "*5 $1 a $1 b $1 c $1 d $1 e"),
        ("HVALS h", "*5 $2 42 $1 2 $1 x $1 4 $5 100.1"),
        ("HDEL h a zz c a", ":2"),
        ("HSCAN h 0 MATCH [bd]", "*2 $1 0 *4 $1 b $1 2 $1 d $1 4"),
        ("HSCAN h x", "-ERR invalid cursor"),
        ("HSCAN absent 0 FOO", "*2 $1 0 *0"),
        ("HSCAN h 0 FOO", "-ERR syntax error"),
        ("HRANDFIELD absent", "$-1"),
        ("HRANDFIELD absent 3", "*0"),
        ("HRANDFIELD h 9 WITHVALUES", "*6 $1 b $1 2 $1 d $1 4 $1 e $5 100.1"),
        ("HRANDFIELD h x FOO", "-ERR value is not an integer or out of range"),
        ("HRANDFIELD h 1 FOO", "-ERR syntax error"),
        ("HRANDFIELD h 4611686018427387904 WITHVALUES", "-ERR value is out of range"),
        (
            "HRANDFIELD h -9223372036854775808",
            "-ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807",
        ),
        ("HDEL h b d e", ":3"),
        ("HLEN h", ":0"),
        ("SADD s m", ":1"),
        ("HSET s a 1", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("HSCAN s 0 FOO", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
    ] {
        assert_eq!(shell.run(line), reply, "{line}");
    }
}

#[test]
fn resp3_has_maps_and_pairs() {
    let mut shell = Shell::new(&[ROWS]);
    shell.protocol = Protocol::Resp3;
    shell.run("HSET h a 1 b 2");
    assert_eq!(shell.run("HGETALL h"), "%2 $1 a $1 1 $1 b $1 2");
    assert_eq!(shell.run("HGETALL absent"), "%0");
    assert_eq!(shell.run("HRANDFIELD h 5 WITHVALUES"), "*2 *2 $1 a $1 1 *2 $1 b $1 2");
    assert_eq!(shell.run("HRANDFIELD h -3").matches("$1").count(), 3);
    assert_eq!(shell.run("HGET h c"), "_");
}

#[test]
fn a_large_hash_is_scanned_and_drawn_from_completely() {
    let mut shell = Shell::new(&[ROWS]);
    for n in 0..300 {
        assert_eq!(shell.run(&format!("HSET h field:{n} {n}")), ":1");
    }
    assert_eq!(shell.run("HLEN h"), ":300");
    let mut cursor = "0".to_owned();
    let mut fields = std::collections::BTreeSet::new();
    loop {
        let reply = shell.run(&format!("HSCAN h {cursor} COUNT 7"));
        let words: Vec<&str> = reply.split(' ').collect();
        fields
            .extend(words.iter().filter(|word| word.starts_with("field:")).map(|w| w.to_string()));
        cursor = words[2].to_owned();
        if cursor == "0" {
            break;
        }
    }
    assert_eq!(fields.len(), 300);
    for count in [5, 200, 300] {
        let reply = shell.run(&format!("HRANDFIELD h {count}"));
        let drawn: std::collections::BTreeSet<&str> =
            reply.split(' ').filter(|word| word.starts_with("field:")).collect();
        assert_eq!(drawn.len(), count);
    }
    for n in 0..300 {
        assert_eq!(shell.run(&format!("HDEL h field:{n}")), ":1");
    }
    assert_eq!(shell.run("HLEN h"), ":0");
}
