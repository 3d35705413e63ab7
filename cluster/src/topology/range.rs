//! Ranges of buckets. The shards' ranges tile `1..=B` without gap or overlap (I1).

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{BucketId, ShardId, Violation};

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

impl BucketRange {
    /// `first..=at - 1` and `at..=last`.
    pub fn split_at(self, at: BucketId) -> Result<(BucketRange, BucketRange), RangeError> {
        if at <= self.first() || at > self.last() {
            return Err(RangeError::SplitPoint { range: self, at: at.0 });
        }
        Ok((Self::new(self.first().0, at.0 - 1)?, Self::new(at.0, self.last().0)?))
    }

    /// Where it divides into two parts whose counts differ by at most one, the left one the larger:
    /// the first bucket of the right part. `None` of a single bucket (R73).
    pub fn middle(self) -> Option<BucketId> {
        let left = u16::try_from(self.count().div_ceil(2)).ok()?;
        (self.count() > 1).then(|| BucketId(self.first().0.saturating_add(left)))
    }

    /// Where it divides so that the heavier part is as light as it can be (X25); of several such
    /// buckets the one nearest to the middle by count, then the lowest. `heavy` gives the weights of some buckets; what is left of `total` lies evenly on
    /// all others. Weights outside the range count for nothing. `None` of a single bucket.
    pub fn middle_by_weight(self, heavy: &[(BucketId, u64)], total: u64) -> Option<BucketId> {
        let mut known = BTreeMap::new();
        for &(bucket, weight) in heavy.iter().filter(|(b, _)| self.contains(*b)) {
            *known.entry(bucket.0).or_insert(0u128) += u128::from(weight);
        }
        let named: u128 = known.values().sum();
        let others = u128::from(self.count()).saturating_sub(known.len() as u128);
        let rest = u128::from(total).saturating_sub(named);
        // In units of one `others`-th, so that an even share is a whole number.
        let unit = others.max(1);
        let weight = |bucket: u16| known.get(&bucket).map_or(rest, |w| w * unit);
        let whole = named * unit + if others == 0 { 0 } else { rest * others };
        let middle = self.middle()?;
        let (mut left, mut best) = (0u128, None);
        for at in self.first().0..self.last().0 {
            left += weight(at);
            let at = BucketId(at.saturating_add(1));
            let rank = (left.max(whole.saturating_sub(left)), at.0.abs_diff(middle.0), at);
            if best.is_none_or(|known| rank < known) {
                best = Some(rank);
            }
        }
        best.map(|(_, _, at)| at)
    }

    /// Checks that `ranges`, in this order, tile `1..=buckets` (I1).
    pub fn check_tiling(
        ranges: impl IntoIterator<Item = (ShardId, BucketRange)>,
        buckets: u16,
    ) -> Result<(), Violation> {
        // One above the last bucket covered; 65,536 after bucket 65,535.
        let mut next = 1u32;
        let bucket = |n: u32| BucketId(u16::try_from(n).unwrap_or(u16::MAX));
        for (shard, range) in ranges {
            if u32::from(range.first().0) != next || range.last().0 > buckets {
                return Err(Violation::Tiling { shard, range, expected: bucket(next) });
            }
            next = u32::from(range.last().0) + 1;
        }
        if next == 1 || next <= u32::from(buckets) {
            return Err(Violation::Uncovered { from: bucket(next) });
        }
        Ok(())
    }

    /// This and its right neighbour as one.
    pub fn join(self, right: BucketRange) -> Result<BucketRange, RangeError> {
        match self.is_left_of(right) {
            true => Self::new(self.first().0, right.last().0),
            false => Err(RangeError::NotAdjacent { left: self, right }),
        }
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
