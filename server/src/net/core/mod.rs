//! The loop of one core.
//!
//! A turn: take what the inbox holds, serve every ready connection (read once, execute all that
//! came), and only then flush the journal once and send all replies. So the cost of a journal
//! write and of waking is shared by everything a turn did (the shape of Redis's beforeSleep).
//! The loop is one task; sockets wake it with the number of their connection.

mod clock;
mod input;
mod output;
mod places;
mod waits;

use super::connection::Connection;
use super::inbox::{Inbox, Message};
use crate::node::{Node, steady_ns, wall_ms};
use crate::registry::Command;
use resp::{Ahead, Limits, Reply};
use slab::Slab;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
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
    /// Commands decoded and not yet executed; empty between connections.
    ahead: Ahead,
    /// Objects are too many for the processor's cache: they are fetched ahead.
    prefetches: bool,
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
            ahead: Ahead::default(),
            prefetches: false,
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
}
