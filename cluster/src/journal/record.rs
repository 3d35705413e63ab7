//! The record: what a segment is a row of.
//!
//! A record is a 52-byte head and a payload. Its checksum covers all of it and begins from the
//! segment's own checksum and the record's offset, so a record is valid only at the place it was
//! written to: a stale block of another file, or of this place in an earlier life, cannot pass.
//!
//! | at | bytes | what |
//! |---|---|---|
//! | 0 | 4 | payload length |
//! | 4 | 4 | CRC-32C |
//! | 8 | 1 | kind |
//! | 9 | 1 | marks: 1 first, 2 last entry of a run (C6) |
//! | 10 | 2 | zero |
//! | 12 | 24 | log id: term, node, index |
//! | 36 | 8 | the Writer's wall time, ms |
//! | 44 | 8 | index known to be synced when this was written: see `recover` |
//!
//! Numbers are little endian. The payload of an entry that is no run is a row of batches, each
//! after its length as u32; the payloads of a run, joined, are one batch and nothing else.

use super::LogId;

/// Bytes before the payload.
pub(super) const HEAD: usize = 52;
/// Marks of an entry: first and last of its run; an ordinary entry is both.
pub(super) const FIRST: u8 = 1;
pub(super) const LAST: u8 = 2;

const CRC_AT: usize = 4;
const KIND_AT: usize = 8;
const TIME_AT: usize = 36;
const SYNCED_AT: usize = 44;

/// What a record says. A solo journal writes the first three; the others are the group's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    /// Batches, or a part of one.
    Entry = 1,
    /// The voters.
    Membership = 2,
    /// This node's vote: the term it is in, and for whom.
    Vote = 3,
    /// The commit index, written now and then, never synced for its own sake.
    Committed = 4,
    /// Entries above the log id are void.
    Truncate = 5,
    /// Entries up to the log id may be gone.
    Purge = 6,
}

impl Kind {
    pub fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            1 => Self::Entry,
            2 => Self::Membership,
            3 => Self::Vote,
            4 => Self::Committed,
            5 => Self::Truncate,
            6 => Self::Purge,
            _ => return None,
        })
    }

    /// Whether it takes an index of the log.
    pub fn is_entry(self) -> bool {
        matches!(self, Self::Entry | Self::Membership)
    }
}

/// A decoded head.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    pub payload: usize,
    crc: u32,
    pub kind: u8,
    pub marks: u8,
    zero: u16,
    pub id: LogId,
    pub time_ms: u64,
    pub synced: u64,
}

impl Head {
    /// Decodes a head; `None` when there are too few bytes. Checks nothing.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        Some(Self {
            payload: u32_at(bytes, 0)? as usize,
            crc: u32_at(bytes, CRC_AT)?,
            kind: *bytes.get(KIND_AT)?,
            marks: *bytes.get(9)?,
            zero: u16::from_le_bytes(bytes.get(10..12)?.try_into().ok()?),
            id: LogId {
                term: u64_at(bytes, 12)?,
                node: u64_at(bytes, 20)?,
                index: u64_at(bytes, 28)?,
            },
            time_ms: u64_at(bytes, TIME_AT)?,
            synced: u64_at(bytes, SYNCED_AT)?,
        })
    }

    /// Bytes of the whole record.
    pub fn size(&self) -> usize {
        self.payload.saturating_add(HEAD)
    }

    /// Whether `record`, all of it, is what was written at `offset` of the segment of `seed`.
    pub fn is_valid(&self, record: &[u8], seed: u32, offset: u64) -> bool {
        self.zero == 0 && record.len() == self.size() && self.crc == crc(record, seed, offset)
    }
}

/// Appends a head without length, checksum and synced index to `out`.
pub(super) fn begin(out: &mut Vec<u8>, kind: Kind, marks: u8, id: LogId, time_ms: u64) {
    out.extend_from_slice(&[0; KIND_AT]);
    out.extend_from_slice(&[kind as u8, marks, 0, 0]);
    for number in [id.term, id.node, id.index, time_ms, 0] {
        out.extend_from_slice(&number.to_le_bytes());
    }
}

/// Fills in the length of the record that began at `at` and ends with `out`.
pub(super) fn finish(out: &mut [u8], at: usize) {
    let payload = out.len().saturating_sub(at).saturating_sub(HEAD);
    put(out, at, &u32::try_from(payload).unwrap_or(u32::MAX).to_le_bytes());
}

/// Moves the time of the record that began at `at`.
pub(super) fn set_time(out: &mut [u8], at: usize, time_ms: u64) {
    put(out, at.saturating_add(TIME_AT), &time_ms.to_le_bytes());
}

/// Fills in what is known only when a finished record is written: synced index and checksum.
pub(super) fn seal(record: &mut [u8], seed: u32, offset: u64, synced: u64) {
    put(record, SYNCED_AT, &synced.to_le_bytes());
    let crc = crc(record, seed, offset);
    put(record, CRC_AT, &crc.to_le_bytes());
}

fn crc(record: &[u8], seed: u32, offset: u64) -> u32 {
    let crc = crc32c::crc32c_append(seed, &offset.to_le_bytes());
    let crc = crc32c::crc32c_append(crc, record.get(..CRC_AT).unwrap_or_default());
    crc32c::crc32c_append(crc, record.get(KIND_AT..).unwrap_or_default())
}

fn put(out: &mut [u8], at: usize, bytes: &[u8]) {
    if let Some(to) = out.get_mut(at..at.saturating_add(bytes.len())) {
        to.copy_from_slice(bytes);
    }
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

pub(super) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at.checked_add(8)?)?.try_into().ok()?))
}
