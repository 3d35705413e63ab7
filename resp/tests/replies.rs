//! Replies as an independent decoder reads them, and as Redis spells them.

use redis_protocol::resp2::{decode::decode as decode2, types::OwnedFrame as Frame2};
use redis_protocol::resp3::decode::complete::decode as decode3;
use redis_protocol::resp3::types::{OwnedFrame as Frame3, VerbatimStringFormat};
use resp::{Protocol, Reply};

fn written(protocol: Protocol, write: impl FnOnce(&mut Reply<'_>)) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut Reply::new(&mut out, protocol));
    out
}

/// Checks both spellings, and that a foreign decoder takes each for one whole frame.
fn check(write: impl Fn(&mut Reply<'_>), resp2: &str, resp3: &str) {
    let out = written(Protocol::Resp2, &write);
    assert_eq!(out.escape_ascii().to_string(), resp2.as_bytes().escape_ascii().to_string());
    let frame = decode2(&out).expect("RESP2 decodes");
    assert_eq!(frame.map(|(_, len)| len), Some(out.len()), "{resp2:?}");

    let out = written(Protocol::Resp3, &write);
    assert_eq!(out.escape_ascii().to_string(), resp3.as_bytes().escape_ascii().to_string());
    let frame = decode3(&out).expect("RESP3 decodes");
    assert_eq!(frame.map(|(_, len)| len), Some(out.len()), "{resp3:?}");
}

fn check_same(write: impl Fn(&mut Reply<'_>), expect: &str) {
    check(write, expect, expect);
}

#[test]
fn scalars() {
    check_same(|r| r.ok(), "+OK\r\n");
    check_same(|r| r.simple("QUEUED"), "+QUEUED\r\n");
    check_same(|r| r.error("ERR syntax error"), "-ERR syntax error\r\n");
    check_same(|r| r.error("ERR a\r\nb"), "-ERR a  b\r\n");
    for (value, expect) in [
        (0, ":0\r\n"),
        (1, ":1\r\n"),
        (-1, ":-1\r\n"),
        (i64::MAX, ":9223372036854775807\r\n"),
        (i64::MIN, ":-9223372036854775808\r\n"),
    ] {
        check_same(|r| r.int(value), expect);
    }
    check_same(|r| r.bulk(b""), "$0\r\n\r\n");
    check_same(|r| r.bulk(b"a\r\nb"), "$4\r\na\r\nb\r\n");
    check_same(|r| r.bulk_str("0123456789"), "$10\r\n0123456789\r\n");
    check_same(|r| r.bulk_int(-42), "$3\r\n-42\r\n");
    check(|r| r.null(), "$-1\r\n", "_\r\n");
    check(|r| r.null_array(), "*-1\r\n", "_\r\n");
    check(|r| r.boolean(true), ":1\r\n", "#t\r\n");
    check(|r| r.boolean(false), ":0\r\n", "#f\r\n");
    check(|r| r.double(3.1), "$18\r\n3.1000000000000001\r\n", ",3.1000000000000001\r\n");
    check(|r| r.score(1e17), "$5\r\n1e+17\r\n", ",1e+17\r\n");
    check(|r| r.score(-0.0), "$2\r\n-0\r\n", ",-0\r\n");
    check(|r| r.double(f64::NEG_INFINITY), "$4\r\n-inf\r\n", ",-inf\r\n");
    check(|r| r.human_double("2.5"), "$3\r\n2.5\r\n", ",2.5\r\n");
    check(|r| r.verbatim("txt", b"hi"), "$2\r\nhi\r\n", "=6\r\ntxt:hi\r\n");
    check(|r| r.big_number("-123"), "$4\r\n-123\r\n", "(-123\r\n");
}

#[test]
fn aggregates() {
    let pair = |r: &mut Reply<'_>| {
        r.bulk(b"k");
        r.int(7);
    };
    check_same(|r| r.array(0), "*0\r\n");
    check_same(
        |r| {
            r.array(2);
            pair(r);
        },
        "*2\r\n$1\r\nk\r\n:7\r\n",
    );
    check(
        |r| {
            r.map(1);
            pair(r);
        },
        "*2\r\n$1\r\nk\r\n:7\r\n",
        "%1\r\n$1\r\nk\r\n:7\r\n",
    );
    check(
        |r| {
            r.set(2);
            pair(r);
        },
        "*2\r\n$1\r\nk\r\n:7\r\n",
        "~2\r\n$1\r\nk\r\n:7\r\n",
    );
    check(
        |r| {
            r.push(2);
            pair(r);
        },
        "*2\r\n$1\r\nk\r\n:7\r\n",
        ">2\r\n$1\r\nk\r\n:7\r\n",
    );
    let attributed = |r: &mut Reply<'_>| {
        if r.attribute(1) {
            pair(r);
        }
        r.int(1);
    };
    assert_eq!(written(Protocol::Resp2, attributed), b":1\r\n");
    assert_eq!(written(Protocol::Resp3, attributed), b"|1\r\n$1\r\nk\r\n:7\r\n:1\r\n");
}

#[test]
fn deferred_aggregates_nest() {
    check(
        |r| {
            let outer = r.begin_array();
            r.int(5);
            let map = r.begin_array();
            for i in 0..6 {
                r.bulk_int(i);
                r.int(i);
            }
            r.end_map(map, 6);
            let set = r.begin_array();
            r.end_set(set, 0);
            r.end_array(outer, 3);
        },
        "*3\r\n:5\r\n*12\r\n$1\r\n0\r\n:0\r\n$1\r\n1\r\n:1\r\n$1\r\n2\r\n:2\r\n$1\r\n3\r\n:3\r\n$1\r\n4\r\n:4\r\n$1\r\n5\r\n:5\r\n*0\r\n",
        "*3\r\n:5\r\n%6\r\n$1\r\n0\r\n:0\r\n$1\r\n1\r\n:1\r\n$1\r\n2\r\n:2\r\n$1\r\n3\r\n:3\r\n$1\r\n4\r\n:4\r\n$1\r\n5\r\n:5\r\n~0\r\n",
    );
}

#[test]
fn values_survive_a_foreign_decoder() {
    let out = written(Protocol::Resp3, |r| r.verbatim("mkd", b"# x"));
    let Some((frame, _)) = decode3(&out).expect("decodes") else { panic!("incomplete") };
    let expect = Frame3::VerbatimString {
        data: b"# x".to_vec(),
        format: VerbatimStringFormat::Markdown,
        attributes: None,
    };
    assert_eq!(frame, expect);

    for value in [0.1, -1e-300, f64::MAX, f64::INFINITY, 1e17] {
        let out = written(Protocol::Resp3, |r| r.double(value));
        let Some((Frame3::Double { data, .. }, _)) = decode3(&out).expect("decodes") else {
            panic!("no double: {value}")
        };
        assert_eq!(data, value);
    }

    let big = vec![0xff; 1 << 20];
    let out = written(Protocol::Resp2, |r| r.bulk(&big));
    assert!(out.capacity() < big.len() + 64, "{}", out.capacity());
    assert_eq!(decode2(&out).expect("decodes"), Some((Frame2::BulkString(big), out.len())));
}

#[test]
fn an_error_replaces_a_begun_reply() {
    let out = written(Protocol::Resp2, |r| {
        r.ok();
        let mark = r.mark();
        r.array(3);
        r.int(1);
        assert_eq!(r.len(), mark + 8);
        r.truncate(mark);
        r.error_bytes(b"ERR \xff\n");
        r.raw(b":1\r\n");
    });
    assert_eq!(out, b"+OK\r\n-ERR \xff \r\n:1\r\n");
}
