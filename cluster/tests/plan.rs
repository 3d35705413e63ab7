//! Plans as readable scripts, and what holds on every way through them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

#[path = "plan/crash.rs"]
mod crash;
#[path = "plan/rules.rs"]
mod rules;
#[path = "plan/scripts.rs"]
mod scripts;
#[path = "plan/world.rs"]
mod world;
