//! Totality: whatever topology, observation and memory there are, however absurd, something comes
//! out, and what comes out can be carried out in its order.

use proptest::prelude::*;

use super::*;
use crate::autoscaler::observation::{
    Aggregate, BucketHeat, ClassWindow, ClientMix, CrossBucket, LoadManagerObservation,
    MemberObservation, NodeObservation, OperationObservation, ShardObservation, Trend, Work,
};
use crate::autoscaler::state::{OperationState, ShardState, Surge};
use crate::autoscaler::{DesiredShard, Health, OperatorWord, Rate, Share, SplitGoal, TimeMs};
use crate::topology::tests::random::history;
use crate::topology::{
    BucketId, Level, NodeId, OperationId, RequestId, ShardId, SplitCause, Topology,
};

/// Numbers as they may come from a broken counter: often nothing, often far too much.
struct Absurd(Vec<u64>, usize);

impl Absurd {
    fn next(&mut self) -> u64 {
        self.1 += 1;
        let raw = self.0[self.1 % self.0.len()].rotate_left(self.1 as u32 % 64);
        match raw % 7 {
            0 => 0,
            1 => u64::MAX - raw % 3,
            2 | 3 => raw % 100,
            4 => raw % 3_000_000,
            _ => raw,
        }
    }

    fn small(&mut self, below: u64) -> u64 {
        self.next() % below
    }

    fn chance(&mut self) -> bool {
        self.small(2) == 1
    }

    fn node(&mut self) -> NodeId {
        NodeId(self.small(12))
    }

    fn shard(&mut self) -> ShardId {
        ShardId(self.small(6) as u32)
    }

    fn share(&mut self) -> Share {
        Share(self.next() as u32)
    }

    fn time(&mut self) -> TimeMs {
        TimeMs(self.next())
    }

    fn level(&mut self) -> Level {
        Level::new(self.small(5) as u8 + 1).unwrap()
    }

    fn aggregate(&mut self) -> Aggregate {
        let (n, sum_us) = (self.next(), self.next());
        let (timeouts, shed, busy_us) = (self.next(), self.next(), self.next());
        Aggregate { n, sum_us, timeouts, shed, busy_us }
    }

    fn window(&mut self) -> ClassWindow {
        ClassWindow {
            up: self.aggregate(),
            down: self.aggregate(),
            timeouts: self.aggregate(),
            forecast: self.aggregate(),
            usual: self.aggregate(),
            filled_ms: self.next(),
            cell_rate: Rate(self.next()),
            minute_rate: Rate(self.next()),
            baseline_rate: self.chance().then(|| Rate(self.next())),
            trend: self.trend(),
        }
    }

    fn trend(&mut self) -> Trend {
        Trend {
            mean: Rate(self.next()),
            recent: Rate(self.next()),
            level: Rate(self.next()),
            peak: self.chance().then(|| Rate(self.next())),
            slope: Rate(self.next()),
            noise: self.share(),
        }
    }

    fn member(&mut self) -> MemberObservation {
        let work = Work {
            window_ms: self.next(),
            reads: self.next(),
            read_busy_us: self.next(),
            writes: self.next(),
            write_busy_us: self.next(),
            applied: self.next(),
            apply_busy_us: self.next(),
        };
        MemberObservation {
            lag_entries: self.next(),
            lag_bytes: self.next(),
            seeded: self.chance(),
            serving: self.chance(),
            work,
        }
    }

    fn of_shard(&mut self) -> ShardObservation {
        let members = (0..self.small(8)).map(|_| (self.node(), self.member())).collect();
        let heat = (0..self.small(4))
            .map(|_| BucketHeat { bucket: BucketId(self.next() as u16), requests: self.next() })
            .collect();
        let tied = CrossBucket {
            last_ms: self.time(),
            lowest: BucketId(self.next() as u16),
            highest: BucketId(self.next() as u16),
        };
        ShardObservation {
            leader: self.chance().then(|| self.node()),
            term: self.next(),
            members,
            bytes: self.next(),
            heat,
            heat_total: self.next(),
            working_set_bytes: self.next(),
            reads: self.window(),
            writes: self.window(),
            clients: ClientMix {
                clients: self.next() as u32,
                clients_usual: self.next() as u32,
                trend: self.trend(),
                busiest: self.share(),
                hits: self.share(),
                hits_usual: self.share(),
            },
            cross_bucket: self.chance().then_some(tied),
        }
    }

    fn word(&mut self) -> OperatorWord {
        let (request, operation) = (RequestId(self.small(9)), OperationId(self.small(9)));
        match self.small(11) {
            0 => OperatorWord::Accepted { request, expected_ms: self.time() },
            1 => {
                let reason = String::new();
                OperatorWord::Rejected { request, reason, retry_ms: self.time() }
            }
            2 => OperatorWord::Fenced { node: self.node() },
            3 => OperatorWord::Released { node: self.node() },
            4 => OperatorWord::Hold,
            5 => OperatorWord::Resume,
            6 => OperatorWord::Approve { operation },
            7 => OperatorWord::Deny { operation },
            8 => OperatorWord::SwitchTo { shard: self.shard(), node: self.node() },
            9 => OperatorWord::Split {
                shard: self.shard(),
                at: self.chance().then(|| BucketId(self.next() as u16)),
            },
            _ => OperatorWord::Merge { left: self.shard(), right: self.shard() },
        }
    }

    fn observation(&mut self, topology: Topology) -> Observation {
        let mut seen = Observation::of(self.time(), topology);
        for _ in 0..self.small(8) {
            let health = [Health::Up, Health::Suspect, Health::Down][self.small(3) as usize];
            let (since_ms, connections) = (self.time(), self.next() as u32);
            seen.nodes.insert(self.node(), NodeObservation { health, since_ms, connections });
        }
        for _ in 0..self.small(6) {
            let (shard, of_shard) = (self.shard(), self.of_shard());
            seen.shards.insert(shard, of_shard);
        }
        for _ in 0..self.small(4) {
            let busy = LoadManagerObservation {
                cpu: self.share(),
                memory: self.share(),
                cpu_idle_max: self.share(),
                connections: self.next() as u32,
                queue_wait_us: self.next(),
            };
            seen.load_managers.insert(self.node(), busy);
        }
        let failed = self.chance().then(String::new);
        let progress = OperationObservation { failed, ..OperationObservation::default() };
        seen.operations.insert(OperationId(self.small(9)), progress);
        seen.words = (0..self.small(4)).map(|_| self.word()).collect();
        seen
    }

    fn state(&mut self) -> State {
        let mut state = State::default();
        for _ in 0..self.small(5) {
            let goal = SplitGoal {
                at: BucketId(self.next() as u16),
                cause: if self.chance() { SplitCause::Reads } else { SplitCause::Writes },
                child_level: self.level(),
                paired_level: self.chance().then(|| self.level()),
                nodes: self.next() as u32 % 3,
            };
            let wanted = DesiredShard {
                mach: self.next() as u32,
                level: self.level(),
                split: self.chance().then_some(goal),
                merge: self.chance().then(|| self.shard()),
            };
            state.desired.shards.insert(self.shard(), wanted);
            let rate = Rate(self.next());
            let surge = Surge {
                since: self.time(),
                baseline_reads: rate,
                baseline_writes: rate,
                legitimate: self.chance(),
            };
            let memory = ShardState {
                up_since: self.chance().then(|| self.time()),
                down_since: self.chance().then(|| self.time()),
                cooldown_up_until: self.time(),
                surge: self.chance().then_some(surge),
                burst: self.chance(),
                busy: self.chance().then(|| OperationId(self.small(9))),
                ..ShardState::default()
            };
            state.shards.insert(self.shard(), memory);
            let (begun, phase_since) = (self.time(), self.time());
            let times = OperationState { begun, phase_since, attempt: self.next() as u32 };
            state.operations.insert(OperationId(self.small(9)), times);
            state.lost.insert(self.node());
            state.told.insert(self.node());
            state.load_managers.draining_since.insert(self.node(), self.time());
        }
        state.desired.extra_load_managers = self.small(4) as u32;
        state.held = self.small(5) == 0;
        state
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn absurd_figures_neither_panic_nor_ask_for_what_cannot_be(
        topology in history(),
        numbers in prop::collection::vec(any::<u64>(), 40..80),
        article in any::<bool>(),
    ) {
        let mut absurd = Absurd(numbers, 0);
        let config = if article { Config::article() } else { Config::predictive() };
        let (mut state, mut now) = (absurd.state(), topology);
        for _ in 0..3 {
            let seen = absurd.observation(now.clone());
            let done = step(&config, &state, &seen);
            prop_assert_eq!(&done, &step(&config, &state, &seen), "not deterministic");
            let before = now.to_string();
            for action in &done.actions {
                // A fence is done when its confirmation is observed.
                if let ActionKind::Fence { node } = action.kind
                    && !seen.words.contains(&OperatorWord::Fenced { node })
                {
                    continue;
                }
                let text = crate::plan::Step(action).to_string();
                let applied = now.apply(action);
                prop_assert!(applied.is_ok(), "{}: {:?} on {}", text, applied, before);
            }
            prop_assert_eq!(now.check(), Ok(()), "{}", before);
            state = done.state;
        }
    }
}
