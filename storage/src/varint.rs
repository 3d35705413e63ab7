//! Lengths as LEB128, and length-delimited byte strings, for records and journal batches.

/// Appends `n` in 1 to 10 bytes.
#[inline]
pub fn put(out: &mut Vec<u8>, mut n: u64) {
    while n >= 0x80 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

/// Appends the length of `bytes` and `bytes`.
#[inline]
pub fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Takes a number off the front; `None` when it is cut short or longer than 64 bits.
#[inline]
pub fn take(input: &mut &[u8]) -> Option<u64> {
    let mut n = 0u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = input.split_first()?;
        *input = rest;
        let bits = u64::from(byte & 0x7f);
        if shift == 63 && bits > 1 {
            return None;
        }
        n |= bits << shift;
        if byte < 0x80 {
            return Some(n);
        }
    }
    None
}

/// Takes a length-delimited byte string off the front; `None` when it is cut short.
#[inline]
pub fn take_bytes<'a>(input: &mut &'a [u8]) -> Option<&'a [u8]> {
    let len = usize::try_from(take(input)?).ok()?;
    let (bytes, rest) = input.split_at_checked(len)?;
    *input = rest;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_strings_come_back_and_short_input_is_refused() {
        for n in [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX] {
            let mut out = Vec::new();
            put(&mut out, n);
            assert_eq!(take(&mut &out[..]), Some(n));
            assert_eq!(take(&mut &out[..out.len() - 1]), None);
        }
        let mut out = Vec::new();
        put_bytes(&mut out, b"abc");
        assert_eq!(take_bytes(&mut &out[..]), Some(&b"abc"[..]));
        assert_eq!(take_bytes(&mut &out[..3]), None);
        assert_eq!(take(&mut &[0xff; 11][..]), None);
    }
}
