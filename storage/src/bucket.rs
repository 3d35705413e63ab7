//! Slots and buckets.
//!
//! `slot = crc16(key or {tag}) mod 16384`, as in Redis Cluster; `bucket = 1 + slot * B / 16384`: a
//! bucket is a contiguous range of slots and can be recomputed from the key (X1, R70-R75). The
//! label is stored with the object and in front of each of its records, and never changes.

/// Number of slots, fixed by Redis Cluster's protocol.
pub const SLOTS: u16 = 16384;

/// CRC-16/XMODEM: polynomial 0x1021, no reflection, start 0 (Redis Cluster specification).
const CRC16: [u16; 256] = {
    let mut table = [0u16; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = (byte as u16) << 8;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 0x8000 != 0 { (crc << 1) ^ 0x1021 } else { crc << 1 };
            bit += 1;
        }
        #[allow(clippy::indexing_slicing)]
        {
            table[byte] = crc;
        }
        byte += 1;
    }
    table
};

#[allow(clippy::indexing_slicing)]
pub fn crc16(bytes: &[u8]) -> u16 {
    let mut crc = 0u16;
    for &byte in bytes {
        crc = (crc << 8) ^ CRC16[usize::from((crc >> 8) as u8 ^ byte)];
    }
    crc
}

/// The two characters between which a key's tag stands; `{}` unless a directory says otherwise.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tag {
    pub open: u8,
    pub close: u8,
}

impl Default for Tag {
    fn default() -> Self {
        Tag { open: b'{', close: b'}' }
    }
}

impl Tag {
    /// The part of `key` that decides its slot: the first non-empty tag, else the whole key.
    #[inline]
    pub fn part(self, key: &[u8]) -> &[u8] {
        let Some(open) = memchr::memchr(self.open, key) else { return key };
        let inner = key.get(open + 1..).unwrap_or_default();
        match memchr::memchr(self.close, inner) {
            Some(end) if end > 0 => inner.get(..end).unwrap_or_default(),
            _ => key,
        }
    }

    /// The slot of `key`, `0..16384`.
    #[inline]
    pub fn slot(self, key: &[u8]) -> u16 {
        crc16(self.part(key)) % SLOTS
    }
}

/// The label, `1..=buckets`, of the keys in `slot`.
#[inline]
pub fn bucket_of(slot: u16, buckets: u16) -> u16 {
    1 + (u32::from(slot) * u32::from(buckets) / u32::from(SLOTS)) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_redis_cluster_ones() {
        let tag = Tag::default();
        assert_eq!(crc16(b"123456789"), 0x31c3);
        assert_eq!(tag.slot(b"foo"), 12182);
        assert_eq!(tag.slot(b"{user1000}.following"), tag.slot(b"user1000"));
        assert_eq!(tag.part(b"foo{}{bar}"), b"foo{}{bar}");
        assert_eq!(tag.part(b"foo{{bar}}zap"), b"{bar");
        assert_eq!(tag.part(b"foo{bar}{zap}"), b"bar");
    }

    #[test]
    fn buckets_are_contiguous_ranges_of_even_size() {
        let mut sizes = [0u32; 1001];
        let mut last = 1;
        for slot in 0..SLOTS {
            let bucket = bucket_of(slot, 1000);
            assert!(bucket == last || bucket == last + 1);
            last = bucket;
            sizes[usize::from(bucket)] += 1;
        }
        assert_eq!((bucket_of(0, 1000), last), (1, 1000));
        assert_eq!((bucket_of(8191, 1000), bucket_of(8192, 1000)), (500, 501));
        assert_eq!(sizes[1..].iter().filter(|&&n| n == 17).count(), 384);
        assert_eq!(sizes[1..].iter().filter(|&&n| n == 16).count(), 616);
    }
}
