//! The latency monitor: for each kind of event, when it was slow and by how much.
//!
//! The last 160 samples of an event are kept; of one second only the worst.

use std::collections::{BTreeMap, VecDeque};

const SAMPLES: usize = 160;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Seconds since the epoch.
    pub at_s: i64,
    pub ms: u64,
}

/// The samples of one event.
#[derive(Default, Clone, Debug)]
pub struct Event {
    /// Oldest first.
    pub samples: VecDeque<Sample>,
    /// The worst of all time, milliseconds.
    pub max_ms: u64,
}

#[derive(Default)]
pub struct Latency {
    events: BTreeMap<&'static str, Event>,
}

impl Latency {
    /// `event` took `ms` milliseconds, at `now_s` seconds since the epoch.
    pub fn note(&mut self, event: &'static str, ms: u64, now_s: i64) {
        let event = self.events.entry(event).or_default();
        event.max_ms = event.max_ms.max(ms);
        if let Some(last) = event.samples.back_mut().filter(|last| last.at_s == now_s) {
            last.ms = last.ms.max(ms);
            return;
        }
        if event.samples.len() == SAMPLES {
            event.samples.pop_front();
        }
        event.samples.push_back(Sample { at_s: now_s, ms });
    }

    /// All events that have samples.
    pub fn events(&self) -> impl ExactSizeIterator<Item = (&'static str, &Event)> {
        self.events.iter().map(|(name, event)| (*name, event))
    }

    pub fn event(&self, name: &[u8]) -> Option<(&'static str, &Event)> {
        self.events().find(|(known, _)| known.as_bytes() == name)
    }

    /// Forgets one event; whether there was one.
    pub fn forget(&mut self, name: &[u8]) -> bool {
        let before = self.events.len();
        self.events.retain(|known, _| known.as_bytes() != name);
        self.events.len() < before
    }

    /// Forgets all events and returns how many there were.
    pub fn clear(&mut self) -> usize {
        std::mem::take(&mut self.events).len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_keeps_its_worst_and_an_event_its_last_160() {
        let mut latency = Latency::default();
        latency.note("command", 5, 1);
        latency.note("command", 9, 1);
        latency.note("command", 7, 1);
        let (_, event) = latency.event(b"command").unwrap();
        assert_eq!(event.samples, [Sample { at_s: 1, ms: 9 }]);
        for at_s in 2..=200 {
            latency.note("command", 1, at_s);
        }
        let (_, event) = latency.event(b"command").unwrap();
        assert_eq!((event.samples.len(), event.max_ms), (160, 9));
        assert_eq!(event.samples[0].at_s, 41);
        latency.note("expire-cycle", 1, 1);
        assert!(latency.forget(b"command") && !latency.forget(b"command"));
        assert_eq!(latency.clear(), 1);
        assert_eq!(latency.events().len(), 0);
    }
}
