//! CLIENT, but for its pauses.
//!
//! A client is described from the atomics it publishes, so that nobody has to stop it for that.

use super::select::{Filter, Kind};
use crate::net::Message;
use crate::node::Node;
use crate::session::{After, Call, Client, ReplyMode, SessionFn, help};
use resp::Reply;
use resp::numbers::parse_i64;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use storage::commands::Fail;
use storage::commands::fail::SYNTAX;
use storage::commands::parse::is;

pub const CODE: &[(&str, SessionFn)] = &[
    ("client|id", id),
    ("client|getname", get_name),
    ("client|setname", set_name),
    ("client|setinfo", set_info),
    ("client|info", info),
    ("client|list", list),
    ("client|kill", kill),
    ("client|reply", reply_mode),
    ("client|no-evict", no_evict),
    ("client|no-touch", no_touch),
    ("client|help", show_help),
];

fn id(call: &mut Call<'_>, reply: &mut Reply<'_>) -> Result<After, Fail> {
    reply.int(call.session.client.id as i64);
    Ok(After::Done)
}

fn get_name(call: &mut Call<'_>, reply: &mut Reply<'_>) -> Result<After, Fail> {
    let texts = call.session.client.texts.lock();
    if texts.name.is_empty() {
        reply.null()
    } else {
        reply.bulk(&texts.name)
    }
    Ok(After::Done)
}

/// Printable and without spaces: it has to fit into a line of CLIENT LIST.
fn is_clean(text: &[u8]) -> bool {
    text.iter().all(|byte| (b'!'..=b'~').contains(byte))
}

fn set_name(call: &mut Call<'_>, reply: &mut Reply<'_>) -> Result<After, Fail> {
    let name = call.args.at(2);
    if !is_clean(name) {
        return Err(Fail::text(
            "ERR Client names cannot contain spaces, newlines or special characters.",
        ));
    }
    call.session.client.texts.lock().name = name.to_vec();
    reply.ok();
    Ok(After::Done)
}

fn set_info(call: &mut Call<'_>, reply: &mut Reply<'_>) -> Result<After, Fail> {
    let (option, value) = (call.args.at(2), call.args.at(3));
    let shown = String::from_utf8_lossy(option);
    if !is(option, "lib-name") && !is(option, "lib-ver") {
        return Err(Fail::owned(format!("ERR Unrecognized option '{shown}'")));
    }
    if !is_clean(value) {
        return Err(Fail::owned(format!(
            "ERR {shown} cannot contain spaces, newlines or special characters."
        )));
    }
    let mut texts = call.session.client.texts.lock();
    let place = if is(option, "lib-name") { &mut texts.lib_name } else { &mut texts.lib_version };
    *place = value.to_vec();
    reply.ok();
    Ok(After::Done)
}

fn info(call: &mut Call<'_>, reply: &mut Reply<'_>) -> Result<After, Fail> {
    let mut text = Vec::new();
    describe(call, &call.session.client, &mut text);
    reply.verbatim("txt", &text);
    Ok(After::Done)
}

fn list(call: &mut Call<'_>, reply: &mut Reply<'_>) -> Result<After, Fail> {
    let args = call.args;
    let clients = if args.len() == 4 && is(args.at(2), "type") {
        let kind = Kind::parse(args.at(3))?;
        let mut all = call.node.clients.list();
        all.retain(|client| Kind::of(client) == kind);
        all
    } else if args.len() > 3 && is(args.at(2), "id") {
        let number = |arg| parse_i64(arg).ok_or(Fail::text("ERR Invalid client ID"));
        let ids: Vec<i64> = args.from(3).iter().map(number).collect::<Result<_, Fail>>()?;
        let known = |id: i64| call.node.clients.get(u64::try_from(id).ok()?);
        ids.into_iter().filter_map(known).collect()
    } else if args.len() == 2 {
        call.node.clients.list()
    } else {
        return Err(SYNTAX);
    };
    let mut text = Vec::new();
    clients.iter().for_each(|client| describe(call, client, &mut text));
    reply.verbatim("txt", &text);
    Ok(After::Done)
}

/// Appends the line about one client.
fn describe(call: &Call<'_>, client: &Client, out: &mut Vec<u8>) {
    let last = client.last_command.load(Ordering::Relaxed);
    let command = if client.id == call.session.client.id {
        call.row.name
    } else {
        call.node.registry.get(last).map_or("NULL", |command| command.row.name)
    };
    write_line(client, command, call.core.turn.now, out);
}

fn write_line(client: &Client, command: &str, now: i64, out: &mut Vec<u8>) {
    let texts = client.texts.lock().clone();
    let count = |n: &std::sync::atomic::AtomicUsize| n.load(Ordering::Relaxed);
    let seconds = |since: i64| (now - since).max(0) / 1000;
    let (queued, free) = (count(&client.query_bytes), count(&client.query_free));
    let unsent = count(&client.reply_bytes);
    let total = size_of::<Client>() + queued + free + unsent;
    let events = if unsent > 0 { "rw" } else { "r" };
    let resp = if client.resp3.load(Ordering::Relaxed) { 3 } else { 2 };
    // Writing to memory cannot fail.
    let _ = write!(out, "id={} addr={} laddr={} fd=-1 name=", client.id, client.addr, client.laddr);
    out.extend_from_slice(&texts.name);
    let _ = write!(
        out,
        " age={} idle={} flags={} db={} sub={} psub={} ssub={} multi={} qbuf={queued} \
         qbuf-free={free} argv-mem=0 multi-mem=0 rbs=0 rbp=0 obl={unsent} oll=0 omem=0 \
         tot-mem={total} events={events} cmd={command} user={} redir=-1 resp={resp} lib-name=",
        seconds(client.created),
        seconds(client.last_active.load(Ordering::Relaxed)),
        flags(client),
        count(&client.db),
        count(&client.channels),
        count(&client.patterns),
        count(&client.shard_channels),
        client.multi.load(Ordering::Relaxed),
        texts.user,
    );
    out.extend_from_slice(&texts.lib_name);
    out.extend_from_slice(b" lib-ver=");
    out.extend_from_slice(&texts.lib_version);
    out.push(b'\n');
}

/// Redis's letters for what a client is doing.
fn flags(client: &Client) -> String {
    let set = |flag: &std::sync::atomic::AtomicBool| flag.load(Ordering::Relaxed);
    let letters = [
        ('O', set(&client.monitor)),
        ('P', Kind::of(client) == Kind::Pubsub),
        ('x', client.multi.load(Ordering::Relaxed) >= 0),
        ('b', set(&client.blocked)),
        ('A', set(&client.killed)),
        ('e', set(&client.no_evict)),
        ('T', set(&client.no_touch)),
    ];
    let text: String = letters.into_iter().filter(|(_, set)| *set).map(|(flag, _)| flag).collect();
    if text.is_empty() { "N".to_owned() } else { text }
}

fn kill(call: &mut Call<'_>, reply: &mut Reply<'_>) -> Result<After, Fail> {
    let args = call.args;
    let old_form = args.len() == 3;
    let filter = if old_form {
        let addr = Some(args.at(2));
        Filter { id: None, kind: None, user: None, addr, laddr: None, skip_me: false }
    } else {
        Filter::parse(args)?
    };
    let me = call.session.client.id;
    let mut count = 0;
    let mut after = After::Done;
    for client in call.node.clients.list() {
        if !filter.matches(&client, me) {
            continue;
        }
        if client.id == me {
            count += 1;
            after = After::Close;
        } else if end(call.node, &client) {
            count += 1;
        }
    }
    match (old_form, count) {
        (true, 0) => return Err(Fail::text("ERR No such client")),
        (true, _) => reply.ok(),
        (false, count) => reply.int(count),
    }
    Ok(after)
}

/// Closes another client's connection; false if that has been asked for already.
fn end(node: &Node, client: &Arc<Client>) -> bool {
    if client.killed.swap(true, Ordering::Relaxed) {
        return false;
    }
    if let Some(inbox) = node.inboxes.get(client.core) {
        inbox.send(Message::Kill { place: client.place, client: client.id });
    }
    true
}

fn reply_mode(call: &mut Call<'_>, reply: &mut Reply<'_>) -> Result<After, Fail> {
    let mode = call.args.at(2);
    if is(mode, "on") {
        call.session.reply_mode = ReplyMode::On;
        reply.ok();
    } else if is(mode, "off") {
        call.session.reply_mode = ReplyMode::Off;
    } else if is(mode, "skip") {
        // The dispatcher drops the reply of the command behind this one. OFF outlives a SKIP.
        if call.session.reply_mode != ReplyMode::Off {
            call.session.reply_mode = ReplyMode::SkipNext;
        }
    } else {
        return Err(SYNTAX);
    }
    Ok(After::Done)
}

fn is_on(arg: &[u8]) -> Result<bool, Fail> {
    match arg {
        arg if is(arg, "on") => Ok(true),
        arg if is(arg, "off") => Ok(false),
        _ => Err(SYNTAX),
    }
}

fn no_evict(call: &mut Call<'_>, reply: &mut Reply<'_>) -> Result<After, Fail> {
    let on = is_on(call.args.at(2))?;
    call.session.client.no_evict.store(on, Ordering::Relaxed);
    reply.ok();
    Ok(After::Done)
}

fn no_touch(call: &mut Call<'_>, reply: &mut Reply<'_>) -> Result<After, Fail> {
    let on = is_on(call.args.at(2))?;
    call.session.no_touch = on;
    call.session.client.no_touch.store(on, Ordering::Relaxed);
    reply.ok();
    Ok(After::Done)
}

fn show_help(_: &mut Call<'_>, reply: &mut Reply<'_>) -> Result<After, Fail> {
    help(
        reply,
        "CLIENT",
        &[
            "GETNAME",
            "    Return the name of the current connection.",
            "ID",
            "    Return the ID of the current connection.",
            "INFO",
            "    Return information about the current client connection.",
            "KILL <ip:port>",
            "    Kill connection made from <ip:port>.",
            "KILL <option> <value> [<option> <value> [...]]",
            "    Kill connections. Options are:",
            "    * ADDR (<ip:port>|<unixsocket>:0)",
            "      Kill connections made from the specified address",
            "    * LADDR (<ip:port>|<unixsocket>:0)",
            "      Kill connections made to specified local address",
            "    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)",
            "      Kill connections by type.",
            "    * USER <username>",
            "      Kill connections authenticated by <username>.",
            "    * SKIPME (YES|NO)",
            "      Skip killing current connection (default: yes).",
            "LIST [options ...]",
            "    Return information about client connections. Options:",
            "    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)",
            "      Return clients of specified type.",
            "UNPAUSE",
            "    Stop the current client pause, resuming traffic.",
            "PAUSE <timeout> [WRITE|ALL]",
            "    Suspend all, or just write, clients for <timeout> milliseconds.",
            "REPLY (ON|OFF|SKIP)",
            "    Control the replies sent to the current connection.",
            "SETNAME <name>",
            "    Assign the name <name> to the current connection.",
            "SETINFO <option> <value>",
            "    Note the name (LIB-NAME) or version (LIB-VER) of the client's library.",
            "NO-EVICT (ON|OFF)",
            "    Protect current client connection from eviction.",
            "NO-TOUCH (ON|OFF)",
            "    Keep this connection's commands from counting as accesses to keys.",
        ],
    );
    Ok(After::Done)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::ClientTexts;
    use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize};

    fn client() -> Client {
        let zero = AtomicUsize::default;
        let no = AtomicBool::default;
        Client {
            id: 12,
            addr: "127.0.0.1:55058".parse().unwrap(),
            laddr: "[::1]:7911".parse().unwrap(),
            core: 0,
            place: 0,
            created: 1_000,
            last_active: AtomicI64::new(8_500),
            last_command: AtomicUsize::new(usize::MAX),
            db: AtomicUsize::new(3),
            multi: AtomicI64::new(-1),
            watching: zero(),
            channels: zero(),
            patterns: zero(),
            shard_channels: zero(),
            resp3: AtomicBool::new(true),
            monitor: no(),
            no_evict: no(),
            no_touch: no(),
            killed: no(),
            blocked: no(),
            query_bytes: AtomicUsize::new(48),
            query_free: zero(),
            reply_bytes: zero(),
            texts: parking_lot::Mutex::new(ClientTexts {
                name: b"foo".to_vec(),
                lib_name: b"jedis".to_vec(),
                lib_version: b"5.1".to_vec(),
                user: "default".to_owned(),
            }),
        }
    }

    #[test]
    fn a_line_has_the_fields_that_tools_parse() {
        let mut line = Vec::new();
        write_line(&client(), "client|list", 11_999, &mut line);
        let line = String::from_utf8(line).unwrap();
        let (head, tail) = line.split_once(" tot-mem=").unwrap();
        assert_eq!(
            head,
            "id=12 addr=127.0.0.1:55058 laddr=[::1]:7911 fd=-1 name=foo age=10 idle=3 flags=N db=3 \
             sub=0 psub=0 ssub=0 multi=-1 qbuf=48 qbuf-free=0 argv-mem=0 multi-mem=0 rbs=0 rbp=0 \
             obl=0 oll=0 omem=0"
        );
        let (_, tail) = tail.split_once(' ').unwrap();
        assert_eq!(
            tail,
            "events=r cmd=client|list user=default redir=-1 resp=3 lib-name=jedis lib-ver=5.1\n"
        );
    }

    #[test]
    fn letters_say_what_a_client_does() {
        let client = client();
        client.multi.store(2, Ordering::Relaxed);
        client.channels.store(1, Ordering::Relaxed);
        client.no_touch.store(true, Ordering::Relaxed);
        assert_eq!(flags(&client), "PxT");
    }
}
