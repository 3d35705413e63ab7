//! Connections come, have a place on the core while they last, and go.

use super::super::connection::Connection;
use super::super::inbox::SocketWaker;
use super::Core;
use crate::session::{Client, ClientTexts, Session};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};

impl Core {
    /// Takes a connection out of its place for the time of `work`.
    pub(crate) fn with(&mut self, place: usize, work: impl FnOnce(&mut Core, &mut Connection)) {
        let Some(mut connection) = self.connections.get_mut(place).and_then(Option::take) else {
            return;
        };
        work(self, &mut connection);
        if connection.dead {
            self.drop_connection(place, *connection);
            return;
        }
        if !connection.dirty && connection.unsent() > 0 {
            connection.dirty = true;
            self.dirty.push(place);
        }
        if let Some(slot) = self.connections.get_mut(place) {
            *slot = Some(connection);
        }
    }

    /// [`Core::with`], if the place still belongs to that client.
    pub(super) fn with_client(
        &mut self,
        place: usize,
        id: u64,
        work: impl FnOnce(&mut Core, &mut Connection),
    ) {
        self.with(place, |core, connection| {
            if connection.session.client.id == id {
                work(core, connection);
            }
        });
    }

    pub(super) fn accept(&mut self, socket: std::net::TcpStream, peer: SocketAddr) {
        let laddr = socket.local_addr().unwrap_or(peer);
        let Ok(stream) = tokio::net::TcpStream::from_std(socket) else {
            self.node.clients.release();
            self.leave_load();
            return;
        };
        let entry = self.connections.vacant_entry();
        let place = entry.key();
        let client = Arc::new(Client {
            id: self.node.clients.next_id(),
            addr: peer,
            laddr,
            core: self.number,
            place,
            created: self.turn.now,
            last_active: AtomicI64::new(self.turn.now),
            last_command: AtomicUsize::new(usize::MAX),
            db: AtomicUsize::new(0),
            multi: AtomicI64::new(-1),
            watching: AtomicUsize::new(0),
            channels: AtomicUsize::new(0),
            patterns: AtomicUsize::new(0),
            shard_channels: AtomicUsize::new(0),
            resp3: AtomicBool::new(false),
            monitor: AtomicBool::new(false),
            no_evict: AtomicBool::new(false),
            no_touch: AtomicBool::new(false),
            killed: AtomicBool::new(false),
            blocked: AtomicBool::new(false),
            query_bytes: AtomicUsize::new(0),
            query_free: AtomicUsize::new(0),
            reply_bytes: AtomicUsize::new(0),
            texts: parking_lot::Mutex::new(ClientTexts {
                user: "default".to_owned(),
                ..ClientTexts::default()
            }),
        });
        self.node.clients.add(client.clone());
        let session = Session::new(client, !self.node.config.requires_password());
        let waker = Arc::new(SocketWaker {
            inbox: self.inbox.clone(),
            place,
            queued: AtomicBool::new(false),
        });
        entry.insert(Some(Box::new(Connection::new(stream, waker, session))));
        self.with(place, Core::serve);
    }

    fn leave_load(&self) {
        if let Some(count) = self.load.get(self.number) {
            count.fetch_sub(1, Ordering::Relaxed);
        }
    }

    fn drop_connection(&mut self, place: usize, mut connection: Connection) {
        self.end_session(&mut connection.session);
        self.node.clients.remove(connection.session.client.id);
        self.node.clients.release();
        self.leave_load();
        self.connections.try_remove(place);
    }
}
