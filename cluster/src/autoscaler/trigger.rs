//! Whether something must grow, and what: R30, R32, predicted utilisation. Every figure that was
//! looked at is kept with its threshold.

use super::config::Triggers;
use super::explain::{Comparison, Figure, Metric, Relation, Rule};
use super::load::View;
use super::observation::Aggregate;
use super::state::LoadClass;
use super::{Seconds, Share, TimeMs};

/// What is too slow or too busy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Cause {
    Reads,
    Writes,
    Both,
}

/// What the rules for growing say.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Trigger {
    /// The first rule that fired, and for what.
    pub fired: Option<(Rule, Cause)>,
    /// The forecast is among what fired: one odd cell does not move it.
    pub steady: bool,
    /// The rule that would have fired with more samples.
    pub too_few: bool,
    pub comparisons: Vec<Comparison>,
}

/// Applies all rules for growing.
pub(super) fn up(view: &View<'_>) -> Trigger {
    let t = &view.config.trigger;
    let (reads, writes) = (view.seen.reads, view.seen.writes);
    let mut fired: Vec<(Rule, Cause, Comparison)> = Vec::new();
    let mut quiet = Vec::new();
    let mut too_few = false;

    let all = reads.up + writes.up;
    let full = view.predictive() || is_full(view, t.up_average_window);
    let enough = full && all.offered() >= t.min_samples;
    let compare = |a: Aggregate, metric| {
        average(t, a, metric, Relation::AtLeast, t.up_average_us, t.up_average_window)
    };
    let metric =
        if slower(t, reads.up, writes.up) { Metric::ReadAverage } else { Metric::WriteAverage };
    let mut averages = vec![compare(all, metric)];
    if view.predictive() {
        let own = [(reads.up, Metric::ReadAverage), (writes.up, Metric::WriteAverage)];
        let counted = own.into_iter().filter(|(a, _)| a.offered() >= t.min_samples);
        averages.extend(counted.map(|(a, m)| compare(a, m)));
    }
    let slow = |m: Metric| averages.iter().any(|c| c.holds && c.metric == m);
    let cause = cause(slow(Metric::ReadAverage), slow(Metric::WriteAverage));
    for comparison in averages {
        match (comparison.holds, enough, cause) {
            (true, true, Some(cause)) => fired.push((Rule::AverageUp, cause, comparison)),
            (holds, ..) => {
                too_few |= holds;
                quiet.push(comparison);
            }
        }
    }

    let windows = reads.timeouts + writes.timeouts;
    let exceeded = t.up_timeout.is_exceeded_by(windows.failed(), windows.offered());
    let comparison = Comparison {
        metric: Metric::Timeouts,
        value: Figure::Share(Share::of(windows.failed(), windows.offered())),
        relation: Relation::Above,
        threshold: Figure::Share(t.up_timeout),
        window: Some(t.up_timeout_window),
        holds: exceeded,
    };
    if exceeded && windows.offered() >= t.min_samples {
        let share = |a: Aggregate| Share::of(a.failed(), a.offered());
        let by_reads = share(reads.timeouts) >= share(writes.timeouts);
        let cause = if by_reads { Cause::Reads } else { Cause::Writes };
        fired.push((Rule::TimeoutsUp, cause, comparison));
    } else {
        too_few |= exceeded;
        quiet.push(comparison);
    }

    if let Some(busy) = view.utilisation_now(view.coming()).filter(|_| view.predictive()) {
        let bound = view.config.forecast.up_utilisation;
        let of = |busy: f64| {
            let value = Figure::Share(Share::from_f64(busy));
            let window = Some(view.config.forecast.lookahead);
            Comparison::new(
                Metric::ForecastUtilisation,
                value,
                Relation::Above,
                Figure::Share(bound),
                window,
            )
        };
        let (r, w) = (of(busy.reads), of(busy.writes));
        let highest = if r.value >= w.value { r } else { w };
        match cause_of(r.holds, w.holds) {
            Some(cause) => fired.push((Rule::UtilisationUp, cause, highest)),
            None => quiet.push(highest),
        }
    }
    let steady = fired.iter().any(|(rule, ..)| *rule == Rule::UtilisationUp);
    let first = fired.first().map(|(rule, cause, _)| (*rule, *cause));
    let comparisons = fired.into_iter().map(|f| f.2).chain(quiet).collect();
    Trigger {
        fired: first.map(|(rule, cause)| (rule, by_class(view, cause))),
        steady,
        too_few,
        comparisons,
    }
}

fn cause_of(reads: bool, writes: bool) -> Option<Cause> {
    match (reads, writes) {
        (true, true) => Some(Cause::Both),
        (true, false) => Some(Cause::Reads),
        (false, true) => Some(Cause::Writes),
        (false, false) => None,
    }
}

fn cause(reads: bool, writes: bool) -> Option<Cause> {
    cause_of(reads, writes)
}

/// The article looks at the class of the load and only for a balanced one at what is slow (X19).
fn by_class(view: &View<'_>, cause: Cause) -> Cause {
    match view.memory.class {
        LoadClass::Read if !view.predictive() => Cause::Reads,
        LoadClass::Write if !view.predictive() => Cause::Writes,
        _ => cause,
    }
}

fn slower(t: &Triggers, reads: Aggregate, writes: Aggregate) -> bool {
    reads.average_us(t.timeout_us).unwrap_or(0) >= writes.average_us(t.timeout_us).unwrap_or(0)
}

/// Whether a whole window has passed since the last action (X9).
fn is_full(view: &View<'_>, window: Seconds) -> bool {
    let known = view.config.trigger.up_average_window.min(window);
    let rested = |at: TimeMs| view.now.is_past(at, window);
    view.seen.reads.filled_ms.max(view.seen.writes.filled_ms) >= known.ms()
        && view.memory.last_completed.is_none_or(rested)
}

fn average(
    t: &Triggers,
    a: Aggregate,
    metric: Metric,
    relation: Relation,
    bound: u64,
    window: Seconds,
) -> Comparison {
    let value = Figure::Micros(a.average_us(t.timeout_us).unwrap_or(0));
    Comparison::new(metric, value, relation, Figure::Micros(bound), Some(window))
}

/// What must be so before anything shrinks: response times low, nothing timed out or shed (R31, I8).
/// All of it must hold.
pub(super) fn calm(view: &View<'_>) -> (bool, Vec<Comparison>) {
    let t = &view.config.trigger;
    let (reads, writes) = (view.seen.reads, view.seen.writes);
    let below = |a, m| average(t, a, m, Relation::Below, t.down_average_us, t.down_average_window);
    let all = reads.down + writes.down;
    let slower =
        if slower(t, reads.down, writes.down) { Metric::ReadAverage } else { Metric::WriteAverage };
    let mut comparisons = vec![below(all, slower)];
    if view.predictive() {
        comparisons.push(below(reads.down, Metric::ReadAverage));
        comparisons.push(below(writes.down, Metric::WriteAverage));
    }
    let windows = [reads.down, writes.down, reads.timeouts, writes.timeouts, reads.up, writes.up];
    let failed = windows.iter().map(Aggregate::failed).fold(0, u64::saturating_add);
    comparisons.push(Comparison::new(
        Metric::Timeouts,
        Figure::Count(failed),
        Relation::AtMost,
        Figure::Count(0),
        Some(t.down_average_window.max(t.up_timeout_window)),
    ));
    let full = view.predictive() || is_full(view, t.down_average_window);
    (full && comparisons.iter().all(|c| c.holds), comparisons)
}
