//! Abuse of the protocol: bytes that are no commands, answered alike by redis-server and Bowshock,
//! down to whether the connection closes (RELIABILITY.md, section 4).
//!
//! A case that leaves the connection open is followed by QUIT, whose `+OK` shows that it was open;
//! so every answer ends with the connection.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use compat_tests::server::{Program, Server};
use compat_tests::text::quote;

/// What happens to the connection.
#[derive(Clone, Copy, PartialEq, Eq)]
enum After {
    Closes,
    Stays,
}
use After::{Closes, Stays};

const QUIT: &[u8] = b"*1\r\n$4\r\nQUIT\r\n";

struct Case {
    name: &'static str,
    bytes: Vec<u8>,
    after: After,
}

fn case(name: &'static str, bytes: impl AsRef<[u8]>, after: After) -> Case {
    Case { name, bytes: bytes.as_ref().to_vec(), after }
}

fn without_password() -> Vec<Case> {
    let long = |length: usize| vec![b'a'; length];
    vec![
        case("count that is no number", "*abc\r\n", Closes),
        case("empty count", "*\r\n", Closes),
        case("large count is only a promise", "*1048577\r\n*1\r\n", Closes),
        case("count larger than an int", "*2147483648\r\n", Closes),
        case("count larger than a long", "*9223372036854775808\r\n", Closes),
        case("count with a sign", "*+1\r\n$4\r\nPING\r\n", Closes),
        case("count with a blank", "* 1\r\n$4\r\nPING\r\n", Closes),
        case("count with a leading zero", "*01\r\n$4\r\nPING\r\n", Closes),
        case("count of minus one is ignored", "*-1\r\n", Stays),
        case("count of zero is ignored", "*0\r\n", Stays),
        case("very negative count is ignored", "*-1000\r\n", Stays),
        case("no length, but an integer", "*1\r\n:4\r\nPING\r\n", Closes),
        case("no length, but text", "*1\r\nPING\r\n", Closes),
        case("no length, but a nested array", "*1\r\n*1\r\n$4\r\nPING\r\n", Closes),
        case("empty line for a length", "*1\r\n\r\n", Closes),
        case("length that is no number", "*1\r\n$abc\r\nPING\r\n", Closes),
        case("empty length", "*1\r\n$\r\n\r\n", Closes),
        case("negative length", "*1\r\n$-1\r\n", Closes),
        case("length too large", "*2\r\n$3\r\nGET\r\n$536870913\r\n", Closes),
        case("length larger than a long", "*1\r\n$9223372036854775808\r\n", Closes),
        case("length with a sign", "*1\r\n$+4\r\nPING\r\n", Closes),
        case("count line without an end", [b"*".as_slice(), &vec![b'1'; 65_600]].concat(), Closes),
        case(
            "length line without an end",
            [b"*1\r\n$".as_slice(), &vec![b'1'; 65_600]].concat(),
            Closes,
        ),
        case("inline request too big", long(65_600), Closes),
        case("inline with an open double quote", "SET k \"abc\r\n", Closes),
        case("inline with an open single quote", "SET k 'abc\r\n", Closes),
        case("inline with text after a quote", "SET k \"abc\"d\r\n", Closes),
        case("inline with text after a single quote", "SET k 'abc'd\r\n", Closes),
        case("POST closes", "POST / HTTP/1.1\r\n", Closes),
        case("post in small letters closes", "post / HTTP/1.1\r\n", Closes),
        case("Host: closes", "Host: example.org\r\n", Closes),
        case("HTTP GET is an inline command", "GET / HTTP/1.1\r\n", Stays),
        case("HTTP request closes at its Host", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", Closes),
        case("inline command", "PING\r\n", Stays),
        case("inline command with a line feed only", "PING\n", Stays),
        case("inline with blanks around", "   PING   hello   \r\n", Stays),
        case("inline with quotes and escapes", "ECHO \"a\\x41\\n\\t\\\"b\"\r\n", Stays),
        case("inline with single quotes", "ECHO 'it\\'s'\r\n", Stays),
        case("inline with empty quotes", "ECHO \"\"\r\n", Stays),
        case("empty lines are ignored", "\r\n\r\n\n", Stays),
        case("blank lines are ignored", "   \r\n", Stays),
        case("inline and array mixed", "PING\r\n*1\r\n$4\r\nPING\r\nPING\r\n", Stays),
        case("empty command name", "*1\r\n$0\r\n\r\n", Stays),
        case("empty arguments", "*2\r\n$4\r\nECHO\r\n$0\r\n\r\n", Stays),
        case("binary command name", "*1\r\n$4\r\n\x01\x02\x03\x04\r\n", Stays),
        case("name with line ends", "*1\r\n$6\r\nA\r\nB\r\n\r\n", Stays),
        case("error after good commands", "*1\r\n$4\r\nPING\r\nPING\r\n*x\r\nPING\r\n", Closes),
        case("wrong end of an argument is not looked at", "*1\r\n$4\r\nPINGxx", Stays),
        case("reply as a request", "+OK\r\n", Stays),
        case("null bulk as a request", "$-1\r\n", Stays),
        case("control bytes as a request", b"\x01\x02\xff\r\n", Stays),
        case("arity error", "*1\r\n$3\r\nGET\r\n", Stays),
        case("QUIT with more behind it", "QUIT\r\nPING\r\n", Closes),
        case("many small commands", "PING\r\n".repeat(5_000), Stays),
    ]
}

fn with_password() -> Vec<Case> {
    vec![
        case("ten arguments before login", "*10\r\n".to_owned() + &"$1\r\na\r\n".repeat(10), Stays),
        case("eleven arguments before login", "*11\r\n", Closes),
        case(
            "16,384 bytes before login",
            format!("*2\r\n$4\r\nECHO\r\n$16384\r\n{}\r\n", "a".repeat(16_384)),
            Stays,
        ),
        case("16,385 bytes before login", "*2\r\n$4\r\nECHO\r\n$16385\r\n", Closes),
        case("PING before login", "PING\r\n", Stays),
        case("wrong password", "AUTH wrong\r\nPING\r\n", Stays),
        case(
            "login, then many arguments",
            "AUTH secret\r\n*12\r\n$6\r\nEXISTS\r\n".to_owned() + &"$1\r\na\r\n".repeat(11),
            Stays,
        ),
        case("login, then RESET, then many arguments", "AUTH secret\r\nRESET\r\n*11\r\n", Closes),
        case("QUIT before login", "QUIT\r\n", Closes),
    ]
}

/// Sends a case to a server and returns all it says until it closes, which it must.
fn answer(server: &Server, case: &Case) -> Vec<u8> {
    let mut client = server.client().unwrap();
    let mut bytes = case.bytes.clone();
    if case.after == Stays {
        bytes.extend_from_slice(QUIT);
    }
    // The server may close before it has read everything: what it said is still there.
    _ = client.send_raw(&bytes);
    let (said, _) = client
        .receive_raw(None)
        .unwrap_or_else(|error| panic!("{}: the connection stays open ({error})", case.name));
    said
}

fn compare(extra: &[&str], cases: &[Case]) {
    let redis = Server::start(Program::Redis, extra).unwrap_or_else(|error| panic!("{error}"));
    let sut = Server::start(Program::bowshock(), extra).unwrap_or_else(|error| panic!("{error}"));
    let mut failures = String::new();
    for case in cases {
        let (expected, got) = (answer(&redis, case), answer(&sut, case));
        if case.after == Stays && !expected.ends_with(b"+OK\r\n") {
            failures += &format!("{}: redis-server itself closes\n", case.name);
        }
        if expected != got {
            failures += &format!(
                "{}:\n  redis:    {}\n  bowshock: {}\n",
                case.name,
                shown(&expected),
                shown(&got)
            );
        }
    }
    assert!(failures.is_empty(), "\n{failures}");
    // The server is whole after all of it.
    let mut client = sut.client().unwrap();
    client.send_raw(b"PING\r\n").unwrap();
    client.receive().unwrap();
}

fn shown(bytes: &[u8]) -> String {
    let mut text = quote(bytes);
    if text.len() > 300 {
        text.truncate(300);
        text.push_str("...");
    }
    text
}

#[test]
fn protocol_errors_are_answered_as_redis_does() {
    compare(&[], &without_password());
}

#[test]
fn limits_before_login_are_those_of_redis() {
    compare(&["--requirepass", "secret"], &with_password());
}

/// A request that comes byte by byte is the same request.
#[test]
fn a_request_may_come_in_single_bytes() {
    let sut = Server::start(Program::bowshock(), &[]).unwrap_or_else(|error| panic!("{error}"));
    let mut client = sut.client().unwrap();
    for byte in b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$3\r\na\r\n\r\nGET k\r\n" {
        client.send_raw(&[*byte]).unwrap();
    }
    assert_eq!(client.receive().unwrap().render(), "OK");
    assert_eq!(client.receive().unwrap().render(), "\"a\\r\\n\"");
}

/// A header is not an allocation: many connections that announce much and send little cost little.
#[cfg(target_os = "linux")]
#[test]
fn an_announced_length_is_not_allocated() {
    let sut = Server::start(Program::bowshock(), &[]).unwrap_or_else(|error| panic!("{error}"));
    let resident = || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", sut.pid())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap()
    };
    let before = resident();
    let mut clients = Vec::new();
    for _ in 0..200 {
        let mut client = sut.client().unwrap();
        client.send_raw(b"PING\r\n*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$500000000\r\nx").unwrap();
        client.receive().unwrap();
        clients.push(client);
    }
    let grown = resident().saturating_sub(before);
    assert!(grown < 64 * 1024, "{grown} KiB for 200 announced lengths");
}
