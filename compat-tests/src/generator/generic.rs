//! Keys of any type.

use super::Kind::{Close, Exact, Random, Scan, Shape, Sorted};
use super::Row;

pub(crate) const ROWS: &[Row] = &[
    ("DEL {k}+", Exact, 6),
    ("UNLINK {k}+", Exact, 4),
    ("EXISTS {k}+", Exact, 8),
    ("TYPE {k}", Exact, 8),
    ("TOUCH {k}+", Exact, 5),
    ("EXPIRE {k} {secs} [NX|XX|GT|LT]", Exact, 9),
    ("PEXPIRE {k} {ms} [NX|XX|GT|LT]", Exact, 9),
    ("EXPIREAT {k} {at} [NX|XX|GT|LT]", Exact, 9),
    ("PEXPIREAT {k} {atms} [NX|XX|GT|LT]", Exact, 9),
    ("PERSIST {k}", Exact, 7),
    ("TTL {k}", Close(2), 7),
    ("PTTL {k}", Close(3000), 7),
    ("EXPIRETIME {k}", Close(3), 7),
    ("PEXPIRETIME {k}", Close(3000), 7),
    ("RENAME {k} {k}", Exact, 7),
    ("RENAMENX {k} {k}", Exact, 6),
    ("COPY {k} {k} [DB {db}] [REPLACE]", Exact, 10),
    ("MOVE {k} {db}", Exact, 5),
    ("KEYS {pattern}", Sorted(1), 5),
    ("RANDOMKEY", Random, 2),
    ("SCAN {cursor} [MATCH {pattern}] [COUNT {count}] [TYPE {type}]", Scan(1), 6),
    ("OBJECT ENCODING {k}", Exact, 14),
    ("OBJECT REFCOUNT {k}", Shape, 3),
    ("OBJECT IDLETIME {k}", Close(5), 3),
    ("OBJECT FREQ {k}", Exact, 3),
    ("MEMORY USAGE {k} [SAMPLES {count}]", Shape, 4),
    ("SWAPDB {db} {db}", Exact, 2),
    ("FLUSHALL [ASYNC|SYNC]", Exact, 1),
];
