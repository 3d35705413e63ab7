//! COPY, MOVE, RENAME and RENAMENX: the same value under another name or in another database.
//!
//! The deadline goes along. Databases share their partitions, so another database's key is under
//! the lock of the name (C24); what is done there is done with the context's database switched.

use super::reach;
use crate::commands::fail::{DB_RANGE, NO_SUCH_KEY, SYNTAX};
use crate::commands::parse::{integer, is};
use crate::commands::{Ctx, Fail, Outcome};
use crate::keyspace::{Class, Entry, Key};
use crate::objects::Value;
use crate::record::DBS;
use resp::Reply;

const SAME_OBJECT: Fail = Fail::text("ERR source and destination objects are the same");
const INT_RANGE: Fail =
    Fail::text("ERR value is out of range, value must between -2147483648 and 2147483647");

pub fn copy(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    let (args, mut db, mut replace) = (cx.args, cx.db, false);
    let mut options = args.from(3).iter();
    while let Some(option) = options.next() {
        if is(option, "replace") {
            replace = true;
        } else if is(option, "db") {
            db = database(options.next().ok_or(SYNTAX)?)?;
        } else {
            return Err(SYNTAX);
        }
    }
    let (source, target) = (cx.key(1), cx.key(2));
    if db == cx.db && source.name == target.name {
        return Err(SAME_OBJECT);
    }
    let found = cx.touch(&source);
    let taken = !replace && within(cx, db, |cx| cx.exists(&target));
    if !found || taken {
        out.int(0);
        return Ok(());
    }
    if let Some(value) = cx.value(&source).cloned() {
        let deadline = cx.deadline(&source);
        within(cx, db, |cx| {
            cx.delete(&target);
            cx.put(&target, value, deadline);
            cx.notify(Class::Generic, "copy_to", &target);
        });
    }
    out.int(1);
    Ok(())
}

/// MOVE.
pub fn move_key(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    let key = cx.key(1);
    let db = database(cx.args.at(2))?;
    if db == cx.db {
        return Err(SAME_OBJECT);
    }
    let free = reach(cx, &key) && !within(cx, db, |cx| cx.exists(&key));
    if free && let Some(taken) = Taken::from(cx, &key) {
        within(cx, db, |cx| taken.put(cx, &key));
        cx.notify(Class::Generic, "move_from", &key);
        within(cx, db, |cx| cx.notify(Class::Generic, "move_to", &key));
    }
    out.int(i64::from(free));
    Ok(())
}

pub fn rename(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    let (source, target) = (cx.key(1), cx.key(2));
    if !reach(cx, &source) {
        return Err(NO_SUCH_KEY);
    }
    if source.name != target.name {
        pass(cx, &source, &target);
    }
    out.ok();
    Ok(())
}

pub fn renamenx(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    let (source, target) = (cx.key(1), cx.key(2));
    if !reach(cx, &source) {
        return Err(NO_SUCH_KEY);
    }
    // A key's own name is taken, too.
    let free = !cx.exists(&target);
    if free {
        pass(cx, &source, &target);
    }
    out.int(i64::from(free));
    Ok(())
}

/// Gives what `source` holds to `target`, which loses what it held.
fn pass(cx: &mut Ctx<'_, '_>, source: &Key<'_>, target: &Key<'_>) {
    if let Some(taken) = Taken::from(cx, source) {
        cx.delete(target);
        taken.put(cx, target);
        cx.notify(Class::Generic, "rename_from", source);
        cx.notify(Class::Generic, "rename_to", target);
    }
}

/// An object between two names.
struct Taken {
    value: Value,
    deadline: Option<i64>,
    /// A renamed object stays as recently or frequently used as it was.
    clock: u32,
}

impl Taken {
    fn from(cx: &mut Ctx<'_, '_>, key: &Key<'_>) -> Option<Taken> {
        let clock = cx.object(key).map(Entry::clock)?;
        let (value, deadline) = cx.take(key)?;
        Some(Taken { value, deadline, clock })
    }

    fn put(self, cx: &mut Ctx<'_, '_>, key: &Key<'_>) {
        cx.put(key, self.value, self.deadline);
        let db = cx.db;
        if let Some(entry) = cx.partition(key).and_then(|partition| partition.get_mut(db, key)) {
            entry.set_clock(self.clock);
        }
    }
}

/// Does `work` in another database.
fn within<'a, R>(cx: &mut Ctx<'a, '_>, db: usize, work: impl FnOnce(&mut Ctx<'a, '_>) -> R) -> R {
    let home = std::mem::replace(&mut cx.db, db);
    let result = work(cx);
    cx.db = home;
    result
}

/// A database's number: first it must fit C's `int`, then be one of ours.
fn database(arg: &[u8]) -> Result<usize, Fail> {
    let number = i32::try_from(integer(arg)?).map_err(|_| INT_RANGE)?;
    usize::try_from(number).ok().filter(|db| *db < DBS).ok_or(DB_RANGE)
}
