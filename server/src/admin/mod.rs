//! What administrators ask of a node: INFO, CLIENT, COMMAND, SLOWLOG, LATENCY, MEMORY, DEBUG,
//! SHUTDOWN and the like.
//!
//! One file per command or family; each gives the code of its commands by name, their rows are
//! `storage`'s. Replies and errors are Redis 7.0.15's; what they report is true of this node.

mod client;
mod command;
mod debug;
mod docs;
pub mod info;
mod latency;
mod memory;
mod misc;
mod pause;
pub mod secrets;
mod select;
mod slowlog;
mod sparkline;
mod syntax;

use crate::session::SessionFn;

/// The code of all commands here and of MONITOR, by family.
pub const FAMILIES: &[&[(&str, SessionFn)]] = &[
    client::CODE,
    command::CODE,
    docs::CODE,
    debug::CODE,
    info::CODE,
    latency::CODE,
    memory::CODE,
    misc::CODE,
    pause::CODE,
    slowlog::CODE,
    crate::monitor::CODE,
];
