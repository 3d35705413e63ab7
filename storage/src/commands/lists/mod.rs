//! Lists: the commands that do not block.
//!
//! [`ends`] pushes, pops and moves; [`inside`] reads and edits by index or by value. The blocking
//! commands try [`ends::pop_first`] and [`ends::shift`] first and wait when those find nothing.

pub mod ends;
mod inside;

use super::row::{counted, one};
use super::{Fail, Group, ROW, Row, Run, acl, flags};
use crate::commands::fail::SYNTAX;
use crate::commands::parse::is;
use crate::objects::Side;

pub const ROWS: &[Row] = &[
    Row {
        name: "lindex",
        arity: 3,
        flags: flags::READONLY,
        acl: acl::LIST,
        keys: &[one(1, "RO access")],
        group: Group::List,
        complexity: "O(N) where N is the number of elements to traverse to get to the element at \
            index. This makes asking for the first or the last element of the list O(1).",
        summary: "Reads the element at an index.",
        syntax: "key index",
        run: Run::Keyed(inside::lindex),
        ..ROW
    },
    Row {
        name: "linsert",
        arity: 5,
        flags: flags::WRITE | flags::DENYOOM,
        acl: acl::LIST,
        keys: &[one(1, "RW insert")],
        since: "2.2.0",
        group: Group::List,
        complexity: "O(N) where N is the number of elements to traverse before seeing the value \
            pivot. This means that inserting somewhere on the left end on the list (head) can \
            be considered O(1) and inserting somewhere on the right end (tail) is O(N).",
        summary: "Inserts an element next to the first one that equals the pivot.",
        syntax: "key <BEFORE | AFTER> pivot element",
        run: Run::Keyed(inside::linsert),
        ..ROW
    },
    Row {
        name: "llen",
        arity: 2,
        flags: flags::READONLY | flags::FAST,
        acl: acl::LIST,
        keys: &[one(1, "RO")],
        group: Group::List,
        summary: "Counts the elements of a list.",
        syntax: "key",
        run: Run::Keyed(inside::llen),
        ..ROW
    },
    Row {
        name: "lmove",
        arity: 5,
        flags: flags::WRITE | flags::DENYOOM,
        acl: acl::LIST,
        keys: &[one(1, "RW access delete"), one(2, "RW insert")],
        since: "6.2.0",
        group: Group::List,
        summary: "Takes an element from one end of a list and adds it at an end of another.",
        syntax: "source destination <LEFT | RIGHT> <LEFT | RIGHT>",
        run: Run::Keyed(ends::lmove),
        ..ROW
    },
    Row {
        name: "lmpop",
        arity: -4,
        flags: flags::WRITE | flags::MOVABLE_KEYS,
        acl: acl::LIST,
        keys: &[counted(1, "RW access delete")],
        since: "7.0.0",
        group: Group::List,
        complexity: "O(N+M) where N is the number of provided keys and M is the number of \
            elements returned.",
        summary: "Takes elements from the first list that has any.",
        syntax: "numkeys key [key ...] <LEFT | RIGHT> [COUNT count]",
        run: Run::Keyed(ends::lmpop),
        ..ROW
    },
    Row {
        name: "lpop",
        arity: -2,
        flags: flags::WRITE | flags::FAST,
        acl: acl::LIST,
        keys: &[one(1, "RW access delete")],
        group: Group::List,
        complexity: "O(N) where N is the number of elements returned",
        summary: "Takes elements from the head of a list.",
        syntax: "key [count]",
        run: Run::Keyed(ends::lpop),
        ..ROW
    },
    Row {
        name: "lpos",
        arity: -3,
        flags: flags::READONLY,
        acl: acl::LIST,
        keys: &[one(1, "RO access")],
        since: "6.0.6",
        group: Group::List,
        complexity: "O(N) where N is the number of elements in the list, for the average case. \
            When searching for elements near the head or the tail of the list, or when the \
            MAXLEN option is provided, the command may run in constant time.",
        summary: "Finds the indexes of equal elements.",
        syntax: "key element [RANK rank] [COUNT num-matches] [MAXLEN len]",
        run: Run::Keyed(inside::lpos),
        ..ROW
    },
    Row {
        name: "lpush",
        arity: -3,
        flags: flags::WRITE | flags::DENYOOM | flags::FAST,
        acl: acl::LIST,
        keys: &[one(1, "RW insert")],
        group: Group::List,
        complexity: "O(1) for each element added, so O(N) to add N elements when the command is \
            called with multiple arguments.",
        summary: "Adds elements at the head of a list, which is made if need be.",
        syntax: "key element [element ...]",
        run: Run::Keyed(ends::lpush),
        ..ROW
    },
    Row {
        name: "lpushx",
        arity: -3,
        flags: flags::WRITE | flags::DENYOOM | flags::FAST,
        acl: acl::LIST,
        keys: &[one(1, "RW insert")],
        since: "2.2.0",
        group: Group::List,
        complexity: "O(1) for each element added, so O(N) to add N elements when the command is \
            called with multiple arguments.",
        summary: "Adds elements at the head of a list that exists.",
        syntax: "key element [element ...]",
        run: Run::Keyed(ends::lpushx),
        ..ROW
    },
    Row {
        name: "lrange",
        arity: 4,
        flags: flags::READONLY,
        acl: acl::LIST,
        keys: &[one(1, "RO access")],
        group: Group::List,
        complexity: "O(S+N) where S is the distance of start offset from HEAD for small lists, \
            from nearest end (HEAD or TAIL) for large lists; and N is the number of elements \
            in the specified range.",
        summary: "Reads the elements between two indexes.",
        syntax: "key start stop",
        run: Run::Keyed(inside::lrange),
        ..ROW
    },
    Row {
        name: "lrem",
        arity: 4,
        flags: flags::WRITE,
        acl: acl::LIST,
        keys: &[one(1, "RW delete")],
        group: Group::List,
        complexity: "O(N+M) where N is the length of the list and M is the number of elements \
            removed.",
        summary: "Removes equal elements, counted from either end.",
        syntax: "key count element",
        run: Run::Keyed(inside::lrem),
        ..ROW
    },
    Row {
        name: "lset",
        arity: 4,
        flags: flags::WRITE | flags::DENYOOM,
        acl: acl::LIST,
        keys: &[one(1, "RW update")],
        group: Group::List,
        complexity: "O(N) where N is the length of the list. Setting either the first or the last \
            element of the list is O(1).",
        summary: "Replaces the element at an index.",
        syntax: "key index element",
        run: Run::Keyed(inside::lset),
        ..ROW
    },
    Row {
        name: "ltrim",
        arity: 4,
        flags: flags::WRITE,
        acl: acl::LIST,
        keys: &[one(1, "RW delete")],
        group: Group::List,
        complexity: "O(N) where N is the number of elements to be removed by the operation.",
        summary: "Keeps the elements between two indexes only.",
        syntax: "key start stop",
        run: Run::Keyed(inside::ltrim),
        ..ROW
    },
    Row {
        name: "rpop",
        arity: -2,
        flags: flags::WRITE | flags::FAST,
        acl: acl::LIST,
        keys: &[one(1, "RW access delete")],
        group: Group::List,
        complexity: "O(N) where N is the number of elements returned",
        summary: "Takes elements from the tail of a list.",
        syntax: "key [count]",
        run: Run::Keyed(ends::rpop),
        ..ROW
    },
    Row {
        name: "rpoplpush",
        arity: 3,
        flags: flags::WRITE | flags::DENYOOM,
        acl: acl::LIST,
        keys: &[one(1, "RW access delete"), one(2, "RW insert")],
        since: "1.2.0",
        group: Group::List,
        summary: "Takes the last element of a list and adds it at the head of another.",
        syntax: "source destination",
        run: Run::Keyed(ends::rpoplpush),
        ..ROW
    },
    Row {
        name: "rpush",
        arity: -3,
        flags: flags::WRITE | flags::DENYOOM | flags::FAST,
        acl: acl::LIST,
        keys: &[one(1, "RW insert")],
        group: Group::List,
        complexity: "O(1) for each element added, so O(N) to add N elements when the command is \
            called with multiple arguments.",
        summary: "Adds elements at the tail of a list, which is made if need be.",
        syntax: "key element [element ...]",
        run: Run::Keyed(ends::rpush),
        ..ROW
    },
    Row {
        name: "rpushx",
        arity: -3,
        flags: flags::WRITE | flags::DENYOOM | flags::FAST,
        acl: acl::LIST,
        keys: &[one(1, "RW insert")],
        since: "2.2.0",
        group: Group::List,
        complexity: "O(1) for each element added, so O(N) to add N elements when the command is \
            called with multiple arguments.",
        summary: "Adds elements at the tail of a list that exists.",
        syntax: "key element [element ...]",
        run: Run::Keyed(ends::rpushx),
        ..ROW
    },
];

/// `LEFT` or `RIGHT`.
pub fn side(arg: &[u8]) -> Result<Side, Fail> {
    if is(arg, "left") {
        Ok(Side::Left)
    } else if is(arg, "right") {
        Ok(Side::Right)
    } else {
        Err(SYNTAX)
    }
}

/// The indexes `start..end` that a first and a last index mean, negative ones from the end; both
/// are 0 for none.
fn span(start: i64, stop: i64, len: usize) -> (usize, usize) {
    let from_end = |index: i64| match usize::try_from(index) {
        Ok(index) => index,
        Err(_) => len.saturating_sub(index.unsigned_abs() as usize),
    };
    // A last index before the head is no index at all.
    let end = match usize::try_from(stop) {
        Ok(stop) => stop.saturating_add(1).min(len),
        Err(_) => len.saturating_sub(stop.unsigned_abs() as usize - 1).min(len),
    };
    let before_head = stop < 0 && stop.unsigned_abs() as usize > len;
    let start = from_end(start);
    if start >= end || before_head { (0, 0) } else { (start, end) }
}

#[cfg(test)]
mod tests;
