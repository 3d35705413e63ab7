//! Who listens to which channel, and telling them.
//!
//! A message is encoded once per protocol and handed to the core of each listener. It carries the
//! journal index it must not be seen before (C26).

use crate::net::{Inbox, Message};
use crate::session::{Client, Subscriptions};
use dashmap::DashMap;
use parking_lot::RwLock;
use resp::{Protocol, Reply};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use storage::commands::glob;

type Listeners = Vec<Arc<Client>>;

#[derive(Default)]
pub struct Pubsub {
    channels: DashMap<Box<[u8]>, Listeners>,
    shard_channels: DashMap<Box<[u8]>, Listeners>,
    patterns: RwLock<BTreeMap<Box<[u8]>, Listeners>>,
}

/// The three kinds of subscription.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Channel,
    Pattern,
    Shard,
}

/// What is published.
#[derive(Clone, Copy)]
pub struct News<'a> {
    /// Of a channel or of a sharded channel.
    pub kind: Kind,
    pub channel: &'a [u8],
    pub payload: &'a [u8],
    /// The journal index before which nobody may see it.
    pub after: u64,
}

/// One message in both protocols, made when first needed.
struct Encoded<'a> {
    words: &'a [&'a [u8]],
    resp2: Option<Arc<[u8]>>,
    resp3: Option<Arc<[u8]>>,
}

impl Encoded<'_> {
    fn bytes(&mut self, protocol: Protocol) -> Arc<[u8]> {
        let slot = match protocol {
            Protocol::Resp2 => &mut self.resp2,
            Protocol::Resp3 => &mut self.resp3,
        };
        slot.get_or_insert_with(|| encode(self.words, protocol).into()).clone()
    }
}

fn encode(words: &[&[u8]], protocol: Protocol) -> Vec<u8> {
    let mut out = Vec::new();
    let mut reply = Reply::new(&mut out, protocol);
    reply.push(words.len());
    words.iter().for_each(|word| reply.bulk(word));
    out
}

impl Pubsub {
    /// Adds a listener; it does not listen to this already.
    pub fn subscribe(&self, kind: Kind, name: &[u8], client: &Arc<Client>) {
        match kind {
            Kind::Channel => self.channels.entry(name.into()).or_default().push(client.clone()),
            Kind::Shard => self.shard_channels.entry(name.into()).or_default().push(client.clone()),
            Kind::Pattern => {
                self.patterns.write().entry(name.into()).or_default().push(client.clone());
            }
        }
    }

    pub fn unsubscribe(&self, kind: Kind, name: &[u8], client: u64) {
        let leave = |listeners: &mut Listeners| {
            listeners.retain(|listener| listener.id != client);
            listeners.is_empty()
        };
        match kind {
            Kind::Channel => {
                self.channels.remove_if_mut(name, |_, listeners| leave(listeners));
            }
            Kind::Shard => {
                self.shard_channels.remove_if_mut(name, |_, listeners| leave(listeners));
            }
            Kind::Pattern => {
                let mut patterns = self.patterns.write();
                if patterns.get_mut(name).is_some_and(leave) {
                    patterns.remove(name);
                }
            }
        }
    }

    /// Removes a client that is gone from all it listened to.
    pub fn forget(&self, all: &Subscriptions, client: u64) {
        all.channels.iter().for_each(|name| self.unsubscribe(Kind::Channel, name, client));
        all.patterns.iter().for_each(|name| self.unsubscribe(Kind::Pattern, name, client));
        all.shard_channels.iter().for_each(|name| self.unsubscribe(Kind::Shard, name, client));
    }

    /// Sends a message to everybody concerned and returns how many that were. What is for the
    /// publisher itself is given to `own` instead, to stand in front of its reply.
    pub fn publish(
        &self,
        news: News<'_>,
        inboxes: &[Arc<Inbox>],
        publisher: u64,
        own: &mut dyn FnMut(&[u8]),
    ) -> usize {
        let News { kind, channel, payload, after } = news;
        let mut count = 0;
        let mut send = |listeners: &Listeners, words: &[&[u8]]| {
            let mut encoded = Encoded { words, resp2: None, resp3: None };
            for client in listeners {
                let resp3 = client.resp3.load(Ordering::Relaxed);
                let bytes = encoded.bytes(if resp3 { Protocol::Resp3 } else { Protocol::Resp2 });
                count += 1;
                if client.id == publisher {
                    own(&bytes);
                } else if let Some(inbox) = inboxes.get(client.core) {
                    let (place, client) = (client.place, client.id);
                    inbox.send(Message::Deliver { place, client, bytes, after });
                }
            }
        };
        if kind == Kind::Shard {
            if let Some(listeners) = self.shard_channels.get(channel) {
                send(&listeners, &[b"smessage", channel, payload]);
            }
            return count;
        }
        if let Some(listeners) = self.channels.get(channel) {
            send(&listeners, &[b"message", channel, payload]);
        }
        for (pattern, listeners) in self.patterns.read().iter() {
            if glob::matches(pattern, channel, false) {
                send(listeners, &[b"pmessage", pattern, channel, payload]);
            }
        }
        count
    }

    /// Channels with listeners, matching a pattern if there is one.
    pub fn names(&self, kind: Kind, pattern: Option<&[u8]>) -> Vec<Box<[u8]>> {
        let map = if kind == Kind::Shard { &self.shard_channels } else { &self.channels };
        let names = map.iter().map(|entry| entry.key().clone());
        names
            .filter(|name| pattern.is_none_or(|pattern| glob::matches(pattern, name, false)))
            .collect()
    }

    /// Listeners of one channel.
    pub fn listeners(&self, kind: Kind, name: &[u8]) -> usize {
        let map = if kind == Kind::Shard { &self.shard_channels } else { &self.channels };
        map.get(name).map_or(0, |listeners| listeners.len())
    }

    /// Number of patterns with listeners.
    pub fn patterns(&self) -> usize {
        self.patterns.read().len()
    }

    /// Number of channels with listeners, sharded ones apart.
    pub fn sizes(&self) -> (usize, usize) {
        (self.channels.len(), self.shard_channels.len())
    }
}
