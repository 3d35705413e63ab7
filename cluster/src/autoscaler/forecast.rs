//! What the load will be: Holt's smoothing of the rates of whole cells, level and slope.
//!
//! A cell counts for a seventh of the level and is cut to 30 % from it, so that one odd cell cannot
//! start anything. The slope is believed only where what it adds exceeds the noise of single cells:
//! in a day's wave it adds nothing, in a crowd that triples within ten minutes it speaks after two
//! of them. Rates that fall are not extrapolated: a forecast only ever asks for more.

use super::cells::CELL_MS;
use super::observation::ShardObservation;
use super::state::{LoadTrend, Trend};
use super::{Rate, Seconds, Share, TimeMs};

/// Seconds over which the level is smoothed.
const LEVEL_S: f64 = 60.0;
/// Seconds over which the steadier level is.
const SLOW_S: f64 = 300.0;
/// Seconds over which noise is.
const NOISE_S: f64 = 1800.0;
/// Farthest that a cell counts from the level, as a part of it.
const FARTHEST: f64 = 0.3;
/// A slope counts where it adds more than this many times the noise.
const SIGNIFICANT: f64 = 1.5;
/// Noise that is assumed before it is measured, and the least: a part of the level.
const LEAST_NOISE: f64 = 0.04;

/// Rates per second.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(super) struct Load {
    pub reads: f64,
    pub writes: f64,
}

impl LoadTrend {
    /// Takes in the last whole cell, once.
    pub(super) fn observe(&mut self, seen: &ShardObservation, now: TimeMs, window: Seconds) {
        let cell = now.0 / CELL_MS;
        let passed = match self.cell {
            None => {
                // A restart of the memory, not of the load: the minute says more than a cell.
                self.reads = Trend::starting(seen.reads.minute_rate);
                self.writes = Trend::starting(seen.writes.minute_rate);
                0
            }
            Some(before) => cell.saturating_sub(before),
        };
        self.cell = Some(cell);
        if passed == 0 {
            return;
        }
        // After a gap a cell says little, and the minute more.
        let pick = |cell_rate, minute_rate| if passed == 1 { cell_rate } else { minute_rate };
        let seconds = passed.min(60) as f64 * 10.0;
        let slope_s = f64::from(window.0) / 7.5;
        let reads = pick(seen.reads.cell_rate, seen.reads.minute_rate);
        let writes = pick(seen.writes.cell_rate, seen.writes.minute_rate);
        self.reads.observe(reads, seconds, slope_s);
        self.writes.observe(writes, seconds, slope_s);
    }

    /// Begins anew at the rates of now: a surge turned out to be growth.
    pub(super) fn restart(&mut self, seen: &ShardObservation) {
        self.reads = Trend::starting(seen.reads.cell_rate);
        self.writes = Trend::starting(seen.writes.cell_rate);
    }

    /// The highest load expected within `ahead`.
    pub(super) fn ahead(&self, ahead: Seconds) -> Load {
        Load { reads: self.reads.ahead(ahead), writes: self.writes.ahead(ahead) }
    }

    /// The load that must be expected when shrinking: steady, or what is forecast if that is more.
    pub(super) fn steady(&self, ahead: Seconds) -> Load {
        let steady = |t: Trend| {
            let growing = t.growth(ahead) > 0.0;
            if growing { t.ahead(ahead).max(t.slow.as_f64()) } else { t.slow.as_f64() }
        };
        Load { reads: steady(self.reads), writes: steady(self.writes) }
    }
}

impl Trend {
    fn starting(rate: Rate) -> Self {
        Self { level: rate, slow: rate, slope: 0, noise: Share::ZERO }
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fn observe(&mut self, rate: Rate, seconds: f64, slope_s: f64) {
        let level = self.level.as_f64();
        if level <= 0.0 {
            *self = Self::starting(rate);
            return;
        }
        let weight = |span: f64| seconds / (span + seconds);
        let slope = self.slope as f64 / 1e6;
        let expected = (level + slope * seconds).max(0.0);
        let off = (rate.as_f64() - expected).clamp(-FARTHEST * expected, FARTHEST * expected);
        let next = expected + weight(LEVEL_S) * off;
        let steep = slope + weight(slope_s) * ((next - level) / seconds - slope);
        let slow = self.slow.as_f64() + weight(SLOW_S) * (expected + off - self.slow.as_f64());
        let noise = self.noise.as_f64();
        let part = if expected > 0.0 { off.abs() / expected } else { 0.0 };
        let rate_of = |x: f64| Rate((x.max(0.0) * 1e3).round() as u64);
        *self = Self {
            level: rate_of(next),
            slow: rate_of(slow),
            slope: (steep * 1e6).round() as i64,
            noise: Share::from_f64(noise + weight(NOISE_S) * (part - noise)),
        };
    }

    /// What the slope adds within `ahead`; 0 where it does not exceed the noise.
    fn growth(&self, ahead: Seconds) -> f64 {
        let added = self.slope as f64 / 1e6 * f64::from(ahead.0);
        let noise = self.noise.as_f64().max(LEAST_NOISE) * SIGNIFICANT;
        if added > noise * self.level.as_f64() { added } else { 0.0 }
    }

    fn ahead(&self, ahead: Seconds) -> f64 {
        self.level.as_f64() + self.growth(ahead)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(rates: impl Iterator<Item = f64>) -> LoadTrend {
        let mut trend = LoadTrend::default();
        for (cell, rate) in rates.enumerate() {
            let mut seen = ShardObservation::default();
            seen.reads.cell_rate = Rate::per_second(rate as u64);
            seen.reads.minute_rate = seen.reads.cell_rate;
            trend.observe(&seen, TimeMs((cell as u64 + 1) * CELL_MS), Seconds(900));
        }
        trend
    }

    #[test]
    fn a_crowd_is_foreseen_and_noise_is_not() {
        let noisy = run((0..400).map(|i| if i % 2 == 0 { 1080.0 } else { 920.0 }));
        let ahead = noisy.ahead(Seconds(120)).reads;
        assert!((950.0..1050.0).contains(&ahead), "{ahead}");
        // Three times as much within ten minutes: after two of them 1400 are there, and the
        // forecast says more.
        let crowd =
            run((0..112).map(|i| if i < 100 { 1000.0 } else { 1000.0 + 33.3 * (i - 99) as f64 }));
        let ahead = crowd.ahead(Seconds(120)).reads;
        assert!((1400.0..2100.0).contains(&ahead), "{ahead}");
    }

    #[test]
    fn one_odd_cell_moves_little() {
        let odd = run((0..200).map(|i| if i == 199 { 2900.0 } else { 1000.0 }));
        let ahead = odd.ahead(Seconds(120)).reads;
        assert!(ahead < 1060.0, "{ahead}");
    }
}
