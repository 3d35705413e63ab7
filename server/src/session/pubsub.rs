//! SUBSCRIBE and its kin, PUBLISH, PUBSUB; and sending keyspace notifications.

use super::{After, Call, SessionFn, Subscriptions};
use crate::net::Core;
use crate::node::Node;
use crate::pubsub::{Kind, News};
use resp::Reply;
use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use storage::commands::Fail;
use storage::keyspace::Notice;
use storage::keyspace::notify::{KEYEVENT, KEYSPACE};

pub const CODE: &[(&str, SessionFn)] = &[
    ("subscribe", |call, reply| subscribe(call, reply, Kind::Channel)),
    ("psubscribe", |call, reply| subscribe(call, reply, Kind::Pattern)),
    ("ssubscribe", |call, reply| subscribe(call, reply, Kind::Shard)),
    ("unsubscribe", |call, reply| unsubscribe(call, reply, Kind::Channel)),
    ("punsubscribe", |call, reply| unsubscribe(call, reply, Kind::Pattern)),
    ("sunsubscribe", |call, reply| unsubscribe(call, reply, Kind::Shard)),
    ("publish", |call, reply| publish(call, reply, Kind::Channel)),
    ("spublish", |call, reply| publish(call, reply, Kind::Shard)),
    ("pubsub|channels", |call, reply| names(call, reply, Kind::Channel)),
    ("pubsub|shardchannels", |call, reply| names(call, reply, Kind::Shard)),
    ("pubsub|numsub", |call, reply| numbers(call, reply, Kind::Channel)),
    ("pubsub|shardnumsub", |call, reply| numbers(call, reply, Kind::Shard)),
    ("pubsub|numpat", numpat),
    ("pubsub|help", help),
];

fn set_of(all: &mut Subscriptions, kind: Kind) -> &mut BTreeSet<Box<[u8]>> {
    match kind {
        Kind::Channel => &mut all.channels,
        Kind::Pattern => &mut all.patterns,
        Kind::Shard => &mut all.shard_channels,
    }
}

/// What the confirmations count: channels and patterns together, sharded channels apart.
fn count(all: Option<&Subscriptions>, kind: Kind) -> usize {
    all.map_or(0, |all| if kind == Kind::Shard { all.shard_channels.len() } else { all.count() })
}

fn subscribe(call: &mut Call<'_>, reply: &mut Reply<'_>, kind: Kind) -> Result<After, Fail> {
    let word = match kind {
        Kind::Channel => "subscribe",
        Kind::Pattern => "psubscribe",
        Kind::Shard => "ssubscribe",
    };
    for name in call.args.from(1).iter() {
        let all = call.session.subscriptions.get_or_insert_default();
        if set_of(all, kind).insert(name.into()) {
            call.node.pubsub.subscribe(kind, name, &call.session.client);
        }
        reply.push(3);
        reply.bulk_str(word);
        reply.bulk(name);
        reply.int(count(call.session.subscriptions.as_deref(), kind) as i64);
    }
    call.session.publish_state();
    Ok(After::Done)
}

fn unsubscribe(call: &mut Call<'_>, reply: &mut Reply<'_>, kind: Kind) -> Result<After, Fail> {
    let word = match kind {
        Kind::Channel => "unsubscribe",
        Kind::Pattern => "punsubscribe",
        Kind::Shard => "sunsubscribe",
    };
    let mut names: Vec<Box<[u8]>> = call.args.from(1).iter().map(Into::into).collect();
    if names.is_empty()
        && let Some(all) = &mut call.session.subscriptions
    {
        names = set_of(all, kind).iter().cloned().collect();
    }
    let none = names.is_empty();
    for name in &names {
        if let Some(all) = &mut call.session.subscriptions
            && set_of(all, kind).remove(name)
        {
            call.node.pubsub.unsubscribe(kind, name, call.session.client.id);
        }
        reply.push(3);
        reply.bulk_str(word);
        reply.bulk(name);
        reply.int(count(call.session.subscriptions.as_deref(), kind) as i64);
    }
    if none {
        reply.push(3);
        reply.bulk_str(word);
        reply.null();
        reply.int(count(call.session.subscriptions.as_deref(), kind) as i64);
    }
    if call.session.subscriptions.as_ref().is_some_and(|all| all.is_empty()) {
        call.session.subscriptions = None;
    }
    call.session.publish_state();
    Ok(After::Done)
}

fn publish(call: &mut Call<'_>, reply: &mut Reply<'_>, kind: Kind) -> Result<After, Fail> {
    let (channel, payload) = (call.args.at(1), call.args.at(2));
    let node = call.node;
    let (after, id) = (node.journal_end(), call.session.client.id);
    let mut own = |bytes: &[u8]| reply.raw(bytes);
    let news = News { kind, channel, payload, after };
    let heard = node.pubsub.publish(news, &node.inboxes, id, &mut own);
    node.counters.published.fetch_add(1, Ordering::Relaxed);
    reply.int(heard as i64);
    Ok(After::Done)
}

fn names(call: &mut Call<'_>, reply: &mut Reply<'_>, kind: Kind) -> Result<After, Fail> {
    if call.args.len() > 3 {
        return Err(Fail::quoting(
            "ERR unknown subcommand or wrong number of arguments for '",
            call.args.at(1),
            "'. Try PUBSUB HELP.",
        ));
    }
    let names = call.node.pubsub.names(kind, call.args.get(2));
    reply.array(names.len());
    names.iter().for_each(|name| reply.bulk(name));
    Ok(After::Done)
}

fn numbers(call: &mut Call<'_>, reply: &mut Reply<'_>, kind: Kind) -> Result<After, Fail> {
    let names = call.args.from(2);
    reply.array(2 * names.len());
    for name in names.iter() {
        reply.bulk(name);
        reply.int(call.node.pubsub.listeners(kind, name) as i64);
    }
    Ok(After::Done)
}

fn numpat(call: &mut Call<'_>, reply: &mut Reply<'_>) -> Result<After, Fail> {
    reply.int(call.node.pubsub.patterns() as i64);
    Ok(After::Done)
}

fn help(_: &mut Call<'_>, reply: &mut Reply<'_>) -> Result<After, Fail> {
    super::help(
        reply,
        "PUBSUB",
        &[
            "CHANNELS [<pattern>]",
            "    Return the currently active channels matching a <pattern> (default: '*').",
            "NUMPAT",
            "    Return number of subscriptions to patterns.",
            "NUMSUB [<channel> ...]",
            "    Return the number of subscribers for the specified channels, excluding",
            "    pattern subscriptions(default: no channels).",
            "SHARDCHANNELS [<pattern>]",
            "    Return the currently active shard level channels matching a <pattern> (default: '*').",
            "SHARDNUMSUB [<shardchannel> ...]",
            "    Return the number of subscribers for the specified shard level channel(s)",
        ],
    );
    Ok(After::Done)
}

impl Core {
    /// Publishes what the commands of this turn so far noted about keys.
    #[inline]
    pub(crate) fn publish_notices(&mut self) {
        if !self.turn.notices.is_empty() {
            self.publish_all_notices();
        }
    }

    #[cold]
    fn publish_all_notices(&mut self) {
        let notices = std::mem::take(&mut self.turn.notices);
        publish_notices(self.node, self.turn.settings.notify, notices);
    }
}

/// Publishes keyspace notifications as `classes`, the setting, says. Nobody sees them before what
/// is journaled by now is released (C26).
pub fn publish_notices(node: &Node, classes: u32, notices: Vec<Notice>) {
    let after = node.journal_end();
    for notice in notices {
        let tell = |channel: Vec<u8>, payload: &[u8]| {
            let nobody = &mut |_: &[u8]| {};
            let news = News { kind: Kind::Channel, channel: &channel, payload, after };
            node.pubsub.publish(news, &node.inboxes, 0, nobody);
        };
        if classes & KEYSPACE != 0 {
            let mut channel = format!("__keyspace@{}__:", notice.db).into_bytes();
            channel.extend_from_slice(&notice.key);
            tell(channel, notice.event.as_bytes());
        }
        if classes & KEYEVENT != 0 {
            let channel = format!("__keyevent@{}__:{}", notice.db, notice.event);
            tell(channel.into_bytes(), &notice.key);
        }
    }
}
