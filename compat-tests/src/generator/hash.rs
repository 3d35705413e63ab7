//! Hashes.

use super::Kind::{Exact, Random, Scan, Sorted};
use super::Row;

pub(crate) const ROWS: &[Row] = &[
    ("HSET {kh} ({f} {v})+", Exact, 16),
    ("HSET {kh} {bulkfields}", Exact, 1),
    ("HMSET {kh} ({f} {v})+", Exact, 6),
    ("HSETNX {kh} {f} {v}", Exact, 8),
    ("HGET {kh} {f}", Exact, 10),
    ("HMGET {kh} {f}+", Exact, 8),
    ("HGETALL {kh}", Sorted(2), 7),
    ("HKEYS {kh}", Sorted(1), 6),
    ("HVALS {kh}", Sorted(1), 6),
    ("HLEN {kh}", Exact, 7),
    ("HSTRLEN {kh} {f}", Exact, 6),
    ("HEXISTS {kh} {f}", Exact, 7),
    ("HDEL {kh} {f}+", Exact, 9),
    ("HINCRBY {kh} {f} {int}", Exact, 10),
    ("HINCRBYFLOAT {kh} {f} {float}", Exact, 10),
    ("HRANDFIELD {kh} [{count} [WITHVALUES]]", Random, 5),
    ("HSCAN {kh} {cursor} [MATCH {pattern}] [COUNT {count}]", Scan(2), 5),
];
