//! Reading arguments: numbers, option words, and the options that SCAN and its kin share.

use super::fail::{Fail, NOT_FLOAT, NOT_INTEGER, NOT_POSITIVE, SYNTAX};
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

/// A cursor, read as strtoul does: only digits, no more than 64 bits.
pub fn cursor(arg: &[u8]) -> Result<u64, Fail> {
    let text = std::str::from_utf8(arg).ok();
    text.and_then(|text| text.parse().ok()).ok_or(Fail::text("ERR invalid cursor"))
}
