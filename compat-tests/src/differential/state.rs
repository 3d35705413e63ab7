//! Compares all data of two servers: for each key type, encoding, content, and whether it expires.

use crate::Result;
use crate::client::Client;
use crate::reply::Reply;
use crate::text::quote;

/// How many databases a server has by default.
const DATABASES: usize = 16;
/// Keys looked at in one pipeline.
const CHUNK: usize = 200;

/// One thing in which the data differ.
#[derive(Debug)]
pub(crate) struct StateDifference {
    /// `content`, `encoding`, ...
    pub(crate) what: String,
    /// The key; empty when the set of keys differs.
    pub(crate) key: Vec<u8>,
    /// Readable, both sides.
    pub(crate) text: String,
}

/// Compares database by database.
pub(crate) fn compare(redis: &mut Client, sut: &mut Client) -> Result<Vec<StateDifference>> {
    let mut differences = Vec::new();
    for database in 0..DATABASES {
        let select = ["SELECT".to_owned(), database.to_string()];
        redis.command(&select)?;
        sut.command(&select)?;
        let (keys, other) = (keys(redis)?, keys_of_reply(sut.command(&["KEYS", "*"])?));
        if keys != other {
            let only = |a: &[Vec<u8>], b: &[Vec<u8>]| {
                let words: Vec<String> =
                    a.iter().filter(|key| !b.contains(key)).map(|key| quote(key)).collect();
                words.join(" ")
            };
            differences.push(StateDifference {
                what: "keys".to_owned(),
                key: Vec::new(),
                text: format!(
                    "db {database}: only in redis: {}; only in the other: {}",
                    only(&keys, &other),
                    only(&other, &keys)
                ),
            });
        }
        for chunk in keys.chunks(CHUNK) {
            compare_keys(redis, sut, database, chunk, &mut differences)?;
        }
    }
    Ok(differences)
}

fn compare_keys(
    redis: &mut Client,
    sut: &mut Client,
    database: usize,
    keys: &[Vec<u8>],
    differences: &mut Vec<StateDifference>,
) -> Result<()> {
    let about = |client: &mut Client| -> Result<Vec<[Reply; 3]>> {
        for key in keys {
            client.queue(&[&b"TYPE"[..], key]);
            client.queue(&[&b"OBJECT"[..], b"ENCODING", key]);
            client.queue(&[&b"PTTL"[..], key]);
        }
        client.flush()?;
        let mut all = Vec::new();
        for _ in keys {
            all.push([client.receive()?, client.receive()?, client.receive()?]);
        }
        Ok(all)
    };
    let (about_redis, about_sut) = (about(redis)?, about(sut)?);
    for (key, (one, other)) in keys.iter().zip(about_redis.iter().zip(&about_sut)) {
        let [kind, encoding, ttl] = one;
        let [other_kind, other_encoding, other_ttl] = other;
        let content = (content(redis, kind, key)?, content(sut, kind, key)?);
        let expires = |ttl: &Reply| Reply::Boolean(ttl.integer().is_some_and(|ttl| ttl >= 0));
        for (what, one, other) in [
            ("type", kind, other_kind),
            ("encoding", encoding, other_encoding),
            ("expiry", &expires(ttl), &expires(other_ttl)),
            ("content", &content.0, &content.1),
        ] {
            if one != other {
                differences.push(StateDifference {
                    what: format!("{what} of a {}", kind.render()),
                    key: key.clone(),
                    text: format!(
                        "db {database} {}:\n  redis: {}\n  other: {}",
                        quote(key),
                        one.render().replace('\n', "\n         "),
                        other.render().replace('\n', "\n         ")
                    ),
                });
            }
        }
    }
    Ok(())
}

fn content(client: &mut Client, kind: &Reply, key: &[u8]) -> Result<Reply> {
    let (args, group): (Vec<&[u8]>, usize) = match kind.bytes() {
        Some(b"hash") => (vec![b"HGETALL", key], 2),
        Some(b"list") => (vec![b"LRANGE", key, b"0", b"-1"], 0),
        Some(b"set") => (vec![b"SMEMBERS", key], 1),
        Some(b"zset") => (vec![b"ZRANGE", key, b"0", b"-1", b"WITHSCORES"], 0),
        _ => (vec![b"GET", key], 0),
    };
    let mut reply = client.command(&args)?;
    if group > 0 {
        reply.sort(group);
    }
    Ok(reply)
}

fn keys(client: &mut Client) -> Result<Vec<Vec<u8>>> {
    Ok(keys_of_reply(client.command(&["KEYS", "*"])?))
}

fn keys_of_reply(reply: Reply) -> Vec<Vec<u8>> {
    let items = reply.elements().unwrap_or_default();
    let mut keys: Vec<Vec<u8>> =
        items.iter().filter_map(|key| key.bytes().map(<[u8]>::to_vec)).collect();
    keys.sort();
    keys
}
