//! Connection, publishing, and what of the server's commands has one answer.

use super::Kind::{Exact, Sorted};
use super::Row;

pub(crate) const ROWS: &[Row] = &[
    ("PING [{v}]", Exact, 3),
    ("ECHO {v}", Exact, 3),
    ("SELECT (0 | 0 | 0 | {db})", Exact, 5),
    ("DBSIZE", Exact, 5),
    ("CLIENT SETNAME {f}", Exact, 2),
    ("CLIENT GETNAME", Exact, 2),
    ("CLIENT NO-EVICT (on|off|{v})", Exact, 2),
    ("PUBLISH {channel} {v}", Exact, 3),
    ("SPUBLISH {channel} {v}", Exact, 2),
    ("PUBSUB CHANNELS [{pattern}]", Exact, 2),
    ("PUBSUB NUMSUB [{channel}+]", Exact, 2),
    ("PUBSUB NUMPAT", Exact, 2),
    ("PUBSUB SHARDCHANNELS [{pattern}]", Exact, 2),
    ("PUBSUB SHARDNUMSUB [{channel}+]", Exact, 2),
    (
        "COMMAND GETKEYS (GET {k} | MSET ({k} {v})+ | ZUNION {nkz} | ZUNIONSTORE {kz} {nkz} | {v}+)",
        Exact,
        3,
    ),
    ("CONFIG GET {config}", Sorted(2), 3),
];
