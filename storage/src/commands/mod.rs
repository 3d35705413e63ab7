//! Commands: a row each, one file per family.

mod ctx;
pub mod fail;
pub mod generic;
pub mod glob;
pub mod hashes;
pub mod lists;
pub mod object;
pub mod parse;
pub mod row;
pub mod server_rows;
pub mod sets;
pub mod sorted_sets;
pub mod strings;
#[cfg(test)]
pub mod testing;

pub use ctx::{Ctx, Missing};
pub use fail::{Fail, Outcome};
pub use row::{Group, ROW, Row, Run, acl, flags};
