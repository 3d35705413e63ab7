//! Reading objects, scans and deadlines out of one state of the store.

use super::meta::{self, BaseRecord, Unreadable};
use super::totals::Totals;
use super::view::{Cursor, ELEMENT, View, to_range_end};
use super::{BaseError, BaseKey, Due, Loaded, RawRecord, Scanned, ScannedKey};
use crate::bytes::SmallBytes;
use crate::objects::{Corrupt, Value};
use crate::record::{Main, OwnedKey, RecordKey, put_db_prefix, put_key_prefix};

/// The key of a main record.
pub(crate) fn main_key(key: BaseKey<'_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(14 + key.key.len());
    put_key_prefix(&mut out, key.bucket, key.db, key.hash, key.key);
    out
}

fn range_end(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    to_range_end(&mut end);
    end
}

/// The base record; the default one in a store without any.
pub(crate) fn base_record(view: &impl View) -> Result<BaseRecord, BaseError> {
    let decoded = view.get(meta::BASE_KEY, BaseRecord::decode)?;
    match decoded.unwrap_or(Ok(BaseRecord::default())) {
        Ok(record) => Ok(record),
        Err(Unreadable::Corrupt(error)) => Err(BaseError::record(meta::BASE_KEY, &error)),
        Err(Unreadable::Newer(version)) => Err(BaseError::Version {
            file: "base record".into(),
            found: version.into(),
            known: crate::record::RECORD_VERSION.into(),
        }),
    }
}

/// The object at a main record's key.
pub(crate) fn load(view: &impl View, main_key: &[u8]) -> Result<Option<Loaded>, BaseError> {
    let start = view.get(main_key, start)?;
    start.map(|start| finish(view, main_key, start)).transpose()
}

/// A main record's content: the object, and whether its elements are still to come.
type Start = Result<(Loaded, bool), Corrupt>;

fn start(value: &[u8]) -> Start {
    let main = Main::decode(value)?;
    Ok((Loaded { value: main.value()?, deadline: main.deadline }, !main.single))
}

/// What a main record alone tells.
pub(crate) fn hollow(main_key: &[u8], value: &[u8]) -> Result<Loaded, BaseError> {
    let started = start(value).map_err(|error| BaseError::record(main_key, &error))?;
    Ok(match started {
        (loaded, true) => Loaded { value: Value::Hollow(loaded.value.kind()), ..loaded },
        (loaded, false) => loaded,
    })
}

/// Completes what a main record began.
fn finish(view: &impl View, main_key: &[u8], start: Start) -> Result<Loaded, BaseError> {
    let (mut loaded, large) = start.map_err(|error| BaseError::record(main_key, &error))?;
    if large {
        elements(view, main_key, |key, subkey, value| {
            let taken = loaded.value.load_element(subkey, value);
            taken.map_err(|error| BaseError::record(key, &error))
        })?;
    }
    Ok(loaded)
}

fn elements(
    view: &impl View,
    main_key: &[u8],
    mut take: impl FnMut(&[u8], &[u8], &[u8]) -> Result<(), BaseError>,
) -> Result<(), BaseError> {
    let mut cursor = view.cursor(main_key, &range_end(main_key));
    while let Some((key, value)) = cursor.item() {
        match key.get(main_key.len()..).and_then(<[u8]>::split_first) {
            None => {}
            Some((&ELEMENT, subkey)) => take(key, subkey, value)?,
            Some(_) => return Err(BaseError::record(key, &Corrupt("element"))),
        }
        cursor.next();
    }
    cursor.status()
}

/// All records of a key, without the mark of elements.
pub(crate) fn records(view: &impl View, main_key: &[u8]) -> Result<Vec<RawRecord>, BaseError> {
    let main = view.get(main_key, |value| (Vec::new(), value.to_vec()))?;
    let mut records: Vec<RawRecord> = main.into_iter().collect();
    elements(view, main_key, |_, subkey, value| {
        records.push((subkey.to_vec(), value.to_vec()));
        Ok(())
    })?;
    Ok(records)
}

/// Main records from a hash on; the elements between them are jumped over.
pub(crate) fn scan(
    view: &impl View,
    bucket: u16,
    db: u32,
    from_hash: u32,
    limit: usize,
) -> Result<(Vec<ScannedKey>, Option<u32>), BaseError> {
    let mut from = Vec::new();
    put_db_prefix(&mut from, bucket, db);
    let to = range_end(&from);
    from.extend_from_slice(&from_hash.to_be_bytes());
    let mut cursor = view.cursor(&from, &to);
    let mut keys: Vec<ScannedKey> = Vec::new();
    let mut beyond = Vec::new();
    while let Some((bytes, value)) = cursor.item() {
        let failed = |error: Corrupt| BaseError::record(bytes, &error);
        let key = RecordKey::decode(bytes).map_err(failed)?;
        if keys.len() >= limit.max(1) && keys.last().is_some_and(|last| last.hash != key.hash) {
            return Ok((keys, Some(key.hash)));
        }
        let main = Main::decode(value).map_err(failed)?;
        if !key.subkey.is_empty() {
            return Err(failed(Corrupt("element without a main")));
        }
        keys.push(ScannedKey {
            hash: key.hash,
            key: SmallBytes::new(key.key),
            kind: main.kind,
            deadline: main.deadline,
        });
        if main.single {
            cursor.next();
        } else {
            beyond.clear();
            beyond.extend_from_slice(bytes);
            to_range_end(&mut beyond);
            cursor.seek(&beyond);
        }
    }
    cursor.status()?;
    Ok((keys, None))
}

/// One page of a scan, with the index it speaks of.
pub(crate) fn scanned(index: u64, page: (Vec<ScannedKey>, Option<u32>)) -> Scanned {
    Scanned { index, keys: page.0, next: page.1 }
}

/// Where a walk over the deadlines begins that continues after `due`.
pub(crate) fn deadlines_after(due: &Due) -> Vec<u8> {
    // No key lies between a key and the same with a zero byte behind it.
    let mut key = meta::deadline_key(due.deadline, &main_key((&due.key).into()));
    key.push(0);
    key
}

/// Keys whose deadline passed, of the deadline records from `from` on; and the first record that
/// was not stale, or where the walk ended.
pub(crate) fn due(
    view: &impl View,
    from: &[u8],
    until_ms: i64,
    limit: usize,
) -> Result<(Vec<Due>, Vec<u8>), BaseError> {
    let to = until_ms.checked_add(1).map_or_else(|| meta::END.to_vec(), meta::deadline_head);
    let mut found = Vec::new();
    let mut head = None;
    let mut cursor = view.cursor(from, &to);
    while let Some((bytes, _)) = cursor.item().filter(|_| found.len() < limit) {
        let failed = |error: Corrupt| BaseError::record(bytes, &error);
        let (deadline, main_key) = meta::decode_deadline(bytes).map_err(failed)?;
        let current = view.get(main_key, |value| Main::decode(value).map(|main| main.deadline))?;
        if current.transpose().map_err(failed)?.flatten() == Some(deadline) {
            head.get_or_insert_with(|| bytes.to_vec());
            let key = RecordKey::decode(main_key).map_err(failed)?;
            found.push(Due {
                deadline,
                key: OwnedKey {
                    bucket: key.bucket,
                    db: key.db,
                    hash: key.hash,
                    key: SmallBytes::new(key.key),
                },
            });
        }
        cursor.next();
    }
    cursor.status()?;
    Ok((found, head.unwrap_or(if limit > 0 { to } else { from.to_vec() })))
}

/// The first deadline at or after `from_ms`, whether or not it still holds.
pub(crate) fn next_deadline(view: &impl View, from_ms: i64) -> Result<Option<i64>, BaseError> {
    let cursor = view.cursor(&meta::deadline_head(from_ms), meta::END);
    let Some((bytes, _)) = cursor.item() else { return cursor.status().map(|()| None) };
    let decoded = meta::decode_deadline(bytes);
    decoded.map(|(deadline, _)| Some(deadline)).map_err(|error| BaseError::record(bytes, &error))
}

/// The stored counters.
pub(crate) fn totals(view: &impl View) -> Result<Totals, BaseError> {
    let mut totals = Totals::new();
    let mut cursor = view.cursor(meta::COUNTS, meta::DEADLINES);
    while let Some((key, value)) = cursor.item() {
        let (place, count) =
            meta::decode_count(key, value).map_err(|error| BaseError::record(key, &error))?;
        totals.insert(place, count);
        cursor.next();
    }
    cursor.status()?;
    Ok(totals)
}
