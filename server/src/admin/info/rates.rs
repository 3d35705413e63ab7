//! Commands and bytes per second, over the last second or two.
//!
//! The first core takes a sample every 100 ms, whether or not anybody asks; the rate is that between
//! the newest sample and the oldest one kept.

use crate::node::Node;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::atomic::Ordering;

const INTERVAL_MS: i64 = 100;
/// Older samples go, as long as one stays to compare with.
const KEEP_MS: i64 = 1500;
const SAMPLES: usize = 16;

#[derive(Clone, Copy, Default, Debug)]
struct Sample {
    at_ms: i64,
    commands: u64,
    net_in: u64,
    net_out: u64,
}

/// Per second.
#[derive(Clone, Copy, Default, Debug, PartialEq)]
pub struct Rates {
    pub commands: u64,
    pub net_in: u64,
    pub net_out: u64,
}

/// The samples of a node.
#[derive(Default)]
pub struct Samples(Mutex<VecDeque<Sample>>);

impl Samples {
    /// Takes a sample unless the last one is too young. `now`: ms since the epoch.
    pub fn take(&self, node: &Node, now: i64) {
        let mut ring = self.0.lock();
        if ring.back().is_some_and(|last| now < last.at_ms) {
            // The clock was set back.
            ring.clear();
        }
        if ring.back().is_some_and(|last| now - last.at_ms < INTERVAL_MS) {
            return;
        }
        let sample = Sample {
            at_ms: now,
            commands: node.measures.calls(),
            net_in: node.counters.net_in.load(Ordering::Relaxed),
            net_out: node.counters.net_out.load(Ordering::Relaxed),
        };
        add(&mut ring, sample);
    }

    pub fn rates(&self) -> Rates {
        rates(&self.0.lock())
    }
}

fn add(ring: &mut VecDeque<Sample>, sample: Sample) {
    let is_old = |next: &Sample| sample.at_ms - next.at_ms >= KEEP_MS;
    while ring.len() >= SAMPLES || ring.get(1).is_some_and(is_old) {
        ring.pop_front();
    }
    ring.push_back(sample);
}

fn rates(ring: &VecDeque<Sample>) -> Rates {
    let (Some(first), Some(last)) = (ring.front(), ring.back()) else { return Rates::default() };
    let ms = (last.at_ms - first.at_ms).max(0) as u64;
    // CONFIG RESETSTAT lets counters begin again.
    let rate = |from: u64, to: u64| {
        to.saturating_sub(from).saturating_mul(1000).checked_div(ms).unwrap_or(0)
    };
    Rates {
        commands: rate(first.commands, last.commands),
        net_in: rate(first.net_in, last.net_in),
        net_out: rate(first.net_out, last.net_out),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_per_second_and_never_below_zero() {
        let first = Sample { at_ms: 1_000, commands: 10, net_in: 5_000, net_out: 0 };
        let last = Sample { at_ms: 1_500, commands: 60, net_in: 0, net_out: 100 };
        let expected = Rates { commands: 100, net_in: 0, net_out: 200 };
        assert_eq!(rates(&VecDeque::from([first, last])), expected);
        assert_eq!(rates(&VecDeque::from([first])), Rates::default());
        assert_eq!(rates(&VecDeque::new()), Rates::default());
    }

    #[test]
    fn rates_follow_what_happens_now() {
        let mut ring = VecDeque::new();
        for second in 0..10 {
            let commands = if second < 5 { 0 } else { (second - 5) * 100 };
            let at_ms = second as i64 * 1000;
            add(&mut ring, Sample { at_ms, commands, ..Sample::default() });
        }
        assert_eq!((rates(&ring).commands, ring.len()), (100, 3));
        for tenth in 0..50 {
            add(&mut ring, Sample { at_ms: 9_100 + tenth * 100, ..Sample::default() });
        }
        assert_eq!(ring.len(), SAMPLES);
    }
}
