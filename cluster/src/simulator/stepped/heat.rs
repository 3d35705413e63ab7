//! How load is spread over buckets.

use std::collections::BTreeMap;

use crate::autoscaler::observation::BucketHeat;
use crate::simulator::random::Random;
use crate::simulator::run::World;
use crate::topology::{BucketId, BucketRange, ShardId};

/// Buckets of a simulated cluster.
const BUCKETS: u16 = 1000;
/// Buckets of one that grows from one node: more than it will have shards.
pub const BUCKETS_GROWING: u16 = 8000;
/// Hottest buckets that an observation names.
const NAMED: usize = 32;
/// The one that a hot key lies in.
const HOT: u16 = 321;
/// Stream of a seed's random numbers: which bucket is how hot.
const PLACES: u64 = 5;

/// The distribution, and what was derived from it for each range.
pub struct Heat {
    /// Share of each bucket, the first one first; without the hot key.
    weights: Vec<f64>,
    /// Whether all are alike.
    even: bool,
    ranges: BTreeMap<ShardId, Derived>,
}

struct Derived {
    range: BucketRange,
    /// Share of the range.
    share: f64,
    /// The hottest ones of an uneven distribution.
    hottest: Vec<(BucketId, f64)>,
}

impl Heat {
    /// Even, or by Zipf's law with the places drawn.
    pub fn new(world: &World) -> Self {
        let exponent = world.trace.zipf.unwrap_or(0.0);
        let buckets = if world.trace.from_one { BUCKETS_GROWING } else { BUCKETS };
        let mut weights: Vec<f64> =
            (1..=buckets).map(|rank| f64::from(rank).powf(-exponent)).collect();
        Random::new(world.seed, PLACES).shuffle(&mut weights);
        let sum: f64 = weights.iter().sum();
        weights.iter_mut().for_each(|w| *w /= sum);
        Self { weights, even: world.trace.zipf.is_none(), ranges: BTreeMap::new() }
    }

    /// Part of all requests that go to the range of a shard, `hot` of them to the hot key.
    pub fn share(&mut self, shard: ShardId, range: BucketRange, hot: f64) -> f64 {
        let has_hot = range.contains(BucketId(HOT));
        self.derive(shard, range).share * (1.0 - hot) + if has_hot { hot } else { 0.0 }
    }

    /// The hottest buckets of a shard to which `requests` went, by requests; none if all are alike.
    pub fn hottest(
        &mut self,
        shard: ShardId,
        range: BucketRange,
        hot: f64,
        requests: f64,
    ) -> Vec<BucketHeat> {
        let has_hot = hot > 0.0 && range.contains(BucketId(HOT));
        let part = if has_hot { hot } else { 0.0 };
        let derived = self.derive(shard, range);
        let all = derived.share * (1.0 - hot) + part;
        let count = |share: f64| (requests * share / all.max(1e-12)) as u64;
        let mut named = Vec::new();
        if has_hot {
            named.push(BucketHeat { bucket: BucketId(HOT), requests: count(part) });
        }
        let others = derived.hottest.iter().filter(|(b, _)| !has_hot || b.0 != HOT);
        named.extend(
            others.map(|&(bucket, share)| BucketHeat {
                bucket,
                requests: count(share * (1.0 - hot)),
            }),
        );
        named.truncate(NAMED);
        named
    }

    fn derive(&mut self, shard: ShardId, range: BucketRange) -> &Derived {
        let (weights, even) = (&self.weights, self.even);
        let derived = self.ranges.entry(shard).or_insert_with(|| derive(weights, even, range));
        if derived.range != range {
            *derived = derive(weights, even, range);
        }
        derived
    }
}

fn derive(weights: &[f64], even: bool, range: BucketRange) -> Derived {
    let within = (1..).map(BucketId).zip(weights).filter(|(bucket, _)| range.contains(*bucket));
    let mut within: Vec<(BucketId, f64)> = within.map(|(b, w)| (b, *w)).collect();
    let share = within.iter().map(|(_, w)| w).sum();
    within.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    within.truncate(if even { 0 } else { NAMED });
    Derived { range, share, hottest: within }
}
