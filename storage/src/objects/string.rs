//! Strings: integers as numbers, short ones in place, others in an exactly sized box.
//!
//! A string that was appended to or written into keeps spare capacity and, as in Redis, is `raw`
//! for `OBJECT ENCODING` however short it is.

use super::{Corrupt, Value};
use crate::bytes::SmallBytes;
use resp::numbers::parse_i64;
use std::borrow::Cow;

/// The longest string that Redis keeps in one allocation with its object.
const EMBSTR_MAX: usize = 44;
/// Strings longer than this are not tried as integers (the longest `i64` has 20 characters).
const INTEGER_LEN_MAX: usize = 20;

#[derive(Clone)]
pub enum Str {
    Int(i64),
    Bytes(SmallBytes),
    Grown(Box<Vec<u8>>),
}

impl Str {
    /// The value that SET stores: canonical decimal integers become numbers.
    #[inline]
    pub fn new(bytes: &[u8]) -> Str {
        if bytes.len() <= INTEGER_LEN_MAX
            && let Some(number) = parse_i64(bytes)
        {
            return Str::Int(number);
        }
        Str::Bytes(SmallBytes::new(bytes))
    }

    /// [`Str::new`] over an old value, in its place when both are as long.
    #[inline]
    pub fn assign(&mut self, bytes: &[u8]) {
        match self {
            Str::Bytes(SmallBytes::Heap(old))
                if old.len() == bytes.len() && bytes.len() > INTEGER_LEN_MAX =>
            {
                old.copy_from_slice(bytes);
            }
            _ => *self = Str::new(bytes),
        }
    }

    /// The value of a string that is edited in place (APPEND, SETRANGE, SETBIT): `raw`.
    pub fn grown(bytes: Vec<u8>) -> Str {
        Str::Grown(Box::new(bytes))
    }

    /// The content; a number is printed.
    #[inline]
    pub fn bytes(&self) -> Cow<'_, [u8]> {
        match self {
            Str::Int(number) => Cow::Owned(number.to_string().into_bytes()),
            Str::Bytes(bytes) => Cow::Borrowed(bytes),
            Str::Grown(bytes) => Cow::Borrowed(bytes),
        }
    }

    pub fn len(&self) -> usize {
        match self {
            Str::Int(_) => self.bytes().len(),
            Str::Bytes(bytes) => bytes.len(),
            Str::Grown(bytes) => bytes.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number this string is, in Redis's strict reading.
    pub fn integer(&self) -> Option<i64> {
        match self {
            Str::Int(number) => Some(*number),
            _ => parse_i64(&self.bytes()),
        }
    }

    /// The content for editing in place; from now on the string is `raw`.
    pub fn edit(&mut self) -> &mut Vec<u8> {
        if !matches!(self, Str::Grown(_)) {
            *self = Str::grown(self.bytes().into_owned());
        }
        match self {
            Str::Grown(bytes) => bytes,
            _ => unreachable!("made so just above"),
        }
    }

    pub fn encoding(&self) -> &'static str {
        match self {
            Str::Int(_) => "int",
            Str::Bytes(bytes) if bytes.len() <= EMBSTR_MAX => "embstr",
            _ => "raw",
        }
    }

    /// Payload of the record: a tag (0 bytes, 1 grown, 2 integer), then the content.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Str::Int(number) => {
                out.push(2);
                out.extend_from_slice(&number.to_le_bytes());
            }
            Str::Bytes(bytes) => {
                out.push(0);
                out.extend_from_slice(bytes);
            }
            Str::Grown(bytes) => {
                out.push(1);
                out.extend_from_slice(bytes);
            }
        }
    }

    pub fn decode(payload: &[u8]) -> Result<Str, Corrupt> {
        let (tag, content) = payload.split_first().ok_or(Corrupt("string"))?;
        match tag {
            0 => Ok(Str::Bytes(SmallBytes::new(content))),
            1 => Ok(Str::grown(content.to_vec())),
            2 => {
                let number = content.try_into().map_err(|_| Corrupt("string"))?;
                Ok(Str::Int(i64::from_le_bytes(number)))
            }
            _ => Err(Corrupt("string")),
        }
    }

    pub fn heap_bytes(&self) -> usize {
        match self {
            Str::Int(_) => 0,
            Str::Bytes(bytes) => bytes.heap_bytes(),
            Str::Grown(bytes) => size_of::<Vec<u8>>() + bytes.capacity(),
        }
    }
}

impl From<Str> for Value {
    fn from(string: Str) -> Value {
        Value::Str(string)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_are_redis_ones_and_records_come_back() {
        for (bytes, encoding) in [
            (&b"12"[..], "int"),
            (b"-9223372036854775808", "int"),
            (b"9223372036854775808", "embstr"),
            (b"012", "embstr"),
            (b"", "embstr"),
            (&[b'x'; 44], "embstr"),
            (&[b'x'; 45], "raw"),
        ] {
            let string = Str::new(bytes);
            assert_eq!(string.encoding(), encoding);
            let mut record = Vec::new();
            string.encode(&mut record);
            let back = Str::decode(&record).unwrap();
            assert_eq!((&*back.bytes(), back.encoding()), (bytes, encoding));
        }
        let mut string = Str::new(b"7");
        string.edit().extend_from_slice(b"x");
        assert_eq!((&*string.bytes(), string.encoding()), (&b"7x"[..], "raw"));
        assert!(Str::decode(b"").is_err() && Str::decode(b"\x02123").is_err());
        assert_eq!(size_of::<Value>(), 24);
    }
}
