//! A hash table whose slots are in hash order.
//!
//! Linear probing in which the home slot is `hash * homes / 2^32`, a monotone function, and every
//! run of occupied slots is kept sorted by hash. Walking the slots therefore walks the hashes in
//! ascending order, whatever the capacity: a SCAN cursor is just a hash, it stays right while the
//! table grows or shrinks, and another node that holds the same keys can go on with it (C19).
//! Since homes need not be a power of two the table grows by about a fifth at a time, to the next
//! size in which memory is handed out, and wastes little; a large one, of which there are few, by
//! two fifths, as moving it costs more.
//!
//! A slot holds the hash beside the item, so that a look costs one cache line. Hashes are compared
//! first; items are looked at only when a hash is equal. Equal hashes are neighbours, the caller
//! tells them apart.
// Slot numbers come from `home` and from walking up to `slots.len()`.
#![allow(clippy::indexing_slicing)]

/// Marks a free slot; real hashes are clamped below it.
const FREE: u32 = u32::MAX;
const HOMES_MIN: usize = 4;
/// Tables with more homes grow in larger steps.
const SMALL_HOMES_MAX: usize = 4096;
/// Slots behind the last home, into which the runs at the end reach, are at most so many; a run
/// that reaches further makes the table grow.
const TAIL_MAX: usize = 32;

struct Slot<T> {
    hash: u32,
    item: Option<T>,
}

/// Items `T` in the order of the 32-bit hashes given with them.
pub struct HashOrdered<T> {
    slots: Box<[Slot<T>]>,
    homes: usize,
    len: usize,
}

impl<T> Default for HashOrdered<T> {
    fn default() -> Self {
        HashOrdered { slots: Box::default(), homes: 0, len: 0 }
    }
}

impl<T: Clone> Clone for HashOrdered<T> {
    fn clone(&self) -> Self {
        let copy = |slot: &Slot<T>| Slot { hash: slot.hash, item: slot.item.clone() };
        HashOrdered { slots: self.slots.iter().map(copy).collect(), ..*self }
    }
}

/// The hash as the table stores it: the one value that marks free slots is not used.
#[inline]
fn clamp(hash: u32) -> u32 {
    hash.min(FREE - 1)
}

fn slots_for(homes: usize) -> usize {
    homes + (4 + homes / 16).min(TAIL_MAX)
}

/// The most homes whose slots are no more than `slots`.
fn homes_for(slots: usize) -> usize {
    ((slots.saturating_sub(4) * 16 + 15) / 17).max(slots.saturating_sub(TAIL_MAX))
}

/// The next number of homes of a full table whose slots take `slot_bytes` each.
fn grown(homes: usize, slot_bytes: usize) -> usize {
    if homes > SMALL_HOMES_MAX {
        return homes + homes * 2 / 5;
    }
    // Allocators hand out four sizes from one power of two to the next; between them is waste.
    let bytes = slots_for(homes.max(HOMES_MIN - 1) + 1) * slot_bytes;
    homes_for(bytes.next_multiple_of(bytes.next_power_of_two() / 8) / slot_bytes)
}

impl<T> HashOrdered<T> {
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes of the slots.
    pub fn heap_bytes(&self) -> usize {
        self.slots.len() * size_of::<Slot<T>>()
    }

    #[inline]
    fn home(&self, hash: u32) -> usize {
        ((u64::from(hash) * self.homes as u64) >> 32) as usize
    }

    /// The first slot at or after `hash`'s home whose hash is not below it.
    #[inline]
    fn lower_bound(&self, hash: u32) -> usize {
        let mut at = self.home(hash);
        while at < self.slots.len() && self.slots[at].hash < hash {
            at += 1;
        }
        at
    }

    /// The slot of an item; good until the next insertion or removal.
    #[inline]
    pub fn find(&self, hash: u32, mut same: impl FnMut(&T) -> bool) -> Option<usize> {
        let hash = clamp(hash);
        let mut at = self.lower_bound(hash);
        while at < self.slots.len() && self.slots[at].hash == hash {
            if self.slots[at].item.as_ref().is_some_and(&mut same) {
                return Some(at);
            }
            at += 1;
        }
        None
    }

    /// Begins to bring the slots near in which a hash would be.
    #[inline]
    pub fn prefetch(&self, hash: u32) {
        if let Some(slot) = self.slots.get(self.home(clamp(hash))) {
            crate::prefetch::prefetch(slot);
        }
    }

    /// The first item with this hash, whatever it is.
    #[inline]
    pub fn first_of(&self, hash: u32) -> Option<&T> {
        let hash = clamp(hash);
        let slot = self.slots.get(self.lower_bound(hash))?;
        slot.item.as_ref().filter(|_| slot.hash == hash)
    }

    #[inline]
    pub fn at(&self, slot: usize) -> Option<&T> {
        self.slots.get(slot)?.item.as_ref()
    }

    #[inline]
    pub fn at_mut(&mut self, slot: usize) -> Option<&mut T> {
        self.slots.get_mut(slot)?.item.as_mut()
    }

    #[inline]
    pub fn get(&self, hash: u32, same: impl FnMut(&T) -> bool) -> Option<&T> {
        self.find(hash, same).and_then(|at| self.slots[at].item.as_ref())
    }

    #[inline]
    pub fn get_mut(&mut self, hash: u32, same: impl FnMut(&T) -> bool) -> Option<&mut T> {
        self.find(hash, same).and_then(|at| self.slots[at].item.as_mut())
    }

    /// Adds an item that the caller knows to be absent. Returns it where it now lies.
    pub fn insert(&mut self, hash: u32, item: T) -> &mut T {
        let hash = clamp(hash);
        if (self.len + 1) * 5 > self.homes * 4 {
            self.resize(grown(self.homes, size_of::<Slot<T>>()));
        }
        let at = loop {
            let at = self.insertion_slot(hash);
            match self.free_from(at) {
                Some(free) => {
                    self.slots[at..=free].rotate_right(1);
                    break at;
                }
                None => self.resize(grown(self.homes, size_of::<Slot<T>>())),
            }
        };
        self.len += 1;
        self.slots[at].hash = hash;
        self.slots[at].item.insert(item)
    }

    fn insertion_slot(&self, hash: u32) -> usize {
        let mut at = self.home(hash);
        while at < self.slots.len() && self.slots[at].hash <= hash {
            at += 1;
        }
        at
    }

    fn free_from(&self, start: usize) -> Option<usize> {
        (start..self.slots.len()).find(|&at| self.slots[at].hash == FREE)
    }

    pub fn remove(&mut self, hash: u32, same: impl FnMut(&T) -> bool) -> Option<T> {
        let at = self.find(hash, same)?;
        let item = self.slots[at].item.take();
        self.slots[at].hash = FREE;
        let mut end = at + 1;
        while end < self.slots.len()
            && self.slots[end].hash != FREE
            && self.home(self.slots[end].hash) < end
        {
            end += 1;
        }
        self.slots[at..end].rotate_left(1);
        self.len -= 1;
        if self.homes > 64 && self.len * 5 < self.homes {
            self.resize(self.homes / 2);
        }
        item
    }

    /// Moves every item into slots for `homes` homes; more if the runs ask for it.
    fn resize(&mut self, homes: usize) {
        let old = std::mem::take(&mut self.slots);
        self.homes = homes;
        // Sorted input fills the slots from left to right, so the end is known before allocating.
        let mut end = 0;
        for slot in old.iter().filter(|slot| slot.hash != FREE) {
            end = end.max(self.home(slot.hash)) + 1;
        }
        let count = slots_for(homes).max(end + 1);
        let mut slots: Box<[Slot<T>]> =
            (0..count).map(|_| Slot { hash: FREE, item: None }).collect();
        let mut next = 0;
        for slot in old {
            if slot.hash != FREE {
                let at = self.home(slot.hash).max(next);
                slots[at] = slot;
                next = at + 1;
            }
        }
        self.slots = slots;
    }

    /// All items in ascending order of their hashes.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.slots.iter().filter_map(|slot| slot.item.as_ref())
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.slots.iter_mut().filter_map(|slot| slot.item.as_mut())
    }

    /// Items whose hash is `from` or above, with their hashes, ascending.
    pub fn iter_from(&self, from: u32) -> impl Iterator<Item = (u32, &T)> {
        let start = self.lower_bound(clamp(from)).min(self.slots.len());
        let slots = self.slots[start..].iter();
        slots.filter_map(|slot| slot.item.as_ref().map(|item| (slot.hash, item)))
    }

    /// A uniformly drawn item. `draw(n)` returns a random number below `n`.
    pub fn random(&self, mut draw: impl FnMut(usize) -> usize) -> Option<&T> {
        if self.len == 0 {
            return None;
        }
        loop {
            if let Some(item) = &self.slots[draw(self.slots.len())].item {
                return Some(item);
            }
        }
    }
}

impl<T> IntoIterator for HashOrdered<T> {
    type Item = T;
    type IntoIter = IntoIter<T>;
    fn into_iter(self) -> IntoIter<T> {
        IntoIter(self.slots.into_vec().into_iter())
    }
}

/// The items of a table that is taken apart, in the order of their hashes.
pub struct IntoIter<T>(std::vec::IntoIter<Slot<T>>);

impl<T> Iterator for IntoIter<T> {
    type Item = T;
    fn next(&mut self) -> Option<T> {
        self.0.by_ref().find_map(|slot| slot.item)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    #[test]
    fn slots_fill_the_memory_they_are_given_and_are_mostly_used() {
        for slots in 8..3000 {
            let homes = homes_for(slots);
            assert!(slots_for(homes) <= slots && slots_for(homes + 1) > slots, "{slots}");
        }
        let mut table = HashOrdered::default();
        let (mut sizes, mut worst) = (std::collections::BTreeSet::new(), 0);
        for n in 0..4000u32 {
            table.insert(n.wrapping_mul(2_654_435_761), Box::new(n));
            let bytes = table.heap_bytes();
            sizes.insert(bytes);
            if n > 100 {
                worst = worst.max(bytes / table.len());
            }
            // Sizes of memory have three significant bits; a slot of 16 bytes may be left over.
            let size = bytes.next_multiple_of(bytes.next_power_of_two() / 8);
            assert!(size - bytes <= 16, "{bytes}");
        }
        assert!(worst <= 28, "{worst} bytes an item");
        assert!(sizes.len() < 40, "grown {} times", sizes.len());
    }

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
