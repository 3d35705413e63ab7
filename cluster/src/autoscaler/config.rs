//! Every figure the decisions depend on, with its default (3.1). Keys are kebab-case and flat, the
//! same as on the command line and in the file; spans are whole seconds.
//!
//! [`Config::predictive`] is the default. [`Config::article`] has the article's rules and figures to
//! the letter: averages over 60 minutes, no prediction, no guards of ours.

mod limits;
mod validate;

use serde::{Deserialize, Serialize};

use super::{Seconds, Share};
use crate::topology::Format;

pub use limits::{
    Budget, Consensus, LevelRules, LoadManagerRules, Mach2Failover, Provisioning, QuietHours,
    ReplicaRules, Safety, SplitAt, SplitRules, SyncRules, WriteAck,
};
pub use validate::ConfigError;

/// The whole configuration of decisions.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Config {
    /// Version of this form.
    pub format: Format<1>,
    /// The cluster's name, in events.
    pub cluster: String,
    /// Which rules decide.
    pub mode: Mode,
    /// When response times and timeouts ask for a change.
    #[serde(flatten)]
    pub trigger: Triggers,
    /// When predicted utilisation does (mode predictive).
    #[serde(flatten)]
    pub forecast: Forecast,
    /// What counts as a surge.
    #[serde(flatten)]
    pub surge: SurgeRules,
    /// What counts as mostly reads or mostly writes.
    #[serde(flatten)]
    pub class: ClassRules,
    /// Rest after changes.
    #[serde(flatten)]
    pub cooldown: CoolDowns,
    /// How many nodes and Replicas.
    #[serde(flatten)]
    pub replicas: ReplicaRules,
    /// How big they are.
    #[serde(flatten)]
    pub levels: LevelRules,
    /// When and where a shard is divided, and taken back.
    #[serde(flatten)]
    pub split: SplitRules,
    /// When Load Managers are added, removed, drained.
    #[serde(flatten)]
    pub load_manager: LoadManagerRules,
    /// When a copy is in sync.
    #[serde(flatten)]
    pub sync: SyncRules,
    /// How long operators are waited for.
    #[serde(flatten)]
    pub provisioning: Provisioning,
    /// How acknowledged writes are kept.
    #[serde(flatten)]
    pub safety: Safety,
    /// What may be spent, and who is asked.
    #[serde(flatten)]
    pub budget: Budget,
}

/// Which rules decide.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// The article's: response time and timeouts only.
    Article,
    /// The same, and utilisation predicted from measured capacity.
    Predictive,
}

/// Response times and timeouts.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Triggers {
    /// Grow when the average response time reaches this (R30). 5 ms; article 3 s.
    pub up_average_us: u64,
    /// Averaged over this. 5 min; article 60 min.
    pub up_average_window: Seconds,
    /// Shrink only when it is below this (R31, X11). Half of the upper one; article 0.5 s.
    pub down_average_us: u64,
    /// Averaged over this. 5 min; article 60 min.
    pub down_average_window: Seconds,
    /// Grow when more than this share timed out or was shed (R32). 1 %.
    pub up_timeout: Share,
    /// Counted over this. 5 min.
    pub up_timeout_window: Seconds,
    /// Must be none: there is no rule to shrink on timeouts (R33). It exists to be refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub down_timeout: Option<Share>,
    /// A request that took this long has timed out, and counts as that in averages. 1 s; article
    /// 30 s.
    pub timeout_us: u64,
    /// Fewer requests in a window say nothing. 1000; article 1.
    pub min_samples: u64,
}

/// Predicted utilisation.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Forecast {
    /// Grow when the forecast exceeds this. 76 %.
    pub up_utilisation: Share,
    /// An average or timeouts ask for growth only after so long: the first cell of an attack, not
    /// yet recognised, moves nothing. 10 s; article 0.
    pub up_hold: Seconds,
    /// Grow so far that it falls to this. 70 %.
    pub target_utilisation: Share,
    /// Shrink only if it would stay at or below this. 70 %.
    pub down_utilisation: Share,
    /// ... for this long (X11). 30 min.
    pub down_utilisation_window: Seconds,
    /// How far ahead is looked: about what a node takes to come. 120 s.
    pub lookahead: Seconds,
    /// The trend is drawn through this. 15 min.
    pub forecast_window: Seconds,
    /// A change improves if the highest utilisation falls below this share of what it was. 95 %.
    pub improvement: Share,
}

/// Surges (X13).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct SurgeRules {
    /// Whether surges are recognised. Yes; article no: its hour-long average absorbs them.
    pub surge_guard: bool,
    /// One ten-second cell above this times the baseline begins it. 300 %.
    pub surge_enter: Share,
    /// Below this it ends. 150 %.
    pub surge_leave: Share,
    /// The baseline's window. 60 min.
    pub surge_baseline_window: Seconds,
    /// No baseline, so no surge, before this much of it. 10 min.
    pub surge_baseline_min: Seconds,
    /// Nothing is copied before it is this old. 15 min.
    pub surge_patience: Seconds,
    /// It is growth, not attack, if there are at least this many times the usual clients ... 200 %.
    pub surge_clients: Share,
    /// ... none of which sends more than this share ... 10 %.
    pub surge_busiest: Share,
    /// ... and reads hit memory as usual, within this. 5 %.
    pub surge_hits: Share,
    /// The shadow may serve reads meanwhile, and while a new node is awaited. Yes; article no.
    pub burst_serve: bool,
}

/// Load classes (R58, X19).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ClassRules {
    /// Mostly reads (writes) from this share on. 80 %.
    pub class_enter: Share,
    /// ... until it is below this. 75 %; article 80 %.
    pub class_leave: Share,
    /// The usual load's window. 60 min.
    pub class_window: Seconds,
}

/// Rest after changes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct CoolDowns {
    /// No growing this long after a change is completed. 20 s.
    pub cooldown_up: Seconds,
    /// No shrinking this long after one. 2 min.
    pub cooldown_down: Seconds,
    /// No merge after a split nor split after a merge. 30 min.
    pub cooldown_merge: Seconds,
}

impl Default for Config {
    fn default() -> Self {
        Self::predictive()
    }
}

impl Config {
    /// What is shipped.
    pub fn predictive() -> Self {
        Self {
            format: Format,
            cluster: "bowshock".to_owned(),
            mode: Mode::Predictive,
            trigger: Triggers {
                up_average_us: 5_000,
                up_average_window: Seconds::minutes(5),
                down_average_us: 2_500,
                down_average_window: Seconds::minutes(5),
                up_timeout: Share::percent(1),
                up_timeout_window: Seconds::minutes(5),
                down_timeout: None,
                timeout_us: 1_000_000,
                min_samples: 1000,
            },
            forecast: Forecast {
                up_utilisation: Share::percent(76),
                up_hold: Seconds(10),
                target_utilisation: Share::percent(70),
                down_utilisation: Share::percent(70),
                down_utilisation_window: Seconds::minutes(30),
                lookahead: Seconds(120),
                forecast_window: Seconds::minutes(15),
                improvement: Share::percent(95),
            },
            surge: SurgeRules {
                surge_guard: true,
                surge_enter: Share::percent(300),
                surge_leave: Share::percent(150),
                surge_baseline_window: Seconds::minutes(60),
                surge_baseline_min: Seconds::minutes(10),
                surge_patience: Seconds::minutes(15),
                surge_clients: Share::percent(200),
                surge_busiest: Share::percent(10),
                surge_hits: Share::percent(5),
                burst_serve: true,
            },
            class: ClassRules {
                class_enter: Share::percent(80),
                class_leave: Share::percent(75),
                class_window: Seconds::minutes(60),
            },
            cooldown: CoolDowns {
                cooldown_up: Seconds(20),
                cooldown_down: Seconds::minutes(2),
                cooldown_merge: Seconds::minutes(30),
            },
            replicas: ReplicaRules::predictive(),
            levels: LevelRules::predictive(),
            split: SplitRules::predictive(),
            load_manager: LoadManagerRules::predictive(),
            sync: SyncRules::predictive(),
            provisioning: Provisioning::predictive(),
            safety: Safety::predictive(),
            budget: Budget::predictive(),
        }
    }

    /// The article's rules and figures to the letter.
    pub fn article() -> Self {
        let mut config = Self::predictive();
        config.mode = Mode::Article;
        config.trigger = Triggers {
            up_average_us: 3_000_000,
            up_average_window: Seconds::minutes(60),
            down_average_us: 500_000,
            down_average_window: Seconds::minutes(60),
            timeout_us: 30_000_000,
            min_samples: 1,
            ..config.trigger
        };
        config.forecast.up_hold = Seconds(0);
        config.surge.surge_guard = false;
        config.surge.burst_serve = false;
        config.class.class_leave = config.class.class_enter;
        config.replicas.batch_step = 1;
        config.split.split_at = SplitAt::Count;
        config.split.split_guard = false;
        config.split.split_extra_nodes = 0;
        config
    }
}
