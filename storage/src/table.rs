//! A hash table whose slots are in hash order.
//!
//! Linear probing in which the home slot is `hash * homes / 2^32`, a monotone function, and every
//! run of occupied slots is kept sorted by hash. Walking the slots therefore walks the hashes in
//! ascending order, whatever the capacity: a SCAN cursor is just a hash, it stays right while the
//! table grows or shrinks, and another node that holds the same keys can go on with it (C19).
//! Since homes need not be a power of two the table grows by two fifths at a time and wastes
//! little memory.
//!
//! Hashes are compared first and live in an array of their own (16 to a cache line); items are
//! looked at only when a hash is equal. Equal hashes are neighbours, the caller tells them apart.
// Slot numbers come from `home` and from walking up to `hashes.len()`; both arrays have that length.
#![allow(clippy::indexing_slicing)]

/// Marks a free slot; real hashes are clamped below it.
const FREE: u32 = u32::MAX;
const HOMES_MIN: usize = 4;

/// Items `T` in the order of the 32-bit hashes given with them.
pub struct HashOrdered<T> {
    hashes: Box<[u32]>,
    items: Box<[Option<T>]>,
    homes: usize,
    len: usize,
}

impl<T> Default for HashOrdered<T> {
    fn default() -> Self {
        HashOrdered { hashes: Box::default(), items: Box::default(), homes: 0, len: 0 }
    }
}

/// The hash as the table stores it: the one value that marks free slots is not used.
#[inline]
fn clamp(hash: u32) -> u32 {
    hash.min(FREE - 1)
}

fn slots_for(homes: usize) -> usize {
    homes + 8 + homes / 16
}

impl<T> HashOrdered<T> {
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes of the two slot arrays.
    pub fn heap_bytes(&self) -> usize {
        self.hashes.len() * (size_of::<u32>() + size_of::<Option<T>>())
    }

    #[inline]
    fn home(&self, hash: u32) -> usize {
        ((u64::from(hash) * self.homes as u64) >> 32) as usize
    }

    /// The first slot at or after `hash`'s home whose hash is not below it.
    #[inline]
    fn lower_bound(&self, hash: u32) -> usize {
        let mut slot = self.home(hash);
        while slot < self.hashes.len() && self.hashes[slot] < hash {
            slot += 1;
        }
        slot
    }

    #[inline]
    fn position(&self, hash: u32, mut same: impl FnMut(&T) -> bool) -> Option<usize> {
        let hash = clamp(hash);
        let mut slot = self.lower_bound(hash);
        while slot < self.hashes.len() && self.hashes[slot] == hash {
            if self.items[slot].as_ref().is_some_and(&mut same) {
                return Some(slot);
            }
            slot += 1;
        }
        None
    }

    /// The slot of an item; good until the next insertion or removal.
    #[inline]
    pub fn find(&self, hash: u32, same: impl FnMut(&T) -> bool) -> Option<usize> {
        self.position(hash, same)
    }

    #[inline]
    pub fn at(&self, slot: usize) -> Option<&T> {
        self.items.get(slot)?.as_ref()
    }

    #[inline]
    pub fn at_mut(&mut self, slot: usize) -> Option<&mut T> {
        self.items.get_mut(slot)?.as_mut()
    }

    #[inline]
    pub fn get(&self, hash: u32, same: impl FnMut(&T) -> bool) -> Option<&T> {
        self.position(hash, same).and_then(|slot| self.items[slot].as_ref())
    }

    #[inline]
    pub fn get_mut(&mut self, hash: u32, same: impl FnMut(&T) -> bool) -> Option<&mut T> {
        self.position(hash, same).and_then(|slot| self.items[slot].as_mut())
    }

    /// Adds an item that the caller knows to be absent. Returns it where it now lies.
    pub fn insert(&mut self, hash: u32, item: T) -> &mut T {
        let hash = clamp(hash);
        if (self.len + 1) * 5 > self.homes * 4 {
            self.resize((self.homes + self.homes * 2 / 5).max(self.homes + HOMES_MIN));
        }
        let slot = loop {
            let slot = self.insertion_slot(hash);
            match self.free_from(slot) {
                Some(free) => {
                    self.hashes.copy_within(slot..free, slot + 1);
                    self.items[slot..=free].rotate_right(1);
                    break slot;
                }
                None => self.resize(self.homes + self.homes / 2),
            }
        };
        self.hashes[slot] = hash;
        self.len += 1;
        self.items[slot].insert(item)
    }

    fn insertion_slot(&self, hash: u32) -> usize {
        let mut slot = self.home(hash);
        while slot < self.hashes.len() && self.hashes[slot] <= hash {
            slot += 1;
        }
        slot
    }

    fn free_from(&self, slot: usize) -> Option<usize> {
        (slot..self.hashes.len()).find(|&slot| self.hashes[slot] == FREE)
    }

    pub fn remove(&mut self, hash: u32, same: impl FnMut(&T) -> bool) -> Option<T> {
        let slot = self.position(hash, same)?;
        let item = self.items[slot].take();
        let mut end = slot + 1;
        while end < self.hashes.len()
            && self.hashes[end] != FREE
            && self.home(self.hashes[end]) < end
        {
            end += 1;
        }
        self.hashes.copy_within(slot + 1..end, slot);
        self.items[slot..end].rotate_left(1);
        self.hashes[end - 1] = FREE;
        self.len -= 1;
        if self.homes > 64 && self.len * 5 < self.homes {
            self.resize(self.homes / 2);
        }
        item
    }

    /// Moves every item into arrays for `homes` homes; more if the runs ask for it.
    fn resize(&mut self, homes: usize) {
        let old_hashes = std::mem::take(&mut self.hashes);
        let old_items = std::mem::take(&mut self.items);
        self.homes = homes;
        // Sorted input fills the slots from left to right, so the end is known before allocating.
        let mut end = 0;
        for &hash in old_hashes.iter().filter(|&&hash| hash != FREE) {
            end = end.max(self.home(hash)) + 1;
        }
        let slots = slots_for(homes).max(end + 1);
        let mut hashes = vec![FREE; slots].into_boxed_slice();
        let mut items: Box<[Option<T>]> = (0..slots).map(|_| None).collect();
        let mut next = 0;
        for (hash, item) in old_hashes.iter().copied().zip(old_items) {
            if item.is_some() {
                let slot = self.home(hash).max(next);
                hashes[slot] = hash;
                items[slot] = item;
                next = slot + 1;
            }
        }
        self.hashes = hashes;
        self.items = items;
    }

    /// All items in ascending order of their hashes.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.items.iter().flatten()
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.items.iter_mut().flatten()
    }

    /// Items whose hash is `from` or above, with their hashes, ascending.
    pub fn iter_from(&self, from: u32) -> impl Iterator<Item = (u32, &T)> {
        let start = self.lower_bound(clamp(from)).min(self.hashes.len());
        self.hashes[start..]
            .iter()
            .zip(&self.items[start..])
            .filter_map(|(&hash, item)| item.as_ref().map(|item| (hash, item)))
    }

    /// A uniformly drawn item. `draw(n)` returns a number below `n`.
    pub fn random(&self, mut draw: impl FnMut(usize) -> usize) -> Option<&T> {
        if self.len == 0 {
            return None;
        }
        loop {
            if let Some(item) = &self.items[draw(self.items.len())] {
                return Some(item);
            }
        }
    }
}

impl<T> IntoIterator for HashOrdered<T> {
    type Item = T;
    type IntoIter = std::iter::Flatten<std::vec::IntoIter<Option<T>>>;
    fn into_iter(self) -> Self::IntoIter {
        self.items.into_vec().into_iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn behaves_like_a_sorted_map(ops in prop::collection::vec((any::<bool>(), 0u32..3000), 1..3000), spread in prop::sample::select(vec![1u32, 1 << 20, u32::MAX / 3000 + 1])) {
            let mut table = HashOrdered::default();
            let mut model = BTreeMap::new();
            for (insert, n) in ops {
                let hash = n.wrapping_mul(spread);
                if insert {
                    let known = table.get(hash, |&item| item == n).is_some();
                    prop_assert_eq!(known, model.contains_key(&(clamp(hash), n)));
                    if !known {
                        table.insert(hash, n);
                        model.insert((clamp(hash), n), ());
                    }
                } else {
                    let removed = table.remove(hash, |&item| item == n);
                    prop_assert_eq!(removed.is_some(), model.remove(&(clamp(hash), n)).is_some());
                }
                prop_assert_eq!(table.len(), model.len());
            }
            let mut hashes: Vec<u32> = table.iter_from(0).map(|(hash, _)| hash).collect();
            let sorted = { let mut copy = hashes.clone(); copy.sort(); copy };
            prop_assert_eq!(&hashes, &sorted);
            hashes.dedup();
            for from in hashes {
                let seen = table.iter_from(from).count();
                prop_assert_eq!(seen, model.range((from, 0)..).count());
            }
        }
    }
}
