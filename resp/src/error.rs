//! What is wrong with a request so that the connection cannot go on.
//!
//! After one of these the place where the next command begins is unknown: the client is answered
//! `-ERR ` and the text, and the connection is closed.

use std::fmt;

/// A request that breaks the protocol. Displays as Redis's own text, `Protocol error: ...`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProtocolError {
    InvalidMultibulkLength,
    UnauthenticatedMultibulkLength,
    TooBigMultibulkCount,
    /// Not a `$` but this byte at the head of an argument.
    ExpectedBulk(u8),
    InvalidBulkLength,
    UnauthenticatedBulkLength,
    TooBigBulkCount,
    TooBigInline,
    UnbalancedQuotes,
}

impl ProtocolError {
    /// The text as it goes on the wire. It differs from `Display` only for [`Self::ExpectedBulk`]
    /// with a byte over 127, which Redis sends as it came and a `str` cannot hold.
    pub fn message(&self) -> Vec<u8> {
        match *self {
            Self::ExpectedBulk(byte) => {
                let shown = if matches!(byte, b'\r' | b'\n') { b' ' } else { byte };
                let mut text = b"Protocol error: expected '$', got '".to_vec();
                text.extend([shown, b'\'']);
                text
            }
            _ => self.to_string().into_bytes(),
        }
    }
}

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Protocol error: ")?;
        f.write_str(match *self {
            Self::InvalidMultibulkLength => "invalid multibulk length",
            Self::UnauthenticatedMultibulkLength => "unauthenticated multibulk length",
            Self::TooBigMultibulkCount => "too big mbulk count string",
            Self::ExpectedBulk(byte) => {
                let shown = if matches!(byte, b'\r' | b'\n') { ' ' } else { char::from(byte) };
                return write!(f, "expected '$', got '{shown}'");
            }
            Self::InvalidBulkLength => "invalid bulk length",
            Self::UnauthenticatedBulkLength => "unauthenticated bulk length",
            Self::TooBigBulkCount => "too big bulk count string",
            Self::TooBigInline => "too big inline request",
            Self::UnbalancedQuotes => "unbalanced quotes in request",
        })
    }
}

impl std::error::Error for ProtocolError {}
