//! MONITOR: every command that runs, as one line for each client that asked to see them.
//!
//! Nobody pays for it while nobody watches. Passwords are not shown, and neither are commands of
//! administrators.

use crate::admin::secrets::{REDACTED, is_secret};
use crate::net::{Core, Message};
use crate::node::wall_us;
use crate::registry::Command;
use crate::session::{After, Call, Client, SessionFn};
use resp::{Args, Reply};
use std::fmt::Display;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use storage::commands::{Fail, flags};

pub const CODE: &[(&str, SessionFn)] = &[("monitor", monitor)];

fn monitor(call: &mut Call<'_>, reply: &mut Reply<'_>) -> Result<After, Fail> {
    if call.locked.is_some() {
        return Err(Fail::text("ERR MONITOR isn't allowed for DENY BLOCKING client"));
    }
    if call.session.monitor {
        return Ok(After::Silent);
    }
    call.session.monitor = true;
    call.session.client.monitor.store(true, Ordering::Relaxed);
    call.node.clients.monitors.fetch_add(1, Ordering::Relaxed);
    reply.ok();
    Ok(After::Done)
}

impl Core {
    /// Shows a command to all clients that run MONITOR. Commands inside EXEC are shown by the same
    /// call, one each.
    #[cold]
    pub(crate) fn monitor(&self, client: &Client, db: usize, command: &Command, args: Args<'_>) {
        // EXEC is not skipped: it is shown behind what it ran.
        let skipped = command.row.is(flags::ADMIN | flags::SKIP_MONITOR);
        if skipped && command.row.name != "exec" {
            return;
        }
        let line = line(wall_us(), db, client.addr, command.row.name, args);
        let bytes: Arc<[u8]> = line.into();
        let after = self.node.journal_end();
        for watcher in self.node.clients.list() {
            if watcher.monitor.load(Ordering::Relaxed)
                && let Some(inbox) = self.node.inboxes.get(watcher.core)
            {
                let (place, client, bytes) = (watcher.place, watcher.id, bytes.clone());
                inbox.send(Message::Deliver { place, client, bytes, after });
            }
        }
    }
}

/// The line for one command, given at `us` microseconds since the epoch.
fn line(us: i64, db: usize, addr: impl Display, name: &str, args: Args<'_>) -> Vec<u8> {
    let mut line = format!("+{}.{:06} [{db} {addr}]", us / 1_000_000, us % 1_000_000).into_bytes();
    for (at, arg) in args.iter().enumerate() {
        line.push(b' ');
        quote(&mut line, if is_secret(name, args, at) { REDACTED } else { arg });
    }
    line.extend_from_slice(b"\r\n");
    line
}

/// Appends bytes between quotation marks, in the escapes that redis-cli reads back.
pub fn quote(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'"');
    for byte in bytes {
        let short = match byte {
            b'\\' | b'"' => Some(*byte),
            b'\n' => Some(b'n'),
            b'\r' => Some(b'r'),
            b'\t' => Some(b't'),
            0x07 => Some(b'a'),
            0x08 => Some(b'b'),
            _ => None,
        };
        match (short, byte) {
            (Some(letter), _) => out.extend_from_slice(&[b'\\', letter]),
            (None, b' '..=b'~') => out.push(*byte),
            (None, _) => out.extend_from_slice(format!("\\x{byte:02x}").as_bytes()),
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use resp::OwnedArgs;

    fn shown(name: &str, words: &[&[u8]]) -> String {
        let args = OwnedArgs::from_slices(words);
        let line = line(1_700_000_000_000_456, 3, "127.0.0.1:99", name, args.as_args());
        String::from_utf8(line).unwrap()
    }

    #[test]
    fn lines_are_those_of_redis() {
        assert_eq!(
            shown("set", &[b"set", b"a\x01\n\"q", b"b\\c\ttab\xff'"]),
            "+1700000000.000456 [3 127.0.0.1:99] \"set\" \"a\\x01\\n\\\"q\" \"b\\\\c\\ttab\\xff'\"\r\n"
        );
        assert_eq!(
            shown("auth", &[b"AUTH", b"secret"]),
            "+1700000000.000456 [3 127.0.0.1:99] \"AUTH\" \"(redacted)\"\r\n"
        );
    }
}
