//! Work by the clock: expiry, gates, connections that stand still.

use super::Core;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Memory in use below which objects are taken to be in the processor's cache, bytes.
const PREFETCH_ABOVE: u64 = 32 << 20;

impl Core {
    /// Work by the clock; returns when it wants to be called again.
    pub(super) fn tick(&mut self) -> Duration {
        if self.number == 0 {
            self.node.samples.take(self.node, self.turn.now);
        }
        self.expire_due();
        self.pass_gates();
        if self.turn.now - self.last_sweep_ms >= 1000 {
            self.last_sweep_ms = self.turn.now;
            self.unsent_pause = self.node.config.unsent_pause();
            self.prefetches = crate::memory::used() > PREFETCH_ABOVE;
            self.ahead.shrink();
            self.sweep();
        }
        let busy = !self.waiting.is_empty() || self.node.space.has_deadlines();
        Duration::from_millis(if busy { 10 } else { 100 })
    }

    /// Ends connections whose request makes no progress, and idle ones after `timeout`.
    fn sweep(&mut self) {
        let now = self.turn.now;
        let idle_ms = self.node.config.timeout_s() as i64 * 1000;
        let partial_ms = self.node.config.partial_request_s() as i64 * 1000;
        let places: Vec<usize> = self.connections.iter().map(|(place, _)| place).collect();
        for place in places {
            self.with(place, |_, connection| {
                if connection.wait.is_some() {
                    return;
                }
                let stuck = !connection.input.is_empty()
                    && connection.unsent() == 0
                    && now - connection.progress_ms > partial_ms;
                let active = connection.session.client.last_active.load(Ordering::Relaxed);
                let listens =
                    connection.session.subscriptions.is_some() || connection.session.monitor;
                let idle = idle_ms > 0 && !listens && now - active > idle_ms;
                connection.dead |= stuck || idle;
                connection.shrink();
            });
        }
    }
}
