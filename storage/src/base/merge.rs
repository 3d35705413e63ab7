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
use super::feed::{Feed, Place};
use super::meta::{self, BaseRecord};
use super::totals::Totals;
use super::view::{ELEMENT, Sink, to_range_end};
use crate::objects::{Corrupt, ElementOp, decode_ops};
use crate::record::{Change, Main, put_db_prefix, put_key_prefix};
use std::collections::BTreeSet;

/// Changes that are touched at a time before they are walked.
const TOUCHED_AHEAD: usize = 32;

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
    feed.places.sort_unstable();
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
        .cleared
        .iter()
        .flat_map(|clear| (clear.from..=clear.to).map(|bucket| (bucket, clear.db)))
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
                keys.push(meta::deadline_key(deadline, &key.prefix));
            }
            Ok(())
        })?;
    }
    keys.sort_unstable();
    keys.iter().try_for_each(|key| sink.put(key, &[]))
}

/// What the feed leaves of one key.
#[derive(Default)]
struct Merged<'a> {
    /// The main record's key.
    prefix: Vec<u8>,
    /// Records from before the feed go, elements too.
    wide: bool,
    /// The main record: untouched, gone, or put.
    main: Option<Option<&'a [u8]>>,
    /// Elements in the order of the changes: subkey, and value if put.
    elements: Vec<(&'a [u8], Option<&'a [u8]>)>,
    scratch: Vec<u8>,
}

impl<'a> Merged<'a> {
    fn begin(&mut self, bucket: u16, db: u32, hash: u32, key: &[u8]) {
        self.prefix.clear();
        put_key_prefix(&mut self.prefix, bucket, db, hash, key);
        self.wide = false;
        self.main = None;
        self.elements.clear();
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
        sink.between_keys()?;
        if self.wide {
            self.scratch.clone_from(&self.prefix);
            to_range_end(&mut self.scratch);
            sink.delete_range(&self.prefix, &self.scratch)?;
        }
        match self.main {
            Some(Some(value)) => sink.put(&self.prefix, value)?,
            Some(None) if !self.wide => sink.delete(&self.prefix)?,
            _ => {}
        }
        // Stable: the last change of a subkey is the last of its run.
        self.elements.sort_by_key(|(subkey, _)| *subkey);
        let mut elements = self.elements.iter().peekable();
        while let Some((subkey, value)) = elements.next() {
            if elements.peek().is_some_and(|(following, _)| following == subkey) {
                continue;
            }
            self.scratch.clone_from(&self.prefix);
            self.scratch.push(ELEMENT);
            self.scratch.extend_from_slice(subkey);
            match value {
                Some(value) => sink.put(&self.scratch, value)?,
                None if !self.wide => sink.delete(&self.scratch)?,
                None => {}
            }
        }
        Ok(())
    }
}

/// Calls `visit` for each key that the feed touches after the last clear of its range, in the
/// order of the base.
fn walk<'a>(
    feed: &'a Feed,
    mut visit: impl FnMut(&mut Merged<'a>) -> Result<(), BaseError>,
) -> Result<(), BaseError> {
    let mut merged = Merged::default();
    let mut group: Vec<(&[u8], Change)> = Vec::new();
    let (mut walked, mut touched) = (0, 0);
    for places in feed.places.chunk_by(|a, b| a.order() == b.order()) {
        walked += places.len();
        if walked > touched {
            touched = walked + TOUCHED_AHEAD;
            touch(feed, walked - places.len()..touched);
        }
        group.clear();
        for place in places {
            let change = change_at(feed, *place).map_err(corrupt)?;
            let Some((bucket, db, key)) = target(&change) else { continue };
            if !is_void(feed, bucket, db, *place) {
                group.push((key, change));
            }
        }
        // Keys of one hash are ordered as their records are: the shorter, then the lesser first.
        if group.windows(2).any(|pair| matches!(pair, [(a, _), (b, _)] if a != b)) {
            group.sort_by_key(|(key, _)| (key.len(), *key));
        }
        for same in group.chunk_by(|(a, _), (b, _)| a == b) {
            let Some((key, (bucket, db, _))) =
                same.first().and_then(|(key, change)| Some((key, target(change)?)))
            else {
                continue;
            };
            let hash = places.first().map_or(0, |place| place.hash());
            merged.begin(bucket, db, hash, key);
            for (_, change) in same {
                merged.apply(change).map_err(corrupt)?;
            }
            visit(&mut merged)?;
        }
    }
    Ok(())
}

/// Brings changes into the processor's cache. Sorted by key they lie anywhere in the arena, and
/// one read after the other would wait for memory each time; reads that do not depend on each
/// other wait together.
fn touch(feed: &Feed, range: std::ops::Range<usize>) {
    let end = range.end.min(feed.places.len());
    let places = feed.places.get(range.start..end).unwrap_or_default();
    let bytes = places.iter().filter_map(|place| feed.arena.get(place.offset()));
    std::hint::black_box(bytes.fold(0, |all, byte| all ^ byte));
}

fn change_at(feed: &Feed, place: Place) -> Result<Change<'_>, Corrupt> {
    let mut rest = feed.arena.get(place.offset()..).unwrap_or_default();
    Change::take(&mut rest)?.ok_or(Corrupt("change"))
}

fn target<'a>(change: &Change<'a>) -> Option<(u16, u32, &'a [u8])> {
    match *change {
        Change::Put { bucket, db, key, .. }
        | Change::Elements { bucket, db, key, .. }
        | Change::Delete { bucket, db, key, .. } => Some((bucket, db, key)),
        Change::Clear { .. } | Change::MapDbs { .. } => None,
    }
}

fn is_void(feed: &Feed, bucket: u16, db: u32, place: Place) -> bool {
    feed.cleared.iter().any(|clear| {
        clear.db == db && (clear.from..=clear.to).contains(&bucket) && place.offset() < clear.offset
    })
}

fn corrupt(error: Corrupt) -> BaseError {
    BaseError::Corrupt { place: "journal batch".to_owned(), reason: error.to_string() }
}
