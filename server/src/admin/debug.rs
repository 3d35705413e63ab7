//! DEBUG: only what tests and fault finding need, and only if `enable-debug-command` allows it.
//!
//! SLEEP holds the one connection that asked for it, not the core. Everything that could read or
//! break the process's inside (JMAP, SEGFAULT ...) does not exist.

use crate::node::Node;
use crate::session::{After, Call, SessionFn};
use crate::writer;
use resp::Reply;
use std::time::Duration;
use storage::commands::Fail;
use storage::commands::fail::NO_SUCH_KEY;
use storage::commands::parse::is;
use storage::keyspace::{Entry, Key, Need, idle_seconds};

pub const CODE: &[(&str, SessionFn)] = &[("debug", debug)];

/// The longest sleep, seconds.
const SLEEP_MAX_S: f64 = 3600.0;

const NOT_ALLOWED: Fail = Fail::text(
    "ERR DEBUG command not allowed. If the enable-debug-command option is set to \"local\", you \
     can run it from a local connection, otherwise you need to set this option in the \
     configuration file, and then restart the server.",
);
const IN_EXEC: Fail = Fail::text("ERR this DEBUG subcommand is not allowed inside a transaction");

fn debug(call: &mut Call<'_>, reply: &mut Reply<'_>) -> Result<After, Fail> {
    let is_local = call.session.client.addr.ip().to_canonical().is_loopback();
    if !call.node.config.debug_allowed(is_local) {
        return Err(NOT_ALLOWED);
    }
    let (name, count) = (call.args.at(1), call.args.len());
    if is(name, "help") && count == 2 {
        show_help(reply);
        return Ok(After::Done);
    }
    if is(name, "set-active-expire") && count == 3 {
        let on = resp::numbers::parse_i64(call.args.at(2)).unwrap_or(0) != 0;
        call.node.space.configure(|settings| settings.active_expire = on);
        reply.ok();
        return Ok(After::Done);
    }
    let sleep_or_reload = (is(name, "sleep") && count == 3) || is(name, "reload");
    let object = is(name, "object") && count == 3;
    if (sleep_or_reload || object) && call.locked.is_some() {
        return Err(IN_EXEC);
    }
    if object {
        return show_object(call, reply);
    }
    if is(name, "sleep") && count == 3 {
        return Ok(sleep(call.args.at(2)));
    }
    if is(name, "reload") {
        return reload(call);
    }
    Err(super::misused(call, "DEBUG"))
}

/// What is not a number sleeps no time at all, as in Redis.
fn sleep(seconds: &[u8]) -> After {
    let seconds = resp::numbers::parse_f64(seconds).unwrap_or(0.0).clamp(0.0, SLEEP_MAX_S);
    After::Job(Box::new(move |_, reply| {
        std::thread::sleep(Duration::from_secs_f64(seconds));
        reply.ok();
        Ok(())
    }))
}

fn reload(call: &Call<'_>) -> Result<After, Fail> {
    if let Some(option) = call.args.get(2) {
        let known = ["merge", "noflush", "nosave"].iter().any(|known| is(option, known));
        return Err(Fail::text(if known {
            "ERR DEBUG RELOAD takes no options here: memory is reloaded from the journal and base"
        } else {
            "ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options."
        }));
    }
    Ok(After::Job(Box::new(|node: &'static Node, reply| {
        node.reload().map_err(|text| Fail::owned(format!("ERR {text}")))?;
        reply.ok();
        Ok(())
    })))
}

fn show_object(call: &mut Call<'_>, reply: &mut Reply<'_>) -> Result<After, Fail> {
    let (node, db, turn) = (call.node, call.session.db, &call.core.turn);
    let key = Key::new(call.args.at(2), turn.settings.tag);
    let locked = match writer::lock_known(node, db, std::slice::from_ref(&key), Need::Whole) {
        Ok(locked) => locked,
        Err(cold) => {
            call.cold = cold;
            return Ok(After::Done);
        }
    };
    let entry = locked.get(key.partition()).and_then(|partition| partition.get(db, &key));
    let entry = entry.filter(|entry| !entry.is_due(turn.now)).ok_or(NO_SUCH_KEY)?;
    reply.simple(&format!(
        "Value at:{:p} refcount:1 encoding:{} serializedlength:{} lru:{} lru_seconds_idle:{}",
        entry,
        entry.value.encoding(),
        serialized_len(entry),
        entry.clock(),
        idle_seconds(entry, turn.now),
    ));
    Ok(After::Done)
}

/// Bytes the value has in its records.
fn serialized_len(entry: &Entry) -> usize {
    if entry.value.is_single() {
        let mut payload = Vec::new();
        entry.value.encode(&mut payload);
        return payload.len();
    }
    let mut sum = 0usize;
    entry.value.elements(&mut |subkey, value| {
        sum = sum.saturating_add(subkey.len()).saturating_add(value.len());
    });
    sum
}

fn show_help(reply: &mut Reply<'_>) {
    crate::session::help(
        reply,
        "DEBUG",
        &[
            "OBJECT <key>",
            "    Show low level info about `key` and associated value.",
            "RELOAD",
            "    Drop all objects from memory and load them back from journal and base.",
            "SET-ACTIVE-EXPIRE <0|1>",
            "    Setting it to 0 disables expiring keys in background when they are not",
            "    accessed (otherwise the Redis behavior). Setting it to 1 reenables back the",
            "    default.",
            "SLEEP <seconds>",
            "    Hold this connection for <seconds>, others go on. Decimals allowed.",
        ],
    );
}
