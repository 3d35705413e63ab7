//! Reduces a feed to the last change of each record, in the order of the base.
//!
//! A walk goes over the sorted places; the changes of one key stand together. Of them a deletion
//! voids all earlier ones, a put replaces the put before it, elements are merged by subkey. That
//! a deletion was *wide* sticks: element records from before the feed must go even if the key was
//! put, and deleted narrowly, again. A wide deletion becomes a range deletion, which lies below
//! what the same feed puts (C17).
//!
//! The walk is made twice only if some record has a deadline: deadline records stand before all
//! data and must hold the last deadlines.

use super::BaseError;
use super::feed::{Feed, corrupt, target};
use super::meta::{self, BaseRecord};
use super::totals::Totals;
use super::view::{ELEMENT, Sink, to_range_end};
use crate::objects::{Corrupt, ElementOp, decode_ops};
use crate::record::{Change, Main, put_db_prefix, put_key_prefix};
use std::collections::BTreeSet;

/// What a feed does to the base's own records.
pub(crate) struct MetaChanges<'a> {
    pub record: BaseRecord,
    pub totals: &'a Totals,
    /// All deadline records below this key were stale before the feed.
    pub stale_below: Option<Vec<u8>>,
}

/// Writes everything a feed changes.
pub(crate) fn write(
    mut feed: Feed,
    meta: MetaChanges<'_>,
    sink: &mut impl Sink,
) -> Result<(), BaseError> {
    feed.sort();
    write_clears(&feed, sink)?;
    sink.put(meta::BASE_KEY, &meta.record.encode())?;
    for ((db, bucket), count) in meta.totals {
        let key = meta::count_key(*db, *bucket);
        match count {
            0 => sink.delete(&key)?,
            count => sink.put(&key, &count.to_le_bytes())?,
        }
    }
    if let Some(head) = meta.stale_below {
        sink.delete_range(meta::DEADLINES, &head)?;
    }
    write_deadlines(&feed, sink)?;
    walk(&feed, |key| key.write(sink))
}

fn write_clears(feed: &Feed, sink: &mut impl Sink) -> Result<(), BaseError> {
    // Many clears of one range (FLUSHDB in a loop) are one.
    let ranges: BTreeSet<(u16, u32)> = feed
        .cleared()
        .flat_map(|(db, from, to)| (from..=to).map(move |bucket| (bucket, db)))
        .collect();
    for (bucket, db) in ranges {
        let mut from = Vec::new();
        put_db_prefix(&mut from, bucket, db);
        let mut to = from.clone();
        to_range_end(&mut to);
        sink.delete_range(&from, &to)?;
    }
    Ok(())
}

fn write_deadlines(feed: &Feed, sink: &mut impl Sink) -> Result<(), BaseError> {
    let mut keys = Vec::new();
    if feed.dated {
        walk(feed, |key| {
            if let Some(Some(value)) = key.main
                && let Some(deadline) = Main::decode(value).map_err(corrupt)?.deadline
            {
                keys.push(meta::deadline_key(deadline, key.prefix()));
            }
            Ok(())
        })?;
    }
    keys.sort_unstable();
    keys.iter().try_for_each(|key| sink.put(key, &[]))
}

/// Memory that is used for one key after the other.
#[derive(Default)]
struct Buffers {
    /// The main record's key.
    prefix: Vec<u8>,
    scratch: Vec<u8>,
}

/// What the feed leaves of one key.
struct Merged<'a> {
    buffers: &'a mut Buffers,
    /// Records from before the feed go, elements too.
    wide: bool,
    /// The main record: untouched, gone, or put.
    main: Option<Option<&'a [u8]>>,
    /// Elements in the order of the changes: subkey, and value if put.
    elements: Vec<(&'a [u8], Option<&'a [u8]>)>,
}

impl<'a> Merged<'a> {
    fn new(buffers: &'a mut Buffers, bucket: u16, db: u32, hash: u32, key: &[u8]) -> Merged<'a> {
        buffers.prefix.clear();
        put_key_prefix(&mut buffers.prefix, bucket, db, hash, key);
        Merged { buffers, wide: false, main: None, elements: Vec::new() }
    }

    fn prefix(&self) -> &[u8] {
        &self.buffers.prefix
    }

    fn apply(&mut self, change: &Change<'a>) -> Result<(), Corrupt> {
        match *change {
            Change::Put { value, .. } => self.main = Some(Some(value)),
            Change::Delete { wide, .. } => {
                self.wide |= wide;
                self.main = Some(None);
                self.elements.clear();
            }
            Change::Elements { ops, .. } => {
                for op in decode_ops(ops) {
                    self.elements.push(match op? {
                        ElementOp::Put { subkey, value } => (subkey, Some(value)),
                        ElementOp::Delete { subkey } => (subkey, None),
                    });
                }
            }
            Change::Clear { .. } | Change::MapDbs { .. } => {}
        }
        Ok(())
    }

    fn write(&mut self, sink: &mut impl Sink) -> Result<(), BaseError> {
        let Buffers { prefix, scratch } = &mut *self.buffers;
        sink.between_keys()?;
        if self.wide {
            scratch.clone_from(prefix);
            to_range_end(scratch);
            sink.delete_range(prefix, scratch)?;
        }
        match self.main {
            Some(Some(value)) => sink.put(prefix, value)?,
            Some(None) if !self.wide => sink.delete(prefix)?,
            _ => {}
        }
        // Stable: the last change of a subkey is the last of its run.
        self.elements.sort_by_key(|(subkey, _)| *subkey);
        let mut elements = self.elements.iter().peekable();
        while let Some((subkey, value)) = elements.next() {
            if elements.peek().is_some_and(|(following, _)| following == subkey) {
                continue;
            }
            scratch.clone_from(prefix);
            scratch.push(ELEMENT);
            scratch.extend_from_slice(subkey);
            match value {
                Some(value) => sink.put(scratch, value)?,
                None if !self.wide => sink.delete(scratch)?,
                None => {}
            }
        }
        Ok(())
    }
}

/// Calls `visit` for each key that the feed touches after the last clear of its range, in the
/// order of the base.
fn walk(
    feed: &Feed,
    mut visit: impl FnMut(&mut Merged<'_>) -> Result<(), BaseError>,
) -> Result<(), BaseError> {
    let mut buffers = Buffers::default();
    let mut sources = feed.sources()?;
    while let Some(order) = sources.order() {
        let mut changes = sources.changes(order)?;
        // Keys of one hash are ordered as their records are: the shorter, then the lesser first.
        // A stable sort, so that the changes of a key stay in time.
        if changes.windows(2).any(|pair| matches!(pair, [a, b] if !is_same_key(a, b))) {
            changes.sort_by_key(|change| target(change).map(|(_, _, key)| (key.len(), key)));
        }
        for same in changes.chunk_by(is_same_key) {
            let Some((bucket, db, key)) = same.first().and_then(target) else { continue };
            let mut merged = Merged::new(&mut buffers, bucket, db, order as u32, key);
            for change in same {
                merged.apply(change).map_err(corrupt)?;
            }
            visit(&mut merged)?;
        }
        drop(changes);
        sources.advance(order)?;
    }
    Ok(())
}

/// Whether two changes of one bucket, db and hash are of one key.
fn is_same_key(a: &Change<'_>, b: &Change<'_>) -> bool {
    matches!((target(a), target(b)), (Some((_, _, a)), Some((_, _, b))) if a == b)
}
