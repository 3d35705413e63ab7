//! What makes several nodes one store: the durable journal of a shard and, above it, the pieces
//! that agree, decide and move. Nothing here knows a data type: a batch is opaque bytes.

pub mod autoscaler;
pub mod files;
pub mod journal;
pub mod plan;
pub mod simulator;
pub mod step;
pub mod topology;
