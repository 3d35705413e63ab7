//! LCS: the longest common subsequence of two strings, by the textbook's dynamic programming.
//!
//! The table has a number for every pair of prefixes, so it needs `4 * (n + 1) * (m + 1)` bytes
//! while the command runs; Redis's limit on it, `proto-max-bulk-len`, is kept.

use crate::commands::Ctx;
use crate::commands::fail::{Fail, Outcome, SYNTAX};
use crate::commands::parse::{integer, is};
use crate::keyspace::Key;
use crate::objects::{Str, Value};
use resp::{Args, Reply};
use std::borrow::Cow;
use std::ops::Range;

const NOT_STRINGS: Fail = Fail::text("ERR The specified keys must contain string values");
const LEN_AND_IDX: Fail =
    Fail::text("ERR If you want both the length and indexes, please just use IDX.");
const TOO_LONG: Fail = Fail::text("ERR String too long for LCS");
const TABLE_TOO_BIG: Fail =
    Fail::text("ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len");

pub fn lcs(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    let (first, second) = (cx.key(1), cx.key(2));
    cx.touch(&first);
    cx.touch(&second);
    let (a, b) = (string(cx, &first)?, string(cx, &second)?);
    let options = Options::parse(cx.args.from(3))?;
    let table = Table::new(&a, &b, cx.bulk_len_max())?;
    if options.idx {
        out.map(2);
        out.bulk(b"matches");
        let begun = out.begin_array();
        let mut count = 0;
        for common in table.runs() {
            let len = common.a.len();
            if len < options.min_len {
                continue;
            }
            count += 1;
            out.array(if options.with_len { 3 } else { 2 });
            for range in [common.a, common.b] {
                out.array(2);
                out.int(range.start as i64);
                out.int(range.end as i64 - 1);
            }
            if options.with_len {
                out.int(len as i64);
            }
        }
        out.end_array(begun, count);
        out.bulk(b"len");
        out.int(table.len() as i64);
    } else if options.len {
        out.int(table.len() as i64);
    } else {
        let runs: Vec<Run> = table.runs().collect();
        let parts = runs.iter().rev().filter_map(|run| a.get(run.a.clone()));
        out.bulk(&parts.collect::<Vec<_>>().concat());
    }
    Ok(())
}

fn string<'c>(cx: &'c Ctx<'_, '_>, key: &Key<'_>) -> Result<Cow<'c, [u8]>, Fail> {
    match cx.value(key) {
        None => Ok(Cow::Borrowed(&[])),
        Some(Value::Str(string)) => Ok(Str::bytes(string)),
        Some(_) => Err(NOT_STRINGS),
    }
}

#[derive(Default)]
struct Options {
    len: bool,
    idx: bool,
    with_len: bool,
    /// Shorter matches are not listed.
    min_len: usize,
}

impl Options {
    fn parse(args: Args<'_>) -> Result<Options, Fail> {
        let mut options = Options::default();
        let mut rest = args.iter();
        while let Some(option) = rest.next() {
            if is(option, "idx") {
                options.idx = true;
            } else if is(option, "len") {
                options.len = true;
            } else if is(option, "withmatchlen") {
                options.with_len = true;
            } else if is(option, "minmatchlen") {
                let len = integer(rest.next().ok_or(SYNTAX)?)?;
                options.min_len = usize::try_from(len).unwrap_or(0);
            } else {
                return Err(SYNTAX);
            }
        }
        if options.idx && options.len { Err(LEN_AND_IDX) } else { Ok(options) }
    }
}

/// Lengths of the longest common subsequences of all pairs of prefixes.
struct Table<'s> {
    a: &'s [u8],
    b: &'s [u8],
    /// Row by row, `b.len() + 1` numbers for each prefix of `a`.
    lens: Vec<u32>,
}

/// A stretch in which the common subsequence runs through both strings byte by byte.
struct Run {
    a: Range<usize>,
    b: Range<usize>,
}

impl<'s> Table<'s> {
    fn new(a: &'s [u8], b: &'s [u8], bytes_max: usize) -> Result<Table<'s>, Fail> {
        if a.len().max(b.len()) >= u32::MAX as usize - 1 {
            return Err(TOO_LONG);
        }
        let width = b.len() + 1;
        let size = (a.len() + 1).checked_mul(width);
        let bytes = size.and_then(|size| size.checked_mul(size_of::<u32>()));
        let (Some(size), Some(_)) = (size, bytes.filter(|bytes| *bytes <= bytes_max)) else {
            return Err(TABLE_TOO_BIG);
        };
        let mut lens = vec![0; size];
        for (row, &byte) in a.iter().enumerate() {
            let (above, below) = lens.split_at_mut((row + 1) * width);
            let above = above.get(row * width..).unwrap_or_default();
            let mut left = 0;
            let corners = above.iter().zip(above.iter().skip(1));
            for ((place, other), (corner, up)) in below.iter_mut().skip(1).zip(b).zip(corners) {
                left = if byte == *other { corner + 1 } else { left.max(*up) };
                *place = left;
            }
        }
        Ok(Table { a, b, lens })
    }

    fn at(&self, a: usize, b: usize) -> u32 {
        self.lens.get(a * (self.b.len() + 1) + b).copied().unwrap_or(0)
    }

    fn len(&self) -> u32 {
        self.at(self.a.len(), self.b.len())
    }

    /// The runs of one longest subsequence, from the last to the first, by Redis's choice among
    /// equals: back in `b` unless the other way is longer.
    fn runs(&self) -> impl Iterator<Item = Run> + '_ {
        let (mut i, mut j) = (self.a.len(), self.b.len());
        let last = |bytes: &[u8], len: usize| bytes.get(len.wrapping_sub(1)).copied();
        std::iter::from_fn(move || {
            while i > 0 && j > 0 && last(self.a, i) != last(self.b, j) {
                if self.at(i - 1, j) > self.at(i, j - 1) { i -= 1 } else { j -= 1 }
            }
            let ends = (i, j);
            while i > 0 && j > 0 && last(self.a, i) == last(self.b, j) {
                (i, j) = (i - 1, j - 1);
            }
            (i < ends.0).then_some(Run { a: i..ends.0, b: j..ends.1 })
        })
    }
}
