//! Breaks a command: an argument too many, one too few, one that makes no sense.
//!
//! Limit: nothing here is a small positive number, which could become an expiry that is met in the
//! middle of a run.

use crate::random::Random;

const JUNK: &[&[u8]] = &[
    b"",
    b"abc",
    b"-1",
    b"0",
    b"3.5x",
    b"nosuch",
    b"NX",
    b"XX",
    b"WITHSCORES",
    b"LIMIT",
    b"COUNT",
    b"9223372036854775807",
    b"-9223372036854775808",
    b"1e400",
    b"\xff\x00\r\n",
    b"GET",
    b"EX",
    b"REV",
];

/// Changes `args` in one way.
pub(crate) fn mutate(random: &mut Random, args: &mut Vec<Vec<u8>>) {
    let junk = random.choose(JUNK).map(|junk| junk.to_vec()).unwrap_or_default();
    // The command's name stays, but for once in a while.
    let at = 1 + random.below(args.len().saturating_sub(1));
    match random.below(12) {
        0..3 => _ = args.pop().filter(|_| !args.is_empty()),
        3..5 if at < args.len() => _ = args.remove(at),
        5..7 => {
            if let Some(arg) = args.get(at).cloned() {
                args.insert(at, arg);
            }
        }
        7..9 => args.push(junk),
        11 if random.percent(40) => {
            if let Some(name) = args.first_mut() {
                name.extend_from_slice(b"X");
            }
        }
        _ => {
            if let Some(arg) = args.get_mut(at) {
                *arg = junk;
            }
        }
    }
    if args.is_empty() {
        args.push(b"NOSUCH".to_vec());
    }
}
