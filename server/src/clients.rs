//! The clients connected now, for CLIENT LIST, CLIENT KILL and `maxclients`.

use crate::session::Client;
use dashmap::DashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

#[derive(Default)]
pub struct Clients {
    all: DashMap<u64, Arc<Client>>,
    next_id: AtomicU64,
    count: AtomicUsize,
    /// Clients that run MONITOR.
    pub monitors: AtomicUsize,
}

impl Clients {
    pub fn next_id(&self) -> u64 {
        self.next_id.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Connections accepted and not yet ended.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// Takes a place for a connection being accepted; false over `max`.
    pub fn reserve(&self, max: usize) -> bool {
        let reserve = |count: usize| (count < max).then_some(count + 1);
        self.count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, reserve).is_ok()
    }

    /// Gives back a place taken with [`Clients::reserve`].
    pub fn release(&self) {
        self.count.fetch_sub(1, Ordering::Relaxed);
    }

    pub fn add(&self, client: Arc<Client>) {
        self.all.insert(client.id, client);
    }

    pub fn remove(&self, id: u64) {
        self.all.remove(&id);
    }

    pub fn get(&self, id: u64) -> Option<Arc<Client>> {
        self.all.get(&id).map(|client| client.clone())
    }

    /// All clients in the order of their ids.
    pub fn list(&self) -> Vec<Arc<Client>> {
        let mut all: Vec<Arc<Client>> =
            self.all.iter().map(|entry| entry.value().clone()).collect();
        all.sort_unstable_by_key(|client| client.id);
        all
    }
}
