//! Ten-second cells of one shard and class, and the windows that rules ask about.
//!
//! Every Load Manager counts what its clients felt in cells; the control group's leader adds the
//! cells of all of them, so a cluster's average is that of all its requests, exactly. A window is a
//! sum of whole cells: those since the shard's last completed action (X9), without those of a surge
//! (X13). The limits: the cell that is being filled counts for nothing yet.

use serde::{Deserialize, Serialize};

use super::config::Config;
use super::observation::Trend;
use super::{Aggregate, ClassWindow, Rate, Seconds, Share, TimeMs};

/// Length of a cell in milliseconds.
pub const CELL_MS: u64 = 10_000;
/// Cells that a minute's rate is taken from.
const MINUTE: u64 = 6;

/// The cells of one shard and class, the oldest first.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Cells {
    cells: Vec<(u64, Cell)>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
struct Cell {
    sum: Aggregate,
    surge: bool,
}

impl Cells {
    /// Counts `requests` that were answered, or failed, at `at`.
    pub fn record(&mut self, at: TimeMs, requests: Aggregate) {
        if let Some(cell) = self.at(at.0 / CELL_MS) {
            cell.sum += requests;
        }
    }

    /// The cell of this number; a new one if there was none.
    fn at(&mut self, index: u64) -> Option<&mut Cell> {
        let place = match self.cells.last() {
            Some((last, _)) if *last < index => self.cells.len(),
            _ => self.cells.partition_point(|(i, _)| *i < index),
        };
        if self.cells.get(place).is_none_or(|(i, _)| *i != index) {
            self.cells.insert(place, (index, Cell::default()));
        }
        self.cells.get_mut(place).map(|(_, cell)| cell)
    }

    /// The cells from `first` to before `end`.
    fn between(&self, first: u64, end: u64) -> &[(u64, Cell)] {
        let place = |index: u64| self.cells.partition_point(|(i, _)| *i < index);
        self.cells.get(place(first)..place(end)).unwrap_or_default()
    }

    /// Adds the cells of another Load Manager.
    pub fn add(&mut self, other: &Self) {
        for &(index, cell) in &other.cells {
            if let Some(mine) = self.at(index) {
                mine.sum += cell.sum;
                mine.surge |= cell.surge;
            }
        }
    }

    /// Leaves the cells from `from` on out of windows, or (`surge` false) counts them again: for
    /// each second of a surge, and once when it is taken for growth.
    pub fn mark(&mut self, from: TimeMs, surge: bool) {
        let marked = self.cells.iter_mut().rev().take_while(|(i, _)| *i >= from.0 / CELL_MS);
        for (_, cell) in marked {
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
            f.down_utilisation_window,
            config.class.class_window,
            config.surge.surge_baseline_window,
        ];
        let longest = windows.into_iter().max().unwrap_or_default();
        let first = now.0.saturating_sub(longest.ms()) / CELL_MS;
        let gone = self.cells.partition_point(|(i, _)| *i < first);
        self.cells.drain(..gone);
    }

    /// The windows at `now`, counting from `last_completed`.
    pub fn windows(
        &self,
        config: &Config,
        now: TimeMs,
        last_completed: Option<TimeMs>,
    ) -> ClassWindow {
        let (t, f) = (&config.trigger, &config.forecast);
        let (last, since) =
            (now.0 / CELL_MS, last_completed.map_or(0, |at| at.0.div_ceil(CELL_MS)));
        let begun = self.cells.first().map_or(now.0, |(first, _)| first * CELL_MS);
        let filled = now.since_ms(last_completed.unwrap_or_default().max(TimeMs(begun)));
        let spans = [
            t.up_average_window,
            t.down_average_window,
            t.up_timeout_window,
            f.forecast_window,
            config.class.class_window,
        ];
        let back = |span: Seconds| last.saturating_sub(span.ms() / CELL_MS);
        let [up, down, timeouts, forecast, usual] =
            self.sums(spans.map(|span| back(span).max(since).min(last)), last);
        let minute = last.saturating_sub(MINUTE);
        let offered = |first: u64| -> u64 {
            self.between(first, last).iter().map(|(_, cell)| cell.sum.offered()).sum()
        };
        ClassWindow {
            up,
            down,
            timeouts,
            forecast,
            usual,
            filled_ms: filled.min(t.up_average_window.ms()),
            cell_rate: Rate::of(offered(last.saturating_sub(1)), CELL_MS),
            minute_rate: Rate::of(offered(minute), (last - minute).max(1) * CELL_MS),
            baseline_rate: self.baseline(config, last),
            trend: self.trend(last, f.down_utilisation_window),
        }
    }

    /// The sums of the cells from each of `firsts` on, in one walk back.
    fn sums<const N: usize>(&self, firsts: [u64; N], last: u64) -> [Aggregate; N] {
        let mut order: Vec<(u64, usize)> = firsts.into_iter().zip(0..).collect();
        order.sort_unstable_by(|a, b| b.cmp(a));
        let (mut sums, mut sum, mut ended) = ([Aggregate::default(); N], Aggregate::default(), 0);
        let oldest = order.last().map_or(last, |(first, _)| *first);
        let mut end = |index: Option<u64>, sum: Aggregate| {
            while let Some((first, place)) =
                order.get(ended).filter(|o| index.is_none_or(|i| i < o.0))
            {
                debug_assert!(index.is_none_or(|i| i < *first));
                if let Some(found) = sums.get_mut(*place) {
                    *found = sum;
                }
                ended += 1;
            }
        };
        for &(index, cell) in self.between(oldest, last).iter().rev() {
            end(Some(index), sum);
            if !cell.surge {
                sum += cell.sum;
            }
        }
        end(None, sum);
        sums
    }

    /// How the rate moves: not cut at the last action either.
    fn trend(&self, last: u64, window: Seconds) -> Trend {
        let calm = self.between(0, last).iter().rev().filter(|(_, cell)| !cell.surge);
        let mut rates: Vec<f64> = calm
            .take(Trend::cells(window))
            .map(|(_, cell)| Rate::of(cell.sum.offered(), CELL_MS).as_f64())
            .collect();
        rates.reverse();
        Trend::of(&rates, window)
    }

    /// What comes usually: not cut at the last action, which changes the answer and not the question.
    fn baseline(&self, config: &Config, last: u64) -> Option<Rate> {
        let window = config.surge.surge_baseline_window.ms() / CELL_MS;
        let begun = self.cells.first()?.0;
        let first = last.saturating_sub(window).max(begun).min(last);
        let (mut surge, mut offered) = (0, 0_u64);
        for (_, cell) in self.between(first, last) {
            match cell.surge {
                true => surge += 1,
                false => offered = offered.saturating_add(cell.sum.offered()),
            }
        }
        let span = (last - first).saturating_sub(surge) * CELL_MS;
        let enough = span >= config.surge.surge_baseline_min.ms();
        enough.then(|| Rate::of(offered, span))
    }

    /// The cells of a part of the shard that gets `share` of its requests: what is known of each
    /// half when a shard is divided.
    #[must_use]
    pub fn part(&self, share: Share) -> Self {
        let part = |n: u64| {
            let part = u128::from(n) * u128::from(share.0) / 1_000_000;
            u64::try_from(part).unwrap_or(u64::MAX)
        };
        let of = |sum: Aggregate| Aggregate {
            n: part(sum.n),
            sum_us: part(sum.sum_us),
            timeouts: part(sum.timeouts),
            shed: part(sum.shed),
            busy_us: part(sum.busy_us),
        };
        let cells =
            self.cells.iter().map(|&(index, cell)| (index, Cell { sum: of(cell.sum), ..cell }));
        Self { cells: cells.collect() }
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
    fn halves_of_a_shard_know_what_came_to_them() {
        let mut cells = Cells::default();
        (0..6).for_each(|cell| cells.record(TimeMs(cell * CELL_MS), requests(100)));
        let now = TimeMs(6 * CELL_MS);
        let seen = |cells: &Cells| cells.windows(&Config::predictive(), now, None);
        let (mut one, other) = (cells.part(Share::percent(30)), cells.part(Share::percent(70)));
        assert_eq!((seen(&one).up.n, seen(&other).cell_rate), (180, Rate(7000)));
        one.add(&other);
        assert_eq!(seen(&one), seen(&cells));
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
