//! Intersections, unions and differences, answered, counted or stored.

use super::put;
use crate::commands::fail::SYNTAX;
use crate::commands::parse::is;
use crate::commands::{Ctx, Fail, Outcome};
use crate::keyspace::Class;
use crate::objects::{Changes, Collection, Member, Set, Thresholds};
use resp::Reply;
use resp::numbers::parse_i64;
use std::ops::Range;

const NO_KEYS: Fail = Fail::text("ERR numkeys should be greater than 0");
const TOO_MANY_KEYS: Fail = Fail::text("ERR Number of keys can't be greater than number of args");
const NEGATIVE_LIMIT: Fail = Fail::text("ERR LIMIT can't be negative");

pub(super) fn sinter(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    let operands = operands(cx, 1..cx.args.len())?;
    put_all(out, |each| inter(&operands, each));
    Ok(())
}

pub(super) fn sunion(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    let limits = *cx.limits();
    let operands = operands(cx, 1..cx.args.len())?;
    let union = collect(&limits, |each| union(&operands, each));
    out.set(union.len());
    union.iter().for_each(|member| put(out, member));
    Ok(())
}

pub(super) fn sdiff(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    let operands = operands(cx, 1..cx.args.len())?;
    put_all(out, |each| diff(&operands, each));
    Ok(())
}

pub(super) fn sinterstore(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    store(cx, out, "sinterstore", |operands, each| inter(operands, each))
}

pub(super) fn sunionstore(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    store(cx, out, "sunionstore", |operands, each| union(operands, each))
}

pub(super) fn sdiffstore(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    store(cx, out, "sdiffstore", |operands, each| diff(operands, each))
}

pub(super) fn sintercard(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    let args = cx.args;
    let keys = parse_i64(args.at(1)).filter(|keys| *keys > 0).ok_or(NO_KEYS)?;
    let end = usize::try_from(keys).ok().and_then(|keys| keys.checked_add(2));
    let end = end.filter(|end| *end <= args.len()).ok_or(TOO_MANY_KEYS)?;
    let mut limit = 0;
    let mut options = args.from(end).iter();
    while let Some(option) = options.next() {
        let value = options.next().filter(|_| is(option, "limit")).ok_or(SYNTAX)?;
        let number = parse_i64(value).and_then(|limit| usize::try_from(limit).ok());
        limit = number.ok_or(NEGATIVE_LIMIT)?;
    }
    let operands = operands(cx, 2..end)?;
    let mut count = 0;
    inter(&operands, &mut |_| {
        count += 1;
        count != limit
    });
    out.int(count as i64);
    Ok(())
}

/// The sets under the keys in these arguments, each looked up as a read.
fn operands<'c>(cx: &'c mut Ctx<'_, '_>, keys: Range<usize>) -> Result<Vec<Option<&'c Set>>, Fail> {
    for index in keys.clone() {
        cx.touch(&cx.key(index));
    }
    let cx = &*cx;
    keys.map(|index| cx.peek::<Set>(&cx.key(index))).collect()
}

/// Takes a member; false says that it has seen enough.
type Each<'e, 's> = &'e mut dyn FnMut(Member<'s>) -> bool;

/// Walks the smallest set and asks the others, smaller ones first.
fn inter<'s>(operands: &[Option<&'s Set>], each: Each<'_, 's>) {
    let Some(mut sets) = operands.iter().copied().collect::<Option<Vec<_>>>() else { return };
    sets.sort_by_key(|set| set.len());
    let Some((smallest, others)) = sets.split_first() else { return };
    for member in smallest.iter() {
        if others.iter().all(|set| set.has(member)) && !each(member) {
            return;
        }
    }
}

/// Every member of every set; those that several have, several times.
fn union<'s>(operands: &[Option<&'s Set>], each: Each<'_, 's>) {
    operands.iter().flatten().flat_map(|set| set.iter()).all(each);
}

fn diff<'s>(operands: &[Option<&'s Set>], each: Each<'_, 's>) {
    let Some((Some(first), others)) = operands.split_first() else { return };
    for member in first.iter() {
        if !others.iter().flatten().any(|set| set.has(member)) && !each(member) {
            return;
        }
    }
}

/// Answers with distinct members whose number is known at the end.
fn put_all<'s>(out: &mut Reply<'_>, walk: impl FnOnce(Each<'_, 's>)) {
    let begun = out.begin_array();
    let mut count = 0;
    walk(&mut |member| {
        put(out, member);
        count += 1;
        true
    });
    out.end_set(begun, count);
}

/// A new set, in the encoding that adding its members one by one gives.
fn collect<'s>(limits: &Thresholds, walk: impl FnOnce(Each<'_, 's>)) -> Set {
    let mut set = Set::default();
    let mut changes = Changes::new(limits, false);
    walk(&mut |member| {
        set.insert_member(member, &mut changes);
        true
    });
    set
}

/// Stores a result under argument 1; an empty one deletes it.
fn store(
    cx: &mut Ctx<'_, '_>,
    out: &mut Reply<'_>,
    event: &'static str,
    walk: impl for<'s> FnOnce(&[Option<&'s Set>], Each<'_, 's>),
) -> Outcome {
    let limits = *cx.limits();
    let operands = operands(cx, 2..cx.args.len())?;
    let result = collect(&limits, |each| walk(&operands, each));
    let destination = cx.key(1);
    out.int(result.len() as i64);
    if !result.is_empty() {
        cx.store(&destination, result.into_value());
        cx.notify(Class::Set, event, &destination);
    } else if cx.delete(&destination) {
        cx.notify(Class::Generic, "del", &destination);
    }
    Ok(())
}
