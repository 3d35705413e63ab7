//! Editing strings in place.

use super::check_len;
use crate::bytes::SmallBytes;
use crate::commands::fail::{Fail, NOT_FLOAT, NOT_INTEGER, OFFSET_RANGE, OVERFLOW, Outcome};
use crate::commands::parse::integer;
use crate::commands::{Ctx, Missing};
use crate::keyspace::Class;
use crate::objects::{Str, Value};
use resp::Reply;
use resp::long_double::{self, LongDoubleError};

const DECREMENT_OVERFLOW: Fail = Fail::text("ERR decrement would overflow");
const NAN_OR_INFINITY: Fail = Fail::text("ERR increment would produce NaN or Infinity");

pub fn incr(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    add(cx, out, 1)
}

pub fn decr(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    add(cx, out, -1)
}

pub fn incrby(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    let by = integer(cx.args.at(2))?;
    add(cx, out, by)
}

pub fn decrby(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    let by = integer(cx.args.at(2))?.checked_neg().ok_or(DECREMENT_OVERFLOW)?;
    add(cx, out, by)
}

pub fn incrbyfloat(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    let (args, key) = (cx.args, cx.key(1));
    let sum = |before: &[u8]| {
        long_double::add(before, args.at(2)).map_err(|error| match error {
            LongDoubleError::NotAFloat => NOT_FLOAT,
            LongDoubleError::NanOrInfinity => NAN_OR_INFINITY,
        })
    };
    let text = cx.modify_str(&key, Missing::Skip, |string, changes| {
        let text = sum(&string.bytes())?;
        // A text in Redis too, even where it is an integer's.
        *string = Str::Bytes(SmallBytes::new(&text));
        changes.touch();
        Ok::<_, Fail>(text)
    })?;
    let text = match text {
        Some(text) => text?,
        None => {
            let text = sum(b"0")?;
            cx.store(&key, Value::Str(Str::Bytes(SmallBytes::new(&text))));
            text
        }
    };
    cx.notify(Class::String, "incrbyfloat", &key);
    out.bulk(&text);
    Ok(())
}

pub fn append(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    let (args, key, max) = (cx.args, cx.key(1), cx.bulk_len_max());
    let more = args.at(2);
    let len = cx.modify_str(&key, Missing::Skip, |string, changes| {
        let len = check_len(string.len(), more.len(), max)?;
        string.edit().extend_from_slice(more);
        changes.touch();
        Ok::<_, Fail>(len)
    })?;
    let len = match len {
        Some(len) => len?,
        None => {
            cx.store(&key, Value::Str(Str::new(more)));
            more.len()
        }
    };
    cx.notify(Class::String, "append", &key);
    out.int(len as i64);
    Ok(())
}

pub fn setrange(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    let (args, key, max) = (cx.args, cx.key(1), cx.bulk_len_max());
    let offset = usize::try_from(integer(args.at(2))?).map_err(|_| OFFSET_RANGE)?;
    let part = args.at(3);
    if part.is_empty() {
        let len = cx.modify_str(&key, Missing::Skip, |string, _| string.len())?;
        out.int(len.unwrap_or(0) as i64);
        return Ok(());
    }
    let write = |bytes: &mut Vec<u8>| {
        let end = offset + part.len();
        if bytes.len() < end {
            bytes.resize(end, 0);
        }
        bytes.get_mut(offset..end).unwrap_or_default().copy_from_slice(part);
        bytes.len()
    };
    let end = check_len(offset, part.len(), max);
    let len = cx.modify_str(&key, Missing::Skip, |string, changes| {
        end.clone()?;
        changes.touch();
        Ok::<_, Fail>(write(string.edit()))
    })?;
    let len = match len {
        Some(len) => len?,
        None => {
            let mut bytes = vec![0; end?];
            let len = write(&mut bytes);
            cx.store(&key, Value::Str(Str::grown(bytes)));
            len
        }
    };
    cx.notify(Class::String, "setrange", &key);
    out.int(len as i64);
    Ok(())
}

fn add(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>, by: i64) -> Outcome {
    let key = cx.key(1);
    let sum = cx.modify_str(&key, Missing::Skip, |string, changes| {
        let sum = string.integer().ok_or(NOT_INTEGER)?.checked_add(by).ok_or(OVERFLOW)?;
        *string = Str::Int(sum);
        changes.touch();
        Ok::<_, Fail>(sum)
    })?;
    let sum = match sum {
        Some(sum) => sum?,
        None => {
            cx.store(&key, Value::Str(Str::Int(by)));
            by
        }
    };
    cx.notify(Class::String, "incrby", &key);
    out.int(sum);
    Ok(())
}
