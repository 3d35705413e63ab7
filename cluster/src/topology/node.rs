//! One process of the cluster and what its modules do.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{JoinOrder, Level, NodeId, RequestId, ShardId, Zone};

/// What a node's Load Manager module does.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum LoadManagerState {
    /// Relays what reaches its port to a Load Manager.
    #[default]
    Off,
    /// Clients are sent here.
    On,
    /// Serves the connections it has, gets no new ones (X17).
    Draining,
}

/// A node as the control group knows it. What it holds of shards stands in their
/// [`members`](super::Shard::members).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Node {
    /// Never reused.
    pub id: NodeId,
    /// How big it is.
    pub level: Level,
    /// Its failure domain, when known.
    pub zone: Option<Zone>,
    /// When it joined, as an order.
    pub joined: JoinOrder,
    /// The request it answers; none for nodes that people started.
    pub request: Option<RequestId>,
    /// Its Load Manager module.
    pub load_manager: LoadManagerState,
    /// The one shard whose shadow its Load Manager holds. It need not be a member of that shard
    /// yet: then the shadow is assigned and its sync has not begun.
    pub shadow: Option<ShardId>,
    /// The operator confirmed that its process is gone and stays gone.
    pub fenced: bool,
}

/// What the modules of one node are told to do: the whole of it, so that telling it twice changes
/// nothing.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Roles {
    /// Its Load Manager module.
    pub load_manager: LoadManagerState,
    /// All shards whose reads it serves.
    pub reads: BTreeSet<ShardId>,
    /// The shard whose shadow it holds.
    pub shadow: Option<ShardId>,
}

impl Node {
    /// A node that has just joined: no role yet.
    pub fn joining(id: NodeId, level: Level, zone: Option<Zone>, joined: JoinOrder) -> Self {
        Self {
            id,
            level,
            zone,
            joined,
            request: None,
            load_manager: LoadManagerState::Off,
            shadow: None,
            fenced: false,
        }
    }

    /// Whether clients are sent to it.
    pub fn is_load_manager(&self) -> bool {
        self.load_manager == LoadManagerState::On
    }
}
