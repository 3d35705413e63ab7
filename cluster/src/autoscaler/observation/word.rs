//! What operators say.

use serde::{Deserialize, Serialize};

use crate::autoscaler::TimeMs;
use crate::topology::{BucketId, NodeId, OperationId, RequestId, ShardId};

/// What an operator, human or software, says. Words may come late, twice or never.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "word")]
pub enum OperatorWord {
    /// A node will come.
    Accepted {
        /// The request.
        #[serde(rename = "req_id")]
        request: RequestId,
        /// When it is expected.
        expected_ms: TimeMs,
    },
    /// No node will come.
    Rejected {
        /// The request.
        #[serde(rename = "req_id")]
        request: RequestId,
        /// Why.
        reason: String,
        /// Ask again not before.
        retry_ms: TimeMs,
    },
    /// The node's process is gone and stays gone.
    Fenced {
        /// The node.
        node: NodeId,
    },
    /// The node was taken away after its release.
    Released {
        /// The node.
        node: NodeId,
    },
    /// Stop scaling; repairs go on.
    Hold,
    /// Scale again.
    Resume,
    /// Do what waits for approval.
    Approve {
        /// The operation.
        operation: OperationId,
    },
    /// Do not.
    Deny {
        /// The operation.
        operation: OperationId,
    },
    /// Make this node the shard's Writer.
    SwitchTo {
        /// The shard.
        shard: ShardId,
        /// The node.
        node: NodeId,
    },
    /// Divide the shard.
    Split {
        /// The shard.
        shard: ShardId,
        /// First bucket of the right part; the configured rule chooses if none is given.
        at: Option<BucketId>,
    },
    /// Make one shard of two neighbours.
    Merge {
        /// The shard that stays.
        left: ShardId,
        /// The shard that ends.
        right: ShardId,
    },
}
