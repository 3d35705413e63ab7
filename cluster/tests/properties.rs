//! What holds on every way (REQUIREMENTS.md 3.7): clusters of any shape under any load, with
//! failures, late nodes, lost answers and crashes, driven second by second through `step`. Each test
//! is named after the invariant it looks at.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

#[path = "properties/checks.rs"]
mod checks;
#[path = "properties/ends.rs"]
mod ends;
#[path = "properties/load.rs"]
mod load;
#[path = "properties/runs.rs"]
mod runs;
#[path = "properties/scenario.rs"]
mod scenario;
#[path = "properties/values.rs"]
mod values;
#[path = "properties/world.rs"]
mod world;
