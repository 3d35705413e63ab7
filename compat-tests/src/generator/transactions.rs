//! Transactions: whole blocks, some with a second connection that changes what is watched.
//!
//! The second connection works in the same database as the first, which is chosen anew for each
//! block. Every block ends outside of MULTI.

use super::{Generator, Item, Kind};

/// Commands that only come from here.
pub(crate) const NAMES: &[&str] = &["MULTI", "EXEC", "DISCARD", "WATCH", "UNWATCH", "FLUSHDB"];

/// One block: watch, perhaps a change from elsewhere, MULTI, commands, EXEC or DISCARD.
pub(crate) fn block(generator: &mut Generator) -> Vec<Item> {
    let mut items = Vec::new();
    if generator.random.percent(12) {
        return flush_elsewhere(generator);
    }
    let database = generator.random.below(3).to_string();
    if generator.random.percent(60) {
        for connection in 0..2 {
            items.push(item(&["SELECT", &database], connection));
        }
        let (watched, changes) = (generator.next_plain(), generator.next_plain());
        let mut watch = vec![b"WATCH".to_vec()];
        // The keys are the arguments that look like keys, of two commands that also come again.
        for arg in watched.iter().chain(&changes).flat_map(|item| item.args.iter().skip(1)) {
            if super::is_key(arg) {
                watch.push(arg.clone());
            }
        }
        items.push(Item { args: watch, kind: Kind::Exact, connection: 0 });
        if generator.random.percent(60) {
            let connection = usize::from(generator.random.percent(75));
            items.extend(changes.into_iter().map(|item| Item { connection, ..item }));
            // It may have been a SELECT.
            items.push(item(&["SELECT", &database], 1));
        }
        if generator.random.percent(15) {
            items.push(item(&["UNWATCH"], 0));
        }
    }
    items.push(item(&["MULTI"], 0));
    for _ in 0..generator.random.below(6) {
        if generator.random.percent(4) {
            let odd = generator.random.word(&["MULTI", "WATCH", "UNWATCH", "EXEC", "DISCARD"]);
            let args: &[&str] = match odd {
                "WATCH" => &["WATCH", "s1"],
                "EXEC" => &["EXEC", "now"],
                "DISCARD" => &["DISCARD", "now"],
                "MULTI" => &["MULTI"],
                _ => &["UNWATCH"],
            };
            items.push(item(args, 0));
        }
        items.extend(generator.next_plain());
    }
    let end = if generator.random.percent(80) { "EXEC" } else { "DISCARD" };
    items.push(item(&[end], 0));
    if generator.random.percent(6) {
        let again = generator.random.word(&["EXEC", "DISCARD", "UNWATCH"]);
        items.push(item(&[again], 0));
    }
    items
}

/// FLUSHDB, mostly of a database that is seldom used, so that the others have time to fill.
fn flush_elsewhere(generator: &mut Generator) -> Vec<Item> {
    let database = if generator.random.percent(90) { "3" } else { "0" };
    let flush: &[&str] = match generator.random.below(4) {
        0 => &["FLUSHDB", "ASYNC"],
        1 => &["FLUSHDB", "SYNC"],
        2 => &["FLUSHDB", "nosuch"],
        _ => &["FLUSHDB"],
    };
    let move_there = generator.next_plain();
    let mut items = vec![item(&["SELECT", database], 0)];
    items.extend(move_there);
    items.push(item(&["SELECT", database], 0));
    items.push(item(flush, 0));
    items.push(item(&["SELECT", "0"], 0));
    items
}

fn item(args: &[&str], connection: usize) -> Item {
    let args = args.iter().map(|arg| arg.as_bytes().to_vec()).collect();
    Item { args, kind: Kind::Exact, connection }
}
