//! The built-in traces. Rates are chosen so that a level 1 node, which does 1000 reads a second,
//! is neither alone nor one of hundreds: the interesting part is in between.

use super::{Load, Trace};
use crate::simulator::model::TICK_S;

/// Nine of ten requests are reads.
const READS: f64 = 0.9;
/// Requests per second of one ordinary client.
const PER_CLIENT: f64 = 5.0;
const MINUTE: f64 = 60.0;
const HOUR: f64 = 3600.0;
const DAY: f64 = 86_400.0;

pub(super) fn built_in(name: &str) -> Option<Trace> {
    let trace = match name {
        "diurnal" => Trace::of(name, 7.0 * DAY, diurnal),
        "flash" => Trace::of(name, 5.0 * HOUR, flash),
        "dos" => dos(),
        "trend" => Trace::of(name, DAY, |t| ordinary(1000.0 + 11_000.0 * t / DAY)),
        "hotkey" => Trace::of(name, 4.0 * HOUR, hotkey),
        "square" => Trace::of(name, DAY, square),
        "constant" => Trace::of(name, 30.0 * DAY, |_| ordinary(5000.0)),
        "failures" => Trace { failures: true, ..Trace::of(name, 2.0 * DAY, |_| ordinary(5000.0)) },
        "zipf" => Trace { zipf: Some(0.99), ..Trace::of(name, 20.0 * HOUR, doubling) },
        "growth" => Trace { from_one: true, ..Trace::of(name, 37.0 * HOUR, growth) },
        _ => return None,
    };
    Some(trace)
}

impl Trace {
    /// `load` at each tick of `seconds`.
    pub(super) fn of(name: &str, seconds: f64, load: impl Fn(f64) -> Load) -> Self {
        let ticks = (seconds / f64::from(TICK_S)) as usize;
        let loads = (0..ticks).map(|tick| load(tick as f64 * f64::from(TICK_S))).collect();
        let name = name.to_owned();
        Self { name, loads, calm: None, zipf: None, failures: false, from_one: false }
    }
}

/// `rate` requests per second of many equal clients.
fn ordinary(rate: f64) -> Load {
    mixed(rate, READS)
}

fn mixed(rate: f64, reads: f64) -> Load {
    let clients = (rate / PER_CLIENT).max(1.0);
    let (reads, writes) = (rate * reads, rate * (1.0 - reads));
    Load { reads, writes, clients, busiest: 1.0 / clients, hot: 0.0 }
}

/// 9000 a second on a working day's afternoon, an eighth of it at four in the morning, 60 % at the
/// week's end. Method (g) leaves the shape open but for what always serving the peak costs, near 2.4
/// times the oracle: depth and width of the nights are chosen with that in mind (it is 2.36).
fn diurnal(t: f64) -> Load {
    let hour = t % DAY / HOUR;
    let wave = 0.5 - 0.5 * ((hour - 4.0) / 24.0 * std::f64::consts::TAU).cos();
    let day = if t / DAY >= 5.0 { 0.6 } else { 1.0 };
    ordinary(10000.0 * day * (0.1 + 0.9 * wave * wave))
}

/// 3000 a second; after an hour three times as many within ten minutes, for an hour, and back.
fn flash(t: f64) -> Load {
    let rising = (t - HOUR) / (10.0 * MINUTE);
    let falling = (t - 2.0 * HOUR - 10.0 * MINUTE) / (10.0 * MINUTE);
    ordinary(3000.0 * (1.0 + 2.0 * (rising.clamp(0.0, 1.0) - falling.clamp(0.0, 1.0))))
}

/// 6000 a second, ten times as many for ten minutes after two hours: the rest comes from 20 hosts.
fn dos() -> Trace {
    let attack = |t: f64| {
        let mut load = ordinary(6000.0);
        if (2.0 * HOUR..2.0 * HOUR + 10.0 * MINUTE).contains(&t) {
            load = Load { clients: load.clients + 20.0, busiest: 0.045, ..load.times(10.0) };
        }
        load
    };
    let calm = Trace::of("dos", 5.0 * HOUR, |_| ordinary(6000.0)).loads;
    Trace { calm: Some(calm), ..Trace::of("dos", 5.0 * HOUR, attack) }
}

/// 4000 a second; in the second hour half as many come on top, all for one key.
fn hotkey(t: f64) -> Load {
    let hot = (HOUR..2.0 * HOUR).contains(&t);
    Load { hot: if hot { 0.6 } else { 0.0 }, ..ordinary(if hot { 6000.0 } else { 4000.0 }) }
}

fn square(t: f64) -> Load {
    ordinary(if t % (4.0 * HOUR) < 2.0 * HOUR { 3000.0 } else { 6000.0 })
}

/// 2500 a second, doubled every five hours: one shard becomes two, four, eight. A shard that needs more
/// Replicas than it should have is divided for that after two hours, so each load has come to rest
/// before the next.
fn doubling(t: f64) -> Load {
    ordinary(2500.0 * 2.0_f64.powf((t / (5.0 * HOUR)).floor()))
}

/// From 300 a second to 2.2 million and back, by the same factor every hour: 18 hours each way, one
/// at the top. A third are writes, so that it takes many shards and not only many Replicas.
fn growth(t: f64) -> Load {
    let (up, top) = (18.0 * HOUR, 19.0 * HOUR);
    let height = if t < top { (t / up).min(1.0) } else { (1.0 - (t - top) / up).max(0.0) };
    mixed(300.0 * (2_200_000.0_f64 / 300.0).powf(height), 0.67)
}
