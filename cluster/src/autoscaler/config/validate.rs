//! What a configuration may not say: figures without meaning, and thresholds that contradict each
//! other, so that a cluster would flap or never move.

use super::Config;
use crate::autoscaler::{Seconds, Share};

/// A configuration that is refused: which key, and what is wrong with it.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{key}: {problem}")]
pub struct ConfigError {
    /// The key, as the file spells it.
    pub key: &'static str,
    /// What is wrong, as a sentence that names the other key if there is one.
    pub problem: &'static str,
}

impl Config {
    /// Checks everything; the first problem is returned.
    pub fn validate(&self) -> Result<(), ConfigError> {
        self.validate_triggers()?;
        self.validate_forecast()?;
        self.validate_surge()?;
        self.validate_counts()?;
        self.validate_waits()
    }

    fn validate_triggers(&self) -> Result<(), ConfigError> {
        let t = &self.trigger;
        require(
            t.down_timeout.is_none(),
            "down-timeout",
            "there is no rule to shrink on timeouts (R33); remove it",
        )?;
        require(t.down_average_us > 0, "down-average-us", "no average is below 0: at least 1")?;
        require(
            t.down_average_us < t.up_average_us,
            "down-average-us",
            "must be below up-average-us, or a cluster would grow and shrink by the same figure",
        )?;
        require(
            t.up_average_us <= t.timeout_us,
            "up-average-us",
            "must not exceed timeout-us: no request takes longer, so it could not be reached",
        )?;
        require(
            t.up_timeout < Share::ONE,
            "up-timeout",
            "must be below 100 %: no share is more than that",
        )?;
        require(t.min_samples > 0, "min-samples", "must be at least 1")?;
        let c = &self.class;
        require(
            Share::percent(50) < c.class_enter && c.class_enter <= Share::ONE,
            "class-enter",
            "must be over 50 %, or a shard could be mostly reads and mostly writes, and at most \
             100 %",
        )?;
        require(
            c.class_leave <= c.class_enter,
            "class-leave",
            "must not exceed class-enter, or a class would be left as it is entered",
        )?;
        require(
            Share::percent(50) <= c.class_leave,
            "class-leave",
            "must be at least 50 %, or a shard would stay mostly reads while it is mostly writes",
        )
    }

    fn validate_forecast(&self) -> Result<(), ConfigError> {
        let f = &self.forecast;
        require(
            f.up_utilisation < Share::ONE,
            "up-utilisation",
            "must be below 100 %: response times have no bound there",
        )?;
        require(
            Share::ZERO < f.target_utilisation && f.target_utilisation < f.up_utilisation,
            "target-utilisation",
            "must be above 0 and below up-utilisation, or growing would not end",
        )?;
        require(
            f.down_utilisation < f.up_utilisation,
            "down-utilisation",
            "must be below up-utilisation, or a cluster would grow right after it shrank",
        )?;
        require(f.improvement <= Share::ONE, "improvement", "must be at most 100 %")
    }

    fn validate_surge(&self) -> Result<(), ConfigError> {
        let s = &self.surge;
        require(
            s.surge_enter > Share::ONE,
            "surge-enter",
            "must be over 100 %, or the usual load would be a surge",
        )?;
        require(
            s.surge_leave < s.surge_enter,
            "surge-leave",
            "must be below surge-enter, or a surge would end as it begins",
        )?;
        require(
            s.surge_leave >= Share::ONE,
            "surge-leave",
            "must be at least 100 %, or a surge would last while the load is as usual",
        )?;
        require(
            s.surge_baseline_min <= s.surge_baseline_window,
            "surge-baseline-min",
            "must not exceed surge-baseline-window, or there would never be a baseline",
        )
    }

    fn validate_counts(&self) -> Result<(), ConfigError> {
        let r = &self.replicas;
        require(r.max_replicas >= 2, "max-replicas", "must be at least 2: a split needs 2 + 2")?;
        require(
            r.max_replicas_unhelpful >= r.max_replicas,
            "max-replicas-unhelpful",
            "must be at least max-replicas",
        )?;
        require(
            (1..=8).contains(&r.batch_step),
            "batch-step",
            "must be 1 to 8: more at once was never tried",
        )?;
        require(r.min_mach >= 1, "min-mach", "must be at least 1")?;
        require(
            r.min_mach <= r.max_replicas.saturating_add(2),
            "min-mach",
            "must not exceed max-replicas + 2, the Mach at which a shard is divided",
        )?;
        require(
            1 <= r.min_nodes && r.min_nodes <= r.max_nodes,
            "min-nodes",
            "must be 1 to max-nodes",
        )?;
        require(r.min_mach <= r.max_nodes, "min-mach", "must not exceed max-nodes")?;
        let l = &self.levels;
        require(l.min_level <= l.max_level, "min-level", "must not exceed max-level")?;
        require((1..=4).contains(&l.level_step), "level-step", "must be 1 to 4")?;
        require(
            matches!(self.safety.max_voters, 1 | 3 | 5),
            "max-voters",
            "must be 1, 3 or 5: the number of voters is odd",
        )?;
        let s = &self.split;
        require(
            Share::ZERO < s.split_hot_bucket && s.split_hot_bucket <= Share::ONE,
            "split-hot-bucket",
            "must be above 0 and at most 100 %",
        )?;
        let b = &self.budget;
        require(b.nodes_per_operation >= 1, "nodes-per-operation", "must be at least 1")?;
        let day = 24 * 60;
        require(
            b.quiet_hours.is_none_or(|q| q.from < day && q.until < day && q.from != q.until),
            "quiet-hours",
            "must be two different minutes of a day, 0 to 1439",
        )
    }

    fn validate_waits(&self) -> Result<(), ConfigError> {
        let lm = &self.load_manager;
        require(
            lm.lm_idle_cpu < lm.lm_cpu,
            "lm-idle-cpu",
            "must be below lm-cpu, or Load Managers would come and go by the same figure",
        )?;
        let p = &self.provisioning;
        require(
            p.request_deadline <= p.request_deadline_max,
            "request-deadline",
            "must not exceed request-deadline-max",
        )?;
        let windows = [
            (self.trigger.up_average_window, "up-average-window"),
            (self.trigger.down_average_window, "down-average-window"),
            (self.trigger.up_timeout_window, "up-timeout-window"),
            (self.forecast.down_utilisation_window, "down-utilisation-window"),
            (self.forecast.forecast_window, "forecast-window"),
            (self.surge.surge_baseline_window, "surge-baseline-window"),
            (self.class.class_window, "class-window"),
            (lm.lm_window, "lm-window"),
            (lm.lm_idle_window, "lm-idle-window"),
        ];
        for (window, key) in windows {
            require(
                window.0 >= CELL && window <= WINDOW_MAX,
                key,
                "must be 10 s, the length of a cell, to 24 h",
            )?;
        }
        let waits = [
            (self.sync.sync_timeout, "sync-timeout"),
            (self.sync.step_timeout, "step-timeout"),
            (p.request_deadline, "request-deadline"),
        ];
        for (wait, key) in waits {
            require(wait.0 >= 1, key, "must be at least 1 s")?;
        }
        Ok(())
    }
}

/// Length of a cell of the windows, in seconds.
const CELL: u32 = 10;
/// The longest window: cells are kept for it.
const WINDOW_MAX: Seconds = Seconds::minutes(24 * 60);

fn require(good: bool, key: &'static str, problem: &'static str) -> Result<(), ConfigError> {
    if good { Ok(()) } else { Err(ConfigError { key, problem }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autoscaler::config::QuietHours;

    fn refused(change: impl FnOnce(&mut Config)) -> &'static str {
        let mut config = Config::predictive();
        change(&mut config);
        config.validate().map_or_else(|e| e.key, |()| "accepted")
    }

    #[test]
    fn presets_are_accepted() {
        assert_eq!(Config::predictive().validate(), Ok(()));
        assert_eq!(Config::article().validate(), Ok(()));
    }

    #[test]
    fn contradictions_are_refused() {
        let cases = [
            refused(|c| c.trigger.down_timeout = Some(Share::percent(1))),
            refused(|c| c.trigger.down_average_us = c.trigger.up_average_us),
            refused(|c| c.trigger.up_average_us = c.trigger.timeout_us + 1),
            refused(|c| c.class.class_leave = Share::percent(81)),
            refused(|c| c.forecast.down_utilisation = c.forecast.up_utilisation),
            refused(|c| c.surge.surge_leave = c.surge.surge_enter),
            refused(|c| c.replicas.min_nodes = 101),
            refused(|c| c.safety.max_voters = 4),
            refused(|c| c.budget.quiet_hours = Some(QuietHours { from: 60, until: 60 })),
            refused(|c| c.load_manager.lm_window = Seconds(9)),
            refused(|c| c.sync.step_timeout = Seconds(0)),
        ];
        let keys = [
            "down-timeout",
            "down-average-us",
            "up-average-us",
            "class-leave",
            "down-utilisation",
            "surge-leave",
            "min-nodes",
            "max-voters",
            "quiet-hours",
            "lm-window",
            "step-timeout",
        ];
        assert_eq!(cases, keys);
    }

    #[test]
    fn keys_are_flat_kebab_case_and_read_back() {
        let json = serde_json::to_value(Config::article()).unwrap();
        assert_eq!(json["up-average-us"], 3_000_000);
        assert_eq!(json["surge-patience"], 900);
        assert!(json.as_object().unwrap().values().all(|v| !v.is_object()));
        assert_eq!(serde_json::from_value::<Config>(json).unwrap(), Config::article());
    }
}
