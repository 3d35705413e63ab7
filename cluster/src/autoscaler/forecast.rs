//! What the load will be, from the rates of whole cells.
//!
//! Usually it is what it was over three minutes: noise of single cells is averaged away, and a day's
//! wave does not get far in that time. A rise is believed when the last minute or two stand out of
//! the noise of the seven minutes before. The highest cell never counts for more than the second
//! highest, so that one odd cell (the first of an attack) starts nothing. Then its line is drawn: as
//! steep as from the level before to now, but no steeper than the rising cells themselves; if they
//! clearly jumped to where they are and stayed, it is level.
//! Rates that fall are not extrapolated: a forecast only ever asks for more.

use std::ops::RangeInclusive;

use super::observation::{ClassWindow, ShardObservation, Trend};
use super::{Rate, Seconds, Share};

/// Seconds of a cell.
const CELL_S: f64 = 10.0;
/// Cells that the level is taken from, and each mean of which the highest is the peak.
const LEVEL: usize = 18;
const PEAK: usize = 30;
/// Cells in which a rise may show.
const RISE_REQUESTS: RangeInclusive<usize> = 4..=12;
/// Clients come and go less by chance than what each asks: a few cells tell, also that it is over.
const RISE_CLIENTS: RangeInclusive<usize> = 2..=4;
/// The most of these.
const RISE_MAX: usize = *RISE_REQUESTS.end();
/// Cells before it that it must stand out of, at least and at most.
const BEFORE_MIN: usize = 12;
const BEFORE_MAX: usize = 45;
/// Standard deviations by which it must.
const SIGNIFICANT: f64 = 4.5;
/// The least noise that is assumed, as a part of the level: below it a rise does not matter.
const NOISE_REQUESTS: f64 = 0.02;
const NOISE_CLIENTS: f64 = 0.01;
/// By how many variances a jump must explain the cells better than a line does.
const CLEARLY: f64 = 9.0;
/// Cells that are recent.
const RECENT: usize = 3;
/// How much more a crowd may be taken to ask than what came recently.
const CROWD_MARGIN: f64 = 1.1;

/// Rates per second.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(super) struct Load {
    pub reads: f64,
    pub writes: f64,
}

impl Load {
    /// The highest load expected within `ahead`.
    pub(super) fn ahead(seen: &ShardObservation, ahead: Seconds) -> Self {
        // More clients will ask as much each: a crowd shows in their number before it stands out of
        // the noise of what they ask, and so does its end. Those who ask other shards do not count.
        let clients = seen.clients.trend;
        let (mean, level) = (clients.mean.as_f64().max(1.0), clients.level.as_f64().max(1.0));
        let of = |trend: Trend| match clients.level > clients.mean {
            true => {
                let grown = trend.mean.as_f64() * level / mean;
                let here = grown.min(trend.recent.as_f64() * CROWD_MARGIN);
                trend.level.as_f64().max(here * clients.ahead(ahead) / level)
            }
            false => trend.ahead(ahead),
        };
        Self { reads: of(seen.reads.trend), writes: of(seen.writes.trend) }
    }

    /// The load that must be expected when shrinking: the highest of the last half hour, what is
    /// forecast if it rises, and on top what came on top of the last hour's mean: it may do so
    /// again. None before a half hour is known.
    pub(super) fn steady(seen: &ShardObservation, ahead: Seconds) -> Option<Self> {
        let steady = |class: &ClassWindow| {
            let trend = class.trend;
            let usual = class.baseline_rate.map_or(trend.level, |rate| rate);
            let gained = (trend.level.as_f64() - usual.as_f64()).max(0.0);
            Some(trend.peak?.as_f64().max(trend.ahead(ahead)) + gained)
        };
        Some(Self { reads: steady(&seen.reads)?, writes: steady(&seen.writes)? })
    }
}

impl Trend {
    /// Cells that a trend with a peak over `window` looks at.
    pub fn cells(window: Seconds) -> usize {
        (window.0 as usize / CELL_S as usize).max(RISE_MAX + BEFORE_MAX)
    }

    /// The trend of requests: `rates` per second of whole cells, the last one last.
    pub fn of(rates: &[f64], window: Seconds) -> Self {
        Self::sensed(rates, window, RISE_REQUESTS, NOISE_REQUESTS)
    }

    /// The trend of the number of clients, counted once a cell.
    pub fn of_clients(counts: &[f64], window: Seconds) -> Self {
        Self::sensed(counts, window, RISE_CLIENTS, NOISE_CLIENTS)
    }

    fn sensed(rates: &[f64], window: Seconds, rise: RangeInclusive<usize>, noise_min: f64) -> Self {
        let level = cut_sum(last(rates, LEVEL)) / rates.len().clamp(1, LEVEL) as f64;
        let span = window.0 as usize / CELL_S as usize;
        let peak = (rates.len() >= span).then(|| rate(highest_mean(last(rates, span), PEAK)));
        let rates = last(rates, RISE_MAX + BEFORE_MAX);
        let noise = noise(rates).max(noise_min * level);
        let now = Self {
            mean: rate(level),
            recent: rate(mean(last(rates, RECENT))),
            level: rate(level),
            peak,
            slope: Rate(0),
            noise: Share::ZERO,
        };
        let now = Self { noise: Share::from_f64(noise / level.max(1e-9)), ..now };
        let rises = rise.filter_map(|cells| Rise::within(rates, cells, noise));
        match rises.max_by(|a, b| a.score.total_cmp(&b.score)) {
            Some(rise) if rise.score > SIGNIFICANT => {
                Self { level: rate(rise.level.max(level)), slope: rate(rise.slope), ..now }
            }
            _ => now,
        }
    }

    /// The rate expected after `ahead`.
    fn ahead(self, ahead: Seconds) -> f64 {
        self.level.as_f64() + self.slope.as_f64() * f64::from(ahead.0)
    }
}

/// What the last cells look like as a rise.
struct Rise {
    /// By how many standard deviations it stands out.
    score: f64,
    /// Where it is.
    level: f64,
    /// How steep it is, per second.
    slope: f64,
}

impl Rise {
    fn within(rates: &[f64], cells: usize, noise: f64) -> Option<Self> {
        let (before, rising) = rates.split_at_checked(rates.len().checked_sub(cells)?)?;
        let before = last(before, BEFORE_MAX);
        if before.len() < BEFORE_MIN {
            return None;
        }
        let (base, n) = (mean(before), cells as f64);
        let error = noise * (1.0 / n + 1.0 / before.len() as f64).sqrt();
        let score = (cut_sum(rising) / n - base) / error.max(1e-9);
        let center = (n - 1.0) / 2.0;
        let squares = n * (n * n - 1.0) / 12.0;
        let (mut own, mut anchored, mut anchor) = (0.0, 0.0, 0.0);
        for (at, &rate) in rising.iter().enumerate() {
            let at = at as f64;
            own += (at - center) * rate / squares;
            anchored += (at + 1.0) * (rate - base);
            anchor += (at + 1.0) * (at + 1.0);
        }
        if let Some(level) = jump(rising, base, own, noise) {
            return Some(Self { score, level, slope: 0.0 });
        }
        let slope = own.min(anchored / anchor).max(0.0);
        Some(Self { score, level: mean(rising) + slope * center, slope: slope / CELL_S })
    }
}

/// Where cells have jumped to from `base`, if they lie clearly nearer to that than to a line of slope
/// `slope`.
fn jump(cells: &[f64], base: f64, slope: f64, noise: f64) -> Option<f64> {
    let squares = |cells: &[f64], of: &dyn Fn(usize) -> f64| -> f64 {
        cells.iter().enumerate().map(|(at, r)| (r - of(at)) * (r - of(at))).sum()
    };
    let (middle, center) = (mean(cells), (cells.len() as f64 - 1.0) / 2.0);
    let line = squares(cells, &|at| middle + slope * (at as f64 - center));
    let jumps = (1..cells.len()).map(|at| {
        let (before, after) = cells.split_at(at);
        let there = mean(after);
        (squares(before, &|_| base) + squares(after, &|_| there), there)
    });
    let (error, there) = jumps.min_by(|a, b| a.0.total_cmp(&b.0))?;
    (error + CLEARLY * noise * noise < line).then_some(there)
}

fn last(rates: &[f64], count: usize) -> &[f64] {
    rates.get(rates.len().saturating_sub(count)..).unwrap_or(rates)
}

/// The sum, in which the highest counts as much as the second highest.
fn cut_sum(rates: &[f64]) -> f64 {
    let (mut first, mut second) = (0.0_f64, 0.0_f64);
    for &rate in rates {
        second = second.max(rate.min(first));
        first = first.max(rate);
    }
    let cut = if rates.len() > 1 { first - second } else { 0.0 };
    rates.iter().sum::<f64>() - cut
}

/// The highest mean of `count` neighbours.
fn highest_mean(rates: &[f64], count: usize) -> f64 {
    let count = count.clamp(1, rates.len().max(1));
    let mut sum: f64 = rates.iter().take(count).sum();
    let mut highest = sum;
    for (new, old) in rates.iter().skip(count).zip(rates) {
        sum += new - old;
        highest = highest.max(sum);
    }
    highest / count as f64
}

fn mean(rates: &[f64]) -> f64 {
    rates.iter().sum::<f64>() / rates.len().max(1) as f64
}

/// Standard deviation of single cells, from the differences of neighbours: a trend does not count.
fn noise(rates: &[f64]) -> f64 {
    let pairs = rates.iter().zip(rates.iter().skip(1));
    let squares: f64 = pairs.map(|(a, b)| (b - a) * (b - a)).sum();
    (squares / (2 * rates.len().saturating_sub(1).max(1)) as f64).sqrt()
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn rate(per_second: f64) -> Rate {
    Rate((per_second.max(0.0) * 1e3).round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 1000 a second with 12 % of noise either way, as `shape` makes of it, by cell.
    fn run(cells: usize, shape: impl Fn(usize) -> f64) -> Trend {
        Trend::of(&noisy(cells, 0.12, shape), Seconds::minutes(30))
    }

    /// The same of clients, of whom `noise` come and go.
    fn clients(cells: usize, noise: f64, shape: impl Fn(usize) -> f64) -> Trend {
        Trend::of_clients(&noisy(cells, noise, shape), Seconds::minutes(30))
    }

    fn noisy(cells: usize, noise: f64, shape: impl Fn(usize) -> f64) -> Vec<f64> {
        let mut seed = 1_u64;
        let mut share = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 33) as f64 / f64::from(1_u32 << 31)
        };
        (0..cells)
            .map(|cell| 1000.0 * shape(cell) * (1.0 + noise * (2.0 * share() - 1.0)))
            .collect()
    }

    #[test]
    fn noise_is_no_rise() {
        for cells in 60..4000 {
            let trend = run(cells, |_| 1.0);
            assert_eq!(trend.slope, Rate(0), "{cells}");
            assert!((940.0..1060.0).contains(&trend.ahead(Seconds(120))), "{trend:?}");
        }
    }

    #[test]
    fn a_crowd_is_foreseen_within_ninety_seconds() {
        // Three times as much within ten minutes: a fifth more each minute.
        let crowd = |at: usize| 1.0 + 0.2 / 6.0 * at.saturating_sub(200) as f64;
        let ahead = run(209, crowd).ahead(Seconds(120));
        assert!((1450.0..2300.0).contains(&ahead), "{ahead}");
        let ahead = run(230, crowd).ahead(Seconds(120));
        assert!((2000.0..3000.0).contains(&ahead), "{ahead}");
    }

    #[test]
    fn a_step_is_seen_and_not_taken_for_a_ramp() {
        let step = |at: usize| if at < 200 { 1.0 } else { 2.0 };
        for cells in 202..212 {
            let ahead = run(cells, step).ahead(Seconds(240));
            assert!((1000.0..3000.0).contains(&ahead), "{cells}: {ahead}");
        }
        assert!(run(206, step).ahead(Seconds(120)) > 1850.0);
    }

    #[test]
    fn clients_tell_a_crowd_and_its_end_in_forty_seconds() {
        let crowd = |at: usize| 1.0 + 0.2 / 6.0 * (at.clamp(200, 260) - 200) as f64;
        for (noise, cells) in [(0.0, 203), (0.01, 204)] {
            let begun = clients(cells, noise, crowd);
            assert!((1300.0..1700.0).contains(&begun.ahead(Seconds(120))), "{begun:?}");
            let over = clients(265, noise, crowd);
            assert!((2900.0..3200.0).contains(&over.ahead(Seconds(240))), "{over:?}");
        }
        for cells in 60..4000 {
            for noise in [0.0, 0.01, 0.12] {
                let calm = clients(cells, noise, |_| 1.0);
                assert_eq!((calm.slope, calm.level), (Rate(0), calm.mean), "{cells} {noise}");
            }
        }
    }

    #[test]
    fn the_end_of_a_crowd_ends_the_forecast() {
        let shape = |at: usize| 1.0 + 0.2 / 6.0 * (at.clamp(200, 260) - 200) as f64;
        let mut seen = ShardObservation::default();
        seen.reads.trend = run(265, shape);
        let alone = Load::ahead(&seen, Seconds(240)).reads;
        seen.clients.trend = clients(265, 0.0, shape);
        let told = Load::ahead(&seen, Seconds(240)).reads;
        assert!(alone > 3300.0 && (2800.0..3200.0).contains(&told), "{alone} {told}");
    }

    #[test]
    fn one_odd_cell_moves_little() {
        let odd = run(200, |at| if at == 199 { 2.9 } else { 1.0 });
        assert!(odd.slope == Rate(0) && odd.level.as_f64() < 1200.0, "{odd:?}");
    }
}
