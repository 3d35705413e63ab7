//! From arguments to a reply: find the command, see whether it may run now, run it, measure it.
//!
//! The order of the checks is Redis's (server.c, processCommand): it decides which of several
//! errors a client sees.

use super::{After, Call, Multi, ReplyMode, Session, SessionFn};
use crate::evict::Room;
use crate::net::{Connection, Core, Flow, Message, Wait};
use crate::node::steady_ns;
use crate::panics::{self, Panicked};
use crate::registry::{Code, Command, Found};
use crate::writer::{self, Ran};
use resp::{Args, Reply};
use std::sync::atomic::Ordering;
use storage::commands::fail::c_string;
use storage::commands::{Fail, acl, flags};

const MISCONF: &str = "MISCONF Bowshock is read-only: free disk space is below the reserve";
const OOM: &str = "OOM command not allowed when used memory > 'maxmemory'.";
const PANICKED: &str =
    "ERR the command failed inside Bowshock; it changed no key, the log says more";
/// An unknown name is quoted up to so many bytes, and so are all its arguments together.
const QUOTED_MAX: usize = 128;

impl Core {
    /// Executes one request. `Stop`: the connection waits or closes.
    pub(crate) fn execute(&mut self, connection: &mut Connection, args: Args<'_>) -> Flow {
        let begin = connection.out.len();
        let command = match self.find(args) {
            Ok(command) => command,
            Err(_) if is_http(args.at(0)) => return hang_up(connection),
            Err(fail) => return self.refuse(connection, None, fail),
        };
        match self.admit(&mut connection.session, command, args) {
            Ok(()) => {}
            Err(NotNow::Fail(fail)) => return self.refuse(connection, Some(command), fail),
            Err(NotNow::Wait) => return self.park(connection, args, Wait::Gate),
        }
        if must_queue(&connection.session, command) {
            queue(&mut connection.session, command, args);
            connection.session.publish_state();
            Reply::new(&mut connection.out, connection.session.protocol).simple("QUEUED");
            return self.after_reply(connection, begin);
        }
        let row = command.row;
        if row.is(flags::WRITE | flags::MAY_REPLICATE) || self.node.is_paused(self.turn.now) {
            let writes = row.is(flags::WRITE | flags::MAY_REPLICATE)
                || writes_in_exec(&connection.session, command);
            if self.node.holds(self.turn.now, writes) && !never_held(row.name) {
                return self.park(connection, args, Wait::Gate);
            }
        }
        let db = connection.session.db;
        self.turn.no_touch = connection.session.no_touch && row.name != "touch";
        let after = match self.run(connection, command, args) {
            Ok(after) => after,
            Err(Refused::Again { at }) => return self.park(connection, args, Wait::Again(at)),
            Err(Refused::Cold(cold)) => {
                let flow = self.park(connection, args, Wait::Elsewhere);
                let place = connection.socket_waker.place;
                self.node.load(cold, self.number, place, connection.session.client.id);
                return flow;
            }
        };
        if self.is_monitored() && row.name != "exec" {
            self.monitor(&connection.session.client, db, command, args);
        }
        let failed = connection.out.get(begin) == Some(&b'-');
        self.measured(connection, command, args, failed.then_some(begin));
        self.publish_notices();
        match after {
            After::Done => self.after_reply(connection, begin),
            After::Silent => Flow::Next,
            After::Close => {
                connection.closing = true;
                if connection.unsent() == 0 {
                    connection.dead = true;
                }
                Flow::Stop
            }
            After::Panicked(panic) => self.panicked(connection, command, &panic),
            After::WaitReplicas { ms } => {
                let until =
                    if ms == 0 { i64::MAX } else { self.turn.now.saturating_add(ms as i64) };
                self.park(connection, args, Wait::Until(until))
            }
            After::Job(job) => {
                let flow = self.park(connection, args, Wait::Elsewhere);
                let (place, client) = (connection.socket_waker.place, connection.session.client.id);
                let (inbox, protocol) = (self.inbox.clone(), connection.session.protocol);
                let node = self.node;
                node.workers.run(Box::new(move || {
                    let mut out = Vec::new();
                    let mut reply = Reply::new(&mut out, protocol);
                    if let Err(fail) = job(node, &mut reply) {
                        out.clear();
                        Reply::new(&mut out, protocol).error_bytes(&fail.0);
                    }
                    inbox.send(Message::Finished { place, client, reply: out });
                }));
                flow
            }
        }
    }

    #[inline]
    fn find(&mut self, args: Args<'_>) -> Result<&'static Command, Fail> {
        let name = args.at(0);
        if let Some((last, command)) = &self.last_command
            && **last == *name
        {
            return Ok(command);
        }
        match self.node.registry.find(name, args.get(1)) {
            Found::Command(command) => {
                if !command.is_container() && !command.row.name.contains('|') {
                    self.last_command = Some((name.into(), command));
                }
                Ok(command)
            }
            Found::UnknownCommand => Err(unknown_command(args)),
            Found::UnknownSubcommand(container) => Err(Fail::quoting(
                "ERR unknown subcommand '",
                first_bytes(args.at(1), QUOTED_MAX),
                &format!("'. Try {} HELP.", container.row.name.to_uppercase()),
            )),
        }
    }

    /// May this command run on this connection now?
    #[inline]
    fn admit(
        &mut self,
        session: &mut Session,
        command: &Command,
        args: Args<'_>,
    ) -> Result<(), NotNow> {
        let row = command.row;
        let fits = if row.arity < 0 {
            args.len() >= row.arity.unsigned_abs() as usize
        } else {
            args.len() == row.arity as usize
        };
        if !fits {
            return Err(Fail::arity(row.name).into());
        }
        if !session.authenticated && !row.is(flags::NO_AUTH) {
            return Err(Fail::text("NOAUTH Authentication required.").into());
        }
        if session.multi.is_some() && row.is(flags::NO_MULTI) {
            return Err(Fail::text("ERR Command not allowed inside a transaction").into());
        }
        let exec = row.name == "exec";
        let queued = session.multi.as_ref().filter(|_| exec);
        let grows = row.is(flags::DENYOOM) || queued.is_some_and(|multi| multi.has_denyoom);
        if self.turn.settings.maxmemory > 0 && !self.keeps_loaded {
            match self.make_room() {
                Room::Full if grows => return Err(Fail::text(OOM).into()),
                Room::Wait if grows => return Err(NotNow::Wait),
                _ => {}
            }
        }
        let writes = row.is(flags::WRITE) || queued.is_some_and(|multi| multi.has_write);
        if writes && self.node.store.as_ref().is_some_and(|store| store.journal.reserve_low()) {
            return Err(Fail::text(MISCONF).into());
        }
        if session.is_listening() && !allowed_while_listening(row.name) {
            return Err(Fail::owned(format!(
                "ERR Can't execute '{}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context",
                row.name
            ))
            .into());
        }
        Ok(())
    }

    /// Runs a command whose time has come, with its reply appended to the connection's output.
    fn run(
        &mut self,
        connection: &mut Connection,
        command: &'static Command,
        args: Args<'_>,
    ) -> Result<After, Refused> {
        let Connection { session, out, .. } = connection;
        let mut reply = Reply::new(out, session.protocol);
        let mark = reply.mark();
        let outcome = match command.code {
            Code::Keyed(handler) => {
                let (node, turn) = (self.node, &mut self.turn);
                match writer::execute(node, turn, session.db, command, handler, args, &mut reply) {
                    Ran::Done(outcome) => outcome.map(|()| After::Done),
                    Ran::Cold(cold) => return Err(Refused::Cold(cold)),
                    Ran::Panicked(panic) => Ok(After::Panicked(panic)),
                }
            }
            Code::Session(function) => {
                let node = self.node;
                let mut call = Call {
                    args,
                    row: command.row,
                    session,
                    node,
                    core: self,
                    locked: None,
                    cold: Vec::new(),
                    again_at: None,
                };
                let outcome = run_contained(function, &mut call, &mut reply);
                let (cold, again_at) = (std::mem::take(&mut call.cold), call.again_at);
                if !cold.is_empty() {
                    reply.truncate(mark);
                    return Err(Refused::Cold(cold));
                }
                if let Some(at) = again_at {
                    reply.truncate(mark);
                    return Err(Refused::Again { at });
                }
                outcome.unwrap_or_else(|panic| Ok(After::Panicked(panic)))
            }
            Code::Container => Err(Fail::arity(command.row.name)),
        };
        if let Ok(After::Panicked(_)) = outcome {
            reply.truncate(mark);
            reply.error(PANICKED);
        }
        Ok(outcome.unwrap_or_else(|fail| {
            reply.truncate(mark);
            reply.error_bytes(&fail.0);
            After::Done
        }))
    }

    /// The code of a command panicked: it has been undone, and costs the connection.
    #[cold]
    fn panicked(
        &mut self,
        connection: &mut Connection,
        command: &Command,
        panic: &Panicked,
    ) -> Flow {
        self.node.counters.panics.fetch_add(1, Ordering::Relaxed);
        tracing::error!(
            client = connection.session.client.id,
            "'{}' panicked: {}; it changed no key, its connection is closed",
            command.row.name,
            panic.text
        );
        connection.closing = true;
        Flow::Stop
    }

    /// Statistics, SLOWLOG and LATENCY of a command that has run.
    #[inline]
    fn measured(
        &mut self,
        connection: &Connection,
        command: &Command,
        args: Args<'_>,
        error_at: Option<usize>,
    ) {
        let now = steady_ns();
        let nanos = now.saturating_sub(self.clock);
        self.clock = now;
        self.node.measures.ran(self.number, command.number, nanos, error_at.is_some());
        let client = &connection.session.client;
        client.last_command.store(command.number, Ordering::Relaxed);
        client.last_active.store(self.turn.now, Ordering::Relaxed);
        if let Some(begin) = error_at {
            self.node.note_error(connection.out.get(begin..).unwrap_or_default());
        }
        if !command.row.is(flags::SKIP_SLOWLOG) {
            self.node.slowlog.note(nanos / 1000, self.turn.now, args, client, command.row.name);
        }
        self.node.note_latency(command.row, nanos / 1_000_000, self.turn.now);
    }

    /// Answers an error instead of running the command.
    #[cold]
    fn refuse(
        &mut self,
        connection: &mut Connection,
        command: Option<&Command>,
        fail: Fail,
    ) -> Flow {
        let begin = connection.out.len();
        if let Some(command) = command {
            self.node.measures.rejected(self.number, command.number);
        }
        let exec = command.is_some_and(|command| command.row.name == "exec");
        if let Some(multi) = &mut connection.session.multi {
            multi.refused = true;
        }
        let mut reply = Reply::new(&mut connection.out, connection.session.protocol);
        if exec {
            // C25: EXEC refused by admission discards MULTI and WATCH; Redis says so even when
            // there is no MULTI.
            let why = fail.0.strip_prefix(b"ERR ").unwrap_or(&fail.0);
            reply.error_bytes(&[b"EXECABORT Transaction discarded because of: ", why].concat());
            self.discard(&mut connection.session);
        } else {
            reply.error_bytes(&fail.0);
        }
        let text = connection.out.get(begin..).unwrap_or_default();
        self.node.note_error(text);
        self.clock = steady_ns();
        self.after_reply(connection, begin)
    }

    /// CLIENT REPLY OFF and SKIP drop what was just written.
    #[inline]
    fn after_reply(&mut self, connection: &mut Connection, begin: usize) -> Flow {
        match connection.session.reply_mode {
            ReplyMode::On => {}
            ReplyMode::Off => connection.out.truncate(begin),
            ReplyMode::SkipNext => connection.session.reply_mode = ReplyMode::Skipping,
            ReplyMode::Skipping => {
                connection.out.truncate(begin);
                connection.session.reply_mode = ReplyMode::On;
            }
        }
        Flow::Next
    }

    /// Keeps the command for later and stops the connection.
    pub(crate) fn park(&mut self, connection: &mut Connection, args: Args<'_>, wait: Wait) -> Flow {
        connection.parked = Some(args.to_owned());
        connection.wait = Some(wait);
        connection.session.client.blocked.store(true, Ordering::Relaxed);
        if !matches!(wait, Wait::Elsewhere) {
            self.waiting.push(connection.socket_waker.place);
        }
        Flow::Stop
    }

    /// Whether any client runs MONITOR.
    #[inline]
    pub(crate) fn is_monitored(&self) -> bool {
        self.node.clients.monitors.load(Ordering::Relaxed) > 0
    }

    /// MULTI and WATCH end without EXEC.
    pub(crate) fn discard(&mut self, session: &mut Session) {
        session.multi = None;
        self.unwatch(session);
        session.publish_state();
    }

    pub(crate) fn unwatch(&mut self, session: &mut Session) {
        let Some(watch) = session.watch.take() else { return };
        let tag = self.turn.settings.tag;
        for (db, name) in std::mem::take(&mut session.watched) {
            let key = storage::keyspace::Key::new(&name, tag);
            self.node.space.partition(key.partition()).unwatch(db, &name, &watch);
        }
    }

    /// The client is gone: everything that names it goes too.
    pub(crate) fn end_session(&mut self, session: &mut Session) {
        self.unwatch(session);
        if let Some(all) = session.subscriptions.take() {
            self.node.pubsub.forget(&all, session.client.id);
        }
        if std::mem::take(&mut session.monitor) {
            self.node.clients.monitors.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// Runs the code of a command that runs in the server. A panic is stopped unless the command
/// changes partitions itself: it costs the connection, and what it changed is its session's.
pub(super) fn run_contained(
    function: SessionFn,
    call: &mut Call<'_>,
    reply: &mut Reply<'_>,
) -> Result<Result<After, Fail>, Panicked> {
    let row = call.row;
    let changes = row.is(flags::WRITE) || row.acl & acl::TRANSACTION != 0;
    panics::contain(call.node.store.is_some() && !changes, || function(call, reply))
}

/// Why a command does not run now.
enum NotNow {
    Fail(Fail),
    /// There will be room once the base has been fed.
    Wait,
}

impl From<Fail> for NotNow {
    fn from(fail: Fail) -> NotNow {
        NotNow::Fail(fail)
    }
}

enum Refused {
    /// Keys have to be loaded first.
    Cold(writer::Cold),
    /// Not before this time, ms since the epoch.
    Again { at: i64 },
}

/// What a browser that was tricked into talking to this port sends, as Redis knows it.
fn is_http(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"post") || name.eq_ignore_ascii_case(b"host:")
}

/// Closes without a word, so that a web page can neither give commands nor read replies.
#[cold]
fn hang_up(connection: &mut Connection) -> Flow {
    let addr = connection.session.client.addr;
    tracing::warn!("{addr} speaks HTTP (POST or Host:) on the port for clients; closed");
    connection.closing = true;
    connection.dead = true;
    Flow::Stop
}

fn unknown_command(args: Args<'_>) -> Fail {
    let name = first_bytes(args.at(0), QUOTED_MAX);
    let mut quoted = Vec::new();
    for arg in args.from(1).iter() {
        let room = QUOTED_MAX.saturating_sub(quoted.len());
        if room == 0 {
            break;
        }
        quoted.extend_from_slice(&[b"'", first_bytes(arg, room), b"' "].concat());
    }
    let mut fail = Fail::quoting("ERR unknown command '", name, "', with args beginning with: ");
    fail.0.to_mut().extend_from_slice(&quoted);
    fail
}

/// What C's `%.*s` prints: up to `max` bytes, and none from a zero byte on.
fn first_bytes(bytes: &[u8], max: usize) -> &[u8] {
    c_string(bytes.get(..max).unwrap_or(bytes))
}

fn must_queue(session: &Session, command: &Command) -> bool {
    session.multi.is_some()
        && !matches!(command.row.name, "exec" | "discard" | "multi" | "watch" | "quit" | "reset")
}

fn queue(session: &mut Session, command: &Command, args: Args<'_>) {
    let multi = session.multi.get_or_insert_with(Box::<Multi>::default);
    multi.has_write |= command.row.is(flags::WRITE);
    multi.has_denyoom |= command.row.is(flags::DENYOOM);
    multi.queue.push((command.number, args.to_owned()));
}

fn writes_in_exec(session: &Session, command: &Command) -> bool {
    command.row.name == "exec" && session.multi.as_ref().is_some_and(|multi| multi.has_write)
}

/// CLIENT PAUSE does not hold what could end it.
fn never_held(name: &str) -> bool {
    name.starts_with("client") || matches!(name, "shutdown" | "quit" | "reset" | "hello" | "auth")
}

fn allowed_while_listening(name: &str) -> bool {
    matches!(
        name,
        "subscribe"
            | "ssubscribe"
            | "psubscribe"
            | "unsubscribe"
            | "sunsubscribe"
            | "punsubscribe"
            | "ping"
            | "quit"
            | "reset"
    )
}
