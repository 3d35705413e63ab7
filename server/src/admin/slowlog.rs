//! SLOWLOG.

use crate::session::{After, Call, SessionFn, help};
use resp::Reply;
use resp::numbers::parse_i64;
use storage::commands::Fail;

pub const CODE: &[(&str, SessionFn)] = &[
    ("slowlog|get", get),
    ("slowlog|len", len),
    ("slowlog|reset", reset),
    ("slowlog|help", show_help),
];

/// Entries shown unless a number is given.
const COUNT: usize = 10;

fn get(call: &mut Call<'_>, reply: &mut Reply<'_>) -> Result<After, Fail> {
    if call.args.len() > 3 {
        return Err(super::misused(call, "SLOWLOG"));
    }
    let count = match call.args.get(2) {
        None => COUNT,
        Some(arg) => match parse_i64(arg) {
            Some(-1) => usize::MAX,
            Some(count @ 0..) => count as usize,
            _ => {
                return Err(Fail::text("ERR count should be greater than or equal to -1"));
            }
        },
    };
    let entries = call.node.slowlog.latest(count);
    reply.array(entries.len());
    for entry in entries {
        reply.array(6);
        reply.int(entry.id as i64);
        reply.int(entry.at_s);
        reply.int(entry.us as i64);
        reply.array(entry.args.len());
        entry.args.iter().for_each(|arg| reply.bulk(arg));
        reply.bulk_str(&entry.addr);
        reply.bulk(&entry.client_name);
    }
    Ok(After::Done)
}

fn len(call: &mut Call<'_>, reply: &mut Reply<'_>) -> Result<After, Fail> {
    reply.int(call.node.slowlog.len() as i64);
    Ok(After::Done)
}

fn reset(call: &mut Call<'_>, reply: &mut Reply<'_>) -> Result<After, Fail> {
    call.node.slowlog.reset();
    reply.ok();
    Ok(After::Done)
}

fn show_help(_: &mut Call<'_>, reply: &mut Reply<'_>) -> Result<After, Fail> {
    help(
        reply,
        "SLOWLOG",
        &[
            "GET [<count>]",
            "    Return top <count> entries from the slowlog (default: 10, -1 mean all).",
            "    Entries are made of:",
            "    id, timestamp, time in microseconds, arguments array, client IP and port,",
            "    client name",
            "LEN",
            "    Return the length of the slowlog.",
            "RESET",
            "    Reset the slowlog.",
        ],
    );
    Ok(After::Done)
}
