//! Pushes, pops and moves: the commands that work at the ends of lists.

use super::side;
use crate::commands::fail::{Fail, Outcome, SYNTAX};
use crate::commands::parse::{is, positive};
use crate::commands::{Ctx, Missing};
use crate::keyspace::{Class, Key};
use crate::objects::{Collection, List, Side};
use resp::Reply;
use resp::numbers::parse_i64;

pub fn lpush(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    push(cx, out, Side::Left, Missing::Create)
}

pub fn rpush(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    push(cx, out, Side::Right, Missing::Create)
}

pub fn lpushx(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    push(cx, out, Side::Left, Missing::Skip)
}

pub fn rpushx(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    push(cx, out, Side::Right, Missing::Skip)
}

pub fn lpop(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    pop(cx, out, Side::Left)
}

pub fn rpop(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    pop(cx, out, Side::Right)
}

pub fn lmove(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    let (from, to) = (side(cx.args.at(3))?, side(cx.args.at(4))?);
    if !shift(cx, out, from, to)? {
        out.null();
    }
    Ok(())
}

pub fn rpoplpush(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    if !shift(cx, out, Side::Right, Side::Left)? {
        out.null();
    }
    Ok(())
}

pub fn lmpop(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    let wanted = MultiPop::parse(cx, 1)?;
    if !pop_first(cx, out, &wanted)? {
        out.null_array();
    }
    Ok(())
}

/// What LMPOP and BLMPOP ask for.
pub struct MultiPop {
    /// Index of the first key among the arguments.
    first_key: usize,
    keys: usize,
    side: Side,
    count: usize,
}

impl MultiPop {
    /// Reads the arguments from the number of keys, at `at`, to the end.
    pub fn parse(cx: &Ctx<'_, '_>, at: usize) -> Result<MultiPop, Fail> {
        let above_zero = |arg: &[u8], error: &'static str| {
            let number = parse_i64(arg).and_then(|number| usize::try_from(number).ok());
            number.filter(|number| *number > 0).ok_or(Fail::text(error))
        };
        let keys = above_zero(cx.args.at(at), "ERR numkeys should be greater than 0")?;
        let rest = at.checked_add(keys).and_then(|last| cx.args.get(last.checked_add(1)?));
        let side = side(rest.ok_or(SYNTAX)?)?;
        let mut count = None;
        let mut options = cx.args.from(at + keys + 2).iter();
        while let Some(option) = options.next() {
            match options.next() {
                Some(arg) if is(option, "count") && count.is_none() => {
                    count = Some(above_zero(arg, "ERR count should be greater than 0")?);
                }
                _ => return Err(SYNTAX),
            }
        }
        Ok(MultiPop { first_key: at + 1, keys, side, count: count.unwrap_or(1) })
    }
}

/// Pops from the first of several lists that exists and replies with its key and the elements;
/// false, without a reply, when there is none.
pub fn pop_first(
    cx: &mut Ctx<'_, '_>,
    out: &mut Reply<'_>,
    wanted: &MultiPop,
) -> Result<bool, Fail> {
    for index in wanted.first_key..wanted.first_key + wanted.keys {
        let key = cx.key(index);
        if cx.peek::<List>(&key)?.is_none() {
            continue;
        }
        out.array(2);
        out.bulk(key.name);
        take(cx, &key, wanted.side, |list| {
            let count = wanted.count.min(list.len());
            reply_end(out, list, wanted.side, count);
            count
        })?;
        return Ok(true);
    }
    Ok(false)
}

/// Moves an element from an end of the list at argument 1 to an end of the one at argument 2 and
/// replies with it; false, without a reply, when there is none.
pub fn shift(
    cx: &mut Ctx<'_, '_>,
    out: &mut Reply<'_>,
    from: Side,
    to: Side,
) -> Result<bool, Fail> {
    let (source, target) = (cx.key(1), cx.key(2));
    let Some(element) = cx.peek::<List>(&source)?.and_then(|list| list.end(from)) else {
        return Ok(false);
    };
    let element = element.to_vec();
    cx.peek::<List>(&target)?;
    out.bulk(&element);
    if source.name == target.name {
        // In one go, as a list that becomes empty in between would lose its deadline.
        cx.modify(&source, Missing::Skip, |list: &mut List, changes| {
            list.drop_ends(from, 1, changes);
            list.push(to, &element, changes);
        })?;
        cx.notify(Class::List, pushed(to), &target);
        cx.notify(Class::List, popped(from), &source);
        return Ok(true);
    }
    cx.modify(&target, Missing::Create, |list: &mut List, changes| {
        list.push(to, &element, changes);
    })?;
    cx.notify(Class::List, pushed(to), &target);
    take(cx, &source, from, |_| 1)?;
    Ok(true)
}

fn push(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>, side: Side, missing: Missing) -> Outcome {
    let (args, key) = (cx.args, cx.key(1));
    let len = cx.modify(&key, missing, |list: &mut List, changes| {
        args.from(2).iter().for_each(|element| list.push(side, element, changes));
        list.len()
    })?;
    if len.is_some() {
        cx.notify(Class::List, pushed(side), &key);
    }
    out.int(len.unwrap_or(0) as i64);
    Ok(())
}

fn pop(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>, side: Side) -> Outcome {
    let args = cx.args;
    if args.len() > 3 {
        return Err(Fail::arity(if side == Side::Left { "lpop" } else { "rpop" }));
    }
    let count = args.get(2).map(positive).transpose()?;
    let taken = take(cx, &cx.key(1), side, |list| match count {
        None => {
            out.bulk(list.end(side).unwrap_or_default());
            1
        }
        Some(count) => {
            let count = count.min(list.len());
            reply_end(out, list, side, count);
            count
        }
    })?;
    match (taken, count) {
        (true, _) => {}
        (false, None) => out.null(),
        (false, Some(_)) => out.null_array(),
    }
    Ok(())
}

/// Drops as many elements as `look` says after it saw the list; false if there is no list.
fn take(
    cx: &mut Ctx<'_, '_>,
    key: &Key<'_>,
    side: Side,
    look: impl FnOnce(&List) -> usize,
) -> Result<bool, Fail> {
    let taken = cx.modify(key, Missing::Skip, |list: &mut List, changes| {
        let count = look(list);
        list.drop_ends(side, count, changes);
        (count, list.is_empty())
    })?;
    if let Some((1.., empty)) = taken {
        cx.notify(Class::List, popped(side), key);
        if empty {
            cx.notify(Class::Generic, "del", key);
        }
    }
    Ok(taken.is_some())
}

/// Replies with `count` elements in the order in which they are popped.
fn reply_end(out: &mut Reply<'_>, list: &List, side: Side, count: usize) {
    out.array(count);
    match side {
        Side::Left => list.range(0..count).for_each(|element| out.bulk(element)),
        Side::Right => {
            let range = list.len() - count..list.len();
            list.range(range).rev().for_each(|element| out.bulk(element));
        }
    }
}

fn pushed(side: Side) -> &'static str {
    if side == Side::Left { "lpush" } else { "rpush" }
}

fn popped(side: Side) -> &'static str {
    if side == Side::Left { "lpop" } else { "rpop" }
}
