//! Changes in memory, on their way into the order of the base.
//!
//! Batches lie one after the other in one arena; of each change only a number is kept beside,
//! `bucket | db | hash | offset`, so that sorting the numbers brings the changes of a key together,
//! in the order in which they happened, and the keys into the order of the base.

use crate::objects::Corrupt;
use crate::record::Change;

/// Bits of a place that hold the offset in the arena.
const OFFSET_BITS: u32 = 48;
const OFFSET_MASK: u128 = (1 << OFFSET_BITS) - 1;
/// Changes that are touched at a time before they are walked.
const TOUCHED_AHEAD: usize = 32;

/// Where a change stands in the arena, in an order: `bucket u16 | db u32 | hash u32 | offset u48`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place(u128);

impl Place {
    pub fn new(bucket: u16, db: u32, hash: u32, offset: usize) -> Place {
        let order = u128::from(bucket) << 64 | u128::from(db) << 32 | u128::from(hash);
        Place(order << OFFSET_BITS | (offset as u128 & OFFSET_MASK))
    }

    pub fn offset(self) -> usize {
        (self.0 & OFFSET_MASK) as usize
    }

    /// Bucket, db and hash as one number of 80 bits.
    pub fn order(self) -> u128 {
        self.0 >> OFFSET_BITS
    }
}

/// The bytes of batches, and the places of their changes.
#[derive(Default)]
pub(crate) struct Arena {
    bytes: Vec<u8>,
    places: Vec<Place>,
}

impl Arena {
    /// Where the next batch will begin.
    pub fn end(&self) -> usize {
        self.bytes.len()
    }

    pub fn push_bytes(&mut self, batch: &[u8]) {
        self.bytes.extend_from_slice(batch);
    }

    pub fn push_place(&mut self, place: Place) {
        self.places.push(place);
    }

    /// Memory in use.
    pub fn size(&self) -> usize {
        self.bytes.len() + self.places.len() * size_of::<Place>()
    }

    /// Forgets everything and keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.places.clear();
    }

    pub fn sort(&mut self) {
        self.places.sort_unstable();
    }

    /// The change at a place, and the bytes that it begins.
    pub fn change(&self, place: Place) -> Result<(Change<'_>, &[u8]), Corrupt> {
        let bytes = self.bytes.get(place.offset()..).unwrap_or_default();
        let mut rest = bytes;
        let change = Change::take(&mut rest)?.ok_or(Corrupt("change"))?;
        Ok((change, bytes.get(..bytes.len() - rest.len()).unwrap_or_default()))
    }

    /// The places of equal order, in ascending order; they have to be sorted.
    pub fn groups(&self) -> Groups<'_> {
        Groups { arena: self, rest: &self.places, untouched: 0 }
    }
}

/// A walk over sorted places, those of one order at a time.
pub(crate) struct Groups<'a> {
    arena: &'a Arena,
    rest: &'a [Place],
    /// Places of `rest` from here on are not in the processor's cache.
    untouched: usize,
}

impl<'a> Groups<'a> {
    /// Brings changes into the processor's cache. Sorted by key they lie anywhere in the arena,
    /// and one read after the other would wait for memory each time; reads that do not depend on
    /// each other wait together.
    fn touch(&mut self, needed: usize) {
        let end = (needed + TOUCHED_AHEAD).min(self.rest.len());
        let places = self.rest.get(self.untouched..end).unwrap_or_default();
        let bytes = places.iter().filter_map(|place| self.arena.bytes.get(place.offset()));
        std::hint::black_box(bytes.fold(0, |all, byte| all ^ byte));
        self.untouched = end;
    }
}

impl<'a> Iterator for Groups<'a> {
    type Item = &'a [Place];

    fn next(&mut self) -> Option<&'a [Place]> {
        let group = self.rest.chunk_by(|a, b| a.order() == b.order()).next()?;
        if self.untouched < group.len() {
            self.touch(group.len());
        }
        self.rest = self.rest.get(group.len()..).unwrap_or_default();
        self.untouched -= group.len();
        Some(group)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_order_by_bucket_db_hash_and_then_time() {
        let places = [
            Place::new(1, u32::MAX, u32::MAX, 9),
            Place::new(2, 0, 0, 0),
            Place::new(2, 0, 5, 3),
            Place::new(2, 0, 5, 4),
            Place::new(2, 1, 0, 1),
        ];
        assert!(places.is_sorted());
        assert_eq!(places[3].offset(), 4);
        assert!(places[2].order() == places[3].order() && places[1].order() < places[2].order());
        let arena = Arena { bytes: vec![0; 10], places: places.to_vec() };
        let sizes: Vec<usize> = arena.groups().map(<[Place]>::len).collect();
        assert_eq!(sizes, [1, 1, 2, 1]);
    }
}
