//! How big a node is.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Level 1 (smallest) to 5 (biggest); what a level means is defined per cluster (R28).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Level(u8);

/// A number that is no level.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("level {0} does not exist: levels are 1 to 5")]
pub struct LevelError(pub u8);

impl Level {
    /// The smallest.
    pub const MIN: Level = Level(1);
    /// The biggest: from here on a shard's write path divides it (R66).
    pub const MAX: Level = Level(5);

    /// `number` in `1..=5`.
    pub fn new(number: u8) -> Result<Self, LevelError> {
        match number {
            1..=5 => Ok(Level(number)),
            _ => Err(LevelError(number)),
        }
    }

    /// `1..=5`.
    pub fn number(self) -> u8 {
        self.0
    }

    /// `steps` bigger, at most [`Level::MAX`].
    #[must_use]
    pub fn up(self, steps: u8) -> Self {
        Level(self.0.saturating_add(steps).min(Self::MAX.0))
    }

    /// `steps` smaller, at least [`Level::MIN`].
    #[must_use]
    pub fn down(self, steps: u8) -> Self {
        Level(self.0.saturating_sub(steps).max(Self::MIN.0))
    }

    /// All levels, the smallest first.
    pub fn all() -> impl Iterator<Item = Level> {
        (Self::MIN.0..=Self::MAX.0).map(Level)
    }
}

impl TryFrom<u8> for Level {
    type Error = LevelError;

    fn try_from(number: u8) -> Result<Self, LevelError> {
        Self::new(number)
    }
}

impl From<Level> for u8 {
    fn from(level: Level) -> u8 {
        level.0
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "L{}", self.0)
    }
}

impl fmt::Debug for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
