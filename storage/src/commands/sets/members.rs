//! Set commands about single members, and those that list a set.

use super::put;
use crate::commands::parse::{ScanArgs, cursor};
use crate::commands::{Ctx, Missing, Outcome, glob};
use crate::keyspace::Class;
use crate::objects::{Collection, Set};
use resp::Reply;

pub(super) fn sadd(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    let args = cx.args;
    let key = cx.key(1);
    let added = cx.modify(&key, Missing::Create, |set: &mut Set, changes| {
        args.from(2).iter().filter(|member| set.insert(member, changes)).count()
    })?;
    let added = added.unwrap_or(0);
    if added > 0 {
        cx.notify(Class::Set, "sadd", &key);
    }
    out.int(added as i64);
    Ok(())
}

pub(super) fn srem(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    let args = cx.args;
    let key = cx.key(1);
    let removed = cx.modify(&key, Missing::Skip, |set: &mut Set, changes| {
        let removed = args.from(2).iter().filter(|member| set.remove(member, changes)).count();
        (removed, set.is_empty())
    })?;
    let (removed, emptied) = removed.unwrap_or((0, false));
    if removed > 0 {
        cx.notify(Class::Set, "srem", &key);
        if emptied {
            cx.notify(Class::Generic, "del", &key);
        }
    }
    out.int(removed as i64);
    Ok(())
}

/// A missing source answers 0 before the destination's type is looked at.
pub(super) fn smove(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    let args = cx.args;
    let (source, destination, member) = (cx.key(1), cx.key(2), args.at(3));
    if !cx.exists(&source) {
        out.int(0);
        return Ok(());
    }
    let present = cx.peek::<Set>(&source)?.is_some_and(|set| set.contains(member));
    cx.peek::<Set>(&destination)?;
    if !present || source.name == destination.name {
        out.int(i64::from(present));
        return Ok(());
    }
    let emptied = cx.modify(&source, Missing::Skip, |set: &mut Set, changes| {
        set.remove(member, changes);
        set.is_empty()
    })?;
    cx.notify(Class::Set, "srem", &source);
    if emptied == Some(true) {
        cx.notify(Class::Generic, "del", &source);
    }
    let added = cx.modify(&destination, Missing::Create, |set: &mut Set, changes| {
        set.insert(member, changes)
    })?;
    if added == Some(true) {
        cx.notify(Class::Set, "sadd", &destination);
    }
    out.int(1);
    Ok(())
}

pub(super) fn sismember(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    let args = cx.args;
    let key = cx.key(1);
    let found = cx.read::<Set>(&key)?.is_some_and(|set| set.contains(args.at(2)));
    out.int(i64::from(found));
    Ok(())
}

pub(super) fn smismember(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    let args = cx.args;
    let key = cx.key(1);
    let set = cx.read::<Set>(&key)?;
    out.array(args.len() - 2);
    for member in args.from(2).iter() {
        out.int(i64::from(set.is_some_and(|set| set.contains(member))));
    }
    Ok(())
}

pub(super) fn scard(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    let key = cx.key(1);
    out.int(cx.read::<Set>(&key)?.map_or(0, Set::len) as i64);
    Ok(())
}

pub(super) fn smembers(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    let key = cx.key(1);
    let set = cx.read::<Set>(&key)?;
    out.set(set.map_or(0, Set::len));
    set.into_iter().flat_map(Set::iter).for_each(|member| put(out, member));
    Ok(())
}

/// Checks in Redis's order: the cursor, the type, and the options only if there is a key.
pub(super) fn sscan(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    let args = cx.args;
    let key = cx.key(1);
    cursor(args.at(2))?;
    let set = cx.read::<Set>(&key)?;
    out.array(2);
    let Some(set) = set else {
        out.bulk(b"0");
        out.array(0);
        return Ok(());
    };
    let scan = ScanArgs::parse(args, 2, false)?;
    let mut found = Vec::new();
    let next = set.scan(scan.cursor, scan.count, |member| {
        let fits = |pattern| glob::matches(pattern, member.bytes(&mut [0; 20]), false);
        if scan.pattern.is_none_or(fits) {
            found.push(member);
        }
    });
    out.bulk_str(&next.to_string());
    out.array(found.len());
    found.into_iter().for_each(|member| put(out, member));
    Ok(())
}
