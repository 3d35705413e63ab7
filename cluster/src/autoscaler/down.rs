//! How a shard shrinks: the newest Replica, then a smaller Writer, then below Mach IV (X20). Merging
//! is between the first and the second and looks at pairs: see `merge`.

use super::capacity::Utilisation;
use super::explain::{Comparison, Figure, Metric, Relation};
use super::load::View;
use super::{Choice, Share};

/// What could go, and how busy the others would be; none if nothing may go.
pub(super) fn shrink(
    view: &View<'_>,
    shards: usize,
    least: u32,
) -> Option<(Choice, Vec<Comparison>)> {
    let mach = view.mach();
    if mach > least.max(4) {
        return Some(smaller(view, mach - 1));
    }
    let (levels, level) = (&view.config.levels, view.writer_level());
    if level > levels.min_level {
        let to = level.down(levels.level_step).max(levels.min_level);
        let after = view.steady().and_then(|load| view.utilisation(load, mach, to));
        return Some((Choice::LowerLevel { to }, busy(view, after)));
    }
    (shards == 1 && mach > least).then(|| smaller(view, mach - 1))
}

fn smaller(view: &View<'_>, mach: u32) -> (Choice, Vec<Comparison>) {
    let after = view.steady().and_then(|load| view.utilisation(load, mach, view.writer_level()));
    (Choice::Shrink, busy(view, after))
}

/// In mode article nothing is predicted. Without known costs, or before `down-utilisation-window` of
/// load is known, nothing shrinks that serves.
fn busy(view: &View<'_>, after: Option<Utilisation>) -> Vec<Comparison> {
    if !view.predictive() {
        return Vec::new();
    }
    let quiet = view.steady().is_some_and(|load| load.reads + load.writes <= 0.0);
    let after = match after {
        Some(after) => after.highest(),
        None if quiet => 0.0,
        None => 1.0,
    };
    vec![at_most(view, after)]
}

/// The comparison with what may be at most after something went.
pub(super) fn at_most(view: &View<'_>, after: f64) -> Comparison {
    let f = &view.config.forecast;
    let value = Figure::Share(Share::from_f64(after));
    let bound = Figure::Share(f.down_utilisation);
    let window = Some(f.down_utilisation_window);
    Comparison::new(Metric::UtilisationAfter, value, Relation::AtMost, bound, window)
}
