//! The base's own records, under bucket 0, which no key has.
//!
//! `0 u16 | 1` is the base record: `version u16 LE | index u64 LE | term u64 LE | time i64 LE |
//! mapped u8 | 16 physical dbs u32 LE`. `0 u16 | 2 | db u32 BE | bucket u16 BE` counts the live
//! keys, u64 LE. `0 u16 | 3 | deadline BE, its sign flipped | main record's key` says that the
//! key had this deadline when it was put; it is stale when the main record now says otherwise.

use crate::objects::Corrupt;
use crate::record::{DBS, RECORD_VERSION};

/// The bucket number of these records.
pub(crate) const BUCKET: u16 = 0;

pub(crate) const BASE_KEY: &[u8] = &[0, 0, 1];
pub(crate) const COUNTS: &[u8] = &[0, 0, 2];
pub(crate) const DEADLINES: &[u8] = &[0, 0, 3];
/// The end of all meta records.
pub(crate) const END: &[u8] = &[0, 1];

/// Bytes of a deadline record's key before the main record's.
const DEADLINE_HEAD: usize = 11;

/// Where in the journal a base stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BaseRecord {
    /// Index of the last journal entry in it.
    pub index: u64,
    /// That entry's term.
    pub term: u64,
    /// That entry's time, milliseconds since the epoch.
    pub time_ms: i64,
    /// Physical numbers of the client databases, once a `Change::MapDbs` was fed.
    pub db_map: Option<[u32; DBS]>,
}

/// Why a base record was not read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    Corrupt(Corrupt),
    /// Layout version of a later program.
    Newer(u16),
}

impl BaseRecord {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(27 + 4 * DBS);
        out.extend_from_slice(&RECORD_VERSION.to_le_bytes());
        out.extend_from_slice(&self.index.to_le_bytes());
        out.extend_from_slice(&self.term.to_le_bytes());
        out.extend_from_slice(&self.time_ms.to_le_bytes());
        out.push(u8::from(self.db_map.is_some()));
        for db in self.db_map.unwrap_or_default() {
            out.extend_from_slice(&db.to_le_bytes());
        }
        out
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<BaseRecord, Unreadable> {
        let corrupt = || Unreadable::Corrupt(Corrupt("base"));
        let mut rest = bytes;
        let version = u16::from_le_bytes(take(&mut rest).ok_or_else(corrupt)?);
        if version > RECORD_VERSION {
            return Err(Unreadable::Newer(version));
        }
        let decoded =
            (|| {
                let index = u64::from_le_bytes(take(&mut rest)?);
                let term = u64::from_le_bytes(take(&mut rest)?);
                let time_ms = i64::from_le_bytes(take(&mut rest)?);
                let [mapped] = take(&mut rest)?;
                let mut map = [0; DBS];
                for db in &mut map {
                    *db = u32::from_le_bytes(take(&mut rest)?);
                }
                let db_map = (mapped == 1).then_some(map);
                (version == RECORD_VERSION && mapped <= 1 && rest.is_empty())
                    .then_some(BaseRecord { index, term, time_ms, db_map })
            })();
        decoded.ok_or_else(corrupt)
    }
}

fn take<const N: usize>(input: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = input.split_first_chunk::<N>()?;
    *input = rest;
    Some(*head)
}

pub(crate) fn count_key(db: u32, bucket: u16) -> Vec<u8> {
    [COUNTS, &db.to_be_bytes(), &bucket.to_be_bytes()].concat()
}

/// `(db, bucket)` and the number of a counter record.
pub(crate) fn decode_count(key: &[u8], value: &[u8]) -> Result<((u32, u16), u64), Corrupt> {
    let decoded = (|| {
        let mut rest = key.strip_prefix(COUNTS)?;
        let db = u32::from_be_bytes(take(&mut rest)?);
        let bucket = u16::from_be_bytes(take(&mut rest)?);
        let count = u64::from_le_bytes(value.try_into().ok()?);
        rest.is_empty().then_some(((db, bucket), count))
    })();
    decoded.ok_or(Corrupt("counter"))
}

/// The key of a deadline record.
pub(crate) fn deadline_key(deadline: i64, main: &[u8]) -> Vec<u8> {
    let mut key = deadline_head(deadline);
    key.extend_from_slice(main);
    key
}

/// What the deadline records of one millisecond begin with.
pub(crate) fn deadline_head(deadline: i64) -> Vec<u8> {
    // With the sign flipped the bytes order as the numbers do.
    let ordered = (deadline as u64) ^ (1 << 63);
    [DEADLINES, &ordered.to_be_bytes()].concat()
}

/// The deadline and the main record's key in a deadline record's key.
pub(crate) fn decode_deadline(key: &[u8]) -> Result<(i64, &[u8]), Corrupt> {
    let (head, main) = key.split_at_checked(DEADLINE_HEAD).ok_or(Corrupt("deadline"))?;
    let ordered = head.strip_prefix(DEADLINES).and_then(|bytes| bytes.try_into().ok());
    let ordered = u64::from_be_bytes(ordered.ok_or(Corrupt("deadline"))?);
    Ok(((ordered ^ (1 << 63)) as i64, main))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_records_come_back_and_others_are_refused() {
        for db_map in [None, Some(std::array::from_fn(|db| db as u32 + 7))] {
            let record = BaseRecord { index: 9, term: 2, time_ms: -3, db_map };
            let bytes = record.encode();
            assert_eq!(BaseRecord::decode(&bytes), Ok(record));
            for cut in 0..bytes.len() {
                assert!(BaseRecord::decode(&bytes[..cut]).is_err());
            }
            let mut newer = bytes.clone();
            newer[0] += 1;
            assert_eq!(BaseRecord::decode(&newer), Err(Unreadable::Newer(RECORD_VERSION + 1)));
        }
    }

    #[test]
    fn deadlines_order_as_numbers_and_come_back() {
        let times = [i64::MIN, -1, 0, 1, 1 << 40, i64::MAX];
        let keys: Vec<Vec<u8>> = times.iter().map(|time| deadline_key(*time, b"m")).collect();
        assert!(keys.is_sorted());
        for (time, key) in times.iter().zip(&keys) {
            assert_eq!(decode_deadline(key), Ok((*time, &b"m"[..])));
            assert!(DEADLINES <= &key[..] && &key[..] < END);
        }
        assert_eq!(decode_count(&count_key(5, 6), &7u64.to_le_bytes()), Ok(((5, 6), 7)));
        assert!(decode_deadline(&keys[0][..10]).is_err() && decode_count(b"", b"").is_err());
    }
}
