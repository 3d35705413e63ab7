//! Hash commands that change fields.

use crate::commands::fail::{NOT_FLOAT, OVERFLOW};
use crate::commands::{Ctx, Fail, Missing, Outcome, parse};
use crate::keyspace::{Class, Key};
use crate::objects::{Changes, Collection, Hash};
use resp::Reply;
use resp::long_double::{LongDouble, LongDoubleError};
use resp::numbers::parse_i64;

const NOT_HASH_INTEGER: Fail = Fail::text("ERR hash value is not an integer");
const NOT_HASH_FLOAT: Fail = Fail::text("ERR hash value is not a float");
const NOT_FINITE: Fail = Fail::text("ERR value is NaN or Infinity");
const SUM_NOT_FINITE: Fail = Fail::text("ERR increment would produce NaN or Infinity");

pub(super) fn hset(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    let created = set_pairs(cx, "hset")?;
    out.int(created);
    Ok(())
}

pub(super) fn hmset(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    set_pairs(cx, "hmset")?;
    out.ok();
    Ok(())
}

/// Sets the fields from argument 2 on; returns how many are new.
fn set_pairs(cx: &mut Ctx<'_, '_>, command: &str) -> Result<i64, Fail> {
    let args = cx.args;
    if !args.len().is_multiple_of(2) {
        return Err(Fail::arity(command));
    }
    let key = cx.key(1);
    let created = cx.modify(&key, Missing::Create, |hash: &mut Hash, changes| {
        let fields = (2..args.len()).step_by(2);
        hash.set_all(fields.map(|at| (args.at(at), args.at(at + 1))), changes)
    })?;
    cx.notify(Class::Hash, "hset", &key);
    Ok(created.unwrap_or(0) as i64)
}

pub(super) fn hsetnx(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    let args = cx.args;
    let key = cx.key(1);
    let set = cx.modify(&key, Missing::Create, |hash: &mut Hash, changes| {
        let absent = !hash.contains(args.at(2));
        if absent {
            hash.set(args.at(2), args.at(3), changes);
        }
        absent
    })?;
    let set = set.unwrap_or(false);
    if set {
        cx.notify(Class::Hash, "hset", &key);
    }
    out.int(i64::from(set));
    Ok(())
}

pub(super) fn hdel(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    let args = cx.args;
    let key = cx.key(1);
    let removed = cx.modify(&key, Missing::Skip, |hash: &mut Hash, changes| {
        let removed = args.from(2).iter().filter(|field| hash.remove(field, changes)).count();
        (removed, hash.is_empty())
    })?;
    let (removed, emptied) = removed.unwrap_or((0, false));
    if removed > 0 {
        cx.notify(Class::Hash, "hdel", &key);
        if emptied {
            cx.notify(Class::Generic, "del", &key);
        }
    }
    out.int(removed as i64);
    Ok(())
}

pub(super) fn hincrby(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    let args = cx.args;
    let increment = parse::integer(args.at(3))?;
    let key = cx.key(1);
    let sum = edit_field(cx, &key, |old| {
        let old = match old {
            Some(old) => parse_i64(old).ok_or(NOT_HASH_INTEGER)?,
            None => 0,
        };
        let sum = old.checked_add(increment).ok_or(OVERFLOW)?;
        Ok((sum, sum.to_string().into_bytes()))
    })?;
    cx.notify(Class::Hash, "hincrby", &key);
    out.int(sum.0);
    Ok(())
}

pub(super) fn hincrbyfloat(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    let args = cx.args;
    let increment = LongDouble::parse(args.at(3)).map_err(|error| match error {
        LongDoubleError::NotAFloat => NOT_FLOAT,
        LongDoubleError::NanOrInfinity => NOT_FINITE,
    })?;
    let key = cx.key(1);
    let ((), text) = edit_field(cx, &key, |old| {
        let old = LongDouble::parse(old.unwrap_or(b"0")).map_err(|error| match error {
            LongDoubleError::NotAFloat => NOT_HASH_FLOAT,
            LongDoubleError::NanOrInfinity => SUM_NOT_FINITE,
        })?;
        let sum = old.plus(increment).ok_or(SUM_NOT_FINITE)?;
        Ok(((), sum.to_string().into_bytes()))
    })?;
    cx.notify(Class::Hash, "hincrbyfloat", &key);
    out.bulk(&text);
    Ok(())
}

/// Replaces the field in argument 2 by what `edit` makes of it; an error changes nothing.
fn edit_field<R>(
    cx: &mut Ctx<'_, '_>,
    key: &Key<'_>,
    edit: impl FnOnce(Option<&[u8]>) -> Result<(R, Vec<u8>), Fail>,
) -> Result<(R, Vec<u8>), Fail> {
    let field = cx.args.at(2);
    let edited =
        cx.modify(key, Missing::Create, |hash: &mut Hash, changes: &mut Changes<'_>| {
            let (result, value) = edit(hash.get(field))?;
            hash.set(field, &value, changes);
            Ok((result, value))
        })?;
    edited.unwrap_or_else(|| unreachable!("an absent key is created"))
}
