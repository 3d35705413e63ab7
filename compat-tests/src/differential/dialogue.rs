//! Commands that need a conversation: random replies are checked against the content, scans are
//! followed to their end.

use std::collections::BTreeSet;

use super::Differential;
use super::compare::agree;
use crate::Result;
use crate::client::Client;
use crate::generator::{Item, Kind};
use crate::reply::Reply;

/// More calls than that for one scan of a small value means that it does not end.
const SCAN_CALLS_MAX: usize = 20_000;

impl Differential {
    pub(crate) fn dialogue(&mut self, item: &Item) -> Result<()> {
        match item.kind {
            Kind::Scan(group) => self.scan(item, group),
            _ => self.random(item),
        }
    }

    fn random(&mut self, item: &Item) -> Result<()> {
        let content = content(self.redis.client(0), &item.args)?;
        let redis = self.redis.client(0).command(&item.args)?;
        let sut = self.sut.client(0).command(&item.args)?;
        let same = agree(Kind::Exact, &redis, &sut)
            || content.is_some_and(|content| is_drawn_from(&content, &item.args, &redis, &sut));
        let popped = item.kind == Kind::Pop
            && (matches!(redis, Reply::Bulk(_)) || redis.elements().is_some_and(|r| !r.is_empty()));
        self.conclude(item, redis, &sut, same);
        if let Some(key) = item.args.get(1).filter(|_| popped && same) {
            self.make_equal(key)?;
        }
        Ok(())
    }

    /// Gives the server under test the set that redis-server has. Both get it anew, so that the
    /// encoding depends on the same history.
    fn make_equal(&mut self, key: &[u8]) -> Result<()> {
        let members = self.redis.client(0).command(&[b"SMEMBERS", key])?;
        let mut add = vec![b"SADD".to_vec(), key.to_vec()];
        let members = members.elements().unwrap_or_default();
        add.extend(members.iter().filter_map(|member| member.bytes().map(<[u8]>::to_vec)));
        for side in [&mut self.redis, &mut self.sut] {
            side.client(0).command(&[b"DEL", key])?;
            if !members.is_empty() {
                side.client(0).command(&add)?;
            }
        }
        Ok(())
    }

    fn scan(&mut self, item: &Item, group: usize) -> Result<()> {
        let (redis, all_redis) = scan_all(self.redis.client(0), &item.args, group)?;
        let (sut, all_sut) = scan_all(self.sut.client(0), &item.args, group)?;
        // What a cursor that no call gave stands for is each server's own affair.
        let at = scan_cursor(&item.args);
        let foreign = item.args.get(at).is_some_and(|cursor| cursor != b"0");
        let same = match (&all_redis, &all_sut) {
            (Some(_), Some(_)) if foreign => true,
            (Some(redis), Some(sut)) => redis == sut,
            _ => redis == sut,
        };
        // What is shown of a difference is the whole scan, not its first call.
        let shown = |all: Option<BTreeSet<Vec<Reply>>>, first: Reply| match all {
            Some(all) => Reply::Array(all.into_iter().flatten().collect()),
            None => first,
        };
        let (redis, sut) = (shown(all_redis, redis), shown(all_sut, sut));
        self.conclude(item, redis, &sut, same);
        Ok(())
    }
}

/// The elements a random reply may consist of, in redis-server; `None` when the command has none.
fn content(redis: &mut Client, args: &[Vec<u8>]) -> Result<Option<Vec<Vec<Reply>>>> {
    let name = args.first().map(|name| name.to_ascii_uppercase()).unwrap_or_default();
    let key = args.get(1).map_or(&b""[..], Vec::as_slice);
    let (command, group): (Vec<&[u8]>, usize) = match name.as_slice() {
        b"RANDOMKEY" => (vec![b"KEYS", b"*"], 1),
        b"SRANDMEMBER" | b"SPOP" => (vec![b"SMEMBERS", key], 1),
        b"HRANDFIELD" => (vec![b"HGETALL", key], 2),
        b"ZRANDMEMBER" => (vec![b"ZRANGE", key, b"0", b"-1", b"WITHSCORES"], 2),
        _ => return Ok(None),
    };
    let reply = redis.command(&command)?;
    Ok(reply.elements().map(|items| items.chunks(group).map(<[Reply]>::to_vec).collect()))
}

/// The property of a random reply: as many elements as redis-server gave, all of the content, and
/// none twice unless the count was negative.
fn is_drawn_from(content: &[Vec<Reply>], args: &[Vec<u8>], redis: &Reply, sut: &Reply) -> bool {
    let known = |group: &[Reply]| {
        content.iter().any(|item| item.iter().zip(group).all(|(a, b)| a == b) && !group.is_empty())
    };
    match (redis, sut) {
        (Reply::Bulk(_), Reply::Bulk(_)) => known(std::slice::from_ref(sut)),
        (Reply::Array(redis), Reply::Array(sut)) => {
            let group = if args.len() > 3 { 2 } else { 1 };
            let drawn: BTreeSet<&[Reply]> = sut.chunks(group).collect();
            let repeats = args.get(2).is_some_and(|count| count.starts_with(b"-"));
            redis.len() == sut.len()
                && drawn.iter().all(|group| known(group))
                && (repeats || drawn.len() * group == sut.len())
        }
        _ => false,
    }
}

/// Where the cursor stands among the arguments.
fn scan_cursor(args: &[Vec<u8>]) -> usize {
    if args.first().is_some_and(|name| name.eq_ignore_ascii_case(b"SCAN")) { 1 } else { 2 }
}

/// Follows a scan; returns its first reply, and all groups when it could be followed.
fn scan_all(
    client: &mut Client,
    args: &[Vec<u8>],
    group: usize,
) -> Result<(Reply, Option<BTreeSet<Vec<Reply>>>)> {
    let mut args = args.to_vec();
    let first = client.command(&args)?;
    let at = scan_cursor(&args);
    let mut all = BTreeSet::new();
    let mut reply = first.clone();
    for _ in 0..SCAN_CALLS_MAX {
        let Some([Reply::Bulk(cursor), Reply::Array(items)]) = reply.elements() else {
            return Ok((first, None));
        };
        all.extend(items.chunks(group).map(<[Reply]>::to_vec));
        if cursor == b"0" {
            return Ok((first, Some(all)));
        }
        match args.get_mut(at) {
            Some(arg) => *arg = cursor.clone(),
            None => return Ok((first, None)),
        }
        reply = client.command(&args)?;
    }
    Err(format!("a scan does not end: {}", crate::text::quote_command(&args)).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_random_reply_has_only_what_is_there() {
        let bulk = |text: &str| Reply::Bulk(text.as_bytes().to_vec());
        let content = vec![vec![bulk("a"), bulk("1")], vec![bulk("b"), bulk("2")]];
        let args = |text: &str| crate::text::split(text).unwrap();
        let check = |command: &str, redis: &[&str], sut: &[&str]| {
            let array = |words: &[&str]| Reply::Array(words.iter().map(|w| bulk(w)).collect());
            is_drawn_from(&content, &args(command), &array(redis), &array(sut))
        };
        assert!(check("HRANDFIELD h 1", &["a"], &["b"]));
        assert!(!check("HRANDFIELD h 1", &["a"], &["c"]));
        assert!(!check("HRANDFIELD h 2", &["a", "b"], &["b", "b"]));
        assert!(check("HRANDFIELD h -2", &["a", "b"], &["b", "b"]));
        assert!(!check("HRANDFIELD h 1 WITHVALUES", &["a", "1"], &["b", "1"]));
        assert!(!check("HRANDFIELD h 2", &["a", "b"], &["b"]));
    }
}
