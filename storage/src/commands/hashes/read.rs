//! Hash commands that only look.

use crate::commands::parse::{ScanArgs, cursor};
use crate::commands::{Ctx, Outcome, glob};
use crate::objects::{Collection, Hash};
use resp::Reply;

pub(super) fn hget(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    let args = cx.args;
    let key = cx.key(1);
    bulk_or_null(out, cx.read::<Hash>(&key)?.and_then(|hash| hash.get(args.at(2))));
    Ok(())
}

pub(super) fn hmget(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    let args = cx.args;
    let key = cx.key(1);
    let hash = cx.read::<Hash>(&key)?;
    out.array(args.len() - 2);
    for field in args.from(2).iter() {
        bulk_or_null(out, hash.and_then(|hash| hash.get(field)));
    }
    Ok(())
}

fn bulk_or_null(out: &mut Reply<'_>, value: Option<&[u8]>) {
    match value {
        Some(value) => out.bulk(value),
        None => out.null(),
    }
}

pub(super) fn hexists(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    let args = cx.args;
    let key = cx.key(1);
    let found = cx.read::<Hash>(&key)?.is_some_and(|hash| hash.contains(args.at(2)));
    out.int(i64::from(found));
    Ok(())
}

pub(super) fn hstrlen(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    let args = cx.args;
    let key = cx.key(1);
    let value = cx.read::<Hash>(&key)?.and_then(|hash| hash.get(args.at(2)));
    out.int(value.map_or(0, <[u8]>::len) as i64);
    Ok(())
}

pub(super) fn hlen(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    let key = cx.key(1);
    out.int(cx.read::<Hash>(&key)?.map_or(0, Hash::len) as i64);
    Ok(())
}

pub(super) fn hgetall(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    let key = cx.key(1);
    let hash = cx.read::<Hash>(&key)?;
    out.map(hash.map_or(0, Hash::len));
    for (field, value) in hash.into_iter().flat_map(Hash::iter) {
        out.bulk(field);
        out.bulk(value);
    }
    Ok(())
}

pub(super) fn hkeys(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    let key = cx.key(1);
    let hash = cx.read::<Hash>(&key)?;
    out.array(hash.map_or(0, Hash::len));
    hash.into_iter().flat_map(Hash::iter).for_each(|(field, _)| out.bulk(field));
    Ok(())
}

pub(super) fn hvals(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    let key = cx.key(1);
    let hash = cx.read::<Hash>(&key)?;
    out.array(hash.map_or(0, Hash::len));
    hash.into_iter().flat_map(Hash::iter).for_each(|(_, value)| out.bulk(value));
    Ok(())
}

/// Checks in Redis's order: the cursor, the type, and the options only if there is a key.
pub(super) fn hscan(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    let args = cx.args;
    let key = cx.key(1);
    cursor(args.at(2))?;
    let hash = cx.read::<Hash>(&key)?;
    out.array(2);
    let Some(hash) = hash else {
        out.bulk(b"0");
        out.array(0);
        return Ok(());
    };
    let scan = ScanArgs::parse(args, 2, false)?;
    let mut found = Vec::new();
    let next = hash.scan(scan.cursor, scan.count, |(field, value)| {
        if scan.pattern.is_none_or(|pattern| glob::matches(pattern, field, false)) {
            found.extend([field, value]);
        }
    });
    out.bulk_str(&next.to_string());
    out.array(found.len());
    found.into_iter().for_each(|bytes| out.bulk(bytes));
    Ok(())
}
