//! Sorted sets.
//!
//! Ranges of members are only defined where all scores are equal: elsewhere the answer of Redis
//! depends on the random heights of its skip list. They are asked of keys of their own (`{ky}`).

use super::Kind::{Exact, Random, Scan};
use super::Row;

pub(crate) const ROWS: &[Row] = &[
    ("ZADD {kz} ({float} {m})+", Exact, 16),
    ("ZADD {kz} [NX|XX] [GT|LT] [CH] ({float} {m})+", Exact, 14),
    ("ZADD {kz} [NX|XX] [GT|LT] [CH] INCR {float} {m}", Exact, 9),
    ("ZADD {kz} {bulkscores}", Exact, 1),
    ("ZADD {ky} {zeros}", Exact, 14),
    ("ZREM {ky} {m}+", Exact, 4),
    ("DEL {ky}", Exact, 2),
    ("SET {kw} {v}", Exact, 1),
    ("ZINCRBY {kz} {float} {m}", Exact, 10),
    ("ZSCORE {kz} {m}", Exact, 8),
    ("ZMSCORE {kz} {m}+", Exact, 7),
    ("ZCARD {kz}", Exact, 6),
    ("ZRANK {kz} {m}", Exact, 7),
    ("ZREVRANK {kz} {m}", Exact, 7),
    ("ZREM {kz} {m}+", Exact, 7),
    ("ZCOUNT {kz} {bound} {bound}", Exact, 7),
    ("ZLEXCOUNT {ky} {lex} {lex}", Exact, 7),
    ("ZRANGE {kz} {index} {index} [REV] [WITHSCORES]", Exact, 9),
    ("ZRANGE {kz} {bound} {bound} BYSCORE [REV] [LIMIT {index} {index}] [WITHSCORES]", Exact, 9),
    ("ZRANGE {ky} {lex} {lex} BYLEX [REV] [LIMIT {index} {index}] [WITHSCORES]", Exact, 9),
    ("ZRANGESTORE {kz} {kz} {index} {index} [REV]", Exact, 5),
    ("ZRANGESTORE {kz} {kz} {bound} {bound} BYSCORE [REV] [LIMIT {index} {index}]", Exact, 5),
    ("ZRANGESTORE {kz} {ky} {lex} {lex} BYLEX [REV] [LIMIT {index} {index}]", Exact, 5),
    ("ZREVRANGE {kz} {index} {index} [WITHSCORES]", Exact, 7),
    ("ZRANGEBYSCORE {kz} {bound} {bound} [WITHSCORES] [LIMIT {index} {index}]", Exact, 8),
    ("ZREVRANGEBYSCORE {kz} {bound} {bound} [WITHSCORES] [LIMIT {index} {index}]", Exact, 8),
    ("ZRANGEBYLEX {ky} {lex} {lex} [LIMIT {index} {index}]", Exact, 7),
    ("ZREVRANGEBYLEX {ky} {lex} {lex} [LIMIT {index} {index}]", Exact, 7),
    ("ZREMRANGEBYRANK {kz} {index} {index}", Exact, 5),
    ("ZREMRANGEBYSCORE {kz} {bound} {bound}", Exact, 5),
    ("ZREMRANGEBYLEX {ky} {lex} {lex}", Exact, 5),
    ("ZPOPMIN {kz} [{count}]", Exact, 7),
    ("ZPOPMAX {kz} [{count}]", Exact, 7),
    ("ZMPOP {nkz} (MIN|MAX) [COUNT {count}]", Exact, 8),
    ("ZUNION {nkz} [WEIGHTS {weights}] [AGGREGATE (SUM|MIN|MAX)] [WITHSCORES]", Exact, 8),
    ("ZINTER {nkz} [WEIGHTS {weights}] [AGGREGATE (SUM|MIN|MAX)] [WITHSCORES]", Exact, 8),
    ("ZDIFF {nkz} [WITHSCORES]", Exact, 7),
    ("ZUNIONSTORE {kz} {nkz} [WEIGHTS {weights}] [AGGREGATE (SUM|MIN|MAX)]", Exact, 8),
    ("ZINTERSTORE {kz} {nkz} [WEIGHTS {weights}] [AGGREGATE (SUM|MIN|MAX)]", Exact, 8),
    ("ZDIFFSTORE {kz} {nkz}", Exact, 7),
    ("ZUNION (2 {kz} {kt} | 2 {kt} {kz} | 1 {kt}) [WITHSCORES]", Exact, 2),
    ("ZINTERCARD {nkz} [LIMIT {count}]", Exact, 8),
    ("ZRANDMEMBER {kz} [{count} [WITHSCORES]]", Random, 5),
    ("ZSCAN {kz} {cursor} [MATCH {pattern}] [COUNT {count}]", Scan(2), 5),
];
