//! The configuration that commands and eviction look at, as one small copy per core.

use crate::bucket::Tag;
use crate::objects::Thresholds;

/// `maxmemory-policy`, by Redis's names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Policy {
    NoEviction,
    AllKeysLru,
    AllKeysLfu,
    AllKeysRandom,
    VolatileLru,
    VolatileLfu,
    VolatileRandom,
    VolatileTtl,
}

impl Policy {
    pub const NAMES: [(Policy, &str); 8] = [
        (Policy::VolatileLru, "volatile-lru"),
        (Policy::VolatileLfu, "volatile-lfu"),
        (Policy::VolatileRandom, "volatile-random"),
        (Policy::VolatileTtl, "volatile-ttl"),
        (Policy::AllKeysLru, "allkeys-lru"),
        (Policy::AllKeysLfu, "allkeys-lfu"),
        (Policy::AllKeysRandom, "allkeys-random"),
        (Policy::NoEviction, "noeviction"),
    ];

    pub fn parse(name: &str) -> Option<Policy> {
        let found = Policy::NAMES.iter().find(|(_, known)| known.eq_ignore_ascii_case(name));
        found.map(|(policy, _)| *policy)
    }

    pub fn name(self) -> &'static str {
        Policy::NAMES.iter().find(|(policy, _)| *policy == self).map_or("", |(_, name)| name)
    }

    pub fn is_lfu(self) -> bool {
        matches!(self, Policy::AllKeysLfu | Policy::VolatileLfu)
    }

    /// Only keys with a deadline may go.
    pub fn is_volatile(self) -> bool {
        matches!(
            self,
            Policy::VolatileLru
                | Policy::VolatileLfu
                | Policy::VolatileRandom
                | Policy::VolatileTtl
        )
    }
}

#[derive(Clone, Copy, Debug)]
pub struct Settings {
    pub thresholds: Thresholds,
    /// Bytes; 0: no limit.
    pub maxmemory: u64,
    pub policy: Policy,
    /// `maxmemory-samples`
    pub samples: usize,
    pub lfu_log_factor: u32,
    pub lfu_decay_minutes: u32,
    /// `notify-keyspace-events`: of `notify`'s classes.
    pub notify: u32,
    /// `proto-max-bulk-len`, bytes
    pub bulk_len_max: usize,
    /// DEBUG SET-ACTIVE-EXPIRE
    pub active_expire: bool,
    /// `--buckets`, fixed with the directory
    pub buckets: u16,
    /// `bucket-tag`, fixed with the directory
    pub tag: Tag,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            thresholds: Thresholds::default(),
            maxmemory: 0,
            policy: Policy::NoEviction,
            samples: 5,
            lfu_log_factor: 10,
            lfu_decay_minutes: 1,
            notify: 0,
            bulk_len_max: 512 << 20,
            active_expire: true,
            buckets: 1000,
            tag: Tag::default(),
        }
    }
}
