//! What one client is to the server: its database, protocol, transaction, subscriptions.

mod config_commands;
pub mod connection;
mod dispatch;
mod keyspace;
mod pubsub;
mod transaction;

use crate::net::Core;
use crate::node::Node;
use crate::panics::Panicked;
use crate::writer::Cold;
use resp::{Args, OwnedArgs, Protocol, Reply};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use storage::commands::{Fail, Row};
use storage::keyspace::{Locked, Watch};

/// The code of the commands here, by family.
pub const FAMILIES: &[&[(&str, SessionFn)]] =
    &[config_commands::CODE, connection::CODE, keyspace::CODE, pubsub::CODE, transaction::CODE];

/// The code of a command that runs in the server.
pub type SessionFn = fn(&mut Call<'_>, &mut Reply<'_>) -> Result<After, Fail>;

/// One execution of a command that runs in the server.
pub struct Call<'a> {
    pub args: Args<'a>,
    pub row: &'static Row,
    pub session: &'a mut Session,
    pub node: &'static Node,
    pub core: &'a mut Core,
    /// Inside EXEC: the partitions it locked. Then no job may be started and nothing may wait.
    pub locked: Option<&'a mut Locked<'static>>,
    /// Keys that must be loaded first; when there are any, the reply is dropped and the command
    /// runs again once they are.
    pub cold: Cold,
    /// The reply is dropped and the command runs again at this time, ms since the epoch.
    pub again_at: Option<i64>,
}

/// Work for another thread, whose result is the command's reply.
pub type Job = Box<dyn FnOnce(&'static Node, &mut Reply<'_>) -> Result<(), Fail> + Send>;

/// What becomes of the connection after a command.
pub enum After {
    /// The reply is written.
    Done,
    /// The reply is written; close once it is sent.
    Close,
    /// A thread of its own writes the reply; the connection waits, others do not.
    Job(Job),
    /// The reply comes after so many milliseconds (0: never), as an integer 0: WAIT without
    /// replicas.
    WaitReplicas { ms: u64 },
    /// No reply at all (CLIENT REPLY).
    Silent,
    /// The code of the command panicked, and nothing of it is left.
    Panicked(Panicked),
}

/// Whether replies are sent (CLIENT REPLY).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ReplyMode {
    #[default]
    On,
    Off,
    /// The reply of the next command is dropped, then on again.
    SkipNext,
    Skipping,
}

/// A transaction being queued.
#[derive(Default)]
pub struct Multi {
    pub queue: Vec<(usize, OwnedArgs)>,
    /// A command was refused while queueing: EXEC answers EXECABORT.
    pub refused: bool,
    pub has_write: bool,
    pub has_denyoom: bool,
}

/// The channels one client listens to.
#[derive(Default)]
pub struct Subscriptions {
    pub channels: BTreeSet<Box<[u8]>>,
    pub patterns: BTreeSet<Box<[u8]>>,
    pub shard_channels: BTreeSet<Box<[u8]>>,
}

impl Subscriptions {
    /// What SUBSCRIBE and PSUBSCRIBE count.
    pub fn count(&self) -> usize {
        self.channels.len() + self.patterns.len()
    }

    pub fn is_empty(&self) -> bool {
        self.count() + self.shard_channels.len() == 0
    }
}

/// What others may see of a client, and do to it: CLIENT LIST, CLIENT KILL.
pub struct Client {
    pub id: u64,
    pub addr: SocketAddr,
    pub laddr: SocketAddr,
    /// The core that serves it and its place there.
    pub core: usize,
    pub place: usize,
    /// Milliseconds since the epoch.
    pub created: i64,
    pub last_active: AtomicI64,
    /// Number of the last command, `usize::MAX` before the first.
    pub last_command: AtomicUsize,
    pub db: AtomicUsize,
    /// Commands queued in MULTI, -1 outside of it.
    pub multi: AtomicI64,
    pub watching: AtomicUsize,
    pub channels: AtomicUsize,
    pub patterns: AtomicUsize,
    pub shard_channels: AtomicUsize,
    pub resp3: AtomicBool,
    pub monitor: AtomicBool,
    pub no_evict: AtomicBool,
    pub no_touch: AtomicBool,
    pub killed: AtomicBool,
    pub blocked: AtomicBool,
    pub query_bytes: AtomicUsize,
    pub query_free: AtomicUsize,
    pub reply_bytes: AtomicUsize,
    pub texts: parking_lot::Mutex<ClientTexts>,
}

/// A client's own words about itself.
#[derive(Default, Clone)]
pub struct ClientTexts {
    pub name: Vec<u8>,
    pub lib_name: Vec<u8>,
    pub lib_version: Vec<u8>,
    pub user: String,
}

pub struct Session {
    pub client: Arc<Client>,
    pub db: usize,
    pub protocol: Protocol,
    pub authenticated: bool,
    /// The login that runs next has waited as long as it must.
    pub login_waited: bool,
    pub multi: Option<Box<Multi>>,
    /// Raised when a watched key changes; made at the first WATCH.
    pub watch: Option<Watch>,
    pub watched: Vec<(usize, Box<[u8]>)>,
    pub subscriptions: Option<Box<Subscriptions>>,
    pub reply_mode: ReplyMode,
    pub monitor: bool,
    pub no_touch: bool,
}

impl Session {
    pub fn new(client: Arc<Client>, authenticated: bool) -> Session {
        Session {
            client,
            db: 0,
            protocol: Protocol::Resp2,
            authenticated,
            login_waited: false,
            multi: None,
            watch: None,
            watched: Vec::new(),
            subscriptions: None,
            reply_mode: ReplyMode::On,
            monitor: false,
            no_touch: false,
        }
    }

    /// Subscribed in RESP2: only a few commands may be given.
    pub fn is_listening(&self) -> bool {
        self.protocol == Protocol::Resp2
            && self.subscriptions.as_ref().is_some_and(|all| !all.is_empty())
    }

    pub fn select(&mut self, db: usize) {
        self.db = db;
        self.client.db.store(db, Ordering::Relaxed);
    }

    pub fn set_protocol(&mut self, protocol: Protocol) {
        self.protocol = protocol;
        self.client.resp3.store(protocol == Protocol::Resp3, Ordering::Relaxed);
    }

    /// Tells others what changed in MULTI, WATCH and subscriptions.
    pub fn publish_state(&self) {
        let client = &self.client;
        let queued = self.multi.as_ref().map_or(-1, |multi| multi.queue.len() as i64);
        client.multi.store(queued, Ordering::Relaxed);
        client.watching.store(self.watched.len(), Ordering::Relaxed);
        let sizes = self.subscriptions.as_ref().map_or((0, 0, 0), |all| {
            (all.channels.len(), all.patterns.len(), all.shard_channels.len())
        });
        client.channels.store(sizes.0, Ordering::Relaxed);
        client.patterns.store(sizes.1, Ordering::Relaxed);
        client.shard_channels.store(sizes.2, Ordering::Relaxed);
    }
}

/// The reply of a container's HELP.
pub fn help(reply: &mut Reply<'_>, container: &str, lines: &[&str]) {
    reply.array(lines.len() + 3);
    reply.simple(&format!("{container} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"));
    lines.iter().for_each(|line| reply.simple(line));
    reply.simple("HELP");
    reply.simple("    Prints this help.");
}
