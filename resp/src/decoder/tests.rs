//! The decoder against every way of cutting its input, its errors, and its cost.

use super::*;
use proptest::prelude::*;

/// What a connection would see of `input`: each command's arguments, then the error if any.
type Seen = (Vec<Vec<Vec<u8>>>, Option<ProtocolError>);

/// Feeds `input` so that the decoder sees it grow by `cuts` in turn, then all of it.
fn feed(input: &[u8], cuts: &[usize], limits: &Limits) -> Seen {
    let mut decoder = Decoder::default();
    let mut commands = Vec::new();
    let (mut at, mut end) = (0, 0);
    let mut cuts = cuts.iter();
    loop {
        match decoder.decode(&input[at..end], limits) {
            Ok(Decoded::Command { consumed }) => {
                commands.push(decoder.args(&input[at..end]).iter().map(<[u8]>::to_vec).collect());
                at += consumed;
            }
            Ok(Decoded::Empty { consumed }) => at += consumed,
            Ok(Decoded::Incomplete) if end == input.len() => return (commands, None),
            Ok(Decoded::Incomplete) => {
                let missing = decoder.missing(end - at);
                assert!(missing == 0 || matches!(decoder.state, State::Bulk(_)));
                end = cuts.next().map_or(input.len(), |cut| input.len().min(end + cut));
            }
            Err(error) => return (commands, Some(error)),
        }
    }
}

fn whole(input: &[u8]) -> Seen {
    feed(input, &[input.len()], &Limits::default())
}

fn multibulk(args: &[Vec<u8>]) -> Vec<u8> {
    let mut out = format!("*{}\r\n", args.len()).into_bytes();
    for arg in args {
        out.extend(format!("${}\r\n", arg.len()).bytes());
        out.extend(arg);
        out.extend(b"\r\n");
    }
    out
}

#[test]
fn commands_follow_each_other() {
    let input = b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$0\r\n\r\n*0\r\n*-1\r\n\r\nPING x\n GET 'a b'\r\n*1\r\n$4\r\nQUIT\r\n";
    let words: Vec<Vec<String>> = whole(input)
        .0
        .iter()
        .map(|args| args.iter().map(|arg| arg.escape_ascii().to_string()).collect())
        .collect();
    assert_eq!(words, [vec!["SET", "k", ""], vec!["PING", "x"], vec!["GET", "a b"], vec!["QUIT"]]);
}

#[test]
fn the_two_bytes_after_an_argument_are_not_checked() {
    assert_eq!(whole(b"*1\rX$4\rYPINGabPING\r\n").0, [[b"PING"], [b"PING"]]);
}

#[test]
fn protocol_errors() {
    use ProtocolError::*;
    let long = |head: &[u8], filler: u8| [head, &[filler; 65_537][head.len()..]].concat();
    let cases: &[(&[u8], Option<ProtocolError>)] = &[
        (b"*\r\n", Some(InvalidMultibulkLength)),
        (b"*x\r\n", Some(InvalidMultibulkLength)),
        (b"*+1\r\n", Some(InvalidMultibulkLength)),
        (b"*01\r\n", Some(InvalidMultibulkLength)),
        (b"*-0\r\n", Some(InvalidMultibulkLength)),
        (b"* 1\r\n", Some(InvalidMultibulkLength)),
        (b"*2147483648\r\n", Some(InvalidMultibulkLength)),
        (b"*99999999999999999999\r\n", Some(InvalidMultibulkLength)),
        (b"*2147483647\r\n", None),
        (b"*-9223372036854775808\r\n", None),
        (b"*1\r\n:4\r\n", Some(ExpectedBulk(b':'))),
        (b"*1\r\n:4", None),
        (b"*1\r\n\r\n", Some(ExpectedBulk(b'\r'))),
        (b"*1\r\n$-1\r\n", Some(InvalidBulkLength)),
        (b"*1\r\n$\r\n", Some(InvalidBulkLength)),
        (b"*1\r\n$04\r\n", Some(InvalidBulkLength)),
        (b"*1\r\n$536870913\r\n", Some(InvalidBulkLength)),
        (b"*1\r\n$536870912\r\n", None),
        (b"ECHO \"a\r\n", Some(UnbalancedQuotes)),
        (&long(b"*", b'1'), Some(TooBigMultibulkCount)),
        (&long(b"*", b'1')[..65_536], None),
        (&[&b"*1\r\n"[..], &long(b"$", b'1')].concat(), Some(TooBigBulkCount)),
        (&long(b"", b'A'), Some(TooBigInline)),
        (&long(b"", b'A')[..65_536], None),
        // A NUL hides the end of its line.
        (b"\0\n", None),
        (&long(b"\0\n", b'\n'), Some(TooBigInline)),
        (&long(b"*\0\r\n", b'\n'), Some(TooBigMultibulkCount)),
    ];
    for (input, expect) in cases {
        let shown = input[..input.len().min(40)].escape_ascii();
        assert_eq!(whole(input).1, *expect, "{shown}");
        let bytewise = feed(input, &vec![1; input.len()], &Limits::default());
        assert_eq!(bytewise.1, *expect, "{shown}, byte by byte");
    }
}

#[test]
fn limits_before_authentication() {
    let limits = Limits { unauthenticated: true, ..Limits::default() };
    let seen = |input: &[u8]| feed(input, &[], &limits).1;
    assert_eq!(seen(b"*10\r\n"), None);
    assert_eq!(seen(b"*11\r\n"), Some(ProtocolError::UnauthenticatedMultibulkLength));
    assert_eq!(seen(b"*1\r\n$16384\r\n"), None);
    assert_eq!(seen(b"*1\r\n$16385\r\n"), Some(ProtocolError::UnauthenticatedBulkLength));
    assert_eq!(feed(b"*1\r\n$4\r\nPING\r\n", &[3], &limits).0, [[b"PING"]]);
}

#[test]
fn errors_read_as_in_redis() {
    assert_eq!(
        ProtocolError::ExpectedBulk(b':').to_string(),
        "Protocol error: expected '$', got ':'"
    );
    assert_eq!(
        ProtocolError::ExpectedBulk(0xff).message(),
        b"Protocol error: expected '$', got '\xff'"
    );
    assert_eq!(
        ProtocolError::ExpectedBulk(b'\r').message(),
        b"Protocol error: expected '$', got ' '"
    );
    assert_eq!(
        ProtocolError::TooBigMultibulkCount.message(),
        b"Protocol error: too big mbulk count string"
    );
}

/// 16 MiB in pieces of 1 KiB: the bytes of the argument are not looked at, the rest once.
#[test]
fn no_byte_is_looked_at_twice() {
    let input = multibulk(&[b"SET".to_vec(), b"k".to_vec(), vec![b'\r'; 16 << 20]]);
    let mut decoder = Decoder::default();
    let limits = Limits::default();
    let mut end = 0;
    while decoder.decode(&input[..end], &limits) == Ok(Decoded::Incomplete) {
        assert!(decoder.missing(end) <= input.len() - end);
        end = input.len().min(end + 1024);
    }
    assert_eq!(decoder.args(&input).at(2).len(), 16 << 20);
    assert!(decoder.looked_at < 64, "{}", decoder.looked_at);

    let line = [&vec![b'x'; 60_000][..], b"\r\n"].concat();
    let mut decoder = Decoder::default();
    for end in 0..line.len() {
        assert_eq!(decoder.decode(&line[..end], &limits), Ok(Decoded::Incomplete));
    }
    assert_eq!(decoder.decode(&line, &limits), Ok(Decoded::Command { consumed: line.len() }));
    assert_eq!(decoder.looked_at, line.len());
}

#[test]
fn an_announced_count_reserves_little_and_a_big_command_is_let_go() {
    let limits = Limits::default();
    let mut decoder = Decoder::default();
    assert_eq!(decoder.heap_bytes(), 0);
    assert_eq!(decoder.decode(b"*2147483647\r\n", &limits), Ok(Decoded::Incomplete));
    assert!(decoder.heap_bytes() <= RESERVED_SPANS_MAX * size_of::<Span>());

    let big = multibulk(&vec![b"x".to_vec(); 5000]);
    let mut decoder = Decoder::default();
    assert!(decoder.decode(&big, &limits).is_ok());
    assert_eq!(decoder.args(&big).len(), 5000);
    assert!(decoder.decode(b"PING\r\n", &limits).is_ok());
    assert!(decoder.heap_bytes() < RESERVED_SPANS_MAX * size_of::<Span>());
    decoder.release();
    assert_eq!(decoder.heap_bytes(), 0);
}

#[test]
fn missing_counts_the_awaited_argument() {
    let mut decoder = Decoder::default();
    let input = b"*1\r\n$10\r\nabc";
    assert_eq!(decoder.decode(input, &Limits::default()), Ok(Decoded::Incomplete));
    assert_eq!(decoder.missing(input.len()), 9);
    assert_eq!(decoder.missing(input.len() + 100), 0);
}

/// Bytes that look like requests more often than noise does.
fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 1..6)
            .prop_map(|args| multibulk(&args)),
        1 => prop::collection::vec(prop::sample::select(&b"*$:\r\n\0-+0129 \"'\\xPa"[..]), 0..12),
        1 => Just(b"PING 'a b' \"\\x41\" c\r\n".to_vec()),
        1 => (-2..20_i32).prop_map(|count| format!("*{count}\r\n").into_bytes()),
        1 => Just(multibulk(&[vec![b'v'; 1234], vec![b'w'; 123]])),
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn cuts_do_not_matter(
        input in hostile(),
        cuts in prop::collection::vec(1..50_usize, 0..200),
        inline_len_max in prop::sample::select(&[10_usize, 65_536][..]),
        unauthenticated in any::<bool>(),
    ) {
        let limits = Limits { inline_len_max, unauthenticated, ..Limits::default() };
        let at_once = feed(&input, &[], &limits);
        prop_assert_eq!(&feed(&input, &vec![1; input.len()], &limits), &at_once);
        prop_assert_eq!(&feed(&input, &cuts, &limits), &at_once);
    }

    #[test]
    fn arguments_come_back(args in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 1..30)) {
        prop_assert_eq!(whole(&multibulk(&args)), (vec![args], None));
    }
}
