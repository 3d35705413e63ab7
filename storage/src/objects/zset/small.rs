//! The compact form of a sorted set: one byte string, read from the front.
//!
//! An entry is the member, length-delimited, and its score as 8 little-endian bytes; entries stand
//! in the order of (score, member). The bytes are the record too, unchanged. Everything is a walk,
//! which for the hundred short entries this form is for is quicker than any index.

use crate::objects::Corrupt;
use crate::varint;
use std::ops::Range;

const SCORE_BYTES: usize = size_of::<f64>();

#[derive(Clone, Default)]
pub struct Small {
    bytes: Vec<u8>,
    len: usize,
}

/// A member where it was found.
pub struct Found {
    pub rank: usize,
    pub score: f64,
    /// Its bytes in the string.
    place: Range<usize>,
}

impl Small {
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn heap_bytes(&self) -> usize {
        self.bytes.capacity()
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Reads what [`Small::as_bytes`] gave; refuses entries out of order.
    pub fn decode(bytes: &[u8]) -> Result<Small, Corrupt> {
        let mut small = Small { bytes: bytes.to_vec(), len: 0 };
        let (mut left, mut last) = (bytes, None);
        while !left.is_empty() {
            let entry = take(&mut left).ok_or(Corrupt("sorted set"))?;
            if entry.1.is_nan() || last.is_some_and(|(member, score)| !before(score, member, entry))
            {
                return Err(Corrupt("sorted set"));
            }
            last = Some(entry);
            small.len += 1;
        }
        Ok(small)
    }

    /// Members and scores in order.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], f64)> {
        let mut left = &self.bytes[..];
        std::iter::from_fn(move || take(&mut left))
    }

    pub fn find(&self, member: &[u8]) -> Option<Found> {
        let mut left = &self.bytes[..];
        for rank in 0.. {
            let start = self.bytes.len() - left.len();
            let (known, score) = take(&mut left)?;
            if known == member {
                return Some(Found { rank, score, place: start..self.bytes.len() - left.len() });
            }
        }
        None
    }

    /// Adds a member that the caller knows to be absent. As in a listpack -0 becomes 0.
    pub fn insert(&mut self, member: &[u8], score: f64) {
        let mut left = &self.bytes[..];
        let mut place = 0;
        while let Some((known, at)) = take(&mut left) {
            if !before(at, known, (member, score)) {
                break;
            }
            place = self.bytes.len() - left.len();
        }
        let mut entry = Vec::with_capacity(member.len() + SCORE_BYTES + 2);
        varint::put_bytes(&mut entry, member);
        entry.extend_from_slice(&(score + 0.0).to_le_bytes());
        self.bytes.reserve_exact(entry.len());
        self.bytes.splice(place..place, entry);
        self.len += 1;
    }

    pub fn remove(&mut self, found: Found) {
        self.bytes.drain(found.place);
        self.len -= 1;
    }

    /// Takes out the entries of these ranks, which exist.
    pub fn remove_ranks(&mut self, ranks: Range<usize>) {
        let mut left = &self.bytes[..];
        let mut skip = |entries: usize| {
            for _ in 0..entries {
                take(&mut left);
            }
            self.bytes.len() - left.len()
        };
        let start = skip(ranks.start);
        let end = skip(ranks.len());
        self.bytes.drain(start..end);
        self.len -= ranks.len();
    }
}

/// Whether (score, member) stands before the entry.
fn before(score: f64, member: &[u8], entry: (&[u8], f64)) -> bool {
    score < entry.1 || (score == entry.1 && member < entry.0)
}

fn take<'a>(left: &mut &'a [u8]) -> Option<(&'a [u8], f64)> {
    let member = varint::take_bytes(left)?;
    let (score, rest) = left.split_first_chunk::<SCORE_BYTES>()?;
    *left = rest;
    Some((member, f64::from_le_bytes(*score)))
}
