//! What a cluster consists of, as one value.
//!
//! A [`Topology`] says which nodes there are, which shard each holds and serves, who is Writer,
//! who votes, which Load Managers clients may talk to, and which operations are in flight. It is
//! the state of the control group; the autoscaler, the planner, the simulator and the executor
//! read this same value.
//!
//! The rule: fields are private, and a constructor or a change that would break an invariant
//! ([`Violation`]) is refused and leaves the value as it was. What can be computed from it (Mach,
//! counts, roles) is computed, never stored (STYLE.md, smells).
//!
//! The limits: a topology knows nothing of health, load or time. Who is up is an observation; a
//! topology may name a Writer that died a moment ago.

mod change;
mod derived;
mod format;
mod id;
mod index;
mod level;
mod member;
mod node;
mod operation;
mod range;
mod reshape;
mod saga;
mod shard;
mod text;
mod value;
mod violation;
mod voters;
mod zone;

#[cfg(test)]
pub(crate) mod tests;

pub use derived::{InFlight, Shape};
pub use format::Format;
pub use id::{
    BucketId, Epoch, GroupId, JoinOrder, NodeId, OperationId, RequestId, ShardId, Version,
};
pub use level::{Level, LevelError};
pub use member::{Member, Vote};
pub use node::{LoadManagerState, Node, Roles};
pub use operation::{Operation, OperationKind, Phase, SplitCause};
pub use range::{BucketRange, RangeError};
pub use shard::Shard;
pub use text::ParseError;
pub use value::{Counters, Topology, TopologyParts};
pub use violation::Violation;
pub use voters::VoterRule;
pub use zone::{Zone, ZoneError};
