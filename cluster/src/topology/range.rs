//! Ranges of buckets. The shards' ranges tile `1..=B` without gap or overlap (I1).

use std::fmt;

use serde::{Deserialize, Serialize};

use super::BucketId;

/// Buckets `first..=last`, never empty.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "(u16, u16)", into = "(u16, u16)")]
pub struct BucketRange {
    first: BucketId,
    last: BucketId,
}

/// Why there is no such range.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RangeError {
    /// Bucket 0 does not exist, and a range has at least one bucket.
    #[error("buckets {first}-{last} are no range: buckets begin at 1, and first <= last")]
    Empty {
        /// First bucket asked for.
        first: u16,
        /// Last bucket asked for.
        last: u16,
    },
    /// Both parts of a split need a bucket.
    #[error("{range} cannot be split at bucket {at}: both parts need a bucket")]
    SplitPoint {
        /// What was to be split.
        range: BucketRange,
        /// First bucket of the right part.
        at: u16,
    },
    /// Only neighbours can become one range.
    #[error("{left} and {right} are not neighbours in this order")]
    NotAdjacent {
        /// The lower range.
        left: BucketRange,
        /// The higher range.
        right: BucketRange,
    },
}

impl BucketRange {
    /// `first..=last`.
    pub fn new(first: u16, last: u16) -> Result<Self, RangeError> {
        if first == 0 || first > last {
            return Err(RangeError::Empty { first, last });
        }
        Ok(Self { first: BucketId(first), last: BucketId(last) })
    }

    /// The lowest bucket.
    pub fn first(self) -> BucketId {
        self.first
    }

    /// The highest bucket.
    pub fn last(self) -> BucketId {
        self.last
    }

    /// Number of buckets, at least 1.
    pub fn count(self) -> u32 {
        u32::from(self.last.0) - u32::from(self.first.0) + 1
    }

    /// Whether `bucket` lies in it.
    pub fn contains(self, bucket: BucketId) -> bool {
        self.first <= bucket && bucket <= self.last
    }

    /// Whether all of `other` lies in it.
    pub fn covers(self, other: BucketRange) -> bool {
        self.first <= other.first && other.last <= self.last
    }

    /// Whether `right` begins where this ends.
    pub fn is_left_of(self, right: BucketRange) -> bool {
        self.last.0.checked_add(1) == Some(right.first.0)
    }
}

impl TryFrom<(u16, u16)> for BucketRange {
    type Error = RangeError;

    fn try_from((first, last): (u16, u16)) -> Result<Self, RangeError> {
        Self::new(first, last)
    }
}

impl From<BucketRange> for (u16, u16) {
    fn from(range: BucketRange) -> (u16, u16) {
        (range.first.0, range.last.0)
    }
}

impl fmt::Display for BucketRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.first.0, self.last.0)
    }
}

impl fmt::Debug for BucketRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
