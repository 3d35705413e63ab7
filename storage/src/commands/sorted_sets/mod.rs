//! Commands on sorted sets, but for those that block.

mod add;
mod algebra;
mod bounds;
mod look;
pub mod pop;
mod random;
mod range;
mod remove;
mod rows;

pub use rows::ROWS;

use super::Ctx;
use crate::bytes::SmallBytes;
use crate::keyspace::{Class, Key};
use crate::objects::{Collection, ZSet};
use resp::Reply;

/// Stores a result and replies its length; an empty one deletes the destination.
fn store(
    cx: &mut Ctx<'_, '_>,
    out: &mut Reply<'_>,
    destination: &Key<'_>,
    pairs: Vec<(SmallBytes, f64)>,
    event: &'static str,
) {
    out.int(pairs.len() as i64);
    if pairs.is_empty() {
        if cx.delete(destination) {
            cx.notify(Class::Generic, "del", destination);
        }
        return;
    }
    let set = ZSet::from_pairs(pairs, cx.limits());
    cx.store(destination, set.into_value());
    cx.notify(Class::Zset, event, destination);
}

#[cfg(test)]
mod tests;
