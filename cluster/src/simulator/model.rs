//! What a node can do and how long it takes: BARS.md, Method (g).
//!
//! A node is one M/M/1 queue. At utilisation `u` a request that costs `S` takes `S / (1 - u)` on
//! average. Load Managers let a target have [`ADMITTED`] of its time and shed what would be more, so
//! a queue has a bounded length and no memory from one tick to the next.

use crate::topology::Level;

/// Seconds per tick: one cell of the observation.
pub const TICK_S: u32 = 10;
/// Ticks per minute, the span over which the average response time is judged.
pub const TICKS_PER_MINUTE: usize = 6;
/// Microseconds of a level 1 node per read, and per write at the Writer (S).
pub const SERVICE_US: f64 = 1000.0;
/// What applying a write costs a member that is not the Writer, as a part of a read.
pub const APPLY: f64 = 0.25;
/// Most of a node's time that Load Managers let requests have.
pub const ADMITTED: f64 = 0.95;
/// Microseconds of a level 1 Load Manager per request.
pub const RELAY_US: f64 = 50.0;
/// The target: the average response time stays under this. Microseconds.
pub const TARGET_US: f64 = 5000.0;
/// What a request that was shed counts as in an average (X12). Microseconds.
pub const FAILED_US: f64 = 1_000_000.0;
/// Load is what the trace says times 1 ± this, evenly distributed, anew each tick.
pub const NOISE: f64 = 0.12;
/// Median of the time until a requested node joins. Seconds.
pub const PROVISION_MEDIAN_S: f64 = 60.0;
/// 95th percentile of it. Seconds.
pub const PROVISION_P95_S: f64 = 180.0;
/// Bytes of a shard.
pub const SHARD_BYTES: u64 = 10_000_000_000;
/// Bytes per second of one copy.
pub const SYNC_BYTES_PER_S: u64 = 100_000_000;

/// Seconds until a new copy of a whole shard is warm.
pub fn sync_s() -> f64 {
    SHARD_BYTES as f64 / SYNC_BYTES_PER_S as f64
}

/// How much faster than level 1 a node is: the capacity table. A machine twice as big does 1.8
/// times as much.
pub fn speed(level: Level) -> f64 {
    1.8_f64.powi(i32::from(level.number()) - 1)
}

/// What an hour of a node costs, in hours of level 1: each level doubles the machine.
pub fn price(level: Level) -> f64 {
    2.0_f64.powi(i32::from(level.number()) - 1)
}

/// Average response time in microseconds of a request that costs `service_us`, at `utilisation`.
pub fn response_us(service_us: f64, utilisation: f64) -> f64 {
    service_us / (1.0 - utilisation.clamp(0.0, ADMITTED))
}

/// What part of the requests is let in where they ask for `wanted` of a node's time and `fixed` of
/// it goes to what cannot be shed (applied writes).
pub fn admitted_share(wanted: f64, fixed: f64) -> f64 {
    if wanted + fixed <= ADMITTED { 1.0 } else { ((ADMITTED - fixed) / wanted).clamp(0.0, 1.0) }
}

/// What became of the requests of one tick, in requests per second.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Answered {
    /// Answered.
    pub answered: f64,
    /// Sum of the response times of those, microseconds per second.
    pub sum_us: f64,
    /// Shed, or sent to nobody.
    pub failed: f64,
}

impl Answered {
    /// Of `rate` requests per second, `share` are answered after `us` microseconds each.
    pub fn of(rate: f64, share: f64, us: f64) -> Self {
        let answered = rate * share;
        Self { answered, sum_us: answered * us, failed: rate - answered }
    }

    /// Requests that came.
    pub fn offered(&self) -> f64 {
        self.answered + self.failed
    }

    /// Average response time in microseconds; failed requests count as [`FAILED_US`]. 0 of nothing.
    pub fn average_us(&self) -> f64 {
        match self.offered() {
            offered if offered > 0.0 => (self.sum_us + self.failed * FAILED_US) / offered,
            _ => 0.0,
        }
    }
}

impl std::ops::AddAssign for Answered {
    fn add_assign(&mut self, other: Self) {
        self.answered += other.answered;
        self.sum_us += other.sum_us;
        self.failed += other.failed;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queues_take_what_the_textbook_says() {
        assert!((response_us(1000.0, 0.0) - 1000.0).abs() < 1e-9);
        assert!((response_us(1000.0, 0.5) - 2000.0).abs() < 1e-9);
        assert!((response_us(1000.0, 0.8) - 5000.0).abs() < 1e-6);
        assert!((response_us(1000.0, 7.0) - 20_000.0).abs() < 1e-6);
    }

    #[test]
    fn what_is_shed_is_what_is_over_the_limit() {
        assert!((admitted_share(0.9, 0.05) - 1.0).abs() < 1e-9);
        assert!((admitted_share(9.5, 0.0) - 0.1).abs() < 1e-9);
        assert!((admitted_share(1.0, 0.45) - 0.5).abs() < 1e-9);
        let tick = Answered::of(100.0, 0.5, 1000.0);
        assert!((tick.average_us() - 500_500.0).abs() < 1e-6);
    }

    #[test]
    fn a_level_gives_less_than_it_costs() {
        for level in Level::all().skip(1) {
            assert!(speed(level) < price(level) && speed(level) > 1.0);
        }
    }
}
