//! From the buffer into the files: write(2), once per turn of a core's loop.
//!
//! Two buffers take turns: while one is written, without the buffer's lock, the other gathers.
//! The write lock gives the files one order; whoever finds its index written returns at once.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::record::{self, HEAD, Head};
use super::segment::{Header, Segment};
use super::{Journal, JournalError, LogId, Shared, Sync};
use crate::files::append_all;

/// A written buffer larger than this is freed, so that one huge batch does not stay in memory.
const SPARE_BYTES_MAX: usize = 4 << 20;

/// What the write lock protects.
pub(super) struct Writing {
    pub segment: Arc<Segment>,
    /// Last entry written.
    pub last: LogId,
    pub spare: Vec<u8>,
}

impl Journal {
    /// Writes what was gathered, unless everything up to `upto` is written already. Under
    /// [`Sync::EverySec`] and [`Sync::No`] that releases it; under [`Sync::Always`] the sync does.
    ///
    /// # Errors
    /// The error that poisoned the journal, now or earlier.
    pub fn flush(&self, upto: u64) -> Result<(), JournalError> {
        self.0.shared.flush(upto)
    }

    /// Removes the segments all of whose entries are at or below `upto`, oldest first. The
    /// segment being written stays. A failure is counted, logged and tried again next time.
    pub fn purge(&self, upto: u64) {
        let shared = &self.0.shared;
        let _writing = shared.writing.lock();
        loop {
            let oldest = match shared.segments.read().as_slice() {
                [oldest, next, ..] if next.header.first_index <= upto.saturating_add(1) => {
                    oldest.clone()
                }
                _ => return,
            };
            // Synced one by one: a crash may bring back the youngest removed file, which still
            // joins the rest, but never an older one without it.
            let removed = shared.files.remove(&oldest.path);
            if let Err(error) = removed.and_then(|()| shared.files.sync_dir(&shared.options.dir)) {
                tracing::warn!(%error, file = %oldest.path.display(), "cannot purge a segment");
                *shared.stats.purge_error.lock() = Some(error.to_string());
                return;
            }
            shared.segments.write().remove(0);
        }
    }
}

impl Shared {
    pub fn flush(&self, upto: u64) -> Result<(), JournalError> {
        self.check()?;
        if self.written.load(Ordering::Acquire) >= upto {
            return Ok(());
        }
        let mut writing = self.writing.lock();
        self.check()?;
        if self.written.load(Ordering::Acquire) >= upto {
            return Ok(());
        }
        // Before the write: an entry's second begins when it may first be seen.
        let began = (self.options.clock)();
        let before = writing.last;
        let end = self.write_gathered(&mut writing)?;
        if writing.last == before {
            return Ok(());
        }
        let policy = Sync::from_byte(self.policy.load(Ordering::Acquire));
        if policy != Sync::Always {
            self.released.fetch_max(end, Ordering::AcqRel);
        }
        drop(writing);
        self.wrote(began, policy);
        Ok(())
    }

    /// Writes everything appended so far; returns its last index.
    pub fn write_gathered(&self, writing: &mut Writing) -> Result<u64, JournalError> {
        let mut records = std::mem::take(&mut writing.spare);
        let end = self.gather.lock().take(&mut records);
        self.write(writing, &mut records).map_err(|error| self.poison(error))?;
        records.clear();
        if records.capacity() <= SPARE_BYTES_MAX {
            writing.spare = records;
        }
        self.written.store(end, Ordering::Release);
        Ok(end)
    }

    /// Writes finished records, beginning new segments where the old ones are full.
    fn write(&self, writing: &mut Writing, records: &mut [u8]) -> Result<(), JournalError> {
        let synced = self.synced.load(Ordering::Acquire);
        let (mut from, mut at) = (0, 0);
        let mut offset = writing.segment.size();
        while let Some(head) = records.get(at..).and_then(Head::decode) {
            let size = head.size();
            let end = offset.saturating_add(size as u64);
            let has_entries = writing.last.index >= writing.segment.header.first_index;
            if end > self.options.segment_bytes && has_entries {
                self.put(writing, records.get(from..at).unwrap_or_default())?;
                self.rotate(writing)?;
                (from, offset) = (at, writing.segment.size());
            }
            if let Some(record) = records.get_mut(at..at.saturating_add(size)) {
                record::seal(record, writing.segment.seed, offset, synced);
            }
            writing.segment.mark(head.id.index, offset);
            writing.last = head.id;
            offset = offset.saturating_add(size.max(HEAD) as u64);
            at = at.saturating_add(size.max(HEAD));
        }
        self.put(writing, records.get(from..).unwrap_or_default())
    }

    fn put(&self, writing: &Writing, bytes: &[u8]) -> Result<(), JournalError> {
        let segment = &writing.segment;
        append_all(&*segment.file, bytes)
            .map_err(|error| JournalError::failed("write", &segment.path, &error))?;
        segment.set_size(segment.size().saturating_add(bytes.len() as u64));
        let len = bytes.len() as u64;
        let written = self.stats.bytes_written.fetch_add(len, Ordering::Relaxed);
        // A fast writer fills a small disk between two questions for its free space.
        if written.saturating_add(len) > self.reserve_at.load(Ordering::Relaxed) {
            self.reserve_low.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Begins the next segment. The old one is synced before the new one exists: `recover`
    /// relies on that.
    pub fn rotate(&self, writing: &mut Writing) -> Result<(), JournalError> {
        let old = &writing.segment;
        self.sync_file(old)?;
        let header = Header {
            restart: false,
            number: old.header.number.saturating_add(1),
            first_index: writing.last.index.saturating_add(1),
            previous_term: writing.last.term,
            previous_node: writing.last.node,
            ..old.header
        };
        let start = old.start.saturating_add(old.size());
        let new = Segment::create(&*self.files, &self.options.dir, header, start)?;
        writing.segment = Arc::new(new);
        self.segments.write().push(writing.segment.clone());
        Ok(())
    }
}
