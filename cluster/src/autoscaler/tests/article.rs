//! The article's figures, to the letter, with a virtual time (I19, I20).

use crate::autoscaler::cells::CELL_MS;
use crate::autoscaler::observation::{LoadManagerObservation, ShardObservation};
use crate::autoscaler::state::LoadClass;
use crate::autoscaler::*;
use crate::topology::{NodeId, ShardId};

const S1: ShardId = ShardId(1);
const MACH_FIVE: &str = "N1 W s1 | N2 R s1 | N3 R s1 | N4 R s1:learner | N5 LM s1~";

/// What is decided of Mach V after an hour in which each cell saw `reads` and `writes`.
fn after_an_hour(config: &Config, reads: Aggregate, writes: Aggregate) -> (Choice, State) {
    let (mut r, mut w) = (Cells::default(), Cells::default());
    for cell in 0..360 {
        r.record(TimeMs(cell * CELL_MS), reads);
        w.record(TimeMs(cell * CELL_MS), writes);
    }
    let now = TimeMs(360 * CELL_MS);
    let mut seen = Observation::of(now, MACH_FIVE.parse().unwrap());
    let shard = ShardObservation {
        reads: r.windows(config, now, None),
        writes: w.windows(config, now, None),
        ..ShardObservation::default()
    };
    seen.shards.insert(S1, shard);
    let decided = decide(config, &State::default(), &seen);
    (decided.decisions[0].choice.clone(), decided.state)
}

fn requests(n: u64, us: u64, timeouts: u64) -> Aggregate {
    Aggregate { n, sum_us: n * us, timeouts, ..Aggregate::default() }
}

fn on_average(us: u64) -> Choice {
    after_an_hour(&Config::article(), requests(90, us, 0), requests(10, us, 0)).0
}

#[test]
fn three_seconds_over_an_hour_grow_and_half_a_second_shrinks() {
    let up = Choice::Grow { nodes: 1 };
    assert_eq!((on_average(3_000_000), on_average(2_999_000)), (up, Choice::Stay));
    assert_eq!((on_average(499_000), on_average(500_000)), (Choice::Shrink, Choice::Stay));
}

#[test]
fn more_than_one_percent_of_timeouts_grow() {
    let with = |timeouts: u64| {
        let reads = requests(9_000, 1_000_000, timeouts);
        after_an_hour(&Config::article(), reads, requests(1_000 - timeouts, 1_000_000, 0)).0
    };
    assert_eq!((with(101), with(100)), (Choice::Grow { nodes: 1 }, Choice::Stay));
}

#[test]
fn eighty_percent_of_reads_are_mostly_reads() {
    let class = |reads: u64| {
        let (reads, writes) = (requests(reads, 1000, 0), requests(1000 - reads, 1000, 0));
        after_an_hour(&Config::article(), reads, writes).1.shards[&S1].class
    };
    assert_eq!((class(800), class(799)), (LoadClass::Read, LoadClass::Balanced));
}

#[test]
fn nothing_shrinks_while_anything_times_out() {
    // One request of a hundred thousand, and all others as fast as can be (I8).
    let one = after_an_hour(&Config::article(), requests(99_999, 1000, 1), requests(10, 1000, 0));
    assert_eq!(one.0, Choice::Stay);
    let shed = Aggregate { shed: 1, ..requests(99_999, 1000, 0) };
    assert_eq!(after_an_hour(&Config::article(), shed, requests(10, 1000, 0)).0, Choice::Stay);
}

#[test]
fn less_than_an_hour_says_nothing() {
    let config = Config::article();
    let mut cells = Cells::default();
    cells.record(TimeMs(0), requests(100, 9_000_000, 0));
    let now = TimeMs(3_590_000);
    let mut seen = Observation::of(now, MACH_FIVE.parse().unwrap());
    let reads = cells.windows(&config, now, None);
    seen.shards.insert(S1, ShardObservation { reads, ..ShardObservation::default() });
    assert_eq!(decide(&config, &State::default(), &seen).decisions[0].choice, Choice::Stay);
}

#[test]
fn processor_and_memory_only_ever_add_load_managers() {
    let config = Config::article();
    let mut seen = Observation::of(TimeMs(0), MACH_FIVE.parse().unwrap());
    let cpu = Share::percent(99);
    let pressed = LoadManagerObservation { cpu, ..LoadManagerObservation::default() };
    seen.load_managers.insert(NodeId(5), pressed);
    let decided = decide(&config, &State::default(), &seen);
    let choices: Vec<_> = decided.decisions.iter().map(|d| (d.shard, d.choice.clone())).collect();
    assert_eq!(choices, [(None, Choice::AddLoadManager), (Some(S1), Choice::Stay)]);
    assert_eq!(decided.state.desired.extra_load_managers, 1);
    assert_eq!(decided.state.desired.shards[&S1].mach, 5);
}
