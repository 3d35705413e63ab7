//! Live keys per db and bucket: the steps of a feed, and the totals they lead to.

use std::collections::BTreeMap;

/// How a feed changes the totals. Most changes overwrite and cost nothing here.
#[derive(Default)]
pub(crate) struct Steps {
    /// Differences by bucket, for each db; the db used last comes first.
    dbs: Vec<(u32, Vec<i64>)>,
    /// Ranges that were emptied before the differences count: db, first and last bucket.
    cleared: Vec<(u32, u16, u16)>,
}

impl Steps {
    pub fn step(&mut self, db: u32, bucket: u16, by: i64) {
        let place = self.dbs.iter().position(|(known, _)| *known == db);
        let place = place.unwrap_or_else(|| {
            self.dbs.push((db, Vec::new()));
            self.dbs.len() - 1
        });
        self.dbs.swap(0, place);
        let Some((_, buckets)) = self.dbs.first_mut() else { return };
        let bucket = usize::from(bucket);
        if buckets.len() <= bucket {
            buckets.resize(bucket + 1, 0);
        }
        if let Some(difference) = buckets.get_mut(bucket) {
            *difference = difference.wrapping_add(by);
        }
    }

    pub fn clear(&mut self, db: u32, from: u16, to: u16) {
        for (_, buckets) in self.dbs.iter_mut().filter(|(known, _)| *known == db) {
            let range = buckets.iter_mut().skip(from.into()).take(usize::from(to - from) + 1);
            range.for_each(|difference| *difference = 0);
        }
        self.cleared.push((db, from, to));
    }

    /// The totals that change, as they are afterwards. One that would go below zero, which says
    /// that the journal deleted a key twice, stops at zero: `check` tells of the difference.
    pub fn apply(&self, totals: &Totals) -> Totals {
        let mut changed = Totals::new();
        for (db, from, to) in &self.cleared {
            let range = totals.range((*db, *from)..=(*db, *to));
            changed.extend(range.map(|(place, _)| (*place, 0)));
        }
        for (db, buckets) in &self.dbs {
            for (bucket, by) in buckets.iter().enumerate().filter(|(_, by)| **by != 0) {
                let place = (*db, bucket as u16);
                let before = changed.get(&place).or_else(|| totals.get(&place)).unwrap_or(&0);
                changed.insert(place, before.saturating_add_signed(*by));
            }
        }
        changed
    }
}

/// Live keys by `(db, bucket)`.
pub(crate) type Totals = BTreeMap<(u32, u16), u64>;

/// Enters changed totals; zeros leave the map.
pub(crate) fn enter(totals: &mut Totals, changed: Totals) {
    totals.extend(changed);
    totals.retain(|_, count| *count != 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clear_empties_what_came_before_it_only() {
        let mut totals = Totals::from([((0, 1), 5), ((0, 2), 6), ((1, 1), 7)]);
        let mut steps = Steps::default();
        steps.step(0, 1, 1);
        steps.step(1, 1, -1);
        steps.clear(0, 1, 1);
        steps.step(0, 1, 1);
        steps.step(0, 3, 1);
        let changed = steps.apply(&totals);
        assert_eq!(changed, Totals::from([((0, 1), 1), ((0, 3), 1), ((1, 1), 6)]));
        enter(&mut totals, changed);
        let expected = [((0, 1), 1), ((0, 2), 6), ((0, 3), 1), ((1, 1), 6)];
        assert_eq!(totals, Totals::from(expected));
        let mut steps = Steps::default();
        steps.clear(0, 0, u16::MAX);
        let changed = steps.apply(&totals);
        enter(&mut totals, changed);
        assert_eq!(totals, Totals::from([((1, 1), 6)]));
    }
}
