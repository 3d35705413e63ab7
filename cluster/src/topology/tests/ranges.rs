//! Bucket-range arithmetic.

use proptest::prelude::*;

use super::*;

fn range(first: u16, last: u16) -> BucketRange {
    BucketRange::new(first, last).unwrap()
}

#[test]
fn halves_are_the_articles() {
    let all = range(1, 1000);
    assert_eq!(all.middle(), Some(BucketId(501)));
    assert_eq!(all.split_at(BucketId(501)), Ok((range(1, 500), range(501, 1000))));
    assert_eq!(range(7, 7).middle(), None);
    assert_eq!(range(1, u16::MAX).middle(), Some(BucketId(32769)));
}

#[test]
fn weight_moves_the_middle() {
    let by = |heavy: &[(u16, u64)], total| {
        let heavy: Vec<_> = heavy.iter().map(|&(b, w)| (BucketId(b), w)).collect();
        range(1, 10).middle_by_weight(&heavy, total).map(|b| b.0)
    };
    assert_eq!(by(&[], 0), Some(6), "without weight the middle");
    assert_eq!(by(&[], 100), Some(6), "evenly spread");
    assert_eq!(by(&[(1, 50)], 100), Some(2), "the first bucket has half of it");
    assert_eq!(by(&[(10, 90)], 100), Some(10));
    assert_eq!(by(&[(3, 40), (3, 20), (99, 9)], 60), Some(6), "b3 has all: as good anywhere");
    assert_eq!(range(4, 4).middle_by_weight(&[], 1), None);
}

#[test]
fn tiling_names_the_first_shard_out_of_place() {
    let check = |ranges: &[(u16, u16)], buckets| {
        let ranges = ranges.iter().zip(1..).map(|(&(a, b), id)| (ShardId(id), range(a, b)));
        BucketRange::check_tiling(ranges, buckets).map_err(|v| v.to_string())
    };
    assert_eq!(check(&[(1, 4), (5, 10)], 10), Ok(()));
    assert_eq!(check(&[(1, u16::MAX)], u16::MAX), Ok(()));
    for (ranges, expected) in [
        (vec![], "buckets from b1 on belong to no shard"),
        (vec![(1, 9)], "buckets from b10 on belong to no shard"),
        (vec![(1, 4), (6, 10)], "s2 holds 6-10 where a range must begin at b5"),
        (vec![(1, 4), (4, 10)], "s2 holds 4-10 where a range must begin at b5"),
        (vec![(1, 11)], "s1 holds 1-11 where a range must begin at b1"),
    ] {
        let refused = check(&ranges, 10).unwrap_err();
        assert!(refused.ends_with(expected), "{ranges:?}: {refused}");
    }
}

proptest! {
    #[test]
    fn splitting_and_joining_are_inverse(a in 1u16.., b in 1u16.., at in 1u16..) {
        let whole = range(a.min(b), a.max(b));
        match whole.split_at(BucketId(at)) {
            Ok((left, right)) => {
                prop_assert!(left.is_left_of(right) && right.first() == BucketId(at));
                prop_assert_eq!(left.count() + right.count(), whole.count());
                prop_assert_eq!(left.join(right), Ok(whole));
                prop_assert!(right.join(left).is_err());
            }
            Err(_) => prop_assert!(at <= whole.first().0 || at > whole.last().0),
        }
        if let Some(at) = whole.middle() {
            let (left, right) = whole.split_at(at).unwrap();
            prop_assert!(left.count() - right.count() <= 1, "counts differ by at most one");
        }
    }

    #[test]
    fn no_other_bucket_balances_better(
        first in 1u16..50, count in 2u16..40,
        heavy in prop::collection::vec((1u16..100, 0u64..1000), 0..8),
        rest in 0u64..5000,
    ) {
        let whole = range(first, first + count - 1);
        let heavy: Vec<_> = heavy.into_iter().map(|(b, w)| (BucketId(b), w)).collect();
        let inside: Vec<_> = heavy.iter().filter(|(b, _)| whole.contains(*b)).collect();
        let total = rest + inside.iter().map(|(_, w)| w).sum::<u64>();
        let chosen = whole.middle_by_weight(&heavy, total).unwrap();
        // By definition, in fractions: what is not named lies evenly on the buckets not named.
        let weight = |b: u16| {
            let named: Vec<_> = inside.iter().filter(|(n, _)| n.0 == b).collect();
            let distinct = (first..first + count).filter(|b| !inside.iter().any(|(n, _)| n.0 == *b));
            match named.is_empty() {
                true => rest as f64 / distinct.count() as f64,
                false => named.iter().map(|(_, w)| *w as f64).sum(),
            }
        };
        let heavier = |at: u16| {
            let left: f64 = (first..at).map(weight).sum();
            let right: f64 = (at..first + count).map(weight).sum();
            left.max(right)
        };
        let best = (first + 1..first + count).map(heavier).fold(f64::INFINITY, f64::min);
        prop_assert!(heavier(chosen.0) <= best + 1e-6, "{chosen}: {} > {best}", heavier(chosen.0));
    }
}
