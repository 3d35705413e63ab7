//! A long list in memory: a double-ended queue of chunks.
//!
//! The idea of Redis's quicklist. Pushes and pops work inside the chunk at their end. An index is
//! found by adding up the counts of whole chunks from the nearer end, 32 bytes of memory for about
//! a hundred elements, and then walking inside one chunk. Chunks hold up to [`CHUNK_BYTES`] and
//! [`CHUNK_ELEMENTS`], or one bigger element.

use super::Side;
use super::chunk::{CHUNK_BYTES, Chunk, Items, entry_len};
use std::collections::{VecDeque, vec_deque};
use std::ops::Range;

/// Elements of a chunk: bounds the walk to an element inside of it.
const CHUNK_ELEMENTS: usize = 128;

#[derive(Clone, Default)]
pub struct Deque {
    /// None of them is empty.
    chunks: VecDeque<Chunk>,
    len: usize,
}

impl Deque {
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn get(&self, index: usize) -> Option<&[u8]> {
        let (chunk, index) = self.locate(index)?;
        self.chunks.get(chunk)?.get(index)
    }

    pub fn push(&mut self, side: Side, element: &[u8]) {
        self.len += 1;
        let several = self.chunks.len() > 1;
        if let Some(chunk) = self.end_mut(side) {
            if has_room(chunk, entry_len(element)) {
                return chunk.push(side, element);
            }
            chunk.shrink();
        }
        // A long list fills the next chunk too; a list of two might not.
        let mut chunk = if several && entry_len(element) <= CHUNK_BYTES / 2 {
            Chunk::with_capacity(CHUNK_BYTES)
        } else {
            Chunk::default()
        };
        chunk.push(side, element);
        match side {
            Side::Left => self.chunks.push_front(chunk),
            Side::Right => self.chunks.push_back(chunk),
        }
    }

    /// Drops `count` elements, as many as there are, from one end.
    pub fn drop_ends(&mut self, side: Side, count: usize) {
        let mut count = count.min(self.len);
        self.len -= count;
        while count > 0 {
            let Some(chunk) = self.end_mut(side) else { return };
            let here = chunk.len().min(count);
            count -= here;
            if here < chunk.len() {
                chunk.drop_ends(side, here);
                continue;
            }
            match side {
                Side::Left => self.chunks.pop_front(),
                Side::Right => self.chunks.pop_back(),
            };
        }
    }

    /// Replaces the element at `index`; false if there is none.
    pub fn set(&mut self, index: usize, element: &[u8]) -> bool {
        let Some((number, index)) = self.locate(index) else { return false };
        let Some(chunk) = self.chunks.get_mut(number) else { return false };
        chunk.set(index, element);
        self.split(number);
        true
    }

    /// Puts `element` before the one at `index`, which exists.
    pub fn insert(&mut self, index: usize, element: &[u8]) {
        let Some((number, index)) = self.locate(index) else { return };
        let Some(chunk) = self.chunks.get_mut(number) else { return };
        chunk.insert(index, element);
        self.len += 1;
        self.split(number);
    }

    /// Removes the elements at `indexes`, which ascend.
    pub fn remove(&mut self, indexes: &[usize]) {
        let mut gone = indexes.iter().copied().peekable();
        let mut base = 0;
        let mut chunks: VecDeque<Chunk> = VecDeque::with_capacity(self.chunks.len());
        for mut chunk in std::mem::take(&mut self.chunks) {
            let next = base + chunk.len();
            if gone.peek().is_some_and(|index| *index < next) {
                let mut kept = Chunk::with_capacity(chunk.bytes());
                for (index, element) in (base..).zip(chunk.items()) {
                    if gone.next_if_eq(&index).is_some() {
                        self.len -= 1;
                    } else {
                        kept.push(Side::Right, element);
                    }
                }
                chunk = kept;
            }
            base = next;
            match chunks.back_mut() {
                // Half full, so that the next pushes do not split again what was just joined.
                Some(before)
                    if before.bytes() + chunk.bytes() <= CHUNK_BYTES / 2
                        && before.len() + chunk.len() <= CHUNK_ELEMENTS / 2 =>
                {
                    before.append(&chunk);
                }
                _ if chunk.is_empty() => {}
                _ => chunks.push_back(chunk),
            }
        }
        self.chunks = chunks;
    }

    /// The elements of `range`; those that exist.
    pub fn iter(&self, range: Range<usize>) -> Iter<'_> {
        let end = range.end.min(self.len);
        if range.start >= end {
            return Iter::default();
        }
        let (Some((first, start)), Some((last, until))) =
            (self.locate(range.start), self.locate(end - 1))
        else {
            return Iter::default();
        };
        let items = |chunk: usize, start, end| match self.chunks.get(chunk) {
            Some(chunk) => chunk.items_in(start, end),
            None => Items::default(),
        };
        if first == last {
            return Iter::of(items(first, start, until + 1));
        }
        Iter {
            front: items(first, start, usize::MAX),
            middle: self.chunks.range(first + 1..last),
            back: items(last, 0, until + 1),
        }
    }

    /// Bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        let chunks: usize = self.chunks.iter().map(Chunk::capacity).sum();
        self.chunks.capacity() * size_of::<Chunk>() + chunks
    }

    fn end_mut(&mut self, side: Side) -> Option<&mut Chunk> {
        match side {
            Side::Left => self.chunks.front_mut(),
            Side::Right => self.chunks.back_mut(),
        }
    }

    /// The number of the chunk that has the element at `index`, and the index inside of it.
    fn locate(&self, index: usize) -> Option<(usize, usize)> {
        if index >= self.len {
            return None;
        }
        if index <= self.len / 2 {
            let mut left = index;
            for (number, chunk) in self.chunks.iter().enumerate() {
                if left < chunk.len() {
                    return Some((number, left));
                }
                left -= chunk.len();
            }
        } else {
            let mut from = self.len;
            for (number, chunk) in self.chunks.iter().enumerate().rev() {
                from -= chunk.len();
                if index >= from {
                    return Some((number, index - from));
                }
            }
        }
        None
    }

    /// Halves chunk `number`, and its halves, until all are within their limits.
    fn split(&mut self, number: usize) {
        let Some(chunk) = self.chunks.get_mut(number) else { return };
        let too_big = chunk.bytes() > CHUNK_BYTES || chunk.len() > CHUNK_ELEMENTS;
        if !too_big || chunk.len() < 2 {
            return;
        }
        let tail = chunk.split_off(chunk.len() / 2);
        chunk.shrink();
        self.chunks.insert(number + 1, tail);
        // Depth is the logarithm of the elements of one chunk.
        self.split(number + 1);
        self.split(number);
    }
}

impl From<Chunk> for Deque {
    fn from(chunk: Chunk) -> Deque {
        let len = chunk.len();
        let chunks = if len == 0 { VecDeque::new() } else { VecDeque::from([chunk]) };
        Deque { chunks, len }
    }
}

fn has_room(chunk: &Chunk, len: usize) -> bool {
    chunk.bytes() + len <= CHUNK_BYTES && chunk.len() < CHUNK_ELEMENTS
}

/// Elements of a list, in order; walks from both ends.
#[derive(Clone, Default)]
pub struct Iter<'a> {
    front: Items<'a>,
    middle: vec_deque::Iter<'a, Chunk>,
    back: Items<'a>,
}

impl<'a> Iter<'a> {
    pub(super) fn of(items: Items<'a>) -> Iter<'a> {
        Iter { front: items, ..Iter::default() }
    }
}

impl<'a> Iterator for Iter<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        loop {
            if let Some(element) = self.front.next() {
                return Some(element);
            }
            match self.middle.next() {
                Some(chunk) => self.front = chunk.items(),
                None => return self.back.next(),
            }
        }
    }
}

impl<'a> DoubleEndedIterator for Iter<'a> {
    #[inline]
    fn next_back(&mut self) -> Option<&'a [u8]> {
        loop {
            if let Some(element) = self.back.next_back() {
                return Some(element);
            }
            match self.middle.next_back() {
                Some(chunk) => self.back = chunk.items(),
                None => return self.front.next_back(),
            }
        }
    }
}
