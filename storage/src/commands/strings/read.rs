//! Reading strings.

use super::reply_str;
use crate::commands::Ctx;
use crate::commands::fail::Outcome;
use crate::commands::parse::integer;
use crate::objects::{Str, Value};
use resp::Reply;

pub fn get(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    match cx.read_str(&cx.key(1))? {
        Some(string) => reply_str(out, string),
        None => out.null(),
    }
    Ok(())
}

pub fn mget(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    out.array(cx.args.len() - 1);
    for index in 1..cx.args.len() {
        let key = cx.key(index);
        cx.touch(&key);
        match cx.value(&key) {
            Some(Value::Str(string)) => reply_str(out, string),
            _ => out.null(),
        }
    }
    Ok(())
}

pub fn strlen(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    out.int(cx.read_str(&cx.key(1))?.map_or(0, Str::len) as i64);
    Ok(())
}

pub fn getrange(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    let (start, end) = (integer(cx.args.at(2))?, integer(cx.args.at(3))?);
    match cx.read_str(&cx.key(1))? {
        Some(string) => out.bulk(part(&string.bytes(), start, end)),
        None => out.bulk(b""),
    }
    Ok(())
}

/// The bytes from `start` to `end`, both included, negative ones counted from the end and held to
/// the string. So two ends before the string leave its first byte, if in order.
fn part(bytes: &[u8], start: i64, end: i64) -> &[u8] {
    if start < 0 && end < 0 && start > end {
        return &[];
    }
    let held = |index: i64| match usize::try_from(index) {
        Ok(index) => index,
        Err(_) => bytes.len().saturating_sub(index.unsigned_abs() as usize),
    };
    let end = held(end).saturating_add(1).min(bytes.len());
    bytes.get(held(start)..end).unwrap_or_default()
}
