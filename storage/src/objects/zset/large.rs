//! The indexed form of a sorted set: a slab of members, a hash index and a counted tree over it.
//!
//! A member and its score lie once, in the slab, and are known elsewhere by their 4-byte number:
//! the hash index finds a member's number, the tree holds (score, number) in order and asks the
//! slab only when scores are equal. A million members of up to 22 bytes cost about 65 bytes each.

use super::node::Entry;
use super::tree::{self, Tree};
use crate::bytes::SmallBytes;
use crate::keyspace::hash32;
use crate::table::HashOrdered;
use std::num::NonZeroU32;
use std::ops::Range;

/// A slab this small is not worth moving together.
const COMPACT_MIN: usize = 1024;

#[derive(Clone, Default)]
struct Slot {
    member: SmallBytes,
    score: f64,
}

/// A slot's number plus one, so that an empty place in the index costs nothing.
#[derive(Clone, Copy)]
struct Id(NonZeroU32);

impl Id {
    fn new(slot: u32) -> Id {
        Id(NonZeroU32::MIN.saturating_add(slot))
    }

    fn slot(self) -> u32 {
        self.0.get() - 1
    }
}

#[derive(Default)]
pub struct Large {
    slots: Vec<Slot>,
    free: Vec<u32>,
    index: HashOrdered<Id>,
    tree: Tree,
}

impl Clone for Large {
    fn clone(&self) -> Large {
        let mut index = HashOrdered::default();
        for (hash, &id) in self.index.iter_from(0) {
            index.insert(hash, id);
        }
        Large { slots: self.slots.clone(), free: self.free.clone(), index, tree: self.tree.clone() }
    }
}

/// Whether the entry stands before (`score`, `member`).
#[inline]
fn before(slots: &[Slot], (at, id): Entry, score: f64, member: &[u8]) -> bool {
    at < score || (at == score && member_of(slots, id) < member)
}

#[inline]
fn member_of(slots: &[Slot], id: u32) -> &[u8] {
    slots.get(id as usize).map_or(&[], |slot| slot.member.as_slice())
}

impl Large {
    /// Members in the order of (score, member), no member twice.
    pub fn from_sorted<M: Into<SmallBytes>>(pairs: impl Iterator<Item = (M, f64)>) -> Large {
        let mut large = Large::default();
        large.slots.reserve_exact(pairs.size_hint().0);
        for (member, score) in pairs {
            let member = member.into();
            let hash = hash32(&member);
            let id = large.store(Slot { member, score });
            large.index.insert(hash, Id::new(id));
            large.tree.insert((score, id), |_, _| true);
        }
        large
    }

    pub fn len(&self) -> usize {
        self.tree.len()
    }

    pub fn score(&self, member: &[u8]) -> Option<f64> {
        Some(self.slots.get(self.find(hash32(member), member)? as usize)?.score)
    }

    pub fn rank_of(&self, member: &[u8]) -> Option<(usize, f64)> {
        let score = self.score(member)?;
        Some((self.place(score, member), score))
    }

    /// Gives a member its score; the one it had.
    pub fn set(&mut self, member: &[u8], score: f64) -> Option<f64> {
        let hash = hash32(member);
        let (id, old) = match self.find(hash, member) {
            Some(id) => {
                let old = self.slots.get(id as usize)?.score;
                if old == score {
                    return Some(old);
                }
                self.tree.remove_at(self.place(old, member));
                self.slots.get_mut(id as usize)?.score = score;
                (id, Some(old))
            }
            None => {
                let id = self.store(Slot { member: SmallBytes::new(member), score });
                self.index.insert(hash, Id::new(id));
                (id, None)
            }
        };
        let slots = &self.slots;
        self.tree.insert((score, id), |at, id| before(slots, (at, id), score, member));
        old
    }

    /// Takes a member out; the score it had.
    pub fn remove(&mut self, member: &[u8]) -> Option<f64> {
        let (rank, score) = self.rank_of(member)?;
        self.remove_at(rank);
        Some(score)
    }

    pub fn remove_at(&mut self, rank: usize) -> Option<(SmallBytes, f64)> {
        let (score, id) = self.tree.remove_at(rank)?;
        let member = std::mem::take(self.slots.get_mut(id as usize)?).member;
        self.index.remove(hash32(&member), |known| known.slot() == id);
        self.free.push(id);
        if self.slots.len() > COMPACT_MIN && self.free.len() > self.slots.len() / 4 * 3 {
            self.compact();
        }
        Some((member, score))
    }

    /// How many members `before(score, member)` holds for: a prefix of them.
    pub fn rank(&self, before: impl Fn(f64, &[u8]) -> bool) -> usize {
        self.tree.rank(|score, id| before(score, member_of(&self.slots, id)))
    }

    /// As [`Large::rank`], for conditions on the score alone: no member is looked at.
    pub fn rank_by_score(&self, before: impl Fn(f64) -> bool) -> usize {
        self.tree.rank(|score, _| before(score))
    }

    pub fn range(&self, ranks: Range<usize>) -> Iter<'_> {
        Iter { slots: &self.slots, entries: self.tree.range(ranks) }
    }

    /// Members in the order of their hashes.
    pub fn by_hash(&self) -> impl Iterator<Item = (&[u8], f64)> {
        self.index.iter().filter_map(|&id| self.pair(id))
    }

    /// Members whose hash is `from` or above, with it, in the order of the hashes.
    pub fn by_hash_from(&self, from: u32) -> impl Iterator<Item = (u32, (&[u8], f64))> {
        self.index.iter_from(from).filter_map(|(hash, &id)| Some((hash, self.pair(id)?)))
    }

    /// A uniformly drawn member. `draw(n)` returns a number below `n`.
    pub fn random(&self, draw: impl FnMut(usize) -> usize) -> Option<(&[u8], f64)> {
        self.pair(*self.index.random(draw)?)
    }

    /// Estimated from the first `samples` members (0: all).
    pub fn heap_bytes(&self, samples: usize) -> usize {
        let samples = if samples == 0 { self.len() } else { samples.min(self.len()) };
        let looked: usize = self.slots.iter().take(samples).map(|s| s.member.heap_bytes()).sum();
        size_of::<Large>()
            + self.slots.capacity() * size_of::<Slot>()
            + self.free.capacity() * size_of::<u32>()
            + self.index.heap_bytes()
            + self.tree.heap_bytes()
            + looked * self.len() / samples.max(1)
    }

    fn pair(&self, id: Id) -> Option<(&[u8], f64)> {
        let slot = self.slots.get(id.slot() as usize)?;
        Some((&slot.member, slot.score))
    }

    fn find(&self, hash: u32, member: &[u8]) -> Option<u32> {
        let same = |id: &Id| member_of(&self.slots, id.slot()) == member;
        self.index.get(hash, same).map(|id| id.slot())
    }

    fn place(&self, score: f64, member: &[u8]) -> usize {
        self.tree.rank(|at, id| before(&self.slots, (at, id), score, member))
    }

    fn store(&mut self, slot: Slot) -> u32 {
        if let Some(id) = self.free.pop()
            && let Some(place) = self.slots.get_mut(id as usize)
        {
            *place = slot;
            return id;
        }
        if self.slots.len() == self.slots.capacity() {
            // A quarter at a time: doubling would leave half of a big slab unused.
            self.slots.reserve_exact(self.slots.len() / 4 + 16);
        }
        let id = u32::try_from(self.slots.len()).expect("a tree holds fewer than 2^32 entries");
        self.slots.push(slot);
        id
    }

    /// Builds everything anew without the free slots.
    fn compact(&mut self) {
        let mut slots = std::mem::take(&mut self.slots);
        let tree = std::mem::take(&mut self.tree);
        let pairs = tree.range(0..tree.len()).filter_map(|(score, id)| {
            Some((std::mem::take(slots.get_mut(id as usize)?).member, score))
        });
        *self = Large::from_sorted(pairs);
    }
}

/// Members and scores of a range of ranks, from both ends.
pub struct Iter<'a> {
    slots: &'a [Slot],
    entries: tree::Iter<'a>,
}

impl<'a> Iterator for Iter<'a> {
    type Item = (&'a [u8], f64);

    fn next(&mut self) -> Option<Self::Item> {
        self.entries.next().map(|(score, id)| (member_of(self.slots, id), score))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.entries.size_hint()
    }
}

impl DoubleEndedIterator for Iter<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.entries.next_back().map(|(score, id)| (member_of(self.slots, id), score))
    }
}
