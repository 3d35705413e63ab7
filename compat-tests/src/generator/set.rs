//! Sets.

use super::Kind::{Exact, Pop, Random, Scan, Sorted};
use super::Row;

pub(crate) const ROWS: &[Row] = &[
    ("SADD {kt} {m}+", Exact, 16),
    ("SADD {kt} {int}+", Exact, 6),
    ("SADD {kt} {bulkints}", Exact, 1),
    ("SADD {kt} {bulkmembers}", Exact, 1),
    ("SREM {kt} {m}+", Exact, 9),
    ("SISMEMBER {kt} {m}", Exact, 7),
    ("SMISMEMBER {kt} {m}+", Exact, 7),
    ("SCARD {kt}", Exact, 7),
    ("SMEMBERS {kt}", Sorted(1), 7),
    ("SMOVE {kt} {kt} {m}", Exact, 8),
    ("SPOP {kt} [{count}]", Pop, 4),
    ("SRANDMEMBER {kt} [{count}]", Random, 4),
    ("SUNION {kt}+", Sorted(1), 7),
    ("SINTER {kt}+", Sorted(1), 7),
    ("SDIFF {kt}+", Sorted(1), 7),
    ("SUNIONSTORE {kt} {kt}+", Exact, 7),
    ("SINTERSTORE {kt} {kt}+", Exact, 7),
    ("SDIFFSTORE {kt} {kt}+", Exact, 7),
    ("SINTERCARD {nkt} [LIMIT {count}]", Exact, 9),
    ("SSCAN {kt} {cursor} [MATCH {pattern}] [COUNT {count}]", Scan(1), 5),
];
