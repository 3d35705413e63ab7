//! Which clients CLIENT LIST and CLIENT KILL mean.

use crate::session::Client;
use resp::Args;
use resp::numbers::parse_i64;
use std::sync::atomic::Ordering;
use storage::commands::Fail;
use storage::commands::fail::SYNTAX;
use storage::commands::parse::is;

/// The kinds of client that TYPE names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Normal,
    /// The connection to a master, which this node has not.
    Master,
    /// A replica's, which come another way.
    Replica,
    Pubsub,
}

impl Kind {
    pub fn parse(name: &[u8]) -> Result<Kind, Fail> {
        let kinds = [
            ("normal", Kind::Normal),
            ("slave", Kind::Replica),
            ("replica", Kind::Replica),
            ("pubsub", Kind::Pubsub),
            ("master", Kind::Master),
        ];
        let found = kinds.into_iter().find(|(known, _)| is(name, known));
        found
            .map(|(_, kind)| kind)
            .ok_or_else(|| Fail::quoting("ERR Unknown client type '", name, "'"))
    }

    pub fn of(client: &Client) -> Kind {
        let listens = [&client.channels, &client.patterns, &client.shard_channels];
        let pubsub = listens.iter().any(|count| count.load(Ordering::Relaxed) > 0);
        if pubsub { Kind::Pubsub } else { Kind::Normal }
    }
}

/// The filter of CLIENT KILL; what is absent does not matter.
#[derive(Debug, PartialEq, Eq)]
pub struct Filter<'a> {
    pub id: Option<u64>,
    pub kind: Option<Kind>,
    pub user: Option<&'a [u8]>,
    pub addr: Option<&'a [u8]>,
    pub laddr: Option<&'a [u8]>,
    pub skip_me: bool,
}

impl<'a> Filter<'a> {
    /// Reads the options from the third argument on.
    pub fn parse(args: Args<'a>) -> Result<Filter<'a>, Fail> {
        let mut filter =
            Filter { id: None, kind: None, user: None, addr: None, laddr: None, skip_me: true };
        let mut rest = args.from(2).iter();
        while let Some(option) = rest.next() {
            let value = rest.next().ok_or(SYNTAX)?;
            if is(option, "id") {
                let id =
                    parse_i64(value).and_then(|id| u64::try_from(id).ok()).filter(|id| *id > 0);
                let wrong = Fail::text("ERR client-id should be greater than 0");
                filter.id = Some(id.ok_or(wrong)?);
            } else if is(option, "type") {
                filter.kind = Some(Kind::parse(value)?);
            } else if is(option, "addr") {
                filter.addr = Some(value);
            } else if is(option, "laddr") {
                filter.laddr = Some(value);
            } else if is(option, "user") {
                if value != b"default" {
                    return Err(Fail::quoting("ERR No such user '", value, "'"));
                }
                filter.user = Some(value);
            } else if is(option, "skipme") {
                filter.skip_me = match value {
                    value if is(value, "yes") => true,
                    value if is(value, "no") => false,
                    _ => return Err(SYNTAX),
                };
            } else {
                return Err(SYNTAX);
            }
        }
        Ok(filter)
    }

    pub fn matches(&self, client: &Client, me: u64) -> bool {
        let same =
            |addr: std::net::SocketAddr, wanted: &[u8]| addr.to_string().as_bytes() == wanted;
        !(self.skip_me && client.id == me)
            && self.id.is_none_or(|id| client.id == id)
            && self.kind.is_none_or(|kind| Kind::of(client) == kind)
            && self.addr.is_none_or(|addr| same(client.addr, addr))
            && self.laddr.is_none_or(|laddr| same(client.laddr, laddr))
            && self.user.is_none_or(|user| client.texts.lock().user.as_bytes() == user)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use resp::OwnedArgs;

    fn text(words: &[&[u8]]) -> String {
        Filter::parse(OwnedArgs::from_slices(words).as_args()).unwrap_err().to_string()
    }

    #[test]
    fn wrong_filters_get_the_errors_of_redis() {
        let id = "ERR client-id should be greater than 0";
        assert_eq!(text(&[b"client", b"kill", b"id", b"0"]), id);
        assert_eq!(text(&[b"client", b"kill", b"ID", b"abc"]), id);
        assert_eq!(text(&[b"client", b"kill", b"type", b"foo"]), "ERR Unknown client type 'foo'");
        assert_eq!(text(&[b"client", b"kill", b"user", b"bob"]), "ERR No such user 'bob'");
        assert_eq!(text(&[b"client", b"kill", b"skipme", b"foo"]), "ERR syntax error");
        assert_eq!(text(&[b"client", b"kill", b"id", b"1", b"foo"]), "ERR syntax error");
    }

    #[test]
    fn all_options_are_read() {
        let words: [&[u8]; 8] =
            [b"client", b"kill", b"ID", b"7", b"TYPE", b"slave", b"SKIPME", b"no"];
        let args = OwnedArgs::from_slices(&words);
        let filter = Filter::parse(args.as_args()).unwrap();
        assert_eq!((filter.id, filter.kind), (Some(7), Some(Kind::Replica)));
        assert!(!filter.skip_me && filter.addr.is_none());
    }
}
