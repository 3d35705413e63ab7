//! Many short byte strings in one allocation.
//!
//! A hash of ten small fields would otherwise be twenty allocations. Entries stand one after the
//! other, each its length as a varint and its bytes; a [`TwoWay`] pack adds the size of both
//! behind every entry, so that it can be walked from its end. Positions are byte offsets of
//! entries (or the end); they stay right until something before them changes.
//!
//! Looking something up is a walk, so packs are for small collections and for pieces of lists.
//! What a pack holds is also its record ([`Pack::as_bytes`]).

use super::Corrupt;
use crate::varint;

/// Up to this many bytes a pack is allocated exactly (in steps of 16), above with slack.
const EXACT_MAX: usize = 512;

/// A sequence of byte strings. With `BACK` it can be walked backwards.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Pack<const BACK: bool = false> {
    bytes: Vec<u8>,
    len: u32,
}

/// A pack with back lengths.
pub type TwoWay = Pack<true>;

/// The size of the length in front of an entry, and the length.
#[inline]
fn header(bytes: &[u8]) -> Option<(usize, usize)> {
    let &first = bytes.first()?;
    if first < 0x80 {
        return Some((1, usize::from(first)));
    }
    let mut rest = bytes;
    let len = usize::try_from(varint::take(&mut rest)?).ok()?;
    Some((bytes.len() - rest.len(), len))
}

/// Bytes that `n` takes as a varint.
#[inline]
fn width(n: usize) -> usize {
    let bits = usize::BITS - (n | 1).leading_zeros();
    bits.div_ceil(7) as usize
}

/// Writes `n` as a varint over the start of `place`, first byte first.
#[inline]
fn write_varint<'p>(place: impl Iterator<Item = &'p mut u8>, mut n: usize) {
    for byte in place {
        let low = (n & 0x7f) as u8;
        n >>= 7;
        *byte = if n > 0 { low | 0x80 } else { low };
        if n == 0 {
            break;
        }
    }
}

impl<const BACK: bool> Pack<BACK> {
    pub fn new() -> Self {
        Pack { bytes: Vec::new(), len: 0 }
    }

    /// Room for `bytes` bytes of entries, their lengths included.
    pub fn with_capacity(bytes: usize) -> Self {
        Pack { bytes: Vec::with_capacity(bytes), len: 0 }
    }

    /// Reads what [`Pack::as_bytes`] gave; every length is checked.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Corrupt> {
        let mut rest = bytes;
        let mut len = 0u32;
        while !rest.is_empty() {
            let (head, content) = header(rest).ok_or(Corrupt("pack"))?;
            let size = head.checked_add(content).ok_or(Corrupt("pack"))?;
            rest = rest.get(size..).ok_or(Corrupt("pack"))?;
            if BACK {
                let (back, tail) = rest.split_at_checked(width(size)).ok_or(Corrupt("pack"))?;
                let mut expected = [0; 10];
                write_varint(expected.iter_mut(), size);
                if !back.iter().rev().eq(expected.iter().take(back.len())) {
                    return Err(Corrupt("pack"));
                }
                rest = tail;
            }
            len = len.checked_add(1).ok_or(Corrupt("pack"))?;
        }
        Ok(Pack { bytes: bytes.to_vec(), len })
    }

    /// The entries as they are stored.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Number of entries.
    #[inline]
    pub fn len(&self) -> usize {
        self.len as usize
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The offset behind the last entry.
    #[inline]
    pub fn end(&self) -> usize {
        self.bytes.len()
    }

    pub fn heap_bytes(&self) -> usize {
        self.bytes.capacity()
    }

    /// Bytes that an entry of `len` bytes takes in a pack.
    #[inline]
    pub fn entry_size(len: usize) -> usize {
        let size = width(len) + len;
        if BACK { size + width(size) } else { size }
    }

    /// The entry at `offset`, and the offset of the next one. `None` at the end.
    #[inline]
    pub fn at(&self, offset: usize) -> Option<(&[u8], usize)> {
        let rest = self.bytes.get(offset..)?;
        let (head, len) = header(rest)?;
        let content = rest.get(head..head + len)?;
        let size = head + len;
        Some((content, offset + if BACK { size + width(size) } else { size }))
    }

    /// The entry at `offset`; `None` at the end.
    #[inline]
    pub fn get(&self, offset: usize) -> Option<&[u8]> {
        self.at(offset).map(|(entry, _)| entry)
    }

    /// The offset `count` entries after `offset`; the end when there are fewer.
    #[inline]
    pub fn skip(&self, mut offset: usize, count: usize) -> usize {
        for _ in 0..count {
            match self.at(offset) {
                Some((_, next)) => offset = next,
                None => return self.end(),
            }
        }
        offset
    }

    /// The offset of the entry with this index; the end when there are fewer.
    pub fn offset(&self, index: usize) -> usize {
        if index >= self.len() {
            return self.end();
        }
        self.skip(0, index)
    }

    /// The offset of the first entry equal to `wanted`, looking at the one at `from` and from
    /// there at every `step`-th.
    #[inline]
    pub fn find(&self, from: usize, step: usize, wanted: &[u8]) -> Option<usize> {
        let mut offset = from;
        loop {
            let (entry, next) = self.at(offset)?;
            if entry.len() == wanted.len() && entry.first() == wanted.first() && entry == wanted {
                return Some(offset);
            }
            offset = self.skip(next, step - 1);
        }
    }

    pub fn iter(&self) -> Iter<'_, BACK> {
        self.iter_at(0)
    }

    /// Entries from `offset` on.
    pub fn iter_at(&self, offset: usize) -> Iter<'_, BACK> {
        Iter { pack: self, front: offset, back: self.end() }
    }

    pub fn push_back(&mut self, entry: &[u8]) {
        self.insert(self.end(), entry);
    }

    pub fn push_front(&mut self, entry: &[u8]) {
        self.insert(0, entry);
    }

    /// Puts `entry` before the one at `offset`.
    #[inline]
    pub fn insert(&mut self, offset: usize, entry: &[u8]) {
        self.splice(offset, 0, entry.len());
        self.fill(offset, entry);
        self.len += 1;
    }

    /// Puts `entry` in the place of the one at `offset`; false at the end.
    #[inline]
    pub fn replace(&mut self, offset: usize, entry: &[u8]) -> bool {
        let Some((_, next)) = self.at(offset) else { return false };
        self.splice(offset, next - offset, entry.len());
        self.fill(offset, entry);
        true
    }

    /// Removes `count` entries from `offset` on (fewer at the end); returns how many.
    pub fn remove(&mut self, offset: usize, count: usize) -> usize {
        let mut next = offset;
        let mut removed = 0;
        while removed < count
            && let Some((_, after)) = self.at(next)
        {
            next = after;
            removed += 1;
        }
        self.bytes.drain(offset.min(next)..next);
        self.len -= removed as u32;
        self.shrink();
        removed
    }

    /// Keeps the groups of `group` entries for whose first entry `keep` says true.
    pub fn retain(&mut self, group: usize, mut keep: impl FnMut(&[u8]) -> bool) {
        let mut kept = Self::with_capacity(self.bytes.len());
        let mut offset = 0;
        while let Some((first, next)) = self.at(offset) {
            let mut after = next;
            let mut count = 1;
            while count < group
                && let Some((_, next)) = self.at(after)
            {
                after = next;
                count += 1;
            }
            if keep(first) {
                kept.bytes.extend_from_slice(self.bytes.get(offset..after).unwrap_or_default());
                kept.len += count as u32;
            }
            offset = after;
        }
        if kept.len != self.len {
            kept.bytes.shrink_to_fit();
            *self = kept;
        }
    }

    /// Adds all entries of `other` behind the own ones.
    pub fn append(&mut self, other: &Self) {
        self.reserve(other.bytes.len());
        self.bytes.extend_from_slice(&other.bytes);
        self.len += other.len;
    }

    /// Cuts the pack before the entry at `offset` and returns what was behind.
    pub fn split_off(&mut self, offset: usize) -> Self {
        let offset = offset.min(self.end());
        let mut tail = Pack { bytes: self.bytes.split_off(offset), len: 0 };
        tail.bytes.shrink_to_fit();
        tail.len = tail.iter().count() as u32;
        self.len -= tail.len;
        self.bytes.shrink_to_fit();
        tail
    }

    pub fn clear(&mut self) {
        *self = Self::new();
    }

    /// Returns memory that is not in use.
    pub fn shrink_to_fit(&mut self) {
        self.bytes.shrink_to_fit();
    }

    /// Makes the `old` bytes at `offset` as many as an entry of `len` bytes needs.
    #[inline]
    fn splice(&mut self, offset: usize, old: usize, len: usize) {
        let size = Self::entry_size(len);
        let end = self.bytes.len();
        if size > old {
            self.reserve(size - old);
            self.bytes.resize(end + (size - old), 0);
            if offset + old < end {
                self.bytes.copy_within(offset + old..end, offset + size);
            }
        } else if size < old {
            self.bytes.copy_within(offset + old..end, offset + size);
            self.bytes.truncate(end - (old - size));
            self.shrink();
        }
    }

    /// Writes an entry over the place made for it.
    #[inline]
    fn fill(&mut self, offset: usize, entry: &[u8]) {
        let size = Self::entry_size(entry.len());
        let Some(place) = self.bytes.get_mut(offset..offset + size) else { return };
        let head = width(entry.len());
        let (length, place) = place.split_at_mut(head);
        write_varint(length.iter_mut(), entry.len());
        let (content, back) = place.split_at_mut(entry.len());
        content.copy_from_slice(entry);
        if BACK {
            write_varint(back.iter_mut().rev(), head + entry.len());
        }
    }

    /// Grows the allocation little more than needed: what counts is memory at rest.
    #[inline]
    fn reserve(&mut self, extra: usize) {
        let needed = self.bytes.len() + extra;
        if needed > self.bytes.capacity() {
            let slack = if needed <= EXACT_MAX { 0 } else { needed / 8 };
            let capacity = (needed + slack).next_multiple_of(16);
            self.bytes.reserve_exact(capacity - self.bytes.len());
        }
    }

    fn shrink(&mut self) {
        if self.bytes.capacity() > self.bytes.len() * 2 + 64 {
            self.bytes.shrink_to(self.bytes.len() + self.bytes.len() / 4);
        }
    }
}

impl TwoWay {
    /// The offset of the entry before `offset`; `None` at the start.
    #[inline]
    pub fn before(&self, offset: usize) -> Option<usize> {
        let mut size = 0usize;
        for (index, &byte) in self.bytes.get(..offset)?.iter().rev().enumerate() {
            size |= usize::from(byte & 0x7f) << (7 * index);
            if byte < 0x80 {
                return offset.checked_sub(size + index + 1);
            }
        }
        None
    }

    /// The offset of the last entry.
    pub fn last(&self) -> Option<usize> {
        self.before(self.end())
    }
}

/// Walks entries; see [`Pack::iter`].
#[derive(Clone)]
pub struct Iter<'a, const BACK: bool> {
    pack: &'a Pack<BACK>,
    front: usize,
    back: usize,
}

impl<'a, const BACK: bool> Iter<'a, BACK> {
    /// The offset of the entry that comes next.
    pub fn offset(&self) -> usize {
        self.front
    }
}

impl<'a, const BACK: bool> Iterator for Iter<'a, BACK> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        if self.front >= self.back {
            return None;
        }
        let (entry, next) = self.pack.at(self.front)?;
        self.front = next;
        Some(entry)
    }
}

impl DoubleEndedIterator for Iter<'_, true> {
    #[inline]
    fn next_back(&mut self) -> Option<Self::Item> {
        if self.front >= self.back {
            return None;
        }
        self.back = self.pack.before(self.back)?;
        self.pack.get(self.back)
    }
}

impl<'a, const BACK: bool> IntoIterator for &'a Pack<BACK> {
    type Item = &'a [u8];
    type IntoIter = Iter<'a, BACK>;
    fn into_iter(self) -> Iter<'a, BACK> {
        self.iter()
    }
}

impl<const BACK: bool> std::fmt::Debug for Pack<BACK> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter().map(String::from_utf8_lossy)).finish()
    }
}

#[cfg(test)]
mod tests;
