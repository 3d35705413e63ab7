//! How others reach the feeding thread, and how it tells them that a feed ended.

use parking_lot::{Condvar, Mutex};
use std::time::Duration;

/// Requests for feeds, and the end of feeds.
#[derive(Default)]
pub struct Feeder {
    state: Mutex<FeedState>,
    changed: Condvar,
}

#[derive(Default)]
struct FeedState {
    wanted: bool,
    stop: bool,
    /// Feeds begun and ended; a feed that began after a request has all that was before it.
    begun: u64,
    ended: u64,
    /// Text of the error that ended the last feed.
    failure: Option<String>,
}

impl Feeder {
    /// Asks for a feed soon.
    pub fn want(&self) {
        let mut state = self.state.lock();
        if !state.wanted {
            state.wanted = true;
            self.changed.notify_all();
        }
    }

    pub fn stop(&self) {
        self.state.lock().stop = true;
        self.changed.notify_all();
    }

    /// Waits until everything journaled before the call is in the base.
    pub fn feed_now(&self) -> Result<(), String> {
        let mut state = self.state.lock();
        let target = state.begun + 1;
        state.wanted = true;
        self.changed.notify_all();
        // A feed that failed ends too; its error is the answer.
        while state.ended < target && !state.stop {
            self.changed.wait(&mut state);
        }
        state.failure.clone().map_or(Ok(()), Err)
    }

    /// Waits a moment for a request. Returns whether there was one; `None` when the thread is to
    /// end.
    pub(super) fn next(&self, at_most: Duration) -> Option<bool> {
        let mut state = self.state.lock();
        if !state.wanted && !state.stop {
            self.changed.wait_for(&mut state, at_most);
        }
        let wanted = std::mem::take(&mut state.wanted);
        (!state.stop).then_some(wanted)
    }

    /// Says that a feed begins: requests from here on are for the next one.
    pub(super) fn begin(&self) {
        self.state.lock().begun += 1;
    }

    /// Says how the feed ended to all who wait; `before` runs first, unseen by them.
    pub(super) fn end(&self, failure: Option<String>, before: impl FnOnce()) {
        let mut state = self.state.lock();
        state.failure = failure;
        state.ended = state.begun;
        before();
        self.changed.notify_all();
    }
}
