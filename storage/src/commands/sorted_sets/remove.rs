//! ZREM and the ZREMRANGEBY commands.

use super::bounds;
use crate::commands::{Ctx, Missing, Outcome, parse};
use crate::keyspace::{Class, Key};
use crate::objects::{Collection, ZSet};
use resp::Reply;
use std::ops::Range;

pub fn zrem<'a>(cx: &mut Ctx<'a, '_>, out: &mut Reply<'_>) -> Outcome {
    let (args, key) = (cx.args, cx.key(1));
    let removed = cx.modify(&key, Missing::Skip, |set: &mut ZSet, changes| {
        let members = args.from(2).iter();
        members.filter(|member| set.remove(member, changes).is_some()).count()
    })?;
    finish(cx, out, &key, "zrem", removed)
}

pub fn zremrangebyrank<'a>(cx: &mut Ctx<'a, '_>, out: &mut Reply<'_>) -> Outcome {
    let start = parse::integer(cx.args.at(2))?;
    let stop = parse::integer(cx.args.at(3))?;
    remove(cx, out, "zremrangebyrank", |set| bounds::ranks(start, stop, set.len()))
}

pub fn zremrangebyscore<'a>(cx: &mut Ctx<'a, '_>, out: &mut Reply<'_>) -> Outcome {
    let (min, max) = bounds::scores(cx.args.at(2), cx.args.at(3))?;
    remove(cx, out, "zremrangebyscore", |set| set.ranks_by_score(min, max))
}

pub fn zremrangebylex<'a>(cx: &mut Ctx<'a, '_>, out: &mut Reply<'_>) -> Outcome {
    let args = cx.args;
    let (min, max) = bounds::lex(args.at(2), args.at(3))?;
    remove(cx, out, "zremrangebylex", |set| set.ranks_by_lex(min, max))
}

fn remove<'a>(
    cx: &mut Ctx<'a, '_>,
    out: &mut Reply<'_>,
    event: &'static str,
    ranks: impl FnOnce(&ZSet) -> Range<usize>,
) -> Outcome {
    let key = cx.key(1);
    let removed = cx.modify(&key, Missing::Skip, |set: &mut ZSet, changes| {
        let ranks = ranks(set);
        set.remove_ranks(ranks, changes)
    })?;
    finish(cx, out, &key, event, removed)
}

/// Notifies and replies how many there were.
fn finish(
    cx: &mut Ctx<'_, '_>,
    out: &mut Reply<'_>,
    key: &Key<'_>,
    event: &'static str,
    removed: Option<usize>,
) -> Outcome {
    let removed = removed.unwrap_or(0);
    if removed > 0 {
        cx.notify(Class::Zset, event, key);
        if !cx.exists(key) {
            cx.notify(Class::Generic, "del", key);
        }
    }
    out.int(removed as i64);
    Ok(())
}
