//! Opening: read the files back, begin a new term, and a new segment that says so.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64};
use std::sync::{Arc, OnceLock};

use parking_lot::{Condvar, Mutex, RwLock};

use super::gather::Gather;
use super::options::Driver;
use super::recover::{self, Recovered, recover};
use super::segment::{Header, Segment};
use super::sync::Wake;
use super::write::Writing;
use super::{Handle, Journal, LogId, OpenError, Options, Shared, clean, stats};
use crate::files::Files;

/// What opening found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// First index that can be read.
    pub first_index: u64,
    /// Last entry; all of them are committed.
    pub last: LogId,
    /// The term that began.
    pub term: u64,
    /// The latest Writer's time in the journal, ms (C3).
    pub time_ms: u64,
    /// The torn tail that was cut.
    pub cut: Option<Cut>,
    /// Whether the last run ended with [`Journal::close`].
    pub clean: bool,
    /// The journal ended below the base, or was not there, and was begun behind it (C4).
    pub restarted: bool,
}

/// Bytes that were written but never synced, and that a crash left incomplete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The segment.
    pub file: PathBuf,
    /// Its length now.
    pub offset: u64,
    /// Bytes cut off.
    pub bytes: u64,
    /// What was wrong at `offset`.
    pub reason: String,
}

impl Journal {
    /// Opens or creates the journal above a base that has everything up to `base_index` (0: an
    /// empty one). Every record is verified. See [`OpenError`] for what is refused.
    pub fn open(
        files: Arc<dyn Files>,
        options: Options,
        base_index: u64,
    ) -> Result<(Self, Opened), OpenError> {
        let options = options.bounded();
        let dir = options.dir.clone();
        files.create_dir(&dir).map_err(|error| OpenError::io("create", &dir, &error))?;
        let mut found = recover(&*files, &options)?;
        refuse_hole(&found, base_index)?;
        // After a kill the tail is readable but perhaps not durable; the next segment needs it to be.
        if let Some(last) = found.segments.last() {
            last.file.sync_data().map_err(|error| OpenError::io("sync", &last.path, &error))?;
        }
        let restarted = begin(&*files, &options, &mut found, base_index)?;
        clean::remove(&*files, &dir)?;
        drop_void(&*files, &options, &mut found, restarted)?;
        let first = found.segments.first().map_or(0, |segment| segment.header.first_index);
        let mut opened = Opened {
            first_index: first,
            last: found.last,
            term: found.term,
            time_ms: found.time_ms,
            cut: found.cut.take(),
            clean: found.clean,
            restarted,
        };
        let journal = Self::start(files, options, found)?;
        opened.last = journal.0.shared.writing.lock().last;
        Ok((journal, opened))
    }

    fn start(files: Arc<dyn Files>, options: Options, found: Recovered) -> Result<Self, OpenError> {
        let segments: Vec<_> = found.segments.into_iter().map(Arc::new).collect();
        let Some(segment) = segments.last().cloned() else {
            return Err(OpenError::damaged(&options.dir, 0, "it has no segment"));
        };
        let Header { first_index, term, node, .. } = segment.header;
        let mut gather = Gather::new(LogId { term, node, index: first_index }, found.time_ms);
        let fresh = first_index == 0;
        if fresh {
            gather.add_membership();
        }
        let (driver, last) = (options.driver, found.last);
        let shared = Arc::new(Shared {
            gather: Mutex::new(gather),
            writing: Mutex::new(Writing { segment, last, spare: Vec::new() }),
            syncing: Mutex::default(),
            wake: Mutex::new(Wake::default()),
            waker: Condvar::new(),
            segments: RwLock::new(segments),
            end: last.index.into(),
            written: last.index.into(),
            synced: last.index.into(),
            released: last.index.into(),
            policy: AtomicU8::new(options.sync.to_byte()),
            reserve_low: AtomicBool::new(false),
            reserve_at: AtomicU64::new(u64::MAX),
            poison: OnceLock::new(),
            on_release: OnceLock::new(),
            on_fatal: OnceLock::new(),
            stats: stats::Counters::default(),
            files,
            options,
        });
        if fresh {
            shared.write_first().map_err(|error| {
                let reason = std::io::Error::other(error.to_string());
                OpenError::io("write the membership to", &shared.options.dir, &reason)
            })?;
        }
        let journal = Self(Arc::new(Handle { shared: shared.clone(), thread: Mutex::default() }));
        if driver == Driver::Thread {
            let spawned = std::thread::Builder::new()
                .name("journal".to_owned())
                .spawn(move || shared.run())
                .map_err(|error| OpenError::io("start a thread for", &journal.dir(), &error))?;
            *journal.0.thread.lock() = Some(spawned);
        }
        Ok(journal)
    }

    fn dir(&self) -> PathBuf {
        self.0.shared.options.dir.clone()
    }
}

impl Shared {
    /// Writes and syncs entry 0.
    fn write_first(&self) -> Result<(), super::JournalError> {
        let mut writing = self.writing.lock();
        self.write_gathered(&mut writing)?;
        self.sync_file(&writing.segment)
    }
}

/// A base that ends before the journal begins: what lies between is nowhere.
fn refuse_hole(found: &Recovered, base_index: u64) -> Result<(), OpenError> {
    let Some(first) = found.segments.first() else { return Ok(()) };
    if first.header.first_index <= base_index.saturating_add(1) {
        return Ok(());
    }
    let reason = format!(
        "the journal begins at entry {}, the base ends at {base_index}: a segment or the newest \
         base is missing",
        first.header.first_index
    );
    let remedy = "restore the whole data directory from a backup".to_owned();
    Err(OpenError::Damaged { file: first.path.clone(), offset: 0, reason, remedy })
}

/// Creates the segment this run writes to; whether the journal restarts behind the base.
fn begin(
    files: &dyn Files,
    options: &Options,
    found: &mut Recovered,
    base_index: u64,
) -> Result<bool, OpenError> {
    let next = found.next_index();
    let restart = base_index > 0 && base_index >= next;
    if restart {
        found.last = LogId { term: 0, node: 0, index: base_index };
    }
    found.term = found.term.saturating_add(1);
    let header = Header {
        restart,
        cluster_id: options.cluster_id,
        boot_id: options.boot_id,
        number: found.next_number,
        first_index: if restart { base_index.saturating_add(1) } else { next },
        previous_term: found.last.term,
        previous_node: found.last.node,
        term: found.term,
        node: options.node,
    };
    let start = found.segments.last().map_or(0, |last| last.start.saturating_add(last.size()));
    let segment = Segment::create(files, &options.dir, header, start).map_err(|error| {
        OpenError::io("begin a segment in", &options.dir, &std::io::Error::other(error.to_string()))
    })?;
    found.segments.push(segment);
    Ok(restart)
}

/// Removes segments that say nothing any more: those before a restart, and those of runs that
/// appended nothing, so that restarts alone do not pile up files.
fn drop_void(
    files: &dyn Files,
    options: &Options,
    found: &mut Recovered,
    restarted: bool,
) -> Result<(), OpenError> {
    let mut rest = std::mem::take(&mut found.segments).into_iter().peekable();
    while let Some(segment) = rest.next() {
        let next = rest.peek().map(|next| next.header.first_index);
        if next.is_some() && (restarted || next == Some(segment.header.first_index)) {
            recover::remove(files, &options.dir, &segment.path)?;
        } else {
            found.segments.push(segment);
        }
    }
    Ok(())
}
