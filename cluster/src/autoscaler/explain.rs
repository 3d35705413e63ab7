//! Why, as data: inputs, rule, figure against threshold, what will move and how many bytes, and
//! what would have changed it (R35, 3.8). Text is made from it, never the other way round.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Rate, Seconds, Share};
use crate::topology::{BucketRange, Level, NodeId, OperationId, ShardId};

/// The reasons of a decision.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Explanation {
    /// The rule that decided; none if no rule applied.
    pub rule: Option<Rule>,
    /// What was looked at, beside what stands in `comparisons`.
    pub inputs: Vec<Input>,
    /// Every figure that was held against a threshold, the deciding one first.
    pub comparisons: Vec<Comparison>,
    /// Why a rule that would have fired did not act.
    pub held: Vec<Held>,
    /// What will move.
    pub moves: Vec<Move>,
    /// The least change of each figure with which the decision would have been another one.
    pub otherwise: Vec<Otherwise>,
}

/// A rule of REQUIREMENTS.md, by the name operators read.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// R30: the average response time reached its upper threshold.
    AverageUp,
    /// R32: too many requests timed out or were shed.
    TimeoutsUp,
    /// 3.1: the forecast of utilisation is above its threshold.
    UtilisationUp,
    /// R38: more Replicas than a shard should have, and each half can do its work.
    Divide,
    /// R24: a Load Manager's processor or memory.
    LoadManagerUp,
    /// R31 with X11: response time and predicted utilisation are low.
    Down,
    /// 3.4: a Load Manager is not needed.
    LoadManagerDown,
    /// X13: a surge is absorbed.
    Surge,
    /// R48: a node is lost.
    NodeLost,
    /// X3: the voters are not the set they should be.
    Voters,
    /// X22: a voter of a better level exists.
    Level,
    /// R39: fewer nodes than the least Mach.
    Minimum,
    /// An operator's word.
    Operator,
}

/// What a figure measures.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Average response time of reads at the Load Managers.
    ReadAverage,
    /// Average response time of writes.
    WriteAverage,
    /// Share of requests timed out or shed.
    Timeouts,
    /// Completed requests in the window.
    Samples,
    /// Share of reads.
    ReadShare,
    /// Share of writes.
    WriteShare,
    /// Requests per second now.
    Rate,
    /// Requests per second usually.
    BaselineRate,
    /// Utilisation of the busiest Replica.
    ReadUtilisation,
    /// Utilisation of the Writer.
    WriteUtilisation,
    /// The same, predicted for the coming minutes.
    ForecastUtilisation,
    /// The same, predicted for after the change.
    UtilisationAfter,
    /// A Load Manager's processor.
    LoadManagerCpu,
    /// A Load Manager's memory.
    LoadManagerMemory,
    /// Replicas of the shard.
    Replicas,
    /// Nodes of the cluster.
    Nodes,
    /// The Writer's level.
    Level,
    /// Share of the heat in one bucket.
    HotBucket,
    /// Bytes of the shard.
    Bytes,
    /// Time since something happened, as named by the comparison's window.
    Elapsed,
}

/// A number with its unit.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Figure {
    /// Microseconds.
    Micros(u64),
    /// Milliseconds.
    Millis(u64),
    /// Millionths.
    Share(Share),
    /// Thousandths per second.
    Rate(Rate),
    /// Bytes.
    Bytes(u64),
    /// A number of things.
    Count(u64),
    /// A level.
    Level(Level),
}

/// How a figure is held against a threshold.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Relation {
    /// At least.
    #[serde(rename = ">=")]
    AtLeast,
    /// More than.
    #[serde(rename = ">")]
    Above,
    /// Less than.
    #[serde(rename = "<")]
    Below,
    /// At most.
    #[serde(rename = "<=")]
    AtMost,
}

/// A figure that was looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Input {
    /// What.
    pub metric: Metric,
    /// How much.
    pub value: Figure,
}

/// A figure against its threshold.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Comparison {
    /// What.
    pub metric: Metric,
    /// How much it is.
    pub value: Figure,
    /// How it is compared.
    pub relation: Relation,
    /// With what.
    pub threshold: Figure,
    /// Over which window it was measured; none for figures of the moment.
    pub window: Option<Seconds>,
    /// Whether the relation is true.
    pub holds: bool,
}

/// Why something that would have been done is not done now.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "held_by")]
pub enum Held {
    /// A person or program said hold.
    Operator,
    /// It waits for approval.
    Approval,
    /// Only the plan is wanted.
    DryRun,
    /// Too few samples.
    Samples,
    /// A surge younger than its patience.
    Surge,
    /// The time after the last change of the shard.
    CoolDown {
        /// Milliseconds that remain.
        remaining_ms: u64,
    },
    /// Another operation on the shard.
    Busy {
        /// Which.
        operation: OperationId,
    },
    /// As many operations as the cluster may have in flight.
    Concurrency,
    /// A member that is not well.
    Unhealthy {
        /// Which.
        node: NodeId,
    },
    /// The cluster may have no more nodes.
    MaxNodes,
    /// The cluster may have no fewer.
    MinNodes,
    /// The budget of actions or node-hours is used up.
    Budget,
    /// Not at this time of day.
    QuietHours,
    /// Timed-out or shed requests: nothing shrinks (I8).
    Timeouts,
    /// A split that would not help (X8).
    Unhelpful,
    /// One bucket has most of the heat (X24).
    HotBucket,
    /// Programs use both halves at once (C36).
    CrossBucket,
    /// No bucket is left to divide at (R73).
    Buckets,
    /// Two Writers together would be weaker than the present one (X23).
    Weaker,
}

/// Data on its way, or a role that moves without data (0 bytes).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Move {
    /// Whose data.
    pub shard: ShardId,
    /// Which buckets.
    pub range: BucketRange,
    /// From which node; none while it is not known.
    pub from: Option<NodeId>,
    /// To which node; none while it is not there.
    pub to: Option<NodeId>,
    /// How many bytes.
    pub bytes: u64,
}

/// What would have changed the decision.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Otherwise {
    /// Which figure.
    pub metric: Metric,
    /// What it would have to be.
    pub relation: Relation,
    /// Than this.
    pub value: Figure,
}

impl Relation {
    /// Whether `value` stands in this relation to `threshold`; both have the same unit.
    pub fn holds(self, value: Figure, threshold: Figure) -> bool {
        match self {
            Self::AtLeast => value >= threshold,
            Self::Above => value > threshold,
            Self::Below => value < threshold,
            Self::AtMost => value <= threshold,
        }
    }
}

impl Comparison {
    /// Compares.
    pub fn new(
        metric: Metric,
        value: Figure,
        relation: Relation,
        threshold: Figure,
        window: Option<Seconds>,
    ) -> Self {
        let holds = relation.holds(value, threshold);
        Self { metric, value, relation, threshold, window, holds }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Micros(us) if us < 1000 => write!(f, "{us} us"),
            Self::Micros(us) => write!(f, "{}.{:03} ms", us / 1000, us % 1000),
            Self::Millis(ms) => write!(f, "{}.{:03} s", ms / 1000, ms % 1000),
            Self::Share(share) => write!(f, "{share}"),
            Self::Rate(rate) => write!(f, "{rate}"),
            Self::Bytes(bytes) => write!(f, "{bytes} B"),
            Self::Count(n) => write!(f, "{n}"),
            Self::Level(level) => write!(f, "{level}"),
        }
    }
}

impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AtLeast => ">=",
            Self::Above => ">",
            Self::Below => "<",
            Self::AtMost => "<=",
        })
    }
}
