//! One test per invariant over random runs.

use proptest::prelude::*;

use super::checks::Checks;
use super::scenario::scenario;

macro_rules! holds {
    ($($(#[$doc:meta])* $name:ident: $invariants:expr;)*) => {
        proptest! {
            #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]
            $(
                $(#[$doc])*
                #[test]
                fn $name(scenario in scenario()) {
                    scenario.play(Checks::of(&$invariants));
                }
            )*
        }
    };
}

holds! {
    i1_ranges_partition_the_buckets_and_epochs_grow: [1];
    i2_one_writer_per_shard_and_epoch: [2];
    i3_healthy_voters_keep_a_quorum_and_are_odd_in_number: [3];
    i4_somebody_serves_reads_and_the_writer_only_if_nobody_else_can: [4];
    i5_nobody_serves_what_it_does_not_hold: [5];
    i6_who_joins_is_load_manager_first: [6];
    i7_there_is_a_load_manager: [7];
    i8_nothing_shrinks_while_requests_fail: [8];
    i9_nodes_and_requests_stay_within_their_bounds: [9];
    i10_the_same_observation_asks_for_nothing_new: [10];
    i13_no_reversal_within_a_cool_down: [13];
    i14_a_young_surge_copies_nothing: [14];
    i16_splits_come_last: [16];
    i18_each_lost_node_is_asked_for_once: [18];
}
