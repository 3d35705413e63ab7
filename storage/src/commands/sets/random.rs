//! SPOP and SRANDMEMBER.

use super::{put, sample};
use crate::commands::parse::positive;
use crate::commands::{Ctx, Missing, Outcome};
use crate::keyspace::Class;
use crate::objects::{Changes, Collection, Set};
use resp::Reply;

/// SPOP of so many times what remains builds the remaining set anew, as Redis does; one of
/// nothing but integers thereby becomes an intset again.
const REBUILD_FACTOR: usize = 5;

pub(super) fn spop(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    let args = cx.args;
    sample::no_more(args, 2)?;
    if let Some(count) = args.get(2) {
        return spop_many(cx, out, positive(count)?);
    }
    let key = cx.key(1);
    let mut rng = cx.turn.rng.fork();
    let emptied = cx.modify(&key, Missing::Skip, |set: &mut Set, changes| {
        set.pop(|below| rng.usize(..below), changes, |member| put(out, member));
        set.is_empty()
    })?;
    let Some(emptied) = emptied else {
        out.null();
        return Ok(());
    };
    cx.notify(Class::Set, "spop", &key);
    if emptied {
        cx.notify(Class::Generic, "del", &key);
    }
    Ok(())
}

fn spop_many(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>, count: usize) -> Outcome {
    let key = cx.key(1);
    let len = cx.peek::<Set>(&key)?.map_or(0, Set::len);
    let count = count.min(len);
    out.set(count);
    if count == 0 {
        return Ok(());
    }
    let mut rng = cx.turn.rng.fork();
    cx.notify(Class::Set, "spop", &key);
    let remaining = len - count;
    if remaining * REBUILD_FACTOR > count {
        cx.modify(&key, Missing::Skip, |set: &mut Set, changes| {
            for _ in 0..count {
                set.pop(|below| rng.usize(..below), changes, |member| put(out, member));
            }
        })?;
        return Ok(());
    }
    let limits = *cx.limits();
    let mut changes = Changes::new(&limits, false);
    let mut rest = Set::default();
    if let Some(set) = cx.peek::<Set>(&key)? {
        for (stays, member) in sample::choose(set.iter(), len, remaining, &mut rng) {
            if stays {
                rest.insert_member(member, &mut changes);
            } else {
                put(out, member);
            }
        }
    }
    cx.store_keep_ttl(&key, rest.into_value());
    if remaining == 0 {
        cx.notify(Class::Generic, "del", &key);
    }
    Ok(())
}

pub(super) fn srandmember(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    let args = cx.args;
    sample::no_more(args, 2)?;
    let key = cx.key(1);
    let mut rng = cx.turn.rng.fork();
    let Some(count) = args.get(2) else {
        match cx.read::<Set>(&key)?.and_then(|set| set.random(|below| rng.usize(..below))) {
            Some(member) => put(out, member),
            None => out.null(),
        }
        return Ok(());
    };
    let count = sample::count(count)?;
    let Some(set) = cx.read::<Set>(&key)? else {
        out.array(0);
        return Ok(());
    };
    if count < 0 {
        let times = count.unsigned_abs();
        out.array(times as usize);
        return sample::repeat(out, times, |out| {
            if let Some(member) = set.random(|below| rng.usize(..below)) {
                put(out, member);
            }
        });
    }
    let count = usize::try_from(count).unwrap_or(usize::MAX).min(set.len());
    let drawn = sample::distinct(set.iter(), set.len(), count, &mut rng, |rng| {
        set.random(|below| rng.usize(..below))
    });
    out.array(drawn.len());
    drawn.into_iter().for_each(|member| put(out, member));
    Ok(())
}
