//! The promises of Writer, feed, load and eviction together: the server's own code over a
//! simulated disk and a base in memory that lets a test act in the middle of a load or an ingest.
//!
//! There are no clocks and no background feeds here: every step is a call of the test.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod clients;
mod panics;
mod random;
mod rules;
mod wire;

use super::expire::{DuePlace, expire_in_base};
use super::feed::feed;
use super::load::load_all;
use super::*;
use crate::net::{Core, Inbox};
use crate::node::Node;
use crate::registry::{Code, Found};
use crate::writer::{self, Ran};
use cluster::files::SimFiles;
use cluster::journal::{Driver, Options, Sync};
use resp::{OwnedArgs, Protocol, Reply};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::AtomicUsize;
use storage::base::{
    BaseError, BaseKey, BaseRecord, BaseStats, Cached, Due, Feed, Ingested, Loaded, MemoryBase,
    RawRecord, Scanned,
};
use storage::keyspace::{Key, PARTITIONS, Space, Turn};
use storage::record::OwnedKey;
use storage::record::changes;

const DIR: &str = "/data";
/// The time at which tests begin, milliseconds since the epoch.
const BEGIN: i64 = 1_700_000_000_000;

type Hook = Box<dyn FnOnce() + Send>;

/// A base in memory that looks at the journal and lets a test act in the middle of things.
#[derive(Default)]
struct SpyBase {
    inner: Arc<MemoryBase>,
    journal: OnceLock<Journal>,
    /// Runs after a load has read the base and before the load ends.
    on_load: Mutex<Option<Hook>>,
    /// Runs after an ingest, before the feed says that it is done.
    on_ingest: Mutex<Option<Hook>>,
    /// (index of a feed, index up to which the journal was synced then), where that is wrong.
    unsynced: Mutex<Vec<(u64, u64)>>,
}

impl Base for SpyBase {
    fn index(&self) -> u64 {
        self.inner.index()
    }

    fn record(&self) -> BaseRecord {
        self.inner.record()
    }

    fn probe(&self, key: BaseKey<'_>) -> Cached {
        self.inner.probe(key)
    }

    fn load(&self, key: BaseKey<'_>) -> Result<(u64, Option<Loaded>), BaseError> {
        let loaded = self.inner.load(key);
        let hook = self.on_load.lock().take();
        hook.into_iter().for_each(|act| act());
        loaded
    }

    fn load_many(&self, keys: &[OwnedKey]) -> Result<(u64, Vec<Option<Loaded>>), BaseError> {
        self.inner.load_many(keys)
    }

    fn records(&self, key: BaseKey<'_>) -> Result<(u64, Vec<RawRecord>), BaseError> {
        self.inner.records(key)
    }

    fn ingest(&self, feed: Feed) -> Result<Ingested, BaseError> {
        let synced = self.journal.get().unwrap().synced();
        let index = feed.index().unwrap();
        if synced < index {
            self.unsynced.lock().push((index, synced));
        }
        let ingested = self.inner.ingest(feed);
        let hook = self.on_ingest.lock().take();
        hook.into_iter().for_each(|act| act());
        ingested
    }

    fn scan(&self, bucket: u16, db: u32, from: u32, limit: usize) -> Result<Scanned, BaseError> {
        self.inner.scan(bucket, db, from, limit)
    }

    fn counts(&self) -> Result<Vec<(u32, u16, u64)>, BaseError> {
        self.inner.counts()
    }

    fn due(&self, after: Option<&Due>, until_ms: i64, limit: usize) -> Result<Vec<Due>, BaseError> {
        self.inner.due(after, until_ms, limit)
    }

    fn checkpoint(&self, dir: &Path) -> Result<(), BaseError> {
        self.inner.checkpoint(dir)
    }

    fn stats(&self) -> BaseStats {
        self.inner.stats()
    }
}

/// What outlives a process: the disk and the base.
#[derive(Clone, Default)]
struct Machine {
    disk: SimFiles,
    base: Arc<MemoryBase>,
}

/// One run of a process on a machine, and one core of it.
struct Rig {
    node: &'static Node,
    base: Arc<SpyBase>,
    turn: Turn,
    db: usize,
}

impl Machine {
    fn start(&self) -> Rig {
        self.start_with(Sync::No)
    }

    /// Opens journal and base as a start does. Of the threads a start begins none feeds.
    fn start_with(&self, sync: Sync) -> Rig {
        let config = crate::config::load(["bowshock".into(), "--threads=1".into()], []);
        let config = config.unwrap_or_else(|error| error.exit()).config;
        let start = config.start().clone();
        let settings = config.settings();
        let fresh = fresh_identity(settings.buckets, "{}".to_owned(), Some(1));
        // On a disk of its own: a killed process leaves no lock, but here its node stays.
        let dir = DataDir::open(&SimFiles::new(), Path::new(DIR), fresh).unwrap();
        let mut options = Options::new(PathBuf::from(DIR).join("journal"));
        options.sync = sync;
        options.driver = Driver::Steps;
        options.boot_id = self.disk.boot_id();
        let index = self.base.index();
        let (journal, _) = Journal::open(Arc::new(self.disk.clone()), options, index).unwrap();
        let base = Arc::new(SpyBase { inner: self.base.clone(), ..SpyBase::default() });
        assert!(base.journal.set(journal.clone()).is_ok());
        let space = Space::new(settings, true, true);
        let shared: Arc<dyn Base> = base.clone();
        replay(&space, &journal, &shared, BEGIN).unwrap();
        let store = Store::new(journal, base.clone(), dir);
        let registry = crate::serve::registry(&[panics::ROWS], panics::CODE);
        store.feeder.stop();
        let node = crate::serve::compose(config, &start, space, Some(store), registry).unwrap();
        let mut rig = Rig { node, base, turn: Turn::new(&node.space, 1), db: 0 };
        rig.at(BEGIN);
        rig
    }
}

impl Rig {
    fn store(&self) -> &'static Store {
        self.node.store.as_ref().unwrap()
    }

    /// Begins a turn of the core's loop at this time.
    fn at(&mut self, now: i64) {
        self.turn.begin(&self.node.space, now);
    }

    /// A second core of the same process.
    fn other(&self) -> Rig {
        let turn = Turn::new(&self.node.space, 2);
        let mut other = Rig { node: self.node, base: self.base.clone(), turn, db: self.db };
        other.at(self.turn.now);
        other
    }

    /// Executes a command as a core does, loading what is cold; the reply, CRLFs as spaces.
    fn run(&mut self, line: &str) -> String {
        let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
        let args = OwnedArgs::from_slices(&words);
        let Found::Command(command) = self.node.registry.find(words[0], None) else {
            panic!("no command {line}")
        };
        let Code::Keyed(handler) = command.code else { panic!("{line} needs a connection") };
        let mut out = Vec::new();
        loop {
            let mut reply = Reply::new(&mut out, Protocol::Resp2);
            let (args, turn) = (args.as_args(), &mut self.turn);
            match writer::execute(self.node, turn, self.db, command, handler, args, &mut reply) {
                Ran::Cold(cold) => load_all(self.node, self.store(), &cold).unwrap(),
                Ran::Done(Ok(())) => break,
                Ran::Panicked(panic) => return format!("panicked: {}", panic.text),
                Ran::Done(Err(fail)) => {
                    reply.error_bytes(&fail.0);
                    break;
                }
            }
        }
        String::from_utf8_lossy(&out).trim_end().replace("\r\n", " ")
    }

    /// Ends a turn: what was executed is written and may be acknowledged.
    fn acknowledge(&self) {
        self.store().journal.flush(self.store().journal.end()).unwrap();
    }

    fn feed(&self) {
        feed(self.node, self.store()).unwrap();
    }

    /// Takes everything out of memory that may go.
    fn unload(&self) {
        let fed = self.node.space.fed_epoch.load(Ordering::Acquire);
        for number in 0..PARTITIONS as u16 {
            self.node.space.partition(number).unload_all(fed);
        }
    }

    /// Lets `maxmemory` take objects out of memory until `done` or nothing more is likely to go;
    /// how many went.
    fn evict(&mut self, done: impl Fn(&Node) -> bool) -> u64 {
        let before = self.node.counters.unloaded.load(Ordering::Relaxed);
        self.node.space.configure(|settings| settings.maxmemory = 1);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let guard = runtime.enter();
        let load = Arc::new([AtomicUsize::new(0)]);
        let mut core = Core::new(self.node, 0, Arc::new(Inbox::default()), load);
        core.turn.begin(&self.node.space, self.turn.now);
        // A call looks at a third of the partitions, drawn at random.
        for _ in 0..100 {
            if done(self.node) {
                break;
            }
            core.make_room();
        }
        drop(core);
        drop(guard);
        self.node.space.configure(|settings| settings.maxmemory = 0);
        self.node.counters.unloaded.load(Ordering::Relaxed) - before
    }

    fn is_resident(&self, name: &str) -> bool {
        let key = Key::new(name.as_bytes(), self.node.space.tag());
        self.node.space.partition(key.partition()).get(self.db, &key).is_some()
    }

    fn len(&self) -> u64 {
        self.node.space.len(self.db)
    }
}
