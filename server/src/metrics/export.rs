//! From a sample to the text of `/metrics`.

use super::sample::{CommandSample, Sample};
use super::table::{BUILD_INFO, COMMAND_ROWS, HISTOGRAM, KEYS, Kind, ROWS, Row};
use super::text;
use metrics::{Counter, Gauge, Key, Label, Level, Metadata, Recorder};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use parking_lot::Mutex;
use std::collections::HashMap;
use storage::record::DBS;

const METADATA: Metadata<'static> = Metadata::new("bowshock", Level::INFO, None);

/// All metrics of a process, registered when it is made; those of a command when it is first
/// called.
pub struct Metrics {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
    plain: Vec<(&'static Row, Held)>,
    keys: Vec<Gauge>,
    /// Behind one lock, so that two scrapes at once do not count twice.
    growing: Mutex<Growing>,
}

enum Held {
    Gauge(Gauge),
    /// Place in [`Growing::plain`].
    Growing(usize),
    /// Written as text.
    Seconds,
}

#[derive(Default)]
struct Growing {
    plain: Vec<Grown>,
    commands: HashMap<&'static str, Vec<Grown>>,
}

/// A counter that follows a number which may begin anew (CONFIG RESETSTAT): it grows by what the
/// number grew.
struct Grown {
    counter: Counter,
    last: u64,
}

impl Grown {
    fn follow(&mut self, now: u64) {
        self.counter.increment(now.checked_sub(self.last).unwrap_or(now));
        self.last = now;
    }
}

impl Metrics {
    /// `has_store`: there are a journal and a base on disk.
    pub fn new(has_store: bool) -> Metrics {
        let recorder = PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        let mut growing = Growing::default();
        let mut plain = Vec::new();
        for row in ROWS.iter().filter(|row| has_store || !row.of_store) {
            let key = Key::from_static_name(row.name);
            let held = match row.kind {
                Kind::Gauge => {
                    recorder.describe_gauge(row.name.into(), None, row.help.into());
                    Held::Gauge(recorder.register_gauge(&key, &METADATA))
                }
                Kind::Counter => {
                    recorder.describe_counter(row.name.into(), None, row.help.into());
                    let counter = recorder.register_counter(&key, &METADATA);
                    growing.plain.push(Grown { counter, last: 0 });
                    Held::Growing(growing.plain.len() - 1)
                }
                Kind::SecondsCounter => Held::Seconds,
            };
            plain.push((row, held));
        }
        for row in COMMAND_ROWS {
            recorder.describe_counter(row.name.into(), None, row.help.into());
        }
        let labelled = |(name, help): (&'static str, &'static str), label, value: String| {
            recorder.describe_gauge(name.into(), None, help.into());
            let key = Key::from_parts(name, vec![Label::new(label, value)]);
            recorder.register_gauge(&key, &METADATA)
        };
        labelled(BUILD_INFO, "version", env!("CARGO_PKG_VERSION").into()).set(1.0);
        let keys = (0..DBS).map(|db| labelled(KEYS, "db", db.to_string())).collect();
        Metrics { recorder, handle, plain, keys, growing: Mutex::new(growing) }
    }

    /// The text of one scrape.
    pub fn render(&self, sample: &Sample) -> String {
        let mut growing = self.growing.lock();
        let mut behind = String::new();
        for (row, held) in &self.plain {
            let value = (row.value)(sample);
            match held {
                Held::Gauge(gauge) => gauge.set(value),
                Held::Growing(place) => {
                    if let Some(grown) = growing.plain.get_mut(*place) {
                        grown.follow(value as u64);
                    }
                }
                Held::Seconds => text::seconds(&mut behind, row.name, row.help, value),
            }
        }
        for (gauge, keys) in self.keys.iter().zip(&sample.keys) {
            gauge.set(*keys as f64);
        }
        for command in &sample.commands {
            self.follow_command(&mut growing, command);
        }
        text::durations(&mut behind, HISTOGRAM.0, HISTOGRAM.1, &sample.commands);
        let mut text = self.handle.render();
        text.push_str(&behind);
        text
    }

    fn follow_command(&self, growing: &mut Growing, command: &CommandSample) {
        let register = || {
            let counter = |name: &'static str| {
                let key = Key::from_parts(name, vec![Label::new("command", command.name)]);
                Grown { counter: self.recorder.register_counter(&key, &METADATA), last: 0 }
            };
            COMMAND_ROWS.iter().map(|row| counter(row.name)).collect()
        };
        let grown = growing.commands.entry(command.name).or_insert_with(register);
        for (row, grown) in COMMAND_ROWS.iter().zip(grown) {
            grown.follow((row.value)(command));
        }
    }
}
