//! Syncing: the journal's own thread, or a simulation's steps.
//!
//! `always`: whenever something is written it is synced, and everything that was written
//! meanwhile waits together for the next sync (group commit). `everysec`: the sync begins 0.8 s
//! after the first unsynced byte, which leaves the disk 0.2 s of the promised second. `no`:
//! never by itself. The sync holds no lock that a core takes.
//!
//! The first failed sync poisons: the kernel may have dropped the pages it failed on and would
//! report success the next time.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::segment::Segment;
use super::{Handle, Journal, JournalError, Shared, Sync, clean};

/// Age of the first unsynced byte at which `everysec` syncs.
const SYNC_AFTER: Duration = Duration::from_millis(800);
/// How often free disk is asked for.
const RESERVE_EVERY: Duration = Duration::from_millis(200);
/// The default reserve: the smaller of this and 5 % of the disk (RELIABILITY.md 1).
const RESERVE_BYTES: u64 = 1 << 30;

/// What the thread waits for.
#[derive(Default)]
pub(super) struct Wake {
    /// When the oldest unsynced byte was written.
    first_unsynced: Option<Duration>,
    /// Something changed since the thread last looked.
    signal: bool,
    stop: bool,
    reserve_asked: Option<Duration>,
}

impl Journal {
    /// One step of what the journal's thread does, at monotonic time `now`: asks for free disk,
    /// syncs if it is time, begins a new segment when the old one is nearly full. Returns after
    /// how long the next step is due at the latest.
    ///
    /// # Errors
    /// The error that poisoned the journal, now or earlier.
    pub fn sync_step(&self, now: Duration) -> Result<Duration, JournalError> {
        self.0.shared.sync_step(now)
    }

    /// Returns when everything up to `index` survives a power cut; syncs on this thread, or
    /// waits for the sync another thread is in.
    ///
    /// # Errors
    /// The error that poisoned the journal, now or earlier.
    pub fn sync_to(&self, index: u64) -> Result<(), JournalError> {
        let shared = &self.0.shared;
        let index = index.min(self.end());
        shared.flush(index)?;
        if shared.synced.load(Ordering::Acquire) < index {
            shared.sync_through(index)?;
        }
        shared.check()
    }

    /// Changes `appendfsync`. Leaving [`Sync::Always`] releases what is written.
    pub fn set_sync(&self, sync: Sync) {
        let shared = &self.0.shared;
        let writing = shared.writing.lock();
        shared.policy.store(sync.to_byte(), Ordering::Release);
        drop(writing);
        if sync != Sync::Always && shared.check().is_ok() {
            shared.release(shared.written.load(Ordering::Acquire));
        }
        shared.signal();
    }

    /// Writes and syncs everything and leaves the clean-shutdown mark. Other clones answer
    /// [`JournalError::Closed`] afterwards.
    ///
    /// # Errors
    /// The error that poisoned the journal, now or earlier; then there is no mark.
    pub fn close(self) -> Result<(), JournalError> {
        let shared = &self.0.shared;
        self.0.stop_thread();
        shared.flush(self.end())?;
        // From here on nobody writes, so the mark tells the end.
        let mut writing = shared.writing.lock();
        shared.check()?;
        let end = shared.write_gathered(&mut writing)?;
        shared.sync_file(&writing.segment).map_err(|error| shared.poison(error))?;
        let last = writing.last;
        let _ = shared.poison.set(JournalError::Closed);
        drop(writing);
        shared.synced.fetch_max(end, Ordering::AcqRel);
        shared.release(end);
        clean::write(&*shared.files, &shared.options.dir, last)
    }
}

impl Shared {
    fn sync_step(&self, now: Duration) -> Result<Duration, JournalError> {
        self.check()?;
        self.ask_reserve(now);
        let written = self.written.load(Ordering::Acquire);
        let first = self.wake.lock().first_unsynced;
        let due = match Sync::from_byte(self.policy.load(Ordering::Acquire)) {
            Sync::Always => Some(Duration::ZERO),
            Sync::EverySec => {
                first.map(|first| first.saturating_add(SYNC_AFTER).saturating_sub(now))
            }
            Sync::No => None,
        };
        if due == Some(Duration::ZERO) && written > self.synced.load(Ordering::Acquire) {
            self.sync_through(written)?;
            self.rotate_early()?;
        }
        let wait = due.filter(|due| !due.is_zero()).unwrap_or(RESERVE_EVERY);
        Ok(wait.min(RESERVE_EVERY))
    }

    /// Syncs unless another thread did it up to `index` meanwhile.
    fn sync_through(&self, index: u64) -> Result<(), JournalError> {
        let syncing = self.syncing.lock();
        self.check()?;
        if self.synced.load(Ordering::Acquire) >= index {
            return Ok(());
        }
        self.wake.lock().first_unsynced = None;
        // The index is read before the segment: what is in no older, whole segment is in this one.
        let target = self.written.load(Ordering::Acquire);
        if let Some(segment) = self.current() {
            self.sync_file(&segment).map_err(|error| self.poison(error))?;
        }
        self.synced.fetch_max(target, Ordering::AcqRel);
        drop(syncing);
        if self.policy.load(Ordering::Acquire) == Sync::Always.to_byte() {
            self.release(target);
        }
        Ok(())
    }

    pub fn sync_file(&self, segment: &Arc<Segment>) -> Result<(), JournalError> {
        let began = (self.options.clock)();
        segment
            .file
            .sync_data()
            .map_err(|error| JournalError::failed("sync", &segment.path, &error))?;
        self.stats.synced((self.options.clock)().saturating_sub(began));
        Ok(())
    }

    /// Begins a new segment before a core has to, right after a sync, when little is unsynced.
    fn rotate_early(&self) -> Result<(), JournalError> {
        let most = self.options.segment_bytes;
        if self.current().is_none_or(|segment| segment.size() < most - most / 8) {
            return Ok(());
        }
        let mut writing = self.writing.lock();
        self.check()?;
        if writing.segment.size() < most - most / 8 {
            return Ok(());
        }
        self.rotate(&mut writing).map_err(|error| self.poison(error))
    }

    fn release(&self, upto: u64) {
        if self.released.fetch_max(upto, Ordering::AcqRel) < upto
            && let Some(f) = self.on_release.get()
        {
            f(upto);
        }
    }

    /// Notes that a flush that began at `began` wrote something.
    pub fn wrote(&self, began: Duration, policy: Sync) {
        let mut wake = self.wake.lock();
        let first = wake.first_unsynced.is_none();
        if first {
            wake.first_unsynced = Some(began);
        }
        if policy == Sync::Always || (first && policy == Sync::EverySec) {
            wake.signal = true;
            drop(wake);
            self.waker.notify_one();
        }
    }

    fn signal(&self) {
        self.wake.lock().signal = true;
        self.waker.notify_one();
    }

    fn ask_reserve(&self, now: Duration) {
        let mut wake = self.wake.lock();
        if wake.reserve_asked.is_some_and(|asked| now < asked.saturating_add(RESERVE_EVERY)) {
            return;
        }
        wake.reserve_asked = Some(now);
        drop(wake);
        let written = self.stats.bytes_written.load(Ordering::Relaxed);
        match self.files.space(&self.options.dir) {
            Ok(space) => {
                let default = RESERVE_BYTES.min(space.total / 20);
                let reserve = self.options.reserve_bytes.unwrap_or(default);
                let room = space.free.saturating_sub(reserve);
                self.reserve_at.store(written.saturating_add(room), Ordering::Relaxed);
                self.reserve_low.store(space.free < reserve, Ordering::Relaxed);
            }
            Err(error) => tracing::warn!(%error, "cannot ask for free disk space"),
        }
    }

    /// The journal's thread.
    pub fn run(&self) {
        // A poisoned journal has told everybody: nothing is left to do.
        while let Ok(wait) = self.sync_step((self.options.clock)()) {
            let mut wake = self.wake.lock();
            if !wake.signal && !wake.stop {
                self.waker.wait_for(&mut wake, wait);
            }
            if wake.stop {
                return;
            }
            wake.signal = false;
        }
    }
}

impl Handle {
    pub fn stop_thread(&self) {
        self.shared.wake.lock().stop = true;
        self.shared.waker.notify_one();
        let Some(thread) = self.thread.lock().take() else { return };
        // The last clone may die in a callback, on the thread itself.
        if thread.thread().id() != std::thread::current().id() && thread.join().is_err() {
            tracing::error!("the journal's thread panicked");
        }
    }
}
