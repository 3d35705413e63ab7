//! COMMAND: what commands there are and what they do to which keys, from their rows.

use crate::registry::{Command, Found};
use crate::session::{After, Call, SessionFn, help};
use resp::{Args, Reply};
use storage::commands::fail::SYNTAX;
use storage::commands::parse::is;
use storage::commands::row::{Find, KeySpec};
use storage::commands::{Fail, Row, acl, flags, glob};

pub const CODE: &[(&str, SessionFn)] = &[
    ("command", all),
    ("command|count", count),
    ("command|info", info),
    ("command|list", list),
    ("command|getkeys", get_keys),
    ("command|getkeysandflags", get_keys_and_flags),
    ("command|help", show_help),
];

/// Commands that are not subcommands.
pub fn top<'a>(call: &Call<'a>) -> impl Iterator<Item = &'static Command> + use<'a> {
    call.node.registry.all().filter(|command| !command.row.name.contains('|'))
}

/// Finds `get` or `client|kill`.
pub fn find<'a>(call: &Call<'a>, name: &[u8]) -> Option<&'static Command> {
    let mut parts = name.splitn(2, |byte| *byte == b'|');
    let first = parts.next().unwrap_or_default();
    let second = parts.next();
    match call.node.registry.find(first, second) {
        // `get|x` is no command.
        Found::Command(command) if second.is_none() || command.row.name.contains('|') => {
            Some(command)
        }
        _ => None,
    }
}

fn all(call: &mut Call<'_>, reply: &mut Reply<'_>) -> Result<After, Fail> {
    reply.array(top(call).count());
    for command in top(call) {
        describe(call, command, reply);
    }
    Ok(After::Done)
}

fn count(call: &mut Call<'_>, reply: &mut Reply<'_>) -> Result<After, Fail> {
    reply.int(top(call).count() as i64);
    Ok(After::Done)
}

fn info(call: &mut Call<'_>, reply: &mut Reply<'_>) -> Result<After, Fail> {
    if call.args.len() == 2 {
        return all(call, reply);
    }
    let names = call.args.from(2);
    reply.array(names.len());
    for name in names.iter() {
        match find(call, name) {
            Some(command) => describe(call, command, reply),
            None => reply.null(),
        }
    }
    Ok(After::Done)
}

/// The ten fields of one command.
fn describe(call: &Call<'_>, command: &Command, reply: &mut Reply<'_>) {
    let row = command.row;
    let (first, last, step) = legacy_range(row.keys);
    reply.array(10);
    reply.bulk_str(row.name);
    reply.int(i64::from(row.arity));
    words(reply, flag_names(row).into_iter());
    reply.int(first);
    reply.int(last);
    reply.int(step);
    words(reply, category_names(row).into_iter());
    let tips: Vec<&str> = row.tips.split_whitespace().collect();
    reply.set(tips.len());
    tips.iter().for_each(|tip| reply.bulk_str(tip));
    reply.set(row.keys.len());
    row.keys.iter().for_each(|spec| describe_spec(spec, reply));
    let subcommands: Vec<&Command> = call.node.registry.subcommands(command).collect();
    // A command without subcommands has an empty set there, a container an array.
    if subcommands.is_empty() {
        reply.set(0)
    } else {
        reply.array(subcommands.len())
    }
    subcommands.iter().for_each(|command| describe(call, command, reply));
}

fn words(reply: &mut Reply<'_>, words: impl ExactSizeIterator<Item = impl AsRef<str>>) {
    reply.set(words.len());
    words.for_each(|word| reply.simple(word.as_ref()));
}

fn flag_names(row: &Row) -> Vec<&'static str> {
    let movable = row.keys.iter().any(|spec| matches!(spec.find, Find::Count));
    let flags = row.flags | if movable { flags::MOVABLE_KEYS } else { 0 };
    flags::NAMES.iter().filter(|(flag, _)| flags & flag != 0).map(|(_, name)| *name).collect()
}

/// The row's categories and those that follow from its flags.
fn categories(row: &Row) -> u32 {
    let implied = [
        (flags::WRITE, acl::WRITE),
        (flags::READONLY, acl::READ),
        (flags::ADMIN, acl::ADMIN | acl::DANGEROUS),
        (flags::PUBSUB, acl::PUBSUB),
        (flags::FAST, acl::FAST),
    ];
    let implied = implied.iter().filter(|(flag, _)| row.is(*flag)).map(|(_, category)| category);
    let slow = if row.is(flags::FAST) { 0 } else { acl::SLOW };
    implied.fold(row.acl | slow, |all, category| all | category)
}

fn category_names(row: &Row) -> Vec<String> {
    let all = categories(row);
    let names = acl::NAMES.iter().filter(|(category, _)| all & category != 0);
    names.map(|(_, name)| format!("@{name}")).collect()
}

/// First key, last key and step as they were told before there were key specifications: the
/// specifications that are plain ranges and follow each other.
fn legacy_range(specs: &[KeySpec]) -> (i64, i64, i64) {
    let mut range: Option<(i64, i64, i64)> = None;
    for spec in specs {
        let Find::Range { last, step } = spec.find else { continue };
        let (begin, step) = (spec.begin as i64, step as i64);
        let last = if last == 0 { begin } else { i64::from(last) };
        range = match range {
            None => Some((begin, last, step)),
            Some((first, end, 1)) if begin == end + 1 && step == 1 => Some((first, last, 1)),
            kept => kept,
        };
    }
    range.unwrap_or((0, 0, 0))
}

fn describe_spec(spec: &KeySpec, reply: &mut Reply<'_>) {
    reply.map(3);
    reply.bulk_str("flags");
    words(reply, spec_flags(spec.flags).into_iter());
    reply.bulk_str("begin_search");
    reply.map(2);
    reply.bulk_str("type");
    reply.bulk_str("index");
    reply.bulk_str("spec");
    reply.map(1);
    reply.bulk_str("index");
    reply.int(spec.begin as i64);
    reply.bulk_str("find_keys");
    reply.map(2);
    reply.bulk_str("type");
    let (kind, numbers) = match spec.find {
        Find::Range { last, step } => {
            // Relative to the first key, unless it is counted from the end.
            let begin = i64::try_from(spec.begin).unwrap_or(i64::MAX);
            let last = if last > 0 { i64::from(last) - begin } else { i64::from(last) };
            ("range", [("lastkey", last), ("keystep", step as i64), ("limit", 0)])
        }
        Find::Count => ("keynum", [("keynumidx", 0), ("firstkey", 1), ("keystep", 1)]),
    };
    reply.bulk_str(kind);
    reply.bulk_str("spec");
    reply.map(numbers.len());
    for (name, number) in numbers {
        reply.bulk_str(name);
        reply.int(number);
    }
}

/// A specification names its access alone (`RO`) where what is done follows from it.
fn spec_flags(flags: &str) -> Vec<&str> {
    flags.split_whitespace().collect()
}

fn list(call: &mut Call<'_>, reply: &mut Reply<'_>) -> Result<After, Fail> {
    let args = call.args;
    let everything: Vec<&Command> = call.node.registry.all().collect();
    let wanted: Vec<&Command> = match args.len() {
        2 => top(call).collect(),
        5 if is(args.at(2), "filterby") => {
            let value = args.at(4);
            let keep = |test: &dyn Fn(&Command) -> bool| {
                everything.into_iter().filter(|command| test(command)).collect()
            };
            if is(args.at(3), "module") {
                Vec::new()
            } else if is(args.at(3), "aclcat") {
                let category = acl::NAMES.iter().find(|(_, name)| is(value, name));
                let category = category.map_or(0, |(category, _)| *category);
                keep(&|command| categories(command.row) & category != 0)
            } else if is(args.at(3), "pattern") {
                keep(&|command| glob::matches(value, command.row.name.as_bytes(), true))
            } else {
                return Err(SYNTAX);
            }
        }
        _ => return Err(SYNTAX),
    };
    reply.set(wanted.len());
    wanted.iter().for_each(|command| reply.bulk_str(command.row.name));
    Ok(After::Done)
}

/// A key's index among the arguments and what happens to it.
type Keys = Vec<(usize, &'static str)>;

/// Finds the keys of the command line that begins at the third argument.
fn keys_of<'a>(call: &Call<'a>) -> Result<(Args<'a>, Keys), Fail> {
    let line = call.args.from(2);
    let found = call.node.registry.find(line.at(0), line.get(1));
    let Found::Command(command) = found else {
        return Err(Fail::text("ERR Invalid command specified"));
    };
    let row = command.row;
    if row.keys.is_empty() {
        return Err(Fail::text("ERR The command has no key arguments"));
    }
    let least = row.arity.unsigned_abs() as usize;
    if line.len() < least || (row.arity > 0 && line.len() > least) {
        return Err(Fail::text("ERR Invalid number of arguments specified for command"));
    }
    let counted = |spec: &KeySpec| matches!(spec.find, Find::Count);
    let mut keys = Keys::new();
    for spec in row.keys {
        let before = keys.len();
        keys.extend(spec.positions(line).map(|at| (at, flags_in(row, spec, line))));
        if counted(spec) {
            let announced = resp::numbers::parse_i64(line.at(spec.begin)).unwrap_or(0);
            if announced < 1 || announced as u64 != (keys.len() - before) as u64 {
                let keys = leniently_counted(row, line);
                let wrong = Fail::text("ERR Invalid arguments specified for command");
                return keys.map(|keys| (line, keys)).ok_or(wrong);
            }
        }
    }
    if keys.is_empty() && !row.is(flags::NO_MANDATORY_KEYS) {
        return Err(Fail::text("ERR Invalid arguments specified for command"));
    }
    // Redis names a destination that stands before a count first, and so does the order of specs.
    Ok((line, keys))
}

/// Redis's second attempt when a count is no integer: the digits it begins with count, the keys
/// they announce come before all others, and nothing is said of what happens to them.
fn leniently_counted(row: &Row, line: Args<'_>) -> Option<Keys> {
    let spec = row.keys.iter().find(|spec| matches!(spec.find, Find::Count))?;
    let first = spec.begin + 1;
    let count = usize::try_from(leading_integer(line.at(spec.begin))).ok()?;
    if count == 0 || count > line.len().saturating_sub(first) {
        return None;
    }
    let others = row.keys.iter().filter(|spec| !matches!(spec.find, Find::Count));
    let others = others.flat_map(|spec| spec.positions(line));
    Some((first..first + count).chain(others).map(|at| (at, "")).collect())
}

/// As C's atoi: blanks, a sign, digits up to anything else; 0 if there are none.
fn leading_integer(text: &[u8]) -> i32 {
    let text = text.trim_ascii_start();
    let (sign, digits) = match text {
        [b'-', digits @ ..] => (-1, digits),
        [b'+', digits @ ..] => (1, digits),
        digits => (1, digits),
    };
    let digits = digits.iter().take_while(|byte| byte.is_ascii_digit());
    let value = digits.fold(0_i64, |value, digit| {
        value.saturating_mul(10).saturating_add(i64::from(digit - b'0'))
    });
    // What does not fit is cut to its low bits, there as here.
    (sign * value) as i32
}

/// What happens to a key may depend on the options: SET reads only with GET.
fn flags_in(row: &Row, spec: &KeySpec, line: Args<'_>) -> &'static str {
    match row.name {
        "set" if line.from(3).iter().any(|arg| is(arg, "get")) => "RW access update",
        "set" => "OW update",
        _ => spec.flags,
    }
}

fn get_keys(call: &mut Call<'_>, reply: &mut Reply<'_>) -> Result<After, Fail> {
    let (line, keys) = keys_of(call)?;
    reply.array(keys.len());
    keys.iter().for_each(|(at, _)| reply.bulk(line.at(*at)));
    Ok(After::Done)
}

fn get_keys_and_flags(call: &mut Call<'_>, reply: &mut Reply<'_>) -> Result<After, Fail> {
    let (line, keys) = keys_of(call)?;
    reply.array(keys.len());
    for (at, flags) in keys {
        reply.array(2);
        reply.bulk(line.at(at));
        words(reply, spec_flags(flags).into_iter());
    }
    Ok(After::Done)
}

fn show_help(_: &mut Call<'_>, reply: &mut Reply<'_>) -> Result<After, Fail> {
    help(
        reply,
        "COMMAND",
        &[
            "(no subcommand)",
            "    Return details about all Redis commands.",
            "COUNT",
            "    Return the total number of commands in this Redis server.",
            "LIST",
            "    Return a list of all commands in this Redis server.",
            "INFO [<command-name> ...]",
            "    Return details about multiple Redis commands.",
            "    If no command names are given, documentation details for all",
            "    commands are returned.",
            "DOCS [<command-name> ...]",
            "    Return documentation details about multiple Redis commands.",
            "    If no command names are given, documentation details for all",
            "    commands are returned.",
            "GETKEYS <full-command>",
            "    Return the keys from a full Redis command.",
            "GETKEYSANDFLAGS <full-command>",
            "    Return the keys and the access flags from a full Redis command.",
        ],
    );
    Ok(After::Done)
}

#[cfg(test)]
mod tests {
    use super::*;
    use storage::commands::ROW;
    use storage::commands::row::{counted, one, range};

    #[test]
    fn a_count_that_is_no_integer_is_read_by_its_digits() {
        const KEYS: &[KeySpec] = &[one(1, "OW"), counted(2, "RO")];
        let row = Row { keys: KEYS, ..ROW };
        let keys = |words: &[&str]| {
            let words: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
            let line = resp::OwnedArgs::from_slices(&words);
            let keys = leniently_counted(&row, line.as_args())?;
            Some(keys.into_iter().map(|(at, _)| at).collect::<Vec<_>>())
        };
        assert_eq!(keys(&["zunionstore", "d", "1e400", "a"]), Some(vec![3, 1]));
        assert_eq!(keys(&["zunionstore", "d", " +2x", "a", "b"]), Some(vec![3, 4, 1]));
        assert_eq!(keys(&["zunionstore", "d", "2x", "a"]), None);
        assert_eq!(keys(&["zunionstore", "d", "abc", "a"]), None);
        assert_eq!(leading_integer(b"18446744073709551616"), -1);
        assert_eq!(leading_integer(b"-7z"), -7);
    }

    #[test]
    fn ranges_that_follow_each_other_are_one() {
        assert_eq!(legacy_range(&[one(1, "RO")]), (1, 1, 1));
        assert_eq!(legacy_range(&[one(1, "RW"), one(2, "OW")]), (1, 2, 1));
        assert_eq!(legacy_range(&[range(1, -1, 2, "OW")]), (1, -1, 2));
        assert_eq!(legacy_range(&[one(1, "OW"), counted(2, "RO")]), (1, 1, 1));
        assert_eq!(legacy_range(&[one(1, "OW"), range(2, -1, 1, "RO")]), (1, -1, 1));
        assert_eq!(legacy_range(&[counted(1, "RO")]), (0, 0, 0));
    }

    #[test]
    fn categories_follow_from_flags() {
        let row = Row { flags: flags::ADMIN, acl: acl::CONNECTION, ..ROW };
        assert_eq!(category_names(&row), ["@admin", "@slow", "@dangerous", "@connection"]);
        let row = Row { flags: flags::READONLY | flags::FAST, acl: acl::STRING, ..ROW };
        assert_eq!(category_names(&row), ["@read", "@string", "@fast"]);
    }

    #[test]
    fn counted_keys_are_movable() {
        const KEYS: &[KeySpec] = &[counted(1, "RW")];
        let row = Row { flags: flags::WRITE, keys: KEYS, ..ROW };
        assert_eq!(flag_names(&row), ["write", "movablekeys"]);
    }
}
