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

use crate::session::{Call, SessionFn};
use storage::commands::Fail;

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

/// The error of a subcommand that looks at its number of arguments itself.
fn misused(call: &Call<'_>, container: &str) -> Fail {
    let name: String = String::from_utf8_lossy(call.args.at(1)).chars().take(128).collect();
    Fail::owned(format!(
        "ERR unknown subcommand or wrong number of arguments for '{name}'. Try {container} HELP."
    ))
}
