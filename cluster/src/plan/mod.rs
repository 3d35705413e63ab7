//! The next legal steps from the topology that is to the one that is wanted.
//!
//! Nothing is remembered of how far a plan is: every second all rules look at the topology and at
//! what is observed, and emit what is missing. So a crash, a lost answer or another leader needs no
//! code of its own, and what was done already is not emitted again.
//!
//! The order is the priority of REQUIREMENTS.md 3.1: requests and repairs, then the operations in
//! flight, then what every shard should look like whatever happened to it (`tidy`), then what
//! the decisions want next. Each action is tried on a copy of the topology as it is emitted, so the
//! following ones see it done, carry the epoch it leaves behind, and are refused by whoever did not
//! see it done. An action that would break an invariant is never emitted.
//!
//! The limits: one operation per shard beside its repairs, and in the whole cluster one that does not
//! add capacity per `nodes-per-operation` nodes.

mod begin;
mod down;
mod failures;
mod load_managers;
mod mach;
mod operations;
mod planner;
mod read_split;
mod requests;
mod step;
mod tidy;
mod view;
mod write_path;

use planner::Planner;

pub use planner::NO_OPERATION;
pub use step::Step;

use crate::autoscaler::{Action, Config, EventKind, Observation, State};

/// What [`reconcile`] found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Planned {
    /// The memory afterwards.
    pub state: State,
    /// What is to be done, in this order.
    pub actions: Vec<Action>,
    /// What operators are told, in this order.
    pub events: Vec<EventKind>,
}

/// The next steps. Total and deterministic.
pub fn reconcile(config: &Config, state: &State, observation: &Observation) -> Planned {
    let mut planner = Planner::new(config, state, observation);
    planner.tend_requests();
    planner.repair();
    planner.advance_operations();
    planner.tidy_shards();
    planner.finish_operations();
    planner.tend_load_managers();
    planner.begin_desired();
    planner.planned()
}
