//! Byte strings that live inside their owner when short.
//!
//! Keys, fields and members are mostly shorter than a cache line's third. Keeping up to 22 bytes
//! in place saves an allocation and a cache miss for each; longer ones are exactly-sized boxes.

use std::cmp::Ordering;

/// The longest byte string kept in place.
pub const INLINE_MAX: usize = 22;

/// An immutable byte string of 24 bytes, its content in place up to [`INLINE_MAX`].
#[derive(Clone)]
pub enum SmallBytes {
    Inline { len: u8, data: [u8; INLINE_MAX] },
    Heap(Box<[u8]>),
}

impl SmallBytes {
    pub fn new(bytes: &[u8]) -> SmallBytes {
        let mut data = [0; INLINE_MAX];
        match data.get_mut(..bytes.len()) {
            Some(place) => {
                place.copy_from_slice(bytes);
                SmallBytes::Inline { len: bytes.len() as u8, data }
            }
            None => SmallBytes::Heap(bytes.into()),
        }
    }

    #[inline]
    pub fn as_slice(&self) -> &[u8] {
        match self {
            SmallBytes::Inline { len, data } => data.get(..usize::from(*len)).unwrap_or_default(),
            SmallBytes::Heap(bytes) => bytes,
        }
    }

    pub fn len(&self) -> usize {
        match self {
            SmallBytes::Inline { len, .. } => usize::from(*len),
            SmallBytes::Heap(bytes) => bytes.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes held outside of `self`.
    pub fn heap_bytes(&self) -> usize {
        match self {
            SmallBytes::Inline { .. } => 0,
            SmallBytes::Heap(bytes) => bytes.len(),
        }
    }
}

impl Default for SmallBytes {
    fn default() -> Self {
        SmallBytes::new(&[])
    }
}

impl std::ops::Deref for SmallBytes {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        self.as_slice()
    }
}

impl From<&[u8]> for SmallBytes {
    fn from(bytes: &[u8]) -> Self {
        SmallBytes::new(bytes)
    }
}

impl PartialEq for SmallBytes {
    fn eq(&self, other: &Self) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl Eq for SmallBytes {}

impl PartialOrd for SmallBytes {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for SmallBytes {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_slice().cmp(other.as_slice())
    }
}

impl std::fmt::Debug for SmallBytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", String::from_utf8_lossy(self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_survives_on_both_sides_of_the_border() {
        for len in [0, 1, INLINE_MAX, INLINE_MAX + 1, 1000] {
            let bytes: Vec<u8> = (0..len).map(|i| i as u8).collect();
            let small = SmallBytes::new(&bytes);
            assert_eq!(&*small, &bytes[..]);
            assert_eq!(small.heap_bytes() == 0, len <= INLINE_MAX);
        }
        assert_eq!(size_of::<SmallBytes>(), 24);
        assert_eq!(size_of::<Option<SmallBytes>>(), 24);
    }
}
