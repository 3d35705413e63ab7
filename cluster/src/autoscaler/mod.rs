//! When the cluster grows, shrinks, repairs: decided from a configuration, a state and an
//! observation, all of them values.
//!
//! Here are the words that decisions are made of. Every number in them is an integer with a unit
//! in its name or type (microseconds, milliseconds, seconds, millionths, bytes, thousandths of a
//! request per second), so that the state is the same on every node, prints exactly, and thresholds
//! are compared without rounding (ADR 0015).
//!
//! The limits: no clock, no I/O, no randomness. Time is a field of the observation.

pub mod action;
mod apply;
mod capacity;
pub mod cells;
mod class;
pub mod config;
pub(crate) mod decide;
pub mod decision;
pub mod desired;
mod down;
pub mod event;
pub mod explain;
mod forecast;
mod guard;
mod judge;
mod load;
mod load_managers;
mod memory;
mod merge;
mod moves;
pub mod observation;
mod split;
pub mod state;
mod surge;
mod tell;
mod trigger;
pub mod units;
mod up;

#[cfg(test)]
mod tests;

pub use action::{Action, ActionKind, NodeRequest, Purpose};
pub use apply::{Applied, ApplyError};
pub use cells::Cells;
pub use config::{Config, ConfigError};
pub use decide::{Decided, decide};
pub use decision::{Choice, Decision};
pub use desired::{Desired, DesiredShard, SplitGoal};
pub use event::{Event, EventKind, Severity};
pub use explain::{Comparison, Explanation, Figure, Metric, Move, Relation, Rule};
pub use observation::{Aggregate, ClassWindow, Health, Observation, OperatorWord};
pub use state::State;
pub use units::{Rate, Seconds, Share, TimeMs};
