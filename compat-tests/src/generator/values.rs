//! Values for placeholders: usual ones mostly, unpleasant ones often enough.
//!
//! Limits that keep both servers alive: no offset that makes a huge string, no count that makes a
//! huge reply, no time between the past and four months from now.

use crate::random::Random;

/// Keys per type.
const KEYS: usize = 12;
const FAMILIES: &str = "shltz";
const INT_EXTREMES: &[&str] = &[
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775808",
    "-9223372036854775809",
    "18446744073709551616",
    "4294967296",
    "-2147483649",
    "007",
    "+5",
    " 5",
    "5 ",
    "0x10",
    "1.0",
    "1e3",
    "",
    "abc",
    "-0",
    "-",
    "99999999999999999999999999",
];
const FLOATS: &[&str] = &[
    "0",
    "1",
    "-1",
    "1.5",
    "-2.25",
    "3.0",
    "0.1",
    "0.2",
    "1e3",
    "1E-3",
    "-1e-7",
    "3.14159265358979",
    "17179869184.5",
    "1e15",
    "1e16",
    "1e17",
    "123456789012345678",
    "1e21",
    "1e22",
    "0.30000000000000004",
    "inf",
    "-inf",
    "+inf",
    "Infinity",
    "1e308",
    "-1e308",
    "5e-324",
    ".5",
    "5.",
    "100",
    "-100",
    "-0",
];
const BAD_FLOATS: &[&str] =
    &["nan", "abc", "", " 1", "1 ", "1e400", "0x1p3", "1.5.5", "--1", "(1", "1,5", "nan(1)"];
const PATTERNS: &[&str] = &[
    "*", "s*", "?0", "[st]1", "h[^1]", "*1*", "\\*", "x?", "", "[a-z]3", "[z-a]3", "*[", "h\\1",
    "**", "f*", "m1*", "nosuch*", "[^s]*", "k[",
];

/// Values that depend on those before them in the same command.
#[derive(Debug, Default)]
pub(crate) struct Values {
    /// How many keys the last `{nk.}` announced.
    keys: usize,
}

/// Whether `arg` is one of the keys that are used here.
pub fn is_key(arg: &[u8]) -> bool {
    match arg {
        [] | b"missing" => true,
        [family, rest @ ..] => {
            (FAMILIES.as_bytes().contains(family) || b"xyw".contains(family))
                && (rest == b"\xff\x00 k" || rest.iter().all(u8::is_ascii_digit))
        }
    }
}

impl Values {
    /// Appends the argument, or arguments, of a placeholder. An unknown one is a mistake in a
    /// table and panics.
    pub(crate) fn fill(&mut self, slot: &str, random: &mut Random, args: &mut Vec<Vec<u8>>) {
        match slot {
            "k" => args.push(any_key(random)),
            "ks" | "kh" | "kl" | "kt" | "kz" => args.push(key(random, family(slot))),
            "ky" => args.push(member_range_key(random)),
            "kw" => args.push(b"w0".to_vec()),
            "zeros" => {
                let many = random.percent(3);
                for at in 0..if many { random.between(100, 140) } else { random.between(1, 5) } {
                    args.push(b"0".to_vec());
                    args.push(if many {
                        format!("m{at}").into_bytes()
                    } else {
                        name(random, 'm', 20)
                    });
                }
            }
            "nkt" | "nkz" | "nkl" => self.counted_keys(random, family(slot), args),
            "weights" => {
                let count = if random.percent(92) { self.keys } else { random.below(4) };
                for _ in 0..count {
                    args.push(float(random));
                }
            }
            "bulkints" => {
                let from = random.between(0, 300);
                let number = |at: i64| (from + at).to_string().into_bytes();
                args.extend((0..random.between(200, 530)).map(number));
            }
            "bulkmembers" => {
                args.extend((0..random.between(100, 140)).map(|at| format!("m{at}").into_bytes()));
            }
            "bulkfields" => {
                for at in 0..random.between(100, 140) {
                    args.push(format!("f{at}").into_bytes());
                    args.push(at.to_string().into_bytes());
                }
            }
            "bulkscores" => {
                for at in 0..random.between(100, 140) {
                    args.push((at % 17).to_string().into_bytes());
                    args.push(format!("m{at}").into_bytes());
                }
            }
            _ => args.push(single(slot, random)),
        }
    }

    fn counted_keys(&mut self, random: &mut Random, family: char, args: &mut Vec<Vec<u8>>) {
        self.keys = 1 + random.below(3);
        let said = if random.percent(92) {
            self.keys.to_string()
        } else {
            random.word(&["0", "-1", "9", "abc", "", "9223372036854775807", "1", "2"]).to_owned()
        };
        args.push(said.into_bytes());
        for _ in 0..self.keys {
            args.push(key(random, family));
        }
    }
}

fn family(slot: &str) -> char {
    slot.chars().last().unwrap_or('x')
}

/// A key of one type, sometimes a shared one, one of another type, or one that never exists.
fn key(random: &mut Random, family: char) -> Vec<u8> {
    match random.below(100) {
        0..80 => named(random, family),
        80..88 => format!("x{}", random.below(4)).into_bytes(),
        88..96 => any_key(random),
        96..98 => b"missing".to_vec(),
        _ => Vec::new(),
    }
}

/// A key whose sorted set has equal scores; sometimes a string.
fn member_range_key(random: &mut Random) -> Vec<u8> {
    match random.below(20) {
        0 => b"w0".to_vec(),
        _ => format!("y{}", random.below(4)).into_bytes(),
    }
}

fn any_key(random: &mut Random) -> Vec<u8> {
    let family = FAMILIES.chars().nth(random.below(FAMILIES.len())).unwrap_or('x');
    named(random, family)
}

fn named(random: &mut Random, family: char) -> Vec<u8> {
    let at = random.below(KEYS);
    let mut key = family.to_string().into_bytes();
    if at == KEYS - 1 {
        key.extend_from_slice(b"\xff\x00 k");
    } else {
        key.extend_from_slice(at.to_string().as_bytes());
    }
    key
}

fn single(slot: &str, random: &mut Random) -> Vec<u8> {
    match slot {
        "v" => value(random),
        "f" => name(random, 'f', 10),
        "m" => name(random, 'm', 20),
        "int" => mostly(random, 80, |r| r.between(-100, 100).to_string(), INT_EXTREMES),
        "index" => mostly(random, 88, |r| r.between(-8, 12).to_string(), INT_EXTREMES),
        "count" => {
            let extremes = ["9223372036854775807", "-9223372036854775808", "abc", "", "1.5"];
            mostly(random, 90, |r| r.between(-3, 9).to_string(), &extremes)
        }
        "offset" => {
            let extremes = ["-1", "536870912", "9223372036854775807", "abc", "", "4294967296"];
            mostly(random, 90, |r| r.between(0, 80).to_string(), &extremes)
        }
        "float" => float(random),
        "bound" => bound(random),
        "lex" => lex(random),
        "secs" => mostly(random, 75, |r| r.between(10_000_000, 90_000_000).to_string(), &BAD_TIMES),
        "ms" => {
            let future = |r: &mut Random| r.between(10_000_000_000, 90_000_000_000).to_string();
            mostly(random, 75, future, &BAD_TIMES)
        }
        "at" => mostly(random, 70, |r| r.between(4_102_444_800, 4_102_445_800).to_string(), &PAST),
        "atms" => {
            let future =
                |r: &mut Random| r.between(4_102_444_800_000, 4_102_444_900_000).to_string();
            mostly(random, 70, future, &PAST)
        }
        "db" => {
            let bad = ["15", "16", "-1", "abc", "", "9223372036854775807", "1.5"];
            mostly(random, 85, |r| r.below(4).to_string(), &bad)
        }
        "pattern" => random.word(PATTERNS).into(),
        "type" => random
            .word(&["string", "hash", "list", "set", "zset", "stream", "LIST", "nosuch", ""])
            .into(),
        "cursor" => mostly(random, 90, |_| "0".to_owned(), &["abc", "", "-1x", "1.5", " 0"]),
        "channel" => random.word(&["ch1", "ch2", "", "news.*"]).into(),
        "config" => random
            .word(&["maxmemory-policy", "hash-max-listpack-*", "nosuch", "appendfsync", "timeout"])
            .into(),
        other => unreachable!("unknown placeholder {other}"),
    }
}

const BAD_TIMES: [&str; 9] = [
    "0",
    "-1",
    "-100000",
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775",
    "abc",
    "",
    "1.5",
];
const PAST: [&str; 8] =
    ["1", "1000", "0", "-1", "9223372036854775807", "-9223372036854775808", "abc", "1e10"];

fn mostly(
    random: &mut Random,
    percent: usize,
    usual: impl Fn(&mut Random) -> String,
    unusual: &[&str],
) -> Vec<u8> {
    if random.percent(percent) {
        return usual(random).into_bytes();
    }
    random.word(unusual).into()
}

fn name(random: &mut Random, letter: char, count: usize) -> Vec<u8> {
    match random.below(40) {
        0 => Vec::new(),
        1 => b"b\x00\xff\r\n".to_vec(),
        2 => long(random, 70),
        3..7 => random.between(-2, 12).to_string().into_bytes(),
        _ => format!("{letter}{}", random.below(count)).into_bytes(),
    }
}

fn value(random: &mut Random) -> Vec<u8> {
    match random.below(20) {
        0 => Vec::new(),
        1 => b"bin\x00\x01\xfe\xff\r\n".to_vec(),
        2 => long(random, 44),
        3 => long(random, 45),
        4 => long(random, 70),
        5 => random.word(INT_EXTREMES).into(),
        6..8 => random.word(FLOATS).into(),
        8..13 => random.between(-20, 20_000).to_string().into_bytes(),
        13..16 => name(random, 'm', 8),
        _ => random.word(&["hello world", "abcabc", "mynewtext", "ohmytext", "x"]).into(),
    }
}

fn long(random: &mut Random, length: usize) -> Vec<u8> {
    let letter = if random.percent(50) { b'L' } else { b'M' };
    vec![letter; length]
}

fn float(random: &mut Random) -> Vec<u8> {
    match random.below(20) {
        0..2 => random.word(BAD_FLOATS).into(),
        2..12 => random.between(-5, 20).to_string().into_bytes(),
        _ => random.word(FLOATS).into(),
    }
}

/// A border of a range of scores.
fn bound(random: &mut Random) -> Vec<u8> {
    match random.below(10) {
        0..3 => random.word(&["-inf", "+inf", "inf", "(inf", "(-inf"]).into(),
        3..5 => format!("({}", random.between(-3, 15)).into_bytes(),
        _ => float(random),
    }
}

/// A border of a range of members.
fn lex(random: &mut Random) -> Vec<u8> {
    let member = name(random, 'm', 20);
    match random.below(12) {
        0..2 => b"-".to_vec(),
        2..4 => b"+".to_vec(),
        4 => random.word(&["", "m", "[", "(", "abc", "--", "++"]).into(),
        5..8 => [b"(".as_slice(), &member].concat(),
        _ => [b"[".as_slice(), &member].concat(),
    }
}
