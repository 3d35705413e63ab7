//! Ends of ranges, as BYSCORE and BYLEX take them.

/// One end of a range of scores.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Bound {
    /// Never NaN.
    pub score: f64,
    /// Whether the score itself is outside.
    pub exclusive: bool,
}

impl Bound {
    pub const MIN: Bound = Bound { score: f64::NEG_INFINITY, exclusive: false };
    pub const MAX: Bound = Bound { score: f64::INFINITY, exclusive: false };

    /// Whether `score` lies before a range that begins here.
    pub(super) fn excludes_below(self, score: f64) -> bool {
        score < self.score || (self.exclusive && score == self.score)
    }

    /// Whether `score` lies before the end of a range that ends here.
    pub(super) fn admits_below(self, score: f64) -> bool {
        score < self.score || (!self.exclusive && score == self.score)
    }
}

/// One end of a range of members that all have the same score.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LexBound<'a> {
    /// Before every member.
    Min,
    /// After every member.
    Max,
    Inclusive(&'a [u8]),
    Exclusive(&'a [u8]),
}

impl LexBound<'_> {
    pub(super) fn excludes_below(self, member: &[u8]) -> bool {
        match self {
            LexBound::Min => false,
            LexBound::Max => true,
            LexBound::Inclusive(bound) => member < bound,
            LexBound::Exclusive(bound) => member <= bound,
        }
    }

    pub(super) fn admits_below(self, member: &[u8]) -> bool {
        match self {
            LexBound::Min => false,
            LexBound::Max => true,
            LexBound::Inclusive(bound) => member <= bound,
            LexBound::Exclusive(bound) => member < bound,
        }
    }
}
