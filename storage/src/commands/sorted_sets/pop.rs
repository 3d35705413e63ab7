//! ZPOPMIN, ZPOPMAX and ZMPOP.

use crate::commands::fail::SYNTAX;
use crate::commands::{Ctx, Fail, Missing, Outcome, parse};
use crate::keyspace::{Class, Key};
use crate::objects::{Collection, ZSet};
use resp::numbers::parse_i64;
use resp::{Protocol, Reply};

const NO_KEYS: Fail = Fail::text("ERR numkeys should be greater than 0");
const NO_COUNT: Fail = Fail::text("ERR count should be greater than 0");

/// Which end members are popped from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    Min,
    Max,
}

pub fn zpopmin<'a>(cx: &mut Ctx<'a, '_>, out: &mut Reply<'_>) -> Outcome {
    zpop(cx, out, End::Min)
}

pub fn zpopmax<'a>(cx: &mut Ctx<'a, '_>, out: &mut Reply<'_>) -> Outcome {
    zpop(cx, out, End::Max)
}

fn zpop<'a>(cx: &mut Ctx<'a, '_>, out: &mut Reply<'_>, end: End) -> Outcome {
    let (args, key) = (cx.args, cx.key(1));
    if args.len() > 3 {
        return Err(SYNTAX);
    }
    let count = args.get(2).map(parse::positive).transpose()?;
    // Pairs are nested only where the caller asked for a number of them, and only in RESP3.
    let nested = count.is_some() && out.protocol() == Protocol::Resp3;
    let header = |out: &mut Reply<'_>, len| out.array(if nested { len } else { len * 2 });
    if !pop(cx, out, &key, Popping { end, count: count.unwrap_or(1), nested }, header)? {
        out.array(0);
    }
    Ok(())
}

pub fn zmpop<'a>(cx: &mut Ctx<'a, '_>, out: &mut Reply<'_>) -> Outcome {
    let args = cx.args;
    let keys = at_least_one(args.at(1)).ok_or(NO_KEYS)?;
    let options = keys.checked_add(2).map(|at| args.from(at)).unwrap_or(args.from(args.len()));
    let mut options = options.iter();
    let end = match options.next().ok_or(SYNTAX)? {
        word if parse::is(word, "min") => End::Min,
        word if parse::is(word, "max") => End::Max,
        _ => return Err(SYNTAX),
    };
    let mut count = None;
    while let Some(option) = options.next() {
        let value = options.next().filter(|_| count.is_none() && parse::is(option, "count"));
        count = Some(at_least_one(value.ok_or(SYNTAX)?).ok_or(NO_COUNT)?);
    }
    let popping = Popping { end, count: count.unwrap_or(1), nested: true };
    for index in 2..keys + 2 {
        let key = cx.key(index);
        let header = |out: &mut Reply<'_>, len| {
            out.array(2);
            out.bulk(key.name);
            out.array(len);
        };
        if pop(cx, out, &key, popping, header)? {
            return Ok(());
        }
    }
    out.null_array();
    Ok(())
}

/// How members are popped and replied.
#[derive(Clone, Copy, Debug)]
pub struct Popping {
    pub end: End,
    /// At most so many members.
    pub count: usize,
    /// Whether each member and its score are an array of their own.
    pub nested: bool,
}

/// Pops members and replies `header(number of members)`, then each with its score. False, and
/// nothing is written, when the key does not exist or the count is 0.
pub fn pop(
    cx: &mut Ctx<'_, '_>,
    out: &mut Reply<'_>,
    key: &Key<'_>,
    popping: Popping,
    header: impl FnOnce(&mut Reply<'_>, usize),
) -> Result<bool, Fail> {
    let Popping { end, count, nested } = popping;
    let popped = cx.modify(key, Missing::Skip, |set: &mut ZSet, changes| {
        let count = count.min(set.len());
        if count == 0 {
            return false;
        }
        header(out, count);
        let ranks = match end {
            End::Min => 0..count,
            End::Max => set.len() - count..set.len(),
        };
        set.take_ranks(ranks, end == End::Max, changes, |member, score| {
            if nested {
                out.array(2);
            }
            out.bulk(member);
            out.score(score);
        });
        true
    })?;
    if popped != Some(true) {
        return Ok(false);
    }
    cx.notify(Class::Zset, if end == End::Min { "zpopmin" } else { "zpopmax" }, key);
    if !cx.exists(key) {
        cx.notify(Class::Generic, "del", key);
    }
    Ok(true)
}

fn at_least_one(arg: &[u8]) -> Option<usize> {
    usize::try_from(parse_i64(arg)?).ok().filter(|number| *number > 0)
}
