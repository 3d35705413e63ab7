//! Ten-second cells of one shard and class, and the windows that rules ask about.
//!
//! Every Load Manager counts what its clients felt in cells; the control group's leader adds the
//! cells of all of them, so a cluster's average is that of all its requests, exactly. A window is a
//! sum of whole cells: those since the shard's last completed action (X9), without those of a surge
//! (X13). The limits: the cell that is being filled counts for nothing yet.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::config::Config;
use super::{Aggregate, ClassWindow, Rate, Seconds, TimeMs};

/// Length of a cell in milliseconds.
pub const CELL_MS: u64 = 10_000;
/// Cells that a minute's rate is taken from.
const MINUTE: u64 = 6;

/// The cells of one shard and class, by time.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Cells {
    cells: BTreeMap<u64, Cell>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
struct Cell {
    sum: Aggregate,
    surge: bool,
}

impl Cells {
    /// Counts `requests` that were answered, or failed, at `at`.
    pub fn record(&mut self, at: TimeMs, requests: Aggregate) {
        self.cells.entry(at.0 / CELL_MS).or_default().sum += requests;
    }

    /// Adds the cells of another Load Manager.
    pub fn add(&mut self, other: &Self) {
        for (&index, cell) in &other.cells {
            let mine = self.cells.entry(index).or_default();
            mine.sum += cell.sum;
            mine.surge |= cell.surge;
        }
    }

    /// Leaves the cells from `from` on out of windows, or (`surge` false) counts them again: for
    /// each second of a surge, and once when it is taken for growth.
    pub fn mark(&mut self, from: TimeMs, surge: bool) {
        for (_, cell) in self.cells.range_mut(from.0 / CELL_MS..) {
            cell.surge = surge;
        }
    }

    /// Forgets what no window of `config` reaches any more.
    pub fn forget(&mut self, config: &Config, now: TimeMs) {
        let (t, f) = (&config.trigger, &config.forecast);
        let windows = [
            t.up_average_window,
            t.down_average_window,
            t.up_timeout_window,
            f.forecast_window,
            config.class.class_window,
            config.surge.surge_baseline_window,
        ];
        let longest = windows.into_iter().max().unwrap_or_default();
        self.cells = self.cells.split_off(&(now.0.saturating_sub(longest.ms()) / CELL_MS));
    }

    /// The windows at `now`, counting from `last_completed`.
    pub fn windows(
        &self,
        config: &Config,
        now: TimeMs,
        last_completed: Option<TimeMs>,
    ) -> ClassWindow {
        let (t, f) = (&config.trigger, &config.forecast);
        let since = last_completed.map_or(0, |at| at.0.div_ceil(CELL_MS));
        let sum = |window: Seconds| self.sum(now, window, since);
        let begun = self.cells.keys().next().map_or(now.0, |first| first * CELL_MS);
        let filled = now.since_ms(last_completed.unwrap_or_default().max(TimeMs(begun)));
        let last = now.0 / CELL_MS;
        let offered = |cells: u64| -> u64 {
            let range = self.cells.range(last.saturating_sub(cells)..last);
            range.map(|(_, cell)| cell.sum.offered()).sum()
        };
        ClassWindow {
            up: sum(t.up_average_window),
            down: sum(t.down_average_window),
            timeouts: sum(t.up_timeout_window),
            forecast: sum(f.forecast_window),
            usual: sum(config.class.class_window),
            filled_ms: filled.min(t.up_average_window.ms()),
            cell_rate: Rate::of(offered(1), CELL_MS),
            minute_rate: Rate::of(offered(MINUTE), MINUTE * CELL_MS),
            baseline_rate: self.baseline(config, now),
        }
    }

    fn sum(&self, now: TimeMs, window: Seconds, since: u64) -> Aggregate {
        let last = now.0 / CELL_MS;
        let first = last.saturating_sub(window.ms() / CELL_MS).max(since).min(last);
        let calm = self.cells.range(first..last).filter(|(_, cell)| !cell.surge);
        calm.map(|(_, cell)| cell.sum).sum()
    }

    /// What comes usually: not cut at the last action, which changes the answer and not the question.
    fn baseline(&self, config: &Config, now: TimeMs) -> Option<Rate> {
        let last = now.0 / CELL_MS;
        let window = config.surge.surge_baseline_window.ms() / CELL_MS;
        let begun = *self.cells.keys().next()?;
        let first = last.saturating_sub(window).max(begun).min(last);
        let surge = self.cells.range(first..last).filter(|(_, cell)| cell.surge).count() as u64;
        let span = (last - first).saturating_sub(surge) * CELL_MS;
        let seen = Seconds(u32::try_from(window).unwrap_or(u32::MAX).saturating_mul(10));
        let enough = span >= config.surge.surge_baseline_min.ms();
        enough.then(|| Rate::of(self.sum(now, seen, 0).offered(), span))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requests(n: u64) -> Aggregate {
        Aggregate { n, sum_us: n * 1000, ..Aggregate::default() }
    }

    #[test]
    fn cells_of_load_managers_add_up_and_windows_end_before_the_open_cell() {
        let config = Config::predictive();
        let (mut one, mut other) = (Cells::default(), Cells::default());
        for second in 0..600 {
            one.record(TimeMs(second * 1000), requests(1));
            other.record(TimeMs(second * 1000), requests(2));
        }
        one.add(&other);
        let window = one.windows(&config, TimeMs(600_000), None);
        assert_eq!((window.up.n, window.usual.n), (900, 1800));
        assert_eq!((window.cell_rate, window.minute_rate), (Rate(3000), Rate(3000)));
        assert_eq!((window.baseline_rate, window.filled_ms), (Some(Rate(3000)), 300_000));
        let early = one.windows(&config, TimeMs(599_999), None);
        assert_eq!((early.usual.n, early.baseline_rate), (1770, None));
        let after = one.windows(&config, TimeMs(600_000), Some(TimeMs(570_001)));
        assert_eq!((after.up.n, after.filled_ms), (60, 29_999));
    }

    #[test]
    fn cells_of_a_surge_are_left_out() {
        let config = Config::predictive();
        let mut cells = Cells::default();
        for cell in 0..120 {
            let n = if cell < 90 { 10 } else { 1000 };
            cells.record(TimeMs(cell * CELL_MS), requests(n));
        }
        let now = TimeMs(120 * CELL_MS);
        cells.mark(TimeMs(90 * CELL_MS), true);
        let window = cells.windows(&config, now, None);
        assert_eq!((window.baseline_rate, window.up.n), (Some(Rate(1000)), 0));
        assert_eq!(window.cell_rate, Rate(100_000));
        cells.mark(TimeMs(90 * CELL_MS), false);
        assert_eq!(cells.windows(&config, now, None).up.n, 30_000);
        cells.forget(&config, TimeMs(480 * CELL_MS));
        assert_eq!(cells.windows(&config, TimeMs(480 * CELL_MS), None).up.n, 0);
    }
}
