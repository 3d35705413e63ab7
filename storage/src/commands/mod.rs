//! Commands: a row each, one file per family.

pub mod fail;
pub mod row;

pub use fail::{Fail, Outcome};
pub use row::{Group, ROW, Row, Run, acl, flags};
