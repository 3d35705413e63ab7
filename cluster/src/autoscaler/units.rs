//! Shares, rates and times, as integers.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Milliseconds since the Unix epoch; in simulations since their start.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct TimeMs(pub u64);

/// A span of whole seconds: the resolution of every window, cool-down and wait.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Seconds(pub u32);

/// A share in millionths: a threshold of 1 %, a utilisation, or a ratio such as three times.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Share(pub u32);

/// Thousandths of an event (request, entry) per second.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Rate(pub u64);

impl TimeMs {
    /// Later by `span`.
    #[must_use]
    pub fn after(self, span: Seconds) -> Self {
        Self(self.0.saturating_add(span.ms()))
    }

    /// Milliseconds since `earlier`; 0 if that is later.
    pub fn since_ms(self, earlier: TimeMs) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Whether at least `span` has passed since `earlier`.
    pub fn is_past(self, earlier: TimeMs, span: Seconds) -> bool {
        self.since_ms(earlier) >= span.ms()
    }
}

impl Seconds {
    /// `n` minutes.
    pub const fn minutes(n: u32) -> Self {
        Self(n.saturating_mul(60))
    }

    /// In milliseconds.
    pub fn ms(self) -> u64 {
        u64::from(self.0) * 1000
    }
}

impl Share {
    /// 0 %.
    pub const ZERO: Share = Share(0);
    /// 100 %.
    pub const ONE: Share = Share(1_000_000);

    /// `n` %.
    pub const fn percent(n: u32) -> Self {
        Self(n.saturating_mul(10_000))
    }

    /// `part` of `total`, rounded down, at most `u32::MAX` millionths; 0 of nothing.
    pub fn of(part: u64, total: u64) -> Self {
        let millionths = (u128::from(part) * 1_000_000).checked_div(u128::from(total));
        Self(u32::try_from(millionths.unwrap_or(0)).unwrap_or(u32::MAX))
    }

    /// Whether `part` is more than this share of `total`, exactly; false of nothing.
    pub fn is_exceeded_by(self, part: u64, total: u64) -> bool {
        total > 0 && u128::from(part) * 1_000_000 > u128::from(self.0) * u128::from(total)
    }

    /// Whether `part` is at least this share of `total`, exactly; false of nothing.
    pub fn is_reached_by(self, part: u64, total: u64) -> bool {
        total > 0 && u128::from(part) * 1_000_000 >= u128::from(self.0) * u128::from(total)
    }

    /// This share of `whole`, rounded down.
    pub fn of_whole(self, whole: u64) -> u64 {
        let product = u128::from(self.0) * u128::from(whole) / 1_000_000;
        u64::try_from(product).unwrap_or(u64::MAX)
    }

    /// 1.0 is 100 %.
    pub fn as_f64(self) -> f64 {
        f64::from(self.0) / 1e6
    }

    /// The nearest share to a computed number; not a number and below 0 become 0.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    pub fn from_f64(number: f64) -> Self {
        // `as` saturates, and makes 0 of NaN.
        Self((number * 1e6).round() as u32)
    }
}

impl Rate {
    /// `n` per second.
    pub fn per_second(n: u64) -> Self {
        Self(n.saturating_mul(1000))
    }

    /// `n` events in `ms` milliseconds, rounded down; 0 in no time.
    pub fn of(n: u64, ms: u64) -> Self {
        let thousandths = (u128::from(n) * 1_000_000).checked_div(u128::from(ms));
        Self(u64::try_from(thousandths.unwrap_or(0)).unwrap_or(u64::MAX))
    }

    /// Per second.
    #[allow(clippy::cast_precision_loss)]
    pub fn as_f64(self) -> f64 {
        self.0 as f64 / 1e3
    }
}

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            s if s > 0 && s.is_multiple_of(3600) => write!(f, "{} h", s / 3600),
            s if s > 0 && s.is_multiple_of(60) => write!(f, "{} min", s / 60),
            s => write!(f, "{s} s"),
        }
    }
}

impl fmt::Display for Share {
    /// In percent, with as many places as it needs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0 / 10_000)?;
        let places = self.0 % 10_000;
        if places != 0 {
            write!(f, ".{}", format!("{places:04}").trim_end_matches('0'))?;
        }
        f.write_str(" %")
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}/s", self.0 / 1000, self.0 % 1000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_are_exact() {
        let one = Share::percent(1);
        assert!(!one.is_exceeded_by(100, 10_000) && one.is_exceeded_by(101, 10_000));
        let class = Share::percent(80);
        assert!(class.is_reached_by(800, 1000) && !class.is_reached_by(799, 1000));
        assert!(!one.is_exceeded_by(0, 0) && !Share::ZERO.is_reached_by(0, 0));
        assert!(!one.is_exceeded_by(u64::MAX / 200, u64::MAX));
    }

    #[test]
    fn texts_are_short() {
        assert_eq!(Share(10_100).to_string(), "1.01 %");
        assert_eq!(Share::percent(300).to_string(), "300 %");
        assert_eq!(Seconds(3600).to_string(), "1 h");
        assert_eq!(Seconds(300).to_string(), "5 min");
        assert_eq!(Seconds(0).to_string(), "0 s");
        assert_eq!(Rate::of(15, 10_000).to_string(), "1.500/s");
        assert_eq!(Share::from_f64(f64::NAN), Share::ZERO);
        assert_eq!(Share::from_f64(0.76), Share::percent(76));
    }
}
