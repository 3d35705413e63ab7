//! Many short byte strings in one allocation.
//!
//! A hash of ten small fields would otherwise be twenty allocations. Entries stand one after the
//! other, each its length as a varint and its bytes. In memory the number of entries stands in
//! front of them, and the allocation is never larger than what it holds: what counts is memory at
//! rest, and an allocator that rounds sizes up lets most additions grow in place anyway. So a pack
//! is one pointer and one length for its owner.
//!
//! Positions are byte offsets of entries (or the end); they stay right until something before them
//! changes. Looking something up is a walk, so packs are for small collections. The entries are
//! also a record ([`Pack::as_bytes`]).

use super::Corrupt;
use crate::varint;

/// Bytes of the number of entries.
const COUNT_BYTES: usize = 4;

/// A sequence of byte strings: nothing, or their number (`u32` LE) and they themselves.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Pack {
    bytes: Box<[u8]>,
}

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

/// Bytes that an entry of `len` bytes takes in a pack.
#[inline]
fn entry_size(len: usize) -> usize {
    let bits = usize::BITS - (len | 1).leading_zeros();
    let width = if len < 0x80 { 1 } else { bits.div_ceil(7) as usize };
    width + len
}

impl Pack {
    /// Begins to bring the entries near.
    #[inline]
    pub fn prefetch(&self) {
        crate::prefetch::prefetch(&*self.bytes);
    }

    pub fn new() -> Self {
        Pack::default()
    }

    /// Reads what [`Pack::as_bytes`] gave; every length is checked.
    pub fn from_bytes(entries: &[u8]) -> Result<Self, Corrupt> {
        let mut rest = entries;
        let mut count = 0u32;
        while !rest.is_empty() {
            let (head, content) = header(rest).ok_or(Corrupt("pack"))?;
            let size = head.checked_add(content).ok_or(Corrupt("pack"))?;
            rest = rest.get(size..).ok_or(Corrupt("pack"))?;
            count = count.checked_add(1).ok_or(Corrupt("pack"))?;
        }
        if count == 0 {
            return Ok(Pack::new());
        }
        let mut bytes = Vec::with_capacity(COUNT_BYTES + entries.len());
        bytes.extend_from_slice(&count.to_le_bytes());
        bytes.extend_from_slice(entries);
        Ok(Pack { bytes: bytes.into_boxed_slice() })
    }

    /// The entries as they are stored.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(COUNT_BYTES..).unwrap_or_default()
    }

    /// Number of entries.
    #[inline]
    pub fn len(&self) -> usize {
        self.bytes.first_chunk().map_or(0, |count| u32::from_le_bytes(*count) as usize)
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The offset behind the last entry.
    #[inline]
    pub fn end(&self) -> usize {
        self.as_bytes().len()
    }

    pub fn heap_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The entry at `offset`, and the offset of the next one. `None` at the end.
    #[inline]
    pub fn at(&self, offset: usize) -> Option<(&[u8], usize)> {
        let rest = self.bytes.get(COUNT_BYTES + offset..)?;
        let (head, len) = header(rest)?;
        let size = head + len;
        Some((rest.get(head..size)?, offset + size))
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
            if is_same(entry, wanted) {
                return Some(offset);
            }
            offset = self.skip(next, step - 1);
        }
    }

    pub fn iter(&self) -> Iter<'_> {
        Iter { pack: self, offset: 0 }
    }

    pub fn push_back(&mut self, entry: &[u8]) {
        self.push_all(std::iter::once(entry));
    }

    /// Adds entries at the end, with one allocation for all of them.
    #[inline]
    pub fn push_all<'e>(&mut self, entries: impl Iterator<Item = &'e [u8]> + Clone) {
        let more: usize = entries.clone().map(|entry| entry_size(entry.len())).sum();
        let mut count = self.len() as u32;
        let mut bytes = Vec::from(std::mem::take(&mut self.bytes));
        if bytes.is_empty() {
            bytes.reserve_exact(COUNT_BYTES + more);
            bytes.extend_from_slice(&[0; COUNT_BYTES]);
        } else {
            bytes.reserve_exact(more);
        }
        for entry in entries {
            varint::put_bytes(&mut bytes, entry);
            count += 1;
        }
        self.keep(bytes, count);
    }

    /// Puts `entry` in the place of the one at `offset`; false at the end.
    #[inline]
    pub fn replace(&mut self, offset: usize, entry: &[u8]) -> bool {
        let Some((old, next)) = self.at(offset) else { return false };
        let (start, end) = (COUNT_BYTES + offset, COUNT_BYTES + next);
        if old.len() == entry.len() {
            if let Some(place) = self.bytes.get_mut(end - entry.len()..end) {
                place.copy_from_slice(entry);
            }
            return true;
        }
        // Anew rather than in place, so that the allocation fits again.
        let (front, back) = (self.bytes.get(..start), self.bytes.get(end..));
        let (front, back) = (front.unwrap_or_default(), back.unwrap_or_default());
        let mut bytes = Vec::with_capacity(start + entry_size(entry.len()) + back.len());
        bytes.extend_from_slice(front);
        varint::put_bytes(&mut bytes, entry);
        bytes.extend_from_slice(back);
        self.bytes = bytes.into_boxed_slice();
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
        if removed > 0 {
            let left = (self.len() - removed) as u32;
            let mut bytes = Vec::from(std::mem::take(&mut self.bytes));
            bytes.drain(COUNT_BYTES + offset..COUNT_BYTES + next);
            self.keep(bytes, left);
        }
        removed
    }

    /// Takes over the bytes of `count` entries with room for their number in front.
    #[inline]
    fn keep(&mut self, mut bytes: Vec<u8>, count: u32) {
        if count == 0 {
            return *self = Pack::new();
        }
        if let Some(place) = bytes.first_chunk_mut() {
            *place = count.to_le_bytes();
        }
        self.bytes = bytes.into_boxed_slice();
    }
}

/// Equality that looks at the end first: fields and members often begin alike.
#[inline]
pub fn is_same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.last() == b.last() && a == b
}

/// Walks entries; see [`Pack::iter`].
#[derive(Clone)]
pub struct Iter<'a> {
    pack: &'a Pack,
    offset: usize,
}

impl<'a> Iterator for Iter<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        let (entry, next) = self.pack.at(self.offset)?;
        self.offset = next;
        Some(entry)
    }
}

impl<'a> IntoIterator for &'a Pack {
    type Item = &'a [u8];
    type IntoIter = Iter<'a>;
    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

impl std::fmt::Debug for Pack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter().map(String::from_utf8_lossy)).finish()
    }
}

#[cfg(test)]
mod tests;
