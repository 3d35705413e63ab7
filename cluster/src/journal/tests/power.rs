//! A thousand power cuts: what was promised is there, and nothing that was not appended.

use super::*;

/// What the test knows about one batch.
struct Known {
    index: u64,
    batch: Vec<u8>,
    written_at_ms: Option<u64>,
}

struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        // Xorshift (Marsaglia 2003).
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

struct World {
    bench: Bench,
    dice: Dice,
    log: Vec<Known>,
    /// The base has everything up to here; it was synced before.
    base_index: u64,
    /// What a power cut must leave.
    promised: u64,
    /// What the end of the process must leave, as long as the power stays.
    written: u64,
}

impl World {
    fn now_ms(&self) -> u64 {
        self.bench.now_ms.load(Ordering::Relaxed)
    }

    /// Lives until something fails or a few dozen actions are done.
    fn live(&mut self, journal: &Journal) -> Result<(), JournalError> {
        for _ in 0..self.dice.below(150) {
            match self.dice.below(10) {
                0..5 => {
                    let size = [5, 50, 400, 3000][self.dice.below(4) as usize];
                    let batch = vec![self.dice.below(256) as u8; self.dice.below(size) as usize];
                    let index = journal.append(&batch, self.now_ms());
                    self.log.push(Known { index, batch, written_at_ms: None });
                }
                5..8 => {
                    journal.flush(journal.end())?;
                    let now_ms = self.now_ms();
                    for known in self.log.iter_mut().rev() {
                        if known.written_at_ms.is_some() {
                            break;
                        }
                        known.written_at_ms = Some(now_ms);
                    }
                }
                8 if self.dice.below(4) == 0 => {
                    let released = journal.released();
                    journal.sync_to(released)?;
                    self.base_index = self.base_index.max(released);
                    self.log.retain(|known| known.index > released);
                    journal.purge(released);
                }
                _ => {
                    let advance_ms = self.dice.below(190);
                    self.bench.step(journal, advance_ms)?;
                }
            }
        }
        Ok(())
    }

    fn note_promises(&mut self, journal: &Journal) {
        self.promised = match self.bench.options.sync {
            Sync::Always => journal.released(),
            _ => {
                let now_ms = self.now_ms();
                let old =
                    |known: &&Known| known.written_at_ms.is_some_and(|at| at + 1000 <= now_ms);
                let last = self.log.iter().filter(old).map(|known| known.index).max();
                last.unwrap_or(0).max(journal.synced())
            }
        };
        self.promised = self.promised.max(self.base_index);
        self.written = journal.written().max(self.promised);
    }

    /// Compares what the reopened journal has with what was appended.
    fn compare(&mut self, journal: &Journal, opened: &Opened, seed: u64) {
        self.promised = self.promised.max(self.written);
        assert!(opened.last.index >= self.promised, "seed {seed}: {opened:?} {}", self.promised);
        let read = read_all(journal, self.base_index + 1, 500);
        let known = self.log.iter().map(|known| (known.index, known.batch.clone()));
        let all: Vec<_> = known.collect();
        assert_eq!(all.get(..read.len()), Some(&read[..]), "seed {seed}");
        let promised = all.iter().filter(|(index, _)| *index <= self.promised).count();
        assert!(read.len() >= promised, "seed {seed}: {} of {promised}", read.len());
        self.log.truncate(read.len());
        let now_ms = self.now_ms();
        // Opening synced them all.
        self.log.iter_mut().for_each(|known| known.written_at_ms = Some(now_ms));
        self.promised = opened.last.index;
    }
}

fn run(seed: u64, sync: Sync, mode: CrashMode) -> usize {
    let mut bench = Bench::new(sync);
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    bench.options.segment_bytes = 600 + dice.below(6000);
    bench.options.entry_bytes_max = 64 + dice.below(1000) as usize;
    let mut world = World { bench, dice, log: Vec::new(), base_index: 0, promised: 0, written: 0 };
    let (mut term, mut cuts, mut lives) = (0, 0, 0);
    while cuts < 5 {
        if world.dice.below(2) == 0 {
            let steps = world.dice.below(100);
            world.bench.disk.stop_after(steps);
        }
        let short = world.dice.below(2) == 0;
        world.bench.disk.shorten_writes(short.then(|| 100 + world.dice.below(900) as usize));
        let is_killed = world.dice.below(3) == 0;
        // Opening may be cut short as well; then nothing new was promised.
        if let Ok((journal, opened)) = world.bench.open(world.base_index) {
            assert!(opened.term > term, "seed {seed}: each start is a new term");
            term = opened.term;
            lives += 1;
            world.compare(&journal, &opened, seed);
            let _ = world.live(&journal);
            world.note_promises(&journal);
        }
        if is_killed {
            world.bench.disk.resume();
            continue;
        }
        let crash_seed = world.dice.below(u64::MAX);
        world.bench.disk.crash(mode, crash_seed);
        world.written = 0;
        cuts += 1;
    }
    let opened = world.bench.open(world.base_index);
    let (journal, opened) = opened.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    world.compare(&journal, &opened, seed);
    lives
}

#[test]
fn a_thousand_power_cuts_lose_nothing_promised() {
    let first = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    println!("seeds from {first}; set SEED to begin elsewhere");
    let mut lives = 0;
    for seed in first..first + 50 {
        for sync in [Sync::Always, Sync::EverySec] {
            for mode in [CrashMode::Drop, CrashMode::Tear] {
                lives += run(seed, sync, mode);
            }
        }
    }
    assert!(lives > 700, "most starts get to work: {lives} of 1500");
}

#[test]
fn the_simulated_disk_does_lose_what_was_not_synced() {
    let bench = Bench::new(Sync::No);
    let (journal, _) = bench.open(0).unwrap();
    fill(&journal, 10);
    bench.disk.crash(CrashMode::Drop, 1);
    assert!(journal.sync_to(10).is_err(), "handles die with the machine");
    assert_eq!(bench.open(0).unwrap().1.last.index, 0);
}

#[test]
fn a_restart_behind_the_base_may_be_interrupted_anywhere() {
    for steps in 0..20 {
        for seed in 0..4 {
            let mut bench = Bench::new(Sync::No);
            bench.options.segment_bytes = 600;
            let (journal, _) = bench.open(0).unwrap();
            fill(&journal, 20);
            journal.sync_to(20).unwrap();
            drop(journal);
            bench.disk.stop_after(steps);
            let _ = bench.open(30).map(drop);
            bench.disk.crash(CrashMode::Tear, seed);
            let (journal, opened) = bench.open(30).unwrap();
            assert_eq!((opened.first_index, opened.last.index), (31, 30), "{steps} steps");
            assert_eq!(bench.segments().len(), 1);
            assert_eq!(fill(&journal, 1)[0].0, 31);
        }
    }
}
