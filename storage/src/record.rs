//! Records and changes: the bytes that are stored, journaled, moved.
//!
//! A record is `(bucket, db, key, subkey) -> value` (C19). Its key is
//! `bucket u16 BE | physical db u32 BE | hash u32 BE | key length u32 BE | key | subkey`, so that a
//! bucket, a db of a bucket and a key are each one contiguous range, and the keys of a bucket lie
//! in the order of their hashes. The record with the empty subkey is the main record; its value is
//! `kind u8 | flags u8 | deadline i64 LE if flagged | payload`.
//!
//! A change is one step of a batch, in the order of execution. A batch is what one atomic
//! execution changed; it is opaque to the journal. Layout version 1, said by the directory's
//! identity.

use crate::bytes::SmallBytes;
use crate::objects::{Corrupt, Kind, Value};
use crate::varint;

/// Number of client databases.
pub const DBS: usize = 16;
/// Version of the layouts in this file, stored with a data directory.
pub const RECORD_VERSION: u16 = 1;

const FLAG_SINGLE: u8 = 1;
const FLAG_DEADLINE: u8 = 2;

/// Appends the prefix that all records of a key share.
pub fn put_key_prefix(out: &mut Vec<u8>, bucket: u16, db: u32, hash: u32, key: &[u8]) {
    put_db_prefix(out, bucket, db);
    out.extend_from_slice(&hash.to_be_bytes());
    out.extend_from_slice(&(key.len() as u32).to_be_bytes());
    out.extend_from_slice(key);
}

/// Appends the prefix that all records of one db of a bucket share.
pub fn put_db_prefix(out: &mut Vec<u8>, bucket: u16, db: u32) {
    out.extend_from_slice(&bucket.to_be_bytes());
    out.extend_from_slice(&db.to_be_bytes());
}

/// A record's key, taken apart.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub struct RecordKey<'a> {
    pub bucket: u16,
    pub db: u32,
    pub hash: u32,
    pub key: &'a [u8],
    pub subkey: &'a [u8],
}

impl<'a> RecordKey<'a> {
    pub fn decode(bytes: &'a [u8]) -> Result<RecordKey<'a>, Corrupt> {
        fn take<const N: usize>(input: &mut &[u8]) -> Option<[u8; N]> {
            let (head, rest) = input.split_first_chunk::<N>()?;
            *input = rest;
            Some(*head)
        }
        let mut rest = bytes;
        let decoded = (|| {
            let bucket = u16::from_be_bytes(take(&mut rest)?);
            let db = u32::from_be_bytes(take(&mut rest)?);
            let hash = u32::from_be_bytes(take(&mut rest)?);
            let len = u32::from_be_bytes(take(&mut rest)?);
            let (key, subkey) = rest.split_at_checked(len as usize)?;
            Some(RecordKey { bucket, db, hash, key, subkey })
        })();
        decoded.ok_or(Corrupt("record key"))
    }
}

/// A main record's value, taken apart.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub struct Main<'a> {
    pub kind: Kind,
    /// The payload is the whole object; else its elements are records of their own.
    pub single: bool,
    /// Milliseconds since the epoch at which the key expires.
    pub deadline: Option<i64>,
    pub payload: &'a [u8],
}

impl<'a> Main<'a> {
    pub fn decode(bytes: &'a [u8]) -> Result<Main<'a>, Corrupt> {
        let decoded = (|| {
            let (&[kind, flags], rest) = bytes.split_first_chunk::<2>()?;
            let kind = Kind::from_u8(kind)?;
            let (deadline, payload) = if flags & FLAG_DEADLINE != 0 {
                let (deadline, payload) = rest.split_first_chunk::<8>()?;
                (Some(i64::from_le_bytes(*deadline)), payload)
            } else {
                (None, rest)
            };
            Some(Main { kind, single: flags & FLAG_SINGLE != 0, deadline, payload })
        })();
        decoded.ok_or(Corrupt("main"))
    }

    /// The value in memory; a large one is still without elements.
    pub fn value(&self) -> Result<Value, Corrupt> {
        Value::decode(self.kind, self.single, self.payload)
    }
}

/// Appends the main record's value of an object.
pub fn put_main(out: &mut Vec<u8>, value: &Value, deadline: Option<i64>) {
    let single = if value.is_single() { FLAG_SINGLE } else { 0 };
    let dated = if deadline.is_some() { FLAG_DEADLINE } else { 0 };
    out.extend_from_slice(&[value.kind() as u8, single | dated]);
    if let Some(deadline) = deadline {
        out.extend_from_slice(&deadline.to_le_bytes());
    }
    value.encode(out);
}

/// One step of a batch.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub enum Change<'a> {
    /// The main record of `key` is now `value`; `created`: the key did not exist before.
    Put { bucket: u16, db: u32, key: &'a [u8], created: bool, value: &'a [u8] },
    /// Elements of a large object were put or deleted: `ops` as `objects::decode_ops` reads them.
    Elements { bucket: u16, db: u32, key: &'a [u8], ops: &'a [u8] },
    /// The key is gone with all its records; `wide`: it may have had element records.
    Delete { bucket: u16, db: u32, key: &'a [u8], wide: bool },
    /// Everything of physical db `db` in the buckets `from..=to` is gone.
    Clear { db: u32, from: u16, to: u16 },
    /// The client databases are now these physical ones (FLUSHDB, FLUSHALL, SWAPDB).
    MapDbs { map: [u32; DBS] },
}

const PUT: u8 = 1;
const PUT_NEW: u8 = 2;
const ELEMENTS: u8 = 3;
const DELETE: u8 = 4;
const DELETE_WIDE: u8 = 5;
const CLEAR: u8 = 6;
const MAP_DBS: u8 = 7;

fn put_head(out: &mut Vec<u8>, tag: u8, bucket: u16, db: u32, key: &[u8]) {
    out.push(tag);
    out.extend_from_slice(&bucket.to_le_bytes());
    varint::put(out, u64::from(db));
    varint::put_bytes(out, key);
}

/// Appends `Change::Put` of an object, without encoding its value twice.
pub fn put_object(
    out: &mut Vec<u8>,
    bucket: u16,
    db: u32,
    key: &[u8],
    created: bool,
    value: &Value,
    deadline: Option<i64>,
) {
    put_head(out, if created { PUT_NEW } else { PUT }, bucket, db, key);
    // The length stands in four bytes so that it can be filled in afterwards.
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    put_main(out, value, deadline);
    let len = (out.len() - start - 4) as u32;
    if let Some(place) = out.get_mut(start..start + 4) {
        place.copy_from_slice(&len.to_le_bytes());
    }
}

impl<'a> Change<'a> {
    pub fn encode(&self, out: &mut Vec<u8>) {
        match *self {
            Change::Put { bucket, db, key, created, value } => {
                put_head(out, if created { PUT_NEW } else { PUT }, bucket, db, key);
                out.extend_from_slice(&(value.len() as u32).to_le_bytes());
                out.extend_from_slice(value);
            }
            Change::Elements { bucket, db, key, ops } => {
                put_head(out, ELEMENTS, bucket, db, key);
                varint::put_bytes(out, ops);
            }
            Change::Delete { bucket, db, key, wide } => {
                put_head(out, if wide { DELETE_WIDE } else { DELETE }, bucket, db, key);
            }
            Change::Clear { db, from, to } => {
                out.push(CLEAR);
                varint::put(out, u64::from(db));
                out.extend_from_slice(&from.to_le_bytes());
                out.extend_from_slice(&to.to_le_bytes());
            }
            Change::MapDbs { map } => {
                out.push(MAP_DBS);
                map.iter().for_each(|db| varint::put(out, u64::from(*db)));
            }
        }
    }

    /// Takes the next change off the front of a batch; `Ok(None)` at its end.
    pub fn take(batch: &mut &'a [u8]) -> Result<Option<Change<'a>>, Corrupt> {
        let Some((&tag, rest)) = batch.split_first() else { return Ok(None) };
        *batch = rest;
        Change::take_body(tag, batch).map(Some).ok_or(Corrupt("change"))
    }

    fn take_body(tag: u8, input: &mut &'a [u8]) -> Option<Change<'a>> {
        match tag {
            CLEAR => {
                let db = u32::try_from(varint::take(input)?).ok()?;
                Some(Change::Clear { db, from: take_u16(input)?, to: take_u16(input)? })
            }
            MAP_DBS => {
                let mut map = [0; DBS];
                for db in &mut map {
                    *db = u32::try_from(varint::take(input)?).ok()?;
                }
                Some(Change::MapDbs { map })
            }
            _ => {
                let bucket = take_u16(input)?;
                let db = u32::try_from(varint::take(input)?).ok()?;
                let key = varint::take_bytes(input)?;
                match tag {
                    PUT | PUT_NEW => {
                        let (len, rest) = input.split_first_chunk::<4>()?;
                        let (value, rest) =
                            rest.split_at_checked(u32::from_le_bytes(*len) as usize)?;
                        *input = rest;
                        Some(Change::Put { bucket, db, key, created: tag == PUT_NEW, value })
                    }
                    ELEMENTS => {
                        Some(Change::Elements { bucket, db, key, ops: varint::take_bytes(input)? })
                    }
                    DELETE | DELETE_WIDE => {
                        Some(Change::Delete { bucket, db, key, wide: tag == DELETE_WIDE })
                    }
                    _ => None,
                }
            }
        }
    }
}

fn take_u16(input: &mut &[u8]) -> Option<u16> {
    let (head, rest) = input.split_first_chunk::<2>()?;
    *input = rest;
    Some(u16::from_le_bytes(*head))
}

/// Goes through the changes of a batch in order; ends after the first error.
pub fn changes(batch: &[u8]) -> impl Iterator<Item = Result<Change<'_>, Corrupt>> {
    let mut rest = batch;
    std::iter::from_fn(move || {
        let change = Change::take(&mut rest).transpose();
        if matches!(change, Some(Err(_))) {
            rest = &[];
        }
        change
    })
}

/// The key of an object with what routes and orders it, for callers that keep it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedKey {
    pub bucket: u16,
    pub db: u32,
    pub hash: u32,
    pub key: SmallBytes,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::Str;

    #[test]
    fn changes_come_back_and_cut_batches_are_refused() {
        let all = [
            Change::Put { bucket: 1, db: 0, key: b"k", created: true, value: b"v" },
            Change::Put { bucket: 1000, db: 70000, key: b"", created: false, value: &[7; 300] },
            Change::Elements { bucket: 3, db: 1, key: b"h", ops: b"\x00\x01f" },
            Change::Delete { bucket: 4, db: 2, key: &[0xff; 200], wide: true },
            Change::Delete { bucket: 4, db: 2, key: b"x", wide: false },
            Change::Clear { db: 5, from: 1, to: 1000 },
            Change::MapDbs { map: std::array::from_fn(|db| db as u32 * 1000) },
        ];
        let mut batch = Vec::new();
        let mut ends = vec![0];
        for change in &all {
            change.encode(&mut batch);
            ends.push(batch.len());
        }
        let back: Vec<Change> = changes(&batch).map(Result::unwrap).collect();
        assert_eq!(back, all);
        for cut in 0..batch.len() {
            let whole = changes(&batch[..cut]).all(|change| change.is_ok());
            assert_eq!(whole, ends.contains(&cut), "cut at {cut}");
        }
    }

    #[test]
    fn an_object_put_is_a_put_of_its_main_record() {
        let value = Value::Str(Str::new(b"hello"));
        let mut batch = Vec::new();
        put_object(&mut batch, 9, 3, b"key", true, &value, Some(77));
        let change = changes(&batch).next().unwrap().unwrap();
        let Change::Put { bucket: 9, db: 3, key: b"key", created: true, value } = change else {
            panic!("{change:?}");
        };
        let main = Main::decode(value).unwrap();
        assert_eq!((main.kind, main.single, main.deadline), (Kind::String, true, Some(77)));
        assert_eq!(main.payload, b"\x00hello");
    }

    #[test]
    fn record_keys_order_by_bucket_db_hash_and_come_back() {
        let mut a = Vec::new();
        put_key_prefix(&mut a, 1, 2, 3, b"key");
        let mut b = a.clone();
        b.extend_from_slice(b"sub");
        let decoded = RecordKey::decode(&b).unwrap();
        assert_eq!(decoded, RecordKey { bucket: 1, db: 2, hash: 3, key: b"key", subkey: b"sub" });
        let mut later = Vec::new();
        put_key_prefix(&mut later, 1, 2, 4, b"a");
        assert!(a < b && b < later);
        assert!(RecordKey::decode(&a[..a.len() - 1]).is_err());
    }
}
