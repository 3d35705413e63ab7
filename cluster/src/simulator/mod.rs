//! Virtual clusters under virtual load: what a policy costs and what it breaks, over weeks, in
//! seconds (`bowshock simulate`).
//!
//! Time is a number that a loop counts up by ten seconds, the length of a cell. Each tick a
//! [`Trace`] says what clients send, noise is laid over it, a [`Cluster`] answers as far as its
//! nodes can ([`model`], an M/M/1 queue each), and [`Score`] adds up what it cost and how often it
//! was too slow. All policies live in the same world: they pay for a node from the moment they ask
//! for it, wait as long until it comes, and copy at the same speed.
//!
//! The limits: no clock, no files, no sockets. Texts of traces and plans come in as strings and
//! pictures leave as strings. Randomness comes from the seed alone, so the same seed prints the same
//! figures. Response times are those of the steady state in each tick: queues do not carry over,
//! because a Load Manager sheds what would let them grow.

mod arrangement;
mod counted;
pub mod model;
mod oracle;
mod picture;
mod policy;
mod random;
mod run;
mod score;
mod stepped;
mod table;
mod trace;

#[cfg(test)]
mod goals;
#[cfg(test)]
mod tests;

pub use picture::{PictureError, picture};
pub use policy::Policy;
pub use run::{Broken, Cluster, Tick, World, run};
pub use score::{Score, medians};
pub use table::{table, ticks_csv};
pub use trace::{Load, PlanError, Trace, TraceError, parse_plan};
