//! The version that every serialised value begins with.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::{Serialize, Serializer};

/// Format version `N` of a serialised value: written as a number, and any other number is refused
/// when read. It takes no space.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Format<const N: u16>;

impl<const N: u16> Serialize for Format<N> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u16(N)
    }
}

impl<'de, const N: u16> Deserialize<'de> for Format<N> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Expect<const N: u16>;
        impl<const N: u16> Visitor<'_> for Expect<N> {
            type Value = Format<N>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "format version {N}")
            }

            fn visit_u64<E: de::Error>(self, found: u64) -> Result<Self::Value, E> {
                if found == u64::from(N) {
                    return Ok(Format);
                }
                Err(E::custom(format_args!(
                    "format version {found} is not known to this release, which reads {N}"
                )))
            }
        }
        from.deserialize_u16(Expect)
    }
}
