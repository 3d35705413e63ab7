//! The default mode over time: a small world whose load is given and whose topology rests.

use proptest::prelude::*;

use crate::autoscaler::cells::CELL_MS;
use crate::autoscaler::observation::{
    BucketHeat, ClientMix, MemberObservation, ShardObservation, Work,
};
use crate::autoscaler::*;
use crate::topology::{NodeId, ShardId};

const S1: ShardId = ShardId(1);
const MACH_SEVEN: &str = "N1 W s1 | N2 R s1 | N3 R s1 | N4 R s1 | N5 R s1 | N6 R s1:learner \
                          | N7 LM s1~";

/// A cluster that is observed every ten seconds and never changes.
pub(super) struct World {
    pub config: Config,
    pub state: State,
    /// What operators say in every second.
    pub words: Vec<OperatorWord>,
    /// The hottest buckets, of 1000 requests.
    pub heat: Vec<BucketHeat>,
    reads: Cells,
    writes: Cells,
    cell: u64,
    pub topology: crate::topology::Topology,
}

impl World {
    pub(super) fn new(topology: &str) -> Self {
        Self {
            config: Config::predictive(),
            state: State::default(),
            words: Vec::new(),
            heat: Vec::new(),
            reads: Cells::default(),
            writes: Cells::default(),
            cell: 0,
            topology: topology.parse().unwrap(),
        }
    }

    /// One cell of reads and writes per second that took a millisecond of a node each.
    pub(super) fn cell(&mut self, reads: u64, writes: u64, timeouts: u64) -> Decided {
        let at = TimeMs(self.cell * CELL_MS);
        let all = |rate: u64, timeouts| Aggregate {
            n: rate * 10,
            sum_us: rate * 10 * 2000,
            timeouts,
            shed: 0,
            busy_us: rate * 10_000,
        };
        self.reads.record(at, all(reads, timeouts));
        self.writes.record(at, all(writes, 0));
        self.cell += 1;
        let now = TimeMs(self.cell * CELL_MS);
        if let Some(surge) = self.state.shards.get(&S1).and_then(|s| s.surge) {
            self.reads.mark(surge.since, !surge.legitimate);
            self.writes.mark(surge.since, !surge.legitimate);
        }
        let decided = decide(&self.config, &self.state, &self.observation(now));
        self.state = decided.state.clone();
        decided
    }

    pub(super) fn observation(&self, now: TimeMs) -> Observation {
        let mut seen = Observation::of(now, self.topology.clone());
        seen.words = self.words.clone();
        let work = Work {
            window_ms: 900_000,
            reads: 100_000,
            read_busy_us: 100_000_000,
            writes: 100_000,
            write_busy_us: 100_000_000,
            applied: 100_000,
            apply_busy_us: 25_000_000,
        };
        let member = MemberObservation { work, ..MemberObservation::default() };
        let last = self.state.shards.get(&S1).and_then(|s| s.last_completed);
        let shard = ShardObservation {
            heat: self.heat.clone(),
            heat_total: 1000,
            members: [(NodeId(1), member)].into(),
            bytes: 10_000_000_000,
            reads: self.reads.windows(&self.config, now, last),
            writes: self.writes.windows(&self.config, now, last),
            clients: ClientMix { clients: 600, clients_usual: 600, ..ClientMix::default() },
            ..ShardObservation::default()
        };
        for id in self.topology.shards().map(|s| s.id) {
            seen.shards.insert(id, shard.clone());
        }
        seen
    }

    /// Cells of the same load; the last decision.
    pub(super) fn run(&mut self, cells: u64, reads: u64, writes: u64) -> Decided {
        let mut last = None;
        for _ in 0..cells {
            last = Some(self.cell(reads, writes, 0));
        }
        last.unwrap()
    }
}

fn copies(choice: &Choice) -> bool {
    !matches!(choice, Choice::Stay | Choice::BurstServe | Choice::AddLoadManager)
}

#[test]
fn utilisation_grows_and_shrinks_a_shard() {
    let mut world = World::new("N1 W s1 | N2 R s1 | N3 R s1 | N4 R s1:learner | N5 LM s1~");
    // Three Replicas: 2000/3 reads and 100 writes applied are 69 %, and two would be too few.
    assert_eq!(world.run(400, 2000, 100).decisions[0].choice, Choice::Stay);
    // Now 86 %: four Replicas would be at 65.
    let up = world.run(30, 2500, 100);
    assert_eq!(up.decisions[0].choice, Choice::Grow { nodes: 1 });
    assert_eq!(up.decisions[0].explanation.rule, Some(explain::Rule::UtilisationUp));
    assert_eq!(up.decisions[0].explanation.moves.last().unwrap().bytes, 10_000_000_000);
    assert_eq!(up.state.desired.shards[&S1].mach, 6);
    // Two do for 1200, but only half an hour after the steady level (which takes eleven minutes to
    // come down so far) has said so.
    assert_eq!(world.run(170, 1200, 100).decisions[0].choice, Choice::Stay);
    assert_eq!(world.run(30, 1200, 100).decisions[0].choice, Choice::Shrink);
}

#[test]
fn an_attack_of_ten_minutes_copies_nothing() {
    let mut world = World::new(MACH_SEVEN);
    world.run(720, 2900, 300);
    let mut events = Vec::new();
    // It begins in the middle of a cell, and ends so.
    let attack = std::iter::once((8000, 900))
        .chain(std::iter::repeat_n((29_000, 3000), 60))
        .chain([(12_000, 1200)])
        .chain(std::iter::repeat_n((2900, 300), 400));
    for (reads, writes) in attack {
        let decided = world.cell(reads, writes, 0);
        for decision in &decided.decisions {
            assert!(!copies(&decision.choice), "{} {decision:?}", world.cell);
        }
        events.extend(decided.events);
    }
    let told = |e: &EventKind| match e {
        EventKind::SurgeBegin { .. } => Some("begin"),
        EventKind::SurgeEnd { outlasted: false, .. } => Some("end"),
        _ => None,
    };
    assert_eq!(events.iter().filter_map(told).collect::<Vec<_>>(), ["begin", "end"]);
}

#[test]
fn a_surge_that_outlasts_the_patience_is_grown_for() {
    let mut world = World::new("N1 W s1 | N2 R s1 | N3 R s1 | N4 R s1:learner | N5 LM s1~");
    world.run(720, 1000, 50);
    let mut first = None;
    for cell in 0..200 {
        let decided = world.cell(4000, 200, 0);
        if first.is_none() && copies(&decided.decisions[0].choice) {
            first = Some(cell);
        }
    }
    // Fifteen minutes are ninety cells, from the cell before on; then the rule holds for 20 s.
    assert!((88..95).contains(&first.unwrap()), "{first:?}");
}

#[test]
fn what_is_told_is_told_once_and_hold_holds() {
    let mut world = World::new(MACH_SEVEN);
    world.config.replicas.max_nodes = 7;
    world.run(400, 2900, 100);
    let decided = world.run(1, 6000, 100);
    assert!(decided.events.is_empty());
    let told: usize = (0..60).map(|_| world.cell(6000, 100, 0).events.len()).sum();
    assert!((1..=6).contains(&told), "{told}");
    let mut seen = world.observation(TimeMs(world.cell * CELL_MS));
    seen.words = vec![OperatorWord::Hold];
    let held = decide(&world.config, &world.state, &seen);
    assert!(held.decisions[0].explanation.held.contains(&explain::Held::Operator));
    assert_eq!(held.state.desired.shards[&S1].mach, 7);
}

#[test]
fn a_dry_run_wants_nothing_and_an_approved_decision_passes() {
    let mut world = World::new(MACH_SEVEN);
    world.config.budget.approve = true;
    world.run(400, 2900, 100);
    let waits = world.run(60, 4500, 100);
    assert_eq!(waits.state.desired.shards[&S1].mach, 7);
    let id = *waits.state.pending.keys().next().unwrap();
    assert_eq!(waits.state.pending.len(), 1);
    let mut seen = world.observation(TimeMs(world.cell * CELL_MS));
    seen.words = vec![OperatorWord::Approve { operation: id }];
    let passes = decide(&world.config, &world.state, &seen);
    assert!(passes.state.desired.shards[&S1].mach > 7, "{:?}", passes.decisions);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    /// I8 and I11: more load, or timeouts, never want fewer nodes; the same twice is the same.
    #[test]
    fn more_never_wants_less(reads in 50u64..5000, writes in 0u64..700, more in 0u64..2000, timeouts in 0u64..50) {
        let mach = |reads, timeouts| {
            let mut world = World::new(MACH_SEVEN);
            world.run(260, reads, writes);
            let decided = world.cell(reads, writes, timeouts);
            prop_assert_eq!(&decided, &{
                let mut again = World::new(MACH_SEVEN);
                again.run(260, reads, writes);
                again.cell(reads, writes, timeouts)
            });
            let shrinks = decided.decisions.iter().any(|d| d.choice == Choice::Shrink);
            prop_assert!(!(shrinks && timeouts > 0));
            let wanted = decided.state.desired.shards[&S1];
            Ok(if wanted.split.is_some() { 8 } else { wanted.mach })
        };
        let (less, with) = (mach(reads, 0)?, mach(reads + more, 0)?);
        prop_assert!(less <= with, "{} {}", less, with);
        prop_assert!(less <= mach(reads, timeouts)?);
    }

    /// I14: a surge younger than its patience copies nothing, whatever its height.
    #[test]
    fn young_surges_copy_nothing(times in 4u64..40, cells in 1u64..80, edge in 0u64..100) {
        let mut world = World::new(MACH_SEVEN);
        world.run(400, 2800, 100);
        let (high, part) = (2800 * times, 2800 + 2800 * (times - 1) * edge / 100);
        for (reads, n) in [(part, 1), (high, cells), (part, 1), (2800, 30)] {
            for _ in 0..n {
                let decided = world.cell(reads, 100, 0);
                prop_assert!(!copies(&decided.decisions[0].choice), "{:?}", decided.decisions);
            }
        }
    }
}
