//! Keys that must be loaded: those that the commands of a turn wait for, together (C15).

use super::super::connection::Connection;
use super::Core;
use crate::store::Waiter;
use crate::writer::Cold;

impl Core {
    /// Notes that a connection's command waits for keys; they are loaded from the end of the turn.
    pub(crate) fn load_later(&mut self, connection: &Connection, cold: Cold) {
        let place = connection.socket_waker.place;
        let client = connection.session.client.id;
        self.loads.waiters.push(Waiter { core: self.number, place, client, cold });
    }

    /// Begins to load what this turn's commands wait for.
    pub(super) fn begin_loads(&mut self) {
        if !self.loads.is_empty() {
            self.node.load(std::mem::take(&mut self.loads));
        }
    }
}
