//! Reading arguments: numbers, option words, and the options that SCAN and its kin share.

use super::fail::{Fail, NOT_FLOAT, NOT_INTEGER, NOT_POSITIVE, SYNTAX, c_string};
use resp::Args;
use resp::numbers::{parse_f64, parse_i64};

/// An integer argument, by Redis's strict reading.
pub fn integer(arg: &[u8]) -> Result<i64, Fail> {
    parse_i64(arg).ok_or(NOT_INTEGER)
}

/// A floating point argument; infinities are numbers, NaN is not.
pub fn float(arg: &[u8]) -> Result<f64, Fail> {
    parse_f64(arg).ok_or(NOT_FLOAT)
}

/// An integer that must not be negative: `value is out of range, must be positive`.
pub fn positive(arg: &[u8]) -> Result<usize, Fail> {
    let number = parse_i64(arg).ok_or(NOT_POSITIVE)?;
    usize::try_from(number).map_err(|_| NOT_POSITIVE)
}

/// Whether an argument is this option word, in any case.
#[inline]
pub fn is(arg: &[u8], word: &str) -> bool {
    arg.eq_ignore_ascii_case(word.as_bytes())
}

/// The options of SCAN, HSCAN, SSCAN, ZSCAN.
pub struct ScanArgs<'a> {
    /// Where the scan goes on; 0 begins.
    pub cursor: u64,
    /// MATCH; absent also when it is `*`.
    pub pattern: Option<&'a [u8]>,
    /// COUNT, 10 by default.
    pub count: usize,
    /// TYPE, of SCAN only.
    pub kind: Option<&'a [u8]>,
}

impl<'a> ScanArgs<'a> {
    /// Reads the cursor from argument `at` and the options behind it.
    pub fn parse(args: Args<'a>, at: usize, typed: bool) -> Result<ScanArgs<'a>, Fail> {
        let cursor = cursor(args.at(at))?;
        let mut scan = ScanArgs { cursor, pattern: None, count: 10, kind: None };
        let mut rest = args.from(at + 1).iter();
        while let Some(option) = rest.next() {
            let value = rest.next().ok_or(SYNTAX)?;
            if is(option, "count") {
                let count = integer(value)?;
                scan.count = usize::try_from(count).ok().filter(|n| *n > 0).ok_or(SYNTAX)?;
            } else if is(option, "match") {
                scan.pattern = (value != b"*").then_some(value);
            } else if typed && is(option, "type") {
                scan.kind = Some(value);
            } else {
                return Err(SYNTAX);
            }
        }
        Ok(scan)
    }
}

/// A cursor, read as Redis does with C's strtoul: nothing and a lone zero byte are 0, `+` and `-`
/// are signs and a negative number wraps, and what stands behind a zero byte is not seen. Leading
/// blanks, other text behind the digits, and more than 64 bits are errors.
pub fn cursor(arg: &[u8]) -> Result<u64, Fail> {
    const INVALID: Fail = Fail::text("ERR invalid cursor");
    let (negative, digits) = match c_string(arg) {
        [] => return Ok(0),
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if !digits.iter().all(u8::is_ascii_digit) {
        return Err(INVALID);
    }
    let text = std::str::from_utf8(digits).ok();
    let number: u64 = text.and_then(|text| text.parse().ok()).ok_or(INVALID)?;
    Ok(if negative { number.wrapping_neg() } else { number })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_are_read_as_strtoul_does() {
        let read = |arg: &[u8]| cursor(arg).ok();
        assert_eq!(read(b""), Some(0));
        assert_eq!(read(b"\0x"), Some(0));
        assert_eq!(read(b"+1"), Some(1));
        assert_eq!(read(b"-1"), Some(u64::MAX));
        assert_eq!(read(b"007"), Some(7));
        assert_eq!(read(b"18446744073709551615"), Some(u64::MAX));
        for wrong in [&b"18446744073709551616"[..], b" 1", b"1 ", b"a", b"-", b"+-1", b"++1"] {
            assert_eq!(read(wrong), None, "{wrong:?}");
        }
    }
}
