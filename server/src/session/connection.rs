//! AUTH, HELLO, PING, ECHO, SELECT, QUIT, RESET; READONLY and READWRITE, which need a cluster.

use super::{After, Call, ReplyMode, SessionFn};
use resp::numbers::parse_i64;
use resp::{Protocol, Reply};
use std::sync::atomic::Ordering;
use storage::commands::Fail;
use storage::commands::fail::{DB_RANGE, NOT_INTEGER, SYNTAX};
use storage::commands::parse::is;
use storage::record::DBS;

/// The version of Redis whose replies these are; clients decide by it what they may use.
pub const REDIS_VERSION: &str = "7.0.15";

pub const CODE: &[(&str, SessionFn)] = &[
    ("auth", auth),
    ("hello", hello),
    ("ping", ping),
    ("echo", echo),
    ("select", select),
    ("quit", quit),
    ("reset", reset),
    ("readonly", refuse_cluster),
    ("readwrite", refuse_cluster),
];

/// The database that an argument names, if there is such a one.
pub fn db_index(arg: &[u8]) -> Option<usize> {
    parse_i64(arg).and_then(|db| usize::try_from(db).ok()).filter(|db| *db < DBS)
}

fn select(call: &mut Call<'_>, reply: &mut Reply<'_>) -> Result<After, Fail> {
    let number = parse_i64(call.args.at(1)).ok_or(NOT_INTEGER)?;
    if i32::try_from(number).is_err() {
        return Err(Fail::text(
            "ERR value is out of range, value must between -2147483648 and 2147483647",
        ));
    }
    let db = db_index(call.args.at(1)).ok_or(DB_RANGE)?;
    call.session.select(db);
    reply.ok();
    Ok(After::Done)
}

fn ping(call: &mut Call<'_>, reply: &mut Reply<'_>) -> Result<After, Fail> {
    if call.args.len() > 2 {
        return Err(Fail::arity("ping"));
    }
    if call.session.is_listening() {
        reply.array(2);
        reply.bulk_str("pong");
        reply.bulk(call.args.at(1));
    } else {
        match call.args.get(1) {
            None => reply.simple("PONG"),
            Some(text) => reply.bulk(text),
        }
    }
    Ok(After::Done)
}

fn echo(call: &mut Call<'_>, reply: &mut Reply<'_>) -> Result<After, Fail> {
    reply.bulk(call.args.at(1));
    Ok(After::Done)
}

fn quit(_: &mut Call<'_>, reply: &mut Reply<'_>) -> Result<After, Fail> {
    reply.ok();
    Ok(After::Close)
}

fn refuse_cluster(_: &mut Call<'_>, _: &mut Reply<'_>) -> Result<After, Fail> {
    Err(Fail::text("ERR This instance has cluster support disabled"))
}

fn reset(call: &mut Call<'_>, reply: &mut Reply<'_>) -> Result<After, Fail> {
    call.core.discard(call.session);
    call.core.end_session(call.session);
    let session = &mut *call.session;
    session.select(0);
    session.set_protocol(Protocol::Resp2);
    session.reply_mode = ReplyMode::On;
    session.no_touch = false;
    session.client.no_evict.store(false, Ordering::Relaxed);
    session.client.no_touch.store(false, Ordering::Relaxed);
    session.client.monitor.store(false, Ordering::Relaxed);
    session.client.texts.lock().name.clear();
    session.authenticated = !call.node.config.requires_password();
    session.publish_state();
    // The reply is already in the old protocol's writer; a simple string is the same in both.
    reply.simple("RESET");
    Ok(After::Done)
}

fn auth(call: &mut Call<'_>, reply: &mut Reply<'_>) -> Result<After, Fail> {
    let (user, password) = match call.args.len() {
        2 if !call.node.config.requires_password() => {
            return Err(Fail::text(
                "ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?",
            ));
        }
        2 => (&b"default"[..], call.args.at(1)),
        3 => (call.args.at(1), call.args.at(2)),
        _ => return Err(SYNTAX),
    };
    if may_log_in(call) {
        log_in(call, user, password)?;
        reply.ok();
    }
    Ok(After::Done)
}

const WRONG_PASS: Fail =
    Fail::text("WRONGPASS invalid username-password pair or user is disabled.");

/// Whether a login may be looked at now. Else it runs again when it has waited for the failed ones
/// from its address.
fn may_log_in(call: &mut Call<'_>) -> bool {
    if call.session.authenticated || std::mem::take(&mut call.session.login_waited) {
        return true;
    }
    let (now, most) = (call.core.turn.now, call.node.config.login_delay_max_ms());
    let delay = call.node.logins.delay_ms(call.session.client.addr.ip(), now, most);
    if delay > 0 {
        call.session.login_waited = true;
        call.again_at = Some(now + delay);
    }
    delay == 0
}

fn log_in(call: &mut Call<'_>, user: &[u8], password: &[u8]) -> Result<(), Fail> {
    let addr = call.session.client.addr.ip();
    if user == b"default" && call.node.config.accepts(password) {
        call.session.authenticated = true;
        call.node.logins.succeeded(addr);
        return Ok(());
    }
    call.node.logins.failed(addr, call.core.turn.now);
    call.node.counters.auth_failures.fetch_add(1, Ordering::Relaxed);
    Err(WRONG_PASS)
}

fn hello(call: &mut Call<'_>, reply: &mut Reply<'_>) -> Result<After, Fail> {
    let args = call.args;
    let mut protocol = call.session.protocol;
    if let Some(version) = args.get(1) {
        let version = parse_i64(version)
            .ok_or(Fail::text("ERR Protocol version is not an integer or out of range"))?;
        protocol = match version {
            2 => Protocol::Resp2,
            3 => Protocol::Resp3,
            _ => return Err(Fail::text("NOPROTO unsupported protocol version")),
        };
    }
    let mut name = None;
    let mut credentials = None;
    let mut at = 2;
    while let Some(option) = args.get(at) {
        let left = args.len() - at - 1;
        if is(option, "auth") && left >= 2 {
            credentials = Some((args.at(at + 1), args.at(at + 2)));
            at += 3;
        } else if is(option, "setname") && left >= 1 {
            name = Some(args.at(at + 1));
            at += 2;
        } else {
            return Err(Fail::quoting("ERR Syntax error in HELLO option '", option, "'"));
        }
    }
    if let Some(name) = name
        && !is_clean(name)
    {
        return Err(Fail::text(
            "ERR Client names cannot contain spaces, newlines or special characters.",
        ));
    }
    if let Some((user, password)) = credentials {
        if !may_log_in(call) {
            return Ok(After::Done);
        }
        log_in(call, user, password)?;
    }
    if !call.session.authenticated {
        return Err(Fail::text(
            "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time",
        ));
    }
    if let Some(name) = name {
        call.session.client.texts.lock().name = name.to_vec();
    }
    call.session.set_protocol(protocol);
    let mut answer = Vec::new();
    let mut fields = Reply::new(&mut answer, protocol);
    fields.map(7);
    for (field, value) in [("server", "redis"), ("version", REDIS_VERSION)] {
        fields.bulk_str(field);
        fields.bulk_str(value);
    }
    fields.bulk_str("proto");
    fields.int(if protocol == Protocol::Resp3 { 3 } else { 2 });
    fields.bulk_str("id");
    fields.int(call.session.client.id as i64);
    for (field, value) in [("mode", "standalone"), ("role", "master")] {
        fields.bulk_str(field);
        fields.bulk_str(value);
    }
    fields.bulk_str("modules");
    fields.array(0);
    reply.raw(&answer);
    Ok(After::Done)
}

/// Printable and without spaces, as client names must be.
pub fn is_clean(text: &[u8]) -> bool {
    text.iter().all(|byte| (b'!'..=b'~').contains(byte))
}
