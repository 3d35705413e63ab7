//! The loop of one core.
//!
//! A turn: take what the inbox holds, serve every ready connection (read once, execute all that
//! came), and only then flush the journal once and send all replies. So the cost of a journal
//! write and of waking is shared by everything a turn did (the shape of Redis's beforeSleep).
//! The loop is one task; sockets wake it with the number of their connection.

use super::connection::{Connection, Wait};
use super::inbox::{Inbox, Message, SocketWaker};
use crate::node::{Node, steady_ns, wall_ms};
use crate::registry::Command;
use crate::session::{Client, ClientTexts, Session};
use resp::{Decoded, Limits, Reply};
use slab::Slab;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use storage::bytes::SmallBytes;
use storage::keyspace::Turn;
use tokio::time::Sleep;

/// Bytes read from one socket in one turn.
const READ_BYTES: usize = 64 << 10;

/// Whether a connection goes on with its next request.
#[derive(PartialEq, Eq, Debug)]
pub enum Flow {
    Next,
    Stop,
}

pub struct Core {
    pub number: usize,
    pub node: &'static Node,
    pub turn: Turn,
    pub(crate) inbox: Arc<Inbox>,
    connections: Slab<Option<Box<Connection>>>,
    load: Arc<[AtomicUsize]>,
    messages: Vec<Message>,
    ready: Vec<usize>,
    /// Connections with something to send.
    dirty: Vec<usize>,
    /// Connections whose replies wait for the journal.
    unreleased: Vec<usize>,
    /// Connections that wait at a gate or for a time.
    pub(crate) waiting: Vec<usize>,
    buffer: Vec<u8>,
    limits: Limits,
    /// The last command by the name it was sent with: mostly it is also the next one.
    pub(crate) last_command: Option<(SmallBytes, &'static Command)>,
    /// When the last command ended, by [`steady_ns`].
    pub(crate) clock: u64,
    pub(crate) net_in: u64,
    cron: Pin<Box<Sleep>>,
    last_sweep_ms: i64,
    /// A connection executes no further request while so many reply bytes are unsent.
    unsent_pause: usize,
    /// A command whose keys were just loaded runs: nothing leaves memory.
    pub(crate) keeps_loaded: bool,
}

impl Core {
    /// Must be made inside the core's runtime.
    pub fn new(
        node: &'static Node,
        number: usize,
        inbox: Arc<Inbox>,
        load: Arc<[AtomicUsize]>,
    ) -> Core {
        Core {
            number,
            node,
            turn: Turn::new(&node.space, fastrand::u64(..)),
            inbox,
            connections: Slab::new(),
            load,
            messages: Vec::new(),
            ready: Vec::new(),
            dirty: Vec::new(),
            unreleased: Vec::new(),
            waiting: Vec::new(),
            buffer: vec![0; READ_BYTES],
            limits: Limits::default(),
            last_command: None,
            clock: steady_ns(),
            net_in: 0,
            cron: Box::pin(tokio::time::sleep(Duration::ZERO)),
            last_sweep_ms: 0,
            unsent_pause: node.config.unsent_pause(),
            keeps_loaded: false,
        }
    }

    /// Runs until the process stops.
    pub async fn run_until_stopped(mut self) {
        std::future::poll_fn(|cx| self.poll(cx)).await;
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.inbox.begin(cx.waker());
        self.turn.begin(&self.node.space, wall_ms());
        let mut messages = std::mem::take(&mut self.messages);
        let mut ready = std::mem::take(&mut self.ready);
        self.inbox.take(&mut messages, &mut ready);
        let mut stop = false;
        for message in messages.drain(..) {
            stop |= matches!(message, Message::Stop);
            self.receive(message);
        }
        for place in ready.drain(..) {
            self.with(place, Core::serve);
        }
        self.messages = messages;
        self.ready = ready;
        // What this turn's commands told this very core (messages to its own clients) leaves with
        // their replies.
        let mut own = Vec::new();
        let mut none = Vec::new();
        std::mem::swap(&mut own, &mut self.messages);
        self.inbox.take(&mut own, &mut none);
        own.drain(..).for_each(|message| {
            stop |= matches!(message, Message::Stop);
            self.receive(message);
        });
        self.messages = own;
        for place in none {
            self.inbox.ready(place);
        }
        if self.cron.as_mut().poll(cx).is_ready() {
            let next = self.tick();
            self.cron.as_mut().reset(tokio::time::Instant::now() + next);
            // Arms the timer.
            if self.cron.as_mut().poll(cx).is_ready() {
                cx.waker().wake_by_ref();
            }
        }
        self.end_turn();
        if stop { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Takes a connection out of its place for the time of `work`.
    pub(crate) fn with(&mut self, place: usize, work: impl FnOnce(&mut Core, &mut Connection)) {
        let Some(mut connection) = self.connections.get_mut(place).and_then(Option::take) else {
            return;
        };
        work(self, &mut connection);
        if connection.dead {
            self.drop_connection(place, *connection);
            return;
        }
        if !connection.dirty && connection.unsent() > 0 {
            connection.dirty = true;
            self.dirty.push(place);
        }
        if let Some(slot) = self.connections.get_mut(place) {
            *slot = Some(connection);
        }
    }

    /// [`Core::with`], if the place still belongs to that client.
    fn with_client(
        &mut self,
        place: usize,
        id: u64,
        work: impl FnOnce(&mut Core, &mut Connection),
    ) {
        self.with(place, |core, connection| {
            if connection.session.client.id == id {
                work(core, connection);
            }
        });
    }

    fn receive(&mut self, message: Message) {
        match message {
            Message::Accepted { socket, peer } => self.accept(socket, peer),
            Message::Deliver { place, client, bytes, after } => {
                self.with_client(place, client, |core, connection| {
                    core.deliver(connection, &bytes, after);
                });
            }
            Message::Finished { place, client, reply } => {
                self.with_client(place, client, |core, connection| {
                    connection.parked = None;
                    connection.out.extend_from_slice(&reply);
                    core.resume(connection);
                });
            }
            Message::Retry { place, client } => {
                // What was loaded for this command must not leave before it has run, even if that
                // is more than `maxmemory`: else the command would never end.
                self.keeps_loaded = true;
                self.with_client(place, client, Core::retry);
                self.keeps_loaded = false;
            }
            Message::Failed { place, client, text } => {
                self.with_client(place, client, |core, connection| {
                    connection.parked = None;
                    Reply::new(&mut connection.out, connection.session.protocol).error(&text);
                    core.resume(connection);
                });
            }
            Message::Kill { place, client } => {
                self.with_client(place, client, |_, connection| connection.dead = true);
            }
            Message::Released => {
                self.inbox.saw_released();
                for place in std::mem::take(&mut self.unreleased) {
                    self.flush(place);
                }
                self.pass_gates();
            }
            Message::Stop => {}
        }
    }

    fn accept(&mut self, socket: std::net::TcpStream, peer: SocketAddr) {
        let laddr = socket.local_addr().unwrap_or(peer);
        let Ok(stream) = tokio::net::TcpStream::from_std(socket) else {
            self.node.clients.release();
            self.leave_load();
            return;
        };
        let entry = self.connections.vacant_entry();
        let place = entry.key();
        let client = Arc::new(Client {
            id: self.node.clients.next_id(),
            addr: peer,
            laddr,
            core: self.number,
            place,
            created: self.turn.now,
            last_active: AtomicI64::new(self.turn.now),
            last_command: AtomicUsize::new(usize::MAX),
            db: AtomicUsize::new(0),
            multi: AtomicI64::new(-1),
            watching: AtomicUsize::new(0),
            channels: AtomicUsize::new(0),
            patterns: AtomicUsize::new(0),
            shard_channels: AtomicUsize::new(0),
            resp3: AtomicBool::new(false),
            monitor: AtomicBool::new(false),
            no_evict: AtomicBool::new(false),
            no_touch: AtomicBool::new(false),
            killed: AtomicBool::new(false),
            blocked: AtomicBool::new(false),
            query_bytes: AtomicUsize::new(0),
            query_free: AtomicUsize::new(0),
            reply_bytes: AtomicUsize::new(0),
            texts: parking_lot::Mutex::new(ClientTexts {
                user: "default".to_owned(),
                ..ClientTexts::default()
            }),
        });
        self.node.clients.add(client.clone());
        let session = Session::new(client, !self.node.config.requires_password());
        let waker = Arc::new(SocketWaker {
            inbox: self.inbox.clone(),
            place,
            queued: AtomicBool::new(false),
        });
        entry.insert(Some(Box::new(Connection::new(stream, waker, session))));
        self.with(place, Core::serve);
    }

    fn leave_load(&self) {
        if let Some(count) = self.load.get(self.number) {
            count.fetch_sub(1, Ordering::Relaxed);
        }
    }

    fn drop_connection(&mut self, place: usize, mut connection: Connection) {
        self.end_session(&mut connection.session);
        self.node.clients.remove(connection.session.client.id);
        self.node.clients.release();
        self.leave_load();
        self.connections.try_remove(place);
    }

    /// Something happened on the socket, or the connection may go on.
    fn serve(&mut self, connection: &mut Connection) {
        connection.socket_waker.queued.store(false, Ordering::Release);
        if connection.is_write_blocked() && !connection.dirty {
            connection.dirty = true;
            self.dirty.push(connection.socket_waker.place);
        }
        if connection.wait.is_some() || connection.closing || connection.dead {
            return;
        }
        if !connection.input.is_empty() {
            self.go_on(connection);
        }
        if !self.reads(connection) {
            return;
        }
        let mut buffer = std::mem::take(&mut self.buffer);
        let read = connection.read(&mut buffer);
        match read {
            Poll::Pending => {}
            Poll::Ready(Ok(0) | Err(_)) => connection.dead = true,
            Poll::Ready(Ok(n)) => {
                self.net_in += n as u64;
                self.take_input(connection, buffer.get(..n).unwrap_or_default());
                if self.reads(connection) {
                    if n == buffer.len() {
                        self.inbox.ready(connection.socket_waker.place);
                    } else {
                        // Nothing is there now; this arms the waker.
                        self.arm(connection, &mut buffer);
                    }
                }
            }
        }
        self.buffer = buffer;
    }

    /// Asks for the next wake-up; what came meanwhile is taken at once.
    fn arm(&mut self, connection: &mut Connection, buffer: &mut [u8]) {
        match connection.read(buffer) {
            Poll::Pending => {}
            Poll::Ready(Ok(0) | Err(_)) => connection.dead = true,
            Poll::Ready(Ok(n)) => {
                self.net_in += n as u64;
                self.take_input(connection, buffer.get(..n).unwrap_or_default());
                self.inbox.ready(connection.socket_waker.place);
            }
        }
    }

    fn reads(&self, connection: &Connection) -> bool {
        connection.wait.is_none()
            && !connection.closing
            && !connection.dead
            && connection.unsent() < self.unsent_pause
    }

    /// Executes what was received; what is left of it stays with the connection.
    fn take_input(&mut self, connection: &mut Connection, data: &[u8]) {
        connection.progress_ms = self.turn.now;
        if connection.input.is_empty() {
            let consumed = self.process(connection, data);
            let rest = data.get(consumed..).unwrap_or_default();
            if !rest.is_empty() {
                connection.input.extend_from_slice(rest);
            }
        } else {
            let missing = connection.decoder.missing(connection.input.len());
            if missing > data.len()
                && connection.input.capacity() < connection.input.len() + data.len()
            {
                // A big value is coming: grow by what has come, an eighth at least, never by
                // what was announced.
                let step = data.len().max(connection.input.len() / 8);
                connection.input.reserve_exact(step.min(missing.max(data.len())));
            }
            connection.input.extend_from_slice(data);
            self.go_on(connection);
        }
        if connection.input.len() > self.node.config.query_buffer_limit() {
            tracing::warn!(client = connection.session.client.id, "query buffer limit reached");
            connection.dead = true;
        }
    }

    /// Executes what the connection holds.
    fn go_on(&mut self, connection: &mut Connection) {
        let mut input = std::mem::take(&mut connection.input);
        let consumed = self.process(connection, &input);
        if consumed == input.len() {
            if input.capacity() <= READ_BYTES {
                input.clear();
                connection.input = input;
            }
            connection.shrink();
        } else {
            input.drain(..consumed);
            if input.len() < 1024 && input.capacity() > READ_BYTES {
                input.shrink_to(1024);
            }
            connection.input = input;
        }
    }

    /// Decodes and executes requests until the data ends or something stops the connection.
    /// Returns how many bytes were used.
    fn process(&mut self, connection: &mut Connection, data: &[u8]) -> usize {
        self.clock = steady_ns();
        let before = connection.out.len();
        let mut decoder = std::mem::take(&mut connection.decoder);
        let mut at = 0;
        self.limits.bulk_len_max = self.turn.settings.bulk_len_max;
        while at < data.len() && self.reads(connection) {
            self.limits.unauthenticated = !connection.session.authenticated;
            let rest = data.get(at..).unwrap_or_default();
            match decoder.decode(rest, &self.limits) {
                Ok(Decoded::Command { consumed }) => {
                    at += consumed;
                    let args = decoder.args(rest);
                    if self.execute(connection, args) == Flow::Stop {
                        break;
                    }
                }
                Ok(Decoded::Empty { consumed }) => at += consumed,
                Ok(Decoded::Incomplete) => break,
                Err(error) => {
                    self.node.counters.protocol_errors.fetch_add(1, Ordering::Relaxed);
                    let mut text = b"ERR ".to_vec();
                    text.extend_from_slice(&error.message());
                    let mut reply = Reply::new(&mut connection.out, connection.session.protocol);
                    reply.error_bytes(&text);
                    connection.closing = true;
                    at = data.len();
                }
            }
        }
        connection.decoder = decoder;
        if connection.out.len() > before {
            connection.mark(self.node.journal_end());
        }
        at
    }

    /// A wait of the connection is over; its reply is written.
    fn resume(&mut self, connection: &mut Connection) {
        connection.wait = None;
        connection.session.client.blocked.store(false, Ordering::Relaxed);
        connection.mark(self.node.journal_end());
        for (after, bytes) in std::mem::take(&mut connection.later) {
            connection.out.extend_from_slice(&bytes);
            connection.mark(after);
        }
        self.inbox.ready(connection.socket_waker.place);
    }

    /// Runs the parked command again.
    fn retry(&mut self, connection: &mut Connection) {
        let Some(args) = connection.parked.take() else { return };
        connection.wait = None;
        self.clock = steady_ns();
        let flow = self.execute(connection, args.as_args());
        if flow == Flow::Next || connection.wait.is_none() {
            self.resume(connection);
        }
    }

    /// Appends out-of-order bytes: a message of a channel, a line of MONITOR.
    pub(crate) fn deliver(&mut self, connection: &mut Connection, bytes: &[u8], after: u64) {
        if connection.closing {
            return;
        }
        connection.out.extend_from_slice(bytes);
        connection.mark(after);
        if connection.unsent() > self.node.config.pubsub_limit() {
            self.node.counters.killed_for_output.fetch_add(1, Ordering::Relaxed);
            tracing::warn!(client = connection.session.client.id, "output buffer limit reached");
            connection.dead = true;
        }
    }

    /// The journal once, then all replies.
    fn end_turn(&mut self) {
        if let Some(store) = &self.node.store {
            let end = store.journal.end();
            if store.journal.written() < end
                && let Err(error) = store.journal.flush(end)
            {
                store.fatal(&error.to_string());
            }
        }
        let mut dirty = std::mem::take(&mut self.dirty);
        for place in dirty.drain(..) {
            self.flush(place);
        }
        if self.dirty.is_empty() {
            self.dirty = dirty;
        }
        self.publish_counters();
    }

    fn flush(&mut self, place: usize) {
        let mut again = false;
        let mut unreleased = false;
        self.with(place, |core, connection| {
            connection.dirty = true;
            match connection.flush(|index| core.node.is_released(index)) {
                Ok(sent) => {
                    core.node.counters.net_out.fetch_add(sent as u64, Ordering::Relaxed);
                    if connection.unsent() == 0 && connection.closing {
                        connection.dead = true;
                    } else if connection.unsent() > 0 && !connection.is_write_blocked() {
                        unreleased = true;
                    }
                    again = core.reads(connection) && !connection.input.is_empty();
                    if !again && core.reads(connection) && sent >= core.unsent_pause {
                        again = true;
                    }
                }
                Err(_) => connection.dead = true,
            }
            let client = &connection.session.client;
            client.reply_bytes.store(connection.unsent(), Ordering::Relaxed);
            client.query_bytes.store(connection.input.len(), Ordering::Relaxed);
        });
        if let Some(Some(connection)) = self.connections.get_mut(place) {
            connection.dirty = false;
        }
        if unreleased {
            self.unreleased.push(place);
        }
        if again {
            self.inbox.ready(place);
        }
    }

    fn publish_counters(&mut self) {
        let counters = &self.node.counters;
        let turn = &mut self.turn;
        for (shared, own) in [
            (&counters.hits, &mut turn.hits),
            (&counters.misses, &mut turn.misses),
            (&counters.expired, &mut turn.expired),
            (&counters.net_in, &mut self.net_in),
        ] {
            if *own > 0 {
                shared.fetch_add(std::mem::take(own), Ordering::Relaxed);
            }
        }
    }

    /// Lets the connections that wait at a gate or for a time try again.
    pub(crate) fn pass_gates(&mut self) {
        for place in std::mem::take(&mut self.waiting) {
            self.with(place, |core, connection| match connection.wait {
                Some(Wait::Gate) => core.retry(connection),
                Some(Wait::Until(at)) if at <= core.turn.now => {
                    Reply::new(&mut connection.out, connection.session.protocol).int(0);
                    core.resume(connection);
                }
                Some(Wait::Until(_)) => core.waiting.push(place),
                _ => {}
            });
        }
    }

    /// Work by the clock; returns when it wants to be called again.
    fn tick(&mut self) -> Duration {
        self.expire_due();
        self.pass_gates();
        if self.turn.now - self.last_sweep_ms >= 1000 {
            self.last_sweep_ms = self.turn.now;
            self.unsent_pause = self.node.config.unsent_pause();
            self.sweep();
        }
        let busy = !self.waiting.is_empty() || self.node.space.has_deadlines();
        Duration::from_millis(if busy { 10 } else { 100 })
    }

    /// Ends connections whose request makes no progress, and idle ones after `timeout`.
    fn sweep(&mut self) {
        let now = self.turn.now;
        let idle_ms = self.node.config.timeout_s() as i64 * 1000;
        let partial_ms = self.node.config.partial_request_s() as i64 * 1000;
        let places: Vec<usize> = self.connections.iter().map(|(place, _)| place).collect();
        for place in places {
            self.with(place, |_, connection| {
                if connection.wait.is_some() {
                    return;
                }
                let stuck = !connection.input.is_empty()
                    && connection.unsent() == 0
                    && now - connection.progress_ms > partial_ms;
                let active = connection.session.client.last_active.load(Ordering::Relaxed);
                let listens =
                    connection.session.subscriptions.is_some() || connection.session.monitor;
                let idle = idle_ms > 0 && !listens && now - active > idle_ms;
                connection.dead |= stuck || idle;
                connection.shrink();
            });
        }
    }
}
