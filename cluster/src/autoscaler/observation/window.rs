//! Requests, counted and summed.

use serde::{Deserialize, Serialize};

use crate::autoscaler::{Rate, Share};

/// Requests of one class (read or write) on one shard, over the windows rules ask about. All but
/// the rates count only what came after the last completed action of the shard (X9); cells of a
/// surge are left out as X13 says.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct ClassWindow {
    /// Over `up-average-window`.
    pub up: Aggregate,
    /// Over `down-average-window`.
    pub down: Aggregate,
    /// Over `up-timeout-window`.
    pub timeouts: Aggregate,
    /// Over `forecast-window`.
    pub forecast: Aggregate,
    /// Over `class-window`: the usual mix.
    pub usual: Aggregate,
    /// Milliseconds of `up-average-window` that have passed since the last completed action, at
    /// most the window.
    pub filled_ms: u64,
    /// Offered load (completed, timed out and shed) of the last whole ten-second cell.
    pub cell_rate: Rate,
    /// The same over a minute.
    pub minute_rate: Rate,
    /// The same over `surge-baseline-window`; none before `surge-baseline-min` of cells.
    pub baseline_rate: Option<Rate>,
    /// How the rate has moved lately.
    #[serde(default)]
    pub trend: Trend,
}

/// How a rate moves, from whole cells without those of a surge.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Trend {
    /// What it was over three minutes.
    pub mean: Rate,
    /// What it was over thirty seconds.
    pub recent: Rate,
    /// What it is: the same as over three minutes, or where the line of a rise has come to.
    pub level: Rate,
    /// The highest five minutes of `down-utilisation-window`, for shrinking; none before so much is
    /// known.
    pub peak: Option<Rate>,
    /// How much higher it is with every second; 0 where nothing stands out of the noise.
    pub slope: Rate,
    /// How far single cells lie from the level (standard deviation), as a share of it.
    pub noise: Share,
}

/// Counts and sums of requests. They add up over Load Managers and over time, so an average of
/// sums is exact.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
pub struct Aggregate {
    /// Completed requests.
    pub n: u64,
    /// Sum of their response times at the Load Manager's socket, queueing included (X12).
    pub sum_us: u64,
    /// Requests that timed out.
    pub timeouts: u64,
    /// Requests refused for overload.
    pub shed: u64,
    /// Sum of the time nodes were busy with the completed ones.
    pub busy_us: u64,
}

impl Aggregate {
    /// Requests that came: completed, timed out and shed.
    pub fn offered(&self) -> u64 {
        self.n.saturating_add(self.timeouts).saturating_add(self.shed)
    }

    /// Timed out or shed.
    pub fn failed(&self) -> u64 {
        self.timeouts.saturating_add(self.shed)
    }

    /// Average response time in microseconds, rounded down; each request that failed counts as
    /// `timeout_us` (X12). `None` without any request.
    pub fn average_us(&self, timeout_us: u64) -> Option<u64> {
        let failed = u128::from(self.failed()) * u128::from(timeout_us);
        let sum = (u128::from(self.sum_us) + failed).checked_div(u128::from(self.offered()))?;
        Some(u64::try_from(sum).unwrap_or(u64::MAX))
    }
}

impl std::ops::AddAssign for Aggregate {
    fn add_assign(&mut self, other: Self) {
        self.n = self.n.saturating_add(other.n);
        self.sum_us = self.sum_us.saturating_add(other.sum_us);
        self.timeouts = self.timeouts.saturating_add(other.timeouts);
        self.shed = self.shed.saturating_add(other.shed);
        self.busy_us = self.busy_us.saturating_add(other.busy_us);
    }
}

impl std::ops::Add for Aggregate {
    type Output = Self;

    fn add(mut self, other: Self) -> Self {
        self += other;
        self
    }
}

impl std::iter::Sum for Aggregate {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, one| sum + one)
    }
}
