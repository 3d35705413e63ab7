//! Strings.

use super::Kind::Exact;
use super::Row;

pub(crate) const ROWS: &[Row] = &[
    ("SET {ks} {v}", Exact, 14),
    ("SET {ks} {v} [NX|XX] [GET] [EX {secs}|PX {ms}|EXAT {at}|PXAT {atms}|KEEPTTL]", Exact, 20),
    ("GET {ks}", Exact, 14),
    ("GETSET {ks} {v}", Exact, 8),
    ("GETDEL {ks}", Exact, 6),
    ("GETEX {ks} [EX {secs}|PX {ms}|EXAT {at}|PXAT {atms}|PERSIST]", Exact, 12),
    ("SETNX {ks} {v}", Exact, 8),
    ("SETEX {ks} {secs} {v}", Exact, 8),
    ("PSETEX {ks} {ms} {v}", Exact, 8),
    ("MSET ({ks} {v})+", Exact, 8),
    ("MSETNX ({ks} {v})+", Exact, 6),
    ("MGET {ks}+", Exact, 10),
    ("APPEND {ks} {v}", Exact, 10),
    ("STRLEN {ks}", Exact, 8),
    ("GETRANGE {ks} {index} {index}", Exact, 10),
    ("SUBSTR {ks} {index} {index}", Exact, 5),
    ("SETRANGE {ks} {offset} {v}", Exact, 10),
    ("INCR {ks}", Exact, 10),
    ("DECR {ks}", Exact, 8),
    ("INCRBY {ks} {int}", Exact, 10),
    ("DECRBY {ks} {int}", Exact, 10),
    ("INCRBYFLOAT {ks} {float}", Exact, 10),
    ("LCS {ks} {ks} [LEN] [IDX] [MINMATCHLEN {count}] [WITHMATCHLEN]", Exact, 12),
];
