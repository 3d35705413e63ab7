//! Lists.

use super::Kind::Exact;
use super::Row;

pub(crate) const ROWS: &[Row] = &[
    ("LPUSH {kl} {v}+", Exact, 10),
    ("RPUSH {kl} {v}+", Exact, 12),
    ("RPUSH {kl} {bulkmembers}", Exact, 1),
    ("LPUSHX {kl} {v}+", Exact, 6),
    ("RPUSHX {kl} {v}+", Exact, 6),
    ("LPOP {kl} [{count}]", Exact, 11),
    ("RPOP {kl} [{count}]", Exact, 11),
    ("LLEN {kl}", Exact, 7),
    ("LRANGE {kl} {index} {index}", Exact, 12),
    ("LINDEX {kl} {index}", Exact, 10),
    ("LSET {kl} {index} {v}", Exact, 10),
    ("LINSERT {kl} (BEFORE|AFTER) {v} {v}", Exact, 9),
    ("LREM {kl} {index} {v}", Exact, 9),
    ("LTRIM {kl} {index} {index}", Exact, 7),
    ("LPOS {kl} {v} [RANK {index}] [COUNT {count}] [MAXLEN {count}]", Exact, 12),
    ("LMOVE {kl} {kl} (LEFT|RIGHT) (LEFT|RIGHT)", Exact, 10),
    ("RPOPLPUSH {kl} {kl}", Exact, 7),
    ("LMPOP {nkl} (LEFT|RIGHT) [COUNT {count}]", Exact, 9),
];
