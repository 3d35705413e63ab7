//! Mostly reads, mostly writes, or neither: judged on the usual load, with hysteresis (R58, X19).

use super::config::ClassRules;
use super::observation::ShardObservation;
use super::state::LoadClass;

/// The class after `before`, by what came in the class window; unchanged if nothing came.
pub(super) fn class(rules: &ClassRules, before: LoadClass, seen: &ShardObservation) -> LoadClass {
    let (reads, writes) = (seen.reads.usual.offered(), seen.writes.usual.offered());
    let total = reads.saturating_add(writes);
    if total == 0 {
        return before;
    }
    let share = |class, part| {
        let bound = if before == class { rules.class_leave } else { rules.class_enter };
        bound.is_reached_by(part, total)
    };
    if share(LoadClass::Read, reads) {
        LoadClass::Read
    } else if share(LoadClass::Write, writes) {
        LoadClass::Write
    } else {
        LoadClass::Balanced
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autoscaler::config::Config;

    fn judged(before: LoadClass, reads: u64) -> LoadClass {
        let mut seen = ShardObservation::default();
        seen.reads.usual.n = reads;
        seen.writes.usual.n = 1000 - reads;
        class(&Config::predictive().class, before, &seen)
    }

    #[test]
    fn eighty_percent_enter_and_seventy_five_leave() {
        use LoadClass::{Balanced, Read, Write};
        assert_eq!((judged(Balanced, 800), judged(Balanced, 799)), (Read, Balanced));
        assert_eq!((judged(Read, 750), judged(Read, 749)), (Read, Balanced));
        assert_eq!((judged(Balanced, 200), judged(Balanced, 201)), (Write, Balanced));
        assert_eq!((judged(Write, 250), judged(Write, 251)), (Write, Balanced));
        assert_eq!(judged(Write, 800), Read);
    }
}
