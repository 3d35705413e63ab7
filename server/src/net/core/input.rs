//! What clients send: read once per turn, decoded, executed.

use super::super::connection::Connection;
use super::{Core, Flow, READ_BYTES};
use crate::node::steady_ns;
use resp::{Ahead, Decoder, Reply, Stopped};
use smallvec::SmallVec;
use std::sync::atomic::Ordering;
use std::task::Poll;
use storage::keyspace::Key;

/// Commands of a pipeline that are decoded before the first of them runs.
const AHEAD_MAX: usize = 32;

impl Core {
    /// Something happened on the socket, or the connection may go on.
    pub(super) fn serve(&mut self, connection: &mut Connection) {
        connection.socket_waker.queued.store(false, Ordering::Release);
        if connection.is_write_blocked() && !connection.dirty {
            connection.dirty = true;
            self.dirty.push(connection.socket_waker.place);
        }
        if connection.wait.is_some() || connection.closing || connection.dead {
            return;
        }
        if !connection.input.is_empty() {
            self.go_on(connection);
        }
        if !self.reads(connection) {
            return;
        }
        let mut buffer = std::mem::take(&mut self.buffer);
        let read = connection.read(&mut buffer);
        match read {
            Poll::Pending => {}
            Poll::Ready(Ok(0) | Err(_)) => connection.dead = true,
            Poll::Ready(Ok(n)) => {
                self.net_in += n as u64;
                self.take_input(connection, buffer.get(..n).unwrap_or_default());
                if self.reads(connection) {
                    if n == buffer.len() {
                        self.inbox.ready(connection.socket_waker.place);
                    } else {
                        // Nothing is there now; this arms the waker.
                        self.arm(connection, &mut buffer);
                    }
                }
            }
        }
        self.buffer = buffer;
    }

    /// Asks for the next wake-up; what came meanwhile is taken at once.
    fn arm(&mut self, connection: &mut Connection, buffer: &mut [u8]) {
        match connection.read(buffer) {
            Poll::Pending => {}
            Poll::Ready(Ok(0) | Err(_)) => connection.dead = true,
            Poll::Ready(Ok(n)) => {
                self.net_in += n as u64;
                self.take_input(connection, buffer.get(..n).unwrap_or_default());
                self.inbox.ready(connection.socket_waker.place);
            }
        }
    }

    pub(super) fn reads(&self, connection: &Connection) -> bool {
        connection.wait.is_none()
            && !connection.closing
            && !connection.dead
            && connection.unsent() < self.unsent_pause
    }

    /// Executes what was received; what is left of it stays with the connection.
    pub(super) fn take_input(&mut self, connection: &mut Connection, data: &[u8]) {
        connection.progress_ms = self.turn.now;
        if connection.input.is_empty() {
            let consumed = self.process(connection, data);
            let rest = data.get(consumed..).unwrap_or_default();
            if !rest.is_empty() {
                connection.input.extend_from_slice(rest);
            }
        } else {
            let missing = connection.decoder.missing(connection.input.len());
            if missing > data.len()
                && connection.input.capacity() < connection.input.len() + data.len()
            {
                // A big value is coming: grow by what has come, an eighth at least, never by
                // what was announced.
                let step = data.len().max(connection.input.len() / 8);
                connection.input.reserve_exact(step.min(missing.max(data.len())));
            }
            connection.input.extend_from_slice(data);
            self.go_on(connection);
        }
        if connection.input.len() > self.node.config.query_buffer_limit() {
            tracing::warn!(client = connection.session.client.id, "query buffer limit reached");
            connection.dead = true;
        }
    }

    /// Executes what the connection holds.
    fn go_on(&mut self, connection: &mut Connection) {
        let mut input = std::mem::take(&mut connection.input);
        let consumed = self.process(connection, &input);
        if consumed == input.len() {
            if input.capacity() <= READ_BYTES {
                input.clear();
                connection.input = input;
            }
            connection.shrink();
        } else {
            input.drain(..consumed);
            if input.len() < 1024 && input.capacity() > READ_BYTES {
                input.shrink_to(1024);
            }
            connection.input = input;
        }
    }

    /// Decodes and executes requests until the data ends or something stops the connection.
    /// Returns how many bytes were used.
    fn process(&mut self, connection: &mut Connection, data: &[u8]) -> usize {
        self.clock = steady_ns();
        let before = connection.out.len();
        let mut decoder = std::mem::take(&mut connection.decoder);
        let mut ahead = std::mem::take(&mut self.ahead);
        let mut at = 0;
        self.limits.bulk_len_max = self.turn.settings.bulk_len_max;
        while at < data.len() && self.reads(connection) {
            self.limits.unauthenticated = !connection.session.authenticated;
            // What may be sent before a password differs from what may be sent after it.
            let most = if self.limits.unauthenticated { 1 } else { AHEAD_MAX };
            let rest = data.get(at..).unwrap_or_default();
            let (used, stopped) = ahead.fill(&mut decoder, rest, &self.limits, most);
            let executed = self.execute_ahead(connection, &ahead, &decoder, rest);
            if let Executed::Some { used, stops } = executed {
                // What follows is decoded again.
                decoder.restart();
                at += used;
                if stops {
                    break;
                }
                continue;
            }
            at += used;
            match stopped {
                Stopped::Full => {}
                Stopped::Incomplete => break,
                Stopped::Failed(error) => {
                    self.node.counters.protocol_errors.fetch_add(1, Ordering::Relaxed);
                    let mut text = b"ERR ".to_vec();
                    text.extend_from_slice(&error.message());
                    let mut reply = Reply::new(&mut connection.out, connection.session.protocol);
                    reply.error_bytes(&text);
                    connection.closing = true;
                    at = data.len();
                }
            }
        }
        connection.decoder = decoder;
        self.ahead = ahead;
        if connection.out.len() > before {
            connection.mark(self.node.journal_end());
        }
        at
    }

    /// Executes decoded commands in their turn.
    fn execute_ahead(
        &mut self,
        connection: &mut Connection,
        ahead: &Ahead,
        decoder: &Decoder,
        buf: &[u8],
    ) -> Executed {
        let keys = self.prefetch(connection, ahead, decoder, buf);
        let mut done = 0;
        for index in 0..ahead.len() {
            let Some((args, consumed)) = ahead.command(index, decoder, buf) else { break };
            if index > 0 && !self.reads(connection) {
                self.turn.expect(None);
                return Executed::Some { used: done, stops: true };
            }
            self.turn.expect(keys.get(index));
            done = consumed;
            let stops = self.execute(connection, args) == Flow::Stop;
            // RESET logs out: other limits hold for what follows.
            if stops || connection.session.authenticated == self.limits.unauthenticated {
                self.turn.expect(None);
                return Executed::Some { used: done, stops };
            }
        }
        self.turn.expect(None);
        Executed::All
    }

    /// Brings near what the commands will look at, taking the first argument of each for its key.
    /// Returns those, or nothing when it is not worth it.
    #[inline]
    fn prefetch<'a>(
        &self,
        connection: &Connection,
        ahead: &'a Ahead,
        decoder: &'a Decoder,
        buf: &'a [u8],
    ) -> SmallVec<[Key<'a>; AHEAD_MAX]> {
        let mut keys = SmallVec::new();
        if self.prefetches && ahead.len() > 1 {
            let names = (0..ahead.len()).filter_map(|index| ahead.command(index, decoder, buf));
            keys.extend(names.map(|(args, _)| Key::new(args.at(1), self.turn.settings.tag)));
            self.node.space.prefetch(connection.session.db, &keys);
        }
        keys
    }
}

/// How many of the decoded commands were executed.
enum Executed {
    All,
    /// Those in these bytes; what follows is for later, errors too. `stops`: so is the connection.
    Some {
        used: usize,
        stops: bool,
    },
}
