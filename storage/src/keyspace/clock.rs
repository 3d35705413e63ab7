//! Redis's LRU and LFU clocks: 24 bits per object.
//!
//! LRU holds the second of the last access, modulo 2^24. LFU holds the minute of the last decay,
//! modulo 2^16, and a logarithmic counter of 8 bits that new keys begin at 5 (Redis documentation,
//! "Key eviction").

use super::entry::{CLOCK_END, Entry};
use super::settings::Settings;

const LFU_START: u32 = 5;

/// The LRU clock at `now` (ms).
pub fn lru(now: i64) -> u32 {
    (now / 1000) as u32 & (CLOCK_END - 1)
}

fn minutes(now: i64) -> u32 {
    (now / 60_000) as u32 & 0xffff
}

/// The clock word of a new object.
#[inline]
pub fn start(settings: &Settings, now: i64) -> u32 {
    if settings.policy.is_lfu() { minutes(now) << 8 | LFU_START } else { lru(now) }
}

/// The LFU counter after its decay until `now`.
pub fn frequency(entry: &Entry, settings: &Settings, now: i64) -> u32 {
    let (minute, counter) = (entry.clock() >> 8, entry.clock() & 0xff);
    let passed = minutes(now).wrapping_sub(minute) & 0xffff;
    match settings.lfu_decay_minutes {
        0 => counter,
        period => counter.saturating_sub(passed / period),
    }
}

/// Seconds since the last access, under an LRU policy.
pub fn idle_seconds(entry: &Entry, now: i64) -> u32 {
    lru(now).wrapping_sub(entry.clock()) & (CLOCK_END - 1)
}

/// Notes an access. `draw` is a uniformly random number.
#[inline]
pub fn touch(entry: &mut Entry, settings: &Settings, now: i64, draw: impl FnOnce() -> u32) {
    if !settings.policy.is_lfu() {
        let clock = lru(now);
        if entry.clock() != clock {
            entry.set_clock(clock);
        }
        entry.used_again();
        return;
    }
    let mut counter = frequency(entry, settings, now);
    if counter < 255 {
        let above = counter.saturating_sub(LFU_START);
        let chance = u32::MAX / (above.saturating_mul(settings.lfu_log_factor).saturating_add(1));
        counter += u32::from(draw() < chance);
    }
    entry.set_clock(minutes(now) << 8 | counter);
}
