//! Where a node stands.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A failure domain as the operator names it, for instance `eu-1a` (X32). Nodes whose zone is
/// unknown have none; voters are spread over zones when all are known.
///
/// Letters, digits, `-`, `_` and `.`, at most 64 of them, so that it stays one word in texts.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone(Box<str>);

/// A text that is no zone.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{0}` is no zone: 1 to 64 letters, digits, `-`, `_` or `.`")]
pub struct ZoneError(pub String);

impl Zone {
    const LEN_MAX: usize = 64;

    /// Checks the name.
    pub fn new(name: &str) -> Result<Self, ZoneError> {
        let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if name.is_empty() || name.len() > Self::LEN_MAX || !name.chars().all(word) {
            return Err(ZoneError(name.chars().take(Self::LEN_MAX + 1).collect()));
        }
        Ok(Self(name.into()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Zone {
    type Error = ZoneError;

    fn try_from(name: String) -> Result<Self, ZoneError> {
        Self::new(&name)
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> String {
        zone.0.into()
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
