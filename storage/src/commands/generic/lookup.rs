//! DEL, UNLINK, EXISTS, TOUCH and TYPE: is the key there, and what is it.

use super::look;
use crate::commands::{Ctx, Outcome};
use crate::keyspace::{Class, Key};
use resp::Reply;

pub fn del(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    count(cx, out, |cx, key| {
        let deleted = cx.delete(key);
        if deleted {
            cx.notify(Class::Generic, "del", key);
        }
        deleted
    })
}

pub fn unlink(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    del(cx, out)
}

pub fn exists(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    count(cx, out, look)
}

pub fn touch(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    count(cx, out, |cx, key| cx.touch(key))
}

/// TYPE.
pub fn kind(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    let key = cx.key(1);
    look(cx, &key);
    out.simple(cx.value(&key).map_or("none", |value| value.kind().name()));
    Ok(())
}

/// Answers for how many of the keys, each as often as it was given, `holds` is true.
fn count(
    cx: &mut Ctx<'_, '_>,
    out: &mut Reply<'_>,
    mut holds: impl FnMut(&mut Ctx<'_, '_>, &Key<'_>) -> bool,
) -> Outcome {
    let mut held = 0;
    for at in 1..cx.args.len() {
        let key = cx.key(at);
        held += i64::from(holds(cx, &key));
    }
    out.int(held);
    Ok(())
}
