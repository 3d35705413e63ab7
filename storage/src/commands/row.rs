//! One row per command: everything about it but its code.
//!
//! Arity, flags, key positions, ACL categories, routing and COMMAND's answers all come from the
//! row. Container commands (CLIENT, OBJECT ...) have a row of their own and one per subcommand,
//! named `container|subcommand`, as in Redis.

use super::{Ctx, Outcome};
use crate::keyspace::Need;
use resp::{Args, Reply};

/// The code of a command that works on the keys its row names.
pub type Handler = for<'a, 's, 'r> fn(&mut Ctx<'a, 's>, &mut Reply<'r>) -> Outcome;

/// Where a command runs.
#[derive(Clone, Copy)]
pub enum Run {
    /// On the locked partitions of its keys.
    Keyed(Handler),
    /// In the server, on a connection or over the whole keyspace: registered there by name.
    Session,
}

pub struct Row {
    /// Lower case; `container|subcommand` for subcommands.
    pub name: &'static str,
    /// Number of arguments, the name included; negative: at least so many.
    pub arity: i32,
    /// Of [`flags`].
    pub flags: u32,
    /// Of [`acl`]; read, write, slow, fast, admin, dangerous, pubsub follow from the flags.
    pub acl: u32,
    pub keys: &'static [KeySpec],
    /// First version of Redis that has it.
    pub since: &'static str,
    pub group: Group,
    pub complexity: &'static str,
    pub summary: &'static str,
    /// The arguments as redis-cli shows them: `key value [NX | XX] [EX seconds | PX milliseconds]`.
    pub syntax: &'static str,
    /// Redis's command tips, space separated, such as `nondeterministic_output`.
    pub tips: &'static str,
    pub run: Run,
}

/// What a row says when nothing else is said; rows are written `Row { name: ..., ..ROW }`.
pub const ROW: Row = Row {
    name: "",
    arity: 0,
    flags: 0,
    acl: 0,
    keys: &[],
    since: "1.0.0",
    group: Group::Generic,
    complexity: "O(1)",
    summary: "",
    syntax: "",
    tips: "",
    run: Run::Session,
};

/// Redis's command flags.
pub mod flags {
    pub const WRITE: u32 = 1;
    pub const READONLY: u32 = 1 << 1;
    pub const DENYOOM: u32 = 1 << 2;
    pub const ADMIN: u32 = 1 << 3;
    pub const PUBSUB: u32 = 1 << 4;
    pub const NOSCRIPT: u32 = 1 << 5;
    pub const LOADING: u32 = 1 << 6;
    pub const STALE: u32 = 1 << 7;
    pub const SKIP_MONITOR: u32 = 1 << 8;
    pub const SKIP_SLOWLOG: u32 = 1 << 9;
    pub const FAST: u32 = 1 << 10;
    pub const NO_AUTH: u32 = 1 << 11;
    pub const MAY_REPLICATE: u32 = 1 << 12;
    pub const NO_MULTI: u32 = 1 << 13;
    pub const MOVABLE_KEYS: u32 = 1 << 14;
    pub const ALLOW_BUSY: u32 = 1 << 15;
    pub const NO_MANDATORY_KEYS: u32 = 1 << 16;
    pub const NO_ASYNC_LOADING: u32 = 1 << 17;
    /// Ours: of a key in the base its main record is enough (C15). Such a command must not change
    /// an object but by deleting or replacing it, unless the object is a string.
    pub const MAIN: u32 = 1 << 31;

    /// The names COMMAND INFO gives, in bit order.
    pub const NAMES: [(u32, &str); 18] = [
        (WRITE, "write"),
        (READONLY, "readonly"),
        (DENYOOM, "denyoom"),
        (ADMIN, "admin"),
        (PUBSUB, "pubsub"),
        (NOSCRIPT, "noscript"),
        (LOADING, "loading"),
        (STALE, "stale"),
        (SKIP_MONITOR, "skip_monitor"),
        (SKIP_SLOWLOG, "skip_slowlog"),
        (FAST, "fast"),
        (NO_AUTH, "no_auth"),
        (MAY_REPLICATE, "may_replicate"),
        (NO_MULTI, "no_multi"),
        (MOVABLE_KEYS, "movablekeys"),
        (ALLOW_BUSY, "allow_busy"),
        (NO_MANDATORY_KEYS, "no_mandatory_keys"),
        (NO_ASYNC_LOADING, "no_async_loading"),
    ];
}

/// Redis's ACL categories.
pub mod acl {
    pub const KEYSPACE: u32 = 1;
    pub const READ: u32 = 1 << 1;
    pub const WRITE: u32 = 1 << 2;
    pub const SET: u32 = 1 << 3;
    pub const SORTEDSET: u32 = 1 << 4;
    pub const LIST: u32 = 1 << 5;
    pub const HASH: u32 = 1 << 6;
    pub const STRING: u32 = 1 << 7;
    pub const BITMAP: u32 = 1 << 8;
    pub const HYPERLOGLOG: u32 = 1 << 9;
    pub const GEO: u32 = 1 << 10;
    pub const STREAM: u32 = 1 << 11;
    pub const PUBSUB: u32 = 1 << 12;
    pub const ADMIN: u32 = 1 << 13;
    pub const FAST: u32 = 1 << 14;
    pub const SLOW: u32 = 1 << 15;
    pub const BLOCKING: u32 = 1 << 16;
    pub const DANGEROUS: u32 = 1 << 17;
    pub const CONNECTION: u32 = 1 << 18;
    pub const TRANSACTION: u32 = 1 << 19;
    pub const SCRIPTING: u32 = 1 << 20;

    pub const NAMES: [(u32, &str); 21] = [
        (KEYSPACE, "keyspace"),
        (READ, "read"),
        (WRITE, "write"),
        (SET, "set"),
        (SORTEDSET, "sortedset"),
        (LIST, "list"),
        (HASH, "hash"),
        (STRING, "string"),
        (BITMAP, "bitmap"),
        (HYPERLOGLOG, "hyperloglog"),
        (GEO, "geo"),
        (STREAM, "stream"),
        (PUBSUB, "pubsub"),
        (ADMIN, "admin"),
        (FAST, "fast"),
        (SLOW, "slow"),
        (BLOCKING, "blocking"),
        (DANGEROUS, "dangerous"),
        (CONNECTION, "connection"),
        (TRANSACTION, "transaction"),
        (SCRIPTING, "scripting"),
    ];
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Group {
    Generic,
    String,
    List,
    Set,
    SortedSet,
    Hash,
    Pubsub,
    Transactions,
    Connection,
    Server,
    Cluster,
}

impl Group {
    /// The name COMMAND DOCS gives.
    pub fn name(self) -> &'static str {
        match self {
            Group::Generic => "generic",
            Group::String => "string",
            Group::List => "list",
            Group::Set => "set",
            Group::SortedSet => "sorted-set",
            Group::Hash => "hash",
            Group::Pubsub => "pubsub",
            Group::Transactions => "transactions",
            Group::Connection => "connection",
            Group::Server => "server",
            Group::Cluster => "cluster",
        }
    }
}

/// Where keys stand among the arguments, and what happens to them (Redis's key specifications).
#[derive(Clone, Copy)]
pub struct KeySpec {
    /// Index of the first key (`Range`) or of the key count (`Count`).
    pub begin: usize,
    pub find: Find,
    /// As COMMAND INFO lists them: `RO access`, `RW update`, `OW insert` ...
    pub flags: &'static str,
}

#[derive(Clone, Copy)]
pub enum Find {
    /// Keys from `begin` to `last` (negative: from the end, -1 the last argument), every `step`.
    Range { last: i32, step: usize },
    /// A number at `begin`, then so many keys.
    Count,
}

/// One key at `index`.
pub const fn one(index: usize, flags: &'static str) -> KeySpec {
    KeySpec { begin: index, find: Find::Range { last: 0, step: 1 }, flags }
}

/// Keys from `begin` to argument `last` (negative counts from the end).
pub const fn range(begin: usize, last: i32, step: usize, flags: &'static str) -> KeySpec {
    KeySpec { begin, find: Find::Range { last, step }, flags }
}

/// A key count at `index`, then the keys.
pub const fn counted(index: usize, flags: &'static str) -> KeySpec {
    KeySpec { begin: index, find: Find::Count, flags }
}

impl KeySpec {
    /// Indexes of the keys this specification finds in `args`; fewer than announced when the
    /// arguments end early (the command itself then answers with its error).
    pub fn positions(self, args: Args<'_>) -> impl Iterator<Item = usize> + use<> {
        let (first, last, step) = match self.find {
            Find::Range { last: 0, .. } => (self.begin, self.begin, 1),
            Find::Range { last, step } if last < 0 => {
                let back = last.unsigned_abs() as usize;
                (self.begin, args.len().saturating_sub(back), step)
            }
            Find::Range { last, step } => (self.begin, last as usize, step),
            Find::Count => {
                let count = resp::numbers::parse_i64(args.at(self.begin)).unwrap_or(0).max(0);
                (self.begin + 1, self.begin.saturating_add(count as usize), 1)
            }
        };
        (first..=last.min(args.len().saturating_sub(1))).step_by(step.max(1))
    }
}

impl Row {
    /// Indexes of all keys in `args`.
    pub fn key_positions<'s>(&'s self, args: Args<'s>) -> impl Iterator<Item = usize> + 's {
        self.keys.iter().flat_map(move |spec| spec.positions(args))
    }

    pub fn is(&self, flag: u32) -> bool {
        self.flags & flag != 0
    }

    /// What the command must have in memory of its keys.
    pub fn need(&self) -> Need {
        if self.is(flags::MAIN) { Need::Main } else { Need::Whole }
    }
}
