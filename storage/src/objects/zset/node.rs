//! Nodes of the counted tree: sorted arrays of fixed capacity, and moving slots within and between
//! them. What the slots mean is [`super::tree`]'s business.
// Callers pass slots up to `len` and never overfill a node.
#![allow(clippy::indexing_slicing)]

use std::ops::Range;

/// Entries of a leaf.
pub const LEAF: usize = 128;
/// Children of an inner node.
pub const FAN: usize = 64;
/// No leaf.
pub const NONE: u32 = u32::MAX;

/// One entry: the score and the number of the member in the slab.
pub type Entry = (f64, u32);

#[derive(Clone)]
pub struct Leaf {
    pub len: usize,
    pub prev: u32,
    pub next: u32,
    pub ids: [u32; LEAF],
    pub scores: [f64; LEAF],
}

/// Children with, of each, its first entry and the number of entries beneath.
#[derive(Clone)]
pub struct Inner {
    pub len: usize,
    pub scores: [f64; FAN],
    pub ids: [u32; FAN],
    pub children: [u32; FAN],
    pub counts: [u32; FAN],
}

/// Number of leading slots of `len` that `before` holds for.
#[inline]
fn partition(scores: &[f64], ids: &[u32], before: &impl Fn(f64, u32) -> bool) -> usize {
    let (mut low, mut high) = (0, scores.len().min(ids.len()));
    while low < high {
        let middle = (low + high) / 2;
        if before(scores[middle], ids[middle]) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

impl Leaf {
    pub const EMPTY: Leaf =
        Leaf { len: 0, prev: NONE, next: NONE, ids: [0; LEAF], scores: [0.0; LEAF] };

    pub fn entry(&self, slot: usize) -> Entry {
        (self.scores[slot], self.ids[slot])
    }

    pub fn search(&self, before: &impl Fn(f64, u32) -> bool) -> usize {
        partition(&self.scores[..self.len], &self.ids[..self.len], before)
    }

    pub fn insert(&mut self, slot: usize, (score, id): Entry) {
        self.scores.copy_within(slot..self.len, slot + 1);
        self.ids.copy_within(slot..self.len, slot + 1);
        self.scores[slot] = score;
        self.ids[slot] = id;
        self.len += 1;
    }

    pub fn remove(&mut self, slot: usize) -> Entry {
        let entry = self.entry(slot);
        self.scores.copy_within(slot + 1..self.len, slot);
        self.ids.copy_within(slot + 1..self.len, slot);
        self.len -= 1;
        entry
    }

    pub fn split_off(&mut self, cut: usize) -> Leaf {
        let mut right = Leaf::EMPTY;
        right.len = self.len - cut;
        right.scores[..self.len - cut].copy_from_slice(&self.scores[cut..self.len]);
        right.ids[..self.len - cut].copy_from_slice(&self.ids[cut..self.len]);
        self.len = cut;
        right
    }

    pub fn append(&mut self, other: &Leaf) {
        let end = self.len + other.len;
        self.scores[self.len..end].copy_from_slice(&other.scores[..other.len]);
        self.ids[self.len..end].copy_from_slice(&other.ids[..other.len]);
        self.len = end;
    }
}

impl Inner {
    pub const EMPTY: Inner =
        Inner { len: 0, scores: [0.0; FAN], ids: [0; FAN], children: [0; FAN], counts: [0; FAN] };

    pub fn search(&self, before: &impl Fn(f64, u32) -> bool) -> usize {
        partition(&self.scores[..self.len], &self.ids[..self.len], before)
    }

    /// Entries in the children before `slot`. The whole tree has fewer than 2^32, so the sum needs
    /// no check, and without one it is a few vector instructions.
    #[inline]
    pub fn count_before(&self, slot: usize) -> u32 {
        self.counts[..slot].iter().fold(0, |sum, &count| sum.wrapping_add(count))
    }

    /// The child that holds `rank`, and how many entries lie in the children before it.
    pub fn child_of_rank(&self, rank: usize) -> (usize, usize) {
        let mut above = 0;
        let last = self.len - 1;
        for (slot, &count) in self.counts[..last].iter().enumerate() {
            if rank < above + count as usize {
                return (slot, above);
            }
            above += count as usize;
        }
        (last, above)
    }

    pub fn insert(&mut self, slot: usize, (score, id): Entry, child: u32, count: u32) {
        self.scores.copy_within(slot..self.len, slot + 1);
        self.scores[slot] = score;
        for (array, value) in self.words().into_iter().zip([id, child, count]) {
            array.0.copy_within(slot..array.1, slot + 1);
            array.0[slot] = value;
        }
        self.len += 1;
    }

    pub fn remove(&mut self, slot: usize) {
        self.scores.copy_within(slot + 1..self.len, slot);
        for (array, len) in self.words() {
            array.copy_within(slot + 1..len, slot);
        }
        self.len -= 1;
    }

    /// The three arrays of 32-bit words, each with the number of slots in use.
    fn words(&mut self) -> [(&mut [u32; FAN], usize); 3] {
        [(&mut self.ids, self.len), (&mut self.children, self.len), (&mut self.counts, self.len)]
    }

    pub fn split_off(&mut self, cut: usize) -> Inner {
        let mut right = Inner::EMPTY;
        right.copy_in(self, cut..self.len);
        self.len = cut;
        right
    }

    pub fn append(&mut self, other: &Inner) {
        self.copy_in(other, 0..other.len);
    }

    fn copy_in(&mut self, other: &Inner, slots: Range<usize>) {
        let place = self.len..self.len + slots.len();
        self.scores[place.clone()].copy_from_slice(&other.scores[slots.clone()]);
        self.ids[place.clone()].copy_from_slice(&other.ids[slots.clone()]);
        self.children[place.clone()].copy_from_slice(&other.children[slots.clone()]);
        self.counts[place.clone()].copy_from_slice(&other.counts[slots]);
        self.len = place.end;
    }
}
