//! Random choices among the elements of a collection, for SRANDMEMBER, SPOP, HRANDFIELD.

use crate::commands::parse::integer;
use crate::commands::{Fail, fail::SYNTAX};
use fastrand::Rng;
use resp::Reply;
use std::collections::HashSet;
use std::hash::Hash;

/// Draws with repetition stop when their reply is this long, bytes: a count is one number, and
/// must not be able to fill the memory.
const REPLY_MAX: usize = 1 << 30;

const COUNT_RANGE: Fail = Fail::text(
    "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807",
);
const REPLY_TOO_LONG: Fail = Fail::text("ERR value is out of range");

/// A count of elements: up to so many distinct ones, or when negative exactly so many draws.
pub(in crate::commands) fn count(arg: &[u8]) -> Result<i64, Fail> {
    let count = integer(arg)?;
    if count == i64::MIN { Err(COUNT_RANGE) } else { Ok(count) }
}

/// No argument beyond index `last` is understood.
pub(in crate::commands) fn no_more(args: resp::Args<'_>, last: usize) -> Result<(), Fail> {
    if args.len() > last + 1 { Err(SYNTAX) } else { Ok(()) }
}

/// Writes so many draws, each with `put`.
pub(in crate::commands) fn repeat(
    out: &mut Reply<'_>,
    times: u64,
    mut put: impl FnMut(&mut Reply<'_>),
) -> Result<(), Fail> {
    let start = out.len();
    for _ in 0..times {
        put(out);
        if out.len() - start > REPLY_MAX {
            return Err(REPLY_TOO_LONG);
        }
    }
    Ok(())
}

/// Keeps `count` of the `len` items of `all`, every choice equally likely.
pub(in crate::commands) fn choose<T>(
    all: impl Iterator<Item = T>,
    len: usize,
    count: usize,
    rng: &mut Rng,
) -> impl Iterator<Item = (bool, T)> {
    let (mut left, mut wanted) = (len, count);
    all.map(move |item| {
        let chosen = rng.usize(..left.max(1)) < wanted;
        left = left.saturating_sub(1);
        wanted -= usize::from(chosen);
        (chosen, item)
    })
}

/// `count` distinct items, each from `draw`; right where `count` is well below the number of all.
pub(in crate::commands) fn draw_distinct<T: Copy + Eq + Hash>(
    count: usize,
    mut draw: impl FnMut() -> Option<T>,
) -> Vec<T> {
    let mut seen = HashSet::with_capacity(count);
    let mut drawn = Vec::with_capacity(count);
    while drawn.len() < count
        && let Some(item) = draw()
    {
        if seen.insert(item) {
            drawn.push(item);
        }
    }
    drawn
}

/// `count` distinct items out of `len`, by whichever of the two ways is cheaper.
pub(in crate::commands) fn distinct<T: Copy + Eq + Hash>(
    all: impl Iterator<Item = T>,
    len: usize,
    count: usize,
    rng: &mut Rng,
    mut draw: impl FnMut(&mut Rng) -> Option<T>,
) -> Vec<T> {
    if count.saturating_mul(4) > len {
        let chosen = choose(all, len, count.min(len), rng);
        return chosen.filter_map(|(chosen, item)| chosen.then_some(item)).collect();
    }
    draw_distinct(count, || draw(rng))
}
