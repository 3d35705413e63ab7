//! The composition root: everything the cores of this process share.

use crate::admin::info::Samples;
use crate::clients::Clients;
use crate::config::Config;
use crate::load_manager::measure::Measures;
use crate::logins::Logins;
use crate::net::Inbox;
use crate::pubsub::Pubsub;
use crate::registry::Registry;
use crate::slowlog::Slowlog;
use crate::store::Store;
use crate::workers::Workers;
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use storage::keyspace::Space;

/// What a process is made of. Nothing here belongs to one core or one client.
pub struct Node {
    pub config: Config,
    pub registry: Registry,
    pub space: Space,
    /// Journal and base; none with `--base memory`.
    pub store: Option<Store>,
    pub clients: Clients,
    pub pubsub: Pubsub,
    pub measures: Measures,
    pub samples: Samples,
    pub logins: Logins,
    pub slowlog: Slowlog,
    pub latency: Mutex<crate::latency::Latency>,
    /// One per core.
    pub inboxes: Vec<Arc<Inbox>>,
    pub counters: Counters,
    pub pause: Pause,
    pub workers: Workers,
    pub started: Instant,
    /// Milliseconds since the epoch.
    pub started_ms: i64,
    /// 40 hex digits, new at every start (INFO's run_id).
    pub run_id: String,
    pub stopping: AtomicBool,
    pub stop: tokio::sync::Notify,
    /// Milliseconds since the epoch of the last successful save.
    pub last_save: AtomicI64,
    pub saving: AtomicBool,
    pub last_save_ok: AtomicBool,
}

/// What INFO counts for the whole process.
#[derive(Default)]
pub struct Counters {
    pub connections: AtomicU64,
    pub refused_connections: AtomicU64,
    pub net_in: AtomicU64,
    pub net_out: AtomicU64,
    pub hits: AtomicU64,
    pub misses: AtomicU64,
    pub expired: AtomicU64,
    pub evicted: AtomicU64,
    pub unloaded: AtomicU64,
    pub loaded: AtomicU64,
    pub errors: AtomicU64,
    pub auth_failures: AtomicU64,
    pub published: AtomicU64,
    pub dirty: AtomicU64,
    pub memory_peak: AtomicU64,
    pub killed_for_output: AtomicU64,
    pub protocol_errors: AtomicU64,
    /// Commands that panicked.
    pub panics: AtomicU64,
}

/// CLIENT PAUSE: until when, and whether only writes.
#[derive(Default)]
pub struct Pause {
    pub until_ms: AtomicI64,
    pub all: AtomicBool,
}

impl Pause {
    /// Whether a command has to wait now.
    #[inline]
    pub fn holds(&self, now: i64, writes: bool) -> bool {
        let until = self.until_ms.load(Ordering::Relaxed);
        until > now && (writes || self.all.load(Ordering::Relaxed))
    }
}

/// Milliseconds since the epoch.
pub fn wall_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |passed| passed.as_millis() as i64)
}

/// Microseconds since the epoch.
pub fn wall_us() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |passed| passed.as_micros() as i64)
}

/// Nanoseconds of a clock that never goes back, for durations. As `Instant`, without the cost of
/// a type that can be subtracted in any order: it is read after every command.
#[inline]
pub fn steady_ns() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    (now.tv_sec as u64).wrapping_mul(1_000_000_000).wrapping_add(now.tv_nsec as u64)
}

impl Node {
    /// The index a reply executed now must wait for.
    #[inline]
    pub fn journal_end(&self) -> u64 {
        self.store.as_ref().map_or(0, |store| store.journal.end())
    }

    /// Whether what was journaled up to `index` may be shown to clients.
    #[inline]
    pub fn is_released(&self, index: u64) -> bool {
        self.store.as_ref().is_none_or(|store| store.journal.released() >= index)
    }

    /// Begins an orderly stop of the process.
    pub fn shut_down(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        self.stop.notify_waiters();
        self.stop.notify_one();
    }
}
