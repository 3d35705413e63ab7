//! What the autoscaler remembers from one second to the next: an entry of the control group, so
//! that another leader goes on where the last one stopped.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::explain::Held;
use super::{Choice, Decision, Desired, NodeRequest, OperatorWord, Rate, TimeMs};
use crate::topology::{Format, Level, NodeId, OperationId, RequestId, ShardId};

/// The whole memory. `State::default()` is a cluster's first.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct State {
    /// Version of this form.
    pub format: Format<1>,
    /// What is wanted.
    pub desired: Desired,
    /// By shard; a shard without one is new.
    pub shards: BTreeMap<ShardId, ShardState>,
    /// Load Managers' own conditions.
    pub load_managers: LoadManagersState,
    /// Node requests that are open.
    pub requests: BTreeMap<RequestId, Request>,
    /// Operations in flight: times and tries that the topology does not hold.
    pub operations: BTreeMap<OperationId, OperationState>,
    /// Decisions that wait for an operator's approval.
    pub pending: BTreeMap<OperationId, Pending>,
    /// Splits and merges that an operator asked for and that have not begun.
    #[serde(default)]
    pub asked: BTreeMap<ShardId, Asked>,
    /// What things cost on a node of each level, learned.
    pub capacity: CapacityTable,
    /// What was spent of the budgets.
    pub budget: BudgetState,
    /// An operator said hold.
    pub held: bool,
    /// Nodes whose loss was reported and is not repaired yet.
    pub lost: BTreeSet<NodeId>,
    /// Nodes whose release or fence operators were asked for already.
    #[serde(default)]
    pub told: BTreeSet<NodeId>,
    /// The next request's number.
    pub next_request: RequestId,
    /// The next operation's number; never below the topology's counter.
    pub next_operation: OperationId,
    /// The next event's number.
    pub next_event: u64,
}

/// Which operations a shard's load asks for (R58).
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum LoadClass {
    /// Mostly reads.
    Read,
    /// Mostly writes.
    Write,
    /// Neither.
    #[default]
    Balanced,
}

/// One shard's memory.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct ShardState {
    /// Its class, kept for hysteresis (X19).
    pub class: LoadClass,
    /// Since when a rule for growing has held without break.
    pub up_since: Option<TimeMs>,
    /// Since when the rule for shrinking has held without break.
    pub down_since: Option<TimeMs>,
    /// Since when merging with its right neighbour has looked good without break.
    pub merge_since: Option<TimeMs>,
    /// No growing before this.
    pub cooldown_up_until: TimeMs,
    /// No shrinking before this.
    pub cooldown_down_until: TimeMs,
    /// No merge after a split before this.
    pub cooldown_merge_until: TimeMs,
    /// No split after a merge before this.
    #[serde(default)]
    pub cooldown_split_until: TimeMs,
    /// Since when fewer nodes than are on their way to it are enough.
    #[serde(default)]
    pub enough_since: Option<TimeMs>,
    /// Since when it has had more Replicas than a shard should have.
    #[serde(default)]
    pub crowded_since: Option<TimeMs>,
    /// When it was last being grown or divided: nothing is taken back of that for
    /// `down-utilisation-window`.
    #[serde(default)]
    pub grown: Option<TimeMs>,
    /// When its last operation was completed: windows begin there (X9).
    pub last_completed: Option<TimeMs>,
    /// The surge it is in.
    pub surge: Option<Surge>,
    /// The operation that was in flight on it a second ago: its end starts the cool-downs.
    #[serde(default)]
    pub busy: Option<OperationId>,
    /// Its shadow shall serve reads too for a while (zero copy): the planner sees to it.
    #[serde(default)]
    pub burst: bool,
    /// What was last told of it, so that it is told once.
    #[serde(default)]
    pub told: Option<(Choice, Vec<Held>)>,
}

/// A surge in progress (X13).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Surge {
    /// When its first cell began.
    pub since: TimeMs,
    /// Reads per second before it, frozen.
    pub baseline_reads: Rate,
    /// Writes per second before it, frozen.
    pub baseline_writes: Rate,
    /// It is taken for growth: copying is allowed.
    pub legitimate: bool,
}

/// Memory about Load Managers as a whole.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct LoadManagersState {
    /// Since when each one has been over its threshold.
    pub over_since: BTreeMap<NodeId, TimeMs>,
    /// Since when one less would do.
    pub idle_since: Option<TimeMs>,
    /// No change before this.
    pub cooldown_until: TimeMs,
    /// When a surge was last absorbed.
    #[serde(default)]
    pub surged: Option<TimeMs>,
    /// Since when each draining one has been seen to drain.
    #[serde(default)]
    pub draining_since: BTreeMap<NodeId, TimeMs>,
    /// The operation that was in flight on them a second ago.
    #[serde(default)]
    pub busy: Option<OperationId>,
}

/// A node request that is open.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Request {
    /// What was asked for, with the attempt.
    pub asked: NodeRequest,
    /// The operation it belongs to.
    pub operation: OperationId,
    /// When it was first issued.
    pub first_issued: TimeMs,
    /// When it was last issued.
    pub issued: TimeMs,
    /// Issue it again if nothing has come by then.
    pub deadline: TimeMs,
    /// The operator's answer.
    pub answer: Answer,
}

/// What the operator said to a request.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "answer")]
pub enum Answer {
    /// Nothing yet.
    #[default]
    None,
    /// A node is expected.
    Accepted {
        /// When.
        expected: TimeMs,
    },
    /// Not now.
    Rejected {
        /// Why.
        reason: String,
        /// Ask again not before.
        retry: TimeMs,
    },
    /// This node has joined with it.
    Joined {
        /// Which.
        node: NodeId,
    },
}

/// Times of an operation in flight.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct OperationState {
    /// When it was begun.
    pub begun: TimeMs,
    /// When its present phase was reached.
    pub phase_since: TimeMs,
    /// How often it was begun anew after an abort.
    pub attempt: u32,
}

/// A decision that waits for approval.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Pending {
    /// Since when.
    pub since: TimeMs,
    /// What would be done.
    pub decision: Decision,
    /// The operator's word: yes, no, or none yet.
    #[serde(default)]
    pub approved: Option<bool>,
}

/// What an operator asked for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Asked {
    /// When.
    pub since: TimeMs,
    /// What: to split, or to merge.
    pub word: OperatorWord,
}

/// What things cost on a node of each level, in nanoseconds of a node's time; levels without an
/// entry were never measured.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct CapacityTable {
    /// By level.
    pub levels: BTreeMap<Level, LevelCost>,
}

/// What things cost on one level, as moving averages.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct LevelCost {
    /// A read.
    pub read_ns: u64,
    /// A write at the Writer.
    pub write_ns: u64,
    /// A write applied elsewhere.
    pub apply_ns: u64,
    /// Requests this was learned from.
    pub samples: u64,
}

/// What was spent of the budgets.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct BudgetState {
    /// When operations of the last hour were begun, the oldest first.
    pub begun: Vec<TimeMs>,
    /// The day (since the epoch) the figure below is of.
    pub day: u64,
    /// Milliseconds of nodes used on it.
    pub node_ms: u64,
    /// When it was last added to.
    pub counted: Option<TimeMs>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            format: Format,
            desired: Desired::default(),
            shards: BTreeMap::new(),
            load_managers: LoadManagersState::default(),
            requests: BTreeMap::new(),
            operations: BTreeMap::new(),
            pending: BTreeMap::new(),
            asked: BTreeMap::new(),
            capacity: CapacityTable::default(),
            budget: BudgetState::default(),
            held: false,
            lost: BTreeSet::new(),
            told: BTreeSet::new(),
            next_request: RequestId(1),
            next_operation: OperationId(1),
            next_event: 1,
        }
    }
}
