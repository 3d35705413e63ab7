//! Sockets: one loop per core, each with connections of its own.

mod accept;
mod connection;
mod core;
mod inbox;

pub use accept::{Listeners, accept, bind};
pub use connection::{Connection, Wait};
pub use core::{Core, Flow};
pub use inbox::{Inbox, Message};
