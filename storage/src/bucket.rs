//! Slots and buckets.
//!
//! `slot = crc16(key or {tag}) mod 16384`, as in Redis Cluster; `bucket = 1 + slot * B / 16384`: a
//! bucket is a contiguous range of slots and can be recomputed from the key (X1, R70-R75). The
//! label is stored with the object and in front of each of its records, and never changes.

/// Number of slots, fixed by Redis Cluster's protocol.
pub const SLOTS: u16 = 16384;

/// CRC-16/XMODEM: polynomial 0x1021, no reflection, start 0 (Redis Cluster specification).
/// `CRC16[n][byte]` is the sum of `byte` with `n` zero bytes behind it, so that eight bytes can be
/// summed side by side ("slicing by 8").
static CRC16: [[u16; 256]; 8] = {
    let mut tables = [[0u16; 256]; 8];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = (byte as u16) << 8;
        let mut zeros = 0;
        while zeros < 8 {
            let mut bit = 0;
            while bit < 8 {
                crc = if crc & 0x8000 != 0 { (crc << 1) ^ 0x1021 } else { crc << 1 };
                bit += 1;
            }
            #[allow(clippy::indexing_slicing)]
            {
                tables[zeros][byte] = crc;
            }
            zeros += 1;
        }
        byte += 1;
    }
    tables
};

#[inline]
pub fn crc16(bytes: &[u8]) -> u16 {
    let [t0, t1, t2, t3, t4, t5, t6, t7] = &CRC16;
    // A `u8` is within a table.
    #[allow(clippy::indexing_slicing)]
    let look = |table: &[u16; 256], byte: u8| table[usize::from(byte)];
    let (eights, mut rest) = bytes.as_chunks::<8>();
    let mut crc = 0u16;
    for [a, b, c, d, e, f, g, h] in eights {
        let [high, low] = crc.to_be_bytes();
        crc = look(t7, a ^ high)
            ^ look(t6, b ^ low)
            ^ look(t5, *c)
            ^ look(t4, *d)
            ^ look(t3, *e)
            ^ look(t2, *f)
            ^ look(t1, *g)
            ^ look(t0, *h);
    }
    if let Some(([a, b, c, d], tail)) = rest.split_first_chunk() {
        let [high, low] = crc.to_be_bytes();
        crc = look(t3, a ^ high) ^ look(t2, b ^ low) ^ look(t1, *c) ^ look(t0, *d);
        rest = tail;
    }
    for byte in rest {
        let [high, low] = crc.to_be_bytes();
        crc = u16::from(low) << 8 ^ look(t0, byte ^ high);
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
        let Some(open) = position(self.open, key) else { return key };
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

/// Keys up to this length are searched here; for longer ones it pays to call `memchr`.
const SHORT: usize = 32;

/// Where `byte` is first. Keys are short and mostly without it, which eight bytes are asked at
/// once: `x & 0x7f..` plus `0x7f..` sets a byte's high bit unless its low bits are 0.
#[inline]
fn position(byte: u8, key: &[u8]) -> Option<usize> {
    const LOW: u64 = u64::from_ne_bytes([0x7f; 8]);
    let (eights, rest) = key.as_chunks::<8>();
    let wanted = u64::from_ne_bytes([byte; 8]);
    let lacks = |eight: &[u8; 8]| {
        let x = u64::from_ne_bytes(*eight) ^ wanted;
        ((x & LOW) + LOW) | x | LOW == u64::MAX
    };
    if key.len() <= SHORT && eights.iter().all(lacks) && !rest.contains(&byte) {
        return None;
    }
    memchr::memchr(byte, key)
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
        let bytes: Vec<u8> = (0..100u32).map(|n| (n * 37 + 11) as u8).collect();
        for len in 0..bytes.len() {
            let bit_by_bit = bytes[..len].iter().fold(0u16, |crc, byte| {
                (0..8).fold(crc ^ u16::from(*byte) << 8, |crc, _| {
                    if crc & 0x8000 != 0 { crc << 1 ^ 0x1021 } else { crc << 1 }
                })
            });
            assert_eq!(crc16(&bytes[..len]), bit_by_bit, "{len} bytes");
        }
        assert_eq!(tag.slot(b"foo"), 12182);
        assert_eq!(tag.slot(b"{user1000}.following"), tag.slot(b"user1000"));
        assert_eq!(tag.part(b"foo{}{bar}"), b"foo{}{bar}");
        assert_eq!(tag.part(b"foo{{bar}}zap"), b"{bar");
        assert_eq!(tag.part(b"foo{bar}{zap}"), b"bar");
    }

    #[test]
    fn a_tag_is_found_wherever_it_is() {
        let tag = Tag::default();
        for len in 0..70 {
            for at in 0..len {
                // Bytes that differ from the wanted one in a single bit stand around it.
                for other in [b'{' ^ 0x80, b'{' ^ 0x01, 0, 0xff] {
                    let mut key = vec![other; len];
                    assert_eq!(tag.part(&key), key);
                    key[at] = b'{';
                    key.extend_from_slice(b"part}");
                    let end = key.len() - 1;
                    assert_eq!(tag.part(&key), &key[at + 1..end]);
                }
            }
        }
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
