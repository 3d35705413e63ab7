//! A run of list elements in one buffer, cheap to grow and shrink at both ends.
//!
//! Each element is `length, bytes, length`: the first length reads forwards, the last one
//! backwards, so a walk can begin at either end. Lengths are base-128 numbers, lowest digits first
//! in the direction of reading, the high bit saying that another digit follows. Elements lie
//! together anywhere in the buffer; the room around them belongs to the next pushes, so a push or
//! a pop at an end moves nothing. A chunk knows no limit: its owner decides when it is full.

use super::Side;

/// Buffers up to this size grow in steps; bigger ones hold one big element and fit exactly.
pub const CHUNK_BYTES: usize = 4096;

/// A run of elements; 32 bytes and one exactly owned buffer.
#[derive(Clone, Default)]
pub struct Chunk {
    buffer: Box<[u8]>,
    start: u32,
    end: u32,
    count: u32,
}

impl Chunk {
    /// An empty chunk with room for `bytes`.
    pub fn with_capacity(bytes: usize) -> Chunk {
        Chunk { buffer: vec![0; bytes].into_boxed_slice(), ..Chunk::default() }
    }

    pub fn len(&self) -> usize {
        self.count as usize
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The elements as they lie in memory, which is also how they lie in a record.
    pub fn content(&self) -> &[u8] {
        self.buffer.get(self.start as usize..self.end as usize).unwrap_or_default()
    }

    /// Length of [`Chunk::content`].
    pub fn bytes(&self) -> usize {
        (self.end - self.start) as usize
    }

    /// Size of the buffer.
    pub fn capacity(&self) -> usize {
        self.buffer.len()
    }

    /// Takes what [`Chunk::content`] gave; `None` if it cannot be that.
    pub fn from_content(content: &[u8]) -> Option<Chunk> {
        let mut count = 0;
        let mut rest = content;
        while !rest.is_empty() {
            let (element, behind) = split_first(rest)?;
            let (again, _) = split_last(rest.get(..rest.len() - behind.len())?)?;
            if again != element {
                return None;
            }
            (rest, count) = (behind, count + 1);
        }
        Some(Chunk { buffer: content.into(), start: 0, end: size(content.len()), count })
    }

    pub fn items(&self) -> Items<'_> {
        Items { rest: self.content() }
    }

    /// The elements `start..end`; those that exist.
    pub fn items_in(&self, start: usize, end: usize) -> Items<'_> {
        let (start, end) = (self.offset(start), self.offset(end));
        Items { rest: self.content().get(start..end).unwrap_or_default() }
    }

    pub fn get(&self, index: usize) -> Option<&[u8]> {
        let (element, _) = split_first(self.content().get(self.offset(index)..)?)?;
        Some(element)
    }

    pub fn push(&mut self, side: Side, element: &[u8]) {
        let len = entry_len(element);
        let place = self.open(side, len);
        write_entry(place, element);
        self.count += 1;
    }

    /// Drops up to `count` elements from one end.
    pub fn drop_ends(&mut self, side: Side, count: usize) {
        let count = count.min(self.len());
        match side {
            Side::Left => self.start += size(self.offset(count)),
            Side::Right => self.end = self.start + size(self.offset(self.len() - count)),
        }
        self.count -= count as u32;
    }

    /// Puts `element` before the one at `index`, or at the end.
    pub fn insert(&mut self, index: usize, element: &[u8]) {
        self.splice(self.offset(index), 0, element);
        self.count += 1;
    }

    /// Replaces the element at `index`, which exists.
    pub fn set(&mut self, index: usize, element: &[u8]) {
        let (from, to) = (self.offset(index), self.offset(index + 1));
        self.splice(from, to - from, element);
    }

    /// The elements from `index` on, which this chunk loses.
    pub fn split_off(&mut self, index: usize) -> Chunk {
        let at = self.offset(index);
        let content = self.content().get(at..).unwrap_or_default();
        let count = self.count - size(index.min(self.len()));
        let tail = Chunk { buffer: content.into(), start: 0, end: size(content.len()), count };
        self.end = self.start + size(at);
        self.count -= tail.count;
        tail
    }

    /// Takes over the elements of `other`, behind its own.
    pub fn append(&mut self, other: &Chunk) {
        self.open(Side::Right, other.bytes()).copy_from_slice(other.content());
        self.count += other.count;
    }

    /// Gives spare room back when it is more than an eighth of the buffer.
    pub fn shrink(&mut self) {
        if self.capacity() - self.bytes() > self.capacity() / 8 {
            self.buffer = self.content().into();
            self.end -= self.start;
            self.start = 0;
        }
    }

    /// Where the element at `index` begins in the content; its length for indexes behind the end.
    fn offset(&self, index: usize) -> usize {
        let content = self.content();
        let mut items = self.items();
        if index >= self.len() {
            content.len()
        } else if index < self.len() / 2 {
            items.by_ref().take(index).for_each(drop);
            content.len() - items.rest.len()
        } else {
            items.by_ref().rev().take(self.len() - index).for_each(drop);
            items.rest.len()
        }
    }

    /// Replaces `old` bytes of the content at `at` by an entry of `element`.
    fn splice(&mut self, at: usize, old: usize, element: &[u8]) {
        let new = entry_len(element);
        let used = self.bytes();
        if new > old {
            self.open(Side::Right, new - old);
        } else {
            self.end -= size(old - new);
        }
        let from = self.start as usize;
        let content = self.buffer.get_mut(from..).unwrap_or_default();
        content.copy_within(at + old..used, at + new);
        write_entry(content.get_mut(at..at + new).unwrap_or_default(), element);
    }

    /// Extends the content by `len` bytes at one end and returns them.
    fn open(&mut self, side: Side, len: usize) -> &mut [u8] {
        let room = match side {
            Side::Left => self.start as usize,
            Side::Right => self.capacity() - self.end as usize,
        };
        if room < len {
            self.make_room(side, len);
        }
        let (from, to) = match side {
            Side::Left => {
                self.start -= size(len);
                (self.start, self.start + size(len))
            }
            Side::Right => {
                self.end += size(len);
                (self.end - size(len), self.end)
            }
        };
        self.buffer.get_mut(from as usize..to as usize).unwrap_or_default()
    }

    /// Moves all spare room to one end, in a bigger buffer where `len` bytes are not spare.
    fn make_room(&mut self, side: Side, len: usize) {
        let (old, used) = (self.start as usize..self.end as usize, self.bytes());
        let capacity = self.capacity().max(capacity_for(used + len, self.capacity()));
        let start = if side == Side::Left { capacity - used } else { 0 };
        if capacity == self.capacity() {
            self.buffer.copy_within(old, start);
        } else {
            let mut buffer = vec![0; capacity].into_boxed_slice();
            let place = buffer.get_mut(start..start + used).unwrap_or_default();
            place.copy_from_slice(self.content());
            self.buffer = buffer;
        }
        (self.start, self.end) = (size(start), size(start + used));
    }
}

/// Elements of a chunk, in order; walks from both ends.
#[derive(Clone, Default)]
pub struct Items<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Items<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        let (element, rest) = split_first(self.rest)?;
        self.rest = rest;
        Some(element)
    }
}

impl<'a> DoubleEndedIterator for Items<'a> {
    #[inline]
    fn next_back(&mut self) -> Option<&'a [u8]> {
        let (element, rest) = split_last(self.rest)?;
        self.rest = rest;
        Some(element)
    }
}

/// Bytes that `element` takes in a chunk.
#[inline]
pub fn entry_len(element: &[u8]) -> usize {
    element.len() + 2 * digits(element.len())
}

#[inline]
fn digits(len: usize) -> usize {
    if len < 0x80 { 1 } else { (len.ilog2() / 7 + 1) as usize }
}

#[inline]
fn digit(len: usize, number: usize) -> u8 {
    let rest = len >> (7 * number);
    if rest < 0x80 { rest as u8 } else { rest as u8 | 0x80 }
}

fn write_entry(place: &mut [u8], element: &[u8]) {
    let head = digits(element.len());
    let Some((front, rest)) = place.split_at_mut_checked(head) else { return };
    let Some((bytes, back)) = rest.split_at_mut_checked(element.len()) else { return };
    bytes.copy_from_slice(element);
    for (number, (front, back)) in front.iter_mut().zip(back.iter_mut().rev()).enumerate() {
        *front = digit(element.len(), number);
        *back = *front;
    }
}

#[inline]
fn read_len<'b>(digits: impl Iterator<Item = &'b u8>) -> Option<(usize, usize)> {
    let mut len = 0;
    for (number, digit) in digits.take(5).enumerate() {
        len |= usize::from(digit & 0x7f) << (7 * number);
        if *digit < 0x80 {
            return Some((len, number + 1));
        }
    }
    None
}

/// The first element of a content, and the content behind it.
#[inline]
fn split_first(content: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, head) = read_len(content.iter())?;
    let (element, rest) = content.get(head..)?.split_at_checked(len)?;
    Some((element, rest.get(head..)?))
}

/// The last element of a content, and the content before it.
#[inline]
fn split_last(content: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, head) = read_len(content.iter().rev())?;
    let until = content.len().checked_sub(head)?;
    let from = until.checked_sub(len)?;
    Some((content.get(from..until)?, content.get(..from.checked_sub(head)?)?))
}

/// A quarter more than needed, up to a full chunk; the first step is a small one, as most lists
/// are short.
fn capacity_for(bytes: usize, before: usize) -> usize {
    if bytes > CHUNK_BYTES {
        return bytes;
    }
    let spare = if before == 0 { 0 } else { bytes / 4 };
    (bytes + spare).next_multiple_of(16).min(CHUNK_BYTES)
}

/// Offsets are 32 bits wide: elements are far below 4 GiB (`proto-max-bulk-len`).
fn size(bytes: usize) -> u32 {
    u32::try_from(bytes).expect("a list element is below 4 GiB")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_every_width_read_both_ways() {
        let mut chunk = Chunk::default();
        for len in [0, 1, 127, 128, 16383, 16384, 70000] {
            chunk.push(Side::Left, &vec![b'a'; len]);
            chunk.push(Side::Right, &vec![b'b'; len]);
        }
        let forward: Vec<_> = chunk.items().collect();
        let mut backward: Vec<_> = chunk.items().rev().collect();
        backward.reverse();
        assert_eq!((forward.len(), &forward), (14, &backward));
        assert_eq!(chunk.get(0), Some(&[b'a'; 70000][..]));
        assert_eq!(chunk.get(13), Some(&[b'b'; 70000][..]));
        assert_eq!(chunk.get(14), None);
        let back = Chunk::from_content(chunk.content()).unwrap();
        assert!(back.items().eq(chunk.items()) && back.len() == 14);
    }

    #[test]
    fn damaged_content_is_refused() {
        let mut chunk = Chunk::default();
        chunk.push(Side::Right, b"abc");
        chunk.push(Side::Right, b"de");
        let good = chunk.content().to_vec();
        for end in 1..good.len() {
            let whole = end == entry_len(b"abc");
            assert_eq!(Chunk::from_content(&good[..end]).is_some(), whole, "{end}");
        }
        let mut bad = good.clone();
        bad[4] = 2;
        assert!(Chunk::from_content(&bad).is_none());
        assert!(Chunk::from_content(&[0xff; 12]).is_none());
    }

    #[test]
    fn a_queue_reuses_its_buffer() {
        let mut chunk = Chunk::default();
        chunk.push(Side::Left, &[7; 60]);
        for _ in 0..10_000 {
            chunk.push(Side::Left, &[8; 60]);
            chunk.drop_ends(Side::Right, 1);
        }
        assert!(chunk.capacity() < 256, "{}", chunk.capacity());
        assert_eq!(size_of::<Chunk>(), 32);
    }
}
