//! The set commands: members under one key, and the algebra of several keys.

mod algebra;
mod members;
mod random;
pub(super) mod sample;

#[cfg(test)]
mod tests;

use super::row::{Group, ROW, Row, Run, acl, counted, flags, one, range};
use crate::objects::Member;
use resp::Reply;

const READ: u32 = flags::READONLY;
const READ_FAST: u32 = flags::READONLY | flags::FAST;
const WRITE_FAST: u32 = flags::WRITE | flags::FAST;
const STORE: u32 = flags::WRITE | flags::DENYOOM;

const SUM_OF_ALL: &str = "O(N) where N is the total number of elements in all given sets.";
const SMALLEST_TIMES_SETS: &str = "O(N*M) worst case where N is the cardinality of the smallest \
                                   set and M is the number of sets.";

const SET_ROW: Row = Row { acl: acl::SET, keys: &[one(1, "RO access")], group: Group::Set, ..ROW };

pub const ROWS: &[Row] = &[
    Row {
        name: "sadd",
        arity: -3,
        flags: flags::WRITE | flags::DENYOOM | flags::FAST,
        keys: &[one(1, "RW insert")],
        complexity: "O(1) for each element added, so O(N) to add N elements when the command is \
                     called with multiple arguments.",
        summary: "Adds members to a set and counts the new ones",
        syntax: "key member [member ...]",
        run: Run::Keyed(members::sadd),
        ..SET_ROW
    },
    Row {
        name: "scard",
        arity: 2,
        flags: READ_FAST,
        keys: &[one(1, "RO")],
        summary: "Counts the members of a set",
        syntax: "key",
        run: Run::Keyed(members::scard),
        ..SET_ROW
    },
    Row {
        name: "sdiff",
        arity: -2,
        flags: READ,
        keys: &[range(1, -1, 1, "RO access")],
        complexity: SUM_OF_ALL,
        summary: "Returns the members of the first set that no other has",
        syntax: "key [key ...]",
        tips: "nondeterministic_output_order",
        run: Run::Keyed(algebra::sdiff),
        ..SET_ROW
    },
    Row {
        name: "sdiffstore",
        arity: -3,
        flags: STORE,
        keys: &[one(1, "OW update"), range(2, -1, 1, "RO access")],
        complexity: SUM_OF_ALL,
        summary: "Stores the members of the first set that no other has",
        syntax: "destination key [key ...]",
        run: Run::Keyed(algebra::sdiffstore),
        ..SET_ROW
    },
    Row {
        name: "sinter",
        arity: -2,
        flags: READ,
        keys: &[range(1, -1, 1, "RO access")],
        complexity: SMALLEST_TIMES_SETS,
        summary: "Returns the members that all sets have",
        syntax: "key [key ...]",
        tips: "nondeterministic_output_order",
        run: Run::Keyed(algebra::sinter),
        ..SET_ROW
    },
    Row {
        name: "sintercard",
        arity: -3,
        flags: READ | flags::MOVABLE_KEYS,
        keys: &[counted(1, "RO access")],
        since: "7.0.0",
        complexity: SMALLEST_TIMES_SETS,
        summary: "Counts the members that all sets have",
        syntax: "numkeys key [key ...] [LIMIT limit]",
        run: Run::Keyed(algebra::sintercard),
        ..SET_ROW
    },
    Row {
        name: "sinterstore",
        arity: -3,
        flags: STORE,
        keys: &[one(1, "RW update"), range(2, -1, 1, "RO access")],
        complexity: SMALLEST_TIMES_SETS,
        summary: "Stores the members that all sets have",
        syntax: "destination key [key ...]",
        run: Run::Keyed(algebra::sinterstore),
        ..SET_ROW
    },
    Row {
        name: "sismember",
        arity: 3,
        flags: READ_FAST,
        keys: &[one(1, "RO")],
        summary: "Tells whether a set has a member",
        syntax: "key member",
        run: Run::Keyed(members::sismember),
        ..SET_ROW
    },
    Row {
        name: "smembers",
        arity: 2,
        flags: READ,
        complexity: "O(N) where N is the set cardinality.",
        summary: "Returns all members of a set",
        syntax: "key",
        tips: "nondeterministic_output_order",
        run: Run::Keyed(members::smembers),
        ..SET_ROW
    },
    Row {
        name: "smismember",
        arity: -3,
        flags: READ_FAST,
        since: "6.2.0",
        complexity: "O(N) where N is the number of elements being checked for membership",
        summary: "Tells of several members whether a set has them",
        syntax: "key member [member ...]",
        run: Run::Keyed(members::smismember),
        ..SET_ROW
    },
    Row {
        name: "smove",
        arity: 4,
        flags: WRITE_FAST,
        keys: &[one(1, "RW access delete"), one(2, "RW insert")],
        summary: "Moves a member from one set to another",
        syntax: "source destination member",
        run: Run::Keyed(members::smove),
        ..SET_ROW
    },
    Row {
        name: "spop",
        arity: -2,
        flags: WRITE_FAST,
        keys: &[one(1, "RW access delete")],
        complexity: "Without the count argument O(1), otherwise O(N) where N is the value of the \
                     passed count.",
        summary: "Removes randomly drawn members and returns them",
        syntax: "key [count]",
        tips: "nondeterministic_output",
        run: Run::Keyed(random::spop),
        ..SET_ROW
    },
    Row {
        name: "srandmember",
        arity: -2,
        flags: READ,
        complexity: "Without the count argument O(1), otherwise O(N) where N is the absolute value \
                     of the passed count.",
        summary: "Returns randomly drawn members",
        syntax: "key [count]",
        tips: "nondeterministic_output",
        run: Run::Keyed(random::srandmember),
        ..SET_ROW
    },
    Row {
        name: "srem",
        arity: -3,
        flags: WRITE_FAST,
        keys: &[one(1, "RW delete")],
        complexity: "O(N) where N is the number of members to be removed.",
        summary: "Removes members from a set",
        syntax: "key member [member ...]",
        run: Run::Keyed(members::srem),
        ..SET_ROW
    },
    Row {
        name: "sscan",
        arity: -3,
        flags: READ,
        since: "2.8.0",
        complexity: "O(1) for every call. O(N) for a complete iteration, including enough command \
                     calls for the cursor to return back to 0. N is the number of elements inside \
                     the collection..",
        summary: "Walks the members of a set a few at a time",
        syntax: "key cursor [MATCH pattern] [COUNT count]",
        tips: "nondeterministic_output",
        run: Run::Keyed(members::sscan),
        ..SET_ROW
    },
    Row {
        name: "sunion",
        arity: -2,
        flags: READ,
        keys: &[range(1, -1, 1, "RO access")],
        complexity: SUM_OF_ALL,
        summary: "Returns the members that any of the sets has",
        syntax: "key [key ...]",
        tips: "nondeterministic_output_order",
        run: Run::Keyed(algebra::sunion),
        ..SET_ROW
    },
    Row {
        name: "sunionstore",
        arity: -3,
        flags: STORE,
        keys: &[one(1, "OW update"), range(2, -1, 1, "RO access")],
        complexity: SUM_OF_ALL,
        summary: "Stores the members that any of the sets has",
        syntax: "destination key [key ...]",
        run: Run::Keyed(algebra::sunionstore),
        ..SET_ROW
    },
];

/// Writes one member.
#[inline]
fn put(out: &mut Reply<'_>, member: Member<'_>) {
    match member {
        Member::Int(n) => out.bulk_int(n),
        Member::Bytes(bytes) => out.bulk(bytes),
    }
}
