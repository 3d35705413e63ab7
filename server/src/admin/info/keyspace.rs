//! The databases that hold something.
//!
//! Keys are counted as they come and go. Keys with a deadline are counted per partition over all
//! databases, so only the smaller databases have to be walked to know those of each; the time to
//! live is the average of some.

use super::field;
use crate::session::Call;
use storage::keyspace::{PARTITIONS, Partition};
use storage::record::DBS;

/// Deadlines looked at for the average.
const SAMPLES: usize = 64;
/// Objects looked at in one partition for them.
const LOOKS: usize = 64;

#[derive(Default, Clone, Copy)]
struct Expiring {
    keys: usize,
    ttl_sum: i64,
    samples: usize,
}

pub fn databases(call: &mut Call<'_>, out: &mut String) {
    let mut all = [Expiring::default(); DBS];
    let now = call.core.turn.now;
    for number in 0..PARTITIONS as u16 {
        if let Some(own) = call.locked.as_deref().and_then(|locked| locked.get(number)) {
            count(own, now, &mut all);
        } else if call.locked.is_some() {
            // EXEC holds other partitions: waiting for one more could wait for ever.
            if let Some(partition) = call.node.space.try_partition(number) {
                count(&partition, now, &mut all);
            }
        } else {
            count(&call.node.space.partition(number), now, &mut all);
        }
    }
    for (db, expiring) in all.iter().enumerate() {
        let keys = call.node.space.len(db);
        if keys > 0 {
            let ttl = expiring.ttl_sum / expiring.samples.max(1) as i64;
            let line = format_args!("keys={keys},expires={},avg_ttl={ttl}", expiring.keys);
            field(out, &format!("db{db}"), line);
        }
    }
}

fn count(partition: &Partition, now: i64, all: &mut [Expiring; DBS]) {
    if partition.expiring == 0 {
        return;
    }
    let Some((biggest, _)) = partition.dbs().max_by_key(|(_, db)| db.table.len()) else { return };
    let mut left = partition.expiring;
    for (number, db) in partition.dbs() {
        let Some(expiring) = all.get_mut(number) else { continue };
        if number != biggest {
            let keys = db.table.iter().filter(|entry| entry.deadline().is_some()).count();
            expiring.keys += keys;
            left = left.saturating_sub(keys);
        }
        for deadline in db.table.iter().take(LOOKS).filter_map(|entry| entry.deadline()) {
            if expiring.samples < SAMPLES {
                expiring.samples += 1;
                expiring.ttl_sum = expiring.ttl_sum.saturating_add((deadline - now).max(0));
            }
        }
    }
    if let Some(expiring) = all.get_mut(biggest) {
        expiring.keys += left;
    }
}
