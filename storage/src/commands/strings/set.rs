//! The commands that store whole strings, and those that read one and change its key.

use super::options::{Command, Expiry, Options, Unit, deadline};
use super::reply_str;
use crate::commands::Ctx;
use crate::commands::fail::{Fail, Outcome};
use crate::keyspace::{Class, Key};
use crate::objects::{Str, Value};
use resp::Reply;

pub fn set(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    let (args, key) = (cx.args, cx.key(1));
    // The plain form is the most frequent command of all.
    if args.len() == 3 {
        cx.store_str(&key, args.at(2));
        cx.notify(Class::String, "set", &key);
        out.ok();
        return Ok(());
    }
    let options = Options::parse(args.from(3), Command::Set)?;
    let deadline = options.expiry.deadline(cx.now, "set")?;
    if options.get {
        match cx.read_str(&key)? {
            Some(string) => reply_str(out, string),
            None => out.null(),
        }
    }
    let exists = (options.if_missing || options.if_exists) && cx.exists(&key);
    if (options.if_missing && exists) || (options.if_exists && !exists) {
        if !options.get {
            out.null();
        }
        return Ok(());
    }
    let value = Value::Str(Str::new(args.at(2)));
    match options.expiry {
        Expiry::Keep => cx.store_keep_ttl(&key, value),
        _ => cx.put(&key, value, deadline),
    }
    cx.notify(Class::String, "set", &key);
    if deadline.is_some() {
        cx.notify(Class::Generic, "expire", &key);
    }
    if !options.get {
        out.ok();
    }
    Ok(())
}

pub fn setnx(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    let key = cx.key(1);
    let free = !cx.exists(&key);
    if free {
        store(cx, &key, cx.args.at(2));
    }
    out.int(i64::from(free));
    Ok(())
}

pub fn setex(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    set_with_deadline(cx, out, Unit::Seconds, "setex")
}

pub fn psetex(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    set_with_deadline(cx, out, Unit::Millis, "psetex")
}

pub fn mset(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    check_pairs(cx, "mset")?;
    store_pairs(cx);
    out.ok();
    Ok(())
}

pub fn msetnx(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    check_pairs(cx, "msetnx")?;
    let free = !(1..cx.args.len()).step_by(2).any(|index| cx.exists(&cx.key(index)));
    if free {
        store_pairs(cx);
    }
    out.int(i64::from(free));
    Ok(())
}

pub fn getset(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    let key = cx.key(1);
    match cx.read_str(&key)? {
        Some(string) => reply_str(out, string),
        None => out.null(),
    }
    store(cx, &key, cx.args.at(2));
    Ok(())
}

pub fn getdel(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    let key = cx.key(1);
    match cx.read_str(&key)? {
        Some(string) => reply_str(out, string),
        None => {
            out.null();
            return Ok(());
        }
    }
    cx.delete(&key);
    cx.notify(Class::Generic, "del", &key);
    Ok(())
}

pub fn getex(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    let key = cx.key(1);
    let expiry = Options::parse(cx.args.from(2), Command::GetEx)?.expiry;
    match cx.read_str(&key)? {
        Some(string) => reply_str(out, string),
        None => {
            out.null();
            return Ok(());
        }
    }
    match (expiry, expiry.deadline(cx.now, "getex")?) {
        // Only a time given as such can lie in the past.
        (_, Some(deadline)) if deadline <= cx.now => {
            cx.delete(&key);
            cx.notify(Class::Generic, "del", &key);
        }
        (_, Some(deadline)) => {
            cx.set_deadline(&key, Some(deadline));
            cx.notify(Class::Generic, "expire", &key);
        }
        (Expiry::Persist, None) if cx.deadline(&key).is_some() => {
            cx.set_deadline(&key, None);
            cx.notify(Class::Generic, "persist", &key);
        }
        _ => {}
    }
    Ok(())
}

fn store(cx: &mut Ctx<'_, '_>, key: &Key<'_>, bytes: &[u8]) {
    cx.store_str(key, bytes);
    cx.notify(Class::String, "set", key);
}

fn set_with_deadline(
    cx: &mut Ctx<'_, '_>,
    out: &mut Reply<'_>,
    unit: Unit,
    name: &'static str,
) -> Outcome {
    let (args, key) = (cx.args, cx.key(1));
    let deadline = deadline(unit, args.at(2), cx.now, name)?;
    cx.put(&key, Value::Str(Str::new(args.at(3))), Some(deadline));
    cx.notify(Class::String, "set", &key);
    cx.notify(Class::Generic, "expire", &key);
    out.ok();
    Ok(())
}

fn check_pairs(cx: &Ctx<'_, '_>, name: &str) -> Outcome {
    if cx.args.len().is_multiple_of(2) { Err(Fail::arity(name)) } else { Ok(()) }
}

fn store_pairs(cx: &mut Ctx<'_, '_>) {
    let args = cx.args;
    for index in (1..args.len()).step_by(2) {
        let key = cx.key(index);
        store(cx, &key, args.at(index + 1));
    }
}
