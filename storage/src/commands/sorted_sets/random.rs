//! ZRANDMEMBER.

use super::range;
use crate::commands::fail::SYNTAX;
use crate::commands::{Ctx, Fail, Outcome, parse};
use crate::objects::{Collection, ZSet};
use resp::Reply;
use std::collections::BTreeSet;

const OUT_OF_RANGE: Fail = Fail::text("ERR value is out of range");
/// What Redis 7.0 answers to the one integer that has no negative.
const NO_NEGATIVE: Fail = Fail::text(
    "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807",
);

pub fn zrandmember<'a>(cx: &mut Ctx<'a, '_>, out: &mut Reply<'_>) -> Outcome {
    let (args, key) = (cx.args, cx.key(1));
    let Some(count) = args.get(2) else {
        return one(cx, out);
    };
    let count = parse::integer(count)?;
    if count == i64::MIN {
        return Err(NO_NEGATIVE);
    }
    let scores = match args.get(3) {
        None => false,
        Some(word) if args.len() == 4 && parse::is(word, "withscores") => true,
        Some(_) => return Err(SYNTAX),
    };
    if scores && count.unsigned_abs() > i64::MAX as u64 / 2 {
        return Err(OUT_OF_RANGE);
    }
    let Some(set) = cx.read::<ZSet>(&key)? else {
        out.array(0);
        return Ok(());
    };
    let len = set.len();
    let wanted = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
    let wanted = if count > 0 { wanted.min(len) } else { wanted };
    if count < 0 {
        range::header(out, wanted, scores);
        for _ in 0..wanted {
            let rank = cx.random(len);
            emit(cx, out, rank..rank + 1, scores)?;
        }
        return Ok(());
    }
    range::header(out, wanted, scores);
    if wanted == len {
        // All of them: Redis walks down from the highest.
        return (0..len).rev().try_for_each(|rank| emit(cx, out, rank..rank + 1, scores));
    }
    for rank in distinct(cx, wanted, len) {
        emit(cx, out, rank..rank + 1, scores)?;
    }
    Ok(())
}

fn one<'a>(cx: &mut Ctx<'a, '_>, out: &mut Reply<'_>) -> Outcome {
    let key = cx.key(1);
    let len = cx.read::<ZSet>(&key)?.map_or(0, Collection::len);
    let rank = cx.random(len);
    let set = cx.peek::<ZSet>(&key)?;
    match set.and_then(|set| set.range(rank..rank + 1).next()) {
        Some((member, _)) => out.bulk(member),
        None => out.null(),
    }
    Ok(())
}

/// `wanted` different numbers below `len`, every choice equally likely (Floyd's algorithm).
fn distinct(cx: &mut Ctx<'_, '_>, wanted: usize, len: usize) -> BTreeSet<usize> {
    let mut ranks = BTreeSet::new();
    for last in len - wanted..len {
        let drawn = cx.random(last + 1);
        if !ranks.insert(drawn) {
            ranks.insert(last);
        }
    }
    ranks
}

fn emit(
    cx: &Ctx<'_, '_>,
    out: &mut Reply<'_>,
    ranks: std::ops::Range<usize>,
    scores: bool,
) -> Outcome {
    let key = cx.key(1);
    let pairs = cx.peek::<ZSet>(&key)?.map(|set| set.range(ranks));
    for (member, score) in pairs.into_iter().flatten() {
        range::member(out, member, scores.then_some(score));
    }
    Ok(())
}
