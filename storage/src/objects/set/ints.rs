//! Sets of integers as one sorted array, each number in 2, 4 or 8 bytes.
//!
//! All numbers take the width of the widest that was ever in the set, as in Redis's intset.

use super::super::Corrupt;

/// Sorted, distinct numbers.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Ints {
    /// Little-endian, `width` bytes each.
    bytes: Vec<u8>,
    width: u8,
}

fn width_of(n: i64) -> u8 {
    if i16::try_from(n).is_ok() {
        2
    } else if i32::try_from(n).is_ok() {
        4
    } else {
        8
    }
}

impl Ints {
    pub fn new() -> Ints {
        Ints { bytes: Vec::new(), width: 2 }
    }

    pub fn len(&self) -> usize {
        self.bytes.len() / usize::from(self.width)
    }

    /// The number at `index` in ascending order.
    #[inline]
    pub fn get(&self, index: usize) -> Option<i64> {
        match self.width {
            2 => self.bytes.as_chunks().0.get(index).map(|n| i64::from(i16::from_le_bytes(*n))),
            4 => self.bytes.as_chunks().0.get(index).map(|n| i64::from(i32::from_le_bytes(*n))),
            _ => self.bytes.as_chunks().0.get(index).map(|n| i64::from_le_bytes(*n)),
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = i64> {
        (0..self.len()).map_while(|index| self.get(index))
    }

    /// Where `n` is, or else where it belongs.
    fn position(&self, n: i64) -> Result<usize, usize> {
        match self.width {
            2 => (self.bytes.as_chunks().0)
                .binary_search_by(|known| i64::from(i16::from_le_bytes(*known)).cmp(&n)),
            4 => (self.bytes.as_chunks().0)
                .binary_search_by(|known| i64::from(i32::from_le_bytes(*known)).cmp(&n)),
            _ => (self.bytes.as_chunks().0)
                .binary_search_by(|known| i64::from_le_bytes(*known).cmp(&n)),
        }
    }

    pub fn contains(&self, n: i64) -> bool {
        self.position(n).is_ok()
    }

    /// False if it was there already.
    pub fn insert(&mut self, n: i64) -> bool {
        let Err(index) = self.position(n) else { return false };
        if width_of(n) > self.width {
            self.widen(width_of(n));
        }
        let width = usize::from(self.width);
        let start = index * width;
        let end = self.bytes.len();
        if end + width > self.bytes.capacity() {
            let slack = if end <= 512 { 0 } else { end / 8 };
            self.bytes.reserve_exact((end + width + slack).next_multiple_of(16) - end);
        }
        self.bytes.resize(end + width, 0);
        self.bytes.copy_within(start..end, start + width);
        if let Some(place) = self.bytes.get_mut(start..start + width)
            && let Some(number) = n.to_le_bytes().get(..width)
        {
            place.copy_from_slice(number);
        }
        true
    }

    /// False if it was not there.
    pub fn remove(&mut self, n: i64) -> bool {
        let Ok(index) = self.position(n) else { return false };
        let width = usize::from(self.width);
        self.bytes.drain(index * width..(index + 1) * width);
        if self.bytes.capacity() > self.bytes.len() * 2 + 64 {
            self.bytes.shrink_to(self.bytes.len() + self.bytes.len() / 4);
        }
        true
    }

    fn widen(&mut self, width: u8) {
        let mut bytes = Vec::with_capacity((self.len() + 1) * usize::from(width));
        for n in self.iter() {
            bytes.extend(n.to_le_bytes().into_iter().take(usize::from(width)));
        }
        *self = Ints { bytes, width };
    }

    pub fn heap_bytes(&self) -> usize {
        self.bytes.capacity()
    }

    /// Appends the width and the numbers.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.width);
        out.extend_from_slice(&self.bytes);
    }

    pub fn decode(payload: &[u8]) -> Result<Ints, Corrupt> {
        let (&width, bytes) = payload.split_first().ok_or(Corrupt("set"))?;
        if !matches!(width, 2 | 4 | 8) || bytes.len() % usize::from(width) != 0 {
            return Err(Corrupt("set"));
        }
        let ints = Ints { bytes: bytes.to_vec(), width };
        if !ints.iter().is_sorted_by(|a, b| a < b) {
            return Err(Corrupt("set"));
        }
        Ok(ints)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn behaves_like_a_sorted_set(ops in prop::collection::vec((any::<bool>(), any::<i64>(), 0u32..64), 0..300)) {
            let mut ints = Ints::new();
            let mut model = BTreeSet::new();
            for (insert, n, shift) in ops {
                let n = n >> shift;
                if insert {
                    prop_assert_eq!(ints.insert(n), model.insert(n));
                } else {
                    let n = model.range(n..).next().copied().unwrap_or(n);
                    prop_assert_eq!(ints.remove(n), model.remove(&n));
                }
                prop_assert_eq!((ints.contains(n), ints.len()), (model.contains(&n), model.len()));
            }
            prop_assert!(ints.iter().eq(model.into_iter()));
            let mut record = Vec::new();
            ints.encode(&mut record);
            prop_assert!(Ints::decode(&record).unwrap() == ints);
        }
    }

    #[test]
    fn refuses_what_is_no_set() {
        for bad in
            [&b""[..], b"\x03abc", b"\x02a", b"\x02\x01\x00\x01\x00", b"\x02\x02\x00\x01\x00"]
        {
            assert!(Ints::decode(bad).is_err());
        }
    }
}
