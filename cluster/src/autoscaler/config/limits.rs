//! The rest of the configuration: counts, levels, splits, Load Managers, waits, safety, budgets.

use serde::{Deserialize, Serialize};

use crate::autoscaler::{Seconds, Share};
use crate::topology::{InFlight, Level};

/// How many nodes and Replicas.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ReplicaRules {
    /// Replicas of a shard before it is divided (R38). 5.
    pub max_replicas: u32,
    /// How far that may grow where dividing would not help (X8) or is not possible;
    /// `max-replicas` means no further than `split-extra-nodes` allow.
    pub max_replicas_unhelpful: u32,
    /// Nodes on their way to one shard at once: the last one in becomes Load Manager, the others
    /// Replicas. 8; article 1.
    pub batch_step: u32,
    /// No shard shrinks below this Mach, and one below it grows. 1 (4 is the least for
    /// production).
    pub min_mach: u32,
    /// No more nodes than this, open requests included (I9). 100.
    pub max_nodes: u32,
    /// No fewer nodes than this (I9). 1.
    pub min_nodes: u32,
}

/// How big nodes are.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct LevelRules {
    /// The biggest Writer. Above it a shard is divided (R66). 5.
    pub max_level: Level,
    /// The smallest Writer. 1.
    pub min_level: Level,
    /// How much bigger the next Writer is. 1.
    pub level_step: u8,
    /// Level of ordinary nodes; none: the Writer's, less `voter-level-gap`.
    pub node_level: Option<Level>,
    /// Level of a child's Writer (R68); none: the parent's Writer's.
    pub child_level: Option<Level>,
    /// Level of both Writers of a new pair (R69); none: only the child gets a new one.
    pub paired_level: Option<Level>,
    /// How much smaller than the Writer a voter may be (X22). 1.
    pub voter_level_gap: u8,
    /// Whether a replaced Writer is released instead of staying as Load Manager (X21). No.
    pub retire_old_leader: bool,
}

/// Where a shard is divided.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SplitAt {
    /// In two parts of as many buckets (the article's).
    Count,
    /// In two parts of as many bytes.
    Bytes,
    /// In two parts of as much load.
    Load,
    /// By load if its skew exceeds `split-skew`, else by count (X25).
    Auto,
}

/// Dividing and taking back.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct SplitRules {
    /// Where. Auto; article count.
    pub split_at: SplitAt,
    /// Load is skewed if one half has this much more than the other. 20 %.
    pub split_skew: Share,
    /// Divide only if that helps (X8). Yes; article no.
    pub split_guard: bool,
    /// No split if one bucket has more than this of the heat (X24). 60 %: the half that has it is
    /// then still not far from half.
    pub split_hot_bucket: Share,
    /// Replicas that may be added to each half of a split that alone would not help (X8): without
    /// them a shard of mostly reads would never be divided. 4; article 0.
    pub split_extra_nodes: u32,
    /// Memory a node has for a shard's working set, in bytes: over it a split helps whatever the
    /// load. None: not looked at.
    pub split_working_set: Option<u64>,
    /// More than `max-replicas` are kept for so long before the shard is divided for it, if its usual
    /// load needs them: a crowd passes. 2 h.
    pub divide_after: Seconds,
    /// No split this long after commands over both halves (C36). 1 h.
    pub split_hold_window: Seconds,
    /// Split all the same. No.
    pub split_despite_cross_bucket: bool,
    /// A merge must have looked good for this long. 30 min.
    pub merge_window: Seconds,
}

/// Load Managers.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct LoadManagerRules {
    /// One more from this processor use on (R24, X30). 75 %.
    pub lm_cpu: Share,
    /// One more from this memory use on. 80 %.
    pub lm_memory: Share,
    /// Averaged over this. 5 min.
    pub lm_window: Seconds,
    /// One less if, with one less, processor use would stay below this. 30 %.
    pub lm_idle_cpu: Share,
    /// ... for this long. 10 min.
    pub lm_idle_window: Seconds,
    /// Connections of a draining Load Manager are closed after this (X17). 30 min.
    pub drain_timeout: Seconds,
}

/// When a copy is in sync.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct SyncRules {
    /// A copy is warm when it lacks no more bytes than this ... 1 MB.
    pub warm_bytes: u64,
    /// ... or no more entries. 1000.
    pub warm_entries: u64,
    /// A copy that takes longer is begun anew. 1 h.
    pub sync_timeout: Seconds,
    /// A step without data (roles, voters, leadership) that takes longer is repeated. 30 s.
    pub step_timeout: Seconds,
}

/// Waiting for operators.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Provisioning {
    /// A request without a node is issued again after this ... 5 min.
    pub request_deadline: Seconds,
    /// ... and, doubling, at most this. 1 h.
    pub request_deadline_max: Seconds,
    /// A process back within this takes its old place. 30 s.
    pub node_return: Seconds,
}

/// Which group rules hold below Mach IV.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Consensus {
    /// Three voters from Mach III on (X3).
    Safe,
    /// None before Mach IV.
    Article,
}

/// When a write is acknowledged.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WriteAck {
    /// Leader below Mach III, majority from there on.
    Auto,
    /// When the Writer has it.
    Leader,
    /// When a majority has it.
    Majority,
    /// When every member has it.
    All,
}

/// What the other node of Mach II does when the Writer is lost.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mach2Failover {
    /// Serves reads, refuses writes (unless `write-ack` was `all`).
    Refuse,
    /// Takes over after the fence, and what was not yet sent to it is lost.
    AcceptLoss,
}

/// How acknowledged writes are kept.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Safety {
    /// Safe.
    pub consensus: Consensus,
    /// Auto.
    pub write_ack: WriteAck,
    /// Refuse.
    pub mach2_failover: Mach2Failover,
    /// Most voters of a group (X3): 1, 3 or 5. 5.
    pub max_voters: u32,
}

/// A time of day without merges, in minutes since midnight UTC; it may pass midnight.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct QuietHours {
    /// From this minute, 0..1440.
    pub from: u16,
    /// Until before this minute, 0..1440.
    pub until: u16,
}

/// What may be spent, and who is asked.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Budget {
    /// Operations in flight, growth and repairs aside: one, or one per this many nodes. 20.
    pub nodes_per_operation: u32,
    /// Operations in flight, repairs aside. 64.
    pub max_operations: u32,
    /// Most operations begun per hour, repairs aside; none: no limit.
    pub max_actions_per_hour: Option<u32>,
    /// Most node-hours per day; over it nothing grows, repairs aside; none: no limit.
    pub max_node_hours_per_day: Option<u32>,
    /// No merges at this time of day.
    pub quiet_hours: Option<QuietHours>,
    /// Tell what would be done, do nothing. No.
    pub dry_run: bool,
    /// Do nothing but repairs without an operator's word. No.
    pub approve: bool,
}

impl ReplicaRules {
    /// The most Replicas that one shard may have for a while: where dividing it would not help or is
    /// not possible, or so that it helps (X8).
    pub fn most(&self, split: &SplitRules) -> u32 {
        let extra = split.split_extra_nodes.saturating_mul(2);
        self.max_replicas_unhelpful.max(self.max_replicas.saturating_add(extra))
    }

    pub(super) fn predictive() -> Self {
        Self {
            max_replicas: 5,
            max_replicas_unhelpful: 5,
            batch_step: 8,
            min_mach: 1,
            max_nodes: 100,
            min_nodes: 1,
        }
    }
}

impl Budget {
    /// Whether one more operation may begin in a cluster of so many nodes. Shards of a crowd do not
    /// wait for one another: only what takes away or changes places is limited by the nodes.
    pub fn may_begin(&self, grows: bool, beside: InFlight, nodes: u32) -> bool {
        let by_nodes = nodes.checked_div(self.nodes_per_operation).unwrap_or(1).max(1);
        beside.growing.saturating_add(beside.others) < self.max_operations
            && (grows || beside.others < by_nodes)
    }
}

impl LevelRules {
    pub(super) fn predictive() -> Self {
        Self {
            max_level: Level::MAX,
            min_level: Level::MIN,
            level_step: 1,
            node_level: None,
            child_level: None,
            paired_level: None,
            voter_level_gap: 1,
            retire_old_leader: false,
        }
    }
}

impl SplitRules {
    pub(super) fn predictive() -> Self {
        Self {
            split_at: SplitAt::Auto,
            split_skew: Share::percent(20),
            split_guard: true,
            split_hot_bucket: Share::percent(60),
            split_extra_nodes: 4,
            split_working_set: None,
            divide_after: Seconds::minutes(120),
            split_hold_window: Seconds::minutes(60),
            split_despite_cross_bucket: false,
            merge_window: Seconds::minutes(30),
        }
    }
}

impl LoadManagerRules {
    pub(super) fn predictive() -> Self {
        Self {
            lm_cpu: Share::percent(75),
            lm_memory: Share::percent(80),
            lm_window: Seconds::minutes(5),
            lm_idle_cpu: Share::percent(30),
            lm_idle_window: Seconds::minutes(10),
            drain_timeout: Seconds::minutes(30),
        }
    }
}

impl SyncRules {
    pub(super) fn predictive() -> Self {
        Self {
            warm_bytes: 1_000_000,
            warm_entries: 1000,
            sync_timeout: Seconds::minutes(60),
            step_timeout: Seconds(30),
        }
    }
}

impl Provisioning {
    pub(super) fn predictive() -> Self {
        Self {
            request_deadline: Seconds::minutes(5),
            request_deadline_max: Seconds::minutes(60),
            node_return: Seconds(30),
        }
    }
}

impl Safety {
    pub(super) fn predictive() -> Self {
        Self {
            consensus: Consensus::Safe,
            write_ack: WriteAck::Auto,
            mach2_failover: Mach2Failover::Refuse,
            max_voters: 5,
        }
    }
}

impl Budget {
    pub(super) fn predictive() -> Self {
        Self {
            nodes_per_operation: 20,
            max_operations: 64,
            max_actions_per_hour: None,
            max_node_hours_per_day: None,
            quiet_hours: None,
            dry_run: false,
            approve: false,
        }
    }
}
