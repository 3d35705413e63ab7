//! The configuration of a running process, shared by all cores.
//!
//! One cell per key: numbers are atomics, so that what the hot path asks is one load; texts stand
//! behind a lock that only CONFIG and the start take. Sets come one at a time, and all values of
//! one set are checked before the first is stored.

use super::kind::{AUTO, Kind, Value, digest};
use super::sources::Values;
use super::start::{BaseKind, Start};
use super::table::{KEYS, POLICIES, place};
use cluster::journal::Sync;
use parking_lot::{Mutex, MutexGuard, RwLock};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use storage::keyspace::{Policy, Settings, notify};
use subtle::ConstantTimeEq;

const REQUIREPASS: usize = place("requirepass");

pub struct Config {
    start: Start,
    numbers: Vec<AtomicI64>,
    texts: RwLock<Vec<String>>,
    password: RwLock<Option<[u8; 32]>>,
    has_password: AtomicBool,
    /// The file of `--config`.
    file: Option<PathBuf>,
    changing: Mutex<()>,
}

impl Config {
    pub fn new(values: &Values, file: Option<PathBuf>) -> Config {
        let config = Config {
            start: Start::new(values),
            numbers: KEYS.iter().map(|_| AtomicI64::new(0)).collect(),
            texts: RwLock::new(vec![String::new(); KEYS.len()]),
            password: RwLock::new(None),
            has_password: AtomicBool::new(false),
            file,
            changing: Mutex::new(()),
        };
        (0..KEYS.len()).for_each(|place| config.store(place, values.get(place)));
        config
    }

    /// What cannot change while it runs.
    pub fn start(&self) -> &Start {
        &self.start
    }

    /// The file of `--config`, absolute.
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    #[inline]
    fn number(&self, place: usize) -> i64 {
        self.numbers.get(place).map_or(0, |number| number.load(Ordering::Relaxed))
    }

    /// For numbers whose range has no negative ones.
    #[inline]
    fn amount(&self, place: usize) -> usize {
        usize::try_from(self.number(place)).unwrap_or(0)
    }

    #[inline]
    fn long(&self, place: usize) -> u64 {
        u64::try_from(self.number(place)).unwrap_or(0)
    }

    fn is_yes(&self, place: usize) -> bool {
        self.number(place) == 1
    }

    /// The present value of a key.
    pub fn value(&self, place: usize) -> Value {
        match KEYS.get(place).map(|row| row.kind) {
            Some(Kind::Text { .. } | Kind::Secret) => {
                Value::Text(self.texts.read().get(place).cloned().unwrap_or_default())
            }
            _ => Value::Number(self.number(place)),
        }
    }

    /// The present value of a key, as CONFIG GET shows it.
    pub fn print(&self, place: usize) -> String {
        KEYS.get(place).map_or_else(String::new, |row| row.kind.print(&self.value(place)))
    }

    /// Held while a checked set is stored and applied.
    pub fn changing(&self) -> MutexGuard<'_, ()> {
        self.changing.lock()
    }

    /// Stores a checked value.
    pub fn store(&self, place: usize, value: &Value) {
        if let Some(number) = self.numbers.get(place) {
            number.store(value.number(), Ordering::Relaxed);
        }
        if let Some(text) = self.texts.write().get_mut(place) {
            value.text().clone_into(text);
        }
        if place == REQUIREPASS {
            let hash = digest(value.text());
            *self.password.write() = hash;
            self.has_password.store(hash.is_some(), Ordering::Release);
        }
    }

    #[inline]
    pub fn requires_password(&self) -> bool {
        self.has_password.load(Ordering::Acquire)
    }

    /// Whether this is the password, in time that does not depend on it. Without a password
    /// everything is.
    pub fn accepts(&self, password: &[u8]) -> bool {
        let given = Sha256::digest(password);
        self.password.read().is_none_or(|kept| bool::from(kept.ct_eq(given.as_slice())))
    }

    /// Only clients on this host may connect.
    pub fn protects(&self) -> bool {
        self.is_yes(const { place("protected-mode") }) && !self.requires_password()
    }

    pub fn maxclients(&self) -> usize {
        self.amount(const { place("maxclients") })
    }

    /// Bytes.
    pub fn query_buffer_limit(&self) -> usize {
        self.amount(const { place("client-query-buffer-limit") })
    }

    /// Bytes; `usize::MAX` without a limit.
    pub fn pubsub_limit(&self) -> usize {
        match self.amount(const { place("pubsub-output-limit") }) {
            0 => usize::MAX,
            limit => limit,
        }
    }

    /// Bytes.
    pub fn unsent_pause(&self) -> usize {
        self.amount(const { place("unsent-pause") })
    }

    /// 0: idle clients stay.
    pub fn timeout_s(&self) -> u64 {
        self.long(const { place("timeout") })
    }

    pub fn partial_request_s(&self) -> u64 {
        self.long(const { place("partial-request-timeout") })
    }

    /// -1: nothing is noted, 0: everything.
    #[inline]
    pub fn slowlog_us(&self) -> i64 {
        self.number(const { place("slowlog-log-slower-than") })
    }

    pub fn slowlog_len(&self) -> usize {
        self.amount(const { place("slowlog-max-len") })
    }

    /// 0: nothing is noted.
    #[inline]
    pub fn latency_ms(&self) -> u64 {
        self.long(const { place("latency-monitor-threshold") })
    }

    pub fn appendfsync(&self) -> Sync {
        match self.print(const { place("appendfsync") }).as_str() {
            "always" => Sync::Always,
            "no" => Sync::No,
            _ => Sync::EverySec,
        }
    }

    /// Bytes.
    pub fn base_lag_max(&self) -> u64 {
        self.long(const { place("base-lag-max") })
    }

    /// Bytes.
    pub fn feed_bytes(&self) -> u64 {
        self.long(const { place("feed-bytes") })
    }

    /// Whether a client may use DEBUG.
    pub fn debug_allowed(&self, is_local: bool) -> bool {
        match self.print(const { place("enable-debug-command") }).as_str() {
            "yes" => true,
            "local" => is_local,
            _ => false,
        }
    }

    /// `maxmemory` in bytes, unless it is 0.
    pub fn maxmemory_chosen(&self) -> Option<u64> {
        Some(self.long(const { place("maxmemory") })).filter(|max| *max > 0)
    }

    /// The limit of memory in force, bytes; 0: none. With the base on disk there always is one: a
    /// share of what this process may use (C22).
    fn memory_limit(&self) -> u64 {
        let share = match self.start.base {
            BaseKind::Rocksdb => self.long(const { place("maxmemory-share") }),
            BaseKind::Memory => 0,
        };
        self.maxmemory_chosen().unwrap_or(self.start.memory_bytes / 100 * share)
    }

    /// Milliseconds.
    pub fn login_delay_max_ms(&self) -> i64 {
        self.number(const { place("login-delay-max") })
    }

    /// The keyspace's settings at the start.
    pub fn settings(&self) -> Settings {
        let mut settings = Settings {
            buckets: self.start.buckets,
            tag: self.start.bucket_tag,
            ..Settings::default()
        };
        self.apply_to(&mut settings);
        settings
    }

    /// Copies what CONFIG SET can change; the rest of the settings stays.
    pub fn apply_to(&self, settings: &mut Settings) {
        let amount = |place| self.amount(place);
        let small = |place| u32::try_from(self.number(place)).unwrap_or(u32::MAX);
        let thresholds = &mut settings.thresholds;
        thresholds.hash_entries = amount(const { place("hash-max-listpack-entries") });
        thresholds.hash_value = amount(const { place("hash-max-listpack-value") });
        thresholds.intset_entries = amount(const { place("set-max-intset-entries") });
        thresholds.zset_entries = amount(const { place("zset-max-listpack-entries") });
        thresholds.zset_value = amount(const { place("zset-max-listpack-value") });
        settings.maxmemory = self.memory_limit();
        let policy = POLICIES.get(amount(const { place("maxmemory-policy") }));
        settings.policy = policy.and_then(|name| Policy::parse(name)).unwrap_or(Policy::NoEviction);
        settings.samples = amount(const { place("maxmemory-samples") });
        settings.lfu_log_factor = small(const { place("lfu-log-factor") });
        settings.lfu_decay_minutes = small(const { place("lfu-decay-time") });
        let events = self.print(const { place("notify-keyspace-events") });
        settings.notify = notify::parse(&events).unwrap_or(0);
        settings.bulk_len_max = amount(const { place("proto-max-bulk-len") });
    }
}

/// `None` for `auto`.
pub(super) fn auto(number: i64) -> Option<u64> {
    if number == AUTO { None } else { u64::try_from(number).ok() }
}
