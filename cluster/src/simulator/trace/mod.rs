//! What clients send, over time.

mod csv;
mod shapes;

pub use csv::{PlanError, TraceError, parse_plan};

use super::model::TICK_S;

/// What comes in one tick, before noise.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Load {
    /// Reads per second.
    pub reads: f64,
    /// Writes per second.
    pub writes: f64,
    /// Client addresses.
    pub clients: f64,
    /// Share of the requests that come from the busiest client.
    pub busiest: f64,
    /// Share of the requests that go to one bucket, beside its part of the rest.
    pub hot: f64,
}

/// A trace: one [`Load`] per tick.
#[derive(Clone, PartialEq, Debug)]
pub struct Trace {
    /// Its name.
    pub name: String,
    /// By tick.
    pub loads: Vec<Load>,
    /// The same without the attack, where there is one: what the load would have cost anyway.
    pub calm: Option<Vec<Load>>,
    /// Exponent of the Zipf distribution of load over buckets; none: even.
    pub zipf: Option<f64>,
    /// Whether nodes fail and operators are unreliable.
    pub failures: bool,
    /// Whether clusters start as one node; else they start fit for the first tick.
    pub from_one: bool,
}

impl Load {
    /// Reads and writes per second.
    pub fn rate(&self) -> f64 {
        self.reads + self.writes
    }

    /// The same mix, `factor` times as much.
    #[must_use]
    pub fn times(self, factor: f64) -> Self {
        Self { reads: self.reads * factor, writes: self.writes * factor, ..self }
    }
}

impl Trace {
    /// The built-in ones, with what they are.
    pub const BUILT_IN: &[(&str, &str)] = &[
        ("diurnal", "a week of days and nights, quieter at its end"),
        ("flash", "a crowd: 3x within 10 min, for an hour"),
        ("dos", "an attack: 10x at once, for 10 min, from few clients"),
        ("trend", "12x within a day"),
        ("hotkey", "one key takes 60 % of the requests for an hour"),
        ("square", "twice as much every other two hours, a day"),
        ("constant", "the same for 30 days"),
        ("failures", "the same for two days; nodes fail, operators are late, double or silent"),
        ("zipf", "2x every five hours, load over buckets by Zipf 0.99 (shard balance)"),
        ("growth", "from one node's load to a thousand shards' and back"),
    ];

    /// The built-in trace of that name.
    pub fn built_in(name: &str) -> Option<Self> {
        shapes::built_in(name)
    }

    /// Cut (or held at its last value) to `minutes`.
    #[must_use]
    pub fn cut(mut self, minutes: u32) -> Self {
        let ticks = minutes as usize * 60 / TICK_S as usize;
        for loads in [Some(&mut self.loads), self.calm.as_mut()].into_iter().flatten() {
            let last = loads.last().copied().unwrap_or_default();
            loads.resize(ticks, last);
        }
        self
    }

    /// The same without its attack, if it has one.
    pub fn without_attack(&self) -> Option<Self> {
        let loads = self.calm.clone()?;
        Some(Self { loads, calm: None, ..self.clone() })
    }

    /// Hours it lasts.
    pub fn hours(&self) -> f64 {
        self.loads.len() as f64 * f64::from(TICK_S) / 3600.0
    }
}
