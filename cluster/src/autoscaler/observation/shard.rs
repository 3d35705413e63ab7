//! One shard: progress, load, who asks.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{ClassWindow, Trend};
use crate::autoscaler::{Share, TimeMs};
use crate::topology::{BucketId, NodeId};

/// One shard.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct ShardObservation {
    /// Who leads the group now; none without a quorum or during an election. If it differs from
    /// the topology's Writer, an election has taken place that the control group has not recorded.
    pub leader: Option<NodeId>,
    /// The group's term.
    pub term: u64,
    /// Progress and load of its members.
    pub members: BTreeMap<NodeId, MemberObservation>,
    /// Size of its data.
    pub bytes: u64,
    /// Its hottest buckets, at most 32, the hottest first.
    pub heat: Vec<BucketHeat>,
    /// Requests on all its buckets in the same time as `heat`.
    pub heat_total: u64,
    /// Bytes touched usually: its working set.
    pub working_set_bytes: u64,
    /// Reads.
    pub reads: ClassWindow,
    /// Writes.
    pub writes: ClassWindow,
    /// Who asks, for telling growth from attack.
    pub clients: ClientMix,
    /// When a command over several buckets was last seen that a split would break, and the span of
    /// buckets, lowest and highest, that such commands touched within the hold window (C36).
    pub cross_bucket: Option<CrossBucket>,
}

/// Commands that tie buckets together.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CrossBucket {
    /// The last one.
    pub last_ms: TimeMs,
    /// The lowest bucket touched.
    pub lowest: BucketId,
    /// The highest bucket touched.
    pub highest: BucketId,
}

/// Who asks (X13).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct ClientMix {
    /// Different client addresses in the last minute.
    pub clients: u32,
    /// How their number moves, in clients where others have requests per second. A crowd shows here
    /// first.
    #[serde(default)]
    pub trend: Trend,
    /// The same, usually.
    pub clients_usual: u32,
    /// Share of the requests that come from the busiest one.
    pub busiest: Share,
    /// Share of reads answered from memory.
    pub hits: Share,
    /// The same, usually.
    pub hits_usual: Share,
}

/// One member of a shard.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct MemberObservation {
    /// Entries it is behind the Writer.
    pub lag_entries: u64,
    /// Bytes it is behind; of a copy being made, what is left of it.
    pub lag_bytes: u64,
    /// Whether its first copy is whole: then only the lag counts.
    pub seeded: bool,
    /// Whether it really serves what its roles say.
    pub serving: bool,
    /// What it did in the window of the forecast.
    pub work: Work,
}

/// What a member did, for learning what things cost and for finding the least loaded.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Work {
    /// Length of the window in milliseconds.
    pub window_ms: u64,
    /// Reads executed.
    pub reads: u64,
    /// Microseconds busy with them.
    pub read_busy_us: u64,
    /// Writes executed (Writer).
    pub writes: u64,
    /// Microseconds busy with them.
    pub write_busy_us: u64,
    /// Writes applied (all others).
    pub applied: u64,
    /// Microseconds busy with them.
    pub apply_busy_us: u64,
}

/// Heat of one bucket.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BucketHeat {
    /// Which.
    pub bucket: BucketId,
    /// Requests.
    pub requests: u64,
}
