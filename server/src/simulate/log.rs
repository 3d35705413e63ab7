//! What a cluster did and what its operators were told, one line each.

use cluster::autoscaler::TimeMs;
use cluster::plan::Step;
use cluster::simulator::Tick;

/// The lines of a tick: events as JSON, actions as text.
pub fn log(tick: &Tick) -> String {
    let told = tick.told.iter().map(|event| {
        let kind = serde_json::to_string(&event.kind).unwrap_or_default();
        (event.time, format!("told {kind}"))
    });
    let done = tick.done.iter().map(|(at, action)| (*at, Step(action).to_string()));
    let mut lines: Vec<(TimeMs, String)> = told.chain(done).collect();
    lines.sort_by_key(|(at, _)| *at);
    lines.iter().map(|(at, text)| format!("{} {text}\n", time(*at))).collect()
}

/// Days, hours, minutes, seconds.
fn time(at: TimeMs) -> String {
    let seconds = at.0 / 1000;
    let (day, hour) = (seconds / 86_400, seconds / 3600 % 24);
    format!("{day}d {hour:02}:{:02}:{:02}", seconds / 60 % 60, seconds % 60)
}
