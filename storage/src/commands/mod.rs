//! Commands: a row each, one file per family.

mod ctx;
pub mod fail;
pub mod glob;
pub mod parse;
pub mod row;
pub mod sorted_sets;
#[cfg(test)]
pub mod testing;

pub use ctx::{Ctx, Missing};
pub use fail::{Fail, Outcome};
pub use row::{Group, ROW, Row, Run, acl, flags};
