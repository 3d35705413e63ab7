//! Ends of ranges as arguments: `1.5`, `(1.5`, `-inf`; `[member`, `(member`, `-`, `+`; ranks.

use crate::commands::Fail;
use crate::objects::{Bound, LexBound};
use resp::numbers::parse_f64;
use std::ops::Range;

const NOT_SCORES: Fail = Fail::text("ERR min or max is not a float");
const NOT_LEX: Fail = Fail::text("ERR min or max not valid string range item");

/// A pair of bounds of scores.
pub fn scores(min: &[u8], max: &[u8]) -> Result<(Bound, Bound), Fail> {
    let bounds = score(min).zip(score(max));
    bounds.ok_or(NOT_SCORES)
}

/// A pair of bounds of members.
pub fn lex<'a>(min: &'a [u8], max: &'a [u8]) -> Result<(LexBound<'a>, LexBound<'a>), Fail> {
    let bounds = member(min).zip(member(max));
    bounds.ok_or(NOT_LEX)
}

/// The ranks from `start` to `stop` of `len`; negative ones count from the end.
pub fn ranks(start: i64, stop: i64, len: usize) -> Range<usize> {
    let len = i64::try_from(len).unwrap_or(i64::MAX);
    let from_end = |rank: i64| if rank < 0 { rank.saturating_add(len) } else { rank };
    let start = from_end(start).max(0);
    let end = from_end(stop).saturating_add(1).min(len);
    if start >= end { 0..0 } else { start as usize..end as usize }
}

fn score(arg: &[u8]) -> Option<Bound> {
    match arg {
        [b'(', number @ ..] => Some(Bound { score: number_of(number)?, exclusive: true }),
        number => Some(Bound { score: number_of(number)?, exclusive: false }),
    }
}

/// As C's strtod reads it, which here is laxer than elsewhere: nothing at all is zero, blanks may
/// stand in front, and what is out of range is infinite.
fn number_of(text: &[u8]) -> Option<f64> {
    if text.is_empty() {
        return Some(0.0);
    }
    let start = text.iter().position(|byte| !matches!(byte, b' ' | b'\t'..=b'\r'))?;
    let digits = text.get(start..)?;
    let decimal = || {
        let plain = |byte: &u8| matches!(byte, b'0'..=b'9' | b'.' | b'+' | b'-' | b'e' | b'E');
        let text = digits.iter().all(plain).then(|| std::str::from_utf8(digits).ok())??;
        text.parse().ok()
    };
    parse_f64(digits).or_else(decimal)
}

fn member(arg: &[u8]) -> Option<LexBound<'_>> {
    match arg {
        b"-" => Some(LexBound::Min),
        b"+" => Some(LexBound::Max),
        [b'[', member @ ..] => Some(LexBound::Inclusive(member)),
        [b'(', member @ ..] => Some(LexBound::Exclusive(member)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_read_as_strtod_does() {
        let of = |text: &str| score(text.as_bytes()).map(|bound| (bound.score, bound.exclusive));
        assert_eq!(of("1.5"), Some((1.5, false)));
        assert_eq!(of("(-inf"), Some((f64::NEG_INFINITY, true)));
        assert_eq!(of(""), Some((0.0, false)));
        assert_eq!(of("("), Some((0.0, true)));
        assert_eq!(of(" 2"), Some((2.0, false)));
        assert_eq!(of("1e400"), Some((f64::INFINITY, false)));
        assert_eq!((of("nan"), of("1x"), of("((1"), of(" ")), (None, None, None, None));
    }

    #[test]
    fn ranks_count_from_both_ends() {
        for (start, stop, expected) in [
            (0, -1, 0..5),
            (-2, -1, 3..5),
            (-100, 100, 0..5),
            (3, 1, 0..0),
            (5, 9, 0..0),
            (0, -6, 0..0),
            (i64::MIN, i64::MAX, 0..5),
            (2, 2, 2..3),
        ] {
            assert_eq!(ranks(start, stop, 5), expected, "{start} {stop}");
        }
    }
}
