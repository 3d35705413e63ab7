//! Connections whose next request waits: at a gate, for a time, for a load or a job.

use super::super::connection::{Connection, Wait};
use super::{Core, Flow};
use crate::node::steady_ns;
use resp::Reply;
use std::sync::atomic::Ordering;

impl Core {
    /// A wait of the connection is over; its reply is written.
    pub(super) fn resume(&mut self, connection: &mut Connection) {
        connection.wait = None;
        connection.session.client.blocked.store(false, Ordering::Relaxed);
        connection.mark(self.node.journal_end());
        for (after, bytes) in std::mem::take(&mut connection.later) {
            connection.out.extend_from_slice(&bytes);
            connection.mark(after);
        }
        self.inbox.ready(connection.socket_waker.place);
    }

    /// Runs the parked command again.
    pub(super) fn retry(&mut self, connection: &mut Connection) {
        let Some(args) = connection.parked.take() else { return };
        connection.wait = None;
        self.clock = steady_ns();
        let flow = self.execute(connection, args.as_args());
        if flow == Flow::Next || connection.wait.is_none() {
            self.resume(connection);
        }
    }

    /// Lets the connections that wait at a gate or for a time try again.
    pub(crate) fn pass_gates(&mut self) {
        for place in std::mem::take(&mut self.waiting) {
            self.with(place, |core, connection| match connection.wait {
                Some(Wait::Gate) => core.retry(connection),
                Some(Wait::Until(at)) if at <= core.turn.now => {
                    Reply::new(&mut connection.out, connection.session.protocol).int(0);
                    core.resume(connection);
                }
                Some(Wait::Again(at)) if at <= core.turn.now => core.retry(connection),
                Some(Wait::Until(_) | Wait::Again(_)) => core.waiting.push(place),
                _ => {}
            });
        }
    }
}
