//! The end of a turn: the journal once, then all replies that it releases.

use super::super::connection::Connection;
use super::Core;
use std::sync::atomic::Ordering;

impl Core {
    /// Appends out-of-order bytes: a message of a channel, a line of MONITOR.
    pub(crate) fn deliver(&mut self, connection: &mut Connection, bytes: &[u8], after: u64) {
        if connection.closing {
            return;
        }
        connection.out.extend_from_slice(bytes);
        connection.mark(after);
        if connection.unsent() > self.node.config.pubsub_limit() {
            self.node.counters.killed_for_output.fetch_add(1, Ordering::Relaxed);
            tracing::warn!(client = connection.session.client.id, "output buffer limit reached");
            connection.dead = true;
        }
    }

    /// The journal once, then all replies.
    pub(super) fn end_turn(&mut self) {
        self.begin_loads();
        if let Some(store) = &self.node.store {
            let end = store.journal.end();
            if store.journal.written() < end
                && let Err(error) = store.journal.flush(end)
            {
                store.fatal(&error.to_string());
            }
        }
        let mut dirty = std::mem::take(&mut self.dirty);
        for place in dirty.drain(..) {
            self.flush(place);
        }
        if self.dirty.is_empty() {
            self.dirty = dirty;
        }
        self.publish_counters();
    }

    pub(super) fn flush(&mut self, place: usize) {
        let mut again = false;
        let mut unreleased = false;
        self.with(place, |core, connection| {
            connection.dirty = true;
            match connection.flush(|index| core.node.is_released(index)) {
                Ok(sent) => {
                    core.node.counters.net_out.fetch_add(sent as u64, Ordering::Relaxed);
                    if connection.unsent() == 0 && connection.closing {
                        connection.dead = true;
                    } else if connection.unsent() > 0 && !connection.is_write_blocked() {
                        unreleased = true;
                    }
                    again = core.reads(connection) && !connection.input.is_empty();
                    if !again && core.reads(connection) && sent >= core.unsent_pause {
                        again = true;
                    }
                }
                Err(_) => connection.dead = true,
            }
            let client = &connection.session.client;
            client.reply_bytes.store(connection.unsent(), Ordering::Relaxed);
            client.query_bytes.store(connection.input.len(), Ordering::Relaxed);
        });
        if let Some(Some(connection)) = self.connections.get_mut(place) {
            connection.dirty = false;
        }
        if unreleased {
            self.unreleased.push(place);
        }
        if again {
            self.inbox.ready(place);
        }
    }

    fn publish_counters(&mut self) {
        let counters = &self.node.counters;
        let turn = &mut self.turn;
        for (shared, own) in [
            (&counters.hits, &mut turn.hits),
            (&counters.misses, &mut turn.misses),
            (&counters.expired, &mut turn.expired),
            (&counters.net_in, &mut self.net_in),
        ] {
            if *own > 0 {
                shared.fetch_add(std::mem::take(own), Ordering::Relaxed);
            }
        }
    }
}
