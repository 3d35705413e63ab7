//! What a run is judged by (BARS.md, G18 to G23).

use std::collections::BTreeMap;

use serde::Serialize;

use super::model::{Answered, TARGET_US, TICK_S, TICKS_PER_MINUTE};
use super::run::Tick;

/// Two changes of opposite direction within this are a reversal. Ticks.
const REVERSAL_TICKS: u64 = 1800 / TICK_S as u64;
/// A number of shards has come to rest after this. Ticks.
const SETTLED_TICKS: u64 = 600 / TICK_S as u64;

/// What is added up over a run. Figures that do not apply are none.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct Score {
    /// Node-hours, in level 1 nodes.
    pub node_hours: f64,
    /// By those of the oracle.
    pub node_hours_vs_oracle: Option<f64>,
    /// Node-hours more than the same without the attack.
    pub extra_node_hours: Option<f64>,
    /// Share of the minutes in which the average response time was not under the target.
    pub slo_violation_share: f64,
    /// Scaling actions begun.
    pub actions: f64,
    /// Changes of direction of one shard within 30 minutes.
    pub reversals_30min: f64,
    /// Copies begun.
    pub copying_actions: f64,
    /// Actions that the topology refused.
    pub refused_actions: f64,
    /// Most shards.
    pub shards_max: f64,
    /// Most nodes.
    pub nodes_max: f64,
    /// 99th percentile of the time of one decision, microseconds.
    pub step_us_p99: Option<f64>,
    /// Busiest shard by mean shard, at the end.
    pub shard_balance: f64,
    /// The same, by the number of shards, the last time there were so many for ten minutes.
    pub shard_balance_at: BTreeMap<u32, f64>,
    #[serde(skip)]
    work: Work,
}

/// What is needed on the way.
#[derive(Clone, PartialEq, Debug, Default)]
struct Work {
    ticks: u64,
    minute: Answered,
    minutes: u64,
    violated: u64,
    /// How many shards there are, and since which tick.
    shards: (u32, u64),
    /// By what changed: when and whether it grew.
    last: BTreeMap<u32, (u64, bool)>,
    /// How many decisions took so many microseconds.
    steps: BTreeMap<u32, u64>,
}

impl Score {
    /// Adds a tick.
    pub fn add(&mut self, tick: &Tick) {
        self.node_hours += tick.paid * f64::from(TICK_S) / 3600.0;
        self.actions += tick.changes.len() as f64;
        self.copying_actions += f64::from(tick.copies);
        self.refused_actions += f64::from(tick.refused);
        self.shards_max = self.shards_max.max(f64::from(tick.shards));
        self.nodes_max = self.nodes_max.max(f64::from(tick.nodes()));
        self.shard_balance = tick.balance;
        let work = &mut self.work;
        if work.shards.0 != tick.shards {
            work.shards = (tick.shards, work.ticks);
        }
        if work.ticks - work.shards.1 >= SETTLED_TICKS {
            self.shard_balance_at.insert(tick.shards, tick.balance);
        }
        for &(of, grows) in
            &tick.changes.iter().filter_map(|c| Some((c.of, c.grows?))).collect::<Vec<_>>()
        {
            if let Some((at, grew)) = work.last.insert(of, (work.ticks, grows)) {
                let reversed = grew != grows && work.ticks - at <= REVERSAL_TICKS;
                self.reversals_30min += f64::from(u8::from(reversed));
            }
        }
        for &us in &tick.step_us {
            *work.steps.entry(us).or_default() += 1;
        }
        work.minute += tick.answered;
        work.ticks += 1;
        if work.ticks.is_multiple_of(TICKS_PER_MINUTE as u64) {
            work.minutes += 1;
            work.violated += u64::from(work.minute.average_us() >= TARGET_US);
            work.minute = Answered::default();
            self.slo_violation_share = work.violated as f64 / work.minutes as f64;
        }
    }

    /// Ends the run: beside an oracle that took so many node-hours.
    pub fn compare(&mut self, oracle_hours: Option<f64>) {
        self.node_hours_vs_oracle = oracle_hours.map(|hours| self.node_hours / hours);
        let all: u64 = self.work.steps.values().sum();
        let mut left = all / 100;
        let slow = self.work.steps.iter().rev().find(|(_, n)| {
            let found = **n > left;
            left = left.saturating_sub(**n);
            found
        });
        self.step_us_p99 = slow.map(|(us, _)| f64::from(*us));
    }

    /// Beside the same run without the attack.
    pub fn compare_calm(&mut self, calm: &Score) {
        self.extra_node_hours = Some(self.node_hours - calm.node_hours);
    }
}

/// The median of each figure.
pub fn medians(scores: &[Score]) -> Score {
    let of = |figure: fn(&Score) -> f64| median(scores.iter().map(figure)).unwrap_or(0.0);
    let maybe = |figure: fn(&Score) -> Option<f64>| median(scores.iter().filter_map(figure));
    let mut balances: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
    for (&shards, &balance) in scores.iter().flat_map(|s| &s.shard_balance_at) {
        balances.entry(shards).or_default().push(balance);
    }
    let balance_at = |(shards, all)| Some((shards, median(<Vec<f64>>::into_iter(all))?));
    Score {
        node_hours: of(|s| s.node_hours),
        node_hours_vs_oracle: maybe(|s| s.node_hours_vs_oracle),
        extra_node_hours: maybe(|s| s.extra_node_hours),
        slo_violation_share: of(|s| s.slo_violation_share),
        actions: of(|s| s.actions),
        reversals_30min: of(|s| s.reversals_30min),
        copying_actions: of(|s| s.copying_actions),
        refused_actions: of(|s| s.refused_actions),
        shards_max: of(|s| s.shards_max),
        nodes_max: of(|s| s.nodes_max),
        step_us_p99: maybe(|s| s.step_us_p99),
        shard_balance: of(|s| s.shard_balance),
        shard_balance_at: balances.into_iter().filter_map(balance_at).collect(),
        work: Work::default(),
    }
}

/// The middle one; of an even number the mean of the two.
fn median(figures: impl Iterator<Item = f64>) -> Option<f64> {
    let mut sorted: Vec<f64> = figures.collect();
    sorted.sort_by(f64::total_cmp);
    let upper = sorted.get(sorted.len() / 2)?;
    let lower = sorted.get((sorted.len() - 1) / 2)?;
    Some(f64::midpoint(*lower, *upper))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::run::Change;

    #[test]
    fn a_change_of_mind_counts_within_half_an_hour() {
        let changes = |score: &mut Score, of, grows| {
            score.add(&Tick { changes: vec![Change { of, grows }], ..Tick::default() });
        };
        let mut score = Score::default();
        changes(&mut score, 1, Some(true));
        changes(&mut score, 2, Some(false));
        changes(&mut score, 1, None);
        assert!(score.reversals_30min.abs() < 1e-9);
        changes(&mut score, 1, Some(false));
        (0..REVERSAL_TICKS).for_each(|_| score.add(&Tick::default()));
        changes(&mut score, 1, Some(true));
        assert!((score.reversals_30min - 1.0).abs() < 1e-9 && (score.actions - 5.0).abs() < 1e-9);
    }

    #[test]
    fn balance_counts_when_shards_have_come_to_rest() {
        let mut score = Score::default();
        for (shards, balance, ticks) in [(2, 1.1, 100), (3, 1.9, 59), (4, 1.2, 61)] {
            (0..ticks).for_each(|_| score.add(&Tick { shards, balance, ..Tick::default() }));
        }
        assert_eq!(score.shard_balance_at, BTreeMap::from([(2, 1.1), (4, 1.2)]));
    }

    #[test]
    fn minutes_are_judged_by_their_average() {
        let mut score = Score::default();
        for us in [4000.0, 5500.0].repeat(3).into_iter().chain([4000.0, 6500.0].repeat(3)) {
            score.add(&Tick { answered: Answered::of(10.0, 1.0, us), ..Tick::default() });
        }
        assert!((score.slo_violation_share - 0.5).abs() < 1e-9);
    }

    #[test]
    fn the_99th_percentile_leaves_the_slowest_hundredth_out() {
        let mut score = Score::default();
        score.add(&Tick { step_us: (1..=200).collect(), ..Tick::default() });
        score.compare(Some(1.0));
        assert_eq!(score.step_us_p99, Some(198.0));
        assert_eq!(median([3.0, 1.0, 2.0].into_iter()), Some(2.0));
        assert_eq!(median([3.0, 1.0].into_iter()), Some(2.0));
        assert_eq!(median(std::iter::empty()), None);
    }
}
