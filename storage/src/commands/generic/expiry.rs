//! EXPIRE and TTL with their kin: a deadline is always kept in milliseconds since the epoch, the
//! commands differ in the unit and in whether they count from now.
//!
//! A deadline that has passed deletes the key at once, as a deletion and not as an expiry.

use super::{look, reach};
use crate::commands::parse::{integer, is};
use crate::commands::{Ctx, Fail, Outcome};
use crate::keyspace::Class;
use resp::{Args, Reply};

const MS_PER_SECOND: i64 = 1000;

/// What a command's numbers mean.
struct Scale {
    /// Milliseconds in one.
    unit: i64,
    /// They count from now, not from the epoch.
    relative: bool,
}

const SECONDS: Scale = Scale { unit: MS_PER_SECOND, relative: true };
const UNIX_SECONDS: Scale = Scale { unit: MS_PER_SECOND, relative: false };
const MILLISECONDS: Scale = Scale { unit: 1, relative: true };
const UNIX_MILLISECONDS: Scale = Scale { unit: 1, relative: false };

pub fn expire(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    set(cx, out, "expire", &SECONDS)
}

pub fn expireat(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    set(cx, out, "expireat", &UNIX_SECONDS)
}

pub fn pexpire(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    set(cx, out, "pexpire", &MILLISECONDS)
}

pub fn pexpireat(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    set(cx, out, "pexpireat", &UNIX_MILLISECONDS)
}

pub fn ttl(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    get(cx, out, &SECONDS)
}

pub fn expiretime(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    get(cx, out, &UNIX_SECONDS)
}

pub fn pttl(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    get(cx, out, &MILLISECONDS)
}

pub fn pexpiretime(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    get(cx, out, &UNIX_MILLISECONDS)
}

pub fn persist(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    let key = cx.key(1);
    let had = reach(cx, &key) && cx.deadline(&key).is_some();
    if had {
        cx.set_deadline(&key, None);
        cx.notify(Class::Generic, "persist", &key);
    }
    out.int(i64::from(had));
    Ok(())
}

fn set(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>, name: &str, scale: &Scale) -> Outcome {
    let args = cx.args;
    let condition = Condition::parse(args.from(3))?;
    let base = if scale.relative { cx.now } else { 0 };
    let deadline = integer(args.at(2))?
        .checked_mul(scale.unit)
        .and_then(|ms| ms.checked_add(base))
        .ok_or_else(|| Fail::invalid_expire(name))?;
    let key = cx.key(1);
    let applies = reach(cx, &key) && condition.allows(cx.deadline(&key), deadline);
    if applies && deadline <= cx.now {
        cx.delete(&key);
        cx.notify(Class::Generic, "del", &key);
    } else if applies {
        cx.set_deadline(&key, Some(deadline));
        cx.notify(Class::Generic, "expire", &key);
    }
    out.int(i64::from(applies));
    Ok(())
}

/// Answers the deadline; -1 for a key without, -2 for no key. Seconds are rounded to the nearest.
fn get(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>, scale: &Scale) -> Outcome {
    let key = cx.key(1);
    if !look(cx, &key) {
        out.int(-2);
        return Ok(());
    }
    let base = if scale.relative { cx.now } else { 0 };
    let answer = cx.deadline(&key).map_or(-1, |deadline| {
        // Neither can overflow: the deadline of a live key lies after now, and now after 0.
        let ms = deadline.saturating_sub(base);
        ms / scale.unit + i64::from(ms % scale.unit * 2 >= scale.unit)
    });
    out.int(answer);
    Ok(())
}

/// The options NX, XX, GT, LT: whether a deadline may be set given the present one.
#[derive(Default)]
struct Condition {
    nx: bool,
    xx: bool,
    gt: bool,
    lt: bool,
}

impl Condition {
    fn parse(options: Args<'_>) -> Result<Condition, Fail> {
        let mut condition = Condition::default();
        for option in options.iter() {
            let given = match option {
                _ if is(option, "nx") => &mut condition.nx,
                _ if is(option, "xx") => &mut condition.xx,
                _ if is(option, "gt") => &mut condition.gt,
                _ if is(option, "lt") => &mut condition.lt,
                _ => {
                    return Err(Fail::quoting("ERR Unsupported option ", option, ""));
                }
            };
            *given = true;
        }
        let Condition { nx, xx, gt, lt } = condition;
        if nx && (xx || gt || lt) {
            return Err(Fail::text(
                "ERR NX and XX, GT or LT options at the same time are not compatible",
            ));
        }
        if gt && lt {
            return Err(Fail::text("ERR GT and LT options at the same time are not compatible"));
        }
        Ok(condition)
    }

    /// A key without deadline counts as one that expires at the end of time.
    fn allows(&self, present: Option<i64>, wanted: i64) -> bool {
        match present {
            None => !self.xx && !self.gt,
            Some(_) if self.nx => false,
            Some(present) => (!self.gt || wanted > present) && (!self.lt || wanted < present),
        }
    }
}
